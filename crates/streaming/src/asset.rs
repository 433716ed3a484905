//! A packaged video as stored: which renditions there are, how long and how large every segment is, and where it lies.
//!
//! ```text
//! assets/<asset>/index.json      this index, written last
//! assets/<asset>/v0/init.mp4     lowest rung: initialisation segment
//! assets/<asset>/v0/1.m4s …      one file per segment, about two seconds each
//! assets/<asset>/a0/…            audio, stored once for all rungs
//! ```
//! Segments are files of their own, not ranges of one: every edge cache stores and revalidates whole objects well, ranges only
//! with extra modules, and a segment's address says all that a cache key needs.

use contract::AssetId;
use serde::{Deserialize, Serialize};

/// Version of the stored form.
pub const INDEX_VERSION: u32 = 1;

/// Everything that manifests and delivery need to know of an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssetIndex {
    pub version: u32,
    pub duration_ms: u64,
    /// Frames per second as a fraction, the same on all rungs.
    pub frame_rate: (u32, u32),
    /// Lowest rung first.
    pub video: Vec<VideoTrack>,
    /// None for a silent film.
    pub audio: Vec<AudioTrack>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoTrack {
    pub width: u32,
    pub height: u32,
    #[serde(flatten)]
    pub track: Track,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioTrack {
    /// ISO 639, where the source says.
    pub language: Option<String>,
    pub channels: u16,
    #[serde(flatten)]
    pub track: Track,
}

/// The segments of one rendition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// The folder: `v0`, `a0`.
    pub name: String,
    /// RFC 6381.
    pub codec: String,
    /// Ticks per second of all durations here.
    pub timescale: u32,
    pub init_bytes: u64,
    /// Of each segment, in order.
    pub bytes: Vec<u64>,
    /// Ticks and how many segments in a row last that long.
    pub durations: Vec<(u64, u32)>,
}

/// A segment as manifests see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// From 1.
    pub number: usize,
    pub bytes: u64,
    /// In ticks.
    pub duration: u64,
}

impl Track {
    pub fn push(&mut self, bytes: u64, duration: u64) {
        self.bytes.push(bytes);
        match self.durations.last_mut() {
            Some((same, count)) if *same == duration => *count += 1,
            _ => self.durations.push((duration, 1)),
        }
    }

    pub fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        let durations = self
            .durations
            .iter()
            .flat_map(|&(ticks, count)| std::iter::repeat_n(ticks, count as usize));
        let numbered = self.bytes.iter().zip(durations).enumerate();
        numbered.map(|(index, (&bytes, duration))| Segment {
            number: index + 1,
            bytes,
            duration,
        })
    }

    pub fn seconds(&self, ticks: u64) -> f64 {
        ticks as f64 / f64::from(self.timescale)
    }

    pub fn duration(&self) -> u64 {
        self.durations
            .iter()
            .map(|&(ticks, count)| ticks * u64::from(count))
            .sum()
    }

    /// Bytes of a segment by its number.
    pub fn segment_bytes(&self, number: usize) -> Option<u64> {
        self.bytes.get(number.checked_sub(1)?).copied()
    }
}

impl AssetIndex {
    pub fn tracks(&self) -> impl Iterator<Item = &Track> {
        self.video
            .iter()
            .map(|video| &video.track)
            .chain(self.audio.iter().map(|audio| &audio.track))
    }

    pub fn track(&self, name: &str) -> Option<&Track> {
        self.tracks().find(|track| track.name == name)
    }

    /// Everything stored, the index itself apart.
    pub fn bytes(&self) -> u64 {
        self.tracks()
            .map(|track| track.init_bytes + track.bytes.iter().sum::<u64>())
            .sum()
    }

    /// Height of the highest rung.
    pub fn height(&self) -> u32 {
        self.video.iter().map(|video| video.height).max().unwrap_or(0)
    }
}

/// The folder of an asset in blob storage.
pub fn folder(asset: AssetId) -> String {
    format!("assets/{asset}")
}

pub fn index_key(asset: AssetId) -> String {
    format!("assets/{asset}/index.json")
}

pub fn init_key(asset: AssetId, track: &str) -> String {
    format!("assets/{asset}/{track}/init.mp4")
}

pub fn segment_key(asset: AssetId, track: &str, number: usize) -> String {
    format!("assets/{asset}/{track}/{number}.m4s")
}
