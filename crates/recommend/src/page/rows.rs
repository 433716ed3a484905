//! Each kind of row. The order of the calls in `build` decides who gets a title that several rows want; the place decides where
//! a row stands.

use contract::{
    activity::Progress,
    recommend::{Contribution, Item, Reason, RowKind},
};

use super::{
    Builder, CALIBRATED, ITEMS_MAX, ITEMS_MIN, REASONS_MAX,
    mix::Mix,
    picks::{Pick, calibrated},
    reasons::{FAVOURITE_SHARE, why},
};
use crate::{
    shelf::{NONE, bits},
    taste::Anchor,
};

/// Half a minute in, somebody means to watch it.
const BEGUN_MS: u64 = 30_000;
const CONTINUE_MAX: usize = 20;
/// The first picks come before all other claims.
const FIRST_PICKS: usize = 12;
const BECAUSE_ROWS: usize = 2;
const BECAUSE_MAX: usize = 20;
/// Liked titles among which the second *Because You Watched* rotates, and how fast.
const ROTATION: usize = 10;
const ROTATE_EVERY_MS: i64 = 6 * 3_600_000;
const GENRE_ROWS: usize = 4;
const GENRE_MAX: usize = 30;

/// Places on the page, top to bottom.
const CONTINUE: u32 = 0;
const PICKS: u32 = 10;
const BECAUSE: [u32; BECAUSE_ROWS] = [20, 50];
const TRENDING: u32 = 30;
const GENRES: [u32; GENRE_ROWS] = [40, 46, 62, 80];
const MY_LIST: u32 = 44;
const NEW: u32 = 60;
const POPULAR: u32 = 70;

impl Builder<'_> {
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
        let items: Vec<Item> = begun
            .into_iter()
            .map(|(_, title)| Item { title, reason: None })
            .collect();
        if !items.is_empty() {
            self.push(CONTINUE, RowKind::ContinueWatching, None, items);
        }
    }

    fn may_continue(&self, title: contract::TitleId) -> bool {
        let maturity_max = self.viewer.maturity_max;
        match self.shelf.titles.slot(title) {
            Some(slot) => self.shelf.is_visible(slot, maturity_max) && !self.taste.banned.contains(slot),
            None => {
                let known = self.asked.episodes.iter().find(|card| card.id == title);
                known.is_some_and(|card| card.published && card.maturity <= maturity_max)
                    && !self.asked.request.exclude.contains(&title)
            }
        }
    }

    /// What the viewer listed, but for what is being watched.
    pub(super) fn my_list(&mut self) {
        let continued = self
            .rows
            .iter()
            .flat_map(|(_, row)| row.items.iter().map(|item| item.title))
            .collect::<Vec<_>>();
        let listed = self
            .asked
            .recent
            .listed
            .iter()
            .filter(|title| !continued.contains(title));
        let slots: Vec<u32> = listed
            .filter_map(|title| self.shelf.titles.slot(*title))
            .filter(|slot| self.shelf.is_visible(*slot, self.viewer.maturity_max) && !self.taste.banned.contains(*slot))
            .take(ITEMS_MAX)
            .collect();
        if !slots.is_empty() {
            let items = self.items(&slots);
            self.push(MY_LIST, RowKind::MyList, None, items);
        }
    }

    /// *Top Picks* and *Because You Watched*: each would empty the other, so the best picks go first, then the titles close to what
    /// was liked last, then the rest of the picks.
    pub(super) fn personal(&mut self) {
        if self.taste.is_cold() && self.taste.chosen.is_empty() && self.taste.anchors.is_empty() {
            return;
        }
        let wanted = self.row_max;
        let first = FIRST_PICKS.min(wanted.div_ceil(2));
        let own = calibrated(self.shelf, self.taste, &self.ranked, CALIBRATED);
        let order = self.mixed(own, first);
        let mut picks = self.take(order.iter().copied(), first);
        let anchors = self.anchors();
        for (place, anchor) in BECAUSE.iter().zip(anchors) {
            self.because_you_watched(*place, anchor);
        }
        let left = wanted.saturating_sub(picks.len());
        let more = self.take(order, left);
        picks.extend(more);
        self.teams = self.mix.as_ref().map(|mix| mix.letters(&picks));
        self.top_picks(&picks);
    }

    /// The picks, and those of the other arm where an experiment interleaves; the first `places` count.
    fn mixed(&mut self, own: Vec<u32>, places: usize) -> Vec<u32> {
        let Some(rival) = self.rival.take() else { return own };
        let free = |slots: Vec<u32>| {
            slots
                .into_iter()
                .filter(|slot| self.is_free(*slot))
                .collect::<Vec<u32>>()
        };
        let (mix, order) = Mix::new(&free(own), &free(rival), places, self.asked.page);
        self.mix = Some(mix);
        order
    }

    fn top_picks(&mut self, picks: &[u32]) {
        if picks.is_empty() {
            return;
        }
        let mut items = self.items(picks);
        for (item, reason) in items.iter_mut().zip(self.reasons(picks)) {
            item.reason = reason;
        }
        let playable = picks
            .iter()
            .take(FIRST_PICKS)
            .position(|slot| self.shelf.titles.get(*slot).playable);
        self.hero = items.get(playable.unwrap_or(0)).cloned();
        self.push(PICKS, RowKind::TopPicks, None, items);
    }

    /// What placed each of the first picks.
    fn reasons(&mut self, picks: &[u32]) -> Vec<Option<Reason>> {
        let (shelf, viewer, taste) = (self.shelf, self.viewer, self.taste);
        let picks = &picks[..picks.len().min(REASONS_MAX)];
        let items: Vec<u32> = picks
            .iter()
            .map(|slot| {
                // What the other arm's model placed was not placed by anything of this one's.
                let is_own = !self.mix.as_ref().is_some_and(|mix| mix.is_of_rival(*slot));
                shelf.item_of_slot(*slot).filter(|_| is_own).unwrap_or(NONE)
            })
            .collect();
        let ranking = self.ranking.as_mut();
        let attributed = ranking.map_or_else(|| vec![None; items.len()], |ranking| ranking.attribute(&items));
        let pairs = picks.iter().zip(attributed);
        pairs
            .map(|(slot, attribution)| why(shelf, viewer, taste, *slot, attribution.as_ref()))
            .collect()
    }

    /// The last liked title, always, and one of the others, another one every few hours.
    fn anchors(&self) -> Vec<Anchor> {
        let visible = |anchor: &&Anchor| self.shelf.is_visible(anchor.slot, self.viewer.maturity_max);
        let mut liked: Vec<Anchor> = self
            .taste
            .anchors
            .iter()
            .filter(visible)
            .take(1 + ROTATION)
            .copied()
            .collect();
        if liked.len() > 2 {
            let turn = self.asked.now.div_euclid(ROTATE_EVERY_MS) + self.viewer.profile.0;
            let others = liked.len() as i64 - 1;
            liked.swap(1, 1 + turn.rem_euclid(others) as usize);
        }
        liked
    }

    fn because_you_watched(&mut self, place: u32, anchor: Anchor) {
        let near = self.shelf.similar(anchor.slot);
        let slots = self.take(near, BECAUSE_MAX.min(self.row_max));
        if slots.is_empty() {
            return;
        }
        let title = self.shelf.titles.id(anchor.slot);
        let reason = Reason::Because(vec![Contribution {
            title,
            share: 1.0,
            how: anchor.how,
        }]);
        let items = self.items(&slots);
        self.push(place, RowKind::BecauseYouWatched(title), Some(reason), items);
    }

    pub(super) fn trending(&mut self) {
        let shelf = self.shelf;
        self.plain(TRENDING, RowKind::Trending, Reason::Trending, &shelf.lists.trending);
    }

    pub(super) fn new_titles(&mut self) {
        let shelf = self.shelf;
        self.plain(NEW, RowKind::New, Reason::New, &shelf.lists.new);
    }

    pub(super) fn popular(&mut self) {
        let shelf = self.shelf;
        self.plain(POPULAR, RowKind::Popular, Reason::Popular, &shelf.lists.popular);
    }

    fn plain(&mut self, place: u32, kind: RowKind, reason: Reason, slots: &[u32]) {
        let slots = self.take(slots.iter().copied(), self.row_max);
        if slots.len() < ITEMS_MIN {
            self.give_back(&slots);
            return;
        }
        let items = self.items(&slots);
        self.push(place, kind, Some(reason), items);
    }

    /// A row per genre, in the order of the viewer's mix; the ranked titles of the genre first, then its popular ones.
    pub(super) fn genres(&mut self) {
        let mut made = 0;
        for bit in self.genre_order() {
            if made == GENRE_ROWS {
                break;
            }
            let ranked: Vec<u32> = self
                .ranked
                .iter()
                .filter(|pick| self.is_of(pick, bit))
                .map(|pick| pick.slot)
                .collect();
            let shelf = self.shelf;
            let slots = self.take(
                ranked.into_iter().chain(shelf.lists.genres[bit].iter().copied()),
                GENRE_MAX.min(self.row_max),
            );
            if slots.len() < ITEMS_MIN {
                self.give_back(&slots);
                continue;
            }
            let genre = shelf.titles.genres[bit].clone();
            let is_favourite = self.taste.mix[bit] >= FAVOURITE_SHARE;
            let reason = is_favourite.then(|| Reason::Genres(vec![genre.clone()]));
            let items = self.items(&slots);
            self.push(GENRES[made], RowKind::Genre(genre), reason, items);
            made += 1;
        }
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
        order.truncate(GENRE_ROWS * 2);
        for bit in 0..known.min(GENRE_ROWS * 2) {
            if !order.contains(&bit) && self.taste.averse >> bit & 1 == 0 {
                order.push(bit);
            }
        }
        order
    }

    fn is_of(&self, pick: &Pick, genre: usize) -> bool {
        bits(self.shelf.titles.masks[pick.slot as usize]).any(|bit| bit == genre)
    }
}

fn is_resumable(progress: &Progress) -> bool {
    !progress.finished
        && progress.duration_ms > 0
        && progress.position_ms >= BEGUN_MS.min(progress.duration_ms / 50)
        && progress.position_ms > 0
}
