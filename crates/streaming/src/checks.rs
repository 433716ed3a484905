//! What is looked at before a film is worked on, and before it is published: its title, its file, the room that it needs.

use std::path::Path;

use contract::catalog::{CatalogError, ForTitle};
use platform::jobs::{Failure, Ticket};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use crate::{
    encode::{
        chunks::{self, Chunk, Pictures},
        explain, ladder,
        plan::{Plan, Rung},
        probe,
        run::{self, Bench},
        sniff,
    },
    files,
    room::Room,
    saga::Payload,
};

/// What a job needs free at the least, whatever it is.
const FREE_BYTES_MIN: u64 = 16 << 20;
/// Parts that are encoded at a time, for the room that they take.
const PARTS_AT_ONCE: u64 = 4;

impl Room {
    /// A title that was deleted takes its video with it, also where the fact of it has not arrived.
    pub(crate) async fn check_title(&self, payload: &Payload) -> Result<(), Failure> {
        match self.catalog.title(ForTitle { title: payload.title }).await {
            Ok(_) => Ok(()),
            Err(CatalogError::TitleNotFound) => {
                self.remove_source(payload.source).await.map_err(explain::fault)?;
                Err(Failure::permanent(
                    "The title of this video was deleted, and the video with it.",
                ))
            }
            Err(error) => {
                tracing::warn!(%error, "the catalogue did not answer a transcode");
                Err(Failure::transient(
                    "The catalogue did not answer. Retry; if it happens again, ask the server's operator to look into its log.",
                ))
            }
        }
    }

    /// Looks at a source: what is in it, where it can be divided, what its own pictures want.
    pub(crate) async fn look(
        &self,
        ticket: &Ticket,
        source: &Path,
        stop: &CancellationToken,
    ) -> Result<(Plan, Vec<Chunk>), Failure> {
        self.check_start(source).await?;
        let (mut plan, pictures) = self.probe(source, stop).await?;
        let Some(pictures) = pictures else {
            return Ok((plan, vec![Chunk::WHOLE]));
        };
        pictures.check()?;
        plan.pictures_s = Some(pictures.end_s());
        let chunks = chunks::divide(&plan, &pictures);
        plan.rungs = self.ladder(ticket, &plan, (source, &pictures), stop).await?;
        Ok((plan, chunks))
    }

    /// One source at a time in this process, however many workers it has: what is not known yet may ask for much memory, which a worker's
    /// share does not count. Samples are encoded as parts are, with a worker's memory.
    async fn probe(&self, source: &Path, stop: &CancellationToken) -> Result<(Plan, Option<Pictures>), Failure> {
        let _alone = tokio::select! {
            () = stop.cancelled() => return Err(Failure::transient("Stopped.")),
            alone = self.probes.lock() => alone,
        };
        let plan = Plan::new(probe::probe(&self.sandbox, source, stop).await?);
        let pictures = match chunks::is_divisible(&plan) {
            true => Some(chunks::look(&self.sandbox, &plan, source, stop).await?),
            false => None,
        };
        Ok((plan, pictures))
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

    /// Segments go where they stay, on this disk or not; beside them there is room for what is being encoded.
    pub(crate) fn check_space(&self, plan: &Plan, chunks: &[Chunk]) -> Result<(), Failure> {
        let free = files::free_bytes(&self.data_folder).map_err(explain::fault)?;
        let chunk = chunks
            .iter()
            .map(|chunk| plan.chunk_bytes_max(chunk))
            .max()
            .unwrap_or(0);
        let beside = chunk * PARTS_AT_ONCE.min(chunks.len() as u64);
        let stays = match self.blobs.bucket() {
            None => plan.bytes_max().unwrap_or(0),
            Some(_) => 0,
        };
        let needed = (stays + beside).max(FREE_BYTES_MIN);
        if free < needed {
            let text = format!(
                "{} (About {} MB are needed, {} MB are free.)",
                explain::STORAGE_FULL,
                files::megabytes(needed),
                files::megabytes(free)
            );
            return Err(Failure::permanent(text));
        }
        Ok(())
    }
}
