//! What a transcode job does, from source to published asset: it looks and plans, waits for its parts (`parts.rs`), then joins what they
//! made. Repeatable at every point: nothing is visible until the one transaction that publishes, what an attempt has stored is either
//! what the plan wants or removed.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use contract::{AssetId, Fault, JobId, TitleId, UploadId, jobs::JobKind};
use platform::jobs::{Child, Failure, NewJob, Ticket, Work};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use crate::{
    asset,
    encode::{
        chunks::{self, Chunk, Pictures},
        command, explain, extras,
        join::{self, Package},
        ladder,
        package::Made,
        plan::{Plan, Rung},
        probe,
        run::{self, Bench},
    },
    parts::{Part, PartPayload, parts},
    room::Room,
    store::assets::{self, AssetRow, Published},
};

/// Share of a job's progress that looking at the file is; its parts are most of the rest.
const LOOKED: f32 = 0.02;
const ENCODED: f32 = 0.97;
const STORED: f32 = 0.99;

/// What a transcode job is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payload {
    pub source: UploadId,
    pub title: TitleId,
}

/// The same, with what it has found out before it waits for its parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    about: Payload,
    #[serde(default)]
    planned: Option<Planned>,
}

/// How a film is to be made, and as which asset.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Planned {
    asset: AssetId,
    plan: Plan,
    parts: Vec<Part>,
}

impl Planned {
    fn payload(&self, source: UploadId, part: Part) -> PartPayload {
        PartPayload {
            source,
            asset: self.asset,
            plan: self.plan.for_parts(),
            part,
        }
    }

    /// What is made, and what is still to be done.
    fn look(&self, about: &Payload, ticket: &Ticket, children: &[Child]) -> Result<(Vec<Made>, Vec<NewJob>), Failure> {
        let (mut made, mut missing) = (Vec::new(), Vec::new());
        for part in &self.parts {
            let payload = self.payload(about.source, *part);
            match payload.made(children)? {
                Some(done) => made.push(done),
                None => missing.push(payload.job(ticket.subject())),
            }
        }
        Ok((made, missing))
    }
}

/// What this process works on, and how to stop it.
#[derive(Default)]
pub struct Running(Arc<Mutex<HashMap<JobId, (JobId, CancellationToken)>>>);

impl Running {
    /// A job and all its parts.
    pub fn stop(&self, job: JobId) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = running.values().filter(|(shown, _)| *shown == job);
        of_it.for_each(|(_, token)| token.cancel());
    }

    /// A token that ends with the ticket's own, or earlier by [`Running::stop`]; forgotten when the guard goes.
    fn enter(&self, ticket: &Ticket) -> (CancellationToken, impl Drop + use<>) {
        struct Leave(Arc<Mutex<HashMap<JobId, (JobId, CancellationToken)>>>, JobId);
        impl Drop for Leave {
            fn drop(&mut self) {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
            }
        }
        let token = ticket.cancelled().child_token();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(ticket.id(), (ticket.shown(), token.clone()));
        (token, Leave(self.0.clone(), ticket.id()))
    }
}

/// What earlier attempts at a job have come to.
enum Earlier {
    Nothing,
    /// What is planned is partly stored.
    Stored,
    Published(Box<AssetRow>),
}

/// The worker's view of the room.
pub struct Transcoder(pub Arc<Room>);

#[async_trait]
impl Work for Transcoder {
    async fn run(&self, ticket: &Ticket) -> Result<Option<String>, Failure> {
        let (stop, _leave) = self.0.running.enter(ticket);
        let began = Instant::now();
        let is_part = ticket.id() != ticket.shown();
        let result = if is_part {
            self.0.make_part(ticket, &stop).await
        } else {
            self.0.transcode(ticket, &stop).await
        };
        if stop.is_cancelled() && !ticket.cancelled().is_cancelled() {
            // Stopped here before the queue has told us: it will, at the next heartbeat, and that decides how the job ends.
            ticket.progress(LOOKED, "stopping");
            ticket.cancelled().cancelled().await;
        }
        let name = if result.is_ok() { "done" } else { "failed" };
        if is_part {
            metrics::histogram!("streaming_transcode_part_seconds", "result" => name)
                .record(began.elapsed().as_secs_f64());
        }
        result.map(Some)
    }

    async fn let_go(&self, shown: JobId) {
        if let Err(error) = self.0.clear_ended(shown).await {
            tracing::warn!(job = %shown, %error, "a half-stored video was not removed; it will be");
        }
    }
}

impl Room {
    /// Runs transcodes, at most `parallelism` parts at a time, and tidies up, until `stop`. Both `kinora serve` and a command that waits
    /// for its own job call this; the queue shares the work out.
    pub async fn run_worker(self: Arc<Self>, parallelism: usize, stop: CancellationToken) {
        self.say_encoder().await;
        let work = Arc::new(Transcoder(self.clone()));
        let jobs = self
            .queue
            .clone()
            .run(work, vec![JobKind::Transcode], parallelism, stop.clone());
        tokio::join!(jobs, self.tidy_until(stop));
    }

    /// Runs twice: it plans and waits for the parts, then it makes a video of them.
    async fn transcode(&self, ticket: &Ticket, stop: &CancellationToken) -> Result<String, Failure> {
        let Kept { about, planned } = ticket.payload()?;
        let asset = planned.as_ref().map(|planned| planned.asset);
        let planned = match self.earlier_attempts(ticket.id(), asset).await? {
            Earlier::Published(row) => return self.finished(&about, &row).await,
            Earlier::Stored => planned,
            Earlier::Nothing => None,
        };
        self.check_title(&about).await?;
        let mut planned = match planned {
            Some(planned) => planned,
            None => self.plan(ticket, &about, stop).await?,
        };
        let children = self.queue.children(ticket.id()).await.map_err(explain::fault)?;
        let (mut made, mut missing) = planned.look(&about, ticket, &children)?;
        if made.iter().any(|made| made.is_refused) {
            planned.plan.do_without_hardware();
            (made, missing) = planned.look(&about, ticket, &children)?;
        }
        if missing.is_empty() {
            return self.finish(ticket, (&about, &planned), &made, stop).await;
        }
        ticket.progress(LOOKED, format!("encoding {}", planned.plan.words()));
        ticket.then(missing);
        let planned = Some(planned);
        ticket.keep(&Kept { about, planned });
        Ok(String::new())
    }

    /// Removes what earlier attempts left half-stored, but for what is planned; answers what one of them published, if it died just after.
    async fn earlier_attempts(&self, job: JobId, planned: Option<AssetId>) -> Result<Earlier, Failure> {
        let mut earlier = Earlier::Nothing;
        for row in assets::of_job(&self.db, job).await.map_err(explain::fault)? {
            if row.state == "ready" {
                return Ok(Earlier::Published(Box::new(row)));
            }
            if row.state != "storing" {
                continue;
            }
            if Some(row.asset()) == planned {
                earlier = Earlier::Stored;
            } else {
                self.abandon(&row).await.map_err(explain::fault)?;
            }
        }
        Ok(earlier)
    }

    /// Looks at the source and announces an asset.
    async fn plan(&self, ticket: &Ticket, about: &Payload, stop: &CancellationToken) -> Result<Planned, Failure> {
        ticket.progress(0.0, "looking at the file");
        self.queue.forget_children(ticket.id()).await.map_err(explain::fault)?;
        let source = self.files.path(about.source);
        self.check_start(&source).await?;
        let mut plan = Plan::new(probe::probe(&self.sandbox, &source, stop).await?);
        let mut chunks = vec![Chunk::WHOLE];
        if chunks::is_divisible(&plan) {
            let pictures = chunks::look(&self.sandbox, &plan, &source, stop).await?;
            pictures.check()?;
            plan.pictures_s = Some(pictures.end_s());
            chunks = chunks::divide(&plan, &pictures);
            plan.rungs = self.ladder(ticket, &plan, (&source, &pictures), stop).await?;
        }
        self.choose_encoder(&mut plan).await?;
        self.check_space(&plan, &chunks)?;
        let now = self.inputs.now_ms();
        let row = AssetRow {
            id: self.inputs.id(),
            title_id: about.title.0,
            job_id: ticket.id().0,
            state: "storing".into(),
            created_at: now,
            changed_at: now,
            ..AssetRow::default()
        };
        assets::begin(&self.db, &row).await.map_err(explain::fault)?;
        Ok(Planned {
            asset: row.asset(),
            parts: parts(&plan, chunks),
            plan,
        })
    }

    /// What this title's own pictures want.
    async fn ladder(
        &self,
        ticket: &Ticket,
        plan: &Plan,
        (source, pictures): (&Path, &Pictures),
        stop: &CancellationToken,
    ) -> Result<Vec<Rung>, Failure> {
        ticket.progress(0.0, "looking at the pictures");
        let limits = self.encode_limits();
        let mut samples = Vec::new();
        // One after the other: this is the work of one worker, and takes the memory of one.
        for sample in ladder::samples(plan, pictures) {
            let folder = self.work_dir(&format!("{}-{}-s{}", ticket.id(), ticket.attempt(), sample.first))?;
            let bench = Bench {
                sandbox: &self.sandbox,
                input: source,
                output: folder.path(),
                limits: &limits,
                cancel: stop,
            };
            if run::sample(&bench, plan, &sample).await? {
                samples.push(ladder::bytes(plan, folder.path())?);
            }
        }
        Ok(ladder::choose(plan, &samples))
    }

    /// Every part is there: joins them, does what wants the whole film, and publishes.
    async fn finish(
        &self,
        ticket: &Ticket,
        (about, planned): (&Payload, &Planned),
        made: &[Made],
        stop: &CancellationToken,
    ) -> Result<String, Failure> {
        ticket.progress(ENCODED, "finishing");
        let (mut chunks, mut sound) = (Vec::new(), Vec::new());
        for (part, made) in planned.parts.iter().zip(made) {
            match part {
                Part::Pictures(chunk) => chunks.push((*chunk, made.renditions.clone())),
                Part::Sound => sound = made.renditions.clone(),
            }
        }
        let mut package = join::join(&planned.plan, &chunks, &sound)?;
        tokio::select! {
            () = stop.cancelled() => return Err(Failure::transient("Stopped.")),
            done = self.whole_film(ticket, (about, planned), &mut package, stop) => done?,
        }
        let index = serde_json::to_vec(&package.index).map_err(anyhow::Error::from)?;
        let key = asset::index_key(planned.asset);
        self.blobs.put(&key, index).await.map_err(explain::blob)?;
        let row = self.publish(ticket, (about, planned.asset), &package).await?;
        tracing::info!(job = %ticket.id(), title = %about.title, asset = %row.asset(), "a video is ready");
        self.finished(about, &row).await
    }

    /// The place for steps that want the whole source or the whole film, once its parts are stored: they add to the package's index and
    /// put what belongs to it below the asset's folder.
    async fn whole_film(
        &self,
        ticket: &Ticket,
        (about, planned): (&Payload, &Planned),
        package: &mut Package,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let folder = self.work_dir(&format!("{}-{}", ticket.id(), ticket.attempt()))?;
        let source = self.files.path(about.source);
        self.lowest_rung(planned.asset, package, folder.path()).await?;
        let extras = &planned.plan.extras;
        extras::add(&self.sandbox, package, extras, (&source, folder.path()), stop).await?;
        ticket.progress(STORED, "storing");
        for extra in std::mem::take(&mut package.extras) {
            let key = format!("{}/{}", asset::folder(planned.asset), extra.name);
            let stored = self.blobs.put_file(&key, &extra.path).await;
            stored.map_err(explain::blob)?;
        }
        Ok(())
    }

    /// The lowest rung as one file again, for what is made from it.
    async fn lowest_rung(&self, asset: AssetId, package: &Package, folder: &Path) -> Result<(), Failure> {
        let Some(rung) = package.index.video.first().map(|video| &video.track) else {
            return Ok(());
        };
        let path = folder.join(format!("{}.mp4", command::video_name(0)));
        let mut file = tokio::fs::File::create(path)
            .await
            .map_err(|error| explain::io(&error))?;
        let segments = (1..=rung.bytes.len()).map(|number| asset::segment_key(asset, &rung.name, number));
        for key in std::iter::once(asset::init_key(asset, &rung.name)).chain(segments) {
            let bytes = self.blobs.get(&key).await.map_err(explain::blob)?;
            file.write_all(&bytes).await.map_err(|error| explain::io(&error))?;
        }
        file.flush().await.map_err(|error| explain::io(&error))
    }

    async fn publish(
        &self,
        ticket: &Ticket,
        (about, asset): (&Payload, AssetId),
        package: &Package,
    ) -> Result<AssetRow, Failure> {
        self.check_title(about).await?;
        let now = self.inputs.now_ms();
        let row = AssetRow {
            id: asset.0,
            title_id: about.title.0,
            job_id: ticket.id().0,
            state: "ready".into(),
            duration_ms: package.index.duration_ms as i64,
            height: i64::from(package.index.height()),
            bytes: package.index.bytes() as i64,
            created_at: now,
            changed_at: now,
            credits_ms: package.credits_ms.map(|ms| ms as i64),
            intro_from_ms: package.intro_ms.map(|(from, _)| from as i64),
            intro_to_ms: package.intro_ms.map(|(_, to)| to as i64),
        };
        match assets::publish(&self.db, &self.inputs, &row, about.source)
            .await
            .map_err(explain::fault)?
        {
            Published::Yes => Ok(row),
            Published::SourceGone => Err(Failure::permanent(explain::SOURCE_GONE)),
            Published::AssetGone => Err(Failure::transient("Another worker has taken this job over.")),
        }
    }

    /// What a job has stored that ended without a video goes, once no worker is at it any more.
    pub(crate) async fn clear_ended(&self, job: JobId) -> Result<(), Fault> {
        for row in assets::of_job(&self.db, job).await? {
            // Whether it has ended is asked in the same moment: a retry takes over what is stored.
            if assets::abandon_ended(&self.db, row.asset(), self.inputs.now_ms()).await? {
                self.remove_asset(&row).await?;
            }
        }
        Ok(())
    }

    async fn abandon(&self, row: &AssetRow) -> Result<(), Fault> {
        if assets::abandon(&self.db, row.asset(), self.inputs.now_ms()).await? {
            self.remove_asset(row).await?;
        }
        Ok(())
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
    pub(crate) async fn remove_asset(&self, row: &AssetRow) -> Result<(), Fault> {
        self.indexes.forget(row.asset()).await;
        self.blobs
            .delete_all(&asset::folder(row.asset()))
            .await
            .map_err(|error| match error {
                platform::blob::BlobError::Fault(fault) => fault,
                other => Fault::Internal(other.to_string()),
            })?;
        assets::delete(&self.db, row.asset()).await
    }
}
