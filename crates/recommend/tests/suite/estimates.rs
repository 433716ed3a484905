//! What a model would have earned, read from the log of what was shown: through the room, pages and deeds as they come.

use std::{collections::HashMap, sync::Arc};

use contract::{
    ModelId, ProfileId, TitleId,
    activity::{Activity as _, HalfStars, ImportRatings, ImportedRating},
    recommend::{ForModel, GetHome, GetTop, ModelEstimate, ModelState, Recommend as _, RecommendError, StartTraining},
};
use platform::clock::Clock as _;
use recommend::{Config, Room, ShownRow};
use tokio_util::sync::CancellationToken;

use crate::house::{DAY_MS, House, everywhere, finish, usual, viewer};

const VIEWERS: i64 = 60;

/// What explored on a page of each viewer, made a second after the other.
async fn pages(house: &House, room: &Arc<Room>) -> Vec<(ProfileId, ShownRow)> {
    let viewers = || (1..=VIEWERS).map(ProfileId);
    for profile in viewers() {
        house.clock.advance(1_000);
        let exclude = Vec::new();
        room.home(GetHome {
            viewer: viewer(profile),
            exclude,
        })
        .await
        .unwrap();
    }
    let stop = CancellationToken::new();
    stop.cancel();
    room.clone().run(stop).await;
    let mut explored = Vec::new();
    for profile in viewers() {
        let rows = room.shown(profile, 1).await.unwrap().remove(0).rows().unwrap();
        explored.extend(
            rows.into_iter()
                .filter(|row| !row.band.is_empty())
                .map(|row| (profile, row)),
        );
    }
    explored
}

/// What chance put there.
fn drawn(row: &ShownRow) -> impl Iterator<Item = TitleId> {
    row.items
        .iter()
        .filter(|item| item.displaced.is_some())
        .map(|item| item.title)
}

async fn estimate(house: &House, model: ModelId) -> ModelEstimate {
    house.door.estimate(ForModel { model }).await.unwrap()
}

/// Every method says that a model that leaves all titles in their places would have earned nothing, where only what chance put there
/// was played.
fn would_have_earned_nothing(house: &House, found: &ModelEstimate) {
    assert_eq!(found.estimates.len(), 3, "{}: {found:?}", house.name);
    for estimate in &found.estimates {
        assert!(
            estimate.value.abs() < 1e-9 && estimate.lift_high < 0.0,
            "{}: {estimate:?}",
            house.name
        );
    }
}

#[tokio::test]
async fn what_a_model_would_have_earned_is_read_from_what_was_shown_since() {
    everywhere(async |house| {
        house.train().await;
        let model = house.newest_model().await.id;
        let shown = pages(house, &house.room).await;
        let chosen_by_lot = |row: &ShownRow| row.items.iter().filter(|item| item.propensity < 1.0).count() as u64;
        let places: u64 = shown.iter().map(|(_, row)| chosen_by_lot(row)).sum();
        let mut played = 0;
        for (viewer, row) in &shown {
            for title in drawn(row) {
                played += 1;
                house.watch(*viewer, house.film(title), 30).await;
            }
        }
        let early = estimate(house, model).await;
        assert_eq!((early.places, early.estimates), (0, vec![]), "nobody's day is over");

        house.clock.advance(DAY_MS + 60_000);
        let found = estimate(house, model).await;
        assert_eq!(
            (found.pages, found.places, found.viewers),
            (VIEWERS as u64, places, VIEWERS as u64),
            "{}",
            house.name
        );
        let served = f64::from(played) / places as f64;
        assert!(
            played > 50 && (found.served - served).abs() < 1e-9,
            "{}: {found:?}",
            house.name
        );
        assert!(
            (found.covered - 1.0).abs() < 0.05 && found.clipped == 0,
            "{}: {found:?}",
            house.name
        );
        would_have_earned_nothing(house, &found);

        house.rate(ProfileId(1), 3, 8).await;
        house.train().await;
        let learned = estimate(house, house.newest_model().await.id).await;
        assert_eq!(
            (learned.places, learned.estimates),
            (0, vec![]),
            "it has learned from all of it"
        );
        let unknown = house.door.estimate(ForModel { model: ModelId(1) }).await;
        assert_eq!(unknown, Err(RecommendError::ModelNotFound));
    })
    .await;
}

/// What is finished counts at once for what serves. The model is not judged by what it has counted since: it would know the rewards.
#[tokio::test]
async fn a_model_is_not_judged_by_what_it_has_counted_since() {
    everywhere(async |house| {
        house.train().await;
        let model = house.newest_model().await.id;
        let top = async || {
            let asked = GetTop {
                viewer: viewer(ProfileId(1)),
                limit: 200,
                exclude: Vec::new(),
            };
            house
                .door
                .top(asked)
                .await
                .unwrap()
                .into_iter()
                .map(|item| item.title)
                .collect::<Vec<_>>()
        };
        let shown = pages(house, &house.room).await;
        let before = top().await;
        for (viewer, row) in &shown {
            for title in drawn(row) {
                house.watch(*viewer, house.film(title), 100).await;
            }
        }
        house.bus.settle().await.unwrap();
        house.room.refresh().await;
        let finished: Vec<TitleId> = shown
            .iter()
            .filter(|(viewer, _)| *viewer == ProfileId(1))
            .flat_map(|(_, row)| drawn(row))
            .collect();
        let others = |list: Vec<TitleId>| -> Vec<TitleId> {
            list.into_iter()
                .filter(|title| !finished.contains(title))
                .take(100)
                .collect()
        };
        assert_ne!(
            others(top().await),
            others(before),
            "{}: what serves has counted on",
            house.name
        );
        house.clock.advance(DAY_MS + 60_000);
        would_have_earned_nothing(house, &estimate(house, model).await);
    })
    .await;
}

/// Titles of which the model in service knows nothing are what people of one taste love; one that has learned it is found better by
/// what chance put on the pages of the other.
#[tokio::test]
async fn a_better_model_is_found_by_what_chance_has_shown() {
    everywhere(async |house| {
        let room = house
            .opened_with(Config {
                explore_share: 0.5,
                ..usual()
            })
            .await;
        let train = async || finish(&room, room.train(StartTraining {}).await.unwrap()).await;
        train().await;
        let served = house.newest_model().await.id;
        let loved = loved(&pages_of_another(house).await);
        let ratings = (0..80i64)
            .flat_map(|person| ratings(house, person, &loved[&(person % 4)]))
            .collect();
        house.activity.import_ratings(ImportRatings { ratings }).await.unwrap();
        house.clock.advance(1_000);
        train().await;
        let better = house.newest_model().await;
        assert_eq!(better.state, ModelState::Active, "{}: {}", house.name, better.decision);
        room.activate(ForModel { model: served }).await.unwrap();
        for (viewer, row) in pages(house, &room).await {
            let loved = &loved[&(viewer.0 - 1).rem_euclid(4)];
            for item in row.items.iter().filter(|item| loved.contains(&item.title)) {
                house.watch(viewer, house.film(item.title), 30).await;
            }
        }
        house.clock.advance(DAY_MS + 60_000);
        let found = room.estimate(ForModel { model: better.id }).await.unwrap();
        assert_eq!(
            (found.viewers, found.estimates.len()),
            (VIEWERS as u64, 3),
            "{}: {found:?}",
            house.name
        );
        for estimate in &found.estimates {
            assert!(estimate.lift_low > 0.0, "{}: {estimate:?} of {found:?}", house.name);
        }
        let other = room.estimate(ForModel { model: served }).await.unwrap();
        would_have_earned_nothing(house, &other);
    })
    .await;
}

/// The titles that chance has to choose from on pages as they are now.
async fn pages_of_another(house: &House) -> Vec<(ProfileId, ShownRow)> {
    let room = house
        .opened_with(Config {
            explore_share: 0.5,
            ..usual()
        })
        .await;
    pages(house, &room).await
}

/// For each taste the eight titles that chance had most often to choose from.
fn loved(shown: &[(ProfileId, ShownRow)]) -> HashMap<i64, Vec<TitleId>> {
    let of_taste = |taste: i64| {
        let mut times: HashMap<TitleId, usize> = HashMap::new();
        let bands = shown.iter().filter(|(viewer, _)| (viewer.0 - 1).rem_euclid(4) == taste);
        bands
            .flat_map(|(_, row)| &row.band)
            .for_each(|title| *times.entry(*title).or_default() += 1);
        let mut titles: Vec<TitleId> = times.keys().copied().collect();
        titles.sort_by_key(|title| (std::cmp::Reverse(times[title]), *title));
        titles.truncate(8);
        titles
    };
    (0..4).map(|taste| (taste, of_taste(taste))).collect()
}

/// Somebody new of this taste: some of the films that many have rated, then those that they love.
fn ratings(house: &House, person: i64, loved: &[TitleId]) -> Vec<ImportedRating> {
    let rated = (0..6).map(|step| house.films[((person * 7 + step * 5) % 30 * 4 + person % 4) as usize]);
    let titles: Vec<TitleId> = rated.chain(loved.iter().copied()).collect();
    let last = house.clock.now_ms() - 1_000 * titles.len() as i64;
    let rating = |(title, step): (TitleId, i64)| ImportedRating {
        profile: ProfileId(800 + person),
        title,
        stars: HalfStars::new(10).unwrap(),
        at: last + step * 1_000,
    };
    titles.into_iter().zip(0..).map(rating).collect()
}
