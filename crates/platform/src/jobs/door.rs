//! The queue as people see it: list, look, cancel, try again, put first; and how far all of it is.

use contract::{
    Fault, PAGE_ITEMS_MAX, async_trait,
    jobs::{AskOutlook, ForJob, Job, JobError, Jobs, ListJobs, Outlook},
};

use super::{
    Queue,
    row::{PACE_MS_MIN, PACE_SHARE_MIN, Row, SILENT_MS_MAX, columns, kind_name, state_name},
};
use crate::{db::OrFault as _, on};

/// Where jobs stand that somebody has put first: above everything that work asks for itself, the latest on top.
const FIRST: i64 = 1_000_000;
/// From one of them to the next; their children and what these come to stand in between.
const FIRST_STEP: i64 = 1_000;

#[async_trait]
impl Jobs for Queue {
    async fn list(&self, req: ListJobs) -> Result<Vec<Job>, JobError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM jobs WHERE id < $1 AND parent_id IS NULL
              AND ($2 = '' OR state = $2 OR (state = 'waiting' AND $2 = 'running')) ORDER BY id DESC LIMIT $3"
        );
        let before = req.before.map_or(i64::MAX, |id| id.0);
        let state = req.state.map(state_name).unwrap_or_default();
        let limit = i64::from(req.limit.clamp(1, PAGE_ITEMS_MAX));
        let rows: Vec<Row> = on!(&self.db, pool => sqlx::query_as(sql).bind(before).bind(&state).bind(limit)
            .fetch_all(pool).await)
        .or_fault()?;
        let now = self.inputs.now_ms();
        Ok(rows.into_iter().map(|row| row.job(now)).collect::<Result<_, Fault>>()?)
    }

    async fn get(&self, req: ForJob) -> Result<Job, JobError> {
        self.find(req.job).await?.ok_or(JobError::NotFound)
    }

    /// A job that no worker holds ends at once; a running one is asked to, and ends as soon as its worker hears it.
    async fn cancel(&self, req: ForJob) -> Result<Job, JobError> {
        let sql = "UPDATE jobs SET cancel_requested = TRUE, updated_at = $2,
             finished_at = CASE WHEN state = 'running' THEN finished_at ELSE $2 END,
             state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END
             WHERE id = $1 AND state IN ('queued', 'waiting', 'running')";
        let job = self.change(req, sql, JobError::NotCancellable).await?;
        self.settle().await?;
        Ok(job)
    }

    async fn retry(&self, req: ForJob) -> Result<Job, JobError> {
        let sql = "UPDATE jobs SET state = 'queued', run_at = $2, attempts = 0, progress = 0, stage = '', error = NULL,
             cancel_requested = FALSE, started_at = NULL, finished_at = NULL, updated_at = $2,
             pace_at = NULL WHERE id = $1 AND state IN ('failed', 'cancelled')";
        self.change(req, sql, JobError::NotRetryable).await
    }

    /// Its children go with it. What workers hold already they bring to its end.
    async fn first(&self, req: ForJob) -> Result<Job, JobError> {
        let mut tx = self.db.begin().await?;
        Self::parent_first(&mut tx, req.job).await?;
        let sql = "SELECT priority FROM jobs WHERE id = $1 AND parent_id IS NULL AND state IN ('queued', 'waiting', 'running')";
        let own: Option<(i64,)> =
            on!(tx, conn => sqlx::query_as(sql).bind(req.job.0).fetch_optional(conn).await).or_fault()?;
        if let Some((own,)) = own {
            let sql = "SELECT MAX(priority) FROM jobs WHERE state IN ('queued', 'waiting', 'running')";
            let (most,): (Option<i64>,) = on!(tx, conn => sqlx::query_as(sql).fetch_one(conn).await).or_fault()?;
            let more = most.unwrap_or(0).max(FIRST) + FIRST_STEP - own;
            let sql = "UPDATE jobs SET priority = priority + $2, run_at = CASE WHEN run_at > $3 THEN $3 ELSE run_at END
                 WHERE (id = $1 OR parent_id = $1) AND state IN ('queued', 'waiting', 'running')";
            on!(tx, conn => sqlx::query(sql).bind(req.job.0).bind(more).bind(self.inputs.now_ms()).execute(conn).await.map(drop))
                .or_fault()?;
        }
        tx.commit().await?;
        let job = self.find(req.job).await?.ok_or(JobError::NotFound)?;
        if own.is_none() {
            return Err(JobError::AlreadyEnded);
        }
        self.wake();
        Ok(job)
    }

    async fn outlook(&self, req: AskOutlook) -> Result<Outlook, JobError> {
        let kind = kind_name(req.kind);
        let now = self.inputs.now_ms();
        // Each film that moves brings its own pace, and together they are the pace of the whole.
        let open = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0) AS BIGINT),
             CAST(COALESCE(SUM(CASE WHEN state = 'queued' THEN 0 ELSE 1 END), 0) AS BIGINT),
             SUM(weight), SUM(weight * progress), MIN(run_at),
             SUM(CASE WHEN state <> 'queued' AND $2 - pace_at >= $3 AND progress - pace_progress >= $4 AND $2 - updated_at <= $5
                 THEN weight * (progress - pace_progress) / ($2 - pace_at) END)
             FROM jobs WHERE kind = $1 AND parent_id IS NULL AND state IN ('queued', 'waiting', 'running')";
        let row: Open = on!(&self.db, pool => sqlx::query_as(open).bind(&kind).bind(now).bind(PACE_MS_MIN)
            .bind(PACE_SHARE_MIN).bind(SILENT_MS_MAX).fetch_one(pool).await)
        .or_fault()?;
        let (queued, running, all, made, since, pace) = row;
        // What was done since the oldest of them has been waiting belongs to the same heap of work.
        let done = "SELECT SUM(weight) FROM jobs WHERE finished_at >= $2 AND kind = $1 AND parent_id IS NULL AND state = 'done'";
        let (done,): (Option<f64>,) = on!(&self.db, pool => sqlx::query_as(done).bind(&kind)
            .bind(since.unwrap_or(i64::MAX)).fetch_one(pool).await)
        .or_fault()?;
        let (all, made, done) = (all.unwrap_or(0.0), made.unwrap_or(0.0), done.unwrap_or(0.0));
        let pace = pace.filter(|pace| *pace > 0.0);
        Ok(Outlook {
            queued: queued as u64,
            running: running as u64,
            progress: if all > 0.0 {
                ((done + made) / (done + all)) as f32
            } else {
                1.0
            },
            remaining_s: pace.map(|per_ms| ((all - made) / per_ms / 1000.0).ceil() as u64),
        })
    }
}

/// Of what has not ended: how many wait and run, how much it is, how much of that is made, since when the oldest has waited, how much is made
/// in a millisecond.
type Open = (i64, i64, Option<f64>, Option<f64>, Option<i64>, Option<f64>);

impl Queue {
    async fn change(&self, req: ForJob, sql: &'static str, refused: JobError) -> Result<Job, JobError> {
        let now = self.inputs.now_ms();
        let changed = on!(self.db.writer(), pool => sqlx::query(sql).bind(req.job.0).bind(now)
            .execute(pool).await.map(|done| done.rows_affected() == 1))
        .or_fault()?;
        let job = self.find(req.job).await?.ok_or(JobError::NotFound)?;
        if !changed {
            return Err(refused);
        }
        self.tell(&job);
        self.wake();
        Ok(job)
    }
}
