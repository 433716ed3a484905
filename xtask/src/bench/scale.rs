//! Owns the figures of a large service that is generated: training, one ranking, and memory under a thousand models.

use std::fs;

use anyhow::{Context, Result};

use super::Bench;
use super::peers::{example, figures};
use super::report::{Figure, number};
use crate::process::Run;
use crate::progress::Stage;

const TITLES: &str = "100000";
const VIEWERS: &str = "1000000";
/// A part of the draws hits a title again that the viewer has had: so many leave a hundred million.
const DRAWS: &str = "125000000";
/// Of memory that must be free before it is tried.
const FREE_GB: f64 = 9.0;

const TIME: &str = "training, 100,000 titles, 1,000,000 viewers, 100 million interactions, two cores";
const MEMORY: &str = "the same, peak memory";
const RANKING: &str = "one uncached ranking of those 100,000 titles on one core, p99";
const SWAPS: &str = "resident memory after 1,000 model swaps and 100,000 rankings, over that after 100 swaps";

pub fn scale(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let free = available_gb()?;
    if free < FREE_GB {
        let why = format!("needs {FREE_GB} GB of memory, {free:.1} are free");
        let wanted = [
            (TIME, "60.0 min"),
            (MEMORY, "8.00 GB"),
            (RANKING, "10.0 ms"),
            (SWAPS, "1.05 ×"),
        ];
        return Ok(wanted.map(|(what, target)| Figure::not_run(what, target, &why)).into());
    }
    let run = Run::new(example(bench.root, "scale", stage)?).args([TITLES, VIEWERS, DRAWS]);
    let said = figures(run, stage)?;
    let value = |key: &str| said[key].as_f64().with_context(|| format!("no `{key}` in {said}"));
    let events = format!("{} interactions", number(value("events")?));
    let median = format!("median {} ms", number(value("ranking_p50_ms")?));
    let (before, after) = (value("resident_before_mb")?, value("resident_after_mb")?);
    let swaps = format!("{} MB, then {} MB", number(before), number(after));
    Ok(vec![
        Figure::at_most(TIME, value("train_s")? / 60.0, 60.0, "min").noted(&events),
        Figure::at_most(MEMORY, value("peak_gb")?, 8.0, "GB"),
        Figure::at_most(RANKING, value("ranking_p99_ms")?, 10.0, "ms").noted(&median),
        Figure::at_most(SWAPS, after / before, 1.05, "×").noted(&swaps),
    ])
}

fn available_gb() -> Result<f64> {
    let text = fs::read_to_string("/proc/meminfo").context("read /proc/meminfo")?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    Ok(kilobytes.context("the kernel tells no MemAvailable")? / 1e6)
}
