//! Search: the index knows words, the cards say what may be shown. A hit is ranked by how it matches and by how many
//! people rated it; facets count what each further narrowing would leave.
//!
//! Nothing a person can type is an error: an empty query lists what is popular, a query of signs only is looked for as
//! it stands in names, and a long one is cut.

mod index;
mod query;

use std::sync::Arc;

use contract::{
    PAGE_ITEMS_MAX,
    catalog::{Card, Facets, Search, SearchResult, Sort},
};

pub use index::{Document, Index, Place};

use crate::{
    browse::Counts,
    model::{Entry, kind_name},
    shelf::Shelf,
    text::{fold, words},
};

/// Letters of a query that are looked at.
const QUERY_LETTERS_MAX: usize = 200;

struct Hit {
    entry: Arc<Entry>,
    score: f32,
}

/// Answers a search from the index and the shelf. Blocks for a millisecond or so.
pub fn run(shelf: &Shelf, index: Option<&Index>, request: &Search) -> tantivy::Result<SearchResult> {
    let text: String = request.query.chars().take(QUERY_LETTERS_MAX).collect();
    let asked = words(&text);
    let mut hits = if asked.is_empty() {
        without_words(shelf, text.trim())
    } else {
        let found = index
            .map(|index| index.find(&asked, ends_open(&text)))
            .transpose()?
            .unwrap_or_default();
        ranked(shelf, found, &asked)
    };
    hits.retain(|hit| {
        hit.entry.card.published && hit.entry.is_listed() && hit.entry.card.maturity <= request.maturity_max
    });
    let facets = facets(&hits, request);
    hits.retain(|hit| {
        of_genre(&hit.entry.card, request) && of_kind(&hit.entry.card, request) && of_decade(&hit.entry.card, request)
    });
    let limit = request.limit.clamp(1, PAGE_ITEMS_MAX) as usize;
    let best_first = |a: &Hit, b: &Hit| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.entry.card.id.cmp(&b.entry.card.id))
    };
    if hits.len() > limit {
        hits.select_nth_unstable_by(limit, best_first);
        hits.truncate(limit);
    }
    hits.sort_unstable_by(best_first);
    Ok(SearchResult {
        items: hits.into_iter().map(|hit| hit.entry.card.clone()).collect(),
        facets,
    })
}

/// Whether the last word may go on: it does unless a space follows.
fn ends_open(text: &str) -> bool {
    text.chars().last().is_some_and(|letter| !letter.is_whitespace())
}

/// What is popular; or, for signs such as `$`, the names that hold them.
fn without_words(shelf: &Shelf, signs: &str) -> Vec<Hit> {
    let signs = fold(signs);
    let all = shelf.list(Some(Sort::Popularity));
    let hits = all
        .iter()
        .filter(|entry| signs.is_empty() || entry.folded_name.contains(&signs));
    hits.enumerate()
        .map(|(place, entry)| Hit {
            entry: entry.clone(),
            score: -(place as f32),
        })
        .collect()
}

/// Match, then popularity: a full match of the name beats a part of it, a part beats a typo, and between equals the title
/// that more people know is meant.
fn ranked(shelf: &Shelf, found: Vec<index::Found>, asked: &[String]) -> Vec<Hit> {
    let phrase = asked.join(" ");
    let most = (1.0 + shelf.most_ratings() as f32).ln().max(1.0);
    let ids: Vec<_> = found.iter().map(|found| found.title).collect();
    let entries = shelf.many(&ids);
    let mut scores = found.into_iter();
    entries
        .into_iter()
        .filter_map(|entry| {
            // Both are in the same order; one that has left the shelf is passed over.
            let found = scores.find(|found| found.title == entry.card.id)?;
            let popularity = (1.0 + entry.card.ratings_count as f32).ln() / most;
            let score =
                3.0 * found.score / asked.len() as f32 + closeness(&entry, &phrase, asked.len()) + 0.9 * popularity;
            Some(Hit { entry, score })
        })
        .collect()
}

/// How much of the name the words are, in order.
fn closeness(entry: &Entry, phrase: &str, asked: usize) -> f32 {
    let full = entry.spoken_name.as_str();
    let bare = ["the ", "a ", "an "]
        .iter()
        .find_map(|article| full.strip_prefix(article))
        .unwrap_or(full);
    let share = (asked as f32 / (1 + full.matches(' ').count()) as f32).min(1.0);
    if full == phrase || bare == phrase {
        1.6
    } else if full.starts_with(phrase) || bare.starts_with(phrase) {
        0.6 + 0.4 * share
    } else {
        0.3 * share
    }
}

fn of_genre(card: &Card, request: &Search) -> bool {
    request
        .genre
        .as_ref()
        .is_none_or(|genre| card.genres.iter().any(|other| other.eq_ignore_ascii_case(genre)))
}

fn of_kind(card: &Card, request: &Search) -> bool {
    request.kind.is_none_or(|kind| card.kind == kind)
}

fn of_decade(card: &Card, request: &Search) -> bool {
    request
        .decade
        .is_none_or(|decade| card.year.is_some_and(|year| year / 10 * 10 == decade))
}

/// Counts under the other filters: choosing another value of the same facet leaves so many.
fn facets(hits: &[Hit], request: &Search) -> Facets {
    let (mut genres, mut kinds, mut decades) = (Counts::default(), Counts::default(), Counts::default());
    for hit in hits {
        let card = &hit.entry.card;
        let (genre, kind, decade) = (
            of_genre(card, request),
            of_kind(card, request),
            of_decade(card, request),
        );
        if kind && decade {
            card.genres.iter().for_each(|genre| genres.add(genre));
        }
        if genre && decade {
            kinds.add(kind_name(card.kind));
        }
        if let Some(year) = card.year.filter(|_| genre && kind) {
            decades.add(&(year / 10 * 10).to_string());
        }
    }
    Facets {
        genres: genres.into_facets(),
        kinds: kinds.into_facets(),
        decades: decades.into_facets(),
    }
}
