//! What is done first, how far all of it is, and what an attempt leaves for the next one.

use contract::jobs::{AskOutlook, Outlook};

use super::*;

async fn take(queue: &Queue) -> Lease {
    queue.take(&KINDS).await.unwrap().expect("there is something to do")
}

async fn queued(queue: &Queue, subject: &str, priority: i64) -> JobId {
    let new = transcode(subject).priority(priority).weight(10.0);
    queue.enqueue_now(new).await.unwrap().id
}

/// What is taken and done until nothing is left.
async fn order(queue: &Queue) -> Vec<String> {
    let mut subjects = Vec::new();
    while let Some(lease) = queue.take(&KINDS).await.unwrap() {
        assert!(queue.complete(&lease, None).await.unwrap());
        subjects.push(lease.job.subject);
    }
    subjects
}

async fn divide(queue: &Queue, lease: &Lease, parts: &[&str]) {
    let part = |name: &&str| transcode(name).key(*name).priority(1);
    let parts = parts.iter().map(part).collect();
    assert!(queue.wait_for(lease, parts, None, (0.0, "")).await.unwrap());
}

#[tokio::test]
async fn what_somebody_waits_for_goes_before_what_began_earlier_and_so_do_its_parts() {
    for database in test_support::databases().await {
        let (queue, _) = queue(&database, 1).await;
        queued(&queue, "of a folder", 0).await;
        divide(&queue, &take(&queue).await, &["folder 1", "folder 2"]).await;
        queued(&queue, "another of the folder", 0).await;
        queued(&queue, "sent", 1_000).await;
        let sent = take(&queue).await;
        assert_eq!(sent.job.subject, "sent", "{}", database.name);
        divide(&queue, &sent, &["sent 1", "sent 2"]).await;
        let order = order(&queue).await;
        let expected = [
            "sent 1",
            "sent 2",
            "sent",
            "folder 1",
            "folder 2",
            "of a folder",
            "another of the folder",
        ];
        assert_eq!(order, expected, "{}", database.name);
    }
}

#[tokio::test]
async fn a_job_that_is_put_first_goes_before_all_others_with_its_parts() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let divided = queued(&queue, "divided", 0).await;
        divide(&queue, &take(&queue).await, &["part 1", "part 2"]).await;
        let sent = queued(&queue, "sent", 1_000).await;
        let other = queued(&queue, "other", 0).await;
        let failed = queued(&queue, "failed", 2_000).await;
        let lease = take(&queue).await;
        queue.fail(&lease, &Failure::transient("later")).await.unwrap();
        for job in [other, divided, failed] {
            let put = queue.first(ForJob { job }).await.unwrap();
            assert_eq!(put.id, job, "{}", database.name);
        }
        queued(&queue, "sent later", 1_000).await;
        let taken = take(&queue).await;
        assert_eq!(taken.job.subject, "failed", "at once, and the last that was put first");
        queue.complete(&taken, None).await.unwrap();
        let order = order(&queue).await;
        let expected = ["part 1", "part 2", "divided", "other", "sent", "sent later"];
        assert_eq!(order, expected, "{}", database.name);
        clock.advance(1_000);
        assert_eq!(queue.first(ForJob { job: sent }).await, Err(JobError::AlreadyEnded));
        assert_eq!(queue.first(ForJob { job: JobId(1) }).await, Err(JobError::NotFound));
    }
}

#[tokio::test]
async fn all_work_together_is_as_far_as_its_jobs_and_ends_at_their_pace() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        let films = AskOutlook {
            kind: JobKind::Transcode,
        };
        let outlook = async || queue.outlook(films).await.unwrap();
        let none = Outlook {
            queued: 0,
            running: 0,
            progress: 1.0,
            remaining_s: None,
        };
        assert_eq!(outlook().await, none, "{}", database.name);
        // What was done long ago is no part of it, nor is another kind.
        queued(&queue, "of yesterday", 0).await;
        queue.complete(&take(&queue).await, None).await.unwrap();
        clock.advance(86_400_000);
        queue
            .enqueue_now(NewJob::new(JobKind::Train, "train", &()))
            .await
            .unwrap();
        assert_eq!(outlook().await, none, "{}", database.name);

        // Four of ten each.
        for subject in ["a", "b", "c", "d"] {
            queued(&queue, subject, 0).await;
        }
        let expected = |queued, running, progress, remaining_s| Outlook {
            queued,
            running,
            progress,
            remaining_s,
        };
        assert_eq!(outlook().await, expected(4, 0, 0.0, None), "{}", database.name);
        let (a, b) = (take(&queue).await, take(&queue).await);
        for step in 1..=10 {
            clock.advance(290);
            queue.heartbeat(&a, step as f32 * 0.05, "").await.unwrap();
            queue.heartbeat(&b, step as f32 * 0.025, "").await.unwrap();
        }
        // 7.5 of 40 in 2.9 s.
        let now = outlook().await;
        assert_eq!(
            (now.queued, now.running, now.remaining_s),
            (2, 2, Some(13)),
            "{}",
            database.name
        );
        assert!((now.progress - 0.1875).abs() < 1e-4, "{now:?}");

        queue.complete(&a, None).await.unwrap();
        let now = outlook().await;
        assert_eq!((now.queued, now.running), (2, 1), "{}", database.name);
        assert!((now.progress - 0.3125).abs() < 1e-4, "what is done stays done: {now:?}");
        // Two and three quarters of ten, of which one moves: 2.5 in 2.9 s.
        assert_eq!(now.remaining_s, Some(32), "{}", database.name);
        clock.advance(120_000);
        assert_eq!(outlook().await.remaining_s, None, "nobody has said a word for so long");
    }
}

#[tokio::test]
async fn what_an_attempt_keeps_the_next_one_knows_and_nobody_else_may_write_it() {
    for database in test_support::databases().await {
        let (queue, clock) = queue(&database, 1).await;
        queue.enqueue_now(transcode("film")).await.unwrap();
        let first = take(&queue).await;
        assert!(queue.keep(&first, &serde_json::json!({ "measured": 7 })).await.unwrap());
        clock.advance(301);
        let second = take(&queue).await;
        assert_eq!((second.id(), second.job.attempts), (first.id(), 2));
        let known: serde_json::Value = second.payload().unwrap();
        assert_eq!(known["measured"], 7, "{}", database.name);
        assert!(!queue.keep(&first, &serde_json::json!({ "measured": 8 })).await.unwrap());
        queue.release(&second).await.unwrap();
        let known: serde_json::Value = take(&queue).await.payload().unwrap();
        assert_eq!(known["measured"], 7, "{}", database.name);
    }
}
