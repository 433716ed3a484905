//! Owns measuring the transcode: a minute of 1080p with its ladder and its sound, beside the bare ffmpeg commands for the same work.

use anyhow::{Context, Result};

use super::Bench;
use super::report::Figure;
use crate::cargo;
use crate::progress::Stage;

/// What the example says at its end.
struct Medians {
    bare_s: f64,
    one_worker_s: f64,
    two_workers_s: f64,
}

const OF_BARE_MAX: f64 = 1.05;

/// The example of the room itself, in turns with ffmpeg; it needs no server.
pub fn transcode(bench: &Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let mut last = None;
    cargo::run(bench.root)
        .args(["run", "--release", "--locked", "-p", "streaming", "--example", "ladder"])
        .run_with(stage, |line| last = medians(line).or(last.take()))?;
    let Medians {
        bare_s,
        one_worker_s,
        two_workers_s,
    } = last.context("the example said nothing of what it measured")?;
    let ladder = "ladder and sound of a minute of 1080p, two workers: wall time of the bare ffmpeg commands";
    let shared = "the same: two workers, of the time of one";
    Ok(vec![
        Figure::at_most(ladder, two_workers_s / bare_s, OF_BARE_MAX, "×")
            .noted(&format!("{two_workers_s:.1} s of {bare_s:.1} s")),
        Figure::at_most(shared, two_workers_s / one_worker_s, 1.0, "×")
            .noted(&format!("{two_workers_s:.1} s of {one_worker_s:.1} s")),
    ])
}

/// Of the line that is one.
fn medians(line: &str) -> Option<Medians> {
    let said: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(Medians {
        bare_s: said["bare_s"].as_f64()?,
        one_worker_s: said["one_worker_s"].as_f64()?,
        two_workers_s: said["two_workers_s"].as_f64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_known() {
        let line = r#"{"seconds":60,"bare_s":80.50,"one_worker_s":150.00,"two_workers_s":81.00}"#;
        assert!((medians(line).unwrap().two_workers_s - 81.0).abs() < 1e-9);
        assert!(medians("two workers: 81.00 s").is_none());
    }
}
