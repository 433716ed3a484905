//! The inbox: makes the effect of an event happen once, although the event may arrive more often.
//!
//! A durable subscriber that changes its database begins a transaction, asks [`first_time`], and only then writes:
//!
//! ```ignore
//! let mut tx = db.begin().await?;
//! if inbox::first_time(&mut tx, "insights.views", event).await? { /* the effect */ }
//! tx.commit().await?;
//! ```
//!
//! Subscribers whose effect is absolute state ("the average is now 4.1") need none of this.

use contract::{Fault, Millis, events::Event};

use crate::{
    db::{Db, OrFault as _, Tx},
    on,
};

/// Longer than the outbox keeps anything ([`crate::outbox::KEEP_UNDELIVERED_MS`]): what is forgotten here cannot come again.
pub const KEEP_MS: i64 = 2 * crate::outbox::KEEP_UNDELIVERED_MS;

/// Notes the event as taken by `subscriber` in the caller's transaction; `false` when it was taken before.
pub async fn first_time(tx: &mut Tx, subscriber: &str, event: &Event) -> Result<bool, Fault> {
    let sql = "INSERT INTO inbox (subscriber, id, at) VALUES ($1, $2, $3) ON CONFLICT (subscriber, id) DO NOTHING";
    on!(tx, conn => sqlx::query(sql).bind(subscriber).bind(event.id.0).bind(event.at)
        .execute(conn).await.map(|done| done.rows_affected() == 1))
    .or_fault()
}

/// Forgets what is older than [`KEEP_MS`]; returns how many rows, at most 10,000.
pub async fn prune(db: &Db, now: Millis) -> Result<u64, Fault> {
    let sql =
        "DELETE FROM inbox WHERE (subscriber, id) IN (SELECT subscriber, id FROM inbox WHERE at < $1 LIMIT 10000)";
    on!(db.writer(), pool => sqlx::query(sql).bind(now - KEEP_MS).execute(pool).await.map(|done| done.rows_affected()))
        .or_fault()
}
