//! The saga of a film. At every step it fails for good, it fails once, it is cancelled, its source goes: it comes to its end exactly once with the
//! same bytes, or leaves nothing behind but the source for another try. What kill -9 does is in `killed.rs`.

use std::{
    collections::BTreeMap,
    path::Path,
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
    streaming::{AddMedia, Concat, CreateUpload, JoinUploads, Streaming as _, StreamingError, UploadPurpose},
};
use futures::future::BoxFuture;
use platform::jobs::Failure;
use streaming::{Breakpoints, Config, Step};
use testkit::films::{Film, Made};
use tokio::sync::Notify;

use crate::{
    chunks::{assert_same, stored},
    support::{ACCOUNT, House, TITLE},
    uploads::{mine, piece, video},
};

/// Two parts, of which each has its own segments; and a storyboard.
pub fn a_film() -> Made {
    Film::new("160x90", "25", 2).index_first().make("mp4")
}

type Happens = Box<dyn Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Something that happens at a step, the first time that it is reached.
pub struct At {
    step: Step,
    is_over: AtomicBool,
    happens: Happens,
}

impl At {
    pub fn new(
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
pub fn is_undone(step: Step) -> bool {
    !matches!(step, Step::Announced | Step::Cleared)
}

/// All that a worker does.
pub fn steps_of_workers() -> impl Iterator<Item = Step> {
    Step::ALL.into_iter().filter(|step| *step != Step::Received)
}

/// How many rows there are: of assets, of jobs and their parts.
pub async fn rows(house: &House) -> (i64, i64) {
    let sql = "SELECT (SELECT COUNT(*) FROM assets), (SELECT COUNT(*) FROM jobs)";
    platform::on!(house.room.database(), pool => sqlx::query_as(sql).fetch_one(pool).await).unwrap()
}

/// What a film comes to that nothing happens to.
pub async fn expected(film: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut house = House::new().await;
    let playback = house.play(film).await;
    stored(&house, &playback).await
}

/// The film is there, once, announced once, and nothing else is.
pub async fn is_there_once(house: &House, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
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
    nothing_is_left(house, what).await;
    assert_eq!(house.lying_in("uploads").len(), 1, "{what}: for another try");
}

async fn nothing_is_left(house: &House, what: &str) {
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
            // The source could not be removed: it goes a day later.
            house.clock.advance(86_400_000 + 1_000);
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
async fn what_its_sender_removes_is_gone_with_all_that_was_made_of_it() {
    let film = a_film();
    let bytes = std::fs::read(&film.path).unwrap();
    let expected = expected(&film.path).await;
    for step in steps_of_workers() {
        let what = format!("removed at {step:?}");
        let halt = Halt::default();
        let house = a_house_with(halt.at(step)).await;
        let upload = house.room.create_upload(video(bytes.len() as u64)).await.unwrap().id;
        let whole = house.room.append_upload(piece(upload, 0, &bytes)).await.unwrap();
        halt.reached.notified().await;
        house.room.remove_upload(mine(upload)).await.unwrap();
        halt.go_on.notify_one();
        let ended = house.ended(whole.job.unwrap().id).await;
        if is_undone(step) {
            assert_eq!(ended.state, JobState::Cancelled, "{what}: {ended:?}");
            nothing_is_left(&house, &what).await;
        } else {
            assert_eq!(ended.state, JobState::Done, "{what}: {ended:?}");
            is_there_once(&house, &expected, &what).await;
        }
        assert_eq!(house.lying_in("uploads"), Vec::<String>::new(), "{what}");
    }
}

#[tokio::test]
async fn a_source_that_vanishes_is_said_as_long_as_it_is_needed() {
    let film = a_film();
    for step in steps_of_workers().filter(|step| is_undone(*step)) {
        let what = format!("vanished at {step:?}");
        let halt = Halt::default();
        let house = a_house_with(halt.at(step)).await;
        let job = house.add(&film.path).await.id;
        halt.reached.notified().await;
        let source = house.lying_in("uploads").remove(0);
        std::fs::remove_file(house.data.path().join("uploads").join(source)).unwrap();
        halt.go_on.notify_one();
        let ended = house.ended(job).await;
        if matches!(step, Step::Stored | Step::Indexed) {
            assert_eq!(ended.state, JobState::Done, "{what}: {ended:?}");
            house.start().await.unwrap();
            continue;
        }
        let said = Some("The source file was removed while it was being encoded.");
        assert_eq!(
            (ended.state, ended.error.as_deref()),
            (JobState::Failed, said),
            "{what}: {ended:?}"
        );
        nothing_is_left(&house, &what).await;
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
async fn a_file_that_cannot_be_received_is_as_if_it_had_not_been_sent() {
    let film = a_film();
    let bytes = std::fs::read(&film.path).unwrap();
    let failing = || At::fails(Step::Received, Failure::transient("It broke."));
    let is_said = |answer: Option<StreamingError>| answer.is_some_and(|error| error.to_string().contains("It broke."));

    let house = a_house_with(failing()).await;
    let add = AddMedia {
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

#[tokio::test]
async fn what_was_written_for_a_video_that_nobody_knows_goes_a_day_later() {
    let film = a_film();
    let mut house = House::new().await;
    let playback = house.play(&film.path).await;
    let before = house.blobs.list("").await.unwrap();
    // A worker that was held up until its job had been cancelled and cleared away writes what it had begun.
    let late = format!("assets/{}/v0/7.m4s", house.new_asset());
    house.blobs.put(&late, "late").await.unwrap();
    house.room.tidy().await.unwrap();
    assert_eq!(house.blobs.size(&late).await.unwrap(), Some(4), "it may be on the way");
    house.clock.advance(86_400_000 + 1_000);
    house.room.tidy().await.unwrap();
    assert_eq!(house.blobs.list("").await.unwrap(), before);
    assert_eq!(house.start().await.unwrap().asset, playback.asset);
}

pub async fn sent_in_parts(house: &House, bytes: &[u8]) -> Vec<UploadId> {
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

pub fn joined(parts: Vec<UploadId>) -> JoinUploads {
    JoinUploads {
        account: ACCOUNT,
        parts,
        filename: "film.mp4".into(),
        purpose: UploadPurpose::Video,
        title: Some(TITLE),
        metadata: String::new(),
    }
}
