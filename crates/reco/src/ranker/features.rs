//! Signals of the base models, the candidates they propose, and the features of each candidate.

use super::Bases;
use crate::dataset::Event;
use crate::model::{Model, Scratch};
use crate::select::{ItemSet, Scored, best_first, top_k_where};

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

pub(super) const SIGNALS: [Signal; 8] = [
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
pub(super) const KINDS: usize = 4;
const KIND_NAMES: [&str; KINDS] = ["value", "root", "short", "rank"];
/// Features per candidate.
pub const FEATURES: usize = SIGNALS.len() * KINDS;
/// Signals with a score for the whole catalogue; they stand first.
const DENSE: usize = 5;
/// Weight of an event by its age for [`Signal::EaseRecent`].
pub(super) const RECENT_DECAY: f32 = 0.85;
/// Weights of the newest events for [`Signal::Newest`].
pub(super) const NEWEST_WEIGHTS: [f32; 2] = [1.0, 0.4];
/// Expected events of a title, of ten thousand, below which it hardly matters how few.
const OUTLOOK_FLOOR: f32 = 10.0;
/// What popularity of all time counts beside what is watched lately, where nothing is known of the viewer.
const POPULARITY_SHARE: f32 = 1e-3;
/// Titles almost without events that are looked at per ranking, at most: those with the highest indices, which a service
/// gives in the order of addition.
const COLD_MAX: usize = 2_000;

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

/// What is known of every title before any history: computed once per recommender.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Priors {
    popularity: Prior,
    trending: Prior,
    outlook: Prior,
    /// Titles that the other models hardly know.
    cold: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq)]
struct Prior {
    /// Logarithm of the score, scaled to at most one.
    values: Vec<f32>,
    /// Logarithmic place in the order, one for the first.
    places: Vec<f32>,
    /// Titles, best first.
    order: Vec<u32>,
}

impl Priors {
    /// Of the titles the first `trained` were there when the ranker learned: places are counted among these.
    pub fn new([popularity, trending, outlook]: [&[f32]; 3], trained: usize) -> Self {
        let cold = |item: &u32| popularity[*item as usize] < 2.0;
        Self {
            cold: (0..popularity.len() as u32).rev().filter(cold).take(COLD_MAX).collect(),
            popularity: Prior::new(popularity, trained),
            trending: Prior::new(trending, trained),
            outlook: Prior::new(outlook, trained),
        }
    }

    /// Titles by popularity.
    pub fn by_popularity(&self) -> &[u32] {
        &self.popularity.order
    }
}

impl Prior {
    fn new(scores: &[f32], trained: usize) -> Self {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        let score = |item: u32| scores[item as usize];
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
        let mut values: Vec<f32> = scores.iter().map(|s| (1.0 + s).ln()).collect();
        let largest = values.iter().fold(1e-6f32, |m, &v| m.max(v));
        values.iter_mut().for_each(|v| *v /= largest);
        let mut places = vec![0f32; scores.len()];
        for (rank, &item) in order.iter().enumerate() {
            places[item as usize] = place(rank, trained);
        }
        Self { values, places, order }
    }
}

/// 1 for the first, falling with the logarithm of the rank to 0 for the last.
fn place(rank: usize, of: usize) -> f32 {
    (1.0 - (1.0 + rank as f32).ln() / (1.0 + of as f32).ln()).max(0.0)
}

/// Which titles become candidates.
#[derive(Clone, Copy)]
pub(super) struct Drawing<'a> {
    /// From co-occurrence and from EASE; half as many from iALS, a quarter from each other model.
    pub quota: usize,
    pub allowed: &'a dyn Fn(u32) -> bool,
    /// A title that is a candidate whatever the models say of it.
    pub also: Option<u32>,
}

/// Buffers of one ranking, reused.
#[derive(Default)]
pub(crate) struct RankingBuffers {
    /// One dense score per model that proposes from the whole catalogue, `[DENSE][items]`.
    dense: [Vec<f32>; DENSE],
    /// Whether the history says anything.
    personal: bool,
    /// Content score per candidate.
    content: Vec<f32>,
    candidates: Vec<u32>,
    chosen: ItemSet,
    best: Vec<Scored>,
    rows: Vec<f32>,
    values: Vec<f32>,
    keys: Vec<u64>,
    /// ln(1 + rank), as far as was needed.
    logarithms: Vec<f32>,
}

impl RankingBuffers {
    /// Computes the signals and draws the candidates.
    pub(super) fn gather(&mut self, bases: &Bases, history: &[Event], drawing: &Drawing<'_>, scratch: &mut Scratch) {
        let Drawing { quota, allowed, also } = *drawing;
        let items = bases.items();
        let known = |e: &Event| (e.item as usize) < items && e.weight != 0.0;
        self.personal = history.iter().any(known);
        self.candidates.clear();
        self.content.clear();
        self.chosen.reset(items);
        if !self.personal {
            self.propose_prior(&bases.priors.outlook, quota, allowed);
            self.propose_prior(&bases.priors.popularity, quota, allowed);
            also.into_iter().for_each(|item| self.propose(item));
            return;
        }
        self.fill_dense(bases, history, scratch);
        for (signal, share) in [(0, quota), (1, quota / 4), (2, quota), (3, quota / 2), (4, quota / 2)] {
            let mut best = std::mem::take(&mut self.best);
            top_k_where(&self.dense[signal], share, allowed, &mut best);
            let positive = best.iter().filter(|s| s.score > 0.0);
            positive.for_each(|s| self.propose(s.item));
            self.best = best;
        }
        self.propose_prior(&bases.priors.popularity, quota / 4, allowed);
        self.propose_prior(&bases.priors.trending, quota / 4, allowed);
        also.into_iter().for_each(|item| self.propose(item));
        if bases.content.fold_in(history, scratch) {
            self.propose_cold(bases, quota / 8, allowed, &scratch.vector);
            let dots = self.candidates.iter();
            self.content
                .extend(dots.map(|&item| bases.content.dot(item, &scratch.vector)));
        }
    }

    fn fill_dense(&mut self, bases: &Bases, history: &[Event], scratch: &mut Scratch) {
        let items = bases.items();
        self.dense.iter_mut().for_each(|d| d.resize(items, 0.0));
        let [cooccurrence, newest, ease, ease_recent, ials] = &mut self.dense;
        bases.cooccurrence.score(history, scratch, cooccurrence);
        newest.fill(0.0);
        for (event, weight) in history.iter().rev().zip(NEWEST_WEIGHTS) {
            let weight = weight * event.weight;
            bases.cooccurrence.add_followers(event.item, weight, newest);
        }
        bases.ease.score_twice(history, RECENT_DECAY, ease, ease_recent);
        // Titles that came after training have no vector.
        let (trained, placed) = ials.split_at_mut(bases.ials.items());
        bases.ials.score(history, scratch, trained);
        placed.fill(0.0);
    }

    fn propose(&mut self, item: u32) {
        if !self.chosen.contains(item) {
            self.chosen.insert(item);
            self.candidates.push(item);
        }
    }

    fn propose_prior(&mut self, prior: &Prior, share: usize, allowed: &dyn Fn(u32) -> bool) {
        let useful = prior.order.iter().take_while(|&&i| prior.values[i as usize] > 0.0);
        for &item in useful.filter(|&&i| allowed(i)).take(share) {
            self.propose(item);
        }
    }

    /// The titles nobody has seen that fit the viewer best by content.
    fn propose_cold(&mut self, bases: &Bases, share: usize, allowed: &dyn Fn(u32) -> bool, viewer: &[f32]) {
        let cold = bases.priors.cold.iter().filter(|&&item| allowed(item));
        let mut best = std::mem::take(&mut self.best);
        best.clear();
        best.extend(cold.map(|&item| Scored {
            item,
            score: bases.content.dot(item, viewer),
        }));
        best.retain(|s| s.score > 0.0);
        if best.len() > share && share > 0 {
            best.select_nth_unstable_by(share - 1, best_first);
        }
        best.truncate(share);
        best.sort_unstable_by(best_first);
        best.iter().for_each(|s| self.propose(s.item));
        self.best = best;
    }

    /// The candidates and their features, row-major `[candidates × FEATURES]`.
    pub fn features(&mut self, bases: &Bases, history_len: usize) -> (&[u32], &[f32]) {
        self.rows.clear();
        self.rows.resize(self.candidates.len() * FEATURES, 0.0);
        let short = 1.0 / (1.0 + history_len as f32 / 5.0);
        if self.personal {
            for signal in 0..DENSE {
                self.values.clear();
                let scores = &self.dense[signal];
                let values = self.candidates.iter().map(|&item| scores[item as usize]);
                self.values.extend(values);
                self.write(signal, short);
            }
            if self.content.len() == self.candidates.len() {
                self.values.clone_from(&self.content);
                self.write(DENSE, short);
            }
        }
        let priors = [&bases.priors.popularity, &bases.priors.trending];
        for (index, prior) in priors.into_iter().enumerate() {
            let at = (DENSE + 1 + index) * KINDS;
            let rows = self.rows.chunks_exact_mut(FEATURES);
            for (row, &item) in rows.zip(&self.candidates) {
                let value = prior.values[item as usize];
                let last = if value > 0.0 { prior.places[item as usize] } else { 0.0 };
                row[at..at + KINDS].copy_from_slice(&[value, value.sqrt(), value * short, last]);
            }
        }
        (&self.candidates, &self.rows)
    }

    /// Whether the history said anything.
    pub fn is_personal(&self) -> bool {
        self.personal
    }

    /// What is added to the scores of the candidates for what is going to be watched, whoever watches.
    pub fn outlook<'a>(&'a self, bases: &'a Bases) -> impl Iterator<Item = f32> + 'a {
        let expected = self.candidates.iter().map(|&item| bases.outlook.expected(item));
        expected.map(|score| bases.outlook.weight() * (score + OUTLOOK_FLOOR).ln())
    }

    /// Scores of the candidates for whoever it may be: what is watched lately, and of what hardly is the more popular first.
    pub fn impersonal<'a>(&'a self, bases: &'a Bases) -> impl Iterator<Item = f32> + 'a {
        let (outlook, popularity) = (&bases.priors.outlook.values, &bases.priors.popularity.values);
        let items = self.candidates.iter().map(|&item| item as usize);
        items.map(|item| outlook[item] + POPULARITY_SHARE * popularity[item])
    }

    /// The candidates and their features as [`Self::features`] left them.
    pub fn gathered(&self) -> (&[u32], &[f32]) {
        (&self.candidates, &self.rows)
    }

    /// Where a title stands among the candidates.
    pub fn place_of(&self, item: u32) -> Option<usize> {
        self.candidates.iter().position(|&candidate| candidate == item)
    }

    /// Features of the candidate at `place`, shape `[FEATURES]`.
    pub fn row(&self, place: usize) -> &[f32] {
        &self.rows[place * FEATURES..][..FEATURES]
    }

    /// Features of the mean candidate; zeros where there are no candidates.
    pub fn mean_row(&self) -> [f32; FEATURES] {
        let mut mean = [0f32; FEATURES];
        for row in self.rows.chunks_exact(FEATURES) {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let count = self.candidates.len().max(1) as f32;
        mean.map(|sum| sum / count)
    }

    /// A signal as its model gave it, one value per candidate.
    pub fn raw(&self, signal: usize, bases: &Bases, out: &mut [f32]) {
        let values: &[f32] = match signal {
            _ if signal < DENSE && self.personal => &self.dense[signal],
            DENSE if self.content.len() == out.len() => return out.copy_from_slice(&self.content),
            _ if signal == DENSE + 1 => bases.popularity.scores(),
            _ if signal == DENSE + 2 => bases.trending.scores(),
            _ => return,
        };
        for (value, &item) in out.iter_mut().zip(&self.candidates) {
            *value = values[item as usize];
        }
    }

    /// Writes the block of one signal from `values`, one value per candidate.
    fn write(&mut self, signal: usize, short: f32) {
        let largest = self.values.iter().fold(0f32, |m, v| m.max(v.abs()));
        if largest <= 0.0 {
            return;
        }
        self.keys.clear();
        for (row, &value) in self.values.iter().enumerate() {
            let scaled = value / largest;
            let at = row * FEATURES + signal * KINDS;
            self.rows[at] = scaled;
            self.rows[at + 1] = scaled.abs().sqrt().copysign(scaled);
            self.rows[at + 2] = scaled * short;
            if value > 0.0 {
                // Bits of positive floats are ordered like the floats: one integer sorts by value, then by row.
                let key = u64::from(!value.to_bits()) << 32 | row as u64;
                self.keys.push(key);
            }
        }
        self.keys.sort_unstable();
        for rank in self.logarithms.len()..=self.candidates.len() {
            self.logarithms.push((1.0 + rank as f32).ln());
        }
        let scale = 1.0 / self.logarithms[self.candidates.len()];
        for (&key, logarithm) in self.keys.iter().zip(&self.logarithms) {
            let row = (key & u64::from(u32::MAX)) as usize;
            self.rows[row * FEATURES + signal * KINDS + 3] = 1.0 - logarithm * scale;
        }
    }

    /// Fills a short list up to `k` with the most popular titles that are not candidates.
    pub fn pad(&self, bases: &Bases, k: usize, allowed: &dyn Fn(u32) -> bool, list: &mut Vec<Scored>) {
        if list.len() >= k {
            return;
        }
        let lowest = list.last().map_or(0.0, |s| s.score);
        let rest = bases.priors.by_popularity().iter().copied();
        let rest = rest.filter(|&item| !self.chosen.contains(item) && allowed(item));
        for (place, item) in rest.take(k - list.len()).enumerate() {
            let score = lowest - 1e-3 * (place + 1) as f32;
            list.push(Scored { item, score });
        }
    }
}
