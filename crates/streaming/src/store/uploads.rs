//! Table `uploads`.

use std::collections::HashSet;

use contract::{AccountId, Fault, JobId, Millis, TitleId, UploadId, streaming::UploadPurpose};
use platform::{
    Db, Tx,
    db::{Engine, OrFault as _},
    on,
};

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UploadRow {
    pub id: i64,
    pub account_id: Option<i64>,
    pub title_id: Option<i64>,
    pub purpose: String,
    pub filename: String,
    pub bytes: i64,
    pub received: i64,
    pub state: String,
    pub job_id: Option<i64>,
    pub created_at: i64,
    pub expires_at: i64,
    /// 0: nobody has said yet how long it is; `bytes` is what has arrived.
    pub length_known: i64,
    /// Empty, [`PARTIAL`], or the ids of the parts that it was joined of.
    pub parts: String,
    pub fingerprint: String,
    /// As its client said it.
    pub metadata: String,
}

pub const OPEN: &str = "open";
pub const WHOLE: &str = "whole";
pub const PACKAGED: &str = "packaged";
/// The file is gone; the row remembers that it was there.
pub const EXPIRED: &str = "expired";
pub const PARTIAL: &str = "partial";

/// What a piece brings about.
#[derive(Debug, Clone, Copy)]
pub struct Advance {
    pub from: u64,
    pub to: u64,
    /// How long it is; `None`: nobody has said yet.
    pub length: Option<u64>,
    pub expires_at: Millis,
}

impl Advance {
    pub fn is_whole(&self) -> bool {
        self.length == Some(self.to)
    }
}

impl UploadRow {
    pub fn purpose(&self) -> UploadPurpose {
        if self.purpose == "dataset" {
            UploadPurpose::Dataset
        } else {
            UploadPurpose::Video
        }
    }

    pub fn title(&self) -> Option<TitleId> {
        self.title_id.map(TitleId)
    }

    /// How long it will be, if that is known.
    pub fn length(&self) -> Option<u64> {
        (self.length_known != 0).then_some(self.bytes as u64)
    }

    pub fn is_partial(&self) -> bool {
        self.parts == PARTIAL
    }

    pub fn is_joined(&self) -> bool {
        !self.parts.is_empty() && !self.is_partial()
    }

    pub fn has_expired(&self, now: Millis) -> bool {
        self.state == EXPIRED || self.expires_at <= now
    }
}

pub fn purpose_name(purpose: UploadPurpose) -> &'static str {
    match purpose {
        UploadPurpose::Video => "video",
        UploadPurpose::Dataset => "dataset",
    }
}

macro_rules! columns {
    () => {
        "id, account_id, title_id, purpose, filename, bytes, received, state, job_id, created_at, expires_at, length_known, parts,
         fingerprint, metadata"
    };
}

pub async fn insert(tx: &mut Tx, row: &UploadRow) -> Result<(), Fault> {
    let sql = concat!(
        "INSERT INTO uploads (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    );
    on!(tx, conn => sqlx::query(sql).bind(row.id).bind(row.account_id).bind(row.title_id).bind(&row.purpose)
        .bind(&row.filename).bind(row.bytes).bind(row.received).bind(&row.state).bind(row.job_id).bind(row.created_at)
        .bind(row.expires_at).bind(row.length_known).bind(&row.parts).bind(&row.fingerprint)
        .bind(&row.metadata).execute(conn).await.map(drop))
    .or_fault()
}

/// Of an account: unfinished uploads, and the bytes that all of its have claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub unfinished: u32,
    pub bytes: u64,
}

const USAGE: &str = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'open' OR parts = 'partial' THEN 1 ELSE 0 END), 0) AS BIGINT),
     CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM uploads WHERE account_id = $1 AND state NOT IN ('packaged', 'expired')";

/// For deciding by it: nobody else decides for this account until the transaction ends.
pub async fn usage(tx: &mut Tx, account: AccountId) -> Result<Usage, Fault> {
    if let Engine::Postgres(conn) = tx.engine() {
        // Two at once must not both find room; SQLite has one writer anyway.
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(account.0)
            .execute(conn)
            .await
            .or_fault()?;
    }
    let row: (i64, i64) = on!(tx, conn => sqlx::query_as(USAGE).bind(account.0).fetch_one(conn).await).or_fault()?;
    Ok(of_counts(row))
}

/// For showing it.
pub async fn usage_now(db: &Db, account: AccountId) -> Result<Usage, Fault> {
    let row: (i64, i64) = on!(db, pool => sqlx::query_as(USAGE).bind(account.0).fetch_one(pool).await).or_fault()?;
    Ok(of_counts(row))
}

fn of_counts((unfinished, bytes): (i64, i64)) -> Usage {
    Usage {
        unfinished: unfinished as u32,
        bytes: bytes as u64,
    }
}

/// An account's own upload, also where it has expired and is remembered.
pub async fn find(db: &Db, account: AccountId, id: UploadId) -> Result<Option<UploadRow>, Fault> {
    let sql = concat!("SELECT ", columns!(), " FROM uploads WHERE id = $1 AND account_id = $2");
    on!(db.writer(), pool => sqlx::query_as(sql).bind(id.0).bind(account.0).fetch_optional(pool).await).or_fault()
}

/// Those of an account that wait for more bytes, or to be joined, newest first.
pub async fn unfinished(db: &Db, account: AccountId, now: Millis, limit: u32) -> Result<Vec<UploadRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM uploads WHERE account_id = $1 AND (state = 'open' OR (state = 'whole' AND parts = 'partial'))
         AND expires_at > $2 ORDER BY id DESC LIMIT $3"
    );
    on!(db.writer(), pool => sqlx::query_as(sql).bind(account.0).bind(now).bind(i64::from(limit)).fetch_all(pool).await)
        .or_fault()
}

/// What an account has joined of exactly these parts.
pub async fn joined(db: &Db, account: AccountId, parts: &str) -> Result<Option<UploadRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM uploads WHERE account_id = $1 AND parts = $2 AND state <> 'expired'"
    );
    on!(db.writer(), pool => sqlx::query_as(sql).bind(account.0).bind(parts).fetch_optional(pool).await).or_fault()
}

/// A part goes into what it is joined to. `false`: it is no whole partial upload of this account.
pub async fn use_up(tx: &mut Tx, account: AccountId, part: UploadId) -> Result<bool, Fault> {
    let sql = "DELETE FROM uploads WHERE id = $1 AND account_id = $2 AND parts = 'partial' AND state = 'whole'";
    on!(tx, conn => sqlx::query(sql).bind(part.0).bind(account.0).execute(conn).await
        .map(|done| done.rows_affected() == 1))
    .or_fault()
}

/// Notes how far the file reaches now. `false`: somebody else was faster.
pub async fn advance(tx: &mut Tx, id: UploadId, step: &Advance) -> Result<bool, Fault> {
    let sql = "UPDATE uploads SET received = $3, bytes = $4, length_known = $5, state = $6, expires_at = $7
         WHERE id = $1 AND received = $2 AND state = 'open'";
    let state = if step.is_whole() { WHOLE } else { OPEN };
    let bytes = step.length.unwrap_or(step.to);
    on!(tx, conn => sqlx::query(sql).bind(id.0).bind(step.from as i64).bind(step.to as i64).bind(bytes as i64)
        .bind(i64::from(step.length.is_some())).bind(state).bind(step.expires_at).execute(conn).await
        .map(|done| done.rows_affected() == 1))
    .or_fault()
}

pub async fn set_job(tx: &mut Tx, id: UploadId, job: JobId) -> Result<(), Fault> {
    on!(tx, conn => sqlx::query("UPDATE uploads SET job_id = $2 WHERE id = $1").bind(id.0).bind(job.0)
        .execute(conn).await.map(drop))
    .or_fault()
}

/// Files of this machine whose work has not ended.
pub async fn media_waiting(db: &Db) -> Result<u64, Fault> {
    let sql = "SELECT COUNT(*) FROM uploads u JOIN jobs j ON j.id = u.job_id
         WHERE u.account_id IS NULL AND u.state = 'whole' AND j.state IN ('queued', 'waiting', 'running')";
    let (count,): (i64,) = on!(db.writer(), pool => sqlx::query_as(sql).fetch_one(pool).await).or_fault()?;
    Ok(count as u64)
}

pub async fn delete(db: &Db, id: UploadId) -> Result<bool, Fault> {
    on!(db.writer(), pool => sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id.0)
        .execute(pool).await.map(|done| done.rows_affected() == 1))
    .or_fault()
}

/// The source was packaged and its file goes: it claims no room any more. `false`: it was removed meanwhile.
pub async fn set_packaged(tx: &mut Tx, id: UploadId) -> Result<bool, Fault> {
    on!(tx, conn => sqlx::query("UPDATE uploads SET state = 'packaged' WHERE id = $1 AND state <> 'expired'").bind(id.0)
        .execute(conn).await.map(|done| done.rows_affected() == 1))
    .or_fault()
}

/// The videos that were sent for a title.
pub async fn of_title(db: &Db, title: TitleId) -> Result<Vec<UploadRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM uploads WHERE title_id = $1 AND purpose = 'video'"
    );
    on!(db.writer(), pool => sqlx::query_as(sql).bind(title.0).fetch_all(pool).await).or_fault()
}

pub async fn delete_of(tx: &mut Tx, title: TitleId) -> Result<(), Fault> {
    let sql = "DELETE FROM uploads WHERE title_id = $1 AND purpose = 'video'";
    on!(tx, conn => sqlx::query(sql).bind(title.0).execute(conn).await.map(drop)).or_fault()
}

pub async fn postpone(db: &Db, id: UploadId, expires_at: Millis) -> Result<(), Fault> {
    on!(db.writer(), pool => sqlx::query("UPDATE uploads SET expires_at = $2 WHERE id = $1").bind(id.0).bind(expires_at)
        .execute(pool).await.map(drop))
    .or_fault()
}

/// The oldest that have expired.
pub async fn expired(db: &Db, now: Millis, limit: u32) -> Result<Vec<UploadRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM uploads WHERE expires_at <= $1 AND state <> 'expired' ORDER BY expires_at LIMIT $2"
    );
    on!(db, pool => sqlx::query_as(sql).bind(now).bind(i64::from(limit)).fetch_all(pool).await).or_fault()
}

/// Its file is gone: what it was called goes too, that it was there is remembered until [`forget`].
pub async fn set_expired(db: &Db, id: UploadId) -> Result<(), Fault> {
    on!(db.writer(), pool => sqlx::query("UPDATE uploads SET state = 'expired', filename = '', fingerprint = '', metadata = '' WHERE id = $1").bind(id.0)
        .execute(pool).await.map(drop))
    .or_fault()
}

/// Those that expired before a moment are remembered no longer.
pub async fn forget(db: &Db, before: Millis) -> Result<(), Fault> {
    on!(db.writer(), pool => sqlx::query("DELETE FROM uploads WHERE state = 'expired' AND expires_at <= $1").bind(before)
        .execute(pool).await.map(drop))
    .or_fault()
}

/// Of these, in order of their numbers, those whose files are still to be read or written.
pub async fn needed(db: &Db, uploads: &[UploadId]) -> Result<HashSet<UploadId>, Fault> {
    let (Some(first), Some(last)) = (uploads.first(), uploads.last()) else {
        return Ok(HashSet::new());
    };
    let sql = "SELECT id FROM uploads WHERE id >= $1 AND id <= $2 AND state NOT IN ('packaged', 'expired')";
    let rows: Vec<(i64,)> =
        on!(db.writer(), pool => sqlx::query_as(sql).bind(first.0).bind(last.0).fetch_all(pool).await).or_fault()?;
    Ok(rows.into_iter().map(|(id,)| UploadId(id)).collect())
}

pub async fn needs_file(db: &Db, id: UploadId) -> Result<bool, Fault> {
    Ok(needed(db, &[id]).await?.contains(&id))
}

/// What all uploads that have not expired still have to send, as far as they say.
pub async fn to_come(db: &Db, now: Millis) -> Result<u64, Fault> {
    let sql = "SELECT CAST(COALESCE(SUM(bytes - received), 0) AS BIGINT) FROM uploads WHERE state = 'open' AND length_known = 1 AND expires_at > $1";
    let (bytes,): (i64,) = on!(db.writer(), pool => sqlx::query_as(sql).bind(now).fetch_one(pool).await).or_fault()?;
    Ok(bytes as u64)
}

/// An account is gone: its unfinished files go with the next round of tidying.
pub async fn expire_all_of(db: &Db, account: AccountId, now: Millis) -> Result<(), Fault> {
    on!(db.writer(), pool => sqlx::query("UPDATE uploads SET expires_at = $2 WHERE account_id = $1 AND expires_at > $2")
        .bind(account.0).bind(now).execute(pool).await.map(drop))
    .or_fault()
}
