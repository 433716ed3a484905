//! Kill -9 at every step of a film's saga, of a process of its own: nothing is lost, nothing is done twice, nothing is left lying.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use contract::{
    UploadId,
    jobs::JobState,
    streaming::{ListUploads, Streaming as _},
};
use platform::{
    Location, blob,
    clock::{Clock as _, ManualClock},
    test_support::S3Server,
};
use streaming::{Config, Step};
use testkit::films::Film;

use crate::{
    chunks::kill,
    saga::{At, a_film, expected, is_there_once, is_undone, joined, rows, sent_in_parts, steps_of_workers},
    support::{ACCOUNT, House},
    uploads::{piece, video},
};

#[tokio::test]
async fn kill_9_at_any_step_loses_nothing_and_does_nothing_twice() {
    let film = a_film();
    let expected = expected(&film.path).await;
    for step in steps_of_workers() {
        let what = format!("killed at {step:?}");
        let mut house = House::new().await;
        let job = house.add(&film.path).await.id;
        let mut worker = worker_on(&house, step, Entry::Work);
        killed_when_reached(&house, &mut worker).await;
        let is_seen = house.start().await.is_ok();
        assert_eq!(is_seen, !is_undone(step), "{what}");
        house.clock.advance(31_000);
        house.work();
        let ended = house.ended(job).await;
        assert_eq!(ended.state, JobState::Done, "{what}: {ended:?}");
        is_there_once(&house, &expected, &what).await;
    }
}

#[tokio::test]
async fn kill_9_with_files_in_a_bucket_loses_nothing_and_leaves_nothing() {
    let film = a_film();
    let expected = expected(&film.path).await;
    let server = S3Server::start().await;
    for (number, step) in [Step::Probed, Step::Packaged, Step::Indexed, Step::Announced]
        .into_iter()
        .enumerate()
    {
        let what = format!("in a bucket, killed at {step:?}");
        let storage = blob::Config {
            prefix: format!("house-{number}"),
            ..server.config()
        };
        let mut house = House::in_bucket(storage).await;
        let job = house.add(&film.path).await.id;
        let mut worker = worker_on(&house, step, Entry::Work);
        killed_when_reached(&house, &mut worker).await;
        house.clock.advance(31_000);
        house.work();
        let ended = house.ended(job).await;
        assert_eq!(ended.state, JobState::Done, "{what}: {ended:?}");
        is_there_once(&house, &expected, &what).await;
        house.rest().await;
        house.blobs.delete_all("assets").await.unwrap();
        assert_eq!(server.everything().await, Vec::<String>::new(), "{what}");
    }
}

#[tokio::test]
async fn kill_9_as_a_file_is_received_costs_its_last_piece_at_most() {
    let film = a_film();
    let bytes = std::fs::read(&film.path).unwrap();
    let expected = expected(&film.path).await;
    for entry in [Entry::Append, Entry::Join] {
        let what = format!("killed at {entry:?}");
        let mut house = House::new().await;
        std::fs::copy(&film.path, house.data.path().join("film.mp4")).unwrap();
        let mut worker = worker_on(&house, Step::Received, entry);
        killed_when_reached(&house, &mut worker).await;
        assert_eq!(rows(&house).await, (0, 0), "{what}: no job for what was not answered");
        let waiting = house
            .room
            .uploads(ListUploads { account: ACCOUNT })
            .await
            .unwrap()
            .items;
        let whole = if entry == Entry::Append {
            assert_eq!(waiting[0].offset as usize, bytes.len() / 2, "{what}");
            let rest = piece(waiting[0].id, waiting[0].offset, &bytes[bytes.len() / 2..]);
            house.room.append_upload(rest).await.unwrap()
        } else {
            let mut parts: Vec<UploadId> = waiting.iter().map(|upload| upload.id).collect();
            parts.sort();
            house.room.join_uploads(joined(parts)).await.unwrap()
        };
        house.work();
        let ended = house.ended(whole.job.unwrap().id).await;
        assert_eq!(ended.state, JobState::Done, "{what}: {ended:?}");
        // What the dead one had joined is known to nobody, and goes a day later.
        house.clock.advance(86_400_000 + 1_000);
        is_there_once(&house, &expected, &what).await;
    }
}

#[tokio::test]
async fn kill_9_as_a_file_is_added_leaves_a_file_that_goes_a_day_later() {
    let film = a_film();
    let house = House::new().await;
    std::fs::copy(&film.path, house.data.path().join("film.mp4")).unwrap();
    let mut worker = worker_on(&house, Step::Received, Entry::Add);
    killed_when_reached(&house, &mut worker).await;
    assert_eq!(rows(&house).await, (0, 0));
    house.room.tidy().await.unwrap();
    assert_eq!(
        house.lying_in("uploads").len(),
        1,
        "it may be one that is being written"
    );
    house.clock.advance(86_400_000 + 1_000);
    house.room.tidy().await.unwrap();
    assert_eq!(house.lying_in("uploads"), Vec::<String>::new());
}

#[tokio::test]
async fn a_video_that_took_its_place_meanwhile_is_not_replaced_by_a_repeat() {
    let (first, second) = (a_film(), Film::silent("160x90", "25", 3).make("mp4"));
    let mut house = House::new().await;
    let job = house.add(&first.path).await.id;
    let mut worker = worker_on(&house, Step::Announced, Entry::Work);
    killed_when_reached(&house, &mut worker).await;
    let before = house.start().await.unwrap();
    // Its job has no worker now, and is not to be done again before its lease is over.
    let playback = house.play(&second.path).await;
    assert_ne!(before.asset, playback.asset);
    house.clock.advance(31_000);
    let ended = house.ended(job).await;
    assert_eq!(ended.state, JobState::Done, "{ended:?}");
    assert_eq!(house.start().await.unwrap().asset, playback.asset);
    assert_eq!(house.facts().await.len(), 3, "ready, removed, ready");
    assert_eq!(house.lying_in("uploads"), Vec::<String>::new());
}

/// What a process does until it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Work,
    Append,
    Join,
    Add,
}

const DATABASE: &str = "STREAMING_TEST_SAGA_DATABASE";
const DATA: &str = "STREAMING_TEST_SAGA_DATA";
const STEP: &str = "STREAMING_TEST_SAGA_STEP";
const ENTRY: &str = "STREAMING_TEST_SAGA_ENTRY";
const AHEAD_MS: &str = "STREAMING_TEST_SAGA_AHEAD_MS";
const PREFIX: &str = "STREAMING_TEST_SAGA_PREFIX";
/// The server of the bucket; empty: blobs are on disk.
const BUCKET: &str = "STREAMING_TEST_SAGA_BUCKET";
/// Made by the process once it stands where it is to die.
const REACHED: &str = "reached";

/// Another process on a house's data that stands still at a step.
fn worker_on(house: &House, step: Step, entry: Entry) -> Child {
    let Location::Folder(database) = house.location.clone() else {
        panic!("not a folder")
    };
    let place = Step::ALL.iter().position(|other| *other == step).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::a_process_to_be_killed", "--nocapture"])
        .env(DATABASE, database)
        .env(DATA, house.data.path())
        .env(STEP, place.to_string())
        .env(ENTRY, format!("{entry:?}"))
        .env(BUCKET, &house.storage.endpoint)
        .env(PREFIX, &house.storage.prefix)
        .env(AHEAD_MS, (house.clock.now_ms() - ManualClock::START_MS).to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Of jobs and their parts.
async fn failures(house: &House) -> Vec<(String,)> {
    let sql = "SELECT error FROM jobs WHERE error IS NOT NULL";
    platform::on!(house.room.database(), pool => sqlx::query_as(sql).fetch_all(pool).await).unwrap()
}

async fn killed_when_reached(house: &House, worker: &mut Child) {
    let reached = house.data.path().join(REACHED);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while !reached.exists() {
        tick.tick().await;
        assert!(worker.try_wait().unwrap().is_none(), "it ended before it was killed");
        assert_eq!(failures(house).await, [], "it failed before it was killed");
    }
    kill(worker);
    std::fs::remove_file(reached).unwrap();
}

/// The process that dies in the tests above; without being told where to work it does nothing.
#[tokio::test]
async fn a_process_to_be_killed() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let variable = |name: &str| std::env::var(name).unwrap();
    let data = PathBuf::from(variable(DATA));
    let step = Step::ALL[variable(STEP).parse::<usize>().unwrap()];
    let storage = match variable(BUCKET) {
        none if none.is_empty() => blob::Config::default(),
        endpoint => blob::Config {
            prefix: variable(PREFIX),
            ..S3Server::config_at(&endpoint)
        },
    };
    let mut house = House::beside_storing(&data, Location::folder(database), (Config::default(), storage)).await;
    house.clock.advance(variable(AHEAD_MS).parse().unwrap());
    let reached = data.join(REACHED);
    house.breakpoints = Some(At::new(step, move || {
        std::fs::write(&reached, "").unwrap();
        Box::pin(std::future::pending())
    }));
    house.reopen().await;
    let film = data.join("film.mp4");
    let bytes = || std::fs::read(&film).unwrap();
    match variable(ENTRY).as_str() {
        "Work" => {
            house.work();
            std::future::pending::<()>().await;
        }
        "Append" => {
            let bytes = bytes();
            let (first, second) = bytes.split_at(bytes.len() / 2);
            let upload = house.room.create_upload(video(bytes.len() as u64)).await.unwrap().id;
            house.room.append_upload(piece(upload, 0, first)).await.unwrap();
            let last = piece(upload, first.len() as u64, second);
            house.room.append_upload(last).await.unwrap();
        }
        "Join" => {
            let parts = sent_in_parts(&house, &bytes()).await;
            house.room.join_uploads(joined(parts)).await.unwrap();
        }
        _ => {
            house.add(&film).await;
        }
    }
    panic!("it was to die before");
}
