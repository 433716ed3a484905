//! Files: segments, manifests, artwork, model artefacts. In a folder, or under the same keys in a bucket of S3 ([`Config`]).
//!
//! A key is a relative path of plain segments (`media/abc/720p/seg-1.m4s`). What [`BlobStore::put`] answers for is durable and
//! whole: on disk bytes go to a temporary file, are synced, and take their name in one step.

mod bucket;
mod config;
mod disk;

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use contract::Fault;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, path::Path as Key};
use tokio::io::AsyncWriteExt as _;

use self::bucket::Bucket;
pub use self::config::{Config, Secret};

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
/// Of a file that is brought here; each waits in memory.
const PIECES_AT_ONCE: usize = 2;
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
    place: Place,
    #[cfg(any(test, feature = "test-support"))]
    before_write: Option<BeforeWrite>,
}

#[derive(Clone)]
enum Place {
    Folder(PathBuf),
    Bucket(Arc<Bucket>),
}

impl BlobStore {
    /// Files under `folder`, which is made if it is not there.
    pub fn open(folder: &Path) -> Result<Self, BlobError> {
        let (folder, store) = disk::open(folder)?;
        Ok(Self::over(Place::Folder(folder), Arc::new(store)))
    }

    /// Files where `config` says: in its bucket, or in `folder` where it names none. A bucket's server is not asked yet.
    pub fn configured(config: &Config, folder: &Path) -> anyhow::Result<Self> {
        if config.bucket.is_empty() {
            return Ok(Self::open(folder)?);
        }
        let (bucket, store) = bucket::open(config)?;
        Ok(Self::over(Place::Bucket(Arc::new(bucket)), store))
    }

    fn over(place: Place, store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            place,
            #[cfg(any(test, feature = "test-support"))]
            before_write: None,
        }
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
            before_write().await.map_err(|error| disk::io_fault(&error))?;
        }
        Ok(())
    }

    /// Stores `bytes`, replacing what was there.
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Result<(), BlobError> {
        let (at, payload) = (parse(key)?, PutPayload::from_bytes(bytes.into()));
        patiently(|| async {
            self.before_write().await?;
            let put = self.store.put(&at, payload.clone()).await;
            put.map(drop).map_err(|error| self.write_fault(error, key))
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
            Err(error) => Err(self.write_fault(error, key)),
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
        let at = parse(key)?;
        patiently(|| async {
            self.before_write().await?;
            match &self.place {
                Place::Folder(folder) => {
                    let (from, to) = (from.to_owned(), folder.join(at.as_ref()));
                    blocking(move || disk::move_in(&from, &to)).await
                }
                Place::Bucket(bucket) => bucket.put_file(&*self.store, (&at, key), from).await,
            }
        })
        .await?;
        if matches!(self.place, Place::Bucket(_)) {
            let from = from.to_owned();
            blocking(move || std::fs::remove_file(from)).await?;
        }
        Ok(())
    }

    /// Stores what a file holds, and leaves it.
    pub async fn put_copy(&self, key: &str, from: &Path) -> Result<(), BlobError> {
        let at = parse(key)?;
        patiently(|| async {
            self.before_write().await?;
            match &self.place {
                Place::Folder(folder) => {
                    let (from, to) = (from.to_owned(), folder.join(at.as_ref()));
                    blocking(move || disk::copy_to(&from, &to)).await
                }
                Place::Bucket(bucket) => bucket.put_file(&*self.store, (&at, key), from).await,
            }
        })
        .await
    }

    /// Makes a file of this machine that has the same bytes, for programs that read files. What is there already is replaced; what
    /// could not be brought whole is not there.
    pub async fn fetch(&self, key: &str, to: &Path) -> Result<u64, BlobError> {
        let at = parse(key)?;
        let fetched = match &self.place {
            Place::Folder(folder) => {
                let from = folder.join(at.as_ref());
                let to = to.to_owned();
                match blocking(move || Ok(std::fs::copy(from, to))).await? {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                        Err(BlobError::NotFound(key.to_owned()))
                    }
                    copied => copied.map_err(|error| disk::io_fault(&error).into()),
                }
            }
            Place::Bucket(_) => self.download((&at, key), to).await,
        };
        if fetched.is_err() {
            tokio::fs::remove_file(to).await.ok();
        }
        fetched
    }

    /// Piece by piece, as the disk takes them, each by a request of its own: one that breaks costs its piece.
    async fn download(&self, (at, key): (&Key, &str), to: &Path) -> Result<u64, BlobError> {
        let found = self.store.head(at).await.map_err(|error| self.fault(error, key))?;
        let pieces = (0..found.size).step_by(bucket::PART_BYTES as usize).map(|from| {
            let range = from..found.size.min(from + bucket::PART_BYTES);
            self.store.get_range(at, range)
        });
        let mut pieces = futures::stream::iter(pieces).buffered(PIECES_AT_ONCE);
        let io = |error| disk::io_fault(&error);
        let mut file = tokio::fs::File::create(to).await.map_err(io)?;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| self.fault(error, key))?;
            file.write_all(&piece).await.map_err(io)?;
        }
        file.flush().await.map_err(io)?;
        Ok(found.size)
    }

    pub async fn get(&self, key: &str) -> Result<Bytes, BlobError> {
        let found = self
            .store
            .get(&parse(key)?)
            .await
            .map_err(|error| self.fault(error, key))?;
        found.bytes().await.map_err(|error| self.fault(error, key))
    }

    /// As [`Self::get`], on a thread that may wait: what is read lies in memory of that thread, and not of one of a pool, where it goes
    /// back to the system only when that thread is given something to do again.
    pub fn get_here(&self, key: &str, runtime: &tokio::runtime::Handle) -> Result<Bytes, BlobError> {
        let Some(path) = self.local_path(key)? else {
            return runtime.block_on(self.get(key));
        };
        match std::fs::read(path) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(BlobError::NotFound(key.to_owned())),
            Err(error) => Err(disk::io_fault(&error).into()),
        }
    }

    /// Bytes `range` of a file; an end beyond the file's is cut.
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, BlobError> {
        self.store
            .get_range(&parse(key)?, range)
            .await
            .map_err(|error| self.fault(error, key))
    }

    /// The size of a file, `None` where there is none.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, BlobError> {
        let found = self.store.head(&parse(key)?).await;
        match found.map_err(|error| self.fault(error, key)) {
            Ok(meta) => Ok(Some(meta.size)),
            Err(BlobError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
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
        let mut files: Vec<_> = listed.try_collect().await.map_err(|error| self.fault(error, ""))?;
        files.retain(|file: &BlobInfo| !file.key.starts_with(PROBES));
        files.sort_by(|a: &BlobInfo, b| a.key.cmp(&b.key));
        Ok(files)
    }

    /// The names of the folders right under one, sorted; none, where it is not there.
    pub async fn folders(&self, prefix: &str) -> Result<Vec<String>, BlobError> {
        let listed = self.store.list_with_delimiter(Some(&parse(prefix)?)).await;
        let folders = listed.map_err(|error| self.fault(error, prefix))?.common_prefixes;
        let mut names: Vec<String> = folders
            .iter()
            .filter_map(|key| Some(key.filename()?.to_owned()))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Deletes a file; one that is not there is no error.
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let deleted = self.store.delete(&parse(key)?).await;
        match deleted.map_err(|error| self.fault(error, key)) {
            Err(BlobError::NotFound(_)) => Ok(()),
            deleted => deleted,
        }
    }

    /// Deletes every file under a folder; returns how many.
    pub async fn delete_all(&self, prefix: &str) -> Result<u64, BlobError> {
        // An empty prefix would be everything there is.
        let below = parse(prefix)?;
        let files = self.list(prefix).await?;
        let count = files.len() as u64;
        let Place::Folder(folder) = &self.place else {
            let keys = files.into_iter().map(|file| Ok(Key::from(file.key)));
            let deleted = self.store.delete_stream(futures::stream::iter(keys).boxed());
            let deleted = deleted.try_for_each(|_| std::future::ready(Ok(()))).await;
            return deleted.map(|()| count).map_err(|error| self.fault(error, prefix));
        };
        let deleted = futures::stream::iter(files).map(|file| async move { self.delete(&file.key).await });
        deleted.buffer_unordered(8).try_collect::<()>().await?;
        // Empty folders are nothing to the store; on disk they would pile up.
        match tokio::fs::remove_dir_all(folder.join(below.as_ref())).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(disk::io_fault(&error).into()),
            _ => Ok(count),
        }
    }

    /// Where the file is (or would be) on this disk, for delivery without copying; `None` where files are not on it.
    pub fn local_path(&self, key: &str) -> Result<Option<PathBuf>, BlobError> {
        let at = parse(key)?;
        Ok(match &self.place {
            Place::Folder(folder) => Some(folder.join(at.as_ref())),
            Place::Bucket(_) => None,
        })
    }

    /// Whether files lie in a bucket, and which, for people.
    pub fn bucket(&self) -> Option<&str> {
        match &self.place {
            Place::Folder(_) => None,
            Place::Bucket(bucket) => Some(&bucket.words),
        }
    }

    fn write_fault(&self, error: object_store::Error, key: &str) -> BlobError {
        match &self.place {
            Place::Folder(_) => disk::fault(error, key),
            Place::Bucket(bucket) => bucket.write_fault(error, key),
        }
    }

    fn fault(&self, error: object_store::Error, key: &str) -> BlobError {
        match &self.place {
            Place::Folder(_) => disk::fault(error, key),
            Place::Bucket(bucket) => bucket.fault(error, key),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| Fault::Internal(error.to_string()))?;
    done.map_err(|error| disk::io_fault(&error).into())
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

#[cfg(test)]
mod tests;
