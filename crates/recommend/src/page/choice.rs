//! Which recommendation rows a page gets and in which order: always the row next that adds most, of titles that stand nowhere yet.
//!
//! A title in row r and column c, both from 1, counts its chance over log2(r + c). That is the discount of the two-dimensional NDCG
//! (Felicioni, Ferrari Dacrema, Pérez Maurera and Cremonesi 2021, "Measuring the ranking quality of recommendations in a
//! two-dimensional carousel setting", with both weights 1), by which a title counts once, where it stands first. What is added that
//! way is nearly submodular, so that greedy choice is good, and a row that was worth little stays worth little: it is looked at again
//! only when no other promises more (Minoux 1978, "Accelerated greedy algorithms").
//!
//! What no score says stands as rules: every kind of row that has titles is on the page, never three of one kind in succession, the
//! row of what was liked last before those of earlier likings, and genres in the viewer's own order.
//!
//! A house that wants it has the rows in the same order on every page instead, [`FIXED`].

use super::{ITEMS_MIN, ROWS_MAX, picks::Pick};
use crate::{shelf::Shelf, taste::Anchor};

/// Columns that count: about what a wide screen shows.
const COLUMNS: usize = 10;
/// Rows of one kind in succession.
const SUCCESSION_MAX: usize = 2;

/// Kinds of rows that are chosen from.
const KINDS: usize = 5;
/// Their numbers from top to bottom where the order is the same for everybody: what was liked last, trending, two genres, another
/// liking, new, a genre, popular, and what else there is of genres and likings in turns. A kind that has no row left is left out.
const FIXED: [usize; 11] = [0, 2, 1, 1, 0, 3, 1, 4, 1, 0, 1];

/// What a recommendation row is made of.
#[derive(Debug, Clone, Copy)]
pub enum Claim {
    Because(Anchor),
    /// Bit of the genre.
    Genre(usize),
    Trending,
    New,
    Popular,
}

impl Claim {
    /// Number of the kind, dense from 0.
    fn kind(self) -> usize {
        match self {
            Self::Because(_) => 0,
            Self::Genre(_) => 1,
            Self::Trending => 2,
            Self::New => 3,
            Self::Popular => 4,
        }
    }

    /// Rows of this kind on a page.
    fn rows_max(self) -> usize {
        match self {
            Self::Because(_) => 3,
            Self::Genre(_) => 5,
            Self::Trending | Self::New | Self::Popular => 1,
        }
    }
}

/// A row that the page could have.
pub struct Candidate {
    pub claim: Claim,
    /// Titles near the anchor, where it is one.
    near: Vec<u32>,
    /// Titles that no other row may have: they stand first.
    pub held: Vec<u32>,
    pub items_max: usize,
    items_min: usize,
    /// At least what it is worth now, and for which row of the page that was computed.
    promise: f32,
    promised_for: usize,
}

impl Candidate {
    pub fn new(claim: Claim, near: Vec<u32>, items_min: usize, items_max: usize) -> Self {
        Self {
            claim,
            near,
            held: Vec::new(),
            items_max,
            items_min,
            promise: f32::INFINITY,
            promised_for: usize::MAX,
        }
    }

    /// Its titles in their order, whoever has them: of a genre the ranked ones first, then its popular ones.
    pub fn slots<'a>(&'a self, choice: &Choice<'a>) -> impl Iterator<Item = u32> + 'a {
        let (shelf, chances) = (choice.shelf, choice.chances);
        let (genre, list): (u64, &[u32]) = match self.claim {
            Claim::Because(_) => (0, &self.near),
            Claim::Genre(bit) => (1 << bit, &shelf.lists.genres[bit]),
            Claim::Trending => (0, &shelf.lists.trending),
            Claim::New => (0, &shelf.lists.new),
            Claim::Popular => (0, &shelf.lists.popular),
        };
        let ranked = if genre == 0 { &[] } else { choice.picks };
        let ranked = ranked.iter().map(|pick| pick.slot);
        let others = list.iter().copied();
        ranked
            .filter(move |slot| shelf.titles.masks[*slot as usize] & genre != 0)
            .chain(others.filter(move |slot| genre == 0 || !chances.is_ranked(*slot)))
    }
}

/// The chance of each title to be taken next, in a buffer that lives on.
#[derive(Default)]
pub struct Chances {
    by_slot: Vec<f32>,
    ranked: Vec<u32>,
    unranked: f32,
}

impl Chances {
    /// As ranked; what was not ranked has at most the chance of the last.
    pub fn read(&mut self, slots: usize, picks: &[Pick]) {
        for slot in self.ranked.drain(..) {
            if let Some(chance) = self.by_slot.get_mut(slot as usize) {
                *chance = 0.0;
            }
        }
        self.by_slot.resize(slots, 0.0);
        for pick in picks {
            self.by_slot[pick.slot as usize] = pick.chance.max(f32::MIN_POSITIVE);
            self.ranked.push(pick.slot);
        }
        self.unranked = picks.last().map_or(0.0, |pick| pick.chance);
    }

    fn is_ranked(&self, slot: u32) -> bool {
        self.by_slot[slot as usize] > 0.0
    }

    fn of(&self, slot: u32) -> f32 {
        self.by_slot[slot as usize].max(self.unranked)
    }
}

/// What the choice looks at.
pub struct Choice<'a> {
    pub shelf: &'a Shelf,
    pub picks: &'a [Pick],
    pub chances: &'a Chances,
    /// Rows that stand above all that is chosen.
    pub rows_above: usize,
    pub rows_max: usize,
    /// Kinds of the rows chosen so far.
    kinds: Vec<usize>,
    /// Places of [`FIXED`] that are dealt with, where it holds.
    fixed: Option<usize>,
}

impl<'a> Choice<'a> {
    pub fn new(shelf: &'a Shelf, picks: &'a [Pick], chances: &'a Chances, rows_above: usize, rows_max: usize) -> Self {
        Self {
            shelf,
            picks,
            chances,
            rows_above,
            rows_max,
            kinds: Vec::with_capacity(ROWS_MAX),
            fixed: None,
        }
    }

    /// The same with the rows in the order of [`FIXED`].
    pub fn fixed(self) -> Self {
        Self { fixed: Some(0), ..self }
    }

    /// Takes the next row out of `left`; candidates that have too few titles by now go, too.
    pub fn next(&mut self, left: &mut Vec<Candidate>, is_free: impl Fn(u32) -> bool) -> Option<Candidate> {
        if let Some(place) = self.fixed {
            return self.next_fixed(place, left, is_free);
        }
        let row = self.rows_above + self.kinds.len() + 1;
        while self.kinds.len() < self.rows_max {
            let place = self.most_promising(left)?;
            if left[place].promised_for == row {
                let chosen = left.remove(place);
                self.kinds.push(chosen.claim.kind());
                return Some(chosen);
            }
            let (worth, titles) = self.worth(&left[place], row, &is_free);
            if titles < left[place].items_min {
                left.remove(place);
            } else {
                left[place].promise = worth;
                left[place].promised_for = row;
            }
        }
        None
    }

    fn next_fixed(
        &mut self,
        mut place: usize,
        left: &mut Vec<Candidate>,
        is_free: impl Fn(u32) -> bool,
    ) -> Option<Candidate> {
        while place < FIXED.len() && self.kinds.len() < self.rows_max {
            let kind = FIXED[place];
            let Some(first) = left.iter().position(|candidate| candidate.claim.kind() == kind) else {
                place += 1;
                continue;
            };
            let candidate = left.remove(first);
            if self.worth(&candidate, 1, &is_free).1 >= candidate.items_min {
                self.kinds.push(kind);
                self.fixed = Some(place + 1);
                return Some(candidate);
            }
        }
        None
    }

    /// The best promise among those that the rules allow; where they allow none, variety gives way.
    fn most_promising(&self, left: &[Candidate]) -> Option<usize> {
        self.best_of(left, true).or_else(|| self.best_of(left, false))
    }

    fn best_of(&self, left: &[Candidate], varied: bool) -> Option<usize> {
        let mut placed = [0; KINDS];
        self.kinds.iter().for_each(|kind| placed[*kind] += 1);
        let mut first = [None; KINDS];
        for (place, candidate) in left.iter().enumerate() {
            first[candidate.claim.kind()].get_or_insert(place);
        }
        let missing = (0..KINDS).filter(|kind| placed[*kind] == 0 && first[*kind].is_some());
        let missing = missing.count();
        let only_missing = missing > 0 && self.kinds.len() + missing >= self.rows_max;
        let tail = &self.kinds[self.kinds.len().saturating_sub(SUCCESSION_MAX)..];
        let allows = |place: usize, candidate: &Candidate| {
            let kind = candidate.claim.kind();
            // Genres keep their order; among likings only the last one comes first.
            let is_free_in_order = matches!(candidate.claim, Claim::Because(_)) && placed[kind] > 0;
            let succeeds = tail.len() == SUCCESSION_MAX && tail.iter().all(|other| *other == kind);
            (is_free_in_order || first[kind] == Some(place))
                && placed[kind] < candidate.claim.rows_max()
                && !(varied && succeeds)
                && !(only_missing && placed[kind] > 0)
        };
        let mut best: Option<usize> = None;
        for (place, candidate) in left.iter().enumerate() {
            if best.is_none_or(|best| candidate.promise > left[best].promise) && allows(place, candidate) {
                best = Some(place);
            }
        }
        best
    }

    /// What a candidate adds as this row of the page, and how many titles it still has, both of the first columns.
    fn worth(&self, candidate: &Candidate, row: usize, is_free: impl Fn(u32) -> bool) -> (f32, usize) {
        let free = candidate.slots(self).filter(|slot| is_free(*slot));
        let own = candidate.held.iter().copied().chain(free);
        let counted = own.take(COLUMNS.max(ITEMS_MIN)).zip(row + 1..);
        counted.fold((0.0, 0), |(worth, titles), (slot, place)| {
            (worth + self.chances.of(slot) * discount(place), titles + 1)
        })
    }
}

/// 1 / log2(r + c), of their sum.
fn discount(place: usize) -> f32 {
    (place as f32).log2().recip()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by it")]
mod tests;
