//! What was shown: one compact row per page, written behind the answer by a bounded batcher.
//!
//! Packed form, version 3: a byte 3, then per row: kind (a byte), its title or genre where it has one, the number of items, the
//! items, the number of runs of propensities that are not 1, and those: how many items since the run before, how many it has, and
//! their propensity as a little-endian `f32`. A row with such runs goes on with the titles whose place chance gave to another: their
//! number, and each with the number of places since the one before; then with the titles that chance had to choose from. Numbers are
//! LEB128; a title is the zigzag of its difference to the title before, since neighbours in a catalogue have close ids: about two bytes
//! each instead of eight. Version 1 has no propensities and is read as a page on which all are 1; version 2 has nothing behind them.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use contract::{
    ModelId, PageId, ProfileId, TitleId,
    recommend::{HomePage, RowKind},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::store::Store;

const QUEUE_MAX: usize = 8_192;
const BATCH_MAX: usize = 2_048;
/// Pages that come within this time are written together.
const GATHER: Duration = Duration::from_millis(500);
const VERSION: u8 = 3;

/// A page as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub page: PageId,
    pub profile: ProfileId,
    pub model: Option<ModelId>,
    /// The arm of the experiment that the page was made for, if there was one.
    pub arm: Option<String>,
    /// Rows and titles, packed: [`Shown::rows`] reads them.
    pub content: Vec<u8>,
}

/// A row as it was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownRow {
    pub kind: RowKind,
    /// In the order they stood.
    pub items: Vec<ShownItem>,
    /// What chance could have put at each of the places whose propensity is not 1, besides the title that stands there otherwise.
    pub band: Vec<TitleId>,
}

/// A title as it was shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShownItem {
    pub title: TitleId,
    /// The probability with which the page shows this title at this place to this viewer, above 0 and at most 1.
    pub propensity: f32,
    /// The title that stands at this place otherwise, where chance put this one.
    pub displaced: Option<TitleId>,
}

/// How a row of a page explored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explored {
    /// The number of the row, from 0.
    pub row: usize,
    /// Positions at which another title could have stood, in order, with the probability of the one that does.
    pub places: Vec<(usize, f32)>,
    /// Those at which chance put a title, in order, with the one that stands there otherwise.
    pub displaced: Vec<(usize, TitleId)>,
    /// What chance had to choose from.
    pub band: Vec<TitleId>,
}

/// Where pages wait to be written.
pub struct Impressions {
    sender: mpsc::Sender<Shown>,
    receiver: Mutex<Option<mpsc::Receiver<Shown>>>,
}

impl Impressions {
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        Self {
            sender,
            receiver: Mutex::new(Some(receiver)),
        }
    }

    /// Never waits: what does not fit is shed and counted.
    pub fn record(&self, shown: Shown) {
        if self.sender.try_send(shown).is_err() {
            metrics::counter!("recommend_pages_shed_total").increment(1);
        }
    }

    /// Writes until `stop`, and what is waiting then. Only the first caller gets to.
    pub async fn run(&self, store: &Store, stop: &CancellationToken) {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut receiver) = receiver else { return };
        while stop.run_until_cancelled(tokio::time::sleep(GATHER)).await.is_some() {
            drain(&mut receiver, store).await;
        }
        drain(&mut receiver, store).await;
    }
}

async fn drain(receiver: &mut mpsc::Receiver<Shown>, store: &Store) {
    loop {
        let mut batch = Vec::new();
        while batch.len() < BATCH_MAX {
            let Ok(shown) = receiver.try_recv() else { break };
            batch.push(shown);
        }
        if batch.is_empty() {
            return;
        }
        match store.add_pages(&batch).await {
            Ok(()) => metrics::counter!("recommend_pages_stored_total").increment(batch.len() as u64),
            Err(error) => {
                metrics::counter!("recommend_pages_lost_total").increment(batch.len() as u64);
                tracing::warn!(%error, pages = batch.len(), "what was shown could not be stored");
                return;
            }
        }
    }
}

impl Shown {
    pub fn of(page: &HomePage, profile: ProfileId, arm: Option<String>, explored: Option<&Explored>) -> Self {
        let mut content = Vec::with_capacity(1_024);
        content.push(VERSION);
        let mut last = 0;
        for (number, row) in page.rows.iter().enumerate() {
            content.push(kind_byte(&row.kind));
            match &row.kind {
                RowKind::BecauseYouWatched(title) => put_title(&mut content, &mut last, *title),
                RowKind::Genre(genre) => {
                    put(&mut content, genre.len() as u64);
                    content.extend(genre.as_bytes());
                }
                _ => {}
            }
            put(&mut content, row.items.len() as u64);
            row.items
                .iter()
                .for_each(|item| put_title(&mut content, &mut last, item.title));
            match explored.filter(|explored| explored.row == number) {
                Some(explored) => put_explored(&mut content, &mut last, explored),
                None => put(&mut content, 0),
            }
        }
        Self {
            page: page.id,
            profile,
            model: page.model,
            arm,
            content,
        }
    }

    /// The rows with their titles, in order. Absent for what this version cannot read.
    pub fn rows(&self) -> Option<Vec<ShownRow>> {
        let (version, mut rest) = self.content.split_first()?;
        if !(1..=VERSION).contains(version) {
            return None;
        }
        let (mut rows, mut last) = (Vec::new(), 0);
        while !rest.is_empty() {
            let kind = take_kind(&mut rest, &mut last)?;
            let count = take(&mut rest)?;
            let item = |_| {
                Some(ShownItem {
                    title: take_title(&mut rest, &mut last)?,
                    propensity: 1.0,
                    displaced: None,
                })
            };
            let mut items = (0..count).map(item).collect::<Option<Vec<_>>>()?;
            let is_certain = *version == 1 || take_propensities(&mut rest, &mut items)? == 0;
            let band = match *version < 3 || is_certain {
                true => Vec::new(),
                false => take_band(&mut rest, &mut last, &mut items)?,
            };
            rows.push(ShownRow { kind, items, band });
        }
        Some(rows)
    }
}

fn kind_byte(kind: &RowKind) -> u8 {
    match kind {
        RowKind::ContinueWatching => 0,
        RowKind::TopPicks => 1,
        RowKind::Trending => 2,
        RowKind::BecauseYouWatched(_) => 3,
        RowKind::Genre(_) => 4,
        RowKind::New => 5,
        RowKind::MyList => 6,
        RowKind::Popular => 7,
    }
}

fn take_kind(rest: &mut &[u8], last: &mut i64) -> Option<RowKind> {
    let (kind, after) = rest.split_first()?;
    *rest = after;
    Some(match kind {
        0 => RowKind::ContinueWatching,
        1 => RowKind::TopPicks,
        2 => RowKind::Trending,
        3 => RowKind::BecauseYouWatched(take_title(rest, last)?),
        4 => {
            let length = usize::try_from(take(rest)?).ok()?;
            let (name, after) = rest.split_at_checked(length)?;
            *rest = after;
            RowKind::Genre(String::from_utf8(name.to_vec()).ok()?)
        }
        5 => RowKind::New,
        6 => RowKind::MyList,
        7 => RowKind::Popular,
        _ => return None,
    })
}

/// Propensities as runs of equal ones, then what chance chose and what from.
fn put_explored(content: &mut Vec<u8>, last: &mut i64, explored: &Explored) {
    let runs = || explored.places.chunk_by(|a, b| a.0 + 1 == b.0 && a.1 == b.1);
    put(content, runs().count() as u64);
    let mut end = 0;
    for run in runs() {
        let (first, propensity) = run[0];
        put(content, (first - end) as u64);
        put(content, run.len() as u64);
        content.extend(propensity.to_le_bytes());
        end = first + run.len();
    }
    put(content, explored.displaced.len() as u64);
    let mut end = 0;
    for (position, title) in &explored.displaced {
        put(content, (position - end) as u64);
        put_title(content, last, *title);
        end = position + 1;
    }
    put(content, explored.band.len() as u64);
    explored.band.iter().for_each(|title| put_title(content, last, *title));
}

/// Answers how many runs there were.
fn take_propensities(rest: &mut &[u8], items: &mut [ShownItem]) -> Option<u64> {
    let (runs, mut items) = (take(rest)?, items.iter_mut());
    for _ in 0..runs {
        let (gap, length) = (take(rest)?, take(rest)?);
        let propensity = take_propensity(rest)?;
        (0..gap).try_for_each(|_| items.next().map(drop))?;
        (0..length).try_for_each(|_| items.next().map(|item| item.propensity = propensity))?;
    }
    Some(runs)
}

fn take_band(rest: &mut &[u8], last: &mut i64, items: &mut [ShownItem]) -> Option<Vec<TitleId>> {
    let mut items = items.iter_mut();
    for _ in 0..take(rest)? {
        let gap = take(rest)?;
        let title = take_title(rest, last)?;
        (0..gap).try_for_each(|_| items.next().map(drop))?;
        items.next()?.displaced = Some(title);
    }
    (0..take(rest)?).map(|_| take_title(rest, last)).collect()
}

fn take_propensity(rest: &mut &[u8]) -> Option<f32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(f32::from_le_bytes(*bytes)).filter(|propensity| *propensity > 0.0 && *propensity <= 1.0)
}

fn put(content: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        content.push(value as u8 | 0x80);
        value >>= 7;
    }
    content.push(value as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put_title(content: &mut Vec<u8>, last: &mut i64, title: TitleId) {
    let difference = title.0.wrapping_sub(*last);
    put(content, (difference << 1 ^ difference >> 63) as u64);
    *last = title.0;
}

fn take_title(rest: &mut &[u8], last: &mut i64) -> Option<TitleId> {
    let zigzag = take(rest)?;
    *last = last.wrapping_add((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
    Some(TitleId(*last))
}

#[cfg(test)]
mod tests {
    use contract::recommend::{Item, Row};
    use proptest::prelude::*;

    use super::*;

    fn page(rows: &[ShownRow]) -> HomePage {
        let row = |row: &ShownRow| Row {
            id: String::new(),
            kind: row.kind.clone(),
            reason: None,
            items: row
                .items
                .iter()
                .map(|item| Item {
                    title: item.title,
                    reason: None,
                })
                .collect(),
        };
        HomePage {
            id: PageId(1),
            model: None,
            hero: None,
            rows: rows.iter().map(row).collect(),
            states: Vec::new(),
            listed: Vec::new(),
        }
    }

    /// How the row explores that has places which are not certain.
    fn explored(rows: &[ShownRow]) -> Option<Explored> {
        let places = |shown: &ShownRow| -> Vec<(usize, f32)> {
            let all = shown.items.iter().map(|item| item.propensity).enumerate();
            all.filter(|(_, propensity)| *propensity != 1.0).collect()
        };
        let row = rows.iter().position(|shown| !places(shown).is_empty())?;
        let items = rows[row].items.iter().enumerate();
        Some(Explored {
            row,
            places: places(&rows[row]),
            displaced: items.filter_map(|(at, item)| Some((at, item.displaced?))).collect(),
            band: rows[row].band.clone(),
        })
    }

    fn certain(kind: RowKind, titles: impl Iterator<Item = i64>) -> ShownRow {
        let item = |title| ShownItem {
            title: TitleId(title),
            propensity: 1.0,
            displaced: None,
        };
        ShownRow {
            kind,
            items: titles.map(item).collect(),
            band: Vec::new(),
        }
    }

    fn of_kind(kind: u8, title: i64, genre: String) -> RowKind {
        match kind {
            0 => RowKind::ContinueWatching,
            1 => RowKind::TopPicks,
            2 => RowKind::Trending,
            3 => RowKind::BecauseYouWatched(TitleId(title)),
            4 => RowKind::Genre(genre),
            5 => RowKind::New,
            6 => RowKind::MyList,
            _ => RowKind::Popular,
        }
    }

    fn shown_row() -> impl Strategy<Value = ShownRow> {
        let titles = prop::collection::vec(any::<i64>(), 0..30);
        let kind = (0u8..8, any::<i64>(), ".{0,12}").prop_map(|(kind, title, genre)| of_kind(kind, title, genre));
        (kind, titles).prop_map(|(kind, titles)| certain(kind, titles.into_iter()))
    }

    /// Rows of which one explores, where it has places for it.
    fn shown_rows() -> impl Strategy<Value = Vec<ShownRow>> {
        let propensity = prop_oneof![4 => Just(1.0f32), 2 => Just(0.95f32), 1 => 1e-6f32..1.0];
        let places = prop::collection::vec((propensity, prop::option::of(any::<i64>())), 30);
        let band = prop::collection::vec(any::<i64>().prop_map(TitleId), 0..9);
        let rows = prop::collection::vec(shown_row(), 0..6);
        (rows, any::<prop::sample::Index>(), places, band).prop_map(|(mut rows, exploring, places, band)| {
            let Some(last) = rows.len().checked_sub(1) else {
                return rows;
            };
            let row = &mut rows[exploring.index(last + 1)];
            for (item, (propensity, displaced)) in row.items.iter_mut().zip(places) {
                item.propensity = propensity;
                item.displaced = displaced.map(TitleId).filter(|_| propensity < 1.0);
            }
            if row.items.iter().any(|item| item.propensity < 1.0) {
                row.band = band;
            }
            rows
        })
    }

    proptest! {
        #[test]
        fn what_was_shown_can_be_read_again(rows in shown_rows()) {
            let shown = Shown::of(&page(&rows), ProfileId(1), Some("blue".into()), explored(&rows).as_ref());
            prop_assert_eq!(shown.rows(), Some(rows));
        }

        #[test]
        fn bytes_that_are_no_page_are_refused_or_read_but_never_panic(
            version in 0u8..5,
            content in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let content = [vec![version], content].concat();
            Shown { page: PageId(1), profile: ProfileId(1), model: None, arm: None, content }.rows();
        }
    }

    /// As pages were stored before there were propensities.
    #[test]
    fn version_1_is_a_page_on_which_everything_was_certain() {
        let content = [&[1u8, 1, 2, 10, 4][..], &[4, 5], b"Drama", &[1, 1, 5, 0]].concat();
        let shown = Shown {
            page: PageId(1),
            profile: ProfileId(1),
            model: None,
            arm: None,
            content,
        };
        let rows = vec![
            certain(RowKind::TopPicks, [5, 7].into_iter()),
            certain(RowKind::Genre("Drama".into()), [6].into_iter()),
            certain(RowKind::New, [].into_iter()),
        ];
        assert_eq!(shown.rows(), Some(rows));
    }

    /// As pages were stored before what chance chose from was kept with them.
    #[test]
    fn version_2_has_propensities_and_nothing_behind_them() {
        let content = [&[2u8, 1, 2, 10, 4, 1, 1, 1][..], &0.5f32.to_le_bytes(), &[5, 1, 8, 0]].concat();
        let shown = Shown {
            page: PageId(1),
            profile: ProfileId(1),
            model: None,
            arm: None,
            content,
        };
        let mut picks = certain(RowKind::TopPicks, [5, 7].into_iter());
        picks.items[1].propensity = 0.5;
        let rows = vec![picks, certain(RowKind::New, [11].into_iter())];
        assert_eq!(shown.rows(), Some(rows));
    }

    #[test]
    fn a_title_takes_two_or_three_bytes() {
        let titles = (0..300i64).map(|n| (1 << 50) + n * 7_919 % 10_000);
        let page = page(&[certain(RowKind::TopPicks, titles)]);
        assert!(Shown::of(&page, ProfileId(1), None, None).content.len() < 300 * 3 + 20);
    }
}
