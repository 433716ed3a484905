//! What video files, and what files of subtitles, lie in a folder: found without opening one of them.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};

use super::digest;

pub const EXTENSIONS: [&str; 9] = ["mkv", "mp4", "m4v", "mov", "avi", "webm", "ts", "mpg", "mpeg"];
const SUBTITLE_EXTENSIONS: [&str; 4] = ["srt", "ass", "ssa", "vtt"];
/// The index of subtitles that are pictures, which lie beside it.
const PICTURES_EXTENSION: &str = "idx";
const FILES_MAX: usize = 100_000;
/// A film may have several; what is beyond is left out.
const SUBTITLES_MAX: usize = 4 * FILES_MAX;
const DEPTH_MAX: usize = 8;
const UNREADABLE_MAX: usize = 100;

/// A file, where it is in the folder, and what says that it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub file: PathBuf,
    pub bytes: u64,
    pub modified_ms: i64,
    /// What it lies on: empty, or a digest of where in the folder another disk is mounted.
    pub mount: Arc<str>,
}

#[derive(Debug, Default)]
pub struct Scan {
    /// Sorted by path.
    pub videos: Vec<Seen>,
    /// Sorted by path.
    pub subtitles: Vec<Seen>,
    /// What is there and not taken, and why.
    pub refused: Vec<String>,
    /// What could not be looked at, and why.
    pub unreadable: Vec<String>,
    /// Every [`Seen::mount`] that there can be now.
    pub mounts: HashSet<Arc<str>>,
}

/// Links are not followed; hidden entries are left out.
pub fn videos_below(folder: &Path) -> anyhow::Result<Scan> {
    let mut scan = Scan::default();
    let mut open = vec![(folder.to_owned(), 0, Arc::from(""))];
    while let Some((current, depth, above)) = open.pop() {
        let mount = mount(folder, &current, above);
        let entries = match fs::read_dir(&current) {
            Ok(entries) => entries,
            Err(error) if depth > 0 => {
                scan.unreadable(&current, &error);
                continue;
            }
            Err(error) => return Err(error).with_context(|| format!("reading the folder {}", current.display())),
        };
        scan.mounts.insert(mount.clone());
        for entry in entries {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let (kind, path) = (entry.file_type()?, entry.path());
            if kind.is_dir() && depth < DEPTH_MAX {
                open.push((path, depth + 1, mount.clone()));
            } else if kind.is_file() {
                scan.file(folder, &entry, &mount)?;
            }
        }
    }
    scan.videos.sort_by(|a, b| a.file.cmp(&b.file));
    scan.subtitles.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(scan)
}

impl Scan {
    /// Whether a file that it did not find is gone. One below a folder that could not be read may be there, and a folder without any is
    /// rather one that is not mounted.
    pub fn tells_what_is_gone(&self) -> bool {
        self.unreadable.is_empty() && !self.videos.is_empty()
    }

    fn file(&mut self, folder: &Path, entry: &fs::DirEntry, mount: &Arc<str>) -> anyhow::Result<()> {
        let path = entry.path();
        let shown = path.strip_prefix(folder)?;
        let into = if is_one_of(&path, &EXTENSIONS) {
            ensure!(
                self.videos.len() < FILES_MAX,
                "more than {FILES_MAX} video files; import parts of the folder"
            );
            &mut self.videos
        } else if is_one_of(&path, &SUBTITLE_EXTENSIONS) && self.subtitles.len() < SUBTITLES_MAX {
            &mut self.subtitles
        } else {
            if is_one_of(&path, &[PICTURES_EXTENSION]) && self.refused.len() < UNREADABLE_MAX {
                let what = "these subtitles are pictures, and only text can be read";
                self.refused.push(format!("{}: {what}", shown.display()));
            }
            return Ok(());
        };
        match entry.metadata() {
            Ok(meta) => into.push(Seen {
                file: shown.to_owned(),
                bytes: meta.len(),
                modified_ms: meta.mtime() * 1000 + meta.mtime_nsec() / 1_000_000,
                mount: mount.clone(),
            }),
            Err(error) => self.unreadable(&path, &error),
        }
        Ok(())
    }

    fn unreadable(&mut self, path: &Path, error: &std::io::Error) {
        if self.unreadable.len() < UNREADABLE_MAX {
            self.unreadable.push(format!("{}: {error}", path.display()));
        }
    }
}

/// What the files in a folder lie on: what those above it do, unless something is mounted there.
fn mount(root: &Path, folder: &Path, above: Arc<str>) -> Arc<str> {
    // Where the system does not say it, whatever is not found is taken for gone, as what lies on the disk itself is.
    let said = statx(CWD, folder, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty());
    if said.is_ok_and(|said| said.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)) {
        let inside = folder.strip_prefix(root).unwrap_or(folder);
        return digest(&[b"mount ".as_slice(), inside.as_os_str().as_encoded_bytes()].concat()).into();
    }
    above
}

fn is_one_of(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
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

    #[test]
    fn links_are_no_subtitles_and_pictures_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| fs::write(folder.path().join(name), b"x").unwrap();
        for name in ["film.mkv", "film.SRT", "film.idx", "film.sub", ".film.srt", "film.txt"] {
            put(name);
        }
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("film.en.srt")).unwrap();
        fs::create_dir(folder.path().join("film.de.srt")).unwrap();
        let scan = videos_below(folder.path()).unwrap();
        let names: Vec<_> = scan.subtitles.iter().map(|seen| seen.file.to_str().unwrap()).collect();
        assert_eq!(names, ["film.SRT"]);
        assert_eq!(
            scan.refused,
            ["film.idx: these subtitles are pictures, and only text can be read"]
        );
    }

    #[test]
    fn what_is_mounted_is_told_from_what_lies_there() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        fs::create_dir(&inside).unwrap();
        fs::write(inside.join("film.mkv"), b"x").unwrap();
        let scan = || videos_below(folder.path()).unwrap();
        let here = scan();
        assert_eq!(here.mounts.len(), 1);
        let Some(disk) = testkit::SmallDisk::at(&inside, 64 << 10) else {
            return;
        };
        fs::write(inside.join("film.mkv"), b"x").unwrap();
        let there = scan();
        assert_eq!(here.videos[0].file, there.videos[0].file);
        assert_ne!(here.videos[0].mount, there.videos[0].mount);
        assert!(there.mounts.contains(&there.videos[0].mount) && there.mounts.len() == 2);
        drop(disk);
        assert_eq!(scan().videos[0].mount, here.videos[0].mount);
        assert!(!scan().mounts.contains(&there.videos[0].mount));
    }
}
