//! Cuts a film into chunks that can be encoded apart from each other, and looks where in the source each of them can be entered.
//!
//! A chunk is a whole number of segments, so its first picture is a keyframe of the result anyway. In the source it is entered at a
//! keyframe well before that: what lies between is decoded and thrown away. Which picture stands at which time is decided by the same
//! filter, with the same times, as if the film were encoded in one piece; so no picture is there twice, and none is missing.
//!
//! Only containers with an index of their own, whose pictures all carry a time, are entered in the middle. Others stay one chunk.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use platform::jobs::Failure;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    explain,
    plan::Plan,
    probe,
    sandbox::{Limits, Program, SOURCE, Sandbox, Task},
};

/// How many segments a chunk is meant to have: 30 s. A film is divided evenly, so they have 20 to 45 s.
const SEGMENTS: f64 = 15.0;
/// The longest films have longer chunks.
const CHUNKS_MAX: f64 = 500.0;
/// How far before its first picture a chunk is entered at the least: for filters that look back, and for times that are rounded.
const RUN_IN_S: f64 = 1.0;
/// ffmpeg looks for the keyframe before a little less than it is told (3/23 s), for pictures that are stored before they are shown.
const SEEK_SLACK_S: f64 = 0.15;
/// Keyframes are kept at this distance; between them there is nothing to gain.
const KEYFRAME_EVERY_S: f64 = 1.0;
/// A film of a day has fewer.
const KEYFRAMES_MAX: usize = 100_000;

/// A part of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its first segment, from 0.
    pub first: u32,
    /// To the end of the film where nothing is said.
    pub segments: Option<u32>,
    /// Where the source is entered, in seconds from its beginning.
    pub seek_s: Option<f64>,
}

impl Chunk {
    /// The whole of a film.
    pub const WHOLE: Self = Self {
        first: 0,
        segments: None,
        seek_s: None,
    };

    pub fn is_whole(&self) -> bool {
        self.first == 0 && self.segments.is_none()
    }
}

/// Where the pictures of a source lie.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pictures {
    /// Seconds from the beginning, in order.
    keyframes: Vec<f64>,
    end_s: f64,
    /// Some have no time: it would be guessed, and guessed differently in the middle.
    untimed: bool,
}

impl Pictures {
    /// One line of ffprobe's: time, duration and flags of a packet.
    fn read(&mut self, line: &str, start_s: f64) {
        let mut fields = line.split(',');
        let (time, duration, flags) = (fields.next(), fields.next(), fields.next().unwrap_or(""));
        if line.is_empty() || flags.contains('D') {
            return;
        }
        let Some(time) = time
            .and_then(|text| text.parse::<f64>().ok())
            .filter(|time| time.is_finite())
        else {
            self.untimed = true;
            return;
        };
        let time = time - start_s;
        let lasts = duration
            .and_then(|text| text.parse().ok())
            .filter(|lasts: &f64| lasts.is_finite() && *lasts >= 0.0);
        self.end_s = self.end_s.max(time + lasts.unwrap_or(0.0));
        let far_enough = self.keyframes.last().is_none_or(|last| time >= last + KEYFRAME_EVERY_S);
        if flags.starts_with('K') && far_enough && self.keyframes.len() < KEYFRAMES_MAX {
            self.keyframes.push(time);
        }
    }

    /// Refuses what would be a few pictures that stand still for days.
    pub fn check(&self) -> Result<(), Failure> {
        if self.end_s > probe::DURATION_S_MAX {
            return Err(Failure::permanent(
                "By their times, the pictures of this file last more than a day; it is damaged.",
            ));
        }
        Ok(())
    }

    /// When the last picture is over.
    pub fn end_s(&self) -> f64 {
        self.end_s
    }

    /// Where to enter the source for what begins at `time`. `None`: it cannot be entered in the middle.
    pub fn entrance(&self, time: f64) -> Option<f64> {
        let keyframe = self.keyframe_before(time - RUN_IN_S).filter(|_| !self.untimed)?;
        Some(keyframe + SEEK_SLACK_S)
    }

    fn keyframe_before(&self, time: f64) -> Option<f64> {
        let after = self.keyframes.partition_point(|keyframe| *keyframe <= time);
        Some(self.keyframes[after.checked_sub(1)?])
    }
}

/// Divides a film evenly; where it cannot be entered in the middle, or is short, it is one chunk.
pub fn divide(plan: &Plan, pictures: &Pictures) -> Vec<Chunk> {
    let segment_s = plan.segment_s();
    let segments = (pictures.end_s / segment_s).ceil();
    let count = (segments / SEGMENTS).round().clamp(1.0, CHUNKS_MAX) as u32;
    let segments = segments as u32;
    if count == 1 || pictures.untimed {
        return vec![Chunk::WHOLE];
    }
    let mut chunks = vec![Chunk {
        segments: None,
        ..Chunk::WHOLE
    }];
    for number in 1..count {
        let first = (u64::from(segments) * u64::from(number) / u64::from(count)) as u32;
        let latest = f64::from(first) * segment_s - RUN_IN_S;
        // With few keyframes the chunk before reaches farther: decoding much for nothing gains nobody anything.
        let before = chunks.last().map_or(0, |chunk| chunk.first);
        let Some(keyframe) = pictures
            .keyframe_before(latest)
            .filter(|keyframe| *keyframe > f64::from(before) * segment_s)
        else {
            continue;
        };
        chunks.push(Chunk {
            first,
            segments: None,
            seek_s: Some(keyframe + SEEK_SLACK_S),
        });
    }
    for index in 1..chunks.len() {
        chunks[index - 1].segments = Some(chunks[index].first - chunks[index - 1].first);
    }
    chunks
}

/// Whether it is worth looking for places to enter.
pub fn is_divisible(plan: &Plan) -> bool {
    let is_long = plan
        .duration_s
        .is_none_or(|seconds| seconds >= plan.segment_s() * SEGMENTS);
    plan.is_indexed && is_long
}

/// Reads where the pictures lie, from the packets: what a header says may be wrong.
pub async fn look(
    sandbox: &Sandbox,
    plan: &Plan,
    input: &Path,
    cancel: &CancellationToken,
) -> Result<Pictures, Failure> {
    let mut arguments: Vec<std::ffi::OsString> = ["-v", "error", "-of", "csv=p=0", "-select_streams"]
        .map(Into::into)
        .into();
    arguments.push(plan.video.stream.to_string().into());
    arguments.extend(["-show_entries", "packet=pts_time,duration_time,flags"].map(Into::into));
    arguments.extend(probe::look_options().map(Into::into));
    arguments.push(SOURCE.into());
    let megabytes = std::fs::metadata(input).map_or(0, |meta| meta.len() >> 20);
    let wall = Duration::from_secs(120 + megabytes / 4);
    let task = Task {
        program: Program::Ffprobe,
        arguments,
        input: input.to_owned(),
        output: None,
        limits: Limits {
            wall,
            silence: Duration::from_secs(120),
            cpu_s: wall.as_secs(),
            memory_bytes: 2 << 30,
            output_bytes: 0,
        },
    };
    let pictures = Arc::new(Mutex::new(Pictures::default()));
    let (collect, start_s) = (pictures.clone(), plan.start_s);
    let on_line = move |line: &str| {
        let mut pictures = collect.lock().unwrap_or_else(PoisonError::into_inner);
        pictures.read(line, start_s);
    };
    let ended = sandbox
        .run(task, cancel.clone(), on_line)
        .await
        .map_err(|error| explain::sandbox(&error))?;
    if ended.status != 0 {
        return Err(explain::unreadable(&ended));
    }
    Ok(std::mem::take(
        &mut *pictures.lock().unwrap_or_else(PoisonError::into_inner),
    ))
}

#[cfg(test)]
pub fn pictures(end_s: f64, keyframe_every_s: f64) -> Pictures {
    let mut pictures = Pictures::default();
    let mut time = 0.0;
    while time < end_s {
        pictures.read(&format!("{time},0.04,K_"), 0.0);
        time += keyframe_every_s;
    }
    pictures.end_s = end_s;
    pictures
}
