//! Experiments, as the API says them.

use contract::{
    ExperimentId, ModelId,
    experiments::{self, ARMS, NAME_CHARS_MAX, SHARE_PERCENT, WEIGHT, WINDOW_MS},
};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Time, mirror};

mirror! { ExperimentMethod of experiments::ExperimentMethod { Ab, Interleaving } }
mirror! { ExperimentMetric of experiments::ExperimentMetric { Plays, Finishes, GoodRatings, Dislikes } }
mirror! { ExperimentState of experiments::ExperimentState { Running, Stopped } }
mirror! { ExperimentVerdict of experiments::ExperimentVerdict { TooEarly, Undecided, Better, Worse, Harmful } }

const WINDOW_HOURS_MIN: u32 = (*WINDOW_MS.start() / HOUR_MS) as u32;
const WINDOW_HOURS_MAX: u32 = (*WINDOW_MS.end() / HOUR_MS) as u32;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ExperimentArm {
    #[garde(length(chars, min = 1, max = NAME_CHARS_MAX))]
    pub name: String,
    #[garde(skip)]
    #[schema(value_type = String)]
    pub model_id: ModelId,
    /// Viewers are drawn in proportion to it; default: 1.
    #[serde(default = "one")]
    #[garde(range(min = *WEIGHT.start(), max = *WEIGHT.end()))]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

fn all() -> u32 {
    *SHARE_PERCENT.end()
}

#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateExperiment {
    #[garde(length(chars, min = 1, max = NAME_CHARS_MAX))]
    pub name: String,
    #[garde(skip)]
    pub method: ExperimentMethod,
    #[garde(skip)]
    pub metric: ExperimentMetric,
    /// Metrics that must not get worse; of an A/B only.
    #[serde(default)]
    #[garde(length(max = 3))]
    pub guards: Vec<ExperimentMetric>,
    /// Two: the second is compared with the first.
    #[garde(length(min = ARMS, max = ARMS), dive)]
    pub arms: Vec<ExperimentArm>,
    /// Of all viewers; default: all. The others have the model in service.
    #[serde(default = "all")]
    #[garde(range(min = *SHARE_PERCENT.start(), max = *SHARE_PERCENT.end()))]
    pub share_percent: u32,
    /// How long each viewer is observed from the first page on, in hours.
    #[garde(range(min = WINDOW_HOURS_MIN, max = WINDOW_HOURS_MAX))]
    pub window_hours: u32,
}

impl From<CreateExperiment> for experiments::StartExperiment {
    fn from(wanted: CreateExperiment) -> Self {
        let arm = |arm: ExperimentArm| experiments::ExperimentArm {
            name: arm.name,
            model: arm.model_id,
            weight: arm.weight,
        };
        Self {
            name: wanted.name,
            method: wanted.method.into(),
            metric: wanted.metric.into(),
            guards: wanted.guards.into_iter().map(Into::into).collect(),
            arms: wanted.arms.into_iter().map(arm).collect(),
            share_percent: wanted.share_percent,
            window_ms: i64::from(wanted.window_hours) * HOUR_MS,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Experiment {
    #[schema(value_type = String)]
    pub id: ExperimentId,
    pub name: String,
    pub method: ExperimentMethod,
    pub metric: ExperimentMetric,
    pub guards: Vec<ExperimentMetric>,
    pub arms: Vec<ExperimentArm>,
    pub share_percent: u32,
    pub window_hours: u32,
    pub state: ExperimentState,
    pub started_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Time>,
    /// Why it is not served though it runs, in words: everybody has pages of the model in service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl From<experiments::Experiment> for Experiment {
    fn from(experiment: experiments::Experiment) -> Self {
        let setup = experiment.setup;
        let arm = |arm: experiments::ExperimentArm| ExperimentArm {
            name: arm.name,
            model_id: arm.model,
            weight: arm.weight,
        };
        Self {
            id: experiment.id,
            name: setup.name,
            method: setup.method.into(),
            metric: setup.metric.into(),
            guards: setup.guards.into_iter().map(Into::into).collect(),
            arms: setup.arms.into_iter().map(arm).collect(),
            share_percent: setup.share_percent,
            window_hours: u32::try_from(setup.window_ms / HOUR_MS).unwrap_or(WINDOW_HOURS_MAX),
            state: experiment.state.into(),
            started_at: Time(experiment.started_at),
            stopped_at: experiment.stopped_at.map(Time),
            problem: experiment.problem,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentMean {
    pub metric: ExperimentMetric,
    /// A viewer.
    pub value: f64,
}

/// The viewers of an arm that have been observed to the end.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentArmResult {
    pub name: String,
    pub viewers: u64,
    /// Empty with interleaving: there both arms make each page.
    pub means: Vec<ExperimentMean>,
}

mirror! {
    /// The second arm less the first, a viewer.
    struct ExperimentDifference of experiments::ArmDifference {
        metric: ExperimentMetric,
        value: f64,
        /// The interval holds the true difference at every reading at once, with the probability 1 − `alpha`.
        low: f64,
        high: f64,
        /// Valid at any time.
        p_value: f64,
        alpha: f64,
    }
}

mirror! {
    /// What viewers of an interleaving prefer.
    struct ExperimentPreference of experiments::ArmPreference {
        /// Viewers with more of the metric from the first arm's titles.
        first: u64,
        second: u64,
        ties: u64,
        /// Of those with a preference, who prefers the second: 0 to 1. Absent before anybody has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        share: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        low: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        high: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        p_value: Option<f64>,
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentWithResults {
    #[serde(flatten)]
    pub experiment: Experiment,
    pub results: Vec<ExperimentArmResult>,
    /// Viewers who are still being observed.
    pub waiting: u64,
    /// Absent while there are too few viewers, and with interleaving.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<ExperimentDifference>,
    pub guard_differences: Vec<ExperimentDifference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preference: Option<ExperimentPreference>,
    /// Of the second arm.
    pub verdict: ExperimentVerdict,
    /// The same in words.
    pub decision: String,
}

impl From<experiments::ExperimentResults> for ExperimentWithResults {
    fn from(found: experiments::ExperimentResults) -> Self {
        let mean = |(metric, value): (experiments::ExperimentMetric, f64)| ExperimentMean {
            metric: metric.into(),
            value,
        };
        let arm = |arm: experiments::ArmResult| ExperimentArmResult {
            name: arm.name,
            viewers: arm.viewers,
            means: arm.means.into_iter().map(mean).collect(),
        };
        Self {
            results: found.arms.into_iter().map(arm).collect(),
            waiting: found.waiting,
            difference: found.difference.map(Into::into),
            guard_differences: found.guards.into_iter().map(Into::into).collect(),
            preference: found.preference.map(Into::into),
            verdict: found.verdict.into(),
            decision: found.decision,
            experiment: found.experiment.into(),
        }
    }
}
