//! What this room hears, and how the shelf follows it.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use contract::{
    Fault, Millis, ModelId, ProfileId, TitleId,
    activity::{ForTitleOf, Recent, TitleState},
    events::{Event, EventBody},
    recommend::RecommendError,
};
use platform::{
    Bus,
    bus::{Delivery, handler},
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{
    Room,
    experiments::{Arms, Trial},
    live::{self, Act},
    loaded::Loaded,
    shelf::Shelf,
    titles::Titles,
    training::artefact,
};

/// Two models can be looked at beside each other; whoever has finished leaves nothing behind for long.
const PREVIEWED_MAX: u64 = 2;
const PREVIEWED_FOR: Duration = Duration::from_secs(120);
/// Between two attempts to load titles and model.
const LOAD_AGAIN: Duration = Duration::from_secs(2);
const PRUNE_EVERY_MS: i64 = 600_000;
const SAVE_EVERY_MS: i64 = 60_000;

pub fn previewed() -> moka::future::Cache<ModelId, Arc<Shelf>> {
    let cache = moka::future::Cache::builder().max_capacity(PREVIEWED_MAX);
    cache.time_to_live(PREVIEWED_FOR).build()
}

impl Room {
    /// Follows the other rooms' facts from now on, and begins to load titles and model in the background.
    pub async fn subscribe(self: &Arc<Self>, bus: &Bus) -> Result<(), Fault> {
        let room = self.clone();
        let follow = handler(move |events| {
            let room = room.clone();
            Box::pin(async move { room.follow(&events).await })
        });
        bus.subscribe("recommend.follow", Delivery::Ephemeral, follow).await?;
        let room = self.clone();
        let erase = handler(move |events| {
            let room = room.clone();
            Box::pin(async move { room.erase_deleted(&events).await })
        });
        bus.subscribe("recommend.erase", Delivery::Durable, erase).await?;
        let room = self.clone();
        tokio::spawn(async move {
            while let Err(error) = room.ready().await {
                tracing::warn!(error = format!("{error:#}"), "titles could not be loaded; trying again");
                tokio::time::sleep(LOAD_AGAIN).await;
            }
        });
        Ok(())
    }

    /// Waits until titles and, if there is a good one, a model are there; loads them if nobody has begun to.
    pub async fn ready(&self) -> anyhow::Result<()> {
        self.is_ready.get_or_try_init(|| self.load()).await.map(drop)
    }

    /// Whether [`Room::ready`] has come to its end.
    pub fn is_loaded(&self) -> bool {
        self.is_ready.initialized()
    }

    /// Keeps lists fresh, stores what was shown, counts viewers of experiments and deletes what is old, until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::join!(
            self.impressions.run(&self.store, &stop),
            self.keep_fresh(&stop),
            self.keep_counting(&stop),
        );
        self.save_counts().await;
    }

    pub(crate) fn refresh_every(&self) -> Duration {
        Duration::from_millis(self.config.refresh_ms.max(10))
    }

    async fn keep_fresh(&self, stop: &CancellationToken) {
        let every = self.refresh_every();
        let (mut pruned_at, mut saved_at) = (0, self.inputs.now_ms());
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            self.refresh().await;
            let now = self.inputs.now_ms();
            if now - saved_at >= SAVE_EVERY_MS {
                saved_at = now;
                self.save_counts().await;
                if self.is_loaded() {
                    self.try_experiment().await;
                }
            }
            if now - pruned_at >= PRUNE_EVERY_MS {
                pruned_at = now;
                if let Err(error) = self.prune().await {
                    tracing::warn!(%error, "old pages were not deleted");
                }
            }
        }
    }

    /// Deletes pages that were shown too long ago, and the oldest of too many; answers how many.
    pub async fn prune(&self) -> Result<u64, Fault> {
        let oldest = self.inputs.now_ms() - i64::from(self.config.pages_keep_days) * 86_400_000;
        self.store.prune_pages(oldest, self.config.pages_max).await
    }

    /// Sorts the lists again if anything has changed since.
    pub async fn refresh(&self) {
        let again = std::mem::take(&mut *self.look_again.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = self.follow_titles(&again).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "changed titles could not be read; trying again"
            );
            self.look_at_again(&again);
        }
        if self.live.take_changed() | self.is_stale.swap(false, Ordering::AcqRel) {
            self.replace(|shelf| (shelf.titles.clone(), shelf.model.clone())).await;
        }
    }

    async fn save_counts(&self) {
        let acts = self.live.unstored();
        if acts.is_empty() {
            return;
        }
        match self.store.save_acts(&acts).await {
            Ok(()) => self.live.has_stored(&acts),
            Err(error) => tracing::warn!(%error, "what was favoured lately was not saved; trying again"),
        }
    }

    async fn load(&self) -> anyhow::Result<()> {
        let titles = Arc::new(Titles::load(&*self.catalog, &*self.activity).await?);
        self.live.restore(self.store.acts().await?, self.store.faded().await?);
        self.replace(|_| (titles, None)).await;
        if let Some(loaded) = self.best_model().await? {
            let _replacing = self.replacing.lock().await;
            self.put_model(loaded).await;
        }
        self.try_experiment().await;
        Ok(())
    }

    /// Pages do not wait for an experiment that cannot be served: it is tried again.
    async fn try_experiment(&self) {
        if let Err(error) = self.follow_experiment().await {
            tracing::error!(%error, "the experiment that runs cannot be served; everybody has the model in service");
        }
    }

    /// The active model; where that is broken, the newest other one that is not and was not refused.
    async fn best_model(&self) -> Result<Option<Loaded>, Fault> {
        let Some(active) = self.store.active().await? else {
            return Ok(None);
        };
        let mut candidates = self.store.stored_models().await?;
        candidates.retain(|info| info.state != contract::recommend::ModelState::Refused || info.id == active);
        candidates.sort_by_key(|info| info.id != active);
        for info in candidates {
            match self.load_model(info.id, info.created_at).await {
                Ok(loaded) => return Ok(Some(loaded)),
                // Storage that does not answer says nothing about the model: it is asked again.
                Err(RecommendError::Fault(fault)) => return Err(fault),
                Err(error) => tracing::error!(model = %info.id, %error, "a model cannot serve"),
            }
        }
        Ok(None)
    }

    /// The shelf as it would be if this model served.
    pub(crate) async fn shelf_with(&self, model: ModelId) -> Result<Arc<Shelf>, RecommendError> {
        self.ready()
            .await
            .map_err(|error| Fault::Unavailable(format!("{error:#}")))?;
        let serving = self.shelf.load_full();
        if serving.model.as_ref().is_some_and(|loaded| loaded.id == model) {
            return Ok(serving);
        }
        let made = self.previewed.try_get_with(model, async {
            let known = self.store.model(model).await?.ok_or(RecommendError::ModelNotFound)?;
            let loaded = match serving.serving(model) {
                Some(arm) => arm,
                None => Arc::new(self.load_model(known.id, known.created_at).await?),
            };
            Ok(Arc::new(self.made(serving.titles.clone(), Some(loaded), None).await?))
        });
        made.await
            .map_err(|error: Arc<RecommendError>| RecommendError::clone(&error))
    }

    /// Reads a model's artefact and makes sure that it can serve this catalogue.
    pub(crate) async fn load_model(&self, model: ModelId, trained_at: Millis) -> Result<Loaded, RecommendError> {
        let (blobs, titles) = (self.blobs.clone(), self.shelf.load().titles.clone());
        let runtime = Handle::current();
        let open = move || {
            let parts = artefact::read(&blobs, model, &runtime)?;
            artefact::open(&parts, &titles).map_err(RecommendError::ModelBroken)
        };
        let recommender = self.model_maker.make(open).await??;
        Ok(Loaded::new(model, recommender, trained_at))
    }

    /// From now on pages come from this model, unless another one was put in service while it was made ready.
    pub(crate) async fn serve(&self, loaded: Loaded) -> Result<(), Fault> {
        let _replacing = self.replacing.lock().await;
        if self.store.active().await? == Some(loaded.id) {
            self.put_model(loaded).await;
        }
        Ok(())
    }

    /// With `replacing` held.
    async fn put_model(&self, loaded: Loaded) {
        tracing::info!(model = %loaded.id, titles = loaded.recommender.keys().len(), "a model serves");
        let known = self.trial.load().as_ref().and_then(|trial| trial.loaded(loaded.id));
        let loaded = known.unwrap_or_else(|| Arc::new(loaded));
        let titles = self.shelf.load().titles.clone();
        self.put((titles, Some(loaded))).await;
    }

    /// Makes a new shelf from what `change` takes of the old one. One at a time, so that no change is lost.
    async fn replace(&self, change: impl FnOnce(&Shelf) -> (Arc<Titles>, Option<Arc<Loaded>>)) {
        let _replacing = self.replacing.lock().await;
        self.put(change(&self.shelf.load())).await;
    }

    /// From now on this experiment's arms are served beside the model in service, or none are.
    pub(crate) async fn put_trial(&self, trial: Option<Trial>) {
        let _replacing = self.replacing.lock().await;
        self.trial.store(trial.map(Arc::new));
        let shelf = self.shelf.load_full();
        self.put((shelf.titles.clone(), shelf.model.clone())).await;
    }

    async fn put(&self, (titles, model): (Arc<Titles>, Option<Arc<Loaded>>)) {
        match self.made(titles, model, self.trial.load_full()).await {
            Ok(shelf) => self.shelf.store(Arc::new(shelf)),
            Err(error) => tracing::error!(%error, "the lists could not be made; the old ones stay"),
        }
    }

    async fn made(
        &self,
        titles: Arc<Titles>,
        model: Option<Arc<Loaded>>,
        trial: Option<Arc<Trial>>,
    ) -> Result<Shelf, Fault> {
        let (live, before) = (self.live.clone(), self.shelf.load_full());
        let (now, version) = (self.inputs.now_ms(), self.inputs.id());
        let make = move || {
            let current = |model: &Arc<Loaded>| model.current(&titles, &live);
            let mut shelf = Shelf::new(titles.clone(), model.as_ref().map(current), &live, now);
            let arm = |model: &Arc<Loaded>| current(&before.serving(model.id).unwrap_or_else(|| model.clone()));
            shelf.arms = trial.map(|trial| Arms::new(&trial, &shelf, arm, &live, now));
            shelf.version = version;
            shelf
        };
        self.shelf_maker.make(make).await
    }

    async fn follow(&self, events: &[Event]) -> anyhow::Result<()> {
        self.ready().await?;
        let mut changed: Vec<TitleId> = Vec::new();
        for event in events {
            match &event.body {
                EventBody::TitlesChanged { titles } => changed.extend(titles),
                EventBody::TitleDeleted { title }
                | EventBody::AssetReady { title, .. }
                | EventBody::AssetRemoved { title, .. } => changed.push(*title),
                EventBody::ProfileActed {
                    profile,
                    title,
                    favours: true,
                } => {
                    self.count(*profile, *title).await?;
                }
                EventBody::ProfileDeleted { profile, .. } => self.live.forget(*profile),
                EventBody::RatingsChanged { titles } => {
                    // While titles are read anew, what is written into the old ones would be lost.
                    let _replacing = self.replacing.lock().await;
                    let shelf = self.shelf.load();
                    titles.iter().for_each(|ratings| shelf.titles.set_figures(ratings));
                    self.is_stale.store(true, Ordering::Release);
                }
                EventBody::ModelActivated { model } => self.follow_model(*model).await?,
                EventBody::ExperimentChanged { .. } => self.follow_experiment().await?,
                _ => {}
            }
        }
        if !changed.is_empty() {
            changed.sort_unstable();
            changed.dedup();
            self.follow_titles(&changed).await?;
            self.look_at_again(&changed);
        }
        Ok(())
    }

    /// Counts what this profile favours after what it did before.
    async fn count(&self, profile: ProfileId, title: TitleId) -> anyhow::Result<()> {
        let titles = self.shelf.load().titles.clone();
        let known = titles.slot_of(title).map(|slot| titles.id(slot));
        let Some(own) = known.filter(|own| !self.live.knows(profile, *own)) else {
            return Ok(());
        };
        let limit = live::STATES_MAX;
        let recent = self.activity.recent(Recent { profile, limit }).await?;
        if let Some(act) = Act::read(&titles, profile, own, &recent, self.inputs.now_ms()) {
            self.live.observe(act);
        } else {
            let state = self.activity.state(ForTitleOf { profile, title }).await?;
            let newest = recent.states.first().map_or(0, TitleState::last_at);
            if newest < state.last_at() {
                // Another process wrote it, and what is kept in memory here is from before. The bus comes again.
                return Err(Fault::Unavailable("a profile's recent activity is older than its event".into()).into());
            }
        }
        Ok(())
    }

    fn look_at_again(&self, titles: &[TitleId]) {
        self.look_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(titles);
    }

    async fn follow_titles(&self, changed: &[TitleId]) -> anyhow::Result<()> {
        if changed.is_empty() {
            return Ok(());
        }
        let _replacing = self.replacing.lock().await;
        let shelf = self.shelf.load_full();
        let titles = shelf.titles.refreshed(&*self.catalog, &*self.activity, changed).await?;
        self.put((Arc::new(titles), shelf.model.clone())).await;
        Ok(())
    }

    /// Another process has published a model.
    async fn follow_model(&self, model: ModelId) -> Result<(), Fault> {
        let is_here = self
            .shelf
            .load()
            .model
            .as_ref()
            .is_some_and(|loaded| loaded.id == model);
        if is_here || self.store.active().await? != Some(model) {
            return Ok(());
        }
        let Some(info) = self.store.model(model).await? else {
            return Ok(());
        };
        match self.load_model(model, info.created_at).await {
            Ok(loaded) => self.serve(loaded).await?,
            Err(RecommendError::Fault(fault)) => return Err(fault),
            Err(error) => tracing::error!(%model, %error, "the new model cannot serve; the old one stays"),
        }
        Ok(())
    }

    async fn erase_deleted(&self, events: &[Event]) -> anyhow::Result<()> {
        for event in events {
            if let EventBody::ProfileDeleted { profile, .. } = event.body {
                self.live.forget(profile);
                self.store.erase(profile).await?;
            }
        }
        Ok(())
    }
}
