//! Runs the encoder over a plan, and says how far it is.

use std::{path::Path, time::Duration};

use platform::jobs::Failure;
use tokio_util::sync::CancellationToken;

use super::{
    command, explain,
    plan::Plan,
    sandbox::{Limits, Program, Sandbox, Task},
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

/// Encodes into `output`, which must be an empty folder. `on_seconds` gets how much of the film is encoded.
pub async fn encode(
    sandbox: &Sandbox,
    plan: &Plan,
    (input, output): (&Path, &Path),
    limits: &EncodeLimits,
    cancel: &CancellationToken,
    on_seconds: impl Fn(f64) + Send + 'static,
) -> Result<(), Failure> {
    let wall_s = (plan.duration_s.unwrap_or(LENGTH_S_UNKNOWN) * f64::from(limits.wall_per_second)).max(WALL_S_MIN);
    let cores = std::thread::available_parallelism().map_or(2, |cores| cores.get() as u64);
    let task = Task {
        program: Program::Ffmpeg,
        arguments: command::arguments(plan).into_iter().map(Into::into).collect(),
        input: input.to_owned(),
        output: Some(output.to_owned()),
        limits: Limits {
            wall: Duration::from_secs_f64(wall_s),
            silence: limits.silence,
            cpu_s: wall_s as u64 * cores,
            memory_bytes: limits.memory_bytes,
            output_bytes: limits.output_bytes,
        },
    };
    let on_line = move |line: &str| {
        if let Some(seconds) = encoded_seconds(line) {
            on_seconds(seconds);
        }
    };
    let ended = sandbox
        .run(task, cancel.clone(), on_line)
        .await
        .map_err(|error| explain::sandbox(&error))?;
    if ended.status == 0 {
        Ok(())
    } else {
        Err(explain::encoding(&ended))
    }
}

/// Of one line of ffmpeg's `-progress`: `out_time_us=92880`.
fn encoded_seconds(line: &str) -> Option<f64> {
    let micros: i64 = line.strip_prefix("out_time_us=")?.parse().ok()?;
    (micros >= 0).then_some(micros as f64 / 1e6)
}
