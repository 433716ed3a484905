//! Owns the figures of what comes in: a large upload that is interrupted again and again, and a folder of very many files.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Bench;
use super::report::{Figure, number};
use crate::cargo;
use crate::kinora::Kinora;
use crate::progress::Stage;

const UPLOAD_BYTES: u64 = 10 << 30;
const BREAKS: &str = "20";
const TEST: &str = "an_upload_that_is_interrupted_again_and_again_arrives_byte_for_byte";
/// The test's closing line is this and its figures as JSON.
const CLOSING: &str = "upload {";
const FILES: usize = 100_000;
const FILES_PER_FOLDER: usize = 500;
const STARTS: usize = 7;
/// Nothing of the folder may be in the way; starts differ by so much of themselves.
const STARTS_RATIO_MAX: f64 = 1.2;

pub fn uploads(bench: &Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let mut figures = interrupted(bench, stage)?;
    figures.extend(folder(bench, stage)?);
    Ok(figures)
}

/// The test itself, with the release binary; it fails where one byte is not as it was sent.
fn interrupted(bench: &Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    stage.part("an upload of 10 GB");
    let mut closing = None;
    cargo::run(bench.root)
        .args(["test", "--release", "--locked", "-p", "kinora", "--test", "it", TEST])
        .args(["--", "--nocapture"])
        .variable("KINORA_UPLOAD_BYTES", UPLOAD_BYTES.to_string())
        .variable("KINORA_UPLOAD_BREAKS", BREAKS)
        .run_with(stage, |line| closing = figures_of(line).or(closing.take()))?;
    let said = closing.context("the test said nothing of its upload; is it still called so?")?;
    let figure = |name: &str| said[name].as_f64().with_context(|| format!("no {name} in {said}"));
    let grown = figure("grown_bytes")? / f64::from(1 << 20);
    let note = format!("byte-identical, {} MB/s", number(figure("megabytes_per_s")?));
    let what = format!(
        "memory a server grows by over an upload of 10 GB, interrupted {BREAKS} times, half of them by `kill -9`"
    );
    Ok(vec![Figure::at_most(&what, grown, 50.0, "MiB").noted(&note)])
}

fn figures_of(line: &str) -> Option<Value> {
    let at = line.find(CLOSING)? + CLOSING.len() - 1;
    serde_json::from_str(&line[at..]).ok()
}

fn folder(bench: &Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    stage.part("a folder of 100,000 files");
    let films = bench.folder.join("films");
    fill(&films)?;
    let path = films.to_string_lossy().into_owned();
    let import = |kinora: &Kinora| -> Result<(Duration, Value)> {
        let (began, mut said) = (Instant::now(), String::new());
        kinora
            .command(["import", "folder", &path, "--json"])
            .run_with(stage, |line| said.push_str(line))?;
        let counts = serde_json::from_str(said.get(said.find('{').unwrap_or(0)..).unwrap_or_default());
        Ok((began.elapsed(), counts.context("the counts of the import")?))
    };
    let config = bench.folder.join("watching.toml");
    fs::write(&config, format!("[library]\nfolders = [{path:?}]\n"))?;
    let watching = ["--config", &config.to_string_lossy()];
    let never_seen = starts(stage, &watching, || bench.fresh("films-library"))?;
    let kinora = bench.fresh("films-library")?;
    let (first, counts) = import(&kinora)?;
    ensure!(counts["titles_created"] == FILES, "{counts}");
    let (again, counts) = import(&kinora)?;
    ensure!(counts["queued"] == 0 && counts["unchanged"] == FILES, "{counts}");
    let imported = starts(stage, &watching, || Ok(kinora.clone()))?;
    Ok(vec![
        Figure::at_most(
            "scanning a folder of 100,000 files again",
            again.as_secs_f64(),
            5.0,
            "s",
        )
        .noted(&format!("the first time: {} s", number(first.as_secs_f64()))),
        imported.figure("start of a server that watches a folder of 100,000 films"),
        never_seen.figure("the same before the first of them was imported"),
    ])
}

/// Files as people name them, of a few bytes: what they hold is not looked at here.
fn fill(folder: &Path) -> Result<()> {
    let done = folder.join("filled");
    if done.exists() {
        return Ok(());
    }
    for number in 0..FILES {
        let shelf = folder.join(format!("Shelf {}", number / FILES_PER_FOLDER));
        if number % FILES_PER_FOLDER == 0 {
            fs::create_dir_all(&shelf)?;
        }
        let name = format!("Film Number {number} ({}).mkv", 1930 + number % 90);
        fs::write(shelf.join(name), number.to_string())?;
    }
    fs::write(done, "")?;
    Ok(())
}

/// Medians of starts, in turns on the same data.
struct Starts {
    watching: Duration,
    alone: Duration,
}

impl Starts {
    fn figure(&self, what: &str) -> Figure {
        let (watching, alone) = (self.watching.as_secs_f64(), self.alone.as_secs_f64());
        let note = format!("{:.0} ms, {:.0} ms", watching * 1e3, alone * 1e3);
        let what = format!("{what}, times that of one that does not");
        Figure::at_most(&what, watching / alone, STARTS_RATIO_MAX, "×").noted(&note)
    }
}

/// With the `watching` words and without, each time on the data that `library` says.
fn starts(stage: &Stage, watching: &[&str], library: impl Fn() -> Result<Kinora>) -> Result<Starts> {
    let mut all = [const { Vec::new() }; 2];
    for _ in 0..STARTS {
        for (words, all) in [watching, &[]].into_iter().zip(&mut all) {
            let server = library()?.start_as(stage, |run| run.args(words.iter().copied()))?;
            all.push(server.started_in);
        }
    }
    let [watching, alone] = all.map(|mut all| {
        all.sort();
        all[STARTS / 2]
    });
    Ok(Starts { watching, alone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_known() {
        let line = r#"test uploads::x ... upload {"bytes":5,"breaks":20,"grown_bytes":7,"megabytes_per_s":1.5}"#;
        assert_eq!(figures_of(line).unwrap()["grown_bytes"], 7);
        assert_eq!(figures_of("running 1 test"), None);
    }
}
