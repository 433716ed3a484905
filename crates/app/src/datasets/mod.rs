//! Data sets of ratings as people download them, read into plain rows.
//!
//! | data set | files | notes |
//! |---|---|---|
//! | MovieLens 100K, original | `u.data`, `u.item` | tab and `\|` separated, ISO 8859-1 |
//! | MovieLens 100K, RecBole atomic | `*.inter`, `*.item` | typed header, tabs, UTF-8 |
//! | MovieLens 1M | `ratings.dat`, `movies.dat` | `::` separated, ISO 8859-1 |
//! | MovieLens latest, 25M, 32M | `ratings.csv`, `movies.csv`, perhaps `links.csv` | UTF-8 |
//! | MovieTweetings | `ratings.dat`, `movies.dat` | `::` separated, UTF-8, IMDb ids, 0 to 10 |
//! | ML-1M as sequential recommenders use it | `ml-1m_sas_order.txt`, perhaps `strong/` | order without times: for evaluation only |
//!
//! Everything is read and checked before anybody writes anything: an error names the file, the line and what is wrong.
//! Ratings are parsed from a buffered reader, a line at a time; what is kept is 16 bytes a rating.

mod atomic;
mod check;
mod csv_files;
mod double_colon;
mod names;
mod original;
mod preprocessed;
mod recognise;
#[cfg(test)]
mod tests;
mod text;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use contract::imports::DatasetKind;

pub use names::{Name, parse_name};
pub use preprocessed::{Fold, StrongSplit};

/// Data sets beyond this are not ours to hold in memory.
pub const RATINGS_MAX: usize = 100_000_000;
const TITLES_MAX: usize = 1_000_000;

/// What is wrong with a file, where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DatasetError {
    pub file: String,
    /// From 1; absent where it is the file as a whole.
    pub line: Option<u64>,
    pub what: String,
}

impl fmt::Display for DatasetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

type Result<T> = std::result::Result<T, DatasetError>;

/// Which of the known layouts it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    Movielens100k,
    RecboleAtomic,
    Movielens1m,
    MovielensCsv,
    Movietweetings,
    Movielens1mPreprocessed,
}

impl Layout {
    /// The name under which ids are kept as external ids.
    pub fn source(self) -> &'static str {
        match self {
            Self::Movietweetings => "movietweetings",
            // 100K numbers its films differently from all others.
            Self::Movielens100k | Self::RecboleAtomic => "movielens-100k",
            Self::Movielens1m | Self::MovielensCsv | Self::Movielens1mPreprocessed => "movielens",
        }
    }

    /// The name under which viewers are kept: every release of MovieLens numbers its people anew.
    pub fn viewers_source(self) -> &'static str {
        match self {
            Self::Movielens1m | Self::Movielens1mPreprocessed => "movielens-1m",
            Self::MovielensCsv => "movielens-csv",
            Self::Movielens100k | Self::RecboleAtomic | Self::Movietweetings => self.source(),
        }
    }

    pub fn kind(self) -> DatasetKind {
        match self {
            Self::Movietweetings => DatasetKind::Movietweetings,
            _ => DatasetKind::Movielens,
        }
    }
}

/// One film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Film {
    /// The data set's own id.
    pub id: String,
    pub name: Name,
    pub genres: Vec<String>,
    /// Digits, as in `tt0133093`.
    pub imdb: Option<String>,
}

/// One rating; indices into [`Dataset::viewers`] and [`Dataset::films`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    pub viewer: u32,
    pub film: u32,
    /// Seconds since the epoch, or a position in the viewer's order where [`Dataset::timed`] is false.
    pub at_s: u32,
    /// 1 to 10; 0 where only the order is known.
    pub half_stars: u8,
}

/// A whole data set, checked.
#[derive(Debug, Clone)]
pub struct Dataset {
    pub layout: Layout,
    pub films: Vec<Film>,
    /// Their names in the data set, in order of first appearance.
    pub viewers: Vec<String>,
    pub ratings: Vec<Rating>,
    /// Whether `at_s` is a time.
    pub timed: bool,
    /// Lines that said again what another had said.
    pub duplicates: u64,
    /// The strong-generalisation split that came along.
    pub strong: Option<StrongSplit>,
}

/// Reads the data set in `paths`: files, or one folder that holds them. Files are known by name, else by content.
pub fn read(paths: &[PathBuf]) -> Result<Dataset> {
    let files = Files::list(paths)?;
    read_files(&files).map_err(|error| files.named_error(error))
}

fn read_files(files: &Files) -> Result<Dataset> {
    if let (Some(inter), item) = (files.ending(".inter"), files.ending(".item")) {
        return atomic::read(inter, item);
    }
    if let Some(data) = files.named("u.data") {
        return original::read(data, files.required("u.item")?);
    }
    if let Some(order) = files.named("ml-1m_sas_order.txt") {
        return preprocessed::read(
            order,
            files.named("ml-1m_seq_original_ids.tsv"),
            files.named("movies.dat"),
        );
    }
    if let Some(movies) = files.named("movies.dat") {
        return double_colon::read(files.required("ratings.dat")?, movies);
    }
    if let Some(movies) = files.named("movies.csv") {
        return csv_files::read(files.required("ratings.csv")?, movies, files.named("links.csv"));
    }
    Err(files.error("there is no known data set here: looked for *.inter, u.data, movies.dat, movies.csv"))
}

/// Reads for an import, and refuses a data set of the other kind, and one that is for evaluation only.
pub fn read_as(kind: DatasetKind, paths: &[PathBuf]) -> Result<Dataset> {
    let dataset = read(paths)?;
    let what = match dataset.layout.kind() {
        _ if dataset.layout == Layout::Movielens1mPreprocessed => {
            "this is ML-1M as sequential recommenders use it, without ratings, times and MovieLens' ids: \
             it can be evaluated and not imported; import the folder with ratings.dat and movies.dat alone"
        }
        its if its == kind => return Ok(dataset),
        DatasetKind::Movielens => "this is MovieLens; import it as movielens",
        DatasetKind::Movietweetings => "this is MovieTweetings; import it as movietweetings",
    };
    let file = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
    Err(DatasetError {
        file,
        line: None,
        what: what.into(),
    })
}

/// What there is to read.
struct Files {
    shown: String,
    /// The name each goes by, lower case, and where it is.
    paths: Vec<(String, PathBuf)>,
}

impl Files {
    const ENTRIES_MAX: usize = 1000;

    fn list(paths: &[PathBuf]) -> Result<Self> {
        let shown = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
        let failed = |error: std::io::Error| DatasetError {
            file: shown.clone(),
            line: None,
            what: error.to_string(),
        };
        let paths = match paths {
            [folder] if folder.is_dir() => {
                let entries = std::fs::read_dir(folder).map_err(failed)?.take(Self::ENTRIES_MAX);
                let found: std::io::Result<Vec<_>> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
                let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
                found
                    .map_err(failed)?
                    .into_iter()
                    .map(|path| (name(&path), path))
                    .collect()
            }
            [] => {
                return Err(DatasetError {
                    file: shown,
                    line: None,
                    what: "no file was named".into(),
                });
            }
            files => files
                .iter()
                .map(|path| (recognise::name_of(path), path.clone()))
                .collect(),
        };
        Ok(Self { shown, paths })
    }

    fn find(&self, is: impl Fn(&str) -> bool) -> Option<&Path> {
        self.paths
            .iter()
            .find(|(name, _)| is(name))
            .map(|(_, path)| path.as_path())
    }

    fn named(&self, wanted: &str) -> Option<&Path> {
        self.find(|name| name == wanted)
    }

    fn ending(&self, end: &str) -> Option<&Path> {
        self.find(|name| name.ends_with(end))
    }

    fn required(&self, name: &str) -> Result<&Path> {
        self.named(name).ok_or_else(|| self.error(format!("{name} is missing")))
    }

    fn error(&self, what: impl Into<String>) -> DatasetError {
        DatasetError {
            file: self.shown.clone(),
            line: None,
            what: what.into(),
        }
    }

    /// An uploaded file under the name that a person knows it by.
    fn named_error(&self, error: DatasetError) -> DatasetError {
        let is = |path: &Path| {
            path.file_name()
                .is_some_and(|file| file.to_string_lossy() == error.file)
        };
        match self.paths.iter().find(|(_, path)| is(path)) {
            Some((name, _)) if !name.eq_ignore_ascii_case(&error.file) => DatasetError {
                file: name.clone(),
                ..error
            },
            _ => error,
        }
    }
}
