//! The queue's SQL: enqueue, take, report, end.

use std::time::Duration;

use contract::{
    Fault, JobId,
    jobs::{Job, JobKind},
};
use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::{
    Beat, Counts, Failure, KEEP_MS, Lease, NewJob, Queue,
    row::{Row, columns, kind_name},
};
use crate::{
    db::{Engine, OrFault as _, Tx},
    on,
};

/// What has not ended is not at 100 %, whatever it says of itself.
const UNFINISHED_MAX: f32 = 0.99;
/// Of a job whose workers were killed, or whose machine ran out of memory, until its attempts were used up.
const ABANDONED: &str = "The server stopped in the middle of this work every time that it began it, most likely for want of memory. Try again while \
     little else is running; if it happens again, tell the server's operator.";

impl Queue {
    /// Adds a job in the caller's transaction. With a key that is known already, answers the job that has it.
    /// Call [`Queue::wake`] after the commit for work to begin at once; otherwise it is found by polling.
    pub async fn enqueue(&self, tx: &mut Tx, new: NewJob) -> Result<Job, Fault> {
        let now = self.inputs.now_ms();
        let insert = concat!(
            "INSERT INTO jobs (id, kind, dedup_key, subject, title_id, payload, state, attempts_max, run_at, created_at, updated_at,
             priority, weight) VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $8, $8, $9, $10) ON CONFLICT (dedup_key) DO NOTHING RETURNING ",
            columns!()
        );
        let inserted: Option<Row> = on!(tx, conn => sqlx::query_as(insert)
            .bind(self.inputs.id::<i64>()).bind(kind_name(new.kind)).bind(&new.key).bind(&new.subject)
            .bind(new.title.map(|title| title.0)).bind(new.payload.to_string()).bind(i64::from(new.attempts_max)).bind(now)
            .bind(new.priority).bind(new.weight).fetch_optional(conn).await)
        .or_fault()?;
        if let Some(row) = inserted {
            return row.job(now);
        }
        let known = concat!("SELECT ", columns!(), " FROM jobs WHERE dedup_key = $1");
        let row: Row = on!(tx, conn => sqlx::query_as(known).bind(&new.key).fetch_one(conn).await).or_fault()?;
        row.job(now)
    }

    /// [`Queue::enqueue`] in a transaction of its own, and wakes the workers.
    pub async fn enqueue_now(&self, new: NewJob) -> Result<Job, Fault> {
        let mut tx = self.db.begin().await?;
        let job = self.enqueue(&mut tx, new).await?;
        tx.commit().await?;
        self.wake();
        self.tell(&job);
        Ok(job)
    }

    /// Tells this process's workers that there may be work.
    pub fn wake(&self) {
        self.ready.notify_waiters();
    }

    /// Takes the next job of one of `kinds` that is due, or whose worker has died. One that has died too often fails instead.
    pub async fn take(&self, kinds: &[JobKind]) -> Result<Option<Lease>, Fault> {
        if !self.is_any_due().await? {
            return Ok(None);
        }
        self.bring_back_the_far().await?;
        self.end_the_abandoned().await?;
        self.settle().await?;
        let now = self.inputs.now_ms();
        let token = self.inputs.id::<i64>();
        let kinds: Vec<String> = kinds.iter().copied().map(kind_name).collect();
        let until = now + millis(self.settings.lease);
        const DUE: &str = "((state = 'queued' AND run_at <= $2) OR (state = 'running' AND lease_until < $2))";
        const SET: &str =
            "UPDATE jobs SET state = 'running', lease = $1, lease_until = $4, attempts = attempts + 1, error = NULL,
             pace_at = $2, pace_progress = progress, started_at = COALESCE(started_at, $2), updated_at = $2 WHERE id =";
        let row: Option<Row> = match self.db.writer() {
            Engine::Sqlite(pool) => {
                let sql = format!(
                    "{SET} (SELECT id FROM jobs WHERE {DUE} AND kind IN (SELECT value FROM json_each($3))
                     ORDER BY priority DESC, run_at, id LIMIT 1) RETURNING {}",
                    columns!()
                );
                let kinds = serde_json::json!(kinds).to_string();
                let query = sqlx::query_as(AssertSqlSafe(sql))
                    .bind(token)
                    .bind(now)
                    .bind(kinds)
                    .bind(until);
                query.fetch_optional(pool).await
            }
            Engine::Postgres(pool) => {
                let sql = format!(
                    "{SET} (SELECT id FROM jobs WHERE {DUE} AND kind = ANY($3)
                     ORDER BY priority DESC, run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING {}",
                    columns!()
                );
                let query = sqlx::query_as(AssertSqlSafe(sql))
                    .bind(token)
                    .bind(now)
                    .bind(kinds)
                    .bind(until);
                query.fetch_optional(pool).await
            }
        }
        .or_fault()?;
        let lease = row.map(|row| row.lease(now)).transpose()?;
        if let Some(lease) = &lease
            && lease.parent.is_none()
        {
            self.tell(&lease.job);
        }
        Ok(lease)
    }

    /// A look that holds no lock: an idle worker must not stand in a writer's way.
    async fn is_any_due(&self) -> Result<bool, Fault> {
        let sql = "SELECT 1 FROM jobs WHERE (state = 'queued' AND (run_at <= $1 OR run_at > $2))
             OR (state = 'running' AND (lease_until < $1 OR lease_until > $3))
             OR (state = 'waiting' AND NOT EXISTS (SELECT 1 FROM jobs c WHERE c.parent_id = jobs.id AND c.state IN ('queued', 'running')))
             LIMIT 1";
        let now = self.inputs.now_ms();
        let (run_at_max, lease_max) = self.farthest(now);
        on!(&self.db, pool => sqlx::query(sql).bind(now).bind(run_at_max).bind(lease_max).fetch_optional(pool).await.map(|row| row.is_some())).or_fault()
    }

    /// The latest moments for which a job can wait and be held, of those written at `now`.
    fn farthest(&self, now: i64) -> (i64, i64) {
        (
            now + millis(self.settings.backoff_max),
            now + millis(self.settings.lease),
        )
    }

    /// A moment farther away than that was written by a clock that has been set back since: nobody should wait until then.
    async fn bring_back_the_far(&self) -> Result<(), Fault> {
        let (run_at_max, lease_max) = self.farthest(self.inputs.now_ms());
        let waiting = "UPDATE jobs SET run_at = $1 WHERE state = 'queued' AND run_at > $1";
        let held = "UPDATE jobs SET lease_until = $1 WHERE state = 'running' AND lease_until > $1";
        for (sql, latest) in [(waiting, run_at_max), (held, lease_max)] {
            on!(self.db.writer(), pool => sqlx::query(sql).bind(latest).execute(pool).await.map(drop)).or_fault()?;
        }
        Ok(())
    }

    /// A job that took its worker with it every time must not do so for ever; one that should stop need not begin again.
    async fn end_the_abandoned(&self) -> Result<(), Fault> {
        let now = self.inputs.now_ms();
        let sql = "UPDATE jobs SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'failed' END,
             error = CASE WHEN cancel_requested THEN NULL ELSE $2 END,
             lease = NULL, lease_until = NULL, finished_at = $1, updated_at = $1
             WHERE state = 'running' AND lease_until < $1 AND (cancel_requested OR attempts >= attempts_max)";
        on!(self.db.writer(), pool => sqlx::query(sql).bind(now).bind(ABANDONED).execute(pool).await.map(drop))
            .or_fault()
    }

    /// Forgets jobs that ended longer ago than [`KEEP_MS`]; returns how many, at most 1,000.
    pub async fn prune(&self) -> Result<u64, Fault> {
        let sql = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at < $1 ORDER BY id LIMIT 1000)";
        on!(self.db.writer(), pool => sqlx::query(sql).bind(self.inputs.now_ms() - KEEP_MS)
            .execute(pool).await.map(|done| done.rows_affected()))
        .or_fault()
    }

    /// Renews the lease and notes how far the work is, and the one that waits for it; in one transaction, for each waits for the disk.
    pub async fn heartbeat(&self, lease: &Lease, progress: f32, stage: &str) -> Result<Beat, Fault> {
        let now = self.inputs.now_ms();
        let mut tx = self.db.begin().await?;
        if let Some(parent) = lease.parent {
            Self::parent_first(&mut tx, parent).await?;
        }
        let sql = "UPDATE jobs SET lease_until = $3, progress = $4, stage = $5, updated_at = $6
             WHERE id = $1 AND lease = $2 AND state = 'running' RETURNING cancel_requested";
        let row: Option<(bool,)> = on!(tx, conn => sqlx::query_as(sql)
            .bind(lease.id().0).bind(lease.token).bind(now + millis(self.settings.lease))
            .bind(f64::from(progress.clamp(0.0, UNFINISHED_MAX))).bind(stage).bind(now).fetch_optional(conn).await)
        .or_fault()?;
        if let (Some(_), Some(parent)) = (&row, lease.parent) {
            self.carry(&mut tx, parent).await?;
        }
        tx.commit().await?;
        if row.is_some() {
            self.tell_state(lease.shown(), self.is_heard()).await?;
        }
        Ok(match row {
            Some((true,)) => Beat::Cancel,
            Some((false,)) => Beat::Continue,
            None => Beat::Lost,
        })
    }

    /// Puts another payload in the place of the job's: what its next attempt will know, should this one not come to its end. `false`: the
    /// lease was lost, and the job is somebody else's.
    pub async fn keep(&self, lease: &Lease, payload: &impl Serialize) -> Result<bool, Fault> {
        let payload = serde_json::to_string(payload).map_err(|error| Fault::Internal(error.to_string()))?;
        let sql = "UPDATE jobs SET payload = $3 WHERE id = $1 AND lease = $2 AND state = 'running'";
        on!(self.db.writer(), pool => sqlx::query(sql).bind(lease.id().0).bind(lease.token).bind(&payload)
            .execute(pool).await.map(|done| done.rows_affected() == 1))
        .or_fault()
    }

    /// Done. `false`: the lease was lost, and the job is somebody else's.
    pub async fn complete(&self, lease: &Lease, outcome: Option<&str>) -> Result<bool, Fault> {
        let sql = "UPDATE jobs SET state = 'done', progress = 1, stage = '', error = NULL, outcome = $3, lease = NULL,
             lease_until = NULL, finished_at = $4, updated_at = $4 WHERE id = $1 AND lease = $2 AND state = 'running'";
        let now = self.inputs.now_ms();
        let mut tx = self.db.begin().await?;
        let done = on!(tx, conn => sqlx::query(sql).bind(lease.id().0).bind(lease.token).bind(outcome).bind(now)
            .execute(conn).await.map(|done| done.rows_affected() == 1))
        .or_fault()?;
        if done && lease.parent.is_none() {
            Self::forget_children_in(&mut tx, lease.id()).await?;
        }
        tx.commit().await?;
        self.ended(lease, done).await
    }

    /// Failed: due again after a backoff, or for good. One that was to be cancelled is.
    pub async fn fail(&self, lease: &Lease, failure: &Failure) -> Result<bool, Fault> {
        let again = failure.retry && lease.job.attempts < lease.attempts_max;
        let now = self.inputs.now_ms();
        let sql =
            "UPDATE jobs SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE $3 END,
             error = CASE WHEN cancel_requested THEN NULL ELSE $4 END, run_at = $5, lease = NULL, lease_until = NULL,
             finished_at = CASE WHEN cancel_requested THEN $7 ELSE $6 END, updated_at = $7 WHERE id = $1 AND lease = $2 AND state = 'running'";
        let (state, finished) = if again { ("queued", None) } else { ("failed", Some(now)) };
        let run_at = now + millis(self.backoff(lease.job.attempts));
        let done = on!(self.db.writer(), pool => sqlx::query(sql).bind(lease.id().0).bind(lease.token).bind(state)
            .bind(&failure.text).bind(run_at).bind(finished).bind(now)
            .execute(pool).await.map(|done| done.rows_affected() == 1))
        .or_fault()?;
        self.ended(lease, done).await
    }

    /// Ended because somebody asked for it.
    pub async fn end_cancelled(&self, lease: &Lease) -> Result<bool, Fault> {
        let sql =
            "UPDATE jobs SET state = 'cancelled', lease = NULL, lease_until = NULL, finished_at = $3, updated_at = $3
             WHERE id = $1 AND lease = $2 AND state = 'running'";
        let now = self.inputs.now_ms();
        let done = on!(self.db.writer(), pool => sqlx::query(sql).bind(lease.id().0).bind(lease.token).bind(now)
            .execute(pool).await.map(|done| done.rows_affected() == 1))
        .or_fault()?;
        self.ended(lease, done).await
    }

    /// Gives a job back untouched, because this process is going down: it does not count as an attempt.
    pub async fn release(&self, lease: &Lease) -> Result<bool, Fault> {
        let sql = "UPDATE jobs SET state = 'queued', attempts = attempts - 1, lease = NULL, lease_until = NULL, updated_at = $3
             WHERE id = $1 AND lease = $2 AND state = 'running'";
        let now = self.inputs.now_ms();
        let done = on!(self.db.writer(), pool => sqlx::query(sql).bind(lease.id().0).bind(lease.token).bind(now)
            .execute(pool).await.map(|done| done.rows_affected() == 1))
        .or_fault()?;
        self.ended(lease, done).await
    }

    /// How many wait, run and have failed.
    pub async fn counts(&self) -> Result<Counts, Fault> {
        let rows: Vec<(String, i64)> = on!(&self.db, pool =>
            sqlx::query_as("SELECT state, COUNT(*) FROM jobs WHERE parent_id IS NULL AND state IN ('queued', 'waiting', 'running', 'failed')
                GROUP BY state")
            .fetch_all(pool).await)
        .or_fault()?;
        let of = |state| {
            rows.iter()
                .find(|(name, _)| name == state)
                .map_or(0, |(_, count)| *count as u64)
        };
        Ok(Counts {
            queued: of("queued"),
            running: of("running") + of("waiting"),
            failed: of("failed"),
        })
    }

    pub(super) async fn find(&self, id: JobId) -> Result<Option<Job>, Fault> {
        let sql = concat!("SELECT ", columns!(), " FROM jobs WHERE id = $1");
        let row: Option<Row> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(id.0).fetch_optional(pool).await).or_fault()?;
        row.map(|row| row.job(self.inputs.now_ms())).transpose()
    }

    /// After a worker has let go of a job: what waits for it goes on, or ends with it.
    async fn ended(&self, lease: &Lease, changed: bool) -> Result<bool, Fault> {
        if changed {
            if let Some(parent) = lease.parent {
                let mut tx = self.db.begin().await?;
                self.carry(&mut tx, parent).await?;
                tx.commit().await?;
            }
            self.settle().await?;
        }
        self.tell_state(lease.shown(), changed).await
    }

    pub(super) async fn tell_state(&self, id: JobId, changed: bool) -> Result<bool, Fault> {
        if changed && let Some(job) = self.find(id).await? {
            self.tell(&job);
        }
        Ok(changed)
    }

    fn backoff(&self, attempts: u32) -> Duration {
        let doubled = self
            .settings
            .backoff_min
            .saturating_mul(1 << attempts.saturating_sub(1).min(20));
        doubled.min(self.settings.backoff_max)
    }
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
