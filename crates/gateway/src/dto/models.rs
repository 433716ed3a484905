//! The recommender's models, as the API says it.

use contract::{ModelId, ProfileId, recommend};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Time, mirror};

mirror! { ModelState of recommend::ModelState { Active, Ready, Refused } }
mirror! { EstimateMethod of recommend::EstimateMethod { InversePropensity, SelfNormalised, DoublyRobust } }

/// Whose page a model is asked for.
#[derive(Debug, Serialize, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// One of the caller's own profiles; the first where it is not said.
    #[garde(skip)]
    #[param(value_type = Option<String>)]
    pub profile: Option<ProfileId>,
    /// As if that profile had done nothing yet.
    #[garde(skip)]
    #[serde(default)]
    #[param(inline)]
    pub as_new: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Metric {
    #[schema(example = "ndcg@20")]
    pub name: String,
    pub value: f32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Model {
    #[schema(value_type = String)]
    pub id: ModelId,
    pub state: ModelState,
    pub created_at: Time,
    pub train_s: f32,
    pub interactions: u64,
    pub viewers: u64,
    pub titles: u64,
    /// On held-out events.
    pub metrics: Vec<Metric>,
    /// The same of the model that served then: `ndcg@20` on the same events where the two were compared, all else from its own training.
    pub baseline: Vec<Metric>,
    /// What was decided and why, in words.
    pub decision: String,
    /// What its models were trained with. Empty where that was not kept yet.
    pub settings: Vec<Metric>,
    /// Its files are kept: without them it cannot be looked at nor serve again.
    pub stored: bool,
}

impl From<recommend::ModelInfo> for Model {
    fn from(model: recommend::ModelInfo) -> Self {
        let metrics =
            |pairs: Vec<(String, f32)>| pairs.into_iter().map(|(name, value)| Metric { name, value }).collect();
        Self {
            id: model.id,
            state: model.state.into(),
            created_at: Time(model.created_at),
            train_s: model.train_s,
            interactions: model.interactions,
            viewers: model.viewers,
            titles: model.titles,
            metrics: metrics(model.metrics),
            baseline: metrics(model.baseline),
            decision: model.decision,
            settings: metrics(model.settings),
            stored: model.is_stored,
        }
    }
}

mirror! {
    /// Plays a place under a model, with 95 % intervals; the lift is against what was earned.
    struct PolicyEstimate of recommend::PolicyEstimate {
        method: EstimateMethod,
        value: f64,
        low: f64,
        high: f64,
        lift: f64,
        lift_low: f64,
        lift_high: f64,
    }
}

/// What a model would have earned at the places of Top Picks that explore, from what was shown since it was trained.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelEstimate {
    #[schema(value_type = String)]
    pub model: ModelId,
    pub pages: u64,
    /// Places at which chance decided what stands there.
    pub places: u64,
    pub viewers: u64,
    /// Plays a place within a day, as they were.
    pub served: f64,
    /// So many places of the model's own choice would say as much.
    pub effective: f64,
    /// About 1 where the log covers what the model would show.
    pub covered: f64,
    /// Weights that were cut to a bound.
    pub clipped: u64,
    /// None where there are too few viewers to say anything.
    pub estimates: Vec<PolicyEstimate>,
}

impl From<recommend::ModelEstimate> for ModelEstimate {
    fn from(found: recommend::ModelEstimate) -> Self {
        Self {
            model: found.model,
            pages: found.pages,
            places: found.places,
            viewers: found.viewers,
            served: found.served,
            effective: found.effective,
            covered: found.covered,
            clipped: found.clipped,
            estimates: found.estimates.into_iter().map(Into::into).collect(),
        }
    }
}
