//! The titles read model: what a recommender may know of every title, in memory, immutable, replaced when the catalogue changes.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use contract::{
    TitleId,
    activity::{Activity, ForTitles, RATING_PRIOR, TitleRatings},
    catalog::{Catalog, PageFeatures, TitleFeatures, TitleKind},
};

use crate::franchise;

/// Genres that take part; the most common ones, one bit each.
pub const GENRES_MAX: usize = 64;
const PAGE: u32 = 20_000;
const ONLY_MAX: usize = 1_000;

/// All titles but episodes, by slot: a dense index in the order of ids that lives as long as this value. How they are rated is asked of
/// activity: the catalogue hears of ratings later than they are acknowledged, and facts from before a load never come here.
#[derive(Default)]
pub struct Titles {
    pub list: Vec<Arc<TitleFeatures>>,
    slots: HashMap<TitleId, u32>,
    /// Slot of the series of each episode.
    episodes: HashMap<TitleId, u32>,
    /// The most common first.
    pub genres: Vec<String>,
    /// Genres of each title as bits.
    pub masks: Vec<u64>,
    /// Group of each title by its name: sequels and remakes have the same, see [`franchise`].
    franchises: Vec<u32>,
    figures: Vec<Figures>,
}

/// How a title is rated, changed in place: ratings come far more often than titles.
#[derive(Default)]
struct Figures(AtomicU64);

impl Figures {
    fn new(count: u64, average: Option<f32>) -> Self {
        let figures = Self::default();
        figures.set(count, average);
        figures
    }

    fn set(&self, count: u64, average: Option<f32>) {
        let count = u64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.0.store(
            count << 32 | u64::from(average.unwrap_or(0.0).to_bits()),
            Ordering::Relaxed,
        );
    }

    fn get(&self) -> (u32, f32) {
        let both = self.0.load(Ordering::Relaxed);
        ((both >> 32) as u32, f32::from_bits(both as u32))
    }
}

impl Titles {
    pub fn new(mut list: Vec<Arc<TitleFeatures>>) -> Self {
        list.sort_by_key(|title| title.id);
        list.dedup_by_key(|title| title.id);
        let genres = common_genres(&list);
        let bits: HashMap<&str, u32> = genres.iter().map(String::as_str).zip(0..).collect();
        let mask = |title: &Arc<TitleFeatures>| {
            let known = title.genres.iter().filter_map(|genre| bits.get(genre.as_str()));
            known.fold(0u64, |mask, bit| mask | 1 << bit)
        };
        Self {
            masks: list.iter().map(mask).collect(),
            franchises: franchise::groups(list.iter().map(|title| title.name.as_str())),
            slots: list.iter().map(|title| title.id).zip(0..).collect(),
            episodes: (0u32..)
                .zip(&list)
                .flat_map(|(slot, title)| title.episodes.iter().map(move |episode| (*episode, slot)))
                .collect(),
            figures: list
                .iter()
                .map(|title| Figures::new(title.ratings_count, title.average_rating))
                .collect(),
            genres,
            list,
        }
    }

    /// Films of which nothing but the ids is known.
    #[cfg(test)]
    pub fn films(ids: impl Iterator<Item = i64>) -> Self {
        let film = |id| TitleFeatures {
            id: TitleId(id),
            kind: TitleKind::Film,
            name: "A Film".into(),
            year: None,
            genres: Vec::new(),
            people: Vec::new(),
            maturity: 0,
            playable: false,
            published: true,
            ratings_count: 0,
            average_rating: None,
            created_at: 0,
            episodes: Vec::new(),
        };
        Self::new(ids.map(film).map(Arc::new).collect())
    }

    /// Everything that the catalogue has.
    pub async fn load(catalog: &dyn Catalog, activity: &dyn Activity) -> anyhow::Result<Self> {
        let mut list = Vec::new();
        let mut after = None;
        loop {
            let page = catalog
                .features(PageFeatures {
                    after,
                    limit: PAGE,
                    only: None,
                })
                .await?;
            list.extend(page.items.into_iter().map(Arc::new));
            after = page.next;
            if after.is_none() {
                let titles = Self::new(list);
                let all: Vec<TitleId> = titles.list.iter().map(|title| title.id).collect();
                titles.read_figures(activity, &all).await?;
                return Ok(titles);
            }
        }
    }

    /// With these titles as the catalogue has them now; those that it no longer has are gone.
    pub async fn refreshed(
        &self,
        catalog: &dyn Catalog,
        activity: &dyn Activity,
        changed: &[TitleId],
    ) -> anyhow::Result<Self> {
        let mut now: HashMap<TitleId, Arc<TitleFeatures>> = self
            .list
            .iter()
            .enumerate()
            .map(|(slot, title)| (title.id, self.current(slot as u32, title)))
            .collect();
        for only in changed.chunks(ONLY_MAX) {
            only.iter().for_each(|title| drop(now.remove(title)));
            let page = catalog
                .features(PageFeatures {
                    after: None,
                    limit: PAGE,
                    only: Some(only.to_vec()),
                })
                .await?;
            now.extend(page.items.into_iter().map(|title| (title.id, Arc::new(title))));
        }
        let titles = Self::new(now.into_values().collect());
        titles.read_figures(activity, changed).await?;
        Ok(titles)
    }

    async fn read_figures(&self, activity: &dyn Activity, of: &[TitleId]) -> anyhow::Result<()> {
        for titles in of.chunks(ONLY_MAX) {
            let titles = titles.to_vec();
            let figures = activity.ratings(ForTitles { titles }).await?;
            figures.iter().for_each(|ratings| self.set_figures(ratings));
        }
        Ok(())
    }

    /// A title with its newest figures.
    fn current(&self, slot: u32, title: &Arc<TitleFeatures>) -> Arc<TitleFeatures> {
        let (count, average) = self.figures(slot);
        let average_rating = (count > 0).then_some(average);
        if u64::from(count) == title.ratings_count && average_rating == title.average_rating {
            return title.clone();
        }
        Arc::new(TitleFeatures {
            ratings_count: count.into(),
            average_rating,
            ..(**title).clone()
        })
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn slot(&self, title: TitleId) -> Option<u32> {
        self.slots.get(&title).copied()
    }

    /// The title itself, or the series of an episode: what is done with an episode speaks for its series.
    pub fn slot_of(&self, title: TitleId) -> Option<u32> {
        self.slot(title).or_else(|| self.episodes.get(&title).copied())
    }

    pub fn id(&self, slot: u32) -> TitleId {
        self.list[slot as usize].id
    }

    pub fn get(&self, slot: u32) -> &TitleFeatures {
        &self.list[slot as usize]
    }

    /// Of which group of sequels and remakes it is; absent for the most.
    pub fn franchise(&self, slot: u32) -> Option<u32> {
        Some(self.franchises[slot as usize]).filter(|group| *group != franchise::NONE)
    }

    pub fn genre_bit(&self, name: &str) -> Option<u32> {
        self.genres
            .iter()
            .position(|genre| genre.eq_ignore_ascii_case(name))
            .map(|bit| bit as u32)
    }

    /// Number of ratings and their mean in stars (0 without any).
    pub fn figures(&self, slot: u32) -> (u32, f32) {
        self.figures[slot as usize].get()
    }

    pub fn set_figures(&self, ratings: &TitleRatings) {
        if let Some(slot) = self.slot(ratings.title) {
            let average = ratings.average(RATING_PRIOR.0, RATING_PRIOR.1);
            self.figures[slot as usize].set(ratings.count(), average);
        }
    }

    /// Known by many and liked by them: what the popular lists are sorted by where there is no model.
    pub fn renown(&self, slot: u32) -> f32 {
        let (count, average) = self.figures(slot);
        (1.0 + count as f32).ln() * if count == 0 { 0.0 } else { average.max(0.5) }
    }
}

/// Series and films are told apart by preferences.
pub fn kind_name(kind: TitleKind) -> &'static str {
    match kind {
        TitleKind::Film => "film",
        TitleKind::Series | TitleKind::Episode => "series",
    }
}

fn common_genres(list: &[Arc<TitleFeatures>]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for genre in list
        .iter()
        .flat_map(|title| &title.genres)
        .filter(|genre| !genre.is_empty())
    {
        *counts.entry(genre).or_default() += 1;
    }
    let mut genres: Vec<_> = counts.into_iter().collect();
    genres.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    genres.truncate(GENRES_MAX);
    genres.into_iter().map(|(genre, _)| genre.to_owned()).collect()
}
