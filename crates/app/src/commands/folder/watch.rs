//! Folders that a server watches: what is put there becomes titles by itself. Nothing of it happens before the server listens.
//!
//! The system says that something changed, and the folder is scanned once it has been quiet for a while; a scan costs what changed. Where
//! the system cannot say it (a share, too many folders for its limit), scanning now and then finds it.

use std::{path::PathBuf, time::Duration};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use platform::Inputs;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Doors, Rest, import};

/// What an operator may set of the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folders of video files that become titles by themselves, and stay where they are.
    pub folders: Vec<PathBuf>,
    /// How often they are scanned where nobody said that they changed.
    pub scan_every_s: u64,
    /// How long a file must not have changed before it is taken: somebody may still be writing it.
    pub rest_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            scan_every_s: 3_600,
            rest_s: 30,
        }
    }
}

impl Config {
    /// Fails naming the key that is wrong.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.scan_every_s > 0, "library.scan_every_s must be at least 1");
        anyhow::ensure!(self.folders.len() <= 100, "library.folders has at most 100 folders");
        Ok(())
    }
}

/// Watches until `stop`; begins when `listening` is cancelled.
pub async fn run(config: Config, doors: Doors, inputs: Inputs, listening: CancellationToken, stop: CancellationToken) {
    if config.folders.is_empty() {
        return;
    }
    tokio::select! {
        () = listening.cancelled() => {}
        () = stop.cancelled() => return,
    }
    // One is enough: all that it says is that something changed.
    let (changed, mut changes) = mpsc::channel(1);
    let folders = config.folders.clone();
    let watcher = tokio::task::spawn_blocking(move || watcher(&folders, &changed)).await;
    let (rest, every) = (
        Duration::from_secs(config.rest_s),
        Duration::from_secs(config.scan_every_s),
    );
    let mut rests: Vec<Rest> = config.folders.iter().map(|_| Rest::of(rest)).collect();
    while !stop.is_cancelled() {
        let mut wait = every;
        for (folder, rests) in config.folders.iter().zip(&mut rests) {
            let scan = scan(folder, &doors, (inputs.now_ms(), rests));
            tokio::select! {
                left = scan => wait = wait.min(left.worth_another_look_in(rest, every)),
                () = stop.cancelled() => return,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            Some(()) = changes.recv() => quiet(&mut changes, rest, &stop).await,
            () = stop.cancelled() => {}
        }
    }
    drop(watcher);
}

/// Waits until nothing has changed for so long, but not for ever: a large copy is looked at meanwhile.
async fn quiet(changes: &mut mpsc::Receiver<()>, rest: Duration, stop: &CancellationToken) {
    const WAITS_MAX: u32 = 10;
    for _ in 0..WAITS_MAX {
        tokio::select! {
            next = tokio::time::timeout(rest, changes.recv()) => match next {
                // Changes come in swarms; one look at each moment is enough.
                Ok(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(_) => return,
            },
            () = stop.cancelled() => return,
        }
    }
}

fn watcher(folders: &[PathBuf], changed: &mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let changed = changed.clone();
    let made = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // What is opened and read, also by us, is no change. A full channel says it already.
        if event.is_ok_and(|event| !event.kind.is_access()) {
            changed.try_send(()).ok();
        }
    });
    let mut watcher = made
        .inspect_err(|error| tracing::warn!(%error, "folders are not watched; they are scanned now and then"))
        .ok()?;
    for folder in folders {
        if let Err(error) = watcher.watch(folder, RecursiveMode::Recursive) {
            let folder = folder.display();
            tracing::warn!(%folder, %error, "this folder is not watched; it is scanned now and then");
        }
    }
    Some(watcher)
}

/// What is there and could not be brought in yet.
#[derive(Debug, Clone, Copy)]
enum Left {
    Nothing,
    /// Somebody may be writing it.
    Resting,
    /// For room on the disk, or for what is packaged before it.
    Waiting,
}

impl Left {
    fn worth_another_look_in(self, rest: Duration, every: Duration) -> Duration {
        let rest = rest.max(Duration::from_secs(1));
        match self {
            Self::Nothing => every,
            Self::Resting => rest,
            // Packaging takes minutes at least, and a look goes through all that waits.
            Self::Waiting => every.min(rest.saturating_mul(10)),
        }
    }
}

async fn scan(folder: &std::path::Path, doors: &Doors, moment: (i64, &mut Rest)) -> Left {
    let shown = folder.display();
    match import(folder, doors, moment, |_, _| ()).await {
        Ok(counts) => {
            for what in &counts.left_out {
                tracing::debug!(folder = %shown, what, "left out");
            }
            if counts.titles_created > 0 || counts.queued > 0 || counts.subtitles > 0 {
                let (titles, videos, waiting) = (counts.titles_created, counts.queued, counts.waiting);
                let subtitles = counts.subtitles;
                tracing::info!(folder = %shown, titles, videos, subtitles, waiting, "new in a folder");
            }
            match (counts.resting, counts.waiting) {
                (0, 0) => Left::Nothing,
                (0, _) => Left::Waiting,
                _ => Left::Resting,
            }
        }
        Err(error) => {
            tracing::warn!(folder = %shown, error = format!("{error:#}"), "a folder could not be brought in; it will be tried again");
            Left::Nothing
        }
    }
}
