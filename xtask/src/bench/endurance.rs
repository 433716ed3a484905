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
const ROUND: Duration = Duration::from_secs(20);
/// Memory is looked at so often: many times in the second that an exchange of the model and its rest take.
const LOOK: Duration = Duration::from_millis(50);
/// Spread over the round: pages and exchanges go side by side to the end.
const SWAPS_PER_ROUND: u32 = 30;
const ROUNDS_MAX: usize = 150;

pub fn endurance(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let script = bench.root.join("xtask/bench/home.lua");
    let library = bench.library(stage)?;
    // A second model to exchange it with.
    library.kinora.command(["train"]).run(stage)?;
    // One that keeps no page: what is asked again is made again.
    let server = library.kinora.start(stage)?;
    let (mut asked, mut swapped) = (0.0, 0);
    let start = resident_bytes(server.process_id())? as f64 / 1e6;
    let mut looks = Vec::new();
    for round in 1..=ROUNDS_MAX {
        let crowd = Crowd::of(library, &server.url, &script)?;
        let ((stop_swaps, swaps_stop), (stop_looks, looks_stop)) = (channel::<()>(), channel::<()>());
        let (load, more, memory) = thread::scope(|scope| -> Result<_> {
            let (url, process) = (server.url.as_str(), server.process_id());
            let swaps = scope.spawn(move || swap(url, &swaps_stop));
            let memory = scope.spawn(move || Memory::of(process, &looks_stop));
            let load = crowd.ask(CONNECTIONS, &format!("{}s", ROUND.as_secs()), round, stage);
            drop((stop_swaps, stop_looks));
            let swaps = swaps
                .join()
                .map_err(|_| anyhow::anyhow!("exchanging models panicked"))?;
            let memory = memory
                .join()
                .map_err(|_| anyhow::anyhow!("looking at memory panicked"))?;
            Ok((load?, swaps?, memory?))
        })?;
        asked += load.requests;
        swapped += more;
        let look = Look { asked, swapped, memory };
        stage.line(&look.shown());
        stage.part(&format!("{} pages, {swapped} exchanges", number(asked)));
        looks.push(look);
        if asked >= REQUESTS && swapped >= SWAPS {
            return figures(start, &looks);
        }
    }
    bail!("{asked} pages and {swapped} exchanges in {ROUNDS_MAX} rounds: the machine is too slow for this figure")
}

/// Resident memory over a while: it swings with every exchange, for there is a second model until the first is let go.
#[derive(Clone, Copy)]
struct Memory {
    mean_mb: f64,
    highest_mb: f64,
}

impl Memory {
    fn of(process: u32, stopped: &Receiver<()>) -> Result<Self> {
        let (mut sum, mut count, mut highest) = (0.0, 0.0, 0.0_f64);
        loop {
            let resident = resident_bytes(process)? as f64 / 1e6;
            (sum, count, highest) = (sum + resident, count + 1.0, highest.max(resident));
            if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return Ok(Self {
                    mean_mb: sum / count,
                    highest_mb: highest,
                });
            }
        }
    }
}

/// Memory over one round, and what was done at its end.
struct Look {
    asked: f64,
    swapped: usize,
    memory: Memory,
}

impl Look {
    /// Of both, what is done: that of which less is.
    fn done(&self) -> f64 {
        (self.asked / REQUESTS).min(self.swapped as f64 / SWAPS as f64)
    }

    fn shown(&self) -> String {
        let Memory { mean_mb, highest_mb } = self.memory;
        let (mean, highest) = (number(mean_mb), number(highest_mb));
        let asked = number(self.asked);
        format!(
            "{mean} MB, at most {highest} MB, until {asked} pages and {} exchanges",
            self.swapped
        )
    }
}

/// The mean of the last tenth over that of the first, and over that of the middle, after which nothing may grow at all: what grows a little with each page or exchange is seen, what only swings is not.
fn figures(start_mb: f64, looks: &[Look]) -> Result<Vec<Figure>> {
    let over = |from: f64, to: f64| {
        let inside = looks.iter().filter(|look| (from..=to).contains(&look.done()));
        let all: Vec<Memory> = inside.map(|look| look.memory).collect();
        (!all.is_empty()).then(|| Memory {
            mean_mb: all.iter().map(|memory| memory.mean_mb).sum::<f64>() / all.len() as f64,
            highest_mb: all.iter().map(|memory| memory.highest_mb).fold(0.0, f64::max),
        })
    };
    let before = over(0.0, 0.1).context("no look within the first tenth")?;
    let middle = over(0.45, 0.55).context("no look in the middle")?;
    let after = over(0.9, f64::MAX).context("no look within the last tenth")?;
    let last = looks.last().context("no look")?;
    let note = format!(
        "{} MB at its start; mean {} MB, at most {} MB in the first tenth, mean {} MB in the middle, mean {} MB, at most {} MB in the last; \
         {} pages, {} exchanges, every page made anew",
        number(start_mb),
        number(before.mean_mb),
        number(before.highest_mb),
        number(middle.mean_mb),
        number(after.mean_mb),
        number(after.highest_mb),
        number(last.asked),
        last.swapped,
    );
    let once_full = "the same, over that in the middle of both";
    Ok(vec![
        Figure::at_most(WHAT, after.mean_mb / before.mean_mb, 1.05, "×").noted(&note),
        Figure::at_most(once_full, after.mean_mb / middle.mean_mb, 1.02, "×"),
    ])
}

/// Puts one model after the other in service, evenly over a round, until `stopped`; answers how many. Also after the thousandth: without
/// exchanges memory is lower, and a last round without them would hide growth.
fn swap(url: &str, stopped: &Receiver<()>) -> Result<usize> {
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
    for done in 0..SWAPS_PER_ROUND as usize {
        client.json(
            "POST",
            &format!("/api/v1/admin/models/{}/activate", order[done % 2]),
            None,
        )?;
        if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return Ok(done + 1);
        }
    }
    Ok(SWAPS_PER_ROUND as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(asked: f64, swapped: usize, mean_mb: f64) -> Look {
        let memory = Memory {
            mean_mb,
            highest_mb: mean_mb + 30.0,
        };
        Look { asked, swapped, memory }
    }

    /// Fifty rounds; memory by the share that is done.
    fn evening(mean_mb: impl Fn(f64) -> f64) -> Result<Vec<Figure>> {
        let round = |round: usize| {
            let done = round as f64 / 50.0;
            look(done * REQUESTS, round * SWAPS / 50, mean_mb(done))
        };
        figures(90.0, &(1..=50).map(round).collect::<Vec<_>>())
    }

    #[test]
    fn what_grows_is_seen_and_what_swings_is_not() -> Result<()> {
        let met = |mean_mb: &dyn Fn(f64) -> f64| -> Result<Vec<bool>> {
            Ok(evening(mean_mb)?.iter().map(|figure| figure.met).collect())
        };
        assert_eq!(met(&|_| 300.0)?, [true, true]);
        assert_eq!(
            met(&|done| 300.0 - 200.0 * (0.05 - done).max(0.0))?,
            [true, true],
            "a start is no growth"
        );
        assert_eq!(met(&|done| 300.0 + 20.0 * (done * 157.0).sin())?, [true, true]);
        assert_eq!(met(&|done| 300.0 - 100.0 * done)?, [true, true]);
        assert_eq!(met(&|done| 300.0 + 30.0 * done)?, [false, false]);
        assert_eq!(met(&|done| 300.0 + 15.0 * done)?, [true, false], "slowly, to the end");
        assert_eq!(
            met(&|done| 300.0 + 40.0 * done.min(0.5))?,
            [false, true],
            "much, and then no more"
        );
        let leaking = &evening(|done| 300.0 + 30.0 * done)?[0].measured;
        let before = "90.0 MB at its start; mean 302 MB, at most 333 MB in the first tenth, ";
        assert!(leaking.contains(before), "{leaking}");
        Ok(())
    }

    #[test]
    fn an_evening_that_was_not_looked_at_early_says_nothing() {
        let late = [(500_000.0, 794), (1_000_000.0, 1_000)];
        let looks = late.map(|(asked, swapped)| look(asked, swapped, 200.0));
        assert!(figures(90.0, &looks).is_err());
    }

    #[test]
    fn memory_is_looked_at_until_told_to_stop() -> Result<()> {
        let (stop, stopped) = channel::<()>();
        drop(stop);
        let Memory { mean_mb, highest_mb } = Memory::of(std::process::id(), &stopped)?;
        assert!(mean_mb > 1.0 && mean_mb <= highest_mb, "{mean_mb} {highest_mb}");
        assert!(Memory::of(u32::MAX, &stopped).is_err(), "no such process");
        Ok(())
    }
}
