//! What people favoured before the acts that are still kept one by one ([`crate::live`]): how many, by title and hour. Where more happens
//! between two trainings than that log holds, what is trending is counted from both, so that it fades by its half-life alone.

use std::collections::{BTreeMap, HashMap};

use contract::{Millis, TitleId};

use crate::live::HALF_LIFE_MS;

const HOUR_MS: i64 = 60 * 60 * 1000;
/// After these an act counts a sixteenth.
const HOURS_MAX: i64 = 4 * HALF_LIFE_MS / HOUR_MS;
/// A title in an hour is one; when there are more, the oldest hours go.
pub const CELLS_MAX: usize = 200_000;

/// So many people began to favour a title in an hour since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub hour: i64,
    pub title: TitleId,
    pub people: u32,
}

impl Cell {
    /// Of one person, at this time.
    pub fn at(title: TitleId, at: Millis) -> Self {
        Self {
            hour: at.div_euclid(HOUR_MS),
            title,
            people: 1,
        }
    }
}

/// The first hour that still counts where this is the last.
pub fn first_hour(last: i64) -> i64 {
    last - HOURS_MAX + 1
}

/// Counts of the past, a bounded number of them.
#[derive(Debug, Default)]
pub struct Faded {
    hours: BTreeMap<i64, HashMap<TitleId, u32>>,
    cells: usize,
}

impl Faded {
    pub fn add(&mut self, cell: Cell) {
        let titles = self.hours.entry(cell.hour).or_default();
        let before = titles.len();
        *titles.entry(cell.title).or_insert(0) += cell.people;
        self.cells += titles.len() - before;
        let last = self.hours.last_key_value().map_or(cell.hour, |(last, _)| *last);
        while let Some(oldest) = self.hours.first_entry() {
            if self.cells <= CELLS_MAX && *oldest.key() >= first_hour(last) {
                return;
            }
            self.cells -= oldest.remove().len();
        }
    }

    /// Each title's count after `since`, halved for every [`HALF_LIFE_MS`] until `now`; an hour is taken as its middle, which is off by a
    /// five-hundredth at most.
    pub fn since(&self, since: Millis, now: Millis) -> impl Iterator<Item = (TitleId, f32)> {
        let middle = |hour: i64| hour * HOUR_MS + HOUR_MS / 2;
        let hours = self.hours.iter().filter(move |(hour, _)| middle(**hour) > since);
        hours.flat_map(move |(hour, titles)| {
            let age = (now - middle(*hour)).max(0) as f64 / HALF_LIFE_MS as f64;
            let share = (-age).exp2() as f32;
            titles
                .iter()
                .map(move |(title, people)| (*title, *people as f32 * share))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(hour: i64, title: i64, people: u32) -> Cell {
        let title = TitleId(title);
        Cell { hour, title, people }
    }

    fn count(faded: &Faded, title: i64, since: Millis, now: Millis) -> f32 {
        let of_title = faded.since(since, now).filter(|(one, _)| *one == TitleId(title));
        of_title.map(|(_, count)| count).sum()
    }

    #[test]
    fn a_count_halves_in_a_half_life_and_is_not_told_to_whoever_has_counted_it() {
        const HOUR: i64 = 500_000;
        let mut faded = Faded::default();
        faded.add(cell(HOUR, 1, 3));
        faded.add(cell(HOUR, 1, 5));
        faded.add(cell(HOUR - HALF_LIFE_MS / HOUR_MS, 1, 4));
        let middle = HOUR * HOUR_MS + HOUR_MS / 2;
        assert!((count(&faded, 1, 0, middle) - 10.0).abs() < 1e-3);
        assert!((count(&faded, 1, 0, middle + HALF_LIFE_MS) - 5.0).abs() < 1e-3);
        assert!((count(&faded, 1, middle - 1, middle) - 8.0).abs() < 1e-3);
        assert_eq!(count(&faded, 1, middle, middle), 0.0);
        assert_eq!(count(&faded, 2, 0, middle), 0.0);
    }

    #[test]
    fn it_holds_a_bounded_number_of_hours_and_of_titles_in_them_the_newest() {
        let mut faded = Faded::default();
        for hour in 0..2 * HOURS_MAX {
            faded.add(cell(hour, 1, 1));
        }
        assert_eq!(faded.hours.len() as i64, HOURS_MAX);
        faded.add(cell(0, 1, 1));
        assert_eq!(faded.hours.len() as i64, HOURS_MAX, "older than any");
        for title in 0..2 * CELLS_MAX as i64 {
            faded.add(cell(2 * HOURS_MAX + title / 50_000, title, 1));
        }
        assert!(faded.cells <= CELLS_MAX && faded.cells > CELLS_MAX / 2);
        let held: usize = faded.hours.values().map(HashMap::len).sum();
        assert_eq!(held, faded.cells);
        assert_eq!(*faded.hours.last_key_value().unwrap().0, 2 * HOURS_MAX + 7);
    }
}
