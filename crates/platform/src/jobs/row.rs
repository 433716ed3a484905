//! A job as a row.

use contract::{
    Fault,
    jobs::{Job, JobKind, JobState},
};
use serde::{Serialize, de::DeserializeOwned};

use super::Lease;

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
    started_at: Option<i64>,
    finished_at: Option<i64>,
}

/// For SELECT and RETURNING.
macro_rules! columns {
    () => {
        "id, kind, subject, title_id, payload, state, progress, stage, error, outcome, attempts, attempts_max, lease, \
         created_at, started_at, finished_at"
    };
}
pub(super) use columns;

impl TryFrom<Row> for Job {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.into(),
            kind: from_name(&row.kind)?,
            state: from_name(&row.state)?,
            progress: row.progress as f32,
            stage: row.stage,
            error: row.error,
            subject: row.subject,
            title_id: row.title_id.map(Into::into),
            attempts: row.attempts as u32,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            outcome: row.outcome,
        })
    }
}

impl TryFrom<Row> for Lease {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let payload = serde_json::from_str(&row.payload).map_err(|error| Fault::Internal(error.to_string()))?;
        let (attempts_max, token) = (row.attempts_max as u32, row.lease.unwrap_or_default());
        Ok(Self {
            payload,
            attempts_max,
            token,
            job: row.try_into()?,
        })
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
