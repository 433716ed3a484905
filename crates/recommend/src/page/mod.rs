//! The home page: which rows, in which order, with which titles. Pure: a shelf, a viewer's taste, and out comes a page.
//!
//! Hard constraints hold for every row: published, within the viewer's maturity, not disliked, not excluded. Recommendation rows
//! moreover never show what was seen, begun, rated or listed, and a title stands in one of them at most.
//!
//! *Continue Watching* and *Top Picks* stand above, *My List* near the top; which other rows there are and where, [`choice`] decides.
//! First every row gets its first titles, in the order of the page, then what is left of its length: the first titles of a lower
//! row are seen by more people than the twentieth of a higher one.

mod choice;
mod explore;
mod mix;
mod picks;
mod reasons;
mod rows;
mod spread;

use std::cell::RefCell;

use contract::{
    Millis, PageId,
    activity::RecentActivity,
    catalog::Card,
    recommend::{GetHome, Item, Reason, Row, RowKind, Viewer},
};
use reco::{ItemSet, Ranked, Scratch};

pub use picks::Pick;
pub use reasons::explained;

use choice::{Chances, Choice};
use mix::Mix;
use picks::ranked;

use crate::{impressions::Explored, shelf::Shelf, taste::Taste};

/// Rows of a page.
const ROWS_MAX: usize = 12;
/// Titles of a row.
pub const ITEMS_MAX: usize = 40;
/// A recommendation row with fewer is not worth its place.
const ITEMS_MIN: usize = 3;
/// Titles that the model ranks for one page.
pub const RANKED: usize = 160;
/// Titles ranked behind them, which stand on a page only by lot.
pub const BAND: usize = 60;
/// Items of *Top Picks* that come with their reasons.
const REASONS_MAX: usize = 20;
/// *My List* stands below so many chosen rows, where there are as many.
const ROWS_ABOVE_MY_LIST: usize = 3;

/// What the builder is given.
pub struct Asked<'a> {
    pub shelf: &'a Shelf,
    pub request: &'a GetHome,
    pub recent: &'a RecentActivity,
    /// Cards of titles in progress that are not on the shelf: episodes.
    pub episodes: &'a [Card],
    pub now: Millis,
    /// The page's id: what is left to chance is drawn by it.
    pub page: PageId,
    /// The share of places that explore.
    pub explore_share: f32,
    /// Whether rows stand in the same order on every page.
    pub rows_fixed: bool,
    /// The other arm of an experiment that interleaves: its picks are mixed into *Top Picks*.
    pub rival: Option<&'a Shelf>,
}

/// A page without its id.
pub struct Built {
    pub hero: Option<Item>,
    pub rows: Vec<Row>,
    /// How *Top Picks* explores, where it does.
    pub explored: Option<Explored>,
    /// Who gave each of the first *Top Picks*, where they were mixed: `a`, `b`, or `-` for neither.
    pub teams: Option<String>,
}

thread_local! {
    /// Buffers of the model, one set per serving thread.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
    static CHANCES: RefCell<Chances> = RefCell::default();
}

/// The best `count` titles for a viewer, the best first, without a page around them.
pub fn top(shelf: &Shelf, viewer: &Viewer, taste: &Taste, count: usize) -> Vec<Pick> {
    SCRATCH.with_borrow_mut(|scratch| ranked(shelf, viewer, taste, count, scratch).0)
}

/// Makes the page.
pub fn build(asked: &Asked<'_>) -> Built {
    let request = asked.request;
    let taste = Taste::read(asked.shelf, &request.viewer, asked.recent, &request.exclude, asked.now);
    SCRATCH.with_borrow_mut(|scratch| CHANCES.with_borrow_mut(|chances| compose(asked, &taste, scratch, chances)))
}

fn compose(asked: &Asked<'_>, taste: &Taste, scratch: &mut Scratch, chances: &mut Chances) -> Built {
    let shelf = asked.shelf;
    let rival = mix::rival_order(asked, rows::CALIBRATED, scratch);
    let (ranked, ranking) = ranked(shelf, &asked.request.viewer, taste, RANKED + BAND, scratch);
    let (picks, band) = ranked.split_at(ranked.len().min(RANKED));
    chances.read(shelf.titles.len(), picks);
    let mut builder = Builder::new(asked, taste, ranking);
    builder.continue_watching();
    builder.my_list();
    let order = builder.pick_order(picks);
    let order = builder.mixed(order, rival);
    let above = usize::from(!builder.continued.is_empty()) + usize::from(!order.is_empty());
    let chosen_max = ROWS_MAX - above - usize::from(!builder.listed.is_empty());
    let choice = Choice::new(shelf, picks, chances, above, chosen_max);
    let choice = if asked.rows_fixed { choice.fixed() } else { choice };
    builder.fill(&order, choice);
    let (hero, explored) = builder.explore(band);
    builder.finish(hero, explored)
}

/// A recommendation row: its titles so far.
struct Draft {
    kind: RowKind,
    reason: Option<Reason>,
    slots: Vec<u32>,
}

/// Rows as they are made; titles as they are used up.
struct Builder<'a> {
    asked: &'a Asked<'a>,
    shelf: &'a Shelf,
    viewer: &'a Viewer,
    taste: &'a Taste,
    /// The model's ranking that the picks come from: it knows why.
    ranking: Option<Ranked<'a>>,
    /// Slots that no further row may show.
    shown: ItemSet,
    continued: Vec<Item>,
    listed: Vec<Item>,
    /// *Top Picks*; empty where nothing is known and there is no model.
    picks: Vec<u32>,
    /// Whose picks they are, where an experiment interleaves.
    mix: Option<Mix>,
    drafts: Vec<Draft>,
    /// Titles a recommendation row may have: small catalogues have short rows, so that every kind gets some.
    row_max: usize,
}

impl<'a> Builder<'a> {
    fn new(asked: &'a Asked<'a>, taste: &'a Taste, ranking: Option<Ranked<'a>>) -> Self {
        let mut shown = taste.hidden.clone();
        shown.union(&taste.banned);
        Self {
            asked,
            shelf: asked.shelf,
            viewer: &asked.request.viewer,
            taste,
            ranking,
            shown,
            continued: Vec::new(),
            listed: Vec::new(),
            picks: Vec::new(),
            mix: None,
            drafts: Vec::with_capacity(ROWS_MAX),
            row_max: (asked.shelf.lists.popular.len() / 12).clamp(5, ITEMS_MAX),
        }
    }

    /// A slot that a recommendation row may still take.
    fn is_free(&self, slot: u32) -> bool {
        !self.shown.contains(slot) && self.shelf.is_visible(slot, self.viewer.maturity_max)
    }

    /// Lengthens `row` to `length` by the first free ones, sequels apart; they are used up.
    fn take(&mut self, row: &mut Vec<u32>, slots: impl Iterator<Item = u32>, length: usize) {
        let before = row.len();
        let free = slots.filter(|slot| self.is_free(*slot));
        spread::lengthen(row, free, length, |slot| self.shelf.titles.franchise(slot));
        row[before..].iter().for_each(|slot| self.shown.insert(*slot));
    }

    fn items(&self, slots: &[u32]) -> Vec<Item> {
        slots
            .iter()
            .map(|slot| Item {
                title: self.shelf.titles.id(*slot),
                reason: None,
            })
            .collect()
    }

    /// Lets a share of *Top Picks* explore; before that, which of them leads the page. Answers the place of that one.
    fn explore(&mut self, band: &[Pick]) -> (usize, Option<Explored>) {
        let leading = self.picks.iter().take(rows::FRONT);
        let hero = { leading }
            .position(|slot| self.shelf.titles.get(*slot).playable)
            .unwrap_or(0);
        let lot = explore::Lot {
            page: self.asked.page,
            profile: self.viewer.profile,
            share: self.asked.explore_share,
        };
        let free = band.iter().map(|pick| pick.slot).filter(|slot| self.is_free(*slot));
        let band = spread::unlike(free, &self.picks, |slot| self.shelf.titles.franchise(slot));
        let told = explore::explore(lot, &mut self.picks, &band, hero);
        let title = |slot: u32| self.shelf.titles.id(slot);
        let displaced = told.displaced.into_iter().map(|(place, slot)| (place, title(slot)));
        let explored = Explored {
            // It stands below what the viewer has begun.
            row: usize::from(!self.continued.is_empty()),
            displaced: displaced.collect(),
            band: band.into_iter().map(title).collect(),
            places: told.propensities,
        };
        (hero, Some(explored).filter(|explored| !explored.places.is_empty()))
    }

    fn finish(mut self, hero: usize, explored: Option<Explored>) -> Built {
        let mut rows = Vec::with_capacity(ROWS_MAX);
        if !self.continued.is_empty() {
            rows.push(row(
                RowKind::ContinueWatching,
                None,
                std::mem::take(&mut self.continued),
            ));
        }
        let mut leads = None;
        if !self.picks.is_empty() {
            let mut items = self.items(&self.picks);
            for (item, reason) in items.iter_mut().zip(self.reasons()) {
                item.reason = reason;
            }
            leads = items.get(hero).cloned();
            rows.push(row(RowKind::TopPicks, None, items));
        }
        let teams = self.mix.as_ref().map(|mix| mix.letters(&self.picks));
        let drafts = std::mem::take(&mut self.drafts);
        let below = rows.len() + drafts.len().min(ROWS_ABOVE_MY_LIST);
        for draft in drafts {
            let items = self.items(&draft.slots);
            rows.push(row(draft.kind, draft.reason, items));
        }
        if !self.listed.is_empty() {
            rows.insert(below, row(RowKind::MyList, None, std::mem::take(&mut self.listed)));
        }
        let hero = leads.or_else(|| self.any_hero(&rows));
        Built {
            hero,
            rows,
            explored,
            teams,
        }
    }

    /// Without picks: the first title of the first recommendation row that plays, or the first at all.
    fn any_hero(&self, rows: &[Row]) -> Option<Item> {
        let own = |kind: &RowKind| matches!(kind, RowKind::ContinueWatching | RowKind::MyList);
        let rows = || rows.iter().filter(|row| !own(&row.kind));
        let plays = |item: &&Item| {
            let slot = self.shelf.titles.slot(item.title);
            slot.is_some_and(|slot| self.shelf.titles.get(slot).playable)
        };
        let item = |row: &Row, item: &Item| Item {
            title: item.title,
            reason: item.reason.clone().or(row.reason.clone()),
        };
        rows()
            .find_map(|row| row.items.iter().find(plays).map(|found| item(row, found)))
            .or_else(|| rows().find_map(|row| row.items.first().map(|found| item(row, found))))
    }
}

fn row(kind: RowKind, reason: Option<Reason>, items: Vec<Item>) -> Row {
    Row {
        id: row_id(&kind),
        kind,
        reason,
        items,
    }
}

/// Stable for the same row on the next page.
fn row_id(kind: &RowKind) -> String {
    match kind {
        RowKind::ContinueWatching => "continue_watching".into(),
        RowKind::TopPicks => "top_picks".into(),
        RowKind::Trending => "trending".into(),
        RowKind::BecauseYouWatched(title) => format!("because_you_watched:{title}"),
        RowKind::Genre(genre) => format!("genre:{genre}"),
        RowKind::New => "new".into(),
        RowKind::MyList => "my_list".into(),
        RowKind::Popular => "popular".into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by it")]
mod tests;
