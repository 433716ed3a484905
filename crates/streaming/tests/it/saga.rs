//! The saga of a film. At every step its process is killed, it fails for good, it fails once, it is cancelled: it comes to its end exactly once
//! with the same bytes, or leaves nothing behind but the source for another try.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contract::{
    JobId, UploadId, async_trait,
    events::EventBody,
    jobs::{ForJob, Job, JobState, Jobs},
    streaming::{Concat, CreateUpload, JoinUploads, ListUploads, Streaming as _, StreamingError, UploadPurpose},
};
use futures::future::BoxFuture;
use platform::{
    Location,
    clock::{Clock as _, ManualClock},
    jobs::Failure,
};
use streaming::{Breakpoints, Config, Step};
use testkit::films::{Film, Made};
use tokio::sync::Notify;

use crate::{
    chunks::{assert_same, kill, stored},
    support::{ACCOUNT, House, TITLE},
    uploads::{mine, piece, video},
};

/// Two parts, of which each has its own segments; and a storyboard.
fn a_film() -> Made {
    Film::new("160x90", "25", 2).index_first().make("mp4")
}

type Happens = Box<dyn Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Something that happens at a step, the first time that it is reached.
struct At {
    step: Step,
    is_over: AtomicBool,
    happens: Happens,
}

impl At {
    fn new(
        step: Step,
        happens: impl Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            step,
            is_over: AtomicBool::new(false),
            happens: Box::new(happens),
        })
    }

    fn fails(step: Step, failure: Failure) -> Arc<Self> {
        Self::new(step, move || {
            let failure = failure.clone();
            Box::pin(async { Err(failure) })
        })
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Breakpoints for At {
    async fn reached(&self, step: Step) -> Result<(), Failure> {
        if step != self.step || self.is_over.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        (self.happens)().await
    }
}

/// A step at which a saga stands until it may go on.
#[derive(Clone, Default)]
struct Halt {
    reached: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Halt {
    fn at(&self, step: Step) -> Arc<At> {
        let halt = self.clone();
        At::new(step, move || {
            let halt = halt.clone();
            Box::pin(async move {
                halt.reached.notify_one();
                halt.go_on.notified().await;
                Ok(())
            })
        })
    }
}

async fn a_house_with(breakpoints: Arc<At>) -> House {
    let mut house = House::new().await;
    house.breakpoints = Some(breakpoints);
    house.reopen().await;
    house.work();
    house
}

/// Steps whose work is undone if they fail; what comes later is over the mountain.
fn is_undone(step: Step) -> bool {
    !matches!(step, Step::Announced | Step::Cleared)
}

/// All that a worker does.
fn steps_of_workers() -> impl Iterator<Item = Step> {
    Step::ALL.into_iter().filter(|step| *step != Step::Received)
}

/// How many rows there are: of assets, of jobs and their parts.
async fn rows(house: &House) -> (i64, i64) {
    let sql = "SELECT (SELECT COUNT(*) FROM assets), (SELECT COUNT(*) FROM jobs)";
    platform::on!(house.room.database(), pool => sqlx::query_as(sql).fetch_one(pool).await).unwrap()
}

/// What a film comes to that nothing happens to.
async fn expected(film: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut house = House::new().await;
    let playback = house.play(film).await;
    stored(&house, &playback).await
}

/// The film is there, once, announced once, and nothing else is.
async fn is_there_once(house: &House, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    let playback = house.start().await.unwrap();
    let facts = house.facts().await;
    assert!(
        matches!(facts.as_slice(), [EventBody::AssetReady { asset, .. }] if *asset == playback.asset),
        "{what}: {facts:?}"
    );
    assert_same(expected, &stored(house, &playback).await, what);
    house.room.tidy().await.unwrap();
    let files = house.blobs.list("").await.unwrap();
    assert_eq!(files.len(), expected.len(), "{what}: {files:?}");
    assert_eq!(house.lying_in("uploads"), Vec::<String>::new(), "{what}");
    assert_eq!(house.lying_in("transcode"), Vec::<String>::new(), "{what}");
    assert_eq!(rows(house).await, (1, 1), "{what}");
}

/// Nothing is there but the job, which says what became of it, and the source.
async fn only_the_source_is_left(house: &House, what: &str) {
    assert_eq!(house.start().await, Err(StreamingError::NotPlayable), "{what}");
    house.cleared().await;
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let all = async {
        while rows(house).await != (0, 1) {
            tick.tick().await;
        }
    };
    let undone = tokio::time::timeout(Duration::from_secs(30), all).await;
    assert!(undone.is_ok(), "{what}: {:?}", rows(house).await);
    assert_eq!(house.facts().await, [], "{what}");
    assert_eq!(house.lying_in("uploads").len(), 1, "{what}: for another try");
}

async fn tried_again(house: &House, job: JobId) -> Job {
    Jobs::retry(&*house.room, ForJob { job }).await.unwrap();
    house.ended(job).await
}

#[tokio::test]
async fn a_failure_for_good_leaves_nothing_behind_at_any_step() {
    let film = a_film();
    let expected = expected(&film.path).await;
    for step in steps_of_workers() {
        let what = format!("{step:?} fails");
        let house = a_house_with(At::fails(step, Failure::permanent("It broke."))).await;
        let job = house.add(&film.path).await.id;
        let mut ended = house.ended(job).await;
        if is_undone(step) {
            assert_eq!(
                (ended.state, ended.error.as_deref()),
                (JobState::Failed, Some("It broke.")),
                "{what}: {ended:?}"
            );
            only_the_source_is_left(&house, &what).await;
            ended = tried_again(&house, job).await;
        }
        assert_eq!(ended.state, JobState::Done, "{what}: {ended:?}");
        if step == Step::Announced {
            // The source could not be removed: it goes with its upload.
            house.clock.advance(house.config.source_expiry_s as i64 * 1000 + 1);
        }
        is_there_once(&house, &expected, &what).await;
    }
}

#[tokio::test]
async fn a_step_that_fails_once_is_done_again() {
    let film = a_film();
    let expected = expected(&film.path).await;
    for step in steps_of_workers().filter(|step| is_undone(*step)) {
        let what = format!("{step:?} fails once");
        let house = a_house_with(At::fails(step, Failure::transient("It stumbled."))).await;
        let job = house.add(&film.path).await.id;
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        // Whichever waits for its next attempt, the film or a part of it, does so on a clock that the test moves.
        let sql = "SELECT error FROM jobs WHERE state = 'queued' AND error IS NOT NULL";
        let error = loop {
            tick.tick().await;
            let found: Option<(String,)> =
                platform::on!(house.room.database(), pool => sqlx::query_as(sql).fetch_optional(pool).await).unwrap();
            if let Some((error,)) = found {
                break error;
            }
        };
        assert_eq!(error, "It stumbled.", "{what}");
        house.clock.advance(6_000);
        let ended = house.ended(job).await;
        assert_eq!(ended.state, JobState::Done, "{what}: {ended:?}");
        is_there_once(&house, &expected, &what).await;
    }
}

#[tokio::test]
async fn what_is_cancelled_before_it_is_announced_is_never_seen() {
    let film = a_film();
    let expected = expected(&film.path).await;
    for step in steps_of_workers() {
        let what = format!("cancelled at {step:?}");
        let halt = Halt::default();
        let house = a_house_with(halt.at(step)).await;
        let job = house.add(&film.path).await.id;
        halt.reached.notified().await;
        Jobs::cancel(&*house.room, ForJob { job }).await.unwrap();
        halt.go_on.notify_one();
        let mut ended = house.ended(job).await;
        if is_undone(step) {
            assert_eq!(ended.state, JobState::Cancelled, "{what}: {ended:?}");
            only_the_source_is_left(&house, &what).await;
            ended = tried_again(&house, job).await;
        }
        assert_eq!(ended.state, JobState::Done, "{what}: {ended:?}");
        is_there_once(&house, &expected, &what).await;
    }
}

#[tokio::test]
async fn a_cancel_in_another_process_is_too_late_only_once_it_is_announced() {
    let film = a_film();
    let halt = Halt::default();
    let house = a_house_with(halt.at(Step::Indexed)).await;
    let job = house.add(&film.path).await.id;
    halt.reached.notified().await;
    // The worker hears nothing of it before its next heartbeat.
    let elsewhere = House::beside(house.data.path(), house.location.clone(), Config::default()).await;
    Jobs::cancel(&*elsewhere.room, ForJob { job }).await.unwrap();
    halt.go_on.notify_one();
    let ended = house.ended(job).await;
    assert_eq!(ended.state, JobState::Cancelled, "{ended:?}");
    only_the_source_is_left(&house, "cancelled elsewhere").await;
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
async fn a_file_that_cannot_be_received_is_as_if_it_had_not_been_sent() {
    let film = a_film();
    let bytes = std::fs::read(&film.path).unwrap();
    let failing = || At::fails(Step::Received, Failure::transient("It broke."));
    let is_said = |answer: Option<StreamingError>| answer.is_some_and(|error| error.to_string().contains("It broke."));

    let house = a_house_with(failing()).await;
    let add = contract::streaming::AddMedia {
        title: TITLE,
        path: film.path.to_string_lossy().into_owned(),
        sparing: false,
    };
    assert!(is_said(house.room.add_media(add).await.err()));
    assert_eq!((rows(&house).await, house.lying_in("uploads")), ((0, 0), Vec::new()));

    let house = a_house_with(failing()).await;
    let upload = house.room.create_upload(video(bytes.len() as u64)).await.unwrap().id;
    assert!(is_said(house.room.append_upload(piece(upload, 0, &bytes)).await.err()));
    assert_eq!(
        (
            house.room.upload(mine(upload)).await.unwrap().offset,
            rows(&house).await
        ),
        (0, (0, 0))
    );
    house.room.append_upload(piece(upload, 0, &bytes)).await.unwrap();

    let house = a_house_with(failing()).await;
    let parts = sent_in_parts(&house, &bytes).await;
    assert!(is_said(house.room.join_uploads(joined(parts.clone())).await.err()));
    assert_eq!((rows(&house).await, house.lying_in("uploads").len()), ((0, 0), 2));
    house.room.join_uploads(joined(parts)).await.unwrap();
}

async fn sent_in_parts(house: &House, bytes: &[u8]) -> Vec<UploadId> {
    let mut parts = Vec::new();
    for part in [&bytes[..bytes.len() / 2], &bytes[bytes.len() / 2..]] {
        let partial = CreateUpload {
            is_partial: true,
            title: None,
            ..video(part.len() as u64)
        };
        let upload = house.room.create_upload(partial).await.unwrap();
        assert_eq!(upload.concat, Some(Concat::Partial));
        house.room.append_upload(piece(upload.id, 0, part)).await.unwrap();
        parts.push(upload.id);
    }
    parts
}

fn joined(parts: Vec<UploadId>) -> JoinUploads {
    JoinUploads {
        account: ACCOUNT,
        parts,
        filename: "film.mp4".into(),
        purpose: UploadPurpose::Video,
        title: Some(TITLE),
    }
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
/// Made by the process once it stands where it is to die.
const REACHED: &str = "reached";

/// Another process on a house's data that stands still at a step.
fn worker_on(house: &House, step: Step, entry: Entry) -> Child {
    let Location::Folder(database) = house.location.clone() else {
        panic!("not a folder")
    };
    let place = Step::ALL.iter().position(|other| *other == step).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "saga::a_process_to_be_killed", "--nocapture"])
        .env(DATABASE, database)
        .env(DATA, house.data.path())
        .env(STEP, place.to_string())
        .env(ENTRY, format!("{entry:?}"))
        .env(AHEAD_MS, (house.clock.now_ms() - ManualClock::START_MS).to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn killed_when_reached(house: &House, worker: &mut Child) {
    let reached = house.data.path().join(REACHED);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while !reached.exists() {
        tick.tick().await;
        assert!(worker.try_wait().unwrap().is_none(), "it ended before it was killed");
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
    let mut house = House::beside(&data, Location::folder(database), Config::default()).await;
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
