//! Interleaving: one list mixed from two rankings, so that each viewer compares them; far fewer viewers tell more than in an A/B.
//!
//! Team draft (Radlinski, Kurup & Joachims 2008, "How does clickthrough data reflect retrieval quality?"; Chapelle, Joachims, Radlinski
//! & Yue 2012, "Large-scale validation and analysis of interleaved search evaluation"): as captains do, the rankings take turns in
//! picking their best title that is not taken yet; who goes first in each round is drawn. A title counts for the team that picked it.
//! A viewer prefers the team with more credits over all their pages; viewers without a preference are ties and say nothing.

use std::collections::HashSet;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::random::draw;

/// Whose ranking a title came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Team {
    /// The first ranking.
    A,
    /// The second one.
    B,
}

/// A place of the mixed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drafted<T> {
    /// What stands there.
    pub item: T,
    /// Who picked it. Absent once one ranking has come to its end: the rest fills the list and counts for nobody.
    pub team: Option<Team>,
}

/// Keeps the coins of a page apart from all else that is drawn by its id.
const COIN: u64 = 0x636f_696e_7465_616d;

/// Mixes two rankings, best first, into one of at most `length`, each title once. The same seed gives the same list.
pub fn team_draft<T: Copy + Eq + Hash>(a: &[T], b: &[T], length: usize, seed: u64) -> Vec<Drafted<T>> {
    let mut taken: HashSet<T> = HashSet::with_capacity(length);
    let (mut from_a, mut from_b) = (a.iter().copied(), b.iter().copied());
    let mut list = Vec::with_capacity(length);
    // With both lists long enough each round gives each team one title, so a second pick is always the other team's.
    for round in 0.. {
        if list.len() >= length {
            break;
        }
        let a_first = draw(seed ^ COIN, round) >> 63 == 1;
        let turns = if a_first {
            [Team::A, Team::B]
        } else {
            [Team::B, Team::A]
        };
        for team in turns {
            let own = match team {
                Team::A => &mut from_a,
                Team::B => &mut from_b,
            };
            let Some(item) = own.find(|item| !taken.contains(item)) else {
                let rest = from_a.by_ref().chain(from_b.by_ref());
                fill(&mut list, &mut taken, rest, length);
                return list;
            };
            if list.len() < length {
                taken.insert(item);
                list.push(Drafted { item, team: Some(team) });
            }
        }
    }
    list
}

fn fill<T: Copy + Eq + Hash>(
    list: &mut Vec<Drafted<T>>,
    taken: &mut HashSet<T>,
    rest: impl Iterator<Item = T>,
    length: usize,
) {
    for item in rest {
        if list.len() == length {
            return;
        }
        if taken.insert(item) {
            list.push(Drafted { item, team: None });
        }
    }
}

/// What one viewer thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// More credits for A.
    A,
    /// More credits for B.
    B,
    /// As many for each, most often none.
    Tie,
}

impl Preference {
    /// By the credits of a viewer's pages: titles played, or whatever counts, by team.
    pub fn of(credits_a: u32, credits_b: u32) -> Self {
        match credits_a.cmp(&credits_b) {
            std::cmp::Ordering::Greater => Self::A,
            std::cmp::Ordering::Less => Self::B,
            std::cmp::Ordering::Equal => Self::Tie,
        }
    }
}

/// Viewers by preference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// Viewers who prefer A.
    pub a: u64,
    /// Viewers who prefer B.
    pub b: u64,
    /// Viewers without a preference.
    pub ties: u64,
}

/// The share of those with a preference who prefer B.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreferenceTest {
    /// 0 to 1; one half where the rankings are equally good.
    pub share: f64,
    /// Interval that holds the true share at every reading at once, with probability 1 − α.
    pub interval: (f64, f64),
    /// Always-valid p-value against one half.
    pub p_value: f64,
}

/// Parameter of the symmetric Beta mixture: a spread of .05 around one half, what rankings really differ by.
const PRIOR: u64 = 50;

impl Preferences {
    /// Adds a viewer.
    pub fn push(&mut self, preference: Preference) {
        match preference {
            Preference::A => self.a += 1,
            Preference::B => self.b += 1,
            Preference::Tie => self.ties += 1,
        }
    }

    /// The sequential sign test at level `alpha`. For a true share q the ratio ∫ pᵇ(1−p)ᵃ dBeta(p) / (qᵇ(1−q)ᵃ) is a martingale of
    /// mean one, so it exceeds 1/α at any time with probability α at most (Ville 1939; Robbins 1970): exact at every size.
    /// Absent before the first preference.
    pub fn test(&self, alpha: f64) -> Option<PreferenceTest> {
        let wins = self.a + self.b;
        if wins == 0 {
            return None;
        }
        let mixed = log_beta(self.b + PRIOR, self.a + PRIOR) - log_beta(PRIOR, PRIOR);
        let log_ratio = |share: f64| mixed - xlogy(self.b, share) - xlogy(self.a, 1.0 - share);
        let share = self.b as f64 / wins as f64;
        // The likelihood has one peak, at `share`; on each side of it the ratio grows.
        let bound = |outer: f64| {
            let (mut inside, mut outside) = (share, outer);
            for _ in 0..60 {
                let middle = (inside + outside) / 2.0;
                if log_ratio(middle) < -alpha.ln() {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            inside
        };
        Some(PreferenceTest {
            share,
            interval: (bound(0.0), bound(1.0)),
            p_value: (-log_ratio(0.5)).exp().min(1.0),
        })
    }
}

/// `count · ln(share)`, nothing times −∞ being nothing.
fn xlogy(count: u64, share: f64) -> f64 {
    if count == 0 { 0.0 } else { count as f64 * share.ln() }
}

/// ln B(a, b) for whole numbers from 1 on.
fn log_beta(a: u64, b: u64) -> f64 {
    log_factorial(a - 1) + log_factorial(b - 1) - log_factorial(a + b - 1)
}

/// ln n!, summed where n is small, by Stirling's series (error below 1e-12) where it is not.
fn log_factorial(n: u64) -> f64 {
    if n < 32 {
        return (2..=n).map(|k| (k as f64).ln()).sum();
    }
    let x = n as f64;
    x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
        + 1.0 / (1_260.0 * x.powi(5))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_round_gives_each_team_its_best_free_title() {
        let (a, b) = ([1, 2, 3, 4], [1, 5, 2, 6]);
        let (mut a_led, mut seen) = (0, HashSet::new());
        for seed in 0..1_000 {
            let list: Vec<(i32, Option<Team>)> = team_draft(&a, &b, 4, seed)
                .iter()
                .map(|place| (place.item, place.team))
                .collect();
            a_led += usize::from(list[0].1 == Some(Team::A));
            seen.insert(format!("{list:?}"));
            assert_eq!(list[0].0, 1, "both want it");
            assert_ne!(list[0].1, list[1].1, "one each a round");
            assert_ne!(list[2].1, list[3].1);
        }
        assert!((450..550).contains(&a_led), "a fair coin: {a_led}");
        // By hand: who leads in either round, and only then who picked which.
        assert_eq!(seen.len(), 4, "{seen:?}");
    }

    #[test]
    fn what_one_ranking_has_left_counts_for_nobody() {
        let list = team_draft(&[1], &[2, 3, 4, 5], 4, 3);
        let teams: Vec<Option<Team>> = list.iter().map(|place| place.team).collect();
        assert_eq!(list.len(), 4);
        assert_eq!(teams.iter().filter(|team| **team == Some(Team::A)).count(), 1);
        assert!(
            teams[3].is_none() && list.iter().all(|place| (1..=5).contains(&place.item)),
            "{list:?}"
        );
        assert!(team_draft::<u32>(&[], &[], 5, 1).is_empty());
        assert!(team_draft(&[], &[7, 8], 5, 1).iter().all(|place| place.team.is_none()));
    }

    #[test]
    fn small_counts_agree_with_the_integral() {
        // ∫ p⁷(1−p)² over a Beta(50, 50) by the rule of Simpson, against one half to the ninth.
        let density = |p: f64| 49.0 * (p.ln() + (1.0 - p).ln()) - log_beta(50, 50);
        let steps = 20_000;
        let value = |step: usize| {
            let p = (step as f64 / steps as f64).clamp(1e-12, 1.0 - 1e-12);
            (density(p) + 7.0 * p.ln() + 2.0 * (1.0 - p).ln()).exp()
        };
        let weight = |step: usize| {
            if step == 0 || step == steps {
                1.0
            } else {
                2.0 + 2.0 * (step % 2) as f64
            }
        };
        let integral: f64 = (0..=steps).map(|step| weight(step) * value(step)).sum::<f64>() / (3.0 * steps as f64);
        let expected = 0.5f64.powi(9) / integral;
        let found = Preferences { a: 2, b: 7, ties: 3 }.test(0.05).unwrap();
        assert!(
            (found.p_value - expected.min(1.0)).abs() < 1e-6,
            "{} against {expected}",
            found.p_value
        );
        assert!((found.share - 7.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn factorials_meet_where_the_series_takes_over() {
        let summed = |n: u64| (2..=n).map(|k| (k as f64).ln()).sum::<f64>();
        for n in [31, 32, 33, 100, 1_000] {
            assert!((log_factorial(n) - summed(n)).abs() < 1e-9, "{n}");
        }
    }

    #[test]
    fn viewers_are_counted_by_what_they_prefer() {
        let mut found = Preferences::default();
        assert_eq!(found.test(0.05), None);
        for (a, b) in [(2, 1), (0, 3), (0, 1), (0, 0)] {
            found.push(Preference::of(a, b));
        }
        assert_eq!(found, Preferences { a: 1, b: 2, ties: 1 });
        let many = Preferences {
            a: 400,
            b: 600,
            ties: 0,
        }
        .test(0.05)
        .unwrap();
        assert!(many.interval.0 > 0.5 && many.p_value < 1e-6, "{many:?}");
        let all = Preferences { a: 0, b: 30, ties: 0 }.test(0.05).unwrap();
        assert_eq!(all.share, 1.0);
        assert!(all.interval.0 > 0.5 && all.interval.1 == 1.0, "{all:?}");
    }

    proptest! {
        #[test]
        fn a_mixed_list_holds_each_title_once_and_both_teams_evenly(
            a in prop::collection::vec(0u32..40, 0..30), b in prop::collection::vec(0u32..40, 0..30), length in 0usize..40, seed: u64
        ) {
            let list = team_draft(&a, &b, length, seed);
            let known: HashSet<u32> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(list.len(), length.min(known.len()));
            let items: HashSet<u32> = list.iter().map(|place| place.item).collect();
            prop_assert_eq!(items.len(), list.len());
            prop_assert!(items.is_subset(&known));
            let of = |team| list.iter().filter(|place| place.team == Some(team)).count();
            prop_assert!(of(Team::A).abs_diff(of(Team::B)) <= 1);
        }

        #[test]
        fn interval_and_p_value_say_the_same(a in 0u64..3_000, b in 0u64..3_000, alpha in 0.001f64..0.3) {
            let counted = Preferences { a, b, ties: 0 };
            let Some(found) = counted.test(alpha) else { return Ok(()) };
            prop_assert!(found.interval.0 <= found.share && found.share <= found.interval.1);
            prop_assume!((found.p_value - alpha).abs() > 1e-6);
            let excludes = found.interval.0 > 0.5 || found.interval.1 < 0.5;
            prop_assert_eq!(excludes, found.p_value < alpha);
        }
    }
}
