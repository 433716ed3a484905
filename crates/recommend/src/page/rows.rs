//! What each row is made of. Which of them a page gets, [`super::choice`] decides.

use contract::{
    activity::Progress,
    recommend::{Contribution, Item, Reason, RowKind},
};

use super::{
    Builder, Draft, ITEMS_MAX, ITEMS_MIN, REASONS_MAX,
    choice::{Candidate, Choice, Claim},
    mix::Mix,
    picks::{Pick, calibrated},
    reasons::{FAVOURITE_SHARE, why},
};
use crate::{shelf::NONE, taste::Anchor};

/// Half a minute in, somebody means to watch it.
const BEGUN_MS: u64 = 30_000;
const CONTINUE_MAX: usize = 20;
/// Titles of a row that are given out before any row gets more.
pub(super) const FRONT: usize = 12;
/// The same of *Top Picks*: as many as are calibrated together, or the rows below would take the genres that hold the mix.
const PICKS_FRONT: usize = 20;
const BECAUSE_MAX: usize = 20;
/// What trends most stands in the row of that name, which counts it out, and nowhere else but in the first picks.
const TRENDING_HELD: usize = 6;
/// Liked titles that could have a row besides the last one, among how many they rotate, and how fast.
const OTHER_ANCHORS: usize = 3;
const ROTATION: usize = 10;
const ROTATE_EVERY_MS: i64 = 6 * 3_600_000;
/// Genres that could have a row.
const GENRES_LOOKED_AT: usize = 8;
const GENRE_MAX: usize = 30;
/// Picks that are brought into the viewer's mix: those of the row, and as many as other rows may take first.
pub(super) const CALIBRATED: usize = 2 * ITEMS_MAX;

impl<'a> Builder<'a> {
    /// Begun and not finished, the last watched first.
    pub(super) fn continue_watching(&mut self) {
        let mut begun: Vec<(&Progress, contract::TitleId)> = Vec::new();
        for state in &self.asked.recent.states {
            if let Some(progress) = state.progress.as_ref().filter(|progress| is_resumable(progress))
                && self.may_continue(state.title)
            {
                begun.push((progress, state.title));
            }
        }
        begun.sort_by_key(|(progress, title)| std::cmp::Reverse((progress.at, *title)));
        begun.truncate(CONTINUE_MAX);
        for slot in begun.iter().filter_map(|(_, title)| self.shelf.titles.slot_of(*title)) {
            self.shown.insert(slot);
        }
        let items = begun.into_iter();
        self.continued = items.map(|(_, title)| Item { title, reason: None }).collect();
    }

    fn may_continue(&self, title: contract::TitleId) -> bool {
        let maturity_max = self.viewer.maturity_max;
        match self.shelf.titles.slot(title) {
            Some(slot) => self.shelf.is_visible(slot, maturity_max) && !self.taste.banned.contains(slot),
            None => {
                let known = self.asked.episodes.iter().find(|card| card.id == title);
                let may_series =
                    |series| self.shelf.is_visible(series, maturity_max) && !self.taste.banned.contains(series);
                known.is_some_and(|card| card.published && card.maturity <= maturity_max)
                    && self.shelf.titles.slot_of(title).is_none_or(may_series)
                    && !self.asked.request.exclude.contains(&title)
            }
        }
    }

    /// What the viewer listed, but for what is being watched.
    pub(super) fn my_list(&mut self) {
        let is_continued = |title: &contract::TitleId| self.continued.iter().any(|item| item.title == *title);
        let listed = self.asked.recent.listed.iter().filter(|title| !is_continued(title));
        let slots: Vec<u32> = listed
            .filter_map(|title| self.shelf.titles.slot(*title))
            .filter(|slot| self.shelf.is_visible(*slot, self.viewer.maturity_max) && !self.taste.banned.contains(*slot))
            .take(ITEMS_MAX)
            .collect();
        self.listed = self.items(&slots);
    }

    /// The picks in the order in which *Top Picks* takes them; none where nothing is known and no model says what everybody watches.
    pub(super) fn pick_order(&self, picks: &[Pick]) -> Vec<u32> {
        let is_known = !self.taste.is_cold() || !self.taste.chosen.is_empty() || !self.taste.anchors.is_empty();
        if !is_known && self.ranking.is_none() {
            return Vec::new();
        }
        calibrated(self.shelf, self.taste, picks, CALIBRATED)
    }

    /// The picks, and those of the other arm where an experiment interleaves; the first places count.
    pub(super) fn mixed(&mut self, own: Vec<u32>, rival: Option<Vec<u32>>) -> Vec<u32> {
        let Some(rival) = rival.filter(|_| !own.is_empty()) else {
            return own;
        };
        let free = |slots: Vec<u32>| -> Vec<u32> { slots.into_iter().filter(|slot| self.is_free(*slot)).collect() };
        let (mix, order) = Mix::new(&free(own), &free(rival), self.first_picks(), self.asked.page);
        self.mix = Some(mix);
        order
    }

    /// Places of *Top Picks* that are filled before any other row has a title.
    fn first_picks(&self) -> usize {
        PICKS_FRONT.min(self.row_max.div_ceil(2))
    }

    /// All recommendation rows: *Top Picks* in this order, the others as they are chosen.
    pub(super) fn fill(&mut self, order: &[u32], mut choice: Choice<'a>) {
        let mut picks = Vec::with_capacity(self.row_max);
        let first = self.first_picks();
        self.take(&mut picks, order.iter().copied(), first);
        let mut left = self.candidates();
        for candidate in left
            .iter_mut()
            .filter(|candidate| matches!(candidate.claim, Claim::Trending))
        {
            let mut held = Vec::with_capacity(candidate.items_max);
            self.take(
                &mut held,
                candidate.slots(&choice),
                TRENDING_HELD.min(candidate.items_max),
            );
            // Too few for a row: others may have them.
            if held.len() < ITEMS_MIN {
                held.drain(..).for_each(|slot| self.shown.remove(slot));
            }
            candidate.held = held;
        }
        let mut chosen = Vec::with_capacity(left.len());
        while let Some(mut candidate) = choice.next(&mut left, |slot| self.is_free(slot)) {
            let mut slots = std::mem::take(&mut candidate.held);
            self.take(&mut slots, candidate.slots(&choice), FRONT.min(candidate.items_max));
            chosen.push((candidate, slots));
        }
        self.take(&mut picks, order.iter().copied(), self.row_max);
        self.picks = picks;
        for (candidate, mut slots) in chosen {
            self.take(&mut slots, candidate.slots(&choice), candidate.items_max);
            let (kind, reason) = self.named(candidate.claim);
            self.drafts.push(Draft { kind, reason, slots });
        }
    }

    fn candidates(&self) -> Vec<Candidate> {
        let row_max = self.row_max;
        let because = self.anchors().into_iter().enumerate().map(|(number, anchor)| {
            let near = self.shelf.similar(anchor.slot);
            // What was liked last leads on, if only to a single title.
            let items_min = if number == 0 { 1 } else { ITEMS_MIN };
            Candidate::new(Claim::Because(anchor), near, items_min, BECAUSE_MAX.min(row_max))
        });
        let plain = |claim| Candidate::new(claim, Vec::new(), ITEMS_MIN, row_max);
        let genre = |bit| Candidate::new(Claim::Genre(bit), Vec::new(), ITEMS_MIN, GENRE_MAX.min(row_max));
        let mut candidates: Vec<Candidate> = because.collect();
        candidates.push(plain(Claim::Trending));
        candidates.extend(self.genre_order().into_iter().map(genre));
        candidates.extend([Claim::New, Claim::Popular].map(plain));
        candidates
    }

    fn named(&self, claim: Claim) -> (RowKind, Option<Reason>) {
        match claim {
            Claim::Because(anchor) => {
                let title = self.shelf.titles.id(anchor.slot);
                let named = Contribution {
                    title,
                    share: 1.0,
                    how: anchor.how,
                };
                (RowKind::BecauseYouWatched(title), Some(Reason::Because(vec![named])))
            }
            Claim::Genre(bit) => {
                let genre = self.shelf.titles.genres[bit].clone();
                let is_favourite = self.taste.mix[bit] >= FAVOURITE_SHARE;
                let reason = is_favourite.then(|| Reason::Genres(vec![genre.clone()]));
                (RowKind::Genre(genre), reason)
            }
            Claim::Trending => (RowKind::Trending, Some(Reason::Trending)),
            Claim::New => (RowKind::New, Some(Reason::New)),
            Claim::Popular => (RowKind::Popular, Some(Reason::Popular)),
        }
    }

    /// What placed each of the first picks.
    pub(super) fn reasons(&mut self) -> Vec<Option<Reason>> {
        let (shelf, viewer, taste) = (self.shelf, self.viewer, self.taste);
        let picks = &self.picks[..self.picks.len().min(REASONS_MAX)];
        let item = |slot: &u32| shelf.item_of_slot(*slot).unwrap_or(NONE);
        let items: Vec<u32> = picks.iter().map(item).collect();
        // Where two models are compared neither says why: what has a reason is taken for it.
        let ranking = self.ranking.as_mut().filter(|_| self.mix.is_none());
        let attributed = ranking.map_or_else(|| vec![None; items.len()], |ranking| ranking.attribute(&items));
        let pairs = picks.iter().zip(attributed);
        pairs
            .map(|(slot, attribution)| why(shelf, viewer, taste, *slot, attribution.as_ref()))
            .collect()
    }

    /// The last liked title, and some of the others, other ones every few hours.
    fn anchors(&self) -> Vec<Anchor> {
        let visible = |anchor: &&Anchor| self.shelf.is_visible(anchor.slot, self.viewer.maturity_max);
        let liked = self.taste.anchors.iter().filter(visible).take(1 + ROTATION);
        let mut liked: Vec<Anchor> = liked.copied().collect();
        if liked.len() > 2 {
            let turn = self.asked.now.div_euclid(ROTATE_EVERY_MS) + self.viewer.profile.0;
            let others = liked.len() as i64 - 1;
            liked[1..].rotate_left(turn.rem_euclid(others) as usize);
        }
        liked.truncate(1 + OTHER_ANCHORS);
        liked
    }

    /// The viewer's own genres, then the catalogue's common ones that nothing was said against.
    fn genre_order(&self) -> Vec<usize> {
        let known = self.shelf.titles.genres.len();
        let mut order: Vec<usize> = self
            .taste
            .favourite_genres()
            .into_iter()
            .filter(|bit| *bit < known)
            .collect();
        order.truncate(GENRES_LOOKED_AT);
        for bit in 0..known.min(GENRES_LOOKED_AT) {
            if !order.contains(&bit) && self.taste.averse >> bit & 1 == 0 {
                order.push(bit);
            }
        }
        order
    }
}

pub(super) fn is_resumable(progress: &Progress) -> bool {
    !progress.finished
        && progress.duration_ms > 0
        && progress.position_ms >= BEGUN_MS.min(progress.duration_ms / 50)
        && progress.position_ms > 0
}
