//! The guard, from a training to what serves: a model that was refused never does.

use contract::{
    ProfileId,
    activity::{Activity as _, ForProfileOnly, HalfStars, ImportRatings, ImportedRating},
    experiments::ExperimentMethod,
    recommend::{ForModel, GetHome, ModelState, Recommend as _, RecommendError},
};
use platform::{blob::BlobStore, clock::Clock as _};

use crate::{
    experiments::setup,
    house::{DAY_MS, House, everywhere, viewer},
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
