//! Files: segments, manifests, artwork, model artefacts. On disk here; the same keys on S3 later.
//!
//! A key is a relative path of plain segments (`media/abc/720p/seg-1.m4s`). What [`BlobStore::put`] answers for is durable and
//! whole: bytes go to a temporary file, are synced, and take their name in one step.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use contract::Fault;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, local::LocalFileSystem, path::Path as Key};

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("there is no file {0}")]
    NotFound(String),
    #[error("{0:?} is not a file key")]
    InvalidKey(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// How long a write that failed rests before it is done again. It is whole or not there: doing it again does no harm, and a store that
/// stumbles for a moment does not cost its writer everything else.
const WRITE_PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(250)];
/// Where probes write.
const PROBES: &str = "probes/";

/// A file as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    pub key: String,
    pub bytes: u64,
}

/// What a test has happen before each write: it takes long, or fails. A server has none.
#[cfg(any(test, feature = "test-support"))]
pub type BeforeWrite = Arc<dyn Fn() -> futures::future::BoxFuture<'static, std::io::Result<()>> + Send + Sync>;

/// A store of files. Cheap to clone.
#[derive(Clone)]
pub struct BlobStore {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
    #[cfg(any(test, feature = "test-support"))]
    before_write: Option<BeforeWrite>,
}

impl BlobStore {
    /// Files under `folder`, which is made if it is not there.
    pub fn open(folder: &Path) -> Result<Self, BlobError> {
        std::fs::create_dir_all(folder).map_err(|error| io_fault(&error))?;
        let folder = folder.canonicalize().map_err(|error| io_fault(&error))?;
        let store = LocalFileSystem::new_with_prefix(&folder)
            .map_err(|error| fault(error, ""))?
            .with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            folder,
            #[cfg(any(test, feature = "test-support"))]
            before_write: None,
        })
    }

    /// The same files, behind a store that is slow or fails.
    #[cfg(any(test, feature = "test-support"))]
    pub fn disturbed(&self, before_write: BeforeWrite) -> Self {
        Self {
            before_write: Some(before_write),
            ..self.clone()
        }
    }

    async fn before_write(&self) -> Result<(), BlobError> {
        #[cfg(any(test, feature = "test-support"))]
        if let Some(before_write) = &self.before_write {
            before_write().await.map_err(|error| io_fault(&error))?;
        }
        Ok(())
    }

    /// Stores `bytes`, replacing what was there.
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Result<(), BlobError> {
        let (at, payload) = (parse(key)?, PutPayload::from_bytes(bytes.into()));
        patiently(|| async {
            self.before_write().await?;
            let put = self.store.put(&at, payload.clone()).await;
            put.map(drop).map_err(|error| fault(error, key))
        })
        .await
    }

    /// Stores `bytes` unless there is something already; `false` if there was.
    pub async fn put_new(&self, key: &str, bytes: impl Into<Bytes>) -> Result<bool, BlobError> {
        let payload = PutPayload::from_bytes(bytes.into());
        let options = PutMode::Create.into();
        self.before_write().await?;
        match self.store.put_opts(&parse(key)?, payload, options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(fault(error, key)),
        }
    }

    /// Writes a little, reads it again and removes it: for readiness. `name` is the asker's own.
    pub async fn probe(&self, name: &str) -> Result<(), BlobError> {
        const WRITTEN: &[u8] = b"is this folder there, and does it take what is written?";
        let key = format!("{PROBES}{name}");
        self.put(&key, WRITTEN).await?;
        let read = self.get(&key).await?;
        self.delete(&key).await?;
        if read != WRITTEN {
            return Err(Fault::Unavailable("what was written is not what is read".into()).into());
        }
        Ok(())
    }

    /// Moves a finished file in (by rename where the disk allows it). The file is gone from `from` afterwards.
    pub async fn put_file(&self, key: &str, from: &Path) -> Result<(), BlobError> {
        let to = self.local_path(key)?;
        patiently(|| async {
            self.before_write().await?;
            let (from, to) = (from.to_owned(), to.clone());
            let moved = tokio::task::spawn_blocking(move || move_in(&from, &to)).await;
            moved
                .map_err(|error| Fault::Internal(error.to_string()))?
                .map_err(|error| io_fault(&error).into())
        })
        .await
    }

    pub async fn get(&self, key: &str) -> Result<Bytes, BlobError> {
        let found = self.store.get(&parse(key)?).await.map_err(|error| fault(error, key))?;
        found.bytes().await.map_err(|error| fault(error, key))
    }

    /// Bytes `range` of a file; an end beyond the file's is cut.
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, BlobError> {
        self.store
            .get_range(&parse(key)?, range)
            .await
            .map_err(|error| fault(error, key))
    }

    /// The size of a file, `None` where there is none.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, BlobError> {
        match self.store.head(&parse(key)?).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(fault(error, key)),
        }
    }

    /// Every file under `prefix` (a folder; empty for all), sorted by key. What a probe just wrote is none.
    pub async fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, BlobError> {
        let prefix = if prefix.is_empty() {
            None
        } else {
            Some(parse(prefix.trim_end_matches('/'))?)
        };
        let listed = self.store.list(prefix.as_ref()).map_ok(|meta| BlobInfo {
            key: meta.location.to_string(),
            bytes: meta.size,
        });
        let mut files: Vec<_> = listed.try_collect().await.map_err(|error| fault(error, ""))?;
        files.retain(|file: &BlobInfo| !file.key.starts_with(PROBES));
        files.sort_by(|a: &BlobInfo, b| a.key.cmp(&b.key));
        Ok(files)
    }

    /// The names of the folders right under one, sorted; none, where it is not there.
    pub async fn folders(&self, prefix: &str) -> Result<Vec<String>, BlobError> {
        let listed = self.store.list_with_delimiter(Some(&parse(prefix)?)).await;
        let folders = listed.map_err(|error| fault(error, prefix))?.common_prefixes;
        let mut names: Vec<String> = folders
            .iter()
            .filter_map(|key| Some(key.filename()?.to_owned()))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Deletes a file; one that is not there is no error.
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        match self.store.delete(&parse(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(fault(error, key)),
        }
    }

    /// Deletes every file under a folder; returns how many.
    pub async fn delete_all(&self, prefix: &str) -> Result<u64, BlobError> {
        // An empty prefix would be everything there is.
        parse(prefix)?;
        let files = self.list(prefix).await?;
        let count = files.len() as u64;
        let deleted = futures::stream::iter(files).map(|file| async move { self.delete(&file.key).await });
        deleted.buffer_unordered(8).try_collect::<()>().await?;
        // Empty folders are nothing to the store; on disk they would pile up.
        match tokio::fs::remove_dir_all(self.local_path(prefix)?).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io_fault(&error).into()),
            _ => Ok(count),
        }
    }

    /// Where the file is (or would be) on this disk, for delivery without copying and for ffmpeg.
    pub fn local_path(&self, key: &str) -> Result<PathBuf, BlobError> {
        Ok(self.folder.join(parse(key)?.as_ref()))
    }
}

async fn patiently<T, F: Future<Output = Result<T, BlobError>>>(write: impl Fn() -> F) -> Result<T, BlobError> {
    for pause in WRITE_PAUSES {
        match write().await {
            Err(BlobError::Fault(Fault::Unavailable(_))) => tokio::time::sleep(pause).await,
            ended => return ended,
        }
    }
    write().await
}

/// Plain segments only: no empty ones, no `.`, `..` or hidden names, nothing that needs escaping.
fn parse(key: &str) -> Result<Key, BlobError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let segment = |segment: &str| !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(plain);
    if key.len() > 1024 || !key.split('/').all(segment) {
        return Err(BlobError::InvalidKey(key.to_owned()));
    }
    Key::parse(key).map_err(|_| BlobError::InvalidKey(key.to_owned()))
}

fn move_in(from: &Path, to: &Path) -> std::io::Result<()> {
    let folder = to.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    std::fs::File::open(from)?.sync_all()?;
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => copy_in(from, to)?,
        renamed => renamed?,
    }
    std::fs::File::open(folder)?.sync_all()
}

/// Copies next to the goal first, so that the last step is a rename here too.
fn copy_in(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut name = to.as_os_str().to_owned();
    name.push("#incoming");
    let incoming = PathBuf::from(name);
    let copied = std::fs::copy(from, &incoming)
        .and_then(|_| std::fs::File::open(&incoming)?.sync_all())
        .and_then(|()| std::fs::rename(&incoming, to));
    if copied.is_err() {
        // What is left of the attempt has no name that anybody reads; removing it is a courtesy.
        std::fs::remove_file(&incoming).ok();
        return copied;
    }
    std::fs::remove_file(from)
}

fn fault(error: object_store::Error, key: &str) -> BlobError {
    match error {
        object_store::Error::NotFound { .. } => BlobError::NotFound(key.to_owned()),
        other => match io_cause(&other) {
            Some(cause) => io_fault(cause).into(),
            None => Fault::Unavailable(other.to_string()).into(),
        },
    }
}

fn io_cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

fn io_fault(error: &std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Fault::StorageFull(error.to_string()),
        _ => Fault::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
