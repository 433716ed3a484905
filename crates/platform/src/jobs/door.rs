//! The queue as people see it: list, look, cancel, try again.

use contract::{
    Fault, PAGE_ITEMS_MAX, async_trait,
    jobs::{ForJob, Job, JobError, Jobs, ListJobs},
};

use super::{
    Queue,
    row::{Row, columns, state_name},
};
use crate::{db::OrFault as _, on};

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
}

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
