//! `kinora import folder`: films and series from a folder of video files, named as people name them:
//! `Solaris (1972).mkv`, `Solaris (1972)/film.mkv`, `Dark/Season 1/Dark S01E02 Lies.mkv`.
//!
//! Repeating it adds what is new, and a file that changed is packaged anew: a file is known by a digest of where it is, a series by its
//! name and year. An episode's place and a film's name and year say which title it is; where several files are one title, the largest is
//! taken. What an NFO file beside it says goes into a title that is made; one that is here already, from wherever, gets the video and
//! stays as it is. Files of subtitles beside it are shown with its title. Videos are looked at one after the other, and opened by the
//! jobs that package them alone.

mod memory;
mod names;
mod nfo;
mod rest;
mod scan;
mod sidecars;
mod titles;
pub mod watch;

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use contract::{
    Fault, TitleId,
    catalog::{Catalog, ForTitle},
    jobs::{JobState, Jobs, ListJobs},
    streaming::{AddMedia, Streaming, StreamingError},
};
use platform::Db;
use sha2::{Digest as _, Sha256};

use memory::{Change, Memory};
use names::{Named, name_of};
use scan::Seen;
use titles::series_key;

pub use rest::Rest;
pub use scan::EXTENSIONS;

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
    /// Files of subtitles that are new or changed, and shown from now on.
    pub subtitles: usize,
    /// Files that must be copied, until there is room or those before them are packaged.
    pub waiting: usize,
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

/// Brings in everything below `folder` that is new or changed, and not before it has rested by `now_ms`.
pub async fn import(
    folder: &Path,
    doors: &Doors,
    (now_ms, rest): (i64, &mut Rest),
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
        left_out: scan.unreadable.iter().chain(&scan.refused).cloned().collect(),
        ..Counts::default()
    };
    let memory = Memory::of(&doors.db, &folder);
    let known = memory.load().await?;
    let all = one_of_each(&folder, &scan.videos, &known, &mut counts);
    let moved: Vec<&Seen> = all
        .iter()
        .map(|found| &found.seen)
        .filter(|seen| known.has_moved(seen))
        .collect();
    for some in moved.chunks(FILES_AT_ONCE) {
        memory.note_mounts(some).await?;
    }
    if scan.tells_what_is_gone() {
        memory.forget(&known.gone(&scan.videos, &scan.mounts)).await?;
    }
    counts.unchanged = all.iter().filter(|found| found.change == Change::Unchanged).count();
    rest.look_again();
    let changed = all.iter().filter(|found| found.change != Change::Unchanged);
    let (files, resting): (Vec<_>, Vec<_>) = changed.partition(|found| rest.has_rested(now_ms, &found.seen));
    counts.resting = resting.len();
    let mut titles = Vec::new();
    if !files.is_empty() {
        titles = titles::of_files(&folder, &files, &*doors.catalog, &mut counts).await?;
        queue_videos(&folder, &titles, doors, (&memory, &mut counts), progress).await?;
    }
    let titles = titles
        .iter()
        .map(|(found, title)| (&*found.seen.file, *title))
        .collect();
    let notes = (&memory, &mut counts);
    sidecars::bring_in(&folder, (&scan, &all), &titles, doors, notes, (now_ms, rest)).await?;
    Ok(counts)
}

async fn queue_videos(
    folder: &Path,
    all: &[(&Found, TitleId)],
    doors: &Doors,
    (memory, counts): (&Memory<'_>, &mut Counts),
    progress: impl Fn(f32, &str),
) -> anyhow::Result<()> {
    let waiting = waiting_titles(&*doors.jobs).await?;
    for (number, some) in all.chunks(FILES_AT_ONCE).enumerate() {
        let mut settled: Vec<&Seen> = Vec::with_capacity(some.len());
        for (found, title) in some {
            let share = (number * FILES_AT_ONCE) as f32 / all.len() as f32;
            progress(share, &found.seen.file.to_string_lossy());
            let has_video =
                || async { anyhow::Ok(doors.catalog.title(ForTitle { title: *title }).await?.video.is_some()) };
            let is_settled = match found.change {
                // What waits is the file as it was; this one comes once that is done.
                Change::Changed if waiting.contains(title) => {
                    counts.resting += 1;
                    false
                }
                Change::New if waiting.contains(title) || has_video().await? => true,
                _ => queue_video(&folder.join(&found.seen.file), *title, doors, counts).await?,
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
        sparing: true,
    };
    match doors.streaming.add_media(media).await {
        Ok(_) => {
            counts.queued += 1;
            return Ok(true);
        }
        Err(StreamingError::Fault(Fault::StorageFull(why))) => {
            tracing::debug!(path = text, why, "waits for room");
            counts.waiting += 1;
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

/// An id of bounded length for a text of any.
fn digest(text: &[u8]) -> String {
    let hash = Sha256::digest(text);
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
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
