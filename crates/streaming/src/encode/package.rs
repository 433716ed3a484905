//! Cuts what was encoded into segments and puts them into storage, part by part; and joins what the parts say of themselves. What is
//! stored is checked: every rung has the same segments in time, each begins with a picture that stands by itself, none is missing.

use std::{
    fs::File,
    io::Read as _,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use contract::AssetId;
use futures::{StreamExt as _, TryStreamExt as _};
use platform::{blob::BlobStore, jobs::Failure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    audio,
    chunks::Chunk,
    command, explain,
    plan::Plan,
    rewrite::{self, Place},
};
use crate::{
    asset::{self, Track},
    cipher::{self, AssetSecret, SegmentKey},
    mp4::{self, Layout, Media, Mp4Error, Piece},
};

/// How many segments are written at a time.
const WRITES: usize = 8;
/// What an encoder without a frame leaves is shorter.
const EMPTY_BYTES_MAX: u64 = 64 << 10;

/// What a part of the work has put into storage, as its job's outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    pub asset: AssetId,
    /// Whether its segments were stored encrypted; a worker of the version before does not say, and did not.
    #[serde(default)]
    pub encrypted: bool,
    pub renditions: Vec<MadeRendition>,
    /// Nothing, since the hardware that was to encode it did not.
    #[serde(default)]
    pub is_refused: bool,
}

impl Made {
    /// By hardware.
    pub fn refused(asset: AssetId) -> Self {
        Self {
            asset,
            encrypted: false,
            renditions: Vec::new(),
            is_refused: true,
        }
    }
}

/// A rendition's share of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeRendition {
    /// Of the initialisation segment: the same for every part of a rendition.
    pub init: String,
    /// Of pictures.
    pub width: u32,
    pub height: u32,
    /// Of each segment, how many bytes from its beginning are its first picture. None where it is encrypted: of that, no beginning
    /// can be read by itself.
    pub keyframes: Vec<u64>,
    pub track: Track,
}

/// A file that an encoder has left.
#[derive(Debug)]
struct Encoded {
    path: PathBuf,
    layout: Layout,
    init: Vec<u8>,
    /// How many segments of the film stand before these, and how many ticks.
    before: (u32, u64),
    made: MadeRendition,
}

/// All that a part has left, read and checked.
#[derive(Debug)]
pub struct Part {
    encoded: Vec<Encoded>,
}

impl Part {
    /// The rungs of a chunk. None, where the film was over before it.
    pub fn pictures(plan: &Plan, chunk: &Chunk, folder: &Path) -> Result<Self, Failure> {
        let mut encoded = Vec::new();
        for rung in 0..plan.rungs.len() {
            let name = command::video_name(rung);
            if let Some(found) = read(
                &name,
                folder,
                |timescale| plan.ticks_before(chunk, timescale),
                chunk.first,
            )? {
                encoded.push(found);
            }
        }
        match encoded.len() {
            0 if chunk.first > 0 => {}
            0 => return Err(Failure::permanent(explain::NOTHING_DECODED)),
            all if all == plan.rungs.len() => are_aligned(&encoded)?,
            _ => return Err(broken("a rung is missing")),
        }
        Ok(Self { encoded })
    }

    /// The renditions of a sound track; one of which nothing came is left out.
    pub fn sound(plan: &Plan, track: usize, folder: &Path) -> Result<Self, Failure> {
        let names = audio::of_track(plan, track).map(|(index, _)| audio::name(index));
        let encoded = names.map(|name| read(&name, folder, |_| Some(0), 0));
        let encoded: Vec<Option<Encoded>> = encoded.collect::<Result<_, Failure>>()?;
        Ok(Self {
            encoded: encoded.into_iter().flatten().collect(),
        })
    }

    /// Writes every segment, encrypted where there is a secret; a part that is done again writes the same ones.
    pub async fn store(self, blobs: &BlobStore, asset: AssetId, secret: Option<&AssetSecret>) -> Result<Made, Failure> {
        let mut writes = Vec::new();
        for encoded in &self.encoded {
            let name = &encoded.made.track.name;
            let rendition_key = secret.map(|secret| secret.key_of(name));
            let (segments_before, ticks_before) = encoded.before;
            if segments_before == 0 {
                blobs
                    .put(&asset::init_key(asset, name), encoded.init.clone())
                    .await
                    .map_err(explain::blob)?;
            }
            let file = Arc::new(File::open(&encoded.path).map_err(|error| explain::io(&error))?);
            for (piece, number) in pieces(&encoded.layout).zip(segments_before + 1..) {
                let place = Place {
                    number,
                    decode_time: ticks_before + piece.fragment.decode_time,
                };
                let key = asset::segment_key(asset, name, number as usize);
                writes.push((
                    key,
                    Segment {
                        file: file.clone(),
                        piece: *piece,
                        place,
                        key: rendition_key.clone(),
                    },
                ));
            }
        }
        let writes = writes.into_iter().map(|(key, segment)| write(blobs, key, segment));
        let mut writes = futures::stream::iter(writes).buffer_unordered(WRITES);
        while writes.try_next().await?.is_some() {}
        let made = self.encoded.into_iter().map(|encoded| encoded.made);
        Ok(Made {
            asset,
            encrypted: secret.is_some(),
            renditions: match secret {
                Some(_) => made.map(MadeRendition::encrypted).collect(),
                None => made.collect(),
            },
            is_refused: false,
        })
    }
}

impl MadeRendition {
    /// What is known of it once its segments are.
    fn encrypted(mut self) -> Self {
        self.keyframes.clear();
        self.track
            .bytes
            .iter_mut()
            .for_each(|bytes| *bytes = cipher::encrypted_bytes(*bytes));
        self
    }
}

/// A segment on its way into storage.
struct Segment {
    file: Arc<File>,
    piece: Piece,
    place: Place,
    key: Option<SegmentKey>,
}

impl Segment {
    fn read(&self) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; self.piece.bytes as usize];
        self.file
            .read_exact_at(&mut bytes, self.piece.offset)
            .map_err(|error| explain::io(&error))?;
        rewrite::place(&mut bytes, self.place).map_err(|error| broken(&error.to_string()))?;
        if let Some(key) = &self.key {
            key.encrypt(&mut bytes, self.place.number);
        }
        Ok(bytes)
    }
}

async fn write(blobs: &BlobStore, key: String, segment: Segment) -> Result<(), Failure> {
    let read = tokio::task::spawn_blocking(move || segment.read());
    let bytes = read.await.map_err(anyhow::Error::from)??;
    blobs.put(&key, bytes).await.map_err(explain::blob)
}

/// `None`: there is no frame in it.
fn read(
    name: &str,
    folder: &Path,
    ticks_before: impl Fn(u32) -> Option<u64>,
    segments_before: u32,
) -> Result<Option<Encoded>, Failure> {
    let path = folder.join(format!("{name}.mp4"));
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| explain::io(&error))?,
    };
    let layout = match mp4::scan(&mut file) {
        Ok(layout) if layout.pieces.is_empty() => return Ok(None),
        Ok(layout) => layout,
        Err(Mp4Error::Io(error)) => return Err(explain::io(&error)),
        Err(_) if is_without_frames(&mut file) => return Ok(None),
        Err(error) => {
            return Err(broken(&error.to_string()));
        }
    };
    let ticks_before =
        ticks_before(layout.init.timescale).ok_or_else(|| broken("its clock does not fit the frame rate"))?;
    let mut init = vec![0; layout.init_bytes as usize];
    file.read_exact_at(&mut init, 0).map_err(|error| explain::io(&error))?;
    Ok(Some(Encoded {
        made: made(name, &layout, &init)?,
        path,
        layout,
        init,
        before: (segments_before, ticks_before),
    }))
}

/// An encoder that got no frame leaves an empty file, or one without fragments whose headers are not whole.
fn is_without_frames(file: &mut File) -> bool {
    let Ok(meta) = file.metadata() else { return false };
    let mut all = Vec::new();
    meta.len() <= EMPTY_BYTES_MAX
        && std::io::Seek::rewind(file).is_ok()
        && file.read_to_end(&mut all).is_ok()
        && !all.windows(4).any(|kind| kind == b"moof")
}

fn made(name: &str, layout: &Layout, init: &[u8]) -> Result<MadeRendition, Failure> {
    let (width, height) = match layout.init.media {
        Media::Video { width, height } => (width.into(), height.into()),
        Media::Audio { .. } => (0, 0),
    };
    let digest = Sha256::digest(init);
    Ok(MadeRendition {
        init: digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
        width,
        height,
        keyframes: pieces(layout).map(|piece| piece.fragment.first_sample_end).collect(),
        track: track(name, layout)?,
    })
}

/// Sizes and durations, checked for gaps.
fn track(name: &str, layout: &Layout) -> Result<Track, Failure> {
    let mut track = Track {
        name: name.to_owned(),
        codec: layout.init.codec.clone(),
        timescale: layout.init.timescale,
        init_bytes: layout.init_bytes,
        bytes: Vec::new(),
        durations: Vec::new(),
    };
    let mut expected = 0;
    for piece in &layout.pieces {
        let fragment = piece.fragment;
        if fragment.samples == 0 {
            continue;
        }
        if fragment.decode_time != expected {
            return Err(broken("a segment is missing"));
        }
        if !fragment.begins_with_sync {
            return Err(broken("a segment does not begin with a keyframe"));
        }
        expected += fragment.duration;
        track.push(piece.bytes, fragment.duration);
    }
    Ok(track)
}

/// Those with samples, as in the track.
fn pieces(layout: &Layout) -> impl Iterator<Item = &Piece> {
    layout.pieces.iter().filter(|piece| piece.fragment.samples > 0)
}

fn are_aligned(encoded: &[Encoded]) -> Result<(), Failure> {
    let time = |encoded: &Encoded| (encoded.made.track.timescale, encoded.made.track.durations.clone());
    match encoded.windows(2).all(|pair| time(&pair[0]) == time(&pair[1])) {
        true => Ok(()),
        false => Err(broken("the rungs are not aligned")),
    }
}

pub fn broken(what: &str) -> Failure {
    Failure::transient(format!(
        "What the encoder wrote is not whole. Retry; if it happens again, convert the file to MP4 with H.264 and AAC and add that: {what}."
    ))
}
