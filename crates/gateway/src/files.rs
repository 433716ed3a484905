//! Stored files that are being sent, open: many viewers of a film ask for the same few segments within seconds.
//!
//! Their bytes are nobody's here: on a local disk, which is the only storage there is, the system's page cache holds what is hot. What
//! is not in it when a file is opened is brought in before the file is handed out, so that whoever sends it never waits for the disk.

use std::{
    fs::File,
    io::{self, IoSliceMut},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use contract::streaming::StreamingError;
use moka::future::Cache;
use platform::blob::BlobStore;
use rustix::{
    fs::{Advice, fadvise},
    io::{Errno, ReadWriteFlags, preadv2},
};

use crate::problem::Problem;

const OPEN_MAX: u64 = 256;
/// A file that was deleted takes its room until it is closed.
const OPEN_FOR: Duration = Duration::from_secs(30);
/// What the system reads ahead at least, and what is asked for at once.
const STEP_BYTES: u64 = 64 << 10;
/// So much of a file is brought in: more than any segment has.
const WARM_BYTES_MAX: u64 = 32 << 20;

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
    // The kernel begins with all of it; a wish, so it may be refused.
    fadvise(&file, 0, None, Advice::WillNeed).ok();
    warm(&file)?;
    Ok(Arc::new(file))
}

/// Waits for what the page cache has not got. Where it has everything, that is one question for each step.
fn warm(file: &File) -> io::Result<()> {
    let bytes = file.metadata()?.len().min(WARM_BYTES_MAX);
    let mut step = Vec::new();
    for offset in (0..bytes).step_by(STEP_BYTES as usize) {
        if !is_cached(file, offset)? {
            step.resize(STEP_BYTES as usize, 0);
            let wanted = STEP_BYTES.min(bytes - offset) as usize;
            file.read_exact_at(&mut step[..wanted], offset)?;
        }
    }
    Ok(())
}

/// Whether the page of this byte can be read without waiting. File systems that cannot say are believed to have it.
fn is_cached(file: &File, offset: u64) -> io::Result<bool> {
    let mut byte = [0];
    match preadv2(file, &mut [IoSliceMut::new(&mut byte)], offset, ReadWriteFlags::NOWAIT) {
        Ok(_) | Err(Errno::OPNOTSUPP) => Ok(true),
        Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_handed_out_when_the_page_cache_has_it() {
        let folder = tempfile::tempdir_in(".").unwrap();
        let path = folder.path().join("1.m4s");
        std::fs::write(&path, vec![7; 3 * STEP_BYTES as usize + 5]).unwrap();
        let file = File::open(&path).unwrap();
        file.sync_all().unwrap();
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        let steps = || (0..4).map(|step| is_cached(&file, step * STEP_BYTES).unwrap());
        assert_eq!(steps().collect::<Vec<_>>(), [false; 4]);
        warm(&file).unwrap();
        assert_eq!(steps().collect::<Vec<_>>(), [true; 4]);
    }
}
