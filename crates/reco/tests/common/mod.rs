//! Small planted data for the tests that always run.
#![allow(dead_code)]

pub mod data;

use reco::{
    BaseConfig, Bases, Dataset, Event, Interaction, ItemFeatures, ItemFeaturesBuilder, Ranker, RankerSettings,
    Recommender, TitleDescription,
};

/// Titles of the planted data: two tastes of 20 titles, then 4 that nobody has seen.
pub const ITEMS: usize = 44;
/// Viewers of the planted data.
pub const USERS: usize = 60;
/// Milliseconds between events.
pub const STEP: i64 = 3_600_000;

/// Viewers with an even index watch titles 0..20, the others 20..40, each taste in ascending order with a start of
/// its own; every tenth event strays into the other taste.
pub fn planted() -> Dataset {
    let mut interactions = Vec::new();
    for user in 0..USERS as u32 {
        for step in 0..10u32 {
            let strays = (user + step) % 10 == 9;
            let taste = if strays { 1 - user % 2 } else { user % 2 };
            let item = taste * 20 + (user / 2 + step) % 20;
            interactions.push(Interaction {
                user,
                item,
                weight: 1.0,
                at: i64::from(user * 10 + step) * STEP,
            });
        }
    }
    Dataset::from_interactions(USERS, ITEMS, interactions).expect("finite weights")
}

/// Taste as a genre; the unseen titles 40, 41 belong to the first taste, 42, 43 to the second.
pub fn planted_features() -> ItemFeatures {
    let mut features = ItemFeaturesBuilder::new(ITEMS);
    for item in 0..ITEMS as u32 {
        let first = if item < 40 { item < 20 } else { item < 42 };
        features.describe(
            item,
            &TitleDescription {
                name: "A Film",
                year: Some(1990 + (item % 3) as i32),
                genres: if first { &["Comedy"] } else { &["Horror"] },
                people: &[],
            },
        );
    }
    features.build()
}

/// Events of weight one on the given titles, oldest first.
pub fn history(items: &[u32]) -> Vec<Event> {
    weighted(&items.iter().map(|&item| (item, 1.0)).collect::<Vec<_>>())
}

/// Events with weights, oldest first.
pub fn weighted(items: &[(u32, f32)]) -> Vec<Event> {
    let timed = items.iter().enumerate();
    timed
        .map(|(at, &(item, weight))| Event {
            item,
            weight,
            at: at as i64 * STEP,
        })
        .collect()
}

/// Small settings for the planted data.
pub fn small_base() -> BaseConfig {
    let mut base = BaseConfig::default();
    base.ials.size = 8;
    base.ease.regularisation = 5.0;
    base.ease.item_min = 1;
    base
}

/// All base models and an even blend over the planted data; key of title i is 1000 + i.
pub fn planted_recommender() -> Recommender {
    let data = planted();
    let bases = Bases::train(
        &data,
        &planted_features(),
        &small_base(),
        data.newest().unwrap_or_default(),
        &|_, _| Ok(()),
    )
    .expect("trains");
    let ranker = Ranker::even(RankerSettings::default());
    Recommender::new(bases, ranker, &planted_keys(), 7).expect("keys fit")
}

/// Keys of the planted titles.
pub fn planted_keys() -> Vec<i64> {
    (0..ITEMS as i64).map(|i| 1000 + i).collect()
}
