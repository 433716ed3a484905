//! One database per room: a SQLite file of its own or a schema of its own in PostgreSQL, behind two typed pools.
//!
//! SQL is written once, in the common subset (`$1`, `ON CONFLICT`, `RETURNING`, CTEs, window functions, row values), and
//! [`on!`](crate::on) expands it for both engines:
//!
//! ```ignore
//! static MIGRATIONS: Migrations = platform::migrations!(); // crates/<room>/migrations/{sqlite,postgres}/NNNN_name.sql
//! let db = Db::open(&location, "catalog", &MIGRATIONS).await?;
//!
//! // A read: any number at once.
//! let row = on!(db, pool => sqlx::query_as::<_, TitleRow>("SELECT id, name FROM titles WHERE id = $1")
//!     .bind(id.0).fetch_optional(pool).await).or_fault()?;
//!
//! // A write: one transaction at a time on SQLite (BEGIN IMMEDIATE), dropped means rolled back.
//! let mut tx = db.begin().await?;
//! let rows = on!(tx, conn => sqlx::query("UPDATE titles SET name = $2 WHERE id = $1").bind(id.0).bind(&name)
//!     .execute(conn).await.map(|done| done.rows_affected())).or_fault()?; // or `.map(drop)`: each engine has a result of its own
//! outbox::append(&mut tx, &inputs.event(EventBody::TitlesChanged { titles: vec![id] })).await?;
//! tx.commit().await?;
//! ```
//!
//! SQLite's read pool is `query_only`: a write outside [`Db::begin`] fails at once, so the suite finds it.
//!
//! What to mind in the common subset: bind `i64`, `f64`, `bool`, `&str`, `Vec<u8>`; columns `BIGINT`, `DOUBLE PRECISION`,
//! `BOOLEAN`, `TEXT`, `BLOB`/`BYTEA` (PostgreSQL is strict: an `INTEGER` column is an `i32`, never an `i64`).
//! `CAST(SUM(x) AS BIGINT)`, since PostgreSQL sums to NUMERIC; `COUNT(*)` is BIGINT on both. No `MAX(a, b)` of two values: `CASE`.
//! In `ON CONFLICT … DO UPDATE` name old columns with their table. A NULL needs a type: bind `Option::<i64>::None`.
//! `LIKE` ignores ASCII case on SQLite only: compare `LOWER()` of both. An error inside a PostgreSQL transaction ends it: to try
//! an insert and go on, use `ON CONFLICT DO NOTHING` and look at `rows_affected()`.
//! A bound `LIMIT` has SQLite plan the statement anew at every execution: on a busy path write the number into the text.
//!
//! Many rows at once is where the engines differ; branch there (`match tx.engine()`), one statement per 1,000 to 10,000 rows:
//!
//! ```ignore
//! match tx.engine() {
//!     Engine::Sqlite(conn) => sqlx::query("INSERT INTO r (p, t) SELECT value->>0, value->>1 FROM json_each($1)")
//!         .bind(serde_json::to_string(&pairs)?).execute(conn).await.map(drop),
//!     Engine::Postgres(conn) => sqlx::query("INSERT INTO r (p, t) SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[])")
//!         .bind(&profiles).bind(&titles).execute(conn).await.map(drop),
//! }
//! // A set of ids: WHERE id IN (SELECT value FROM json_each($1)) on SQLite, WHERE id = ANY($1) on PostgreSQL.
//! ```

mod fault;
mod migrate;
mod open;
mod turn;
mod tx;

use sqlx::{PgPool, SqlitePool};
use tokio::sync::watch;

pub use fault::{OrFault, fault, is_unique_violation};
pub use migrate::Migrations;
pub use open::Location;
pub use tx::Tx;

/// One of two: which engine, and what belongs to it.
#[derive(Debug, Clone)]
pub enum Engine<S, P> {
    Sqlite(S),
    Postgres(P),
}

impl<S, P> Engine<S, P> {
    /// So that `on!` takes an engine itself as well as a [`Db`] or a [`Tx`].
    pub fn engine(self) -> Self {
        self
    }
}

/// A room's database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    room: &'static str,
    pools: Engine<SqlitePools, PgPool>,
    /// Tells the outbox's readers that something may be there for them.
    woken: watch::Sender<u64>,
}

#[derive(Debug, Clone)]
struct SqlitePools {
    read: SqlitePool,
    /// One connection: SQLite has one writer, so the queue for it is ours, fair and without "database is locked".
    write: SqlitePool,
}

impl Db {
    /// Opens, creating and migrating where needed. An up-to-date database opens in a few milliseconds.
    pub async fn open(location: &Location, room: &'static str, migrations: &Migrations) -> anyhow::Result<Self> {
        let pools = match location {
            Location::Folder(folder) => Engine::Sqlite(open::sqlite(folder, room)?),
            Location::Postgres { url, schema_prefix } => Engine::Postgres(open::postgres(url, schema_prefix, room)?),
        };
        let db = Self {
            room,
            pools,
            woken: watch::Sender::new(0),
        };
        migrate::run(&db, &location.schema(room), migrations).await?;
        Ok(db)
    }

    /// For reads, with [`on!`](crate::on).
    pub fn engine(&self) -> Engine<&SqlitePool, &PgPool> {
        match &self.pools {
            Engine::Sqlite(pools) => Engine::Sqlite(&pools.read),
            Engine::Postgres(pool) => Engine::Postgres(pool),
        }
    }

    /// For a single statement that writes and has no event to tell: `on!(db.writer(), pool => …)`.
    pub fn writer(&self) -> Engine<&SqlitePool, &PgPool> {
        match &self.pools {
            Engine::Sqlite(pools) => Engine::Sqlite(&pools.write),
            Engine::Postgres(pool) => Engine::Postgres(pool),
        }
    }

    /// The name the database was opened under.
    pub fn room(&self) -> &'static str {
        self.room
    }

    /// Reads a little of what is really there: for readiness. An SQLite file that is gone, cut off or on a broken disk shows
    /// only when it is looked at itself: what is open and in memory goes on answering.
    pub async fn ping(&self) -> Result<(), contract::Fault> {
        if let Engine::Sqlite(pools) = &self.pools {
            let file = pools.read.connect_options().get_filename().to_owned();
            let looked = tokio::task::spawn_blocking(move || open::look_at(&file)).await;
            looked.map_err(|error| contract::Fault::Internal(error.to_string()))??;
        }
        let sql = "SELECT id FROM outbox ORDER BY id DESC LIMIT 1";
        crate::on!(self, pool => sqlx::query(sql).fetch_optional(pool).await.map(drop)).or_fault()
    }

    /// Waits for what is running and closes. SQLite folds its log into the file.
    pub async fn close(&self) {
        match &self.pools {
            Engine::Sqlite(pools) => {
                pools.read.close().await;
                pools.write.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }

    /// Changes whenever the outbox may hold something new.
    pub(crate) fn woken(&self) -> watch::Receiver<u64> {
        self.woken.subscribe()
    }

    pub(crate) fn wake(&self) {
        self.woken.send_modify(|count| *count += 1);
    }
}

/// Expands one query for both engines: `on!(db_or_tx, executor => query.fetch_all(executor).await)`.
///
/// With a [`Tx`](crate::db::Tx) the executor is a `&mut` connection: use `&mut *conn` when one body runs several queries.
#[macro_export]
macro_rules! on {
    ($at:expr, $executor:ident => $body:expr) => {
        match $at.engine() {
            $crate::db::Engine::Sqlite($executor) => $body,
            $crate::db::Engine::Postgres($executor) => $body,
        }
    };
}

/// The calling room's migrations, from its `migrations/sqlite` and `migrations/postgres`. The room needs `sqlx` itself and a
/// `build.rs` of one line, `fn main() { println!("cargo:rerun-if-changed=migrations"); }`, so that a new file is seen.
#[macro_export]
macro_rules! migrations {
    () => {
        $crate::db::Migrations {
            sqlite: ::sqlx::migrate!("migrations/sqlite"),
            postgres: ::sqlx::migrate!("migrations/postgres"),
        }
    };
}

#[cfg(test)]
mod tests;
