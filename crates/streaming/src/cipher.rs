//! The encryption of segments: AES-128 in CBC over the whole of each, with PKCS #7 padding, as HLS has it (RFC 8216, 4.3.2.4).
//!
//! An asset has one random secret. It encrypts nothing itself: each rendition's key is derived from it, so that within a key a segment's
//! number can be its initialisation vector, which is what players take where a playlist names none. So a key meets an initialisation
//! vector twice only where a part is done again, and then with the same bytes: an asset that is planned anew is another asset. Whoever
//! works on a part, its segments come out the same.
//!
//! Segments of picture and sound are encrypted, and nothing else: initialisation segments hold no sample, and subtitles and storyboards
//! are read by pages that have no decoder. What an edge cache or a stolen disk holds does not play without a key, and keys go out
//! under the same signature as all else. Nothing here proves that bytes are unaltered.

use std::fmt;

use aes::Aes128;
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use platform::rng::{self, Entropy};
use sha2::Sha256;

const SECRET_BYTES: usize = 32;
pub const KEY_BYTES: usize = 16;
const BLOCK_BYTES: usize = 16;
/// What a rendition's key is derived for; another derivation gets another version.
const VERSION: &str = "kinora-segments-1";

/// What the keys of an asset come from. Is never said in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct AssetSecret([u8; SECRET_BYTES]);

/// Of one rendition of one asset: what its players get.
#[derive(Clone, PartialEq, Eq)]
pub struct SegmentKey([u8; KEY_BYTES]);

/// It was encrypted with another key or under another number, or is cut off.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a segment cannot be decrypted")]
pub struct Undecipherable;

impl AssetSecret {
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self(rng::bytes(entropy))
    }

    /// As it was stored. `None`: that is no secret of ours.
    pub fn read(stored: &[u8]) -> Option<Self> {
        stored.try_into().ok().map(Self)
    }

    pub fn stored(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// The key of a rendition: `v0`, `a0`.
    #[allow(clippy::expect_used)]
    pub fn key_of(&self, rendition: &str) -> SegmentKey {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(VERSION.as_bytes());
        mac.update(b"|");
        mac.update(rendition.as_bytes());
        let mut key = [0; KEY_BYTES];
        key.copy_from_slice(&mac.finalize().into_bytes()[..KEY_BYTES]);
        SegmentKey(key)
    }
}

impl SegmentKey {
    pub fn bytes(&self) -> [u8; KEY_BYTES] {
        self.0
    }

    /// Encrypts a segment in its place, which grows by the padding.
    #[allow(clippy::expect_used)]
    pub fn encrypt(&self, segment: &mut Vec<u8>, number: u32) {
        let plain = segment.len();
        segment.resize(encrypted_bytes(plain as u64) as usize, 0);
        Encryptor::<Aes128>::new(&self.0.into(), &vector(number).into())
            .encrypt_padded::<Pkcs7>(segment, plain)
            .expect("there is room for the padding: it was made");
    }

    pub fn decrypt(&self, segment: &mut Vec<u8>, number: u32) -> Result<(), Undecipherable> {
        let plain = Decryptor::<Aes128>::new(&self.0.into(), &vector(number).into())
            .decrypt_padded::<Pkcs7>(segment)
            .map_err(|_| Undecipherable)?
            .len();
        segment.truncate(plain);
        Ok(())
    }
}

impl fmt::Debug for AssetSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AssetSecret")
    }
}

impl fmt::Debug for SegmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SegmentKey")
    }
}

/// How long so many bytes are once they are encrypted: there is always padding.
pub fn encrypted_bytes(plain: u64) -> u64 {
    (plain / BLOCK_BYTES as u64 + 1) * BLOCK_BYTES as u64
}

/// The number, as 128 bits.
fn vector(number: u32) -> [u8; BLOCK_BYTES] {
    u128::from(number).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use platform::rng::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    fn secret(seed: u64) -> AssetSecret {
        AssetSecret::new(&SeededEntropy::new(seed))
    }

    /// NIST SP 800-38A, F.1.1: of a vector of zero the first block is the cipher's own.
    #[test]
    fn it_is_the_cipher_that_players_have() {
        let key = SegmentKey(0x2b7e1516_28aed2a6_abf71588_09cf4f3c_u128.to_be_bytes());
        let mut segment = 0x6bc1bee2_2e409f96_e93d7e11_7393172a_u128.to_be_bytes().to_vec();
        key.encrypt(&mut segment, 0);
        assert_eq!(segment[..16], 0x3ad77bb4_0d7a3660_a89ecaf3_2466ef97_u128.to_be_bytes());
        assert_eq!(segment.len(), 32);
    }

    #[test]
    fn every_rendition_of_every_asset_has_a_key_of_its_own() {
        let names = ["v0", "v1", "v10", "a0", "a1"];
        let keys: HashSet<_> = (0..50)
            .flat_map(|seed| names.map(|name| secret(seed).key_of(name).bytes()))
            .collect();
        assert_eq!(keys.len(), 50 * names.len());
        let again = AssetSecret::read(&secret(7).stored()).unwrap();
        assert_eq!(again.key_of("v1"), secret(7).key_of("v1"), "also after a restart");
        for length in [0, 16, 31, 33] {
            assert_eq!(AssetSecret::read(&vec![7; length]), None);
        }
    }

    #[test]
    fn no_secret_is_said_in_a_log() {
        let (secret, key) = (secret(1), secret(1).key_of("v0"));
        assert_eq!(
            format!("{:?} {:#?}", Some(&secret), key),
            "Some(AssetSecret) SegmentKey"
        );
    }

    proptest! {
        #[test]
        fn what_is_encrypted_comes_back_and_nothing_of_it_shows(plain in prop::collection::vec(any::<u8>(), 0..2_000), number in 1_u32..) {
            let key = secret(3).key_of("v0");
            let mut segment = plain.clone();
            key.encrypt(&mut segment, number);
            prop_assert_eq!(segment.len() as u64, encrypted_bytes(plain.len() as u64));
            prop_assert!(plain.chunks_exact(16).all(|part| !segment.windows(16).any(|shown| shown == part)));
            let mut again = plain.clone();
            key.encrypt(&mut again, number);
            prop_assert_eq!(&again, &segment);
            key.decrypt(&mut again, number).unwrap();
            prop_assert_eq!(again, plain);
        }

        #[test]
        fn another_key_or_another_number_brings_nothing_back(plain in prop::collection::vec(any::<u8>(), 17..200), number in 1_u32..1_000) {
            let mut segment = plain.clone();
            secret(3).key_of("v0").encrypt(&mut segment, number);
            let mut other_key = segment.clone();
            prop_assert!(secret(3).key_of("v1").decrypt(&mut other_key, number).is_err() || other_key != plain);
            let mut other_number = segment.clone();
            prop_assert!(secret(3).key_of("v0").decrypt(&mut other_number, number + 1).is_err() || other_number != plain);
        }

        #[test]
        fn garbage_is_refused_or_shorter_and_never_a_panic(mut garbage in prop::collection::vec(any::<u8>(), 0..100)) {
            let before = garbage.len();
            match secret(3).key_of("v0").decrypt(&mut garbage, 1) {
                Ok(()) => prop_assert!(garbage.len() < before && before % 16 == 0),
                Err(error) => prop_assert_eq!(error, Undecipherable),
            }
        }
    }
}
