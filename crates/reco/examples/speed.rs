//! Speed of the mathematics on ML-1M's strong split, two threads: `cargo run --release -p reco --example speed -- round` prints one
//! round as JSON, which `cargo xtask bench peers` sets beside its peers; `subsets` compares EASE that learns from fewer titles
//! with the whole, on the validation viewers alone; `temporal` prints the ranker's lead on MovieTweetings, paired by viewer, as JSON.

#[path = "../tests/common/data.rs"]
mod data;

use rayon::prelude::*;
use reco::metrics::{bootstrap_interval, mean, ndcg_at};
use reco::{
    Case, Dataset, Ease, EaseSettings, EvaluateOptions, Ials, IalsSettings, ItemSet, MODEL_NAMES, Model, Protocol,
    Ranking, Scored, Scratch, Split, Stage, evaluate, rank_cases, top_k,
};
use std::time::Instant;

/// Titles of a list.
const TOP: usize = 20;

/// Buffers of one thread.
#[derive(Default)]
struct Best {
    scores: Vec<f32>,
    list: Vec<Scored>,
}

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

/// As many as the peers are given.
const THREADS: usize = 2;
/// Depth of the NDCG that is compared.
const DEPTH: usize = 100;

fn main() -> Anyhow<()> {
    let what = std::env::args().nth(1).unwrap_or_else(|| "round".to_owned());
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global()?;
    match what.as_str() {
        "round" => round(data::ml_1m_strong()?.0),
        "subsets" => subsets(data::ml_1m_strong()?.0.learn().newest().ok_or("no validation")?),
        "temporal" => temporal(),
        other => Err(format!("unknown measurement {other:?}").into()),
    }
}

/// Exact iALS with 64 factors and 15 epochs, the dense EASE with λ 800: as the peers train them.
fn round(split: Split) -> Anyhow<()> {
    let train = std::sync::Arc::clone(split.train());
    let settings = IalsSettings {
        size: 64,
        epochs: 15,
        ..IalsSettings::default()
    };
    let (ials, ials_s) = timed(|| Ials::train(&train, settings))?;
    let (ease, ease_s) = timed(|| Ease::train(&train, dense()))?;
    let fold_in = per_second(&train, |scratch: &mut Scratch, user| {
        ials.fold_in(train.history(user), scratch).is_some()
    });
    let mut scratch = Scratch::default();
    let vectors: Vec<Option<Vec<f32>>> = (0..train.users() as u32)
        .map(|user| Some(ials.fold_in(train.history(user), &mut scratch)?.to_vec()))
        .collect();
    let top = per_second(&train, |best: &mut Best, user| {
        let Some(vector) = &vectors[user as usize] else {
            return false;
        };
        best.scores.resize(ials.items(), 0.0);
        ials.score_vector(vector, &mut best.scores);
        let seen = train.history(user).iter().map(|event| event.item);
        top_k(&best.scores, TOP, &ItemSet::of(ials.items(), seen), &mut best.list);
        best.list.len() == TOP
    });
    let opened = split.open((ials, ease));
    let ((ials, ease), cases) = (opened.finished(), &opened.test().cases);
    let figures = serde_json::json!({
        "ials_s": ials_s,
        "ials_ndcg": ndcg(ials, cases),
        "ease_s": ease_s,
        "ease_ndcg": ndcg(ease, cases),
        "fold_in_per_s": fold_in,
        "top_per_s": top,
    });
    println!("{figures}");
    Ok(())
}

fn dense() -> EaseSettings {
    EaseSettings {
        regularisation: 800.0,
        ..EaseSettings::default()
    }
}

fn subsets(stage: &Stage) -> Anyhow<()> {
    for items_max in [200, 500, 1_000, 2_000, 20_000] {
        let settings = EaseSettings { items_max, ..dense() };
        let (ease, seconds) = timed(|| Ease::train(&stage.train, settings))?;
        println!(
            "{items_max:6} {seconds:5.2} s  NDCG@{DEPTH} {:.4}",
            ndcg(&ease, &stage.cases)
        );
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> reco::Result<T>) -> reco::Result<(T, f64)> {
    let began = Instant::now();
    let made = work()?;
    Ok((made, began.elapsed().as_secs_f64()))
}

/// How many viewers a second are answered, all threads together; those who get no answer do not count.
fn per_second<B: Default>(data: &Dataset, answer: impl Fn(&mut B, u32) -> bool + Sync) -> f64 {
    let began = Instant::now();
    let users = (0..data.users() as u32).into_par_iter().with_min_len(64);
    let answered = users
        .filter(|user| !data.history(*user).is_empty())
        .map_init(B::default, |buffers, user| usize::from(answer(buffers, user)))
        .sum::<usize>();
    answered as f64 / began.elapsed().as_secs_f64()
}

fn ndcg(model: &dyn Model, cases: &[Case]) -> f64 {
    mean(&by_viewer(&rank_cases(model, cases, DEPTH).0, cases, DEPTH))
}

fn by_viewer(rankings: &[Ranking], cases: &[Case], depth: usize) -> Vec<f32> {
    let pairs = rankings.iter().zip(cases);
    pairs
        .map(|(ranking, case)| ndcg_at(&ranking.items, &case.targets, depth))
        .collect()
}

/// The ranker against popularity and against the best single model, NDCG@20.
fn temporal() -> Anyhow<()> {
    let (data, features) = data::movietweetings()?;
    let options = EvaluateOptions {
        keep_rankings: true,
        ..EvaluateOptions::default()
    };
    let done = evaluate(Protocol::Temporal, &data, &features, &MODEL_NAMES, &options)?;
    let (_, cases) = Split::make(Protocol::Temporal, &data, options.seed)?
        .open(())
        .into_parts();
    let values = |name: &str| -> Anyhow<Vec<f32>> {
        let rankings = done.rankings.get(name).ok_or("a model without rankings")?;
        Ok(by_viewer(rankings, &cases, 20))
    };
    let ranker = values("ranker")?;
    let lead = |name: &str| -> Anyhow<serde_json::Value> {
        let others = values(name)?;
        let differences: Vec<f32> = ranker.iter().zip(&others).map(|(own, other)| own - other).collect();
        let (low, high) = bootstrap_interval(&differences, 2_000, options.seed);
        Ok(serde_json::json!({ "name": name, "value": mean(&others), "low": low, "high": high }))
    };
    let mut best = ("popularity", f64::MIN);
    for name in MODEL_NAMES.into_iter().filter(|name| *name != "ranker") {
        let value = mean(&values(name)?);
        if value > best.1 {
            best = (name, value);
        }
    }
    let figures = serde_json::json!({
        "ranker": mean(&ranker),
        "over_popularity": lead("popularity")?,
        "over_best": lead(best.0)?,
    });
    println!("{figures}");
    Ok(())
}
