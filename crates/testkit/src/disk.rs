//! Owns a disk that runs full: a small file system in memory, mounted for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder that holds only so many bytes.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
    _folder: Option<TempDir>,
}

impl SmallDisk {
    /// `None`, with the reason on standard error, where this user may not mount; [`crate::Launch::file_bytes_max`] is the way there.
    pub fn new(bytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut disk = Self::at(folder.path(), bytes)?;
        disk._folder = Some(folder);
        Some(disk)
    }

    /// In the place of a folder that is there, until it is dropped.
    pub fn at(folder: &Path, bytes: u64) -> Option<Self> {
        let size = format!("size={bytes},mode=0777");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self {
                path: folder.to_owned(),
                _folder: None,
            }),
            Ok(output) => skipped(&String::from_utf8_lossy(&output.stderr)),
            Err(error) => skipped(&error.to_string()),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: something that was killed may still be closing its files.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.path).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("could not unmount {}", self.path.display());
        }
    }
}

fn skipped<T>(reason: &str) -> Option<T> {
    eprintln!("skipped: needs the right to mount a small disk: {}", reason.trim());
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_disk_runs_full() {
        let Some(disk) = SmallDisk::new(64 * 1024) else { return };
        assert!(std::fs::write(disk.path().join("small"), vec![0; 1024]).is_ok());
        assert!(std::fs::write(disk.path().join("large"), vec![0; 1024 * 1024]).is_err());
    }
}
