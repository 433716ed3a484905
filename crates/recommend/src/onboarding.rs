//! Titles for a first visit: known by many, unlike each other, so that each answer says something new.

use contract::TitleId;

use crate::shelf::Shelf;

/// The well-known titles that are chosen from.
const POOL: usize = 300;

/// Greedy: each next title is the one that is best known among those least like the chosen ones.
pub fn choose(shelf: &Shelf, maturity_max: u8, limit: usize) -> Vec<TitleId> {
    let visible = |slot: &&u32| shelf.is_visible(**slot, maturity_max);
    let pool: Vec<u32> = shelf.lists.popular.iter().filter(visible).take(POOL).copied().collect();
    // Likeness to the nearest chosen title.
    let mut nearest = vec![0f32; pool.len()];
    let mut is_chosen = vec![false; pool.len()];
    let mut chosen = Vec::with_capacity(limit.min(pool.len()));
    while chosen.len() < limit.min(pool.len()) {
        let value = |index: usize| (1.0 - nearest[index]) * (1.0 - 0.5 * index as f32 / pool.len() as f32);
        let free = (0..pool.len()).filter(|index| !is_chosen[*index]);
        let Some(best) = free.max_by(|a, b| value(*a).total_cmp(&value(*b)).then(b.cmp(a))) else {
            break;
        };
        is_chosen[best] = true;
        chosen.push(shelf.titles.id(pool[best]));
        for (index, slot) in pool.iter().enumerate() {
            nearest[index] = nearest[index].max(likeness(shelf, *slot, pool[best]));
        }
    }
    chosen
}

/// 0 to 1: by taste where the model knows both, else by genres.
fn likeness(shelf: &Shelf, a: u32, b: u32) -> f32 {
    let items = shelf.item_of_slot(a).zip(shelf.item_of_slot(b));
    if let (Some(model), Some((a, b))) = (&shelf.model, items)
        && (a.max(b) as usize) < model.recommender.trained_items()
    {
        let ials = &model.recommender.bases().ials;
        return cosine(ials.vector(a), ials.vector(b)).max(0.0);
    }
    let (a, b) = (shelf.titles.masks[a as usize], shelf.titles.masks[b as usize]);
    (a & b).count_ones() as f32 / (a | b).count_ones().max(1) as f32
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}
