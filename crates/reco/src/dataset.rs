//! Interactions in compact form: by viewer in time order, and by title.

use crate::error::{RecoError, Result};
use serde::{Deserialize, Serialize};

/// One thing a viewer did with one title.
///
/// `weight` is signed evidence: 1 is a whole liking (watched to the end, five stars), a fraction a partly watched
/// film, below zero a dislike. See [`crate::signal`] for the usual mapping. `at` is milliseconds since the Unix
/// epoch, or any number that grows with time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Dense title index.
    pub item: u32,
    /// Signed evidence, finite, usually within −1..=1.
    pub weight: f32,
    /// Time of the event.
    pub at: i64,
}

/// An [`Event`] with its viewer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// Dense viewer index.
    pub user: u32,
    /// Dense title index.
    pub item: u32,
    /// Signed evidence, see [`Event::weight`].
    pub weight: f32,
    /// Time of the event.
    pub at: i64,
}

/// Interactions of `users` viewers with `items` titles, sorted by viewer and time, at most one per pair (the newest
/// wins). Titles without any interaction are part of the index: models may still score them from their content.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    items: usize,
    offsets: Vec<usize>,
    events: Vec<Event>,
    item_offsets: Vec<usize>,
    occurrences: Vec<Occurrence>,
}

/// Where a title occurs: viewer and position within that viewer's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Dense viewer index.
    pub user: u32,
    /// Index into [`Dataset::history`] of that viewer.
    pub position: u32,
}

/// Collects interactions in any order.
#[derive(Clone, Debug, Default)]
pub struct DatasetBuilder {
    users: usize,
    items: usize,
    interactions: Vec<Interaction>,
}

impl DatasetBuilder {
    /// A builder for at least `users` × `items`; larger indices widen it.
    pub fn new(users: usize, items: usize) -> Self {
        Self {
            users,
            items,
            interactions: Vec::new(),
        }
    }

    /// Adds one interaction.
    pub fn push(&mut self, interaction: Interaction) {
        self.users = self.users.max(interaction.user as usize + 1);
        self.items = self.items.max(interaction.item as usize + 1);
        self.interactions.push(interaction);
    }

    /// Sorts, removes duplicates and indexes. Ties in time keep the order of insertion.
    pub fn build(mut self) -> Result<Dataset> {
        if let Some(bad) = self.interactions.iter().find(|i| !i.weight.is_finite()) {
            return Err(RecoError::Data(format!(
                "viewer {} title {} has weight {}",
                bad.user, bad.item, bad.weight
            )));
        }
        self.interactions.sort_by_key(|i| (i.user, i.at));
        keep_newest(&mut self.interactions, self.items);
        Ok(Dataset::from_sorted(self.users, self.items, &self.interactions))
    }
}

/// Keeps the newest interaction per viewer and title; `sorted` is by viewer and time.
fn keep_newest(sorted: &mut Vec<Interaction>, items: usize) {
    let mut seen_by = vec![u32::MAX; items];
    sorted.reverse();
    sorted.retain(|i| std::mem::replace(&mut seen_by[i.item as usize], i.user) != i.user);
    sorted.reverse();
}

impl Dataset {
    /// From a list in any order. Shorthand for the builder.
    pub fn from_interactions(
        users: usize,
        items: usize,
        interactions: impl IntoIterator<Item = Interaction>,
    ) -> Result<Self> {
        let mut builder = DatasetBuilder::new(users, items);
        interactions.into_iter().for_each(|i| builder.push(i));
        builder.build()
    }

    fn from_sorted(users: usize, items: usize, sorted: &[Interaction]) -> Self {
        let mut offsets = vec![0usize; users + 1];
        let mut item_offsets = vec![0usize; items + 1];
        for i in sorted {
            offsets[i.user as usize + 1] += 1;
            item_offsets[i.item as usize + 1] += 1;
        }
        accumulate(&mut offsets);
        accumulate(&mut item_offsets);
        let mut next = item_offsets.clone();
        let empty = Occurrence { user: 0, position: 0 };
        let mut occurrences = vec![empty; sorted.len()];
        for (index, i) in sorted.iter().enumerate() {
            let slot = &mut next[i.item as usize];
            occurrences[*slot] = Occurrence {
                user: i.user,
                position: (index - offsets[i.user as usize]) as u32,
            };
            *slot += 1;
        }
        let events = sorted.iter().map(Interaction::event).collect();
        Self {
            items,
            offsets,
            events,
            item_offsets,
            occurrences,
        }
    }

    /// Number of viewers, those without events included.
    pub fn users(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of titles, those without events included.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Number of interactions.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are no interactions at all.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// A viewer's events, oldest first. Empty for a viewer outside the index.
    pub fn history(&self, user: u32) -> &[Event] {
        let user = user as usize;
        if user >= self.users() {
            return &[];
        }
        &self.events[self.offsets[user]..self.offsets[user + 1]]
    }

    /// Where a title occurs, by viewer.
    pub fn occurrences(&self, item: u32) -> &[Occurrence] {
        let item = item as usize;
        &self.occurrences[self.item_offsets[item]..self.item_offsets[item + 1]]
    }

    /// The event behind an occurrence.
    pub fn event(&self, occurrence: Occurrence) -> Event {
        self.events[self.offsets[occurrence.user as usize] + occurrence.position as usize]
    }

    /// Number of events with positive weight per title, shape `[items]`.
    pub fn popularity(&self) -> Vec<f32> {
        let mut counts = vec![0f32; self.items];
        for event in self.events.iter().filter(|e| e.weight > 0.0) {
            counts[event.item as usize] += 1.0;
        }
        counts
    }

    /// All interactions, by viewer and time.
    pub fn interactions(&self) -> impl Iterator<Item = Interaction> + '_ {
        (0..self.users() as u32).flat_map(|user| {
            self.history(user).iter().map(move |e| Interaction {
                user,
                item: e.item,
                weight: e.weight,
                at: e.at,
            })
        })
    }

    /// Time of the newest event.
    pub fn newest(&self) -> Option<i64> {
        self.events.iter().map(|e| e.at).max()
    }

    /// The same with time counted in events back from each viewer's last one, which is 0: for data whose times mean
    /// nothing, so that trending still means "late in the histories".
    pub fn with_ages(mut self) -> Self {
        for bounds in self.offsets.windows(2) {
            let history = &mut self.events[bounds[0]..bounds[1]];
            for (age, event) in history.iter_mut().rev().enumerate() {
                event.at = -(age as i64);
            }
        }
        self
    }

    /// The same with every time without any event cut to `longest`, the newest event staying where it is: what was lively
    /// before years of silence still is the newest there is.
    pub fn without_silence(&self, longest: i64) -> Self {
        let mut times: Vec<i64> = self.events.iter().map(|event| event.at).collect();
        times.sort_unstable();
        times.dedup();
        let mut moved = times.clone();
        for index in (1..times.len()).rev() {
            let gap = times[index].saturating_sub(times[index - 1]).min(longest.max(1));
            moved[index - 1] = moved[index] - gap;
        }
        let mut calm = self.clone();
        for event in &mut calm.events {
            event.at = moved[times.partition_point(|time| *time < event.at)];
        }
        calm
    }

    /// The same index with only the interactions that `keep` wants; positions within a history close up.
    pub fn filtered(&self, mut keep: impl FnMut(&Interaction) -> bool) -> Self {
        let kept: Vec<_> = self.interactions().filter(|i| keep(i)).collect();
        Self::from_sorted(self.users(), self.items, &kept)
    }

    /// Repeatedly drops viewers with fewer than `user_min` and titles with fewer than `item_min` events until none
    /// is left, then renumbers densely in the old order.
    pub fn k_core(&self, user_min: usize, item_min: usize) -> Core {
        let mut current = self.clone();
        loop {
            let before = current.len();
            let (by_user, by_item) = (current.clone(), current.clone());
            current = current.filtered(|i| {
                by_user.history(i.user).len() >= user_min && by_item.occurrences(i.item).len() >= item_min
            });
            if current.len() == before {
                return current.compacted();
            }
        }
    }

    fn compacted(&self) -> Core {
        let users: Vec<u32> = (0..self.users() as u32)
            .filter(|&u| !self.history(u).is_empty())
            .collect();
        let items: Vec<u32> = (0..self.items as u32)
            .filter(|&i| !self.occurrences(i).is_empty())
            .collect();
        let mut new_user = vec![0u32; self.users()];
        let mut new_item = vec![0u32; self.items];
        for (new, &old) in users.iter().enumerate() {
            new_user[old as usize] = new as u32;
        }
        for (new, &old) in items.iter().enumerate() {
            new_item[old as usize] = new as u32;
        }
        let renumbered: Vec<_> = self
            .interactions()
            .map(|i| Interaction {
                user: new_user[i.user as usize],
                item: new_item[i.item as usize],
                ..i
            })
            .collect();
        Core {
            dataset: Self::from_sorted(users.len(), items.len(), &renumbered),
            users,
            items,
        }
    }
}

/// A k-core with the way back to the original indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Core {
    /// The renumbered interactions.
    pub dataset: Dataset,
    /// Original viewer index by new index.
    pub users: Vec<u32>,
    /// Original title index by new index.
    pub items: Vec<u32>,
}

impl Interaction {
    /// The event without its viewer.
    pub fn event(&self) -> Event {
        Event {
            item: self.item,
            weight: self.weight,
            at: self.at,
        }
    }
}

fn accumulate(counts: &mut [usize]) {
    for index in 1..counts.len() {
        counts[index] += counts[index - 1];
    }
}
