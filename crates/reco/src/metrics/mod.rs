//! Measures of rankings: what they find ([`recall_at`], [`ndcg_at`], [`hit_rate_at`]), what they show ([`coverage_at`],
//! [`gini`], [`novelty_at`], [`miscalibration`], [`diversity_at`]), and how sure a difference is ([`bootstrap_interval`],
//! [`sign_flip_test`]).
//!
//! Rankings are dense title indices, best first. Everything random has a seed and gives the same at any number of threads.

mod accuracy;
mod inference;
mod lists;

pub use accuracy::{hit_rate_at, ndcg_at, recall_at};
pub use inference::{bootstrap_interval, sign_flip_test};
pub use lists::{coverage_at, diversity_at, exposure_at, gini, information_of, miscalibration, mix_of, novelty_at};

/// Arithmetic mean in f64; zero for an empty list.
pub fn mean(values: &[f32]) -> f64 {
    values.iter().fold(0.0, |sum, &v| sum + f64::from(v)) / values.len().max(1) as f64
}
