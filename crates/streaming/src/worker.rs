//! What a transcode job does, from source to published asset. Repeatable at every point: nothing is visible until the one
//! transaction that publishes, and what an earlier attempt left is removed first.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use contract::{
    JobId, TitleId, UploadId,
    catalog::{CatalogError, ForTitle},
    jobs::JobKind,
};
use platform::jobs::{Failure, Ticket, Work};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use crate::{
    asset,
    encode::{explain, extras, package::Package, plan::Plan, probe, run, sniff},
    files,
    room::Room,
    store::assets::{self, AssetRow, Published},
    workdir::WorkDir,
};

/// Shares of a job's progress: looking, then encoding, then storing.
const LOOKED: f32 = 0.02;
const ENCODED: f32 = 0.95;
/// What a job needs free at the least, whatever it is.
const FREE_BYTES_MIN: u64 = 16 << 20;

/// What a transcode job is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payload {
    pub source: UploadId,
    pub title: TitleId,
}

/// The jobs that this process works on, and how to stop each.
#[derive(Default)]
pub struct Running(Arc<Mutex<HashMap<JobId, CancellationToken>>>);

impl Running {
    pub fn stop(&self, job: JobId) {
        if let Some(token) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&job) {
            token.cancel();
        }
    }

    /// A token that ends with the ticket's own, or earlier by [`Running::stop`]; forgotten when the guard goes.
    fn enter(&self, ticket: &Ticket) -> (CancellationToken, impl Drop + use<>) {
        struct Leave(Arc<Mutex<HashMap<JobId, CancellationToken>>>, JobId);
        impl Drop for Leave {
            fn drop(&mut self) {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
            }
        }
        let token = ticket.cancelled().child_token();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(ticket.id(), token.clone());
        (token, Leave(self.0.clone(), ticket.id()))
    }
}

/// The worker's view of the room.
pub struct Transcoder(pub Arc<Room>);

#[async_trait]
impl Work for Transcoder {
    async fn run(&self, ticket: &Ticket) -> Result<Option<String>, Failure> {
        let (stop, _leave) = self.0.running.enter(ticket);
        let began = Instant::now();
        let result = self.0.transcode(ticket, &stop).await;
        if stop.is_cancelled() && !ticket.cancelled().is_cancelled() {
            // Stopped here before the queue has told us: it will, at the next heartbeat, and that decides how the job ends.
            ticket.progress(LOOKED, "stopping");
            ticket.cancelled().cancelled().await;
        }
        let name = if result.is_ok() { "done" } else { "failed" };
        metrics::histogram!("streaming_transcode_seconds", "result" => name).record(began.elapsed().as_secs_f64());
        result.map(Some)
    }
}

/// On a thread that may wait: a long film's rungs take a while to read, and the job's lease is renewed meanwhile.
async fn read_package(plan: Plan, folder: &Path) -> Result<Package, Failure> {
    let folder = folder.to_owned();
    let read = tokio::task::spawn_blocking(move || Package::read(&plan, &folder));
    read.await.map_err(anyhow::Error::from)?
}

impl Room {
    /// Runs transcodes, at most `parallelism` at a time, and tidies up, until `stop`. Both `kinora serve` and a command that waits
    /// for its own job call this; the queue shares the work out.
    pub async fn run_worker(self: Arc<Self>, parallelism: usize, stop: CancellationToken) {
        let work = Arc::new(Transcoder(self.clone()));
        let jobs = self
            .queue
            .clone()
            .run(work, vec![JobKind::Transcode], parallelism, stop.clone());
        tokio::join!(jobs, self.tidy_until(stop));
    }

    async fn transcode(&self, ticket: &Ticket, stop: &CancellationToken) -> Result<String, Failure> {
        let payload: Payload = ticket.payload()?;
        ticket.progress(0.0, "looking at the file");
        if let Some(done) = self.earlier_attempts(ticket.id()).await? {
            return self.finished(&payload, &done).await;
        }
        self.check_title(&payload).await?;
        let source = self.files.path(payload.source);
        self.check_start(&source).await?;
        let plan = Plan::new(probe::probe(&self.sandbox, &source, stop).await?);
        self.check_space(&plan)?;
        let name = format!("{}-{}", ticket.id(), ticket.attempt());
        let folder = WorkDir::create(&self.work_folder, &name).map_err(|error| explain::io(&error))?;
        self.encode(ticket, &plan, (&source, folder.path()), stop).await?;
        let extras = plan.extras.clone();
        let mut package = read_package(plan, folder.path()).await?;
        extras::add(&self.sandbox, &mut package, &extras, (&source, folder.path()), stop).await?;
        let row = self.store(ticket, &payload, &package, stop).await?;
        tracing::info!(job = %ticket.id(), title = %payload.title, asset = %row.asset(), "a video is ready");
        self.finished(&payload, &row).await
    }

    /// Removes what earlier attempts left half-stored; answers what one of them published, if it died just after that.
    async fn earlier_attempts(&self, job: JobId) -> Result<Option<AssetRow>, Failure> {
        for row in assets::of_job(&self.db, job).await.map_err(explain::fault)? {
            if row.state == "storing" {
                assets::abandon(&self.db, row.asset(), self.inputs.now_ms())
                    .await
                    .map_err(explain::fault)?;
                self.remove_asset(&row).await.map_err(explain::fault)?;
            } else if row.state == "ready" {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// A title that was deleted takes its video with it, also where the fact of it has not arrived.
    async fn check_title(&self, payload: &Payload) -> Result<(), Failure> {
        match self.catalog.title(ForTitle { title: payload.title }).await {
            Ok(_) => Ok(()),
            Err(CatalogError::TitleNotFound) => {
                self.remove_source(payload.source).await.map_err(explain::fault)?;
                Err(Failure::permanent(
                    "The title of this video was deleted, and the video with it.",
                ))
            }
            Err(error) => Err(Failure::transient(format!("The catalogue did not answer: {error}"))),
        }
    }

    async fn check_start(&self, source: &Path) -> Result<(), Failure> {
        let file = tokio::fs::File::open(source)
            .await
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    Failure::permanent("The source file is no longer there: add or upload it again.")
                }
                _ => explain::io(&error),
            })?;
        let mut start = Vec::with_capacity(sniff::START_BYTES);
        file.take(sniff::START_BYTES as u64)
            .read_to_end(&mut start)
            .await
            .map_err(|error| explain::io(&error))?;
        match sniff::refuse(&start) {
            Some(text) => Err(Failure::permanent(text)),
            None => Ok(()),
        }
    }

    /// Segments are copied out of the rungs, which go only when all are stored: until then the film is there twice.
    fn check_space(&self, plan: &Plan) -> Result<(), Failure> {
        let free = files::free_bytes(&self.data_folder).map_err(explain::fault)?;
        let needed = (2 * plan.bytes_max().unwrap_or(0)).max(FREE_BYTES_MIN);
        if free < needed {
            let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
            let text = format!(
                "{} (About {} MB are needed, {} MB are free.)",
                explain::STORAGE_FULL,
                megabytes(needed),
                megabytes(free)
            );
            return Err(Failure::permanent(text));
        }
        Ok(())
    }

    async fn encode(
        &self,
        ticket: &Ticket,
        plan: &Plan,
        places: (&Path, &Path),
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let limits = run::EncodeLimits {
            memory_bytes: self.config.encoder_memory_bytes,
            output_bytes: self.config.encoder_output_bytes,
            wall_per_second: self.config.encoder_seconds_per_second,
            silence: Duration::from_secs(self.config.encoder_silence_s),
        };
        let stage = format!("encoding {}", plan.words());
        ticket.progress(LOOKED, stage.clone());
        let (seconds, mut reported) = tokio::sync::watch::channel(0.0_f64);
        let on_seconds = move |done: f64| {
            seconds.send_replace(done);
        };
        let encoding = run::encode(&self.sandbox, plan, places, &limits, stop, on_seconds);
        tokio::pin!(encoding);
        loop {
            tokio::select! {
                result = &mut encoding => return result,
                Ok(()) = reported.changed() => {
                    let done = *reported.borrow_and_update();
                    // Without a length there is no share to tell; half-way is as true as anything.
                    let share = plan.duration_s.map_or(0.5, |all| (done / all).clamp(0.0, 1.0)) as f32;
                    ticket.progress(LOOKED + share * (ENCODED - LOOKED), stage.clone());
                }
            }
        }
    }

    async fn store(
        &self,
        ticket: &Ticket,
        payload: &Payload,
        package: &Package,
        stop: &CancellationToken,
    ) -> Result<AssetRow, Failure> {
        let now = self.inputs.now_ms();
        let row = AssetRow {
            id: self.inputs.id(),
            title_id: payload.title.0,
            job_id: ticket.id().0,
            state: "storing".into(),
            duration_ms: package.index.duration_ms as i64,
            height: i64::from(package.index.height()),
            bytes: package.index.bytes() as i64,
            created_at: now,
            changed_at: now,
            credits_ms: package.credits_ms.map(|ms| ms as i64),
            intro_from_ms: package.intro_ms.map(|(from, _)| from as i64),
            intro_to_ms: package.intro_ms.map(|(_, to)| to as i64),
        };
        assets::begin(&self.db, &row).await.map_err(explain::fault)?;
        let on_share = |share: f32| ticket.progress(ENCODED + share * (1.0 - ENCODED), "storing");
        let stored = tokio::select! {
            () = stop.cancelled() => Err(Failure::transient("Stopped.")),
            stored = package.store(&self.blobs, row.asset(), on_share) => stored,
        };
        let published = match stored {
            Ok(()) => self.publish(payload, &row).await,
            Err(failure) => Err(failure),
        };
        if published.is_err() {
            self.abandon(&row).await;
        }
        published.map(|()| row)
    }

    async fn publish(&self, payload: &Payload, row: &AssetRow) -> Result<(), Failure> {
        self.check_title(payload).await?;
        match assets::publish(&self.db, &self.inputs, row, payload.source)
            .await
            .map_err(explain::fault)?
        {
            Published::Yes => Ok(()),
            Published::SourceGone => Err(Failure::permanent(
                "The source file was removed while it was being encoded.",
            )),
            Published::AssetGone => Err(Failure::transient("Another worker has taken this job over.")),
        }
    }

    /// What was stored so far goes at once; if that fails too, tidying up finds it.
    async fn abandon(&self, row: &AssetRow) {
        let abandoned = assets::abandon(&self.db, row.asset(), self.inputs.now_ms()).await;
        if let Ok(true) = abandoned
            && let Err(error) = self.remove_asset(row).await
        {
            tracing::warn!(asset = %row.asset(), %error, "a half-stored video was not removed; it will be");
        }
    }

    async fn finished(&self, payload: &Payload, row: &AssetRow) -> Result<String, Failure> {
        self.files.remove(payload.source).await.map_err(explain::fault)?;
        let index = self.indexes.get(row.asset()).await.map_err(anyhow::Error::from)?;
        let rungs: Vec<String> = index
            .video
            .iter()
            .map(|video| format!("{}×{}", video.width, video.height))
            .collect();
        let made = format!(
            "{} in {}, {:.1} MB",
            explain::length(row.duration_ms as f64 / 1000.0),
            rungs.join(", "),
            row.bytes as f64 / 1e6
        );
        let notes = index.notes.iter().map(|note| format!(" {note}"));
        Ok(std::iter::once(made + if index.notes.is_empty() { "" } else { "." })
            .chain(notes)
            .collect())
    }

    /// Files first, then the row that knows of them.
    pub(crate) async fn remove_asset(&self, row: &AssetRow) -> Result<(), contract::Fault> {
        self.indexes.forget(row.asset()).await;
        self.blobs
            .delete_all(&asset::folder(row.asset()))
            .await
            .map_err(|error| match error {
                platform::blob::BlobError::Fault(fault) => fault,
                other => contract::Fault::Internal(other.to_string()),
            })?;
        assets::delete(&self.db, row.asset()).await
    }
}
