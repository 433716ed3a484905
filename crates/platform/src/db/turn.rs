//! Whose turn it is to write, where several processes write into one SQLite file: a server, and a command beside it.
//!
//! SQLite does not queue for its lock: whoever wants it asks again and again, by default ten times a second. Beside a process that
//! writes one transaction after the other that takes luck: a wait of 18 seconds was measured where each of them took 50 ms. So a writer
//! asks more often ([`ask_often`]), and bulk work leaves a gap in which whoever waits is sure to ask ([`Db::give_way`]). Within a process
//! the one connection of the writer is the queue, and it is fair.
//!
//! Holds the one `unsafe` call of this crate: the driver cannot set this handler of SQLite's.
#![allow(unsafe_code)]

use std::{
    ffi::{c_int, c_void},
    ptr,
    time::Duration,
};

use sqlx::SqliteConnection;

use super::{Db, Engine};

const ASK_EVERY: Duration = Duration::from_millis(5);
/// A minute: what [`super::open`] allows a write.
const ASKS_MAX: c_int = 12_000;
/// Several asks, also by a thread that a busy machine wakes late.
const GAP: Duration = Duration::from_millis(20);

impl Db {
    /// For work of many transactions, between two of them: whoever waits to write is let in first.
    pub async fn give_way(&self) {
        // PostgreSQL's writers do not wait for each other.
        if let Engine::Sqlite(_) = self.engine() {
            tokio::time::sleep(GAP).await;
        }
    }
}

/// Makes a connection that waits for the lock ask for it every few milliseconds.
pub(super) async fn ask_often(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut handle = conn.lock_handle().await?;
    // SAFETY: the handle is locked, so the connection is open and nobody else uses it; the callback is a plain function that lives as
    // long as the process and does not touch its null argument.
    unsafe { libsqlite3_sys::sqlite3_busy_handler(handle.as_raw_handle().as_ptr(), Some(ask_again), ptr::null_mut()) };
    Ok(())
}

/// Called on the connection's own thread. Zero gives up: the statement answers that the database is busy.
#[expect(
    clippy::disallowed_methods,
    reason = "SQLite has no event to wait for: its lock can only be asked for"
)]
extern "C" fn ask_again(_: *mut c_void, asked: c_int) -> c_int {
    if asked >= ASKS_MAX {
        return 0;
    }
    std::thread::sleep(ASK_EVERY);
    1
}
