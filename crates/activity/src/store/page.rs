//! Interactions for training: pages in key order, each packed into one row of columns by the engine, since a million rows cost
//! more on their way through a driver than in the database.

use contract::{
    Fault,
    activity::{InteractionKey, Interactions},
};
use platform::db::{Engine, OrFault as _};

use super::Store;

/// A page's rows; `code` is opinion × 256 + percent watched (255: never; 100 also where it was finished at the credits).
macro_rules! page {
    () => {
        "(SELECT profile_id, title_id, COALESCE(rated_at, watched_at, listed_at, last_at) AS at, COALESCE(opinion, 0) * 256 + \
         CASE WHEN watched_at IS NULL THEN 255 WHEN finished THEN 100 ELSE CAST(ROUND(COALESCE(watched, 0) * 100) AS BIGINT) END AS code \
         FROM states WHERE (profile_id, title_id) > ($1, $2) ORDER BY profile_id, title_id LIMIT $3) AS page"
    };
}

const SQLITE: &str = concat!(
    "SELECT group_concat(profile_id), group_concat(title_id), group_concat(at), group_concat(code) FROM ",
    page!()
);
const POSTGRES: &str = concat!(
    "SELECT array_agg(profile_id), array_agg(title_id), array_agg(at), array_agg(code) FROM ",
    page!()
);

type Columns = (Vec<i64>, Vec<i64>, Vec<i64>, Vec<i64>);

/// Four columns as PostgreSQL aggregates them; null without rows.
type ArrayRow = (Option<Vec<i64>>, Option<Vec<i64>>, Option<Vec<i64>>, Option<Vec<i64>>);

impl Store {
    pub async fn interactions(&self, after: Option<InteractionKey>, limit: u32) -> Result<Interactions, Fault> {
        let (profile, title) = after.map_or((i64::MIN, i64::MIN), |key| (key.profile.0, key.title.0));
        let (profiles, titles, at, codes) = match self.db.engine() {
            Engine::Sqlite(pool) => {
                let row: (Option<String>, Option<String>, Option<String>, Option<String>) = sqlx::query_as(SQLITE)
                    .bind(profile)
                    .bind(title)
                    .bind(i64::from(limit))
                    .fetch_one(pool)
                    .await
                    .or_fault()?;
                (numbers(row.0)?, numbers(row.1)?, numbers(row.2)?, numbers(row.3)?)
            }
            Engine::Postgres(pool) => {
                let row: ArrayRow = sqlx::query_as(POSTGRES)
                    .bind(profile)
                    .bind(title)
                    .bind(i64::from(limit))
                    .fetch_one(pool)
                    .await
                    .or_fault()?;
                (
                    row.0.unwrap_or_default(),
                    row.1.unwrap_or_default(),
                    row.2.unwrap_or_default(),
                    row.3.unwrap_or_default(),
                )
            }
        };
        interactions((profiles, titles, at, codes), limit)
    }
}

fn interactions((profiles, titles, at, codes): Columns, limit: u32) -> Result<Interactions, Fault> {
    let rows = profiles.len();
    if titles.len() != rows || at.len() != rows || codes.len() != rows {
        return Err(Fault::Internal(
            "a page of interactions with columns of unequal length".into(),
        ));
    }
    let last = profiles.last().zip(titles.last());
    let next = last.filter(|_| rows == limit as usize);
    Ok(Interactions {
        next: next.map(|(profile, title)| InteractionKey {
            profile: (*profile).into(),
            title: (*title).into(),
        }),
        opinions: codes.iter().map(|code| (code / 256) as u8).collect(),
        watched: codes.iter().map(|code| (code % 256) as u8).collect(),
        profiles,
        titles,
        at,
    })
}

/// Reads `1,-2,3`.
fn numbers(text: Option<String>) -> Result<Vec<i64>, Fault> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let mut numbers = Vec::with_capacity(text.len() / 8);
    let (mut value, mut negative) = (0i64, false);
    for byte in text.bytes().chain([b',']) {
        match byte {
            b'0'..=b'9' => value = value.wrapping_mul(10).wrapping_add(i64::from(byte - b'0')),
            b'-' => negative = true,
            b',' => {
                numbers.push(if negative { value.wrapping_neg() } else { value });
                (value, negative) = (0, false);
            }
            _ => return Err(Fault::Internal("a page of interactions that is not numbers".into())),
        }
    }
    Ok(numbers)
}
