//! Training, judging, publishing, going back, and artefacts that are not what they were.

use contract::{
    ModelId, ProfileId, TitleId,
    activity::{Activity as _, CountInteractions, ForProfileOnly},
    jobs::JobState,
    recommend::{
        ForModel, GetHome, GetPreview, ListModels, ModelState, Recommend as _, RecommendError, Row, RowKind,
        StartTraining,
    },
};
use platform::blob::BlobStore;
use tokio_util::sync::CancellationToken;

use crate::house::{DAY_MS, FILMS, House, everywhere, finish, titles, viewer};

async fn models(house: &House) -> Vec<contract::recommend::ModelInfo> {
    house
        .door
        .models(ListModels {
            before: None,
            limit: 100,
        })
        .await
        .unwrap()
}

/// Trains twice: the older and the newer model, which serves.
async fn two_models(house: &House) -> [ModelId; 2] {
    house.train().await;
    let older = house.newest_model().await.id;
    house.clock.advance(1_000);
    house.train().await;
    [older, house.newest_model().await.id]
}

#[tokio::test]
async fn a_first_model_is_judged_and_published() {
    everywhere(async |house| {
        let job = house.train().await;
        assert_eq!(job.state, JobState::Done, "{}: {job:?}", house.name);
        let model = house.newest_model().await;
        assert_eq!(model.state, ModelState::Active);
        let learned = (model.interactions, model.viewers, model.titles);
        assert_eq!(learned, (720, 60, FILMS as u64));
        assert!(model.decision.contains("first model"), "{}", model.decision);
        let usual = reco::BaseConfig::default().ease.regularisation;
        let kept = ("ease.regularisation".to_owned(), usual);
        assert!(model.settings.contains(&kept), "{:?}", model.settings);
        let metric = |name: &str| {
            model
                .metrics
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| *value)
        };
        assert!(
            metric("ndcg@20") > metric("ndcg@20 of popularity"),
            "{:?}",
            model.metrics
        );
        assert!(job.outcome.is_some_and(|outcome| outcome.starts_with("published")));
    })
    .await;
}

#[tokio::test]
async fn two_requests_make_one_training() {
    everywhere(async |house| {
        let other = house.another().await;
        let (one, two) = tokio::join!(house.door.train(StartTraining {}), other.train(StartTraining {}));
        assert_eq!(one.unwrap().id, two.unwrap().id, "{}", house.name);
    })
    .await;
}

#[tokio::test]
async fn nothing_to_learn_from_is_said() {
    everywhere(async |house| {
        for profile in 1..=60 {
            house
                .activity
                .erase(ForProfileOnly {
                    profile: ProfileId(profile),
                })
                .await
                .unwrap();
        }
        let job = house.train().await;
        assert_eq!(job.state, JobState::Failed, "{}", house.name);
        assert!(job.error.is_some_and(|error| error.contains("nothing to learn from")));
    })
    .await;
}

#[tokio::test]
async fn one_goes_back_to_an_older_model() {
    everywhere(async |house| {
        house.train().await;
        let first = house.newest_model().await.id;
        house.clock.advance(1_000);
        house.train().await;
        let second = house.newest_model().await;
        assert_eq!(second.state, ModelState::Active, "{}: {}", house.name, second.decision);
        assert_ne!(first, second.id);
        let back = house.door.activate(ForModel { model: first }).await.unwrap();
        assert_eq!(back.state, ModelState::Active);
        assert_eq!(house.home(ProfileId(1)).await.model, Some(first));
        let states: Vec<_> = models(house)
            .await
            .iter()
            .map(|model| (model.id, model.state))
            .collect();
        assert_eq!(states, [(second.id, ModelState::Ready), (first, ModelState::Active)]);
        let unknown = house.door.activate(ForModel { model: ModelId(1) }).await;
        assert_eq!(unknown, Err(RecommendError::ModelNotFound));
        assert_eq!(
            house
                .another()
                .await
                .activate(ForModel { model: second.id })
                .await
                .unwrap()
                .id,
            second.id
        );
        house
            .until(async || house.home(ProfileId(1)).await.model == Some(second.id))
            .await;
    })
    .await;
}

#[tokio::test]
async fn where_the_model_in_service_broke_the_next_training_is_published() {
    everywhere(async |house| {
        let [first, second] = two_models(house).await;
        let blobs = BlobStore::open(house.folder.path()).unwrap();
        blobs.delete(&format!("models/{second}/manifest.json")).await.unwrap();
        let restarted = house.another().await;
        let page = restarted
            .home(GetHome {
                viewer: viewer(ProfileId(1)),
                exclude: Vec::new(),
            })
            .await
            .unwrap();
        assert_eq!(page.model, Some(first), "{}", house.name);
        house.clock.advance(1_000);
        let job = restarted.train(StartTraining {}).await.unwrap();
        finish(&restarted, job).await;
        let third = house.newest_model().await;
        assert_eq!(third.state, ModelState::Active, "{}: {}", house.name, third.decision);
    })
    .await;
}

#[tokio::test]
async fn an_artefact_cut_short_or_altered_is_refused_and_the_old_one_stays() {
    everywhere(async |house| {
        let [first, second] = two_models(house).await;
        house.door.activate(ForModel { model: first }).await.unwrap();
        let blobs = BlobStore::open(house.folder.path()).unwrap();
        let key = format!("models/{second}/ials.safetensors");
        let whole = blobs.get(&key).await.unwrap();
        let mut altered = whole.to_vec();
        let middle = altered.len() / 2;
        altered[middle] ^= 0x40;
        for bad in [whole[..whole.len() / 3].to_vec(), altered, Vec::new()] {
            blobs.put(&key, bad).await.unwrap();
            let answer = house.door.activate(ForModel { model: second }).await;
            let Err(RecommendError::ModelBroken(reason)) = answer else {
                panic!("{answer:?} on {}", house.name)
            };
            assert!(reason.contains("ials"), "{reason}");
            assert_eq!(house.home(ProfileId(1)).await.model, Some(first));
        }
        blobs.put(&key, whole).await.unwrap();
        blobs.delete(&format!("models/{second}/manifest.json")).await.unwrap();
        assert!(matches!(
            house.door.activate(ForModel { model: second }).await,
            Err(RecommendError::ModelBroken(_))
        ));
        // The one that serves breaks on disk: a restart takes the other good one, or none.
        blobs.put(&format!("models/{first}/manifest.json"), "{}").await.unwrap();
        let restarted = house.another().await;
        let viewer = crate::house::viewer(ProfileId(1));
        let page = restarted
            .home(contract::recommend::GetHome {
                viewer,
                exclude: Vec::new(),
            })
            .await
            .unwrap();
        assert_eq!(page.model, None);
        assert!(!page.rows.is_empty(), "pages go on without a model");
    })
    .await;
}

#[tokio::test]
async fn a_training_that_is_interrupted_goes_on_and_the_old_model_serves() {
    everywhere(async |house| {
        house.train().await;
        let first = house.newest_model().await.id;
        let job = house.door.train(StartTraining {}).await.unwrap();
        let stop = CancellationToken::new();
        let mut changes = house.room.job_changes();
        let worker = tokio::spawn(house.room.clone().run_worker(stop.clone()));
        // As soon as it is at work, the process goes down.
        while changes.recv().await.unwrap().state != JobState::Running {}
        stop.cancel();
        worker.await.unwrap();
        assert!(house.home(ProfileId(1)).await.model.is_some());
        let known = contract::jobs::Jobs::get(&*house.room, contract::jobs::ForJob { job: job.id })
            .await
            .unwrap();
        if known.state == JobState::Queued {
            assert_eq!(house.home(ProfileId(1)).await.model, Some(first), "{}", house.name);
            let next = house.another().await;
            assert_eq!(finish(&next, known).await.state, JobState::Done);
        }
        assert_eq!(models(house).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn only_the_newest_artefacts_are_kept() {
    everywhere(async |house| {
        house.train().await;
        let first = house.newest_model().await.id;
        let blobs = BlobStore::open(house.folder.path()).unwrap();
        blobs.put("models/zzz/left-by-a-kill", "x").await.unwrap();
        for _ in 0..4 {
            house.clock.advance(1_000);
            house.train().await;
        }
        let all = models(house).await;
        assert_eq!(all.len(), 5, "{}: what is known of them stays", house.name);
        let kept: Vec<_> = all.into_iter().filter(|model| model.is_stored).collect();
        assert_eq!(kept.len(), 3, "{}", house.name);
        assert!(kept.iter().all(|model| model.id != first));
        let gone = house.door.activate(ForModel { model: first }).await;
        assert_eq!(
            gone,
            Err(RecommendError::ModelBroken("its files are no longer kept".into()))
        );
        let files = blobs.list("models").await.unwrap();
        let is_known = |key: &str| {
            kept.iter()
                .any(|model| key.starts_with(&format!("models/{}/", model.id)))
        };
        assert!(files.iter().all(|file| is_known(&file.key)), "{files:?}");
    })
    .await;
}

#[tokio::test]
async fn enough_news_starts_a_training() {
    everywhere(async |house| {
        let changes = house.activity.count(CountInteractions {}).await.unwrap().changes;
        assert!(changes >= 500);
        assert!(house.room.train_if_due().await.unwrap(), "{}", house.name);
        assert!(!house.room.train_if_due().await.unwrap(), "the same news are no news");
        let job = house.door.train(StartTraining {}).await.unwrap();
        assert_eq!(finish(&house.room, job).await.state, JobState::Done);
        assert!(!house.room.train_if_due().await.unwrap());
        house.clock.advance(2 * DAY_MS);
        assert!(
            !house.room.train_if_due().await.unwrap(),
            "time alone is nothing to learn from"
        );
        house.rate(ProfileId(1), 2, 10).await;
        assert!(house.room.train_if_due().await.unwrap(), "one change and a day");
    })
    .await;
}

#[tokio::test]
async fn any_model_shows_the_page_that_it_would_make() {
    everywhere(async |house| {
        let ask = |model, as_new| GetPreview {
            viewer: viewer(ProfileId(1)),
            model,
            as_new,
        };
        house.train().await;
        let first = house.newest_model().await.id;
        let page_of_first = house.home(ProfileId(1)).await.rows;
        // Comedies are what everybody likes from now on.
        for person in 0..30 {
            for film in [1, 5, 9, 13, 17, 21] {
                house.rate(ProfileId(800 + person), film, 10).await;
            }
        }
        house.train().await;
        let second = house.newest_model().await;
        assert_eq!(second.state, ModelState::Active, "{}: {}", house.name, second.decision);
        let shown_before = house.room.shown(ProfileId(1), 10).await.unwrap().len();

        let preview = house.door.preview(ask(second.id, false)).await.unwrap();
        assert_eq!(preview.model, Some(second.id));
        // From the fourth place on some show what is drawn for each page.
        let head = |rows: &[Row]| -> Vec<(String, Vec<TitleId>)> {
            let of = |row: &Row| (row.id.clone(), titles(row).into_iter().take(3).collect());
            rows.iter().map(of).collect()
        };
        let now = house.home(ProfileId(1)).await.rows;
        assert_eq!(head(&preview.rows), head(&now), "{}", house.name);
        let preview = house.door.preview(ask(first, false)).await.unwrap();
        assert_eq!(preview.model, Some(first));
        let personal = |rows: &[Row]| {
            let picks = rows.iter().find(|row| row.kind == RowKind::TopPicks);
            picks.map(|row| titles(row)[..3].to_vec())
        };
        assert_eq!(personal(&preview.rows), personal(&page_of_first), "{}", house.name);
        assert_eq!(
            house.home(ProfileId(1)).await.model,
            Some(second.id),
            "looking changes nothing"
        );
        assert_eq!(house.room.shown(ProfileId(1), 10).await.unwrap().len(), shown_before);

        let new = house.door.preview(ask(first, true)).await.unwrap();
        assert!(new.states.is_empty() && new.rows.len() > 2, "{}", house.name);
        assert_ne!(personal(&new.rows), personal(&page_of_first), "{}", house.name);
        let unknown = house.door.preview(ask(ModelId(1), false)).await;
        assert_eq!(unknown, Err(RecommendError::ModelNotFound));
    })
    .await;
}
