//! The page of somebody who has done nothing yet.

use contract::{
    ProfileId,
    accounts::Preferences,
    activity::{Activity as _, HalfStars, ImportRatings, ImportedRating, Opinion},
    recommend::{Explain, Reason, RowKind, Viewer},
};
use platform::clock::Clock as _;

use crate::house::{DAY_MS, NEW, everywhere, row, titles, viewer};

#[tokio::test]
async fn a_new_viewer_gets_what_was_chosen() {
    everywhere(async |house| {
        house.train().await;
        let preferences = Preferences {
            genres: vec!["Western".into()],
            ..Preferences::default()
        };
        let page = house
            .home_of(Viewer {
                preferences,
                ..viewer(NEW)
            })
            .await;
        let picks = row(&page, |kind| *kind == RowKind::TopPicks).expect("top picks");
        let western = titles(picks)
            .into_iter()
            .filter(|title| house.film(*title) % 4 == 3)
            .count();
        assert!(
            western * 2 >= picks.items.len(),
            "{western} of {} on {}",
            picks.items.len(),
            house.name
        );
        assert_eq!(picks.items[0].reason, Some(Reason::Genres(vec!["Western".into()])));
        // One like says more than nothing.
        house.opine(NEW, 4, Opinion::Like).await;
        let page = house.home(NEW).await;
        assert!(row(&page, |kind| *kind == RowKind::BecauseYouWatched(house.films[4])).is_some());
    })
    .await;
}

/// Nothing is known of them but what everybody does, and that the model knows: what is going to be watched, not what was watched most.
#[tokio::test]
async fn a_viewer_without_a_past_gets_what_the_model_expects_of_everybody() {
    everywhere(async |house| {
        let now = house.clock.now_ms();
        let rating = |profile: i64, film: usize, at: i64| ImportedRating {
            profile: ProfileId(profile),
            title: house.films[film],
            stars: HalfStars::new(9).unwrap(),
            at,
        };
        let old = (0..90).map(|person| rating(700 + person, 43, now - 300 * DAY_MS + person * 1_000));
        let new = (0..60).map(|person| rating(900 + person, 83, now - DAY_MS + person * 1_000));
        let ratings = old.chain(new).collect();
        house.activity.import_ratings(ImportRatings { ratings }).await.unwrap();
        house.train().await;
        let page = house.home(NEW).await;
        let picks = row(&page, |kind| *kind == RowKind::TopPicks).expect("top picks");
        assert_eq!(titles(picks)[0], house.films[83], "{}", house.name);
        assert_eq!(picks.items[0].reason, Some(Reason::Trending), "{}", house.name);
        // Of the genre that they chose first, in the same order.
        let preferences = Preferences {
            genres: vec!["Western".into()],
            ..Preferences::default()
        };
        let chooses = Viewer {
            preferences,
            maturity_max: 12,
            ..viewer(NEW)
        };
        let page = house.home_of(chooses.clone()).await;
        let picks = row(&page, |kind| *kind == RowKind::TopPicks).expect("top picks");
        let films: Vec<usize> = titles(picks).into_iter().map(|title| house.film(title)).collect();
        let place = |film| films.iter().position(|other| *other == film);
        assert_eq!(place(83), Some(0), "{}: {films:?}", house.name);
        assert!(place(43).is_none_or(|place| place > 0), "{}: {films:?}", house.name);
        let western = films.iter().filter(|film| *film % 4 == 3).count();
        assert!(
            western * 2 >= films.len() && western < films.len(),
            "{}: {films:?}",
            house.name
        );
        let genres = Some(Reason::Genres(vec!["Western".into()]));
        assert_eq!(picks.items[0].reason, genres, "{}", house.name);
        let why = Explain {
            viewer: chooses,
            title: house.films[83],
        };
        assert_eq!(house.door.explain(why).await.unwrap(), genres, "{}", house.name);
        let shown: Vec<usize> = page
            .rows
            .iter()
            .flat_map(titles)
            .map(|title| house.film(title))
            .collect();
        assert!(
            shown.iter().all(|film| film % 10 != 9),
            "{}: not for their age",
            house.name
        );
    })
    .await;
}
