//! Jobs under a job: order, progress, and every way in which one of them can end.

use super::*;

fn part(name: &str) -> NewJob {
    transcode(name).key(name).priority(1)
}

/// A parent that waits for these.
async fn divided(queue: &Queue, parts: &[&str]) -> JobId {
    let job = queue.enqueue_now(transcode("film")).await.unwrap().id;
    let lease = queue.take(&KINDS).await.unwrap().unwrap();
    assert_eq!(lease.id(), job);
    let parts = parts.iter().map(|name| part(name)).collect();
    assert!(queue.wait_for(&lease, parts, None, (0.02, "encoding")).await.unwrap());
    job
}

async fn take(queue: &Queue) -> Lease {
    queue.take(&KINDS).await.unwrap().expect("there is something to do")
}

async fn state(queue: &Queue, job: JobId) -> (JobState, u32) {
    let job = queue.get(ForJob { job }).await.unwrap();
    (job.state, job.attempts)
}

#[tokio::test]
async fn people_see_a_divided_job_as_one_that_runs() {
    for database in test_support::databases().await {
        let (queue, _) = queue(&database, 1).await;
        let film = divided(&queue, &["one", "two"]).await;
        queue.enqueue_now(transcode("another film")).await.unwrap();
        assert_eq!(state(&queue, film).await, (JobState::Running, 1), "{}", database.name);
        let list = async |state| {
            let asked = ListJobs {
                limit: 10,
                state,
                before: None,
            };
            let jobs = queue.list(asked).await.unwrap();
            jobs.into_iter().map(|job| job.subject).collect::<Vec<_>>()
        };
        assert_eq!(list(None).await, ["another film", "film"]);
        assert_eq!(list(Some(JobState::Running)).await, ["film"]);
        let counts = Counts {
            queued: 1,
            running: 1,
            failed: 0,
        };
        assert_eq!(queue.counts().await.unwrap(), counts);
    }
}

#[tokio::test]
async fn a_divided_job_waits_without_a_worker_and_goes_on_when_all_is_done() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let film = divided(&queue, &["one", "two"]).await;
        queue.enqueue_now(transcode("another film")).await.unwrap();
        let (one, two) = (take(&queue).await, take(&queue).await);
        assert_eq!(
            (one.job.subject.as_str(), two.job.subject.as_str()),
            ("one", "two"),
            "before another film begins"
        );
        assert_eq!((one.parent, one.shown()), (Some(film), film));
        for step in 1..=20 {
            clock.advance(500);
            queue.heartbeat(&one, step as f32 * 0.025, "").await.unwrap();
        }
        queue.heartbeat(&two, 0.0, "").await.unwrap();
        let half_of_one = queue.get(ForJob { job: film }).await.unwrap();
        assert!((half_of_one.progress - 0.2425).abs() < 0.001, "{half_of_one:?}");
        // 10 s for 0.2225 of it.
        assert_eq!(
            (half_of_one.stage.as_str(), half_of_one.remaining_s),
            ("encoding", Some(35))
        );
        assert!(queue.complete(&one, Some("1 MB")).await.unwrap());
        assert!(queue.complete(&two, Some("2 MB")).await.unwrap());

        let again = take(&queue).await;
        assert_eq!(
            (again.id(), again.job.attempts),
            (film, 1),
            "{}: before another film",
            database.name
        );
        assert!(again.job.progress < 1.0);
        let children = queue.children(film).await.unwrap();
        let outcomes: Vec<_> = children.iter().map(|child| child.job.outcome.as_deref()).collect();
        assert_eq!(outcomes, [Some("1 MB"), Some("2 MB")]);
        assert_eq!(children[1].payload["file"], "two");
        assert!(queue.complete(&again, None).await.unwrap());
        assert!(
            queue.children(film).await.unwrap().is_empty(),
            "they are of no use any more"
        );
    }
}

#[tokio::test]
async fn a_part_that_fails_fails_the_whole_and_its_siblings_stop() {
    for database in test_support::databases().await {
        let (queue, _) = queue(&database, 1).await;
        let film = divided(&queue, &["one", "two", "three"]).await;
        let (one, two) = (take(&queue).await, take(&queue).await);
        queue.fail(&one, &Failure::transient("once")).await.unwrap();
        assert_eq!(state(&queue, film).await.0, JobState::Running, "it is tried again");
        queue
            .fail(&two, &Failure::permanent("the picture is damaged"))
            .await
            .unwrap();
        let failed = queue.get(ForJob { job: film }).await.unwrap();
        assert_eq!(
            (failed.state, failed.error.as_deref()),
            (JobState::Failed, Some("the picture is damaged")),
            "{}",
            database.name
        );
        assert!(queue.take(&KINDS).await.unwrap().is_none(), "nobody works for nothing");

        // Tried again: what was done stays done, the rest begins anew.
        queue.retry(ForJob { job: film }).await.unwrap();
        let lease = take(&queue).await;
        let parts = ["one", "two", "three"].map(part).into();
        assert!(queue.wait_for(&lease, parts, None, (0.0, "")).await.unwrap());
        for _ in 0..3 {
            let lease = take(&queue).await;
            assert_eq!(lease.job.attempts, 1);
            assert!(queue.complete(&lease, None).await.unwrap());
        }
        let parts = queue.children(film).await.unwrap();
        assert_eq!(parts.len(), 3, "{}: under the same keys", database.name);
        assert_eq!(take(&queue).await.id(), film);
    }
}

#[tokio::test]
async fn a_cancel_reaches_what_waits_and_what_runs() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let film = divided(&queue, &["one", "two", "three"]).await;
        let (one, dead) = (take(&queue).await, take(&queue).await);
        assert_eq!(
            queue.cancel(ForJob { job: film }).await.unwrap().state,
            JobState::Cancelled
        );
        assert!(queue.take(&KINDS).await.unwrap().is_none(), "{}", database.name);
        assert_eq!(queue.heartbeat(&one, 0.3, "").await.unwrap(), Beat::Cancel);
        queue.end_cancelled(&one).await.unwrap();
        clock.advance(301);
        assert!(queue.take(&KINDS).await.unwrap().is_none());
        assert_eq!(queue.heartbeat(&dead, 0.3, "").await.unwrap(), Beat::Lost);
        let states: Vec<_> = queue
            .children(film)
            .await
            .unwrap()
            .iter()
            .map(|child| child.job.state)
            .collect();
        assert_eq!(
            states,
            [JobState::Cancelled; 3],
            "{}: that of the dead, too",
            database.name
        );
    }
}

#[tokio::test]
async fn a_cancel_that_comes_while_the_work_is_divided_is_heard() {
    for database in test_support::databases().await {
        let (queue, _) = queue(&database, 1).await;
        let job = queue.enqueue_now(transcode("film")).await.unwrap().id;
        let lease = take(&queue).await;
        queue.cancel(ForJob { job }).await.unwrap();
        queue
            .wait_for(&lease, vec![part("one")], None, (0.0, ""))
            .await
            .unwrap();
        assert_eq!(state(&queue, job).await.0, JobState::Cancelled, "{}", database.name);
        assert!(queue.children(job).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_part_whose_worker_dies_costs_that_part_and_one_that_kills_all_fails_the_whole() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let film = divided(&queue, &["one", "two"]).await;
        assert!(queue.complete(&take(&queue).await, None).await.unwrap());
        take(&queue).await;
        clock.advance(301);
        let again = take(&queue).await;
        assert_eq!((again.job.subject.as_str(), again.job.attempts), ("two", 2));
        assert_eq!(state(&queue, film).await, (JobState::Running, 1), "{}", database.name);
        clock.advance(301);
        take(&queue).await;
        clock.advance(301);
        assert!(queue.take(&KINDS).await.unwrap().is_none());
        let failed = queue.get(ForJob { job: film }).await.unwrap();
        assert_eq!(failed.state, JobState::Failed, "{}", database.name);
        assert!(failed.error.unwrap().contains("every time"));
    }
}

#[tokio::test]
async fn two_that_end_at_once_wake_the_parent_once() {
    for database in test_support::databases().await {
        let ((one, _), (two, _)) = (queue(&database, 1).await, queue(&database, 2).await);
        for round in 0..10 {
            let film = divided(&one, &["a", "b"]).await;
            let (a, b) = (take(&one).await, take(&two).await);
            let (a, b) = tokio::join!(one.complete(&a, None), two.complete(&b, None));
            assert!(a.unwrap() && b.unwrap());
            let lease = take(&one).await;
            assert_eq!(
                (lease.id(), lease.job.attempts),
                (film, 1),
                "{}, round {round}",
                database.name
            );
            assert!(one.take(&KINDS).await.unwrap().is_none());
            one.complete(&lease, None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_parent_is_found_whose_last_part_ended_with_its_process() {
    for database in test_support::databases().await {
        let (queue, _) = queue(&database, 1).await;
        let film = divided(&queue, &["one"]).await;
        let one = take(&queue).await;
        let sql = "UPDATE jobs SET state = 'done', lease = NULL, lease_until = NULL WHERE id = $1";
        crate::on!(queue.db.writer(), pool => sqlx::query(sql).bind(one.id().0).execute(pool).await.map(drop)).unwrap();
        assert_eq!(take(&queue).await.id(), film, "{}", database.name);
    }
}

#[tokio::test]
async fn no_time_is_told_for_what_stands_still() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let job = queue.enqueue_now(transcode("a")).await.unwrap().id;
        let lease = take(&queue).await;
        let remaining = async || queue.get(ForJob { job }).await.unwrap().remaining_s;
        assert_eq!(remaining().await, None, "nobody could say");
        clock.advance(30_000);
        queue.heartbeat(&lease, 0.25, "").await.unwrap();
        assert_eq!(remaining().await, Some(90), "{}", database.name);
        clock.advance(60_001);
        assert_eq!(remaining().await, None, "its worker is silent");
        queue.heartbeat(&lease, 1.0, "").await.unwrap();
        assert!(
            queue.get(ForJob { job }).await.unwrap().progress < 1.0,
            "only what is done is at 100 %"
        );
        queue.complete(&lease, None).await.unwrap();
        assert_eq!(remaining().await, None);
    }
}

/// Does its film in two parts.
#[derive(Default)]
struct Divider(Mutex<Vec<String>>);

#[async_trait]
impl Work for Divider {
    async fn run(&self, ticket: &Ticket) -> Result<Option<String>, Failure> {
        let payload: serde_json::Value = ticket.payload()?;
        let name = payload["file"].as_str().unwrap_or_default().to_owned();
        self.0.lock().unwrap().push(name.clone());
        if name == "film" && ticket.attempt() == 1 && self.0.lock().unwrap().len() == 1 {
            ticket.then([part("one"), part("two")]);
            return Ok(None);
        }
        Ok(Some(format!("{name} of {}", ticket.shown())))
    }
}

#[tokio::test]
async fn one_worker_is_enough_for_a_divided_job() {
    for database in test_support::databases().await {
        let (queue, _) = queue(&database, 1).await;
        let (work, stop) = (Arc::new(Divider::default()), CancellationToken::new());
        let workers = tokio::spawn(queue.clone().run(work.clone(), KINDS.into(), 1, stop.clone()));
        let running = Running {
            queue,
            studio: Arc::default(),
            stop,
            workers,
        };
        let job = running.queue.enqueue_now(transcode("film")).await.unwrap().id;
        let done = running.until(job, |job| job.state == JobState::Done).await;
        assert_eq!(done.outcome, Some(format!("film of {job}")), "{}", database.name);
        assert_eq!(*work.0.lock().unwrap(), ["film", "one", "two", "film"]);
        running.stop.cancel();
        running.workers.await.unwrap();
    }
}

/// How many transactions SQLite's log holds: of each, one frame says how large the database is after it.
fn commits(database: &TestDatabase) -> usize {
    let Location::Folder(folder) = &database.location else {
        panic!("not a folder")
    };
    let log = std::fs::read(folder.join("room.db-wal")).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let (page_bytes, salts) = (number(8) as usize, [number(16), number(20)]);
    (32..log.len())
        .step_by(24 + page_bytes)
        .filter(|at| [number(at + 8), number(at + 12)] == salts && number(at + 4) > 0)
        .count()
}

#[tokio::test]
async fn saying_how_far_a_part_is_waits_for_the_disk_once() {
    let database = test_support::sqlite();
    let (queue, _) = queue(&database, 1).await;
    let film = divided(&queue, &["one", "two"]).await;
    let lease = take(&queue).await;
    let before = commits(&database);
    for progress in [0.1, 0.2, 0.3] {
        queue.heartbeat(&lease, progress, "").await.unwrap();
    }
    assert_eq!(commits(&database) - before, 3);
    assert!(
        queue.get(ForJob { job: film }).await.unwrap().progress > 0.1,
        "the film says so, too"
    );
    let least = Settings::default().progress_every;
    assert!(least >= Duration::from_secs(1), "once a second for each job: {least:?}");
}

#[tokio::test]
async fn a_film_ends_together_with_its_parts() {
    let database = test_support::sqlite();
    let (queue, _) = queue(&database, 1).await;
    let film = divided(&queue, &["one"]).await;
    let part = take(&queue).await;
    assert!(queue.complete(&part, None).await.unwrap());
    let lease = take(&queue).await;
    let before = commits(&database);
    assert!(queue.complete(&lease, None).await.unwrap());
    assert_eq!(commits(&database) - before, 1);
    assert_eq!(state(&queue, film).await.0, JobState::Done);
    assert_eq!(queue.children(film).await.unwrap().len(), 0);
}
