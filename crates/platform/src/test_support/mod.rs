//! Databases for tests: a fresh SQLite folder and a fresh corner of a real PostgreSQL, for every room's suite.
//!
//! ```ignore
//! for database in test_support::databases().await {
//!     let db = database.open("catalog", &MIGRATIONS).await;
//!     …                       // failures name the engine: assert!(…, "{}", database.name)
//! }
//! ```
//! [`S3Server`] is a real S3 server of one test.
//!
//! One private PostgreSQL serves all test processes of a machine's user; the first starts it, it stops a while after the last.

mod postgres;
mod s3;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::db::{Db, Location, Migrations};

pub use s3::S3Server;

/// An engine with room for one test.
pub struct TestDatabase {
    /// `sqlite` or `postgres`.
    pub name: &'static str,
    pub location: Location,
    /// Deleted with this.
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// Opens a room's database here. Open it twice for a restart or a second process.
    ///
    /// # Panics
    /// When it cannot be opened: the test cannot go on.
    pub async fn open(&self, room: &'static str, migrations: &Migrations) -> Db {
        match Db::open(&self.location, room, migrations).await {
            Ok(db) => db,
            Err(error) => panic!("opening {room} on {}: {error:#}", self.name),
        }
    }
}

/// Both engines. What a suite loops over.
pub async fn databases() -> [TestDatabase; 2] {
    [sqlite(), postgres().await]
}

/// A database, and the side of the door that a test of it stands on.
pub struct Pairing {
    pub database: TestDatabase,
    /// Whether every call goes over a [`Loopback`](crate::wire::Loopback).
    pub remote: bool,
}

impl Pairing {
    pub fn local(database: TestDatabase) -> Self {
        let remote = false;
        Self { database, remote }
    }

    /// Engine and side, for messages.
    pub fn name(&self) -> String {
        format!(
            "{} {}",
            self.database.name,
            if self.remote { "remote" } else { "local" }
        )
    }
}

/// Both engines, each behind both sides of the door. What a door's suite loops over.
pub async fn pairings() -> Vec<Pairing> {
    let mut all = Vec::new();
    for remote in [false, true] {
        all.extend(databases().await.map(|database| Pairing { database, remote }));
    }
    all
}

/// A new folder.
///
/// # Panics
/// When there is no temporary folder to be had.
pub fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
    TestDatabase {
        name: "sqlite",
        location: Location::folder(folder.path()),
        _folder: Some(folder),
    }
}

/// A schema prefix that no other test has, on the shared server.
///
/// # Panics
/// When PostgreSQL is not installed or does not start; the message says what to do.
pub async fn postgres() -> TestDatabase {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let url = tokio::task::spawn_blocking(postgres::url)
        .await
        .unwrap_or_else(|error| panic!("starting PostgreSQL: {error}"));
    let schema_prefix = format!("t{}_{}_", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    TestDatabase {
        name: "postgres",
        location: Location::Postgres { url, schema_prefix },
        _folder: None,
    }
}
