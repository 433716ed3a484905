//! Owns memory over a long evening: a server that makes a million pages while its model is exchanged a thousand times.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Bench;
use super::crowd::Crowd;
use super::figures::resident_bytes;
use super::report::{Figure, number};
use crate::demo::ADMIN;
use crate::http::Client;
use crate::progress::Stage;

const WHAT: &str = "resident memory of a server after a million pages and 1,000 exchanges of its model, over that after a tenth of both";
const REQUESTS: f64 = 1_000_000.0;
const SWAPS: usize = 1_000;
const CONNECTIONS: usize = 50;
/// After each round memory is looked at.
const ROUND: Duration = Duration::from_secs(20);
/// Spread over the round: pages and exchanges go side by side to the end.
const SWAPS_PER_ROUND: u32 = 20;
const ROUNDS_MAX: usize = 150;

pub fn endurance(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let script = bench.root.join("xtask/bench/home.lua");
    let library = bench.library(stage)?;
    // A second model to exchange it with.
    library.kinora.command(["train"]).run(stage)?;
    // One that keeps no page: what is asked again is made again.
    let server = library.kinora.start(stage)?;
    let resident = || Ok::<_, anyhow::Error>(resident_bytes(server.process_id())? as f64 / 1e6);
    let (mut asked, mut swapped) = (0.0, 0);
    let mut looks = vec![Look::at(asked, swapped, resident()?)];
    for round in 1..=ROUNDS_MAX {
        let crowd = Crowd::of(library, &server.url, &script)?;
        let (stop, stopped) = channel::<()>();
        let (load, more) = thread::scope(|scope| -> Result<_> {
            let url = server.url.as_str();
            let swaps = scope.spawn(move || swap(url, SWAPS.saturating_sub(swapped), &stopped));
            let load = crowd.ask(CONNECTIONS, &format!("{}s", ROUND.as_secs()), round, stage);
            drop(stop);
            let swaps = swaps
                .join()
                .map_err(|_| anyhow::anyhow!("exchanging models panicked"))?;
            Ok((load?, swaps?))
        })?;
        asked += load.requests;
        swapped += more;
        let look = Look::at(asked, swapped, resident()?);
        stage.line(&look.shown());
        stage.part(&format!("{} pages, {swapped} exchanges", number(asked)));
        looks.push(look);
        if asked >= REQUESTS && swapped >= SWAPS {
            return Ok(vec![figure(&looks)?]);
        }
    }
    bail!("{asked} pages and {swapped} exchanges in {ROUNDS_MAX} rounds: the machine is too slow for this figure")
}

/// Memory at one moment.
struct Look {
    asked: f64,
    swapped: usize,
    resident_mb: f64,
}

impl Look {
    fn at(asked: f64, swapped: usize, resident_mb: f64) -> Self {
        Self {
            asked,
            swapped,
            resident_mb,
        }
    }

    /// Of both, what is done: that of which less is.
    fn done(&self) -> f64 {
        (self.asked / REQUESTS).min(self.swapped as f64 / SWAPS as f64)
    }

    fn shown(&self) -> String {
        format!(
            "{} MB after {} and {}",
            number(self.resident_mb),
            number(self.asked),
            self.swapped
        )
    }
}

/// The highest look of the last tenth over the highest of the first: what grows a little with each page or exchange is seen, what
/// only swings is not.
fn figure(looks: &[Look]) -> Result<Figure> {
    let highest = |from: f64, to: f64| {
        let inside = looks.iter().filter(|look| (from..=to).contains(&look.done()));
        inside.max_by(|a, b| a.resident_mb.total_cmp(&b.resident_mb))
    };
    // Before the first page nothing has been needed yet.
    let before = highest(f64::MIN_POSITIVE, 0.1).context("no look within the first tenth")?;
    let after = highest(0.9, f64::MAX).context("no look within the last tenth")?;
    let start = looks.first().context("no look at the start")?;
    let note = format!(
        "{}, at most {} in the first tenth, at most {} in the last, {} looks; every page made anew",
        start.shown(),
        before.shown(),
        after.shown(),
        looks.len()
    );
    Ok(Figure::at_most(WHAT, after.resident_mb / before.resident_mb, 1.05, "×").noted(&note))
}

/// Puts one model after the other in service, evenly over a round, until `stopped` or `count` are done; answers how many.
fn swap(url: &str, count: usize, stopped: &Receiver<()>) -> Result<usize> {
    let mut client = Client::new(url);
    client.log_in(ADMIN.email, ADMIN.password)?;
    let listed = client.json("GET", "/api/v1/admin/models", None)?;
    let models: Vec<(&str, bool)> = listed["items"]
        .as_array()
        .context("no list of models")?
        .iter()
        .filter_map(|model| Some((model["id"].as_str()?, model["state"] == "active")))
        .take(2)
        .collect();
    let [first, second] = models[..] else {
        bail!("two models are needed: {listed}");
    };
    // The one that does not serve comes first: each step is an exchange.
    let order = if first.1 {
        [second.0, first.0]
    } else {
        [first.0, second.0]
    };
    let pause = ROUND / SWAPS_PER_ROUND;
    for done in 0..count.min(SWAPS_PER_ROUND as usize) {
        client.json(
            "POST",
            &format!("/api/v1/admin/models/{}/activate", order[done % 2]),
            None,
        )?;
        if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return Ok(done + 1);
        }
    }
    Ok(count.min(SWAPS_PER_ROUND as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fifty rounds; memory by the share that is done.
    fn evening(resident_mb: impl Fn(f64) -> f64) -> Result<Figure> {
        let look = |round: usize| {
            let done = round as f64 / 50.0;
            Look::at(done * REQUESTS, round * SWAPS / 50, resident_mb(done))
        };
        figure(&(0..=50).map(look).collect::<Vec<_>>())
    }

    #[test]
    fn what_grows_is_seen_and_what_swings_is_not() -> Result<()> {
        assert!(
            evening(|done| if done == 0.0 { 90.0 } else { 300.0 })?.met,
            "a start is no growth"
        );
        assert!(evening(|done| 300.0 + 20.0 * (done * 157.0).sin())?.met);
        assert!(evening(|done| 300.0 - 100.0 * done)?.met);
        let leaking = evening(|done| 300.0 + 30.0 * done)?;
        assert!(!leaking.met, "{}", leaking.measured);
        assert!(
            leaking
                .measured
                .contains("at most 303 MB after 100,000 and 100 in the first tenth"),
            "{}",
            leaking.measured
        );
        Ok(())
    }

    #[test]
    fn an_evening_that_was_not_looked_at_early_says_nothing() {
        let late = [(0.0, 0), (500_000.0, 794), (1_000_000.0, 1_000)];
        let looks = late.map(|(asked, swapped)| Look::at(asked, swapped, 200.0));
        assert!(figure(&looks).is_err());
    }
}
