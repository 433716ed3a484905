//! Sets of titles and partial top-k selection.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A title with its score; higher is better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Dense title index.
    pub item: u32,
    /// Score, finite; comparable only within one answer.
    pub score: f32,
}

/// A set of title indices as bits. Out-of-range indices are ignored on insert and never contained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemSet {
    words: Vec<u64>,
    items: usize,
}

impl ItemSet {
    /// An empty set over `items` titles.
    pub fn new(items: usize) -> Self {
        Self {
            words: vec![0; items.div_ceil(64)],
            items,
        }
    }

    /// A set of the given titles.
    pub fn of(items: usize, members: impl IntoIterator<Item = u32>) -> Self {
        let mut set = Self::new(items);
        members.into_iter().for_each(|item| set.insert(item));
        set
    }

    /// Adds a title.
    pub fn insert(&mut self, item: u32) {
        if (item as usize) < self.items {
            self.words[item as usize / 64] |= 1 << (item % 64);
        }
    }

    /// Removes a title.
    pub fn remove(&mut self, item: u32) {
        if (item as usize) < self.items {
            self.words[item as usize / 64] &= !(1 << (item % 64));
        }
    }

    /// Adds all titles of another set.
    pub fn union(&mut self, other: &Self) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// Whether a title is in the set.
    #[inline]
    pub fn contains(&self, item: u32) -> bool {
        self.words
            .get(item as usize / 64)
            .is_some_and(|word| word >> (item % 64) & 1 == 1)
    }

    /// Empties the set and gives it room for `items` titles.
    pub fn reset(&mut self, items: usize) {
        self.words.clear();
        self.words.resize(items.div_ceil(64), 0);
        self.items = items;
    }

    /// Number of titles in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }
}

/// Best first; equal scores by lower index, so that the order never depends on the machine.
#[inline]
pub fn best_first(a: &Scored, b: &Scored) -> Ordering {
    b.score.total_cmp(&a.score).then(a.item.cmp(&b.item))
}

/// The best `k` of `scores` (shape `[items]`) that are not excluded, best first.
///
/// Keeps at most 2k values at a time and prunes by the running k-th best, so the cost is one pass over the scores.
pub fn top_k(scores: &[f32], k: usize, excluded: &ItemSet, best: &mut Vec<Scored>) {
    top_k_where(scores, k, |item| !excluded.contains(item), best);
}

/// Scores that are looked at together.
const BLOCK: usize = 32;

/// As [`top_k`] with any filter; `allowed` is asked only for titles whose score could enter.
pub fn top_k_where(scores: &[f32], k: usize, allowed: impl Fn(u32) -> bool, best: &mut Vec<Scored>) {
    best.clear();
    if k == 0 {
        return;
    }
    let full = k.saturating_mul(2).max(k + 32);
    let mut floor = f32::NEG_INFINITY;
    for (block, scores) in scores.chunks(BLOCK).enumerate() {
        // Without a way out inside, so that the compiler makes a few registers of it: hardly a block holds one of the best.
        let promising = scores.iter().fold(false, |any, &score| any | (score > floor));
        if !promising {
            continue;
        }
        for (item, &score) in ((block * BLOCK) as u32..).zip(scores) {
            if score > floor && allowed(item) {
                best.push(Scored { item, score });
                if best.len() >= full {
                    shrink(best, k);
                    floor = best[k - 1].score;
                }
            }
        }
    }
    shrink(best, k);
    best.sort_unstable_by(best_first);
}

/// Keeps the best `k`, the k-th best at index `k − 1`.
fn shrink(best: &mut Vec<Scored>, k: usize) {
    if best.len() > k {
        best.select_nth_unstable_by(k - 1, best_first);
        best.truncate(k);
    }
}
