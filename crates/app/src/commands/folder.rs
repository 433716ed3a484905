//! `kinora import folder`: films and series from a folder of video files, named as people name them:
//! `Solaris (1972).mkv`, `Solaris (1972)/film.mkv`, `Dark/Season 1/Dark S01E02 Lies.mkv`.
//!
//! Repeating it adds what is new: a file is known by a digest of where it is, a series by its name and year. An episode's place and a film's
//! name and year say which title it is; where several files are one title, the largest is taken. A title that is here already, from
//! wherever, gets the video and stays as it is.

mod names;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use contract::{
    TitleId,
    catalog::{Catalog, EpisodePlace, ExternalId, ForTitle, ImportTitles, NewTitle, TitleKind},
    jobs::{JobState, Jobs, ListJobs},
    streaming::{AddMedia, Streaming},
};
use sha2::{Digest as _, Sha256};

use names::{Named, name_of};

const EXTENSIONS: [&str; 9] = ["mkv", "mp4", "m4v", "mov", "avi", "webm", "ts", "mpg", "mpeg"];
const FILES_MAX: usize = 100_000;
const DEPTH_MAX: usize = 8;
const SOURCE: &str = "file";
const SERIES_SOURCE: &str = "folder";

/// How many of what came in.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub files: usize,
    pub titles_created: u64,
    pub queued: usize,
    /// Files of a title that a larger file is of, too: which, and why.
    pub left_out: Vec<String>,
}

/// A file, where it is in the folder.
struct Found {
    file: PathBuf,
    bytes: u64,
    named: Named,
}

/// Brings in everything below `folder`.
pub async fn import(
    folder: &Path,
    catalog: &dyn Catalog,
    streaming: &dyn Streaming,
    jobs: &dyn Jobs,
    progress: impl Fn(f32, &str),
) -> anyhow::Result<Counts> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("reading the folder {}", folder.display()))?;
    let files = videos_below(&folder)?;
    ensure!(
        !files.is_empty(),
        "there is no video file in {} (looked for {})",
        folder.display(),
        EXTENSIONS.join(", ")
    );
    let mut counts = Counts {
        files: files.len(),
        ..Counts::default()
    };
    let files = one_of_each(&folder, files, &mut counts.left_out)?;
    let titles = import_titles(&folder, &files, catalog, &mut counts).await?;
    let waiting = waiting_titles(jobs).await?;
    for (number, (found, title)) in files.iter().zip(&titles).enumerate() {
        progress(number as f32 / files.len() as f32, &found.file.to_string_lossy());
        let has_video = catalog.title(ForTitle { title: *title }).await?.video.is_some();
        if has_video || waiting.contains(title) {
            continue;
        }
        let path = folder.join(&found.file);
        let text = path.to_str();
        let text = text.with_context(|| format!("{}: the name is not UTF-8; rename the file", path.display()))?;
        let media = AddMedia {
            title: *title,
            path: text.to_owned(),
        };
        streaming.add_media(media).await?;
        counts.queued += 1;
    }
    Ok(counts)
}

/// The largest file of each episode, and of each film with a year: those are the same film wherever they lie.
fn one_of_each(folder: &Path, files: Vec<PathBuf>, left_out: &mut Vec<String>) -> anyhow::Result<Vec<Found>> {
    let mut best: Vec<Found> = Vec::with_capacity(files.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    for file in files {
        let path = folder.join(&file);
        let meta = std::fs::metadata(&path).with_context(|| format!("reading {}", path.display()))?;
        let mut found = Found {
            named: name_of(folder, &file),
            bytes: meta.len(),
            file,
        };
        let key = match (&found.named.episode, found.named.year) {
            (Some((series, season, episode)), year) => format!("{} {season} {episode}", series_key(series, year)),
            (None, Some(year)) => format!("{}\0{year}", found.named.name.to_lowercase()),
            (None, None) => found.file.to_string_lossy().into_owned(),
        };
        let Some(place) = places.get(&key) else {
            places.insert(key, best.len());
            best.push(found);
            continue;
        };
        let kept = &mut best[*place];
        if found.bytes > kept.bytes {
            std::mem::swap(kept, &mut found);
        }
        left_out.push(format!(
            "{}: the same as {}, which is larger or came first",
            found.file.display(),
            kept.file.display()
        ));
    }
    Ok(best)
}

/// Paths of video files relative to `folder`, sorted. Links are not followed; hidden entries are left out.
fn videos_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((current, depth)) = open.pop() {
        let entries =
            std::fs::read_dir(&current).with_context(|| format!("reading the folder {}", current.display()))?;
        for entry in entries {
            let entry = entry?;
            let (kind, path) = (entry.file_type()?, entry.path());
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() && depth < DEPTH_MAX {
                open.push((path, depth + 1));
            } else if kind.is_file() && is_video(&path) {
                ensure!(
                    files.len() < FILES_MAX,
                    "more than {FILES_MAX} video files; import parts of the folder"
                );
                files.push(path.strip_prefix(folder)?.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn is_video(path: &Path) -> bool {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// The title of each file, in order. A title that is here already is left as it is.
async fn import_titles(
    folder: &Path,
    files: &[Found],
    catalog: &dyn Catalog,
    counts: &mut Counts,
) -> anyhow::Result<Vec<TitleId>> {
    let mut series: BTreeMap<String, (&str, Option<u16>)> = BTreeMap::new();
    for named in files.iter().map(|found| &found.named) {
        if let Some((name, ..)) = &named.episode {
            series.entry(series_key(name, named.year)).or_insert((name, named.year));
        }
    }
    let new_series = series.iter().map(|(key, (name, year))| {
        let id = digest(key.as_bytes());
        new_title(TitleKind::Series, name, *year, None, (SERIES_SOURCE, &id))
    });
    let titles = new_series.collect();
    let made = catalog.import_new(ImportTitles { titles }).await?;
    let ids: BTreeMap<&str, TitleId> = series.keys().map(String::as_str).zip(made.titles).collect();
    let new_files = files.iter().map(|found| {
        let named = &found.named;
        let place = named.episode.as_ref().and_then(|(name, season, episode)| {
            let series = *ids.get(series_key(name, named.year).as_str())?;
            Some(EpisodePlace {
                series,
                season: *season,
                episode: *episode,
            })
        });
        let kind = if place.is_some() {
            TitleKind::Episode
        } else {
            TitleKind::Film
        };
        let id = digest(folder.join(&found.file).as_os_str().as_encoded_bytes());
        new_title(kind, &named.name, named.year, place, (SOURCE, &id))
    });
    let titles = new_files.collect();
    let imported = catalog.import_new(ImportTitles { titles }).await?;
    counts.titles_created = imported.created + made.created;
    Ok(imported.titles)
}

/// A series is known by its name and year.
fn series_key(name: &str, year: Option<u16>) -> String {
    let year = year.map(|year| year.to_string()).unwrap_or_default();
    format!("{}\0{year}", name.to_lowercase())
}

/// An id of bounded length for a text of any.
fn digest(text: &[u8]) -> String {
    let hash = Sha256::digest(text);
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn new_title(
    kind: TitleKind,
    name: &str,
    year: Option<u16>,
    place: Option<EpisodePlace>,
    external: (&str, &str),
) -> NewTitle {
    NewTitle {
        kind,
        name: name.to_owned(),
        original_name: None,
        year,
        genres: Vec::new(),
        description: String::new(),
        maturity: None,
        duration_ms: None,
        credits: Vec::new(),
        place,
        external: vec![ExternalId {
            source: external.0.into(),
            id: external.1.into(),
        }],
        published: true,
    }
}

/// Titles with a job that has not ended.
async fn waiting_titles(jobs: &dyn Jobs) -> anyhow::Result<HashSet<TitleId>> {
    let mut waiting = HashSet::new();
    for state in [JobState::Queued, JobState::Running] {
        let mut before = None;
        loop {
            let page = jobs
                .list(ListJobs {
                    before,
                    limit: contract::PAGE_ITEMS_MAX,
                    state: Some(state),
                })
                .await?;
            waiting.extend(page.iter().filter_map(|job| job.title_id));
            match page.last() {
                Some(last) if page.len() == contract::PAGE_ITEMS_MAX as usize => before = Some(last.id),
                _ => break,
            }
        }
    }
    Ok(waiting)
}
