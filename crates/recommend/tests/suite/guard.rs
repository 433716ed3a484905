//! The guard, from a training to what serves: a model that was refused never does.

use std::time::Duration;

use contract::{
    ModelId, ProfileId,
    activity::{Activity as _, ForProfileOnly, HalfStars, ImportRatings, ImportedRating},
    experiments::ExperimentMethod,
    jobs::Job,
    recommend::{ForModel, GetHome, ModelState, Recommend as _, RecommendError, StartTraining},
};
use platform::{
    blob::BlobStore,
    clock::Clock as _,
    test_support::{Pairing, sqlite},
};
use recommend::Config;

use crate::{
    experiments::setup,
    house::{DAY_MS, House, everywhere, finish, usual, viewer},
};

/// The sixty that the model in service has learned from are gone, and sixty others are there: what they did in their past says
/// nothing about what they do now, which the model in service still knows.
async fn others_than_the_model_knows(house: &House) {
    for profile in (1..=60).map(ProfileId) {
        house.activity.erase(ForProfileOnly { profile }).await.unwrap();
    }
    let now = house.clock.now_ms();
    let mut ratings = Vec::new();
    for person in 0..60i64 {
        let mut rate = |number: i64, at: i64| {
            ratings.push(ImportedRating {
                profile: ProfileId(900 + person),
                title: house.films[(number * 4 + person % 4) as usize],
                stars: HalfStars::new(9).unwrap(),
                at: at + person * 1_000,
            });
        };
        // The same nine of their genre, then one of twenty others.
        (0..9).for_each(|step| rate(step, now - (100 - step * 9) * DAY_MS));
        rate(9 + person / 4 * 7 % 20, now);
    }
    house.clock.advance(DAY_MS);
    house.activity.import_ratings(ImportRatings { ratings }).await.unwrap();
}

#[tokio::test]
async fn a_model_that_was_refused_never_serves() {
    everywhere(async |house| {
        house.train().await;
        let good = house.newest_model().await.id;
        others_than_the_model_knows(house).await;
        let job = house.train().await;
        let refused = house.newest_model().await;
        assert_eq!(
            refused.state,
            ModelState::Refused,
            "{}: {}",
            house.name,
            refused.decision
        );
        assert!(
            refused.decision.starts_with("worse than the model in service"),
            "{}",
            refused.decision
        );
        assert_eq!(job.outcome, Some(format!("refused: {}", refused.decision)));
        assert_eq!(house.home(ProfileId(900)).await.model, Some(good));

        let answer = house.door.activate(ForModel { model: refused.id }).await;
        assert_eq!(
            answer,
            Err(RecommendError::ModelRefused(refused.decision.clone())),
            "{}",
            house.name
        );
        let arms = [good, refused.id];
        let given = house.door.start_experiment(setup(ExperimentMethod::Ab, arms)).await;
        assert_eq!(
            given,
            Err(RecommendError::ModelRefused(refused.decision)),
            "{}: nobody is given to it",
            house.name
        );
        assert_eq!(house.home(ProfileId(900)).await.model, Some(good));
        let blobs = BlobStore::open(house.folder.path()).unwrap();
        blobs.delete(&format!("models/{good}/manifest.json")).await.unwrap();
        let (viewer, exclude) = (viewer(ProfileId(900)), Vec::new());
        let page = house.another().await.home(GetHome { viewer, exclude }).await.unwrap();
        assert_eq!(page.model, None, "{}: rather none than the refused one", house.name);
    })
    .await;
}

/// Another training, with settings that stand in the stored state of the search as if it had found them.
async fn trained_with(house: &House, change: impl Fn(&mut serde_json::Value)) -> Job {
    let mut state = serde_json::to_value(house.room.tuning().await.unwrap().unwrap()).unwrap();
    change(&mut state["search"]["best"]);
    let sql = "UPDATE tuning SET state = $1";
    let mut tx = house.room.database().begin().await.unwrap();
    platform::on!(tx, conn => sqlx::query(sql).bind(state.to_string()).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    // It does not look for others.
    let config = Config {
        tune_budget_s: 0,
        ..usual()
    };
    let room = house.opened_with(config).await;
    room.ready().await.unwrap();
    let job = room.train(StartTraining {}).await.unwrap();
    finish(&room, job).await
}

/// It is in the list with this reason, cannot be put in service for it, and the one before serves.
async fn is_refused(house: &House, job: Job, good: ModelId, reason: &str) {
    let refused = house.newest_model().await;
    let said = (refused.state, refused.decision.as_str());
    assert!(
        refused.state == ModelState::Refused && said.1.starts_with(reason),
        "{}: {said:?}",
        house.name
    );
    assert_eq!(
        job.outcome,
        Some(format!("refused: {}", refused.decision)),
        "{}",
        house.name
    );
    let answer = house.door.activate(ForModel { model: refused.id }).await;
    assert_eq!(
        answer,
        Err(RecommendError::ModelRefused(refused.decision)),
        "{}",
        house.name
    );
    assert_eq!(house.home(ProfileId(1)).await.model, Some(good), "{}", house.name);
    // What it was refused for does not come again.
    let tuning = house.room.tuning().await.unwrap().unwrap();
    assert_eq!(tuning.search.best(), tuning.good, "{}", house.name);
}

#[tokio::test]
async fn a_model_with_scores_that_are_no_numbers_is_refused_with_the_reason() {
    everywhere(async |house| {
        house.train().await;
        let good = house.newest_model().await.id;
        let job = trained_with(house, |best| best["outlook_weight"] = 3e38.into()).await;
        is_refused(house, job, good, "broken: it scores a title with ").await;
    })
    .await;
}

/// By this clock the viewers of a comparison take a second with the model in service and ten with the new one. It is asked when the
/// comparison begins, and before and after the one and the other.
fn ten_times_slower() -> impl FnMut() -> Duration {
    let (mut asked, mut worked) = (0, Duration::ZERO);
    move || {
        worked += Duration::from_secs([0, 0, 1, 0, 10][asked % 5]);
        asked += 1;
        worked
    }
}

#[tokio::test]
async fn a_model_that_is_much_slower_is_refused_with_the_reason() {
    let house = House::open(Pairing::local(sqlite())).await;
    house.train().await;
    let good = house.newest_model().await.id;
    house.clock.works(ten_times_slower());
    let job = trained_with(&house, |_| ()).await;
    is_refused(&house, job, good, "much slower than the model in service: ").await;
    house.bus.shutdown().await;
}
