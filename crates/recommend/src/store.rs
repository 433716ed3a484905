//! The room's tables: models and which one serves, what was shown.

mod acts;
mod embeddings;

use std::{collections::VecDeque, sync::Arc};

use contract::{
    Fault, Millis, ModelId, PageId, ProfileId,
    events::EventBody,
    recommend::{ModelInfo, ModelState},
};
use platform::{
    Db, Inputs, Tx,
    db::{Engine, OrFault as _},
    ids::EPOCH_MS,
    on, outbox,
};
use sqlx::QueryBuilder;
use tokio::sync::Mutex;

use crate::{experiments::store::enrol, impressions::Shown};

/// Pages that one statement adds.
const PAGES_OF_STATEMENT: usize = 100;
/// Rows that one statement deletes.
const PRUNE_ROWS: i64 = 1_000;
/// Erased profiles that are remembered, for as long as anything of theirs may wait to be written: seconds.
const ERASED_MAX: usize = 1_000;

/// Models of which records are kept, beside those whose files are.
const RECORDS_MAX: i64 = 1_000;

/// State, whether its files are kept, all else as JSON.
type ModelRow = (String, bool, String);
/// Page, profile, model, arm, content.
pub(crate) type StoredPage = (i64, i64, Option<i64>, Option<String>, Vec<u8>);

/// The database with what writing needs.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Db,
    pub(crate) inputs: Inputs,
    /// Profiles that were erased lately, the newest last. Locked while pages and acts are written: an erasure comes before such a
    /// write, which then leaves the profile out, or after it, and deletes what it wrote.
    erased: Arc<Mutex<VecDeque<ProfileId>>>,
}

impl Store {
    pub fn new(db: Db, inputs: Inputs) -> Self {
        Self {
            db,
            inputs,
            erased: Arc::default(),
        }
    }

    /// Newest first.
    pub async fn models(&self, before: Option<ModelId>, limit: u32) -> Result<Vec<ModelInfo>, Fault> {
        let sql = "SELECT state, is_stored, info FROM models WHERE model_id < $1 ORDER BY model_id DESC LIMIT $2";
        let before = before.map_or(i64::MAX, |model| model.0);
        let rows: Vec<ModelRow> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(before).bind(i64::from(limit)).fetch_all(pool).await)
                .or_fault()?;
        rows.into_iter().map(info_of).collect()
    }

    /// Those whose files are kept, newest first.
    pub async fn stored_models(&self) -> Result<Vec<ModelInfo>, Fault> {
        let sql = "SELECT state, is_stored, info FROM models WHERE is_stored ORDER BY model_id DESC";
        let rows: Vec<ModelRow> = on!(&self.db, pool => sqlx::query_as(sql).fetch_all(pool).await).or_fault()?;
        rows.into_iter().map(info_of).collect()
    }

    pub async fn model(&self, model: ModelId) -> Result<Option<ModelInfo>, Fault> {
        let sql = "SELECT state, is_stored, info FROM models WHERE model_id = $1";
        let row: Option<ModelRow> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(model.0).fetch_optional(pool).await).or_fault()?;
        row.map(info_of).transpose()
    }

    pub async fn active(&self) -> Result<Option<ModelId>, Fault> {
        let row: Option<(i64,)> =
            on!(&self.db, pool => sqlx::query_as("SELECT model_id FROM active_model").fetch_optional(pool).await)
                .or_fault()?;
        Ok(row.map(|(model,)| ModelId(model)))
    }

    /// How far activity was when the newest model, published or not, was trained, and when that was.
    pub async fn last_training(&self) -> Result<Option<(u64, Millis)>, Fault> {
        let sql = "SELECT changes, created_at FROM models ORDER BY model_id DESC LIMIT 1";
        let row: Option<(i64, i64)> =
            on!(&self.db, pool => sqlx::query_as(sql).fetch_optional(pool).await).or_fault()?;
        Ok(row.map(|(changes, at)| (changes.max(0) as u64, at)))
    }

    /// Keeps a model's record; when it is to serve, from this commit on it does, unless another than `against`, which it was judged
    /// against, serves by now. Answers what was kept.
    pub async fn add(&self, mut info: ModelInfo, against: Option<ModelId>, changes: u64) -> Result<ModelInfo, Fault> {
        let mut tx = self.db.begin().await?;
        if info.state == ModelState::Active && serving(&mut tx).await? != against {
            info.state = ModelState::Ready;
            info.decision = format!(
                "another model was put in service during the training; {}",
                info.decision
            );
        }
        let state = state_name(info.state);
        let json = serde_json::to_string(&info).map_err(|error| Fault::Internal(error.to_string()))?;
        if info.state == ModelState::Active {
            retire(&mut tx).await?;
        }
        let sql = "INSERT INTO models (model_id, state, created_at, changes, info) VALUES ($1, $2, $3, $4, $5)";
        on!(tx, conn => sqlx::query(sql).bind(info.id.0).bind(state).bind(info.created_at).bind(changes as i64).bind(json)
            .execute(conn).await.map(drop))
        .or_fault()?;
        if info.state == ModelState::Active {
            self.point(&mut tx, info.id).await?;
        }
        tx.commit().await?;
        Ok(info)
    }

    /// Makes a known model the one that serves.
    pub async fn activate(&self, model: ModelId) -> Result<Option<ModelInfo>, Fault> {
        let mut tx = self.db.begin().await?;
        serving(&mut tx).await?;
        retire(&mut tx).await?;
        let sql =
            "UPDATE models SET state = 'active' WHERE model_id = $1 AND is_stored RETURNING state, is_stored, info";
        let row: Option<ModelRow> =
            on!(tx, conn => sqlx::query_as(sql).bind(model.0).fetch_optional(conn).await).or_fault()?;
        let Some(row) = row else { return Ok(None) };
        self.point(&mut tx, model).await?;
        tx.commit().await?;
        info_of(row).map(Some)
    }

    async fn point(&self, tx: &mut Tx, model: ModelId) -> Result<(), Fault> {
        let sql = "INSERT INTO active_model (one, model_id) VALUES (1, $1)
             ON CONFLICT (one) DO UPDATE SET model_id = excluded.model_id";
        on!(tx, conn => sqlx::query(sql).bind(model.0).execute(conn).await.map(drop)).or_fault()?;
        outbox::append(tx, &self.inputs.event(EventBody::ModelActivated { model })).await
    }

    /// Marks the files of all but the newest `keep` models that could serve and as many refused ones, the one that serves and those of
    /// the experiment that runs as no longer kept; answers whose. Apart, so that trainings that fail one after the other leave a way
    /// back. The records stay, the newest [`RECORDS_MAX`] of them.
    pub async fn forget_old(&self, keep: u32) -> Result<Vec<ModelId>, Fault> {
        let sql = "UPDATE models SET is_stored = FALSE WHERE is_stored AND state <> 'active' AND model_id NOT IN \
             (SELECT model_id FROM models WHERE is_stored AND state <> 'refused' ORDER BY model_id DESC LIMIT $1) AND model_id NOT IN \
             (SELECT model_id FROM models WHERE is_stored AND state = 'refused' ORDER BY model_id DESC LIMIT $1) AND model_id NOT IN \
             (SELECT first_model FROM running_experiment UNION ALL SELECT second_model FROM running_experiment) RETURNING model_id";
        let forget = "DELETE FROM models WHERE NOT is_stored AND model_id NOT IN \
             (SELECT model_id FROM models ORDER BY model_id DESC LIMIT $1)";
        let mut tx = self.db.begin().await?;
        if let Engine::Postgres(conn) = tx.engine() {
            // An experiment that begins now is waited for, or finds its models gone: it would not be seen by a statement that has begun.
            let lock = "LOCK TABLE running_experiment IN SHARE MODE";
            sqlx::query(lock).execute(conn).await.or_fault()?;
        }
        let rows: Vec<(i64,)> =
            on!(tx, conn => sqlx::query_as(sql).bind(i64::from(keep.max(1))).fetch_all(conn).await).or_fault()?;
        on!(tx, conn => sqlx::query(forget).bind(RECORDS_MAX).execute(conn).await.map(drop)).or_fault()?;
        tx.commit().await?;
        Ok(rows.into_iter().map(|(model,)| ModelId(model)).collect())
    }

    /// What was shown, all of it or none; nothing of profiles that were erased meanwhile.
    pub async fn add_pages(&self, pages: &[Shown]) -> Result<(), Fault> {
        let erased = self.erased.lock().await;
        let pages: Vec<&Shown> = pages.iter().filter(|page| !erased.contains(&page.profile)).collect();
        let mut tx = self.db.begin().await?;
        for chunk in pages.chunks(PAGES_OF_STATEMENT) {
            on!(tx, conn => {
                let mut insert = QueryBuilder::new("INSERT INTO pages (page_id, profile_id, model_id, arm, content) ");
                insert.push_values(chunk, |mut row, page| {
                    row.push_bind(page.page.0)
                        .push_bind(page.profile.0)
                        .push_bind(page.model.map(|model| model.0))
                        .push_bind(page.arm.as_deref())
                        .push_bind(&page.content);
                });
                insert.build().persistent(false).execute(conn).await.map(drop)
            })
            .or_fault()?;
        }
        enrol(&mut tx, &pages).await?;
        tx.commit().await
    }

    /// Pages shown to a profile, the newest first.
    pub async fn pages(&self, profile: ProfileId, limit: u32) -> Result<Vec<Shown>, Fault> {
        let sql = "SELECT page_id, profile_id, model_id, arm, content FROM pages WHERE profile_id = $1 ORDER BY page_id DESC LIMIT $2";
        let rows: Vec<StoredPage> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(profile.0).bind(i64::from(limit)).fetch_all(pool).await)
                .or_fault()?;
        Ok(rows.into_iter().map(shown_of).collect())
    }

    /// Pages from `first` on and before `before`, the newest first.
    pub async fn pages_before(&self, first: PageId, before: PageId, limit: u32) -> Result<Vec<Shown>, Fault> {
        let sql = "SELECT page_id, profile_id, model_id, arm, content FROM pages
             WHERE page_id >= $1 AND page_id < $2 ORDER BY page_id DESC LIMIT $3";
        let rows: Vec<StoredPage> = on!(&self.db, pool => sqlx::query_as(sql).bind(first.0).bind(before.0)
            .bind(i64::from(limit)).fetch_all(pool).await)
        .or_fault()?;
        Ok(rows.into_iter().map(shown_of).collect())
    }

    /// Deletes what is known of a profile; what of it still waits to be written in this process is not.
    pub async fn erase(&self, profile: ProfileId) -> Result<(), Fault> {
        self.remember_erased(profile).await;
        let mut tx = self.db.begin().await?;
        for sql in [
            "DELETE FROM pages WHERE profile_id = $1",
            "DELETE FROM acts WHERE profile_id = $1",
            "DELETE FROM experiment_viewers WHERE profile_id = $1",
        ] {
            on!(tx, conn => sqlx::query(sql).bind(profile.0).execute(conn).await.map(drop)).or_fault()?;
        }
        tx.commit().await
    }

    async fn remember_erased(&self, profile: ProfileId) {
        let mut erased = self.erased.lock().await;
        if !erased.contains(&profile) {
            erased.push_back(profile);
        }
        if erased.len() > ERASED_MAX {
            erased.pop_front();
        }
    }

    /// Deletes pages from before `oldest` and those beyond the newest `keep`: the oldest first, for ids grow with time.
    pub async fn prune_pages(&self, oldest: Millis, keep: u32) -> Result<u64, Fault> {
        let by_time = (oldest - EPOCH_MS).max(0) << 22;
        let last = by_time.max(self.newest_surplus(keep).await?.unwrap_or(0));
        let sql = "DELETE FROM pages WHERE page_id IN (SELECT page_id FROM pages WHERE page_id <= $1 ORDER BY page_id LIMIT $2)";
        let mut deleted = 0;
        loop {
            let rows = on!(self.db.writer(), pool => sqlx::query(sql).bind(last).bind(PRUNE_ROWS)
                .execute(pool).await.map(|done| done.rows_affected()))
            .or_fault()?;
            deleted += rows;
            if rows < PRUNE_ROWS as u64 {
                return Ok(deleted);
            }
            self.db.give_way().await;
        }
    }

    /// The newest page of those beyond the newest `keep`. Counting reads an index; to walk past the pages would read all of them.
    async fn newest_surplus(&self, keep: u32) -> Result<Option<i64>, Fault> {
        let count: (i64,) =
            on!(&self.db, pool => sqlx::query_as("SELECT COUNT(*) FROM pages").fetch_one(pool).await).or_fault()?;
        let surplus = count.0 - i64::from(keep);
        if surplus <= 0 {
            return Ok(None);
        }
        let sql = "SELECT page_id FROM pages ORDER BY page_id LIMIT 1 OFFSET $1";
        let newest: Option<(i64,)> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(surplus - 1).fetch_optional(pool).await).or_fault()?;
        Ok(newest.map(|(page,)| page))
    }

    /// Where the search for settings stands.
    pub async fn tuning(&self) -> Result<Option<String>, Fault> {
        let sql = "SELECT state FROM tuning";
        let row: Option<(String,)> =
            on!(&self.db, pool => sqlx::query_as(sql).fetch_optional(pool).await).or_fault()?;
        Ok(row.map(|(state,)| state))
    }

    pub async fn save_tuning(&self, state: &str) -> Result<(), Fault> {
        let sql =
            "INSERT INTO tuning (one, state) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET state = excluded.state";
        on!(self.db.writer(), pool => sqlx::query(sql).bind(state).execute(pool).await.map(drop)).or_fault()
    }
}

pub(crate) fn shown_of((page, profile, model, arm, content): StoredPage) -> Shown {
    Shown {
        page: page.into(),
        profile: profile.into(),
        model: model.map(ModelId),
        arm,
        content,
    }
}

/// The model that serves, and goes on to until this transaction ends: whoever puts another in service waits for it.
async fn serving(tx: &mut Tx) -> Result<Option<ModelId>, Fault> {
    if let Engine::Postgres(conn) = tx.engine() {
        // A row that is not there yet cannot be locked.
        let lock = "LOCK TABLE active_model IN SHARE ROW EXCLUSIVE MODE";
        sqlx::query(lock).execute(conn).await.or_fault()?;
    }
    let row: Option<(i64,)> =
        on!(tx, conn => sqlx::query_as("SELECT model_id FROM active_model").fetch_optional(conn).await).or_fault()?;
    Ok(row.map(|(model,)| ModelId(model)))
}

async fn retire(tx: &mut Tx) -> Result<(), Fault> {
    let sql = "UPDATE models SET state = 'ready' WHERE state = 'active'";
    on!(tx, conn => sqlx::query(sql).execute(conn).await.map(drop)).or_fault()
}

fn info_of((state, is_stored, json): ModelRow) -> Result<ModelInfo, Fault> {
    let broken = |error: serde_json::Error| Fault::Internal(format!("a model's record cannot be read: {error}"));
    let info: ModelInfo = serde_json::from_str(&json).map_err(broken)?;
    let state = serde_json::from_value(serde_json::Value::String(state)).map_err(broken)?;
    Ok(ModelInfo {
        state,
        is_stored,
        ..info
    })
}

fn state_name(state: ModelState) -> &'static str {
    match state {
        ModelState::Active => "active",
        ModelState::Ready => "ready",
        ModelState::Refused => "refused",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by it")]
mod tests;
