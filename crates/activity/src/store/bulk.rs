//! Many rows at once: import of ratings, a portion of a data set in a transaction, and erasure of a profile.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use contract::{
    Fault, ProfileId, TitleId,
    activity::{ImportedCount, ImportedRating, TitleRatings},
    events::EventBody,
};
use platform::{
    Tx,
    db::{Engine, OrFault as _},
    on, outbox,
};

use super::{Deltas, Store, add_counters, add_ratings, json, shard_of, with_rows, write::forget_removed};
use crate::rules;

/// Rows a statement.
const CHUNK: usize = 10_000;

impl Store {
    /// In portions, each all or none, with a gap between them for other writers. Sorted by key first: inserts append, and locks are
    /// taken in the one order. Whoever repeats it after an error writes what is missing.
    pub async fn import_ratings(&self, ratings: Vec<ImportedRating>) -> Result<ImportedCount, Fault> {
        let asked = ratings.len() as u64;
        let ratings = newest_of_each(ratings);
        let mut written = 0;
        for (number, portion) in ratings.chunks(self.portion).enumerate() {
            if number > 0 {
                self.db.give_way().await;
            }
            written += self.import_portion(portion).await?;
        }
        Ok(ImportedCount {
            written,
            unchanged: asked - written,
        })
    }

    async fn import_portion(&self, ratings: &[ImportedRating]) -> Result<u64, Fault> {
        let mut tx = self.db.begin().await?;
        let profiles: BTreeSet<i64> = ratings.iter().map(|rating| rating.profile.0).collect();
        let new = enrol(&mut tx, &profiles).await?;
        let mut deltas = Deltas::new();
        let mut changes: BTreeMap<i64, i64> = BTreeMap::new();
        for chunk in ratings.chunks(CHUNK) {
            let written = unlike_stored(&mut tx, chunk, &new, &mut deltas).await?;
            insert(&mut tx, &written).await?;
            for rating in written {
                deltas.entry(rating.title).or_default()[usize::from(rating.stars.get()) - 1] += 1;
                *changes.entry(rating.profile.0).or_default() += 1;
            }
        }
        let written = changes.values().sum::<i64>() as u64;
        if written == 0 {
            tx.rollback().await?;
            return Ok(0);
        }
        let figures = add_ratings(&mut tx, &deltas).await?;
        count(&mut tx, &changes).await?;
        self.tell(&mut tx, &figures).await?;
        let imported = EventBody::InteractionsImported { count: written };
        outbox::append(&mut tx, &self.inputs.event(imported)).await?;
        tx.commit().await?;
        Ok(written)
    }

    /// Everything of a profile, its part in the averages included.
    pub async fn erase(&self, profile: ProfileId) -> Result<(), Fault> {
        let mut tx = self.db.begin().await?;
        if let Some(figures) = erase_in(&mut tx, profile).await? {
            self.tell(&mut tx, &figures).await?;
        }
        for sql in [
            "DELETE FROM imported_viewers WHERE profile_id = $1",
            "DELETE FROM removed_ratings WHERE profile_id = $1",
        ] {
            on!(tx, conn => sqlx::query(sql).bind(profile.0).execute(conn).await.map(drop)).or_fault()?;
        }
        tx.commit().await
    }

    /// Forgets what was taken back of a title that is gone, at most `limit` rows; answers how many there were.
    pub async fn forget_removed_of(&self, title: TitleId, limit: usize) -> Result<u64, Fault> {
        let sql = "DELETE FROM removed_ratings WHERE (profile_id, title_id) IN \
             (SELECT profile_id, title_id FROM removed_ratings WHERE title_id = $1 LIMIT $2)";
        on!(self.db.writer(), pool => sqlx::query(sql).bind(title.0).bind(limit as i64).execute(pool).await
            .map(|done| done.rows_affected()))
        .or_fault()
    }

    /// Absolute figures, in events of bounded size.
    pub(super) async fn tell(&self, tx: &mut Tx, figures: &[TitleRatings]) -> Result<(), Fault> {
        for titles in figures.chunks(1_000) {
            outbox::append(
                tx,
                &self.inputs.event(EventBody::RatingsChanged {
                    titles: titles.to_vec(),
                }),
            )
            .await?;
        }
        Ok(())
    }
}

/// By profile and title, one of each: the newest, of equally new ones the last.
fn newest_of_each(mut ratings: Vec<ImportedRating>) -> Vec<ImportedRating> {
    ratings.sort_by_key(|rating| (rating.profile, rating.title, rating.at));
    ratings.reverse();
    ratings.dedup_by_key(|rating| (rating.profile, rating.title));
    ratings.reverse();
    ratings
}

/// Makes the rows of these profiles and holds them all; answers which had none, so had nothing here.
async fn enrol(tx: &mut Tx, profiles: &BTreeSet<i64>) -> Result<HashSet<i64>, Fault> {
    let mut new = HashSet::new();
    let profiles: Vec<[i64; 1]> = profiles.iter().map(|profile| [*profile]).collect();
    for chunk in profiles.chunks(CHUNK) {
        let engine = tx.engine();
        let sql = with_rows(
            "INSERT INTO profiles (profile_id) SELECT CAST(k.value->>0 AS BIGINT) FROM JSON_ROWS WHERE TRUE
             ON CONFLICT (profile_id) DO UPDATE SET listed = profiles.listed RETURNING profile_id, listed, changes",
            &engine,
        );
        let keys = json(&chunk)?;
        let rows: Vec<(i64, i64, i64)> =
            on!(engine, conn => sqlx::query_as(sql).bind(keys).fetch_all(conn).await).or_fault()?;
        new.extend(
            rows.into_iter()
                .filter(|(_, listed, changes)| *listed == 0 && *changes == 0)
                .map(|row| row.0),
        );
    }
    Ok(new)
}

/// The rows of a chunk that differ from what is stored and are not older, and were not taken back since; what they replace is taken from the figures.
async fn unlike_stored(
    tx: &mut Tx,
    chunk: &[ImportedRating],
    new: &HashSet<i64>,
    deltas: &mut Deltas,
) -> Result<Vec<ImportedRating>, Fault> {
    let keys: Vec<(i64, i64)> = chunk
        .iter()
        .filter(|rating| !new.contains(&rating.profile.0))
        .map(|rating| (rating.profile.0, rating.title.0))
        .collect();
    let mut stored = if keys.is_empty() {
        HashMap::new()
    } else {
        opinions(tx, &keys).await?
    };
    let removed = if keys.is_empty() {
        HashMap::new()
    } else {
        removed(tx, &keys).await?
    };
    let mut written = Vec::with_capacity(chunk.len());
    let mut given_again = Vec::new();
    for rating in chunk {
        let key = (rating.profile.0, rating.title.0);
        match removed.get(&key) {
            Some(at) if *at >= rating.at => continue,
            Some(_) => given_again.push(key),
            None => {}
        }
        if let Some((code, at)) = stored.remove(&key) {
            let same = code == i64::from(rating.stars.get()) && at == rating.at;
            if same || at > rating.at {
                continue;
            }
            if let Some(opinion) = rules::opinion_of(code) {
                deltas.entry(rating.title).or_default()[rules::figure(opinion)] -= 1;
            }
        }
        written.push(*rating);
    }
    forget_removed(tx, &given_again).await?;
    Ok(written)
}

/// When opinions were taken back.
async fn removed(tx: &mut Tx, keys: &[(i64, i64)]) -> Result<HashMap<(i64, i64), i64>, Fault> {
    let engine = tx.engine();
    let sql = with_rows(
        "SELECT r.profile_id, r.title_id, r.removed_at FROM JSON_ROWS CROSS JOIN removed_ratings r \
         WHERE r.profile_id = CAST(k.value->>0 AS BIGINT) AND r.title_id = CAST(k.value->>1 AS BIGINT)",
        &engine,
    );
    let keys = json(&keys)?;
    let rows: Vec<(i64, i64, i64)> =
        on!(engine, conn => sqlx::query_as(sql).bind(keys).fetch_all(conn).await).or_fault()?;
    Ok(rows
        .into_iter()
        .map(|(profile, title, at)| ((profile, title), at))
        .collect())
}

async fn opinions(tx: &mut Tx, keys: &[(i64, i64)]) -> Result<HashMap<(i64, i64), (i64, i64)>, Fault> {
    let engine = tx.engine();
    let sql = with_rows(
        "SELECT s.profile_id, s.title_id, s.opinion, s.rated_at FROM JSON_ROWS CROSS JOIN states s \
         WHERE s.profile_id = CAST(k.value->>0 AS BIGINT) AND s.title_id = CAST(k.value->>1 AS BIGINT) \
         AND s.opinion IS NOT NULL AND s.rated_at IS NOT NULL",
        &engine,
    );
    let keys = json(&keys)?;
    let rows: Vec<(i64, i64, i64, i64)> =
        on!(engine, conn => sqlx::query_as(sql).bind(keys).fetch_all(conn).await).or_fault()?;
    Ok(rows
        .into_iter()
        .map(|(profile, title, opinion, at)| ((profile, title), (opinion, at)))
        .collect())
}

/// The engines' own fastest ways: one JSON text on SQLite, arrays on PostgreSQL.
async fn insert(tx: &mut Tx, ratings: &[ImportedRating]) -> Result<(), Fault> {
    if ratings.is_empty() {
        return Ok(());
    }
    match tx.engine() {
        Engine::Sqlite(conn) => {
            let row = |rating: &ImportedRating| (rating.profile.0, rating.title.0, rating.stars.get(), rating.at);
            let rows = json(&ratings.iter().map(row).collect::<Vec<_>>())?;
            sqlx::query(concat!(
                "INSERT INTO states (profile_id, title_id, opinion, rated_at, last_at) \
                 SELECT value->>0, value->>1, value->>2, value->>3, value->>3 FROM json_each($1) WHERE TRUE ",
                on_conflict!()
            ))
            .bind(rows)
            .execute(conn)
            .await
            .map(drop)
        }
        Engine::Postgres(conn) => {
            let column = |of: fn(&ImportedRating) -> i64| ratings.iter().map(of).collect::<Vec<i64>>();
            sqlx::query(concat!(
                "INSERT INTO states (profile_id, title_id, opinion, rated_at, last_at) \
                 SELECT p, t, o, a, a FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[]) AS r(p, t, o, a) ",
                on_conflict!()
            ))
            .bind(column(|rating| rating.profile.0))
            .bind(column(|rating| rating.title.0))
            .bind(column(|rating| i64::from(rating.stars.get())))
            .bind(column(|rating| rating.at))
            .execute(conn)
            .await
            .map(drop)
        }
    }
    .or_fault()
}

/// The row is held, and [`unlike_stored`] has decided: what is written counts.
macro_rules! on_conflict {
    () => {
        "ON CONFLICT (profile_id, title_id) DO UPDATE SET opinion = excluded.opinion, rated_at = excluded.rated_at, \
         last_at = CASE WHEN states.last_at > excluded.last_at THEN states.last_at ELSE excluded.last_at END"
    };
}
use on_conflict;

/// Adds written rows to each profile's and to the totals.
async fn count(tx: &mut Tx, changes: &BTreeMap<i64, i64>) -> Result<(), Fault> {
    let rows: Vec<_> = changes.iter().map(|(profile, count)| (*profile, *count)).collect();
    let mut counters: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for chunk in rows.chunks(CHUNK) {
        let engine = tx.engine();
        let sql = with_rows(
            "INSERT INTO profiles (profile_id, changes) SELECT CAST(k.value->>0 AS BIGINT), CAST(k.value->>1 AS BIGINT) \
             FROM JSON_ROWS WHERE TRUE ON CONFLICT (profile_id) DO UPDATE SET changes = profiles.changes + excluded.changes \
             RETURNING profile_id, changes",
            &engine,
        );
        let bound = json(&chunk)?;
        let now: Vec<(i64, i64)> =
            on!(engine, conn => sqlx::query_as(sql).bind(bound).fetch_all(conn).await).or_fault()?;
        for (profile, total) in now {
            let added = changes.get(&profile).copied().unwrap_or(0);
            let (sum, profiles) = counters.entry(shard_of(profile)).or_default();
            *sum += added;
            *profiles += i64::from(total == added);
        }
    }
    add_counters(tx, &counters).await
}

/// Deletes a profile's rows; the new figures of what it had rated, or nothing when it had no row.
pub(super) async fn erase_in(tx: &mut Tx, profile: ProfileId) -> Result<Option<Vec<TitleRatings>>, Fault> {
    let locked: Option<(i64,)> = on!(tx, conn => sqlx::query_as(
        "UPDATE profiles SET listed = listed WHERE profile_id = $1 RETURNING changes").bind(profile.0).fetch_optional(conn).await)
    .or_fault()?;
    let Some((changes,)) = locked else { return Ok(None) };
    let gone: Vec<(i64, Option<i64>)> = on!(tx, conn => sqlx::query_as(
        "DELETE FROM states WHERE profile_id = $1 RETURNING title_id, opinion").bind(profile.0).fetch_all(conn).await)
    .or_fault()?;
    let mut deltas = Deltas::new();
    for (title, code) in &gone {
        if let Some(opinion) = code.and_then(rules::opinion_of) {
            deltas.entry((*title).into()).or_default()[rules::figure(opinion)] -= 1;
        }
    }
    let figures = add_ratings(tx, &deltas).await?;
    on!(tx, conn => sqlx::query("DELETE FROM profiles WHERE profile_id = $1").bind(profile.0).execute(conn).await.map(drop))
        .or_fault()?;
    let counted = (gone.len() as i64, -i64::from(changes > 0));
    add_counters(tx, &BTreeMap::from([(shard_of(profile.0), counted)])).await?;
    Ok(Some(figures))
}
