//! Which arm a viewer is in: a hash of the experiment's id and the viewer's, so that nobody has to remember it, every process agrees,
//! and it stays the same for as long as the experiment runs (Tang, Agarwal, O'Brien & Meyer 2010, "Overlapping experiment
//! infrastructure").
//!
//! Experiments that may overlap draw with salts of their own, so what one does to a viewer says nothing about the other. Experiments
//! that must not overlap share the salt of a *layer* and take disjoint ranges of its buckets: a viewer is in one bucket, so in one of
//! them at most.

use std::ops::Range;

use crate::random::draw;

/// Buckets of a layer: shares are given in ten thousandths.
const BUCKETS: u64 = 10_000;

/// The range of buckets that holds every viewer.
pub const ENROLLED_ALL: Range<u32> = 0..BUCKETS as u32;

/// Keeps the draws of enrolment and of arms apart where layer and experiment have the same number.
const ENROLMENT: u64 = 0x656e_726f_6c6c_6564;
const ARM: u64 = 0x6172_6d73_6172_6d73;

/// Whether a viewer takes part: `buckets` is the experiment's range of the ten thousand of `layer`.
pub fn is_enrolled(layer: u64, viewer: u64, buckets: &Range<u32>) -> bool {
    let bucket = draw(layer ^ ENROLMENT, viewer) % BUCKETS;
    buckets.contains(&(bucket as u32))
}

/// The arm of a viewer: index into `weights`, each drawn in proportion to its weight. Absent without any weight above zero.
///
/// Changing a weight moves viewers between arms: a running experiment keeps its weights.
pub fn arm_of(experiment: u64, viewer: u64, weights: &[u32]) -> Option<usize> {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    if total == 0 {
        return None;
    }
    // The upper bits times the total: as even as modulo, without its bias.
    let place = (u128::from(draw(experiment ^ ARM, viewer)) * u128::from(total)) >> 64;
    let mut below = 0;
    weights.iter().position(|weight| {
        below += u128::from(*weight);
        place < below
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids as this service makes them: close together, the lower bits mostly zero.
    fn viewers() -> impl Iterator<Item = u64> {
        (0..40_000u64).map(|n| (90_000_000_000 + n * 37) << 22)
    }

    #[test]
    fn arms_are_the_same_for_ever() {
        let arms: Vec<_> = (0..16).map(|viewer| arm_of(77, viewer, &[1, 1])).collect();
        let expected = PINNED.map(Some);
        assert_eq!(
            arms, expected,
            "whoever changes the hash moves viewers of running experiments"
        );
    }

    #[test]
    fn shares_follow_the_weights() {
        for (salt, weights) in [(1u64, vec![1, 1]), (2, vec![1, 9]), (3 << 22, vec![5, 3, 2])] {
            let mut counts = vec![0f64; weights.len()];
            viewers().for_each(|viewer| counts[arm_of(salt, viewer, &weights).unwrap()] += 1.0);
            let (all, total) = (counts.iter().sum::<f64>(), f64::from(weights.iter().sum::<u32>()));
            let chi_square: f64 = counts
                .iter()
                .zip(&weights)
                .map(|(count, weight)| {
                    let expected = all * f64::from(*weight) / total;
                    (count - expected).powi(2) / expected
                })
                .sum();
            assert!(chi_square < 15.0, "{weights:?}: {counts:?}");
        }
    }

    #[test]
    fn overlapping_experiments_know_nothing_of_each_other() {
        let mut both = [[0f64; 2]; 2];
        for viewer in viewers() {
            let (one, other) = (arm_of(7, viewer, &[1, 1]).unwrap(), arm_of(8, viewer, &[1, 1]).unwrap());
            both[one][other] += 1.0;
        }
        let expected = viewers().count() as f64 / 4.0;
        let chi_square: f64 = both
            .iter()
            .flatten()
            .map(|count| (count - expected).powi(2) / expected)
            .sum();
        assert!(chi_square < 16.0, "{both:?}");
    }

    #[test]
    fn disjoint_ranges_of_a_layer_share_no_viewer() {
        let (first, second) = (0..3_000, 3_000..10_000);
        let of = |range: &Range<u32>| viewers().filter(|viewer| is_enrolled(5, *viewer, range)).count();
        assert!(viewers().all(|viewer| is_enrolled(5, viewer, &first) != is_enrolled(5, viewer, &second)));
        let share = of(&first) as f64 / viewers().count() as f64;
        assert!((share - 0.3).abs() < 0.01, "{share}");
        assert!(viewers().all(|viewer| is_enrolled(5, viewer, &ENROLLED_ALL)));
        // Who is enrolled says nothing about the arm, even where both have the same salt.
        let enrolled: Vec<u64> = viewers().filter(|viewer| is_enrolled(5, *viewer, &first)).collect();
        let second_arm = enrolled
            .iter()
            .filter(|viewer| arm_of(5, **viewer, &[1, 1]) == Some(1))
            .count();
        assert!((second_arm as f64 / enrolled.len() as f64 - 0.5).abs() < 0.02);
    }

    #[test]
    fn nobody_is_in_an_arm_without_weight() {
        assert_eq!(arm_of(1, 1, &[]), None);
        assert_eq!(arm_of(1, 1, &[0, 0]), None);
        assert!(viewers().all(|viewer| arm_of(1, viewer, &[0, 3, 0]) == Some(1)));
    }

    const PINNED: [usize; 16] = [0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1];
}
