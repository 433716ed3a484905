//! A model in service: the recommender, and what is derived from it once per title and kept.

use std::sync::{Arc, OnceLock};

use contract::{Millis, ModelId};
use reco::{Contribution, Event, Model as _, Recommender, Scored, Signal};

/// Neighbours kept per title.
pub const SIMILAR_MAX: usize = 100;

/// Immutable but for the cache of neighbours, which fills as titles are asked for.
pub struct Loaded {
    pub id: ModelId,
    pub recommender: Recommender,
    /// When it was trained; trending stands there.
    pub trained_at: Millis,
    similar: Vec<OnceLock<Arc<[Scored]>>>,
    /// How much the learned blend trusts EASE and co-occurrence, for reasons.
    trust: (f32, f32),
}

impl Loaded {
    pub fn new(id: ModelId, recommender: Recommender, trained_at: Millis) -> Self {
        let weights = recommender.ranker().weights();
        let trust = |signal: Signal| {
            let prefix = format!("{signal:?}.");
            let of_signal = weights.iter().filter(|(name, _)| name.starts_with(&prefix));
            of_signal.map(|(_, weight)| *weight).sum::<f32>().max(0.0) + 1e-3
        };
        Self {
            id,
            trained_at,
            similar: (0..recommender.items()).map(|_| OnceLock::new()).collect(),
            trust: (trust(Signal::Ease), trust(Signal::Cooccurrence)),
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

    /// Why `item` is recommended, from the two item-item models, whose terms cost a lookup each: cheap enough for every item of
    /// a row. Shares of the sum, the largest first.
    pub fn explain_quickly(&self, history: &[Event], item: u32) -> Vec<Contribution> {
        let bases = self.recommender.bases();
        let mut parts: Vec<Contribution> = Vec::new();
        for (terms, trust) in [
            (bases.ease.explain(history, item), self.trust.0),
            (bases.cooccurrence.explain(history, item), self.trust.1),
        ] {
            let total: f32 = terms.iter().map(|term| term.contribution.abs()).sum();
            if total <= 0.0 {
                continue;
            }
            for term in terms {
                let contribution = trust * term.contribution / total;
                match parts.iter_mut().find(|part| part.item == term.item) {
                    Some(part) => part.contribution += contribution,
                    None => parts.push(Contribution { contribution, ..term }),
                }
            }
        }
        parts.sort_by(|a, b| b.contribution.total_cmp(&a.contribution).then(a.item.cmp(&b.item)));
        parts
    }
}
