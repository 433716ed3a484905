//! Owns what a guest of a watch party sees of the host's presses, over a long line.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Bench;
use super::report::{Figure, number};
use crate::browser::Look;
use crate::demo::{ADMIN, Person, VIEWER};
use crate::kinora::Server;
use crate::node::Node;
use crate::progress::Stage;

const ROUNDS: usize = 10;
/// There and back.
const LINE_MS: u32 = 100;
const LATER_MAX_MS: f64 = 200.0;
/// Keys that jump to so many tenths of the film.
const KEYS: [&str; 5] = ["1", "7", "3", "5", "2"];

/// In a film that somebody has put on this server.
pub fn party(bench: &Bench<'_>, node: &Node, server: &Server, title: &str, stage: &Stage) -> Result<Vec<Figure>> {
    stage.part("a watch party");
    let person = |Person { email, password, .. }: Person| json!({ "email": email, "password": password });
    let look = Look {
        root: bench.root,
        script: "xtask/bench/together.mjs",
        url: &server.url,
        input: json!({
            "host": person(VIEWER), "guest": person(ADMIN),
            "title": title, "latency": LINE_MS, "rounds": ROUNDS, "keys": KEYS,
        }),
        pictures: bench.folder.join("pictures"),
    };
    figures(&look.run(node, stage)?)
}

fn figures(seen: &Value) -> Result<Vec<Figure>> {
    let mut slowest: f64 = 0.0;
    let mut notes = Vec::new();
    for kind in ["pause", "play", "jump"] {
        let rounds = seen[kind].as_array().with_context(|| format!("no {kind}"))?;
        let sorted = |name: &str| -> Result<Vec<f64>> {
            let times = rounds.iter().filter_map(|round| round[name].as_f64());
            let mut times: Vec<f64> = times.collect();
            times.sort_by(f64::total_cmp);
            (times.len() == ROUNDS)
                .then_some(times)
                .with_context(|| format!("not every {kind} was measured"))
        };
        // Who is told before the host has begun is not later.
        let (later, after) = (sorted("later")?, sorted("after")?);
        slowest = slowest.max(later[ROUNDS - 1]);
        notes.push(format!(
            "{kind} {} ms, at most {} ms, on both {} ms after the key",
            number(later[ROUNDS / 2].max(0.0)),
            number(later[ROUNDS - 1].max(0.0)),
            number(after[ROUNDS / 2]),
        ));
    }
    let what = format!(
        "watch party: pause, play, jump of the host's seen by the other so much later, line of {LINE_MS} ms, slowest of {}",
        3 * ROUNDS
    );
    let row = Figure::at_most(&what, slowest, LATER_MAX_MS, "ms");
    Ok(vec![row.noted(&format!("medians: {}", notes.join("; ")))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_of_all_counts() {
        let rounds = |later: f64| -> Vec<Value> {
            (0..ROUNDS)
                .map(|at| json!({ "later": if at == 3 { later } else { -1.0 }, "after": 260.0 }))
                .collect()
        };
        let seen = json!({ "pause": rounds(110.0), "play": rounds(4.0), "jump": rounds(230.0) });
        let row = &figures(&seen).unwrap()[0];
        assert!(row.measured.starts_with("230 ms ("), "{}", row.measured);
        assert!(!row.met);
        assert!(figures(&json!({ "pause": [], "play": [], "jump": [] })).is_err());
    }
}
