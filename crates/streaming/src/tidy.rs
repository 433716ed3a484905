//! Removes what nobody needs any more: half-made things of dead processes, what has expired, what was replaced.

use std::{sync::Arc, time::Duration};

use contract::{
    AssetId, Fault, JobId,
    jobs::{ForJob, JobError, JobState, Jobs as _},
};
use platform::ids::made_at_ms;
use tokio_util::sync::CancellationToken;

use crate::{
    asset, files,
    room::Room,
    store::{
        assets::{self, AssetRow},
        playbacks, sessions, subtitles,
        uploads::{self, OPEN, PACKAGED, UploadRow},
    },
    workdir,
};

const TIDY_EVERY: Duration = Duration::from_secs(600);
pub const BATCH: u32 = 1_000;
/// A file without a row may be one whose row is being written, or whose job is being done.
pub const ORPHAN_MS: i64 = 86_400_000;
/// A file of subtitles is written at once, or by nobody any more.
const STORING_MS_MAX: i64 = 3_600_000;
/// How long whoever asks after an upload is told that it has expired, rather than that there never was one.
const EXPIRED_KEPT_MS: i64 = 7 * 86_400_000;

impl Room {
    pub(crate) async fn tidy_until(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.tidy().await {
                tracing::warn!(%error, "tidying up did not come to its end; the next time will");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(TIDY_EVERY) => {}
            }
        }
    }

    /// One round. Safe beside any number of other processes on the same data. What cannot be removed now is told, and holds up nothing else.
    pub async fn tidy(&self) -> Result<(), Fault> {
        let rounds = [
            self.tidy_work().await,
            self.tidy_assets().await,
            self.tidy_strays().await,
            self.tidy_subtitles().await,
            self.tidy_uploads().await,
            self.tidy_originals().await,
            sessions::prune(&self.db, self.forget_ended_before()).await,
            playbacks::prune(&self.db, self.inputs.now_ms()).await.map(drop),
        ];
        rounds.into_iter().collect()
    }

    async fn tidy_work(&self) -> Result<(), Fault> {
        let work_folder = self.work_folder.clone();
        let swept = tokio::task::spawn_blocking(move || workdir::sweep(&work_folder)).await;
        let swept = swept
            .map_err(|error| Fault::Internal(error.to_string()))?
            .map_err(|error| crate::files::fault(&error))?;
        if swept > 0 {
            tracing::info!(swept, "removed what interrupted transcodes left");
        }
        Ok(())
    }

    async fn tidy_assets(&self) -> Result<(), Fault> {
        let now = self.inputs.now_ms();
        for row in assets::in_state(&self.db, "storing", now, BATCH).await? {
            tell("a half-stored video", row.id, self.undo(JobId(row.job_id)).await);
        }
        // Whoever pressed play before it was replaced may watch to the end.
        let watched = now - self.config.playback_s as i64 * 1000;
        for row in assets::in_state(&self.db, "retired", watched, BATCH).await? {
            tell("a replaced video", row.id, self.remove_asset(&row).await);
        }
        Ok(())
    }

    /// Files of assets that nobody knows any more. A worker that is held up for so long that its job is taken from it writes on until it
    /// hears of that; what it wrote for must be over by then for its files to be nobody's.
    async fn tidy_strays(&self) -> Result<(), Fault> {
        let folders = self.blobs.folders(asset::FOLDER).await.map_err(files::blob_fault)?;
        let old = self.inputs.now_ms() - ORPHAN_MS;
        let assets = folders.iter().filter_map(|name| name.parse::<AssetId>().ok());
        let mut assets: Vec<_> = assets.filter(|asset| made_at_ms(asset.0) < old).collect();
        assets.sort();
        for some in assets.chunks(BATCH as usize) {
            let known = assets::known(&self.db, some).await?;
            for asset in some.iter().filter(|asset| !known.contains(asset)) {
                match self.blobs.delete_all(&asset::folder(*asset)).await {
                    Ok(files) => {
                        tracing::info!(%asset, files, "removed what was written for a video that nobody knows")
                    }
                    Err(error) => tell("what nobody knows", asset.0, Err(files::blob_fault(error))),
                }
            }
        }
        Ok(())
    }

    async fn tidy_subtitles(&self) -> Result<(), Fault> {
        let now = self.inputs.now_ms();
        for row in subtitles::in_state(&self.db, "storing", now - STORING_MS_MAX, BATCH).await? {
            if subtitles::abandon(&self.db, row.id, now).await? {
                tell("half-stored subtitles", row.id, self.remove_subtitles_of(&row).await);
            }
        }
        let watched = now - self.config.playback_s as i64 * 1000;
        for row in subtitles::in_state(&self.db, "retired", watched, BATCH).await? {
            tell("replaced subtitles", row.id, self.remove_subtitles_of(&row).await);
        }
        Ok(())
    }

    async fn tidy_uploads(&self) -> Result<(), Fault> {
        let now = self.inputs.now_ms();
        for row in uploads::expired(&self.db, now, BATCH).await? {
            tell("an upload that has expired", row.id, self.expire(&row).await);
        }
        uploads::forget(&self.db, now - EXPIRED_KEPT_MS).await?;
        let files = self.files.list().await?;
        let mut old: Vec<_> = files
            .into_iter()
            .filter(|id| made_at_ms(id.0) + ORPHAN_MS < now)
            .collect();
        old.sort();
        for some in old.chunks(BATCH as usize) {
            let needed = uploads::needed(&self.db, some).await?;
            for id in some.iter().filter(|id| !needed.contains(id)) {
                tell("a file that nobody needs", id.0, self.remove_file(*id).await);
            }
        }
        Ok(())
    }

    async fn expire(&self, row: &UploadRow) -> Result<(), Fault> {
        let id = row.id.into();
        if let Some(job) = row.job_id
            && row.state != OPEN
            && self.is_active(JobId(job)).await?
        {
            let later = self.inputs.now_ms() + self.config.source_expiry_s as i64 * 1000;
            return uploads::postpone(&self.db, id, later).await;
        }
        // A piece that arrives at this moment is written first, and finds the row expired.
        let _alone = self.upload_locks.of(id).lock().await;
        self.remove_file(id).await?;
        if row.state == PACKAGED {
            return uploads::delete(&self.db, id).await.map(drop);
        }
        uploads::set_expired(&self.db, id).await
    }

    pub(crate) async fn is_active(&self, job: JobId) -> Result<bool, Fault> {
        match self.queue.get(ForJob { job }).await {
            Ok(job) => Ok(matches!(job.state, JobState::Queued | JobState::Running)),
            Err(JobError::Fault(fault)) => Err(fault),
            Err(_) => Ok(false),
        }
    }

    /// Files first, then the row that knows of them.
    pub(crate) async fn remove_asset(&self, row: &AssetRow) -> Result<(), Fault> {
        self.indexes.forget(row.asset()).await;
        self.blobs
            .delete_all(&asset::folder(row.asset()))
            .await
            .map_err(files::blob_fault)?;
        assets::delete(&self.db, row.asset()).await
    }
}

/// The next round tries again.
pub fn tell(what: &str, id: i64, removed: Result<(), Fault>) {
    if let Err(error) = removed {
        tracing::warn!(what, id, %error, "something was not removed; it will be");
    }
}
