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
    /// Those, the oldest first.
    new: Vec<Arc<TitleFeatures>>,
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
            new: Vec::new(),
            titles: None,
            epoch: 0,
            counted: 0,
        }
    }

    /// As it stands now: `titles` that the training did not know can be recommended for what they are, and the acts since count.
    pub fn current(self: &Arc<Self>, titles: &Arc<Titles>, live: &Live) -> Arc<Self> {
        let has_looked = self.titles.as_ref().is_some_and(|known| Arc::ptr_eq(known, titles));
        let new = if has_looked {
            self.new.clone()
        } else {
            self.new_among(titles)
        };
        let has_same_titles = has_looked || is_described_alike(&new, &self.new);
        let placed = if has_same_titles {
            self.placed.clone()
        } else {
            self.place(&new)
        };
        // Copied, so that whoever adds an act need not wait until it is counted.
        let (epoch, from, acts) = live.read(|epoch, acts| {
            let goes_on = has_same_titles && epoch == self.epoch && acts.len() >= self.counted;
            let from = if goes_on { self.counted } else { 0 };
            (epoch, from, acts.range(from..).cloned().collect::<Vec<Act>>())
        });
        let goes_on = has_same_titles && epoch == self.epoch && from == self.counted;
        if goes_on && has_looked && acts.is_empty() {
            return self.clone();
        }
        let mut counts = if goes_on { &self.recommender } else { &placed }.counts().clone();
        let through = self.trained.trained_through();
        for act in acts.iter().filter(|act| act.at > through) {
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
            similar: self.kept_cells(&recommender, goes_on),
            recommender,
            placed,
            new,
            titles: Some(titles.clone()),
            epoch,
            counted: from + acts.len(),
        })
    }

    /// Titles closest to `item`, best first.
    pub fn similar(&self, item: u32) -> &[Scored] {
        let found = || self.recommender.similar(item, SIMILAR_MAX).into();
        self.similar
            .get(item as usize)
            .map_or(&[], |cell| cell.get_or_init(found))
    }

    /// The published titles that the training did not know.
    fn new_among(&self, titles: &Titles) -> Vec<Arc<TitleFeatures>> {
        let is_new = |title: &&Arc<TitleFeatures>| title.published && self.trained.index_of(title.id.0).is_none();
        let newest = titles.list.iter().rev().filter(is_new).take(PLACED_MAX);
        let mut new: Vec<Arc<TitleFeatures>> = newest.cloned().collect();
        new.reverse();
        new
    }

    /// The trained recommender with titles that it does not know; their vectors from elsewhere, if an endpoint is configured, the next
    /// training asks for.
    fn place(&self, new: &[Arc<TitleFeatures>]) -> Recommender {
        if new.is_empty() {
            return self.trained.clone();
        }
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

/// Whether the content model would place them at the same points.
fn is_described_alike(titles: &[Arc<TitleFeatures>], others: &[Arc<TitleFeatures>]) -> bool {
    let is_alike = |(title, other): (&Arc<TitleFeatures>, &Arc<TitleFeatures>)| {
        title.id == other.id
            && title.name == other.name
            && title.year == other.year
            && title.genres == other.genres
            && title.people == other.people
    };
    titles.len() == others.len() && titles.iter().zip(others).all(is_alike)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by it")]
mod tests {
    use contract::{ProfileId, TitleId};
    use reco::{Dataset, Interaction, ItemFeatures, TrainConfig, train};

    use super::*;
    use crate::titles::Titles;

    const NOW: Millis = 1_767_225_600_000;

    /// A model of films 1 to 20, watched one after the other by twelve people.
    fn loaded() -> Arc<Loaded> {
        let events = (0..12).flat_map(|user| {
            (0..8).map(move |step| Interaction {
                user,
                item: (user + step) % 20,
                weight: 1.0,
                at: NOW - 10_000_000 + i64::from(user * 100 + step) * 1_000,
            })
        });
        let data = Dataset::from_interactions(12, 20, events).unwrap();
        let keys: Vec<i64> = (1..=20).collect();
        let features = ItemFeatures::none(20);
        let trained = train(&data, &keys, &features, &TrainConfig::default(), NOW, &|_, _| Ok(())).unwrap();
        Arc::new(Loaded::new(ModelId(1), trained.recommender, NOW))
    }

    fn titles(films: i64, change: impl Fn(&mut TitleFeatures)) -> Arc<Titles> {
        let change = |film: &Arc<TitleFeatures>| {
            let mut film = TitleFeatures::clone(film);
            change(&mut film);
            Arc::new(film)
        };
        Arc::new(Titles::new(Titles::films(1..=films).list.iter().map(change).collect()))
    }

    #[test]
    fn a_title_that_changes_costs_nothing_that_does_not_depend_on_it() {
        let live = Live::default();
        // Film 21 came after the training.
        let before = loaded().current(&titles(21, |_| {}), &live);
        assert_eq!(before.recommender.items(), 21);
        let near = before.similar(3).as_ptr();
        let rated = before.current(&titles(21, |film| film.ratings_count += 1), &live);
        assert!(std::ptr::eq(rated.recommender.keys(), before.recommender.keys()));
        assert_eq!(rated.similar(3).as_ptr(), near, "neighbours are kept");
        let renamed = rated.current(&titles(21, |film| film.name.push_str(" Again")), &live);
        assert!(!std::ptr::eq(renamed.recommender.keys(), before.recommender.keys()));
        let more = renamed.current(&titles(22, |film| film.name.push_str(" Again")), &live);
        assert_eq!(more.recommender.items(), 22);
    }

    #[test]
    fn acts_are_counted_once_each_and_anew_when_some_are_forgotten() {
        let live = Live::default();
        let act = |profile, title, before| Act {
            profile: ProfileId(profile),
            title: TitleId(title),
            at: NOW + profile,
            weight: 1.0,
            before: vec![(TitleId(before), 1.0)],
        };
        let titles = titles(20, |_| {});
        let start = loaded().current(&titles, &live);
        live.observe(act(1, 15, 2));
        let one = start.current(&titles, &live);
        assert!(!one.recommender.counts().has_row_of(start.recommender.counts(), 1));
        assert!(Arc::ptr_eq(&one, &one.current(&titles, &live)), "nothing new");
        live.observe(act(2, 15, 2));
        let two = one.current(&titles, &live);
        let anew = start.current(&titles, &live);
        let near = |loaded: &Loaded| -> Vec<u32> { loaded.similar(1).iter().map(|scored| scored.item).collect() };
        assert_eq!(near(&two), near(&anew));
        live.forget(ProfileId(1));
        live.forget(ProfileId(2));
        assert_eq!(near(&two.current(&titles, &live)), near(&start));
    }
}
