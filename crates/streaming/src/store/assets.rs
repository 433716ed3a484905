//! Table `assets`, and the facts that its changes are.

use std::collections::HashSet;

use contract::{AssetId, Fault, JobId, Millis, TitleId, UploadId, events::EventBody, streaming::Chapter};
use platform::{
    Db, Inputs, Tx,
    db::{Engine, OrFault as _},
    on, outbox,
};

use super::uploads;
use crate::cipher::AssetSecret;

/// What is known of an asset without opening its index.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct AssetRow {
    pub id: i64,
    pub title_id: i64,
    pub job_id: i64,
    pub state: String,
    pub duration_ms: i64,
    pub height: i64,
    pub bytes: i64,
    pub created_at: i64,
    pub changed_at: i64,
    pub credits_ms: Option<i64>,
    pub intro_from_ms: Option<i64>,
    pub intro_to_ms: Option<i64>,
    /// JSON.
    pub chapters: Option<String>,
}

impl AssetRow {
    pub fn asset(&self) -> AssetId {
        AssetId(self.id)
    }

    /// Whether it is or was what its title plays; what it takes is written down as it is published.
    pub fn was_published(&self) -> bool {
        self.state == "ready" || self.state == "retired" && self.bytes > 0
    }

    /// Where the credits begin, if known.
    pub fn credits(&self) -> Option<u64> {
        self.credits_ms.map(|ms| ms as u64)
    }

    /// From where to where the opening lasts, if known.
    pub fn intro(&self) -> Option<(u64, u64)> {
        Some((self.intro_from_ms? as u64, self.intro_to_ms? as u64))
    }

    /// Those that a curator has said; none where it has its own.
    pub fn chapters(&self) -> Result<Option<Vec<Chapter>>, Fault> {
        let read = |text: &String| {
            serde_json::from_str(text)
                .map_err(|error| Fault::Internal(format!("chapters of {}: {error}", self.asset())))
        };
        self.chapters.as_ref().map(read).transpose()
    }
}

macro_rules! columns {
    () => {
        "id, title_id, job_id, state, duration_ms, height, bytes, created_at, changed_at, credits_ms, intro_from_ms, intro_to_ms, \
         chapters"
    };
}

/// Announces that files are about to be written under this id, so that a crash leaves nothing that nobody knows of; with a secret, that
/// its segments are encrypted.
pub async fn begin(db: &Db, row: &AssetRow, secret: Option<&AssetSecret>) -> Result<(), Fault> {
    let sql = concat!(
        "INSERT INTO assets (",
        columns!(),
        ", segment_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    );
    on!(db.writer(), pool => sqlx::query(sql).bind(row.id).bind(row.title_id).bind(row.job_id).bind(&row.state)
        .bind(row.duration_ms).bind(row.height).bind(row.bytes).bind(row.created_at).bind(row.changed_at)
        .bind(row.credits_ms).bind(row.intro_from_ms).bind(row.intro_to_ms).bind(row.chapters.as_deref()).bind(secret.map(AssetSecret::stored))
        .execute(pool).await.map(drop))
    .or_fault()
}

/// How an asset's segments are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    Plain,
    Encrypted(AssetSecret),
    /// There is no such asset any more.
    Gone,
}

impl Stored {
    pub fn secret(&self) -> Option<&AssetSecret> {
        match self {
            Self::Encrypted(secret) => Some(secret),
            Self::Plain | Self::Gone => None,
        }
    }
}

/// Apart from the row, which is shown and logged.
pub async fn stored(db: &Db, asset: AssetId) -> Result<Stored, Fault> {
    let sql = "SELECT segment_key FROM assets WHERE id = $1";
    let found: Option<(Option<Vec<u8>>,)> =
        on!(db, pool => sqlx::query_as(sql).bind(asset.0).fetch_optional(pool).await).or_fault()?;
    match found {
        None => Ok(Stored::Gone),
        Some((None,)) => Ok(Stored::Plain),
        Some((Some(bytes),)) => AssetSecret::read(&bytes)
            .map(Stored::Encrypted)
            .ok_or_else(|| Fault::Internal(format!("what the keys of {asset} come from is damaged"))),
    }
}

/// What became of an asset that was to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    Yes,
    /// Its source is not known any more: somebody removed it, or its title.
    SourceGone,
    /// Its job was to be cancelled, or is nobody's any more.
    Unwanted,
    /// It is not there any more: another worker has taken the job over.
    AssetGone,
}

/// Makes a stored asset what its title plays, and retires the one before. Whoever removes the source or cancels the job first wins:
/// nothing is published afterwards.
pub async fn publish(db: &Db, inputs: &Inputs, row: &AssetRow, source: UploadId) -> Result<Published, Fault> {
    let mut tx = db.begin().await?;
    if !uploads::set_packaged(&mut tx, source).await? {
        tx.rollback().await?;
        return Ok(Published::SourceGone);
    }
    if !is_wanted(&mut tx, JobId(row.job_id)).await? {
        tx.rollback().await?;
        return Ok(Published::Unwanted);
    }
    retire(&mut tx, inputs, TitleId(row.title_id)).await?;
    let sql = "UPDATE assets SET state = 'ready', changed_at = $2, duration_ms = $3, height = $4, bytes = $5, credits_ms = $6,
         intro_from_ms = $7, intro_to_ms = $8 WHERE id = $1 AND state = 'storing'";
    let published = on!(tx, conn => sqlx::query(sql).bind(row.id).bind(inputs.now_ms()).bind(row.duration_ms).bind(row.height)
        .bind(row.bytes).bind(row.credits_ms).bind(row.intro_from_ms).bind(row.intro_to_ms).execute(conn).await.map(|done| done.rows_affected() == 1))
    .or_fault()?;
    if !published {
        tx.rollback().await?;
        return Ok(Published::AssetGone);
    }
    let ready = EventBody::AssetReady {
        title: TitleId(row.title_id),
        asset: row.asset(),
        duration_ms: row.duration_ms as u64,
        height: row.height as u32,
    };
    outbox::append(&mut tx, &inputs.event(ready)).await?;
    tx.commit().await?;
    Ok(Published::Yes)
}

/// Whether a worker is at a job and nobody has asked for it to stop; whoever asks now waits until the transaction ends.
async fn is_wanted(tx: &mut Tx, job: JobId) -> Result<bool, Fault> {
    let sql = match tx.engine() {
        Engine::Sqlite(_) => "SELECT 1 FROM jobs WHERE id = $1 AND state = 'running' AND NOT cancel_requested",
        Engine::Postgres(_) => {
            "SELECT 1 FROM jobs WHERE id = $1 AND state = 'running' AND NOT cancel_requested FOR UPDATE"
        }
    };
    on!(tx, conn => sqlx::query(sql).bind(job.0).fetch_optional(conn).await.map(|row| row.is_some())).or_fault()
}

/// The title plays nothing any more; the files go once nobody can be watching.
pub async fn retire(tx: &mut Tx, inputs: &Inputs, title: TitleId) -> Result<(), Fault> {
    let sql =
        "UPDATE assets SET state = 'retired', changed_at = $2 WHERE title_id = $1 AND state = 'ready' RETURNING id";
    let retired: Option<(i64,)> =
        on!(tx, conn => sqlx::query_as(sql).bind(title.0).bind(inputs.now_ms()).fetch_optional(conn).await)
            .or_fault()?;
    if let Some((asset,)) = retired {
        outbox::append(
            tx,
            &inputs.event(EventBody::AssetRemoved {
                title,
                asset: AssetId(asset),
            }),
        )
        .await?;
    }
    Ok(())
}

/// What a title plays.
pub async fn current(db: &Db, title: TitleId) -> Result<Option<AssetRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM assets WHERE title_id = $1 AND state = 'ready'"
    );
    on!(db, pool => sqlx::query_as(sql).bind(title.0).fetch_optional(pool).await).or_fault()
}

pub async fn find(db: &Db, asset: AssetId) -> Result<Option<AssetRow>, Fault> {
    let sql = concat!("SELECT ", columns!(), " FROM assets WHERE id = $1");
    on!(db, pool => sqlx::query_as(sql).bind(asset.0).fetch_optional(pool).await).or_fault()
}

/// Where parts of a video lie; the outer `None`: that is not said.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    pub credits: Option<Option<u64>>,
    pub intro: Option<Option<(u64, u64)>>,
    /// In order.
    pub chapters: Option<Option<Vec<Chapter>>>,
}

/// Says where parts of the video lie that the title plays now. `None`: it plays none, or one of them would not lie within it.
pub async fn set_marks(db: &Db, title: TitleId, marks: &Marks) -> Result<Option<AssetRow>, Fault> {
    let sql = concat!(
        "UPDATE assets SET credits_ms = CASE WHEN $2 THEN $3 ELSE credits_ms END,
         intro_from_ms = CASE WHEN $4 THEN $5 ELSE intro_from_ms END, intro_to_ms = CASE WHEN $4 THEN $6 ELSE intro_to_ms END,
         chapters = CASE WHEN $7 THEN $8 ELSE chapters END
         WHERE title_id = $1 AND state = 'ready' AND ($3 IS NULL OR duration_ms > $3) AND ($6 IS NULL OR duration_ms >= $6)
         AND ($9 IS NULL OR duration_ms > $9)
         RETURNING ",
        columns!()
    );
    let credits = marks.credits.flatten().map(|ms| ms as i64);
    let (from, to) = marks.intro.flatten().map(|(from, to)| (from as i64, to as i64)).unzip();
    let chapters = marks.chapters.as_ref().and_then(Option::as_ref);
    let last = chapters
        .and_then(|all| all.last())
        .map(|chapter| chapter.start_ms as i64);
    let written = |all: &Vec<Chapter>| serde_json::to_string(all).map_err(|error| Fault::Internal(error.to_string()));
    let chapters: Option<String> = chapters.map(written).transpose()?;
    on!(db.writer(), pool => sqlx::query_as(sql).bind(title.0).bind(marks.credits.is_some()).bind(credits)
        .bind(marks.intro.is_some()).bind(from).bind(to).bind(marks.chapters.is_some()).bind(chapters.as_deref()).bind(last)
        .fetch_optional(pool).await)
    .or_fault()
}

/// Of these, in order of their numbers, those that are known.
pub async fn known(db: &Db, assets: &[AssetId]) -> Result<HashSet<AssetId>, Fault> {
    let (Some(first), Some(last)) = (assets.first(), assets.last()) else {
        return Ok(HashSet::new());
    };
    let sql = "SELECT id FROM assets WHERE id >= $1 AND id <= $2";
    let rows: Vec<(i64,)> =
        on!(db.writer(), pool => sqlx::query_as(sql).bind(first.0).bind(last.0).fetch_all(pool).await).or_fault()?;
    Ok(rows.into_iter().map(|(id,)| AssetId(id)).collect())
}

/// What a job has made so far, whatever became of it.
pub async fn of_job(db: &Db, job: JobId) -> Result<Vec<AssetRow>, Fault> {
    let sql = concat!("SELECT ", columns!(), " FROM assets WHERE job_id = $1 ORDER BY id");
    on!(db.writer(), pool => sqlx::query_as(sql).bind(job.0).fetch_all(pool).await).or_fault()
}

pub async fn in_state(db: &Db, state: &str, before: Millis, limit: u32) -> Result<Vec<AssetRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM assets WHERE state = $1 AND changed_at <= $2 ORDER BY changed_at LIMIT $3"
    );
    on!(db, pool => sqlx::query_as(sql).bind(state).bind(before).bind(i64::from(limit)).fetch_all(pool).await)
        .or_fault()
}

/// Takes a half-stored asset out of the running; nobody can be watching it, so what is not removed at once is with the next tidying.
/// `false`: it was published meanwhile, or is gone.
pub async fn abandon(db: &Db, asset: AssetId) -> Result<bool, Fault> {
    let sql = "UPDATE assets SET state = 'retired', changed_at = 0 WHERE id = $1 AND state = 'storing'";
    on!(db.writer(), pool => sqlx::query(sql).bind(asset.0)
        .execute(pool).await.map(|done| done.rows_affected() == 1))
    .or_fault()
}

/// The same, unless its job is to be done yet, or again, or a worker is still at it or at a part of it. What is known of its parts goes
/// with it.
pub async fn abandon_ended(db: &Db, asset: AssetId) -> Result<bool, Fault> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE assets SET state = 'retired', changed_at = 0 WHERE id = $1 AND state = 'storing' AND NOT EXISTS
         (SELECT 1 FROM jobs WHERE jobs.id = assets.job_id AND jobs.state IN ('queued', 'waiting', 'running')
          OR jobs.parent_id = assets.job_id AND jobs.state = 'running')";
    let abandoned = on!(tx, conn => sqlx::query(sql).bind(asset.0)
        .execute(conn).await.map(|done| done.rows_affected() == 1))
    .or_fault()?;
    if abandoned {
        let sql = "DELETE FROM jobs WHERE parent_id = (SELECT job_id FROM assets WHERE id = $1) AND state <> 'running'";
        on!(tx, conn => sqlx::query(sql).bind(asset.0).execute(conn).await.map(drop)).or_fault()?;
    }
    tx.commit().await?;
    Ok(abandoned)
}

/// Forgets a retired asset, once its files are gone.
pub async fn delete(db: &Db, asset: AssetId) -> Result<(), Fault> {
    on!(db.writer(), pool => sqlx::query("DELETE FROM assets WHERE id = $1 AND state = 'retired'").bind(asset.0)
        .execute(pool).await.map(drop))
    .or_fault()
}

#[cfg(test)]
mod tests {
    use contract::jobs::{ForJob, JobKind, Jobs as _};
    use platform::{
        jobs::{Failure, NewJob, Queue},
        test_support,
    };

    use super::*;

    #[tokio::test]
    async fn a_secret_comes_with_its_asset_and_goes_with_it() {
        for database in test_support::databases().await {
            let db = database.open("streaming", &crate::MIGRATIONS).await;
            let (inputs, _) = Inputs::manual(1);
            let new = || AssetRow {
                id: inputs.id(),
                state: "storing".into(),
                ..AssetRow::default()
            };
            let (encrypted, plain) = (new(), new());
            let secret = AssetSecret::new(&*inputs.entropy);
            begin(&db, &encrypted, Some(&secret)).await.unwrap();
            begin(&db, &plain, None).await.unwrap();
            let found = async |row: &AssetRow| stored(&db, row.asset()).await.unwrap();
            assert_eq!(found(&encrypted).await, Stored::Encrypted(secret), "{}", database.name);
            assert_eq!(found(&plain).await, Stored::Plain);
            assert!(abandon(&db, encrypted.asset()).await.unwrap());
            delete(&db, encrypted.asset()).await.unwrap();
            assert_eq!(found(&encrypted).await, Stored::Gone, "{}", database.name);
            // Half a secret opens nothing, and does not pass for none.
            on!(db.writer(), pool => sqlx::query("UPDATE assets SET segment_key = $2 WHERE id = $1").bind(plain.id).bind(vec![7_u8; 5])
                .execute(pool).await.map(drop)).unwrap();
            assert!(stored(&db, plain.asset()).await.is_err(), "{}", database.name);
        }
    }

    #[tokio::test]
    async fn what_somebody_is_at_or_takes_over_is_not_abandoned() {
        for database in test_support::databases().await {
            let db = database.open("streaming", &crate::MIGRATIONS).await;
            let (inputs, _) = Inputs::manual(1);
            let queue = Queue::new(db.clone(), inputs.clone());
            let new = || NewJob::new(JobKind::Transcode, "film.mp4", &());
            let film = queue.enqueue_now(new()).await.unwrap().id;
            let row = AssetRow {
                id: inputs.id(),
                job_id: film.0,
                state: "storing".into(),
                ..AssetRow::default()
            };
            begin(&db, &row, None).await.unwrap();
            let is_abandoned = async || abandon_ended(&db, row.asset()).await.unwrap();
            assert!(!is_abandoned().await, "queued");
            let fail = async || {
                let lease = queue.take(&[JobKind::Transcode]).await.unwrap().unwrap();
                assert!(!is_abandoned().await, "running");
                queue.fail(&lease, &Failure::permanent("no")).await.unwrap();
            };
            fail().await;
            queue.retry(ForJob { job: film }).await.unwrap();
            assert!(!is_abandoned().await, "to be done again");
            fail().await;
            let part = queue.enqueue_now(new()).await.unwrap().id;
            let set = async |job: JobId, state: &str, parent: Option<JobId>| {
                let sql = "UPDATE jobs SET state = $2, parent_id = $3 WHERE id = $1";
                on!(db.writer(), pool => sqlx::query(sql).bind(job.0).bind(state).bind(parent.map(|job| job.0)).execute(pool).await.map(drop)).unwrap();
            };
            set(part, "running", Some(film)).await;
            assert!(!is_abandoned().await, "a worker is still at a part");
            set(part, "cancelled", Some(film)).await;
            set(film, "waiting", None).await;
            assert!(!is_abandoned().await, "waiting");
            set(film, "failed", None).await;
            assert!(is_abandoned().await, "{}", database.name);
            assert!(!is_abandoned().await, "only once");
            let left = in_state(&db, "retired", inputs.now_ms() - 1, 10).await.unwrap();
            assert_eq!(left.len(), 1, "whoever dies here leaves it to the next tidying");
            assert_eq!(
                queue.children(film).await.unwrap().len(),
                0,
                "its parts are forgotten with it"
            );
        }
    }
}
