//! *Top Picks* of two models mixed by team draft, where an experiment interleaves them.
//!
//! Only the first places count: what stands behind them depends on what other rows, which the page's own model makes, have taken.

use std::collections::HashMap;

use contract::PageId;
use reco::{
    Scratch,
    experiment::{Team, team_draft},
};

use super::{
    Asked, BAND, RANKED,
    picks::{calibrated, ranked},
};
use crate::taste::Taste;

/// Which model gave the first titles of *Top Picks*.
pub struct Mix {
    teams: HashMap<u32, Team>,
    places: usize,
}

/// The picks of the other arm's model, in the order in which a page of its own would have them.
pub fn rival_order(asked: &Asked<'_>, count: usize, scratch: &mut Scratch) -> Option<Vec<u32>> {
    let rival = asked.rival?;
    let viewer = &asked.request.viewer;
    let taste = Taste::read(rival, viewer, asked.recent, &asked.request.exclude, asked.now);
    let (mut picks, _) = ranked(rival, viewer, &taste, RANKED + BAND, scratch);
    picks.truncate(RANKED);
    Some(calibrated(rival, &taste, &picks, count))
}

impl Mix {
    /// One order of both, by lots of the page; the first `places` of it count.
    pub fn new(own: &[u32], rival: &[u32], places: usize, page: PageId) -> (Self, Vec<u32>) {
        let drafted = team_draft(own, rival, own.len().max(rival.len()), page.0 as u64);
        let first = drafted.iter().take(places);
        let teams = first.filter_map(|place| Some((place.item, place.team?))).collect();
        let order = drafted.iter().map(|place| place.item).collect();
        (Self { teams, places }, order)
    }

    /// A letter for each place of the row: who gave what stands there. Without letters behind the last that counts.
    pub fn letters(&self, row: &[u32]) -> String {
        let letter = |slot: &u32| match self.teams.get(slot) {
            Some(Team::A) => 'a',
            Some(Team::B) => 'b',
            None => '-',
        };
        row.iter().take(self.places).map(letter).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_places_count_and_what_was_swapped_in_counts_for_nobody() {
        let (own, rival): (Vec<u32>, Vec<u32>) = ((0..20).collect(), (10..30).collect());
        let (mix, order) = Mix::new(&own, &rival, 6, PageId(77));
        assert_eq!(order.len(), 20);
        let mut row = order[..10].to_vec();
        let letters = mix.letters(&row);
        assert_eq!(
            (
                letters.len(),
                letters.matches('a').count(),
                letters.matches('b').count()
            ),
            (6, 3, 3)
        );
        for (slot, letter) in row.iter().zip(letters.chars()) {
            assert!(if letter == 'a' { *slot < 20 } else { *slot >= 10 });
        }
        row[4] = 99;
        assert_eq!(mix.letters(&row).chars().nth(4), Some('-'));
        assert_eq!(mix.letters(&row[..2]).len(), 2);
    }

    #[test]
    fn the_same_page_is_mixed_the_same() {
        let (own, rival): (Vec<u32>, Vec<u32>) = ((0..20).collect(), (0..20).rev().collect());
        let orders: Vec<Vec<u32>> = [5, 5, 6, 7, 8]
            .map(|page| Mix::new(&own, &rival, 12, PageId(page)).1)
            .into();
        assert_eq!(orders[0], orders[1]);
        assert!(orders[2..].iter().any(|order| *order != orders[0]));
    }
}
