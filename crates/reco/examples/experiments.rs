//! Power and false-positive rate of every method of `reco::experiment`, on a simulated audience whose true tastes are known:
//! `cargo run --release -p reco --example experiments [EXPERIMENTS]` (default 1,000 of each kind).

#[path = "../tests/common/audience.rs"]
mod audience;

use audience::{Audience, Ranking, Rates, ab, interleaved, replayed};

const SERVES: Ranking = Ranking::new(1.0, 1);
const AS_GOOD: Ranking = Ranking::new(1.0, 2);

fn main() {
    let runs: u64 = std::env::args()
        .nth(1)
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(1_000);
    let audience = Audience::new(1);
    let plays = |ranking: &Ranking| audience.plays(ranking, 50_000, 99);
    let before = plays(&SERVES);
    println!("{runs} experiments of each kind; the recommender that serves earns {before:.3} plays a viewer\n");
    println!(
        "| method | planted | viewers | better | worse | guard broken | median viewers until seen | fixed test, read once: better | \
              fixed test, read after every viewer: any |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (name, other) in [
        ("nothing", AS_GOOD),
        ("small", Ranking::new(0.8, 3)),
        ("middling", Ranking::new(0.6, 3)),
        ("large", Ranking::new(0.3, 3)),
        ("bait", Ranking { bait: 1.5, ..AS_GOOD }),
    ] {
        let lift = if name == "nothing" {
            0.0
        } else {
            plays(&other) / before - 1.0
        };
        let planted = format!("{name} ({:+.1} % plays)", 100.0 * lift);
        for viewers in [1_000, 4_000, 16_000] {
            row("A/B", &planted, viewers, &ab(&audience, [SERVES, other], viewers, runs));
        }
        for viewers in [250, 1_000, 4_000] {
            row(
                "interleaving",
                &planted,
                viewers,
                &interleaved(&audience, [SERVES, other], viewers, runs),
            );
        }
    }
    println!(
        "\n| off-policy | planted | truth | bias | root mean square error | interval holds the truth | lift found | loss found |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let sharp = |sharpness, error| Ranking {
        sharpness,
        ..Ranking::new(error, 3)
    };
    for (planted, other) in [
        ("nothing", AS_GOOD),
        ("middling", sharp(1.5, 0.6)),
        ("large", sharp(2.0, 0.3)),
    ] {
        let (truth, found) = replayed(&audience, SERVES, other, 2_000, runs);
        for it in found {
            println!(
                "| {} | {planted} | {:.4} → {:.4} | {:+.4} | {:.4} | {:.3} | {:.3} | {:.3} |",
                it.name, truth[0], truth[1], it.bias, it.error, it.held, it.better, it.worse
            );
        }
    }
}

fn row(method: &str, planted: &str, viewers: u64, found: &Rates) {
    println!(
        "| {method} | {planted} | {viewers} | {:.3} | {:.3} | {:.3} | {} | {:.3} | {:.3} |",
        found.better, found.worse, found.harmful, found.viewers, found.fixed_better, found.naive
    );
}
