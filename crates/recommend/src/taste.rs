//! A viewer, read from recent activity: the history that the model folds in, what must not be shown, and what it likes.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
};

use contract::{
    Millis, TitleId,
    activity::{Interactions, Opinion, Progress, RecentActivity, TitleState},
    catalog::TitleKind,
    recommend::{How, Viewer},
};
use reco::{Event, ItemSet, signal};

use crate::{
    shelf::{Shelf, bits},
    titles::{GENRES_MAX, Titles},
};

/// Putting a title on the list is a wish, not yet a liking.
const LISTED_WEIGHT: f32 = 0.3;
/// From this evidence on a title was liked.
const LIKED_WEIGHT: f32 = 0.85;
/// What a chosen genre weighs against watched titles of it.
const PREFERENCE_WEIGHT: f32 = 2.0;

/// One title that the viewer liked or watched whole.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    pub slot: u32,
    pub how: How,
}

/// What a page needs to know of its viewer.
pub struct Taste {
    /// For the model: its items, oldest first.
    pub history: Vec<Event>,
    /// What was done with each item of the history that speaks for others, for reasons.
    pub hows: HashMap<u32, How>,
    /// Slots that are no recommendation: seen, begun, rated, disliked, listed, excluded.
    pub hidden: ItemSet,
    /// Slots that no row at all may show: disliked, excluded.
    pub banned: ItemSet,
    /// Liked titles, the newest first.
    pub anchors: Vec<Anchor>,
    /// Disliked slots, the newest first.
    pub disliked: Vec<u32>,
    /// The viewer's mix of genres by bit: shares that sum to one, or all zero.
    pub mix: [f32; GENRES_MAX],
    /// Bits of the genres that the viewer has said more against than for.
    pub averse: u64,
    /// Genres named in the preferences, in their order.
    pub chosen: Vec<u32>,
}

/// States by slot, newest first; what was done with the episodes of a series is one state of it, with its newest word.
pub fn folded<'a>(titles: &Titles, states: &'a [TitleState]) -> Vec<(u32, Cow<'a, TitleState>)> {
    let mut folded: Vec<(u32, Cow<'a, TitleState>)> = Vec::with_capacity(states.len());
    let mut series: HashMap<u32, usize> = HashMap::new();
    for state in states {
        let Some(slot) = titles.slot_of(state.title) else {
            continue;
        };
        if titles.get(slot).kind == TitleKind::Series {
            match series.entry(slot) {
                Entry::Occupied(at) => {
                    merge(folded[*at.get()].1.to_mut(), state);
                    continue;
                }
                Entry::Vacant(at) => at.insert(folded.len()),
            };
        }
        folded.push((slot, Cow::Borrowed(state)));
    }
    folded
}

fn merge(newer: &mut TitleState, older: &TitleState) {
    if newer.opinion.is_none() {
        (newer.opinion, newer.rated_at) = (older.opinion, older.rated_at);
    }
    newer.listed_at = newer.listed_at.or(older.listed_at);
    match (&mut newer.progress, &older.progress) {
        (Some(newer), Some(older)) => {
            newer.watched = newer.watched.max(older.watched);
            newer.finished |= older.finished;
        }
        (progress @ None, older) => progress.clone_from(older),
        (Some(_), None) => {}
    }
}

/// What a state says of its title and when that was said, as training reads it; `None` where it says nothing.
pub fn evidence(state: &TitleState, now: Millis) -> Option<(f32, Millis)> {
    let progress = state.progress.as_ref();
    let weight = weight(state.opinion, progress, state.listed_at.is_some(), now);
    let at = state
        .rated_at
        .or(progress.map(|progress| progress.at))
        .or(state.listed_at)
        .unwrap_or(0);
    (weight != 0.0).then_some((weight, at))
}

/// Evidence of one title at `now`, in the same way for training and for serving.
pub fn weight(opinion: Option<Opinion>, progress: Option<&Progress>, listed: bool, now: Millis) -> f32 {
    match (opinion, progress) {
        (Some(Opinion::Stars(half_stars)), _) => signal::from_half_stars(half_stars.get()),
        (Some(Opinion::Like), _) => signal::from_opinion(true),
        (Some(Opinion::Dislike), _) => signal::from_opinion(false),
        (None, Some(progress)) if progress.finished => 1.0,
        // Whole percents, as training gets them.
        (None, Some(progress)) => signal::from_watched(
            (progress.watched * 100.0).round() / 100.0,
            now.saturating_sub(progress.at),
        ),
        (None, None) if listed => LISTED_WEIGHT,
        (None, None) => 0.0,
    }
}

/// The same from the columns of [`Interactions`].
pub fn weight_of_row(rows: &Interactions, row: usize, now: Millis) -> f32 {
    match (rows.opinions[row], rows.watched[row]) {
        (101, _) => signal::from_opinion(true),
        (102, _) => signal::from_opinion(false),
        (half_stars @ 1..=10, _) => signal::from_half_stars(half_stars),
        (_, 255) => LISTED_WEIGHT,
        // Without an opinion the row's time is when it was last watched.
        (_, percent) => signal::from_watched(f32::from(percent) / 100.0, now.saturating_sub(rows.at[row])),
    }
}

impl Taste {
    /// As it is at `now`.
    pub fn read(shelf: &Shelf, viewer: &Viewer, recent: &RecentActivity, exclude: &[TitleId], now: Millis) -> Self {
        let slots = shelf.titles.len();
        let mut taste = Self {
            history: Vec::with_capacity(recent.states.len()),
            hows: HashMap::with_capacity(recent.states.len()),
            hidden: ItemSet::new(slots),
            banned: ItemSet::new(slots),
            anchors: Vec::new(),
            disliked: Vec::new(),
            mix: [0.0; GENRES_MAX],
            averse: 0,
            chosen: Vec::new(),
        };
        let genres = viewer.preferences.genres.iter();
        taste
            .chosen
            .extend(genres.filter_map(|genre| shelf.titles.genre_bit(genre)));
        for (slot, state) in folded(&shelf.titles, &recent.states) {
            taste.add(shelf, slot, &state, now);
        }
        taste.history.reverse();
        let slots = |titles: &[TitleId]| {
            titles
                .iter()
                .filter_map(|title| shelf.titles.slot_of(*title))
                .collect::<Vec<_>>()
        };
        for titles in [&recent.listed, &recent.seen_before] {
            slots(titles).into_iter().for_each(|slot| taste.hidden.insert(slot));
        }
        for slot in slots(exclude).into_iter().chain(slots(&recent.disliked_before)) {
            taste.hidden.insert(slot);
            taste.banned.insert(slot);
        }
        taste.finish_mix();
        taste
    }

    /// States come newest first.
    fn add(&mut self, shelf: &Shelf, slot: u32, state: &TitleState, now: Millis) {
        if state.is_seen() {
            self.hidden.insert(slot);
        }
        let Some((weight, at)) = evidence(state, now) else {
            return;
        };
        if let Some(item) = shelf.item_of_slot(slot) {
            self.history.push(Event { item, weight, at });
            self.hows
                .extend(how(state).filter(|_| weight > 0.0).map(|how| (item, how)));
        }
        if state.opinion == Some(Opinion::Dislike) {
            self.banned.insert(slot);
        }
        // Low stars speak through the model, which has learned what they are worth; "not for me" is a word to us.
        if state.opinion == Some(Opinion::Dislike) {
            self.disliked.push(slot);
        } else if let Some(how) = how(state).filter(|how| *how != How::Listed && weight >= LIKED_WEIGHT) {
            self.anchors.push(Anchor { slot, how });
        }
        // What was given up says something of its neighbours, but too little to turn from whole genres.
        if weight < 0.0 && state.opinion.is_none() {
            return;
        }
        // Older titles say less about the mix of today.
        let fade = 1.0 / (1.0 + self.history.len() as f32 / 50.0);
        bits(shelf.titles.masks[slot as usize]).for_each(|bit| self.mix[bit] += weight * fade);
    }

    fn finish_mix(&mut self) {
        let against = self.mix.iter().zip(0..).filter(|(share, _)| **share < 0.0);
        self.averse = against.fold(0, |averse, (_, bit)| averse | 1 << bit);
        let weighed: f32 = self.mix.iter().map(|share| share.max(0.0)).sum();
        let stated = if weighed > 0.0 { weighed * 0.1 } else { 1.0 } * PREFERENCE_WEIGHT;
        for bit in &self.chosen {
            self.mix[*bit as usize] += stated / self.chosen.len() as f32;
        }
        let total: f32 = self.mix.iter().map(|share| share.max(0.0)).sum();
        for share in &mut self.mix {
            *share = if total > 0.0 { share.max(0.0) / total } else { 0.0 };
        }
    }

    /// Nothing is known that speaks for a title.
    pub fn is_cold(&self) -> bool {
        !self.history.iter().any(|event| event.weight > 0.0)
    }

    /// Genres by share, the largest first.
    pub fn favourite_genres(&self) -> Vec<usize> {
        let mut genres: Vec<usize> = (0..GENRES_MAX).filter(|bit| self.mix[*bit] > 0.0).collect();
        genres.sort_by(|a, b| self.mix[*b].total_cmp(&self.mix[*a]));
        genres
    }
}

/// What a viewer did with a title that speaks for it; the strongest deed.
pub fn how(state: &TitleState) -> Option<How> {
    match (state.opinion, &state.progress) {
        (Some(Opinion::Stars(_)), _) => Some(How::Rated),
        (Some(Opinion::Like), _) => Some(How::Liked),
        (Some(Opinion::Dislike), _) => None,
        (None, Some(_)) => Some(How::Watched),
        (None, None) => state.listed_at.map(|_| How::Listed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_767_225_600_000;

    /// A model must not be taught one thing and asked another.
    #[test]
    fn training_and_serving_read_what_was_watched_alike() {
        let mut against = 0;
        for (per_mille, finished) in (0..=1_000)
            .step_by(3)
            .flat_map(|share| [(share, false), (share, share > 850)])
        {
            for idle_ms in [0, signal::GIVEN_UP_AFTER_MS - 1, signal::GIVEN_UP_AFTER_MS, 1 << 40] {
                let progress = Progress {
                    position_ms: 0,
                    duration_ms: 0,
                    watched: per_mille as f32 / 1_000.0,
                    finished,
                    at: NOW - idle_ms,
                };
                let rows = Interactions {
                    profiles: vec![1],
                    titles: vec![1],
                    at: vec![progress.at],
                    opinions: vec![0],
                    watched: vec![if finished {
                        100
                    } else {
                        (progress.watched * 100.0).round() as u8
                    }],
                    next: None,
                };
                let serving = weight(None, Some(&progress), false, NOW);
                let training = weight_of_row(&rows, 0, NOW);
                assert!(
                    (serving - training).abs() < 1e-6,
                    "{progress:?}: {serving} and {training}"
                );
                against += usize::from(serving < 0.0);
            }
        }
        assert!(against > 50, "{against} were given up");
    }

    #[test]
    fn a_word_counts_more_than_leaving() {
        let tried = Progress {
            position_ms: 0,
            duration_ms: 0,
            watched: 0.05,
            finished: false,
            at: NOW - 2 * signal::GIVEN_UP_AFTER_MS,
        };
        assert!(weight(Some(Opinion::Like), Some(&tried), false, NOW) > 0.0);
        assert!(
            weight(None, Some(&tried), true, NOW) < 0.0,
            "leaving counts more than the list"
        );
        assert!(weight(Some(Opinion::Dislike), Some(&tried), false, NOW) < weight(None, Some(&tried), false, NOW));
    }
}
