//! Cuts encoded rungs into segments and puts them into storage. What is stored is checked first: every rung has the same segments
//! in time, each begins with a picture that stands by itself, and none is missing.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use contract::AssetId;
use futures::{StreamExt as _, TryStreamExt as _};
use platform::{blob::BlobStore, jobs::Failure};

use super::{chapters, command, explain, extras::Extra, plan::Plan};
use crate::{
    asset::{self, AssetIndex, AudioKind, AudioTrack, INDEX_VERSION, Track, VideoTrack},
    mp4::{self, Layout, Media, Mp4Error, Piece},
};

/// How many segments are written at a time.
const WRITES: usize = 8;
/// How much may be missing at the end, absolutely and as a share of what the file says: containers round.
const MISSING_S_MAX: f64 = 1.0;
const MISSING_SHARE_MAX: f64 = 0.02;

/// An encoded rendition on disk.
#[derive(Debug)]
struct Rendition {
    path: PathBuf,
    layout: Layout,
}

/// All that was encoded, read and checked.
#[derive(Debug)]
pub struct Package {
    pub index: AssetIndex,
    /// Where the film's own chapters put the end credits.
    pub credits_ms: Option<u64>,
    /// Where they put the opening.
    pub intro_ms: Option<(u64, u64)>,
    pub extras: Vec<Extra>,
    renditions: Vec<Rendition>,
}

impl Package {
    /// Reads what the encoder left in `folder`.
    pub fn read(plan: &Plan, folder: &Path) -> Result<Self, Failure> {
        let names = (0..plan.rungs.len()).map(command::video_name);
        let names = names.chain(plan.audio.is_some().then(|| command::AUDIO_NAME.to_owned()));
        let renditions: Vec<(String, Rendition)> = names
            .map(|name| Ok((name.clone(), rendition(&folder.join(format!("{name}.mp4")))?)))
            .collect::<Result<_, Failure>>()?;
        let index = index(plan, &renditions)?;
        check_length(plan, &index)?;
        Ok(Self {
            credits_ms: chapters::credits_ms(&plan.credits_s, index.duration_ms),
            intro_ms: chapters::intro_ms(&plan.extras.chapters, index.duration_ms),
            index,
            extras: Vec::new(),
            renditions: renditions.into_iter().map(|(_, rendition)| rendition).collect(),
        })
    }

    /// Writes every segment, then the index. `on_share` gets how much of it is done, 0 to 1.
    pub async fn store(&self, blobs: &BlobStore, asset: AssetId, on_share: impl Fn(f32)) -> Result<(), Failure> {
        let mut writes = Vec::new();
        for (track, rendition) in self.index.tracks().zip(&self.renditions) {
            let file = Arc::new(File::open(&rendition.path).map_err(|error| explain::io(&error))?);
            writes.push((
                asset::init_key(asset, &track.name),
                file.clone(),
                0,
                rendition.layout.init_bytes,
            ));
            for (position, piece) in pieces(&rendition.layout).enumerate() {
                let key = asset::segment_key(asset, &track.name, position + 1);
                writes.push((key, file.clone(), piece.offset, piece.bytes));
            }
        }
        for extra in &self.extras {
            let file = Arc::new(File::open(&extra.path).map_err(|error| explain::io(&error))?);
            writes.push((format!("{}/{}", asset::folder(asset), extra.name), file, 0, extra.bytes));
        }
        let all = writes.len();
        let writes = writes
            .into_iter()
            .map(|(key, file, offset, bytes)| write(blobs, key, file, offset, bytes));
        let mut writes = futures::stream::iter(writes).buffer_unordered(WRITES);
        let mut done = 0;
        while writes.try_next().await?.is_some() {
            done += 1;
            on_share(done as f32 / all as f32);
        }
        let index = serde_json::to_vec(&self.index).map_err(anyhow::Error::from)?;
        blobs.put(&asset::index_key(asset), index).await.map_err(explain::blob)
    }
}

async fn write(blobs: &BlobStore, key: String, file: Arc<File>, offset: u64, bytes: u64) -> Result<(), Failure> {
    let read = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; bytes as usize];
        file.read_exact_at(&mut buffer, offset).map(|()| buffer)
    });
    let buffer = read
        .await
        .map_err(anyhow::Error::from)?
        .map_err(|error| explain::io(&error))?;
    blobs.put(&key, buffer).await.map_err(explain::blob)
}

fn rendition(path: &Path) -> Result<Rendition, Failure> {
    let nothing = || Failure::permanent(explain::NOTHING_DECODED);
    let mut file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => nothing(),
        _ => explain::io(&error),
    })?;
    let layout = mp4::scan(&mut file).map_err(|error| match error {
        Mp4Error::Io(error) => explain::io(&error),
        // An encoder that got no frame leaves an empty file or one without fragments.
        _ if file.metadata().is_ok_and(|meta| meta.len() == 0) => nothing(),
        error => Failure::transient(format!("What the encoder wrote cannot be read: {error}")),
    })?;
    if layout.pieces.is_empty() {
        return Err(nothing());
    }
    Ok(Rendition {
        path: path.to_owned(),
        layout,
    })
}

fn index(plan: &Plan, renditions: &[(String, Rendition)]) -> Result<AssetIndex, Failure> {
    let mut index = AssetIndex {
        version: INDEX_VERSION,
        duration_ms: 0,
        frame_rate: plan.frame_rate,
        video: Vec::new(),
        audio: Vec::new(),
        subtitles: Vec::new(),
        storyboard: None,
        chapters: Vec::new(),
        notes: Vec::new(),
    };
    for (name, rendition) in renditions {
        let track = track(name, &rendition.layout)?;
        match rendition.layout.init.media {
            Media::Video { width, height } => {
                index.video.push(VideoTrack {
                    width: width.into(),
                    height: height.into(),
                    keyframes: pieces(&rendition.layout)
                        .map(|piece| piece.fragment.first_sample_end)
                        .collect(),
                    track,
                });
            }
            Media::Audio { channels } => {
                let language = plan.audio.as_ref().and_then(|audio| audio.language.clone());
                index.audio.push(AudioTrack {
                    language,
                    label: None,
                    kind: AudioKind::Main,
                    is_default: true,
                    channels,
                    track,
                });
            }
        }
    }
    let Some(first) = index.video.first().map(|video| &video.track) else {
        return Err(broken("there is no picture"));
    };
    if index
        .video
        .iter()
        .any(|video| video.track.durations != first.durations || video.track.timescale != first.timescale)
    {
        return Err(broken("the rungs are not aligned"));
    }
    index.duration_ms = (first.seconds(first.duration()) * 1000.0).round() as u64;
    index.chapters = chapters::shown(&plan.extras.chapters, index.duration_ms);
    Ok(index)
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

fn broken(what: &str) -> Failure {
    Failure::transient(format!("What the encoder wrote is not whole: {what}."))
}

/// A file that was cut off decodes without complaint as far as it goes.
fn check_length(plan: &Plan, index: &AssetIndex) -> Result<(), Failure> {
    let Some(promised) = plan.duration_s else {
        return Ok(());
    };
    let there = index
        .tracks()
        .map(|track| track.seconds(track.duration()))
        .fold(0.0, f64::max);
    if promised - there > MISSING_S_MAX.max(promised * MISSING_SHARE_MAX) {
        return Err(Failure::permanent(format!(
            "The file ends early: {} of {} are there. Copy or upload it again, to the end.",
            explain::length(there),
            explain::length(promised)
        )));
    }
    Ok(())
}
