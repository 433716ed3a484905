//! From what a source is to what is made of it: rungs, frame rate, where keyframes stand.

use serde::{Deserialize, Serialize};

use super::{
    audio,
    chunks::Chunk,
    hardware::Hardware,
    probe::{Audio, Extras, Source, Video},
};

/// The most frames per second that are kept.
const FRAME_RATE_MAX: f64 = 60.0;
/// How long a segment is meant to be; a whole number of frames comes as near as it can.
pub const SEGMENT_S: f64 = 2.0;

/// A rung's box, in pixels of the long and the short side of a 16:9 picture, and the rate it is allowed.
struct Step {
    long: u32,
    short: u32,
    kbps: u32,
}

const LADDER: [Step; 7] = [
    Step {
        long: 426,
        short: 240,
        kbps: 300,
    },
    Step {
        long: 640,
        short: 360,
        kbps: 700,
    },
    Step {
        long: 854,
        short: 480,
        kbps: 1_200,
    },
    Step {
        long: 1_280,
        short: 720,
        kbps: 2_800,
    },
    Step {
        long: 1_920,
        short: 1_080,
        kbps: 5_000,
    },
    Step {
        long: 2_560,
        short: 1_440,
        kbps: 9_000,
    },
    Step {
        long: 3_840,
        short: 2_160,
        kbps: 16_000,
    },
];

/// Frame rates that cameras and standards have, exactly.
const STANDARD_RATES: [(u32, u32); 12] = [
    (10, 1),
    (12, 1),
    (15_000, 1_001),
    (15, 1),
    (24_000, 1_001),
    (24, 1),
    (25, 1),
    (30_000, 1_001),
    (30, 1),
    (50, 1),
    (60_000, 1_001),
    (60, 1),
];

/// What is to be encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub video: Video,
    /// The one that is heard where nobody has chosen first.
    pub audio: Vec<Audio>,
    /// When the container's own time begins, in seconds.
    pub start_s: f64,
    /// Whether the container has an index by which it can be entered in the middle.
    pub is_indexed: bool,
    /// What a curator should know of how it is made, one sentence each.
    pub notes: Vec<String>,
    pub duration_s: Option<f64>,
    /// How long the pictures alone are by their packets, if those were looked at: what a header says of one stream may be of another.
    #[serde(default)]
    pub pictures_s: Option<f64>,
    /// As in the [`Source`].
    pub credits_s: Vec<f64>,
    pub extras: Extras,
    /// Exactly, as a fraction.
    pub frame_rate: (u32, u32),
    /// Frames from keyframe to keyframe: a segment.
    pub group: u32,
    /// Lowest first; at least one.
    pub rungs: Vec<Rung>,
    /// What encodes the pictures; `None`: software.
    #[serde(default)]
    pub hardware: Option<Hardware>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    pub width: u32,
    pub height: u32,
    /// Ceiling of the rate, kbit/s.
    pub kbps: u32,
}

impl Plan {
    pub fn new(source: Source) -> Self {
        let frame_rate = frame_rate(source.video.frame_rate);
        let per_second = f64::from(frame_rate.0) / f64::from(frame_rate.1);
        let mut rungs = ladder(source.video.width, source.video.height);
        if per_second > 40.0 {
            rungs.iter_mut().for_each(|rung| rung.kbps = rung.kbps * 7 / 5);
        }
        Self {
            video: source.video,
            audio: source.audio,
            start_s: source.start_s,
            is_indexed: source.is_indexed,
            notes: source.notes,
            duration_s: source.duration_s,
            pictures_s: None,
            credits_s: source.credits_s,
            extras: source.extras,
            frame_rate,
            group: ((SEGMENT_S * per_second).round() as u32).max(1),
            rungs,
            hardware: None,
        }
    }

    /// In words: `240p to 1080p`.
    pub fn words(&self) -> String {
        let name = |rung: &Rung| format!("{}p", rung.width.min(rung.height));
        match (self.rungs.first(), self.rungs.last()) {
            (Some(first), Some(last)) if first != last => format!("{} to {}", name(first), name(last)),
            (Some(only), _) => name(only),
            _ => String::new(),
        }
    }

    /// The most that the result may take, in bytes, if it is as long as it says.
    pub fn bytes_max(&self) -> Option<u64> {
        self.duration_s.map(|seconds| self.bytes_of(seconds))
    }

    fn bytes_of(&self, seconds: f64) -> u64 {
        let kbps: u64 = self.rungs.iter().map(|rung| u64::from(rung.kbps)).sum::<u64>() + u64::from(audio::kbps(self));
        (seconds * kbps as f64 * 125.0) as u64
    }

    /// The most that a chunk may take beside its segments while it is encoded, in bytes.
    pub fn chunk_bytes_max(&self, chunk: &Chunk) -> u64 {
        self.chunk_s(chunk).map_or(0, |seconds| self.bytes_of(seconds))
    }

    /// How long a picture is shown.
    pub fn picture_s(&self) -> f64 {
        f64::from(self.frame_rate.1) / f64::from(self.frame_rate.0)
    }

    /// How long a segment is, exactly.
    pub fn segment_s(&self) -> f64 {
        f64::from(self.group) * f64::from(self.frame_rate.1) / f64::from(self.frame_rate.0)
    }

    /// How long a chunk is, if that is known.
    pub fn chunk_s(&self, chunk: &Chunk) -> Option<f64> {
        let segments = |count: u32| f64::from(count) * self.segment_s();
        match chunk.segments {
            Some(count) => Some(segments(count)),
            None => self
                .duration_s
                .map(|seconds| (seconds - segments(chunk.first)).max(0.0)),
        }
    }

    /// How many ticks so many segments last; `None` where the clock does not divide a frame.
    pub fn ticks(&self, segments: u32, timescale: u32) -> Option<u64> {
        let (over, under) = self.frame_rate;
        let per_frame = u64::from(timescale) * u64::from(under);
        let frames = u64::from(segments) * u64::from(self.group);
        per_frame
            .is_multiple_of(u64::from(over))
            .then(|| frames * (per_frame / u64::from(over)))
    }

    pub fn ticks_before(&self, chunk: &Chunk, timescale: u32) -> Option<u64> {
        if chunk.first == 0 {
            Some(0)
        } else {
            self.ticks(chunk.first, timescale)
        }
    }

    /// Hardware was to encode it, and does not.
    pub fn do_without_hardware(&mut self) {
        if let Some(hardware) = self.hardware.take() {
            self.notes
                .push(format!("Encoded by software: {} failed on this film.", hardware.name()));
        }
    }

    /// What the encoder of a part needs to know.
    pub fn for_parts(&self) -> Self {
        Self {
            credits_s: Vec::new(),
            extras: Extras::default(),
            notes: Vec::new(),
            ..self.clone()
        }
    }

    /// How much work a second of the picture is, in seconds of one core, roughly.
    pub fn work_per_second(&self) -> f64 {
        let pixels: u64 = self
            .rungs
            .iter()
            .map(|rung| u64::from(rung.width) * u64::from(rung.height))
            .sum();
        let per_second = f64::from(self.frame_rate.0) / f64::from(self.frame_rate.1);
        0.02 + pixels as f64 * per_second / 30e6
    }
}

/// Every rung whose box the picture fills without being enlarged, and the picture's own size where the highest of them is
/// clearly smaller. A portrait picture stands in a portrait box.
fn ladder(width: u32, height: u32) -> Vec<Rung> {
    let (long, short) = (f64::from(width.max(height)), f64::from(width.min(height)));
    let mut rungs = Vec::new();
    let mut reached = 0.0;
    let mut beyond = None;
    for step in &LADDER {
        let scale = (f64::from(step.long) / long).min(f64::from(step.short) / short);
        if scale > 1.0 {
            beyond = Some(step);
            break;
        }
        rungs.push(rung(width, height, scale, step.kbps));
        reached = scale;
    }
    if let Some(step) = beyond
        && reached < 0.9
    {
        let share = long * short / (f64::from(step.long) * f64::from(step.short));
        let below = rungs.last().map_or(100, |rung| rung.kbps);
        rungs.push(rung(
            width,
            height,
            1.0,
            ((f64::from(step.kbps) * share) as u32).clamp(below, step.kbps),
        ));
    }
    rungs
}

fn rung(width: u32, height: u32, scale: f64, kbps: u32) -> Rung {
    // 4:2:0 needs even sides; never above the source, so odd ones are rounded down there.
    let side = |pixels: u32| {
        let ideal = f64::from(pixels) * scale;
        let even = (ideal / 2.0).round() as u32 * 2;
        let even = if even > pixels { even - 2 } else { even };
        even.max(16)
    };
    Rung {
        width: side(width),
        height: side(height),
        kbps,
    }
}

/// The source's rate, made exact where it is a standard one and halved (or more) where it is above what is kept.
fn frame_rate(source: Option<(u32, u32)>) -> (u32, u32) {
    let Some((over, under)) = source else {
        return (25, 1);
    };
    let given = f64::from(over) / f64::from(under);
    let value = (given / (given / FRAME_RATE_MAX / 1.001).ceil().max(1.0)).max(1.0);
    let distance = |&(over, under): &(u32, u32)| (f64::from(over) / f64::from(under) / value - 1.0).abs();
    let nearest = STANDARD_RATES.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    match nearest {
        // A variable rate whose average is nearly a standard one was meant to be it.
        Some(standard) if distance(standard) < 0.02 => *standard,
        _ => ((value * 1000.0).round() as u32, 1000),
    }
}
