//! Off-policy estimates: what another policy would have earned, from a log of what was shown, with which probability, and what came
//! of it.
//!
//! | estimator | source | bias | variance |
//! |---|---|---|---|
//! | inverse propensity (IPS) | Horvitz & Thompson 1952; Li, Chu, Langford & Wang 2011 | none while nothing is clipped | largest |
//! | self-normalised (SNIPS) | Swaminathan & Joachims 2015 | vanishes with the log's length | smaller; unmoved by a constant added to rewards |
//! | doubly robust (DR) | Dudík, Langford & Li 2011 | none where propensities *or* predictions are right | smallest with good predictions |
//!
//! Weights above a stated bound are clipped to it (Ionides 2008, "Truncated importance sampling"): that makes IPS and DR smaller than
//! the truth by what was cut off, so [`Estimate::clipped`] says how many were. Intervals are of the normal approximation over
//! *viewers*: decisions of one viewer are summed before they are squared, since they are not independent.
//!
//! A policy can only be judged on what the log could have shown: where it would show what had no chance, nothing here can know, and
//! [`Estimate::covered`], the mean weight, is clearly below one.

use serde::{Deserialize, Serialize};

use crate::error::{RecoError, Result};

/// Two-sided 95 % of the normal distribution.
const QUANTILE: f64 = 1.959_964;

/// One logged choice of one title.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Whose it was.
    pub viewer: u64,
    /// What came of it: 1 played, 0 not, or any finite number.
    pub reward: f64,
    /// Probability with which the policy that served chose this title here; above 0, at most 1.
    pub logged: f64,
    /// Probability with which the policy to judge would have; 0 to 1.
    pub target: f64,
    /// What a reward model predicts for this title; used by [`doubly_robust`] alone.
    pub predicted: f64,
    /// What it predicts on the average of the titles that the policy to judge would choose here; used by [`doubly_robust`] alone.
    pub expected: f64,
}

/// The mean reward of a decision under the policy to judge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Its estimate.
    pub value: f64,
    /// 95 % interval of the value.
    pub interval: (f64, f64),
    /// The value less the mean reward of the policy that served, over the same decisions.
    pub lift: f64,
    /// 95 % interval of the lift.
    pub lift_interval: (f64, f64),
    /// Decisions of the log.
    pub decisions: usize,
    /// Viewers of the log.
    pub viewers: usize,
    /// Kish's effective number of decisions, (Σw)²/Σw²: how many of the policy's own would say as much.
    pub effective: f64,
    /// Mean weight: about 1 where the log covers what the policy does.
    pub covered: f64,
    /// Weights that were cut to the bound.
    pub clipped: usize,
}

/// Inverse propensity scoring, weights at most `weight_max`: V = 1/n Σ wᵢrᵢ.
pub fn ips(log: &[Decision], weight_max: f64) -> Result<Estimate> {
    let weighed = Weighed::read(log, weight_max)?;
    let terms: Vec<f64> = weighed
        .pairs()
        .map(|(decision, weight)| weight * decision.reward)
        .collect();
    let value = average(&terms);
    Ok(weighed.estimate(value, |at| terms[at] - value))
}

/// Self-normalised IPS, weights at most `weight_max`: V = Σ wᵢrᵢ / Σ wᵢ. Its interval is that of a ratio (delta method).
/// Refuses a log that the policy has no weight on.
pub fn self_normalised(log: &[Decision], weight_max: f64) -> Result<Estimate> {
    let weighed = Weighed::read(log, weight_max)?;
    let total: f64 = weighed.weights.iter().sum();
    if total <= 0.0 {
        return Err(RecoError::Data(
            "the policy would have shown nothing of what this log holds".into(),
        ));
    }
    let earned: f64 = weighed.pairs().map(|(decision, weight)| weight * decision.reward).sum();
    let value = earned / total;
    let mean_weight = total / log.len() as f64;
    Ok(weighed.estimate(value, |at| weighed.weights[at] * (log[at].reward - value) / mean_weight))
}

/// Doubly robust, weights at most `weight_max`: V = 1/n Σ (expectedᵢ + wᵢ(rᵢ − predictedᵢ)). The predictions must not have been
/// learned from these rewards.
pub fn doubly_robust(log: &[Decision], weight_max: f64) -> Result<Estimate> {
    if let Some(bad) = log
        .iter()
        .find(|it| !it.predicted.is_finite() || !it.expected.is_finite())
    {
        return Err(RecoError::Data(format!(
            "predictions {} and {}",
            bad.predicted, bad.expected
        )));
    }
    let weighed = Weighed::read(log, weight_max)?;
    let term = |(it, weight): (&Decision, f64)| it.expected + weight * (it.reward - it.predicted);
    let terms: Vec<f64> = weighed.pairs().map(term).collect();
    let value = average(&terms);
    Ok(weighed.estimate(value, |at| terms[at] - value))
}

/// A log with its weights.
struct Weighed<'a> {
    log: &'a [Decision],
    weights: Vec<f64>,
    clipped: usize,
}

impl<'a> Weighed<'a> {
    fn read(log: &'a [Decision], weight_max: f64) -> Result<Self> {
        if log.is_empty() {
            return Err(RecoError::Data("an empty log says nothing".into()));
        }
        if weight_max.is_nan() || weight_max < 1.0 {
            return Err(RecoError::Config(format!(
                "weights are clipped at {weight_max}; at least 1"
            )));
        }
        let sound = |it: &&Decision| {
            let logged = it.logged > 0.0 && it.logged <= 1.0;
            let target = (0.0..=1.0).contains(&it.target);
            !(logged && target && it.reward.is_finite())
        };
        if let Some(bad) = log.iter().find(sound) {
            return Err(RecoError::Data(format!(
                "a decision with propensities {} and {} and reward {}",
                bad.logged, bad.target, bad.reward
            )));
        }
        let full = log.iter().map(|it| it.target / it.logged);
        let clipped = full.clone().filter(|weight| *weight > weight_max).count();
        let weights = full.map(|weight| weight.min(weight_max)).collect();
        Ok(Self { log, weights, clipped })
    }

    fn pairs(&self) -> impl Iterator<Item = (&Decision, f64)> {
        self.log.iter().zip(self.weights.iter().copied())
    }

    /// `influence(i)`: how far decision i moves the value, times their number; they sum to zero.
    fn estimate(&self, value: f64, influence: impl Fn(usize) -> f64) -> Estimate {
        let served = self.log.iter().map(|it| it.reward).sum::<f64>() / self.log.len() as f64;
        let (error, viewers) = self.error(&influence);
        let (lift_error, _) = self.error(&|at| influence(at) - (self.log[at].reward - served));
        let lift = value - served;
        let (sum, squares) = self
            .weights
            .iter()
            .fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
        let around = |middle: f64, error: f64| (middle - QUANTILE * error, middle + QUANTILE * error);
        Estimate {
            value,
            interval: around(value, error),
            lift,
            lift_interval: around(lift, lift_error),
            decisions: self.log.len(),
            viewers,
            effective: if squares > 0.0 { sum * sum / squares } else { 0.0 },
            covered: sum / self.log.len() as f64,
            clipped: self.clipped,
        }
    }

    /// Standard error with viewers as clusters, and how many they are.
    fn error(&self, influence: &impl Fn(usize) -> f64) -> (f64, usize) {
        let mut order: Vec<usize> = (0..self.log.len()).collect();
        order.sort_by_key(|at| self.log[*at].viewer);
        let clusters = order.chunk_by(|a, b| self.log[*a].viewer == self.log[*b].viewer);
        let (mut squares, mut viewers) = (0.0, 0usize);
        for cluster in clusters {
            let sum: f64 = cluster.iter().map(|at| influence(*at)).sum();
            squares += sum * sum;
            viewers += 1;
        }
        let few = viewers as f64 / (viewers.max(2) - 1) as f64;
        ((squares * few).sqrt() / self.log.len() as f64, viewers)
    }
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decision(viewer: u64, reward: f64, logged: f64, target: f64) -> Decision {
        Decision {
            viewer,
            reward,
            logged,
            target,
            predicted: 0.0,
            expected: 0.0,
        }
    }

    #[test]
    fn three_estimates_by_hand() {
        let mut log = [
            decision(1, 1.0, 0.5, 1.0),
            decision(2, 0.0, 0.25, 0.5),
            decision(3, 1.0, 0.5, 0.0),
            decision(4, 1.0, 1.0, 0.5),
        ];
        // Weights 2, 2, 0, 0.5.
        let found = ips(&log, 10.0).unwrap();
        assert!((found.value - 2.5 / 4.0).abs() < 1e-12);
        assert!((found.lift - (2.5 / 4.0 - 0.75)).abs() < 1e-12);
        assert!((found.covered - 4.5 / 4.0).abs() < 1e-12);
        assert!((found.effective - 4.5 * 4.5 / 8.25).abs() < 1e-12);
        assert_eq!((found.decisions, found.viewers, found.clipped), (4, 4, 0));
        // Terms 2, 0, 0, 0.5 around 0.625; over n − 1, over n.
        let spread: f64 = [2.0, 0.0, 0.0, 0.5f64].iter().map(|term| (term - 0.625).powi(2)).sum();
        let half = QUANTILE * (spread / 3.0 / 4.0).sqrt();
        assert!((found.interval.1 - found.value - half).abs() < 1e-9);
        let normalised = self_normalised(&log, 10.0).unwrap();
        assert!((normalised.value - 2.5 / 4.5).abs() < 1e-12);
        for it in &mut log {
            (it.predicted, it.expected) = (0.5, 0.6);
        }
        let doubly = doubly_robust(&log, 10.0).unwrap();
        assert!((doubly.value - (0.6 + (2.0 * 0.5 - 2.0 * 0.5 + 0.5 * 0.5) / 4.0)).abs() < 1e-12);
    }

    #[test]
    fn what_is_clipped_is_counted_and_makes_less() {
        let log = [decision(1, 1.0, 0.01, 1.0), decision(2, 1.0, 1.0, 1.0)];
        let (cut, whole) = (ips(&log, 20.0).unwrap(), ips(&log, 1_000.0).unwrap());
        assert_eq!((cut.clipped, whole.clipped), (1, 0));
        assert!((cut.value - 10.5).abs() < 1e-9 && (whole.value - 50.5).abs() < 1e-9);
    }

    #[test]
    fn decisions_of_one_viewer_count_as_one_observation() {
        let many: Vec<Decision> = (0..40)
            .map(|n| decision(n, f64::from(n as u32 % 2), 0.5, 0.5))
            .collect();
        let repeated: Vec<Decision> = many.iter().flat_map(|it| [*it; 5]).collect();
        let (once, again) = (ips(&many, 10.0).unwrap(), ips(&repeated, 10.0).unwrap());
        assert_eq!((once.viewers, again.viewers, again.decisions), (40, 40, 200));
        assert!(
            (once.interval.0 - again.interval.0).abs() < 1e-12,
            "five copies of a viewer say nothing new"
        );
    }

    #[test]
    fn logs_that_cannot_be_are_refused() {
        let sound = decision(1, 1.0, 0.5, 0.5);
        assert!(ips(&[], 10.0).is_err());
        assert!(ips(&[sound], 0.5).is_err());
        for bad in [
            decision(1, 1.0, 0.0, 0.5),
            decision(1, 1.0, 1.2, 0.5),
            decision(1, f64::NAN, 0.5, 0.5),
            decision(1, 1.0, 0.5, -0.1),
            decision(1, 1.0, f64::NAN, 0.5),
        ] {
            assert!(ips(&[sound, bad], 10.0).is_err(), "{bad:?}");
        }
        assert!(self_normalised(&[decision(1, 1.0, 0.5, 0.0)], 10.0).is_err());
        assert!(
            doubly_robust(
                &[Decision {
                    predicted: f64::NAN,
                    ..sound
                }],
                10.0
            )
            .is_err()
        );
    }

    proptest! {
        /// The policy that served is estimated as what it earned, without any lift, by all three; and SNIPS moves with a constant.
        #[test]
        fn the_policy_that_served_earns_what_it_earned(
            rows in prop::collection::vec((0u64..20, 0.0f64..1.0, 0.05f64..1.0), 2..60), shift in -5.0f64..5.0
        ) {
            let log: Vec<Decision> = rows.iter().map(|(viewer, reward, p)| decision(*viewer, *reward, *p, *p)).collect();
            let mean = average(&log.iter().map(|it| it.reward).collect::<Vec<_>>());
            for found in [ips(&log, 50.0).unwrap(), self_normalised(&log, 50.0).unwrap(), doubly_robust(&log, 50.0).unwrap()] {
                prop_assert!((found.value - mean).abs() < 1e-9);
                prop_assert!(found.lift.abs() < 1e-9 && found.lift_interval.1 - found.lift_interval.0 < 1e-9);
                prop_assert!((found.covered - 1.0).abs() < 1e-12);
            }
            let half: Vec<Decision> = log.iter().map(|it| Decision { target: it.logged * it.reward, ..*it }).collect();
            let moved: Vec<Decision> = half.iter().map(|it| Decision { reward: it.reward + shift, ..*it }).collect();
            let pair = (self_normalised(&half, 50.0), self_normalised(&moved, 50.0));
            let (Ok(before), Ok(after)) = pair else { return Ok(()) };
            prop_assert!((after.value - before.value - shift).abs() < 1e-9);
        }
    }
}
