//! Which models are kept and which one serves, on both engines.

use platform::{Inputs, test_support::databases};

use super::*;

fn model(id: i64, state: ModelState) -> ModelInfo {
    ModelInfo {
        id: ModelId(id),
        state,
        created_at: id,
        train_s: 1.0,
        interactions: 1,
        viewers: 1,
        titles: 1,
        metrics: Vec::new(),
        baseline: Vec::new(),
        decision: String::from("judged"),
        settings: Vec::new(),
        is_stored: true,
    }
}

/// The tables alone.
async fn everywhere(test: impl AsyncFn(&Store, &str)) {
    for database in databases().await {
        let db: Db = database.open("recommend", &crate::MIGRATIONS).await;
        test(&Store::new(db, Inputs::manual(3).0), database.name).await;
    }
}

async fn states(store: &Store) -> Vec<(i64, ModelState)> {
    let kept = store.models(None, 2_000).await.unwrap();
    kept.into_iter().map(|info| (info.id.0, info.state)).collect()
}

#[tokio::test]
async fn trainings_that_fail_leave_a_way_back() {
    use ModelState::{Active, Ready, Refused};
    everywhere(async |store, name| {
        store.add(model(1, Ready), None, 0).await.unwrap();
        store.add(model(2, Ready), None, 0).await.unwrap();
        store.add(model(3, Active), None, 0).await.unwrap();
        for id in 4..10 {
            store.add(model(id, Refused), Some(ModelId(3)), 0).await.unwrap();
        }
        let mut gone = store.forget_old(2).await.unwrap();
        gone.sort_unstable();
        assert_eq!(gone, [1, 4, 5, 6, 7].map(ModelId), "{name}");
        let kept = store.stored_models().await.unwrap();
        let kept: Vec<i64> = kept.into_iter().map(|info| info.id.0).collect();
        assert_eq!(kept, [9, 8, 3, 2], "{name}");
        assert_eq!(store.forget_old(2).await.unwrap(), [], "{name}: once");
    })
    .await;
}

#[tokio::test]
async fn a_record_outlives_its_files() {
    use ModelState::{Active, Ready, Refused};
    everywhere(async |store, name| {
        let trained = [(1, Ready), (2, Refused), (3, Ready), (4, Refused), (5, Active)];
        for (id, state) in trained {
            store.add(model(id, state), None, 0).await.unwrap();
        }
        store.forget_old(1).await.unwrap();
        let all = store.models(None, 100).await.unwrap();
        let told: Vec<_> = all.iter().map(|info| (info.id.0, info.state, info.is_stored)).collect();
        assert_eq!(
            told,
            [
                (5, Active, true),
                (4, Refused, true),
                (3, Ready, false),
                (2, Refused, false),
                (1, Ready, false)
            ],
            "{name}"
        );
        assert_eq!(
            all[2],
            ModelInfo {
                is_stored: false,
                ..model(3, Ready)
            },
            "{name}"
        );
        assert_eq!(
            store.activate(ModelId(3)).await.unwrap(),
            None,
            "{name}: it has nothing to serve with"
        );
        assert_eq!(store.active().await.unwrap(), Some(ModelId(5)), "{name}");
    })
    .await;
}

#[tokio::test]
async fn the_records_of_a_thousand_models_are_kept() {
    everywhere(async |store, name| {
        store.add(model(1, ModelState::Active), None, 0).await.unwrap();
        for id in 2..=RECORDS_MAX + 5 {
            store.add(model(id, ModelState::Refused), None, 0).await.unwrap();
        }
        assert_eq!(
            store.forget_old(2).await.unwrap().len(),
            RECORDS_MAX as usize + 2,
            "{name}"
        );
        let all: Vec<i64> = states(store).await.into_iter().map(|(id, _)| id).collect();
        let newest = (6..=RECORDS_MAX + 5).rev();
        assert_eq!(
            all,
            newest.chain([1]).collect::<Vec<_>>(),
            "{name}: and the one that serves"
        );
    })
    .await;
}

#[tokio::test]
async fn a_model_serves_only_in_the_place_of_the_one_that_it_was_judged_against() {
    use ModelState::{Active, Ready};
    everywhere(async |store, name| {
        assert_eq!(
            store.add(model(1, Active), None, 0).await.unwrap().state,
            Active,
            "{name}"
        );
        assert_eq!(
            store.add(model(2, Active), Some(ModelId(1)), 0).await.unwrap().state,
            Active
        );
        for against in [None, Some(ModelId(1))] {
            let id = 3 + i64::from(against.is_some());
            let late = store.add(model(id, Active), against, 0).await.unwrap();
            assert_eq!(late.state, Ready, "{name}");
            assert_eq!(
                late.decision,
                "another model was put in service during the training; judged"
            );
        }
        assert_eq!(store.active().await.unwrap(), Some(ModelId(2)), "{name}");
        assert_eq!(
            states(store).await,
            [(4, Ready), (3, Ready), (2, Active), (1, Ready)],
            "{name}"
        );
        // Of two that end at once, one.
        let (one, other) = tokio::join!(
            store.add(model(5, Active), Some(ModelId(2)), 0),
            store.add(model(6, Active), Some(ModelId(2)), 0)
        );
        let served = [one.unwrap(), other.unwrap()].map(|info| info.state == Active);
        assert_eq!(served.iter().filter(|serves| **serves).count(), 1, "{name}");
    })
    .await;
}
