//! Trending, in real time: counts of what people do, halving every [`HALF_LIFE_MS`], changed by events as they come.
//!
//! A count is kept as the base-2 logarithm of what it would be at time 0, so nothing has to be touched as time passes and the order
//! of titles never changes by itself.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use contract::{Millis, TitleId};

/// A week: yesterday's evening counts almost whole, last month's an eighth.
pub const HALF_LIFE_MS: i64 = 7 * 86_400_000;
/// Below this count a title is not trending, it was watched once.
const COUNT_MIN: f64 = 0.05;
/// Titles kept; the smallest counts go first.
const TITLES_MAX: usize = 20_000;

/// Decayed counts since the model was trained.
#[derive(Default)]
pub struct Trending {
    log_counts: Mutex<HashMap<TitleId, f64>>,
    changed: AtomicBool,
}

impl Trending {
    /// Counts one act at `at`.
    pub fn observe(&self, title: TitleId, at: Millis) {
        let gain = at as f64 / HALF_LIFE_MS as f64;
        let mut counts = self.lock();
        let log = counts.entry(title).or_insert(f64::NEG_INFINITY);
        *log = log_sum(*log, gain);
        if counts.len() > TITLES_MAX {
            prune(&mut counts, TITLES_MAX / 2);
        }
        self.changed.store(true, Ordering::Release);
    }

    /// The counts as they are at `now`.
    pub fn counts(&self, now: Millis) -> Vec<(TitleId, f32)> {
        let reference = now as f64 / HALF_LIFE_MS as f64;
        let counts = self.lock();
        let alive = counts
            .iter()
            .map(|(title, log)| (*title, (log - reference).min(60.0).exp2()));
        alive
            .filter(|(_, count)| *count >= COUNT_MIN)
            .map(|(title, count)| (title, count as f32))
            .collect()
    }

    /// Whether anything was counted since the last call.
    pub fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::AcqRel)
    }

    /// For storage.
    pub fn logs(&self) -> Vec<(TitleId, f64)> {
        let mut logs: Vec<_> = self.lock().iter().map(|(title, log)| (*title, *log)).collect();
        logs.sort_unstable_by_key(|(title, _)| *title);
        logs
    }

    /// Begins from what was stored.
    pub fn restore(&self, logs: Vec<(TitleId, f64)>) {
        let mut counts = self.lock();
        for (title, log) in logs.into_iter().filter(|(_, log)| log.is_finite()) {
            let known = counts.entry(title).or_insert(f64::NEG_INFINITY);
            *known = log_sum(*known, log);
        }
        self.changed.store(true, Ordering::Release);
    }

    /// A new model has counted everything until `through`; what is kept here came after, more or less.
    pub fn forget_before(&self, through: Millis) {
        let limit = through as f64 / HALF_LIFE_MS as f64;
        self.lock().retain(|_, log| *log > limit);
        self.changed.store(true, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TitleId, f64>> {
        self.log_counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `log2(2^a + 2^b)`.
fn log_sum(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY {
        high
    } else {
        high + (low - high).exp2().ln_1p() / std::f64::consts::LN_2
    }
}

fn prune(counts: &mut HashMap<TitleId, f64>, keep: usize) {
    let mut logs: Vec<f64> = counts.values().copied().collect();
    let at = logs.len().saturating_sub(keep);
    let (_, limit, _) = logs.select_nth_unstable_by(at, f64::total_cmp);
    let limit = *limit;
    counts.retain(|_, log| *log >= limit);
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_767_225_600_000;

    fn count(trending: &Trending, title: i64, now: Millis) -> f32 {
        let counts = trending.counts(now);
        counts
            .iter()
            .find(|(id, _)| id.0 == title)
            .map_or(0.0, |(_, count)| *count)
    }

    #[test]
    fn a_count_halves_in_a_half_life() {
        let trending = Trending::default();
        for _ in 0..8 {
            trending.observe(TitleId(1), NOW);
        }
        assert!((count(&trending, 1, NOW) - 8.0).abs() < 1e-3);
        assert!((count(&trending, 1, NOW + HALF_LIFE_MS) - 4.0).abs() < 1e-3);
        assert_eq!(count(&trending, 1, NOW + 20 * HALF_LIFE_MS), 0.0);
    }

    #[test]
    fn new_acts_outweigh_old_ones_and_survive_a_restart() {
        let trending = Trending::default();
        (0..3).for_each(|_| trending.observe(TitleId(1), NOW - 3 * HALF_LIFE_MS));
        (0..2).for_each(|_| trending.observe(TitleId(2), NOW));
        let again = Trending::default();
        again.restore(trending.logs());
        assert!(count(&again, 2, NOW) > count(&again, 1, NOW));
        assert!((count(&again, 1, NOW) - 3.0 / 8.0).abs() < 1e-3);
    }

    #[test]
    fn it_holds_a_bounded_number_of_titles() {
        let trending = Trending::default();
        for title in 0..(TITLES_MAX as i64 + 10) {
            trending.observe(TitleId(title), NOW + title * 1_000_000);
        }
        assert!(trending.logs().len() <= TITLES_MAX);
        assert!(count(&trending, TITLES_MAX as i64 + 9, NOW + TITLES_MAX as i64 * 1_000_000) > 0.0);
    }
}
