//! Owns remembering that a step is done: a file with the digest of everything that the step was made from.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Raise when a step does something else with the same inputs.
const FORMAT: u32 = 1;

/// The mark of one step.
pub struct Stamp {
    path: PathBuf,
}

impl Stamp {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// Whether the step was done from these inputs.
    pub fn holds(&self, inputs: u64) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|text| text.trim() == format!("{inputs:016x}"))
    }

    pub fn set(&self, inputs: u64) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        }
        fs::write(&self.path, format!("{inputs:016x}\n")).with_context(|| format!("write {}", self.path.display()))
    }
}

/// A digest for telling change from no change on one machine; not for anything that must resist an attacker.
pub fn digest(parts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    FORMAT.hash(&mut hasher);
    parts.hash(&mut hasher);
    hasher.finish()
}

pub fn digest_of_files(paths: &[PathBuf]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    FORMAT.hash(&mut hasher);
    for path in paths {
        path.hash(&mut hasher);
        fs::read(path)
            .with_context(|| format!("read {}", path.display()))?
            .hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// All files under a folder except in folders of these names.
pub fn digest_of_folder(folder: &Path, except: &[&str]) -> Result<u64> {
    let mut paths = Vec::new();
    list(folder, except, &mut paths)?;
    paths.sort();
    digest_of_files(&paths)
}

fn list(folder: &Path, except: &[&str], into: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let skipped = except.iter().any(|name| entry.file_name() == *name);
        if entry.file_type()?.is_dir() && !skipped {
            list(&entry.path(), except, into)?;
        } else if entry.file_type()?.is_file() && !skipped {
            into.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_holds_for_its_inputs_alone() {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        let stamp = Stamp::new(&folder.join("import"));
        assert!(!stamp.holds(digest(&["a"])));
        stamp.set(digest(&["a"])).unwrap();
        assert!(stamp.holds(digest(&["a"])));
        assert!(!stamp.holds(digest(&["b"])));
        let before = digest_of_folder(&folder, &["skipped"]).unwrap();
        fs::create_dir(folder.join("skipped")).unwrap();
        fs::write(folder.join("skipped/file"), "x").unwrap();
        assert_eq!(digest_of_folder(&folder, &["skipped"]).unwrap(), before);
        fs::write(folder.join("file"), "x").unwrap();
        assert_ne!(digest_of_folder(&folder, &["skipped"]).unwrap(), before);
        fs::remove_dir_all(folder).unwrap();
    }
}
