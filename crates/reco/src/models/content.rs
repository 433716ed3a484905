//! The content model: what a title is (genres, people, year, words of its name) mapped into iALS' latent space, so
//! that a title nobody has seen gets a score.

use super::factors::{Factors, Objective, dot};
use super::ials::Ials;
use crate::codec::{TensorReader, TensorWriter};
use crate::dataset::{Dataset, Event};
use crate::error::{RecoError, Result};
use crate::model::{Contribution, Model, Scratch};
use crate::select::Scored;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const NAME: &str = "content";
const STEPS_MAX: usize = 40;
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

/// Sparse features per title, rows of length one (tf-idf weighted) or empty.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemFeatures {
    features: usize,
    rows: Vec<Vec<(u32, f32)>>,
    years: Vec<Option<i32>>,
    genres: Vec<Vec<u32>>,
    genre_count: usize,
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
        for genre in title.genres {
            self.add(item, &format!("{GENRE}{}", genre.to_lowercase()), 1.0);
        }
        for person in title.people {
            self.add(item, &format!("person:{}", person.to_lowercase()), 1.0);
        }
        if let Some(known) = self.years.get_mut(item as usize) {
            *known = title.year;
        }
        if let Some(year) = title.year {
            self.add(item, &format!("year:{}", year.div_euclid(3)), 0.5);
            self.add(item, &format!("decade:{}", year.div_euclid(10)), 1.0);
        }
        let lower = title.name.to_lowercase();
        for word in lower.split(|c: char| !c.is_alphanumeric()) {
            if word.chars().count() > 2 {
                self.add(item, &format!("word:{word}"), 0.5);
            }
        }
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
            match row.iter_mut().find(|cell| cell.0 == feature) {
                Some(cell) => cell.1 = cell.1.max(weight),
                None => row.push((feature, weight)),
            }
        }
    }

    /// Weighs by rarity, drops features of a single title, and scales every title to length one.
    pub fn build(self) -> ItemFeatures {
        let (genres, genre_count) = self.genres();
        let mut counts = vec![0u32; self.names.len()];
        self.rows.iter().flatten().for_each(|cell| counts[cell.0 as usize] += 1);
        let titles = self.rows.len() as f32;
        let rows = self.rows.into_iter().map(|row| {
            let mut row: Vec<(u32, f32)> = row
                .into_iter()
                .filter(|cell| counts[cell.0 as usize] > 1)
                .map(|(feature, weight)| {
                    let rarity = (1.0 + titles / counts[feature as usize] as f32).ln();
                    (feature, weight * rarity.sqrt())
                })
                .collect();
            row.sort_unstable_by_key(|cell| cell.0);
            let length = row.iter().map(|c| c.1 * c.1).sum::<f32>().sqrt();
            row.iter_mut().for_each(|c| c.1 /= length.max(1e-12));
            row
        });
        ItemFeatures {
            features: counts.len(),
            rows: rows.collect(),
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

    /// `out[title] = row · vector`.
    fn times(&self, vector: &[f32], out: &mut [f32]) {
        for (sum, row) in out.iter_mut().zip(&self.rows) {
            *sum = row.iter().map(|&(f, w)| w * vector[f as usize]).sum();
        }
    }

    /// `out[feature] = Σ titles: row × vector[title]`.
    fn transposed_times(&self, vector: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        for (&value, row) in vector.iter().zip(&self.rows) {
            row.iter().for_each(|&(f, w)| out[f as usize] += w * value);
        }
    }
}

/// How the mapping is learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContentSettings {
    /// Ridge of the regression from features to latent vectors.
    pub regularisation: f32,
}

impl Default for ContentSettings {
    fn default() -> Self {
        Self { regularisation: 1.0 }
    }
}

/// Latent vectors predicted from features alone; a viewer is folded in against these.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    stored: Stored,
    factors: Factors,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    items: usize,
    size: usize,
    objective: Objective,
}

impl Content {
    /// Ridge regression from features to iALS' title vectors, each title weighed by the square root of its events;
    /// solved by conjugate gradients, one latent dimension at a time.
    pub fn train(data: &Dataset, features: &ItemFeatures, ials: &Ials, settings: ContentSettings) -> Result<Self> {
        let (items, size) = (data.items(), ials.settings().size);
        if features.items() != items || settings.regularisation <= 0.0 {
            let text = format!("features of {} titles for {items}", features.items());
            return Err(RecoError::Config(text));
        }
        let weights: Vec<f32> = data.popularity().iter().map(|c| c.sqrt()).collect();
        let columns: Vec<Vec<f32>> = (0..size)
            .into_par_iter()
            .map(|dimension| {
                let target = |item: usize| ials.vector(item as u32)[dimension];
                let wanted: Vec<f32> = (0..items).map(|i| weights[i] * target(i)).collect();
                let map = regress(features, &weights, &wanted, settings.regularisation);
                let mut predicted = vec![0f32; items];
                features.times(&map, &mut predicted);
                predicted
            })
            .collect();
        let mut vectors = vec![0f32; items * size];
        for (dimension, column) in columns.iter().enumerate() {
            for (item, value) in column.iter().enumerate() {
                vectors[item * size + dimension] = *value;
            }
        }
        let objective = ials.settings().objective;
        Ok(Self {
            stored: Stored { items, size, objective },
            factors: Factors::new(objective, size, vectors),
        })
    }

    /// The viewer's vector, left in the scratch; false where the history says nothing.
    pub(crate) fn fold_in(&self, history: &[Event], scratch: &mut Scratch) -> bool {
        self.factors.fold_in(history, scratch)
    }

    /// A title's score for a viewer's vector.
    pub(crate) fn dot(&self, item: u32, viewer: &[f32]) -> f32 {
        dot(self.factors.vector(item), viewer)
    }

    /// What each event adds to the score of each title, `[events × items]`.
    pub(crate) fn terms(&self, history: &[Event], items: &[u32], scratch: &mut Scratch, out: &mut Vec<f32>) {
        self.factors.terms(history, items, scratch, out);
    }

    /// Reads what [`Model::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let reader = TensorReader::new(NAME, bytes)?;
        let stored: Stored = reader.settings(NAME)?;
        let factors = Factors::read(&reader, stored.objective, stored.items, stored.size)?;
        Ok(Self { stored, factors })
    }
}

/// Conjugate gradients on `(FᵀCF + λI) x = Fᵀ(C·target)`; `wanted` is `C·target`.
fn regress(features: &ItemFeatures, weights: &[f32], wanted: &[f32], ridge: f32) -> Vec<f32> {
    let count = features.features;
    let (mut x, mut residual) = (vec![0f32; count], vec![0f32; count]);
    features.transposed_times(wanted, &mut residual);
    let mut direction = residual.clone();
    let mut image = vec![0f32; count];
    let mut by_title = vec![0f32; features.items()];
    let mut energy: f64 = squared(&residual);
    let enough = energy * 1e-8;
    for _ in 0..STEPS_MAX {
        if energy <= enough || energy == 0.0 {
            break;
        }
        features.times(&direction, &mut by_title);
        by_title.iter_mut().zip(weights).for_each(|(v, c)| *v *= c);
        features.transposed_times(&by_title, &mut image);
        image.iter_mut().zip(&direction).for_each(|(i, d)| *i += ridge * d);
        let curvature: f64 = direction.iter().zip(&image).map(|(d, i)| f64::from(d * i)).sum();
        let step = (energy / curvature) as f32;
        x.iter_mut().zip(&direction).for_each(|(x, d)| *x += step * d);
        residual.iter_mut().zip(&image).for_each(|(r, i)| *r -= step * i);
        let next = squared(&residual);
        let turn = (next / energy) as f32;
        direction
            .iter_mut()
            .zip(&residual)
            .for_each(|(d, r)| *d = r + turn * *d);
        energy = next;
    }
    x
}

fn squared(vector: &[f32]) -> f64 {
    vector.iter().map(|v| f64::from(v * v)).sum()
}

impl Model for Content {
    fn name(&self) -> &'static str {
        NAME
    }

    fn items(&self) -> usize {
        self.stored.items
    }

    fn score(&self, history: &[Event], scratch: &mut Scratch, out: &mut [f32]) {
        self.factors.score(history, scratch, out);
    }

    fn similar(&self, item: u32, k: usize) -> Vec<Scored> {
        self.factors.similar(item, k)
    }

    fn explain(&self, history: &[Event], item: u32) -> Vec<Contribution> {
        self.factors.explain(history, item)
    }

    fn additive(&self) -> bool {
        true
    }

    fn save(&self) -> Result<Vec<u8>> {
        let mut writer = TensorWriter::default();
        self.factors.write(&mut writer);
        writer.finish(NAME, &self.stored)
    }
}
