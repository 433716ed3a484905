//! Owns a disk that runs full: a small file system in memory, mounted for one test.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

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

    /// From now on it holds so many.
    pub fn resize(&self, bytes: u64) {
        let options = format!("remount,size={bytes}");
        let remounted = Command::new("mount").args(["-o", &options]).arg(&self.path).status();
        assert!(remounted.is_ok_and(|status| status.success()), "{options}");
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

/// Runs `test` of this test program again, as root of a world of its own, where the machine lets this user make one. A machine that does
/// not is a failure, unless it is said to be known.
pub fn again_where_it_may_mount(test: &str) {
    const INSIDE: &str = "TESTKIT_MAY_MOUNT";
    const KNOWN: &str = "KINORA_TESTS_CANNOT_MOUNT";
    assert!(std::env::var_os(INSIDE).is_none(), "not even root of its own may mount");
    let ended = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status();
    if ended.as_ref().is_ok_and(ExitStatus::success) {
        return;
    }
    assert!(
        std::env::var_os(KNOWN).is_some(),
        "no small disk could be made, or the test failed on it ({ended:?}); run it as root, or set {KNOWN}=1 to go without it"
    );
    eprintln!("not tested: {test}, because {KNOWN} is set");
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
