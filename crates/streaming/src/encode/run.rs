//! Runs the encoder over a part of a plan, and says how far it is.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use platform::jobs::Failure;
use tokio_util::sync::CancellationToken;

use super::{
    audio::{self, Loudness},
    chunks::Chunk,
    command, explain,
    plan::Plan,
    sandbox::{Ended, Limits, Program, Sandbox, Task},
};

/// Limits of one encoding that an operator may set.
#[derive(Debug, Clone)]
pub struct EncodeLimits {
    pub memory_bytes: u64,
    pub output_bytes: u64,
    /// Wall-clock time per second of film, and at least a quarter of an hour.
    pub wall_per_second: u32,
    pub silence: Duration,
}

const WALL_S_MIN: f64 = 900.0;
const LENGTH_S_UNKNOWN: f64 = 4.0 * 3600.0;
/// How much of the work on a sound track is measuring it.
const MEASURED: f64 = 0.3;

/// What an encoding works with, and where it writes: an empty folder.
pub struct Bench<'a> {
    pub sandbox: &'a Sandbox,
    pub input: &'a Path,
    pub output: &'a Path,
    pub limits: &'a EncodeLimits,
    pub cancel: &'a CancellationToken,
}

/// What is run: its words, and how long a picture lasts, where it is told by the number of pictures how far it is.
struct Command {
    program: Program,
    arguments: Vec<String>,
    picture_s: Option<f64>,
}

impl Command {
    fn pictures(plan: &Plan, chunk: &Chunk) -> Self {
        Self {
            program: plan.hardware.map_or(Program::Ffmpeg, Program::HardwareFfmpeg),
            arguments: command::arguments(plan, chunk),
            picture_s: Some(plan.picture_s()),
        }
    }

    fn of(arguments: Vec<String>) -> Self {
        Self {
            program: Program::Ffmpeg,
            arguments,
            picture_s: None,
        }
    }
}

/// Encodes all rungs of a chunk. `on_seconds` gets how much of it is encoded.
pub async fn picture(
    bench: &Bench<'_>,
    plan: &Plan,
    chunk: &Chunk,
    on_seconds: Arc<dyn Fn(f64) + Send + Sync>,
) -> Result<(), Failure> {
    let length_s = plan.chunk_s(chunk).unwrap_or(LENGTH_S_UNKNOWN);
    let command = Command::pictures(plan, chunk);
    let first = ffmpeg(bench, command, length_s, told(&on_seconds)).await?;
    let begins_s = f64::from(chunk.first) * plan.segment_s();
    if chunk.seek_s.is_none() || first.is_some_and(|first| first <= begins_s) {
        return Ok(());
    }
    // The source was entered behind the chunk's first picture, whatever its index says. From its beginning it is slower, and right.
    tracing::warn!(
        ?chunk,
        ?first,
        "the index of a source does not hold; it is decoded from its beginning"
    );
    let from_the_beginning = Chunk { seek_s: None, ..*chunk };
    let length_s = plan.duration_s.unwrap_or(LENGTH_S_UNKNOWN);
    let command = Command::pictures(plan, &from_the_beginning);
    ffmpeg(bench, command, length_s, told(&on_seconds)).await.map(drop)
}

/// Encodes all rungs of a sample. `false`: there is nothing in the file at that place to go by.
pub async fn sample(bench: &Bench<'_>, plan: &Plan, sample: &Chunk) -> Result<bool, Failure> {
    let command = Command::of(command::sample_arguments(plan, sample));
    let (ended, _) = run(bench, command, plan.segment_s(), |_| {}).await?;
    if ended.status != 0 {
        explain::of_the_machine(&ended).map_or(Ok(()), Err)?;
        tracing::warn!(?sample, words = ended.words, "a sample cannot be taken");
    }
    Ok(ended.status == 0)
}

/// How loud each rendition of a track is; `None`: it cannot be decoded. `on_share` gets how much of the work on the track is done, 0 to 1.
pub async fn measure(
    bench: &Bench<'_>,
    plan: &Plan,
    track: usize,
    on_share: impl Fn(f64) + Send + 'static,
) -> Result<Option<Vec<Option<Loudness>>>, Failure> {
    let length_s = plan.duration_s.unwrap_or(LENGTH_S_UNKNOWN);
    let measuring = move |seconds: f64| on_share(MEASURED * (seconds / length_s).min(1.0));
    let command = Command::of(audio::measure_arguments(plan, track));
    let (ended, _) = run(bench, command, length_s, measuring).await?;
    if ended.status == 0 {
        let renditions = audio::of_track(plan, track).map(|(index, _)| index);
        return Ok(Some(audio::loudness(&ended.words, renditions)));
    }
    explain::of_the_machine(&ended).map_or(Ok(()), Err)?;
    tracing::warn!(track, words = ended.words, "sound cannot be decoded");
    Ok(None)
}

/// Encodes a track, as loud as was [measured](measure).
pub async fn sound(
    bench: &Bench<'_>,
    plan: &Plan,
    (track, loudness): (usize, &[Option<Loudness>]),
    on_share: impl Fn(f64) + Send + 'static,
) -> Result<(), Failure> {
    let length_s = plan.duration_s.unwrap_or(LENGTH_S_UNKNOWN);
    let encoding = move |seconds: f64| on_share(MEASURED + (1.0 - MEASURED) * (seconds / length_s).min(1.0));
    let command = Command::of(audio::arguments(plan, track, loudness));
    ffmpeg(bench, command, length_s, encoding).await.map(drop)
}

fn told(on_seconds: &Arc<dyn Fn(f64) + Send + Sync>) -> impl Fn(f64) + Send + 'static {
    let on_seconds = on_seconds.clone();
    move |seconds| on_seconds(seconds)
}

/// Answers at which time the first picture stood that was decoded, if the command tells.
async fn ffmpeg(
    bench: &Bench<'_>,
    command: Command,
    length_s: f64,
    on_seconds: impl Fn(f64) + Send + 'static,
) -> Result<Option<f64>, Failure> {
    let (ended, first) = run(bench, command, length_s, on_seconds).await?;
    if ended.status == 0 {
        Ok(first)
    } else {
        Err(explain::encoding(&ended))
    }
}

async fn run(
    bench: &Bench<'_>,
    command: Command,
    length_s: f64,
    on_seconds: impl Fn(f64) + Send + 'static,
) -> Result<(Ended, Option<f64>), Failure> {
    let limits = bench.limits;
    let wall_s = (length_s * f64::from(limits.wall_per_second)).max(WALL_S_MIN);
    let cores = std::thread::available_parallelism().map_or(2, |cores| cores.get() as u64);
    let task = Task {
        program: command.program,
        arguments: command.arguments.into_iter().map(Into::into).collect(),
        input: bench.input.to_owned(),
        output: Some(bench.output.to_owned()),
        limits: Limits {
            wall: Duration::from_secs_f64(wall_s),
            silence: limits.silence,
            cpu_s: wall_s as u64 * cores,
            memory_bytes: limits.memory_bytes,
            output_bytes: limits.output_bytes,
        },
    };
    let first = Arc::new(Mutex::new(None));
    let told = first.clone();
    let on_line = move |line: &str| {
        if let Some(seconds) = encoded_seconds(line, command.picture_s) {
            on_seconds(seconds);
        } else if let Some(seconds) = first_seconds(line) {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(seconds);
        }
    };
    let ended = bench
        .sandbox
        .run(task, bench.cancel.clone(), on_line)
        .await
        .map_err(|error| explain::sandbox(&error))?;
    let first = *first.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((ended, first))
}

/// Of one line of ffmpeg's `-progress`: `frame=120` where a picture lasts so long, else `out_time_us=92880`, which is another time where
/// the source's times are kept.
fn encoded_seconds(line: &str, picture_s: Option<f64>) -> Option<f64> {
    if let Some(picture_s) = picture_s {
        let pictures: u32 = line.strip_prefix("frame=")?.trim().parse().ok()?;
        return Some(f64::from(pictures) * picture_s);
    }
    let micros: i64 = line.strip_prefix("out_time_us=")?.parse().ok()?;
    (micros >= 0).then_some(micros as f64 / 1e6)
}

/// Of the one line that tells of the first picture: `frame:0    pts:400400  pts_time:16.6833`.
fn first_seconds(line: &str) -> Option<f64> {
    line.strip_prefix("frame:0 ")?
        .split_once("pts_time:")?
        .1
        .trim()
        .parse()
        .ok()
}
