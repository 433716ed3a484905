//! Looking at sources: one at a time, however many workers there are.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use contract::jobs::{ForJob, JobState, Jobs};
use testkit::films::{Film, Made};

use crate::support::{House, encoders_in};

const WORKERS: usize = 3;

/// An hour and a half that took a moment to make, and takes one to look through.
fn long_film() -> Made {
    let short = Film::silent("160x90", "25", 60).and(&["-g", "50"]).make("mp4");
    let again = ["-stream_loop", "89", "-i", short.path.to_str().unwrap()];
    Film::default().input(&again).coded(&["-c", "copy"]).make("mkv")
}

/// The sources that somebody looks at now.
fn looked_at(folder: &Path) -> BTreeSet<String> {
    let source_of = |process: std::path::PathBuf| {
        let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        let mut words = command.split('\0');
        let is_look = command.contains("/usr/bin/ffprobe");
        words
            .find(|word| is_look && word.contains("/uploads/"))
            .map(str::to_owned)
    };
    encoders_in(folder).into_iter().filter_map(source_of).collect()
}

#[tokio::test]
async fn sources_are_looked_at_one_at_a_time_however_many_workers_there_are() {
    let mut house = House::new().await;
    let film = long_film();
    let mut jobs = Vec::new();
    for _ in 0..WORKERS {
        jobs.push(house.add(&film.path).await.id);
    }
    let (is_over, folder) = (Arc::new(AtomicBool::new(false)), house.data.path().to_owned());
    let until = is_over.clone();
    let watch = std::thread::spawn(move || {
        let (mut all, mut most) = (BTreeSet::new(), 0);
        while !until.load(Ordering::SeqCst) {
            let now = looked_at(&folder);
            most = most.max(now.len());
            all.extend(now);
        }
        (all.len(), most)
    });
    house.work_at_once(WORKERS);
    for job in jobs {
        let looked = house.until(job, |job| job.stage == "looking at the pictures").await;
        assert_eq!(looked.state, JobState::Running, "{looked:?}");
        Jobs::cancel(&*house.room, ForJob { job }).await.unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    assert_eq!(watch.join().unwrap(), (WORKERS, 1), "how many, and how many at once");
    house.rest().await;
}
