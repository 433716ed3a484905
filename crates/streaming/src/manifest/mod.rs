//! Manifests over one set of segments: HLS (RFC 8216) and DASH (ISO/IEC 23009-1). Pure functions of the index: the same asset gives
//! the same bytes, whoever asks and whenever. All addresses inside are relative, so the signed prefix carries over.

mod bandwidth;
mod dash;
mod hls;

pub use dash::presentation;
pub use hls::{media_playlist, multivariant};

#[cfg(test)]
mod tests;
