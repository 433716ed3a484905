//! Judging models on a split: figures with intervals, segments, paired tests, times, and the rankings themselves.

mod figures;
mod report;
mod segments;

pub use report::{DataReport, Evaluation, Figures, ModelReport, PairedTest, Ranking, Report, Segment, SegmentOf};

use crate::bundle::Recommender;
use crate::dataset::Dataset;
use crate::error::{RecoError, Result};
use crate::model::{Model, Scratch};
use crate::models::{Content, Cooccurrence, Ease, Ials, ItemFeatures, Popularity};
use crate::ranker::{Bases, Ranker, RankerSettings};
use crate::select::{ItemSet, evenly};
use crate::split::{Case, Opened, Protocol, Split, Stage};
use crate::train::BaseConfig;
use figures::{Measure, Measured, describe};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// Models that [`evaluate`] knows, cheapest first.
pub const MODEL_NAMES: [&str; 7] = [BASELINE, "trending", "ials", "ease", "cooccurrence", "content", BLEND];

/// What every model is tested against.
const BASELINE: &str = "popularity";
/// What is tested against every model.
const BLEND: &str = "ranker";
/// Resamples of the bootstrap where a service trains: its intervals are looked at, not published.
const SERVICE_RESAMPLES: usize = 200;
/// Viewers judged there at most.
const SERVICE_CASES_MAX: usize = 20_000;

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
    // The baseline is judged in any case, and reported where it was asked for.
    let unasked = Some(BASELINE).filter(|baseline| !names.contains(baseline));
    let finished: Result<Vec<Finished>> = names
        .iter()
        .copied()
        .chain(unasked)
        .map(|name| finish(name, &split, features, &config, options))
        .collect();
    Ok(judge_finished(split.open(finished?), features, names, options))
}

/// Figures of what was asked for.
fn judge_finished(
    opened: Opened<Vec<Finished>>,
    features: &ItemFeatures,
    names: &[&str],
    options: &EvaluateOptions,
) -> Evaluation {
    let (protocol, test) = (opened.protocol(), opened.test());
    let measure = Measure::new(protocol, test, features, options.resamples, options.seed).with_segments(protocol);
    let mut rankings = BTreeMap::new();
    let mut judged: Vec<(ModelReport, Measured)> = Vec::new();
    for Finished { name, model, train_s } in opened.finished() {
        let (ranked, serve_us) = rank_cases(&**model, &test.cases, options.ranked);
        let measured = measure.of(&ranked);
        judged.push((report_of(name, (*train_s, serve_us), &measured), measured));
        if options.keep_rankings && names.contains(&name.as_str()) {
            rankings.insert(name.clone(), ranked);
        }
    }
    let paired: Vec<Vec<PairedTest>> = judged.iter().map(|ours| paired(&measure, ours, &judged)).collect();
    let reports = judged.into_iter().zip(paired).map(|((mut report, _), paired)| {
        report.paired = paired;
        report
    });
    let report = Report {
        protocol,
        data: describe(test),
        segments: measure.segments(),
        models: reports.filter(|report| names.contains(&report.name.as_str())).collect(),
    };
    Evaluation { report, rankings }
}

/// Against popularity; the ranker against all others.
fn paired(
    measure: &Measure<'_>,
    (report, measured): &(ModelReport, Measured),
    judged: &[(ModelReport, Measured)],
) -> Vec<PairedTest> {
    let is_against = |other: &str| other != report.name && (other == BASELINE || report.name == BLEND);
    let others = judged.iter().filter(|(other, _)| is_against(&other.name));
    let tests = others.map(|(other, theirs)| measure.paired(measured, &other.name, theirs));
    tests.flatten().collect()
}

fn report_of(name: &str, (train_s, serve_us): (f64, f64), measured: &Measured) -> ModelReport {
    let Figures { metrics, intervals } = measured.figures.clone();
    ModelReport {
        name: name.to_owned(),
        train_s,
        serve_us,
        metrics,
        intervals,
        segments: measured.segments.clone(),
        paired: Vec::new(),
    }
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
        "trending" => {
            let now = data.newest().unwrap_or_default();
            Box::new(Popularity::trending_now(data, now, config.trending_half_life))
        }
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

/// Figures of every model of a recommender on one stage of time, without segments and paired tests; training times are not known
/// here and stay zero. Of many viewers [`SERVICE_CASES_MAX`] are judged, evenly; also says how many were.
pub(crate) fn judge_all(
    model: &Recommender,
    stage: &Stage,
    features: &ItemFeatures,
    seed: u64,
) -> (usize, Vec<ModelReport>) {
    let stage = &Stage {
        train: Arc::clone(&stage.train),
        cases: evenly(&stage.cases, SERVICE_CASES_MAX).cloned().collect(),
    };
    let measure = Measure::new(Protocol::Temporal, stage, features, SERVICE_RESAMPLES, seed);
    let names = MODEL_NAMES.iter().filter_map(|name| Some((name, model.model(name)?)));
    let reports = names
        .map(|(name, single)| {
            let (rankings, serve_us) = rank_cases(single, &stage.cases, EvaluateOptions::default().ranked);
            report_of(name, (0.0, serve_us), &measure.of(&rankings))
        })
        .collect();
    (stage.cases.len(), reports)
}
