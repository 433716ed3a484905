//! Judging models on a split: figures with intervals, times, and the rankings themselves.

use crate::bundle::Recommender;
use crate::dataset::Dataset;
use crate::error::{RecoError, Result};
use crate::metrics::{bootstrap_interval, coverage_at, hit_rate_at, mean, ndcg_at, recall_at};
use crate::model::{Model, Scratch};
use crate::models::{Content, Cooccurrence, Ease, Ials, ItemFeatures, Popularity};
use crate::ranker::{Bases, Ranker, RankerSettings};
use crate::select::ItemSet;
use crate::split::{Case, Protocol, Split, Stage};
use crate::train::BaseConfig;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// Models that [`evaluate`] knows, cheapest first.
pub const MODEL_NAMES: [&str; 6] = ["popularity", "ials", "ease", "cooccurrence", "content", "ranker"];

/// What is judged and how.
#[derive(Clone, Copy, Debug)]
pub struct EvaluateOptions {
    /// Seed of the split (strong protocol), the models and the bootstrap.
    pub seed: u64,
    /// Resamples of the bootstrap.
    pub resamples: usize,
    /// Titles ranked per viewer, at least the largest k of the metrics (100).
    pub ranked: usize,
    /// Whether the rankings are returned.
    pub keep_rankings: bool,
    /// Settings of the base models; the protocol's own where `None`.
    pub base: Option<BaseConfig>,
    /// Settings of the ranker.
    pub ranker: RankerSettings,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            seed: 98_765,
            resamples: 500,
            ranked: 100,
            keep_rankings: false,
            base: None,
            ranker: RankerSettings::default(),
        }
    }
}

/// Sizes of what was judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataReport {
    /// Viewers in the index.
    pub users: usize,
    /// Titles in the index.
    pub items: usize,
    /// Events that the test's models learned from.
    pub train_events: usize,
    /// Held-out viewers.
    pub cases: usize,
    /// Titles to find.
    pub targets: usize,
    /// Share of the targets that no training event knows.
    pub cold_targets: f64,
    /// Share of the held-out viewers without a history.
    pub cold_users: f64,
}

/// One model's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// Name of the model.
    pub name: String,
    /// Seconds of training; for the ranker, base models included.
    pub train_s: f64,
    /// Mean microseconds of one viewer's ranking on one core.
    pub serve_us: f64,
    /// `recall@k`, `ndcg@k`, `hit_rate@k` (mean over viewers), `coverage@k`.
    pub metrics: BTreeMap<String, f64>,
    /// 95 % bootstrap intervals of the means.
    pub intervals: BTreeMap<String, (f64, f64)>,
}

/// What `kinora evaluate` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The protocol.
    pub protocol: Protocol,
    /// Sizes.
    pub data: DataReport,
    /// Figures, in the order asked for.
    pub models: Vec<ModelReport>,
}

/// One test user's ranking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranking {
    /// Dense viewer index.
    pub user: u32,
    /// Dense title indices, best first.
    pub items: Vec<u32>,
}

/// A report, and the rankings by model name where they were asked for.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The figures.
    pub report: Report,
    /// Rankings of the test users by model name.
    pub rankings: BTreeMap<String, Vec<Ranking>>,
}

/// Splits `data` by `protocol` and judges the named models. `features` has one row per title
/// ([`ItemFeatures::none`] where nothing is known: the content model then scores nothing).
pub fn evaluate(
    protocol: Protocol,
    data: &Dataset,
    features: &ItemFeatures,
    names: &[&str],
    options: &EvaluateOptions,
) -> Result<Evaluation> {
    let split = Split::make(protocol, data, options.seed)?;
    evaluate_split(split, features, names, options)
}

/// Judges the named models on a split: all are trained on [`Split::train`], the ranker's weights on the learn stages; then the
/// test is opened.
pub fn evaluate_split(
    split: Split,
    features: &ItemFeatures,
    names: &[&str],
    options: &EvaluateOptions,
) -> Result<Evaluation> {
    if let Some(unknown) = names.iter().find(|n| !MODEL_NAMES.contains(n)) {
        return Err(RecoError::UnknownModel((*unknown).to_owned()));
    }
    let mut config = options
        .base
        .unwrap_or_else(|| BaseConfig::for_protocol(split.protocol()));
    config.ials.seed = options.seed;
    let finished: Result<Vec<Finished>> = names
        .iter()
        .map(|&name| finish(name, &split, features, &config, options))
        .collect();
    let opened = split.open(finished?);
    let test = opened.test();
    let mut evaluation = Evaluation {
        report: Report {
            protocol: opened.protocol(),
            data: describe(test),
            models: Vec::new(),
        },
        rankings: BTreeMap::new(),
    };
    for Finished { name, model, train_s } in opened.finished() {
        let (rankings, serve_us) = rank_cases(&**model, &test.cases, options.ranked);
        let report = report(name, (*train_s, serve_us), &rankings, test, options);
        evaluation.report.models.push(report);
        if options.keep_rankings {
            evaluation.rankings.insert(name.clone(), rankings);
        }
    }
    Ok(evaluation)
}

/// A model that nothing is chosen for any more.
struct Finished {
    name: String,
    model: Box<dyn Model>,
    train_s: f64,
}

fn finish(
    name: &str,
    split: &Split,
    features: &ItemFeatures,
    config: &BaseConfig,
    options: &EvaluateOptions,
) -> Result<Finished> {
    let started = Instant::now();
    let model = train_single(name, split, features, config, options)?;
    Ok(Finished {
        name: name.to_owned(),
        model,
        train_s: started.elapsed().as_secs_f64(),
    })
}

fn train_single(
    name: &str,
    split: &Split,
    features: &ItemFeatures,
    config: &BaseConfig,
    options: &EvaluateOptions,
) -> Result<Box<dyn Model>> {
    let data = &**split.train();
    Ok(match name {
        "popularity" => Box::new(Popularity::all_time(data)),
        "ials" => Box::new(Ials::train(data, config.ials)?),
        "ease" => Box::new(Ease::train(data, config.ease)?),
        "cooccurrence" => Box::new(Cooccurrence::train(data, config.cooccurrence)?),
        "content" => {
            let ials = Ials::train(data, config.ials)?;
            Box::new(Content::train(data, features, &ials, config.content)?)
        }
        _ => Box::new(train_ranker(split, features, config, options)?),
    })
}

fn train_ranker(
    split: &Split,
    features: &ItemFeatures,
    config: &BaseConfig,
    options: &EvaluateOptions,
) -> Result<Recommender> {
    let quiet = |_: &str, _: f32| Ok(());
    let fit = |data: &Dataset| {
        let now = data.newest().unwrap_or_default();
        Bases::train(data, features, config, now, &quiet)
    };
    let ranker = Ranker::train(split.learn(), options.ranker, &mut |data| fit(data))?;
    let bases = fit(split.train())?;
    let keys: Vec<i64> = (0..bases.items() as i64).collect();
    let through = split.train().newest().unwrap_or_default();
    Recommender::new(bases, ranker, &keys, through)
}

/// Ranks every case, in parallel, seen titles left out; also the mean microseconds of one ranking.
pub fn rank_cases(model: &dyn Model, cases: &[Case], ranked: usize) -> (Vec<Ranking>, f64) {
    let nothing = ItemSet::default();
    let timed: Vec<(Ranking, f64)> = cases
        .par_iter()
        .map_init(Scratch::default, |scratch, case| {
            let started = Instant::now();
            let list = model.recommend(&case.history, ranked, &nothing, scratch);
            let micros = started.elapsed().as_secs_f64() * 1e6;
            let items = list.iter().map(|s| s.item).collect();
            let user = case.user;
            (Ranking { user, items }, micros)
        })
        .collect();
    let total: f64 = timed.iter().map(|t| t.1).sum();
    let serve_us = total / timed.len().max(1) as f64;
    (timed.into_iter().map(|t| t.0).collect(), serve_us)
}

/// Figures of every model of a recommender on one stage; training times are not known here and stay zero.
pub(crate) fn judge_all(model: &Recommender, stage: &Stage, seed: u64) -> Vec<ModelReport> {
    let options = EvaluateOptions {
        seed,
        resamples: 200,
        ..EvaluateOptions::default()
    };
    let names = MODEL_NAMES.iter().filter_map(|name| Some((name, model.model(name)?)));
    names
        .map(|(name, single)| {
            let (rankings, serve_us) = rank_cases(single, &stage.cases, options.ranked);
            report(name, (0.0, serve_us), &rankings, stage, &options)
        })
        .collect()
}

/// A metric of one ranking against its targets.
type Metric = fn(&[u32], &[u32], usize) -> f32;

const METRICS: [(&str, Metric, &[usize]); 3] = [
    ("recall", recall_at, &[10, 20, 50]),
    ("ndcg", ndcg_at, &[10, 20, 100]),
    ("hit_rate", hit_rate_at, &[10, 50]),
];

fn report(
    name: &str,
    (train_s, serve_us): (f64, f64),
    rankings: &[Ranking],
    stage: &Stage,
    options: &EvaluateOptions,
) -> ModelReport {
    let mut report = ModelReport {
        name: name.to_owned(),
        train_s,
        serve_us,
        metrics: BTreeMap::new(),
        intervals: BTreeMap::new(),
    };
    for (metric, measure, ks) in METRICS {
        for &k in ks {
            let pairs = rankings.iter().zip(&stage.cases);
            let values: Vec<f32> = pairs
                .map(|(ranking, case)| measure(&ranking.items, &case.targets, k))
                .collect();
            let interval = bootstrap_interval(&values, options.resamples, options.seed);
            report.metrics.insert(format!("{metric}@{k}"), mean(&values));
            report.intervals.insert(format!("{metric}@{k}"), interval);
        }
    }
    let shown = rankings.iter().map(|r| r.items.as_slice());
    let coverage = coverage_at(shown, stage.train.items(), 20);
    report.metrics.insert("coverage@20".to_owned(), f64::from(coverage));
    report
}

fn describe(stage: &Stage) -> DataReport {
    let data = &*stage.train;
    let targets: Vec<u32> = stage.cases.iter().flat_map(|c| c.targets.clone()).collect();
    let cold = targets.iter().filter(|&&t| data.occurrences(t).is_empty());
    let new = stage.cases.iter().filter(|c| c.history.is_empty());
    DataReport {
        users: data.users(),
        items: data.items(),
        train_events: data.len(),
        cases: stage.cases.len(),
        cold_targets: cold.count() as f64 / targets.len().max(1) as f64,
        cold_users: new.count() as f64 / stage.cases.len().max(1) as f64,
        targets: targets.len(),
    }
}
