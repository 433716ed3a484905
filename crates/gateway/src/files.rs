//! Stored files that are being sent: many viewers of a film ask for the same few segments within seconds.
//!
//! On a local disk they are open, and their bytes are nobody's here: the system's page cache holds what is hot. What is not in it when a
//! file is opened is brought in before the file is handed out, so that whoever sends it never waits for the disk. What lies in a bucket
//! is read in [`crate::blocks`].

use std::{
    fs::File,
    io::{self, IoSliceMut},
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::response::Response;
use contract::streaming::StreamingError;
use moka::future::Cache;
use platform::blob::{BlobError, BlobStore};
use rustix::{
    fs::{Advice, fadvise},
    io::{Errno, ReadWriteFlags, preadv2},
};

use crate::{blocks::Blocks, file_slice::FileSlice, problem::Problem};

const OPEN_MAX: u64 = 256;
/// A file that was deleted takes its room until it is closed.
const OPEN_FOR: Duration = Duration::from_secs(30);
/// What the system reads ahead at least, and what is asked for at once.
const STEP_BYTES: u64 = 64 << 10;
/// So much of a file is brought in: more than any segment has.
const WARM_BYTES_MAX: u64 = 32 << 20;

pub struct Files {
    open: Cache<String, Arc<File>>,
    blocks: Blocks,
}

impl Files {
    /// `bytes_max`: of what does not lie on this disk, in memory.
    pub fn new(bytes_max: u64) -> Self {
        Self {
            open: Cache::builder().max_capacity(OPEN_MAX).time_to_live(OPEN_FOR).build(),
            blocks: Blocks::new(bytes_max),
        }
    }

    /// These bytes of a file that has so many, as an answer. A stored file never changes under its key.
    pub async fn answer(
        &self,
        blobs: &BlobStore,
        (key, bytes): (&str, u64),
        range: Range<u64>,
    ) -> Result<Response, Problem> {
        let file = match self.open.get(key).await {
            Some(open) => open,
            None => match blobs.local_path(key).map_err(Problem::internal)? {
                Some(path) => Box::pin(self.open(key, path)).await?,
                None => return Box::pin(self.of_bucket(blobs, (key, bytes), range)).await,
            },
        };
        let slice = FileSlice {
            file,
            offset: range.start,
            bytes: range.end - range.start,
        };
        Ok(slice.into_response())
    }

    async fn of_bucket(
        &self,
        blobs: &BlobStore,
        (key, bytes): (&str, u64),
        range: Range<u64>,
    ) -> Result<Response, Problem> {
        let answer = self.blocks.answer(blobs, (key, bytes), range).await;
        answer.map_err(|error| match &*error {
            BlobError::NotFound(_) => StreamingError::MediaNotFound.into(),
            BlobError::Fault(fault) => fault.clone().into(),
            BlobError::InvalidKey(_) => Problem::internal(&error),
        })
    }

    #[cfg(test)]
    pub async fn held_bytes(&self) -> u64 {
        self.blocks.held_bytes().await
    }

    /// Opens a file once, however many ask for it at the same time.
    async fn open(&self, key: &str, path: PathBuf) -> Result<Arc<File>, Problem> {
        let opened = async {
            tokio::task::spawn_blocking(move || open(&path))
                .await
                .map_err(io::Error::other)?
        };
        let found = self.open.try_get_with_by_ref(key, opened).await;
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
