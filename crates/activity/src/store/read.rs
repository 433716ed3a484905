//! Reads: one statement each, by the leading key.

use std::collections::{HashMap, HashSet};

use contract::{
    Fault, Millis, ProfileId, TitleId,
    activity::{InteractionCount, Opinion, RecentActivity, SEEN_SHARE, TimeKey, TitleRatings, TitleState},
};
use platform::{db::OrFault as _, on};
use sqlx::AssertSqlSafe;

use super::{RatingsRow, StateRow, Store, json, ratings_columns, state_columns, state_of, with_rows};
use crate::{
    rules::opinion_of,
    service::{LISTED_MAX, RECENT_MAX, SEEN_BEFORE_MAX, newest_first},
};

/// The lists of a profile by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    Rated,
    Watched,
    Listed,
}

impl ListKind {
    fn column(self) -> &'static str {
        match self {
            Self::Rated => "rated_at",
            Self::Watched => "watched_at",
            Self::Listed => "listed_at",
        }
    }

    /// The time that the list is sorted by.
    pub fn at(self, state: &TitleState) -> Millis {
        match self {
            Self::Rated => state.rated_at,
            Self::Watched => state.progress.as_ref().map(|progress| progress.at),
            Self::Listed => state.listed_at,
        }
        .unwrap_or(0)
    }
}

const LISTING: &str = "SELECT profile_id FROM states WHERE title_id = $1 AND listed_at IS NOT NULL LIMIT $2";

impl Store {
    /// Profiles that have a title on their list, at most `limit`.
    pub async fn listing(&self, title: TitleId, limit: usize) -> Result<Vec<ProfileId>, Fault> {
        let rows: Vec<(i64,)> =
            on!(self.db, pool => sqlx::query_as(LISTING).bind(title.0).bind(limit as i64).fetch_all(pool).await)
                .or_fault()?;
        Ok(rows.into_iter().map(|(profile,)| ProfileId(profile)).collect())
    }

    /// What is listed, and the newest of the rest: one range of the key, one round trip.
    pub async fn recent(&self, profile: ProfileId) -> Result<RecentActivity, Fault> {
        // A bound LIMIT would have SQLite plan the statement anew every time.
        const RECENT_ROWS: usize = 1_000;
        const { assert!(RECENT_MAX + LISTED_MAX as usize == RECENT_ROWS) };
        let sql = concat!(
            "SELECT ",
            state_columns!(),
            " FROM states s WHERE s.profile_id = $1 ORDER BY CASE WHEN s.listed_at IS NULL THEN 1 ELSE 0 END, \
             s.last_at DESC LIMIT 1000"
        );
        let rows: Vec<StateRow> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(profile.0).fetch_all(pool).await).or_fault()?;
        let mut states: Vec<_> = rows.into_iter().map(state_of).collect();
        let mut listed: Vec<_> = states
            .iter()
            .filter_map(|state| Some((state.listed_at?, state.title)))
            .collect();
        listed.sort_unstable_by(|a, b| b.cmp(a));
        newest_first(&mut states);
        let is_all = states.len() < RECENT_ROWS;
        let mut recent = RecentActivity {
            states,
            listed: listed.into_iter().map(|(_, title)| title).collect(),
            ..RecentActivity::default()
        };
        recent.keep_newest(RECENT_MAX);
        if !is_all {
            (recent.seen_before, recent.disliked_before) = self.seen(profile, &recent.states).await?;
        }
        recent.states.shrink_to_fit();
        Ok(recent)
    }

    /// What was seen and what of it was disliked, but for `known`: for the few who have done more than `recent` reads at once.
    async fn seen(&self, profile: ProfileId, known: &[TitleState]) -> Result<(Vec<TitleId>, Vec<TitleId>), Fault> {
        let known: HashSet<TitleId> = known.iter().map(|state| state.title).collect();
        let sql = "SELECT s.title_id, s.opinion FROM states s WHERE s.profile_id = $1 \
             AND (s.opinion IS NOT NULL OR s.finished OR s.watched >= $2) ORDER BY s.last_at DESC LIMIT $3";
        let limit = (SEEN_BEFORE_MAX + RECENT_MAX) as i64;
        let rows: Vec<(i64, Option<i64>)> = on!(&self.db, pool => sqlx::query_as(sql)
            .bind(profile.0).bind(f64::from(SEEN_SHARE)).bind(limit).fetch_all(pool).await)
        .or_fault()?;
        let before = || rows.iter().filter(|(title, _)| !known.contains(&TitleId(*title)));
        let seen = before().map(|(title, _)| TitleId(*title)).take(SEEN_BEFORE_MAX);
        let disliked = before().filter(|(_, opinion)| opinion.and_then(opinion_of) == Some(Opinion::Dislike));
        let disliked = disliked.map(|(title, _)| TitleId(*title)).take(SEEN_BEFORE_MAX);
        Ok((seen.collect(), disliked.collect()))
    }

    pub async fn states(&self, profile: ProfileId, titles: &[TitleId]) -> Result<Vec<TitleState>, Fault> {
        if let [title] = titles {
            return self
                .state(profile, *title)
                .await
                .map(|state| state.into_iter().collect());
        }
        let engine = self.db.engine();
        let sql = with_rows(
            concat!(
                "SELECT ",
                state_columns!(),
                " FROM JSON_ROWS CROSS JOIN states s WHERE s.profile_id = $2 AND s.title_id = CAST(k.value->>0 AS BIGINT)"
            ),
            &engine,
        );
        let mut keys: Vec<[i64; 1]> = titles.iter().map(|title| [title.0]).collect();
        keys.sort_unstable();
        keys.dedup();
        let keys = json(&keys)?;
        let rows: Vec<StateRow> =
            on!(engine, pool => sqlx::query_as(sql).bind(keys).bind(profile.0).fetch_all(pool).await).or_fault()?;
        Ok(rows.into_iter().map(state_of).collect())
    }

    async fn state(&self, profile: ProfileId, title: TitleId) -> Result<Option<TitleState>, Fault> {
        let sql = concat!(
            "SELECT ",
            state_columns!(),
            " FROM states s WHERE s.profile_id = $1 AND s.title_id = $2"
        );
        let row: Option<StateRow> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(profile.0).bind(title.0).fetch_optional(pool).await)
                .or_fault()?;
        Ok(row.map(state_of))
    }

    pub async fn ratings(&self, titles: &[TitleId]) -> Result<HashMap<TitleId, TitleRatings>, Fault> {
        let engine = self.db.engine();
        let sql = with_rows(
            concat!(
                "SELECT ",
                ratings_columns!(),
                " FROM JSON_ROWS CROSS JOIN title_ratings WHERE title_id = CAST(k.value->>0 AS BIGINT)"
            ),
            &engine,
        );
        let keys: Vec<[i64; 1]> = titles.iter().map(|title| [title.0]).collect();
        let keys = json(&keys)?;
        let rows: Vec<RatingsRow> =
            on!(engine, pool => sqlx::query_as(sql).bind(keys).fetch_all(pool).await).or_fault()?;
        Ok(rows.into_iter().map(|row| (row.0.title, row.0)).collect())
    }

    /// A page of a list, newest first, after `after`.
    pub async fn page(
        &self,
        kind: ListKind,
        profile: ProfileId,
        after: Option<TimeKey>,
        limit: usize,
    ) -> Result<Vec<TitleState>, Fault> {
        let column = kind.column();
        let columns = state_columns!();
        let sql = AssertSqlSafe(format!(
            "SELECT {columns} FROM states s WHERE s.profile_id = $1 AND s.{column} IS NOT NULL
             AND (s.{column}, s.title_id) < ($2, $3) ORDER BY s.{column} DESC, s.title_id DESC LIMIT $4"
        ));
        let (at, title) = after.map_or((i64::MAX, i64::MAX), |key| (key.at, key.title.0));
        let rows: Vec<StateRow> = on!(&self.db, pool => sqlx::query_as(sql)
            .bind(profile.0).bind(at).bind(title).bind(limit as i64).fetch_all(pool).await)
        .or_fault()?;
        Ok(rows.into_iter().map(state_of).collect())
    }

    pub async fn count(&self) -> Result<InteractionCount, Fault> {
        let sql = "SELECT CAST(COALESCE(SUM(changes), 0) AS BIGINT), CAST(COALESCE(SUM(profiles), 0) AS BIGINT) FROM counters";
        let (changes, profiles): (i64, i64) =
            on!(&self.db, pool => sqlx::query_as(sql).fetch_one(pool).await).or_fault()?;
        Ok(InteractionCount {
            changes: changes.max(0) as u64,
            profiles: profiles.max(0) as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use platform::{db::Engine, test_support::databases};
    use sqlx::AssertSqlSafe;

    use super::*;

    #[tokio::test]
    async fn who_lists_a_title_is_looked_up_and_not_searched_for() {
        for database in databases().await {
            let db = database.open("activity", &crate::MIGRATIONS).await;
            let plan: Vec<String> = match db.engine() {
                Engine::Sqlite(pool) => {
                    let sql = format!("EXPLAIN QUERY PLAN {LISTING}");
                    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(sql))
                        .bind(1)
                        .bind(1)
                        .fetch_all(pool)
                        .await
                        .unwrap();
                    rows.into_iter().map(|row| row.3).collect()
                }
                Engine::Postgres(pool) => {
                    let mut conn = pool.acquire().await.unwrap();
                    // A table without rows is read as a whole, whatever indices it has.
                    sqlx::query("SET enable_seqscan = off")
                        .execute(&mut *conn)
                        .await
                        .unwrap();
                    let sql = format!("EXPLAIN {LISTING}");
                    let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(sql))
                        .bind(1_i64)
                        .bind(1_i64)
                        .fetch_all(&mut *conn)
                        .await
                        .unwrap();
                    rows.into_iter().map(|row| row.0).collect()
                }
            };
            let plan = plan.join("\n");
            assert!(plan.contains("states_listed"), "{}: {plan}", database.name);
        }
    }
}
