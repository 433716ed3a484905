//! Which of a score's parts becomes the reason.

use std::{collections::HashMap, sync::Arc};

use contract::{ModelId, ProfileId, TitleId, accounts::Preferences, recommend::How};
use reco::{Dataset, Interaction, ItemFeatures, ItemSet, TrainConfig, train};

use super::*;
use crate::{live::Live, loaded::Loaded, titles::Titles};

/// Eight films with a model that knows them by their numbers; number 3 is for adults.
fn shelf() -> Shelf {
    let event = |item: u32| Interaction {
        user: item % 2,
        item,
        weight: 1.0,
        at: i64::from(item),
    };
    let data = Dataset::from_interactions(2, 8, (0..8).map(event)).unwrap();
    let keys: Vec<i64> = (0..8).collect();
    let nothing = ItemFeatures::none(8);
    let trained = train(&data, &keys, &nothing, &TrainConfig::default(), 8, &|_, _| Ok(())).unwrap();
    let model = Arc::new(Loaded::new(ModelId(1), trained.recommender, 8));
    let mut list = Titles::films(0..8).list;
    Arc::make_mut(&mut list[3]).maturity = 18;
    Shelf::new(Arc::new(Titles::new(list)), Some(model), &Live::default(), 8)
}

fn viewer(maturity_max: u8) -> Viewer {
    Viewer {
        profile: ProfileId(1),
        maturity_max,
        preferences: Preferences::default(),
    }
}

/// Films 0 to 4 were liked, 5 and 6 disliked.
fn taste() -> Taste {
    Taste {
        history: Vec::new(),
        hows: (0..5).map(|item| (item, How::Rated)).collect::<HashMap<_, _>>(),
        hidden: ItemSet::new(8),
        banned: ItemSet::new(8),
        anchors: Vec::new(),
        disliked: vec![5, 6],
        mix: [0.0; crate::titles::GENRES_MAX],
        averse: 0,
        chosen: Vec::new(),
    }
}

/// The reason for film 7, of parts of the history (film and part, the greatest first), of popularity, of trending, of others.
fn reason(titles: &[(u32, f32)], popularity: f32, trending: f32, other: f32) -> Option<Reason> {
    reason_for(&viewer(18), titles, popularity, trending, other)
}

fn reason_for(viewer: &Viewer, titles: &[(u32, f32)], popularity: f32, trending: f32, other: f32) -> Option<Reason> {
    let part = |&(item, contribution): &(u32, f32)| reco::Contribution { item, contribution };
    let attribution = Attribution {
        item: 7,
        lead: titles.iter().map(|title| title.1).sum::<f32>() + popularity + trending + other,
        titles: titles.iter().map(part).collect(),
        popularity,
        trending,
        other,
    };
    why(&shelf(), viewer, &taste(), 7, Some(&attribution))
}

fn named(titles: &[(i64, f32)]) -> Option<Reason> {
    let contribution = |&(title, share): &(i64, f32)| Contribution {
        title: TitleId(title),
        share,
        how: How::Rated,
    };
    Some(Reason::Because(titles.iter().map(contribution).collect()))
}

#[test]
fn shares_are_of_the_whole_score() {
    let found = reason(&[(2, 0.5), (0, 0.25), (1, 0.01)], 0.125, 0.115, 0.0);
    assert_eq!(found, named(&[(2, 0.5), (0, 0.25)]));
}

#[test]
fn what_everybody_does_is_said_where_it_made_more() {
    let little = [(2, 0.03), (0, 0.03)];
    assert_eq!(reason(&little, 0.2, 0.6, 0.0), Some(Reason::Trending));
    assert_eq!(reason(&little, 0.6, 0.2, 0.0), Some(Reason::Popular));
    assert_eq!(reason(&[], 0.6, -0.2, 0.4), Some(Reason::Popular));
    // Against what popularity takes away again, nobody can hold it.
    assert_eq!(reason(&[(2, 1.0)], 0.9, -0.8, 0.1), named(&[(2, 0.5)]));
}

#[test]
fn a_liked_title_that_made_a_nameable_share_is_named_beside_a_greater_crowd() {
    assert_eq!(reason(&[(3, 0.0625)], 0.0, 0.9375, 0.0), named(&[(3, 0.0625)]));
    assert_eq!(reason(&[(3, 0.03125)], 0.0, 0.96875, 0.0), Some(Reason::Trending));
}

#[test]
fn a_disliked_title_is_never_named() {
    assert_eq!(
        reason(&[(5, 0.5), (6, 0.25), (4, 0.25)], 0.0, 0.0, 0.0),
        named(&[(4, 0.25)])
    );
    assert_eq!(reason(&[(5, 0.75), (6, 0.25)], 0.0, 0.0, 0.0), None);
    // What was liked speaks against it on the whole.
    assert_eq!(reason(&[(5, 0.75), (4, 0.25), (0, -0.5)], 0.0, 0.0, 0.0), None);
}

#[test]
fn a_title_that_the_profile_may_not_see_any_more_is_not_named() {
    let parts = [(3, 0.5), (2, 0.25)];
    assert_eq!(
        reason_for(&viewer(18), &parts, 0.0, 0.0, 0.25),
        named(&[(3, 0.5), (2, 0.25)])
    );
    assert_eq!(reason_for(&viewer(16), &parts, 0.0, 0.0, 0.25), named(&[(2, 0.25)]));
}

#[test]
fn where_no_part_says_anything_to_a_person_there_is_no_reason() {
    assert_eq!(reason(&[(2, 0.01)], 0.0, 0.0, 1.0), None);
    assert_eq!(reason(&[], 0.0, 0.0, 1.0), None);
    // Noise.
    assert_eq!(reason(&[], 0.001, 0.0, 1.0), None);
    assert_eq!(why(&shelf(), &viewer(18), &taste(), 7, None), None);
}
