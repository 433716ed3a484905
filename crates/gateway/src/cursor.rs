//! Cursors: opaque to clients, and good only for the list that gave them.
//!
//! A cursor is base64url of eight bytes of a digest over the list's name and filter, then the key to continue after.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;

const TAG_BYTES: usize = 8;
const CURSOR_BYTES_MAX: usize = 2048;

/// One list: its name and everything that decides what is in it, but for where to begin and how much.
pub struct Listing([u8; TAG_BYTES]);

impl Listing {
    pub fn new(name: &'static str, filter: impl Serialize) -> Result<Self, Problem> {
        let filter = serde_json::to_vec(&filter).map_err(Problem::internal)?;
        let mut digest = Sha256::new();
        digest.update(name);
        digest.update([0]);
        digest.update(filter);
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&digest.finalize()[..TAG_BYTES]);
        Ok(Self(tag))
    }

    pub fn write<K: Serialize>(&self, key: Option<K>) -> Result<Option<String>, Problem> {
        let Some(key) = key else { return Ok(None) };
        let mut bytes = self.0.to_vec();
        serde_json::to_writer(&mut bytes, &key).map_err(Problem::internal)?;
        Ok(Some(URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub fn read<K: DeserializeOwned>(&self, cursor: Option<&str>) -> Result<Option<K>, Problem> {
        let Some(cursor) = cursor else { return Ok(None) };
        let wrong = || {
            Problem::bad_request(
                "cursor_invalid",
                "this cursor belongs to another list; start again without it",
            )
        };
        if cursor.len() > CURSOR_BYTES_MAX {
            return Err(wrong());
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
        let (tag, key) = bytes.split_at_checked(TAG_BYTES).ok_or_else(wrong)?;
        if tag != self.0 {
            return Err(wrong());
        }
        serde_json::from_slice(key).map(Some).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let drama = Listing::new("titles", ("Drama", 1990)).unwrap();
        let cursor = drama.write(Some(42)).unwrap();
        assert_eq!(drama.read::<i64>(cursor.as_deref()).unwrap(), Some(42));
        for other in [
            Listing::new("titles", ("Crime", 1990)),
            Listing::new("history", ("Drama", 1990)),
        ] {
            let problem = other.unwrap().read::<i64>(cursor.as_deref()).unwrap_err();
            assert_eq!((problem.status.as_u16(), problem.code), (400, "cursor_invalid"));
        }
        for text in ["", "x", "AAAA", "ünïcode", &"A".repeat(5000)] {
            assert_eq!(
                drama.read::<i64>(Some(text)).unwrap_err().code,
                "cursor_invalid",
                "{text}"
            );
        }
    }
}
