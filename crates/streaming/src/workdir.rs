//! Folders in which encoders write, each held by a lock that dies with its process: what is not locked is nobody's and goes.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

const LOCK: &str = "lock";

/// A folder of one attempt, removed when dropped.
#[derive(Debug)]
pub struct WorkDir {
    folder: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl WorkDir {
    /// Makes `<parent>/<name>`, empty, held by this process.
    pub fn create(parent: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        let lock_path = parent.join(format!("{name}.{LOCK}"));
        let folder = parent.join(name);
        let lock = hold(&lock_path)?;
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&folder)?,
        }
        Ok(Self {
            folder,
            lock_path,
            _lock: lock,
        })
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        // Whatever cannot be removed now is swept at the next start.
        fs::remove_dir_all(&self.folder).ok();
        fs::remove_file(&self.lock_path).ok();
    }
}

/// A sweeper may unlink the name between our opening and our locking it: then we hold a file that nobody sees, and try again.
fn hold(path: &Path) -> io::Result<File> {
    for _ in 0..8 {
        let file = File::create(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    "this attempt is being worked on",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if fs::metadata(path).is_ok_and(|named| file.metadata().is_ok_and(|held| held.ino() == named.ino())) {
            return Ok(file);
        }
    }
    Err(io::Error::other("the lock of a work folder does not hold"))
}

/// Removes what dead processes left; answers how many folders.
pub fn sweep(parent: &Path) -> io::Result<usize> {
    let mut swept = 0;
    let entries = match fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != LOCK) {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        if file.try_lock().is_err() {
            continue;
        }
        match fs::remove_dir_all(path.with_extension("")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::remove_file(&path)?,
        }
        swept += 1;
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let held = WorkDir::create(parent.path(), "held").unwrap();
        fs::write(held.path().join("v0.mp4"), "half").unwrap();
        // What a killed process leaves: the folder, and a lock that nobody holds.
        fs::create_dir(parent.path().join("dead")).unwrap();
        fs::write(parent.path().join("dead/v0.mp4"), "half").unwrap();
        fs::write(parent.path().join("dead.lock"), "").unwrap();

        assert_eq!(sweep(parent.path()).unwrap(), 1);
        assert!(held.path().join("v0.mp4").exists());
        assert!(!parent.path().join("dead").exists());
        assert_eq!(
            WorkDir::create(parent.path(), "held").unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );

        drop(held);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        assert_eq!(sweep(Path::new("/nowhere")).unwrap(), 0);
    }
}
