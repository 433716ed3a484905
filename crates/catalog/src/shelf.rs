//! The read model in memory: every title's card, lists in every order, and who is in what.
//!
//! Invariants: what is here was committed; a change replaces whole entries; a series is playable when one of its episodes
//! has a video and is published; an episode is as grown-up and as hidden as its series, whatever it says of itself.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

use contract::{
    TitleId,
    activity::{RATING_PRIOR, TitleRatings},
    catalog::{Card, Sort, TitleFeatures, TitleKind},
};

use crate::model::Entry;

/// Entries in some order.
pub type List = Arc<Vec<Arc<Entry>>>;

#[derive(Default)]
pub struct Shelf {
    inner: RwLock<Inner>,
    /// Lists already sorted, and the generation they were sorted from.
    lists: Mutex<HashMap<Option<Sort>, (u64, List)>>,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<TitleId, Arc<Entry>>,
    /// Of each series: (season, number, id).
    episodes: HashMap<TitleId, BTreeSet<(u16, u16, TitleId)>>,
    /// Grows with every change.
    generation: u64,
    most_ratings: u64,
}

impl Shelf {
    pub fn get(&self, id: TitleId) -> Option<Arc<Entry>> {
        self.read().entries.get(&id).cloned()
    }

    /// In the order asked for; unknown ones are left out.
    pub fn cards(&self, ids: &[TitleId]) -> Vec<Card> {
        let inner = self.read();
        ids.iter()
            .filter_map(|id| inner.entries.get(id))
            .map(|entry| entry.card.clone())
            .collect()
    }

    pub fn many(&self, ids: &[TitleId]) -> Vec<Arc<Entry>> {
        let inner = self.read();
        ids.iter().filter_map(|id| inner.entries.get(id).cloned()).collect()
    }

    /// Episodes of a series by season and number.
    pub fn episodes(&self, series: TitleId) -> Vec<Arc<Entry>> {
        let inner = self.read();
        let places = inner.episodes.get(&series).into_iter().flatten();
        places.filter_map(|(_, _, id)| inner.entries.get(id).cloned()).collect()
    }

    /// What a recommender may know of these, each once; an episode is answered by its series, unknown ones are left out.
    pub fn features(&self, ids: &[TitleId]) -> Vec<TitleFeatures> {
        let inner = self.read();
        let mut seen = HashSet::with_capacity(ids.len());
        let listed = ids.iter().filter_map(|id| {
            let entry = inner.entries.get(id)?;
            entry
                .place
                .map_or(Some(entry), |place| inner.entries.get(&place.series))
        });
        let once = listed.filter(|entry| entry.is_listed() && seen.insert(entry.card.id));
        once.map(|entry| {
            let episodes = inner.episodes.get(&entry.card.id).into_iter().flatten();
            entry.features(episodes.map(|(_, _, id)| *id).collect())
        })
        .collect()
    }

    /// The number of ratings of the most rated title.
    pub fn most_ratings(&self) -> u64 {
        self.read().most_ratings
    }

    /// Films and series in an order; by id without one. Sorted once per change, and only when somebody asks.
    pub fn list(&self, sort: Option<Sort>) -> List {
        let generation = self.read().generation;
        if let Some((sorted_from, list)) = self.lists().get(&sort)
            && *sorted_from == generation
        {
            return list.clone();
        }
        let (generation, mut entries) = {
            let inner = self.read();
            let listed = inner.entries.values().filter(|entry| entry.is_listed()).cloned();
            (inner.generation, listed.collect::<Vec<_>>())
        };
        match sort {
            None => entries.sort_unstable_by_key(|entry| entry.card.id),
            Some(sort) => entries.sort_unstable_by(|a, b| key(a, sort).cmp(&key(b, sort))),
        }
        let list = Arc::new(entries);
        self.lists().insert(sort, (generation, list.clone()));
        list
    }

    /// Replaces these and removes those.
    pub fn apply(&self, changed: Vec<Entry>, removed: &[TitleId]) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let mut series = BTreeSet::new();
        for id in removed {
            series.extend(inner.take_out(*id));
        }
        for entry in changed {
            series.extend(inner.put(entry));
        }
        for id in series {
            inner.judge_series(id);
        }
        inner.generation += 1;
    }

    /// Takes newer figures; older ones are ignored.
    pub fn rate(&self, ratings: &[TitleRatings]) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        for figures in ratings {
            let Some(entry) = inner.entries.get(&figures.title) else {
                continue;
            };
            if entry.ratings_version >= figures.version {
                continue;
            }
            let mut entry = Entry::clone(entry);
            entry.card.ratings_count = figures.count();
            entry.card.average_rating = figures.average(RATING_PRIOR.0, RATING_PRIOR.1);
            entry.ratings_version = figures.version;
            inner.most_ratings = inner.most_ratings.max(entry.card.ratings_count);
            inner.entries.insert(figures.title, Arc::new(entry));
        }
        inner.generation += 1;
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lists(&self) -> MutexGuard<'_, HashMap<Option<Sort>, (u64, List)>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Puts an entry in; says which series may look different now.
    fn put(&mut self, mut entry: Entry) -> Vec<TitleId> {
        let mut series = Vec::new();
        if let Some(before) = self.entries.get(&entry.card.id) {
            if before.ratings_version > entry.ratings_version {
                entry.card.ratings_count = before.card.ratings_count;
                entry.card.average_rating = before.card.average_rating;
                entry.ratings_version = before.ratings_version;
            }
            let id = entry.card.id;
            series.extend(self.take_out(id));
        }
        self.most_ratings = self.most_ratings.max(entry.card.ratings_count);
        if let Some(place) = entry.place {
            let episode = (place.season, place.episode, entry.card.id);
            self.episodes.entry(place.series).or_default().insert(episode);
            series.push(place.series);
        }
        if entry.card.kind == TitleKind::Series {
            series.push(entry.card.id);
        }
        self.entries.insert(entry.card.id, Arc::new(entry));
        series
    }

    fn take_out(&mut self, id: TitleId) -> Option<TitleId> {
        let place = self.entries.remove(&id)?.place?;
        if let Some(episodes) = self.episodes.get_mut(&place.series) {
            episodes.remove(&(place.season, place.episode, id));
        }
        Some(place.series)
    }

    fn judge_series(&mut self, id: TitleId) {
        let Some(series) = self
            .entries
            .get(&id)
            .filter(|entry| entry.card.kind == TitleKind::Series)
        else {
            return;
        };
        let series = series.card.clone();
        let mut playable = false;
        for (_, _, id) in self.episodes.get(&id).into_iter().flatten() {
            let Some(entry) = self.entries.get_mut(id) else {
                continue;
            };
            playable |= entry.has_video && entry.own_published;
            let (maturity, published) = entry.judged_by(&series);
            if (entry.card.maturity, entry.card.published) != (maturity, published) {
                let card = &mut Arc::make_mut(entry).card;
                (card.maturity, card.published) = (maturity, published);
            }
        }
        if series.playable != playable
            && let Some(entry) = self.entries.get_mut(&id)
        {
            Arc::make_mut(entry).card.playable = playable;
        }
    }
}

/// The place of an entry in an order: ascending, so numbers that should come first when large are negated; those without
/// a figure come last; ties go by id.
pub fn key(entry: &Entry, sort: Sort) -> (i64, &str, TitleId) {
    let card = &entry.card;
    let number = match sort {
        Sort::Popularity => -(card.ratings_count as i64),
        Sort::Rating => card.average_rating.map_or(0, |stars| -(f64::from(stars) * 1e6) as i64),
        Sort::Year => card.year.map_or(0, |year| -i64::from(year)),
        Sort::Added => -entry.created_at,
        Sort::Name => 0,
    };
    (number, if sort == Sort::Name { &entry.sort_name } else { "" }, card.id)
}
