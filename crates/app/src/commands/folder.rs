//! `kinora import folder`: films and series from a folder of video files, named as people name them:
//! `Solaris (1972).mkv`, `Solaris (1972)/film.mkv`, `Dark/Season 1/Dark S01E02 Lies.mkv`.
//!
//! Repeating it adds what is new: a file is known by its path inside the folder.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use contract::{
    TitleId,
    catalog::{Catalog, EpisodePlace, ExternalId, ForTitle, ImportTitles, NewTitle, TitleKind},
    jobs::{JobState, Jobs, ListJobs},
    streaming::{AddMedia, Streaming},
};

const EXTENSIONS: [&str; 9] = ["mkv", "mp4", "m4v", "mov", "avi", "webm", "ts", "mpg", "mpeg"];
const FILES_MAX: usize = 100_000;
const DEPTH_MAX: usize = 8;
const SOURCE: &str = "file";
const SERIES_SOURCE: &str = "folder";

/// What a file's path says that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub year: Option<u16>,
    /// The series' name, season, episode.
    pub episode: Option<(String, u16, u16)>,
}

/// How many of what came in.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub files: usize,
    pub titles_created: u64,
    pub queued: usize,
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
    let (titles, created) = import_titles(&files, catalog).await?;
    let waiting = waiting_titles(jobs).await?;
    let mut counts = Counts {
        files: files.len(),
        titles_created: created,
        queued: 0,
    };
    for (number, (file, title)) in files.iter().zip(&titles).enumerate() {
        progress(number as f32 / files.len() as f32, &file.to_string_lossy());
        let has_video = catalog.title(ForTitle { title: *title }).await?.video.is_some();
        if has_video || waiting.contains(title) {
            continue;
        }
        let path = folder.join(file).to_string_lossy().into_owned();
        streaming.add_media(AddMedia { title: *title, path }).await?;
        counts.queued += 1;
    }
    Ok(counts)
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

/// The title of each file, in order, and how many are new.
async fn import_titles(files: &[PathBuf], catalog: &dyn Catalog) -> anyhow::Result<(Vec<TitleId>, u64)> {
    let named: Vec<Named> = files.iter().map(|file| name_of(file)).collect();
    let series: BTreeMap<&str, Option<u16>> = named
        .iter()
        .filter_map(|named| named.episode.as_ref().map(|(series, ..)| (series.as_str(), named.year)))
        .collect();
    let new_series: Vec<NewTitle> = series
        .iter()
        .map(|(name, year)| new_title(TitleKind::Series, name, *year, None, (SERIES_SOURCE, name)))
        .collect();
    let made = catalog.import(ImportTitles { titles: new_series }).await?;
    let ids: BTreeMap<&str, TitleId> = series.keys().copied().zip(made.titles).collect();
    let new_files = files.iter().zip(&named).map(|(file, named)| {
        let place = named.episode.as_ref().and_then(|(name, season, episode)| {
            let series = *ids.get(name.as_str())?;
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
        new_title(kind, &named.name, named.year, place, (SOURCE, &file.to_string_lossy()))
    });
    let imported = catalog
        .import(ImportTitles {
            titles: new_files.collect(),
        })
        .await?;
    Ok((imported.titles, imported.created + made.created))
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

/// What the path says. A generic file name (`film.mkv`) takes the name of its folder.
pub fn name_of(path: &Path) -> Named {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .replace(['.', '_'], " ");
    let folders: Vec<String> = path
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if let Some((before, season, number, after)) = split_episode(&stem) {
        let from_folder = folders.iter().rev().find(|folder| !is_season_folder(folder));
        let (series, year) = split_year(from_folder.map_or(before.as_str(), String::as_str));
        let name = if after.is_empty() {
            format!("Episode {number}")
        } else {
            after
        };
        return Named {
            name,
            year,
            episode: Some((series, season, number)),
        };
    }
    let (name, year) = split_year(&stem);
    match folders.last().map(|folder| split_year(folder)) {
        Some((folder_name, Some(folder_year))) if year.is_none() => Named {
            name: folder_name,
            year: Some(folder_year),
            episode: None,
        },
        _ => Named {
            name,
            year,
            episode: None,
        },
    }
}

fn is_season_folder(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["season", "series", "specials"]
        .iter()
        .any(|word| lower.starts_with(word))
        || (lower.starts_with('s') && lower.len() > 1 && lower[1..].bytes().all(|byte| byte.is_ascii_digit()))
}

/// `Dark S01E02 Lies` → (`Dark`, 1, 2, `Lies`).
fn split_episode(stem: &str) -> Option<(String, u16, u16, String)> {
    let bytes = stem.as_bytes();
    for start in 0..bytes.len() {
        let at_word = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        if !at_word || !bytes[start].eq_ignore_ascii_case(&b's') {
            continue;
        }
        let Some((season, after_season)) = number_at(bytes, start + 1) else {
            continue;
        };
        if !bytes
            .get(after_season)
            .is_some_and(|byte| byte.eq_ignore_ascii_case(&b'e'))
        {
            continue;
        }
        let Some((episode, end)) = number_at(bytes, after_season + 1) else {
            continue;
        };
        let clean = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || c == '-').to_owned();
        return Some((clean(&stem[..start]), season, episode, clean(&stem[end..])));
    }
    None
}

/// A number of one to four digits at `start`, and where it ends.
fn number_at(bytes: &[u8], start: usize) -> Option<(u16, usize)> {
    let digits = bytes
        .get(start..)?
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(1..=4).contains(&digits) {
        return None;
    }
    let text = std::str::from_utf8(&bytes[start..start + digits]).ok()?;
    Some((text.parse().ok()?, start + digits))
}

/// `Solaris (1972) 1080p` → (`Solaris`, 1972).
fn split_year(text: &str) -> (String, Option<u16>) {
    for (open, _) in text.match_indices('(') {
        let Some(inside) = text.get(open + 1..open + 6) else {
            continue;
        };
        let year = inside.strip_suffix(')').and_then(|digits| digits.parse::<u16>().ok());
        if let Some(year) = year.filter(|year| (1870..2200).contains(year)) {
            let name = text[..open].trim();
            if !name.is_empty() {
                return (name.to_owned(), Some(year));
            }
        }
    }
    (text.trim().to_owned(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_as_people_mean_them() {
        let film = |name: &str, year| Named {
            name: name.into(),
            year,
            episode: None,
        };
        let episode = |series: &str, season, number, name: &str, year| Named {
            name: name.into(),
            year,
            episode: Some((series.into(), season, number)),
        };
        for (path, expected) in [
            ("Solaris (1972).mkv", film("Solaris", Some(1972))),
            ("Solaris (1972)/film.mkv", film("Solaris", Some(1972))),
            ("Science fiction/Solaris (1972) 1080p.mkv", film("Solaris", Some(1972))),
            ("2001.A.Space.Odyssey.mp4", film("2001 A Space Odyssey", None)),
            ("Holiday.mov", film("Holiday", None)),
            (
                "Dark (2017)/Season 1/Dark S01E02 Lies.mkv",
                episode("Dark", 1, 2, "Lies", Some(2017)),
            ),
            ("Dark/S2/s02e03.mkv", episode("Dark", 2, 3, "Episode 3", None)),
            ("Dark.S01E10.mkv", episode("Dark", 1, 10, "Episode 10", None)),
            ("Amélie (2001)/Amélie.mkv", film("Amélie", Some(2001))),
            ("(1999).mkv", film("(1999)", None)),
        ] {
            assert_eq!(name_of(Path::new(path)), expected, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_path_is_too_strange(path in ".{0,40}") {
            name_of(Path::new(&path));
        }
    }
}
