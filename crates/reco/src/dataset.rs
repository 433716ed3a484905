//! Interactions in compact form: by viewer in time order, and by title.

use crate::error::{RecoError, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

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
/// wins); fewer than 2³² of them. Titles without any interaction are part of the index: models may still score them from their
/// content. Clones, and what [`Self::until`] gives, share the events.
#[derive(Clone, Debug)]
pub struct Dataset {
    items: usize,
    events: Arc<Vec<Event>>,
    /// Where each viewer's events begin and end.
    spans: Vec<(u32, u32)>,
    item_offsets: Vec<usize>,
    occurrences: Arc<Vec<Occurrence>>,
}

impl PartialEq for Dataset {
    fn eq(&self, other: &Self) -> bool {
        let same = |user: u32| self.history(user) == other.history(user);
        (self.items, self.users()) == (other.items, other.users()) && (0..self.users() as u32).all(same)
    }
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
    /// Many short lists rather than one long one: a list that grows needs room for itself twice.
    parts: Vec<Vec<Interaction>>,
}

/// Interactions of one part of a builder.
const PART: usize = 1 << 16;

impl DatasetBuilder {
    /// A builder for at least `users` × `items`; larger indices widen it.
    pub fn new(users: usize, items: usize) -> Self {
        Self {
            users,
            items,
            parts: Vec::new(),
        }
    }

    /// Adds one interaction.
    pub fn push(&mut self, interaction: Interaction) {
        self.users = self.users.max(interaction.user as usize + 1);
        self.items = self.items.max(interaction.item as usize + 1);
        match self.parts.last_mut() {
            Some(part) if part.len() < PART => part.push(interaction),
            _ => self.parts.push(vec![interaction]),
        }
    }

    /// Sorts, removes duplicates and indexes. Ties in time keep the order of insertion.
    pub fn build(self) -> Result<Dataset> {
        let mut counts = vec![0usize; self.users + 1];
        for interaction in self.parts.iter().flatten() {
            if !interaction.weight.is_finite() {
                let Interaction { user, item, weight, .. } = interaction;
                let text = format!("viewer {user} title {item} has weight {weight}");
                return Err(RecoError::Data(text));
            }
            counts[interaction.user as usize + 1] += 1;
        }
        accumulate(&mut counts);
        let total = counts[self.users];
        if u32::try_from(total).is_err() {
            return Err(RecoError::Data(format!("{total} interactions are more than 2³²")));
        }
        let nothing = Event {
            item: 0,
            weight: 0.0,
            at: 0,
        };
        let mut events = vec![nothing; total];
        let mut next = counts.clone();
        for interaction in self.parts.into_iter().flatten() {
            let slot = &mut next[interaction.user as usize];
            events[*slot] = interaction.event();
            *slot += 1;
        }
        let spans = keep_newest(&mut events, &counts, self.items);
        Ok(Dataset::indexed(self.items, events, spans))
    }
}

/// Sorts each viewer's events by time, keeps the newest per title, and closes up; answers where each viewer's events now are.
fn keep_newest(events: &mut Vec<Event>, offsets: &[usize], items: usize) -> Vec<(u32, u32)> {
    let mut histories = Vec::with_capacity(offsets.len());
    let mut rest = events.as_mut_slice();
    for bounds in offsets.windows(2) {
        let (own, others) = rest.split_at_mut(bounds[1] - bounds[0]);
        histories.push(own);
        rest = others;
    }
    let kept: Vec<usize> = histories
        .into_par_iter()
        .enumerate()
        .with_min_len(1024)
        .map_init(
            || vec![u32::MAX; items],
            |seen_by, (user, history)| {
                history.sort_by_key(|event| event.at);
                let mut first = history.len();
                for index in (0..history.len()).rev() {
                    let seen_by = &mut seen_by[history[index].item as usize];
                    if std::mem::replace(seen_by, user as u32) != user as u32 {
                        first -= 1;
                        history[first] = history[index];
                    }
                }
                history.len() - first
            },
        )
        .collect();
    let mut end = 0;
    let spans = offsets.windows(2).zip(kept).map(|(bounds, kept)| {
        events.copy_within(bounds[1] - kept..bounds[1], end);
        let from = end;
        end += kept;
        (from as u32, end as u32)
    });
    let spans = spans.collect();
    events.truncate(end);
    spans
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

    fn indexed(items: usize, events: Vec<Event>, spans: Vec<(u32, u32)>) -> Self {
        let mut item_offsets = vec![0usize; items + 1];
        for event in &events {
            item_offsets[event.item as usize + 1] += 1;
        }
        accumulate(&mut item_offsets);
        let mut next = item_offsets.clone();
        let mut occurrences = vec![Occurrence { user: 0, position: 0 }; events.len()];
        for (user, &(from, to)) in (0..).zip(&spans) {
            for (position, event) in (0..).zip(&events[from as usize..to as usize]) {
                let slot = &mut next[event.item as usize];
                occurrences[*slot] = Occurrence { user, position };
                *slot += 1;
            }
        }
        Self {
            items,
            events: Arc::new(events),
            spans,
            item_offsets,
            occurrences: Arc::new(occurrences),
        }
    }

    /// Number of viewers, those without events included.
    pub fn users(&self) -> usize {
        self.spans.len()
    }

    /// Number of titles, those without events included.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Number of interactions.
    pub fn len(&self) -> usize {
        self.occurrences.len()
    }

    /// Whether there are no interactions at all.
    pub fn is_empty(&self) -> bool {
        self.occurrences.is_empty()
    }

    /// A viewer's events, oldest first. Empty for a viewer outside the index.
    pub fn history(&self, user: u32) -> &[Event] {
        let (from, to) = self.spans.get(user as usize).copied().unwrap_or_default();
        &self.events[from as usize..to as usize]
    }

    /// Where a title occurs, by viewer.
    pub fn occurrences(&self, item: u32) -> &[Occurrence] {
        self.occurrences_at(item).0
    }

    /// The same, and where they stand among those of all titles.
    pub(crate) fn occurrences_at(&self, item: u32) -> (&[Occurrence], std::ops::Range<usize>) {
        let item = item as usize;
        let span = self.item_offsets[item]..self.item_offsets[item + 1];
        (&self.occurrences[span.clone()], span)
    }

    /// The weights of all occurrences, by title: for whoever goes through them again and again, as each is far from the one before
    /// among the events.
    pub(crate) fn occurrence_weights(&self) -> Vec<f32> {
        self.occurrences
            .par_iter()
            .map(|occurrence| self.event(*occurrence).weight)
            .collect()
    }

    /// The event behind an occurrence.
    pub fn event(&self, occurrence: Occurrence) -> Event {
        self.events[(self.spans[occurrence.user as usize].0 + occurrence.position) as usize]
    }

    /// Number of events with positive weight per title, shape `[items]`.
    pub fn popularity(&self) -> Vec<f32> {
        let mut counts = vec![0f32; self.items];
        for event in self.histories().flatten().filter(|e| e.weight > 0.0) {
            counts[event.item as usize] += 1.0;
        }
        counts
    }

    /// All interactions, by viewer and time.
    pub fn interactions(&self) -> impl Iterator<Item = Interaction> + '_ {
        (0..)
            .zip(self.histories())
            .flat_map(|(user, history)| history.iter().map(move |event| event.of(user)))
    }

    /// The histories by viewer, those without events included.
    fn histories(&self) -> impl Iterator<Item = &[Event]> + '_ {
        (0..self.users() as u32).map(|user| self.history(user))
    }

    /// Time of the newest event.
    pub fn newest(&self) -> Option<i64> {
        self.histories().filter_map(|history| Some(history.last()?.at)).max()
    }

    /// The same with only the events up to and including the time `last`; shares the events.
    pub fn until(&self, last: i64) -> Self {
        let known = |(&(from, _), history): (&(u32, u32), &[Event])| {
            let count = history.partition_point(|event| event.at <= last);
            (from, from + count as u32)
        };
        let spans: Vec<(u32, u32)> = self.spans.iter().zip(self.histories()).map(known).collect();
        let is_known = |occurrence: &&Occurrence| {
            let (from, to) = spans[occurrence.user as usize];
            occurrence.position < to - from
        };
        let total = spans.iter().map(|(from, to)| (to - from) as usize).sum();
        let mut occurrences = Vec::with_capacity(total);
        let mut item_offsets = vec![0];
        for item in 0..self.items as u32 {
            occurrences.extend(self.occurrences(item).iter().filter(is_known));
            item_offsets.push(occurrences.len());
        }
        Self {
            items: self.items,
            events: Arc::clone(&self.events),
            spans,
            item_offsets,
            occurrences: Arc::new(occurrences),
        }
    }

    /// The same with time counted in events back from each viewer's last one, which is 0: for data whose times mean
    /// nothing, so that trending still means "late in the histories".
    pub fn with_ages(mut self) -> Self {
        let mut events = Arc::unwrap_or_clone(self.events);
        for &(from, to) in &self.spans {
            let history = &mut events[from as usize..to as usize];
            for (age, event) in history.iter_mut().rev().enumerate() {
                event.at = -(age as i64);
            }
        }
        self.events = Arc::new(events);
        self
    }

    /// The same with every time without any event cut to `longest`, the newest event staying where it is: what was lively
    /// before years of silence still is the newest there is. Shares the events where there is no such time.
    pub fn without_silence(&self, longest: i64) -> Self {
        let longest = longest.max(1);
        // First and last event of each stretch as long as the longest: a longer silence lies between two of them.
        let mut stretches: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for event in self.histories().flatten() {
            let (first, last) = stretches
                .entry(event.at.div_euclid(longest))
                .or_insert((event.at, event.at));
            (*first, *last) = ((*first).min(event.at), (*last).max(event.at));
        }
        let ends: Vec<(i64, i64)> = stretches.into_values().collect();
        // Before which time everything moves by how much, the newest first.
        let mut moves: Vec<(i64, i64)> = Vec::new();
        for pair in ends.windows(2).rev() {
            let ((_, before), (after, _)) = (pair[0], pair[1]);
            let excess = after.saturating_sub(before) - longest;
            if excess > 0 {
                let moved = moves.last().map_or(0, |(_, moved)| *moved);
                moves.push((before, excess.saturating_add(moved)));
            }
        }
        let mut calm = self.clone();
        if !moves.is_empty() {
            let mut events = Vec::clone(&self.events);
            for event in &mut events {
                let later = moves.partition_point(|(before, _)| *before >= event.at);
                let moved = later.checked_sub(1).map_or(0, |last| moves[last].1);
                event.at = event.at.saturating_add(moved);
            }
            calm.events = Arc::new(events);
        }
        calm
    }

    /// The same index with only the interactions that `keep` wants; positions within a history close up.
    pub fn filtered(&self, mut keep: impl FnMut(&Interaction) -> bool) -> Self {
        let mut events = Vec::new();
        let mut spans = Vec::with_capacity(self.users());
        for (user, history) in (0..).zip(self.histories()) {
            let from = events.len() as u32;
            events.extend(history.iter().filter(|event| keep(&event.of(user))));
            spans.push((from, events.len() as u32));
        }
        Self::indexed(self.items, events, spans)
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
        let mut new_item = vec![0u32; self.items];
        for (new, &old) in items.iter().enumerate() {
            new_item[old as usize] = new as u32;
        }
        let mut events = Vec::with_capacity(self.len());
        let mut spans = Vec::with_capacity(users.len());
        for &user in &users {
            let from = events.len() as u32;
            events.extend(self.history(user).iter().map(|event| Event {
                item: new_item[event.item as usize],
                ..*event
            }));
            spans.push((from, events.len() as u32));
        }
        Core {
            dataset: Self::indexed(items.len(), events, spans),
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

impl Event {
    fn of(&self, user: u32) -> Interaction {
        Interaction {
            user,
            item: self.item,
            weight: self.weight,
            at: self.at,
        }
    }
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
