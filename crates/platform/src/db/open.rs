//! Where databases are and how their pools are set.

use std::{convert::Infallible, io::Read as _, path::Path, path::PathBuf, str::FromStr, time::Duration};

use anyhow::Context as _;
use contract::Fault;
use sqlx::{
    Connection as _, PgPool, SqliteConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{SqlitePools, turn};

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a write waits on SQLite: for its turn in this process, then for another process (a command beside the server) to let go of
/// the lock, see [`turn`]. Requests have a shorter deadline of their own.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Per room: all rooms of a process together stay below PostgreSQL's default of 100.
const POSTGRES_CONNECTIONS_MAX: u32 = 10;
const SQLITE_READERS_MAX: u32 = 8;
/// What a connection keeps of its file, as `PRAGMA cache_size` says it, in KiB. The rest lies in the system's cache, once for all of them.
/// SQLite's own 2 MB fill up in each of them over a long evening: 5.8 of 6.3 MB that were more after 280,000 pages. A
/// writer keeps more: an import of a million ratings takes a twentieth longer than with 2 MB, and with half of this a tenth.
const READER_CACHE: &str = "-64";
const WRITER_CACHE: &str = "-512";
/// Rows that a connection's thread reads ahead of whoever asked. A page of rows fits, so that the two do not take turns.
const ROWS_AHEAD_MAX: usize = 1_024;

/// Every SQLite file begins so: <https://www.sqlite.org/fileformat.html>.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether the file is there and is a database.
pub(super) fn look_at(file: &Path) -> Result<(), Fault> {
    let unavailable = |error: std::io::Error| Fault::Unavailable(format!("{}: {error}", file.display()));
    let mut head = [0; SQLITE_MAGIC.len()];
    std::fs::File::open(file)
        .and_then(|mut file| file.read_exact(&mut head))
        .map_err(unavailable)?;
    if &head != SQLITE_MAGIC {
        return Err(Fault::Unavailable(format!(
            "{} is no database any more",
            file.display()
        )));
    }
    Ok(())
}

/// Where the rooms' databases are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `<folder>/<room>.db`.
    Folder(PathBuf),
    /// Schema `<schema_prefix><room>` of one PostgreSQL database.
    Postgres { url: String, schema_prefix: String },
}

impl Location {
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        Self::Folder(folder.into())
    }

    pub fn postgres(url: impl Into<String>) -> Self {
        Self::Postgres {
            url: url.into(),
            schema_prefix: String::new(),
        }
    }

    pub(super) fn schema(&self, room: &str) -> String {
        match self {
            Self::Folder(_) => room.to_owned(),
            Self::Postgres { schema_prefix, .. } => format!("{schema_prefix}{room}"),
        }
    }
}

/// `postgres://…` is PostgreSQL, everything else a folder.
impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
        Ok(if is_postgres {
            Self::postgres(text)
        } else {
            Self::folder(text)
        })
    }
}

/// Both pools on `<folder>/<room>.db`. Connections open on first use; the readers can not write.
pub(super) fn sqlite(folder: &Path, room: &str) -> anyhow::Result<SqlitePools> {
    create_private_folder(folder).with_context(|| format!("creating the folder {}", folder.display()))?;
    let options = SqliteConnectOptions::new()
        .filename(folder.join(format!("{room}.db")))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(WRITE_TIMEOUT)
        .foreign_keys(true)
        .statement_cache_capacity(200)
        .row_buffer_size(ROWS_AHEAD_MAX)
        // After a burst of writes the log's file shrinks again.
        .pragma("journal_size_limit", "67108864")
        .pragma("temp_store", "memory");
    let pool = |acquire_timeout| {
        SqlitePoolOptions::new()
            .acquire_timeout(acquire_timeout)
            .test_before_acquire(false)
            .max_lifetime(None)
    };
    let readers = std::thread::available_parallelism()
        .map_or(2, |cores| cores.get() as u32 * 2)
        .min(SQLITE_READERS_MAX);
    Ok(SqlitePools {
        write: pool(WRITE_TIMEOUT)
            .max_connections(1)
            .idle_timeout(None)
            .after_connect(|conn, _| Box::pin(turn::ask_often(conn)))
            .after_release(|conn, _| Box::pin(is_reusable(conn)))
            .connect_lazy_with(options.clone().pragma("cache_size", WRITER_CACHE)),
        read: pool(ACQUIRE_TIMEOUT)
            .max_connections(readers)
            .idle_timeout(IDLE_TIMEOUT)
            .connect_lazy_with(
                options
                    .create_if_missing(false)
                    .pragma("query_only", "on")
                    .pragma("cache_size", READER_CACHE),
            ),
    })
}

/// After a full disk, an input or output error or too little memory SQLite rolls back by itself; the driver does not notice and
/// would count a transaction on that connection for ever. The writer is one connection, so it must be replaced, or a disk that
/// was full once would refuse writes until a restart.
async fn is_reusable(conn: &mut SqliteConnection) -> sqlx::Result<bool> {
    // A dropped transaction's rollback is still on its way to the connection's thread; this comes after it.
    conn.ping().await?;
    Ok(!conn.is_in_transaction())
}

/// A pool whose every connection sees the room's schema only.
pub(super) fn postgres(url: &str, schema_prefix: &str, room: &str) -> anyhow::Result<PgPool> {
    let schema = format!("{schema_prefix}{room}");
    anyhow::ensure!(
        schema
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
        "the PostgreSQL schema {schema:?} may hold a-z, 0-9 and _ only"
    );
    let options = PgConnectOptions::from_str(url)
        .context("the database URL is not one of PostgreSQL")?
        .application_name(&format!("kinora-{room}"))
        .options([("search_path", schema.as_str())]);
    Ok(PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .connect_lazy_with(options))
}

/// Databases hold password hashes and keys: a folder that we make is its owner's alone.
fn create_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}
