//! How sure a mean or a difference is.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Random signs per unit of parallel work; each unit has its own stream of the seed.
const UNIT: usize = 250;

/// 95 % percentile-bootstrap interval of the mean over cases (Efron 1979), `resamples` draws with replacement. Each resample
/// has its own stream of the seed, so the result does not depend on threads.
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

/// Two-sided p-value of the paired randomisation test: were the two models equal, each viewer's difference might as well have
/// the other sign (Fisher 1935; Smucker, Allan & Carterette, "A comparison of statistical significance tests for information
/// retrieval evaluation", CIKM 2007). The share of random signs whose mean is at least as far from zero, the given ones
/// counted among them: never below 1 / (flips + 1). 1 for no differences.
pub fn sign_flip_test(differences: &[f32], flips: usize, seed: u64) -> f64 {
    // Equal viewers stay equal under any sign.
    let moved: Vec<f64> = differences
        .iter()
        .map(|&d| f64::from(d))
        .filter(|d| *d != 0.0)
        .collect();
    let observed = moved.iter().sum::<f64>().abs();
    // Sums of the same terms in another order differ in their last digits.
    let enough = observed - 1e-9 * moved.iter().map(|d| d.abs()).sum::<f64>();
    let as_far: usize = (0..flips.div_ceil(UNIT))
        .into_par_iter()
        .map(|unit| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(unit as u64);
            let drawn = (0..UNIT.min(flips - unit * UNIT)).map(|_| flipped_sum(&moved, &mut rng));
            drawn.filter(|sum| sum.abs() >= enough).count()
        })
        .sum();
    (as_far + 1) as f64 / (flips + 1) as f64
}

/// The sum under random signs, 64 of them from each word.
fn flipped_sum(differences: &[f64], rng: &mut ChaCha8Rng) -> f64 {
    let mut sum = 0.0;
    for part in differences.chunks(64) {
        let signs = rng.next_u64();
        for (place, difference) in part.iter().enumerate() {
            sum += if (signs >> place) & 1 == 1 {
                *difference
            } else {
                -difference
            };
        }
    }
    sum
}
