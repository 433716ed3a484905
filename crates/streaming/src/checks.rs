//! What is looked at before a film is worked on, and before it is published: its title, its beginning, the room that it needs.

use std::path::Path;

use contract::catalog::{CatalogError, ForTitle};
use platform::jobs::Failure;
use tokio::io::AsyncReadExt as _;

use crate::{
    encode::{chunks::Chunk, explain, plan::Plan, sniff},
    files,
    room::Room,
    worker::Payload,
};

/// What a job needs free at the least, whatever it is.
const FREE_BYTES_MIN: u64 = 16 << 20;
/// Parts that are encoded at a time, for the room that they take.
const PARTS_AT_ONCE: u64 = 4;

impl Room {
    /// A title that was deleted takes its video with it, also where the fact of it has not arrived.
    pub(crate) async fn check_title(&self, payload: &Payload) -> Result<(), Failure> {
        match self.catalog.title(ForTitle { title: payload.title }).await {
            Ok(_) => Ok(()),
            Err(CatalogError::TitleNotFound) => {
                self.remove_source(payload.source).await.map_err(explain::fault)?;
                Err(Failure::permanent(
                    "The title of this video was deleted, and the video with it.",
                ))
            }
            Err(error) => Err(Failure::transient(format!("The catalogue did not answer: {error}"))),
        }
    }

    pub(crate) async fn check_start(&self, source: &Path) -> Result<(), Failure> {
        let file = tokio::fs::File::open(source)
            .await
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    Failure::permanent("The source file is no longer there: add or upload it again.")
                }
                _ => explain::io(&error),
            })?;
        let mut start = Vec::with_capacity(sniff::START_BYTES);
        file.take(sniff::START_BYTES as u64)
            .read_to_end(&mut start)
            .await
            .map_err(|error| explain::io(&error))?;
        match sniff::refuse(&start) {
            Some(text) => Err(Failure::permanent(text)),
            None => Ok(()),
        }
    }

    /// Segments go where they stay; beside them there is room for what is being encoded.
    pub(crate) fn check_space(&self, plan: &Plan, chunks: &[Chunk]) -> Result<(), Failure> {
        let free = files::free_bytes(&self.data_folder).map_err(explain::fault)?;
        let chunk = chunks
            .iter()
            .map(|chunk| plan.chunk_bytes_max(chunk))
            .max()
            .unwrap_or(0);
        let beside = chunk * PARTS_AT_ONCE.min(chunks.len() as u64);
        let needed = (plan.bytes_max().unwrap_or(0) + beside).max(FREE_BYTES_MIN);
        if free < needed {
            let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
            let text = format!(
                "{} (About {} MB are needed, {} MB are free.)",
                explain::STORAGE_FULL,
                megabytes(needed),
                megabytes(free)
            );
            return Err(Failure::permanent(text));
        }
        Ok(())
    }
}
