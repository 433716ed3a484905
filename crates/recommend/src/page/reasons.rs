//! Why something is shown: what made the score that placed it, or a fact about the title. Nothing here is a phrase that was not
//! computed.

use contract::recommend::{Contribution, Reason, Viewer};
use reco::Attribution;

use super::{SCRATCH, picks::allowed};
use crate::{
    shelf::{NONE, Shelf, bits},
    taste::Taste,
};

/// Titles that a reason names.
const NAMED_MAX: usize = 3;
/// Smaller contributions are noise, not a reason.
const SHARE_MIN: f32 = 0.05;
/// Genres below this share are no favourites.
pub const FAVOURITE_SHARE: f32 = 0.08;

/// What would place a title where it stood among all that this viewer may be recommended.
pub fn explained(shelf: &Shelf, viewer: &Viewer, taste: &Taste, slot: u32) -> Option<Reason> {
    let known = shelf.model.as_ref().zip(shelf.item_of_slot(slot));
    let attribution = known.and_then(|(model, item)| {
        let allowed = allowed(shelf, viewer, taste);
        SCRATCH.with_borrow_mut(|scratch| {
            model
                .recommender
                .attribute_where(&taste.history, item, &allowed, scratch)
        })
    });
    why(shelf, viewer, taste, slot, attribution.as_ref())
}

/// What made most of a title's score; where that says nothing to a person, its genres that the viewer likes.
pub fn why(
    shelf: &Shelf,
    viewer: &Viewer,
    taste: &Taste,
    slot: u32,
    attribution: Option<&Attribution>,
) -> Option<Reason> {
    let made = attribution.and_then(|attribution| most(shelf, viewer, taste, attribution));
    // Where nothing that was done says more, the viewer's own choice does.
    let chosen = genres_reason(shelf, taste, slot).filter(|_| taste.is_cold());
    chosen.or(made).or_else(|| genres_reason(shelf, taste, slot))
}

/// The liked titles that made most of it; where none of them made a nameable share, that everybody likes it, if that made more than
/// they did together. What sets a viewer's page apart from everybody's is worth more to them than what they share with everybody.
fn most(shelf: &Shelf, viewer: &Viewer, taste: &Taste, attribution: &Attribution) -> Option<Reason> {
    let Attribution {
        titles,
        popularity,
        trending,
        other,
        ..
    } = attribution;
    let liked = || titles.iter().filter(|title| taste.hows.contains_key(&title.item));
    let net: f32 = liked().map(|title| title.contribution).sum();
    let parts = titles.iter().map(|title| title.contribution);
    let total: f32 = parts
        .chain([*popularity, *trending, *other])
        .map(|part| part.max(0.0))
        .sum();
    let named: Vec<Contribution> = liked()
        // Where what the viewer liked speaks against a title on the whole, a single one that does not is no reason.
        .filter(|title| net > 0.0 && total.is_finite() && title.contribution / total >= SHARE_MIN)
        .filter_map(|title| {
            let slot = Some(shelf.slot_of_item(title.item)).filter(|slot| *slot != NONE)?;
            // The viewer may have been allowed more when they watched it.
            shelf.is_visible(slot, viewer.maturity_max).then_some(())?;
            Some(Contribution {
                title: shelf.titles.list.get(slot as usize)?.id,
                share: title.contribution / total,
                how: *taste.hows.get(&title.item)?,
            })
        })
        .take(NAMED_MAX)
        .collect();
    if !named.is_empty() {
        return Some(Reason::Because(named));
    }
    let crowd = popularity + trending;
    let is_most = crowd > net.max(0.0) && crowd >= SHARE_MIN * total;
    is_most.then_some(if trending > popularity {
        Reason::Trending
    } else {
        Reason::Popular
    })
}

/// The title's genres that are among the viewer's favourites.
fn genres_reason(shelf: &Shelf, taste: &Taste, slot: u32) -> Option<Reason> {
    let mut shared: Vec<usize> = bits(shelf.titles.masks[slot as usize])
        .filter(|bit| taste.mix[*bit] >= FAVOURITE_SHARE)
        .collect();
    shared.sort_by(|a, b| taste.mix[*b].total_cmp(&taste.mix[*a]));
    shared.truncate(NAMED_MAX);
    let names: Vec<String> = shared.into_iter().map(|bit| shelf.titles.genres[bit].clone()).collect();
    (!names.is_empty()).then_some(Reason::Genres(names))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by it")]
mod tests;
