//! Sources as files of this machine, which is what encoders read, wherever they were received.
//!
//! A source arrives in the `uploads/` of the process that receives it. Where files lie in a bucket, it goes there too, as soon as it is
//! whole, so that a worker on any machine can have it: who has not got it fetches it into the work folder, once for all the parts that it
//! works on, and lets it go a while after the last of them. A few at a time are here, and what a dead process had fetched is swept away
//! like its other work. The original leaves the bucket when it leaves `uploads/`.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use contract::{Fault, UploadId};
use platform::{ids::made_at_ms, jobs::Failure};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    encode::explain,
    files,
    room::Room,
    store::uploads,
    tidy::{BATCH, ORPHAN_MS, tell},
    uploads::Locks,
    workdir::WorkDir,
};

/// In the bucket.
const FOLDER: &str = "uploads";
/// Films that are here for workers and were received elsewhere. Those that are being worked on stay, whatever their number.
const FETCHED_MAX: usize = 4;
/// While nobody works on it, since somebody last began to.
const FETCHED_FOR: Duration = Duration::from_secs(600);
/// For the machine that received a film to put it into the bucket.
const WAIT_MAX: Duration = Duration::from_secs(600);
const WAIT_STEP: Duration = Duration::from_secs(1);
/// What stays free beside a film that is fetched.
const FREE_BYTES_MIN: u64 = 1 << 30;

#[derive(Default)]
pub struct Sources {
    /// With the moment at which a worker last began with it; the newest is the last.
    fetched: Mutex<Vec<(UploadId, Arc<Fetched>, Instant)>>,
    /// One at a time fetches a film, for all who want it.
    fetching: Locks,
    /// One at a time puts an original into the bucket.
    keeping: Locks,
}

/// A film that was received elsewhere.
struct Fetched {
    path: PathBuf,
    _folder: WorkDir,
}

/// A file that is there for as long as this is held, unless somebody removes the upload.
pub struct Source {
    path: PathBuf,
    _fetched: Option<Arc<Fetched>>,
}

impl Deref for Source {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl Sources {
    fn fetched(&self) -> MutexGuard<'_, Vec<(UploadId, Arc<Fetched>, Instant)>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: UploadId) -> Option<Arc<Fetched>> {
        let mut fetched = self.fetched();
        let place = fetched.iter().position(|(of, ..)| *of == id)?;
        let (_, found, _) = fetched.remove(place);
        fetched.push((id, found.clone(), Instant::now()));
        Some(found)
    }

    fn keep(&self, id: UploadId, film: &Arc<Fetched>) {
        let mut fetched = self.fetched();
        if fetched.len() >= FETCHED_MAX {
            fetched.remove(0);
        }
        fetched.push((id, film.clone(), Instant::now()));
    }

    /// Who works on one of them keeps it for as long.
    fn let_go(&self, id: UploadId) {
        self.fetched().retain(|(other, ..)| *other != id);
    }

    fn let_go_of_idle(&self) {
        let is_idle =
            |film: &Arc<Fetched>, begun: &Instant| Arc::strong_count(film) == 1 && begun.elapsed() > FETCHED_FOR;
        self.fetched().retain(|(_, film, begun)| !is_idle(film, begun));
    }
}

fn key(id: UploadId) -> String {
    format!("{FOLDER}/{id}")
}

impl Room {
    /// The source, on this machine.
    pub(crate) async fn source(&self, id: UploadId, stop: &CancellationToken) -> Result<Source, Failure> {
        let path = self.files.path(id);
        if self.blobs.bucket().is_none() || path.exists() {
            return Ok(Source { path, _fetched: None });
        }
        let fetched = tokio::select! {
            () = stop.cancelled() => return Err(Failure::transient("Stopped.")),
            fetched = self.fetched(id) => fetched?,
        };
        Ok(Source {
            path: fetched.path.clone(),
            _fetched: Some(fetched),
        })
    }

    async fn fetched(&self, id: UploadId) -> Result<Arc<Fetched>, Failure> {
        let _alone = self.sources.fetching.of(id).lock().await;
        if let Some(found) = self.sources.find(id) {
            return Ok(found);
        }
        let film = Arc::new(self.fetch(id).await?);
        self.sources.keep(id, &film);
        Ok(film)
    }

    async fn fetch(&self, id: UploadId) -> Result<Fetched, Failure> {
        let bytes = self.until_kept(id).await?;
        let free = files::free_bytes(&self.data_folder).map_err(explain::fault)?;
        if free < bytes.saturating_add(FREE_BYTES_MIN) {
            let text = format!(
                "The disk of this worker is full: a film of {} MB has to be fetched, and {} MB must stay free; {} MB are free. \
                 Free space on it.",
                files::megabytes(bytes),
                files::megabytes(FREE_BYTES_MIN),
                files::megabytes(free),
            );
            return Err(Failure::transient(text));
        }
        let folder = self.work_dir(&format!("source-{id}-{}", self.inputs.id::<UploadId>()))?;
        let path = folder.path().join("source");
        let fetched = self.blobs.fetch(&key(id), &path).await;
        fetched.map_err(explain::blob)?;
        Ok(Fetched { path, _folder: folder })
    }

    /// Waits for the original, and answers its length.
    async fn until_kept(&self, id: UploadId) -> Result<u64, Failure> {
        let began = Instant::now();
        loop {
            if let Some(bytes) = self.blobs.size(&key(id)).await.map_err(explain::blob)? {
                return Ok(bytes);
            }
            if !uploads::needs_file(&self.db, id).await.map_err(explain::fault)? {
                return Err(Failure::permanent(explain::SOURCE_GONE));
            }
            if began.elapsed() > WAIT_MAX {
                return Err(Failure::transient(
                    "The machine that received this file has not stored it yet; see whether it runs.",
                ));
            }
            tokio::time::sleep(WAIT_STEP).await;
        }
    }

    /// Begins to put an original into the bucket; whoever sent it does not wait for that. What fails here, the film's job does again.
    pub(crate) fn begin_to_keep(&self, id: UploadId) {
        if self.blobs.bucket().is_none() {
            return;
        }
        let own = self.own.clone();
        tokio::spawn(async move {
            let Some(room) = own.upgrade() else { return };
            if let Err(failure) = room.keep_original(id).await {
                tracing::warn!(upload = %id, error = failure.text, "an original was not stored; its job will");
            }
        });
    }

    /// Puts an original into the bucket, if it is here and not yet there.
    pub(crate) async fn keep_original(&self, id: UploadId) -> Result<(), Failure> {
        let (path, key) = (self.files.path(id), key(id));
        if self.blobs.bucket().is_none() {
            return Ok(());
        }
        let _alone = self.sources.keeping.of(id).lock().await;
        // Received elsewhere, or gone: who needs it will see.
        let Ok(meta) = tokio::fs::metadata(&path).await else {
            return Ok(());
        };
        if self.blobs.size(&key).await.map_err(explain::blob)? == Some(meta.len()) {
            return Ok(());
        }
        self.blobs.put_copy(&key, &path).await.map_err(explain::blob)?;
        // Removed meanwhile, by somebody who did not find it there.
        if !uploads::needs_file(&self.db, id).await.map_err(explain::fault)? {
            self.blobs.delete(&key).await.map_err(explain::blob)?;
        }
        Ok(())
    }

    /// The file, here and in the bucket. What cannot be removed there now goes with the tidying of a later day.
    pub(crate) async fn remove_file(&self, id: UploadId) -> Result<(), Fault> {
        self.files.remove(id).await?;
        if self.blobs.bucket().is_none() {
            return Ok(());
        }
        self.sources.let_go(id);
        if let Err(error) = self.blobs.delete(&key(id)).await {
            tracing::warn!(upload = %id, %error, "an original was not removed from the bucket; it will be");
        }
        Ok(())
    }

    /// Originals that nobody needs any more, and films that nobody has worked on for a while.
    pub(crate) async fn tidy_originals(&self) -> Result<(), Fault> {
        if self.blobs.bucket().is_none() {
            return Ok(());
        }
        self.sources.let_go_of_idle();
        let originals = self.blobs.list(FOLDER).await.map_err(files::blob_fault)?;
        let before = self.inputs.now_ms() - ORPHAN_MS;
        let mut old: Vec<UploadId> = originals
            .iter()
            .filter_map(|original| original.key.rsplit('/').next()?.parse().ok())
            .filter(|id: &UploadId| made_at_ms(id.0) < before)
            .collect();
        old.sort();
        for some in old.chunks(BATCH as usize) {
            let needed = uploads::needed(&self.db, some).await?;
            for id in some.iter().filter(|id| !needed.contains(id)) {
                let removed = self.blobs.delete(&key(*id)).await.map_err(files::blob_fault);
                tell("an original that nobody needs", id.0, removed);
            }
        }
        Ok(())
    }
}
