//! Decayed directed co-occurrence: what people watch within a few steps after a title.
//!
//! `T[a, b] = Σ decay^(d−1)` over all pairs where b came d ≤ window events after a, normalised by the popularity of
//! b and the sum of row a. Counted, never fitted, so one event is one small update ([`Cooccurrence::observe`]).
//!
//! Sequential rules (Ludewig and Jannach 2018, "Evaluation of session-based recommendation algorithms": pairs in their order, worth 1/d
//! within a session) with an exponential decay instead, over whole histories; divided by `popularity(b)^α` as in Deshpande and Karypis
//! 2004, "Item-based top-N recommendation algorithms". Different from both: the row's sum has an exponent of its own, both have
//! an offset, and the newest `context` titles of a history are asked, each worth `context_decay` of the one after it.

use crate::codec::{TensorReader, TensorWriter};
use crate::dataset::{Dataset, Event};
use crate::error::{RecoError, Result};
use crate::model::{Contribution, Model, Scratch, sorted_contributions};
use crate::select::{Scored, best_first};
use crate::sparse::SparseMatrix;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

const NAME: &str = "cooccurrence";

/// How co-occurrence is counted and read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CooccurrenceSettings {
    /// Steps after an event that still count.
    pub window: usize,
    /// Weight of a step: `decay^(d − 1)`.
    pub decay: f32,
    /// Exponent of the popularity of the title that follows, (count + `column_offset`).
    pub column_exponent: f32,
    /// What the popularity of the title that follows is taken for greater: titles that few know are told apart less.
    pub column_offset: f32,
    /// Exponent of the sum of the row, (sum + `row_offset`).
    pub row_exponent: f32,
    /// What the sum of the row is taken for greater.
    pub row_offset: f32,
    /// Newest events of a history that are asked.
    pub context: usize,
    /// Weight of a history event by its age in events: `context_decay^age`.
    pub context_decay: f32,
    /// Followers kept per title; `None` keeps all.
    pub keep: Option<usize>,
    /// Share of the backward direction (b before a) that is counted as well, 0 for purely directed.
    pub backward: f32,
}

impl Default for CooccurrenceSettings {
    fn default() -> Self {
        Self {
            window: 10,
            decay: 0.8,
            column_exponent: 0.2,
            column_offset: 20.0,
            row_exponent: 0.8,
            row_offset: 1.0,
            context: 10,
            context_decay: 0.8,
            keep: None,
            backward: 0.0,
        }
    }
}

/// Followers of one title with their raw decayed counts, ascending by title.
type Row = Vec<(u32, f32)>;

/// Raw decayed counts by row, with the sums that normalise them.
///
/// What was counted in training is shared between clones; a clone that observes has its own copies of the rows that it changes and
/// of no others, so keeping one beside the model in service costs what has happened since.
#[derive(Clone, Debug, PartialEq)]
pub struct Cooccurrence {
    stored: Stored,
    /// As training counted them.
    rows: Arc<Vec<Row>>,
    /// Whole rows that events have changed since, instead of those above.
    changed: HashMap<u32, Arc<Row>>,
    row_sums: Vec<f32>,
    popularity: Vec<f32>,
    /// `(popularity + column_offset)^−column_exponent`, kept up to date.
    column_factors: Vec<f32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    items: usize,
    settings: CooccurrenceSettings,
}

impl Cooccurrence {
    /// Counts all pairs of positive events within the window.
    pub fn train(data: &Dataset, settings: CooccurrenceSettings) -> Result<Self> {
        let offsets = settings.column_offset.min(settings.row_offset);
        if settings.window == 0 || !(0.0..=1.0).contains(&settings.decay) || offsets <= 0.0 {
            let text = "co-occurrence needs a window ≥ 1, a decay within 0..=1 and offsets above 0";
            return Err(RecoError::Config(text.into()));
        }
        let popularity = data.popularity();
        let column_factors = popularity
            .iter()
            .map(|&count| column_factor(count, &settings))
            .collect();
        let mut model = Self {
            stored: Stored {
                items: data.items(),
                settings,
            },
            rows: Arc::default(),
            changed: HashMap::new(),
            row_sums: Vec::new(),
            popularity,
            column_factors,
        };
        let (rows, sums): (Vec<Row>, Vec<f32>) = (0..data.items() as u32)
            .into_par_iter()
            .with_min_len(32)
            .map_init(
                || vec![0f32; data.items()],
                |sums, item| model.count_row(data, item, sums),
            )
            .unzip();
        model.rows = Arc::new(rows);
        model.row_sums = sums;
        Ok(model)
    }

    /// One row of counts; `sums` is all zero before and after.
    fn count_row(&self, data: &Dataset, item: u32, sums: &mut [f32]) -> (Row, f32) {
        let mut touched = Vec::new();
        for &occurrence in data.occurrences(item) {
            let own = data.event(occurrence).weight;
            if own <= 0.0 {
                continue;
            }
            let history = data.history(occurrence.user);
            let (before, from) = history.split_at(occurrence.position as usize);
            let mut count = |event: &Event, gain: f32| {
                if event.weight > 0.0 && gain > 0.0 {
                    let sum = &mut sums[event.item as usize];
                    if *sum == 0.0 {
                        touched.push(event.item);
                    }
                    *sum += own * event.weight * gain;
                }
            };
            let settings = &self.stored.settings;
            let mut gain = 1.0;
            for step in 0..settings.window {
                if let Some(event) = from.get(step + 1) {
                    count(event, gain);
                }
                if let Some(event) = before.iter().rev().nth(step) {
                    count(event, gain * settings.backward);
                }
                gain *= settings.decay;
            }
        }
        touched.sort_unstable();
        let take = |&b: &u32| (b, std::mem::take(&mut sums[b as usize]));
        let cells: Row = touched.iter().map(take).collect();
        let total = cells.iter().map(|c| c.1).sum();
        (self.pruned(cells), total)
    }

    /// Keeps the followers that score highest.
    fn pruned(&self, mut cells: Row) -> Row {
        if let Some(keep) = self.stored.settings.keep
            && cells.len() > keep.max(1)
        {
            let strength = |c: &(u32, f32)| c.1 * self.column_factors[c.0 as usize];
            cells.select_nth_unstable_by(keep.max(1) - 1, |a, b| {
                strength(b).total_cmp(&strength(a)).then(a.0.cmp(&b.0))
            });
            cells.truncate(keep.max(1));
            cells.sort_unstable_by_key(|c| c.0);
            cells.shrink_to_fit();
        }
        cells
    }

    /// The same counts over at least `items` titles; those that are new have none yet.
    pub(crate) fn with_items(&self, items: usize) -> Self {
        let mut wider = self.clone();
        let items = items.max(self.stored.items);
        wider.stored.items = items;
        wider.row_sums.resize(items, 0.0);
        wider.popularity.resize(items, 0.0);
        wider
            .column_factors
            .resize(items, column_factor(0.0, &self.stored.settings));
        wider
    }

    /// Whether a title's followers are those of `other`, of the same training: no event has changed them in one of the two only.
    pub fn has_row_of(&self, other: &Self, item: u32) -> bool {
        match (self.changed.get(&item), other.changed.get(&item)) {
            (None, None) => true,
            (Some(own), Some(others)) => Arc::ptr_eq(own, others),
            _ => false,
        }
    }

    /// Cells of the rows that events have changed since training: what is held beside the trained ones.
    pub fn changed_cells(&self) -> usize {
        self.changed.values().map(|row| row.len()).sum()
    }

    /// A title's followers with their counts; none for a title outside the catalogue.
    fn row(&self, item: u32) -> &[(u32, f32)] {
        match self.changed.get(&item) {
            Some(row) => row,
            None => self.rows.get(item as usize).map_or(&[][..], Vec::as_slice),
        }
    }

    /// Counts one more event of a viewer whose earlier history is `history`, oldest first.
    pub fn observe(&mut self, history: &[Event], event: Event) {
        let settings = self.stored.settings;
        if event.item as usize >= self.stored.items || event.weight <= 0.0 {
            return;
        }
        let mut gain = event.weight;
        for earlier in history.iter().rev().take(settings.window) {
            let known = (earlier.item as usize) < self.stored.items;
            if known && earlier.weight > 0.0 && earlier.item != event.item {
                self.add(earlier.item, event.item, gain * earlier.weight);
                self.add(event.item, earlier.item, gain * earlier.weight * settings.backward);
            }
            gain *= settings.decay;
        }
        let count = &mut self.popularity[event.item as usize];
        *count += 1.0;
        self.column_factors[event.item as usize] = column_factor(*count, &settings);
    }

    fn add(&mut self, from: u32, to: u32, gain: f32) {
        if gain <= 0.0 {
            return;
        }
        let rows = &self.rows;
        let counted = || Arc::new(rows.get(from as usize).cloned().unwrap_or_default());
        let row = Arc::make_mut(self.changed.entry(from).or_insert_with(counted));
        match row.binary_search_by_key(&to, |c| c.0) {
            Ok(at) => row[at].1 += gain,
            Err(at) => row.insert(at, (to, gain)),
        }
        self.row_sums[from as usize] += gain;
    }

    /// Places of the context events in the history with their weight, row normalisation included; newest first.
    pub(crate) fn context<'a>(&'a self, history: &'a [Event]) -> impl Iterator<Item = (usize, f32)> + 'a {
        let settings = &self.stored.settings;
        let newest = history.iter().enumerate().rev().take(settings.context).enumerate();
        newest
            .filter(|(_, (_, event))| (event.item as usize) < self.stored.items)
            .map(move |(age, (place, event))| {
                let decay = settings.context_decay.powi(age as i32);
                (place, event.weight * decay * self.row_factor(event.item))
            })
    }

    /// What the sum of a title's row makes of its counts; zero for a title outside the catalogue.
    pub(crate) fn row_factor(&self, item: u32) -> f32 {
        let sum = self.row_sums.get(item as usize);
        sum.map_or(0.0, |sum| {
            (sum + self.stored.settings.row_offset).powf(-self.stored.settings.row_exponent)
        })
    }

    /// How often `to` follows `from`, normalised by the popularity of `to`; zero outside the catalogue.
    pub(crate) fn count(&self, from: u32, to: u32) -> f32 {
        let row = self.row(from);
        let at = row.binary_search_by_key(&to, |cell| cell.0);
        at.map_or(0.0, |at| row[at].1 * self.column_factors[to as usize])
    }

    /// What follows one title: titles and normalised strengths; nothing for a title outside the catalogue.
    pub fn followers(&self, item: u32) -> impl Iterator<Item = (u32, f32)> + '_ {
        let factor = self.row_factor(item);
        self.row(item)
            .iter()
            .map(move |&(follower, count)| (follower, factor * count * self.column_factors[follower as usize]))
    }

    /// Adds the followers of one title to `out`, normalised, times `weight`.
    pub fn add_followers(&self, item: u32, weight: f32, out: &mut [f32]) {
        self.followers(item)
            .for_each(|(follower, strength)| out[follower as usize] += weight * strength);
    }

    /// Reads what [`Model::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let reader = TensorReader::new(NAME, bytes)?;
        let stored: Stored = reader.settings(NAME)?;
        let counts = SparseMatrix::read("counts", &reader, stored.items)?;
        let rows = (0..stored.items as u32).map(|row| {
            let (columns, values) = counts.row(row);
            columns.iter().copied().zip(values.iter().copied()).collect()
        });
        let popularity = reader.f32("popularity", stored.items)?;
        let row_sums = reader.f32("row_sums", stored.items)?;
        if popularity.iter().chain(&row_sums).any(|&v| v < 0.0) {
            return Err(reader.error("a count is negative"));
        }
        let column_factors = popularity
            .iter()
            .map(|&count| column_factor(count, &stored.settings))
            .collect();
        Ok(Self {
            rows: Arc::new(rows.collect()),
            changed: HashMap::new(),
            row_sums,
            popularity,
            column_factors,
            stored,
        })
    }
}

fn column_factor(count: f32, settings: &CooccurrenceSettings) -> f32 {
    (count + settings.column_offset).powf(-settings.column_exponent)
}

impl Model for Cooccurrence {
    fn name(&self) -> &'static str {
        NAME
    }

    fn items(&self) -> usize {
        self.stored.items
    }

    fn score(&self, history: &[Event], _scratch: &mut Scratch, out: &mut [f32]) {
        out.fill(0.0);
        for (place, weight) in self.context(history) {
            for &(follower, count) in self.row(history[place].item) {
                out[follower as usize] += weight * count * self.column_factors[follower as usize];
            }
        }
    }

    fn similar(&self, item: u32, k: usize) -> Vec<Scored> {
        let mut list: Vec<Scored> = self
            .row(item)
            .iter()
            .filter(|cell| cell.0 != item)
            .map(|&(follower, count)| Scored {
                item: follower,
                score: count * self.column_factors[follower as usize] * self.row_factor(item),
            })
            .collect();
        list.sort_unstable_by(best_first);
        list.truncate(k);
        list
    }

    fn explain(&self, history: &[Event], item: u32) -> Vec<Contribution> {
        let parts = self.context(history).map(|(place, weight)| Contribution {
            item: history[place].item,
            contribution: weight * self.count(history[place].item, item),
        });
        sorted_contributions(parts.collect())
    }

    fn additive(&self) -> bool {
        true
    }

    fn save(&self) -> Result<Vec<u8>> {
        let mut writer = TensorWriter::default();
        SparseMatrix::from_slices((0..self.stored.items as u32).map(|item| self.row(item)))
            .write("counts", &mut writer);
        writer.f32("popularity", &self.popularity);
        writer.f32("row_sums", &self.row_sums);
        writer.finish(NAME, &self.stored)
    }
}
