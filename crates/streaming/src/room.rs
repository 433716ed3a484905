//! The room itself: what it holds, and its two doors.

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use contract::{
    Blob, Done,
    catalog::Catalog,
    jobs::{AskOutlook, ForJob, Job, JobError, Jobs, ListJobs, Outlook},
    streaming::{
        AddMedia, AddSubtitles, AppendUpload, CreateUpload, ForPlayback, ForUpload, ForVideo, GetMedia, JoinUploads,
        ListUploads, Media, NameSubtitles, Playback, ReadUpload, RemoveSubtitles, SetMarkers, StartPlayback, Streaming,
        StreamingError, SubtitleFile, Upload, UploadedFile, Uploads, Video,
    },
};
use platform::{Db, Inputs, blob::BlobStore, jobs::Queue};

use crate::{
    config::Config,
    encode::{hardware::TriedEncoder, sandbox::Sandbox},
    ended::Ended,
    files::Files,
    playback::Indexes,
    saga::Breakpoints,
    signing::Signer,
    sources::Sources,
    streams::Streams,
    transcoder::Running,
    uploads::{Locks, Requests},
};

/// Streaming. Hold it as `Arc<dyn Streaming>` and `Arc<dyn Jobs>`.
pub struct Room {
    /// Itself, for work that goes on when nobody waits for it any more.
    pub(crate) own: Weak<Self>,
    pub(crate) db: Db,
    pub(crate) inputs: Inputs,
    pub(crate) config: Config,
    pub(crate) blobs: BlobStore,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) queue: Queue,
    pub(crate) files: Files,
    pub(crate) upload_locks: Locks,
    pub(crate) join_locks: Locks,
    pub(crate) requests: Requests,
    pub(crate) sources: Sources,
    pub(crate) indexes: Indexes,
    pub(crate) signer: Signer,
    pub(crate) ended: Ended,
    pub(crate) streams: Streams,
    pub(crate) sandbox: Sandbox,
    pub(crate) running: Running,
    pub(crate) breakpoints: Option<Arc<dyn Breakpoints>>,
    pub(crate) tried_encoder: tokio::sync::OnceCell<TriedEncoder>,
    /// One file of subtitles is converted at a time.
    pub(crate) converts: tokio::sync::Mutex<()>,
    /// And one source is looked at.
    pub(crate) probes: tokio::sync::Mutex<()>,
    pub(crate) data_folder: PathBuf,
    /// Where encoders write.
    pub(crate) work_folder: PathBuf,
}

#[async_trait]
impl Streaming for Room {
    async fn create_upload(&self, req: CreateUpload) -> Result<Upload, StreamingError> {
        self.new_upload(req).await
    }

    async fn append_upload(&self, req: AppendUpload) -> Result<Upload, StreamingError> {
        self.append(req).await
    }

    async fn upload(&self, req: ForUpload) -> Result<Upload, StreamingError> {
        self.find_upload(req).await
    }

    async fn uploads(&self, req: ListUploads) -> Result<Uploads, StreamingError> {
        self.unfinished(req).await
    }

    async fn join_uploads(&self, req: JoinUploads) -> Result<Upload, StreamingError> {
        self.join(req).await
    }

    async fn remove_upload(&self, req: ForUpload) -> Result<Done, StreamingError> {
        self.drop_upload(req).await
    }

    async fn read_upload(&self, req: ReadUpload) -> Result<Blob, StreamingError> {
        self.piece_of(req).await
    }

    async fn uploaded_file(&self, req: ForUpload) -> Result<UploadedFile, StreamingError> {
        self.file_of(req).await
    }

    async fn add_media(&self, req: AddMedia) -> Result<Job, StreamingError> {
        self.ingest(req).await
    }

    async fn video(&self, req: ForVideo) -> Result<Video, StreamingError> {
        self.current_video(req).await
    }

    async fn set_markers(&self, req: SetMarkers) -> Result<Video, StreamingError> {
        self.mark(req).await
    }

    async fn add_subtitles(&self, req: AddSubtitles) -> Result<SubtitleFile, StreamingError> {
        self.put_subtitles(req).await
    }

    async fn subtitle_files(&self, req: ForVideo) -> Result<Vec<SubtitleFile>, StreamingError> {
        self.list_subtitles(req).await
    }

    async fn name_subtitles(&self, req: NameSubtitles) -> Result<SubtitleFile, StreamingError> {
        self.rename_subtitles(req).await
    }

    async fn remove_subtitles(&self, req: RemoveSubtitles) -> Result<Done, StreamingError> {
        self.take_subtitles(req).await
    }

    async fn start_playback(&self, req: StartPlayback) -> Result<Playback, StreamingError> {
        self.begin_playback(req).await
    }

    async fn playback(&self, req: ForPlayback) -> Result<Playback, StreamingError> {
        self.find_playback(req).await
    }

    async fn media(&self, req: GetMedia) -> Result<Media, StreamingError> {
        self.read_media(req).await
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

    /// A job that runs in this process hears of it at once; one in another at its next heartbeat.
    async fn cancel(&self, req: ForJob) -> Result<Job, JobError> {
        let job = self.queue.cancel(req).await?;
        self.running.stop(req.job);
        if let Err(error) = self.undo(req.job).await {
            tracing::warn!(job = %req.job, %error, "what a cancelled job has stored was not removed; it will be");
        }
        Ok(job)
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
