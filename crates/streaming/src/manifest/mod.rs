//! Manifests over one set of segments: HLS (RFC 8216) and DASH (ISO/IEC 23009-1). Pure functions of the index: the same asset gives
//! the same bytes, whoever asks and whenever. All addresses inside are relative, so the signed prefix carries over.
//!
//! A version-1 index says nothing of subtitles, storyboards or keyframes; its manifests have none.

mod audio;
mod bandwidth;
mod dash;
mod hls;
mod media;
mod storyboard;

pub use dash::presentation;
pub use hls::multivariant;
pub use media::{keyframe_playlist, playlist};
pub use storyboard::cues as storyboard_cues;
pub(crate) use {audio::unique, storyboard::time as cue_time};

#[cfg(test)]
mod tests;
