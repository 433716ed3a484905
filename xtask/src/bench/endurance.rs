//! Owns memory over a long evening: a server that answers a million pages while its model is exchanged a thousand times.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};

use super::Bench;
use super::crowd::Crowd;
use super::figures::resident_bytes;
use super::report::{Figure, number};
use crate::demo::ADMIN;
use crate::http::Client;
use crate::kinora::Kinora;
use crate::progress::Stage;

const WHAT: &str = "resident memory of a server after a million pages and 1,000 exchanges of its model, over that after a tenth of both";
const REQUESTS: f64 = 1_000_000.0;
const SWAPS: usize = 1_000;
/// Memory is looked at when a tenth of both is done, and at the end.
const FIRST: usize = 10;
const CONNECTIONS: usize = 50;
const ROUND_TIME: &str = "20s";
const ROUNDS_MAX: usize = 100;

pub fn endurance(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let script = bench.root.join("xtask/bench/home.lua");
    let library = bench.library(stage)?;
    // A second model to exchange it with.
    library.kinora.command(["train"]).run(stage)?;
    let server = Kinora {
        keeps: true,
        ..library.kinora.clone()
    }
    .start(stage)?;
    let (mut asked, mut swapped, mut before) = (0.0, 0, None);
    for round in 1..=ROUNDS_MAX {
        let crowd = Crowd::of(library, &server.url, &script)?;
        let stop = AtomicBool::new(swapped >= SWAPS);
        let (load, more) = thread::scope(|scope| -> Result<_> {
            let swaps = scope.spawn(|| swap(&server.url, SWAPS - swapped, &stop));
            let load = crowd.ask(CONNECTIONS, ROUND_TIME, round, stage);
            stop.store(true, Ordering::Relaxed);
            let swaps = swaps
                .join()
                .map_err(|_| anyhow::anyhow!("exchanging models panicked"))?;
            Ok((load?, swaps?))
        })?;
        asked += load.requests;
        swapped += more;
        stage.part(&format!("{} pages, {swapped} exchanges", number(asked)));
        let resident = resident_bytes(server.process_id())? as f64 / 1e6;
        if before.is_none() && asked >= REQUESTS / FIRST as f64 && swapped >= SWAPS / FIRST {
            before = Some((
                resident,
                format!("{} MB after {} and {swapped}", number(resident), number(asked)),
            ));
        }
        if asked >= REQUESTS && swapped >= SWAPS {
            let (before, first) = before.context("the end was before the first tenth")?;
            let note = format!("{first}, {} MB after {} and {swapped}", number(resident), number(asked));
            return Ok(vec![Figure::at_most(WHAT, resident / before, 1.05, "×").noted(&note)]);
        }
    }
    bail!("{asked} pages and {swapped} exchanges in {ROUNDS_MAX} rounds: the machine is too slow for this figure")
}

/// Puts one model after the other in service, until `stop` or `count` are done; answers how many.
fn swap(url: &str, count: usize, stop: &AtomicBool) -> Result<usize> {
    let mut client = Client::new(url);
    client.log_in(ADMIN.email, ADMIN.password)?;
    let listed = client.json("GET", "/api/v1/admin/models", None)?;
    let models: Vec<&str> = listed["items"]
        .as_array()
        .context("no list of models")?
        .iter()
        .filter_map(|model| model["id"].as_str())
        .take(2)
        .collect();
    let [first, second] = models[..] else {
        bail!("two models are needed: {listed}");
    };
    for done in 0..count {
        if stop.load(Ordering::Relaxed) {
            return Ok(done);
        }
        let next = if done % 2 == 0 { second } else { first };
        client.json("POST", &format!("/api/v1/admin/models/{next}/activate"), None)?;
    }
    Ok(count)
}
