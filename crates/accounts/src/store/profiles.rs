//! Table `profiles`.

use contract::{
    AccountId, Fault, ProfileId,
    accounts::{MATURITY_ANY, Profile},
};
use platform::{Tx, db::OrFault as _, on};

use super::Store;

#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: i64,
    account_id: i64,
    name: String,
    avatar: String,
    kids: bool,
    maturity_max: i64,
    preferences: String,
    onboarded: bool,
    created_at: i64,
}

macro_rules! columns {
    () => {
        "id, account_id, name, avatar, kids, maturity_max, preferences, onboarded, created_at"
    };
}

impl TryFrom<Row> for Profile {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let unreadable = |error: serde_json::Error| Fault::Internal(format!("a profile's preferences: {error}"));
        Ok(Self {
            id: row.id.into(),
            account: row.account_id.into(),
            name: row.name,
            avatar: row.avatar,
            kids: row.kids,
            maturity_max: u8::try_from(row.maturity_max).unwrap_or(0).min(MATURITY_ANY),
            preferences: serde_json::from_str(&row.preferences).map_err(unreadable)?,
            onboarded: row.onboarded,
            created_at: row.created_at,
        })
    }
}

fn preferences(profile: &Profile) -> Result<String, Fault> {
    serde_json::to_string(&profile.preferences).map_err(|error| Fault::Internal(error.to_string()))
}

impl Store {
    /// Oldest first.
    pub async fn profiles(&self, account: AccountId) -> Result<Vec<Profile>, Fault> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM profiles WHERE account_id = $1 ORDER BY id"
        );
        let rows: Vec<Row> =
            on!(self.db, pool => sqlx::query_as(sql).bind(account.0).fetch_all(pool).await).or_fault()?;
        rows.into_iter().map(Profile::try_from).collect()
    }

    pub async fn profiles_in(&self, tx: &mut Tx, account: AccountId) -> Result<Vec<Profile>, Fault> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM profiles WHERE account_id = $1 ORDER BY id"
        );
        let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(sql).bind(account.0).fetch_all(conn).await).or_fault()?;
        rows.into_iter().map(Profile::try_from).collect()
    }

    pub async fn profile(&self, account: AccountId, profile: ProfileId) -> Result<Option<Profile>, Fault> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM profiles WHERE id = $1 AND account_id = $2"
        );
        let row: Option<Row> = on!(self.db, pool => sqlx::query_as(sql).bind(profile.0).bind(account.0)
            .fetch_optional(pool).await)
        .or_fault()?;
        row.map(Profile::try_from).transpose()
    }

    pub async fn insert_profile(&self, tx: &mut Tx, profile: &Profile) -> Result<(), Fault> {
        let sql = "INSERT INTO profiles (id, account_id, name, avatar, kids, maturity_max, preferences, onboarded, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        on!(tx, conn => sqlx::query(sql).bind(profile.id.0).bind(profile.account.0).bind(&profile.name)
            .bind(&profile.avatar).bind(profile.kids).bind(i64::from(profile.maturity_max)).bind(preferences(profile)?)
            .bind(profile.onboarded).bind(profile.created_at).execute(conn).await.map(drop))
        .or_fault()
    }

    pub async fn update_profile(&self, tx: &mut Tx, profile: &Profile) -> Result<(), Fault> {
        let sql =
            "UPDATE profiles SET name = $2, avatar = $3, kids = $4, maturity_max = $5, preferences = $6, onboarded = $7
             WHERE id = $1";
        on!(tx, conn => sqlx::query(sql).bind(profile.id.0).bind(&profile.name).bind(&profile.avatar).bind(profile.kids)
            .bind(i64::from(profile.maturity_max)).bind(preferences(profile)?).bind(profile.onboarded)
            .execute(conn).await.map(drop))
        .or_fault()
    }

    pub async fn delete_profile(&self, tx: &mut Tx, profile: ProfileId) -> Result<(), Fault> {
        on!(tx, conn => sqlx::query("DELETE FROM profiles WHERE id = $1").bind(profile.0).execute(conn).await.map(drop))
            .or_fault()
    }
}
