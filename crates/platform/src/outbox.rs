//! The outbox: facts written in the transaction of the change they report, read in order, kept for a while.
//!
//! Tables `outbox`, `outbox_cursor` and `outbox_parked` exist in every room's database ([`crate::db`] makes them). A room
//! appends; the [`bus`](crate::bus) reads. On SQLite `seq` is the order, since there is one writer. On PostgreSQL a
//! transaction that began earlier may commit later, so the order is (transaction id, `seq`) and readers stop before the
//! oldest transaction that is still open: nothing that commits later can be skipped.

use contract::{Fault, Millis, events::Event};

use crate::{
    db::{Db, Engine, OrFault as _, Tx},
    on,
};

/// Rows older than this and taken by every durable subscriber are deleted.
pub const KEEP_MS: i64 = 7 * 86_400_000;
/// Rows older than this are deleted even when a subscriber (one that no longer exists, most likely) never took them.
pub const KEEP_UNDELIVERED_MS: i64 = 30 * 86_400_000;

/// A place in a room's outbox. On SQLite `tx` is always 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub tx: i64,
    pub seq: i64,
}

impl Position {
    /// Before everything that is kept.
    pub const START: Self = Self { tx: 0, seq: 0 };
}

/// A fact as stored. The body stays text until a reader wants it: one that cannot be read must not hide the others.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Stored {
    pub tx: i64,
    pub seq: i64,
    pub id: i64,
    pub at: Millis,
    pub body: String,
}

impl Stored {
    pub fn position(&self) -> Position {
        Position {
            tx: self.tx,
            seq: self.seq,
        }
    }

    /// Fails on a kind of event that this version does not know.
    pub fn event(&self) -> Result<Event, serde_json::Error> {
        Ok(Event {
            id: self.id.into(),
            at: self.at,
            body: serde_json::from_str(&self.body)?,
        })
    }
}

/// Writes a fact; subscribers in this process are woken by the commit, those in others find it within 250 ms.
pub async fn append(tx: &mut Tx, event: &Event) -> Result<(), Fault> {
    let body = serde_json::to_string(&event.body).map_err(|error| Fault::Internal(error.to_string()))?;
    on!(tx, conn => sqlx::query("INSERT INTO outbox (id, at, body) VALUES ($1, $2, $3)")
        .bind(event.id.0).bind(event.at).bind(body).execute(conn).await.map(drop))
    .or_fault()?;
    tx.mark_event();
    Ok(())
}

/// The next rows after `after`, in order, at most `limit`.
pub async fn read(db: &Db, after: Position, limit: u32) -> Result<Vec<Stored>, Fault> {
    match db.engine() {
        Engine::Sqlite(pool) => {
            let sql = "SELECT 0 AS tx, seq, id, at, body FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2";
            sqlx::query_as(sql)
                .bind(after.seq)
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await
        }
        Engine::Postgres(pool) => {
            let sql = "SELECT tx, seq, id, at, body FROM outbox WHERE (tx, seq) > ($1, $2)
                 AND tx < pg_snapshot_xmin(pg_current_snapshot())::TEXT::BIGINT ORDER BY tx, seq LIMIT $3";
            sqlx::query_as(sql)
                .bind(after.tx)
                .bind(after.seq)
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await
        }
    }
    .or_fault()
}

/// The last place that can be read now.
pub async fn head(db: &Db) -> Result<Position, Fault> {
    let row: Option<(i64, i64)> = match db.engine() {
        Engine::Sqlite(pool) => {
            sqlx::query_as("SELECT 0, seq FROM outbox ORDER BY seq DESC LIMIT 1")
                .fetch_optional(pool)
                .await
        }
        Engine::Postgres(pool) => {
            let sql = "SELECT tx, seq FROM outbox WHERE tx < pg_snapshot_xmin(pg_current_snapshot())::TEXT::BIGINT
                 ORDER BY tx DESC, seq DESC LIMIT 1";
            sqlx::query_as(sql).fetch_optional(pool).await
        }
    }
    .or_fault()?;
    Ok(row.map_or(Position::START, |(tx, seq)| Position { tx, seq }))
}

/// The last place that is committed, on PostgreSQL also one that readers cannot see yet because an older transaction is open.
pub async fn last(db: &Db) -> Result<Position, Fault> {
    let row: Option<(i64, i64)> = match db.engine() {
        Engine::Sqlite(_) => return head(db).await,
        Engine::Postgres(pool) => {
            sqlx::query_as("SELECT tx, seq FROM outbox ORDER BY tx DESC, seq DESC LIMIT 1")
                .fetch_optional(pool)
                .await
        }
    }
    .or_fault()?;
    Ok(row.map_or(Position::START, |(tx, seq)| Position { tx, seq }))
}

/// How far a durable subscriber has come.
pub async fn cursor(db: &Db, subscriber: &str) -> Result<Option<Position>, Fault> {
    let row: Option<(i64, i64)> =
        on!(db, pool => sqlx::query_as("SELECT tx, seq FROM outbox_cursor WHERE subscriber = $1")
        .bind(subscriber).fetch_optional(pool).await)
        .or_fault()?;
    Ok(row.map(|(tx, seq)| Position { tx, seq }))
}

/// Makes places right again after a PostgreSQL database was restored into another cluster, whose transaction ids are lower than
/// those in the dump: without this every new fact would sort before places already passed, and be skipped in silence.
/// Old facts get transaction 0, and each subscriber goes on with the first one that it has not seen.
pub async fn realign(db: &Db) -> Result<(), Fault> {
    if matches!(db.engine(), Engine::Sqlite(_)) {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    let Engine::Postgres(conn) = tx.engine() else {
        return Ok(());
    };
    let ahead = "SELECT GREATEST((SELECT MAX(tx) FROM outbox), (SELECT MAX(tx) FROM outbox_cursor), 0)
         > pg_current_xact_id()::TEXT::BIGINT";
    let (is_ahead,): (bool,) = sqlx::query_as(ahead).fetch_one(&mut *conn).await.or_fault()?;
    if !is_ahead {
        return Ok(());
    }
    tracing::warn!(
        room = db.room(),
        "the database comes from another cluster; the outbox is put in order"
    );
    for sql in [
        "LOCK TABLE outbox, outbox_cursor IN EXCLUSIVE MODE",
        "UPDATE outbox_cursor c SET tx = 0, seq = COALESCE(
             (SELECT MIN(o.seq) - 1 FROM outbox o WHERE (o.tx, o.seq) > (c.tx, c.seq)),
             (SELECT MAX(o.seq) FROM outbox o), c.seq)",
        "UPDATE outbox SET tx = 0",
    ] {
        sqlx::query(sql).execute(&mut *conn).await.or_fault()?;
    }
    tx.commit().await
}

/// Notes how far a durable subscriber has come; never moves it back.
pub async fn save_cursor(db: &Db, subscriber: &str, position: Position, now: Millis) -> Result<(), Fault> {
    let sql = "INSERT INTO outbox_cursor (subscriber, tx, seq, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (subscriber) DO UPDATE SET tx = excluded.tx, seq = excluded.seq, at = excluded.at
         WHERE (outbox_cursor.tx, outbox_cursor.seq) < (excluded.tx, excluded.seq)";
    on!(db.writer(), pool => sqlx::query(sql).bind(subscriber).bind(position.tx).bind(position.seq).bind(now)
        .execute(pool).await.map(drop))
    .or_fault()
}

/// Puts a fact aside that `subscriber` could not take, for a person to look at.
pub async fn park(db: &Db, subscriber: &str, fact: &Stored, error: &str, now: Millis) -> Result<(), Fault> {
    let sql = "INSERT INTO outbox_parked (subscriber, id, at, parked_at, body, error) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (subscriber, id) DO UPDATE SET parked_at = excluded.parked_at, error = excluded.error";
    on!(db.writer(), pool => sqlx::query(sql).bind(subscriber).bind(fact.id).bind(fact.at).bind(now).bind(&fact.body)
        .bind(error).execute(pool).await.map(drop))
    .or_fault()
}

/// What was put aside: (subscriber, event id, error), oldest first, at most `limit`.
pub async fn parked(db: &Db, limit: u32) -> Result<Vec<(String, i64, String)>, Fault> {
    let sql = "SELECT subscriber, id, error FROM outbox_parked ORDER BY parked_at, id LIMIT $1";
    on!(db, pool => sqlx::query_as(sql).bind(i64::from(limit)).fetch_all(pool).await).or_fault()
}

/// Deletes what is old enough (see [`KEEP_MS`]); returns how many rows. At most 10,000 at a time, so that writers never wait long.
pub async fn prune(db: &Db, now: Millis) -> Result<u64, Fault> {
    let sql = match db.engine() {
        Engine::Sqlite(_) => {
            "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox o WHERE o.at < $1 AND (o.at < $2 OR NOT EXISTS
               (SELECT 1 FROM outbox_cursor c WHERE c.seq < o.seq)) ORDER BY o.seq LIMIT 10000)"
        }
        Engine::Postgres(_) => {
            "DELETE FROM outbox WHERE (tx, seq) IN (SELECT o.tx, o.seq FROM outbox o WHERE o.at < $1 AND (o.at < $2 OR NOT EXISTS
               (SELECT 1 FROM outbox_cursor c WHERE (c.tx, c.seq) < (o.tx, o.seq))) ORDER BY o.tx, o.seq LIMIT 10000)"
        }
    };
    on!(db.writer(), pool => sqlx::query(sql).bind(now - KEEP_MS).bind(now - KEEP_UNDELIVERED_MS)
        .execute(pool).await.map(|done| done.rows_affected()))
    .or_fault()
}

#[cfg(test)]
mod tests;
