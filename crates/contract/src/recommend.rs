//! Recommendation: the home page, similar titles, reasons, and the models behind them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    Done, Millis, ModelId, PageId, ProfileId, TitleId,
    accounts::Preferences,
    activity::TitleState,
    experiments::{Experiment, ExperimentResults, ForExperiment, ListExperiments, StartExperiment},
    jobs::Job,
};

/// Who asks, and what they may see: hard constraints on every answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Viewer {
    pub profile: ProfileId,
    pub maturity_max: u8,
    pub preferences: Preferences,
}

#[derive(Debug, Clone, Hash, Serialize, Deserialize)]
pub struct GetHome {
    pub viewer: Viewer,
    /// Titles that must not appear, at most 500.
    #[serde(default)]
    pub exclude: Vec<TitleId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HomePage {
    pub id: PageId,
    /// Absent when nothing has been trained yet.
    pub model: Option<ModelId>,
    pub hero: Option<Item>,
    pub rows: Vec<Row>,
    /// What the viewer did lately, as the page was made from it: whoever shows the page need not ask activity again.
    #[serde(default)]
    pub states: Vec<TitleState>,
    /// My List as activity answers it: its titles may be older than anything in `states`.
    #[serde(default)]
    pub listed: Vec<TitleId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Stable for the same row on the next page: `top_picks`, `genre:Drama`, `because_you_watched:z8`.
    pub id: String,
    pub kind: RowKind,
    pub reason: Option<Reason>,
    /// The best first.
    pub items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    ContinueWatching,
    TopPicks,
    Trending,
    BecauseYouWatched(TitleId),
    Genre(String),
    New,
    MyList,
    Popular,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub title: TitleId,
    pub reason: Option<Reason>,
}

/// Why something is shown, computed from the terms of the model that chose it. The gateway puts it in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The viewer's own titles with the largest contributions, the largest first, with the share of the score each made.
    Because(Vec<Contribution>),
    /// It is of genres that the viewer chose or watches most.
    Genres(Vec<String>),
    /// Many people watch or rate it well just now.
    Trending,
    Popular,
    New,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    pub title: TitleId,
    /// 0 to 1.
    pub share: f32,
    pub how: How,
}

/// What the viewer did with the contributing title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Watched,
    Rated,
    Liked,
    Listed,
}

/// The page that a model would make, whichever serves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetPreview {
    pub viewer: Viewer,
    pub model: ModelId,
    /// As somebody who has done nothing yet.
    pub as_new: bool,
}

/// One list, the best first: *Top Picks* without the page around it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetTop {
    pub viewer: Viewer,
    /// At most 200.
    pub limit: u32,
    #[serde(default)]
    pub exclude: Vec<TitleId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetSimilar {
    pub title: TitleId,
    pub viewer: Viewer,
    /// At most 100.
    pub limit: u32,
    /// Titles that must not appear, at most 500.
    #[serde(default)]
    pub exclude: Vec<TitleId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Explain {
    pub viewer: Viewer,
    pub title: TitleId,
}

/// Titles that tell tastes apart, for a first visit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetOnboarding {
    pub viewer: Viewer,
    /// At most 100.
    pub limit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// Serves now.
    Active,
    /// Could serve.
    Ready,
    /// Was worse than the one that served, or broken: never serves.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    pub id: ModelId,
    pub state: ModelState,
    pub created_at: Millis,
    pub train_s: f32,
    pub interactions: u64,
    pub viewers: u64,
    pub titles: u64,
    /// On held-out events: name (`ndcg@20`) and value.
    pub metrics: Vec<(String, f32)>,
    /// The same of the model that served then: `ndcg@20` on the same events where the two were compared, all else from its own training.
    pub baseline: Vec<(String, f32)>,
    /// What was decided and why, in words.
    pub decision: String,
    /// What its models were trained with: name (`ease.regularisation`) and value. Empty where that was not kept yet.
    #[serde(default)]
    pub settings: Vec<(String, f32)>,
    /// Its files are kept: without them it cannot be looked at nor serve again.
    #[serde(default = "yes")]
    pub is_stored: bool,
}

const fn yes() -> bool {
    true
}

/// How an estimate from the log is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EstimateMethod {
    InversePropensity,
    SelfNormalised,
    DoublyRobust,
}

/// Plays a place under a model, with 95 % intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PolicyEstimate {
    pub method: EstimateMethod,
    pub value: f64,
    pub low: f64,
    pub high: f64,
    /// The value less what was earned.
    pub lift: f64,
    pub lift_low: f64,
    pub lift_high: f64,
}

/// What a model would have earned at the places of *Top Picks* that explore, from the log of what was shown since it was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelEstimate {
    pub model: ModelId,
    /// What it stands on: pages, places on them at which chance decided, and whose they were.
    pub pages: u64,
    pub places: u64,
    pub viewers: u64,
    /// Plays a place within a day, as they were.
    pub served: f64,
    /// So many places of the model's own choice would say as much.
    pub effective: f64,
    /// About 1 where the log covers what the model would show.
    pub covered: f64,
    /// Weights that were cut to a bound, which makes the first and the last method say too little.
    pub clipped: u64,
    /// None where there are too few viewers to say anything.
    pub estimates: Vec<PolicyEstimate>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ListModels {
    pub before: Option<ModelId>,
    /// At most [`crate::PAGE_ITEMS_MAX`].
    pub limit: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForModel {
    pub model: ModelId,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct StartTraining {}

crate::door_error! {
    /// What recommendation can refuse.
    RecommendError {
        ModelNotFound => NotFound, "model_not_found", "no such model";
        ModelBroken(String) => FailedPrecondition, "model_broken", "the model cannot be used: {0}";
        ModelRefused(String) => FailedPrecondition, "model_refused", "the model was refused and never serves ({0}); train another one, or choose one that is ready";
        TooMany(u32) => InvalidArgument, "too_many", "at most {0} at once";
        ExperimentNotFound => NotFound, "experiment_not_found", "no such experiment";
        ExperimentRunning => FailedPrecondition, "experiment_running", "another experiment runs; stop it first";
        ExperimentInvalid(String) => InvalidArgument, "experiment_invalid", "{0}";
    }
}

#[async_trait]
pub trait Recommend: Send + Sync + 'static {
    /// Computed from the model and the viewer's recent events; what it shows is stored.
    async fn home(&self, req: GetHome) -> Result<HomePage, RecommendError>;
    /// Another number whenever `home` may answer otherwise, so that an answer can be shown again while it stays the same. Ask
    /// before the page is made: what changes meanwhile then counts as a change.
    async fn home_version(&self, req: GetHome) -> Result<u64, RecommendError>;
    /// As `home`, by a model of one's choice, to look at; not stored as shown.
    async fn preview(&self, req: GetPreview) -> Result<HomePage, RecommendError>;
    async fn top(&self, req: GetTop) -> Result<Vec<Item>, RecommendError>;
    async fn similar(&self, req: GetSimilar) -> Result<Vec<Item>, RecommendError>;
    /// Absent when the model has nothing to say.
    async fn explain(&self, req: Explain) -> Result<Option<Reason>, RecommendError>;
    async fn onboarding(&self, req: GetOnboarding) -> Result<Vec<TitleId>, RecommendError>;
    async fn models(&self, req: ListModels) -> Result<Vec<ModelInfo>, RecommendError>;
    /// Queues it; one training at a time, a second request joins the first.
    async fn train(&self, req: StartTraining) -> Result<Job, RecommendError>;
    /// Also the way back to an older one. A refused one never serves.
    async fn activate(&self, req: ForModel) -> Result<ModelInfo, RecommendError>;
    /// What this model would have earned where pages explored: reads the log and takes seconds.
    async fn estimate(&self, req: ForModel) -> Result<ModelEstimate, RecommendError>;
    /// Newest first.
    async fn experiments(&self, req: ListExperiments) -> Result<Vec<Experiment>, RecommendError>;
    /// From now on its viewers have pages of its models.
    async fn start_experiment(&self, req: StartExperiment) -> Result<Experiment, RecommendError>;
    /// With what it says so far; may be read as often as one likes.
    async fn experiment(&self, req: ForExperiment) -> Result<ExperimentResults, RecommendError>;
    /// Everybody has pages of the model in service again; stopping twice is no error.
    async fn stop_experiment(&self, req: ForExperiment) -> Result<Experiment, RecommendError>;
    /// Forgets what was shown to a profile.
    async fn erase(&self, req: crate::activity::ForProfileOnly) -> Result<Done, RecommendError>;
}

crate::wire! { Recommend as "recommend", RecommendError:
    home(GetHome) -> HomePage,
    home_version(GetHome) -> u64,
    preview(GetPreview) -> HomePage,
    top(GetTop) -> Vec<Item>,
    similar(GetSimilar) -> Vec<Item>,
    explain(Explain) -> Option<Reason>,
    onboarding(GetOnboarding) -> Vec<TitleId>,
    models(ListModels) -> Vec<ModelInfo>,
    train(StartTraining) -> Job,
    activate(ForModel) -> ModelInfo,
    estimate(ForModel) -> ModelEstimate,
    experiments(ListExperiments) -> Vec<Experiment>,
    start_experiment(StartExperiment) -> Experiment,
    experiment(ForExperiment) -> ExperimentResults,
    stop_experiment(ForExperiment) -> Experiment,
    erase(crate::activity::ForProfileOnly) -> Done,
}
