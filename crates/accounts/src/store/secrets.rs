//! Tables `signing_keys`, `settings` and `attempts`.

use contract::{Fault, Millis};
use platform::{Tx, db::OrFault as _, on};

use super::Store;

/// The clocks of two processes on one database may differ by so much.
const CLOCKS_APART_MS: i64 = 60_000;

impl Store {
    /// Keeps `secret` unless there is a key that was made after `since`; two at once keep one.
    pub async fn ensure_signing_key(&self, id: &str, secret: &[u8], now: Millis, since: Millis) -> Result<(), Fault> {
        let sql = "SELECT id FROM signing_keys WHERE created_at > $1 LIMIT 1";
        let young: Option<(String,)> =
            on!(self.db, pool => sqlx::query_as(sql).bind(since).fetch_optional(pool).await).or_fault()?;
        if young.is_some() {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        self.lock_admins(&mut tx).await?;
        let sql = "INSERT INTO signing_keys (id, secret, created_at) SELECT $1, $2, $3
             WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE created_at > $4)";
        on!(tx, conn => sqlx::query(sql).bind(id).bind(secret).bind(now).bind(since)
            .execute(conn).await.map(drop))
        .or_fault()?;
        tx.commit().await
    }

    /// Forgets keys that had a successor before `before`.
    pub async fn forget_signing_keys(&self, before: Millis) -> Result<(), Fault> {
        let sql = "DELETE FROM signing_keys WHERE created_at <
             (SELECT MAX(newer.created_at) FROM signing_keys AS newer WHERE newer.created_at < $1)";
        on!(self.db.writer(), pool => sqlx::query(sql).bind(before).execute(pool).await.map(drop)).or_fault()
    }

    /// The newest first.
    pub async fn signing_keys(&self) -> Result<Vec<(String, Vec<u8>)>, Fault> {
        on!(self.db, pool => sqlx::query_as("SELECT id, secret FROM signing_keys ORDER BY created_at DESC, id")
            .fetch_all(pool).await)
        .or_fault()
    }

    /// The setting, which is `value` if there was none.
    pub async fn ensure_setting(&self, name: &str, value: &str) -> Result<String, Fault> {
        if let Some(known) = self.setting(name).await? {
            return Ok(known);
        }
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        on!(self.db.writer(), pool => sqlx::query(sql).bind(name).bind(value).execute(pool).await.map(drop))
            .or_fault()?;
        let known = self.setting(name).await?;
        known.ok_or_else(|| Fault::Internal(format!("the setting {name} is gone")))
    }

    async fn setting(&self, name: &str) -> Result<Option<String>, Fault> {
        let row: Option<(String,)> = on!(self.db, pool => sqlx::query_as("SELECT value FROM settings WHERE name = $1")
            .bind(name).fetch_optional(pool).await)
        .or_fault()?;
        Ok(row.map(|(value,)| value))
    }

    pub async fn set_setting(&self, tx: &mut Tx, name: &str, value: &str) -> Result<(), Fault> {
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        on!(tx, conn => sqlx::query(sql).bind(name).bind(value).execute(conn).await.map(drop)).or_fault()
    }

    /// Removes a setting if it has this value; `false` if not. Two at once cannot both have it.
    pub async fn spend_setting(&self, tx: &mut Tx, name: &str, value: &str) -> Result<bool, Fault> {
        let sql = "DELETE FROM settings WHERE name = $1 AND value = $2";
        on!(tx, conn => sqlx::query(sql).bind(name).bind(value)
            .execute(conn).await.map(|done| done.rows_affected() == 1))
        .or_fault()
    }

    /// One transaction at a time decides about admins and keys.
    pub async fn lock_admins(&self, tx: &mut Tx) -> Result<(), Fault> {
        self.set_setting(tx, "lock", "").await
    }

    /// Counts one use of a limit: answers `Err` with the moment at which it would be unused, when there is no use left.
    /// A moment farther away than this limit can ever set it was written by a clock that has been set back since: it counts
    /// for nothing, or the account would be shut until then.
    pub async fn take_attempt(
        &self,
        tx: &mut Tx,
        key: &str,
        now: Millis,
        every_ms: i64,
        slack_ms: i64,
    ) -> Result<Result<(), i64>, Fault> {
        let sql = "INSERT INTO attempts (key, free_at) VALUES ($1, $2 + $3) ON CONFLICT (key) DO UPDATE SET
             free_at = CASE WHEN attempts.free_at > $2 AND attempts.free_at - $2 <= $5 THEN attempts.free_at ELSE $2 END + $3
             WHERE attempts.free_at - $2 <= $4 OR attempts.free_at - $2 > $5";
        let far_ms = slack_ms + every_ms + CLOCKS_APART_MS;
        let taken = on!(tx, conn => sqlx::query(sql).bind(key).bind(now).bind(every_ms).bind(slack_ms).bind(far_ms)
            .execute(conn).await.map(|done| done.rows_affected() == 1))
        .or_fault()?;
        if taken {
            return Ok(Ok(()));
        }
        let row: Option<(i64,)> = on!(tx, conn => sqlx::query_as("SELECT free_at FROM attempts WHERE key = $1")
            .bind(key).fetch_optional(conn).await)
        .or_fault()?;
        Ok(Err(row.map_or(now, |(free_at,)| free_at)))
    }

    /// Takes one use back.
    pub async fn give_back_attempt(&self, tx: &mut Tx, key: &str, every_ms: i64) -> Result<(), Fault> {
        on!(tx, conn => sqlx::query("UPDATE attempts SET free_at = free_at - $2 WHERE key = $1")
            .bind(key).bind(every_ms).execute(conn).await.map(drop))
        .or_fault()
    }
}
