//! Table `ended_sessions`.

use contract::{Fault, Millis, SessionId};
use platform::{Db, db::OrFault as _, on};

/// Notes that these are over; of those that are known to be it changes nothing.
pub async fn end(db: &Db, ended: &[SessionId], now: Millis) -> Result<(), Fault> {
    let mut tx = db.begin().await?;
    let sql = "INSERT INTO ended_sessions (session_id, ended_at) VALUES ($1, $2) ON CONFLICT (session_id) DO NOTHING";
    for session in ended {
        on!(tx, conn => sqlx::query(sql).bind(session.0).bind(now).execute(conn).await.map(drop)).or_fault()?;
    }
    tx.commit().await
}

/// All that ended after that, and when.
pub async fn ended_since(db: &Db, since: Millis) -> Result<Vec<(SessionId, Millis)>, Fault> {
    let sql = "SELECT session_id, ended_at FROM ended_sessions WHERE ended_at > $1";
    let rows: Vec<(i64, i64)> =
        on!(db.writer(), pool => sqlx::query_as(sql).bind(since).fetch_all(pool).await).or_fault()?;
    Ok(rows
        .into_iter()
        .map(|(id, ended_at)| (SessionId(id), ended_at))
        .collect())
}

/// Forgets what ended before that; at most 10,000 at a time.
pub async fn prune(db: &Db, before: Millis) -> Result<(), Fault> {
    let sql = "DELETE FROM ended_sessions WHERE session_id IN
         (SELECT session_id FROM ended_sessions WHERE ended_at <= $1 LIMIT 10000)";
    on!(db.writer(), pool => sqlx::query(sql).bind(before).execute(pool).await.map(drop)).or_fault()
}
