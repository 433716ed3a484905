//! iALS: implicit alternating least squares with frequency-scaled regularisation, exact Cholesky.
//!
//! Hu, Koren, Volinsky 2008; scaling and defaults as in Rendle, Krichene, Zhang, Koren 2021.

use super::factors::{Factors, Objective};
use crate::codec::{TensorReader, TensorWriter};
use crate::dataset::{Dataset, Event};
use crate::error::{RecoError, Result};
use crate::linalg::{SpdSolver, gram};
use crate::model::{Contribution, Model, Scratch};
use crate::select::Scored;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

const NAME: &str = "ials";

/// How iALS is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IalsSettings {
    /// Size of a vector.
    pub size: usize,
    /// Rounds over viewers and titles.
    pub epochs: usize,
    /// Weights of the objective.
    pub objective: Objective,
    /// Standard deviation of the first title vectors, divided by √size.
    pub initial_deviation: f32,
    /// Seed of the first title vectors.
    pub seed: u64,
}

impl Default for IalsSettings {
    fn default() -> Self {
        Self {
            size: 64,
            epochs: 12,
            objective: Objective {
                unobserved: 0.3,
                regularisation: 0.005,
                frequency_exponent: 1.0,
            },
            initial_deviation: 0.1,
            seed: 1,
        }
    }
}

/// Title vectors; a viewer's vector is folded in at every request.
#[derive(Clone, Debug, PartialEq)]
pub struct Ials {
    stored: Stored,
    factors: Factors,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    items: usize,
    settings: IalsSettings,
}

impl Ials {
    /// Trains on all events with non-zero weight. A row's result depends on nothing but its own observations and the
    /// other side, so any number of threads gives the same bytes.
    pub fn train(data: &Dataset, settings: IalsSettings) -> Result<Self> {
        if settings.size == 0 || settings.size > 1024 {
            let text = format!("iALS vectors of size {}", settings.size);
            return Err(RecoError::Config(text));
        }
        let mut items = first_vectors(data.items(), &settings);
        let mut users = vec![0f32; data.users() * settings.size];
        let weights = data.occurrence_weights();
        for _ in 0..settings.epochs {
            let by_user = |user: usize| {
                let history = data.history(user as u32).iter();
                history.map(|event| (event.item, event.weight))
            };
            half_epoch(&mut users, &items, &settings, by_user)?;
            let by_item = |item: usize| {
                let (occurrences, span) = data.occurrences_at(item as u32);
                let viewers = occurrences.iter().map(|occurrence| occurrence.user);
                viewers.zip(weights[span].iter().copied())
            };
            half_epoch(&mut items, &users, &settings, by_item)?;
        }
        if items.iter().any(|v| !v.is_finite()) {
            return Err(RecoError::Numeric("iALS diverged".into()));
        }
        Ok(Self {
            stored: Stored {
                items: data.items(),
                settings,
            },
            factors: Factors::new(settings.objective, settings.size, items),
        })
    }

    /// A title's vector, shape `[size]`; empty for a title outside the catalogue.
    pub fn vector(&self, item: u32) -> &[f32] {
        self.factors.vector(item)
    }

    /// Settings the model was trained with.
    pub fn settings(&self) -> &IalsSettings {
        &self.stored.settings
    }

    /// The vector of a viewer with this history, shape `[size]`, left in the scratch; `None` where the history says nothing.
    pub fn fold_in<'a>(&self, history: &[Event], scratch: &'a mut Scratch) -> Option<&'a [f32]> {
        self.factors
            .fold_in(history, scratch)
            .then_some(scratch.vector.as_slice())
    }

    /// The scores of all titles for a viewer's vector of [`Self::fold_in`], shape `[items]`.
    pub fn score_vector(&self, vector: &[f32], out: &mut [f32]) {
        self.factors.score_vector(vector, out);
    }

    /// What each event adds to the score of each title, `[events × items]`.
    pub(crate) fn terms(&self, history: &[Event], items: &[u32], scratch: &mut Scratch, out: &mut Vec<f32>) {
        self.factors.terms(history, items, scratch, out);
    }

    /// Reads what [`Model::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let reader = TensorReader::new(NAME, bytes)?;
        let stored: Stored = reader.settings(NAME)?;
        let settings = stored.settings;
        let factors = Factors::read(&reader, settings.objective, stored.items, settings.size)?;
        Ok(Self { stored, factors })
    }
}

fn first_vectors(items: usize, settings: &IalsSettings) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let deviation = settings.initial_deviation / (settings.size as f32).sqrt();
    // The sum of twelve uniform values less six has deviation one and no tails that could upset a small start.
    (0..items * settings.size)
        .map(|_| deviation * ((0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0))
        .collect()
}

/// Solves every row of `target` exactly against the fixed `other` side.
fn half_epoch<I: Iterator<Item = (u32, f32)>>(
    target: &mut [f32],
    other: &[f32],
    settings: &IalsSettings,
    observations: impl Fn(usize) -> I + Sync,
) -> Result<()> {
    let size = settings.size;
    let others = other.len() / size;
    let mut base = gram(other, size);
    base.iter_mut().for_each(|g| *g *= settings.objective.unobserved);
    target
        .par_chunks_exact_mut(size)
        .enumerate()
        .with_min_len(4)
        .try_for_each_init(SpdSolver::default, |solver, (row, out)| {
            solver.start(&base, size);
            let observed = solver.observe_all(other, observations(row));
            if observed == 0 {
                out.fill(0.0);
                return Ok(());
            }
            solver.solve(settings.objective.ridge(observed, others), out)
        })
}

impl Model for Ials {
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
