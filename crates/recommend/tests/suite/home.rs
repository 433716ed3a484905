//! The page that a viewer gets.

use contract::{
    ProfileId, TitleId,
    activity::{Activity as _, ForTitleOf, HalfStars, ImportRatings, ImportedRating, MarkWatched, Opinion},
    catalog::{Catalog as _, EpisodePlace, NewTitle, TitleKind, UpdateTitle},
    recommend::{GetHome, GetSimilar, HomePage, How, Reason, Recommend as _, RowKind},
};
use platform::clock::Clock as _;
use tokio_util::sync::CancellationToken;

use crate::house::{FILMS, GENRES, House, NEW, everywhere, row, titles, viewer};

/// The share of films of `genre` among the first ten of *Top Picks*.
async fn share_of(house: &House, profile: ProfileId, genre: usize) -> f32 {
    let page = house.home(profile).await;
    let picks = row(&page, |kind| *kind == RowKind::TopPicks).expect("top picks");
    let first: Vec<usize> = titles(picks)
        .into_iter()
        .take(10)
        .map(|title| house.film(title))
        .collect();
    first.iter().filter(|film| *film % 4 == genre).count() as f32 / first.len() as f32
}

#[tokio::test]
async fn before_the_first_model_pages_come_from_the_catalogue() {
    everywhere(async |house| {
        house
            .until(async || row(&house.home(NEW).await, |kind| *kind == RowKind::Popular).is_some())
            .await;
        let page = house.home(NEW).await;
        assert_eq!(page.model, None, "{}", house.name);
        assert!(page.hero.is_some());
        for kind in [RowKind::Popular, RowKind::New] {
            assert!(
                row(&page, |other| *other == kind).is_some(),
                "{kind:?} on {}",
                house.name
            );
        }
        assert!(row(&page, |kind| matches!(kind, RowKind::Genre(_))).is_some());
    })
    .await;
}

/// Before there is a model, and for titles that came after it, a good rating still leads on.
#[tokio::test]
async fn a_first_rating_leads_on_without_a_model() {
    everywhere(async |house| {
        house.rate(NEW, 2, 10).await;
        let page = house.home(NEW).await;
        assert_eq!(page.model, None);
        let because = row(&page, |kind| *kind == RowKind::BecauseYouWatched(house.films[2])).expect("a row");
        let alike = titles(because)
            .into_iter()
            .filter(|title| house.film(*title) % 4 == 2)
            .count();
        assert!(
            alike * 2 > because.items.len(),
            "{}: {alike} of {}",
            house.name,
            because.items.len()
        );
        assert!(row(&page, |kind| *kind == RowKind::TopPicks).is_some());
    })
    .await;
}

/// An import beside the server, and a server that starts at once: what activity has acknowledged counts.
#[tokio::test]
async fn ratings_that_the_catalogue_has_not_heard_of_count_from_the_start() {
    everywhere(async |house| {
        house.bus.shutdown().await;
        let ratings = (1_000..1_400).map(|viewer| ImportedRating {
            profile: ProfileId(viewer),
            title: house.films[77],
            stars: HalfStars::new(10).unwrap(),
            at: house.clock.now_ms(),
        });
        let ratings = ratings.collect();
        house.activity.import_ratings(ImportRatings { ratings }).await.unwrap();
        let another = house.another().await;
        let exclude = Vec::new();
        let viewer = viewer(NEW);
        let page = another.home(GetHome { viewer, exclude }).await.unwrap();
        let popular = row(&page, |kind| *kind == RowKind::Popular).expect("what is popular");
        let first = [page.hero.as_ref().expect("a hero").title, titles(popular)[0]];
        assert!(first.contains(&house.films[77]), "{}: {first:?}", house.name);
    })
    .await;
}

#[tokio::test]
async fn a_trained_page_knows_its_viewer() {
    everywhere(async |house| {
        house.train().await;
        let page = house.home(ProfileId(1)).await;
        assert_eq!(page.model, Some(house.newest_model().await.id), "{}", house.name);
        let kinds: std::collections::HashSet<_> =
            page.rows.iter().map(|row| std::mem::discriminant(&row.kind)).collect();
        assert!(
            kinds.len() >= 5,
            "{:?}",
            page.rows.iter().map(|row| &row.id).collect::<Vec<_>>()
        );
        for viewer in 1..=4 {
            let share = share_of(house, ProfileId(viewer), (viewer as usize - 1) % 4).await;
            assert!(
                share >= 0.5,
                "viewer {viewer} gets {share} of the genre that he likes, on {}",
                house.name
            );
        }
        let picks = row(&page, |kind| *kind == RowKind::TopPicks).unwrap();
        let reason = picks.items[0].reason.as_ref().expect("the first pick says why");
        let Reason::Because(named) = reason else {
            panic!("{reason:?}")
        };
        assert!(
            named
                .iter()
                .all(|it| it.how == How::Rated && house.film(it.title) % 4 == 0),
            "{named:?}"
        );
        assert_eq!(page.hero.as_ref().map(|hero| hero.title), Some(picks.items[0].title));
    })
    .await;
}

#[tokio::test]
async fn two_viewers_differ() {
    everywhere(async |house| {
        house.train().await;
        let (one, two) = (house.home(ProfileId(1)).await, house.home(ProfileId(2)).await);
        let picks = |page| titles(row(page, |kind| *kind == RowKind::TopPicks).unwrap());
        assert_ne!(picks(&one), picks(&two), "{}", house.name);
        // Each likes one genre and dislikes the next one.
        for (number, page) in [(0, &one), (1, &two)] {
            let share = share_of(house, ProfileId(number as i64 + 1), number).await;
            // By chance it would be a quarter.
            assert!(share >= 0.6, "{}: {share} of the first picks", house.name);
            let genres: Vec<&RowKind> = page
                .rows
                .iter()
                .map(|row| &row.kind)
                .filter(|kind| matches!(kind, RowKind::Genre(_)))
                .collect();
            assert_eq!(
                genres.first(),
                Some(&&RowKind::Genre(GENRES[number].into())),
                "{}: {genres:?}",
                house.name
            );
            let disliked = RowKind::Genre(GENRES[number + 1].into());
            assert_eq!(row(page, |kind| *kind == disliked), None, "{}", house.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_rating_changes_the_very_next_page() {
    everywhere(async |house| {
        house.train().await;
        let before = house.home(ProfileId(1)).await;
        house.rate(ProfileId(1), 2, 10).await;
        let after = house.home(ProfileId(1)).await;
        let because = row(&after, |kind| matches!(kind, RowKind::BecauseYouWatched(_))).expect("a row");
        assert_eq!(
            because.kind,
            RowKind::BecauseYouWatched(house.films[2]),
            "{}",
            house.name
        );
        let Some(Reason::Because(named)) = &because.reason else {
            panic!("{because:?}")
        };
        assert_eq!((named[0].title, named[0].how), (house.films[2], How::Rated));
        assert_eq!(because.id, format!("because_you_watched:{}", house.films[2]));
        assert_ne!(before.rows, after.rows);
        let everywhere: Vec<TitleId> = after.rows.iter().flat_map(titles).collect();
        assert!(
            !everywhere.contains(&house.films[2]),
            "what is rated is no recommendation"
        );
    })
    .await;
}

#[tokio::test]
async fn watching_is_continued_and_a_finished_film_leads_on() {
    everywhere(async |house| {
        house.train().await;
        house.watch(NEW, 8, 40).await;
        let page = house.home(NEW).await;
        let begun = row(&page, |kind| *kind == RowKind::ContinueWatching).expect("the row");
        assert_eq!(titles(begun), [house.films[8]], "{}", house.name);
        house.watch(NEW, 8, 99).await;
        let page = house.home(NEW).await;
        assert!(row(&page, |kind| *kind == RowKind::ContinueWatching).is_none());
        assert!(row(&page, |kind| *kind == RowKind::BecauseYouWatched(house.films[8])).is_some());
    })
    .await;
}

#[tokio::test]
async fn a_dislike_is_gone_and_takes_its_like_back() {
    everywhere(async |house| {
        house.train().await;
        let before = share_of(house, ProfileId(3), 2).await;
        for film in (2..FILMS).step_by(4).take(12) {
            house.opine(ProfileId(3), film, Opinion::Dislike).await;
        }
        let after = share_of(house, ProfileId(3), 2).await;
        assert!(
            after < before,
            "{before} of what is disliked now before, {after} after, on {}",
            house.name
        );
        let page = house.home(ProfileId(3)).await;
        let shown: Vec<TitleId> = page.rows.iter().flat_map(titles).collect();
        assert!(!shown.contains(&house.films[2]));
    })
    .await;
}

/// One star is no missing value: what is like it goes further back, on the page and not in a model alone.
#[tokio::test]
async fn low_stars_lower_what_is_like_them() {
    everywhere(async |house| {
        house.train().await;
        let before = share_of(house, ProfileId(7), 2).await;
        let low: Vec<usize> = (2..FILMS).step_by(4).take(12).collect();
        for film in &low {
            house.rate(ProfileId(7), *film, 2).await;
        }
        let after = share_of(house, ProfileId(7), 2).await;
        assert!(
            before >= 0.5 && after < before,
            "{before} before, {after} after, on {}",
            house.name
        );
        let shown: Vec<TitleId> = house.home(ProfileId(7)).await.rows.iter().flat_map(titles).collect();
        assert!(
            low.iter().all(|film| !shown.contains(&house.films[*film])),
            "{}",
            house.name
        );
        // The same twelve with five stars each are what is wanted more of: it is the stars that did it.
        for film in low {
            house.rate(ProfileId(7), film, 10).await;
        }
        let loved = share_of(house, ProfileId(7), 2).await;
        assert!(
            loved > after,
            "{after} with one star, {loved} with five, on {}",
            house.name
        );
    })
    .await;
}

#[tokio::test]
async fn my_list_is_there_and_not_repeated() {
    everywhere(async |house| {
        house.train().await;
        for film in [0, 5] {
            house.clock.advance(1_000);
            house
                .activity
                .add_to_list(ForTitleOf {
                    profile: NEW,
                    title: house.films[film],
                })
                .await
                .unwrap();
        }
        house.watch(NEW, 5, 30).await;
        let page = house.home(NEW).await;
        let listed = row(&page, |kind| *kind == RowKind::MyList).expect("the row");
        assert_eq!(
            titles(listed),
            [house.films[0]],
            "{}: what is being watched stands above",
            house.name
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_unpublished_or_excluded_disappears() {
    everywhere(async |house| {
        house.train().await;
        let page = house.home(ProfileId(1)).await;
        let picks = titles(row(&page, |kind| *kind == RowKind::TopPicks).unwrap());
        let exclude = picks[..3].to_vec();
        let page = house
            .door
            .home(GetHome {
                viewer: viewer(ProfileId(1)),
                exclude: exclude.clone(),
            })
            .await
            .unwrap();
        let shown = |page: &contract::recommend::HomePage| page.rows.iter().flat_map(titles).collect::<Vec<_>>();
        assert!(
            !shown(&page).iter().any(|title| exclude.contains(title)),
            "{}",
            house.name
        );
        let hide = UpdateTitle {
            published: Some(false),
            ..UpdateTitle::of(picks[0])
        };
        house.catalog.update(hide).await.unwrap();
        house
            .until(async || !shown(&house.home(ProfileId(1)).await).contains(&picks[0]))
            .await;
        let page = house.home(ProfileId(1)).await;
        assert_ne!(page.hero.map(|hero| hero.title), Some(picks[0]));
    })
    .await;
}

#[tokio::test]
async fn what_people_dislike_does_not_trend() {
    everywhere(async |house| {
        house.train().await;
        for person in 0..40 {
            house.rate(ProfileId(900 + person), 278, 2).await;
            house.opine(ProfileId(900 + person), 279, Opinion::Dislike).await;
        }
        // The last to act shows that all before has been heard.
        for person in 0..25 {
            house.rate(ProfileId(900 + person), 277, 9).await;
        }
        let trending = async || {
            let page = house.home(NEW).await;
            row(&page, |kind| *kind == RowKind::Trending).map_or_else(Vec::new, titles)
        };
        house
            .until(async || trending().await.first() == Some(&house.films[277]))
            .await;
        let place = |film: usize, list: &[TitleId]| list.iter().take(5).any(|title| *title == house.films[film]);
        let list = trending().await;
        assert!(!place(278, &list) && !place(279, &list), "{}", house.name);
    })
    .await;
}

/// A western series of three episodes.
async fn western_series(house: &House) -> (TitleId, Vec<TitleId>) {
    let title = |kind, name: &str, place| NewTitle {
        kind,
        name: name.into(),
        original_name: None,
        year: Some(2020),
        genres: vec![GENRES[3].into()],
        description: String::new(),
        maturity: Some(6),
        duration_ms: Some(6_000_000),
        credits: Vec::new(),
        place,
        external: Vec::new(),
        published: true,
    };
    let add = async |title| house.catalog.create(title).await.unwrap().card.id;
    let series = add(title(TitleKind::Series, "The Long Road", None)).await;
    let mut episodes = Vec::new();
    for episode in 1..=3 {
        let place = Some(EpisodePlace {
            series,
            season: 1,
            episode,
        });
        episodes.push(add(title(TitleKind::Episode, &format!("Part {episode}"), place)).await);
    }
    (series, episodes)
}

/// What is done with an episode is done with its series: it is taste, a model learns from it, and it is not recommended again.
#[tokio::test]
async fn watching_episodes_speaks_for_their_series() {
    everywhere(async |house| {
        let (series, episodes) = western_series(house).await;
        let shown = |page: &contract::recommend::HomePage| {
            page.rows
                .iter()
                .any(|row| row.kind != RowKind::ContinueWatching && titles(row).contains(&series))
        };
        house.until(async || shown(&house.home(NEW).await)).await;
        let finish = |profile| MarkWatched {
            profile,
            titles: episodes[..2].to_vec(),
            watched: true,
        };
        house.activity.mark_watched(finish(NEW)).await.unwrap();
        house.until(async || !shown(&house.home(NEW).await)).await;
        let page = house.home(NEW).await;
        assert!(
            row(&page, |kind| *kind == RowKind::BecauseYouWatched(series)).is_some(),
            "{}",
            house.name
        );
        for viewer in 0..30 {
            house
                .activity
                .mark_watched(finish(ProfileId(4 * viewer + 4)))
                .await
                .unwrap();
        }
        assert!(matches!(house.train().await.state, contract::jobs::JobState::Done));
        let near = GetSimilar {
            title: episodes[0],
            viewer: viewer(ProfileId(800)),
            limit: 10,
            exclude: Vec::new(),
        };
        let near = house.door.similar(near).await.unwrap();
        let westerns = near.iter().filter(|item| house.film(item.title) % 4 == 3).count();
        assert!(
            westerns >= 7,
            "{}: the model knows the series: {westerns} of {}",
            house.name,
            near.len()
        );
    })
    .await;
}

#[tokio::test]
async fn trending_follows_what_people_do_now() {
    everywhere(async |house| {
        house.train().await;
        for person in 0..25 {
            house.rate(ProfileId(900 + person), 277, 9).await;
        }
        let leads = |page: &HomePage| {
            row(page, |kind| *kind == RowKind::Trending).is_some_and(|row| row.items[0].title == house.films[277])
        };
        house.until(async || leads(&house.home(NEW).await)).await;
        // A last turn stores what was favoured; whoever starts after it knows.
        let stop = CancellationToken::new();
        stop.cancel();
        house.room.clone().run(stop).await;
        let asked = GetHome {
            viewer: viewer(NEW),
            exclude: Vec::new(),
        };
        let page = house.another().await.home(asked).await.unwrap();
        assert!(leads(&page), "{}: after a restart", house.name);
    })
    .await;
}
