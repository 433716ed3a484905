//! Owns the figures of delivery: one film whose segments have the sizes that are measured, and what is asked of it.

use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Bench;
use super::delivery::Sides;
use super::players::Audience;
use super::report::{Figure, number};
use crate::demo::{ADMIN, Person, VIEWER};
use crate::http::Client;
use crate::kinora::{Kinora, Server};
use crate::process::Run;
use crate::progress::Stage;

/// Who serves runs on one core, who asks on the other.
pub const SERVER_CORE: usize = 0;
pub const CLIENT_CORE: usize = 1;

/// Sizes of the first segments of the film's lowest rung.
const SIZES: [usize; 2] = [4_000_000, 200_000];
/// Of those after them: two seconds at 3 Mb/s.
const WATCHED: usize = 750_000;
const WATCHED_SEGMENTS: Range<usize> = SIZES.len() + 1..SIZES.len() + 31;
const FILM_SECONDS: usize = 80;

const PLAYERS: usize = 1_000;

pub fn streaming(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores <= CLIENT_CORE {
        bail!("needs two cores: one that serves and one that asks");
    }
    let film = Film::prepare(bench.fresh("streaming")?, stage)?;
    let mut figures = beside_nginx(bench, &film, stage)?;
    figures.extend(watched(&film, stage)?);
    figures.extend(super::watching::watching(bench, stage)?);
    Ok(figures)
}

fn beside_nginx(bench: &Bench<'_>, film: &Film, stage: &Stage) -> Result<Vec<Figure>> {
    let server = film.kinora.start_on_core(SERVER_CORE, stage)?;
    let folder = film.playing(&viewer(&server)?)?;
    let nginx = super::delivery::Nginx::start(&bench.folder.join("nginx"), &film.kinora.data.join("blobs"), stage)?;
    let mut figures = Vec::new();
    for (segment, name) in [(1, "4 MB"), (2, "200 kB")] {
        stage.part(&format!("segments of {name}"));
        let sides = Sides {
            bytes: SIZES[segment - 1] as f64,
            ours: (server.process_id(), format!("{}{folder}/v0/{segment}.m4s", server.url)),
            theirs: (nginx.process_id(), format!("{}/{}/{segment}.m4s", nginx.url, film.rung)),
        };
        let seen = sides.compare(stage)?;
        let what = format!("segment bytes per CPU-second, {name}, 8 connections, times those of nginx static");
        let note = format!(
            "{} GB against {} GB; {} GB/s against {} GB/s by the clock",
            number(seen.ours.per_cpu_second / 1e9),
            number(seen.theirs.per_cpu_second / 1e9),
            number(seen.ours.per_second / 1e9),
            number(seen.theirs.per_second / 1e9),
        );
        figures.push(Figure::at_least(&what, seen.ratio, 0.9, "×").noted(&note));
    }
    Ok(figures)
}

/// On a server of its own, so that its memory is that of its players.
fn watched(film: &Film, stage: &Stage) -> Result<Vec<Figure>> {
    stage.part(&format!("{PLAYERS} players"));
    // One account plays all of them.
    let on_its_core = |run: Run| run.on_core(SERVER_CORE).variable("KINORA_STREAMING__STREAMS_MAX", "0");
    let server = film.kinora.start_as(stage, on_its_core)?;
    let viewer = viewer(&server)?;
    let folder = |_| Ok(format!("{}/v0", film.playing(&viewer)?));
    let audience = Audience {
        address: server.url.trim_start_matches("http://").to_owned(),
        folders: (0..PLAYERS).map(folder).collect::<Result<_>>()?,
        segments: WATCHED_SEGMENTS,
        bytes: WATCHED,
    };
    let seen = audience.watch(server.process_id(), stage)?;
    let note = format!(
        "{} times one of {} segments of {} kB, the slowest after {} ms, the server's core {} % busy",
        number(seen.segments as f64),
        WATCHED_SEGMENTS.len(),
        WATCHED / 1_000,
        number(seen.slowest_ms),
        number(seen.busy * 100.0),
    );
    let late = format!("late segments of {PLAYERS} players, one every two seconds, server on one core");
    let memory = format!("peak resident memory with {PLAYERS} players");
    Ok(vec![
        Figure::at_most(&late, seen.late as f64, 0.0, "").noted(&note),
        Figure::at_most(&memory, seen.peak_bytes as f64 / 1e6, 150.0, "MB"),
    ])
}

/// A film that is stored and may be played.
struct Film {
    kinora: Kinora,
    title: String,
    /// The folder of its lowest rung below that of the blobs.
    rung: String,
}

impl Film {
    fn prepare(kinora: Kinora, stage: &Stage) -> Result<Self> {
        for Person {
            email,
            name,
            role,
            password,
        } in [&VIEWER, &ADMIN]
        {
            kinora.add_user(email, name, role, password, stage)?;
        }
        let title = new_title(&kinora.start(stage)?)?;
        let source = kinora.data.join("source.mp4");
        make(&source, stage)?;
        kinora
            .command(["media", "add", &source.to_string_lossy(), "--title", &title, "--wait"])
            .run(stage)?;
        let rung = resize(&kinora.data.join("blobs"))?;
        Ok(Self { kinora, title, rung })
    }

    /// Presses play; the signed folder that everything of the film is in.
    fn playing(&self, viewer: &Client) -> Result<String> {
        let playback = viewer.json("POST", "/api/v1/playback", Some(&json!({ "title_id": self.title })))?;
        let manifest = playback["hls_url"].as_str().context("a playback without an address")?;
        let folder = manifest.rsplit_once('/').context("an address without a folder")?.0;
        Ok(folder.to_owned())
    }
}

fn viewer(server: &Server) -> Result<Client> {
    let mut viewer = Client::new(&server.url);
    viewer.log_in(VIEWER.email, VIEWER.password)?;
    Ok(viewer)
}

pub fn new_title(server: &Server) -> Result<String> {
    let mut admin = Client::new(&server.url);
    admin.log_in(ADMIN.email, ADMIN.password)?;
    let title = admin.json(
        "POST",
        "/api/v1/admin/titles",
        Some(&json!({ "name": "A measured film" })),
    )?;
    Ok(title["id"].as_str().context("a title without an id")?.to_owned())
}

fn make(source: &Path, stage: &Stage) -> Result<()> {
    let picture = format!("testsrc2=size=320x180:rate=25:duration={FILM_SECONDS}");
    Run::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", &picture])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"])
        .arg(source)
        .run(stage)
}

/// Gives the first segments the sizes that are measured, in the files and in their index: no film has just these.
fn resize(blobs: &Path) -> Result<String> {
    let assets = blobs.join("assets");
    let asset = only_entry(&assets)?;
    let index_file = assets.join(&asset).join("index.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&index_file)?).context("read the film's index")?;
    let sizes = index["video"][0]["bytes"]
        .as_array_mut()
        .context("an index without sizes")?;
    let last = WATCHED_SEGMENTS.end - 1;
    if sizes.len() < last {
        bail!("a film of {FILM_SECONDS} s has only {} segments", sizes.len());
    }
    let rung = format!("assets/{asset}/v0");
    let wanted = SIZES.into_iter().chain(std::iter::repeat(WATCHED));
    for (number, bytes) in wanted.take(last).enumerate() {
        sizes[number] = json!(bytes);
        let mut file = fs::File::create(blobs.join(&rung).join(format!("{}.m4s", number + 1)))?;
        file.write_all(&noise(bytes))?;
    }
    fs::write(&index_file, index.to_string()).context("write the film's index")?;
    Ok(rung)
}

fn only_entry(folder: &Path) -> Result<String> {
    let entries: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("list {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    match &entries[..] {
        [one] => Ok(one.file_name().unwrap_or_default().to_string_lossy().into_owned()),
        other => bail!("{} entries in {}, not one", other.len(), folder.display()),
    }
}

/// Bytes that no file system keeps as a hole.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..bytes).map(|_| next()).collect()
}
