//! The order of *Top Picks*: calibrated to the viewer's genres, and not at any price.

use std::{collections::HashMap, sync::Arc};

use proptest::prelude::*;
use reco::{ItemSet, metrics::miscalibration};

use super::*;
use crate::{live::Live, titles::Titles};

const TITLES: u32 = 120;

/// Film n is of genre n % 3.
fn shelf() -> Shelf {
    let mut list = Titles::films(0..i64::from(TITLES)).list;
    for title in &mut list {
        Arc::make_mut(title).genres = vec![["Drama", "Western", "Noir"][title.id.0 as usize % 3].into()];
    }
    Shelf::new(Arc::new(Titles::new(list)), None, &Live::default(), 0)
}

fn genre(shelf: &Shelf, name: &str) -> usize {
    shelf.titles.genre_bit(name).unwrap() as usize
}

/// Two thirds of what the viewer likes is drama, one third western.
fn taste(shelf: &Shelf) -> Taste {
    let mut mix = [0.0; GENRES_MAX];
    mix[genre(shelf, "Drama")] = 2.0 / 3.0;
    mix[genre(shelf, "Western")] = 1.0 / 3.0;
    Taste {
        history: Vec::new(),
        hows: HashMap::new(),
        hidden: ItemSet::new(TITLES as usize),
        banned: ItemSet::new(TITLES as usize),
        anchors: Vec::new(),
        disliked: Vec::new(),
        mix,
        averse: 0,
        chosen: Vec::new(),
    }
}

/// All films, scored, the best first.
fn picks(score: impl Fn(u32) -> f32) -> Vec<Pick> {
    let pick = |slot| Pick {
        slot,
        score: score(slot),
        chance: 0.0,
    };
    let mut picks: Vec<Pick> = (0..TITLES).map(pick).collect();
    picks.sort_by(|a, b| b.score.total_cmp(&a.score));
    picks
}

/// Kullback-Leibler divergence of the genres shown from those liked, by Steck 2018.
fn divergence(shelf: &Shelf, mix: &[f32; GENRES_MAX], shown: &[u32]) -> f32 {
    let share = |bit: usize| {
        let of_it = shown
            .iter()
            .filter(|slot| shelf.titles.masks[**slot as usize] >> bit & 1 == 1);
        of_it.count() as f64 / shown.len() as f64
    };
    miscalibration(&mix.map(f64::from), &std::array::from_fn::<f64, GENRES_MAX, _>(share))
}

/// Dramas are all a little ahead: the ranking alone shows nothing else.
#[test]
fn two_tastes_are_shown_in_their_measure() {
    let shelf = shelf();
    let taste = taste(&shelf);
    let picks = picks(|slot| 1.0 - slot as f32 / 1_200.0 - if slot % 3 == 0 { 0.0 } else { 0.1 });
    let ranked: Vec<u32> = picks.iter().map(|pick| pick.slot).take(20).collect();
    let order = calibrated(&shelf, &taste, &picks, 80);
    let before = divergence(&shelf, &taste.mix, &ranked);
    let after = divergence(&shelf, &taste.mix, &order[..20]);
    println!("divergence {before:.3} as ranked, {after:.3} calibrated");
    assert!(before > 1.0 && after < 0.1, "{before} {after}");
}

/// What is far behind stays there, however much the mix lacks it.
#[test]
fn accuracy_is_not_given_up_for_the_mix() {
    let shelf = shelf();
    let taste = taste(&shelf);
    let picks = picks(|slot| {
        if slot % 3 == 0 {
            1.0 - slot as f32 / 1_200.0
        } else {
            0.4
        }
    });
    let order = calibrated(&shelf, &taste, &picks, 80);
    assert!(order[..40].iter().all(|slot| slot % 3 == 0), "{order:?}");
}

proptest! {
    #[test]
    fn everything_is_there_once_and_nothing_passes_what_is_far_ahead(
        scores in prop::collection::vec(0.0f32..1.0, TITLES as usize),
        count in 0usize..130,
    ) {
        let shelf = shelf();
        let picks = picks(|slot| scores[slot as usize]);
        let order = calibrated(&shelf, &taste(&shelf), &picks, count);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..TITLES).collect::<Vec<u32>>());
        let bound = 2.0 * CALIBRATION / (1.0 - CALIBRATION);
        for (at, slot) in order.iter().enumerate() {
            let ahead = order[at + 1..].iter().map(|other| scores[*other as usize] - scores[*slot as usize]);
            prop_assert!(ahead.fold(0.0, f32::max) <= bound + 1e-5);
        }
    }
}
