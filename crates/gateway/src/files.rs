//! Stored files that are being sent, open: many viewers of a film ask for the same few segments within seconds.
//!
//! Their bytes are nobody's here: on a local disk, which is the only storage there is, the system's page cache holds what is hot.

use std::{fs::File, io, path::Path, sync::Arc, time::Duration};

use contract::streaming::StreamingError;
use moka::future::Cache;
use platform::blob::BlobStore;
use rustix::fs::{Advice, fadvise};

use crate::problem::Problem;

const OPEN_MAX: u64 = 256;
/// A file that was deleted takes its room until it is closed.
const OPEN_FOR: Duration = Duration::from_secs(30);

pub struct Files(Cache<String, Arc<File>>);

impl Files {
    pub fn new() -> Self {
        Self(Cache::builder().max_capacity(OPEN_MAX).time_to_live(OPEN_FOR).build())
    }

    /// Opens a file once, however many ask for it at the same time. A stored file never changes under its key.
    pub async fn get(&self, blobs: &BlobStore, key: &str) -> Result<Arc<File>, Problem> {
        if let Some(open) = self.0.get(key).await {
            return Ok(open);
        }
        let opened = async {
            let path = blobs.local_path(key).map_err(io::Error::other)?;
            tokio::task::spawn_blocking(move || open(&path))
                .await
                .map_err(io::Error::other)?
        };
        let found = self.0.try_get_with_by_ref(key, opened).await;
        found.map_err(|error: Arc<io::Error>| match error.kind() {
            io::ErrorKind::NotFound => Problem::from(StreamingError::MediaNotFound),
            _ => Problem::internal(error),
        })
    }
}

fn open(path: &Path) -> io::Result<Arc<File>> {
    let file = File::open(path)?;
    // The kernel begins to read while the answer's head is made; a wish, so it may be refused.
    fadvise(&file, 0, None, Advice::WillNeed).ok();
    Ok(Arc::new(file))
}
