//! Experiments: two models compared on the viewers of a running service. The methods stand in [`crate::recommend::Recommend`].
//!
//! Viewers are drawn into arms by a stable hash of experiment and profile. Each is observed for a fixed window from the first page of
//! the experiment that was shown to them, and counts once, when that window is over: one number a viewer and metric. So results are
//! sums, and reading them often is allowed (see `reco::experiment`).

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::{ExperimentId, Millis, ModelId};

/// Arms of an experiment: the first is what the second is compared with.
pub const ARMS: usize = 2;
pub const NAME_CHARS_MAX: usize = 80;
pub const WEIGHT: RangeInclusive<u32> = 1..=100;
/// How long a viewer is observed: an hour to thirty days.
pub const WINDOW_MS: RangeInclusive<i64> = 3_600_000..=2_592_000_000;
pub const SHARE_PERCENT: RangeInclusive<u32> = 1..=100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentMethod {
    /// Each viewer has the pages of one arm's model.
    Ab,
    /// Each viewer has pages of the first arm's model, with *Top Picks* mixed of both by team draft.
    Interleaving,
}

/// A number a viewer, of recommended titles (not of *Continue Watching* and *My List*) within the window. At most 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentMetric {
    /// Shown titles that were watched for more than a look.
    Plays,
    /// Shown titles that were watched to the end.
    Finishes,
    /// Shown titles that were liked or given four stars or more.
    GoodRatings,
    /// Shown titles that were disliked or given two stars or less: fewer are better.
    Dislikes,
}

impl ExperimentMetric {
    pub const ALL: [Self; 4] = [Self::Plays, Self::Finishes, Self::GoodRatings, Self::Dislikes];

    pub fn is_better_higher(self) -> bool {
        self != Self::Dislikes
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentState {
    Running,
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentArm {
    /// 1 to [`NAME_CHARS_MAX`] characters.
    pub name: String,
    pub model: ModelId,
    /// Viewers are drawn in proportion to it, within [`WEIGHT`]. Interleaving has equal ones.
    pub weight: u32,
}

/// What an experiment is to be. One runs at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartExperiment {
    /// 1 to [`NAME_CHARS_MAX`] characters.
    pub name: String,
    pub method: ExperimentMethod,
    pub metric: ExperimentMetric,
    /// Metrics that must not get worse, each once and none the metric itself. None with interleaving: there both arms make each page.
    #[serde(default)]
    pub guards: Vec<ExperimentMetric>,
    /// Two, of different models.
    pub arms: Vec<ExperimentArm>,
    /// Of all viewers, within [`SHARE_PERCENT`]; the others have pages of the model in service.
    pub share_percent: u32,
    /// How long each viewer is observed, within [`WINDOW_MS`].
    pub window_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    pub id: ExperimentId,
    pub setup: StartExperiment,
    pub state: ExperimentState,
    pub started_at: Millis,
    pub stopped_at: Option<Millis>,
    /// Of one that runs: why the process that was asked cannot serve it, in words; everybody has pages of the model in service there.
    #[serde(default)]
    pub problem: Option<String>,
}

/// The viewers of one arm whose window is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmResult {
    pub name: String,
    pub model: ModelId,
    pub viewers: u64,
    /// Means over viewers, by metric.
    pub means: Vec<(ExperimentMetric, f64)>,
}

/// The second arm less the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ArmDifference {
    pub metric: ExperimentMetric,
    pub value: f64,
    /// Holds the true difference at every reading at once, with the probability 1 − alpha.
    pub low: f64,
    pub high: f64,
    /// Always valid: may be read at any time.
    pub p_value: f64,
    pub alpha: f64,
}

/// Of an interleaving: what viewers prefer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ArmPreference {
    /// Viewers who preferred the first arm's titles: had more of the metric from them, or less where it is nothing good.
    pub first: u64,
    pub second: u64,
    pub ties: u64,
    /// Of those with a preference, the share that prefers the second; absent before there is one.
    pub share: Option<f64>,
    /// Interval of the share, as of [`ArmDifference`].
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub p_value: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentVerdict {
    TooEarly,
    Undecided,
    Better,
    Worse,
    /// A guard got worse, whatever the metric says.
    Harmful,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentResults {
    pub experiment: Experiment,
    pub arms: Vec<ArmResult>,
    /// Viewers whose window is not over yet.
    pub waiting: u64,
    /// Of the metric; absent while there are too few viewers, and for interleaving.
    pub difference: Option<ArmDifference>,
    /// In the order of the guards; those without enough viewers are left out.
    pub guards: Vec<ArmDifference>,
    pub preference: Option<ArmPreference>,
    /// Of the second arm.
    pub verdict: ExperimentVerdict,
    /// The same in words.
    pub decision: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ListExperiments {
    pub before: Option<ExperimentId>,
    /// At most [`crate::PAGE_ITEMS_MAX`].
    pub limit: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForExperiment {
    pub experiment: ExperimentId,
}
