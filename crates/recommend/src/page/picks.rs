//! Ranking for one viewer: the model's order, moved a little by what the model does not know (video, preferences, dislikes), and
//! *Top Picks* calibrated to the viewer's mix of genres.

use std::collections::HashMap;

use contract::recommend::Viewer;
use reco::{Ranked, Scored, Scratch};

use super::RANKED;
use crate::{
    shelf::{Shelf, bits},
    taste::Taste,
    titles::{GENRES_MAX, kind_name},
};

/// How far a video, or the preferred kind of title, moves a title ahead; the best score is 1, the last ranked 0.
const PLAYABLE_BONUS: f32 = 0.03;
const KIND_BONUS: f32 = 0.03;
/// How far a title goes back that is the closest of all to one that was disliked.
const DISLIKE_MALUS: f32 = 0.5;
const DISLIKED_MAX: usize = 8;
const DISLIKED_NEIGHBOURS: usize = 30;
/// Share of the genre mix in *Top Picks* (Steck 2018, "Calibrated recommendations").
const CALIBRATION: f32 = 0.25;
/// What the lead of the best over the last is worth in chances where no model says it: the best is ten times as likely.
const COLD_NATS: f32 = 2.3;
/// Popular titles that are looked at where there is no model or no history.
const COLD_MAX: usize = 600;

/// A title that may be recommended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    pub slot: u32,
    /// 1 for the best, about 0 for the last of [`super::RANKED`].
    pub score: f32,
    /// The chance that it is the one that the viewer takes next, among those ranked: the softmax that the ranker learned to maximise
    /// for what was taken.
    pub chance: f32,
}

/// The best `count` titles for this viewer, the best first, and the model's own ranking that they come from, if they do.
pub fn ranked<'a>(
    shelf: &'a Shelf,
    viewer: &Viewer,
    taste: &'a Taste,
    count: usize,
    scratch: &'a mut Scratch,
) -> (Vec<Pick>, Option<Ranked<'a>>) {
    let chosen = of_chosen_genres(shelf, viewer, taste, count / 2, scratch);
    let ranking = shelf.model.as_ref().map(|model| {
        let allowed = allowed(shelf, viewer, taste);
        model.recommender.rank_where(&taste.history, count, &allowed, scratch)
    });
    let mut picks = match &ranking {
        Some(ranking) => {
            let scored = with_chosen(shelf, taste, ranking.list(), chosen, count);
            scaled(scored.into_iter())
        }
        None => by_genres(shelf, viewer, taste, count),
    };
    let nats = match &ranking {
        Some(ranking) => lead(ranking.list().iter().map(|scored| scored.score)),
        None => COLD_NATS,
    };
    adjust(shelf, viewer, taste, &mut picks);
    give_chances(&mut picks, nats);
    (picks, ranking)
}

/// Where nothing else is known, what the model ranks first of the genres that the viewer chose: a seldom one has no other way into the
/// ranking of what everybody watches.
fn of_chosen_genres(shelf: &Shelf, viewer: &Viewer, taste: &Taste, count: usize, scratch: &mut Scratch) -> Vec<Scored> {
    let Some(model) = shelf
        .model
        .as_ref()
        .filter(|_| taste.is_cold() && !taste.chosen.is_empty())
    else {
        return Vec::new();
    };
    let allowed = allowed(shelf, viewer, taste);
    let chosen = taste.chosen.iter().fold(0u64, |mask, bit| mask | 1 << bit);
    let is_of_them = |item: u32| allowed(item) && shelf.titles.masks[shelf.slot_of_item(item) as usize] & chosen != 0;
    let history = &taste.history;
    model.recommender.recommend_where(history, count, &is_of_them, scratch)
}

/// The model's order; with titles of genres that the viewer chose, `count` of both, by how much of what they chose a title is and by what
/// the model expects of it. Of new viewers of MovieTweetings' validation who chose the three genres that they liked most next, the page's
/// two-dimensional NDCG is .346 so, .310 by genres and renown; the model's order brought into the mix of genres alone finds far less.
fn with_chosen(shelf: &Shelf, taste: &Taste, list: &[Scored], chosen: Vec<Scored>, count: usize) -> Vec<(u32, f32)> {
    let slot = |scored: &Scored| shelf.slot_of_item(scored.item);
    if chosen.is_empty() {
        return list.iter().map(|scored| (slot(scored), scored.score)).collect();
    }
    let best = list.first().map_or(0.0, |scored| scored.score).max(f32::MIN_POSITIVE);
    let is_other = |scored: &&Scored| !chosen.iter().any(|other| other.item == scored.item);
    let others = list.iter().filter(is_other).take(count.saturating_sub(chosen.len()));
    let value = |scored: &Scored| {
        (
            slot(scored),
            liking(shelf, taste, slot(scored)) * (0.5 + scored.score / best),
        )
    };
    let mut both: Vec<(u32, f32)> = others.chain(&chosen).map(value).collect();
    both.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    both
}

/// How much of the viewer's mix of genres a title has; never nothing.
fn liking(shelf: &Shelf, taste: &Taste, slot: u32) -> f32 {
    let shares = bits(shelf.titles.masks[slot as usize]).map(|bit| taste.mix[bit]);
    0.1 + shares.sum::<f32>().min(1.0)
}

/// How far the best score is ahead of the last of [`RANKED`].
fn lead(scores: impl Iterator<Item = f32> + Clone) -> f32 {
    let best = scores.clone().next().unwrap_or(0.0);
    let last = scores.take(RANKED).last().unwrap_or(0.0);
    (best - last).max(1e-6)
}

/// Softmax of the scores, of which 1 is worth `nats`.
fn give_chances(picks: &mut [Pick], nats: f32) {
    let best = picks.first().map_or(0.0, |pick| pick.score);
    let mut sum = 0.0;
    for pick in picks.iter_mut() {
        pick.chance = ((pick.score - best) * nats).exp();
        sum += pick.chance;
    }
    picks.iter_mut().for_each(|pick| pick.chance /= sum);
}

/// Items that the model may recommend to this viewer.
pub fn allowed(shelf: &Shelf, viewer: &Viewer, taste: &Taste) -> impl Fn(u32) -> bool + use<> {
    let mut allowed = shelf.visible_items(viewer.maturity_max).clone();
    let hidden = taste.hidden.iter().filter_map(|slot| shelf.item_of_slot(slot));
    hidden.for_each(|item| allowed.remove(item));
    move |item| allowed.contains(item)
}

/// Scores from 1 down to 0 for the last of [`RANKED`], and below for what comes after it.
fn scaled(scored: impl Iterator<Item = (u32, f32)>) -> Vec<Pick> {
    let pick = |(slot, score)| Pick {
        slot,
        score,
        chance: 0.0,
    };
    let mut picks: Vec<Pick> = scored.map(pick).collect();
    let range = lead(picks.iter().map(|pick| pick.score));
    let best = picks.first().map_or(0.0, |pick| pick.score);
    picks
        .iter_mut()
        .for_each(|pick| pick.score = 1.0 - (best - pick.score) / range);
    picks
}

/// Renowned titles of the genres that the viewer named or watched.
fn by_genres(shelf: &Shelf, viewer: &Viewer, taste: &Taste, count: usize) -> Vec<Pick> {
    let known = taste.mix.iter().any(|share| *share > 0.0);
    let free = |slot: &&u32| shelf.is_visible(**slot, viewer.maturity_max) && !taste.hidden.contains(**slot);
    let popular = shelf.lists.popular.iter().filter(free).take(COLD_MAX);
    let chosen = taste
        .chosen
        .iter()
        .flat_map(|bit| shelf.lists.genres[*bit as usize].iter().filter(free).take(count));
    let mut slots: Vec<u32> = popular.chain(chosen).copied().collect();
    slots.sort_unstable();
    slots.dedup();
    let score = |slot: u32| {
        let liking = if known { liking(shelf, taste, slot) } else { 1.0 };
        liking * (0.5 + shelf.titles.renown(slot))
    };
    let mut scored: Vec<(u32, f32)> = slots.into_iter().map(|slot| (slot, score(slot))).collect();
    scored.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.truncate(count);
    scaled(scored.into_iter())
}

fn adjust(shelf: &Shelf, viewer: &Viewer, taste: &Taste, picks: &mut [Pick]) {
    let malus = dislikes(shelf, taste);
    let kinds = &viewer.preferences.content_types;
    for pick in picks.iter_mut() {
        let title = shelf.titles.get(pick.slot);
        if title.playable {
            pick.score += PLAYABLE_BONUS;
        }
        if kinds.iter().any(|kind| kind == kind_name(title.kind)) {
            pick.score += KIND_BONUS;
        }
        if let Some(malus) = malus.get(&pick.slot) {
            pick.score -= malus;
        }
    }
    picks.sort_by(|a, b| b.score.total_cmp(&a.score));
}

/// Neighbours of what was disliked lately, and how far they go back.
fn dislikes(shelf: &Shelf, taste: &Taste) -> HashMap<u32, f32> {
    let mut malus: HashMap<u32, f32> = HashMap::new();
    for disliked in taste.disliked.iter().take(DISLIKED_MAX) {
        for (rank, slot) in shelf
            .similar(*disliked)
            .into_iter()
            .take(DISLIKED_NEIGHBOURS)
            .enumerate()
        {
            let share = 1.0 - rank as f32 / DISLIKED_NEIGHBOURS as f32;
            let known = malus.entry(slot).or_default();
            *known = known.max(DISLIKE_MALUS * share);
        }
    }
    malus
}

/// All of `picks`; the first `count` so that each is the one that is best by its score and by how well it brings those before it nearer
/// to the viewer's mix of genres. What a mix lacks differs by 2 at most, so no title passes one whose score is ahead by more than 2/3.
pub fn calibrated(shelf: &Shelf, taste: &Taste, picks: &[Pick], count: usize) -> Vec<u32> {
    let mut left: Vec<Pick> = picks.to_vec();
    let mut chosen = Vec::with_capacity(picks.len());
    let mut have = [0f32; GENRES_MAX];
    let favourite = taste.mix.iter().fold(0f32, |most, share| most.max(*share));
    while chosen.len() < count && !left.is_empty() {
        let total = 1.0 + chosen.len() as f32;
        let value = |pick: &Pick| {
            let mask = shelf.titles.masks[pick.slot as usize];
            let genres = mask.count_ones().max(1) as f32;
            let lacking: f32 = bits(mask).map(|bit| taste.mix[bit] - have[bit] / total).sum();
            (1.0 - CALIBRATION) * pick.score + CALIBRATION * lacking / genres
        };
        let mut best = (0, f32::NEG_INFINITY);
        // Far down the list nothing can catch up any more: a title brings at most what its genre is to the viewer.
        for (index, pick) in left.iter().enumerate() {
            if (1.0 - CALIBRATION) * pick.score + CALIBRATION * favourite <= best.1 {
                break;
            }
            let value = value(pick);
            if value > best.1 {
                best = (index, value);
            }
        }
        let pick = left.remove(best.0);
        let mask = shelf.titles.masks[pick.slot as usize];
        bits(mask).for_each(|bit| have[bit] += 1.0 / mask.count_ones() as f32);
        chosen.push(pick.slot);
    }
    chosen.extend(left.iter().map(|pick| pick.slot));
    chosen
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by it")]
mod tests;
