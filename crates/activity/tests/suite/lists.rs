//! My List, and what `recent` says of it.

use contract::{
    TitleId,
    activity::{ActivityError, ListOf},
    events::EventBody,
};

use crate::house::{ANN, BOB, everywhere, of};

#[tokio::test]
async fn titles_are_listed_newest_first_and_removed() {
    everywhere(async |house| {
        for title in 1..=3 {
            house.clock.advance(1_000);
            house.door.add_to_list(of(ANN, title)).await.unwrap();
        }
        house.door.add_to_list(of(ANN, 1)).await.unwrap();
        let list = ListOf {
            profile: ANN,
            after: None,
            limit: 2,
        };
        let page = house.door.list(list).await.unwrap();
        assert_eq!(
            page.items.iter().map(|state| state.title.0).collect::<Vec<_>>(),
            [3, 2],
            "{}",
            house.name
        );
        let rest = house
            .door
            .list(ListOf {
                after: page.next,
                ..list
            })
            .await
            .unwrap();
        assert_eq!(
            (rest.items.len(), rest.items[0].title.0, rest.next),
            (1, 1, None),
            "adding again changes nothing"
        );
        house.door.remove_from_list(of(ANN, 2)).await.unwrap();
        house.door.remove_from_list(of(ANN, 2)).await.unwrap();
        assert_eq!(house.recent(ANN).await.listed, [TitleId(3), TitleId(1)]);
        assert_eq!(house.recent(BOB).await, Default::default());
    })
    .await;
}

#[tokio::test]
async fn a_list_has_an_end() {
    everywhere(async |house| {
        let add = |title| house.door.add_to_list(of(ANN, title));
        let added = futures::future::join_all((1..=500).map(add)).await;
        assert!(added.iter().all(Result::is_ok), "{}", house.name);
        assert_eq!(add(501).await, Err(ActivityError::ListFull));
        assert!(add(500).await.is_ok(), "it is there already");
        house.door.remove_from_list(of(ANN, 1)).await.unwrap();
        assert!(add(501).await.is_ok());
        // Old list entries are not pushed out of sight by newer ratings.
        house.clock.advance(1_000);
        for title in 2_000..2_020 {
            house.rate(ANN, title, 5).await;
        }
        let recent = house.recent(ANN).await;
        assert_eq!((recent.listed.len(), recent.states.len()), (500, 500));
        assert_eq!(recent.states[0].title, TitleId(2_019));
    })
    .await;
}

#[tokio::test]
async fn a_title_that_is_deleted_leaves_every_list() {
    everywhere(async |house| {
        for profile in [ANN, BOB] {
            house.door.add_to_list(of(profile, 1)).await.unwrap();
            house.door.add_to_list(of(profile, 2)).await.unwrap();
        }
        house.rate(ANN, 1, 8).await;
        let source = house
            .tell("catalog", EventBody::TitleDeleted { title: TitleId(1) })
            .await;
        house.bus.attach(&source).await.unwrap();
        house.bus.settle().await.unwrap();
        for profile in [ANN, BOB] {
            assert_eq!(house.recent(profile).await.listed, [TitleId(2)], "{}", house.name);
        }
        assert!(
            house.door.state(of(ANN, 1)).await.unwrap().opinion.is_some(),
            "{}",
            house.name
        );
    })
    .await;
}
