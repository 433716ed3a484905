//! A clock that is wrong, and then right again.

use super::*;

#[tokio::test]
async fn a_clock_set_back_leaves_no_job_waiting_for_the_future() {
    for database in test_support::databases().await {
        let (before, clock) = queue(&database, 1).await;
        clock.advance(365 * 86_400_000);
        let mut jobs = Vec::new();
        for subject in ["failed", "held", "new"] {
            jobs.push(before.enqueue_now(transcode(subject)).await.unwrap().id);
        }
        let failed = before.take(&KINDS).await.unwrap().unwrap();
        assert!(before.fail(&failed, &Failure::transient("x")).await.unwrap());
        before.take(&KINDS).await.unwrap().unwrap();
        // Set back, then reopened: what its clock says now is far from what it wrote.
        let (queue, clock) = queue(&database, 2).await;
        assert!(queue.take(&KINDS).await.unwrap().is_none());
        clock.advance(301);
        let taken = queue.take(&KINDS).await.unwrap().expect("its lease is over");
        assert_eq!(taken.id(), jobs[1], "{}", database.name);
        assert!(queue.complete(&taken, None).await.unwrap());
        clock.advance(600_000);
        for _ in 0..2 {
            assert!(queue.take(&KINDS).await.unwrap().is_some(), "{}", database.name);
        }
    }
}
