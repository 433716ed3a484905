//! The other answers, and what is kept of them.

use std::collections::HashSet;

use contract::{
    ProfileId, TitleId,
    activity::{Activity as _, ForProfileOnly, ForTitleOf, Opinion},
    catalog::{Catalog as _, UpdateTitle},
    recommend::{
        Explain, GetHome, GetOnboarding, GetSimilar, GetTop, Reason, Recommend as _, RecommendError, Row, RowKind,
    },
};
use tokio_util::sync::CancellationToken;

use crate::house::{House, NEW, everywhere, viewer};

#[tokio::test]
async fn similar_titles_are_of_the_same_taste() {
    everywhere(async |house| {
        let ask = GetSimilar {
            title: house.films[0],
            viewer: viewer(NEW),
            limit: 10,
            exclude: Vec::new(),
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
            exclude: Vec::new(),
        };
        assert_eq!(house.door.similar(unknown).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn whoever_asks_right_after_a_start_waits_for_the_titles() {
    everywhere(async |house| {
        house.train().await;
        let model = house.newest_model().await.id;
        let viewer = viewer(ProfileId(1));
        let home = GetHome {
            viewer: viewer.clone(),
            exclude: Vec::new(),
        };
        let page = house.just_opened().await.home(home).await.unwrap();
        assert!(page.rows.len() > 3 && page.model == Some(model), "{}", house.name);
        let top = GetTop {
            viewer: viewer.clone(),
            limit: 10,
            exclude: Vec::new(),
        };
        assert_eq!(house.just_opened().await.top(top).await.unwrap().len(), 10);
        let onboarding = GetOnboarding { viewer, limit: 10 };
        assert_eq!(
            house.just_opened().await.onboarding(onboarding).await.unwrap().len(),
            10
        );
    })
    .await;
}

/// Two stars are evidence, but nothing that is named as a reason for something else.
#[tokio::test]
async fn no_reason_names_what_the_viewer_hated() {
    const ZOE: ProfileId = ProfileId(701);
    everywhere(async |house| {
        house.train().await;
        for film in [0, 4, 8] {
            house.rate(ZOE, film, 9).await;
        }
        let hated = [1, 5, 9, 13, 2, 6, 3];
        for film in &hated[..6] {
            house.rate(ZOE, *film, 1).await;
        }
        house.opine(ZOE, hated[6], Opinion::Dislike).await;
        let page = house.home(ZOE).await;
        let rows = page.rows.iter();
        let reasons = rows.flat_map(|row| row.items.iter().map(|item| &item.reason).chain([&row.reason]));
        let mut shown = 0;
        for named in reasons.flatten() {
            if let Reason::Because(named) = named {
                shown += 1;
                let named: Vec<usize> = named.iter().map(|it| house.film(it.title)).collect();
                assert!(
                    named.iter().all(|film| [0, 4, 8].contains(film)),
                    "{}: {named:?}",
                    house.name
                );
            }
        }
        assert!(shown > 5, "{}: {shown} reasons on the page", house.name);
        let mut reasons = 0;
        for title in &house.films {
            let why = Explain {
                viewer: viewer(ZOE),
                title: *title,
            };
            if let Some(Reason::Because(named)) = house.door.explain(why).await.unwrap() {
                reasons += 1;
                let named: Vec<usize> = named.iter().map(|it| house.film(it.title)).collect();
                assert!(
                    named.iter().all(|film| !hated.contains(film)),
                    "{}: {named:?}",
                    house.name
                );
            }
        }
        assert!(reasons > 10, "{}: {reasons} titles have a reason", house.name);
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
            Some(Reason::Trending),
            "of a viewer nothing is known: it is what everybody watches"
        );
    })
    .await;
}

/// Where a title stands among what is recommended to somebody, from 0.
async fn place(house: &House, profile: ProfileId, title: TitleId) -> usize {
    let top = GetTop {
        viewer: viewer(profile),
        limit: 200,
        exclude: Vec::new(),
    };
    let list = house.door.top(top).await.unwrap();
    list.iter().position(|item| item.title == title).unwrap_or(200)
}

/// A reason is true: what it names can be taken out of the history, and what it was given for falls.
#[tokio::test]
async fn a_recommendation_falls_without_the_title_that_it_names() {
    everywhere(async |house| {
        house.train().await;
        let mut fallen = Vec::new();
        for profile in (1..=12).map(ProfileId) {
            let first = house.home(profile).await.rows.remove(0).items.remove(0);
            let Some(Reason::Because(named)) = first.reason else {
                panic!("{}: the first of {profile} has no reason", house.name)
            };
            let before = place(house, profile, first.title).await;
            let forgotten = ForTitleOf {
                profile,
                title: named[0].title,
            };
            house.activity.forget(forgotten).await.unwrap();
            fallen.push(place(house, profile, first.title).await as i64 - before as i64);
        }
        assert!(fallen.iter().all(|places| *places >= 0), "{}: {fallen:?}", house.name);
        let far = fallen.iter().filter(|places| **places > 0).count();
        assert!(far >= 9, "{}: {fallen:?}", house.name);
    })
    .await;
}

/// Forgotten, a title gives no row its name and no title a reason.
#[tokio::test]
async fn a_row_goes_with_the_title_that_it_is_because_of() {
    everywhere(async |house| {
        house.train().await;
        for profile in (1..=12).map(ProfileId) {
            let before = house.home(profile).await;
            let of = |row: &Row| match row.kind {
                RowKind::BecauseYouWatched(title) => Some(title),
                _ => None,
            };
            let seed = before.rows.iter().find_map(of);
            let title = seed.unwrap_or_else(|| panic!("{}: no such row for {profile}", house.name));
            let names = |row: &Row| {
                let mut reasons = row.items.iter().map(|item| &item.reason).chain([&row.reason]);
                of(row) == Some(title)
                    || reasons.any(|reason| match reason {
                        Some(Reason::Because(named)) => named.iter().any(|one| one.title == title),
                        _ => false,
                    })
            };
            assert!(before.rows.iter().any(names), "{}", house.name);
            house.activity.forget(ForTitleOf { profile, title }).await.unwrap();
            let after = house.home(profile).await;
            assert!(
                !after.rows.is_empty() && !after.rows.iter().any(names),
                "{}: {profile}",
                house.name
            );
        }
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
        let similar = GetSimilar {
            title: house.films[0],
            viewer: viewer(NEW),
            limit: 10,
            exclude,
        };
        assert_eq!(house.door.similar(similar).await, Err(RecommendError::TooMany(500)));
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
        let stored = shown[0].rows().expect("it can be read");
        let titles = |row: &recommend::ShownRow| row.items.iter().map(|item| item.title).collect();
        let stored: Vec<(RowKind, Vec<TitleId>)> = stored.iter().map(|row| (row.kind.clone(), titles(row))).collect();
        assert_eq!(stored, rows, "every row and position");
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

#[tokio::test]
async fn what_waits_to_be_written_of_an_erased_profile_is_not_stored() {
    everywhere(async |house| {
        house.home(ProfileId(1)).await;
        let other = house.home(ProfileId(2)).await;
        let erased = ForProfileOnly { profile: ProfileId(1) };
        house.door.erase(erased).await.unwrap();
        // Asked for before it was erased, and answered after.
        house.home(ProfileId(1)).await;
        let stop = CancellationToken::new();
        stop.cancel();
        house.room.clone().run(stop).await;
        assert_eq!(house.room.shown(ProfileId(1), 10).await.unwrap(), [], "{}", house.name);
        assert_eq!(house.room.shown(ProfileId(2), 10).await.unwrap()[0].page, other.id);
    })
    .await;
}

/// Whoever shows a page again while the number stays shows what would be made now.
#[tokio::test]
async fn the_version_of_a_home_page_tells_every_change() {
    const YAN: ProfileId = ProfileId(702);
    everywhere(async |house| {
        let ask = GetHome {
            viewer: viewer(YAN),
            exclude: Vec::new(),
        };
        let version = async |ask: &GetHome| house.door.home_version(ask.clone()).await.unwrap();
        let mut seen = vec![version(&ask).await];
        let mut changed = async |what: &str| {
            let now = version(&ask).await;
            assert!(!seen.contains(&now), "{what} changes nothing on {}", house.name);
            assert_eq!(version(&ask).await, now, "asking again is no change after {what}");
            // Which of the places that explore show what is drawn for each page.
            let rows = async || {
                house
                    .home(YAN)
                    .await
                    .rows
                    .into_iter()
                    .map(|row| row.id)
                    .collect::<Vec<_>>()
            };
            assert_eq!(rows().await, rows().await, "{what} on {}", house.name);
            seen.push(now);
        };
        house.rate(YAN, 0, 9).await;
        changed("a rating").await;
        house.opine(YAN, 1, Opinion::Dislike).await;
        changed("a dislike").await;
        house.watch(YAN, 4, 20).await;
        changed("a position").await;
        house.watch(YAN, 4, 30).await;
        changed("a later position").await;
        house.train().await;
        changed("another model").await;
        let hide = UpdateTitle {
            published: Some(false),
            ..UpdateTitle::of(house.films[8])
        };
        let before = version(&ask).await;
        house.catalog.update(hide).await.unwrap();
        house.until(async || version(&ask).await != before).await;
        changed("a title that is gone").await;
        house.clock.advance(30_000);
        changed("time").await;

        let now = version(&ask).await;
        let mut child = ask.clone();
        child.viewer.maturity_max = 12;
        let mut comedian = ask.clone();
        comedian.viewer.preferences.genres = vec!["Comedy".into()];
        let mut without = ask.clone();
        without.exclude = vec![house.films[3]];
        for (what, other) in [("maturity", child), ("preferences", comedian), ("exclusions", without)] {
            assert_ne!(version(&other).await, now, "{what} on {}", house.name);
        }
    })
    .await;
}
