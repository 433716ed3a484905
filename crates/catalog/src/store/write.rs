//! The room's tables: writing. One way for one title and for two hundred thousand: rows as a JSON document, one statement
//! a table, inside the caller's transaction.

use std::collections::HashMap;

use contract::{
    AssetId, EventId, Fault, Millis, TitleId,
    activity::TitleRatings,
    catalog::{ArtworkShape, CreditRole, ExternalId, NewCredit, Window},
};
use platform::{
    Tx,
    db::{Engine, OrFault as _},
    on,
};
use serde::Serialize;

use crate::model::{json_ids, role_name};

/// A title to insert, or to change where its id is known.
#[derive(Debug, Clone, Serialize)]
pub struct TitleRow {
    pub id: i64,
    pub kind: &'static str,
    pub name: String,
    pub original_name: Option<String>,
    pub year: Option<i64>,
    /// A JSON array.
    pub genres: String,
    pub description: String,
    pub maturity: i64,
    pub duration_ms: Option<i64>,
    pub published: bool,
    pub series: Option<i64>,
    pub season: Option<i64>,
    pub episode: Option<i64>,
    pub imported_digest: Option<i64>,
    pub at: Millis,
}

const COLUMNS: &str =
    "id, kind, name, original_name, year, genres, description, maturity, duration_ms, published, series, season, episode,
     imported_digest, created_at, updated_at";

/// A change of name, year or genres changes the drawn picture.
const ON_CONFLICT: &str = "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name,
    original_name = excluded.original_name, year = excluded.year, genres = excluded.genres,
    description = excluded.description, maturity = excluded.maturity, duration_ms = excluded.duration_ms,
    published = excluded.published, series = excluded.series, season = excluded.season, episode = excluded.episode,
    imported_digest = excluded.imported_digest, updated_at = excluded.updated_at,
    artwork_version = titles.artwork_version + CASE WHEN titles.name <> excluded.name OR titles.genres <> excluded.genres
        OR titles.year IS DISTINCT FROM excluded.year THEN 1 ELSE 0 END";

/// Rows per statement: a few megabytes of JSON.
const CHUNK: usize = 5_000;

/// Runs a statement for chunks of rows given as a JSON array; returns how many rows it touched.
async fn run<T: Serialize>(tx: &mut Tx, rows: &[T], sqlite: &str, postgres: &str) -> Result<u64, Fault> {
    let mut touched = 0;
    for chunk in rows.chunks(CHUNK) {
        let json = serde_json::to_string(chunk).map_err(|error| Fault::Internal(error.to_string()))?;
        touched += match tx.engine() {
            Engine::Sqlite(conn) => sqlx::query(sqlx::AssertSqlSafe(sqlite.to_owned()))
                .bind(json)
                .execute(conn)
                .await
                .map(|done| done.rows_affected()),
            Engine::Postgres(conn) => sqlx::query(sqlx::AssertSqlSafe(postgres.to_owned()))
                .bind(json)
                .execute(conn)
                .await
                .map(|done| done.rows_affected()),
        }
        .or_fault()?;
    }
    Ok(touched)
}

/// Begins a change of titles. On PostgreSQL it keeps writers one after another, as SQLite does by itself.
pub async fn lock(tx: &mut Tx) -> Result<(), Fault> {
    match tx.engine() {
        Engine::Sqlite(_) => Ok(()),
        Engine::Postgres(conn) => sqlx::query("SELECT version FROM catalog_version FOR UPDATE")
            .execute(conn)
            .await
            .map(drop)
            .or_fault(),
    }
}

/// Notes the last event that tells of a change of titles.
pub async fn put_version(tx: &mut Tx, event: EventId) -> Result<(), Fault> {
    on!(tx, conn => sqlx::query("UPDATE catalog_version SET version = $1").bind(event.0).execute(conn).await.map(drop))
        .or_fault()
}

/// Inserts titles or changes them.
pub async fn put_titles(tx: &mut Tx, rows: &[TitleRow]) -> Result<(), Fault> {
    let sqlite = format!(
        "INSERT INTO titles ({COLUMNS}) SELECT value->>'id', value->>'kind', value->>'name', value->>'original_name',
           value->>'year', value->>'genres', value->>'description', value->>'maturity', value->>'duration_ms',
           value->>'published', value->>'series', value->>'season', value->>'episode', value->>'imported_digest',
           value->>'at', value->>'at' FROM json_each($1) WHERE TRUE {ON_CONFLICT}"
    );
    let postgres = format!(
        "INSERT INTO titles ({COLUMNS}) SELECT id, kind, name, original_name, year, genres, description, maturity,
           duration_ms, published, series, season, episode, imported_digest, at, at
         FROM json_to_recordset($1::JSON) AS r(id BIGINT, kind TEXT, name TEXT, original_name TEXT, year BIGINT, genres TEXT,
           description TEXT, maturity BIGINT, duration_ms BIGINT, published BOOLEAN, series BIGINT, season BIGINT,
           episode BIGINT, imported_digest BIGINT, at BIGINT) {ON_CONFLICT}"
    );
    run(tx, rows, &sqlite, &postgres).await.map(drop)
}

#[derive(Serialize)]
struct ExternalRow<'a> {
    source: &'a str,
    id: &'a str,
    title: i64,
    place: usize,
}

/// Adds external ids; returns how many were not somebody else's.
pub async fn put_external(tx: &mut Tx, titles: &[(TitleId, &[ExternalId])]) -> Result<u64, Fault> {
    let rows: Vec<ExternalRow> = titles
        .iter()
        .flat_map(|(title, ids)| {
            ids.iter().enumerate().map(|(place, id)| ExternalRow {
                source: &id.source,
                id: &id.id,
                title: title.0,
                place,
            })
        })
        .collect();
    let sqlite = "INSERT INTO external_ids (source, id, title, place)
        SELECT value->>'source', value->>'id', value->>'title', value->>'place' FROM json_each($1) WHERE TRUE
        ON CONFLICT (source, id) DO NOTHING";
    let postgres = "INSERT INTO external_ids (source, id, title, place) SELECT source, id, title, place
        FROM json_to_recordset($1::JSON) AS r(source TEXT, id TEXT, title BIGINT, place BIGINT)
        ON CONFLICT (source, id) DO NOTHING";
    run(tx, &rows, sqlite, postgres).await
}

#[derive(Serialize)]
struct CreditRow {
    title: i64,
    place: usize,
    person: i64,
    role: &'static str,
}

#[derive(Serialize)]
struct PersonRow<'a> {
    id: i64,
    name: &'a str,
}

/// Replaces the credits of titles; people not seen before get an id from `new_id`.
pub async fn put_credits(
    tx: &mut Tx,
    titles: &[(TitleId, &[NewCredit])],
    mut new_id: impl FnMut() -> i64,
) -> Result<(), Fault> {
    let ids: Vec<TitleId> = titles.iter().map(|(title, _)| *title).collect();
    delete_of(tx, "credits", &ids).await?;
    let mut names: Vec<&str> = titles
        .iter()
        .flat_map(|(_, credits)| credits.iter().map(|credit| credit.name.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Ok(());
    }
    let people = people(tx, &names, &mut new_id).await?;
    let rows: Vec<CreditRow> = titles
        .iter()
        .flat_map(|(title, credits)| {
            credits
                .iter()
                .enumerate()
                .map(|(place, credit)| (*title, place, credit))
        })
        .filter_map(|(title, place, credit)| {
            let role: CreditRole = credit.role;
            Some(CreditRow {
                title: title.0,
                place,
                person: *people.get(&credit.name)?,
                role: role_name(role),
            })
        })
        .collect();
    let sqlite = "INSERT INTO credits (title, place, person, role)
        SELECT value->>'title', value->>'place', value->>'person', value->>'role' FROM json_each($1)";
    let postgres = "INSERT INTO credits (title, place, person, role) SELECT title, place, person, role
        FROM json_to_recordset($1::JSON) AS r(title BIGINT, place BIGINT, person BIGINT, role TEXT)";
    run(tx, &rows, sqlite, postgres).await.map(drop)
}

/// The ids of people by name, making those that are new.
async fn people(tx: &mut Tx, names: &[&str], new_id: &mut impl FnMut() -> i64) -> Result<HashMap<String, i64>, Fault> {
    let rows: Vec<PersonRow> = names.iter().map(|name| PersonRow { id: new_id(), name }).collect();
    let sqlite = "INSERT INTO people (id, name) SELECT value->>'id', value->>'name' FROM json_each($1) WHERE TRUE
        ON CONFLICT (name) DO NOTHING";
    let postgres =
        "INSERT INTO people (id, name) SELECT id, name FROM json_to_recordset($1::JSON) AS r(id BIGINT, name TEXT)
        ON CONFLICT (name) DO NOTHING";
    run(tx, &rows, sqlite, postgres).await?;
    let known: Vec<(String, i64)> = match tx.engine() {
        Engine::Sqlite(conn) => {
            let list = serde_json::to_string(names).map_err(|error| Fault::Internal(error.to_string()))?;
            let sql = "SELECT name, id FROM people WHERE name IN (SELECT value FROM json_each($1))";
            sqlx::query_as(sql).bind(list).fetch_all(conn).await
        }
        Engine::Postgres(conn) => {
            sqlx::query_as("SELECT name, id FROM people WHERE name = ANY($1)")
                .bind(names)
                .fetch_all(conn)
                .await
        }
    }
    .or_fault()?;
    Ok(known.into_iter().collect())
}

/// Deletes the rows of titles from a table that has a column `title`.
async fn delete_of(tx: &mut Tx, table: &'static str, ids: &[TitleId]) -> Result<(), Fault> {
    for chunk in ids.chunks(CHUNK) {
        match tx.engine() {
            Engine::Sqlite(conn) => {
                let sql = format!("DELETE FROM {table} WHERE title IN (SELECT value FROM json_each($1))");
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(json_ids(chunk))
                    .execute(conn)
                    .await
                    .map(drop)
            }
            Engine::Postgres(conn) => {
                let list: Vec<i64> = chunk.iter().map(|id| id.0).collect();
                let sql = format!("DELETE FROM {table} WHERE title = ANY($1)");
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(list)
                    .execute(conn)
                    .await
                    .map(drop)
            }
        }
        .or_fault()?;
    }
    Ok(())
}

/// Which titles an importer's ids already are, with the digest of what it brought the last time.
pub async fn imported(
    tx: &mut Tx,
    source: &str,
    ids: &[&str],
) -> Result<HashMap<String, (TitleId, Option<i64>)>, Fault> {
    let rows: Vec<(String, i64, Option<i64>)> = match tx.engine() {
        Engine::Sqlite(conn) => {
            let list = serde_json::to_string(ids).map_err(|error| Fault::Internal(error.to_string()))?;
            let sql = "SELECT e.id, e.title, t.imported_digest FROM external_ids e JOIN titles t ON t.id = e.title
                WHERE e.source = $1 AND e.id IN (SELECT value FROM json_each($2))";
            sqlx::query_as(sql).bind(source).bind(list).fetch_all(conn).await
        }
        Engine::Postgres(conn) => {
            let sql = "SELECT e.id, e.title, t.imported_digest FROM external_ids e JOIN titles t ON t.id = e.title
                WHERE e.source = $1 AND e.id = ANY($2)";
            sqlx::query_as(sql).bind(source).bind(ids).fetch_all(conn).await
        }
    }
    .or_fault()?;
    Ok(rows
        .into_iter()
        .map(|(id, title, digest)| (id, (TitleId(title), digest)))
        .collect())
}

/// Shows a title to viewers, to whom it is new from then on, or takes it from them.
pub async fn put_published(tx: &mut Tx, title: TitleId, published: bool, at: Millis) -> Result<(), Fault> {
    let sql = "UPDATE titles SET published = $2, created_at = CASE WHEN $2 THEN $3 ELSE created_at END, updated_at = $3
        WHERE id = $1";
    on!(tx, conn => sqlx::query(sql).bind(title.0).bind(published).bind(at).execute(conn).await.map(drop)).or_fault()
}

/// Notes what is to come of a title.
pub async fn put_window(tx: &mut Tx, title: TitleId, window: Window) -> Result<(), Fault> {
    if window == Window::default() {
        return delete_of(tx, "title_windows", &[title]).await;
    }
    let sql = "INSERT INTO title_windows (title, publish_at, unpublish_at) VALUES ($1, $2, $3) ON CONFLICT (title)
        DO UPDATE SET publish_at = excluded.publish_at, unpublish_at = excluded.unpublish_at";
    on!(tx, conn => sqlx::query(sql).bind(title.0).bind(window.publish_at).bind(window.unpublish_at)
        .execute(conn).await.map(drop))
    .or_fault()
}

/// Whether a series has episodes.
pub async fn has_episodes(tx: &mut Tx, series: TitleId) -> Result<bool, Fault> {
    let found: Option<(i64,)> =
        on!(tx, conn => sqlx::query_as("SELECT id FROM titles WHERE series = $1 LIMIT 1").bind(series.0)
            .fetch_optional(conn).await)
        .or_fault()?;
    Ok(found.is_some())
}

/// Removes a title and what hangs on it; `false` when there was none.
pub async fn delete_title(tx: &mut Tx, id: TitleId) -> Result<bool, Fault> {
    for table in ["credits", "external_ids", "title_ratings", "title_windows"] {
        delete_of(tx, table, &[id]).await?;
    }
    on!(tx, conn => sqlx::query("DELETE FROM titles WHERE id = $1").bind(id.0).execute(conn).await
        .map(|done| done.rows_affected() == 1))
    .or_fault()
}

#[derive(Serialize)]
struct RatingRow {
    title: i64,
    count: u64,
    sum: u64,
    version: i64,
}

/// Takes absolute figures; older ones than are there change nothing.
pub async fn put_ratings(tx: &mut Tx, ratings: &[TitleRatings]) -> Result<(), Fault> {
    // The newest of each title: a statement must not touch a row twice.
    let mut newest: HashMap<TitleId, &TitleRatings> = HashMap::new();
    for figures in ratings {
        let known = newest.entry(figures.title).or_insert(figures);
        if known.version < figures.version {
            *known = figures;
        }
    }
    let rows: Vec<RatingRow> = newest
        .values()
        .map(|figures| RatingRow {
            title: figures.title.0,
            count: figures.count(),
            sum: figures.sum(),
            version: figures.version,
        })
        .collect();
    const NEWER: &str = "ON CONFLICT (title) DO UPDATE SET count = excluded.count, sum = excluded.sum,
        version = excluded.version WHERE title_ratings.version < excluded.version";
    let sqlite = format!(
        "INSERT INTO title_ratings (title, count, sum, version)
         SELECT value->>'title', value->>'count', value->>'sum', value->>'version' FROM json_each($1) WHERE TRUE {NEWER}"
    );
    let postgres = format!(
        "INSERT INTO title_ratings (title, count, sum, version) SELECT title, count, sum, version
         FROM json_to_recordset($1::JSON) AS r(title BIGINT, count BIGINT, sum BIGINT, version BIGINT) {NEWER}"
    );
    run(tx, &rows, &sqlite, &postgres).await.map(drop)
}

/// Puts a video on a title unless it has a newer one; `false` when nothing changed.
pub async fn put_video(
    tx: &mut Tx,
    title: TitleId,
    asset: AssetId,
    duration_ms: u64,
    height: u32,
    at: Millis,
) -> Result<bool, Fault> {
    let sql = "UPDATE titles SET video_asset = $2, video_duration_ms = $3, video_height = $4, updated_at = $5
        WHERE id = $1 AND (video_asset IS NULL OR video_asset < $2)";
    on!(tx, conn => sqlx::query(sql).bind(title.0).bind(asset.0).bind(duration_ms as i64).bind(i64::from(height)).bind(at)
        .execute(conn).await.map(|done| done.rows_affected() == 1))
    .or_fault()
}

/// Takes a video off a title; `false` when it has another or none.
pub async fn remove_video(tx: &mut Tx, title: TitleId, asset: AssetId, at: Millis) -> Result<bool, Fault> {
    let sql = "UPDATE titles SET video_asset = NULL, video_duration_ms = NULL, video_height = NULL, updated_at = $3
        WHERE id = $1 AND video_asset = $2";
    on!(tx, conn => sqlx::query(sql).bind(title.0).bind(asset.0).bind(at).execute(conn).await
        .map(|done| done.rows_affected() == 1))
    .or_fault()
}

/// Notes where an uploaded picture is; `None` goes back to the drawn one.
pub async fn put_artwork(
    tx: &mut Tx,
    title: TitleId,
    shape: ArtworkShape,
    key: Option<&str>,
    at: Millis,
) -> Result<bool, Fault> {
    let sql = match shape {
        ArtworkShape::Poster => {
            "UPDATE titles SET poster_key = $2, artwork_version = artwork_version + 1, updated_at = $3 WHERE id = $1"
        }
        ArtworkShape::Backdrop => {
            "UPDATE titles SET backdrop_key = $2, artwork_version = artwork_version + 1, updated_at = $3 WHERE id = $1"
        }
    };
    on!(tx, conn => sqlx::query(sql).bind(title.0).bind(key).bind(at).execute(conn).await
        .map(|done| done.rows_affected() == 1))
    .or_fault()
}
