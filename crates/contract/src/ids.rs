//! Identifiers: a positive 63-bit integer in memory and in databases, an opaque string everywhere else.
//!
//! The upper 41 bits are milliseconds since 2024-01-01, the lower 22 a counter (`platform::ids` makes them), so ids sort by
//! age. Text form: Crockford base32, lower case, no padding (<https://www.crockford.com/base32.html>).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

/// The text of an id, without a trip to the heap: a home page writes a thousand of them.
#[derive(Debug, Clone, Copy)]
pub struct Digits {
    digits: [u8; 13],
    first: usize,
}

impl Digits {
    /// Writes `value` in Crockford base32 without leading zeros.
    pub fn of(value: i64) -> Self {
        let mut rest = value.max(0) as u64;
        let mut digits = [b'0'; 13];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = ALPHABET[(rest & 31) as usize];
            rest >>= 5;
            if rest == 0 || first == 0 {
                break;
            }
        }
        Self { digits, first }
    }

    pub fn as_str(&self) -> &str {
        // Of the alphabet alone, so always text.
        std::str::from_utf8(&self.digits[self.first..]).unwrap_or_default()
    }
}

/// [`Digits`] as a text of its own.
pub fn encode(value: i64) -> String {
    Digits::of(value).as_str().to_owned()
}

/// Reads what [`encode`] wrote. Only the canonical form is an id: lower case, no leading zeros, at most 63 bits.
pub fn decode(text: &str) -> Result<i64, NotAnId> {
    if text.is_empty() || text.len() > 13 || (text.len() > 1 && text.starts_with('0')) {
        return Err(NotAnId);
    }
    let mut value: u64 = 0;
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|&known| known == byte).ok_or(NotAnId)? as u64;
        if value > u64::MAX >> 5 {
            return Err(NotAnId);
        }
        value = value << 5 | digit;
    }
    i64::try_from(value).map_err(|_| NotAnId)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Digits::of(self.0).as_str())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                decode(text).map(Self)
            }
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                Self(value)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(Digits::of(self.0).as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A person who logs in.
    AccountId,
    /// One of the people behind an account: taste and history belong to it.
    ProfileId,
    /// A log-in on one device.
    SessionId,
    /// A film, a series or an episode.
    TitleId,
    /// An actor, director or writer.
    PersonId,
    /// A fact in an outbox.
    EventId,
    /// A unit of background work.
    JobId,
    /// A home page as it was shown once.
    PageId,
    /// A file on its way in.
    UploadId,
    /// A packaged video: its segments and manifests.
    AssetId,
    /// A file of subtitles beside a title's videos.
    SubtitlesId,
    /// One press of play.
    PlaybackId,
    /// A trained, versioned model.
    ModelId,
    /// Two models compared on live viewers.
    ExperimentId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_canonical() {
        for value in [0, 1, 31, 32, 1 << 40, i64::MAX] {
            assert_eq!(decode(&encode(value)), Ok(value));
        }
        for text in ["", "01", "A", "u", "l", "zzzzzzzzzzzzz", "00000000000000", "-1", "é"] {
            assert_eq!(decode(text), Err(NotAnId), "{text}");
        }
    }

    #[test]
    fn json_is_a_string() {
        assert_eq!(serde_json::to_string(&TitleId(1000)).ok(), Some("\"z8\"".into()));
        assert!(serde_json::from_str::<TitleId>("1000").is_err());
        assert_eq!(serde_json::from_str::<TitleId>("\"z8\"").ok(), Some(TitleId(1000)));
    }
}
