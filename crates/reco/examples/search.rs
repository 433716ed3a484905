//! Searches for settings on the learn stages of a data set's protocol, and says the best it found:
//! `cargo run --release -p reco --example search -- last-out|strong|ml-100k|movietweetings SECONDS [SEARCH-SETTING=JSON…]`, for
//! instance `last-out 600 subjects=[true,false,false,false] stages=4 depth=10 margin=0`. What the search leaves alone is listed by
//! `half-life ml-100k|movietweetings`: how trending alone does with each half-life, by stage. The test is never opened.

#[path = "../tests/common/data.rs"]
mod data;

use reco::metrics::{mean, ndcg_at};
use reco::{BaseConfig, ItemFeatures, LearnStages, Popularity, Protocol, Search, SearchSettings, Split, rank_cases};
use std::time::Instant;

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Half-lives that are listed, in days.
const HALF_LIVES: [i64; 10] = [1, 2, 3, 5, 7, 10, 14, 28, 60, 120];
/// Depth of the NDCG that they are listed by.
const DEPTH: usize = 20;

fn main() -> Anyhow<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, seconds, changes @ ..] = arguments.as_slice() else {
        return Err("which data, and how many seconds?".into());
    };
    if what == "half-life" {
        half_lives(split_of(seconds)?.0.learn());
        return Ok(());
    }
    let (split, features) = split_of(what)?;
    let protocol = split.protocol();
    let mut settings = serde_json::to_value(SearchSettings::default())?;
    for change in changes {
        let (name, value) = change.split_once('=').ok_or("no =")?;
        *settings.get_mut(name).ok_or("no such setting")? = serde_json::from_str(value)?;
    }
    let mut search = Search::new(BaseConfig::for_protocol(protocol), serde_json::from_value(settings)?);
    let (started, seconds) = (Instant::now(), seconds.parse::<f64>()?);
    let mut kept = 0;
    search.run(split.learn(), &features, &mut |search| {
        let (trials, now) = search.trials();
        if now > kept {
            kept = now;
            println!(
                "{trials} trials, {now} kept: {}",
                serde_json::to_string(&search.best()).unwrap_or_default()
            );
        }
        Ok(started.elapsed().as_secs_f64() < seconds)
    })?;
    let (trials, kept) = search.trials();
    println!(
        "{trials} trials in {:.0} s, {kept} kept",
        started.elapsed().as_secs_f64()
    );
    println!("{}", serde_json::to_string_pretty(&search.best())?);
    Ok(())
}

/// A data set, split by its protocol.
fn split_of(what: &str) -> Anyhow<(Split, ItemFeatures)> {
    let (protocol, (data, features)) = match what {
        "last-out" => (Protocol::LastOut, data::ml_1m()?),
        "strong" => return data::ml_1m_strong(),
        "ml-100k" => (Protocol::Temporal, data::ml_100k()?),
        "movietweetings" => (Protocol::Temporal, data::movietweetings()?),
        other => return Err(format!("unknown data {other:?}").into()),
    };
    Ok((Split::make(protocol, &data, 1)?, features))
}

fn half_lives(learn: LearnStages<'_>) {
    for days in HALF_LIVES {
        let by_stage = learn.iter().map(|stage| {
            let now = stage.train.newest().unwrap_or_default();
            let model = Popularity::trending_now(&stage.train, now, days * DAY_MS);
            let (rankings, _) = rank_cases(&model, &stage.cases, DEPTH);
            let pairs = rankings.iter().zip(&stage.cases);
            let values: Vec<f32> = pairs
                .map(|(ranking, case)| ndcg_at(&ranking.items, &case.targets, DEPTH))
                .collect();
            format!("{:.4}", mean(&values))
        });
        println!(
            "{days:4} days  NDCG@{DEPTH} by stage, the newest first: {}",
            by_stage.collect::<Vec<_>>().join(" ")
        );
    }
}
