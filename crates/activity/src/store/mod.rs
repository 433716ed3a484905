//! The room's tables. Reads are in [`read`], transactions of commands in [`write`], whole data sets in [`bulk`] and [`page`].

mod bulk;
mod page;
mod read;
mod viewers;
mod write;

use std::sync::LazyLock;

use contract::{
    Fault, TitleId,
    activity::{Progress, TitleRatings, TitleState},
};
use platform::{
    Db, Inputs,
    db::{Engine, OrFault as _},
    on,
};
use sqlx::AssertSqlSafe;

pub use read::ListKind;

use crate::rules;

/// Shards of the totals.
const SHARDS: i64 = 16;

/// The database with what writing needs.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Db,
    inputs: Inputs,
    /// Rows of a transaction where there are many, so that others have their turn between two.
    portion: usize,
}

impl Store {
    pub fn new(db: Db, inputs: Inputs, portion: usize) -> Self {
        Self {
            db,
            inputs,
            portion: portion.max(1),
        }
    }

    /// How many transactions the engine can work on at once to any good.
    pub fn writers_max(&self) -> usize {
        match self.db.engine() {
            Engine::Sqlite(_) => 1,
            Engine::Postgres(_) => 4,
        }
    }
}

/// Statements over many rows take them as one JSON array of arrays, `k.value`: the one form that both engines have.
fn with_rows<S, P>(sql: &str, engine: &Engine<S, P>) -> AssertSqlSafe<String> {
    let rows = match engine {
        Engine::Sqlite(_) => "json_each($1) AS k",
        Engine::Postgres(_) => "jsonb_array_elements($1::jsonb) AS k(value)",
    };
    // The text is ours twice over; values are bound.
    AssertSqlSafe(sql.replace("JSON_ROWS", rows))
}

fn json(rows: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(rows).map_err(|error| Fault::Internal(error.to_string()))
}

/// The columns of a state, in the order of [`StateRow`].
macro_rules! state_columns {
    () => {
        "s.profile_id, s.title_id, s.opinion, s.rated_at, s.position_ms, s.duration_ms, s.watched, s.finished, s.watched_at, \
         s.listed_at"
    };
}
use state_columns;

type StateRow = (
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<f64>,
    Option<bool>,
    Option<i64>,
    Option<i64>,
);

fn state_of(row: StateRow) -> TitleState {
    let (_, title, opinion, rated_at, position_ms, duration_ms, watched, finished, watched_at, listed_at) = row;
    let progress = watched_at.map(|at| Progress {
        position_ms: position_ms.unwrap_or(0) as u64,
        duration_ms: duration_ms.unwrap_or(0) as u64,
        watched: watched.unwrap_or(0.0) as f32,
        finished: finished.unwrap_or(false),
        at,
    });
    TitleState {
        title: TitleId(title),
        opinion: opinion.and_then(rules::opinion_of),
        rated_at,
        progress,
        listed_at,
    }
}

/// The columns of a title's figures, in the order that [`ratings_of`] reads.
macro_rules! ratings_columns {
    () => {
        "title_id, stars_1, stars_2, stars_3, stars_4, stars_5, stars_6, stars_7, stars_8, stars_9, stars_10, likes, dislikes, \
         version"
    };
}
use ratings_columns;

/// One row of `title_ratings`: more columns than a tuple may have.
struct RatingsRow(TitleRatings);

impl<'r, R> sqlx::FromRow<'r, R> for RatingsRow
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let mut histogram = [0u64; 10];
        for (index, count) in histogram.iter_mut().enumerate() {
            *count = row.try_get::<i64, _>(index + 1)?.max(0) as u64;
        }
        Ok(Self(TitleRatings {
            title: TitleId(row.try_get(0)?),
            histogram,
            likes: row.try_get::<i64, _>(11)?.max(0) as u64,
            dislikes: row.try_get::<i64, _>(12)?.max(0) as u64,
            version: row.try_get(13)?,
        }))
    }
}

fn shard_of(profile: i64) -> i64 {
    profile.rem_euclid(SHARDS)
}

/// By how much each figure of a title changes.
type Deltas = std::collections::BTreeMap<TitleId, [i64; 12]>;

/// Adds to the figures of titles, in the order of titles; answers the new ones.
async fn add_ratings(tx: &mut platform::Tx, deltas: &Deltas) -> Result<Vec<TitleRatings>, Fault> {
    let mut changed = Vec::with_capacity(deltas.len());
    let rows: Vec<Vec<i64>> = deltas
        .iter()
        .filter(|(_, delta)| delta.iter().any(|&count| count != 0))
        .map(|(title, delta)| std::iter::once(title.0).chain(*delta).collect())
        .collect();
    for rows in rows.chunks(ADDED_AT_ONCE) {
        let answered: Vec<RatingsRow> = match tx.engine() {
            // Many titles come from imports only. Taking the thirteen figures of each out of JSON would take twice as long.
            Engine::Sqlite(conn) if rows.len() == ADDED_AT_ONCE => {
                let mut query = sqlx::query_as(AssertSqlSafe(ADD_MANY.as_str()));
                for figure in rows.iter().flatten() {
                    query = query.bind(*figure);
                }
                query.fetch_all(conn).await.or_fault()?
            }
            engine => {
                let sql = with_rows(ADD_RATINGS, &engine);
                let rows = json(&rows)?;
                on!(engine, conn => sqlx::query_as(sql).bind(rows).fetch_all(conn).await).or_fault()?
            }
        };
        changed.extend(answered.into_iter().map(|row| row.0));
    }
    changed.sort_by_key(|ratings| ratings.title);
    Ok(changed)
}

/// Rows a statement.
const ADDED_AT_ONCE: usize = 500;

/// What is there already grows.
macro_rules! add_to_figures {
    () => {
        concat!(
            " ON CONFLICT (title_id) DO UPDATE SET stars_1 = title_ratings.stars_1 + excluded.stars_1, \
             stars_2 = title_ratings.stars_2 + excluded.stars_2, stars_3 = title_ratings.stars_3 + excluded.stars_3, \
             stars_4 = title_ratings.stars_4 + excluded.stars_4, stars_5 = title_ratings.stars_5 + excluded.stars_5, \
             stars_6 = title_ratings.stars_6 + excluded.stars_6, stars_7 = title_ratings.stars_7 + excluded.stars_7, \
             stars_8 = title_ratings.stars_8 + excluded.stars_8, stars_9 = title_ratings.stars_9 + excluded.stars_9, \
             stars_10 = title_ratings.stars_10 + excluded.stars_10, likes = title_ratings.likes + excluded.likes, \
             dislikes = title_ratings.dislikes + excluded.dislikes, version = title_ratings.version + 1 RETURNING ",
            ratings_columns!()
        )
    };
}

const ADD_RATINGS: &str = concat!(
    "INSERT INTO title_ratings (",
    ratings_columns!(),
    ") SELECT CAST(k.value->>0 AS BIGINT), CAST(k.value->>1 AS BIGINT), CAST(k.value->>2 AS BIGINT), \
     CAST(k.value->>3 AS BIGINT), CAST(k.value->>4 AS BIGINT), CAST(k.value->>5 AS BIGINT), CAST(k.value->>6 AS BIGINT), \
     CAST(k.value->>7 AS BIGINT), CAST(k.value->>8 AS BIGINT), CAST(k.value->>9 AS BIGINT), CAST(k.value->>10 AS BIGINT), \
     CAST(k.value->>11 AS BIGINT), CAST(k.value->>12 AS BIGINT), 1 FROM JSON_ROWS WHERE TRUE",
    add_to_figures!()
);

/// The same for [`ADDED_AT_ONCE`] rows, bound one figure after the other.
static ADD_MANY: LazyLock<String> = LazyLock::new(|| {
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"; ADDED_AT_ONCE].join(", ");
    let head = concat!("INSERT INTO title_ratings (", ratings_columns!(), ") VALUES ");
    [head, &rows, add_to_figures!()].concat()
});

/// Adds to the totals: (changes, profiles) by shard, in the order of shards.
async fn add_counters(tx: &mut platform::Tx, added: &std::collections::BTreeMap<i64, (i64, i64)>) -> Result<(), Fault> {
    let rows: Vec<(i64, i64, i64)> = added
        .iter()
        .map(|(shard, (changes, profiles))| (*shard, *changes, *profiles))
        .collect();
    let engine = tx.engine();
    let sql = with_rows(
        "INSERT INTO counters (shard, changes, profiles) SELECT CAST(k.value->>0 AS BIGINT), \
         CAST(k.value->>1 AS BIGINT), CAST(k.value->>2 AS BIGINT) FROM JSON_ROWS WHERE TRUE
         ON CONFLICT (shard) DO UPDATE SET changes = counters.changes + excluded.changes, \
         profiles = counters.profiles + excluded.profiles",
        &engine,
    );
    let rows = json(&rows)?;
    on!(engine, conn => sqlx::query(sql).bind(rows).execute(conn).await.map(drop)).or_fault()
}
