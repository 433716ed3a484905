//! Signed paths: `{playback}/{session}/{account}/{expires}/{signature}/{asset}/…` below `/media/`.
//!
//! The signature is an HMAC-SHA-256, cut to 128 bits, over everything before the file's name: one signature covers all of an asset, so
//! manifests can use relative addresses, and an edge cache can check it (or leave it to us) and drop it from its key. It carries the
//! log-in that it was made for, so that it can end before it expires: see [`crate::ended`].

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{AccountId, AssetId, Millis, PlaybackId, SessionId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What a signature is over; another meaning gets another version.
const VERSION: &str = "kinora-media-2";
const SIGNATURE_BYTES: usize = 16;

/// What a signature vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    pub playback: PlaybackId,
    /// The log-in that pressed play.
    pub session: SessionId,
    pub account: AccountId,
    pub asset: AssetId,
    /// Seconds since the Unix epoch.
    pub expires_s: i64,
}

/// A file of an asset, by its own grammar: nothing else can be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    Multivariant,
    Presentation,
    /// Of a rendition, of subtitles or of a storyboard.
    Playlist {
        track: &'a str,
    },
    /// The pictures of a rung that stand by themselves.
    KeyframePlaylist {
        track: &'a str,
    },
    Init {
        track: &'a str,
    },
    Segment {
        track: &'a str,
        number: usize,
    },
    /// What the segments of a rendition are encrypted with.
    Key {
        track: &'a str,
    },
    Subtitles {
        track: &'a str,
    },
    /// Which part of which sheet is shown when.
    Storyboard {
        track: &'a str,
    },
    Sheet {
        track: &'a str,
        number: usize,
    },
    /// Nothing that is stored: whether the address is good, for an edge cache that holds the files themselves.
    Check,
    /// The same, asked for a file that is read once: nobody watches yet.
    CheckOnce,
}

/// Signs and verifies.
pub struct Signer {
    mac: Hmac<Sha256>,
}

impl Signer {
    #[allow(clippy::expect_used)]
    pub fn new(key: &[u8]) -> Self {
        Self {
            mac: Hmac::new_from_slice(key).expect("HMAC takes keys of any length"),
        }
    }

    /// The path of a file, from the root.
    pub fn path(&self, grant: &Grant, file: &str) -> String {
        let [playback, session, account, expires, asset] = [
            grant.playback.to_string(),
            grant.session.to_string(),
            grant.account.to_string(),
            grant.expires_s.to_string(),
            grant.asset.to_string(),
        ];
        let mac = self.authenticate([&playback, &session, &account, &expires, &asset]);
        let signature = URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..SIGNATURE_BYTES]);
        format!("/media/{playback}/{session}/{account}/{expires}/{signature}/{asset}/{file}")
    }

    /// What a path grants and names, if its signature is ours and it has not expired. The text is what stands below `/media/`.
    pub fn verify<'a>(&self, path: &'a str, now: Millis) -> Option<(Grant, &'a str)> {
        let mut parts = path.splitn(7, '/');
        let mut next = || parts.next();
        let (playback, session, account, expires, signature, asset, file) =
            (next()?, next()?, next()?, next()?, next()?, next()?, next()?);
        let grant = Grant {
            playback: playback.parse().ok()?,
            session: session.parse().ok()?,
            account: account.parse().ok()?,
            asset: asset.parse().ok()?,
            expires_s: decimal(expires)?,
        };
        // Not padded, not longer, no stray bits: one signature has one spelling.
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .ok()
            .filter(|signature| signature.len() == SIGNATURE_BYTES)?;
        // Read above, each has one spelling: what was signed are these very texts.
        let mac = self.authenticate([playback, session, account, expires, asset]);
        mac.verify_truncated_left(&signature).ok()?;
        (now < grant.expires_s.saturating_mul(1000)).then_some((grant, file))
    }

    fn authenticate(&self, parts: [&str; 5]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(VERSION.as_bytes());
        for part in parts {
            mac.update(b"|");
            mac.update(part.as_bytes());
        }
        mac
    }
}

impl<'a> Name<'a> {
    /// What a player asks for again and again while somebody watches; the rest it reads once, perhaps before anybody does.
    pub fn is_watched(self) -> bool {
        matches!(self, Self::Segment { .. } | Self::Check)
    }

    /// Reads what stands below the asset.
    pub fn parse(file: &'a str) -> Option<Self> {
        match file {
            "master.m3u8" => return Some(Self::Multivariant),
            "manifest.mpd" => return Some(Self::Presentation),
            "check" => return Some(Self::Check),
            "check-once" => return Some(Self::CheckOnce),
            _ => {}
        }
        let (track, file) = file.split_once('/')?;
        let (kind, number) = track.split_at_checked(1)?;
        // Subtitles that no asset holds are called by their id.
        let digits_max = if kind == "s" { ID_DIGITS_MAX } else { DIGITS_MAX };
        number_of(number, digits_max)?;
        let numbered = |suffix| usize::try_from(decimal(file.strip_suffix(suffix)?)?).ok();
        match (kind, file) {
            ("v" | "a" | "s" | "b", "index.m3u8") => Some(Self::Playlist { track }),
            ("v" | "a", "key") => Some(Self::Key { track }),
            ("v" | "a", "init.mp4") => Some(Self::Init { track }),
            ("v", "iframes.m3u8") => Some(Self::KeyframePlaylist { track }),
            ("v" | "a", _) => numbered(".m4s").map(|number| Self::Segment { track, number }),
            ("s", "1.vtt") => Some(Self::Subtitles { track }),
            ("b", "index.vtt") => Some(Self::Storyboard { track }),
            ("b", _) => numbered(".jpg").map(|number| Self::Sheet { track, number }),
            _ => None,
        }
    }
}

const DIGITS_MAX: usize = 12;
const ID_DIGITS_MAX: usize = 19;

fn decimal(text: &str) -> Option<i64> {
    number_of(text, DIGITS_MAX)
}

/// A number as we write them: digits only, no leading zeros.
fn number_of(text: &str, digits_max: usize) -> Option<i64> {
    let plain = (1..=digits_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text.len() == 1 || !text.starts_with('0');
    if plain && canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
