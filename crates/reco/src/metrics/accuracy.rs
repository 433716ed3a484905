//! What a ranking finds of what was wanted.

/// Found targets among the first `k`, divided by min(k, number of targets) (Liang et al. 2018); 0..=1.
pub fn recall_at(ranked: &[u32], targets: &[u32], k: usize) -> f32 {
    let possible = k.min(targets.len());
    if possible == 0 {
        return 0.0;
    }
    hits(ranked, targets, k) as f32 / possible as f32
}

/// 1 where at least one target is among the first `k`.
pub fn hit_rate_at(ranked: &[u32], targets: &[u32], k: usize) -> f32 {
    f32::from(u8::from(hits(ranked, targets, k) > 0))
}

/// Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002): Σ 1/log₂(rank + 2) over found targets, rank from 0,
/// divided by the best possible value; 0..=1.
pub fn ndcg_at(ranked: &[u32], targets: &[u32], k: usize) -> f32 {
    let discount = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
    let ideal: f64 = (0..k.min(targets.len())).map(discount).sum();
    if ideal == 0.0 {
        return 0.0;
    }
    let ranks = ranked.iter().take(k).enumerate();
    // Not `sum`, which is -0 where nothing is found.
    let gain = ranks
        .filter(|(_, item)| targets.contains(item))
        .fold(0.0, |sum, (rank, _)| sum + discount(rank));
    (gain / ideal) as f32
}

fn hits(ranked: &[u32], targets: &[u32], k: usize) -> usize {
    let first = ranked.iter().take(k);
    first.filter(|item| targets.contains(item)).count()
}
