//! What titles are, as sparse rows of weighted features: genres, people, years, words of the name.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;

/// How a genre's feature begins.
const GENRE: &str = "genre:";

/// What is known about a title without anybody having seen it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TitleDescription<'a> {
    /// Name as people write it.
    pub name: &'a str,
    /// Year of release.
    pub year: Option<i32>,
    /// Genres.
    pub genres: &'a [&'a str],
    /// Directors, actors, writers.
    pub people: &'a [&'a str],
}

impl TitleDescription<'_> {
    /// Calls `take` with the name and the weight of every feature.
    fn each(&self, mut take: impl FnMut(&str, f32)) {
        for genre in self.genres {
            take(&format!("{GENRE}{}", genre.to_lowercase()), 1.0);
        }
        for person in self.people {
            take(&format!("person:{}", person.to_lowercase()), 1.0);
        }
        if let Some(year) = self.year {
            take(&format!("year:{}", year.div_euclid(3)), 0.5);
            take(&format!("decade:{}", year.div_euclid(10)), 1.0);
        }
        let lower = self.name.to_lowercase();
        for word in lower.split(|c: char| !c.is_alphanumeric()) {
            if word.chars().count() > 2 {
                take(&format!("word:{word}"), 0.5);
            }
        }
    }
}

/// Sparse features per title, rows of length one (tf-idf weighted) or empty.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemFeatures {
    vocabulary: Vocabulary,
    rows: Vec<Vec<(u32, f32)>>,
    years: Vec<Option<i32>>,
    genres: Vec<Vec<u32>>,
    genre_count: usize,
}

/// The features that more than one title has: which they are and what each weighs, so that a title that comes later can be described
/// in the same terms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    /// Hash of each feature's name: names would be most of an artefact, and 64 bits do not collide at any catalogue's size.
    hashes: Vec<i64>,
    /// What a weight is multiplied by: the rarer, the more it says.
    rarities: Vec<f32>,
    index: HashMap<i64, u32>,
}

/// Collects features under any names.
#[derive(Clone, Debug, Default)]
pub struct ItemFeaturesBuilder {
    names: HashMap<String, u32>,
    rows: Vec<Vec<(u32, f32)>>,
    years: Vec<Option<i32>>,
}

impl ItemFeaturesBuilder {
    /// For `items` titles, none described yet.
    pub fn new(items: usize) -> Self {
        Self {
            names: HashMap::new(),
            rows: vec![Vec::new(); items],
            years: vec![None; items],
        }
    }

    /// Adds all features of a description.
    pub fn describe(&mut self, item: u32, title: &TitleDescription<'_>) {
        if let Some(known) = self.years.get_mut(item as usize) {
            *known = title.year;
        }
        title.each(|name, weight| self.add(item, name, weight));
    }

    /// Adds one named feature; titles outside the index and non-positive weights are ignored.
    pub fn add(&mut self, item: u32, name: &str, weight: f32) {
        let next = self.names.len() as u32;
        if let Some(row) = self.rows.get_mut(item as usize)
            && weight > 0.0
        {
            let feature = match self.names.get(name) {
                Some(&known) => known,
                None => *self.names.entry(name.to_owned()).or_insert(next),
            };
            put(row, feature, weight);
        }
    }

    /// Adds vectors from elsewhere as features, once, by title; those of another length than [`EMBEDDED`] and those that say nothing are
    /// left out. What all titles have in common is taken off, for it is most of such a vector and tells none from another.
    pub fn embed(&mut self, vectors: &[Option<Vec<f32>>]) {
        let fits = |vector: &&Vec<f32>| vector.len() == EMBEDDED && vector.iter().all(|value| value.is_finite());
        let known = || vectors.iter().flatten().filter(fits);
        if known().next().is_none() || self.names.contains_key("embedded:0") {
            return;
        }
        let count = known().count().max(1) as f32;
        let mut mean = vec![0f32; EMBEDDED];
        for vector in known() {
            mean.iter_mut()
                .zip(vector)
                .for_each(|(sum, value)| *sum += value / count);
        }
        let first = self.names.len() as u32;
        for dimension in 0..EMBEDDED {
            self.names
                .insert(format!("embedded:{dimension}"), first + dimension as u32);
        }
        for (row, vector) in self.rows.iter_mut().zip(vectors) {
            let Some(vector) = vector.as_ref().filter(fits) else {
                continue;
            };
            let own: Vec<f32> = vector.iter().zip(&mean).map(|(value, usual)| value - usual).collect();
            let length = own.iter().map(|value| value * value).sum::<f32>().sqrt();
            if length > 1e-6 {
                let weighed = own.iter().map(|value| value * EMBEDDED_LENGTH / length);
                row.extend((first..).zip(weighed));
            }
        }
    }

    /// Weighs by rarity, drops features of a single title, and scales every title to length one.
    pub fn build(self) -> ItemFeatures {
        let (genres, genre_count) = self.genres();
        let mut counts = vec![0u32; self.names.len()];
        self.rows.iter().flatten().for_each(|cell| counts[cell.0 as usize] += 1);
        let titles = self.rows.len() as f32;
        let mut names: Vec<(u32, &str)> = self.names.iter().map(|(name, &id)| (id, name.as_str())).collect();
        names.sort_unstable();
        let mut kept = vec![None; names.len()];
        let mut vocabulary = Vocabulary::default();
        for (id, name) in names {
            let count = counts[id as usize];
            if count > 1 {
                let rarity = (1.0 + titles / count as f32).ln().sqrt();
                kept[id as usize] = vocabulary.add(hash(name), rarity);
            }
        }
        let rows = self.rows.into_iter().map(|row| {
            let known = row
                .into_iter()
                .filter_map(|(id, weight)| Some((kept[id as usize]?, weight)));
            vocabulary.weighed(known.collect())
        });
        ItemFeatures {
            rows: rows.collect(),
            vocabulary,
            years: self.years,
            genres,
            genre_count,
        }
    }

    /// Genres by title, numbered densely in the order of their first use, and how many there are.
    fn genres(&self) -> (Vec<Vec<u32>>, usize) {
        let named = self.names.iter().filter(|(name, _)| name.starts_with(GENRE));
        let mut features: Vec<u32> = named.map(|(_, &feature)| feature).collect();
        features.sort_unstable();
        let number = |cell: &(u32, f32)| features.binary_search(&cell.0).ok().map(|genre| genre as u32);
        let of_title = |row: &Vec<(u32, f32)>| row.iter().filter_map(number).collect();
        (self.rows.iter().map(of_title).collect(), features.len())
    }
}

/// Dimensions of a title's vector from elsewhere, as the content model takes it.
pub const EMBEDDED: usize = 64;
/// Length of that vector beside the other features, each of which weighs about one.
const EMBEDDED_LENGTH: f32 = 2.0;

/// A vector of any length in [`EMBEDDED`] dimensions that keep distances nearly as they are: signs instead of a normal projection
/// (Achlioptas 2003, "Database-friendly random projections"), the same ones for every vector of a length.
pub fn reduced(vector: &[f32]) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(vector.len() as u64);
    let mut sums = vec![0f32; EMBEDDED];
    for value in vector {
        let signs: u64 = rng.random();
        for (place, sum) in sums.iter_mut().enumerate() {
            *sum += if signs >> place & 1 == 1 { *value } else { -value };
        }
    }
    sums
}

/// The greatest weight of a feature counts.
fn put(row: &mut Vec<(u32, f32)>, feature: u32, weight: f32) {
    match row.iter_mut().find(|cell| cell.0 == feature) {
        Some(cell) => cell.1 = cell.1.max(weight),
        None => row.push((feature, weight)),
    }
}

impl ItemFeatures {
    /// No features for any of `items` titles.
    pub fn none(items: usize) -> Self {
        ItemFeaturesBuilder::new(items).build()
    }

    /// Year of a title's release.
    pub fn year(&self, item: u32) -> Option<i32> {
        self.years.get(item as usize).copied().flatten()
    }

    /// Number of titles.
    pub fn items(&self) -> usize {
        self.rows.len()
    }

    /// A title's genres, each below [`Self::genre_count`]; empty outside the index.
    pub fn genres(&self, item: u32) -> &[u32] {
        self.genres.get(item as usize).map_or(&[], Vec::as_slice)
    }

    /// Number of different genres.
    pub fn genre_count(&self) -> usize {
        self.genre_count
    }

    /// Cosine of two titles' features, 0..=1; `None` where nothing is known of one of them.
    pub fn similarity(&self, one: u32, other: u32) -> Option<f32> {
        let row = |item: u32| self.rows.get(item as usize).filter(|row| !row.is_empty());
        let (one, other) = (row(one)?, row(other)?);
        let (mut at, mut sum) = (0, 0.0);
        for (feature, weight) in one {
            while other.get(at).is_some_and(|cell| cell.0 < *feature) {
                at += 1;
            }
            if let Some(cell) = other.get(at).filter(|cell| cell.0 == *feature) {
                sum += weight * cell.1;
            }
        }
        Some(sum.clamp(0.0, 1.0))
    }

    /// Whether no title has a feature.
    pub fn is_empty(&self) -> bool {
        self.rows.iter().all(Vec::is_empty)
    }

    /// The features that the rows speak of.
    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// `out[title] = row · vector`.
    pub(crate) fn times(&self, vector: &[f32], out: &mut [f32]) {
        for (sum, row) in out.iter_mut().zip(&self.rows) {
            *sum = row.iter().map(|&(f, w)| w * vector[f as usize]).sum();
        }
    }

    /// `out[feature] = Σ titles: row × vector[title]`.
    pub(crate) fn transposed_times(&self, vector: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        for (&value, row) in vector.iter().zip(&self.rows) {
            row.iter().for_each(|&(f, w)| out[f as usize] += w * value);
        }
    }
}

impl Vocabulary {
    /// From what [`Self::hashes`] and [`Self::rarities`] gave.
    pub(crate) fn new(hashes: &[i64], rarities: &[f32]) -> Self {
        let mut vocabulary = Self::default();
        for (&hash, &rarity) in hashes.iter().zip(rarities) {
            vocabulary.hashes.push(hash);
            vocabulary.rarities.push(rarity);
            vocabulary.index.insert(hash, vocabulary.hashes.len() as u32 - 1);
        }
        vocabulary
    }

    /// Number of features.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// By feature, shape `[features]`.
    pub(crate) fn hashes(&self) -> &[i64] {
        &self.hashes
    }

    /// By feature, shape `[features]`.
    pub(crate) fn rarities(&self) -> &[f32] {
        &self.rarities
    }

    /// A title's row, of the features that are known.
    pub(crate) fn row(&self, title: &TitleDescription<'_>) -> Vec<(u32, f32)> {
        let mut row = Vec::new();
        title.each(|name, weight| {
            if let Some(&feature) = self.index.get(&hash(name)) {
                put(&mut row, feature, weight);
            }
        });
        self.weighed(row)
    }

    /// The new feature's index; `None` in the case of a collision.
    fn add(&mut self, hash: i64, rarity: f32) -> Option<u32> {
        let next = self.hashes.len() as u32;
        if self.index.contains_key(&hash) {
            return None;
        }
        self.index.insert(hash, next);
        self.hashes.push(hash);
        self.rarities.push(rarity);
        Some(next)
    }

    /// By feature, weighed by rarity, of length one.
    fn weighed(&self, mut row: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
        row.sort_unstable_by_key(|cell| cell.0);
        row.iter_mut().for_each(|cell| cell.1 *= self.rarities[cell.0 as usize]);
        let length = row.iter().map(|cell| cell.1 * cell.1).sum::<f32>().sqrt();
        row.iter_mut().for_each(|cell| cell.1 /= length.max(1e-12));
        row
    }
}

/// FNV-1a (Fowler, Noll, Vo): the same on every machine and in every version, as what is stored must be.
fn hash(name: &str) -> i64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, step).cast_signed()
}
