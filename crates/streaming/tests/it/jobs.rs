//! The jobs' life: progress, cancel, retry, replacement, and what a killed worker leaves.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use contract::{
    events::EventBody,
    jobs::{AskOutlook, ForJob, JobError, JobKind, JobState, Jobs, ListJobs},
    streaming::{AddMedia, Streaming as _, StreamingError},
};

use platform::Location;
use streaming::{Config, MIGRATIONS, Step};
use testkit::films::{Film, Made, film};
use tokio::sync::Notify;

use crate::{
    saga::At,
    support::{House, TITLE, encoders_in},
};

/// A film that keeps two cores busy for a good while.
fn long_film() -> Made {
    Film::silent("640x360", "30", 60).and(&["-g", "300"]).make("mp4")
}

#[tokio::test]
async fn a_running_job_tells_how_far_it_is_and_stops_at_once_when_cancelled() {
    let mut house = House::new().await;
    house.work();
    let film = long_film();
    let job = house.add(&film.path).await;
    assert_eq!((job.subject.as_str(), job.title_id), ("Solaris (1972)", Some(TITLE)));
    let running = house.until(job.id, |job| job.progress > 0.03).await;
    assert_eq!(
        (running.state, running.stage.as_str()),
        (JobState::Running, "encoding 240p to 360p")
    );
    assert!(running.progress < 0.95, "{running:?}");
    assert!(!encoders_in(house.data.path()).is_empty());

    let began = Instant::now();
    Jobs::cancel(&*house.room, ForJob { job: job.id }).await.unwrap();
    let job = house.ended(job.id).await;
    assert_eq!(job.state, JobState::Cancelled, "{job:?}");
    house.cleared().await;
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    assert!(encoders_in(house.data.path()).is_empty());
    assert_eq!(house.start().await, Err(StreamingError::NotPlayable));

    // Through the other side of the door, too: the same list, the same refusals.
    let remote: &dyn Jobs = &house.remote();
    assert_eq!(
        remote
            .list(ListJobs {
                limit: 10,
                ..Default::default()
            })
            .await
            .unwrap(),
        std::slice::from_ref(&job)
    );
    assert_eq!(
        remote.cancel(ForJob { job: job.id }).await,
        Err(JobError::NotCancellable)
    );
    assert_eq!(
        remote.retry(ForJob { job: job.id }).await.unwrap().state,
        JobState::Queued
    );
    house.until(job.id, |job| job.progress > 0.03).await;
    house.rest().await;
    let given_back = house.job(job.id).await;
    assert_eq!(
        (given_back.state, given_back.attempts),
        (JobState::Running, 1),
        "an orderly end costs no attempt: it waits for its parts"
    );
}

#[tokio::test]
async fn another_video_takes_the_place_of_the_first_and_the_first_is_removed_later() {
    let mut house = House::new().await;
    let first = house.play(&film("320x180", "25", 2).path).await;
    let second = house.play(&film("320x180", "25", 3).path).await;
    assert_ne!(first.asset, second.asset);
    let facts = house.facts().await;
    assert_eq!(facts.len(), 3, "{facts:?}");
    assert_eq!(
        facts[1],
        EventBody::AssetRemoved {
            title: TITLE,
            asset: first.asset
        }
    );
    assert!(matches!(facts[2], EventBody::AssetReady { asset, .. } if asset == second.asset));

    // Whoever watches the first one may go on.
    house.room.tidy().await.unwrap();
    house.media(&first.hls_path).await.unwrap();
    let half_a_day = house.config.playback_s as i64 * 1000;
    house.clock.advance(half_a_day + 1);
    house.room.tidy().await.unwrap();
    assert!(
        house
            .blobs
            .list(&format!("assets/{}", first.asset))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(house.start().await.unwrap().asset, second.asset);
}

/// The process that dies in the test below; without being told where to work it does nothing.
#[tokio::test]
async fn a_worker_to_be_killed() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let data = PathBuf::from(std::env::var(DATA).unwrap());
    let mut house = House::beside(&data, Location::folder(database), Config::default()).await;
    house.work();
    std::future::pending::<()>().await;
}

const DATABASE: &str = "STREAMING_TEST_DATABASE";
const DATA: &str = "STREAMING_TEST_DATA";

#[tokio::test]
async fn kill_9_in_the_middle_of_a_transcode_loses_nothing_and_shows_nothing() {
    let mut house = House::new().await;
    let film = Film::silent("640x360", "30", 40).make("mp4");
    let job = house.add(&film.path).await;
    let Location::Folder(database) = house.location.clone() else {
        panic!("not a folder")
    };
    let data = house.data.path().to_owned();
    let mut worker = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "jobs::a_worker_to_be_killed"])
        .env(DATABASE, database)
        .env(DATA, &data)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    house.until(job.id, |job| job.progress > 0.05).await;
    worker.kill().unwrap();
    worker.wait().unwrap();

    // The encoder dies with it.
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while !encoders_in(&data).is_empty() {
        tick.tick().await;
    }
    let left = house.lying_in("transcode");
    assert_eq!(left.len(), 2, "a folder and its lock: {left:?}");
    assert_eq!(house.start().await, Err(StreamingError::NotPlayable));

    house.work();
    house.clock.advance(60_000);
    let job = house.ended(job.id).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:?}");
    assert_eq!(house.start().await.unwrap().duration_ms, 40_000);
    assert_eq!(house.lying_in("transcode"), Vec::<String>::new());
    let asset = house.start().await.unwrap().asset;
    let others = house.blobs.list("assets").await.unwrap();
    assert!(
        others
            .iter()
            .all(|file| file.key.starts_with(&format!("assets/{asset}/"))),
        "{others:?}"
    );
}

#[tokio::test]
async fn a_job_of_a_worker_that_was_killed_goes_on_and_shows_nothing_half_made() {
    let mut house = House::new().await;
    let clip = film("320x180", "25", 2);
    let job = house.add(&clip.path).await;
    // What kill -9 leaves: a lease that nobody renews, a work folder that nobody holds, segments that nobody published.
    let killed = platform::Db::open(&house.location, "streaming", &MIGRATIONS)
        .await
        .unwrap();
    let (inputs, _) = platform::Inputs::manual(99);
    let queue = platform::jobs::Queue::new(killed.clone(), inputs);
    let lease = queue.take(&[JobKind::Transcode]).await.unwrap().unwrap();
    assert_eq!(lease.id(), job.id);
    std::fs::create_dir_all(house.data.path().join("transcode/dead")).unwrap();
    std::fs::write(house.data.path().join("transcode/dead/v0.mp4"), "half").unwrap();
    std::fs::write(house.data.path().join("transcode/dead.lock"), "").unwrap();
    house.blobs.put("assets/1/v0/init.mp4", "half").await.unwrap();
    let half = "INSERT INTO assets (id, title_id, job_id, state, duration_ms, height, bytes, created_at, changed_at)
         VALUES (1, $1, $2, 'storing', 1, 1, 1, 0, 0)";
    platform::on!(killed.writer(), pool => sqlx::query(half).bind(TITLE.0).bind(job.id.0).execute(pool).await.map(drop)).unwrap();

    house.reopen().await;
    house.work();
    assert_eq!(house.start().await, Err(StreamingError::NotPlayable));
    house.clock.advance(60_000);
    let job = house.ended(job.id).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 2), "{job:?}");
    house.start().await.unwrap();
    assert!(house.blobs.list("assets/1").await.unwrap().is_empty());
    assert_eq!(house.lying_in("transcode"), Vec::<String>::new());
}

#[tokio::test]
async fn what_somebody_sent_goes_before_a_folder_and_what_is_put_first_before_both() {
    let mut house = House::new().await;
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (there, from_here) = (reached.clone(), go_on.clone());
    house.breakpoints = Some(At::new(Step::Indexed, move || {
        let (there, from_here) = (there.clone(), from_here.clone());
        Box::pin(async move {
            there.notify_one();
            from_here.notified().await;
            Ok(())
        })
    }));
    house.reopen().await;
    let clip = film("160x90", "25", 2);
    let add = async |sparing| {
        let path = clip.path.to_string_lossy().into_owned();
        let asked = AddMedia {
            title: TITLE,
            path,
            sparing,
        };
        house.room.add_media(asked).await.unwrap().id
    };
    let folder = [add(true).await, add(true).await, add(true).await];
    let sent = [add(false).await, add(false).await];
    let remote: &dyn Jobs = &house.remote();
    remote.first(ForJob { job: folder[2] }).await.unwrap();

    let worker = tokio::spawn(
        house
            .room
            .clone()
            .run_worker(1, tokio_util::sync::CancellationToken::new()),
    );
    reached.notified().await;
    let state = async |job| house.job(job).await.state;
    assert_eq!(state(folder[2]).await, JobState::Running);
    for job in [folder[0], folder[1], sent[0], sent[1]] {
        assert_eq!(state(job).await, JobState::Queued);
    }
    let films = AskOutlook {
        kind: JobKind::Transcode,
    };
    let outlook = remote.outlook(films).await.unwrap();
    assert_eq!((outlook.queued, outlook.running), (4, 1), "{outlook:?}");
    assert!(outlook.progress < 0.2 && outlook.progress > 0.1, "{outlook:?}");
    let trains = AskOutlook { kind: JobKind::Train };
    assert_eq!(house.room.outlook(trains).await.unwrap().queued, 0);

    remote.first(ForJob { job: sent[1] }).await.unwrap();
    go_on.notify_one();
    house.ended(sent[1]).await;
    assert_eq!(state(folder[2]).await, JobState::Done);
    house.ended(sent[0]).await;
    assert_eq!(state(sent[1]).await, JobState::Done);
    for job in folder {
        assert_eq!(house.ended(job).await.state, JobState::Done);
    }
    assert_eq!(remote.first(ForJob { job: sent[0] }).await, Err(JobError::AlreadyEnded));
    worker.abort();
}
