//! Addresses of pictures. Pictures need no log-in, so that browsers and proxies keep them; whoever has not been handed an
//! address must not find one by counting, or the pictures that we draw would tell name, year and genre of what is hidden.
//!
//! An address names title and version and carries a MAC over both (HMAC-SHA-256, cut to 96 bits). The key is made once and kept
//! among the blobs, where every process finds the same one: an address stays good for as long as the picture.

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{TitleId, catalog::ArtworkShape};
use hmac::{Hmac, KeyInit as _, Mac as _};
use platform::{
    Inputs,
    blob::{BlobError, BlobStore},
    rng,
};
use sha2::Sha256;

use crate::dto::pictures::{PROOF_CHARS, PictureUrl};

const KEY: &str = "gateway/picture-addresses.key";
const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 12;

/// Makes addresses of pictures and knows its own again.
pub struct Pictures(Hmac<Sha256>);

impl Pictures {
    /// With the key of this installation, made if there is none.
    pub async fn open(blobs: &BlobStore, inputs: &Inputs) -> anyhow::Result<Self> {
        let fresh: [u8; KEY_BYTES] = rng::bytes(&*inputs.entropy);
        // Of two processes that start at once, one makes it.
        if matches!(blobs.get(KEY).await, Err(BlobError::NotFound(_))) {
            blobs.put_new(KEY, fresh.to_vec()).await?;
        }
        let key = blobs.get(KEY).await.context("reading the key of picture addresses")?;
        anyhow::ensure!(
            key.len() == KEY_BYTES,
            "the blob {KEY} is damaged; remove it, and a new one will be made"
        );
        Ok(Self::with(&key))
    }

    #[allow(clippy::expect_used)]
    pub fn with(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// The addresses of a title's pictures, in these shapes.
    pub fn addresses<const N: usize>(
        &self,
        title: TitleId,
        version: u32,
        shapes: [ArtworkShape; N],
    ) -> [PictureUrl; N] {
        let proof = self.proof(title, version);
        shapes.map(|shape| PictureUrl {
            title,
            version,
            proof,
            shape,
        })
    }

    /// The version in an address that we handed out: `3-…`.
    pub fn version(&self, title: TitleId, text: &str) -> Option<u32> {
        let (version, proof) = text.split_once('-')?;
        let version = version.parse().ok()?;
        let proof = URL_SAFE_NO_PAD.decode(proof).ok()?;
        let right = proof.len() == MAC_BYTES && self.mac(title, version).verify_truncated_left(&proof).is_ok();
        right.then_some(version)
    }

    fn proof(&self, title: TitleId, version: u32) -> [u8; PROOF_CHARS] {
        let mac = self.mac(title, version).finalize().into_bytes();
        let mut text = [b'-'; PROOF_CHARS];
        // Twelve bytes are sixteen characters: it always fits.
        let written = URL_SAFE_NO_PAD.encode_slice(&mac[..MAC_BYTES], &mut text);
        debug_assert_eq!(written, Ok(PROOF_CHARS));
        text
    }

    fn mac(&self, title: TitleId, version: u32) -> Hmac<Sha256> {
        self.0
            .clone()
            .chain_update(title.0.to_be_bytes())
            .chain_update(version.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_outlive_a_restart_and_cannot_be_made_up() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(folder.path()).unwrap();
        let (first, second) = (Inputs::manual(1).0, Inputs::manual(2).0);
        let pictures = Pictures::open(&blobs, &first).await.unwrap();
        let again = Pictures::open(&blobs, &second).await.unwrap();
        let address = serde_json::to_value(pictures.addresses(TitleId(7), 3, [ArtworkShape::Poster])[0]).unwrap();
        let parts: Vec<&str> = address.as_str().unwrap().split('/').collect();
        let [_, "art", "7", version, "poster"] = parts[..] else {
            panic!("{address}")
        };
        assert_eq!(again.version(TitleId(7), version), Some(3));
        assert_eq!(again.version(TitleId(8), version), None);
        let (_, proof) = version.split_once('-').unwrap();
        for wrong in [
            "3".to_owned(),
            "3-".to_owned(),
            format!("4-{proof}"),
            format!("3-{}", &proof[..4]),
            format!("3-{proof}AAAA"),
        ] {
            assert_eq!(pictures.version(TitleId(7), &wrong), None, "{wrong}");
        }
    }
}
