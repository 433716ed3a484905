//! A write transaction.

use std::time::Instant;

use contract::Fault;
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};

use super::{Db, Engine, OrFault as _};

/// A transaction that may write. Committed by [`Tx::commit`], rolled back when dropped.
pub struct Tx {
    inner: Engine<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>,
    db: Db,
    /// There is an event in it: whoever reads the outbox must be told after the commit.
    has_event: bool,
}

impl Db {
    /// Begins a transaction that writes: `BEGIN IMMEDIATE` on SQLite's one writer, READ COMMITTED on PostgreSQL (lock the rows
    /// that a decision rests on with `FOR UPDATE` there, or decide in the statement's own WHERE).
    pub async fn begin(&self) -> Result<Tx, Fault> {
        let asked = Instant::now();
        let inner = match self.writer() {
            Engine::Sqlite(pool) => Engine::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await.or_fault()?),
            Engine::Postgres(pool) => Engine::Postgres(pool.begin().await.or_fault()?),
        };
        metrics::histogram!("db_begin_seconds", "room" => self.room()).record(asked.elapsed().as_secs_f64());
        Ok(Tx {
            inner,
            db: self.clone(),
            has_event: false,
        })
    }
}

impl Tx {
    /// For queries, with [`on!`](crate::on).
    pub fn engine(&mut self) -> Engine<&mut SqliteConnection, &mut PgConnection> {
        match &mut self.inner {
            Engine::Sqlite(tx) => Engine::Sqlite(&mut **tx),
            Engine::Postgres(tx) => Engine::Postgres(&mut **tx),
        }
    }

    /// Durable when this answers. An error means that it may or may not have happened: repeat only what is idempotent.
    pub async fn commit(self) -> Result<(), Fault> {
        match self.inner {
            Engine::Sqlite(tx) => tx.commit().await.or_fault()?,
            Engine::Postgres(tx) => tx.commit().await.or_fault()?,
        }
        if self.has_event {
            self.db.wake();
        }
        Ok(())
    }

    /// Rolls back and waits for it. Dropping does the same without waiting.
    pub async fn rollback(self) -> Result<(), Fault> {
        match self.inner {
            Engine::Sqlite(tx) => tx.rollback().await.or_fault(),
            Engine::Postgres(tx) => tx.rollback().await.or_fault(),
        }
    }

    pub(crate) fn mark_event(&mut self) {
        self.has_event = true;
    }
}
