//! Addresses of pictures, as the API says them.

use std::fmt::Write as _;

use contract::{TitleId, catalog, ids::Digits};
use serde::{Serialize, Serializer, ser};

/// Address of a picture: immutable, since it changes with the picture.
#[derive(Debug, Clone, Copy)]
pub struct PictureUrl {
    pub title: TitleId,
    pub version: u32,
    /// That it was us who handed it out, in base64.
    pub proof: [u8; PROOF_CHARS],
    pub shape: catalog::ArtworkShape,
}

/// Characters of the proof in an address.
pub const PROOF_CHARS: usize = 16;
/// Room for the longest address.
const ADDRESS_CHARS: usize = 64;

impl Serialize for PictureUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shape = match self.shape {
            catalog::ArtworkShape::Poster => "poster",
            catalog::ArtworkShape::Backdrop => "backdrop",
        };
        let proof = str::from_utf8(&self.proof).map_err(ser::Error::custom)?;
        // A page has hundreds of these: one allocation each.
        let mut text = String::with_capacity(ADDRESS_CHARS);
        text.push_str("/art/");
        text.push_str(Digits::of(self.title.0).as_str());
        write!(text, "/{}-", self.version).map_err(ser::Error::custom)?;
        text.push_str(proof);
        text.push('/');
        text.push_str(shape);
        serializer.serialize_str(&text)
    }
}
