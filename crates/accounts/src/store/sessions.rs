//! Table `sessions`.

use std::net::{IpAddr, Ipv4Addr};

use contract::{AccountId, Fault, Millis, SessionId, accounts::SessionInfo};
use platform::{Tx, db::OrFault as _, on};

use super::Store;

/// A session as it begins.
pub struct NewSession {
    pub id: SessionId,
    pub account: AccountId,
    pub user_agent: String,
    pub address: IpAddr,
    pub now: Millis,
    pub expires_at: Millis,
    pub token_hash: Vec<u8>,
}

/// What a refresh is judged by.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SessionRow {
    pub account_id: i64,
    pub created_at: i64,
    pub expires_at: i64,
    pub revoked_at: Option<i64>,
    pub previous_hash: Option<Vec<u8>>,
    pub nonce: Option<Vec<u8>>,
    pub rotated_at: i64,
}

/// One step from a refresh token to the next.
pub struct Rotation<'a> {
    pub session: SessionId,
    pub from: &'a [u8],
    pub to: &'a [u8],
    pub nonce: &'a [u8],
    pub now: Millis,
    pub expires_at: Millis,
}

impl Store {
    pub async fn insert_session(&self, tx: &mut Tx, session: &NewSession) -> Result<(), Fault> {
        let sql = "INSERT INTO sessions (id, account_id, user_agent, address, created_at, last_used_at, expires_at, token_hash, rotated_at)
             VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $5)";
        on!(tx, conn => sqlx::query(sql).bind(session.id.0).bind(session.account.0).bind(&session.user_agent)
            .bind(session.address.to_string()).bind(session.now).bind(session.expires_at).bind(&session.token_hash)
            .execute(conn).await.map(drop))
        .or_fault()
    }

    pub async fn session(&self, id: SessionId) -> Result<Option<SessionRow>, Fault> {
        let sql = "SELECT account_id, created_at, expires_at, revoked_at, previous_hash, nonce, rotated_at
             FROM sessions WHERE id = $1";
        on!(self.db, pool => sqlx::query_as(sql).bind(id.0).fetch_optional(pool).await).or_fault()
    }

    /// `false`: the token was not the session's current one (any more), or the session has ended.
    pub async fn rotate(&self, rotation: Rotation<'_>) -> Result<bool, Fault> {
        let sql = "UPDATE sessions SET previous_hash = token_hash, token_hash = $3, nonce = $4, rotated_at = $5, last_used_at = $5,
             expires_at = $6 WHERE id = $1 AND token_hash = $2 AND revoked_at IS NULL AND expires_at > $5";
        on!(self.db.writer(), pool => sqlx::query(sql).bind(rotation.session.0).bind(rotation.from).bind(rotation.to)
            .bind(rotation.nonce).bind(rotation.now).bind(rotation.expires_at)
            .execute(pool).await.map(|done| done.rows_affected() == 1))
        .or_fault()
    }

    /// Sessions that are not over, the last used first.
    pub async fn sessions(&self, account: AccountId, now: Millis) -> Result<Vec<SessionInfo>, Fault> {
        let sql = "SELECT id, user_agent, address, created_at, last_used_at FROM sessions
             WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY last_used_at DESC, id DESC";
        let rows: Vec<(i64, String, String, i64, i64)> = on!(self.db, pool =>
            sqlx::query_as(sql).bind(account.0).bind(now).fetch_all(pool).await)
        .or_fault()?;
        let info = |(id, user_agent, address, created_at, last_used_at): (i64, String, String, i64, i64)| SessionInfo {
            id: id.into(),
            user_agent,
            address: address.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            created_at,
            last_used_at,
        };
        Ok(rows.into_iter().map(info).collect())
    }

    /// Ends sessions of an account: `only` one, all but `except`, or all. Answers those that were not over before.
    pub async fn revoke_sessions(
        &self,
        tx: &mut Tx,
        account: AccountId,
        only: Option<SessionId>,
        except: Option<SessionId>,
        now: Millis,
    ) -> Result<Vec<SessionId>, Fault> {
        let sql = "UPDATE sessions SET revoked_at = $4 WHERE account_id = $1 AND revoked_at IS NULL
             AND ($2 = 0 OR id = $2) AND id <> $3 RETURNING id";
        let rows: Vec<(i64,)> = on!(tx, conn => sqlx::query_as(sql).bind(account.0).bind(only.map_or(0, |id| id.0))
            .bind(except.map_or(0, |id| id.0)).bind(now).fetch_all(conn).await)
        .or_fault()?;
        Ok(rows.into_iter().map(|(id,)| id.into()).collect())
    }

    /// The sessions of an account beyond the `keep` that were used last.
    pub async fn surplus_sessions(&self, tx: &mut Tx, account: AccountId, keep: i64) -> Result<Vec<SessionId>, Fault> {
        let sql = "SELECT id FROM sessions WHERE account_id = $1 AND revoked_at IS NULL
             ORDER BY last_used_at DESC, id DESC LIMIT 1000 OFFSET $2";
        let rows: Vec<(i64,)> =
            on!(tx, conn => sqlx::query_as(sql).bind(account.0).bind(keep).fetch_all(conn).await).or_fault()?;
        Ok(rows.into_iter().map(|(id,)| id.into()).collect())
    }

    /// Sessions that ended after `since`.
    pub async fn revoked_since(&self, since: Millis) -> Result<Vec<SessionId>, Fault> {
        let rows: Vec<(i64,)> = on!(self.db, pool =>
            sqlx::query_as("SELECT id FROM sessions WHERE revoked_at > $1 ORDER BY id").bind(since).fetch_all(pool).await)
        .or_fault()?;
        Ok(rows.into_iter().map(|(id,)| id.into()).collect())
    }

    /// Leaves of an account's sessions only that they are over.
    pub async fn anonymise_sessions(&self, tx: &mut Tx, account: AccountId) -> Result<(), Fault> {
        let sql = "UPDATE sessions SET user_agent = '', address = '0.0.0.0' WHERE account_id = $1";
        on!(tx, conn => sqlx::query(sql).bind(account.0).execute(conn).await.map(drop)).or_fault()
    }

    /// Forgets sessions that ended or ran out before `before`, and limits that are unused again, 1,000 at a time.
    pub async fn tidy(&self, before: Millis, now: Millis) -> Result<u64, Fault> {
        let sessions = "DELETE FROM sessions WHERE id IN
             (SELECT id FROM sessions WHERE revoked_at < $1 OR expires_at < $1 ORDER BY id LIMIT 1000)";
        let attempts = "DELETE FROM attempts WHERE key IN (SELECT key FROM attempts WHERE free_at < $1 LIMIT 1000)";
        let mut deleted = 0;
        for (sql, moment) in [(sessions, before), (attempts, now)] {
            loop {
                let gone = on!(self.db.writer(), pool => sqlx::query(sql).bind(moment)
                    .execute(pool).await.map(|done| done.rows_affected()))
                .or_fault()?;
                deleted += gone;
                if gone < 1000 {
                    break;
                }
            }
        }
        Ok(deleted)
    }
}
