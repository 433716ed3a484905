//! Why something is shown: terms of the model, or a fact about the title. Nothing here is a phrase that was not computed.

use contract::recommend::{Contribution, Reason};

use crate::{
    shelf::{Shelf, bits},
    taste::Taste,
};

/// Titles that a reason names.
const NAMED_MAX: usize = 3;
/// Smaller contributions are noise, not a reason.
const SHARE_MIN: f32 = 0.05;
/// Genres below this share are no favourites.
pub const FAVOURITE_SHARE: f32 = 0.08;

/// The liked titles that speak most for a recommendation, from the model's own terms.
pub fn because(shelf: &Shelf, taste: &Taste, terms: &[reco::Contribution]) -> Option<Reason> {
    let ours = || terms.iter().filter(|term| taste.hows.contains_key(&term.item));
    // Where what the viewer liked speaks against a title on the whole, a single one that does not is no reason.
    let net: f32 = ours().map(|term| term.contribution).sum();
    let total: f32 = ours().map(|term| term.contribution.max(0.0)).sum();
    if !(net > 0.0 && total.is_finite()) {
        return None;
    }
    let named: Vec<Contribution> = ours()
        .filter(|term| term.contribution / total >= SHARE_MIN)
        .filter_map(|term| {
            let slot = shelf.slot_of_item(term.item);
            let title = shelf.titles.list.get(slot as usize)?.id;
            let how = *taste.hows.get(&term.item)?;
            Some(Contribution {
                title,
                share: term.contribution / total,
                how,
            })
        })
        .take(NAMED_MAX)
        .collect();
    (!named.is_empty()).then_some(Reason::Because(named))
}

/// The title's genres that are among the viewer's favourites.
pub fn genres_reason(shelf: &Shelf, taste: &Taste, slot: u32) -> Option<Reason> {
    let mut shared: Vec<usize> = bits(shelf.titles.masks[slot as usize])
        .filter(|bit| taste.mix[*bit] >= FAVOURITE_SHARE)
        .collect();
    shared.sort_by(|a, b| taste.mix[*b].total_cmp(&taste.mix[*a]));
    shared.truncate(NAMED_MAX);
    let names: Vec<String> = shared.into_iter().map(|bit| shelf.titles.genres[bit].clone()).collect();
    (!names.is_empty()).then_some(Reason::Genres(names))
}
