//! Streaming: files on their way in, their packaging, and who may watch what.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{AccountId, AssetId, Blob, Done, Millis, PlaybackId, ProfileId, SessionId, TitleId, UploadId, jobs::Job};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadPurpose {
    /// A video for a title: packaged as soon as it is whole.
    Video,
    /// A file of a data set to import.
    Dataset,
}

/// tus 1.0: a file of a declared length that arrives in pieces.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateUpload {
    pub account: AccountId,
    pub bytes: u64,
    /// What the person called it; shown, never used as a path.
    pub filename: String,
    pub purpose: UploadPurpose,
    /// Where a video goes.
    pub title: Option<TitleId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub id: UploadId,
    pub account: AccountId,
    pub bytes: u64,
    /// How much is safely here.
    pub offset: u64,
    pub filename: String,
    pub purpose: UploadPurpose,
    pub title: Option<TitleId>,
    pub expires_at: Millis,
    /// The transcoding that its completion started.
    pub job: Option<Job>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppendUpload {
    pub account: AccountId,
    pub upload: UploadId,
    pub offset: u64,
    /// At most 8 MiB.
    pub body: Blob,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForUpload {
    pub account: AccountId,
    pub upload: UploadId,
}

/// A finished data set file, for the importer. Whoever is done with it removes the upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UploadedFile {
    pub filename: String,
    /// On this node's disk.
    pub path: String,
}

/// A file of this machine, named by an operator on the command line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddMedia {
    pub title: TitleId,
    pub path: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct StartPlayback {
    pub account: AccountId,
    pub profile: ProfileId,
    pub title: TitleId,
    /// The log-in that presses play: what is signed for it ends with it. A gateway of the version before does not say.
    #[serde(default)]
    pub session: Option<SessionId>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForVideo {
    pub title: TitleId,
}

/// The video that a title plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    pub asset: AssetId,
    pub duration_ms: u64,
    /// Where the end credits begin, if known.
    pub credits_ms: Option<u64>,
}

/// A part of a video that players and rules act on, in ms from its beginning; `None`: where it lies is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marker {
    /// Where the end credits begin: whoever comes there has seen it all.
    Credits(Option<u64>),
}

/// Says where a part of the video lies that the title plays now; another video of the title brings its own.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SetMarker {
    pub title: TitleId,
    pub marker: Marker,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Playback {
    pub id: PlaybackId,
    pub account: AccountId,
    pub profile: ProfileId,
    pub title: TitleId,
    pub asset: AssetId,
    pub duration_ms: u64,
    /// Where the credits begin, if known.
    pub credits_ms: Option<u64>,
    /// Signed, from the root: `/media/…/master.m3u8`.
    pub hls_path: String,
    pub dash_path: Option<String>,
    pub storyboard_path: Option<String>,
    pub expires_at: Millis,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForPlayback {
    pub account: AccountId,
    pub playback: PlaybackId,
}

/// A path below `/media/` as it arrived, and who sent it, if they said so.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetMedia {
    pub path: String,
    /// Of the access token that came along; must then be the one the path was signed for.
    pub account: Option<AccountId>,
}

/// What is behind a signed path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Media {
    pub content_type: String,
    /// The whole `Cache-Control`.
    pub cache_control: String,
    /// Strong, without quotes.
    pub etag: String,
    pub body: MediaBody,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaBody {
    /// Small and made for this session: a manifest.
    Inline(Blob),
    /// A stored, immutable file: read it from blob storage, whole or in ranges.
    Stored { key: String, bytes: u64 },
}

crate::door_error! {
    /// What streaming can refuse.
    StreamingError {
        NotPlayable => FailedPrecondition, "not_playable", "this title has no video yet";
        TitleNotFound => NotFound, "title_not_found", "no such title";
        TitleIsSeries => InvalidArgument, "title_is_series", "a series has no video of its own: put the video on one of its episodes";
        FileInvalid(String) => InvalidArgument, "file_invalid", "{0}";
        UploadNotFound => NotFound, "upload_not_found", "no such upload, or it has expired";
        UploadTooLarge(u64) => InvalidArgument, "upload_too_large", "an upload has at most {0} bytes";
        OffsetWrong(u64) => Conflict, "offset_wrong", "continue at byte {0}";
        QuotaReached => ResourceExhausted, "quota_reached", "too many unfinished uploads; finish or remove one";
        MarkerInvalid(String) => InvalidArgument, "marker_invalid", "{0}";
        PlaybackNotFound => NotFound, "playback_not_found", "no such playback; press play again";
        TooManyStreams(u32) => ResourceExhausted, "too_many_streams",
            "this account is being watched on as many screens at once as it may ({0}); stop one of them, then try again in half a minute";
        /// Unsigned, altered, expired, somebody else's, signed for a session that is over: one answer for all.
        MediaForbidden => Forbidden, "media_forbidden", "this address is not valid; press play again";
        MediaNotFound => NotFound, "media_not_found", "no such file";
    }
}

#[async_trait]
pub trait Streaming: Send + Sync + 'static {
    async fn create_upload(&self, req: CreateUpload) -> Result<Upload, StreamingError>;
    async fn append_upload(&self, req: AppendUpload) -> Result<Upload, StreamingError>;
    async fn upload(&self, req: ForUpload) -> Result<Upload, StreamingError>;
    async fn remove_upload(&self, req: ForUpload) -> Result<Done, StreamingError>;
    /// A whole file of a data set, to read; it rests from the beginning again.
    async fn uploaded_file(&self, req: ForUpload) -> Result<UploadedFile, StreamingError>;
    async fn add_media(&self, req: AddMedia) -> Result<Job, StreamingError>;
    async fn video(&self, req: ForVideo) -> Result<Video, StreamingError>;
    async fn set_marker(&self, req: SetMarker) -> Result<Video, StreamingError>;
    async fn start_playback(&self, req: StartPlayback) -> Result<Playback, StreamingError>;
    async fn playback(&self, req: ForPlayback) -> Result<Playback, StreamingError>;
    async fn media(&self, req: GetMedia) -> Result<Media, StreamingError>;
}

crate::wire! { Streaming as "streaming", StreamingError:
    create_upload(CreateUpload) -> Upload,
    append_upload(AppendUpload) -> Upload,
    upload(ForUpload) -> Upload,
    remove_upload(ForUpload) -> Done,
    uploaded_file(ForUpload) -> UploadedFile,
    add_media(AddMedia) -> Job,
    video(ForVideo) -> Video,
    set_marker(SetMarker) -> Video,
    start_playback(StartPlayback) -> Playback,
    playback(ForPlayback) -> Playback,
    media(GetMedia) -> Media,
}
