//! The content model: what a title is (genres, people, year, words of its name) mapped into iALS' latent space, so
//! that a title nobody has seen gets a score.
//!
//! A linear mapping from attributes to factors, as in Gantner et al. 2010, "Learning attribute-to-feature mappings for cold-start
//! recommendations"; fitted there by the ranking's own loss, here by ridge regression, a title weighing the square root of its events,
//! solved by conjugate gradients (Hestenes and Stiefel 1952, "Methods of conjugate gradients for solving linear systems").

use super::factors::{Factors, Objective};
use super::ials::Ials;
use super::item_features::{ItemFeatures, TitleDescription, Vocabulary};
use crate::codec::{TensorReader, TensorWriter};
use crate::dataset::{Dataset, Event};
use crate::error::{RecoError, Result};
use crate::linalg::dot;
use crate::model::{Contribution, Model, Scratch};
use crate::select::Scored;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const NAME: &str = "content";
const STEPS_MAX: usize = 40;

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
    mapping: Arc<Mapping>,
}

/// From features to latent vectors.
#[derive(Clone, Debug, PartialEq)]
struct Mapping {
    vocabulary: Vocabulary,
    /// Row-major `[features × size]`.
    weights: Vec<f32>,
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
        let columns: Vec<(Vec<f32>, Vec<f32>)> = (0..size)
            .into_par_iter()
            .map(|dimension| {
                let target = |item: usize| ials.vector(item as u32)[dimension];
                let wanted: Vec<f32> = (0..items).map(|i| weights[i] * target(i)).collect();
                let map = regress(features, &weights, &wanted, settings.regularisation);
                let mut predicted = vec![0f32; items];
                features.times(&map, &mut predicted);
                (map, predicted)
            })
            .collect();
        let vocabulary = features.vocabulary().clone();
        let mut vectors = vec![0f32; items * size];
        let mut weights = vec![0f32; vocabulary.len() * size];
        for (dimension, (map, predicted)) in columns.iter().enumerate() {
            spread(predicted, &mut vectors, dimension, size);
            spread(map, &mut weights, dimension, size);
        }
        let objective = ials.settings().objective;
        Ok(Self {
            stored: Stored { items, size, objective },
            factors: Factors::new(objective, size, vectors),
            mapping: Arc::new(Mapping { vocabulary, weights }),
        })
    }

    /// The same model with titles behind those it was trained with: each has the vector that its description maps to, zero where
    /// none of its features is known. Nothing that is said of the other titles changes.
    pub(crate) fn placed(&self, titles: &[TitleDescription<'_>]) -> Self {
        let size = self.stored.size;
        let mut vectors = vec![0f32; titles.len() * size];
        for (title, vector) in titles.iter().zip(vectors.chunks_exact_mut(size)) {
            for (feature, value) in self.mapping.vocabulary.row(title) {
                let weights = &self.mapping.weights[feature as usize * size..][..size];
                vector
                    .iter_mut()
                    .zip(weights)
                    .for_each(|(sum, weight)| *sum += value * weight);
            }
        }
        let mut placed = self.clone();
        placed.stored.items += titles.len();
        placed.factors.append(&vectors);
        placed
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
        Ok(Self {
            mapping: Arc::new(Mapping::read(&reader, stored.size)?),
            stored,
            factors,
        })
    }
}

impl Mapping {
    fn write(&self, writer: &mut TensorWriter) {
        writer.i64("features", self.vocabulary.hashes());
        writer.f32("rarities", self.vocabulary.rarities());
        writer.f32("mapping", &self.weights);
    }

    /// What an older version wrote knows no features: it places no new title, and serves as before.
    fn read(reader: &TensorReader<'_>, size: usize) -> Result<Self> {
        if !reader.has("features") {
            return Ok(Self {
                vocabulary: Vocabulary::default(),
                weights: Vec::new(),
            });
        }
        let hashes = reader.i64_any("features")?;
        let rarities = reader.f32("rarities", hashes.len())?;
        Ok(Self {
            weights: reader.f32("mapping", hashes.len() * size)?,
            vocabulary: Vocabulary::new(&hashes, &rarities),
        })
    }
}

/// Writes values at every `step`-th place, from `first` on.
fn spread(values: &[f32], out: &mut [f32], first: usize, step: usize) {
    let places = out.iter_mut().skip(first).step_by(step);
    places.zip(values).for_each(|(place, value)| *place = *value);
}

/// Conjugate gradients on `(FᵀCF + λI) x = Fᵀ(C·target)`; `wanted` is `C·target`.
fn regress(features: &ItemFeatures, weights: &[f32], wanted: &[f32], ridge: f32) -> Vec<f32> {
    let count = features.vocabulary().len();
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
        self.mapping.write(&mut writer);
        writer.finish(NAME, &self.stored)
    }
}
