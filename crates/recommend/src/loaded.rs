//! A model in service: the recommender as it was trained, as it stands now, and what is derived from it once per title and kept.

use std::sync::{Arc, OnceLock};

use contract::{Millis, ModelId, catalog::TitleFeatures};
use reco::{Event, Model as _, Recommender, Scored, TitleDescription};

use crate::{
    live::{Act, Live},
    titles::Titles,
};

/// Neighbours kept per title.
pub const SIMILAR_MAX: usize = 100;
/// Titles placed that came after training, at most: the newest.
const PLACED_MAX: usize = 20_000;

/// Immutable but for the cache of neighbours, which fills as titles are asked for.
pub struct Loaded {
    pub id: ModelId,
    /// What serves: titles that came after training are placed by what they are, and the counting model has gone on counting.
    pub recommender: Recommender,
    /// As the artefact holds it.
    pub trained: Recommender,
    /// When it was trained; trending stands there.
    pub trained_at: Millis,
    /// With the new titles and without the new counts.
    placed: Recommender,
    /// The titles that were looked at.
    titles: Option<Arc<Titles>>,
    /// The acts that are counted: of this epoch, so many.
    epoch: u64,
    counted: usize,
    similar: Vec<OnceLock<Arc<[Scored]>>>,
}

impl Loaded {
    /// As it was trained.
    pub fn new(id: ModelId, trained: Recommender, trained_at: Millis) -> Self {
        Self {
            id,
            trained_at,
            similar: empty_cells(trained.items()),
            recommender: trained.clone(),
            placed: trained.clone(),
            trained,
            titles: None,
            epoch: 0,
            counted: 0,
        }
    }

    /// As it stands now: `titles` that the training did not know can be recommended for what they are, and the acts since count.
    pub fn current(self: &Arc<Self>, titles: &Arc<Titles>, live: &Live) -> Arc<Self> {
        let has_looked = self.titles.as_ref().is_some_and(|known| Arc::ptr_eq(known, titles));
        let placed = if has_looked {
            self.placed.clone()
        } else {
            self.place(titles)
        };
        let has_same_titles = std::ptr::eq(placed.keys(), self.placed.keys());
        live.read(|epoch, acts| {
            let goes_on = has_same_titles && epoch == self.epoch && acts.len() >= self.counted;
            if goes_on && has_looked && acts.len() == self.counted {
                return self.clone();
            }
            let (from, mut counts) = if goes_on {
                (self.counted, self.recommender.counts().clone())
            } else {
                (0, placed.counts().clone())
            };
            let through = self.trained.trained_through();
            for act in acts.iter().skip(from).filter(|act| act.at > through) {
                let (history, event) = events(&placed, act);
                counts.observe(&history, event);
            }
            let recommender = placed.with_counts(counts).unwrap_or_else(|error| {
                tracing::error!(%error, "what happened since the training does not fit its model; it is left out");
                placed.clone()
            });
            Arc::new(Self {
                id: self.id,
                trained_at: self.trained_at,
                trained: self.trained.clone(),
                similar: self.kept_cells(&recommender, has_same_titles && goes_on),
                recommender,
                placed,
                titles: Some(titles.clone()),
                epoch,
                counted: acts.len(),
            })
        })
    }

    /// Titles closest to `item`, best first.
    pub fn similar(&self, item: u32) -> &[Scored] {
        let found = || self.recommender.similar(item, SIMILAR_MAX).into();
        self.similar
            .get(item as usize)
            .map_or(&[], |cell| cell.get_or_init(found))
    }

    /// The trained recommender with the published titles that it does not know.
    fn place(&self, titles: &Titles) -> Recommender {
        let is_new = |title: &&Arc<TitleFeatures>| title.published && self.trained.index_of(title.id.0).is_none();
        let mut new: Vec<&TitleFeatures> = titles
            .list
            .iter()
            .rev()
            .filter(is_new)
            .take(PLACED_MAX)
            .map(|title| &**title)
            .collect();
        if new.is_empty() {
            return self.trained.clone();
        }
        new.reverse();
        let words: Vec<Words<'_>> = new.iter().map(|title| Words::of(title)).collect();
        let people: Vec<Vec<&str>> = words
            .iter()
            .map(|words| words.people.iter().map(String::as_str).collect())
            .collect();
        let described = new.iter().zip(&words).zip(&people).map(|((title, words), people)| {
            let description = TitleDescription {
                name: &title.name,
                year: title.year.map(i32::from),
                genres: &words.genres,
                people,
            };
            (title.id.0, description)
        });
        let described: Vec<(i64, TitleDescription<'_>)> = described.collect();
        self.trained.placed(&described).unwrap_or_else(|error| {
            tracing::error!(%error, "new titles cannot be placed; they wait for the next training");
            self.trained.clone()
        })
    }

    /// Neighbours that are still true; the rows of co-occurrence that acts have changed since make others.
    fn kept_cells(&self, next: &Recommender, go_on: bool) -> Vec<OnceLock<Arc<[Scored]>>> {
        if !go_on {
            return empty_cells(next.items());
        }
        let cells = self.similar.iter().zip(0..);
        cells
            .map(|(cell, item)| {
                if next.counts().has_row_of(self.recommender.counts(), item) {
                    cell.clone()
                } else {
                    OnceLock::new()
                }
            })
            .collect()
    }
}

fn empty_cells(items: usize) -> Vec<OnceLock<Arc<[Scored]>>> {
    (0..items).map(|_| OnceLock::new()).collect()
}

/// An act in the model's indices; what the model does not know keeps its place among the events before.
fn events(model: &Recommender, act: &Act) -> (Vec<Event>, Event) {
    let event = |title: i64, weight: f32| Event {
        item: model.index_of(title).unwrap_or(u32::MAX),
        weight,
        at: act.at,
    };
    let before = act.before.iter().map(|(title, weight)| event(title.0, *weight));
    (before.collect(), event(act.title.0, act.weight))
}

/// What a description borrows.
struct Words<'a> {
    genres: Vec<&'a str>,
    people: Vec<String>,
}

impl<'a> Words<'a> {
    fn of(title: &'a TitleFeatures) -> Self {
        Self {
            genres: title.genres.iter().map(String::as_str).collect(),
            people: title.people.iter().map(ToString::to_string).collect(),
        }
    }
}
