//! Files in a folder of this machine.

use std::path::{Path, PathBuf};

use contract::Fault;
use object_store::local::LocalFileSystem;

use super::BlobError;

/// The folder, which is made if it is not there, and the store over it.
pub fn open(folder: &Path) -> Result<(PathBuf, LocalFileSystem), BlobError> {
    std::fs::create_dir_all(folder).map_err(|error| io_fault(&error))?;
    let folder = folder.canonicalize().map_err(|error| io_fault(&error))?;
    let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| fault(error, ""))?;
    Ok((folder, store.with_fsync(true)))
}

pub fn move_in(from: &Path, to: &Path) -> std::io::Result<()> {
    let folder = to.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    std::fs::File::open(from)?.sync_all()?;
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => copy_in(from, to)?,
        renamed => renamed?,
    }
    std::fs::File::open(folder)?.sync_all()
}

pub fn copy_in(from: &Path, to: &Path) -> std::io::Result<()> {
    copy_next_to(from, to)?;
    std::fs::remove_file(from)
}

pub fn copy_to(from: &Path, to: &Path) -> std::io::Result<()> {
    let folder = to.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    copy_next_to(from, to)?;
    std::fs::File::open(folder)?.sync_all()
}

/// Copies next to the goal first, so that the last step is a rename here too.
fn copy_next_to(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut name = to.as_os_str().to_owned();
    name.push("#incoming");
    let incoming = PathBuf::from(name);
    let copied = std::fs::copy(from, &incoming)
        .and_then(|_| std::fs::File::open(&incoming)?.sync_all())
        .and_then(|()| std::fs::rename(&incoming, to));
    if copied.is_err() {
        // What is left of the attempt has no name that anybody reads; removing it is a courtesy.
        std::fs::remove_file(&incoming).ok();
    }
    copied
}

pub fn fault(error: object_store::Error, key: &str) -> BlobError {
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

pub fn io_fault(error: &std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Fault::StorageFull(error.to_string()),
        _ => Fault::Unavailable(error.to_string()),
    }
}
