//! Experiments: two models compared on the viewers of the running service.
//!
//! **Serving**: a stable hash of experiment and profile chooses the arm ([`reco::experiment::arm_of`]), so nothing is looked up. The
//! models of both arms stand beside the one in service on the same titles, as long as the experiment runs: three models at most serve. With interleaving, *Top Picks* is mixed of both arms' picks, by lots of the page's id.
//! **Observing** ([`observe`]): the log of pages says who was shown what in which arm. When a viewer's window is over, what they did
//! with those titles is asked of activity, and added to the sums of their arm, once.
//! **Reading** ([`results`]): sums only.
//!
//! The arm is stored with each page (`pages.arm`): `experiment.arm` as in `z8.1`, and with interleaving `experiment:teams`, a letter
//! for each of the first places of *Top Picks*: `a` picked by the first arm's model, `b` by the second's, `-` by neither. The propensities
//! stored with such a page are those of its own draft.

pub(crate) mod observe;
mod results;
pub(crate) mod store;

use std::sync::Arc;

use contract::{
    ExperimentId, Fault, Millis, PAGE_ITEMS_MAX, ProfileId,
    experiments::{
        ARMS, Experiment, ExperimentMethod, ExperimentResults, ExperimentState, ForExperiment, ListExperiments,
        NAME_CHARS_MAX, SHARE_PERCENT, StartExperiment, WEIGHT, WINDOW_MS,
    },
    recommend::{ModelState, RecommendError},
};
use platform::ids::made_at_ms;
use reco::experiment::{ENROLLED_ALL, arm_of, is_enrolled};

use crate::{Room, live::Live, loaded::Loaded, shelf::Shelf};

/// The experiment that runs, with the models of its arms.
pub struct Trial {
    pub experiment: Arc<Experiment>,
    pub models: [Arc<Loaded>; ARMS],
}

/// The arms on the titles of one shelf.
pub struct Arms {
    experiment: Arc<Experiment>,
    /// Absent where the arm's model is the one in service: then it is the shelf itself.
    shelves: [Option<Box<Shelf>>; ARMS],
}

/// Where a viewer's pages come from.
pub struct Placed<'a> {
    pub shelf: &'a Shelf,
    /// With interleaving: whose picks are mixed in.
    pub rival: Option<&'a Shelf>,
    arm: Option<(&'a Experiment, usize)>,
}

impl Trial {
    /// The arm's model of this id: it is not kept twice.
    pub fn loaded(&self, model: contract::ModelId) -> Option<Arc<Loaded>> {
        self.models.iter().find(|loaded| loaded.id == model).cloned()
    }
}

impl Arms {
    /// Shelves for the arms' models beside `main`, on its titles; `current` brings a model up to what happened since its training.
    pub fn new(
        trial: &Trial,
        main: &Shelf,
        current: impl Fn(&Arc<Loaded>) -> Arc<Loaded>,
        live: &Live,
        now: Millis,
    ) -> Self {
        let in_service = main.model.as_ref().map(|model| model.id);
        let shelf = |model: &Arc<Loaded>| {
            let own = || {
                let mut own = Shelf::new(main.titles.clone(), Some(current(model)), live, now);
                // What everybody watches now is nothing that a model knows: it must not tell the arms apart.
                own.lists.trending.clone_from(&main.lists.trending);
                Box::new(own)
            };
            (Some(model.id) != in_service).then(own)
        };
        Self {
            experiment: trial.experiment.clone(),
            shelves: [shelf(&trial.models[0]), shelf(&trial.models[1])],
        }
    }
}

impl Shelf {
    /// A model as it stands on this shelf or on that of an arm: what it has counted so far is not counted again.
    pub fn serving(&self, model: contract::ModelId) -> Option<Arc<Loaded>> {
        let arms = self.arms.iter().flat_map(|arms| arms.shelves.iter().flatten());
        let mut models = self.model.iter().chain(arms.filter_map(|shelf| shelf.model.as_ref()));
        models.find(|loaded| loaded.id == model).cloned()
    }

    /// The shelf for a viewer: of the arm they are in, or this one.
    pub fn place(&self, profile: ProfileId) -> Placed<'_> {
        let of = |arms: &Arms| arm_for(&arms.experiment, profile);
        let Some((arms, arm)) = self.arms.as_ref().and_then(|arms| Some((arms, of(arms)?))) else {
            return Placed::alone(self);
        };
        let shelf = |arm: usize| arms.shelves[arm].as_deref().unwrap_or(self);
        Placed {
            shelf: shelf(arm),
            rival: (arms.experiment.setup.method == ExperimentMethod::Interleaving).then(|| shelf(1)),
            arm: Some((&arms.experiment, arm)),
        }
    }
}

impl<'a> Placed<'a> {
    /// Outside any experiment.
    pub fn alone(shelf: &'a Shelf) -> Self {
        Self {
            shelf,
            rival: None,
            arm: None,
        }
    }

    /// What is stored with a page; `teams` of *Top Picks* where it was mixed.
    pub fn arm(&self, teams: Option<&str>) -> Option<String> {
        let (experiment, arm) = self.arm?;
        match (self.rival, teams) {
            (None, _) => Some(format!("{}.{arm}", experiment.id)),
            (Some(_), teams) => Some(format!("{}:{}", experiment.id, teams.unwrap_or_default())),
        }
    }
}

/// The arm of a viewer; none for those who do not take part. With interleaving all who do are in the first: its model makes the page.
fn arm_for(experiment: &Experiment, profile: ProfileId) -> Option<usize> {
    let (salt, viewer) = (experiment.id.0 as u64, profile.0 as u64);
    let share = experiment.setup.share_percent * ENROLLED_ALL.end / 100;
    if !is_enrolled(salt, viewer, &(0..share)) {
        return None;
    }
    match experiment.setup.method {
        ExperimentMethod::Interleaving => Some(0),
        ExperimentMethod::Ab => {
            let weights: Vec<u32> = experiment.setup.arms.iter().map(|arm| arm.weight).collect();
            arm_of(salt, viewer, &weights)
        }
    }
}

impl Room {
    pub(crate) async fn list_experiments(&self, req: ListExperiments) -> Result<Vec<Experiment>, RecommendError> {
        let limit = req.limit.clamp(1, PAGE_ITEMS_MAX);
        let mut known = self.store.experiments(req.before, limit).await?;
        known.iter_mut().for_each(|experiment| self.tell_problem(experiment));
        Ok(known)
    }

    fn tell_problem(&self, experiment: &mut Experiment) {
        let known = self.trial_problem.load();
        let own = known.as_deref().filter(|(id, _)| *id == experiment.id);
        experiment.problem = own.map(|(_, problem)| problem.clone());
    }

    pub(crate) async fn begin_experiment(&self, setup: StartExperiment) -> Result<Experiment, RecommendError> {
        let kept_ms = i64::from(self.config.pages_keep_days) * 86_400_000;
        check(&setup, kept_ms).map_err(|wrong| RecommendError::ExperimentInvalid(wrong.into()))?;
        if self.store.running_experiment().await?.is_some() {
            return Err(RecommendError::ExperimentRunning);
        }
        let id: ExperimentId = self.inputs.id();
        let experiment = Experiment {
            id,
            setup,
            state: ExperimentState::Running,
            started_at: made_at_ms(id.0),
            stopped_at: None,
            problem: None,
        };
        // Both must be able to serve before anybody is given to them.
        let trial = self.trial_of(experiment.clone()).await?;
        self.store.start_experiment(&experiment).await?;
        self.put_trial(Some(trial)).await;
        // It may have been stopped before it was served.
        self.follow_experiment().await?;
        Ok(experiment)
    }

    pub(crate) async fn end_experiment(&self, req: ForExperiment) -> Result<Experiment, RecommendError> {
        let now = self.inputs.now_ms();
        let stopped = self.store.stop_experiment(req.experiment, now).await?;
        let stopped = stopped.ok_or(RecommendError::ExperimentNotFound)?;
        self.follow_experiment().await?;
        Ok(stopped)
    }

    pub(crate) async fn read_experiment(&self, req: ForExperiment) -> Result<ExperimentResults, RecommendError> {
        let known = self.store.experiment(req.experiment).await?;
        let mut experiment = known.ok_or(RecommendError::ExperimentNotFound)?;
        self.tell_problem(&mut experiment);
        let sums = self.store.experiment_sums(experiment.id).await?;
        let waiting = self.store.experiment_waiting(experiment.id).await?;
        Ok(results::read(experiment, &sums, waiting))
    }

    /// Serves the experiment that runs, or none: after a start, and when another process has started or stopped one.
    pub(crate) async fn follow_experiment(&self) -> Result<(), Fault> {
        let _following = self.following.lock().await;
        let running = self.store.running_experiment().await?;
        let served = self.trial.load().as_ref().map(|trial| trial.experiment.id);
        if running.as_ref().map(|experiment| experiment.id) == served {
            self.trial_problem.store(None);
            return Ok(());
        }
        let (mut trial, mut problem) = (None, None);
        if let Some(experiment) = running {
            let id = experiment.id;
            match self.trial_of(experiment).await {
                Ok(loaded) => trial = Some(loaded),
                // Storage that does not answer says nothing about the models: they are asked for again.
                Err(RecommendError::Fault(fault)) => {
                    let waits = "its models cannot be read at the moment; it is tried again";
                    self.trial_problem.store(Some(Arc::new((id, waits.into()))));
                    return Err(fault);
                }
                Err(error) => {
                    tracing::error!(%error, "the experiment's models cannot serve; everybody has the model in service");
                    problem = Some(Arc::new((id, error.to_string())));
                }
            }
        }
        self.trial_problem.store(problem);
        self.put_trial(trial).await;
        Ok(())
    }

    /// Loads what is not loaded yet. Whom chance gives to an arm has its model: one that the guard refused is no arm.
    async fn trial_of(&self, experiment: Experiment) -> Result<Trial, RecommendError> {
        let mut models = Vec::with_capacity(ARMS);
        for arm in &experiment.setup.arms {
            let info = self.store.model(arm.model).await?;
            let info = info.ok_or(RecommendError::ModelNotFound)?;
            if info.state == ModelState::Refused {
                return Err(RecommendError::ModelRefused(info.decision));
            }
            let here = self.shelf.load().model.clone().filter(|model| model.id == info.id);
            let model = match here {
                Some(model) => model,
                None => {
                    let loaded = self.load_model(info.id, info.created_at).await;
                    Arc::new(loaded.map_err(|error| of_arm(&arm.name, error))?)
                }
            };
            models.push(model);
        }
        let models = models.try_into();
        let models = models.map_err(|_| Fault::Internal("an experiment without two arms".into()))?;
        Ok(Trial {
            experiment: Arc::new(experiment),
            models,
        })
    }
}

/// Says which of the two models is broken.
fn of_arm(arm: &str, error: RecommendError) -> RecommendError {
    match error {
        RecommendError::ModelBroken(why) => RecommendError::ModelBroken(format!("that of “{arm}”: {why}")),
        other => other,
    }
}

/// Refuses what cannot be run, in words; what was shown is kept for `kept_ms`.
fn check(setup: &StartExperiment, kept_ms: Millis) -> Result<(), &'static str> {
    let is_name = |name: &str| !name.trim().is_empty() && name.chars().count() <= NAME_CHARS_MAX;
    let interleaved = setup.method == ExperimentMethod::Interleaving;
    let [first, second] = &setup.arms[..] else {
        return Err("an experiment has two arms");
    };
    let guards = &setup.guards;
    let repeated = (1..guards.len()).any(|at| guards[..at].contains(&guards[at]));
    match () {
        () if !is_name(&setup.name) => Err("the experiment has no name, or too long a one"),
        () if !is_name(&first.name) || !is_name(&second.name) => Err("an arm has no name, or too long a one"),
        () if first.name == second.name => Err("both arms have the same name"),
        () if first.model == second.model => Err("both arms have the same model: there is nothing to compare"),
        () if setup.arms.iter().any(|arm| !WEIGHT.contains(&arm.weight)) => Err("weights are 1 to 100"),
        () if interleaved && first.weight != second.weight => {
            Err("interleaving mixes both arms evenly: give equal weights")
        }
        () if interleaved && !setup.guards.is_empty() => Err("interleaving has no guards: both arms make each page"),
        () if repeated => Err("a guard is named twice"),
        () if setup.guards.contains(&setup.metric) => Err("the metric itself is no guard"),
        () if !SHARE_PERCENT.contains(&setup.share_percent) => Err("the share is 1 to 100 per cent"),
        () if !WINDOW_MS.contains(&setup.window_ms) => Err("viewers are observed for an hour to thirty days"),
        () if setup.window_ms > kept_ms => {
            Err("viewers cannot be observed for longer than what they were shown is kept (recommend.pages_keep_days)")
        }
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use contract::{
        ExperimentId, ModelId,
        experiments::{ExperimentArm, ExperimentMetric},
    };

    use super::*;

    /// So long what was shown is kept.
    const DAYS: Millis = 3 * 86_400_000;

    fn setup() -> StartExperiment {
        let arm = |name: &str, model| ExperimentArm {
            name: name.into(),
            model: ModelId(model),
            weight: 1,
        };
        StartExperiment {
            name: "Shorter memory".into(),
            method: ExperimentMethod::Ab,
            metric: ExperimentMetric::Plays,
            guards: vec![ExperimentMetric::Dislikes],
            arms: vec![arm("as it is", 1), arm("new", 2)],
            share_percent: 100,
            window_ms: 86_400_000,
        }
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        assert_eq!(check(&setup(), DAYS), Ok(()));
        type Change = fn(&mut StartExperiment);
        let refused: [(&str, Change); 13] = [
            ("name", |it| it.name = "  ".into()),
            ("name", |it| it.arms[0].name = "x".repeat(81)),
            ("same name", |it| it.arms[1].name = it.arms[0].name.clone()),
            ("same model", |it| it.arms[1].model = it.arms[0].model),
            ("two arms", |it| it.arms.truncate(1)),
            ("weights", |it| it.arms[0].weight = 0),
            ("guards", |it| it.method = ExperimentMethod::Interleaving),
            ("twice", |it| {
                it.guards = [
                    ExperimentMetric::Finishes,
                    ExperimentMetric::Dislikes,
                    ExperimentMetric::Finishes,
                ]
                .into()
            }),
            ("metric itself", |it| it.guards = vec![ExperimentMetric::Plays]),
            ("share", |it| it.share_percent = 0),
            ("share", |it| it.share_percent = 101),
            ("observed", |it| it.window_ms = 1),
            ("kept", |it| it.window_ms = DAYS + 1),
        ];
        for (word, spoil) in refused {
            let mut spoiled = setup();
            spoil(&mut spoiled);
            let wrong = check(&spoiled, DAYS).expect_err(word);
            assert!(wrong.contains(word), "{word}: {wrong}");
        }
    }

    #[test]
    fn shares_and_weights_decide_how_many_take_part() {
        let mut experiment = Experiment {
            id: ExperimentId(77 << 22),
            setup: setup(),
            state: ExperimentState::Running,
            started_at: 0,
            stopped_at: None,
            problem: None,
        };
        experiment.setup.share_percent = 20;
        experiment.setup.arms[1].weight = 3;
        let arms: Vec<Option<usize>> = (0..20_000).map(|n| arm_for(&experiment, ProfileId(n << 22))).collect();
        let share = |arm| arms.iter().filter(|it| **it == arm).count() as f64 / arms.len() as f64;
        assert!((share(None) - 0.80).abs() < 0.01, "{}", share(None));
        assert!((share(Some(0)) - 0.05).abs() < 0.01, "{}", share(Some(0)));
        assert!((share(Some(1)) - 0.15).abs() < 0.01, "{}", share(Some(1)));
        experiment.setup.method = ExperimentMethod::Interleaving;
        assert!(
            (0..1_000).all(|n| arm_for(&experiment, ProfileId(n)) != Some(1)),
            "the first arm's model makes the page"
        );
    }
}
