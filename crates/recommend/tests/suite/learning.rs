//! What is learned between two trainings: what follows what, titles that came since, and what was given up.

use std::time::Duration;

use contract::{
    ProfileId, TitleId,
    activity::{Activity as _, ForProfileOnly, ForTitleOf, Opinion, Rate, Recent},
    catalog::{Catalog as _, NewTitle, TitleKind},
    recommend::{GetSimilar, GetTop, Recommend, RowKind, StartTraining},
};
use tokio_util::sync::CancellationToken;

use crate::house::{DAY_MS, GENRES, House, NEW, RATED, everywhere, finish, row, titles, viewer};

/// Somebody who has watched [`FIRST`] and nothing else.
const ZOE: ProfileId = ProfileId(700);
const FIRST: usize = 2;

/// What a viewer may be recommended, the best first.
async fn top(door: &dyn Recommend, profile: ProfileId) -> Vec<TitleId> {
    let ask = GetTop {
        viewer: viewer(profile),
        limit: 200,
        exclude: Vec::new(),
    };
    door.top(ask)
        .await
        .unwrap()
        .into_iter()
        .map(|item| item.title)
        .collect()
}

async fn place(door: &dyn Recommend, profile: ProfileId, title: TitleId) -> usize {
    let list = top(door, profile).await;
    list.iter().position(|other| *other == title).unwrap_or(200)
}

/// A film that others have rated and that the model puts far down for Zoe.
async fn unlikely(house: &House) -> usize {
    house.rate(ZOE, FIRST, 10).await;
    settle(house).await;
    let list = top(&*house.door, ZOE).await;
    let films = list.iter().rev().map(|title| house.film(*title));
    films.into_iter().find(|film| *film < RATED).expect("one of the rated")
}

/// How near a title is to the first film.
async fn neighbour(house: &House, title: TitleId) -> usize {
    let ask = GetSimilar {
        title: house.films[FIRST],
        viewer: viewer(NEW),
        limit: 100,
        exclude: Vec::new(),
    };
    let near = house.door.similar(ask).await.unwrap();
    near.iter().position(|item| item.title == title).unwrap_or(100)
}

/// All that has happened has been heard and shows.
async fn settle(house: &House) {
    house.bus.settle().await.unwrap();
    house.room.refresh().await;
}

#[tokio::test]
async fn what_viewers_watch_next_rises_without_a_training() {
    everywhere(async |house| {
        house.train().await;
        let film = unlikely(house).await;
        let next = house.films[film];
        let before = place(&*house.door, ZOE, next).await;
        assert!(before > 100, "{}: at place {before} already", house.name);
        let other = place(&*house.door, ProfileId(3), next).await;
        let near = neighbour(house, next).await;
        for person in 0..25 {
            house.rate(ProfileId(900 + person), FIRST, 9).await;
            house.rate(ProfileId(900 + person), film, 9).await;
        }
        settle(house).await;
        let after = place(&*house.door, ZOE, next).await;
        assert!(after * 2 < before, "{}: from {before} to {after}", house.name);
        let nearer = neighbour(house, next).await;
        assert!(
            nearer < 25 && nearer * 2 < near,
            "{}: from {near} to {nearer}",
            house.name
        );
        // Who has not seen the first is not led to the next.
        let unmoved = place(&*house.door, ProfileId(3), next).await;
        assert!(unmoved + 20 > other, "{}: from {other} to {unmoved}", house.name);

        // A last turn stores what was counted; whoever starts after it goes on.
        let stop = CancellationToken::new();
        stop.cancel();
        house.room.clone().run(stop).await;
        let again = house.another().await;
        assert_eq!(
            place(&*again, ZOE, next).await,
            after,
            "{}: after a restart",
            house.name
        );
        // Nothing of a deleted profile is kept.
        for person in 0..25 {
            let profile = ProfileId(900 + person);
            house.door.erase(ForProfileOnly { profile }).await.unwrap();
        }
        let again = house.another().await;
        assert_eq!(place(&*again, ZOE, next).await, before, "{}", house.name);
    })
    .await;
}

#[tokio::test]
async fn one_person_over_and_over_counts_once() {
    everywhere(async |house| {
        house.train().await;
        let film = unlikely(house).await;
        let before = top(&*house.door, ZOE).await;
        let act = async |person: i64| {
            let profile = ProfileId(900 + person);
            house.rate(profile, FIRST, 9).await;
            house.rate(profile, film, 9).await;
        };
        act(0).await;
        settle(house).await;
        let once = top(&*house.door, ZOE).await;
        assert_ne!(before, once, "{}: one person is heard", house.name);
        for _ in 0..20 {
            for undone in [FIRST, film] {
                let title = house.films[undone];
                let profile = ProfileId(900);
                house.activity.unrate(ForTitleOf { profile, title }).await.unwrap();
            }
            act(0).await;
        }
        settle(house).await;
        assert_eq!(top(&*house.door, ZOE).await, once, "{}", house.name);
        act(1).await;
        settle(house).await;
        assert_ne!(top(&*house.door, ZOE).await, once, "{}: another person is", house.name);
    })
    .await;
}

/// What is kept in memory here is from before it, until this process hears of it too.
#[tokio::test]
async fn what_another_process_wrote_is_waited_for() {
    everywhere(async |house| {
        house.train().await;
        let film = unlikely(house).await;
        let (title, profile) = (house.films[film], ProfileId(900));
        let before = place(&*house.door, ZOE, title).await;
        house.rate(profile, FIRST, 9).await;
        settle(house).await;
        let limit = 60;
        house.activity.recent(Recent { profile, limit }).await.unwrap();

        house.clock.advance(1_000);
        let opinion = Opinion::Like;
        let rate = Rate {
            profile,
            title,
            opinion,
        };
        house.another_activity().await.rate(rate).await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(700), house.bus.settle()).await;
        assert!(waiting.is_err(), "{}: it was passed over", house.name);

        house.rate(profile, FIRST + 1, 2).await;
        settle(house).await;
        let after = place(&*house.door, ZOE, title).await;
        assert!(after < before, "{}: from {before} to {after}", house.name);
    })
    .await;
}

/// A film that comes after the training, of one genre.
async fn new_film(house: &House, genre: usize) -> TitleId {
    let title = NewTitle {
        kind: TitleKind::Film,
        name: "Yesterday Evening".into(),
        original_name: None,
        year: None,
        genres: vec![GENRES[genre].into()],
        description: String::new(),
        maturity: Some(6),
        duration_ms: Some(6_000_000),
        credits: Vec::new(),
        place: None,
        external: Vec::new(),
        published: true,
    };
    house.catalog.create(title).await.unwrap().card.id
}

/// Viewer 4 likes westerns, viewer 3 dislikes them.
#[tokio::test]
async fn a_title_that_came_after_the_training_finds_those_it_is_for() {
    everywhere(async |house| {
        house.train().await;
        let model = house.newest_model().await.id;
        let new = new_film(house, 3).await;
        house
            .until(async || place(&*house.door, ProfileId(4), new).await < 40)
            .await;
        let place_of = |profile: i64| place(&*house.door, ProfileId(profile), new);
        assert!(place_of(3).await > 150, "{}: who dislikes its genre", house.name);
        let page = house.home(ProfileId(4)).await;
        assert_eq!(page.model, Some(model), "no training in between");
        let personal = |kind: &RowKind| {
            matches!(
                kind,
                RowKind::TopPicks | RowKind::BecauseYouWatched(_) | RowKind::Genre(_)
            )
        };
        let rows: Vec<_> = page.rows.iter().filter(|row| personal(&row.kind)).collect();
        assert!(
            rows.iter().any(|row| titles(row).contains(&new)),
            "{}: {:?}",
            house.name,
            rows.iter().map(|row| &row.id).collect::<Vec<_>>()
        );
        // It has neighbours, and whoever likes it is led on by it.
        let ask = GetSimilar {
            title: new,
            viewer: viewer(NEW),
            limit: 10,
            exclude: Vec::new(),
        };
        let near = house.door.similar(ask).await.unwrap();
        let westerns = near.iter().filter(|item| house.film(item.title) % 4 == 3).count();
        assert!(westerns >= 8, "{}: {westerns} of {}", house.name, near.len());
        // A restart places it again.
        let again = house.another().await;
        assert!(place(&*again, ProfileId(4), new).await < 40, "{}", house.name);
    })
    .await;
}

/// Who has just begun a film may go on; who has not for a day has given it up.
#[tokio::test]
async fn what_was_given_up_within_minutes_lowers_its_neighbours() {
    everywhere(async |house| {
        house.train().await;
        for film in [0, 4, 8, 2, 6, 10] {
            house.rate(ZOE, film, 9).await;
        }
        let horrors = async || {
            let list = top(&*house.door, ZOE).await;
            list.iter()
                .take(40)
                .filter(|title| house.film(**title) % 4 == 2)
                .count()
        };
        for film in [14, 18, 22, 26, 30, 34] {
            house.watch(ZOE, film, 4).await;
        }
        let before = horrors().await;
        house.clock.advance(2 * DAY_MS);
        let after = horrors().await;
        assert!(after < before, "{}: {after} of 40, {before} on the evening", house.name);
        let page = house.home(ZOE).await;
        let shown = row(&page, |kind| *kind == RowKind::TopPicks).map_or_else(Vec::new, titles);
        assert!(!shown.contains(&house.films[14]), "{}: it was tried", house.name);
    })
    .await;
}

#[tokio::test]
async fn the_search_for_settings_goes_on_from_training_to_training() {
    everywhere(async |house| {
        assert_eq!(house.room.tuning().await.unwrap(), None, "{}", house.name);
        let trials = async |room: &recommend::Room| {
            let tuning = room.tuning().await.unwrap().expect("a training has ended");
            tuning.search.trials().0
        };
        house.train().await;
        assert_eq!(trials(&house.room).await, 0, "{}: nothing to improve on", house.name);
        house.clock.advance(1_000);
        house.train().await;
        assert_eq!(trials(&house.room).await, 4, "{}", house.name);
        let another = house.another().await;
        let job = another.train(StartTraining {}).await.unwrap();
        finish(&another, job).await;
        assert_eq!(trials(&house.room).await, 8, "{}: in another process", house.name);
        let tuning = house.room.tuning().await.unwrap().unwrap();
        let model = house.newest_model().await;
        assert_eq!(tuning.good, tuning.search.best(), "{}: {}", house.name, model.decision);
    })
    .await;
}
