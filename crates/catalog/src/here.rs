//! Which titles are here already, as a change sees them under its lock: by place in a series, and by kind, name and year.

use std::collections::HashMap;

use contract::{
    Fault, TitleId,
    catalog::{CatalogError, NewTitle, TitleKind},
};
use platform::{Tx, db::OrFault as _, on};

use crate::{
    model::{invalid, kind_name},
    text::fold,
};

/// By what a title is the same as another.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// Series, season, episode.
    Place(i64, i64, i64),
    /// Kind, folded name, year.
    Name(String, String, Option<i64>),
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    kind: String,
    name: String,
    year: Option<i64>,
    series: Option<i64>,
    season: Option<i64>,
    episode: Option<i64>,
}

/// The titles that are here.
pub struct Here(HashMap<Key, TitleId>);

/// All of them.
pub async fn all(tx: &mut Tx) -> Result<Here, Fault> {
    read(
        tx,
        "SELECT id, kind, name, year, series, season, episode FROM titles ORDER BY id DESC",
    )
    .await
}

/// Episodes only, and none where none of `titles` is one.
pub async fn episodes(tx: &mut Tx, titles: &[NewTitle]) -> Result<Here, Fault> {
    if titles.iter().all(|title| title.place.is_none()) {
        return Ok(Here(HashMap::new()));
    }
    read(
        tx,
        "SELECT id, kind, name, year, series, season, episode FROM titles WHERE series IS NOT NULL",
    )
    .await
}

async fn read(tx: &mut Tx, sql: &'static str) -> Result<Here, Fault> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(sql).fetch_all(conn).await).or_fault()?;
    let of = |row: Row| {
        let key = match (row.series, row.season, row.episode) {
            (Some(series), Some(season), Some(episode)) => Key::Place(series, season, episode),
            _ => Key::Name(row.kind, fold(&row.name), row.year),
        };
        (key, TitleId(row.id))
    };
    Ok(Here(rows.into_iter().map(of).collect()))
}

impl Here {
    /// The oldest title that this one is.
    pub fn find(&self, title: &NewTitle) -> Option<TitleId> {
        self.0.get(&key_of(title)?).copied()
    }

    /// From now on it is here; refused where another has its place.
    pub fn put(&mut self, title: &NewTitle, id: TitleId) -> Result<(), CatalogError> {
        let Some(key) = key_of(title) else { return Ok(()) };
        let first = *self.0.entry(key).or_insert(id);
        match title.place {
            Some(place) if first != id => Err(invalid(format!(
                "{:?}: the series has an episode {} of season {} already",
                title.name, place.episode, place.season
            ))),
            _ => Ok(()),
        }
    }
}

/// Films of one name without a year may be different ones.
fn key_of(title: &NewTitle) -> Option<Key> {
    match (title.kind, title.place) {
        (TitleKind::Episode, Some(place)) => Some(Key::Place(
            place.series.0,
            i64::from(place.season),
            i64::from(place.episode),
        )),
        (TitleKind::Film, _) if title.year.is_none() => None,
        (kind, _) => Some(Key::Name(
            kind_name(kind).to_owned(),
            fold(&title.name),
            title.year.map(i64::from),
        )),
    }
}
