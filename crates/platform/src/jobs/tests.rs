//! The queue, on both engines.

mod children;
mod clock;
mod order;

use std::{borrow::Cow, collections::HashSet, sync::Mutex};

use contract::{
    async_trait,
    jobs::{ForJob, JobError, JobState, Jobs as _, ListJobs},
};
use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    Migrations,
    clock::ManualClock,
    db::Location,
    test_support::{self, TestDatabase},
};

const NONE: Migrations = Migrations {
    sqlite: Migrator {
        migrations: Cow::Borrowed(&[]),
        ..Migrator::DEFAULT
    },
    postgres: Migrator {
        migrations: Cow::Borrowed(&[]),
        ..Migrator::DEFAULT
    },
};
const KINDS: [JobKind; 1] = [JobKind::Transcode];

async fn queue(database: &TestDatabase, seed: u64) -> (Queue, Arc<ManualClock>) {
    let (inputs, clock) = Inputs::manual(seed);
    let settings = Settings {
        poll: Duration::from_millis(5),
        progress_every: Duration::from_millis(1),
        stop_grace: Duration::from_millis(20),
        lease: Duration::from_millis(300),
        ..Settings::default()
    };
    (
        Queue::with_settings(database.open("room", &NONE).await, inputs, settings),
        clock,
    )
}

fn transcode(subject: &str) -> NewJob {
    NewJob::new(JobKind::Transcode, subject, &serde_json::json!({ "file": subject })).title(TitleId(7))
}

#[tokio::test]
async fn a_job_goes_from_queued_to_done() {
    for database in test_support::databases().await {
        let (queue, _) = queue(&database, 1).await;
        let queued = queue.enqueue_now(transcode("a.mp4")).await.unwrap();
        assert_eq!(
            (queued.state, queued.title_id, queued.started_at),
            (JobState::Queued, Some(TitleId(7)), None)
        );
        assert!(
            queue.take(&[JobKind::Train]).await.unwrap().is_none(),
            "another kind's worker leaves it alone"
        );

        let lease = queue.take(&KINDS).await.unwrap().unwrap();
        assert_eq!(lease.payload::<serde_json::Value>().unwrap()["file"], "a.mp4");
        assert!(
            queue.take(&KINDS).await.unwrap().is_none(),
            "{}: taken once",
            database.name
        );
        assert_eq!(
            queue.heartbeat(&lease, 0.5, "encoding 720p").await.unwrap(),
            Beat::Continue
        );
        let running = queue.get(ForJob { job: queued.id }).await.unwrap();
        assert_eq!(
            (running.state, running.progress, running.stage.as_str()),
            (JobState::Running, 0.5, "encoding 720p")
        );
        assert_eq!(
            queue.counts().await.unwrap(),
            Counts {
                running: 1,
                ..Counts::default()
            }
        );

        assert!(queue.complete(&lease, Some("three renditions")).await.unwrap());
        let done = queue.get(ForJob { job: queued.id }).await.unwrap();
        assert_eq!((done.state, done.progress, done.attempts), (JobState::Done, 1.0, 1));
        assert_eq!(done.outcome.as_deref(), Some("three renditions"));
        assert!(done.finished_at.is_some());
    }
}

#[tokio::test]
async fn a_key_enqueues_once() {
    for database in test_support::databases().await {
        let (queue, _) = queue(&database, 1).await;
        let first = queue.enqueue_now(transcode("a").key("upload-1")).await.unwrap();
        let second = queue.enqueue_now(transcode("b").key("upload-1")).await.unwrap();
        assert_eq!(
            (first.id, second.subject.as_str()),
            (second.id, "a"),
            "{}",
            database.name
        );
        queue.enqueue_now(transcode("c")).await.unwrap();
        queue.enqueue_now(transcode("d")).await.unwrap();
        assert_eq!(queue.counts().await.unwrap().queued, 3);
    }
}

#[tokio::test]
async fn a_dead_workers_job_is_taken_again_and_the_dead_one_is_fenced_off() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        queue.enqueue_now(transcode("a")).await.unwrap();
        let dead = queue.take(&KINDS).await.unwrap().unwrap();
        clock.advance(200);
        queue.heartbeat(&dead, 0.1, "").await.unwrap();
        clock.advance(200);
        assert!(
            queue.take(&KINDS).await.unwrap().is_none(),
            "{}: a heartbeat renews",
            database.name
        );
        clock.advance(101);
        let alive = queue.take(&KINDS).await.unwrap().unwrap();
        assert_eq!((alive.id(), alive.job.attempts), (dead.id(), 2));

        assert_eq!(queue.heartbeat(&dead, 0.9, "").await.unwrap(), Beat::Lost);
        assert!(!queue.complete(&dead, None).await.unwrap());
        assert!(!queue.fail(&dead, &Failure::transient("late")).await.unwrap());
        assert!(queue.complete(&alive, None).await.unwrap(), "{}", database.name);
    }
}

#[tokio::test]
async fn a_job_that_kills_every_worker_fails_in_the_end() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let job = queue.enqueue_now(transcode("a").attempts_max(2)).await.unwrap();
        for _ in 0..2 {
            assert!(queue.take(&KINDS).await.unwrap().is_some());
            clock.advance(301);
        }
        assert!(queue.take(&KINDS).await.unwrap().is_none());
        let failed = queue.get(ForJob { job: job.id }).await.unwrap();
        assert_eq!(failed.state, JobState::Failed, "{}", database.name);
        let words = failed.error.unwrap();
        assert!(words.contains("every time") && words.contains("Try again"), "{words}");
    }
}

#[tokio::test]
async fn failures_are_tried_again_later_and_not_for_ever() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let job = queue.enqueue_now(transcode("a").attempts_max(3)).await.unwrap();
        for wait in [5_000, 10_000] {
            let lease = queue.take(&KINDS).await.unwrap().unwrap();
            queue.fail(&lease, &Failure::transient("no disk")).await.unwrap();
            clock.advance(wait - 1);
            assert!(
                queue.take(&KINDS).await.unwrap().is_none(),
                "{}: not yet",
                database.name
            );
            clock.advance(1);
        }
        let last = queue.take(&KINDS).await.unwrap().unwrap();
        queue.fail(&last, &Failure::transient("no disk")).await.unwrap();
        let failed = queue.get(ForJob { job: job.id }).await.unwrap();
        assert_eq!(
            (failed.state, failed.error.as_deref()),
            (JobState::Failed, Some("no disk"))
        );

        let again = queue.retry(ForJob { job: job.id }).await.unwrap();
        assert_eq!((again.state, again.attempts, again.error), (JobState::Queued, 0, None));
        assert_eq!(queue.retry(ForJob { job: job.id }).await, Err(JobError::NotRetryable));
        let lease = queue.take(&KINDS).await.unwrap().unwrap();
        queue.fail(&lease, &Failure::permanent("not a video")).await.unwrap();
        let failed = queue.get(ForJob { job: job.id }).await.unwrap();
        assert_eq!(
            (failed.state, failed.attempts),
            (JobState::Failed, 1),
            "{}: no second try",
            database.name
        );
    }
}

#[tokio::test]
async fn jobs_are_cancelled_while_waiting_and_while_running() {
    for database in test_support::databases().await {
        let (queue, _) = queue(&database, 1).await;
        let waiting = queue.enqueue_now(transcode("a")).await.unwrap();
        assert_eq!(
            queue.cancel(ForJob { job: waiting.id }).await.unwrap().state,
            JobState::Cancelled
        );
        assert_eq!(
            queue.cancel(ForJob { job: waiting.id }).await,
            Err(JobError::NotCancellable)
        );
        assert!(queue.take(&KINDS).await.unwrap().is_none());

        let running = queue.enqueue_now(transcode("b")).await.unwrap();
        let lease = queue.take(&KINDS).await.unwrap().unwrap();
        assert_eq!(
            queue.cancel(ForJob { job: running.id }).await.unwrap().state,
            JobState::Running
        );
        assert_eq!(
            queue.heartbeat(&lease, 0.2, "").await.unwrap(),
            Beat::Cancel,
            "{}",
            database.name
        );
        queue.end_cancelled(&lease).await.unwrap();
        assert_eq!(
            queue.get(ForJob { job: running.id }).await.unwrap().state,
            JobState::Cancelled
        );
        assert_eq!(
            queue
                .cancel(ForJob {
                    job: contract::JobId(1)
                })
                .await,
            Err(JobError::NotFound)
        );
        assert_eq!(
            queue
                .get(ForJob {
                    job: contract::JobId(1)
                })
                .await,
            Err(JobError::NotFound)
        );
    }
}

#[tokio::test]
async fn a_cancelled_job_of_a_dead_worker_does_not_begin_again() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let job = queue.enqueue_now(transcode("a")).await.unwrap().id;
        queue.take(&KINDS).await.unwrap().unwrap();
        queue.cancel(ForJob { job }).await.unwrap();
        clock.advance(301);
        assert!(queue.take(&KINDS).await.unwrap().is_none());
        assert_eq!(
            queue.get(ForJob { job }).await.unwrap().state,
            JobState::Cancelled,
            "{}",
            database.name
        );

        queue.enqueue_now(transcode("b")).await.unwrap();
        clock.advance(KEEP_MS + 1);
        assert_eq!(
            queue.prune().await.unwrap(),
            1,
            "{}: only what has ended",
            database.name
        );
        assert_eq!(queue.get(ForJob { job }).await, Err(JobError::NotFound));
    }
}

#[tokio::test]
async fn the_list_is_newest_first_and_paged() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let mut ids = Vec::new();
        for subject in ["a", "b", "c"] {
            clock.advance(1);
            ids.push(queue.enqueue_now(transcode(subject)).await.unwrap().id);
        }
        queue.cancel(ForJob { job: ids[1] }).await.unwrap();
        let list = async |before, state| {
            let jobs = queue
                .list(ListJobs {
                    before,
                    limit: 2,
                    state,
                })
                .await
                .unwrap();
            jobs.into_iter().map(|job| job.subject).collect::<Vec<_>>()
        };
        assert_eq!(list(None, None).await, ["c", "b"], "{}", database.name);
        assert_eq!(list(Some(ids[1]), None).await, ["a"]);
        assert_eq!(list(None, Some(JobState::Queued)).await, ["c", "a"]);
        assert_eq!(list(None, Some(JobState::Cancelled)).await, ["b"]);
    }
}

/// What the test work does, by subject.
#[derive(Default)]
struct Studio {
    done: Mutex<Vec<String>>,
    attempts: Mutex<u32>,
}

#[async_trait]
impl Work for Studio {
    async fn run(&self, ticket: &Ticket) -> Result<Option<String>, Failure> {
        *self.attempts.lock().unwrap() += 1;
        let payload: serde_json::Value = ticket.payload()?;
        ticket.progress(0.4, "working");
        match payload["file"].as_str().unwrap() {
            "panics" => panic!("as asked"),
            "waits" => ticket.cancelled().cancelled().await,
            "ignores" => std::future::pending().await,
            "wrong" => return Err(Failure::permanent("not a video")),
            name => self.done.lock().unwrap().push(name.to_owned()),
        }
        ticket
            .cancelled()
            .is_cancelled()
            .then_some(())
            .map_or(Ok(Some("fine".into())), |()| Err(Failure::transient("stopped")))
    }
}

struct Running {
    queue: Queue,
    studio: Arc<Studio>,
    stop: CancellationToken,
    workers: tokio::task::JoinHandle<()>,
}

async fn running(database: &TestDatabase, seed: u64) -> Running {
    let (queue, _) = queue(database, seed).await;
    let (studio, stop) = (Arc::new(Studio::default()), CancellationToken::new());
    let workers = tokio::spawn(queue.clone().run(studio.clone(), KINDS.into(), 2, stop.clone()));
    Running {
        queue,
        studio,
        stop,
        workers,
    }
}

impl Running {
    async fn until(&self, job: contract::JobId, is: impl Fn(&Job) -> bool) -> Job {
        let mut changes = self.queue.changes();
        loop {
            let job = self.queue.get(ForJob { job }).await.unwrap();
            if is(&job) {
                return job;
            }
            tokio::time::timeout(Duration::from_millis(50), changes.recv())
                .await
                .ok();
        }
    }
}

#[tokio::test]
async fn workers_do_every_job_once() {
    for database in test_support::databases().await {
        let running = running(&database, 1).await;
        let mut ids = Vec::new();
        for number in 0..10 {
            ids.push(
                running
                    .queue
                    .enqueue_now(transcode(&format!("{number}")))
                    .await
                    .unwrap()
                    .id,
            );
        }
        for id in ids {
            let job = running.until(id, |job| job.state == JobState::Done).await;
            assert_eq!(job.outcome.as_deref(), Some("fine"));
        }
        running.stop.cancel();
        running.workers.await.unwrap();
        let done = running.studio.done.lock().unwrap().clone();
        assert_eq!(
            (done.len(), done.into_iter().collect::<HashSet<_>>().len()),
            (10, 10),
            "{}",
            database.name
        );
    }
}

#[tokio::test]
async fn workers_survive_panics_and_pass_on_reasons() {
    for database in test_support::databases().await {
        let running = running(&database, 1).await;
        let panics = running
            .queue
            .enqueue_now(transcode("panics").attempts_max(1))
            .await
            .unwrap();
        let wrong = running.queue.enqueue_now(transcode("wrong")).await.unwrap();
        let failed = |job: &Job| job.state == JobState::Failed;
        let words = running.until(panics.id, failed).await.error.unwrap();
        assert!(
            words.contains("a mistake of its own") && words.contains("Try again"),
            "{words}"
        );
        assert_eq!(
            running.until(wrong.id, failed).await.error.as_deref(),
            Some("not a video"),
            "{}",
            database.name
        );
        running.stop.cancel();
        running.workers.await.unwrap();
    }
}

#[tokio::test]
async fn a_running_job_hears_that_it_is_cancelled_even_if_it_does_not_listen() {
    for database in test_support::databases().await {
        for (subject, seed) in [("waits", 1), ("ignores", 2)] {
            let running = running(&database, seed).await;
            let job = running.queue.enqueue_now(transcode(subject)).await.unwrap();
            running.until(job.id, |job| job.stage == "working").await;
            running.queue.cancel(ForJob { job: job.id }).await.unwrap();
            running.until(job.id, |job| job.state == JobState::Cancelled).await;
            running.stop.cancel();
            running.workers.await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_process_that_goes_down_gives_its_jobs_back() {
    for database in test_support::databases().await {
        for (subject, seed) in [("waits", 1), ("ignores", 2)] {
            let running = running(&database, seed).await;
            let job = running.queue.enqueue_now(transcode(subject)).await.unwrap();
            running.until(job.id, |job| job.stage == "working").await;
            running.stop.cancel();
            running.workers.await.unwrap();
            let job = running.queue.get(ForJob { job: job.id }).await.unwrap();
            assert_eq!(
                (job.state, job.attempts),
                (JobState::Queued, 0),
                "{}: {subject}",
                database.name
            );
            running.queue.cancel(ForJob { job: job.id }).await.unwrap();
        }
    }
}

#[tokio::test]
async fn two_processes_never_take_the_same_job() {
    for database in test_support::databases().await {
        let ((one, _), (two, _)) = (queue(&database, 1).await, queue(&database, 2).await);
        for _ in 0..20 {
            one.enqueue_now(transcode("a")).await.unwrap();
        }
        let takes = (0..30).map(|number| {
            let queue = if number % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move { queue.take(&KINDS).await.unwrap().map(|lease| lease.id()) })
        });
        let taken: Vec<_> = futures::future::join_all(takes)
            .await
            .into_iter()
            .filter_map(Result::unwrap)
            .collect();
        let distinct = taken.iter().collect::<HashSet<_>>().len();
        assert_eq!(taken.len(), distinct, "{}", database.name);
        // A row that another is just taking is skipped, so a take may come back empty-handed; the next one finds it.
        let mut rest = 0;
        while one.take(&KINDS).await.unwrap().is_some() {
            rest += 1;
        }
        assert_eq!(distinct + rest, 20, "{}", database.name);
    }
}
