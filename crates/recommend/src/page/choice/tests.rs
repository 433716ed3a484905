//! What is worth a row, and the rules that no score says.

use std::{collections::HashSet, sync::Arc};

use contract::recommend::How;
use proptest::prelude::*;
use reco::ItemSet;

use super::*;
use crate::{live::Live, titles::Titles};

/// A hundred films of ten genres: film n is of genre n / 10.
fn shelf() -> Shelf {
    let mut list = Titles::films(0..100).list;
    for title in &mut list {
        let number = title.id.0 / 10;
        Arc::make_mut(title).genres = vec![format!("Genre {number}")];
    }
    Shelf::new(Arc::new(Titles::new(list)), None, &Live::default(), 0)
}

fn picks(chances: &[(u32, f32)]) -> Vec<Pick> {
    let pick = |(slot, chance): &(u32, f32)| Pick {
        slot: *slot,
        score: *chance,
        chance: *chance,
    };
    chances.iter().map(pick).collect()
}

fn because(anchor: u32, near: &[u32]) -> Candidate {
    let how = How::Liked;
    let claim = Claim::Because(Anchor { slot: anchor, how });
    Candidate::new(claim, near.to_vec(), 1, 20)
}

fn genre(shelf: &Shelf, number: u32) -> Candidate {
    let bit = shelf.titles.genre_bit(&format!("Genre {number}")).unwrap();
    Candidate::new(Claim::Genre(bit as usize), Vec::new(), 3, 30)
}

/// The rows of a page of `rows_max`, each with its first titles, as they come.
fn page(shelf: &Shelf, picks: &[Pick], left: Vec<Candidate>, rows_max: usize) -> Vec<(Claim, Vec<u32>)> {
    let mut chances = Chances::default();
    chances.read(shelf.titles.len(), picks);
    filled(shelf, Choice::new(shelf, picks, &chances, 0, rows_max), left)
}

fn filled(shelf: &Shelf, mut choice: Choice<'_>, mut left: Vec<Candidate>) -> Vec<(Claim, Vec<u32>)> {
    let mut shown = ItemSet::new(shelf.titles.len());
    let mut rows = Vec::new();
    while let Some(candidate) = choice.next(&mut left, |slot| !shown.contains(slot)) {
        let slots: Vec<u32> = candidate
            .slots(&choice)
            .filter(|slot| !shown.contains(*slot))
            .take(5)
            .collect();
        slots.iter().for_each(|slot| shown.insert(*slot));
        rows.push((candidate.claim, slots));
    }
    rows
}

fn kinds(rows: &[(Claim, Vec<u32>)]) -> Vec<usize> {
    rows.iter().map(|(claim, _)| claim.kind()).collect()
}

#[test]
fn a_title_counts_its_chance_by_row_and_column() {
    let shelf = shelf();
    let picks = picks(&[(3, 0.5), (7, 0.25), (9, 0.01)]);
    let mut chances = Chances::default();
    chances.read(100, &picks);
    let choice = Choice::new(&shelf, &picks, &chances, 0, 9);
    // Film 50 was not ranked: it has at most the chance of the last.
    let candidate = because(1, &[7, 50, 3]);
    let (worth, titles) = choice.worth(&candidate, 2, |_| true);
    let by_hand = 0.25 / 3f32.log2() + 0.01 / 4f32.log2() + 0.5 / 5f32.log2();
    assert!((worth - by_hand).abs() < 1e-6, "{worth} {by_hand}");
    assert_eq!(titles, 3);
    let (worth, titles) = choice.worth(&candidate, 1, |slot| slot != 7);
    assert!((worth - (0.01 + 0.5 / 3f32.log2())).abs() < 1e-6);
    assert_eq!(titles, 2);
    // The next page knows nothing of this one.
    chances.read(100, &[]);
    assert_eq!(chances.of(3), 0.0);
}

#[test]
fn what_adds_most_comes_first_and_what_others_showed_adds_nothing() {
    let shelf = shelf();
    let picks = picks(&[(10, 0.4), (11, 0.3), (20, 0.1), (21, 0.1), (30, 0.04)]);
    // The second would be worth most after the first, had the first not shown its titles.
    let left = || vec![because(1, &[20, 21]), because(2, &[10, 11]), because(3, &[10, 11, 30])];
    let rows = page(&shelf, &picks, left(), 3);
    let anchors: Vec<Vec<u32>> = rows.into_iter().map(|(_, slots)| slots).collect();
    // What was liked last leads, whatever it is worth.
    assert_eq!(anchors, [vec![20, 21], vec![10, 11, 30]]);
}

#[test]
fn genres_keep_their_order_and_the_ranked_ones_lead() {
    let shelf = shelf();
    let picks = picks(&[(55, 0.5), (56, 0.3), (22, 0.1), (21, 0.1)]);
    let left = [2, 5, 7].map(|number| genre(&shelf, number)).into_iter().collect();
    let rows = page(&shelf, &picks, left, 9);
    let fronts: Vec<Vec<u32>> = rows.into_iter().map(|(_, slots)| slots[..3].to_vec()).collect();
    assert_eq!(fronts[0][..2], [22, 21]);
    assert_eq!(fronts[1][..2], [55, 56]);
    assert!(fronts[2].iter().all(|slot| slot / 10 == 7));
}

proptest! {
    #[test]
    fn rules_hold_whatever_rows_are_worth(
        chances in prop::collection::vec((0u32..100, 1e-4f32..1.0), 0..60),
        near in prop::collection::vec(prop::collection::vec(0u32..100, 1..12), 0..5),
        genres in prop::sample::subsequence((0u32..10).collect::<Vec<_>>(), 0..8),
        rows_max in 1usize..10,
    ) {
        let shelf = shelf();
        let mut chances = chances;
        chances.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut ranked = HashSet::new();
        chances.retain(|(slot, _)| ranked.insert(*slot));
        let mut left: Vec<Candidate> = near.iter().enumerate().map(|(anchor, near)| {
            let near: Vec<u32> = near.iter().collect::<HashSet<_>>().into_iter().copied().collect();
            because(anchor as u32, &near)
        }).collect();
        left.extend(genres.iter().map(|number| genre(&shelf, *number)));
        left.push(Candidate::new(Claim::New, Vec::new(), 3, 40));
        left.push(Candidate::new(Claim::Popular, Vec::new(), 3, 40));
        let rows = page(&shelf, &picks(&chances), left, rows_max);
        let kinds = kinds(&rows);
        prop_assert!(rows.len() <= rows_max);
        let shown: Vec<u32> = rows.iter().flat_map(|(_, slots)| slots.iter().copied()).collect();
        prop_assert_eq!(shown.iter().collect::<HashSet<_>>().len(), shown.len(), "a title twice");
        // Three of a kind in succession only where no other kind had a row left.
        for (at, three) in kinds.windows(3).enumerate() {
            let others_after = kinds[at + 2..].iter().any(|kind| *kind != three[0]);
            prop_assert!(three.iter().any(|kind| *kind != three[0]) || !others_after, "{kinds:?}");
        }
        for kind in [0, 1] {
            prop_assert!(kinds.iter().filter(|other| **other == kind).count() <= [3, 5][kind]);
        }
        let first_anchor = rows.iter().find_map(|(claim, _)| match claim {
            Claim::Because(anchor) => Some(anchor.slot),
            _ => None,
        });
        let is_used_up = near.first().is_none_or(|titles| titles.iter().all(|slot| shown.contains(slot)));
        prop_assert!(first_anchor.is_none_or(|first| first == 0 || is_used_up));
        let in_order: Vec<u32> = rows.iter().filter(|(claim, _)| matches!(claim, Claim::Genre(_))).map(|(_, slots)| slots[0] / 10).collect();
        prop_assert!(in_order.windows(2).all(|pair| pair[0] < pair[1]), "{in_order:?}");
    }

    #[test]
    fn every_kind_that_has_titles_is_on_a_page_with_room(
        chances in prop::collection::vec((0u32..100, 1e-4f32..1.0), 1..60),
        near in prop::collection::vec(0u32..30, 3..12),
    ) {
        let shelf = shelf();
        let mut chances = chances;
        chances.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut ranked = HashSet::new();
        chances.retain(|(slot, _)| ranked.insert(*slot));
        let mut left = vec![because(0, &near), because(1, &[1, 2, 3, 4]), because(2, &[5, 6, 7, 8])];
        left.extend((3..9).map(|number| genre(&shelf, number)));
        left.push(Candidate::new(Claim::New, Vec::new(), 3, 40));
        left.push(Candidate::new(Claim::Popular, Vec::new(), 3, 40));
        let kinds: HashSet<usize> = kinds(&page(&shelf, &picks(&chances), left, 4)).into_iter().collect();
        prop_assert_eq!(kinds.len(), 4);
    }
}

#[test]
fn a_fixed_order_is_the_same_whatever_the_chances_are_and_leaves_out_what_has_too_few() {
    let shelf = shelf();
    let left = || {
        let mut left = vec![because(1, &[2, 3, 4]), because(5, &[2]), because(9, &[61, 62, 63])];
        left[1].items_min = 3;
        left.extend([6, 1, 2].map(|number| genre(&shelf, number)));
        left.push(Candidate::new(Claim::Popular, Vec::new(), 3, 30));
        left
    };
    for best in [15, 45, 75] {
        let picks = picks(&[(best, 0.9), (8, 0.1)]);
        let mut chances = Chances::default();
        chances.read(shelf.titles.len(), &picks);
        let rows = filled(&shelf, Choice::new(&shelf, &picks, &chances, 0, 9).fixed(), left());
        assert_eq!(kinds(&rows), [0, 1, 1, 0, 1, 4]);
        let short = filled(&shelf, Choice::new(&shelf, &picks, &chances, 0, 2).fixed(), left());
        assert_eq!(kinds(&short), [0, 1]);
    }
}
