//! Recommendation: the home page, similar titles, reasons, and the models behind them.
//!
//! **Owns** models (their records, their artefacts under `models/<id>/` in blob storage, which one serves), what was shown
//! (`pages`), experiments with what came of them, what was favoured since the model was trained
//! (`acts`), where the search for settings stands (`tuning`) and vectors of titles (`embeddings`). **Calls** catalog (features of titles)
//! and activity (recent activity of a viewer, interactions for training). **Emits** `ModelActivated`, `ExperimentChanged`. **Listens** to
//! titles, assets, ratings, acts of profiles,
//! activations by other processes, and `ProfileDeleted`.
//!
//! Serving is stateless: an answer is a function of the model, the viewer's recent activity and the request, so an act counts in
//! the very next page and any process can answer for any viewer. All else that a page needs stands in one immutable [`shelf`]
//! that is swapped when titles, figures or the model change; a page takes one call to activity and no SQL.
//!
//! Invariants:
//! - No list holds a title that is unpublished, above the viewer's maturity, disliked or excluded; no recommendation holds one that
//!   the viewer has seen, begun or rated.
//! - A model serves only after its artefact was read whole, its checksums agree, and it ranks titles of this catalogue with finite
//!   scores. Until then, and whenever that fails, the one before stays (or pages are made from the catalogue's figures).
//! - A reason is computed from terms of the model or facts of the catalogue.
//! - What was shown is stored behind the answer and may be shed under load; an answer never waits for it.
//!
//! Wiring: [`open`]; then [`Room::subscribe`] and [`Room::run`] where pages are served, [`Room::run_worker`] and
//! [`Room::run_schedule`] where models are trained. [`Room`] is also the [`contract::jobs::Jobs`] door of its trainings.

mod estimate;
mod events;
mod experiments;
mod faded;
mod franchise;
mod impressions;
mod live;
mod loaded;
mod maker;
mod onboarding;
mod page;
mod schedule;
mod service;
mod shelf;
mod store;
mod taste;
mod titles;
mod training;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64},
};

use arc_swap::ArcSwap;
use contract::{ExperimentId, Fault, ModelId, ProfileId, TitleId, activity::Activity, catalog::Catalog};
use platform::{Bus, Db, Inputs, Location, Migrations, blob::BlobStore, jobs::Queue};

use self::maker::Maker;
pub use impressions::{Shown, ShownItem, ShownRow};
pub use training::{Embeddings, Tuning};

static MIGRATIONS: Migrations = platform::migrations!();

/// What can be set.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether models are trained again by themselves.
    pub auto_train: bool,
    /// How often to look whether it is time.
    pub train_check_ms: u64,
    /// So many changes of taste are enough for the first model.
    pub train_changes_first: u64,
    /// For another, at least so many, and this share of all that the last model learned from.
    pub train_changes_min: u64,
    pub train_changes_share: f64,
    /// After this time any change is enough.
    pub train_every_ms: u64,
    /// Threads for training; 0 is one per core. They run at low priority.
    pub train_threads: usize,
    /// At every training but the first, so long better settings of the models are searched for, and at most so many are tried; the
    /// search goes on where it stopped. 0 keeps the settings.
    pub tune_budget_s: u32,
    pub tune_trials_max: u32,
    /// Where vectors of titles come from, for the content model.
    pub embeddings: Embeddings,
    /// Models whose files are kept to go back to, beside as many that were refused; the records of the newest thousand stay.
    pub models_keep: u32,
    /// How long what was shown is kept, and how many pages at most.
    pub pages_keep_days: u32,
    pub pages_max: u32,
    /// How soon lists follow ratings and acts.
    pub refresh_ms: u64,
    /// The share of places in *Top Picks*, from the fourth on, that show a title from further down the ranking, so that the models
    /// learn what they would not have shown: at most one in so many places. 0 turns it off, at most 0.5.
    pub explore_share: f32,
    /// Whether rows of the home page stand in the same order for everybody and always. Else they stand in the order that puts most of
    /// what the viewer may like within sight.
    pub rows_fixed: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            auto_train: true,
            train_check_ms: 30_000,
            train_changes_first: 50,
            train_changes_min: 500,
            train_changes_share: 0.02,
            train_every_ms: 86_400_000,
            train_threads: 0,
            tune_budget_s: 10,
            tune_trials_max: 100,
            embeddings: Embeddings::default(),
            models_keep: 5,
            pages_keep_days: 90,
            pages_max: 2_000_000,
            refresh_ms: 1_000,
            explore_share: 0.05,
            rows_fixed: false,
        }
    }
}

/// What the room stands on.
pub struct Deps {
    pub location: Location,
    pub blobs: BlobStore,
    pub inputs: Inputs,
    pub bus: Arc<Bus>,
    pub catalog: Arc<dyn Catalog>,
    pub activity: Arc<dyn Activity>,
    pub config: Config,
}

/// The open room: implements [`contract::recommend::Recommend`] and [`contract::jobs::Jobs`].
pub struct Room {
    catalog: Arc<dyn Catalog>,
    activity: Arc<dyn Activity>,
    store: store::Store,
    blobs: BlobStore,
    queue: Queue,
    inputs: Inputs,
    config: Config,
    shelf: ArcSwap<shelf::Shelf>,
    live: Arc<live::Live>,
    impressions: impressions::Impressions,
    /// Two, so that shelves do not wait for storage that is slow.
    model_maker: Maker,
    shelf_maker: Maker,
    /// Shelves of models that do not serve, for whoever compares them.
    previewed: moka::future::Cache<ModelId, Arc<shelf::Shelf>>,
    /// The experiment that runs, if one does.
    trial: arc_swap::ArcSwapOption<experiments::Trial>,
    /// Why the one that runs is not served here, in words.
    trial_problem: arc_swap::ArcSwapOption<(ExperimentId, String)>,
    /// Held while the shelf is replaced, so that no replacement is lost.
    replacing: tokio::sync::Mutex<()>,
    /// Held from asking which experiment runs until it is served: who asked earlier must not be heard later.
    following: tokio::sync::Mutex<()>,
    /// Set when lists should be sorted again.
    is_stale: AtomicBool,
    /// Titles to look at once more: another process changed them, and the catalogue may not have known yet.
    look_again: Mutex<Vec<TitleId>>,
    is_ready: tokio::sync::OnceCell<()>,
    /// One training at a time.
    learning: Arc<tokio::sync::Semaphore>,
    /// How far activity was when this process last asked for a training.
    asked_at_changes: AtomicU64,
}

/// Opens the database and attaches it to the bus. Titles and model are loaded by [`Room::subscribe`] in the background, or by
/// [`Room::ready`]; whoever asks for a page before waits for it.
pub async fn open(deps: Deps) -> anyhow::Result<Arc<Room>> {
    let db = Db::open(&deps.location, "recommend", &MIGRATIONS).await?;
    deps.bus.attach(&db).await?;
    let shelf = shelf::Shelf::new(Arc::default(), None, &live::Live::default(), deps.inputs.now_ms());
    Ok(Arc::new(Room {
        store: store::Store::new(db.clone(), deps.inputs.clone()),
        queue: Queue::new(db, deps.inputs.clone()),
        catalog: deps.catalog,
        activity: deps.activity,
        blobs: deps.blobs,
        inputs: deps.inputs,
        config: deps.config,
        shelf: ArcSwap::from_pointee(shelf),
        live: Arc::default(),
        impressions: impressions::Impressions::new(),
        model_maker: Maker::default(),
        shelf_maker: Maker::default(),
        previewed: events::previewed(),
        trial: arc_swap::ArcSwapOption::empty(),
        trial_problem: arc_swap::ArcSwapOption::empty(),
        replacing: tokio::sync::Mutex::default(),
        following: tokio::sync::Mutex::default(),
        is_stale: AtomicBool::new(false),
        look_again: Mutex::default(),
        is_ready: tokio::sync::OnceCell::new(),
        learning: Arc::new(tokio::sync::Semaphore::new(1)),
        asked_at_changes: AtomicU64::new(0),
    }))
}

impl Room {
    /// For readiness, backup and migration.
    pub fn database(&self) -> &Db {
        &self.store.db
    }

    /// What was shown to a profile, the newest page first: for its export, and for whoever evaluates models.
    pub async fn shown(&self, profile: ProfileId, limit: u32) -> Result<Vec<Shown>, Fault> {
        self.store.pages(profile, limit).await
    }
}
