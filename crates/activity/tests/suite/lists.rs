//! My List, and what `recent` says of it.

use contract::{
    TitleId,
    activity::{ActivityError, ListOf},
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
