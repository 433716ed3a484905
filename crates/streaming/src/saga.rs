//! The saga of a film: one sequence of steps from its last byte to what its title plays. Any of them may fail, die or be done again; the
//! whole comes to its end, or [`Room::undo`] leaves nothing of it but the source, for another try.
//!
//! | step | it needs | it does | what says that it is done | a repeat |
//! |---|---|---|---|---|
//! | received | a title that may have a video | the file lies whole in `uploads/` | the upload's row and its job, one transaction | the last piece is sent again; an upload has one job, by its key |
//! | probed | the source | looks, sees that it is where every worker can have it, plans, begins an asset | the job's payload (the plan) and a job for each part, one transaction | looks again, for another asset; the one that nobody knows of goes |
//! | transcoded, each part | the source, its share of the plan | encodes into the work folder; of a sound track it first writes down how loud it is | nothing: the next step is taken at once | software encodes the same bytes again; what hardware fails on, software does from the film's beginning |
//! | packaged, each part | the work folder | puts its segments below the asset's folder | its job's outcome | puts the same segments there again |
//! | stored | every part's outcome | makes what wants the whole film: subtitles, storyboard | nothing: as above | makes the same files again |
//! | indexed | all that is stored | writes the index, the last file | nothing: as above | writes the same index again |
//! | announced | the title, the upload, the job, all still wanted | the title plays the asset, the one before retires | itself: rows and event are one transaction | is found done |
//! | cleared | | the source goes | the job has ended, its parts' rows are gone | one that is not there is no error |
//!
//! Undone are all steps before the announcement by the same means: the asset's folder, its row, the rows of the parts; the work folder goes with
//! whoever holds it (`workdir.rs`). The source stays until its upload expires or is removed. After the announcement nothing is undone:
//! what is left to clear, and does not go now, goes with its upload (`tidy.rs`).

use std::path::Path;

use async_trait::async_trait;
use contract::{
    AssetId, Fault, JobId, TitleId, UploadId,
    jobs::{Job, JobKind},
};
use platform::{
    Tx,
    jobs::{Child, Failure, NewJob, Ticket},
};
use serde::{Deserialize, Deserializer, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use crate::{
    asset,
    cipher::AssetSecret,
    config::Encryption,
    encode::{
        command, explain, extras,
        join::{self, Package},
        package::Made,
        plan::Plan,
    },
    parts::{Part, PartPayload, are_stored_alike, parts},
    room::Room,
    store::{
        assets::{self, AssetRow, Published, Stored},
        uploads,
    },
};

/// Share of a job's progress that looking at the file is; its parts are most of the rest.
pub const LOOKED: f32 = 0.02;
const ENCODED: f32 = 0.97;
const STORED: f32 = 0.99;
/// A kill -9 costs an attempt too, so a few more than a fault alone would need.
const ATTEMPTS_MAX: u32 = 5;
/// Films that somebody waits for go before those of a folder, and so do all their parts.
const ASKED_FOR: i64 = 1_000;

/// The steps, in order; the table above says what each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Received,
    Probed,
    Transcoded,
    Packaged,
    Stored,
    Indexed,
    Announced,
    Cleared,
}

impl Step {
    pub const ALL: [Self; 8] = [
        Self::Received,
        Self::Probed,
        Self::Transcoded,
        Self::Packaged,
        Self::Stored,
        Self::Indexed,
        Self::Announced,
        Self::Cleared,
    ];
}

/// What a test has happen at the worst moment: a step's work is done, and nothing says so yet. A server has none.
#[async_trait]
pub trait Breakpoints: Send + Sync {
    async fn reached(&self, step: Step) -> Result<(), Failure>;
}

/// A whole file for a title.
pub struct Received {
    pub source: UploadId,
    pub title: TitleId,
    /// What the title is called.
    pub subject: String,
    /// How long the file is: how much work it is, as far as that is known before it is looked at.
    pub bytes: u64,
    /// Whether somebody sent or named it, rather than it being one of a folder's.
    pub is_asked_for: bool,
}

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
    /// One that another version has planned is planned anew.
    #[serde(default, deserialize_with = "if_known")]
    planned: Option<Planned>,
}

fn if_known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Planned>, D::Error> {
    let planned = serde_json::Value::deserialize(from)?;
    Ok(Planned::deserialize(planned).ok())
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
            loudness: None,
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

/// What earlier attempts at a job have come to.
enum Earlier {
    Nothing,
    /// What is planned is partly stored.
    Stored,
    Published(Box<AssetRow>),
}

impl Room {
    async fn reached(&self, step: Step) -> Result<(), Failure> {
        match &self.breakpoints {
            Some(breakpoints) => breakpoints.reached(step).await,
            None => Ok(()),
        }
    }

    /// A whole file for a title gets its job, in the transaction that says so of its upload.
    pub(crate) async fn receive(&self, tx: &mut Tx, received: Received) -> Result<Job, Fault> {
        let reached = self.reached(Step::Received).await;
        reached.map_err(|failure| Fault::Unavailable(failure.text))?;
        let Received { source, title, .. } = received;
        let work = NewJob::new(JobKind::Transcode, received.subject, &Payload { source, title })
            .title(title)
            .key(format!("upload-{source}"))
            .attempts_max(ATTEMPTS_MAX)
            .weight(received.bytes as f64)
            .priority(if received.is_asked_for { ASKED_FOR } else { 0 });
        let job = self.queue.enqueue(tx, work).await?;
        uploads::set_job(tx, source, job.id).await?;
        Ok(job)
    }

    /// The film's own job, which runs twice: it plans and waits for the parts, then it makes a video of them.
    pub(crate) async fn make_film(&self, ticket: &Ticket, stop: &CancellationToken) -> Result<String, Failure> {
        let Kept { about, planned } = ticket.payload()?;
        let asset = planned.as_ref().map(|planned| planned.asset);
        let planned = match self.earlier_attempts(ticket.id(), asset).await? {
            Earlier::Published(row) => return Ok(self.finished(&about, &row).await),
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
            if row.was_published() {
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

    /// Looks at the source and begins an asset.
    async fn plan(&self, ticket: &Ticket, about: &Payload, stop: &CancellationToken) -> Result<Planned, Failure> {
        ticket.progress(0.0, "looking at the file");
        self.queue.forget_children(ticket.id()).await.map_err(explain::fault)?;
        let source = self.source(about.source, stop).await?;
        let (mut plan, chunks) = self.look(ticket, &source, stop).await?;
        tokio::select! {
            () = stop.cancelled() => return Err(Failure::transient("Stopped.")),
            kept = self.keep_original(about.source) => kept?,
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
        let secret = match self.config.encryption {
            Encryption::Off => None,
            Encryption::Aes128 => Some(AssetSecret::new(&*self.inputs.entropy)),
        };
        assets::begin(&self.db, &row, secret.as_ref())
            .await
            .map_err(explain::fault)?;
        self.reached(Step::Probed).await?;
        Ok(Planned {
            asset: row.asset(),
            parts: parts(&plan, chunks),
            plan,
        })
    }

    /// One part of a film: encodes it, and puts its segments into the asset.
    pub(crate) async fn make_part(&self, ticket: &Ticket, stop: &CancellationToken) -> Result<String, Failure> {
        let payload: PartPayload = ticket.payload()?;
        let source = self.source(payload.source, stop).await?;
        let made = self.encode_and_store(ticket, (&payload, &source), stop).await;
        if made.is_err() && !stop.is_cancelled() && !source.exists() {
            return Err(Failure::permanent(explain::SOURCE_GONE));
        }
        serde_json::to_string(&made?).map_err(|error| anyhow::Error::from(error).into())
    }

    async fn encode_and_store(
        &self,
        ticket: &Ticket,
        (payload, source): (&PartPayload, &Path),
        stop: &CancellationToken,
    ) -> Result<Made, Failure> {
        let folder = self.work_dir(&format!("{}-{}", ticket.id(), ticket.attempt()))?;
        let part = match self.encode_part(ticket, payload, (source, folder.path()), stop).await {
            Err(failure) if payload.may_be_refused(&failure) && !stop.is_cancelled() && source.exists() => {
                tracing::warn!(part = ?payload.part, failure = failure.text, "hardware has not encoded a part");
                return Ok(Made::refused(payload.asset));
            }
            part => part?,
        };
        self.reached(Step::Transcoded).await?;
        let stored = self.how_stored(payload.asset).await?;
        let made = tokio::select! {
            () = stop.cancelled() => return Err(Failure::transient("Stopped.")),
            made = part.store(&self.blobs, payload.asset, stored.secret()) => made?,
        };
        self.reached(Step::Packaged).await?;
        Ok(made)
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
                Part::Sound(_) => sound.extend(made.renditions.iter().cloned()),
            }
        }
        let mut package = join::join(&planned.plan, &chunks, &sound)?;
        let how = self.how_stored(planned.asset).await?;
        package.index.encrypted = how.secret().is_some();
        are_stored_alike(made, package.index.encrypted)?;
        let stored = async {
            self.whole_film(ticket, (about, planned), (&mut package, &how), stop)
                .await?;
            self.reached(Step::Stored).await?;
            let index = serde_json::to_vec(&package.index).map_err(anyhow::Error::from)?;
            let key = asset::index_key(planned.asset);
            self.blobs.put(&key, index).await.map_err(explain::blob)
        };
        tokio::select! {
            () = stop.cancelled() => return Err(Failure::transient("Stopped.")),
            stored = stored => stored?,
        }
        self.reached(Step::Indexed).await?;
        let row = self.publish(ticket, (about, planned.asset), &package).await?;
        tracing::info!(job = %ticket.id(), title = %about.title, asset = %row.asset(), "a video is ready");
        Ok(self.finished(about, &row).await)
    }

    /// The place for steps that want the whole source or the whole film, once its parts are stored: they add to the package's index and
    /// put what belongs to it below the asset's folder.
    async fn whole_film(
        &self,
        ticket: &Ticket,
        (about, planned): (&Payload, &Planned),
        (package, stored): (&mut Package, &Stored),
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let folder = self.work_dir(&format!("{}-{}", ticket.id(), ticket.attempt()))?;
        let source = self.source(about.source, stop).await?;
        self.lowest_rung((planned.asset, stored), package, folder.path())
            .await?;
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
    async fn lowest_rung(
        &self,
        (asset, stored): (AssetId, &Stored),
        package: &Package,
        folder: &Path,
    ) -> Result<(), Failure> {
        let Some(rung) = package.index.video.first().map(|video| &video.track) else {
            return Ok(());
        };
        let path = folder.join(format!("{}.mp4", command::video_name(0)));
        let mut file = tokio::fs::File::create(path)
            .await
            .map_err(|error| explain::io(&error))?;
        let init = self.blobs.get(&asset::init_key(asset, &rung.name)).await;
        let init = init.map_err(explain::blob)?;
        file.write_all(&init).await.map_err(|error| explain::io(&error))?;
        let key = stored.secret().map(|secret| secret.key_of(&rung.name));
        for number in 1..=rung.bytes.len() as u32 {
            let name = asset::segment_key(asset, &rung.name, number as usize);
            let mut bytes = self.blobs.get(&name).await.map_err(explain::blob)?.to_vec();
            if let Some(key) = &key {
                key.decrypt(&mut bytes, number).map_err(anyhow::Error::from)?;
            }
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
            chapters: None,
        };
        match assets::publish(&self.db, &self.inputs, &row, about.source)
            .await
            .map_err(explain::fault)?
        {
            Published::Yes => Ok(row),
            Published::SourceGone => Err(Failure::permanent(explain::SOURCE_GONE)),
            // However it ends, it is not by this: the queue knows what was asked for.
            Published::Unwanted => Err(Failure::transient("Stopped.")),
            Published::AssetGone => Err(Failure::transient("Another worker has taken this job over.")),
        }
    }

    /// What a job has stored that ended without a video goes, once no worker is at it any more.
    pub(crate) async fn undo(&self, job: JobId) -> Result<(), Fault> {
        for row in assets::of_job(&self.db, job).await? {
            // Whether it has ended is asked in the same moment: a retry takes over what is stored.
            if assets::abandon_ended(&self.db, row.asset()).await? {
                self.remove_asset(&row).await?;
            }
        }
        Ok(())
    }

    async fn abandon(&self, row: &AssetRow) -> Result<(), Fault> {
        if assets::abandon(&self.db, row.asset()).await? {
            self.remove_asset(row).await?;
        }
        Ok(())
    }

    /// Whatever fails now fails nobody: the video is there, and what could not be cleared goes later.
    async fn finished(&self, payload: &Payload, row: &AssetRow) -> String {
        if let Err(failure) = self.clear(payload.source).await {
            let error = failure.text;
            tracing::warn!(
                job = row.job_id,
                error,
                "the source of a ready video was not removed; it will be"
            );
        }
        let length = explain::length(row.duration_ms as f64 / 1000.0);
        let megabytes = row.bytes as f64 / 1e6;
        let Ok(index) = self.indexes.get(row.asset()).await else {
            return format!("{length}, {megabytes:.1} MB");
        };
        let rungs: Vec<String> = index
            .video
            .iter()
            .map(|video| format!("{}×{}", video.width, video.height))
            .collect();
        let encrypted = if index.encrypted { ", encrypted" } else { "" };
        let made = format!("{length} in {}, {megabytes:.1} MB{encrypted}", rungs.join(", "));
        let notes = index.notes.iter().map(|note| format!(" {note}"));
        std::iter::once(made + if index.notes.is_empty() { "" } else { "." })
            .chain(notes)
            .collect()
    }

    async fn clear(&self, source: UploadId) -> Result<(), Failure> {
        self.reached(Step::Announced).await?;
        self.remove_file(source).await.map_err(explain::fault)?;
        self.reached(Step::Cleared).await
    }
}
