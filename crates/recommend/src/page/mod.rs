//! The home page: which rows, in which order, with which titles. Pure: a shelf, a viewer's taste, and out comes a page.
//!
//! Hard constraints hold for every row: published, within the viewer's maturity, not disliked, not excluded. Recommendation rows
//! moreover never show what was seen, begun, rated or listed, and a title stands in one of them at most.

mod mix;
mod picks;
mod reasons;
mod rows;

use std::cell::RefCell;

use contract::{
    Millis, PageId,
    activity::RecentActivity,
    catalog::Card,
    recommend::{GetHome, Item, Row, RowKind, Viewer},
};
use reco::{ItemSet, Ranked, Scratch};

pub use picks::Pick;
pub use reasons::explained;

use mix::Mix;
use picks::ranked;

use crate::{shelf::Shelf, taste::Taste};

/// Rows of a page.
const ROWS_MAX: usize = 12;
/// Titles of a row.
pub const ITEMS_MAX: usize = 40;
/// A recommendation row with fewer is not worth its place.
const ITEMS_MIN: usize = 3;
/// Titles that the model ranks for one page.
pub const RANKED: usize = 160;
/// Items of *Top Picks* that come with their reasons.
const REASONS_MAX: usize = 20;
/// Picks that are brought into the viewer's mix: those of the row, and as many as other rows may take first.
const CALIBRATED: usize = 2 * ITEMS_MAX;

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
    /// The other arm of an experiment that interleaves: its picks are mixed into *Top Picks*.
    pub rival: Option<&'a Shelf>,
}

/// A page without its id.
pub struct Built {
    pub hero: Option<Item>,
    pub rows: Vec<Row>,
    /// Who gave each of the first *Top Picks*, where they were mixed: `a`, `b`, or `-` for neither.
    pub teams: Option<String>,
}

thread_local! {
    /// Buffers of the model, one set per serving thread.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The best `count` titles for a viewer, the best first, without a page around them.
pub fn top(shelf: &Shelf, viewer: &Viewer, taste: &Taste, count: usize) -> Vec<Pick> {
    SCRATCH.with_borrow_mut(|scratch| ranked(shelf, viewer, taste, count, scratch).0)
}

/// Makes the page.
pub fn build(asked: &Asked<'_>) -> Built {
    let taste = Taste::read(asked.shelf, &asked.request.viewer, asked.recent, &asked.request.exclude);
    SCRATCH.with_borrow_mut(|scratch| compose(asked, &taste, scratch))
}

fn compose(asked: &Asked<'_>, taste: &Taste, scratch: &mut Scratch) -> Built {
    let rival = mix::rival_order(asked, CALIBRATED, scratch);
    let mut builder = Builder::new(asked, taste, scratch);
    builder.rival = rival;
    builder.continue_watching();
    builder.my_list();
    builder.personal();
    builder.trending();
    builder.genres();
    builder.new_titles();
    builder.popular();
    builder.finish()
}

/// Rows as they are made, each with its place on the page; titles as they are used up.
struct Builder<'a> {
    asked: &'a Asked<'a>,
    shelf: &'a Shelf,
    viewer: &'a Viewer,
    taste: &'a Taste,
    /// The titles ranked for this viewer, the best first.
    ranked: Vec<Pick>,
    /// The model's ranking that they come from: it knows why.
    ranking: Option<Ranked<'a>>,
    /// Slots that no further row may show.
    shown: ItemSet,
    rows: Vec<(u32, Row)>,
    hero: Option<Item>,
    /// The picks of the other arm's model, and what was mixed of both.
    rival: Option<Vec<u32>>,
    mix: Option<Mix>,
    teams: Option<String>,
    /// Titles a recommendation row may have: small catalogues have short rows, so that every kind gets some.
    row_max: usize,
}

impl<'a> Builder<'a> {
    fn new(asked: &'a Asked<'a>, taste: &'a Taste, scratch: &'a mut Scratch) -> Self {
        let shelf = asked.shelf;
        let viewer = &asked.request.viewer;
        let mut shown = taste.hidden.clone();
        shown.union(&taste.banned);
        let (ranked, ranking) = ranked(shelf, viewer, taste, RANKED, scratch);
        Self {
            asked,
            shelf,
            viewer,
            taste,
            ranked,
            ranking,
            shown,
            rows: Vec::with_capacity(ROWS_MAX + 2),
            hero: None,
            rival: None,
            mix: None,
            teams: None,
            row_max: (shelf.lists.popular.len() / 12).clamp(5, ITEMS_MAX),
        }
    }

    /// A slot that a recommendation row may still take.
    fn is_free(&self, slot: u32) -> bool {
        !self.shown.contains(slot) && self.shelf.is_visible(slot, self.viewer.maturity_max)
    }

    /// The first free ones, at most `limit`; they are used up.
    fn take(&mut self, slots: impl IntoIterator<Item = u32>, limit: usize) -> Vec<u32> {
        let mut taken = Vec::with_capacity(limit.min(ITEMS_MAX));
        for slot in slots {
            if taken.len() >= limit {
                break;
            }
            if self.is_free(slot) {
                self.shown.insert(slot);
                taken.push(slot);
            }
        }
        taken
    }

    /// Gives titles back to other rows.
    fn give_back(&mut self, slots: &[u32]) {
        slots.iter().for_each(|slot| self.shown.remove(*slot));
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

    fn push(&mut self, place: u32, kind: RowKind, reason: Option<contract::recommend::Reason>, items: Vec<Item>) {
        self.rows.push((
            place,
            Row {
                id: row_id(&kind),
                kind,
                reason,
                items,
            },
        ));
    }

    fn finish(mut self) -> Built {
        let hero = self.hero.take().or_else(|| self.any_hero());
        self.rows.sort_by_key(|(place, _)| *place);
        let rows = self.rows.into_iter().map(|(_, row)| row).take(ROWS_MAX).collect();
        Built {
            hero,
            rows,
            teams: self.teams,
        }
    }

    /// Without picks: the first title of the first recommendation row that plays, or the first at all.
    fn any_hero(&self) -> Option<Item> {
        let own = |kind: &RowKind| matches!(kind, RowKind::ContinueWatching | RowKind::MyList);
        let rows = || self.rows.iter().filter(|(_, row)| !own(&row.kind)).map(|(_, row)| row);
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
