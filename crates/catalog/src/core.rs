//! What the door, the subscribers and the loader share: store, shelf and index, kept in step.
//!
//! Order of a change: tables, then shelf (before the caller has its answer), then index (a moment later, by the room's own
//! events). Loading into the shelf happens one at a time, so that an older state never replaces a newer one.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contract::{EventId, Fault, TitleId, catalog::CatalogError};
use platform::{Inputs, blob::BlobStore};
use tokio::sync::{Mutex, Notify};

use crate::{
    model::Entry,
    search::{Document, Index},
    shelf::Shelf,
    store::{SearchTexts, Store},
    text::indexed_words,
    whole::WholeTitles,
};

pub struct Core {
    pub store: Store,
    pub shelf: Shelf,
    pub index: Option<Arc<Index>>,
    pub blobs: BlobStore,
    pub inputs: Inputs,
    pub whole: WholeTitles,
    loading: Mutex<()>,
    indexing: Mutex<()>,
    /// Whether the index holds everything up to the events that it is told of.
    index_is_whole: AtomicBool,
    index_failed: Notify,
}

/// Titles whose texts are loaded at a time.
const LOAD_CHUNK: usize = 20_000;
/// Between two attempts to make the index.
const INDEX_AGAIN_MIN: Duration = Duration::from_millis(500);
const INDEX_AGAIN_MAX: Duration = Duration::from_secs(60);

impl Core {
    pub fn new(store: Store, index: Option<Arc<Index>>, blobs: BlobStore, inputs: Inputs) -> Arc<Self> {
        Arc::new(Self {
            store,
            shelf: Shelf::default(),
            index,
            blobs,
            inputs,
            whole: WholeTitles::default(),
            loading: Mutex::default(),
            indexing: Mutex::default(),
            index_is_whole: AtomicBool::new(false),
            index_failed: Notify::new(),
        })
    }

    /// Fills the shelf.
    pub async fn load(&self) -> Result<(), Fault> {
        let _loading = self.loading.lock().await;
        let entries = self.store.entries().await?;
        self.shelf.apply(entries, &[]);
        Ok(())
    }

    /// Takes these titles over from the tables: changed, new or gone.
    pub async fn refresh(&self, ids: &[TitleId]) -> Result<(), Fault> {
        let _loading = self.loading.lock().await;
        for chunk in ids.chunks(LOAD_CHUNK) {
            let entries = self.store.entries_of(chunk).await?;
            let there: HashSet<TitleId> = entries.iter().map(|entry| entry.card.id).collect();
            let gone: Vec<TitleId> = chunk.iter().copied().filter(|id| !there.contains(id)).collect();
            self.shelf.apply(entries, &gone);
        }
        Ok(())
    }

    /// Makes the index anew when it is stale, again and again until it is made, and whenever a change did not get into it.
    pub async fn keep_index(self: Arc<Self>) {
        let mut wait = INDEX_AGAIN_MIN;
        loop {
            match self.rebuild_index_if_stale().await {
                Ok(()) => {
                    wait = INDEX_AGAIN_MIN;
                    self.index_failed.notified().await;
                }
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "the search index was not made; search finds nothing new until it is"
                    );
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(INDEX_AGAIN_MAX);
                }
            }
        }
    }

    async fn rebuild_index_if_stale(&self) -> anyhow::Result<()> {
        let Some(index) = self.index.clone() else { return Ok(()) };
        let _indexing = self.indexing.lock().await;
        // Read before the titles: what changes from here on comes with an event of its own, after this.
        let version = self.store.version().await?;
        if index.version() == Some(version) {
            self.index_is_whole.store(true, Ordering::Release);
            return Ok(());
        }
        let texts = self.store.search_texts(None).await?;
        let documents = documents(self.shelf.list(None).iter(), texts);
        tracing::info!(titles = documents.len(), "making the search index");
        tokio::task::spawn_blocking(move || index.rebuild(&documents, version)).await??;
        self.index_is_whole.store(true, Ordering::Release);
        Ok(())
    }

    /// Brings these titles into the index; `event` is the last that told of them. An index that lacks others stays stale.
    pub async fn index_titles(&self, ids: &[TitleId], event: EventId) -> anyhow::Result<()> {
        let Some(index) = self.index.clone() else { return Ok(()) };
        let _indexing = self.indexing.lock().await;
        let texts = self.store.search_texts(Some(ids)).await?;
        let entries = self.shelf.many(ids);
        let there: HashSet<TitleId> = entries.iter().map(|entry| entry.card.id).collect();
        let gone: Vec<TitleId> = ids.iter().copied().filter(|id| !there.contains(id)).collect();
        let documents = documents(entries.iter().filter(|entry| entry.is_listed()), texts);
        let version = match self.index_is_whole.load(Ordering::Acquire) {
            true => Some(event.0),
            false => index.version(),
        };
        // One that was never made is about to be.
        let Some(version) = version else { return Ok(()) };
        let updated = tokio::task::spawn_blocking(move || index.update(&documents, &gone, version)).await?;
        if updated.is_err() {
            self.index_is_whole.store(false, Ordering::Release);
            self.index_failed.notify_one();
        }
        updated
    }

    pub fn entry(&self, id: TitleId) -> Result<Arc<Entry>, CatalogError> {
        self.shelf.get(id).ok_or(CatalogError::TitleNotFound)
    }
}

fn documents<'a>(
    entries: impl Iterator<Item = &'a Arc<Entry>>,
    mut texts: HashMap<TitleId, SearchTexts>,
) -> Vec<Document> {
    entries
        .map(|entry| {
            let texts = texts.remove(&entry.card.id).unwrap_or_default();
            Document {
                title: entry.card.id.0,
                name: indexed_words(&entry.card.name).join(" "),
                original: indexed_words(&texts.original_name).join(" "),
                people: texts
                    .people
                    .iter()
                    .flat_map(|name| indexed_words(name))
                    .collect::<Vec<_>>()
                    .join(" "),
                genres: genre_words(&entry.card.genres),
            }
        })
        .collect()
}

/// Genres under all the names people use.
fn genre_words(genres: &[String]) -> String {
    let mut all = Vec::new();
    for genre in genres {
        all.extend(indexed_words(genre));
        let also: &[&str] = match genre.to_ascii_lowercase().as_str() {
            "sci-fi" => &["science", "fiction"],
            "science fiction" => &["sci", "fi", "scifi"],
            "film-noir" | "film noir" => &["noir"],
            "children's" | "children" => &["children", "kids", "family"],
            "documentary" => &["documentaries"],
            "biography" => &["biopic"],
            "animation" => &["animated", "cartoon"],
            _ => &[],
        };
        all.extend(also.iter().map(|word| (*word).to_owned()));
    }
    all.join(" ")
}
