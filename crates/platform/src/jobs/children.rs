//! Work that is divided: the jobs under a job, what they add up to, and what becomes of the one that waits for them.

use contract::{Fault, JobId, Millis};

use super::{
    Child, Lease, NewJob, Queue,
    row::{Row, columns, kind_name},
    store::millis,
};
use crate::{
    db::{Engine, OrFault as _, Tx},
    on,
};

/// How much of a waiting job's progress its children are; what it does with them is the rest.
const SHARE: f64 = 0.97;

impl Queue {
    /// Queues `children` under a job, which waits from now on. `false`: the lease was lost, and the job is somebody else's. One that was to
    /// be cancelled meanwhile is.
    pub(super) async fn wait_for(
        &self,
        lease: &Lease,
        children: Vec<NewJob>,
        payload: Option<serde_json::Value>,
        (progress, stage): (f32, &str),
    ) -> Result<bool, Fault> {
        let now = self.inputs.now_ms();
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE jobs SET state = 'waiting', lease = NULL, lease_until = NULL, progress = $3, stage = $4, pace_at = $5,
             pace_progress = $3, payload = COALESCE($6, payload), updated_at = $5 WHERE id = $1 AND lease = $2 AND state = 'running' AND NOT cancel_requested";
        let waits = on!(tx, conn => sqlx::query(sql).bind(lease.id().0).bind(lease.token)
            .bind(f64::from(progress.clamp(0.0, SHARE as f32))).bind(stage).bind(now)
            .bind(payload.map(|payload| payload.to_string())).execute(conn).await.map(|done| done.rows_affected() == 1))
        .or_fault()?;
        if !waits {
            tx.rollback().await?;
            // Either somebody asked for it, or it is not ours any more and this changes nothing.
            return self.end_cancelled(lease).await;
        }
        for child in &children {
            self.enqueue_child(&mut tx, lease.id(), child, now).await?;
        }
        self.carry(&mut tx, lease.id()).await?;
        tx.commit().await?;
        self.settle().await?;
        self.wake();
        self.tell_state(lease.id(), true).await
    }

    /// One that has ended under the same key begins anew; one that has not is left as it is.
    async fn enqueue_child(&self, tx: &mut Tx, parent: JobId, new: &NewJob, now: Millis) -> Result<(), Fault> {
        let sql = "INSERT INTO jobs (id, kind, dedup_key, subject, title_id, payload, state, attempts_max, run_at, created_at, updated_at,
             priority, parent_id, weight) VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $8, $8,
             $9 + (SELECT p.priority FROM jobs p WHERE p.id = $10), $10, $11)
             ON CONFLICT (dedup_key) DO UPDATE SET state = 'queued', payload = excluded.payload, attempts = 0, progress = 0, stage = '',
             error = NULL, outcome = NULL, cancel_requested = FALSE, run_at = excluded.run_at, started_at = NULL, finished_at = NULL,
             priority = excluded.priority, updated_at = excluded.updated_at WHERE jobs.state NOT IN ('queued', 'running')";
        let key = new.key.as_ref().map(|key| format!("{parent}/{key}"));
        on!(tx, conn => sqlx::query(sql).bind(self.inputs.id::<i64>()).bind(kind_name(new.kind)).bind(&key).bind(&new.subject)
            .bind(new.title.map(|title| title.0)).bind(new.payload.to_string()).bind(i64::from(new.attempts_max)).bind(now)
            .bind(new.priority).bind(parent.0).bind(new.weight).execute(conn).await.map(drop))
        .or_fault()
    }

    /// All that stand under a job, in the order in which they were queued.
    pub async fn children(&self, parent: JobId) -> Result<Vec<Child>, Fault> {
        let sql = concat!("SELECT ", columns!(), " FROM jobs WHERE parent_id = $1 ORDER BY id");
        let rows: Vec<Row> =
            on!(self.db.writer(), pool => sqlx::query_as(sql).bind(parent.0).fetch_all(pool).await).or_fault()?;
        let now = self.inputs.now_ms();
        rows.into_iter().map(|row| row.child(now)).collect()
    }

    /// Removes what stands under a job, but for what a worker holds.
    pub async fn forget_children(&self, parent: JobId) -> Result<(), Fault> {
        let mut tx = self.db.begin().await?;
        Self::forget_children_in(&mut tx, parent).await?;
        tx.commit().await
    }

    pub(super) async fn forget_children_in(tx: &mut Tx, parent: JobId) -> Result<(), Fault> {
        let sql = "DELETE FROM jobs WHERE parent_id = $1 AND state <> 'running'";
        on!(tx, conn => sqlx::query(sql).bind(parent.0).execute(conn).await.map(drop)).or_fault()
    }

    /// Puts the children's progress on the waiting parent. It never goes back: a part that is done again was done before. After a pause
    /// in which nobody worked, its pace is measured anew.
    pub(super) async fn carry(&self, tx: &mut Tx, parent: JobId) -> Result<(), Fault> {
        let sum = "SELECT SUM(weight * CASE WHEN state = 'done' THEN 1 ELSE progress END) / SUM(weight) FROM jobs WHERE parent_id = $1";
        let (share,): (Option<f64>,) =
            on!(tx, conn => sqlx::query_as(sum).bind(parent.0).fetch_one(conn).await).or_fault()?;
        let now = self.inputs.now_ms();
        let sql = "UPDATE jobs SET progress = CASE WHEN $2 > progress THEN $2 ELSE progress END,
             pace_progress = CASE WHEN updated_at < $4 THEN progress ELSE pace_progress END,
             pace_at = CASE WHEN updated_at < $4 THEN $3 ELSE pace_at END, updated_at = $3 WHERE id = $1 AND state = 'waiting'";
        on!(tx, conn => sqlx::query(sql).bind(parent.0).bind(share.unwrap_or(0.0) * SHARE).bind(now)
            .bind(now - 2 * millis(self.settings.lease)).execute(conn).await.map(drop))
        .or_fault()
    }

    /// For a transaction that changes a child and then its parent: whoever begins with the parent must not meet it half-way.
    pub(super) async fn parent_first(tx: &mut Tx, parent: JobId) -> Result<(), Fault> {
        if let Engine::Postgres(conn) = tx.engine() {
            let sql = "SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE";
            sqlx::query(sql).bind(parent.0).execute(conn).await.or_fault()?;
        }
        Ok(())
    }

    /// Brings parents and children together, whatever happened to either: repeatable, and safe in any number of processes at once, for
    /// whoever ends last sees all.
    pub(super) async fn settle(&self) -> Result<(), Fault> {
        let now = self.inputs.now_ms();
        let statements = [
            "UPDATE jobs SET state = 'failed', finished_at = $1, updated_at = $1,
             error = (SELECT c.error FROM jobs c WHERE c.parent_id = jobs.id AND c.state = 'failed' ORDER BY c.finished_at, c.id LIMIT 1)
             WHERE state = 'waiting' AND EXISTS (SELECT 1 FROM jobs c WHERE c.parent_id = jobs.id AND c.state = 'failed')",
            // Its attempt goes on. Before all children, so that what is nearly done is done first.
            "UPDATE jobs SET state = 'queued', run_at = $1, attempts = attempts - 1, updated_at = $1,
             priority = COALESCE((SELECT MAX(c.priority) + 1 FROM jobs c WHERE c.parent_id = jobs.id), priority)
             WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM jobs c WHERE c.parent_id = jobs.id AND c.state IN ('queued', 'running'))",
            "UPDATE jobs SET state = 'cancelled', finished_at = $1, updated_at = $1 WHERE state = 'queued' AND parent_id IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM jobs p WHERE p.id = jobs.parent_id AND p.state IN ('queued', 'waiting', 'running'))",
            "UPDATE jobs SET cancel_requested = TRUE, updated_at = $1 WHERE state = 'running' AND parent_id IS NOT NULL
             AND NOT cancel_requested
             AND NOT EXISTS (SELECT 1 FROM jobs p WHERE p.id = jobs.parent_id AND p.state IN ('queued', 'waiting', 'running'))",
        ];
        let mut changed = 0;
        for sql in statements {
            changed += on!(self.db.writer(), pool => sqlx::query(sql).bind(now).execute(pool).await.map(|done| done.rows_affected()))
                .or_fault()?;
        }
        if changed > 0 {
            self.wake();
        }
        Ok(())
    }
}
