//! A bounded share of *Top Picks* explores: at a few places stands a title from further down the ranking, by lot, and how likely that
//! was is told, so that what people did with it can be weighed (Bottou et al. 2013, "Counterfactual reasoning and learning systems").
//!
//! The places from the fourth on are cut into blocks of 1 / share. In each block one place is drawn, and gets a title drawn from the
//! band: the titles ranked behind those that rows are made of which stand nowhere on the page. Everything else of the page is made
//! before, so nothing else depends on the lot: a title that stands in its own place there has the propensity 1 − 1/block, a drawn one
//! 1 / (block · band), all others 1. There are as many blocks as the band has titles, so that there is one left to draw in each.

use contract::PageId;
use reco::random::SplitMix64;

/// The first places never explore.
const SURE: usize = 3;
/// A band with fewer titles is none: what stands there would soon be known by heart.
const BAND_MIN: usize = 5;
/// More than every second place would be no page any more; less than one in many pages teaches nothing.
const SHARE_MAX: f32 = 0.5;
const SHARE_MIN: f32 = 1e-5;

/// What the lot depends on: the same again for the same page.
#[derive(Debug, Clone, Copy)]
pub struct Lot {
    pub page: PageId,
    pub profile: contract::ProfileId,
    /// Of places that explore, 0 to 0.5.
    pub share: f32,
}

/// What the lot did to a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawn {
    /// The propensity of each place that has not 1, by position.
    pub propensities: Vec<(usize, f32)>,
    /// Places at which a title of the band stands, with the slot that stands there otherwise, by position.
    pub displaced: Vec<(usize, u32)>,
}

/// Puts titles of `band` into `row`, but never at place `kept`.
pub fn explore(lot: Lot, row: &mut [u32], band: &[u32], kept: usize) -> Drawn {
    if lot.share.is_nan() || lot.share <= 0.0 || band.len() < BAND_MIN || row.len() <= SURE {
        return Drawn::default();
    }
    let block = lot.share.clamp(SHARE_MIN, SHARE_MAX).recip().ceil() as usize;
    let mut random = SplitMix64::new(lot.page.0 as u64 ^ (lot.profile.0 as u64).rotate_left(32));
    let mut left = band.to_vec();
    let mut told = Drawn::default();
    let places = row.iter_mut().enumerate().skip(SURE);
    let mut drawn = 0;
    for (position, slot) in places.take(block.saturating_mul(band.len())) {
        if (position - SURE).is_multiple_of(block) {
            drawn = position + random.below(block);
        }
        if position == kept {
            continue;
        }
        let mut propensity = 1.0 - 1.0 / block as f32;
        if position == drawn {
            told.displaced.push((position, *slot));
            *slot = left.swap_remove(random.below(left.len()));
            propensity = 1.0 / (block * band.len()) as f32;
        }
        told.propensities.push((position, propensity));
    }
    told
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by it")]
mod tests {
    use std::collections::{HashMap, HashSet};

    use contract::ProfileId;
    use proptest::prelude::*;

    use super::*;

    fn lot(page: i64, share: f32) -> Lot {
        Lot {
            page: PageId(page),
            profile: ProfileId(7),
            share,
        }
    }

    /// Row 0..40, band 100..; what stands where, and what was told of it.
    fn drawn(lot: Lot, band: u32, kept: usize) -> (Vec<u32>, Drawn) {
        let mut row: Vec<u32> = (0..40).collect();
        let band: Vec<u32> = (100..100 + band).collect();
        let told = explore(lot, &mut row, &band, kept);
        (row, told)
    }

    proptest! {
        #[test]
        fn what_explores_is_bounded(page in any::<i64>(), share in -0.5f32..2.0, band in 0u32..60, kept in 0usize..45) {
            let (row, Drawn { propensities, displaced }) = drawn(lot(page, share), band, kept);
            let explored: Vec<usize> = (0..40).filter(|at| row[*at] >= 100).collect();
            prop_assert_eq!(displaced, explored.iter().map(|at| (*at, *at as u32)).collect::<Vec<_>>());
            let block = if share > 0.0 { (1.0 / share.clamp(1e-5, 0.5)).ceil() as usize } else { usize::MAX };
            prop_assert!(explored.len() <= 37usize.div_ceil(block).min(band as usize));
            prop_assert!(explored.iter().all(|at| *at >= 3 && *at != kept));
            prop_assert_eq!(row.iter().collect::<HashSet<_>>().len(), 40);
            let told: HashMap<usize, f32> = propensities.into_iter().collect();
            for (at, slot) in row.iter().enumerate() {
                let propensity = told.get(&at).copied().unwrap_or(1.0);
                prop_assert!(propensity > 0.0 && propensity <= 1.0);
                prop_assert!(*slot < 100 || propensity < 1.0 / block as f32);
            }
        }
    }

    #[test]
    fn the_same_page_explores_the_same_and_another_does_not() {
        assert_eq!(drawn(lot(5, 0.1), 20, 0), drawn(lot(5, 0.1), 20, 0));
        assert_ne!(drawn(lot(5, 0.1), 20, 0).0, drawn(lot(6, 0.1), 20, 0).0);
        assert_eq!(drawn(lot(5, 0.0), 20, 0).1, Drawn::default());
    }

    /// The propensity is what it says: over many pages, each title stands at each place as often as was told.
    #[test]
    fn over_many_pages_the_shares_are_the_propensities() {
        shares(0.1, 8, 36);
        shares(0.5, 5, 9);
    }

    /// So many places explore.
    fn shares(share: f32, band: u32, places: usize) {
        const PAGES: i64 = 40_000;
        let mut seen: HashMap<(usize, u32), (u32, f32)> = HashMap::new();
        for page in 0..PAGES {
            let (row, told) = drawn(lot(page << 22, share), band, 4);
            for (position, propensity) in told.propensities {
                let known = seen.entry((position, row[position])).or_insert((0, propensity));
                assert_eq!(known.1, propensity);
                known.0 += 1;
            }
        }
        // 36 places with their own title or one of eight, and where the band is small, none behind its last block.
        assert_eq!(seen.len(), places * (band as usize + 1));
        for (place, (times, propensity)) in seen {
            let expected = f64::from(propensity) * PAGES as f64;
            let deviation = (f64::from(times) - expected) / expected.sqrt();
            assert!(deviation.abs() < 5.0, "{place:?}: {times} times, {expected} expected");
        }
    }
}
