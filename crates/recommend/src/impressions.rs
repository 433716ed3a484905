//! What was shown: one compact row per page, written behind the answer by a bounded batcher.
//!
//! Packed form, version 1: a byte 1, then per row: kind (a byte), its title or genre where it has one, the number of items, the
//! items. Numbers are LEB128; a title is the zigzag of its difference to the title before, since neighbours in a catalogue have
//! close ids: about two bytes each instead of eight.

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
const VERSION: u8 = 1;

/// A page as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub page: PageId,
    pub profile: ProfileId,
    pub model: Option<ModelId>,
    pub content: Vec<u8>,
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
    pub fn of(page: &HomePage, profile: ProfileId) -> Self {
        let mut content = Vec::with_capacity(1_024);
        content.push(VERSION);
        let mut last = 0;
        for row in &page.rows {
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
        }
        Self {
            page: page.id,
            profile,
            model: page.model,
            content,
        }
    }

    /// The rows with their titles, in order. Absent for what this version cannot read.
    pub fn rows(&self) -> Option<Vec<(RowKind, Vec<TitleId>)>> {
        let (version, mut rest) = self.content.split_first()?;
        if *version != VERSION {
            return None;
        }
        let (mut rows, mut last) = (Vec::new(), 0);
        while let Some((kind, after)) = rest.split_first() {
            rest = after;
            let kind = match kind {
                0 => RowKind::ContinueWatching,
                1 => RowKind::TopPicks,
                2 => RowKind::Trending,
                3 => RowKind::BecauseYouWatched(take_title(&mut rest, &mut last)?),
                4 => {
                    let length = take(&mut rest)? as usize;
                    let (name, after) = rest.split_at_checked(length)?;
                    rest = after;
                    RowKind::Genre(String::from_utf8(name.to_vec()).ok()?)
                }
                5 => RowKind::New,
                6 => RowKind::MyList,
                7 => RowKind::Popular,
                _ => return None,
            };
            let count = take(&mut rest)?;
            let titles = (0..count)
                .map(|_| take_title(&mut rest, &mut last))
                .collect::<Option<Vec<_>>>()?;
            rows.push((kind, titles));
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

    proptest! {
        #[test]
        fn what_was_shown_can_be_read_again(
            rows in prop::collection::vec((0u8..8, any::<i64>(), ".{0,12}", prop::collection::vec(any::<i64>(), 0..30)), 0..6)
        ) {
            let kinds = |kind: u8, title: i64, genre: &str| match kind {
                0 => RowKind::ContinueWatching,
                1 => RowKind::TopPicks,
                2 => RowKind::Trending,
                3 => RowKind::BecauseYouWatched(TitleId(title)),
                4 => RowKind::Genre(genre.to_owned()),
                5 => RowKind::New,
                6 => RowKind::MyList,
                _ => RowKind::Popular,
            };
            let rows: Vec<(RowKind, Vec<TitleId>)> = rows.into_iter()
                .map(|(kind, title, genre, items)| (kinds(kind, title, &genre), items.into_iter().map(TitleId).collect()))
                .collect();
            let row = |(kind, titles): &(RowKind, Vec<TitleId>)| Row {
                id: String::new(),
                kind: kind.clone(),
                reason: None,
                items: titles.iter().map(|title| Item { title: *title, reason: None }).collect(),
            };
            let page = HomePage { id: PageId(1), model: None, hero: None, rows: rows.iter().map(row).collect(), states: Vec::new(), listed: Vec::new() };
            prop_assert_eq!(Shown::of(&page, ProfileId(1)).rows(), Some(rows));
        }

        #[test]
        fn bytes_that_are_no_page_are_refused_or_read_but_never_panic(content in prop::collection::vec(any::<u8>(), 0..60)) {
            Shown { page: PageId(1), profile: ProfileId(1), model: None, content }.rows();
        }
    }

    #[test]
    fn a_title_takes_two_or_three_bytes() {
        let items = (0..300i64)
            .map(|n| Item {
                title: TitleId((1 << 50) + n * 7_919 % 10_000),
                reason: None,
            })
            .collect();
        let row = Row {
            id: String::new(),
            kind: RowKind::TopPicks,
            reason: None,
            items,
        };
        let page = HomePage {
            id: PageId(1),
            model: None,
            hero: None,
            rows: vec![row],
            states: Vec::new(),
            listed: Vec::new(),
        };
        assert!(Shown::of(&page, ProfileId(1)).content.len() < 300 * 3 + 20);
    }
}
