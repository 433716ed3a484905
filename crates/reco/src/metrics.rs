//! Ranking metrics with bootstrap confidence intervals.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Found targets among the first `k`, divided by min(k, number of targets).
pub fn recall_at(ranked: &[u32], targets: &[u32], k: usize) -> f32 {
    let possible = k.min(targets.len());
    if possible == 0 {
        return 0.0;
    }
    hits(ranked, targets, k) as f32 / possible as f32
}

/// 1 where at least one target is among the first `k`.
pub fn hit_rate_at(ranked: &[u32], targets: &[u32], k: usize) -> f32 {
    f32::from(u8::from(hits(ranked, targets, k) > 0))
}

/// Normalised discounted cumulative gain: Σ 1/log₂(rank + 2) over found targets, rank from 0, divided by the best
/// possible value.
pub fn ndcg_at(ranked: &[u32], targets: &[u32], k: usize) -> f32 {
    let discount = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
    let ideal: f64 = (0..k.min(targets.len())).map(discount).sum();
    if ideal == 0.0 {
        return 0.0;
    }
    let ranks = ranked.iter().take(k).enumerate();
    let gain: f64 = ranks
        .filter(|(_, item)| targets.contains(item))
        .map(|(rank, _)| discount(rank))
        .sum();
    (gain / ideal) as f32
}

fn hits(ranked: &[u32], targets: &[u32], k: usize) -> usize {
    let first = ranked.iter().take(k);
    first.filter(|item| targets.contains(item)).count()
}

/// Share of the catalogue that appears among anybody's first `k`.
pub fn coverage_at<'a>(rankings: impl IntoIterator<Item = &'a [u32]>, items: usize, k: usize) -> f32 {
    let mut shown = crate::ItemSet::new(items);
    for ranked in rankings {
        ranked.iter().take(k).for_each(|&item| shown.insert(item));
    }
    shown.len() as f32 / items.max(1) as f32
}

/// Arithmetic mean in f64; zero for an empty list.
pub fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len().max(1) as f64
}

/// 95 % percentile-bootstrap interval of the mean over cases, `resamples` draws with replacement. Each resample has
/// its own stream of the seed, so the result does not depend on threads.
pub fn bootstrap_interval(values: &[f32], resamples: usize, seed: u64) -> (f64, f64) {
    if values.is_empty() || resamples == 0 {
        return (0.0, 0.0);
    }
    let mut means: Vec<f64> = (0..resamples as u64)
        .into_par_iter()
        .map(|resample| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(resample);
            let draws = (0..values.len()).map(|_| values[rng.random_range(0..values.len())]);
            draws.map(f64::from).sum::<f64>() / values.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[((means.len() - 1) as f64 * share).round() as usize];
    (at(0.025), at(0.975))
}
