//! Activity: what each profile rated, watched and listed, and how each title is rated by everybody.
//!
//! **Owns** the tables `states` (one row per profile and title), `title_ratings` (the read model of averages), `profiles`,
//! `counters`,
//! `imported_viewers` and `removed_ratings`. **Calls** nobody. **Emits** `ProfileActed` (taste or list of a profile changed),
//! `RatingsChanged` (absolute figures) and `InteractionsImported`, each in the transaction of the change. **Listens** to
//! `ProfileDeleted` (erases), to `TitleDeleted` (takes it off lists), and to its own events, so that what another process wrote is seen here.
//!
//! Invariants:
//! - An answer to a write means that it is committed and synced; positions are the exception ([`pending`]): they are written
//!   behind, at most [`Config::flush_ms`] late, but for the moment a title becomes finished, which is written through.
//! - Whoever wrote sees it in the next read of this process, unwritten positions included.
//! - `title_ratings` is the sum over `states`, in every committed state; its `version` grows with every change.
//! - A row of `states` in which nothing is left is deleted: what is forgotten does not count as taste.
//! - Locks are taken in one order, profiles, then titles, then counters, each by key, so writers cannot deadlock.
//! - A bulk write of many titles of one profile tells `ProfileActed` once, with its first title.
//!
//! Wiring: [`open`], then [`Room::subscribe`] and [`Room::run`] in a process that serves; a command that only imports needs
//! neither.

mod cache;
mod events;
mod pending;
mod rules;
mod service;
mod store;
mod writer;

use std::sync::Arc;

use platform::{Bus, Db, Inputs, Location, Migrations};

static MIGRATIONS: Migrations = platform::migrations!();

/// What can be set.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Memory for viewers' recent activity; 0 reads the database every time.
    pub cache_bytes_max: u64,
    /// How long another process's positions may go unseen here.
    pub cache_ttl_ms: u64,
    /// How late a position may be written.
    pub flush_ms: u64,
    /// Positions waiting to be written; beyond that, players wait for the writer.
    pub pending_positions_max: usize,
    /// Rows of an import in one transaction. What a viewer does meanwhile waits for one on SQLite: a quarter of a second.
    pub import_rows_per_write: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cache_bytes_max: 64 * 1024 * 1024,
            cache_ttl_ms: 60_000,
            flush_ms: 1_000,
            pending_positions_max: 100_000,
            import_rows_per_write: 50_000,
        }
    }
}

/// What the room stands on.
pub struct Deps {
    pub location: Location,
    pub inputs: Inputs,
    pub bus: Arc<Bus>,
    pub config: Config,
}

/// The open room: implements [`contract::activity::Activity`].
pub struct Room {
    store: store::Store,
    writer: writer::Writer,
    pending: pending::Pending,
    cache: Arc<cache::RecentCache>,
    inputs: Inputs,
    config: Config,
    /// Held while positions are flushed, and by whoever removes what a flush might bring back.
    flushing: tokio::sync::Mutex<()>,
}

/// Opens the database, attaches it to the bus and starts the writer.
pub async fn open(deps: Deps) -> anyhow::Result<Arc<Room>> {
    let db = Db::open(&deps.location, "activity", &MIGRATIONS).await?;
    deps.bus.attach(&db).await?;
    let store = store::Store::new(db, deps.inputs.clone(), deps.config.import_rows_per_write);
    let cache = Arc::new(cache::RecentCache::new(&deps.config, deps.inputs.id::<i64>() as u64));
    Ok(Arc::new(Room {
        writer: writer::Writer::start(store.clone(), cache.clone()),
        pending: pending::Pending::new(deps.config.pending_positions_max),
        flushing: tokio::sync::Mutex::default(),
        store,
        cache,
        inputs: deps.inputs,
        config: deps.config,
    }))
}

impl Room {
    /// For readiness, backup and migration.
    pub fn database(&self) -> &Db {
        &self.store.db
    }
}
