//! Cards as they are sent to whoever did nothing with the title, written once: a home page has hundreds, and writing them anew was a
//! quarter of its time.
//!
//! The card itself says whether its text still holds, so that nothing has to be told when a title changes.

use std::{
    array,
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use contract::{TitleId, catalog};
use serde_json::value::{RawValue, to_raw_value};

use crate::{dto::titles::Card, problem::Problem};

/// Each with its own lock: all threads read here all the time. (A cache that orders its entries by use took as long as the writing.)
const SHARDS: usize = 64;
/// Texts of one shard, about 700 bytes each; a full one begins again.
const SHARD_TEXTS_MAX: usize = 512;

/// The texts of cards that were shown.
pub struct CardTexts([RwLock<HashMap<TitleId, Kept>>; SHARDS]);

struct Kept {
    of: catalog::Card,
    text: Arc<RawValue>,
}

impl CardTexts {
    pub fn new() -> Self {
        Self(array::from_fn(|_| RwLock::default()))
    }

    /// The text of this card, by `write` if it is not known. `write` must make the same of equal cards.
    pub fn of(&self, card: &catalog::Card, write: impl FnOnce() -> Card) -> Result<Arc<RawValue>, Problem> {
        let shard = &self.0[card.id.0 as usize % SHARDS];
        let known = shard.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = known.get(&card.id).filter(|kept| kept.of == *card) {
            return Ok(kept.text.clone());
        }
        drop(known);
        let text = to_raw_value(&write());
        let text = text.map_err(|error| Problem::internal(format!("a card cannot be written: {error}")))?;
        let text: Arc<RawValue> = text.into();
        let kept = Kept {
            of: card.clone(),
            text: text.clone(),
        };
        let mut known = shard.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SHARD_TEXTS_MAX {
            known.clear();
        }
        known.insert(card.id, kept);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use contract::catalog::TitleKind;

    use super::*;
    use crate::{compose, pictures::Pictures};

    fn card(id: i64, name: &str) -> catalog::Card {
        catalog::Card {
            id: TitleId(id),
            kind: TitleKind::Film,
            name: name.into(),
            year: None,
            genres: Arc::new([]),
            maturity: 0,
            duration_ms: None,
            average_rating: None,
            ratings_count: 0,
            playable: false,
            published: true,
            artwork_version: 1,
        }
    }

    /// The name in the text, and whether it was written for this call.
    fn name(texts: &CardTexts, card: &catalog::Card) -> (String, bool) {
        let mut is_written = false;
        let write = || {
            is_written = true;
            compose::card(&Pictures::with(b"key"), card.clone(), None)
        };
        let text: serde_json::Value = serde_json::from_str(texts.of(card, write).unwrap().get()).unwrap();
        (text["name"].as_str().unwrap().to_owned(), is_written)
    }

    #[test]
    fn a_text_is_written_once_and_again_when_the_card_is_another() {
        let texts = CardTexts::new();
        assert_eq!(name(&texts, &card(7, "Heat")), ("Heat".into(), true));
        assert_eq!(name(&texts, &card(7, "Heat")), ("Heat".into(), false));
        assert_eq!(name(&texts, &card(7, "Ronin")), ("Ronin".into(), true));
        assert_eq!(name(&texts, &card(7, "Ronin")), ("Ronin".into(), false));
    }

    #[test]
    fn texts_are_bounded() {
        let texts = CardTexts::new();
        let kept = || texts.0.iter().map(|shard| shard.read().unwrap().len());
        (0..3 * (SHARDS * SHARD_TEXTS_MAX) as i64).for_each(|id| _ = name(&texts, &card(id, "Heat")));
        assert!(kept().all(|count| count <= SHARD_TEXTS_MAX));
        assert!(kept().sum::<usize>() > 0);
    }
}
