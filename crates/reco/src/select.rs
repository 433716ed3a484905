//! Sets of titles, partial top-k selection, and even samples.

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

    /// The titles in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let words = self.words.iter().zip((0u32..).step_by(64));
        words.flat_map(|(&word, start)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.wrapping_sub(1);
                (bit < 64).then_some(start + bit)
            })
        })
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
    let mut keys: Vec<u64> = Vec::with_capacity(full.min(scores.len()));
    let mut floor = f32::NEG_INFINITY;
    for (block, scores) in scores.chunks(BLOCK).enumerate() {
        // Without a way out inside, so that the compiler makes a few registers of it: hardly a block holds one of the best.
        let promising = scores.iter().fold(false, |any, &score| any | (score > floor));
        if !promising {
            continue;
        }
        for (item, &score) in ((block * BLOCK) as u32..).zip(scores) {
            if score > floor && allowed(item) {
                keys.push(key(Scored { item, score }));
                if keys.len() >= full {
                    shrink(&mut keys, k);
                    floor = scored(keys[k - 1]).score;
                }
            }
        }
    }
    shrink(&mut keys, k);
    keys.sort_unstable();
    best.extend(keys.into_iter().map(scored));
}

/// Keeps the best `k`, the k-th best at index `k − 1`.
fn shrink(keys: &mut Vec<u64>, k: usize) {
    if keys.len() > k {
        keys.select_nth_unstable(k - 1);
        keys.truncate(k);
    }
}

/// One integer that is ordered as [`best_first`] orders: numbers are compared without a branch.
fn key(Scored { item, score }: Scored) -> u64 {
    // The two zeros are equal scores.
    let bits = (score + 0.0).to_bits();
    // The bits of negative numbers ascend as these fall; those of the others are turned, so that they do too, and stand before.
    let descending = if bits >> 31 == 1 { bits } else { !bits ^ 1 << 31 };
    u64::from(descending) << 32 | u64::from(item)
}

fn scored(key: u64) -> Scored {
    let descending = (key >> 32) as u32;
    let bits = if descending >> 31 == 1 {
        descending
    } else {
        !descending ^ 1 << 31
    };
    Scored {
        item: key as u32,
        score: f32::from_bits(bits),
    }
}

/// At most `most` of them, spread evenly: what a mean over a million viewers says, twenty thousand of them say too.
pub(crate) fn evenly<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(most.max(1)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_of_every_kind_are_ordered(
            scores in prop::collection::vec(NORMAL | SUBNORMAL | ZERO | POSITIVE | NEGATIVE, 0..300),
            k in 0usize..400,
        ) {
            let mut list = Vec::new();
            top_k(&scores, k, &ItemSet::default(), &mut list);
            let mut expected: Vec<Scored> = (0..).zip(&scores).map(|(item, &score)| Scored { item, score: score + 0.0 }).collect();
            expected.sort_by(best_first);
            expected.truncate(k);
            let bits = |list: &[Scored]| list.iter().map(|s| (s.item, s.score.to_bits())).collect::<Vec<_>>();
            prop_assert_eq!(bits(&list), bits(&expected));
        }
    }

    #[test]
    fn many_are_thinned_evenly_and_few_are_left_alone() {
        let of_ten = |most: usize| {
            evenly(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], most)
                .copied()
                .collect::<Vec<_>>()
        };
        assert_eq!(of_ten(10).len(), 10);
        assert_eq!(of_ten(5), [0, 2, 4, 6, 8]);
        assert_eq!(of_ten(4), [0, 3, 6, 9]);
        assert_eq!(of_ten(1), [0]);
        assert_eq!(evenly::<u32>(&[], 5).count(), 0);
    }
}
