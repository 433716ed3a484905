//! What video files lie in a folder: found without opening one of them.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

pub const EXTENSIONS: [&str; 9] = ["mkv", "mp4", "m4v", "mov", "avi", "webm", "ts", "mpg", "mpeg"];
const FILES_MAX: usize = 100_000;
const DEPTH_MAX: usize = 8;
const UNREADABLE_MAX: usize = 100;

/// A video file, where it is in the folder, and what says that it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub file: PathBuf,
    pub bytes: u64,
    pub modified_ms: i64,
}

#[derive(Debug, Default)]
pub struct Scan {
    /// Sorted by path.
    pub videos: Vec<Seen>,
    /// What could not be looked at, and why.
    pub unreadable: Vec<String>,
}

/// Links are not followed; hidden entries are left out.
pub fn videos_below(folder: &Path) -> anyhow::Result<Scan> {
    let mut scan = Scan::default();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((current, depth)) = open.pop() {
        let entries = match fs::read_dir(&current) {
            Ok(entries) => entries,
            Err(error) if depth > 0 => {
                scan.unreadable(&current, &error);
                continue;
            }
            Err(error) => return Err(error).with_context(|| format!("reading the folder {}", current.display())),
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let (kind, path) = (entry.file_type()?, entry.path());
            if kind.is_dir() && depth < DEPTH_MAX {
                open.push((path, depth + 1));
            } else if kind.is_file() && is_video(&path) {
                ensure!(
                    scan.videos.len() < FILES_MAX,
                    "more than {FILES_MAX} video files; import parts of the folder"
                );
                match entry.metadata() {
                    Ok(meta) => scan.videos.push(Seen {
                        file: path.strip_prefix(folder)?.to_owned(),
                        bytes: meta.len(),
                        modified_ms: meta.mtime() * 1000 + meta.mtime_nsec() / 1_000_000,
                    }),
                    Err(error) => scan.unreadable(&path, &error),
                }
            }
        }
    }
    scan.videos.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(scan)
}

impl Scan {
    /// Whether a file that it did not find is gone. One below a folder that could not be read may be there, and a folder without any is
    /// rather one that is not mounted.
    pub fn tells_what_is_gone(&self) -> bool {
        self.unreadable.is_empty() && !self.videos.is_empty()
    }

    fn unreadable(&mut self, path: &Path, error: &std::io::Error) {
        if self.unreadable.len() < UNREADABLE_MAX {
            self.unreadable.push(format!("{}: {error}", path.display()));
        }
    }
}

fn is_video(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_look_tells_what_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let scan = || videos_below(folder.path()).unwrap();
        assert!(!scan().tells_what_is_gone(), "not mounted");
        fs::write(folder.path().join("film.mkv"), b"x").unwrap();
        assert!(scan().tells_what_is_gone());
        let mut partly = scan();
        partly.unreadable(Path::new("share"), &std::io::ErrorKind::PermissionDenied.into());
        assert!(!partly.tells_what_is_gone());
    }
}
