//! A small reader of fragmented MP4: what manifests must say of tracks and segments, read from the files themselves.
//!
//! [`Init`] comes from `moov` (timescale, codec string, picture size), [`Fragment`] from `moof` (decode time, duration, whether it
//! begins with a picture that stands by itself), and [`scan`] finds where each fragment lies in a file.

mod boxes;
mod fragment;
mod init;
mod scan;

pub use fragment::Fragment;
pub use init::{Init, Media};
pub use scan::{Layout, Piece, scan};

/// Why a file cannot be read as fragmented MP4.
#[derive(Debug, thiserror::Error)]
pub enum Mp4Error {
    #[error("malformed MP4: {0}")]
    Malformed(&'static str),
    #[error("MP4 without {0}")]
    Missing(String),
    #[error("MP4 cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

#[cfg(test)]
mod tests;
