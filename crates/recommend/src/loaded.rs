//! A model in service: the recommender, and what is derived from it once per title and kept.

use std::sync::{Arc, OnceLock};

use contract::{Millis, ModelId};
use reco::{Model as _, Recommender, Scored};

/// Neighbours kept per title.
pub const SIMILAR_MAX: usize = 100;

/// Immutable but for the cache of neighbours, which fills as titles are asked for.
pub struct Loaded {
    pub id: ModelId,
    pub recommender: Recommender,
    /// When it was trained; trending stands there.
    pub trained_at: Millis,
    similar: Vec<OnceLock<Arc<[Scored]>>>,
}

impl Loaded {
    pub fn new(id: ModelId, recommender: Recommender, trained_at: Millis) -> Self {
        Self {
            id,
            trained_at,
            similar: (0..recommender.items()).map(|_| OnceLock::new()).collect(),
            recommender,
        }
    }

    /// Titles closest to `item`, best first.
    pub fn similar(&self, item: u32) -> &[Scored] {
        let found = || self.recommender.similar(item, SIMILAR_MAX).into();
        self.similar
            .get(item as usize)
            .map_or(&[], |cell| cell.get_or_init(found))
    }
}
