//! Learning the blend: listwise softmax by Newton's method, deterministic at any number of threads.
//!
//! The loss is ListNet's top-one loss (Cao et al. 2007, "Learning to rank: from pairwise to listwise approach"), which for a linear blend
//! is the conditional logit (McFadden 1974): convex, its second derivative the features' covariance under the list's own shares.

use super::columns::COLUMNS;
use super::features::{Drawing, FEATURES};
use super::forest::List;
use super::{Bases, Ranker, RankerSettings};
use crate::error::Result;
use crate::linalg::{SpdSolver, dot};
use crate::model::{Scratch, mark_seen};
use crate::select::{ItemSet, evenly};
use crate::split::{Case, shuffle};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Cases per unit of parallel work; sums are taken in the order of these units.
const UNIT: usize = 64;

/// One viewer's candidates.
pub(super) struct CandidateList {
    /// Row-major `[candidates × FEATURES]`.
    pub rows: Vec<f32>,
    /// What trees ask about, `[COLUMNS × candidates]`.
    pub columns: Vec<f32>,
    /// Candidates that were targets.
    pub hits: Vec<u32>,
}

/// Calls `keep` with the features of the candidates of every case that has a history and a target among them, in the order of the
/// cases, which are thinned evenly to `cases_max`.
pub(super) fn lists<T: Send>(
    ranker: &Ranker,
    bases: &Bases,
    cases: &[Case],
    cases_max: usize,
    keep: impl Fn(usize, CandidateList) -> T + Sync,
) -> Vec<T> {
    let is_personal = |case: &&Case| case.history.iter().any(|event| event.weight != 0.0);
    let personal: Vec<&Case> = cases.iter().filter(is_personal).collect();
    let thinned: Vec<&Case> = evenly(&personal, cases_max).copied().collect();
    let kept = thinned
        .par_iter()
        .enumerate()
        .map_init(Scratch::default, |scratch, (index, case)| {
            let list = one_list(ranker, bases, case, scratch);
            (!list.hits.is_empty()).then(|| keep(index, list))
        });
    let kept: Vec<Option<T>> = kept.collect();
    kept.into_iter().flatten().collect()
}

fn one_list(ranker: &Ranker, bases: &Bases, case: &Case, scratch: &mut Scratch) -> CandidateList {
    let mut buffers = std::mem::take(&mut scratch.ranking);
    let mut seen = std::mem::take(&mut scratch.seen);
    mark_seen(&mut seen, bases.items(), &case.history, &ItemSet::default());
    let history = ranker.recent(&case.history);
    let allowed = |item: u32| !seen.contains(item);
    let drawing = Drawing {
        quota: ranker.settings.candidates,
        allowed: &allowed,
        also: None,
    };
    buffers.gather(bases, history, &drawing, scratch);
    let (candidates, rows) = buffers.features(bases, history.len());
    let rows = rows.to_vec();
    let candidates = candidates.to_vec();
    let columns = scratch.trees.columns.fill(bases, history, &buffers).to_vec();
    let numbered = candidates.iter().enumerate();
    let hits = numbered
        .filter(|(_, item)| case.targets.contains(item))
        .map(|(index, _)| index as u32)
        .collect();
    scratch.ranking = buffers;
    scratch.seen = seen;
    CandidateList { rows, columns, hits }
}

/// Candidates of a list that trees learn from, besides its hits: the best by the linear blend, and some of the others.
const BEST_KEPT: usize = 60;
const OTHERS_KEPT: usize = 30;

/// What trees learn from: a list thinned to its hits, the best by the weights, and a few others; `index` is the list's own.
pub(super) fn tree_list(list: &CandidateList, weights: &[f32], seed: u64, index: usize) -> List {
    let mut scores: Vec<f32> = list.rows.chunks_exact(FEATURES).map(|row| dot(row, weights)).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(index as u64));
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let mut others = order.split_off(BEST_KEPT.min(order.len()));
    shuffle(&mut others, &mut rng);
    let is_hit = |place: &usize| list.hits.contains(&(*place as u32));
    let (hits, mut others): (Vec<usize>, Vec<usize>) = others.into_iter().partition(is_hit);
    // Each of the others that stay stands for several: it counts in the softmax as often.
    let stands_for = (others.len() as f32 / OTHERS_KEPT as f32).max(1.0).ln();
    others.truncate(OTHERS_KEPT);
    others.iter().for_each(|&place| scores[place] += stands_for);
    order.extend(hits);
    order.extend(others);
    order.sort_unstable();
    let count = scores.len();
    let row = |&place: &usize| (0..COLUMNS).map(move |column| column * count + place);
    List {
        rows: order.iter().flat_map(row).map(|at| list.columns[at]).collect(),
        start: order.iter().map(|&place| scores[place]).collect(),
        hits: (0..order.len() as u32)
            .filter(|&at| is_hit(&order[at as usize]))
            .collect(),
    }
}

/// Loss, gradient and Hessian of a part of the cases.
struct Slope {
    loss: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

impl Slope {
    fn zero() -> Self {
        Self {
            loss: 0.0,
            gradient: vec![0.0; FEATURES],
            hessian: vec![0.0; FEATURES * FEATURES],
        }
    }

    /// Adds −mean over hits of log softmax(hit).
    fn add(&mut self, list: &CandidateList, weights: &[f32], shares: &mut Vec<f32>) {
        softmax(list, weights, shares);
        let hit_share = 1.0 / list.hits.len() as f64;
        let mut centre = [0f32; FEATURES];
        for (row, &share) in list.rows.chunks_exact(FEATURES).zip(shares.iter()) {
            for (sum, x) in centre.iter_mut().zip(row) {
                *sum += share * x;
            }
        }
        for &hit in &list.hits {
            self.loss -= hit_share * f64::from(shares[hit as usize].max(1e-30)).ln();
            let row = &list.rows[hit as usize * FEATURES..][..FEATURES];
            for ((gradient, x), mean) in self.gradient.iter_mut().zip(row).zip(&centre) {
                *gradient -= hit_share * f64::from(x - mean);
            }
        }
        self.add_curvature(list, shares, &centre);
    }

    /// Covariance of the features under the softmax, upper triangle.
    fn add_curvature(&mut self, list: &CandidateList, shares: &[f32], centre: &[f32; FEATURES]) {
        let mut covariance = [0f32; FEATURES * FEATURES];
        let mut centred = [0f32; FEATURES];
        for (row, &share) in list.rows.chunks_exact(FEATURES).zip(shares) {
            if share < 1e-5 {
                continue;
            }
            for ((c, x), mean) in centred.iter_mut().zip(row).zip(centre) {
                *c = x - mean;
            }
            for (a, sums) in covariance.chunks_exact_mut(FEATURES).enumerate() {
                let scaled = share * centred[a];
                for (sum, c) in sums.iter_mut().zip(&centred) {
                    *sum += scaled * c;
                }
            }
        }
        for (sum, c) in self.hessian.iter_mut().zip(&covariance) {
            *sum += f64::from(*c);
        }
    }

    fn merge(mut self, other: &Self) -> Self {
        self.loss += other.loss;
        let pairs = self.gradient.iter_mut().zip(&other.gradient);
        pairs.for_each(|(a, b)| *a += b);
        let pairs = self.hessian.iter_mut().zip(&other.hessian);
        pairs.for_each(|(a, b)| *a += b);
        self
    }
}

fn softmax(list: &CandidateList, weights: &[f32], shares: &mut Vec<f32>) {
    shares.clear();
    let rows = list.rows.chunks_exact(FEATURES);
    shares.extend(rows.map(|row| row.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>()));
    let highest = shares.iter().fold(f32::NEG_INFINITY, |m, &s| m.max(s));
    shares.iter_mut().for_each(|s| *s = (*s - highest).exp());
    let total: f32 = shares.iter().sum();
    shares.iter_mut().for_each(|s| *s /= total);
}

fn slope(lists: &[CandidateList], weights: &[f32]) -> Slope {
    let parts: Vec<Slope> = lists
        .par_chunks(UNIT)
        .map(|unit| {
            let mut slope = Slope::zero();
            let mut shares = Vec::new();
            unit.iter().for_each(|list| slope.add(list, weights, &mut shares));
            slope
        })
        .collect();
    let total = parts.iter().fold(Slope::zero(), Slope::merge);
    let count = lists.len() as f64;
    Slope {
        loss: total.loss / count,
        gradient: total.gradient.iter().map(|g| g / count).collect(),
        hessian: total.hessian.iter().map(|h| h / count).collect(),
    }
}

/// Minimises the mean loss plus a ridge around `start`; a step that does not lower the loss is halved. Without lists
/// the start stays.
pub(super) fn newton(lists: &[CandidateList], start: &[f32], settings: &RankerSettings) -> Result<Vec<f32>> {
    let mut weights = start.to_vec();
    if lists.is_empty() {
        return Ok(weights);
    }
    // The fewer the cases, the closer to the start: a handful of viewers must not decide.
    let ridge = f64::from(settings.regularisation) + 1.0 / lists.len() as f64;
    let penalty = |weights: &[f32]| {
        let squares = weights.iter().zip(start).map(|(w, s)| f64::from(w - s).powi(2));
        0.5 * ridge * squares.sum::<f64>()
    };
    let mut current = slope(lists, &weights);
    for _ in 0..settings.steps_max {
        let loss = current.loss + penalty(&weights);
        let direction = direction(&current, &weights, start, ridge)?;
        let mut step = 1.0f32;
        let improved = loop {
            let pairs = weights.iter().zip(&direction);
            let next: Vec<f32> = pairs.map(|(w, d)| w - step * d).collect();
            let slope = slope(lists, &next);
            if slope.loss + penalty(&next) < loss {
                break Some((next, slope));
            }
            step *= 0.5;
            if step < 0.05 {
                break None;
            }
        };
        let Some((next, slope)) = improved else { break };
        let gained = loss - slope.loss - penalty(&next);
        (weights, current) = (next, slope);
        if gained < 1e-6 {
            break;
        }
    }
    Ok(weights)
}

/// (H + ridge)⁻¹ (g + ridge·(w − start)).
fn direction(slope: &Slope, weights: &[f32], start: &[f32], ridge: f64) -> Result<Vec<f32>> {
    let base: Vec<f32> = slope.hessian.iter().map(|&h| h as f32).collect();
    let mut right: Vec<f32> = (0..FEATURES)
        .map(|f| (slope.gradient[f] + ridge * f64::from(weights[f] - start[f])) as f32)
        .collect();
    let mut solver = SpdSolver::default();
    solver.start(&base, FEATURES);
    solver.solve_for(ridge as f32, &mut right)?;
    Ok(right)
}
