//! Trending, in real time: counts of what people do, halving every [`HALF_LIFE_MS`], changed by events as they come.
//!
//! A count is kept as the base-2 logarithm of what it would be at time 0, so nothing has to be touched as time passes and the order
//! of titles never changes by itself.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use contract::{Millis, ProfileId, TitleId};

/// A week: yesterday's evening counts almost whole, last month's an eighth.
pub const HALF_LIFE_MS: i64 = 7 * 86_400_000;
/// Below this count a title is not trending, it was watched once.
const COUNT_MIN: f64 = 0.05;
/// Titles kept; the smallest counts go first.
const TITLES_MAX: usize = 20_000;

/// Acts that are remembered one by one, the newest: to count a person's liking of a title once, and to know which acts a new
/// model has not seen.
const ACTS_MAX: usize = 50_000;

/// Decayed counts since the model was trained.
#[derive(Default)]
pub struct Trending {
    inner: Mutex<Inner>,
    changed: AtomicBool,
}

#[derive(Default)]
struct Inner {
    log_counts: HashMap<TitleId, f64>,
    /// In the order they came, each pair once.
    acts: VecDeque<(Millis, ProfileId, TitleId)>,
    pairs: HashSet<(ProfileId, TitleId)>,
}

impl Inner {
    fn count(&mut self, title: TitleId, at: Millis) {
        let log = self.log_counts.entry(title).or_insert(f64::NEG_INFINITY);
        *log = log_sum(*log, at as f64 / HALF_LIFE_MS as f64);
        if self.log_counts.len() > TITLES_MAX {
            prune(&mut self.log_counts, TITLES_MAX / 2);
        }
    }
}

impl Trending {
    /// Counts that a profile began to favour a title at `at`; the same again soon is no news.
    pub fn observe(&self, profile: ProfileId, title: TitleId, at: Millis) {
        let mut inner = self.lock();
        if !inner.pairs.insert((profile, title)) {
            return;
        }
        inner.acts.push_back((at, profile, title));
        if inner.acts.len() > ACTS_MAX
            && let Some((_, profile, title)) = inner.acts.pop_front()
        {
            inner.pairs.remove(&(profile, title));
        }
        inner.count(title, at);
        self.changed.store(true, Ordering::Release);
    }

    /// The counts as they are at `now`.
    pub fn counts(&self, now: Millis) -> Vec<(TitleId, f32)> {
        let reference = now as f64 / HALF_LIFE_MS as f64;
        let inner = self.lock();
        let alive = inner
            .log_counts
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
        let mut logs: Vec<_> = self
            .lock()
            .log_counts
            .iter()
            .map(|(title, log)| (*title, *log))
            .collect();
        logs.sort_unstable_by_key(|(title, _)| *title);
        logs
    }

    /// Begins from what was stored.
    pub fn restore(&self, logs: Vec<(TitleId, f64)>) {
        let mut inner = self.lock();
        for (title, log) in logs.into_iter().filter(|(_, log)| log.is_finite()) {
            let known = inner.log_counts.entry(title).or_insert(f64::NEG_INFINITY);
            *known = log_sum(*known, log);
        }
        self.changed.store(true, Ordering::Release);
    }

    /// A new model has counted every act until `through`: only what came after is counted here.
    pub fn forget_before(&self, through: Millis) {
        let mut inner = self.lock();
        let acts = std::mem::take(&mut *inner);
        for act in acts.acts.into_iter().filter(|(at, ..)| *at > through) {
            let (at, profile, title) = act;
            inner.acts.push_back(act);
            inner.pairs.insert((profile, title));
            inner.count(title, at);
        }
        self.changed.store(true, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Somebody else each time.
    fn like(trending: &Trending, title: i64, at: Millis) {
        let somebody = ProfileId(trending.lock().acts.len() as i64);
        trending.observe(somebody, TitleId(title), at);
    }

    #[test]
    fn one_person_counts_once() {
        let trending = Trending::default();
        (0..50).for_each(|_| trending.observe(ProfileId(1), TitleId(1), NOW));
        assert!((count(&trending, 1, NOW) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_new_model_has_counted_what_it_has_seen() {
        let trending = Trending::default();
        (0..5).for_each(|minute| like(&trending, 1, NOW + minute));
        (5..7).for_each(|minute| like(&trending, 1, NOW + minute));
        trending.forget_before(NOW + 4);
        assert!(
            (count(&trending, 1, NOW) - 2.0).abs() < 1e-3,
            "the two that came while it learned"
        );
        trending.forget_before(NOW + 6);
        assert_eq!(trending.logs(), []);
    }

    #[test]
    fn a_count_halves_in_a_half_life() {
        let trending = Trending::default();
        for _ in 0..8 {
            like(&trending, 1, NOW);
        }
        assert!((count(&trending, 1, NOW) - 8.0).abs() < 1e-3);
        assert!((count(&trending, 1, NOW + HALF_LIFE_MS) - 4.0).abs() < 1e-3);
        assert_eq!(count(&trending, 1, NOW + 20 * HALF_LIFE_MS), 0.0);
    }

    #[test]
    fn new_acts_outweigh_old_ones_and_survive_a_restart() {
        let trending = Trending::default();
        (0..3).for_each(|_| like(&trending, 1, NOW - 3 * HALF_LIFE_MS));
        (0..2).for_each(|_| like(&trending, 2, NOW));
        let again = Trending::default();
        again.restore(trending.logs());
        assert!(count(&again, 2, NOW) > count(&again, 1, NOW));
        assert!((count(&again, 1, NOW) - 3.0 / 8.0).abs() < 1e-3);
    }

    #[test]
    fn it_holds_a_bounded_number_of_titles() {
        let trending = Trending::default();
        for title in 0..(TITLES_MAX as i64 + 10) {
            like(&trending, title, NOW + title * 1_000_000);
        }
        assert!(trending.logs().len() <= TITLES_MAX);
        assert!(count(&trending, TITLES_MAX as i64 + 9, NOW + TITLES_MAX as i64 * 1_000_000) > 0.0);
    }
}
