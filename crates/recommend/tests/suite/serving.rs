//! The other answers, and what is kept of them.

use std::collections::HashSet;

use contract::{
    ProfileId, TitleId,
    activity::ForProfileOnly,
    recommend::{Explain, GetHome, GetOnboarding, GetSimilar, GetTop, Reason, RecommendError, RowKind},
};
use tokio_util::sync::CancellationToken;

use crate::house::{NEW, everywhere, viewer};

#[tokio::test]
async fn similar_titles_are_of_the_same_taste() {
    everywhere(async |house| {
        let ask = GetSimilar {
            title: house.films[0],
            viewer: viewer(NEW),
            limit: 10,
        };
        house
            .until(async || !house.door.similar(ask.clone()).await.unwrap().is_empty())
            .await;
        house.train().await;
        let near = house.door.similar(ask).await.unwrap();
        let same = near.iter().filter(|item| house.film(item.title) % 4 == 0).count();
        // By chance it would be 2.5 of 10.
        assert!(
            same * 10 >= near.len() * 8,
            "{same} of {} on {}",
            near.len(),
            house.name
        );
        let unknown = GetSimilar {
            title: TitleId(1),
            viewer: viewer(NEW),
            limit: 10,
        };
        assert_eq!(house.door.similar(unknown).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn an_explanation_names_titles_that_the_viewer_liked() {
    everywhere(async |house| {
        house.train().await;
        let top = GetTop {
            viewer: viewer(ProfileId(1)),
            limit: 5,
            exclude: Vec::new(),
        };
        let top = house.door.top(top).await.unwrap();
        assert_eq!(top.len(), 5, "{}", house.name);
        let why = Explain {
            viewer: viewer(ProfileId(1)),
            title: top[0].title,
        };
        let Some(Reason::Because(named)) = house.door.explain(why).await.unwrap() else {
            panic!("no reason")
        };
        let total: f32 = named.iter().map(|it| it.share).sum();
        assert!(total > 0.0 && total <= 1.001, "{named:?}");
        assert!(named.windows(2).all(|pair| pair[0].share >= pair[1].share));
        let nothing = Explain {
            viewer: viewer(NEW),
            title: top[0].title,
        };
        assert_eq!(
            house.door.explain(nothing).await.unwrap(),
            None,
            "a viewer of whom nothing is known"
        );
    })
    .await;
}

#[tokio::test]
async fn a_first_visit_is_asked_about_titles_that_tell_tastes_apart() {
    everywhere(async |house| {
        house.train().await;
        let ask = |limit| GetOnboarding {
            viewer: viewer(NEW),
            limit,
        };
        let chosen = house.door.onboarding(ask(8)).await.unwrap();
        assert_eq!(chosen.iter().collect::<HashSet<_>>().len(), 8, "{}", house.name);
        let genres: HashSet<usize> = chosen.iter().take(6).map(|title| house.film(*title) % 4).collect();
        assert_eq!(genres.len(), 4, "every taste is among the first: {chosen:?}");
        assert_eq!(house.door.onboarding(ask(101)).await, Err(RecommendError::TooMany(100)));
    })
    .await;
}

#[tokio::test]
async fn too_much_is_refused() {
    everywhere(async |house| {
        let exclude = vec![TitleId(1); 501];
        let home = house
            .door
            .home(GetHome {
                viewer: viewer(NEW),
                exclude: exclude.clone(),
            })
            .await;
        assert_eq!(home, Err(RecommendError::TooMany(500)), "{}", house.name);
        let top = GetTop {
            viewer: viewer(NEW),
            limit: 201,
            exclude: Vec::new(),
        };
        assert_eq!(house.door.top(top).await, Err(RecommendError::TooMany(200)));
    })
    .await;
}

#[tokio::test]
async fn what_was_shown_is_stored_and_forgotten_with_its_profile() {
    everywhere(async |house| {
        house.train().await;
        let page = house.home(ProfileId(1)).await;
        let other = house.home(ProfileId(2)).await;
        let stop = CancellationToken::new();
        stop.cancel();
        // A last turn writes what is waiting.
        house.room.clone().run(stop).await;
        let shown = house.room.shown(ProfileId(1), 10).await.unwrap();
        assert_eq!(
            (shown.len(), shown[0].page, shown[0].model),
            (1, page.id, page.model),
            "{}",
            house.name
        );
        let rows: Vec<(RowKind, Vec<TitleId>)> = page
            .rows
            .iter()
            .map(|row| (row.kind.clone(), row.items.iter().map(|item| item.title).collect()))
            .collect();
        assert_eq!(shown[0].rows(), Some(rows), "every row and position");
        house
            .door
            .erase(ForProfileOnly { profile: ProfileId(1) })
            .await
            .unwrap();
        assert_eq!(house.room.shown(ProfileId(1), 10).await.unwrap(), []);
        assert_eq!(house.room.shown(ProfileId(2), 10).await.unwrap()[0].page, other.id);
    })
    .await;
}
