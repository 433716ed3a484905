//! What every model can do.

use crate::bundle::Recommender;
use crate::codec::TensorReader;
use crate::dataset::Event;
use crate::error::{RecoError, Result};
use crate::linalg::SpdSolver;
use crate::models::{Content, Cooccurrence, Ease, Ials, Popularity};
use crate::select::{ItemSet, Scored, top_k};
use serde::{Deserialize, Serialize};

/// A service folds in at most this many of a viewer's newest events.
pub const HISTORY_MAX: usize = 500;

/// How much one title of the history added to a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// Title of the viewer's history.
    pub item: u32,
    /// Its part of the score; negative where it spoke against.
    pub contribution: f32,
}

/// Buffers that a thread reuses between calls, so that serving allocates almost nothing.
#[derive(Default)]
pub struct Scratch {
    pub(crate) scores: Vec<f32>,
    pub(crate) seen: ItemSet,
    pub(crate) best: Vec<Scored>,
    pub(crate) solver: SpdSolver,
    pub(crate) vector: Vec<f32>,
    pub(crate) ranking: crate::ranker::RankingBuffers,
    pub(crate) trees: crate::ranker::TreeBuffers,
}

/// A recommender over a catalogue of `items()` titles with dense indices.
///
/// A history is oldest first; titles outside the catalogue are ignored, and no model keeps anything about a viewer.
/// The base models take the history as it is given; [`Recommender`] cuts it to the newest [`HISTORY_MAX`].
pub trait Model: Send + Sync {
    /// One of the names that `evaluate` knows.
    fn name(&self) -> &'static str;

    /// Number of titles.
    fn items(&self) -> usize;

    /// Writes a score for every title into `out` (shape `[items]`); finite, higher is better, zero where the model
    /// has nothing to say.
    fn score(&self, history: &[Event], scratch: &mut Scratch, out: &mut [f32]);

    /// The best `k` titles that are neither in the history nor excluded, best first; fewer where there are fewer.
    fn recommend(&self, history: &[Event], k: usize, excluded: &ItemSet, scratch: &mut Scratch) -> Vec<Scored> {
        let mut scores = std::mem::take(&mut scratch.scores);
        scores.resize(self.items(), 0.0);
        self.score(history, scratch, &mut scores);
        mark_seen(&mut scratch.seen, self.items(), history, excluded);
        top_k(&scores, k, &scratch.seen, &mut scratch.best);
        scratch.scores = scores;
        scratch.best.clone()
    }

    /// The `k` titles closest to `item`, best first, itself left out; empty where the model knows no neighbours.
    fn similar(&self, item: u32, k: usize) -> Vec<Scored>;

    /// How much each title of the history adds to the score of `item`, greatest first, from the model's own terms.
    fn explain(&self, history: &[Event], item: u32) -> Vec<Contribution>;

    /// Whether the contributions of [`Self::explain`] sum to the score.
    fn additive(&self) -> bool;

    /// The model as one safetensors file.
    fn save(&self) -> Result<Vec<u8>>;
}

/// Reads any model that [`Model::save`] wrote.
pub fn load_model(bytes: &[u8]) -> Result<Box<dyn Model>> {
    let name = TensorReader::new("model", bytes)?.model()?;
    Ok(match name.as_str() {
        "popularity" => Box::new(Popularity::load(bytes)?),
        "ials" => Box::new(Ials::load(bytes)?),
        "ease" => Box::new(Ease::load(bytes)?),
        "cooccurrence" => Box::new(Cooccurrence::load(bytes)?),
        "content" => Box::new(Content::load(bytes)?),
        "ranker" => Box::new(Recommender::load(bytes)?),
        _ => return Err(RecoError::UnknownModel(name)),
    })
}

/// History and exclusions as one set.
pub(crate) fn mark_seen(seen: &mut ItemSet, items: usize, history: &[Event], excluded: &ItemSet) {
    seen.reset(items);
    seen.union(excluded);
    history.iter().for_each(|e| seen.insert(e.item));
}

/// Greatest first, equal contributions by index; zero contributions are dropped.
pub(crate) fn sorted_contributions(mut list: Vec<Contribution>) -> Vec<Contribution> {
    list.retain(|c| c.contribution != 0.0);
    list.sort_by(|a, b| b.contribution.total_cmp(&a.contribution).then(a.item.cmp(&b.item)));
    list
}
