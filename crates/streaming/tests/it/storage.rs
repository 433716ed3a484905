//! Storage that stumbles, is slow, hangs or is full, and a machine without ffmpeg: a film comes to its end, or it is said what to do and nothing
//! is left behind.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use contract::{
    JobId,
    jobs::{ForJob, Job, JobState, Jobs},
};
use testkit::films::{Film, Made};

use crate::{
    chunks::{assert_same, stored},
    support::House,
};

/// A segment of picture and one of sound for every two seconds, and what else there is.
fn a_film(seconds: u32) -> Made {
    Film::new("160x90", "12", seconds).make("mp4")
}

/// So long a film has a write in the middle of its first part.
const SHORT_S: u32 = 8;
const IN_THE_MIDDLE: usize = 2;

/// A house whose storage does this at each write, by its number from 0.
async fn with_storage<F>(write: impl Fn(usize) -> F + Send + Sync + 'static) -> (House, Arc<AtomicUsize>)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let mut house = House::new().await;
    let count = Arc::new(AtomicUsize::new(0));
    let writes = count.clone();
    let before_write = move || Box::pin(write(writes.fetch_add(1, Ordering::SeqCst))) as _;
    house.blobs = house.blobs.disturbed(Arc::new(before_write));
    house.reopen().await;
    house.work();
    (house, count)
}

async fn again(house: &House, job: JobId) -> Job {
    Jobs::retry(&*house.room, ForJob { job }).await.unwrap();
    house.ended(job).await
}

#[tokio::test]
async fn storage_that_fails_every_tenth_write_or_is_slow_costs_nothing_but_time() {
    // More than two tens of writes.
    let film = a_film(20);
    let mut well = House::new().await;
    let playback = well.play(&film.path).await;
    let expected = stored(&well, &playback).await;
    let every_tenth = with_storage(async |number| match number % 10 {
        9 => Err(io::Error::other("input/output error")),
        _ => Ok(()),
    });
    let slow = with_storage(async |_| {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(())
    });
    for (what, (mut house, writes)) in [("every tenth", every_tenth.await), ("slow", slow.await)] {
        let job = house.transcode(&film.path).await;
        assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{what}: {job:?}");
        let playback = house.start().await.unwrap();
        assert_same(&expected, &stored(&house, &playback).await, what);
        assert!(writes.load(Ordering::SeqCst) > 20, "{what}");
    }
}

#[tokio::test]
async fn storage_that_hangs_holds_nobody_up_who_cancels() {
    let film = a_film(SHORT_S);
    // The first write of a part, one in its middle, and the film's index, which is the last of all.
    let (mut house, writes) = with_storage(async |_| Ok(())).await;
    assert_eq!(house.transcode(&film.path).await.state, JobState::Done);
    let last = writes.load(Ordering::SeqCst) - 1;
    for number in [0, IN_THE_MIDDLE, last] {
        let (house, writes) = with_storage(move |write| async move {
            match write {
                write if write == number => std::future::pending().await,
                _ => Ok(()),
            }
        })
        .await;
        let job = house.add(&film.path).await.id;
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while writes.load(Ordering::SeqCst) <= number {
            tick.tick().await;
        }
        let began = Instant::now();
        Jobs::cancel(&*house.room, ForJob { job }).await.unwrap();
        let ended = house.ended(job).await;
        assert_eq!(ended.state, JobState::Cancelled, "{number}: {ended:?}");
        house.cleared().await;
        assert!(began.elapsed().as_secs() < 8, "{number}: {:?}", began.elapsed());
        let ended = again(&house, job).await;
        assert_eq!(ended.state, JobState::Done, "{number}: {ended:?}");
    }
}

#[tokio::test]
async fn storage_that_runs_full_at_any_write_is_said_and_left_as_it_was() {
    let film = a_film(SHORT_S);
    let (mut house, writes) = with_storage(async |_| Ok(())).await;
    assert_eq!(house.transcode(&film.path).await.state, JobState::Done);
    let last = writes.load(Ordering::SeqCst) - 1;
    for number in [0, IN_THE_MIDDLE, last] {
        let (mut house, _) = with_storage(move |write| async move {
            match write {
                write if write == number => Err(io::ErrorKind::StorageFull.into()),
                _ => Ok(()),
            }
        })
        .await;
        let job = house.transcode(&film.path).await;
        assert_eq!(
            (job.state, job.error.as_deref()),
            (JobState::Failed, Some("Storage is full; free space and retry.")),
            "{number}: {job:?}"
        );
        house.cleared().await;
        let job = again(&house, job.id).await;
        assert_eq!(job.state, JobState::Done, "{number}: {job:?}");
    }
}

#[tokio::test]
async fn storage_that_fails_every_time_is_said_and_tried_again() {
    let film = a_film(SHORT_S);
    let (house, writes) = with_storage(async |_| Err(io::Error::other("input/output error"))).await;
    let job = house.add(&film.path).await.id;
    let sql = "SELECT error FROM jobs WHERE parent_id = $1 AND state = 'queued' AND error IS NOT NULL";
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let error = loop {
        tick.tick().await;
        let found: Option<(String,)> = platform::on!(house.room.database(), pool =>
            sqlx::query_as(sql).bind(job.0).fetch_optional(pool).await)
        .unwrap();
        if let Some((error,)) = found {
            break error;
        }
    };
    assert_eq!(
        error,
        "Storage failed. Ask the server's operator to see that it is there and well, then retry: input/output error"
    );
    assert!(writes.load(Ordering::SeqCst) >= 3, "not at the first try");
}

#[tokio::test]
async fn a_machine_without_ffmpeg_says_what_to_install_and_a_retry_goes_on_once_it_is() {
    let film = Film::silent("160x90", "25", 2).make("mp4");
    let mut house = House::new().await;
    house.programs = Some(house.data.path().join("nothing"));
    house.reopen().await;
    let job = house.transcode(&film.path).await;
    assert_eq!((job.state, job.attempts), (JobState::Failed, 1), "{job:?}");
    let said = job.error.unwrap();
    assert!(
        said.starts_with("Nothing can be transcoded here: ")
            && said.ends_with("ffmpeg is not installed on the server (apt-get install ffmpeg)."),
        "{said}"
    );
    house.cleared().await;
    house.programs = None;
    house.reopen().await;
    house.work();
    let job = again(&house, job.id).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
}
