//! Positions that are not written yet: one per profile and title, merged as they come, bounded.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use contract::{
    ProfileId, TitleId,
    activity::{Progress, TitleState},
};

use crate::rules;

/// The write-behind map.
pub struct Pending {
    inner: Mutex<Inner>,
    entries_max: usize,
}

#[derive(Default)]
struct Inner {
    profiles: HashMap<ProfileId, HashMap<TitleId, Entry>>,
    entries: usize,
    stamps: u64,
}

#[derive(Clone)]
struct Entry {
    progress: Progress,
    /// The newest report from before the end of the title: what came later must not hide that it was opened again.
    again: Option<Progress>,
    /// Changes with every report, so that a flush removes only what it wrote.
    stamp: u64,
}

impl Entry {
    fn new(progress: &Progress, stamp: u64) -> Self {
        Self {
            progress: progress.clone(),
            again: rules::is_again(progress).then(|| progress.clone()),
            stamp,
        }
    }

    fn put(&mut self, progress: &Progress, stamp: u64) {
        let newest = self.again.as_ref().is_none_or(|again| again.at <= progress.at);
        if newest && rules::is_again(progress) {
            self.again = Some(progress.clone());
        }
        self.progress = rules::merge(Some(&self.progress), progress);
        self.stamp = stamp;
    }

    /// What is to be merged into what is stored, one after the other, so that it becomes what every report by itself would have made.
    fn steps(&self) -> impl Iterator<Item = &Progress> {
        let hidden = self.again.as_ref().filter(|_| !rules::is_again(&self.progress));
        hidden.into_iter().chain([&self.progress])
    }

    fn over(&self, stored: Option<Progress>) -> Option<Progress> {
        self.steps()
            .fold(stored, |known, step| Some(rules::merge(known.as_ref(), step)))
    }
}

/// A position on its way to the database; it stays readable here until it is there.
#[derive(Clone)]
pub struct Waiting {
    pub profile: ProfileId,
    pub title: TitleId,
    entry: Entry,
}

impl Waiting {
    /// What is to be written, in this order.
    pub fn steps(&self) -> impl Iterator<Item = &Progress> {
        self.entry.steps()
    }
}

fn of(profile: ProfileId, titles: &HashMap<TitleId, Entry>) -> impl Iterator<Item = Waiting> {
    titles.iter().map(move |(title, entry)| Waiting {
        profile,
        title: *title,
        entry: entry.clone(),
    })
}

impl Pending {
    pub fn new(entries_max: usize) -> Self {
        Self {
            inner: Mutex::default(),
            entries_max: entries_max.max(1),
        }
    }

    /// Takes a position in; `false` when there is no room.
    pub fn put(&self, profile: ProfileId, title: TitleId, progress: &Progress) -> bool {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.stamps += 1;
        let stamp = inner.stamps;
        let titles = inner.profiles.entry(profile).or_default();
        match titles.get_mut(&title) {
            Some(entry) => entry.put(progress, stamp),
            None if inner.entries < self.entries_max => {
                titles.insert(title, Entry::new(progress, stamp));
                inner.entries += 1;
            }
            None => {
                if titles.is_empty() {
                    inner.profiles.remove(&profile);
                }
                return false;
            }
        }
        true
    }

    /// What is known of a title when what waits is laid over what is stored.
    pub fn over(&self, profile: ProfileId, title: TitleId, stored: Option<Progress>) -> Option<Progress> {
        let guard = self.lock();
        match guard.profiles.get(&profile).and_then(|titles| titles.get(&title)) {
            Some(entry) => entry.over(stored),
            None => stored,
        }
    }

    /// Another number whenever what waits of a profile is something else; zero where nothing waits.
    pub fn version(&self, profile: ProfileId) -> u64 {
        let guard = self.lock();
        let titles = guard.profiles.get(&profile);
        titles.map_or(0, |titles| titles.values().map(|entry| entry.stamp).max().unwrap_or(0))
    }

    pub fn has(&self, profile: ProfileId) -> bool {
        self.lock().profiles.contains_key(&profile)
    }

    /// Lays what is waiting over what was read; titles in `add` (all, if absent) that were not read are added.
    /// Says whether anything changed.
    pub fn overlay(&self, profile: ProfileId, states: &mut Vec<TitleState>, add: Option<&[TitleId]>) -> bool {
        let guard = self.lock();
        let Some(titles) = guard.profiles.get(&profile) else {
            return false;
        };
        let mut missing: HashMap<TitleId, &Entry> = titles.iter().map(|(title, entry)| (*title, entry)).collect();
        let mut changed = false;
        for state in states.iter_mut() {
            if let Some(entry) = missing.remove(&state.title) {
                state.progress = entry.over(state.progress.take());
                changed = true;
            }
        }
        for (title, entry) in missing {
            if add.is_none_or(|add| add.contains(&title)) {
                states.push(TitleState {
                    progress: entry.over(None),
                    ..rules::empty(title)
                });
                changed = true;
            }
        }
        changed
    }

    /// What waits of any profile, at most `limit`.
    pub fn waiting(&self, limit: usize) -> Vec<Waiting> {
        let guard = self.lock();
        let all = guard.profiles.iter().flat_map(|(profile, titles)| of(*profile, titles));
        all.take(limit).collect()
    }

    /// All that waits of one profile.
    pub fn waiting_of(&self, profile: ProfileId) -> Vec<Waiting> {
        let guard = self.lock();
        let titles = guard.profiles.get(&profile);
        titles.map_or_else(Vec::new, |titles| of(profile, titles).collect())
    }

    /// Lets go of what was written, unless a newer report came meanwhile.
    pub fn written(&self, written: &[Waiting]) {
        let mut guard = self.lock();
        for item in written {
            let same = |entry: &Entry| entry.stamp == item.entry.stamp;
            if guard
                .profiles
                .get(&item.profile)
                .and_then(|titles| titles.get(&item.title))
                .is_some_and(same)
            {
                guard.remove(item.profile, item.title);
            }
        }
    }

    /// Forgets a position without writing it.
    pub fn discard(&self, profile: ProfileId, title: TitleId) {
        self.lock().remove(profile, title);
    }

    pub fn discard_profile(&self, profile: ProfileId) {
        let mut guard = self.lock();
        let gone = guard.profiles.remove(&profile).map_or(0, |titles| titles.len());
        guard.entries -= gone;
    }

    pub fn len(&self) -> usize {
        self.lock().entries
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn remove(&mut self, profile: ProfileId, title: TitleId) {
        let Some(titles) = self.profiles.get_mut(&profile) else {
            return;
        };
        if titles.remove(&title).is_some() {
            self.entries -= 1;
        }
        if titles.is_empty() {
            self.profiles.remove(&profile);
        }
    }
}

#[cfg(test)]
mod tests;
