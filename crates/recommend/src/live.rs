//! What people did since the model was trained, one act after the other: what they favoured, and what they had done before it.
//!
//! The model in service counts on from them ([`crate::loaded::Loaded::current`]), so that what is watched after a title shows before the
//! next training, and what is trending is counted from them. A training has seen the acts up to where it ended; they stay, for an
//! earlier model may serve again, or beside it in an experiment. An act counts once per person and title. The log is bounded, and
//! so is everything that is counted from it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use contract::{Millis, ProfileId, TitleId, activity::RecentActivity};

use crate::{
    faded::{Cell, Faded},
    taste::{evidence, folded},
    titles::Titles,
};

/// As a training counts what was trending by then.
pub const HALF_LIFE_MS: i64 = reco::TRENDING_HALF_LIFE_MS;
/// Below this count a title is not trending, it was watched once.
const COUNT_MIN: f32 = 0.05;
/// Acts kept; when there are more, the oldest quarter goes into [`Faded`]. What is counted from one is at most [`BEFORE_MAX`] cells each
/// way.
const ACTS_MAX: usize = 20_000;
/// Events before an act that are kept with it: as many as any window of co-occurrence looks at.
pub const BEFORE_MAX: usize = 20;
/// The newest states of a viewer that an act is looked for in.
pub const STATES_MAX: u32 = 60;

/// A person began to favour a title.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    pub profile: ProfileId,
    pub title: TitleId,
    pub at: Millis,
    /// Evidence, above zero.
    pub weight: f32,
    /// What this person had done before, the newest last, with its evidence.
    pub before: Vec<(TitleId, f32)>,
}

impl Act {
    /// As a page at `now` would read it from the same activity; `None` where nothing speaks for the title any more.
    pub fn read(
        titles: &Titles,
        profile: ProfileId,
        title: TitleId,
        recent: &RecentActivity,
        now: Millis,
    ) -> Option<Self> {
        let slot = titles.slot_of(title)?;
        let (mut own, mut others) = (None, Vec::new());
        for (known, state) in folded(titles, &recent.states) {
            let Some((weight, at)) = evidence(&state, now) else {
                continue;
            };
            if known == slot {
                own = Some((weight, at)).filter(|_| weight > 0.0);
            } else {
                others.push((at, titles.id(known), weight));
            }
        }
        let (weight, at) = own?;
        others.retain(|(earlier, ..)| *earlier < at);
        others.sort_by_key(|(earlier, ..)| *earlier);
        let newest = others.split_off(others.len().saturating_sub(BEFORE_MAX));
        Some(Self {
            profile,
            title: titles.id(slot),
            at,
            weight,
            before: newest.into_iter().map(|(_, title, weight)| (title, weight)).collect(),
        })
    }
}

/// The acts of this process's time, and those that were stored before it.
#[derive(Default)]
pub struct Live(Mutex<Log>);

#[derive(Default)]
struct Log {
    /// In the order they came, each pair once.
    acts: VecDeque<Act>,
    /// Of those before them, how many.
    faded: Faded,
    pairs: HashSet<(ProfileId, TitleId)>,
    /// Grows whenever acts are taken away, so that whoever has counted them begins again.
    epoch: u64,
    /// Of the acts, so many are stored.
    stored: usize,
    changed: bool,
}

impl Log {
    fn add(&mut self, act: Act) {
        if !self.pairs.insert((act.profile, act.title)) {
            return;
        }
        self.acts.push_back(act);
        self.changed = true;
        if self.acts.len() > ACTS_MAX {
            let (mut left, mut faded) = (ACTS_MAX / 4, std::mem::take(&mut self.faded));
            self.retain(|act| {
                left = left.saturating_sub(1);
                if left > 0 {
                    faded.add(Cell::at(act.title, act.at));
                }
                left == 0
            });
            self.faded = faded;
        }
    }

    fn retain(&mut self, mut keep: impl FnMut(&Act) -> bool) {
        let before = self.acts.len();
        let Self {
            acts, pairs, stored, ..
        } = self;
        let (mut place, mut gone) = (0, 0);
        acts.retain(|act| {
            place += 1;
            let is_kept = keep(act);
            if !is_kept {
                pairs.remove(&(act.profile, act.title));
                gone += usize::from(place <= *stored);
            }
            is_kept
        });
        self.stored -= gone;
        if self.acts.len() < before {
            self.epoch += 1;
            self.changed = true;
        }
    }
}

impl Live {
    /// Counts an act, unless this person's liking of this title is counted already.
    pub fn observe(&self, act: Act) {
        self.lock().add(act);
    }

    /// Whether this person's liking of this title is counted already.
    pub fn knows(&self, profile: ProfileId, title: TitleId) -> bool {
        self.lock().pairs.contains(&(profile, title))
    }

    /// Whether anything has changed since the last call.
    pub fn take_changed(&self) -> bool {
        std::mem::take(&mut self.lock().changed)
    }

    /// How many people have begun to favour each title after `since`, halved for every [`HALF_LIFE_MS`] until `now`.
    pub fn trending(&self, since: Millis, now: Millis) -> HashMap<TitleId, f32> {
        let log = self.lock();
        let mut counts = HashMap::new();
        for (title, count) in log.faded.since(since, now) {
            *counts.entry(title).or_insert(0.0) += count;
        }
        for act in log.acts.iter().filter(|act| act.at > since) {
            let age = (now - act.at).max(0) as f64 / HALF_LIFE_MS as f64;
            *counts.entry(act.title).or_insert(0.0) += (-age).exp2() as f32;
        }
        drop(log);
        counts.retain(|_, count| *count >= COUNT_MIN);
        counts
    }

    /// Nothing that this profile did is kept, but one in the counts of [`Faded`] that are nobody's.
    pub fn forget(&self, profile: ProfileId) {
        self.lock().retain(|act| act.profile != profile);
    }

    /// Begins from what was stored.
    pub fn restore(&self, acts: Vec<Act>, faded: Vec<Cell>) {
        let mut log = self.lock();
        faded.into_iter().for_each(|cell| log.faded.add(cell));
        acts.into_iter().for_each(|act| log.add(act));
        log.stored = log.acts.len();
    }

    /// What is not stored yet, and where that ends.
    pub fn unstored(&self) -> Vec<Act> {
        let log = self.lock();
        log.acts.iter().skip(log.stored).cloned().collect()
    }

    /// So many more have been stored, of those that [`Self::unstored`] gave.
    pub fn has_stored(&self, acts: &[Act]) {
        let mut log = self.lock();
        // What was forgotten meanwhile is not among them any more.
        let known = acts.iter().filter(|act| log.pairs.contains(&(act.profile, act.title)));
        log.stored = (log.stored + known.count()).min(log.acts.len());
    }

    /// Shows the acts to `read`, with the epoch they belong to.
    pub fn read<R>(&self, read: impl FnOnce(u64, &VecDeque<Act>) -> R) -> R {
        let log = self.lock();
        read(log.epoch, &log.acts)
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(profile: i64, title: i64, at: Millis) -> Act {
        Act {
            profile: ProfileId(profile),
            title: TitleId(title),
            at,
            weight: 1.0,
            before: vec![(TitleId(title + 1), 1.0)],
        }
    }

    fn len(live: &Live) -> usize {
        live.read(|_, acts| acts.len())
    }

    #[test]
    fn one_person_counts_once() {
        let live = Live::default();
        (0..50).for_each(|at| live.observe(act(1, 1, at)));
        assert_eq!(len(&live), 1);
        live.observe(act(2, 1, 60));
        assert_eq!(len(&live), 2);
    }

    #[test]
    fn a_profile_that_is_forgotten_may_come_again() {
        let live = Live::default();
        (0..7).for_each(|profile| live.observe(act(profile, 1, profile)));
        let epoch = live.read(|epoch, _| epoch);
        live.forget(ProfileId(3));
        assert_eq!(len(&live), 6);
        assert_ne!(live.read(|epoch, _| epoch), epoch, "whoever counted begins again");
        live.observe(act(3, 1, 9));
        assert_eq!(len(&live), 7);
    }

    #[test]
    fn what_is_trending_halves_in_a_half_life_and_survives_a_restart() {
        const NOW: Millis = 1_767_225_600_000;
        let live = Live::default();
        (0..8).for_each(|person| live.observe(act(person, 1, NOW)));
        (0..3).for_each(|person| live.observe(act(person, 2, NOW - 3 * HALF_LIFE_MS)));
        let again = Live::default();
        again.restore(live.unstored(), Vec::new());
        for live in [live, again] {
            let count = |title, since, now| live.trending(since, now).get(&TitleId(title)).copied().unwrap_or(0.0);
            assert!((count(1, 0, NOW) - 8.0).abs() < 1e-3);
            assert!((count(1, 0, NOW + HALF_LIFE_MS) - 4.0).abs() < 1e-3);
            assert!((count(2, 0, NOW) - 3.0 / 8.0).abs() < 1e-3);
            assert_eq!(count(1, 0, NOW + 20 * HALF_LIFE_MS), 0.0);
            assert_eq!(
                count(2, NOW - HALF_LIFE_MS, NOW),
                0.0,
                "a model that was trained since has counted them"
            );
        }
    }

    #[test]
    fn it_holds_a_bounded_number_of_acts_the_newest() {
        let live = Live::default();
        let many = 3 * ACTS_MAX as i64;
        (0..many).for_each(|at| live.observe(act(at, 1, at)));
        assert!(len(&live) <= ACTS_MAX && len(&live) >= ACTS_MAX / 2);
        assert!(live.knows(ProfileId(many - 1), TitleId(1)));
        assert!(!live.knows(ProfileId(0), TitleId(1)));
        let pairs = live.lock().pairs.len();
        assert_eq!(pairs, len(&live));
        // What is trending fades by its age, not because much happened since.
        let counted = live.trending(Millis::MIN, many)[&TitleId(1)];
        assert!((counted / many as f32 - 1.0).abs() < 0.01, "{counted} of {many}");
    }

    #[test]
    fn what_is_stored_is_stored_once_and_forgotten_with_its_profile() {
        let live = Live::default();
        live.restore(vec![act(1, 1, 1), act(2, 1, 2)], Vec::new());
        live.observe(act(3, 1, 3));
        live.observe(act(4, 1, 4));
        let unstored = live.unstored();
        assert_eq!(unstored, [act(3, 1, 3), act(4, 1, 4)]);
        // One is forgotten while the others are written.
        live.forget(ProfileId(3));
        live.has_stored(&unstored);
        assert_eq!(live.unstored(), []);
        live.forget(ProfileId(1));
        live.observe(act(5, 1, 5));
        assert_eq!(live.unstored(), [act(5, 1, 5)]);
    }
}
