//! Table `uploads`.

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
}

pub const OPEN: &str = "open";
pub const WHOLE: &str = "whole";
pub const PACKAGED: &str = "packaged";

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
}

pub fn purpose_name(purpose: UploadPurpose) -> &'static str {
    match purpose {
        UploadPurpose::Video => "video",
        UploadPurpose::Dataset => "dataset",
    }
}

macro_rules! columns {
    () => {
        "id, account_id, title_id, purpose, filename, bytes, received, state, job_id, created_at, expires_at"
    };
}

pub async fn insert(tx: &mut Tx, row: &UploadRow) -> Result<(), Fault> {
    let sql = concat!(
        "INSERT INTO uploads (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    );
    on!(tx, conn => sqlx::query(sql).bind(row.id).bind(row.account_id).bind(row.title_id).bind(&row.purpose)
        .bind(&row.filename).bind(row.bytes).bind(row.received).bind(&row.state).bind(row.job_id).bind(row.created_at)
        .bind(row.expires_at).execute(conn).await.map(drop))
    .or_fault()
}

/// How many of an account's uploads are unfinished, and how many bytes all of its have claimed.
pub async fn usage(tx: &mut Tx, account: AccountId) -> Result<(u32, u64), Fault> {
    if let Engine::Postgres(conn) = tx.engine() {
        // Two at once must not both find room; SQLite has one writer anyway.
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(account.0)
            .execute(conn)
            .await
            .or_fault()?;
    }
    let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0) AS BIGINT),
         CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM uploads WHERE account_id = $1 AND state <> 'packaged'";
    let (unfinished, bytes): (i64, i64) =
        on!(tx, conn => sqlx::query_as(sql).bind(account.0).fetch_one(conn).await).or_fault()?;
    Ok((unfinished as u32, bytes as u64))
}

/// An account's own upload, unless it has expired.
pub async fn find(db: &Db, account: AccountId, id: UploadId, now: Millis) -> Result<Option<UploadRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM uploads WHERE id = $1 AND account_id = $2 AND expires_at > $3"
    );
    on!(db.writer(), pool => sqlx::query_as(sql).bind(id.0).bind(account.0).bind(now).fetch_optional(pool).await)
        .or_fault()
}

/// Notes that the file now reaches from `from` to `to`. `false`: somebody else was faster.
pub async fn advance(tx: &mut Tx, id: UploadId, from: u64, to: u64, expires_at: Millis) -> Result<bool, Fault> {
    let sql =
        "UPDATE uploads SET received = $3, state = CASE WHEN bytes = $3 THEN 'whole' ELSE 'open' END, expires_at = $4
         WHERE id = $1 AND received = $2 AND state = 'open' AND bytes >= $3";
    on!(tx, conn => sqlx::query(sql).bind(id.0).bind(from as i64).bind(to as i64).bind(expires_at)
        .execute(conn).await.map(|done| done.rows_affected() == 1))
    .or_fault()
}

pub async fn set_job(tx: &mut Tx, id: UploadId, job: JobId) -> Result<(), Fault> {
    on!(tx, conn => sqlx::query("UPDATE uploads SET job_id = $2 WHERE id = $1").bind(id.0).bind(job.0)
        .execute(conn).await.map(drop))
    .or_fault()
}

pub async fn delete(db: &Db, id: UploadId) -> Result<bool, Fault> {
    on!(db.writer(), pool => sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id.0)
        .execute(pool).await.map(|done| done.rows_affected() == 1))
    .or_fault()
}

/// The source was packaged and its file goes: it claims no room any more. `false`: it was removed meanwhile.
pub async fn set_packaged(tx: &mut Tx, id: UploadId) -> Result<bool, Fault> {
    on!(tx, conn => sqlx::query("UPDATE uploads SET state = 'packaged' WHERE id = $1").bind(id.0)
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
        " FROM uploads WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2"
    );
    on!(db, pool => sqlx::query_as(sql).bind(now).bind(i64::from(limit)).fetch_all(pool).await).or_fault()
}

pub async fn exists(db: &Db, id: UploadId) -> Result<bool, Fault> {
    let row: Option<(i64,)> =
        on!(db, pool => sqlx::query_as("SELECT id FROM uploads WHERE id = $1").bind(id.0).fetch_optional(pool).await)
            .or_fault()?;
    Ok(row.is_some())
}

/// An account is gone: its unfinished files go with the next round of tidying.
pub async fn expire_all_of(db: &Db, account: AccountId, now: Millis) -> Result<(), Fault> {
    on!(db.writer(), pool => sqlx::query("UPDATE uploads SET expires_at = $2 WHERE account_id = $1 AND expires_at > $2")
        .bind(account.0).bind(now).execute(pool).await.map(drop))
    .or_fault()
}
