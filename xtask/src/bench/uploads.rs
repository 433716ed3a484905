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
const STARTS: usize = 3;

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
    let kinora = bench.fresh("films-library")?;
    let path = films.to_string_lossy().into_owned();
    let import = |kinora: &Kinora| -> Result<(Duration, Value)> {
        let (began, mut said) = (Instant::now(), String::new());
        kinora
            .command(["import", "folder", &path, "--json"])
            .run_with(stage, |line| said.push_str(line))?;
        let counts = serde_json::from_str(said.get(said.find('{').unwrap_or(0)..).unwrap_or_default());
        Ok((began.elapsed(), counts.context("the counts of the import")?))
    };
    let without = started_in(&kinora, &[], stage)?;
    let (first, counts) = import(&kinora)?;
    ensure!(counts["titles_created"] == FILES, "{counts}");
    let (again, counts) = import(&kinora)?;
    ensure!(counts["queued"] == 0 && counts["unchanged"] == FILES, "{counts}");
    let bare = started_in(&kinora, &[], stage)?;
    let config = bench.folder.join("watching.toml");
    fs::write(&config, format!("[library]\nfolders = [{path:?}]\n"))?;
    let with = started_in(&kinora, &["--config", &config.to_string_lossy()], stage)?;
    Ok(vec![
        Figure::at_most(
            "scanning a folder of 100,000 files again",
            again.as_secs_f64(),
            5.0,
            "s",
        )
        .noted(&format!("the first time: {} s", number(first.as_secs_f64()))),
        Figure::at_most(
            "start of a server that watches a folder of 100,000 films, times that of one that does not",
            with.as_secs_f64() / bare.as_secs_f64(),
            1.2,
            "×",
        )
        .noted(&format!(
            "{:.0} ms, {:.0} ms; with an empty library {:.0} ms",
            with.as_secs_f64() * 1e3,
            bare.as_secs_f64() * 1e3,
            without.as_secs_f64() * 1e3
        )),
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

/// The middle of a few starts.
fn started_in(kinora: &Kinora, words: &[&str], stage: &Stage) -> Result<Duration> {
    let mut all = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        all.push(
            kinora
                .start_as(stage, |run| run.args(words.iter().copied()))?
                .started_in,
        );
    }
    all.sort();
    Ok(all[STARTS / 2])
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
