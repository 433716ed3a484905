//! Lists of films and series: filters, orders, and cursors that only fit the list they came from.

use std::sync::Arc;

use contract::{
    PAGE_ITEMS_MAX, Page, TitleId,
    catalog::{Browse, BrowsePage, Card, CatalogError, FacetCount},
};
use serde::{Deserialize, Serialize};

use crate::{
    model::{Entry, digest},
    shelf::{Shelf, key},
    text::fold,
};

/// Where a page ended: in which list, and after what.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    list: u64,
    number: i64,
    name: String,
    id: TitleId,
}

/// One page.
pub fn page(shelf: &Shelf, request: &BrowsePage) -> Result<Page<Card, String>, CatalogError> {
    let filter = &request.filter;
    let list = list_digest(filter);
    let after = request.after.as_deref().map(|text| decode(text, list)).transpose()?;
    let limit = request.limit.clamp(1, PAGE_ITEMS_MAX) as usize;
    let entries = shelf.list(Some(filter.sort));
    let start = after.map_or(0, |cursor| {
        entries.partition_point(|entry| key(entry, filter.sort) <= (cursor.number, cursor.name.as_str(), cursor.id))
    });
    let contains = filter
        .name_contains
        .as_deref()
        .map(fold)
        .filter(|part| !part.is_empty());
    let mut found: Vec<&Arc<Entry>> = entries[start..]
        .iter()
        .filter(|entry| matches(entry, filter, contains.as_deref()))
        .take(limit + 1)
        .collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| encode(last, filter, list));
    Ok(Page {
        items: found.into_iter().map(|entry| entry.card.clone()).collect(),
        next,
    })
}

fn matches(entry: &Entry, filter: &Browse, contains: Option<&str>) -> bool {
    let card = &entry.card;
    (card.published || filter.unpublished_too)
        && card.maturity <= filter.maturity_max
        && (card.playable || !filter.playable_only)
        && filter.kind.is_none_or(|kind| card.kind == kind)
        && filter
            .genre
            .as_ref()
            .is_none_or(|genre| card.genres.iter().any(|other| other.eq_ignore_ascii_case(genre)))
        && filter
            .year_min
            .is_none_or(|year| card.year.is_some_and(|its| its >= year))
        && filter
            .year_max
            .is_none_or(|year| card.year.is_some_and(|its| its <= year))
        && contains.is_none_or(|part| entry.folded_name.contains(part))
}

fn list_digest(filter: &Browse) -> u64 {
    digest(format!("{filter:?}").as_bytes())
}

fn encode(last: &Entry, filter: &Browse, list: u64) -> String {
    let (number, name, id) = key(last, filter.sort);
    let cursor = Cursor {
        list,
        number,
        name: name.to_owned(),
        id,
    };
    let text = serde_json::to_string(&cursor).unwrap_or_default();
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(text: &str, list: u64) -> Result<Cursor, CatalogError> {
    const LENGTH_MAX: usize = 4_096;
    let digits = text.as_bytes();
    if digits.len() > LENGTH_MAX || !digits.len().is_multiple_of(2) {
        return Err(CatalogError::CursorInvalid);
    }
    let nibble = |digit: u8| (digit as char).to_digit(16);
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| Some((nibble(pair[0])? * 16 + nibble(pair[1])?) as u8))
        .collect();
    let cursor: Cursor = bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or(CatalogError::CursorInvalid)?;
    if cursor.list != list {
        return Err(CatalogError::CursorInvalid);
    }
    Ok(cursor)
}

/// Genres of what can be seen at an age, most titles first.
pub fn genres(shelf: &Shelf, maturity_max: u8) -> Vec<FacetCount> {
    let mut counts = Counts::default();
    for entry in shelf
        .list(None)
        .iter()
        .filter(|entry| entry.card.published && entry.card.maturity <= maturity_max)
    {
        for genre in entry.card.genres.iter() {
            counts.add(genre);
        }
    }
    counts.into_facets()
}

/// Counts of values.
#[derive(Default)]
pub struct Counts(std::collections::BTreeMap<String, u32>);

impl Counts {
    pub fn add(&mut self, value: &str) {
        match self.0.get_mut(value) {
            Some(count) => *count += 1,
            None => {
                self.0.insert(value.to_owned(), 1);
            }
        }
    }

    /// Most first, then by value.
    pub fn into_facets(self) -> Vec<FacetCount> {
        let mut facets: Vec<FacetCount> = self
            .0
            .into_iter()
            .map(|(value, count)| FacetCount { value, count })
            .collect();
        facets.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        facets
    }
}
