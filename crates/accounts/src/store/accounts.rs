//! Table `accounts`.

use contract::{
    AccountId, Fault, Millis,
    accounts::{Account, Role},
};
use platform::{Tx, db::OrFault as _, on};

use super::Store;

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AccountRow {
    pub id: i64,
    pub email: String,
    pub name: String,
    role: String,
    pub password_hash: String,
    created_at: i64,
}

macro_rules! columns {
    () => {
        "id, email, name, role, password_hash, created_at"
    };
}

impl AccountRow {
    pub fn account(&self) -> Account {
        Account {
            id: self.id.into(),
            email: self.email.clone(),
            name: self.name.clone(),
            role: role(&self.role),
            created_at: self.created_at,
        }
    }
}

/// A role that this version does not know may do the least.
fn role(name: &str) -> Role {
    match name {
        "admin" => Role::Admin,
        "curator" => Role::Curator,
        _ => Role::Viewer,
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Curator => "curator",
        Role::Viewer => "viewer",
    }
}

impl Store {
    /// `false`: the address has an account already.
    pub async fn insert_account(&self, tx: &mut Tx, account: &Account, password_hash: &str) -> Result<bool, Fault> {
        let sql =
            "INSERT INTO accounts (id, email, name, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (email) DO NOTHING";
        on!(tx, conn => sqlx::query(sql).bind(account.id.0).bind(&account.email).bind(&account.name)
            .bind(role_name(account.role)).bind(password_hash).bind(account.created_at)
            .execute(conn).await.map(|done| done.rows_affected() == 1))
        .or_fault()
    }

    pub async fn account(&self, id: AccountId) -> Result<Option<AccountRow>, Fault> {
        let sql = concat!("SELECT ", columns!(), " FROM accounts WHERE id = $1");
        on!(self.db, pool => sqlx::query_as(sql).bind(id.0).fetch_optional(pool).await).or_fault()
    }

    pub async fn account_by_email(&self, email: &str) -> Result<Option<AccountRow>, Fault> {
        let sql = concat!("SELECT ", columns!(), " FROM accounts WHERE email = $1");
        on!(self.db, pool => sqlx::query_as(sql).bind(email).fetch_optional(pool).await).or_fault()
    }

    /// Notes a log-in and holds the account until the transaction ends. `None`: it is gone, or has another password by now.
    pub async fn lock_signing_in(
        &self,
        tx: &mut Tx,
        id: AccountId,
        hash: &str,
        now: Millis,
    ) -> Result<Option<AccountRow>, Fault> {
        let sql = concat!(
            "UPDATE accounts SET signed_in_at = $3 WHERE id = $1 AND password_hash = $2 RETURNING ",
            columns!()
        );
        on!(tx, conn => sqlx::query_as(sql).bind(id.0).bind(hash).bind(now).fetch_optional(conn).await).or_fault()
    }

    /// Holds the account until the transaction ends; `None` when there is none.
    pub async fn lock_account(&self, tx: &mut Tx, id: AccountId) -> Result<Option<AccountRow>, Fault> {
        let sql = concat!("UPDATE accounts SET id = id WHERE id = $1 RETURNING ", columns!());
        on!(tx, conn => sqlx::query_as(sql).bind(id.0).fetch_optional(conn).await).or_fault()
    }

    /// `false`: it was changed (or the account deleted) since `old` was looked at.
    pub async fn set_password(&self, tx: &mut Tx, id: AccountId, old: &str, new: &str) -> Result<bool, Fault> {
        let sql = "UPDATE accounts SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
        on!(tx, conn => sqlx::query(sql).bind(id.0).bind(old).bind(new)
            .execute(conn).await.map(|done| done.rows_affected() == 1))
        .or_fault()
    }

    pub async fn set_role(&self, tx: &mut Tx, id: AccountId, role: Role) -> Result<(), Fault> {
        on!(tx, conn => sqlx::query("UPDATE accounts SET role = $2 WHERE id = $1").bind(id.0).bind(role_name(role))
            .execute(conn).await.map(drop))
        .or_fault()
    }

    pub async fn delete_account(&self, tx: &mut Tx, id: AccountId) -> Result<(), Fault> {
        on!(tx, conn => sqlx::query("DELETE FROM accounts WHERE id = $1").bind(id.0).execute(conn).await.map(drop))
            .or_fault()
    }

    /// How many admins there are. Call [`Store::lock_admins`] first where a decision rests on it.
    pub async fn count_admins(&self, tx: &mut Tx) -> Result<i64, Fault> {
        let row: (i64,) = on!(tx, conn =>
            sqlx::query_as("SELECT COUNT(*) FROM accounts WHERE role = 'admin'").fetch_one(conn).await)
        .or_fault()?;
        Ok(row.0)
    }

    /// Everybody whose address or name has `query` in it, oldest first.
    pub async fn list_accounts(&self, query: &str, after: i64, limit: i64) -> Result<Vec<AccountRow>, Fault> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM accounts WHERE id > $1 AND (LOWER(email) LIKE $2 ESCAPE '!' OR LOWER(name) LIKE $2 ESCAPE '!')
              ORDER BY id LIMIT $3"
        );
        let pattern = format!("%{}%", escape(&query.to_lowercase()));
        on!(self.db, pool => sqlx::query_as(sql).bind(after).bind(&pattern).bind(limit).fetch_all(pool).await)
            .or_fault()
    }
}

/// `%` and `_` mean themselves.
fn escape(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
