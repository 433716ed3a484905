//! What rankings show, whether it is found or not: how much of the catalogue, how evenly, how unknown, how varied, how like the
//! viewer's own mix.

use crate::select::ItemSet;

/// The share of a viewer's own mix that is put into a list's, so that a genre that the list lacks costs much and not
/// infinitely much (α in Steck 2018).
const SMOOTHING: f64 = 0.01;

/// Share of the catalogue that appears among anybody's first `k`; 0..=1.
pub fn coverage_at<'a>(rankings: impl IntoIterator<Item = &'a [u32]>, items: usize, k: usize) -> f32 {
    let mut shown = ItemSet::new(items);
    for ranked in rankings {
        ranked.iter().take(k).for_each(|&item| shown.insert(item));
    }
    shown.len() as f32 / items.max(1) as f32
}

/// How often each title appears among anybody's first `k`, shape `[items]`; titles outside the catalogue are not counted.
pub fn exposure_at<'a>(rankings: impl IntoIterator<Item = &'a [u32]>, items: usize, k: usize) -> Vec<u64> {
    let mut shown = vec![0; items];
    for ranked in rankings {
        for &item in ranked.iter().take(k) {
            if let Some(count) = shown.get_mut(item as usize) {
                *count += 1;
            }
        }
    }
    shown
}

/// Gini index of exposure over the whole catalogue: 0 where every title is shown as often, 1 where one title is shown alone
/// (Fleder & Hosanagar 2009; with the n − 1 of Shani & Gunawardana 2011, "Evaluating recommendation systems", so that 1 is
/// reached). Σⱼ (2j − n − 1) xⱼ / ((n − 1) Σ x), x ascending, j from 1. Zero for fewer than two titles or nothing shown.
pub fn gini(exposure: &[u64]) -> f64 {
    let (count, total) = (exposure.len() as f64, exposure.iter().sum::<u64>() as f64);
    if exposure.len() < 2 || total == 0.0 {
        return 0.0;
    }
    let mut ascending = exposure.to_vec();
    ascending.sort_unstable();
    let ranked = (1..=exposure.len()).zip(ascending);
    let sum: f64 = ranked.map(|(j, x)| (2.0 * j as f64 - count - 1.0) * x as f64).sum();
    sum / ((count - 1.0) * total)
}

/// Self-information of each title in bits, −log₂ of the share of viewers that have it, shape of `viewers_by_title`. A title of
/// nobody counts as one of one viewer, else it would be infinitely novel.
pub fn information_of(viewers_by_title: &[f32], viewers: usize) -> Vec<f32> {
    let all = viewers.max(1) as f32;
    let bits = |&count: &f32| (all / count.clamp(1.0, all)).log2();
    viewers_by_title.iter().map(bits).collect()
}

/// Novelty: mean self-information of the first `k` titles (Zhou et al. 2010; Vargas & Castells, RecSys 2011, without
/// discount), see [`information_of`]. `None` for an empty list.
pub fn novelty_at(ranked: &[u32], information: &[f32], k: usize) -> Option<f32> {
    let first = ranked.iter().take(k).filter_map(|&item| information.get(item as usize));
    let (mut sum, mut count) = (0.0, 0u32);
    for bits in first {
        sum += f64::from(*bits);
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)) as f32)
}

/// p(genre | titles) of Steck 2018: each title's weight is divided evenly among its genres; shares by genre, sum 1. Titles
/// without a genre or with a weight that is not positive do not count; `None` where none does.
pub fn mix_of<'a>(titles: impl IntoIterator<Item = (&'a [u32], f32)>, genres: usize) -> Option<Vec<f64>> {
    let mut shares = vec![0f64; genres];
    let mut total = 0f64;
    for (of_title, weight) in titles {
        if weight > 0.0 && !of_title.is_empty() {
            let part = f64::from(weight) / of_title.len() as f64;
            of_title.iter().for_each(|&genre| shares[genre as usize] += part);
            total += f64::from(weight);
        }
    }
    shares.iter_mut().for_each(|share| *share /= total);
    (total > 0.0).then_some(shares)
}

/// Kullback–Leibler divergence in nats of a list's genre mix from the viewer's own (C_KL in Steck, "Calibrated
/// recommendations", RecSys 2018): 0 where the list mirrors the viewer, greater the less it does, at most −ln 0.01. Both as
/// [`mix_of`] gives them.
pub fn miscalibration(viewer: &[f64], list: &[f64]) -> f32 {
    let pairs = viewer.iter().zip(list).filter(|(own, _)| **own > 0.0);
    let term = |(&own, &shown): (&f64, &f64)| own * (own / ((1.0 - SMOOTHING) * shown + SMOOTHING * own)).ln();
    pairs.map(term).sum::<f64>().max(0.0) as f32
}

/// Intra-list diversity: mean of 1 − similarity over all pairs of the first `k` titles (Ziegler et al. 2005, who sum the
/// similarity). Pairs of which `similarity` knows nothing do not count; `None` where none does.
pub fn diversity_at(ranked: &[u32], similarity: impl Fn(u32, u32) -> Option<f32>, k: usize) -> Option<f32> {
    let first = &ranked[..k.min(ranked.len())];
    let (mut sum, mut pairs) = (0f64, 0u32);
    for (place, &one) in first.iter().enumerate() {
        for &other in &first[place + 1..] {
            if let Some(similarity) = similarity(one, other) {
                sum += 1.0 - f64::from(similarity);
                pairs += 1;
            }
        }
    }
    (pairs > 0).then(|| (sum / f64::from(pairs)) as f32)
}
