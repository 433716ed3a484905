//! Signals of the base models, the candidates they propose, and the features of each candidate.

use super::Bases;
use crate::dataset::Event;
use crate::model::{Model, Scratch};
use crate::select::{ItemSet, Scored, top_k_where};

/// What is measured about a candidate. The order is the order of the feature blocks in a stored ranker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Co-occurrence over the context window.
    Cooccurrence,
    /// Co-occurrence with the newest two events only.
    Newest,
    /// EASE on the history as a set.
    Ease,
    /// EASE on the history weighted towards the newest events.
    EaseRecent,
    /// iALS.
    Ials,
    /// Content.
    Content,
    /// Popularity of all time, logarithm.
    Popularity,
    /// Decayed popularity, logarithm.
    Trending,
}

const SIGNALS: [Signal; 8] = [
    Signal::Cooccurrence,
    Signal::Newest,
    Signal::Ease,
    Signal::EaseRecent,
    Signal::Ials,
    Signal::Content,
    Signal::Popularity,
    Signal::Trending,
];
/// Per signal: value scaled to the viewer's best, the same for short histories, logarithmic rank.
const KINDS: usize = 4;
const KIND_NAMES: [&str; KINDS] = ["value", "root", "short", "rank"];
/// Features per candidate.
pub const FEATURES: usize = SIGNALS.len() * KINDS;
const RECENT_DECAY: f32 = 0.85;

/// Name of a feature.
pub fn name(feature: usize) -> String {
    let signal = SIGNALS[feature / KINDS];
    format!("{signal:?}.{}", KIND_NAMES[feature % KINDS])
}

/// An even blend of values, a little of everything else.
pub fn even_weights() -> Vec<f32> {
    let mut weights = vec![0.0; FEATURES];
    for (signal, chunk) in SIGNALS.iter().zip(weights.chunks_exact_mut(KINDS)) {
        chunk[0] = match signal {
            Signal::Popularity | Signal::Trending | Signal::Content => 0.3,
            _ => 1.0,
        };
    }
    weights
}

/// How much the weights trust a signal, never negative.
pub fn trust(weights: &[f32], signal: Signal) -> f32 {
    let at = SIGNALS.iter().position(|&s| s == signal).unwrap_or(0) * KINDS;
    weights[at..at + KINDS].iter().sum::<f32>().max(0.0) + 1e-3
}

/// Buffers of one ranking, reused.
#[derive(Default)]
pub(crate) struct RankingBuffers {
    /// One dense score per signal, `[signals][items]`.
    signals: Vec<Vec<f32>>,
    candidates: Vec<u32>,
    chosen: ItemSet,
    best: Vec<Scored>,
    rows: Vec<f32>,
    column: Vec<(f32, u32)>,
}

impl RankingBuffers {
    /// Computes all signals and draws the candidates.
    pub fn gather(
        &mut self,
        bases: &Bases,
        history: &[Event],
        quota: usize,
        allowed: &dyn Fn(u32) -> bool,
        scratch: &mut Scratch,
    ) {
        let items = bases.items();
        self.signals.resize_with(SIGNALS.len(), Vec::new);
        for (signal, scores) in SIGNALS.iter().zip(&mut self.signals) {
            scores.resize(items, 0.0);
            fill(*signal, bases, history, scratch, scores);
        }
        self.candidates.clear();
        self.chosen.reset(items);
        for (signal, scores) in SIGNALS.iter().zip(&self.signals) {
            let share = match signal {
                Signal::Cooccurrence | Signal::Ease => quota,
                Signal::Ials | Signal::EaseRecent => quota / 2,
                Signal::Newest => quota / 4,
                Signal::Content | Signal::Popularity | Signal::Trending => quota / 4,
            };
            top_k_where(scores, share, allowed, &mut self.best);
            for scored in self.best.iter().filter(|s| s.score > 0.0) {
                if !self.chosen.contains(scored.item) {
                    self.chosen.insert(scored.item);
                    self.candidates.push(scored.item);
                }
            }
        }
    }

    /// The candidates and their features, row-major `[candidates × FEATURES]`.
    pub fn features(&mut self, history_len: usize) -> (&[u32], &[f32]) {
        self.rows.clear();
        self.rows.resize(self.candidates.len() * FEATURES, 0.0);
        let short = 1.0 / (1.0 + history_len as f32 / 5.0);
        let last_rank = (1.0 + self.candidates.len() as f32).ln();
        for (index, scores) in self.signals.iter().enumerate() {
            self.column.clear();
            let values = self.candidates.iter().enumerate();
            self.column
                .extend(values.map(|(row, &item)| (scores[item as usize], row as u32)));
            let largest = self.column.iter().fold(0f32, |m, c| m.max(c.0.abs()));
            if largest <= 0.0 {
                continue;
            }
            self.column
                .sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (rank, &(value, row)) in self.column.iter().enumerate() {
                let at = row as usize * FEATURES + index * KINDS;
                let scaled = value / largest;
                let place = 1.0 - (1.0 + rank as f32).ln() / last_rank;
                self.rows[at] = scaled;
                self.rows[at + 1] = scaled.abs().sqrt().copysign(scaled);
                self.rows[at + 2] = scaled * short;
                self.rows[at + 3] = if value > 0.0 { place } else { 0.0 };
            }
        }
        (&self.candidates, &self.rows)
    }

    /// Fills a short list up to `k` with the most popular titles that are not candidates.
    pub fn pad(&self, bases: &Bases, k: usize, allowed: &dyn Fn(u32) -> bool, list: &mut Vec<Scored>) {
        if list.len() >= k {
            return;
        }
        let lowest = list.last().map_or(0.0, |s| s.score);
        let rest = bases.order.iter().copied();
        let rest = rest.filter(|&item| !self.chosen.contains(item) && allowed(item));
        for (place, item) in rest.take(k - list.len()).enumerate() {
            let score = lowest - 1e-3 * (place + 1) as f32;
            list.push(Scored { item, score });
        }
    }
}

fn fill(signal: Signal, bases: &Bases, history: &[Event], scratch: &mut Scratch, out: &mut [f32]) {
    match signal {
        Signal::Cooccurrence => bases.cooccurrence.score(history, scratch, out),
        Signal::Newest => {
            out.fill(0.0);
            for (event, weight) in history.iter().rev().zip([1.0, 0.4]) {
                let weight = weight * event.weight;
                bases.cooccurrence.add_followers(event.item, weight, out);
            }
        }
        Signal::Ease => bases.ease.score_decayed(history, 1.0, out),
        Signal::EaseRecent => bases.ease.score_decayed(history, RECENT_DECAY, out),
        Signal::Ials => bases.ials.score(history, scratch, out),
        Signal::Content => bases.content.score(history, scratch, out),
        Signal::Popularity => logarithm(bases.popularity.scores(), out),
        Signal::Trending => logarithm(bases.trending.scores(), out),
    }
}

fn logarithm(scores: &[f32], out: &mut [f32]) {
    for (out, score) in out.iter_mut().zip(scores) {
        *out = (1.0 + score).ln();
    }
}
