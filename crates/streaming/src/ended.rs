//! Log-ins that are over, by whatever way: what was signed for them is served no more.
//!
//! Delivery asks no database, so each process has the list in memory; the table is for those that start later. A process first listens
//! and then reads: what it does not hear, somebody before it has heard and written. The list holds what ended within the life of a
//! signed path, so its length is that of half a day of log-outs. Whoever else delivers (an edge cache that checks signatures by
//! itself) needs this list and nothing more: the session stands in the path.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use contract::{Fault, Millis, SessionId};

use crate::{room::Room, store::sessions};

/// For paths that were signed while their session ended.
const SLACK_MS: i64 = 3_600_000;

/// The list, and when each of it ended.
#[derive(Default)]
pub struct Ended(RwLock<HashMap<SessionId, Millis>>);

impl Ended {
    pub fn holds(&self, session: SessionId) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&session)
    }

    /// Adds some, and forgets those that ended before `forget`.
    fn add(&self, sessions: impl IntoIterator<Item = (SessionId, Millis)>, forget: Millis) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        list.retain(|_, ended_at| *ended_at > forget);
        list.extend(sessions);
    }
}

impl Room {
    /// What ended before can have signed nothing that is still good.
    pub(crate) fn forget_ended_before(&self) -> Millis {
        self.inputs.now_ms() - self.config.playback_s as i64 * 1000 - SLACK_MS
    }

    /// In every process that hears it.
    pub(crate) async fn end_sessions(&self, ended: &[SessionId]) -> Result<(), Fault> {
        let now = self.inputs.now_ms();
        // Even while nothing can be written, this process serves them no more.
        let over = ended.iter().map(|&session| (session, now));
        self.ended.add(over, self.forget_ended_before());
        sessions::end(&self.db, ended, now).await
    }

    /// At the start, once this process listens to accounts, which are opened before.
    pub(crate) async fn recall_ended(&self) -> Result<(), Fault> {
        let forget = self.forget_ended_before();
        self.ended.add(sessions::ended_since(&self.db, forget).await?, forget);
        Ok(())
    }
}
