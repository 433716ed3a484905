//! Near-duplicates stand apart: in a row, between two titles of one franchise are always others.

use super::ITEMS_MIN;

/// Titles between two of one franchise, at least.
const BETWEEN: usize = 4;
/// Titles that wait for their place; what comes when so many wait is left to other rows.
const WAITING_MAX: usize = 8;

/// Lengthens `row` to `length` by `slots` in their order, but that a title too close behind one of its franchise waits until others
/// stand between. What waits in vain is left out, unless the row were nothing without it.
pub fn lengthen(
    row: &mut Vec<u32>,
    slots: impl Iterator<Item = u32>,
    length: usize,
    franchise: impl Fn(u32) -> Option<u32>,
) {
    let is_apart = |row: &[u32], slot: u32| {
        let Some(own) = franchise(slot) else { return true };
        let near = &row[row.len().saturating_sub(BETWEEN)..];
        near.iter().all(|other| franchise(*other) != Some(own))
    };
    let mut waiting: Vec<u32> = Vec::new();
    for slot in slots {
        if row.len() >= length {
            return;
        }
        if is_apart(row, slot) {
            row.push(slot);
        } else if waiting.len() < WAITING_MAX {
            waiting.push(slot);
        }
        while row.len() < length
            && let Some(at) = waiting.iter().position(|slot| is_apart(row, *slot))
        {
            row.push(waiting.remove(at));
        }
    }
    let few = ITEMS_MIN.min(length).saturating_sub(row.len());
    row.extend(waiting.into_iter().take(few));
}

/// The first of each franchise among `slots`, and none of a franchise of `row`.
pub fn unlike(slots: impl Iterator<Item = u32>, row: &[u32], franchise: impl Fn(u32) -> Option<u32>) -> Vec<u32> {
    let mut taken: Vec<u32> = row.iter().filter_map(|slot| franchise(*slot)).collect();
    let is_new = |slot: &u32| match franchise(*slot) {
        Some(own) if taken.contains(&own) => false,
        Some(own) => {
            taken.push(own);
            true
        }
        None => true,
    };
    slots.filter(is_new).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Slots of one ten are of one franchise; from a hundred on there is none.
    fn franchise(slot: u32) -> Option<u32> {
        (slot < 100).then_some(slot / 10)
    }

    fn lengthened(slots: &[u32], length: usize) -> Vec<u32> {
        let mut row = Vec::new();
        lengthen(&mut row, slots.iter().copied(), length, franchise);
        row
    }

    #[test]
    fn sequels_wait_for_others_to_stand_between() {
        let row = lengthened(&[10, 11, 12, 100, 101, 102, 103, 104, 105, 106, 107, 108], 40);
        assert_eq!(row, [10, 100, 101, 102, 103, 11, 104, 105, 106, 107, 12, 108]);
    }

    #[test]
    fn where_there_is_nothing_else_a_short_row_has_them() {
        assert_eq!(lengthened(&[10, 11, 12, 13, 14], 40), [10, 11, 12]);
        assert_eq!(lengthened(&[10, 11], 40), [10, 11]);
        assert_eq!(lengthened(&[10, 11, 100, 101], 40), [10, 100, 101]);
    }

    #[test]
    fn the_lot_brings_no_sequel_of_the_row() {
        let row = [10, 100, 20];
        let slots = [11, 30, 31, 101, 22, 102].into_iter();
        assert_eq!(unlike(slots, &row, franchise), [30, 101, 102]);
    }

    proptest! {
        #[test]
        fn two_of_a_franchise_never_stand_close(
            slots in Just((0u32..160).collect::<Vec<_>>()).prop_shuffle(),
            first in 0usize..30,
            length in 0usize..60,
        ) {
            let mut row = lengthened(&slots[..80], first);
            lengthen(&mut row, slots[80..].iter().copied(), length, franchise);
            prop_assert!(row.len() <= first.max(length));
            if row.len() > ITEMS_MIN {
                for (at, slot) in row.iter().enumerate() {
                    let near = &row[at.saturating_sub(BETWEEN)..at];
                    prop_assert!(franchise(*slot).is_none() || near.iter().all(|other| franchise(*other) != franchise(*slot)));
                }
            }
            // In the order of the source, but for those that had to wait.
            let free: Vec<&u32> = row.iter().take(first).filter(|slot| franchise(**slot).is_none()).collect();
            let order: Vec<&u32> = slots[..80].iter().filter(|slot| franchise(**slot).is_none()).take(free.len()).collect();
            prop_assert_eq!(free, order);
        }
    }
}
