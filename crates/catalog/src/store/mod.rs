//! The room's tables: reading. Writing is in [`write`].

pub mod write;

use std::collections::HashMap;

use contract::{
    AssetId, Fault, Millis, PersonId, TitleId,
    activity::RATING_PRIOR,
    catalog::{Card, Credit, EpisodePlace, ExternalId, Title, TitleKind, Video, Window},
};
use platform::{
    Db, Tx,
    db::{Engine, OrFault as _},
    on,
};

use crate::{
    model::{Entry, json_ids, kind_of, role_of},
    text::{fold, sort_name, words},
};

/// The room's database.
#[derive(Clone)]
pub struct Store {
    pub db: Db,
}

/// What a card needs.
#[derive(sqlx::FromRow)]
struct CardRow {
    id: i64,
    kind: String,
    name: String,
    year: Option<i64>,
    genres: String,
    maturity: i64,
    duration_ms: Option<i64>,
    published: bool,
    series: Option<i64>,
    season: Option<i64>,
    episode: Option<i64>,
    artwork_version: i64,
    video_asset: Option<i64>,
    video_duration_ms: Option<i64>,
    uploaded: bool,
    created_at: Millis,
    ratings_count: Option<i64>,
    ratings_sum: Option<i64>,
    ratings_version: Option<i64>,
}

const CARD_COLUMNS: &str =
    "SELECT t.id, t.kind, t.name, t.year, t.genres, t.maturity, t.duration_ms, t.published, t.series,
    t.season, t.episode, t.artwork_version, t.video_asset, t.video_duration_ms, (t.poster_key IS NOT NULL OR t.backdrop_key IS NOT NULL) AS uploaded,
    t.created_at, r.count AS ratings_count,
    r.sum AS ratings_sum, r.version AS ratings_version FROM titles t LEFT JOIN title_ratings r ON r.title = t.id";

/// The rest of a title.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DetailRow {
    pub original_name: Option<String>,
    pub description: String,
    pub duration_ms: Option<i64>,
    pub video_asset: Option<i64>,
    pub video_duration_ms: Option<i64>,
    pub video_height: Option<i64>,
    pub imported_digest: Option<i64>,
    pub poster_key: Option<String>,
    pub backdrop_key: Option<String>,
    pub publish_at: Option<Millis>,
    pub unpublish_at: Option<Millis>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

const DETAIL: &str = "SELECT original_name, description, duration_ms, video_asset, video_duration_ms, video_height,
    imported_digest, poster_key, backdrop_key, publish_at, unpublish_at, created_at, updated_at
    FROM titles LEFT JOIN title_windows ON title = id WHERE id = $1";

const DUE: &str = "FROM title_windows WHERE COALESCE(publish_at, unpublish_at) <= $1";

impl DetailRow {
    pub fn window(&self) -> Window {
        Window {
            publish_at: self.publish_at,
            unpublish_at: self.unpublish_at,
        }
    }
}

impl Store {
    /// Every entry there is.
    pub async fn entries(&self) -> Result<Vec<Entry>, Fault> {
        let rows: Vec<CardRow> = on!(self.db, pool => sqlx::query_as(CARD_COLUMNS).fetch_all(pool).await).or_fault()?;
        let people: Vec<(i64, i64)> =
            on!(self.db, pool => sqlx::query_as("SELECT title, person FROM credits ORDER BY title, place")
                .fetch_all(pool).await)
            .or_fault()?;
        Ok(entries(rows, people))
    }

    /// Those of `ids` that exist.
    pub async fn entries_of(&self, ids: &[TitleId]) -> Result<Vec<Entry>, Fault> {
        let (rows, people): (Vec<CardRow>, Vec<(i64, i64)>) = match self.db.engine() {
            Engine::Sqlite(pool) => {
                let list = json_ids(ids);
                let cards = format!("{CARD_COLUMNS} WHERE t.id IN (SELECT value FROM json_each($1))");
                let people = "SELECT title, person FROM credits WHERE title IN (SELECT value FROM json_each($1))
                    ORDER BY title, place";
                let rows = sqlx::query_as(sqlx::AssertSqlSafe(cards))
                    .bind(&list)
                    .fetch_all(pool)
                    .await
                    .or_fault()?;
                (
                    rows,
                    sqlx::query_as(people).bind(&list).fetch_all(pool).await.or_fault()?,
                )
            }
            Engine::Postgres(pool) => {
                let list: Vec<i64> = ids.iter().map(|id| id.0).collect();
                let cards = format!("{CARD_COLUMNS} WHERE t.id = ANY($1)");
                let people = "SELECT title, person FROM credits WHERE title = ANY($1) ORDER BY title, place";
                let rows = sqlx::query_as(sqlx::AssertSqlSafe(cards))
                    .bind(&list)
                    .fetch_all(pool)
                    .await
                    .or_fault()?;
                (
                    rows,
                    sqlx::query_as(people).bind(&list).fetch_all(pool).await.or_fault()?,
                )
            }
        };
        Ok(entries(rows, people))
    }

    /// One entry as a change sees it, under its lock and on its own connection.
    pub async fn entry_in(tx: &mut Tx, id: TitleId) -> Result<Option<Entry>, Fault> {
        let cards = || sqlx::AssertSqlSafe(format!("{CARD_COLUMNS} WHERE t.id = $1"));
        let people = "SELECT title, person FROM credits WHERE title = $1 ORDER BY place";
        let rows: Vec<CardRow> =
            on!(tx, conn => sqlx::query_as(cards()).bind(id.0).fetch_all(conn).await).or_fault()?;
        let people: Vec<(i64, i64)> =
            on!(tx, conn => sqlx::query_as(people).bind(id.0).fetch_all(conn).await).or_fault()?;
        Ok(entries(rows, people).pop())
    }

    /// [`Store::detail`] as a change sees it.
    pub async fn detail_in(tx: &mut Tx, id: TitleId) -> Result<Option<DetailRow>, Fault> {
        on!(tx, conn => sqlx::query_as(DETAIL).bind(id.0).fetch_optional(conn).await).or_fault()
    }

    pub async fn detail(&self, id: TitleId) -> Result<Option<DetailRow>, Fault> {
        on!(self.db, pool => sqlx::query_as(DETAIL).bind(id.0).fetch_optional(pool).await).or_fault()
    }

    /// Whether some title is to appear or to go by now.
    pub async fn is_due(&self, now: Millis) -> Result<bool, Fault> {
        let sql = || sqlx::AssertSqlSafe(format!("SELECT title {DUE} LIMIT 1"));
        let found: Option<(i64,)> =
            on!(self.db, pool => sqlx::query_as(sql()).bind(now).fetch_optional(pool).await).or_fault()?;
        Ok(found.is_some())
    }

    /// Those titles, as a change sees them.
    pub async fn due_in(tx: &mut Tx, now: Millis, limit: i64) -> Result<Vec<(TitleId, Window)>, Fault> {
        let sql = || sqlx::AssertSqlSafe(format!("SELECT title, publish_at, unpublish_at {DUE} LIMIT $2"));
        let rows: Vec<(i64, Option<Millis>, Option<Millis>)> =
            on!(tx, conn => sqlx::query_as(sql()).bind(now).bind(limit).fetch_all(conn).await).or_fault()?;
        let due = |(title, publish_at, unpublish_at)| {
            let window = Window {
                publish_at,
                unpublish_at,
            };
            (TitleId(title), window)
        };
        Ok(rows.into_iter().map(due).collect())
    }

    /// All of a title, around its card.
    pub async fn title(&self, card: Card, place: Option<EpisodePlace>) -> Result<Option<Title>, Fault> {
        let Some(row) = self.detail(card.id).await? else {
            return Ok(None);
        };
        let video = row.video_asset.map(|asset| Video {
            asset: AssetId(asset),
            duration_ms: row.video_duration_ms.unwrap_or(0).max(0) as u64,
            height: row.video_height.unwrap_or(0).max(0) as u32,
        });
        Ok(Some(Title {
            window: row.window(),
            credits: self.credits(card.id).await?,
            external: self.external(card.id).await?,
            card,
            original_name: row.original_name,
            description: row.description,
            place,
            video,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }))
    }

    pub async fn credits(&self, id: TitleId) -> Result<Vec<Credit>, Fault> {
        let sql = "SELECT c.person, p.name, c.role FROM credits c JOIN people p ON p.id = c.person
            WHERE c.title = $1 ORDER BY c.place";
        let rows: Vec<(i64, String, String)> =
            on!(self.db, pool => sqlx::query_as(sql).bind(id.0).fetch_all(pool).await).or_fault()?;
        let credit = |(person, name, role): (i64, String, String)| Credit {
            person: PersonId(person),
            name,
            role: role_of(&role),
        };
        Ok(rows.into_iter().map(credit).collect())
    }

    pub async fn external(&self, id: TitleId) -> Result<Vec<ExternalId>, Fault> {
        let sql = "SELECT source, id FROM external_ids WHERE title = $1 ORDER BY place";
        let rows: Vec<(String, String)> =
            on!(self.db, pool => sqlx::query_as(sql).bind(id.0).fetch_all(pool).await).or_fault()?;
        Ok(rows.into_iter().map(|(source, id)| ExternalId { source, id }).collect())
    }

    /// Descriptions of a series' episodes.
    pub async fn episode_descriptions(&self, series: TitleId) -> Result<HashMap<TitleId, String>, Fault> {
        let sql = "SELECT id, description FROM titles WHERE series = $1";
        let rows: Vec<(i64, String)> =
            on!(self.db, pool => sqlx::query_as(sql).bind(series.0).fetch_all(pool).await).or_fault()?;
        Ok(rows.into_iter().map(|(id, text)| (TitleId(id), text)).collect())
    }

    /// Which of a source's ids are known, and as what.
    pub async fn resolve(&self, source: &str, ids: &[String]) -> Result<HashMap<String, TitleId>, Fault> {
        let rows: Vec<(String, i64)> = match self.db.engine() {
            Engine::Sqlite(pool) => {
                let sql =
                    "SELECT id, title FROM external_ids WHERE source = $1 AND id IN (SELECT value FROM json_each($2))";
                let list = serde_json::to_string(ids).map_err(|error| Fault::Internal(error.to_string()))?;
                sqlx::query_as(sql).bind(source).bind(list).fetch_all(pool).await
            }
            Engine::Postgres(pool) => {
                let sql = "SELECT id, title FROM external_ids WHERE source = $1 AND id = ANY($2)";
                sqlx::query_as(sql).bind(source).bind(ids).fetch_all(pool).await
            }
        }
        .or_fault()?;
        Ok(rows.into_iter().map(|(id, title)| (id, TitleId(title))).collect())
    }

    /// What the search index needs and the cards do not hold: other names and people, by title. `None`: of all.
    pub async fn search_texts(&self, ids: Option<&[TitleId]>) -> Result<HashMap<TitleId, SearchTexts>, Fault> {
        const NAMES: &str = "SELECT id, original_name FROM titles WHERE original_name IS NOT NULL";
        const PEOPLE: &str = "SELECT c.title, p.name FROM credits c JOIN people p ON p.id = c.person";
        let names = self.texts(NAMES, "id", ids).await?;
        let people = self.texts(PEOPLE, "c.title", ids).await?;
        let mut texts: HashMap<TitleId, SearchTexts> = HashMap::new();
        for (id, name) in names {
            texts.entry(TitleId(id)).or_default().original_name = name;
        }
        for (id, name) in people {
            texts.entry(TitleId(id)).or_default().people.push(name);
        }
        Ok(texts)
    }

    async fn texts(&self, sql: &str, id: &str, ids: Option<&[TitleId]>) -> Result<Vec<(i64, String)>, Fault> {
        let joint = if sql.contains("WHERE") { "AND" } else { "WHERE" };
        match (self.db.engine(), ids) {
            (Engine::Sqlite(pool), Some(ids)) => {
                let sql = format!("{sql} {joint} {id} IN (SELECT value FROM json_each($1))");
                sqlx::query_as(sqlx::AssertSqlSafe(sql))
                    .bind(json_ids(ids))
                    .fetch_all(pool)
                    .await
            }
            (Engine::Postgres(pool), Some(ids)) => {
                let list: Vec<i64> = ids.iter().map(|id| id.0).collect();
                let sql = format!("{sql} {joint} {id} = ANY($1)");
                sqlx::query_as(sqlx::AssertSqlSafe(sql))
                    .bind(list)
                    .fetch_all(pool)
                    .await
            }
            (Engine::Sqlite(pool), None) => {
                sqlx::query_as(sqlx::AssertSqlSafe(sql.to_owned()))
                    .fetch_all(pool)
                    .await
            }
            (Engine::Postgres(pool), None) => {
                sqlx::query_as(sqlx::AssertSqlSafe(sql.to_owned()))
                    .fetch_all(pool)
                    .await
            }
        }
        .or_fault()
    }

    /// The last event that told of a change of titles.
    pub async fn version(&self) -> Result<i64, Fault> {
        let row: (i64,) =
            on!(self.db, pool => sqlx::query_as("SELECT version FROM catalog_version").fetch_one(pool).await)
                .or_fault()?;
        Ok(row.0)
    }
}

/// See [`Store::search_texts`].
#[derive(Debug, Default)]
pub struct SearchTexts {
    pub original_name: String,
    pub people: Vec<String>,
}

fn entries(rows: Vec<CardRow>, people: Vec<(i64, i64)>) -> Vec<Entry> {
    let mut of: HashMap<i64, Vec<PersonId>> = HashMap::new();
    for (title, person) in people {
        of.entry(title).or_default().push(PersonId(person));
    }
    rows.into_iter().map(|row| entry(row, &mut of)).collect()
}

fn entry(row: CardRow, people: &mut HashMap<i64, Vec<PersonId>>) -> Entry {
    let count = row.ratings_count.unwrap_or(0).max(0);
    let (prior_mean, prior_count) = RATING_PRIOR;
    let sum_stars = row.ratings_sum.unwrap_or(0) as f32 / 2.0;
    let kind = kind_of(&row.kind);
    let place = match (row.series, row.season, row.episode) {
        (Some(series), Some(season), Some(episode)) => Some(EpisodePlace {
            series: TitleId(series),
            season: season as u16,
            episode: episode as u16,
        }),
        _ => None,
    };
    let has_video = row.video_asset.is_some();
    let own_maturity = row.maturity.clamp(0, 18) as u8;
    Entry {
        own_maturity,
        own_published: row.published,
        sort_name: sort_name(&row.name),
        spoken_name: words(&row.name).join(" "),
        folded_name: fold(&row.name),
        place,
        people: people.remove(&row.id).unwrap_or_default(),
        ratings_version: row.ratings_version.unwrap_or(0),
        has_video,
        uploaded: row.uploaded,
        created_at: row.created_at,
        card: Card {
            id: TitleId(row.id),
            kind,
            name: row.name.into(),
            year: row.year.map(|year| year as u16),
            genres: serde_json::from_str(&row.genres).unwrap_or_default(),
            maturity: own_maturity,
            duration_ms: row
                .duration_ms
                .or(row.video_duration_ms)
                .map(|duration| duration.max(0) as u64),
            average_rating: (count > 0).then(|| (sum_stars + prior_mean * prior_count) / (count as f32 + prior_count)),
            ratings_count: count as u64,
            // A series is judged by its episodes once they are on the shelf.
            playable: has_video && kind != TitleKind::Series,
            published: row.published,
            artwork_version: row.artwork_version as u32,
        },
    }
}
