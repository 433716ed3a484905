//! A/B: a test of two means that may be read after every viewer, as often as one likes.
//!
//! A fixed-sample test that is read again and again finds a difference sooner or later where there is none. The mixture sequential
//! probability ratio test bounds the chance that it *ever* does (Robbins 1970; Johari, Koomen, Pekelis & Walsh 2017, "Peeking at A/B
//! tests"; the interval is the confidence sequence of the same martingale, Howard, Ramdas, McAuliffe & Sekhon 2021, "Time-uniform,
//! nonparametric, nonasymptotic confidence sequences").
//!
//! With θ̂ the difference of the arms' means, V its estimated variance, v = s²/V the effective number of viewers (s² the mean of the
//! arms' variances; n_a·n_b / (n_a + n_b) where they agree) and z² = θ̂²/V, the likelihood ratio mixed over effects of N(0, s²/ρ) is
//!
//! ```text
//! Λ = sqrt(ρ / (v + ρ)) · exp(z² v / (2 (v + ρ)))        p = min(1, 1/Λ)
//! |θ̂ − θ| < sqrt(V · (v + ρ)/v · ln((v + ρ) / (ρ α²)))   with probability 1 − α for all v at once
//! ```
//!
//! Successive θ̂ have the joint distribution of a Brownian motion at the times 1/V, however many viewers each arm has (Jennison &
//! Turnbull 2000, chapter 3), which is what the ratio needs. The variances are estimated, so the bound is asymptotic (Waudby-Smith,
//! Arbour, Sinha, Kennedy & Ramdas 2024, "Time-uniform central limit theory and asymptotic confidence sequences"): nothing is said
//! before [`VIEWERS_MIN`] viewers of each arm. Metrics are to be bounded (count a viewer's plays up to a limit).

use serde::{Deserialize, Serialize};

/// Viewers that each arm needs before anything is said.
pub const VIEWERS_MIN: u64 = 50;

/// ρ of the mixture, in effective viewers. The interval is narrowest where v ≈ 7.9 ρ (Howard et al. 2021, section 3.5, at α = .05):
/// at v = 500, which is a thousand viewers in each arm. It is valid at any other size.
const RHO: f64 = 63.0;

/// One metric over the viewers of one arm: all that the test needs, so results are sums and can be added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Viewers.
    pub count: u64,
    /// Sum of their values.
    pub sum: f64,
    /// Sum of the squares of their values.
    pub squares: f64,
}

impl Moments {
    /// Adds one viewer's value.
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.squares += value * value;
    }

    /// Mean over viewers; zero without any.
    pub fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }

    /// Unbiased variance over viewers; zero for fewer than two.
    pub fn variance(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        let count = self.count as f64;
        ((self.squares - self.sum * self.sum / count) / (count - 1.0)).max(0.0)
    }
}

/// Treatment less control.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Difference of the means.
    pub value: f64,
    /// Interval that holds the true difference at every reading at once, with probability 1 − α.
    pub interval: (f64, f64),
    /// Always-valid p-value: below α at any reading with probability α at most where there is no difference.
    pub p_value: f64,
}

/// The difference of two arms' means with its interval at level 1 − `alpha`. Absent while an arm has fewer than [`VIEWERS_MIN`]
/// viewers, or where no value has differed yet.
pub fn difference(control: &Moments, treatment: &Moments, alpha: f64) -> Option<Difference> {
    if control.count.min(treatment.count) < VIEWERS_MIN {
        return None;
    }
    let (before, after) = (control.variance(), treatment.variance());
    let variance = before / control.count as f64 + after / treatment.count as f64;
    if variance <= 0.0 || !variance.is_finite() {
        return None;
    }
    let effective = (before + after) / 2.0 / variance;
    let value = treatment.mean() - control.mean();
    let spread = (effective + RHO) / RHO;
    let half = (variance * (effective + RHO) / effective * (spread / (alpha * alpha)).ln()).sqrt();
    let log_ratio = value * value / variance * effective / (2.0 * (effective + RHO)) - 0.5 * spread.ln();
    Some(Difference {
        value,
        interval: (value - half, value + half),
        p_value: (-log_ratio).exp().min(1.0),
    })
}

/// What of a metric is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Plays, finished titles, good ratings.
    HigherIsBetter,
    /// Dislikes.
    LowerIsBetter,
}

/// What an experiment says so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Too few viewers to say anything.
    TooEarly,
    /// The interval holds zero.
    Undecided,
    /// The treatment is better, and no guard is broken.
    Better,
    /// The treatment is worse.
    Worse,
    /// A guard metric got worse, whatever the metric says.
    Harmful,
}

/// Judges the metric and the guards, each with its direction. Give the guards' differences at `alpha` divided by their number, so that
/// all of them together raise a false alarm with probability `alpha` at most.
pub fn verdict(metric: (Option<Difference>, Direction), guards: &[(Option<Difference>, Direction)]) -> Verdict {
    if guards.iter().any(|guard| side(*guard) == Some(false)) {
        return Verdict::Harmful;
    }
    match (metric.0, side(metric)) {
        (None, _) => Verdict::TooEarly,
        (_, Some(true)) => Verdict::Better,
        (_, Some(false)) => Verdict::Worse,
        (_, None) => Verdict::Undecided,
    }
}

/// Whether it got better; absent while the interval holds zero.
fn side((difference, direction): (Option<Difference>, Direction)) -> Option<bool> {
    let (low, high) = difference?.interval;
    let rose = if low > 0.0 {
        true
    } else if high < 0.0 {
        false
    } else {
        return None;
    };
    Some(rose == (direction == Direction::HigherIsBetter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moments(values: impl IntoIterator<Item = f64>) -> Moments {
        let mut moments = Moments::default();
        values.into_iter().for_each(|value| moments.push(value));
        moments
    }

    /// `count` viewers of whom `ones` have 1, the others 0.
    fn share(ones: u64, count: u64) -> Moments {
        moments((0..count).map(|n| f64::from(u8::from(n < ones))))
    }

    #[test]
    fn sums_give_mean_and_variance() {
        let known = moments([1.0, 2.0, 3.0, 6.0]);
        assert_eq!((known.count, known.mean()), (4, 3.0));
        assert!((known.variance() - 14.0 / 3.0).abs() < 1e-12);
        assert_eq!((Moments::default().mean(), share(1, 1).variance()), (0.0, 0.0));
    }

    #[test]
    fn the_interval_agrees_with_the_formula_by_hand() {
        // 1,000 viewers each, 200 against 300: variances .16016 and .21021, V = .00037037, v = 500.
        let found = difference(&share(200, 1_000), &share(300, 1_000), 0.05).unwrap();
        assert!((found.value - 0.1).abs() < 1e-12);
        let variance = (0.16 + 0.21) / 999.0;
        let by_hand = (variance * 563.0 / 500.0 * (563.0f64 / (63.0 * 0.0025)).ln()).sqrt();
        assert!((found.interval.1 - found.value - by_hand).abs() < 1e-9);
        let ratio = (63.0f64 / 563.0).sqrt() * (0.01 / variance * 500.0 / (2.0 * 563.0)).exp();
        assert!((found.p_value - 1.0 / ratio).abs() < 1e-9, "{}", found.p_value);
    }

    #[test]
    fn nothing_is_said_too_early_or_where_nothing_differs() {
        assert_eq!(difference(&share(10, VIEWERS_MIN - 1), &share(10, 500), 0.05), None);
        assert_eq!(difference(&share(0, 500), &share(0, 500), 0.05), None);
        assert!(difference(&share(10, VIEWERS_MIN), &share(10, 500), 0.05).is_some());
    }

    #[test]
    fn a_verdict_looks_at_guards_first() {
        let better = difference(&share(200, 1_000), &share(300, 1_000), 0.05);
        let worse = difference(&share(300, 1_000), &share(200, 1_000), 0.05);
        let equal = difference(&share(300, 1_000), &share(301, 1_000), 0.05);
        let (up, down) = (Direction::HigherIsBetter, Direction::LowerIsBetter);
        assert_eq!(verdict((better, up), &[]), Verdict::Better);
        assert_eq!(verdict((better, up), &[(equal, up), (worse, down)]), Verdict::Better);
        assert_eq!(
            verdict((better, up), &[(better, down)]),
            Verdict::Harmful,
            "more dislikes"
        );
        assert_eq!(verdict((better, up), &[(worse, up)]), Verdict::Harmful);
        assert_eq!(verdict((worse, up), &[]), Verdict::Worse);
        assert_eq!(verdict((worse, down), &[]), Verdict::Better);
        assert_eq!(verdict((equal, up), &[]), Verdict::Undecided);
        assert_eq!(verdict((None, up), &[(None, down)]), Verdict::TooEarly);
    }

    proptest! {
        /// The p-value is below alpha exactly where the interval leaves zero out; exchanging the arms mirrors all; more of the same
        /// viewers narrow it.
        #[test]
        fn interval_and_p_value_say_the_same(a in 0u64..300, b in 0u64..300, alpha in 0.001f64..0.3) {
            let (one, other) = (share(a, 300), share(b, 300));
            let Some(found) = difference(&one, &other, alpha) else {
                prop_assert_eq!((one.variance(), other.variance()), (0.0, 0.0));
                return Ok(());
            };
            let excludes = found.interval.0 > 0.0 || found.interval.1 < 0.0;
            prop_assume!((found.p_value - alpha).abs() > 1e-9);
            prop_assert_eq!(excludes, found.p_value < alpha);
            let mirrored = difference(&other, &one, alpha).unwrap();
            prop_assert!((mirrored.interval.0 + found.interval.1).abs() < 1e-9);
            let more = difference(&share(a * 4, 1_200), &share(b * 4, 1_200), alpha).unwrap();
            prop_assert!(more.interval.1 - more.interval.0 < found.interval.1 - found.interval.0);
        }
    }
}
