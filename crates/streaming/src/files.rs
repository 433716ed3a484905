//! Source files on this node's disk: `<data>/uploads/<id>`, where the id is ours and nothing of a person's is in the path.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use contract::{Fault, UploadId};
use platform::blob::BlobError;
use tokio::task::spawn_blocking;

/// The folder of sources. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    pub fn path(&self, id: UploadId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// How much fits.
    pub fn free_bytes(&self) -> Result<u64, Fault> {
        free_bytes(&self.folder)
    }

    /// An empty file that survives a crash.
    pub async fn create(&self, id: UploadId) -> Result<(), Fault> {
        let (path, folder) = (self.path(id), self.folder.clone());
        blocking(move || {
            File::create_new(path)?.sync_all()?;
            File::open(folder)?.sync_all()
        })
        .await
    }

    /// Writes at `offset`; on disk when this answers.
    pub async fn write_at(&self, id: UploadId, offset: u64, body: Vec<u8>) -> Result<(), Fault> {
        let path = self.path(id);
        blocking(move || {
            let file = OpenOptions::new().write(true).open(path)?;
            file.write_all_at(&body, offset)?;
            file.sync_data()
        })
        .await
    }

    /// So many bytes from `offset` on, all of them; `None` where there is no such file.
    pub async fn read_at(&self, id: UploadId, offset: u64, bytes: u64) -> Result<Option<Vec<u8>>, Fault> {
        let path = self.path(id);
        blocking(move || {
            let file = match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                opened => opened?,
            };
            let mut body = vec![0; bytes as usize];
            file.read_exact_at(&mut body, offset)?;
            Ok(Some(body))
        })
        .await
    }

    /// Lets nothing lie beyond `bytes`.
    pub async fn cut_at(&self, id: UploadId, bytes: u64) -> Result<(), Fault> {
        let path = self.path(id);
        blocking(move || {
            let file = OpenOptions::new().write(true).open(path)?;
            if file.metadata()?.len() > bytes {
                file.set_len(bytes)?;
                file.sync_all()?;
            }
            Ok(())
        })
        .await
    }

    /// The first bytes of what these files are one after the other, `bytes_max` at most.
    pub async fn start(&self, ids: &[UploadId], bytes_max: usize) -> Result<Vec<u8>, Fault> {
        let paths: Vec<_> = ids.iter().map(|id| self.path(*id)).collect();
        blocking(move || {
            let mut start = Vec::with_capacity(bytes_max);
            for path in paths {
                let left = bytes_max - start.len();
                File::open(path)?.take(left as u64).read_to_end(&mut start)?;
            }
            Ok(start)
        })
        .await
    }

    /// Makes one file of others, each with the bytes that count of it; the kernel copies, or shares where the disk can.
    pub async fn join(&self, id: UploadId, parts: &[(UploadId, u64)]) -> Result<(), Fault> {
        let (path, folder) = (self.path(id), self.folder.clone());
        let parts: Vec<_> = parts.iter().map(|(id, bytes)| (self.path(*id), *bytes)).collect();
        blocking(move || {
            if let Err(error) = join(&path, &parts) {
                fs::remove_file(&path).ok();
                return Err(error);
            }
            File::open(folder)?.sync_all()
        })
        .await
    }

    /// Brings in a file of this machine by a second name for the same bytes. `false`: the disk, or whose file it is, does not allow it.
    pub async fn link(&self, id: UploadId, from: PathBuf) -> Result<bool, Fault> {
        let (path, folder) = (self.path(id), self.folder.clone());
        blocking(move || {
            if fs::hard_link(&from, &path).is_err() {
                return Ok(false);
            }
            File::open(folder)?.sync_all()?;
            Ok(true)
        })
        .await
    }

    /// Brings in a file of this machine by copying it.
    pub async fn copy_in(&self, id: UploadId, from: PathBuf) -> Result<(), Fault> {
        let (path, folder) = (self.path(id), self.folder.clone());
        blocking(move || {
            if let Err(error) = copy(&from, &path) {
                fs::remove_file(&path).ok();
                return Err(error);
            }
            File::open(folder)?.sync_all()
        })
        .await
    }

    /// One that is not there is no error.
    pub async fn remove(&self, id: UploadId) -> Result<(), Fault> {
        let path = self.path(id);
        blocking(move || match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    /// Every source on disk.
    pub async fn list(&self) -> Result<Vec<UploadId>, Fault> {
        let folder = self.folder.clone();
        blocking(move || {
            let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
            let names: Vec<_> = names.collect::<io::Result<_>>()?;
            Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
        })
        .await
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

fn join(to: &Path, parts: &[(PathBuf, u64)]) -> io::Result<()> {
    let mut whole = File::create_new(to)?;
    for (part, bytes) in parts {
        if io::copy(&mut File::open(part)?.take(*bytes), &mut whole)? != *bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    whole.sync_all()
}

/// For words about space: as many as hold so many bytes.
pub fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// What a person without privileges may still write where `folder` is.
pub fn free_bytes(folder: &Path) -> Result<u64, Fault> {
    let disk = rustix::fs::statvfs(folder).map_err(|error| fault(&error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Fault> {
    let done = spawn_blocking(work)
        .await
        .map_err(|error| Fault::Internal(error.to_string()))?;
    done.map_err(|error| fault(&error))
}

/// Of files in storage, where none that is asked for may be missing.
pub fn blob_fault(error: BlobError) -> Fault {
    match error {
        BlobError::Fault(fault) => fault,
        other => Fault::Internal(other.to_string()),
    }
}

pub fn fault(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::StorageFull(error.to_string()),
        _ => Fault::Unavailable(error.to_string()),
    }
}
