//! The features that trees ask about, by column.

use super::Bases;
use super::features::{FEATURES, KINDS, RankingBuffers, SIGNALS, Signal};
use super::traits::{self, TRAITS};
use crate::dataset::Event;
use crate::linalg::sum;

/// Newest events whose own followers are looked at.
pub const TRANSITIONS: usize = 6;
/// Newest events whose own EASE weights are looked at.
const WEIGHTS: usize = 3;
/// Of a signal's block, what is worth a question: the scaled value and the rank.
const KEPT: [usize; 2] = [0, 3];
/// Columns per candidate.
pub const COLUMNS: usize = SIGNALS.len() * KEPT.len() + SIGNALS.len() + TRANSITIONS + WEIGHTS + 2 * TRAITS + 2;

/// Name of a column.
pub fn name(column: usize) -> String {
    let mut names = Vec::with_capacity(COLUMNS);
    for signal in SIGNALS {
        names.extend(["value", "rank"].map(|kind| format!("{signal:?}.{kind}")));
    }
    names.extend(SIGNALS.iter().map(|signal| format!("{signal:?}.raw")));
    names.extend((1..=TRANSITIONS).map(|age| format!("after.{age}")));
    names.extend((1..=WEIGHTS).map(|age| format!("weight.{age}")));
    names.extend(traits::NAMES.map(|name| format!("title.{name}")));
    names.extend(traits::NAMES.map(|name| format!("unlike.{name}")));
    names.extend(["history.length".to_owned(), "history.liked".to_owned()]);
    names.swap_remove(column)
}

/// What a column speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What a model says.
    Signal(Signal),
    /// One of the newest liked events, by its age: 0 for the newest.
    Event(usize),
    /// The title's age and decade, what the viewer leans to, the length of the history.
    Other,
}

/// What each column speaks of, in their order.
pub fn subjects() -> Vec<Subject> {
    let mut subjects = Vec::with_capacity(COLUMNS);
    let signals = || SIGNALS.into_iter().map(Subject::Signal);
    subjects.extend(signals().flat_map(|signal| [signal; KEPT.len()]));
    subjects.extend(signals());
    subjects.extend((0..TRANSITIONS).map(Subject::Event));
    subjects.extend((0..WEIGHTS).map(Subject::Event));
    subjects.extend(traits::NAMES.map(|name| match name {
        "count" | "liked" => Subject::Signal(Signal::Popularity),
        "idle" | "burst" | "season" => Subject::Signal(Signal::Trending),
        _ => Subject::Other,
    }));
    subjects.resize(COLUMNS, Subject::Other);
    subjects
}

/// The columns of one viewer's candidates, reused.
#[derive(Default)]
pub struct Columns {
    /// `[COLUMNS × candidates]`.
    values: Vec<f32>,
    /// Place of a title among the candidates plus one, zero for the others.
    local: Vec<u32>,
}

impl Columns {
    /// The columns of the candidate at `place`; empty where none were filled.
    pub fn row(&self, place: usize, count: usize) -> impl Iterator<Item = f32> + '_ {
        self.values.chunks_exact(count.max(1)).map(move |column| column[place])
    }

    /// The columns of the mean candidate of `count`.
    pub fn mean_row(&self, count: usize) -> Vec<f32> {
        let columns = self.values.chunks_exact(count.max(1));
        columns.map(|column| sum(column) / count.max(1) as f32).collect()
    }

    /// Fills all columns; `rows` are the linear features `[candidates × FEATURES]`.
    pub fn fill(&mut self, bases: &Bases, history: &[Event], buffers: &RankingBuffers) -> &[f32] {
        let (candidates, rows) = buffers.gathered();
        let count = candidates.len();
        self.values.clear();
        self.values.resize(COLUMNS * count, 0.0);
        let mut columns = self.values.chunks_exact_mut(count.max(1));
        for signal in 0..SIGNALS.len() {
            for kind in KEPT {
                let Some(column) = columns.next() else { break };
                for (value, row) in column.iter_mut().zip(rows.chunks_exact(FEATURES)) {
                    *value = row[signal * KINDS + kind];
                }
            }
        }
        for signal in 0..SIGNALS.len() {
            let Some(column) = columns.next() else { break };
            buffers.raw(signal, bases, column);
        }
        self.local.resize(bases.items(), 0);
        for (place, &item) in candidates.iter().enumerate() {
            self.local[item as usize] = place as u32 + 1;
        }
        let newest = || history.iter().rev().filter(|event| event.weight > 0.0);
        let mut events = newest();
        for column in columns.by_ref().take(TRANSITIONS) {
            if let Some(event) = events.next() {
                spread(&self.local, bases.cooccurrence.followers(event.item), column);
            }
        }
        let mut events = newest();
        for column in columns.by_ref().take(WEIGHTS) {
            if let Some(event) = events.next() {
                let (items, weights) = bases.ease.weights().row(event.item);
                spread(&self.local, items.iter().copied().zip(weights.iter().copied()), column);
            }
        }
        candidates.iter().for_each(|&item| self.local[item as usize] = 0);
        let leaning = bases.traits.leaning(history);
        for (index, column) in columns.by_ref().take(TRAITS).enumerate() {
            for (value, &item) in column.iter_mut().zip(candidates) {
                *value = bases.traits.of(item)[index];
            }
        }
        for (index, column) in columns.by_ref().take(TRAITS).enumerate() {
            for (value, &item) in column.iter_mut().zip(candidates) {
                *value = bases.traits.of(item)[index] - leaning[index];
            }
        }
        let liked = newest().count() as f32 / history.len().max(1) as f32;
        for (column, value) in columns.zip([(history.len() as f32).ln_1p(), liked]) {
            column.fill(value);
        }
        &self.values
    }
}

/// Writes the values of those titles that are candidates.
fn spread(local: &[u32], values: impl Iterator<Item = (u32, f32)>, column: &mut [f32]) {
    for (item, value) in values {
        if let Some(place) = local[item as usize].checked_sub(1) {
            column[place as usize] = value;
        }
    }
}
