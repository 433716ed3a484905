//! What a backup makes while it works, and what is left of it when it is killed: copies of databases and second names of sources in
//! the data folder, and the unfinished file, wherever that is.
//!
//! Whoever makes a backup holds a lock on the data folder, which ends with the process. So whoever gets the lock knows that nobody
//! works any more on what lies there, and clears it away.

use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

const FOLDER: &str = ".backing-up";
/// In it: where the unfinished file is.
const PART: &str = "part";

/// The work of one backup; gone with this.
pub struct Work {
    folder: PathBuf,
    _lock: File,
}

impl Work {
    /// Clears away what a killed backup left, and begins one whose unfinished file is `part`.
    pub fn begin(data_dir: &Path, part: &Path) -> anyhow::Result<Self> {
        let Some(lock) = lock(data_dir)? else {
            bail!(
                "another backup of {} is being made; wait for its end",
                data_dir.display()
            );
        };
        clear(data_dir)?;
        let folder = data_dir.join(FOLDER);
        fs::create_dir(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
        let work = Self { folder, _lock: lock };
        let part = std::path::absolute(part)?;
        fs::write(work.folder.join(PART), part.as_os_str().as_bytes()).context("noting where the backup is written")?;
        Ok(work)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // What cannot be removed now goes with the next backup or start.
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Clears away what a killed backup left, unless one is being made just now.
pub fn clear_leftovers(data_dir: &Path) -> anyhow::Result<()> {
    if data_dir.join(FOLDER).exists()
        && let Some(_lock) = lock(data_dir)?
    {
        clear(data_dir)?;
    }
    Ok(())
}

/// Nothing where somebody else has it.
fn lock(data_dir: &Path) -> anyhow::Result<Option<File>> {
    let folder = File::open(data_dir).with_context(|| format!("opening the folder {}", data_dir.display()))?;
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", data_dir.display())),
    }
}

/// Only while the lock is held.
fn clear(data_dir: &Path) -> anyhow::Result<()> {
    let folder = data_dir.join(FOLDER);
    let noted = match fs::read(folder.join(PART)) {
        Ok(noted) => noted,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("reading {}", folder.display())),
    };
    let part = Path::new(OsStr::from_bytes(&noted));
    let removed = if is_left(part) {
        fs::remove_file(part).with_context(|| format!("removing {}", part.display()))
    } else {
        Ok(())
    };
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => removed,
    }
}

/// Whether a note names an unfinished backup that nobody writes any more. One that was cut short names something else; a copy of the
/// whole data folder, or another one's backup to the same place, names a file that is being written.
fn is_left(part: &Path) -> bool {
    let named = part.extension().is_some_and(|extension| extension == "part") && part.is_file();
    named && File::open(part).is_ok_and(|file| file.try_lock().is_ok())
}
