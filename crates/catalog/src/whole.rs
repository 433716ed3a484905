//! Whole titles that were asked for lately, such as the first of everybody's home page. Each is kept with the entry that it was
//! read beside: every change puts a new entry on the shelf, and what belongs to an older one is no answer any more.

use std::sync::Arc;

use contract::{TitleId, catalog::Title};
use moka::sync::Cache;

use crate::model::Entry;

const BYTES_MAX: u64 = 4 << 20;
/// What a title takes besides its texts.
const OWN_BYTES: usize = 512;
const CREDIT_BYTES: usize = 80;

type Kept = Arc<(Arc<Entry>, Title)>;

pub struct WholeTitles(Cache<TitleId, Kept>);

impl Default for WholeTitles {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(BYTES_MAX)
                .weigher(|_, kept: &Kept| bytes_of(&kept.1))
                .build(),
        )
    }
}

impl WholeTitles {
    /// The title as it was read beside this very entry.
    pub fn get(&self, entry: &Arc<Entry>) -> Option<Title> {
        let kept = self.0.get(&entry.card.id)?;
        Arc::ptr_eq(&kept.0, entry).then(|| kept.1.clone())
    }

    pub fn put(&self, entry: Arc<Entry>, title: Title) {
        self.0.insert(title.card.id, Arc::new((entry, title)));
    }
}

fn bytes_of(title: &Title) -> u32 {
    let bytes = OWN_BYTES + title.description.len() + title.credits.len() * CREDIT_BYTES;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
