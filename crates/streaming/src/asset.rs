//! A packaged video as stored: which renditions there are, how long and how large every segment is, and where it lies.
//!
//! ```text
//! assets/<asset>/index.json      this index, written last
//! assets/<asset>/v0/init.mp4     lowest rung: initialisation segment
//! assets/<asset>/v0/1.m4s …      one file per segment, about two seconds each; encrypted or not
//! assets/<asset>/a0/…            audio, stored once for all rungs
//! assets/<asset>/s0/1.vtt        subtitles, one file each
//! assets/<asset>/b0/1.jpg …      the storyboard: sheets of small pictures
//! subtitles/<id>/1.vtt           those of a title that came as a file of their own, whichever asset it plays
//! ```
//! Segments are files of their own, not ranges of one: every edge cache stores and revalidates whole objects well, ranges only
//! with extra modules, and a segment's address says all that a cache key needs.

use contract::{
    AssetId,
    streaming::{CHAPTER_NAME_CHARS_MAX, Chapter, SubtitleKind},
};
use serde::{Deserialize, Serialize};

use crate::manifest::unique;

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
    #[serde(default)]
    pub subtitles: Vec<SubtitleTrack>,
    #[serde(default)]
    pub storyboard: Option<Storyboard>,
    /// In order.
    #[serde(default)]
    pub chapters: Vec<Chapter>,
    /// What a curator should know of how it was made, one sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Whether the segments of picture and sound are, each as a whole: see [`crate::cipher`]. All sizes here are of what is stored.
    #[serde(default, skip_serializing_if = "is_false")]
    pub encrypted: bool,
}

/// So an index that says nothing of it is the same bytes as before it could.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoTrack {
    pub width: u32,
    pub height: u32,
    /// Of each segment, how many bytes from its beginning are its first picture. Empty: not known.
    #[serde(default)]
    pub keyframes: Vec<u64>,
    #[serde(flatten)]
    pub track: Track,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioTrack {
    /// BCP 47, where the source says.
    pub language: Option<String>,
    /// What the source calls it; a stranger's words, made harmless by [`label`].
    #[serde(default)]
    pub label: Option<String>,
    #[serde(default)]
    pub kind: AudioKind,
    /// What is heard where nobody has chosen; the first one where none says so.
    #[serde(default)]
    pub is_default: bool,
    pub channels: u16,
    #[serde(flatten)]
    pub track: Track,
}

/// What a sound track is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AudioKind {
    #[default]
    Main,
    /// People talk about the film.
    Commentary,
    /// Somebody says what is to be seen, for whoever does not see it.
    Description,
}

/// Subtitles: one WebVTT file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtitleTrack {
    /// The folder: `s0`.
    pub name: String,
    /// BCP 47, where the source says.
    pub language: Option<String>,
    /// Made harmless by [`label`]; no two of an asset are the same.
    pub label: String,
    pub kind: SubtitleKind,
    pub bytes: u64,
}

/// Small pictures of the film at even distances, many to a sheet, from left to right and from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storyboard {
    /// The folder: `b0`.
    pub name: String,
    /// Of one picture.
    pub width: u32,
    pub height: u32,
    /// Pictures beside each other on a sheet.
    pub columns: u32,
    /// Pictures below each other on a sheet.
    pub rows: u32,
    /// From picture to picture.
    pub interval_ms: u64,
    /// Of all sheets; the last one may not be full.
    pub pictures: u32,
    /// Of each sheet, in order.
    pub bytes: Vec<u64>,
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

impl Storyboard {
    /// Bytes of a sheet by its number, from 1.
    pub fn sheet_bytes(&self, number: usize) -> Option<u64> {
        self.bytes.get(number.checked_sub(1)?).copied()
    }

    pub fn pictures_per_sheet(&self) -> u32 {
        (self.columns * self.rows).max(1)
    }
}

impl AssetIndex {
    pub fn tracks(&self) -> impl Iterator<Item = &Track> {
        self.video
            .iter()
            .map(|video| &video.track)
            .chain(self.audio.iter().map(|audio| &audio.track))
    }

    pub fn video_named(&self, name: &str) -> Option<&VideoTrack> {
        self.video.iter().find(|video| video.track.name == name)
    }

    pub fn track(&self, name: &str) -> Option<&Track> {
        self.tracks().find(|track| track.name == name)
    }

    /// Everything stored, the index itself apart.
    pub fn bytes(&self) -> u64 {
        let tracks = self
            .tracks()
            .map(|track| track.init_bytes + track.bytes.iter().sum::<u64>());
        let subtitles = self.subtitles.iter().map(|track| track.bytes);
        let sheets = self.storyboard.iter().flat_map(|storyboard| &storyboard.bytes).copied();
        tracks.chain(subtitles).chain(sheets).sum()
    }

    pub fn subtitles_named(&self, name: &str) -> Option<&SubtitleTrack> {
        self.subtitles.iter().find(|track| track.name == name)
    }

    /// With further subtitles, each under a label of its own.
    pub fn with_subtitles(&self, more: impl IntoIterator<Item = SubtitleTrack>) -> Self {
        let mut all = self.clone();
        for track in more {
            let is_taken = |label: &str| all.subtitles.iter().any(|track| track.label == label);
            let label = unique(track.label, is_taken);
            all.subtitles.push(SubtitleTrack { label, ..track });
        }
        all
    }

    pub fn storyboard_named(&self, name: &str) -> Option<&Storyboard> {
        self.storyboard.as_ref().filter(|storyboard| storyboard.name == name)
    }

    /// Height of the highest rung.
    pub fn height(&self) -> u32 {
        self.video.iter().map(|video| video.height).max().unwrap_or(0)
    }
}

/// Where all assets are in blob storage.
pub const FOLDER: &str = "assets";

/// The folder of an asset.
pub fn folder(asset: AssetId) -> String {
    format!("{FOLDER}/{asset}")
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

pub fn subtitles_key(asset: AssetId, track: &str) -> String {
    match beside_id(track) {
        Some(id) => beside_key(id),
        None => format!("assets/{asset}/{track}/1.vtt"),
    }
}

/// Subtitles of a title that no asset holds are tracks of all its assets, under a name that no track of an asset has.
pub fn beside_name(id: i64) -> String {
    format!("s{id}")
}

pub fn beside_key(id: i64) -> String {
    format!("subtitles/{id}/1.vtt")
}

/// What [`beside_name`] was made of.
pub fn beside_id(track: &str) -> Option<i64> {
    /// An asset's own are counted from 0.
    const LEAST: i64 = 1 << 22;
    track.strip_prefix('s')?.parse().ok().filter(|id| *id >= LEAST)
}

/// A sheet of a storyboard, from 1.
pub fn sheet_key(asset: AssetId, storyboard: &str, number: usize) -> String {
    format!("assets/{asset}/{storyboard}/{number}.jpg")
}

/// A track's name is not longer than this.
pub const LABEL_CHARS_MAX: usize = CHAPTER_NAME_CHARS_MAX;

/// What a stranger called a track, as words of one line that manifests, menus and logs can hold: no control or direction signs, no
/// quotes or angle brackets. `None`: nothing is left of it.
pub fn label(text: &str) -> Option<String> {
    let harmless = |sign: &char| {
        let hidden =
            matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        !(sign.is_control() || hidden || matches!(sign, '"' | '<' | '>' | '\\' | '\u{fffd}'))
    };
    let plain = text.chars().map(|sign| if sign.is_whitespace() { ' ' } else { sign });
    let kept: String = plain.filter(harmless).take(10 * LABEL_CHARS_MAX).collect();
    let words = kept
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let short: String = words.chars().take(LABEL_CHARS_MAX).collect();
    let short = short.trim();
    (!short.is_empty()).then(|| short.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_the_first_release_is_still_read() {
        let text = r#"{"version":1,"duration_ms":2000,"frame_rate":[25,1],
            "video":[{"width":320,"height":180,"name":"v0","codec":"avc1.64000d","timescale":12800,"init_bytes":800,"bytes":[9],"durations":[[25600,1]]}],
            "audio":[{"language":"eng","channels":2,"name":"a0","codec":"mp4a.40.2","timescale":48000,"init_bytes":700,"bytes":[5],"durations":[[96000,1]]}]}"#;
        let index: AssetIndex = serde_json::from_str(text).unwrap();
        assert_eq!(
            (index.bytes(), index.subtitles.len(), &index.storyboard),
            (1_514, 0, &None)
        );
        assert_eq!(
            (index.audio[0].kind, index.audio[0].is_default),
            (AudioKind::Main, false)
        );
        assert!(index.video[0].keyframes.is_empty() && !index.encrypted);
        assert!(!serde_json::to_string(&index).unwrap().contains("encrypted"));
    }

    #[test]
    fn labels_are_one_harmless_line() {
        for (said, kept) in [
            ("English (SDH)", Some("English (SDH)")),
            ("  Fran\u{e7}ais\r\n#EXT-X-ENDLIST ", Some("Français #EXT-X-ENDLIST")),
            ("\"><script>", Some("script")),
            ("\u{202e}gnp.txt\0", Some("gnp.txt")),
            (" \t\n", None),
            ("", None),
        ] {
            assert_eq!(label(said).as_deref(), kept, "{said:?}");
        }
        assert_eq!(label(&"ü".repeat(5_000)).unwrap().chars().count(), LABEL_CHARS_MAX);
    }
}
