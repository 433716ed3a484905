//! The newest acts, as they are kept over a restart.

use std::collections::HashMap;

use contract::{Fault, Millis, ProfileId, TitleId};
use platform::{Tx, db::OrFault as _, on};
use serde::{Deserialize, Serialize};
use sqlx::QueryBuilder;

use super::Store;
use crate::{
    faded::{self, CELLS_MAX, Cell},
    live::Act,
};

/// Acts that one statement adds.
const ACTS_OF_STATEMENT: usize = 200;
/// Acts that are read back.
const ACTS_MAX: i64 = 20_000;

/// What stands in a row beside its keys.
#[derive(Serialize, Deserialize)]
struct Content {
    weight: f32,
    before: Vec<(i64, f32)>,
}

impl Store {
    /// The newest acts, the oldest of them first.
    pub async fn acts(&self) -> Result<Vec<Act>, Fault> {
        let sql = "SELECT profile_id, title_id, at, content FROM acts ORDER BY at DESC, profile_id, title_id LIMIT $1";
        let mut rows: Vec<(i64, i64, i64, String)> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(ACTS_MAX).fetch_all(pool).await).or_fault()?;
        rows.reverse();
        rows.into_iter().map(act_of).collect()
    }

    /// How many acts there were before those, by title and hour.
    pub async fn faded(&self) -> Result<Vec<Cell>, Fault> {
        let sql = "SELECT hour, title_id, people FROM faded_acts ORDER BY hour DESC, title_id LIMIT $1";
        let rows: Vec<(i64, i64, i64)> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(CELLS_MAX as i64).fetch_all(pool).await).or_fault()?;
        let cell = |(hour, title, people): (i64, i64, i64)| Cell {
            hour,
            title: TitleId(title),
            people: u32::try_from(people).unwrap_or(u32::MAX),
        };
        Ok(rows.into_iter().map(cell).collect())
    }

    /// Adds acts, but not of profiles that were erased meanwhile; those beyond the newest that would be read back are only counted from
    /// then on.
    pub async fn save_acts(&self, acts: &[Act]) -> Result<(), Fault> {
        let erased = self.erased.lock().await;
        let acts: Vec<&Act> = acts.iter().filter(|act| !erased.contains(&act.profile)).collect();
        let mut tx = self.db.begin().await?;
        for chunk in acts.chunks(ACTS_OF_STATEMENT) {
            let contents: Vec<String> = chunk.iter().map(|act| content_of(act)).collect::<Result<_, _>>()?;
            on!(tx, conn => {
                let mut insert = QueryBuilder::new("INSERT INTO acts (profile_id, title_id, at, content) ");
                insert.push_values(chunk.iter().zip(&contents), |mut row, (act, content)| {
                    row.push_bind(act.profile.0)
                        .push_bind(act.title.0)
                        .push_bind(act.at)
                        .push_bind(content);
                });
                insert.push(" ON CONFLICT (profile_id, title_id) DO NOTHING");
                insert.build().persistent(false).execute(conn).await.map(drop)
            })
            .or_fault()?;
        }
        let sql = "SELECT at FROM acts ORDER BY at DESC LIMIT 1 OFFSET $1";
        let surplus: Option<(i64,)> =
            on!(tx, conn => sqlx::query_as(sql).bind(ACTS_MAX).fetch_optional(conn).await).or_fault()?;
        if let Some((last,)) = surplus {
            fade(&mut tx, last).await?;
        }
        tx.commit().await
    }
}

/// Acts until then become counts; the oldest counts go.
async fn fade(tx: &mut Tx, until: Millis) -> Result<(), Fault> {
    let sql = "DELETE FROM acts WHERE at <= $1 RETURNING title_id, at";
    let gone: Vec<(i64, i64)> = on!(tx, conn => sqlx::query_as(sql).bind(until).fetch_all(conn).await).or_fault()?;
    let mut counts: HashMap<(i64, i64), i64> = HashMap::new();
    for (title, at) in gone {
        *counts.entry((Cell::at(TitleId(title), at).hour, title)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable();
    for chunk in counts.chunks(ACTS_OF_STATEMENT) {
        on!(tx, conn => {
            let mut insert = QueryBuilder::new("INSERT INTO faded_acts (hour, title_id, people) ");
            insert.push_values(chunk, |mut row, ((hour, title), people)| {
                row.push_bind(*hour).push_bind(*title).push_bind(*people);
            });
            insert.push(" ON CONFLICT (hour, title_id) DO UPDATE SET people = faded_acts.people + excluded.people");
            insert.build().persistent(false).execute(conn).await.map(drop)
        })
        .or_fault()?;
    }
    let sql = "SELECT hour FROM faded_acts ORDER BY hour DESC LIMIT 1 OFFSET $1";
    let surplus: Option<(i64,)> =
        on!(tx, conn => sqlx::query_as(sql).bind(CELLS_MAX as i64).fetch_optional(conn).await).or_fault()?;
    let first = faded::first_hour(Cell::at(TitleId(0), until).hour);
    let oldest = surplus.map_or(first, |(hour,)| first.max(hour + 1));
    let sql = "DELETE FROM faded_acts WHERE hour < $1";
    on!(tx, conn => sqlx::query(sql).bind(oldest).execute(conn).await.map(drop)).or_fault()
}

fn content_of(act: &Act) -> Result<String, Fault> {
    let content = Content {
        weight: act.weight,
        before: act.before.iter().map(|(title, weight)| (title.0, *weight)).collect(),
    };
    serde_json::to_string(&content).map_err(|error| Fault::Internal(error.to_string()))
}

fn act_of((profile, title, at, content): (i64, i64, i64, String)) -> Result<Act, Fault> {
    let broken = |error: serde_json::Error| Fault::Internal(format!("a stored act cannot be read: {error}"));
    let content: Content = serde_json::from_str(&content).map_err(broken)?;
    Ok(Act {
        profile: ProfileId(profile),
        title: TitleId(title),
        at,
        weight: content.weight,
        before: content
            .before
            .into_iter()
            .map(|(title, weight)| (TitleId(title), weight))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use platform::{Db, Inputs, test_support::databases};

    use super::*;

    fn act(profile: i64) -> Act {
        Act {
            profile: ProfileId(profile),
            title: TitleId(7),
            at: 1_000 + profile,
            weight: 0.5,
            before: vec![(TitleId(6), 1.0)],
        }
    }

    #[tokio::test]
    async fn acts_that_were_read_before_their_profile_was_erased_are_not_stored() {
        for database in databases().await {
            let db: Db = database.open("recommend", &crate::MIGRATIONS).await;
            let store = Store::new(db, Inputs::manual(1).0);
            store.save_acts(&[act(1)]).await.unwrap();
            store.erase(ProfileId(1)).await.unwrap();
            store.erase(ProfileId(2)).await.unwrap();
            store.save_acts(&[act(1), act(2), act(3)]).await.unwrap();
            assert_eq!(store.acts().await.unwrap(), [act(3)], "{}", database.name);
        }
    }

    #[tokio::test]
    async fn acts_beyond_the_newest_are_counted_and_no_more_for_long() {
        const HOUR: Millis = 3_600_000;
        for database in databases().await {
            let db: Db = database.open("recommend", &crate::MIGRATIONS).await;
            let store = Store::new(db, Inputs::manual(1).0);
            let many: Vec<Act> = (1..=ACTS_MAX + 100).map(act).collect();
            store.save_acts(&many).await.unwrap();
            let kept = store.acts().await.unwrap();
            assert_eq!(
                (kept.len() as i64, kept[0].profile.0),
                (ACTS_MAX, 101),
                "{}",
                database.name
            );
            let cell = |hour, people| Cell {
                hour,
                title: TitleId(7),
                people,
            };
            assert_eq!(store.faded().await.unwrap(), [cell(0, 100)], "{}", database.name);
            let fade = async |until| {
                let mut tx = store.db.begin().await.unwrap();
                fade(&mut tx, until).await.unwrap();
                tx.commit().await.unwrap();
                store.faded().await.unwrap()
            };
            let all = cell(0, many.len() as u32);
            assert_eq!(fade(HOUR).await, [all], "{}: counted on", database.name);
            let late = |hours| Act {
                at: hours * HOUR,
                ..act(hours)
            };
            store.save_acts(&[late(600), late(700)]).await.unwrap();
            assert_eq!(fade(600 * HOUR).await, [cell(600, 1), all], "{}", database.name);
            assert_eq!(
                fade(700 * HOUR).await,
                [cell(700, 1), cell(600, 1)],
                "{}",
                database.name
            );
            assert_eq!(store.acts().await.unwrap(), [], "{}", database.name);
        }
    }

    #[tokio::test]
    async fn so_many_erased_profiles_are_remembered_and_no_more() {
        for database in databases().await {
            let db: Db = database.open("recommend", &crate::MIGRATIONS).await;
            let store = Store::new(db, Inputs::manual(1).0);
            for profile in 0..=super::super::ERASED_MAX as i64 {
                store.remember_erased(ProfileId(profile)).await;
            }
            store.save_acts(&[act(0), act(1)]).await.unwrap();
            assert_eq!(store.acts().await.unwrap(), [act(0)], "{}", database.name);
        }
    }
}
