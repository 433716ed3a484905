//! A job as a row.

use contract::{
    Fault, Millis,
    jobs::{Job, JobKind, JobState},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Child, Lease};

/// Every column that people or workers see, in the order of [`COLUMNS`].
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Row {
    id: i64,
    kind: String,
    subject: String,
    title_id: Option<i64>,
    payload: String,
    state: String,
    progress: f64,
    stage: String,
    error: Option<String>,
    outcome: Option<String>,
    attempts: i64,
    attempts_max: i64,
    lease: Option<i64>,
    created_at: i64,
    updated_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    parent_id: Option<i64>,
    pace_at: Option<i64>,
    pace_progress: f64,
}

/// In the database alone: a job whose children are at work. To people it is running.
pub(super) const WAITING: &str = "waiting";
/// An estimate wants this much to go by, and a job that was heard of.
pub(super) const PACE_MS_MIN: i64 = 2_000;
pub(super) const PACE_SHARE_MIN: f64 = 0.005;
pub(super) const SILENT_MS_MAX: i64 = 60_000;

/// For SELECT and RETURNING.
macro_rules! columns {
    () => {
        "id, kind, subject, title_id, payload, state, progress, stage, error, outcome, attempts, attempts_max, lease, \
         created_at, updated_at, started_at, finished_at, parent_id, pace_at, pace_progress"
    };
}
pub(super) use columns;

impl Row {
    /// As people see it at the moment `now`.
    pub(super) fn job(self, now: Millis) -> Result<Job, Fault> {
        let state = if self.state == WAITING {
            JobState::Running
        } else {
            from_name(&self.state)?
        };
        let remaining_s = (state == JobState::Running).then(|| self.remaining_s(now)).flatten();
        Ok(Job {
            id: self.id.into(),
            kind: from_name(&self.kind)?,
            state,
            progress: self.progress as f32,
            stage: self.stage,
            error: self.error,
            subject: self.subject,
            title_id: self.title_id.map(Into::into),
            attempts: self.attempts as u32,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            outcome: self.outcome,
            remaining_s,
        })
    }

    /// At the pace since it last began to move.
    fn remaining_s(&self, now: Millis) -> Option<u64> {
        let took = now - self.pace_at?;
        let done = self.progress - self.pace_progress;
        if took < PACE_MS_MIN || done < PACE_SHARE_MIN || now - self.updated_at > SILENT_MS_MAX {
            return None;
        }
        Some((took as f64 / 1000.0 * (1.0 - self.progress) / done).ceil() as u64)
    }

    pub(super) fn lease(self, now: Millis) -> Result<Lease, Fault> {
        Ok(Lease {
            payload: self.payload()?,
            attempts_max: self.attempts_max as u32,
            token: self.lease.unwrap_or_default(),
            parent: self.parent_id.map(Into::into),
            job: self.job(now)?,
        })
    }

    pub(super) fn child(self, now: Millis) -> Result<Child, Fault> {
        Ok(Child {
            payload: self.payload()?,
            job: self.job(now)?,
        })
    }

    fn payload(&self) -> Result<serde_json::Value, Fault> {
        serde_json::from_str(&self.payload).map_err(|error| Fault::Internal(error.to_string()))
    }
}

/// The stable name of a kind, as the contract spells it.
pub(super) fn kind_name(kind: JobKind) -> String {
    name(&kind)
}

pub(super) fn state_name(state: JobState) -> String {
    name(&state)
}

/// A unit variant is a string in JSON, and that string is what the database holds.
fn name(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

fn from_name<T: DeserializeOwned>(name: &str) -> Result<T, Fault> {
    serde_json::from_value(serde_json::Value::String(name.to_owned()))
        .map_err(|error| Fault::Internal(format!("a job of another version: {error}")))
}
