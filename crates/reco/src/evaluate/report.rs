//! The shape of a report: `{protocol, data, segments, models: [{name, train_s, serve_us, metrics, intervals, segments, paired}]}`.
//! Fields are added, never renamed: other tools read it.

use crate::split::Protocol;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// What a segment is cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentOf {
    /// Viewers by the length of their history.
    Viewers,
    /// Wanted titles by their first event in training.
    TitleAge,
    /// Wanted titles by their number of events in training.
    TitlePopularity,
}

/// A part of the test. Of titles: each viewer is asked for their wanted titles of the segment only, and viewers without any
/// are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Unique in a report.
    pub name: String,
    /// What it is cut by.
    pub of: SegmentOf,
    /// How exactly, in words.
    pub rule: String,
    /// Viewers in it.
    pub cases: usize,
    /// Titles to find in it.
    pub targets: usize,
}

/// Means over viewers by name, and 95 % bootstrap intervals of those that are means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Values.
    pub metrics: BTreeMap<String, f64>,
    /// From, to.
    pub intervals: BTreeMap<String, (f64, f64)>,
}

/// One model beside another on the same viewers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedTest {
    /// Name of the other model.
    pub against: String,
    /// What is compared, a mean over viewers.
    pub metric: String,
    /// This model less the other.
    pub difference: f64,
    /// 95 % bootstrap interval of the difference, paired by viewer.
    pub interval: (f64, f64),
    /// Two-sided, of [`crate::metrics::sign_flip_test`]; not corrected for the number of tests.
    pub p_value: f64,
    /// Viewers for whom this model does better.
    pub better: usize,
    /// Viewers for whom it does worse.
    pub worse: usize,
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
    /// Means over viewers: `recall@k`, `ndcg@k`, `hit_rate@k`, `novelty@20` in bits, and where genres or other features of the
    /// titles are known `miscalibration@20` in nats and `diversity@20`. Of all lists together: `coverage@20`, `gini@20`.
    pub metrics: BTreeMap<String, f64>,
    /// 95 % bootstrap intervals of the means.
    pub intervals: BTreeMap<String, (f64, f64)>,
    /// The protocol's headline figures by the name of a segment; empty where none were asked for.
    #[serde(default)]
    pub segments: BTreeMap<String, Figures>,
    /// Against popularity, and for the ranker against every other model that was judged; by each headline figure.
    #[serde(default)]
    pub paired: Vec<PairedTest>,
}

/// What `kinora evaluate` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The protocol.
    pub protocol: Protocol,
    /// Sizes.
    pub data: DataReport,
    /// The parts of the test that have figures of their own.
    #[serde(default)]
    pub segments: Vec<Segment>,
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
