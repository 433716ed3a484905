//! Is a new model at least as good as the one in service, and as quick?

mod pace;

pub use pace::{Clock, Pace};

use crate::bundle::Recommender;
use crate::dataset::Event;
use crate::evaluate::rank_cases;
use crate::metrics::{bootstrap_interval, mean, ndcg_at};
use crate::model::Model;
use crate::select::evenly;
use crate::split::Case;
use serde::{Deserialize, Serialize};

const DEPTH: usize = 20;
const RESAMPLES: usize = 1000;
/// Viewers compared at most.
const CASES_MAX: usize = 20_000;

/// What a guard should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole interval of the difference is above zero.
    Better,
    /// The interval holds zero: no difference beyond noise.
    Equal,
    /// The whole interval is below zero: do not publish.
    Worse,
    /// No held-out case to judge by.
    Unknown,
}

/// A paired comparison on the same held-out viewers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The metric, mean over viewers.
    pub metric: String,
    /// The model in service.
    pub current: f64,
    /// The new one.
    pub candidate: f64,
    /// Candidate less current.
    pub difference: f64,
    /// 95 % bootstrap interval of the difference, paired by viewer.
    pub interval: (f64, f64),
    /// Viewers judged.
    pub cases: usize,
    /// What follows.
    pub outcome: Outcome,
}

/// Compares NDCG@20 on `held_out`, whose indices are the candidate's, or on 20,000 of them evenly. Titles that the current model does not know
/// drop out of its histories and count as not found.
///
/// Give the candidate as rehearsed ([`crate::Trained::rehearsal`]), not as published, which has seen these events; and
/// leave out targets older than the current model's [`Recommender::trained_through`]: it was told those, and would win.
pub fn compare(current: &Recommender, candidate: &Recommender, held_out: &[Case], seed: u64) -> Comparison {
    let held_out: Vec<Case> = evenly(held_out, CASES_MAX).cloned().collect();
    let translated: Vec<Case> = held_out
        .iter()
        .map(|case| translate(case, candidate, current))
        .collect();
    let before = scores(current, &translated);
    let after = scores(candidate, &held_out);
    let pairs = after.iter().zip(&before);
    let differences: Vec<f32> = pairs.map(|(a, b)| a - b).collect();
    let interval = bootstrap_interval(&differences, RESAMPLES, seed);
    let outcome = match interval {
        _ if held_out.is_empty() => Outcome::Unknown,
        (low, _) if low > 0.0 => Outcome::Better,
        (_, high) if high < 0.0 => Outcome::Worse,
        _ => Outcome::Equal,
    };
    Comparison {
        metric: format!("ndcg@{DEPTH}"),
        current: mean(&before),
        candidate: mean(&after),
        difference: mean(&differences),
        interval,
        cases: held_out.len(),
        outcome,
    }
}

fn scores(model: &dyn Model, cases: &[Case]) -> Vec<f32> {
    let (rankings, _) = rank_cases(model, cases, DEPTH);
    let pairs = rankings.iter().zip(cases);
    pairs
        .map(|(ranking, case)| ndcg_at(&ranking.items, &case.targets, DEPTH))
        .collect()
}

/// The same case in another model's indices; an unknown target becomes an index that nothing can rank.
fn translate(case: &Case, from: &Recommender, to: &Recommender) -> Case {
    let index = |item: u32| {
        let known = (item as usize) < from.items();
        known.then(|| to.index_of(from.key_of(item))).flatten()
    };
    let events = case.history.iter().filter_map(|event| {
        let item = index(event.item)?;
        Some(Event { item, ..*event })
    });
    let targets = case.targets.iter();
    Case {
        user: case.user,
        history: events.collect(),
        targets: targets.map(|&t| index(t).unwrap_or(u32::MAX)).collect(),
    }
}
