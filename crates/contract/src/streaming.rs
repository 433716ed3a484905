//! Streaming: files on their way in, their packaging, and who may watch what.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, AssetId, Blob, Done, Millis, PlaybackId, ProfileId, SessionId, SubtitlesId, TitleId, UploadId, jobs::Job,
};

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
    /// The length comes with a later piece; `bytes` is 0 until then.
    #[serde(default)]
    pub length_deferred: bool,
    /// One of several parts that are joined once they are whole; nothing comes of it by itself.
    #[serde(default)]
    pub is_partial: bool,
    /// What its client knows the file by, to find this upload again; at most 100 characters.
    #[serde(default)]
    pub fingerprint: String,
    /// What its client said of it, to be told again as it was said: visible ASCII and spaces, at most [`METADATA_BYTES_MAX`].
    #[serde(default)]
    pub metadata: String,
}

/// Of [`CreateUpload`] and [`JoinUploads`].
pub const METADATA_BYTES_MAX: usize = 4096;

/// Makes one upload of whole partial ones, in this order. The parts are used up. Repeated, it answers the same upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JoinUploads {
    pub account: AccountId,
    /// At most 32.
    pub parts: Vec<UploadId>,
    pub filename: String,
    pub purpose: UploadPurpose,
    pub title: Option<TitleId>,
    /// As in [`CreateUpload`].
    #[serde(default)]
    pub metadata: String,
}

/// What an upload is to others (tus: concatenation).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concat {
    Partial,
    /// Joined of these, in order.
    Final(Vec<UploadId>),
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
    /// Nobody has said yet how long it is; `bytes` is what has arrived.
    #[serde(default)]
    pub length_deferred: bool,
    #[serde(default)]
    pub concat: Option<Concat>,
    #[serde(default)]
    pub fingerprint: String,
    #[serde(default)]
    pub metadata: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppendUpload {
    pub account: AccountId,
    pub upload: UploadId,
    pub offset: u64,
    /// At most 8 MiB.
    pub body: Blob,
    /// The request that it is a piece of, ids in the order of time: a later request takes over from an earlier one, whose line is
    /// taken for dead. A gateway of the version before does not say.
    #[serde(default)]
    pub request: Option<u64>,
    /// More of its request is to come, and nothing counts before the last piece: its checksum is over all of them.
    #[serde(default)]
    pub is_held: bool,
    /// How long the file is, where that was deferred.
    #[serde(default)]
    pub length: Option<u64>,
}

/// The uploads of an account that are not whole, newest first, and what it may still send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Uploads {
    pub items: Vec<Upload>,
    /// Of one upload.
    pub bytes_max: u64,
    /// Of all that the account may still declare.
    pub bytes_left: u64,
    /// Unfinished at a time.
    pub uploads_max: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ListUploads {
    pub account: AccountId,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForUpload {
    pub account: AccountId,
    pub upload: UploadId,
}

/// From byte `offset` on; the answer is as much as one answer carries, and nothing beyond what arrived.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ReadUpload {
    pub account: AccountId,
    pub upload: UploadId,
    pub offset: u64,
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
    /// Where it must be copied, only while there is room and few others wait: `StorageFull` until then.
    #[serde(default)]
    pub sparing: bool,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    pub asset: AssetId,
    pub duration_ms: u64,
    /// Where the end credits begin, if known.
    pub credits_ms: Option<u64>,
    /// From where to where the opening lasts, if known.
    #[serde(default)]
    pub intro_ms: Option<(u64, u64)>,
    /// In order.
    #[serde(default)]
    pub chapters: Vec<Chapter>,
    /// Whether a curator has said them; the video's own ones otherwise.
    #[serde(default)]
    pub chapters_edited: bool,
}

/// More chapters than these no video has.
pub const CHAPTERS_MAX: usize = 200;
/// Nor one with a longer name.
pub const CHAPTER_NAME_CHARS_MAX: usize = 60;

/// A part of a video that players and rules act on, in ms from its beginning; `None`: where it lies is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marker {
    /// Where the end credits begin: whoever comes there has seen it all.
    Credits(Option<u64>),
    /// From where to where the opening lasts, which a viewer may skip.
    Intro(Option<(u64, u64)>),
    /// All its chapters, each beginning after the one before, [`CHAPTERS_MAX`] at most; `None`: those of the video itself.
    Chapters(Option<Vec<Chapter>>),
}

/// Says where parts of the video lie that the title plays now, all of them or none; another video of the title brings its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetMarkers {
    pub title: TitleId,
    /// Of two for the same part the last one counts.
    pub markers: Vec<Marker>,
}

/// What subtitles are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubtitleKind {
    /// What is said.
    #[default]
    Subtitles,
    /// What is said and what is heard, for whoever does not hear it.
    Captions,
    /// What is said in another language than the film's, or written in the picture: shown without being asked for.
    Forced,
}

/// Subtitles that a viewer may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtitles {
    /// Within the video: `s0`.
    pub id: String,
    /// BCP 47, where it is known.
    pub language: Option<String>,
    pub label: String,
    pub kind: SubtitleKind,
    /// Signed, from the root: WebVTT.
    pub path: String,
}

/// A file of subtitles for a title, whatever it plays; in the place of the one that came under the same origin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddSubtitles {
    pub title: TitleId,
    /// What whoever brings it knows it by, to replace it and to take it away: at most 100 characters, not empty.
    pub origin: String,
    /// What the file is called; shown, never used as a path.
    pub filename: String,
    /// As ISO 639 or BCP 47 writes it, where it is known.
    pub language: Option<String>,
    pub kind: SubtitleKind,
    /// What nobody says here is read from what the file is called.
    #[serde(default)]
    pub by_name: ByName,
    /// SubRip, (Advanced) Sub Station Alpha or WebVTT in any encoding; at most 4 MiB.
    pub body: Blob,
}

/// Which of these the name of a file of subtitles says, `Solaris.de.forced.srt`; the words of the title's own name are none of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByName {
    pub language: bool,
    pub kind: bool,
}

/// Says whose language they are and what for, in the place of what was known; who watches already sees it at the next press of play.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NameSubtitles {
    pub title: TitleId,
    pub id: SubtitlesId,
    /// As ISO 639 or BCP 47 writes it; `None`: not known.
    pub language: Option<String>,
    pub kind: SubtitleKind,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveSubtitles {
    pub title: TitleId,
    pub origin: String,
    /// Only while it is this one that came under the origin. Absent: whichever it is.
    #[serde(default)]
    pub id: Option<SubtitlesId>,
}

/// Subtitles that came as a file of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtitleFile {
    pub id: SubtitlesId,
    pub origin: String,
    pub filename: String,
    /// BCP 47, where it is known.
    pub language: Option<String>,
    pub kind: SubtitleKind,
    pub added_at: Millis,
}

/// A part of the film with a beginning, up to the next one's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    pub start_ms: u64,
    pub name: Option<String>,
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
    /// From where to where the opening lasts, if known.
    #[serde(default)]
    pub intro_ms: Option<(u64, u64)>,
    /// In order.
    #[serde(default)]
    pub chapters: Vec<Chapter>,
    #[serde(default)]
    pub subtitles: Vec<Subtitles>,
    /// Signed, from the root: `/media/…/master.m3u8`.
    pub hls_path: String,
    /// `None`: it is encrypted in a way that DASH does not have.
    pub dash_path: Option<String>,
    /// WebVTT whose cues name parts of pictures (`1.jpg#xywh=0,0,160,90`), relative to itself.
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
        UploadNotFound => NotFound, "upload_not_found", "no such upload";
        UploadExpired => NotFound, "upload_expired", "this upload rested too long and was removed; send the file again";
        /// By another request for the same upload.
        UploadTakenOver => Conflict, "upload_taken_over", "another request goes on with this upload";
        UploadJoined => Forbidden, "upload_joined", "an upload that was joined of others takes no more";
        PartUnfinished => FailedPrecondition, "part_unfinished", "join uploads once each of them is whole";
        PartNotFound => NotFound, "part_not_found", "a part to join is no partial upload of yours";
        UploadTooLarge(u64) => InvalidArgument, "upload_too_large", "an upload has at most {0} bytes";
        OffsetWrong(u64) => Conflict, "offset_wrong", "continue at byte {0}";
        QuotaReached => ResourceExhausted, "quota_reached", "too many unfinished uploads; finish or remove one";
        /// Bytes that are left.
        UploadQuotaReached(u64) => ResourceExhausted, "upload_quota_reached", "your uploads may take {0} bytes more; wait until others are packaged, or remove one";
        /// What is wrong with the file, after its name.
        SubtitlesInvalid(String) => InvalidArgument, "subtitles_invalid", "{0}";
        SubtitlesNotFound => NotFound, "subtitles_not_found", "these subtitles are not there any more; look at the list again";
        MarkerInvalid(String) => InvalidArgument, "marker_invalid", "{0}";
        PlaybackNotFound => NotFound, "playback_not_found", "no such playback; press play again";
        TooManyStreams(u32) => ResourceExhausted, "too_many_streams",
            "this account is being watched on as many screens at once as it may ({0}); stop one of them, then try again in half a minute";
        /// Unsigned, altered, expired, somebody else's, signed for a session that is over: one answer for all.
        MediaForbidden => Forbidden, "media_forbidden", "this address is not valid; press play again";
        MediaNotFound => NotFound, "media_not_found", "no such file";
        DashNotOffered => NotFound, "dash_not_offered", "this video is encrypted, and offered as HLS alone";
    }
}

#[async_trait]
pub trait Streaming: Send + Sync + 'static {
    async fn create_upload(&self, req: CreateUpload) -> Result<Upload, StreamingError>;
    async fn append_upload(&self, req: AppendUpload) -> Result<Upload, StreamingError>;
    async fn upload(&self, req: ForUpload) -> Result<Upload, StreamingError>;
    async fn uploads(&self, req: ListUploads) -> Result<Uploads, StreamingError>;
    async fn join_uploads(&self, req: JoinUploads) -> Result<Upload, StreamingError>;
    async fn remove_upload(&self, req: ForUpload) -> Result<Done, StreamingError>;
    /// What arrived of an upload, as long as it lies where it arrived: a video goes once it is packaged.
    async fn read_upload(&self, req: ReadUpload) -> Result<Blob, StreamingError>;
    /// A whole file of a data set, to read; it rests from the beginning again.
    async fn uploaded_file(&self, req: ForUpload) -> Result<UploadedFile, StreamingError>;
    async fn add_media(&self, req: AddMedia) -> Result<Job, StreamingError>;
    async fn video(&self, req: ForVideo) -> Result<Video, StreamingError>;
    async fn set_markers(&self, req: SetMarkers) -> Result<Video, StreamingError>;
    async fn add_subtitles(&self, req: AddSubtitles) -> Result<SubtitleFile, StreamingError>;
    /// Those of a title that came as files of their own, oldest first.
    async fn subtitle_files(&self, req: ForVideo) -> Result<Vec<SubtitleFile>, StreamingError>;
    async fn name_subtitles(&self, req: NameSubtitles) -> Result<SubtitleFile, StreamingError>;
    async fn remove_subtitles(&self, req: RemoveSubtitles) -> Result<Done, StreamingError>;
    async fn start_playback(&self, req: StartPlayback) -> Result<Playback, StreamingError>;
    async fn playback(&self, req: ForPlayback) -> Result<Playback, StreamingError>;
    async fn media(&self, req: GetMedia) -> Result<Media, StreamingError>;
}

crate::wire! { Streaming as "streaming", StreamingError:
    create_upload(CreateUpload) -> Upload,
    append_upload(AppendUpload) -> Upload,
    upload(ForUpload) -> Upload,
    uploads(ListUploads) -> Uploads,
    join_uploads(JoinUploads) -> Upload,
    remove_upload(ForUpload) -> Done,
    read_upload(ReadUpload) -> Blob,
    uploaded_file(ForUpload) -> UploadedFile,
    add_media(AddMedia) -> Job,
    video(ForVideo) -> Video,
    set_markers(SetMarkers) -> Video,
    add_subtitles(AddSubtitles) -> SubtitleFile,
    subtitle_files(ForVideo) -> Vec<SubtitleFile>,
    name_subtitles(NameSubtitles) -> SubtitleFile,
    remove_subtitles(RemoveSubtitles) -> Done,
    start_playback(StartPlayback) -> Playback,
    playback(ForPlayback) -> Playback,
    media(GetMedia) -> Media,
}
