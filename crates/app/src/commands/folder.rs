//! `kinora import folder`: films and series from a folder of video files, named as people name them:
//! `Solaris (1972).mkv`, `Solaris (1972)/film.mkv`, `Dark/Season 1/Dark S01E02 Lies.mkv`.
//!
//! Repeating it adds what is new, and a file that changed is packaged anew: a file is known by a digest of where it is, a series by its
//! name and year. An episode's place and a film's name and year say which title it is; where several files are one title, the largest is
//! taken. What an NFO file beside it says goes into a title that is made; one that is here already, from wherever, gets the video and
//! stays as it is. Files are looked at one after the other, and opened by the jobs that package them alone.

mod memory;
mod names;
mod nfo;
mod scan;
pub mod watch;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use contract::{
    TitleId,
    catalog::{Catalog, EpisodePlace, ExternalId, ForTitle, ImportTitles, NewTitle, TitleKind},
    jobs::{JobState, Jobs, ListJobs},
    streaming::{AddMedia, Streaming, StreamingError},
};
use platform::Db;
use sha2::{Digest as _, Sha256};

use memory::{Change, Memory};
use names::{Named, name_of};
use nfo::{Facts, Kind};
use scan::Seen;

pub use scan::EXTENSIONS;

const SOURCE: &str = "file";
const SERIES_SOURCE: &str = "folder";
/// Titles that are made in one transaction: viewers rate meanwhile.
const TITLES_AT_ONCE: usize = 2_000;
/// Files whose videos are queued before they are remembered.
const FILES_AT_ONCE: usize = 50;
const WORDS_MAX: usize = 1_000;

/// How many of what came in.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub files: usize,
    /// As they were the last time.
    pub unchanged: usize,
    /// Changed so lately that somebody may be writing them, or while what they were is being packaged.
    pub resting: usize,
    pub titles_created: u64,
    pub queued: usize,
    /// Files that could not be used, or of a title that a larger file is of, too: which, and why.
    pub left_out: Vec<String>,
}

impl Counts {
    fn leave_out(&mut self, what: String) {
        if self.left_out.len() < WORDS_MAX {
            self.left_out.push(what);
        }
    }
}

/// Who is told of what is found.
#[derive(Clone)]
pub struct Doors {
    pub catalog: Arc<dyn Catalog>,
    pub streaming: Arc<dyn Streaming>,
    pub jobs: Arc<dyn Jobs>,
    /// Where it is remembered.
    pub db: Db,
}

/// A file, where it is in the folder.
struct Found {
    seen: Seen,
    named: Named,
    change: Change,
}

/// Brings in everything below `folder` that is new or changed, and not before it has rested for that long by `now_ms`.
pub async fn import(
    folder: &Path,
    doors: &Doors,
    (now_ms, rest): (i64, Duration),
    progress: impl Fn(f32, &str),
) -> anyhow::Result<Counts> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("reading the folder {}", folder.display()))?;
    let scanned = tokio::task::spawn_blocking({
        let folder = folder.clone();
        move || scan::videos_below(&folder)
    });
    let scan = scanned.await??;
    let mut counts = Counts {
        files: scan.videos.len(),
        left_out: scan.unreadable,
        ..Counts::default()
    };
    let memory = Memory::of(&doors.db, &folder);
    let known = memory.load().await?;
    let files = one_of_each(&folder, &scan.videos, &known, &mut counts);
    memory.forget(&known.gone(&scan.videos)).await?;
    counts.unchanged = files.iter().filter(|found| found.change == Change::Unchanged).count();
    let has_rested = |found: &Found| now_ms - found.seen.modified_ms >= rest.as_millis() as i64;
    let (files, resting): (Vec<_>, Vec<_>) = files
        .into_iter()
        .filter(|found| found.change != Change::Unchanged)
        .partition(has_rested);
    counts.resting = resting.len();
    if !files.is_empty() {
        let titles = import_titles(&folder, &files, &*doors.catalog, &mut counts).await?;
        queue_videos(&folder, (&files, &titles), doors, (&memory, &mut counts), progress).await?;
    }
    Ok(counts)
}

async fn queue_videos(
    folder: &Path,
    (files, titles): (&[Found], &[TitleId]),
    doors: &Doors,
    (memory, counts): (&Memory<'_>, &mut Counts),
    progress: impl Fn(f32, &str),
) -> anyhow::Result<()> {
    let waiting = waiting_titles(&*doors.jobs).await?;
    let all: Vec<_> = files.iter().zip(titles).collect();
    for (number, some) in all.chunks(FILES_AT_ONCE).enumerate() {
        let mut settled: Vec<&Seen> = Vec::with_capacity(some.len());
        for (found, title) in some {
            let share = (number * FILES_AT_ONCE) as f32 / all.len() as f32;
            progress(share, &found.seen.file.to_string_lossy());
            let has_video =
                || async { anyhow::Ok(doors.catalog.title(ForTitle { title: **title }).await?.video.is_some()) };
            let is_settled = match found.change {
                // What waits is the file as it was; this one comes once that is done.
                Change::Changed if waiting.contains(*title) => {
                    counts.resting += 1;
                    false
                }
                Change::New if waiting.contains(*title) || has_video().await? => true,
                _ => queue_video(&folder.join(&found.seen.file), **title, doors, counts).await?,
            };
            if is_settled {
                settled.push(&found.seen);
            }
        }
        memory.note(&settled).await?;
        doors.db.give_way().await;
    }
    Ok(())
}

/// Whether it is under way. One file that cannot be used holds up no other, and is looked at again the next time.
async fn queue_video(path: &Path, title: TitleId, doors: &Doors, counts: &mut Counts) -> anyhow::Result<bool> {
    let Some(text) = path.to_str() else {
        counts.leave_out(format!("{}: the name is not UTF-8; rename the file", path.display()));
        return Ok(false);
    };
    let media = AddMedia {
        title,
        path: text.to_owned(),
    };
    match doors.streaming.add_media(media).await {
        Ok(_) => {
            counts.queued += 1;
            return Ok(true);
        }
        Err(StreamingError::FileInvalid(why)) => counts.leave_out(why),
        Err(refused @ (StreamingError::TitleIsSeries | StreamingError::TitleNotFound)) => {
            counts.leave_out(format!("{text}: {refused}"));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(false)
}

/// The largest file of each episode, and of each film with a year: those are the same film wherever they lie.
fn one_of_each(folder: &Path, files: &[Seen], known: &memory::Known, counts: &mut Counts) -> Vec<Found> {
    let mut best: Vec<Found> = Vec::with_capacity(files.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    for seen in files {
        let mut found = Found {
            named: name_of(folder, &seen.file),
            change: known.change(seen),
            seen: seen.clone(),
        };
        let key = match (&found.named.episode, found.named.year) {
            (Some((series, season, episode)), year) => format!("{} {season} {episode}", series_key(series, year)),
            (None, Some(year)) => format!("{}\0{year}", found.named.name.to_lowercase()),
            (None, None) => found.seen.file.to_string_lossy().into_owned(),
        };
        let Some(place) = places.get(&key) else {
            places.insert(key, best.len());
            best.push(found);
            continue;
        };
        let kept = &mut best[*place];
        if found.seen.bytes > kept.seen.bytes {
            std::mem::swap(kept, &mut found);
        }
        counts.leave_out(format!(
            "{}: the same as {}, which is larger or came first",
            found.seen.file.display(),
            kept.seen.file.display()
        ));
    }
    best
}

/// The title of each file, in order. A title that is here already is left as it is.
async fn import_titles(
    folder: &Path,
    files: &[Found],
    catalog: &dyn Catalog,
    counts: &mut Counts,
) -> anyhow::Result<Vec<TitleId>> {
    let mut series: BTreeMap<String, (&Found, &str)> = BTreeMap::new();
    for found in files {
        if let Some((name, ..)) = &found.named.episode {
            series
                .entry(series_key(name, found.named.year))
                .or_insert((found, name));
        }
    }
    let mut new_series = Vec::with_capacity(series.len());
    for (key, (found, name)) in &series {
        let facts = series_facts(folder, &found.seen.file, counts);
        let id = digest(key.as_bytes());
        new_series.push(new_title(
            (TitleKind::Series, None),
            name,
            found.named.year,
            facts,
            (SERIES_SOURCE, &id),
        ));
    }
    let made = put_titles(catalog, new_series, counts).await?;
    let ids: BTreeMap<&str, TitleId> = series.keys().map(String::as_str).zip(made).collect();
    let mut new_files = Vec::with_capacity(files.len());
    for found in files {
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
        let facts = file_facts(&folder.join(&found.seen.file), kind, counts);
        let id = digest(folder.join(&found.seen.file).as_os_str().as_encoded_bytes());
        new_files.push(new_title((kind, place), &named.name, named.year, facts, (SOURCE, &id)));
    }
    put_titles(catalog, new_files, counts).await
}

async fn put_titles(
    catalog: &dyn Catalog,
    mut titles: Vec<NewTitle>,
    counts: &mut Counts,
) -> anyhow::Result<Vec<TitleId>> {
    let mut ids = Vec::with_capacity(titles.len());
    while !titles.is_empty() {
        let rest = titles.split_off(titles.len().min(TITLES_AT_ONCE));
        let imported = catalog.import_new(ImportTitles { titles }).await?;
        counts.titles_created += imported.created;
        ids.extend(imported.titles);
        titles = rest;
    }
    Ok(ids)
}

/// Of `Solaris (1972).nfo` beside `Solaris (1972).mkv`, or of `movie.nfo` in the film's own folder.
fn file_facts(file: &Path, kind: TitleKind, counts: &mut Counts) -> Facts {
    let beside = file.with_extension("nfo");
    let kind = match kind {
        TitleKind::Episode => Kind::Episode,
        TitleKind::Film | TitleKind::Series => Kind::Film,
    };
    let own_folder = (kind == Kind::Film).then(|| file.with_file_name("movie.nfo"));
    first_of([Some(beside), own_folder], kind, counts)
}

/// Of `tvshow.nfo` in the folder of a series, whose episodes may lie in folders of their seasons.
fn series_facts(root: &Path, episode: &Path, counts: &mut Counts) -> Facts {
    let folder = root.join(episode.parent().unwrap_or(Path::new("")));
    let above = folder.parent().map(|above| above.join("tvshow.nfo"));
    first_of([Some(folder.join("tvshow.nfo")), above], Kind::Series, counts)
}

fn first_of(paths: [Option<PathBuf>; 2], kind: Kind, counts: &mut Counts) -> Facts {
    for path in paths.into_iter().flatten() {
        match nfo::read(&path, kind) {
            Ok(Some(facts)) => return facts,
            Ok(None) => {}
            Err(why) => counts.leave_out(why),
        }
    }
    Facts::default()
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

/// What an NFO file says goes before what the path says.
fn new_title(
    (kind, place): (TitleKind, Option<EpisodePlace>),
    name: &str,
    year: Option<u16>,
    facts: Facts,
    (source, id): (&str, &str),
) -> NewTitle {
    let own = ExternalId {
        source: source.into(),
        id: id.into(),
    };
    NewTitle {
        kind,
        name: facts.name.unwrap_or_else(|| name.to_owned()),
        original_name: facts.original_name,
        year: facts.year.or(year),
        genres: facts.genres,
        description: facts.plot,
        maturity: None,
        duration_ms: None,
        credits: facts.credits,
        place,
        external: std::iter::once(own).chain(facts.ids).collect(),
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
