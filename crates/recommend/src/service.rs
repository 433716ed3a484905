//! The door: asks activity once, then computes.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use contract::{
    Done, Fault, PAGE_ITEMS_MAX, TitleId,
    accounts::Preferences,
    activity::{ForProfileOnly, Recent, RecentActivity},
    async_trait,
    catalog::{Card, GetCards},
    experiments::{Experiment, ExperimentResults, ForExperiment, ListExperiments, StartExperiment},
    jobs::{AskOutlook, ForJob, Job, JobError, JobKind, JobState, Jobs, ListJobs, Outlook},
    recommend::{
        Explain, ForModel, GetHome, GetOnboarding, GetPreview, GetSimilar, GetTop, HomePage, Item, ListModels,
        ModelEstimate, ModelInfo, ModelState, Reason, Recommend, RecommendError, StartTraining, Viewer,
    },
};
use platform::jobs::NewJob;

use crate::{
    Room,
    experiments::Placed,
    impressions, onboarding,
    page::{self, Asked},
    shelf::Shelf,
    taste::Taste,
};

const RECENT: u32 = 500;
const EXCLUDE_MAX: usize = 500;
const TOP_MAX: u32 = 200;
const SIMILAR_MAX: u32 = 100;
const ONBOARDING_MAX: u32 = 100;
/// Episodes in progress that are looked up for one page.
const EPISODES_MAX: usize = 40;
/// A page is made anew after this time though nothing is known to have changed: other rooms' read models may have been behind.
const SAME_PAGE_MS: i64 = 30_000;
/// How long a request waits for titles and model to be loaded after a start.
const READY_WAIT: Duration = Duration::from_secs(10);

/// A page, with what is stored beside it.
struct Made {
    page: HomePage,
    explored: Option<impressions::Explored>,
    teams: Option<String>,
}

#[async_trait]
impl Recommend for Room {
    async fn home(&self, req: GetHome) -> Result<HomePage, RecommendError> {
        at_most(EXCLUDE_MAX as u32, req.exclude.len())?;
        let recent = self.recent(&req.viewer).await?;
        let shelf = self.loaded().await?;
        let placed = shelf.place(req.viewer.profile);
        let made = self.make(&placed, self.config.explore_share, &req, recent).await;
        let arm = placed.arm(made.teams.as_deref());
        let (page, profile) = (made.page, req.viewer.profile);
        let shown = impressions::Shown::of(&page, profile, arm, made.explored.as_ref());
        self.impressions.record(shown);
        Ok(page)
    }

    async fn home_version(&self, req: GetHome) -> Result<u64, RecommendError> {
        at_most(EXCLUDE_MAX as u32, req.exclude.len())?;
        let acted = self
            .activity
            .version(ForProfileOnly {
                profile: req.viewer.profile,
            })
            .await
            .map_err(|error| Fault::Unavailable(format!("activity: {error}")))?;
        let shelf = self.loaded().await?;
        let mut hasher = DefaultHasher::new();
        let period = self.inputs.now_ms().div_euclid(SAME_PAGE_MS);
        (acted, shelf.version, period, &req).hash(&mut hasher);
        Ok(hasher.finish())
    }

    async fn preview(&self, req: GetPreview) -> Result<HomePage, RecommendError> {
        let shelf = self.shelf_with(req.model).await?;
        let (mut viewer, mut recent) = (req.viewer, RecentActivity::default());
        match req.as_new {
            // Nobody knows what somebody new likes; what they may see, everybody does.
            true => viewer.preferences = Preferences::default(),
            false => recent = self.recent(&viewer).await?,
        }
        let asked = GetHome {
            viewer,
            exclude: Vec::new(),
        };
        Ok(self.make(&Placed::alone(&shelf), 0.0, &asked, recent).await.page)
    }

    async fn top(&self, req: GetTop) -> Result<Vec<Item>, RecommendError> {
        at_most(EXCLUDE_MAX as u32, req.exclude.len())?;
        let limit = within(TOP_MAX, req.limit)?;
        let recent = self.recent(&req.viewer).await?;
        let shelf = self.loaded().await?;
        let shelf = shelf.place(req.viewer.profile).shelf;
        let taste = Taste::read(shelf, &req.viewer, &recent, &req.exclude, self.inputs.now_ms());
        let mut picks = page::top(shelf, &req.viewer, &taste, limit.max(page::RANKED));
        picks.truncate(limit);
        Ok(picks
            .into_iter()
            .map(|pick| Item {
                title: shelf.titles.id(pick.slot),
                reason: None,
            })
            .collect())
    }

    async fn similar(&self, req: GetSimilar) -> Result<Vec<Item>, RecommendError> {
        at_most(EXCLUDE_MAX as u32, req.exclude.len())?;
        let limit = within(SIMILAR_MAX, req.limit)?;
        let recent = self.recent(&req.viewer).await?;
        let shelf = self.loaded().await?;
        let shelf = shelf.place(req.viewer.profile).shelf;
        let Some(slot) = shelf.titles.slot_of(req.title) else {
            return Ok(Vec::new());
        };
        let taste = Taste::read(shelf, &req.viewer, &recent, &req.exclude, self.inputs.now_ms());
        let near = shelf.similar(slot).into_iter().filter(|near| {
            shelf.is_visible(*near, req.viewer.maturity_max) && !taste.hidden.contains(*near) && *near != slot
        });
        Ok(near
            .take(limit)
            .map(|near| Item {
                title: shelf.titles.id(near),
                reason: None,
            })
            .collect())
    }

    async fn explain(&self, req: Explain) -> Result<Option<Reason>, RecommendError> {
        let recent = self.recent(&req.viewer).await?;
        let shelf = self.loaded().await?;
        let shelf = shelf.place(req.viewer.profile).shelf;
        let Some(slot) = shelf.titles.slot_of(req.title) else {
            return Ok(None);
        };
        if !shelf.is_visible(slot, req.viewer.maturity_max) {
            return Ok(None);
        }
        let taste = Taste::read(shelf, &req.viewer, &recent, &[], self.inputs.now_ms());
        Ok(page::explained(shelf, &req.viewer, &taste, slot))
    }

    async fn onboarding(&self, req: GetOnboarding) -> Result<Vec<TitleId>, RecommendError> {
        let limit = within(ONBOARDING_MAX, req.limit)?;
        Ok(onboarding::choose(
            &*self.loaded().await?,
            req.viewer.maturity_max,
            limit,
        ))
    }

    async fn models(&self, req: ListModels) -> Result<Vec<ModelInfo>, RecommendError> {
        Ok(self
            .store
            .models(req.before, req.limit.clamp(1, PAGE_ITEMS_MAX))
            .await?)
    }

    async fn train(&self, _: StartTraining) -> Result<Job, RecommendError> {
        let newest = self
            .queue
            .list(ListJobs {
                before: None,
                limit: 1,
                state: None,
            })
            .await
            .map_err(job_fault)?
            .pop();
        if let Some(job) = newest.as_ref().filter(|job| is_open(job)) {
            return Ok(job.clone());
        }
        // Whoever asks at the same time sees the same newest job, so makes the same key: one of them makes the job.
        let after = newest.map_or(0, |job| job.id.0);
        let new = NewJob::new(JobKind::Train, "recommendations", &()).key(format!("train after {after}"));
        Ok(self.queue.enqueue_now(new).await?)
    }

    async fn activate(&self, req: ForModel) -> Result<ModelInfo, RecommendError> {
        let known = self
            .store
            .model(req.model)
            .await?
            .ok_or(RecommendError::ModelNotFound)?;
        if known.state == ModelState::Refused {
            return Err(RecommendError::ModelRefused(known.decision));
        }
        let loaded = self.load_model(known.id, known.created_at).await?;
        let info = self
            .store
            .activate(known.id)
            .await?
            .ok_or(RecommendError::ModelNotFound)?;
        self.serve(loaded).await?;
        Ok(info)
    }

    async fn estimate(&self, req: ForModel) -> Result<ModelEstimate, RecommendError> {
        self.estimated(req.model).await
    }

    async fn experiments(&self, req: ListExperiments) -> Result<Vec<Experiment>, RecommendError> {
        self.list_experiments(req).await
    }

    async fn start_experiment(&self, req: StartExperiment) -> Result<Experiment, RecommendError> {
        self.loaded().await?;
        self.begin_experiment(req).await
    }

    async fn experiment(&self, req: ForExperiment) -> Result<ExperimentResults, RecommendError> {
        self.read_experiment(req).await
    }

    async fn stop_experiment(&self, req: ForExperiment) -> Result<Experiment, RecommendError> {
        self.end_experiment(req).await
    }

    async fn erase(&self, req: ForProfileOnly) -> Result<Done, RecommendError> {
        self.live.forget(req.profile);
        self.store.erase(req.profile).await?;
        Ok(Done {})
    }
}

/// The trainings, as jobs.
#[async_trait]
impl Jobs for Room {
    async fn list(&self, req: ListJobs) -> Result<Vec<Job>, JobError> {
        self.queue.list(req).await
    }

    async fn get(&self, req: ForJob) -> Result<Job, JobError> {
        self.queue.get(req).await
    }

    async fn cancel(&self, req: ForJob) -> Result<Job, JobError> {
        self.queue.cancel(req).await
    }

    async fn retry(&self, req: ForJob) -> Result<Job, JobError> {
        self.queue.retry(req).await
    }

    async fn first(&self, req: ForJob) -> Result<Job, JobError> {
        self.queue.first(req).await
    }

    async fn outlook(&self, req: AskOutlook) -> Result<Outlook, JobError> {
        self.queue.outlook(req).await
    }
}

impl Room {
    /// Live changes of trainings, for progress on a page.
    pub fn job_changes(&self) -> tokio::sync::broadcast::Receiver<Job> {
        self.queue.changes()
    }

    async fn make(&self, placed: &Placed<'_>, explore_share: f32, request: &GetHome, recent: RecentActivity) -> Made {
        let episodes = self.episodes(placed.shelf, &recent).await;
        let id = self.inputs.id();
        let built = page::build(&Asked {
            shelf: placed.shelf,
            request,
            recent: &recent,
            episodes: &episodes,
            now: self.inputs.now_ms(),
            page: id,
            rival: placed.rival,
            explore_share,
            rows_fixed: self.config.rows_fixed,
        });
        let page = HomePage {
            id,
            model: placed.shelf.model.as_ref().map(|model| model.id),
            hero: built.hero,
            rows: built.rows,
            states: recent.states,
            listed: recent.listed,
        };
        Made {
            page,
            explored: built.explored,
            teams: built.teams,
        }
    }

    /// The shelf, once there is one: an empty page would say that there are no titles.
    async fn loaded(&self) -> Result<Arc<Shelf>, Fault> {
        let unavailable = |why: String| Fault::Unavailable(format!("titles are not loaded yet: {why}"));
        match tokio::time::timeout(READY_WAIT, self.ready()).await {
            Ok(Ok(())) => Ok(self.shelf.load_full()),
            Ok(Err(error)) => Err(unavailable(format!("{error:#}"))),
            Err(_) => Err(unavailable("it takes long".into())),
        }
    }

    async fn recent(&self, viewer: &Viewer) -> Result<RecentActivity, RecommendError> {
        let recent = self
            .activity
            .recent(Recent {
                profile: viewer.profile,
                limit: RECENT,
            })
            .await;
        recent.map_err(|error| Fault::Unavailable(format!("activity: {error}")).into())
    }

    /// Cards of what is in progress and not on the shelf. A page without them is better than none.
    async fn episodes(&self, shelf: &Shelf, recent: &RecentActivity) -> Vec<Card> {
        let in_progress = recent
            .states
            .iter()
            .filter(|state| state.progress.as_ref().is_some_and(|it| !it.finished));
        let unknown = in_progress
            .map(|state| state.title)
            .filter(|title| shelf.titles.slot(*title).is_none());
        let titles: Vec<TitleId> = unknown.take(EPISODES_MAX).collect();
        if titles.is_empty() {
            return Vec::new();
        }
        match self.catalog.cards(GetCards { titles }).await {
            Ok(cards) => cards,
            Err(error) => {
                tracing::warn!(%error, "episodes in progress could not be looked up");
                Vec::new()
            }
        }
    }
}

fn is_open(job: &Job) -> bool {
    matches!(job.state, JobState::Queued | JobState::Running)
}

fn job_fault(error: JobError) -> Fault {
    match error {
        JobError::Fault(fault) => fault,
        other => Fault::Internal(other.to_string()),
    }
}

fn at_most(limit: u32, count: usize) -> Result<(), RecommendError> {
    if count > limit as usize {
        Err(RecommendError::TooMany(limit))
    } else {
        Ok(())
    }
}

fn within(limit: u32, asked: u32) -> Result<usize, RecommendError> {
    at_most(limit, asked as usize)?;
    Ok(asked as usize)
}
