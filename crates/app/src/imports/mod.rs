//! Imports: brings a data set into catalogue and activity as a durable job.
//!
//! **Owns** its queue and the table `counts`. **Calls** catalog, activity and, for uploaded files, streaming. Files are read and checked
//! whole before the first write, so a file that is malformed brings nothing. Then titles land in one transaction, and ratings in many
//! that are short, since viewers rate meanwhile. Everything is idempotent: an import that was killed between two of them is taken up
//! again by the next server or the next import, from the start, and finds what is there already.

#[cfg(test)]
mod tests;
mod work;

use std::{path::Path, sync::Arc};

use contract::{
    JobId,
    activity::Activity,
    async_trait,
    catalog::Catalog,
    imports::{DatasetKind, FILES_MAX, Imports, ImportsError, StartImport},
    jobs::{AskOutlook, ForJob, Job, JobError, JobKind, Jobs, ListJobs, Outlook},
    streaming::Streaming,
};
use platform::{
    Bus, Db, Inputs, Location, Migrations,
    db::OrFault as _,
    jobs::{NewJob, Queue},
    on,
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

static MIGRATIONS: Migrations = platform::migrations!();

const CLAIMS_MAX: usize = 100_000;

/// What an import brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub titles: u64,
    pub titles_created: u64,
    pub titles_updated: u64,
    pub viewers: u64,
    pub ratings: u64,
    pub ratings_written: u64,
    /// Lines that said again what another had said.
    pub duplicates: u64,
}

/// What the room stands on.
pub struct Deps {
    pub location: Location,
    pub inputs: Inputs,
    pub bus: Arc<Bus>,
    pub catalog: Arc<dyn Catalog>,
    pub activity: Arc<dyn Activity>,
    pub streaming: Arc<dyn Streaming>,
}

/// The open room: [`Imports`] and [`Jobs`].
pub struct Room {
    db: Db,
    queue: Queue,
    catalog: Arc<dyn Catalog>,
    activity: Arc<dyn Activity>,
    streaming: Arc<dyn Streaming>,
}

pub async fn open(deps: Deps) -> anyhow::Result<Arc<Room>> {
    let db = Db::open(&deps.location, "imports", &MIGRATIONS).await?;
    deps.bus.attach(&db).await?;
    let queue = Queue::new(db.clone(), deps.inputs);
    Ok(Arc::new(Room {
        db,
        queue,
        catalog: deps.catalog,
        activity: deps.activity,
        streaming: deps.streaming,
    }))
}

impl Room {
    /// Works on imports, one at a time, until `stop`.
    pub async fn run_worker(self: Arc<Self>, stop: CancellationToken) {
        self.queue.clone().run(self, vec![JobKind::Import], 1, stop).await;
    }

    pub fn database(&self) -> &Db {
        &self.db
    }

    /// Of an import that is done.
    pub async fn counts(&self, job: JobId) -> anyhow::Result<Option<Counts>> {
        let row: Option<(String,)> =
            on!(&self.db, pool => sqlx::query_as("SELECT counts FROM counts WHERE job_id = $1")
            .bind(job.0).fetch_optional(pool).await)
            .or_fault()?;
        Ok(row.map(|(text,)| serde_json::from_str(&text)).transpose()?)
    }

    async fn note_counts(&self, job: JobId, counts: &Counts) -> anyhow::Result<()> {
        let sql = "INSERT INTO counts (job_id, counts) VALUES ($1, $2) ON CONFLICT (job_id) DO UPDATE SET counts = excluded.counts";
        let text = serde_json::to_string(counts)?;
        on!(self.db.writer(), pool => sqlx::query(sql).bind(job.0).bind(&text).execute(pool).await.map(drop))
            .or_fault()?;
        Ok(())
    }
}

#[async_trait]
impl Imports for Room {
    async fn start(&self, req: StartImport) -> Result<Job, ImportsError> {
        check(&req).map_err(ImportsError::Refused)?;
        let job = NewJob::new(JobKind::Import, subject(&req), &req);
        Ok(self.queue.enqueue_now(job).await?)
    }
}

/// What a curator calls it: the folder's name, or the data set's where there are several files, for uploaded ones are named by ids.
fn subject(request: &StartImport) -> String {
    match (request.paths.as_slice(), request.kind) {
        ([path], _) => {
            let name = Path::new(path).file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
        (_, DatasetKind::Movielens) => "MovieLens".into(),
        (_, DatasetKind::Movietweetings) => "MovieTweetings".into(),
    }
}

fn check(req: &StartImport) -> Result<(), String> {
    if req.paths.is_empty() || req.paths.len() > FILES_MAX {
        return Err(format!("name 1 to {FILES_MAX} files, or one folder"));
    }
    if req.claims.len() > CLAIMS_MAX {
        return Err(format!("at most {CLAIMS_MAX} claims at once"));
    }
    match req.paths.iter().find(|path| !Path::new(path).exists()) {
        Some(path) => Err(format!("{path} does not exist")),
        None => Ok(()),
    }
}

#[async_trait]
impl Jobs for Room {
    async fn list(&self, req: ListJobs) -> Result<Vec<Job>, JobError> {
        self.queue.list(req).await
    }

    async fn get(&self, req: ForJob) -> Result<Job, JobError> {
        self.queue.get(req).await
    }

    async fn cancel(&self, req: ForJob) -> Result<Job, JobError> {
        self.queue.cancel(req).await
    }

    async fn retry(&self, req: ForJob) -> Result<Job, JobError> {
        self.queue.retry(req).await
    }

    async fn first(&self, req: ForJob) -> Result<Job, JobError> {
        self.queue.first(req).await
    }

    async fn outlook(&self, req: AskOutlook) -> Result<Outlook, JobError> {
        self.queue.outlook(req).await
    }
}
