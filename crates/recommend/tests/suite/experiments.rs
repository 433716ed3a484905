//! Experiments: who gets which model, what is counted of what viewers did, what the results say, and what is refused.

use std::time::Duration;

use contract::{
    ExperimentId, ModelId, ProfileId, TitleId,
    activity::{Activity as _, ForProfileOnly, HalfStars, Opinion, Rate},
    experiments::{
        Experiment, ExperimentArm, ExperimentMethod, ExperimentMetric, ExperimentResults, ExperimentState,
        ExperimentVerdict, ForExperiment, ListExperiments, StartExperiment,
    },
    recommend::{ForModel, HomePage, Recommend as _, RecommendError, RowKind},
};
use platform::{blob::BlobStore, db::Engine};
use recommend::Config;
use tokio_util::sync::CancellationToken;

use crate::house::{House, everywhere, row, titles, usual};

const HOUR_MS: i64 = 3_600_000;
/// The sixty with a history, and as many without one as a test needs to say anything.
const VIEWERS: i64 = 130;
/// Less than a write waits for its turn on SQLite.
const PATIENCE: Duration = Duration::from_secs(30);

/// Trains two models; the older and the newer, which serves.
async fn two_models(house: &House) -> [ModelId; 2] {
    house.train().await;
    let older = house.newest_model().await.id;
    house.clock.advance(1_000);
    house.rate(ProfileId(59), 3, 2).await;
    house.train().await;
    let newer = house.newest_model().await.id;
    house.door.activate(ForModel { model: newer }).await.unwrap();
    [older, newer]
}

pub fn setup(method: ExperimentMethod, models: [ModelId; 2]) -> StartExperiment {
    let arm = |name: &str, model| ExperimentArm {
        name: name.into(),
        model,
        weight: 1,
    };
    let guards = match method {
        ExperimentMethod::Ab => vec![ExperimentMetric::Dislikes],
        ExperimentMethod::Interleaving => Vec::new(),
    };
    StartExperiment {
        name: "The newer one against the older".into(),
        method,
        metric: ExperimentMetric::Plays,
        guards,
        arms: vec![arm("newer", models[1]), arm("older", models[0])],
        share_percent: 100,
        window_ms: HOUR_MS,
    }
}

/// An experiment of two models that has begun, and these, the older one first.
async fn begun(house: &House, method: ExperimentMethod) -> (Experiment, [ModelId; 2]) {
    let models = two_models(house).await;
    let experiment = house.door.start_experiment(setup(method, models)).await.unwrap();
    (experiment, models)
}

async fn results(house: &House, experiment: &Experiment) -> ExperimentResults {
    let asked = ForExperiment {
        experiment: experiment.id,
    };
    house.door.experiment(asked).await.unwrap()
}

/// What is waiting to be written is written; once a house.
async fn written(house: &House) {
    let stop = CancellationToken::new();
    stop.cancel();
    house.room.clone().run(stop).await;
}

/// The first title of the first row that recommends, or of *Top Picks*.
fn recommended(page: &HomePage) -> TitleId {
    let own = |kind: &RowKind| matches!(kind, RowKind::ContinueWatching | RowKind::MyList);
    titles(row(page, |kind| !own(kind)).unwrap())[0]
}

#[tokio::test]
async fn an_ab_gives_each_arm_its_model_and_counts_what_came_of_it() {
    everywhere(async |house| {
        let (experiment, models) = begun(house, ExperimentMethod::Ab).await;
        let another = house.another().await;
        let (mut arms, mut idle) = ([0u64; 2], Vec::new());
        for viewer in (1..=VIEWERS).map(ProfileId) {
            let page = house.home(viewer).await;
            let arm = usize::from(page.model == Some(models[0]));
            assert_eq!(page.model, Some(models[1 - arm]), "{}", house.name);
            assert_eq!(house.home(viewer).await.model, page.model, "the same on the next page");
            arms[arm] += 1;
            // In the arm of the older model three of four play something, in the other one of four.
            if (viewer.0 % 4 == 0) == (arm == 0) {
                house.watch(viewer, house.film(recommended(&page)), 30).await;
            } else {
                idle.push((viewer, house.film(recommended(&page))));
            }
            if viewer.0 <= 4 {
                let elsewhere = another.home(request(viewer)).await.unwrap();
                assert_eq!(elsewhere.model, page.model, "every process agrees");
            }
        }
        assert!(arms.iter().all(|viewers| *viewers > 50), "{}: {arms:?}", house.name);
        written(house).await;
        let early = house.room.observe_experiments().await.unwrap();
        assert_eq!(early, 0, "nobody's window is over");
        let early = results(house, &experiment).await;
        assert_eq!(
            (early.verdict, early.waiting),
            (ExperimentVerdict::TooEarly, VIEWERS as u64)
        );
        let erased = ForProfileOnly { profile: ProfileId(7) };
        house.door.erase(erased).await.unwrap();
        // A window later, and the positions that players reported are there.
        house.clock.advance(2 * HOUR_MS);
        for (viewer, film) in idle {
            house.watch(viewer, film, 30).await;
        }
        let opened = house.just_opened().await;
        assert_eq!(
            opened.observe_experiments().await.unwrap(),
            0,
            "without titles nobody is counted"
        );
        assert_eq!(
            house.room.observe_experiments().await.unwrap(),
            VIEWERS as u64 - 1,
            "{}",
            house.name
        );
        assert_eq!(house.room.observe_experiments().await.unwrap(), 0, "each counts once");
        assert_eq!(
            another.observe_experiments().await.unwrap(),
            0,
            "also for another process"
        );
        let late = results(house, &experiment).await;
        let counted: u64 = late.arms.iter().map(|arm| arm.viewers).sum();
        assert_eq!((counted, late.waiting), (VIEWERS as u64 - 1, 0));
        let plays: Vec<f64> = late.arms.iter().map(|arm| arm.means[0].1).collect();
        let is_near = (plays[0] - 0.25).abs() < 0.15 && (plays[1] - 0.75).abs() < 0.15;
        assert!(is_near, "{}: {plays:?}", house.name);
        assert_eq!(late.verdict, ExperimentVerdict::Better, "{}", late.decision);
        let difference = late.difference.unwrap();
        assert!(difference.low > 0.0 && difference.high > difference.value && difference.p_value < 0.05);
    })
    .await;
}

#[tokio::test]
async fn interleaving_mixes_top_picks_and_remembers_who_gave_what() {
    everywhere(async |house| {
        let (experiment, models) = begun(house, ExperimentMethod::Interleaving).await;
        let viewers: Vec<ProfileId> = (1..=40).map(ProfileId).collect();
        let mut pages = Vec::new();
        for viewer in &viewers {
            let page = house.home(*viewer).await;
            assert_eq!(page.model, Some(models[1]), "the first arm's model makes the page");
            pages.push(page);
        }
        written(house).await;
        let mut counts = [0u64; 3];
        for (viewer, page) in viewers.iter().zip(&pages) {
            let shown = house.room.shown(*viewer, 1).await.unwrap().remove(0);
            let (id, teams) = shown.arm.as_deref().unwrap().split_once(':').unwrap();
            assert_eq!((id, shown.page), (experiment.id.to_string().as_str(), page.id));
            let of = |letter| teams.matches(letter).count();
            assert!(
                of('a').abs_diff(of('b')) <= 1 && of('a') + of('b') >= 4,
                "{}: {teams}",
                house.name
            );
            let picks = titles(row(page, |kind| *kind == RowKind::TopPicks).unwrap());
            // Of five viewers three play what the second arm gave, one what the first did, one nothing.
            let wanted = ['b', 'b', 'b', 'a', '.'][viewer.0 as usize % 5];
            match teams.find(wanted) {
                Some(place) => {
                    house.watch(*viewer, house.film(picks[place]), 30).await;
                    counts[usize::from(wanted == 'b')] += 1;
                }
                None => counts[2] += 1,
            }
        }
        house.clock.advance(2 * HOUR_MS);
        assert_eq!(house.room.observe_experiments().await.unwrap(), 40, "{}", house.name);
        let found = results(house, &experiment).await;
        let preference = found.preference.unwrap();
        assert_eq!(
            [preference.first, preference.second, preference.ties],
            counts,
            "{}",
            house.name
        );
        assert_eq!(counts, [8, 24, 8]);
        assert_eq!(found.difference, None);
        assert!(preference.share.unwrap() > 0.7, "{}", found.decision);
    })
    .await;
}

#[tokio::test]
async fn one_runs_at_a_time_and_what_cannot_be_run_is_refused() {
    everywhere(async |house| {
        let models = two_models(house).await;
        let wanted = setup(ExperimentMethod::Ab, models);
        let mut unknown = wanted.clone();
        unknown.arms[1].model = ModelId(1);
        let refused = house.door.start_experiment(unknown).await;
        assert_eq!(refused, Err(RecommendError::ModelNotFound));
        let mut spoiled = wanted.clone();
        spoiled.arms.pop();
        let refused = house.door.start_experiment(spoiled).await;
        assert!(
            matches!(refused, Err(RecommendError::ExperimentInvalid(_))),
            "{refused:?}"
        );
        let first = house.door.start_experiment(wanted.clone()).await.unwrap();
        assert_eq!(
            house.door.start_experiment(wanted.clone()).await,
            Err(RecommendError::ExperimentRunning)
        );
        let viewer = with_model(house, models[0]).await;
        let restarted = house.another().await;
        let elsewhere = restarted.home(request(viewer)).await.unwrap();
        assert_eq!(
            elsewhere.model,
            Some(models[0]),
            "also after a restart, on {}",
            house.name
        );
        let asked = ForExperiment { experiment: first.id };
        let stopped = house.door.stop_experiment(asked).await.unwrap();
        assert_eq!(stopped.state, ExperimentState::Stopped);
        assert_eq!(
            house.door.stop_experiment(asked).await.unwrap(),
            stopped,
            "twice is no error"
        );
        assert_eq!(house.home(viewer).await.model, Some(models[1]), "{}", house.name);
        written(house).await;
        assert!(results(house, &first).await.waiting > 0);
        house.clock.advance(2 * HOUR_MS);
        assert_eq!(
            house.room.observe_experiments().await.unwrap(),
            0,
            "the stop came before the end of any window"
        );
        assert_eq!(results(house, &first).await.waiting, 0, "who took part is forgotten");
        let second = house.door.start_experiment(wanted).await.unwrap();
        let list = ListExperiments {
            before: None,
            limit: 10,
        };
        let listed = house.door.experiments(list).await.unwrap();
        let listed: Vec<ExperimentId> = listed.iter().map(|it| it.id).collect();
        assert_eq!(listed, [second.id, first.id]);
        let nobody = ForExperiment {
            experiment: ExperimentId(1),
        };
        let not_found = RecommendError::ExperimentNotFound;
        assert_eq!(house.door.experiment(nobody).await, Err(not_found.clone()));
        assert_eq!(house.door.stop_experiment(nobody).await, Err(not_found));
    })
    .await;
}

/// No arm shows what the other hides: what was disliked after a page is on neither's.
#[tokio::test]
async fn hard_constraints_hold_in_a_mixed_row() {
    everywhere(async |house| {
        begun(house, ExperimentMethod::Interleaving).await;
        for viewer in (1..=8).map(ProfileId) {
            let before = house.home(viewer).await;
            let disliked = titles(row(&before, |kind| *kind == RowKind::TopPicks).unwrap());
            for title in disliked.iter().take(3) {
                house.opine(viewer, house.film(*title), Opinion::Dislike).await;
            }
            let mut young = crate::house::viewer(viewer);
            young.maturity_max = 12;
            for page in [house.home(viewer).await, house.home_of(young).await] {
                let all: Vec<TitleId> = page.rows.iter().flat_map(titles).collect();
                assert!(
                    disliked.iter().take(3).all(|title| !all.contains(title)),
                    "{}",
                    house.name
                );
                let picks = titles(row(&page, |kind| *kind == RowKind::TopPicks).unwrap());
                let unique: std::collections::HashSet<_> = picks.iter().collect();
                assert_eq!(unique.len(), picks.len());
            }
            let mut young = crate::house::viewer(viewer);
            young.maturity_max = 12;
            let page = house.home_of(young).await;
            assert!(
                page.rows
                    .iter()
                    .flat_map(titles)
                    .all(|title| house.film(title) % 10 != 9),
                "{}",
                house.name
            );
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_was_shown_what_is_deleted_by_now_is_not_counted() {
    everywhere(async |house| {
        let (experiment, _) = begun(house, ExperimentMethod::Ab).await;
        for viewer in (1..=20).map(ProfileId) {
            let page = house.home(viewer).await;
            house.watch(viewer, house.film(recommended(&page)), 30).await;
        }
        written(house).await;
        let twelve = Config {
            pages_max: 12,
            ..usual()
        };
        let deleted = house.opened_with(twelve).await.prune().await.unwrap();
        assert_eq!(deleted, 8, "{}", house.name);
        house.clock.advance(2 * HOUR_MS);
        assert_eq!(house.room.observe_experiments().await.unwrap(), 12, "{}", house.name);
        let found = results(house, &experiment).await;
        let counted: u64 = found.arms.iter().map(|arm| arm.viewers).sum();
        assert_eq!((counted, found.waiting), (12, 0), "{}", house.name);
        for arm in &found.arms {
            assert_eq!(arm.means[0].1, 1.0, "{}: all of them have played one", house.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_that_is_written_late_enrols_nobody() {
    everywhere(async |house| {
        let (experiment, _) = begun(house, ExperimentMethod::Ab).await;
        house.home(ProfileId(1)).await;
        let asked = ForExperiment {
            experiment: experiment.id,
        };
        house.door.stop_experiment(asked).await.unwrap();
        house.clock.advance(2 * HOUR_MS);
        let counted = house.room.observe_experiments().await.unwrap();
        assert_eq!(counted, 0, "nobody is waiting, so it is closed");
        written(house).await;
        assert_eq!(house.room.shown(ProfileId(1), 10).await.unwrap().len(), 1);
        assert_eq!(results(house, &experiment).await.waiting, 0, "{}", house.name);
    })
    .await;
}

#[tokio::test]
async fn an_experiment_that_cannot_be_served_says_why() {
    everywhere(async |house| {
        let (experiment, models) = begun(house, ExperimentMethod::Ab).await;
        let key = format!("models/{}/ials.safetensors", models[0]);
        BlobStore::open(house.folder.path())
            .unwrap()
            .put(&key, "cut short")
            .await
            .unwrap();
        let restarted = house.another().await;
        let asked = ForExperiment {
            experiment: experiment.id,
        };
        let read = restarted.experiment(asked).await.unwrap().experiment;
        let problem = read.problem.as_deref().unwrap();
        assert!(problem.contains("“older”") && problem.contains("ials"), "{problem}");
        assert_eq!(read.state, ExperimentState::Running);
        let list = ListExperiments {
            before: None,
            limit: 10,
        };
        assert_eq!(restarted.experiments(list).await.unwrap(), [read], "{}", house.name);
        assert_eq!(
            house.door.experiments(list).await.unwrap(),
            [experiment],
            "where it is served there is none"
        );
        restarted.stop_experiment(asked).await.unwrap();
        assert_eq!(restarted.experiments(list).await.unwrap()[0].problem, None);
    })
    .await;
}

#[tokio::test]
async fn an_experiment_goes_on_with_no_model_that_was_refused() {
    everywhere(async |house| {
        let (experiment, models) = begun(house, ExperimentMethod::Ab).await;
        // Versions before this one let an experiment begin with such a model.
        let sql = "UPDATE models SET state = 'refused' WHERE model_id = $1";
        let mut tx = house.room.database().begin().await.unwrap();
        platform::on!(tx, conn => sqlx::query(sql).bind(models[0].0).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        let restarted = house.another().await;
        let asked = ForExperiment {
            experiment: experiment.id,
        };
        let problem = restarted.experiment(asked).await.unwrap().experiment.problem;
        assert!(
            problem.is_some_and(|problem| problem.contains("never serves")),
            "{}",
            house.name
        );
        for viewer in (1..=60).map(ProfileId) {
            let page = restarted.home(request(viewer)).await.unwrap();
            assert_eq!(page.model, Some(models[1]), "{}", house.name);
        }
    })
    .await;
}

/// Rates a film low, which makes the lists anew and nothing else; waits until the next page is made of those.
async fn refreshed(house: &House, film: usize) {
    let version = async || house.door.home_version(request(ProfileId(1))).await.unwrap();
    let before = version().await;
    let rate = Rate {
        profile: ProfileId(901),
        title: house.films[film],
        opinion: Opinion::Stars(HalfStars::new(2).unwrap()),
    };
    house.activity.rate(rate).await.unwrap();
    let wait = async {
        while version().await == before {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("lists are not fresh on {}", house.name));
}

#[tokio::test]
async fn lists_stay_fresh_while_viewers_are_counted() {
    everywhere(async |house| {
        begun(house, ExperimentMethod::Ab).await;
        for viewer in (1..=8).map(ProfileId) {
            house.home(viewer).await;
        }
        written(house).await;
        house.clock.advance(HOUR_MS - 30_000);
        let stop = CancellationToken::new();
        let mut running = tokio::spawn(house.room.clone().run(stop.clone()));
        // After the second turn all that is done once at the start is done.
        refreshed(house, 0).await;
        refreshed(house, 1).await;
        house.bus.settle().await.unwrap();
        // Whoever counts viewers now has to wait; and all of them are due.
        let mut held = house.room.database().begin().await.unwrap();
        if let Engine::Postgres(conn) = held.engine() {
            // Not a row: a transaction that writes holds the bus up.
            let lock = "LOCK TABLE experiment_viewers IN EXCLUSIVE MODE";
            sqlx::query(lock).execute(conn).await.unwrap();
        }
        house.clock.advance(60_000);
        for film in 2..20 {
            refreshed(house, film).await;
        }
        stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, &mut running).await;
        ended.expect("it does not wait for the count").unwrap();
        held.rollback().await.unwrap();
        assert_eq!(house.room.observe_experiments().await.unwrap(), 8, "{}", house.name);
    })
    .await;
}

fn request(viewer: ProfileId) -> contract::recommend::GetHome {
    contract::recommend::GetHome {
        viewer: crate::house::viewer(viewer),
        exclude: Vec::new(),
    }
}

/// A viewer whose pages come from this model.
async fn with_model(house: &House, model: ModelId) -> ProfileId {
    for viewer in (1..=60).map(ProfileId) {
        if house.home(viewer).await.model == Some(model) {
            return viewer;
        }
    }
    panic!("nobody has the model on {}", house.name);
}
