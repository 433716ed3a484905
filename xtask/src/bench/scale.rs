//! Owns the figures of a large service that is generated: training, one ranking, and the home page of a server.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Bench;
use super::crowd::Crowd;
use super::library::Library;
use super::peers::{example, figures};
use super::report::{Figure, number};
use super::streaming::{CLIENT_CORE, SERVER_CORE};
use crate::process::Run;
use crate::progress::Stage;

const TITLES: usize = 100_000;
const VIEWERS: &str = "1000000";
/// A part of the draws hits a title again that the viewer has had: so many leave a hundred million.
const DRAWS: &str = "125000000";
/// Of the library that is served: its history costs a page nothing, its titles do.
const LIBRARY_VIEWERS: usize = 20_000;
const LIBRARY_RATINGS: usize = 50;
/// Of memory that must be free before it is tried.
const FREE_GB: f64 = 9.0;

const TIME: &str = "training, 100,000 titles, 1,000,000 viewers, 100 million interactions, two cores";
const MEMORY: &str = "the same, peak memory";
const RANKING: &str = "one uncached ranking of those 100,000 titles on one core, p99";
const PAGE: &str = "`GET /home` from 100,000 titles, nothing cached per viewer, one connection, p99";

pub fn scale(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let mut rows = trained(bench, stage)?;
    stage.part("a server with 100,000 titles");
    rows.push(served(bench, stage)?);
    Ok(rows)
}

fn trained(bench: &Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let free = available_gb()?;
    if free < FREE_GB {
        let why = format!("needs {FREE_GB} GB of memory, {free:.1} are free");
        let wanted = [(TIME, "60.0 min"), (MEMORY, "8.00 GB"), (RANKING, "10.0 ms")];
        return Ok(wanted.map(|(what, target)| Figure::not_run(what, target, &why)).into());
    }
    let run = Run::new(example(bench.root, "reco", "scale", stage)?).args([&TITLES.to_string(), VIEWERS, DRAWS]);
    let said = figures(run, stage)?;
    let value = |key: &str| said[key].as_f64().with_context(|| format!("no `{key}` in {said}"));
    let events = format!("{} interactions", number(value("events")?));
    let median = format!("median {} ms", number(value("ranking_p50_ms")?));
    Ok(vec![
        Figure::at_most(TIME, value("train_s")? / 60.0, 60.0, "min").noted(&events),
        Figure::at_most(MEMORY, value("peak_gb")?, 8.0, "GB"),
        Figure::at_most(RANKING, value("ranking_p99_ms")?, 10.0, "ms").noted(&median),
    ])
}

fn served(bench: &Bench<'_>, stage: &Stage) -> Result<Figure> {
    let source = bench.folder.join("titles");
    generate(&source)?;
    let library = Library::prepare(bench.fresh("large")?, &source, stage)?;
    let server = library.kinora.start_on_core(SERVER_CORE, stage)?;
    let script = bench.root.join("xtask/bench/home.lua");
    let crowd = Crowd::of(&library, &server.url, &script)?.on_core(CLIENT_CORE);
    crowd.ask(1, "5s", 1, stage)?;
    let load = crowd.ask(1, "20s", 2, stage)?;
    let median = format!("server on one core, median {} ms", number(load.p50_ms));
    Ok(Figure::at_most(PAGE, load.p99_ms, 10.0, "ms").noted(&median))
}

/// MovieTweetings' form: titles of which few are popular and most are not.
fn generate(folder: &Path) -> Result<()> {
    if folder.join("ratings.dat").is_file() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    const GENRES: [&str; 6] = ["Drama", "Comedy", "Horror", "Western", "Crime", "Family"];
    let mut movies = String::new();
    for title in 0..TITLES {
        let (genre, other) = (GENRES[title % 6], GENRES[title / 6 % 6]);
        writeln!(
            movies,
            "{title:07}::Film Number {title} ({})::{genre}|{other}",
            1930 + title % 90
        )?;
    }
    fs::write(folder.join("movies.dat"), movies)?;
    fs::write(folder.join("users.dat"), "")?;
    let mut ratings = String::new();
    for row in 0..LIBRARY_VIEWERS * LIBRARY_RATINGS {
        let (viewer, step) = (row / LIBRARY_RATINGS, row % LIBRARY_RATINGS);
        // Evenly spread over 0..1 (the golden ratio's multiples); its cube is near 0 for many.
        let share = ((row as f64) * 0.618_033_988_749_895).fract();
        let title = ((share.powi(3) * TITLES as f64) as usize / 6 * 6 + viewer % 6) % TITLES;
        let rating = 1 + (viewer + step) % 10;
        writeln!(ratings, "{}::{title:07}::{rating}::{}", viewer + 1, 1_300_000_000 + row)?;
    }
    fs::write(folder.join("ratings.dat"), ratings).context("write the generated ratings")
}

fn available_gb() -> Result<f64> {
    let text = fs::read_to_string("/proc/meminfo").context("read /proc/meminfo")?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    Ok(kilobytes.context("the kernel tells no MemAvailable")? / 1e6)
}
