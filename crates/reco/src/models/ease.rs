//! EASE: the closed-form item-item model (Steck 2019, "Embarrassingly shallow autoencoders for sparse data").
//!
//! B = I − P·diag(P)⁻¹ with P = (XᵀX + λI)⁻¹: solved densely while training, over as many titles as there is room for, the others
//! predicted from these ([`closed_form`]), and kept sparse for serving.

mod closed_form;

use crate::codec::{TensorReader, TensorWriter};
use crate::dataset::{Dataset, Event};
use crate::error::{RecoError, Result};
use crate::model::{Contribution, Model, Scratch, sorted_contributions};
use crate::select::{Scored, best_first};
use crate::sparse::SparseMatrix;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

const NAME: &str = "ease";

/// How EASE is trained and served.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EaseSettings {
    /// λ on the diagonal.
    pub regularisation: f32,
    /// Weight of a history event by its age in events: `input_decay^age`. 1 treats the history as a set.
    pub input_decay: f32,
    /// Weights kept per predicted title, greatest magnitudes first; `None` keeps all (for evaluation), or 1,000 where there are more
    /// titles than `items_max`.
    pub keep: Option<usize>,
    /// Titles with fewer positive events are left to the other models.
    pub item_min: usize,
    /// Titles that are learned from, at most: the most popular. The dense solve costs their number cubed and memory for its square;
    /// every further title is predicted from these.
    pub items_max: usize,
}

impl Default for EaseSettings {
    fn default() -> Self {
        Self {
            regularisation: 500.0,
            input_decay: 1.0,
            keep: None,
            item_min: 1,
            items_max: 20_000,
        }
    }
}

/// Weights `[from title × to title]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ease {
    stored: Stored,
    weights: SparseMatrix,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    items: usize,
    settings: EaseSettings,
}

impl Ease {
    /// Solves the closed form over the events with positive weight.
    pub fn train(data: &Dataset, settings: EaseSettings) -> Result<Self> {
        let valid = settings.regularisation > 0.0 && settings.regularisation.is_finite();
        if !valid || !(0.0..=1.0).contains(&settings.input_decay) {
            let text = "EASE needs λ > 0 and an input decay within 0..=1";
            return Err(RecoError::Config(text.into()));
        }
        let (learned, beyond) = taking_part(data, &settings);
        let (regularisation, keep) = (settings.regularisation, settings.keep);
        let weights = match beyond.is_empty() {
            true => closed_form::solve(data, &learned, regularisation, keep)?,
            false => closed_form::solve_beyond(data, &learned, &beyond, regularisation, keep)?,
        };
        Ok(Self {
            weights,
            stored: Stored {
                items: data.items(),
                settings,
            },
        })
    }

    /// The same model with at most `keep` weights per predicted title.
    pub fn pruned(&self, keep: usize) -> Self {
        let by_target = self.weights.transposed();
        let columns: Vec<Vec<(u32, f32)>> = (0..self.stored.items as u32)
            .into_par_iter()
            .map(|item| {
                let (from, values) = by_target.row(item);
                let cells = from.iter().copied().zip(values.iter().copied());
                strongest(cells.collect(), keep)
            })
            .collect();
        let mut stored = self.stored;
        stored.settings.keep = Some(keep);
        Self {
            weights: SparseMatrix::from_rows(&columns).transposed(),
            stored,
        }
    }

    /// Weights `[from title × to title]`.
    pub fn weights(&self) -> &SparseMatrix {
        &self.weights
    }

    /// Reads what [`Model::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let reader = TensorReader::new(NAME, bytes)?;
        let stored: Stored = reader.settings(NAME)?;
        let weights = SparseMatrix::read("weights", &reader, stored.items)?;
        Ok(Self { stored, weights })
    }

    /// Scores the history as a set and with an input decay in one pass over the weights.
    pub fn score_twice(&self, history: &[Event], decay: f32, set: &mut [f32], decayed: &mut [f32]) {
        set.fill(0.0);
        decayed.fill(0.0);
        for (event, (item, weight)) in history.iter().zip(inputs(history, decay)) {
            self.weights.add_row(item, event.weight, set);
            if weight.abs() > INPUT_MIN {
                self.weights.add_row(item, weight, decayed);
            }
        }
    }
}

/// Inputs below this weight are too old to matter.
const INPUT_MIN: f32 = 1e-4;

/// Events with the weight that their age leaves them, newest last.
pub(crate) fn inputs(history: &[Event], decay: f32) -> impl Iterator<Item = (u32, f32)> {
    history.iter().enumerate().map(move |(index, event)| {
        let age = (history.len() - 1 - index) as i32;
        (event.item, event.weight * decay.powi(age))
    })
}

/// The titles that take part: those that are learned from, and those beyond; each ascending.
fn taking_part(data: &Dataset, settings: &EaseSettings) -> (Vec<u32>, Vec<u32>) {
    let popularity = data.popularity();
    let counts = |item: &u32| popularity[*item as usize] >= settings.item_min.max(1) as f32;
    let mut learned: Vec<u32> = (0..data.items() as u32).filter(counts).collect();
    learned.sort_by(|&a, &b| {
        popularity[b as usize]
            .total_cmp(&popularity[a as usize])
            .then(a.cmp(&b))
    });
    let mut beyond = learned.split_off(settings.items_max.max(1).min(learned.len()));
    learned.sort_unstable();
    beyond.sort_unstable();
    (learned, beyond)
}

/// The `keep` cells of greatest magnitude, by column.
fn strongest(mut cells: Vec<(u32, f32)>, keep: usize) -> Vec<(u32, f32)> {
    if cells.len() > keep {
        cells.retain(|c| c.1 != 0.0);
    }
    if cells.len() > keep && keep > 0 {
        cells.select_nth_unstable_by(keep - 1, |a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        cells.truncate(keep);
        cells.sort_unstable_by_key(|c| c.0);
        cells.shrink_to_fit();
    }
    cells
}

impl Model for Ease {
    fn name(&self) -> &'static str {
        NAME
    }

    fn items(&self) -> usize {
        self.stored.items
    }

    fn score(&self, history: &[Event], _scratch: &mut Scratch, out: &mut [f32]) {
        out.fill(0.0);
        for (item, weight) in inputs(history, self.stored.settings.input_decay) {
            if weight.abs() > INPUT_MIN {
                self.weights.add_row(item, weight, out);
            }
        }
    }

    fn similar(&self, item: u32, k: usize) -> Vec<Scored> {
        let (columns, values) = self.weights.row(item);
        let cells = columns.iter().zip(values);
        let mut list: Vec<Scored> = cells
            .map(|(&item, &score)| Scored { item, score })
            .filter(|s| s.score > 0.0 && s.item != item)
            .collect();
        list.sort_unstable_by(best_first);
        list.truncate(k);
        list
    }

    fn explain(&self, history: &[Event], item: u32) -> Vec<Contribution> {
        let decay = self.stored.settings.input_decay;
        let parts = inputs(history, decay).map(|(from, weight)| Contribution {
            item: from,
            contribution: weight * self.weights.get(from, item),
        });
        sorted_contributions(parts.collect())
    }

    fn additive(&self) -> bool {
        true
    }

    fn save(&self) -> Result<Vec<u8>> {
        let mut writer = TensorWriter::default();
        self.weights.write("weights", &mut writer);
        writer.finish(NAME, &self.stored)
    }
}
