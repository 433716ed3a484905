//! Table `playbacks`.

use contract::{AccountId, Fault, Millis, PlaybackId};
use platform::{Db, db::OrFault as _, on};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PlaybackRow {
    pub id: i64,
    pub account_id: i64,
    pub profile_id: i64,
    pub title_id: i64,
    pub asset_id: i64,
    pub created_at: i64,
    pub expires_at: i64,
    pub session_id: Option<i64>,
}

/// Adds one, and drops the account's oldest beyond `most`.
pub async fn insert(db: &Db, row: &PlaybackRow, most: u32) -> Result<(), Fault> {
    let mut tx = db.begin().await?;
    let sql =
        "INSERT INTO playbacks (id, account_id, profile_id, title_id, asset_id, created_at, expires_at, session_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    on!(tx, conn => sqlx::query(sql).bind(row.id).bind(row.account_id).bind(row.profile_id).bind(row.title_id)
        .bind(row.asset_id).bind(row.created_at).bind(row.expires_at).bind(row.session_id).execute(conn).await.map(drop))
    .or_fault()?;
    let sql = "DELETE FROM playbacks WHERE account_id = $1 AND id NOT IN
         (SELECT id FROM playbacks WHERE account_id = $1 ORDER BY id DESC LIMIT $2)";
    on!(tx, conn => sqlx::query(sql).bind(row.account_id).bind(i64::from(most)).execute(conn).await.map(drop))
        .or_fault()?;
    tx.commit().await
}

pub async fn find(db: &Db, account: AccountId, id: PlaybackId, now: Millis) -> Result<Option<PlaybackRow>, Fault> {
    let sql = "SELECT id, account_id, profile_id, title_id, asset_id, created_at, expires_at, session_id
         FROM playbacks
         WHERE id = $1 AND account_id = $2 AND expires_at > $3";
    on!(db, pool => sqlx::query_as(sql).bind(id.0).bind(account.0).bind(now).fetch_optional(pool).await).or_fault()
}

/// Forgets what has expired; at most 10,000 at a time.
pub async fn prune(db: &Db, now: Millis) -> Result<u64, Fault> {
    let sql = "DELETE FROM playbacks WHERE id IN (SELECT id FROM playbacks WHERE expires_at <= $1 LIMIT 10000)";
    on!(db.writer(), pool => sqlx::query(sql).bind(now).execute(pool).await.map(|done| done.rows_affected())).or_fault()
}

/// Everything of an account that was deleted.
pub async fn delete_of(db: &Db, account: AccountId) -> Result<(), Fault> {
    on!(db.writer(), pool => sqlx::query("DELETE FROM playbacks WHERE account_id = $1").bind(account.0)
        .execute(pool).await.map(drop))
    .or_fault()
}
