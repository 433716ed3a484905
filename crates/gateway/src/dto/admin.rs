//! What curators and admins work with, as the API says it.

use contract::{
    JobId, TitleId, UploadId,
    catalog::{self, YEARS},
    imports::{self, FILES_MAX},
    jobs,
    streaming::{self, CHAPTERS_MAX},
};
use garde::Validate;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Time, mirror,
    playback::{Chapter, NewChapter, Span},
    seconds,
    titles::{Card, Credit, CreditRole, EpisodePlace, ExternalId, Sort, TitleKind, hundredths},
};

mirror! { JobKind of jobs::JobKind { Transcode, Import, Train } }
mirror! { JobState of jobs::JobState { Queued, Running, Done, Failed, Cancelled } }
mirror! { Dataset of imports::DatasetKind { Movielens, Movietweetings } }

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Job {
    #[schema(value_type = String)]
    pub id: JobId,
    pub kind: JobKind,
    pub state: JobState,
    /// 0 to 1.
    pub progress: f32,
    /// The step it is at, in words.
    pub stage: String,
    /// Why it failed and what to do, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it works on, in words.
    pub subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub title_id: Option<TitleId>,
    pub attempts: u32,
    pub created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// What came of it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// About how many seconds it will still take, while it runs and that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_s: Option<u64>,
}

impl From<jobs::Job> for Job {
    fn from(job: jobs::Job) -> Self {
        Self {
            id: job.id,
            kind: job.kind.into(),
            state: job.state.into(),
            progress: hundredths(job.progress),
            stage: job.stage,
            error: job.error,
            subject: job.subject,
            title_id: job.title_id,
            attempts: job.attempts,
            created_at: Time(job.created_at),
            started_at: job.started_at.map(Time),
            finished_at: job.finished_at.map(Time),
            outcome: job.outcome,
            remaining_s: job.remaining_s,
        }
    }
}

/// How far all films are that are being made or wait for it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Outlook {
    /// How many wait.
    pub queued: u64,
    /// How many are being made.
    pub running: u64,
    /// 0 to 1, of these and of what was made since the first of them has been waiting.
    pub progress: f32,
    /// About how many seconds all of them will take, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_s: Option<u64>,
}

impl From<jobs::Outlook> for Outlook {
    fn from(outlook: jobs::Outlook) -> Self {
        Self {
            queued: outlook.queued,
            running: outlook.running,
            progress: hundredths(outlook.progress),
            remaining_s: outlook.remaining_s,
        }
    }
}

#[derive(Debug, Serialize, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobsQuery {
    #[garde(skip)]
    #[param(inline)]
    pub state: Option<JobState>,
    #[garde(inner(range(min = 1, max = 200)))]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    #[garde(skip)]
    pub cursor: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdminTitlesQuery {
    /// A part of the name.
    #[garde(inner(length(chars, max = 200)))]
    pub q: Option<String>,
    #[garde(inner(length(chars, min = 1, max = 80)))]
    pub genre: Option<String>,
    #[garde(skip)]
    #[param(inline)]
    pub kind: Option<TitleKind>,
    #[garde(skip)]
    pub playable: Option<bool>,
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<Sort>,
    #[garde(inner(range(min = 1, max = 200)))]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    #[garde(skip)]
    pub cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AdminTitle {
    #[serde(flatten)]
    pub card: Card,
    pub published: bool,
}

/// What a curator may change of a title, whoever may watch it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdminTitleWhole {
    #[serde(flatten)]
    pub title: AdminTitle,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_name: Option<String>,
    pub description: String,
    pub people: Vec<Credit>,
    /// Of an episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<EpisodePlace>,
    /// What it plays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
    /// When viewers will see it; absent: they do, or nothing is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<Time>,
    /// When viewers will see it no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unpublish_at: Option<Time>,
}

/// The video that a title plays.
#[derive(Debug, Serialize, ToSchema)]
pub struct Video {
    pub duration_s: f64,
    /// Where the end credits begin: whoever comes there has seen it all. Absent: not known; then 95 % are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits_at_s: Option<f64>,
    /// The opening, which a viewer may skip. Absent: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intro: Option<Span>,
    /// In order.
    pub chapters: Vec<Chapter>,
    /// Whether a curator has said them; the video's own ones otherwise.
    pub chapters_edited: bool,
}

impl From<streaming::Video> for Video {
    fn from(video: streaming::Video) -> Self {
        Self {
            duration_s: seconds(video.duration_ms),
            credits_at_s: video.credits_ms.map(seconds),
            intro: video.intro_ms.map(Into::into),
            chapters: video.chapters.into_iter().map(Into::into).collect(),
            chapters_edited: video.chapters_edited,
        }
    }
}

/// Only what is there changes.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateVideo {
    /// Within the video; `null`: it is not known.
    #[serde(default, deserialize_with = "said")]
    #[garde(inner(inner(range(min = 0.0, max = 1_000_000.0))))]
    #[schema(value_type = Option<f64>, minimum = 0)]
    pub credits_at_s: Option<Option<f64>>,
    /// Within the video; `null`: it is not known.
    #[serde(default, deserialize_with = "said")]
    #[garde(dive)]
    #[schema(value_type = Option<Span>)]
    pub intro: Option<Option<Span>>,
    /// All of them, each after the one before, within the video; `null`: those of the video itself.
    #[serde(default, deserialize_with = "said")]
    #[garde(length(max = CHAPTERS_MAX), dive)]
    #[schema(value_type = Option<Vec<NewChapter>>, max_items = 200)]
    pub chapters: Option<Option<Vec<NewChapter>>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewCredit {
    #[garde(length(chars, min = 1, max = 200))]
    pub name: String,
    #[garde(skip)]
    pub role: CreditRole,
}

impl From<NewCredit> for catalog::NewCredit {
    fn from(credit: NewCredit) -> Self {
        Self {
            name: credit.name,
            role: credit.role.into(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewEpisodePlace {
    #[garde(skip)]
    #[schema(value_type = String)]
    pub series_id: TitleId,
    #[garde(skip)]
    pub season: u16,
    #[garde(skip)]
    pub episode: u16,
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateTitle {
    #[garde(length(chars, min = 1, max = 300))]
    pub name: String,
    #[serde(default)]
    #[garde(skip)]
    pub kind: Option<TitleKind>,
    #[serde(default)]
    #[garde(inner(length(chars, max = 300)))]
    pub original_name: Option<String>,
    #[serde(default)]
    #[garde(inner(range(min = *YEARS.start(), max = *YEARS.end())))]
    pub year: Option<u16>,
    #[serde(default)]
    #[garde(length(max = 20), inner(length(chars, min = 1, max = 80)))]
    pub genres: Vec<String>,
    #[serde(default)]
    #[garde(length(chars, max = 10_000))]
    pub description: String,
    /// Years; absent: estimated from the genres.
    #[serde(default)]
    #[garde(inner(range(max = 18)))]
    pub maturity: Option<u8>,
    #[serde(default)]
    #[garde(inner(range(min = 0.0, max = 1_000_000.0)))]
    pub duration_s: Option<f64>,
    #[serde(default)]
    #[garde(length(max = 200), dive)]
    pub people: Vec<NewCredit>,
    #[serde(default)]
    #[garde(dive)]
    pub place: Option<NewEpisodePlace>,
    #[serde(default)]
    #[garde(length(max = 20), dive)]
    pub external: Vec<ExternalId>,
    /// Whether viewers see it; default: yes.
    #[serde(default)]
    #[garde(skip)]
    pub published: Option<bool>,
}

/// Only what is there changes.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateTitle {
    #[serde(default)]
    #[garde(inner(length(chars, min = 1, max = 300)))]
    pub name: Option<String>,
    /// `null`: the title has none.
    #[serde(default, deserialize_with = "said")]
    #[garde(inner(inner(range(min = *YEARS.start(), max = *YEARS.end()))))]
    #[schema(value_type = Option<u16>)]
    pub year: Option<Option<u16>>,
    #[serde(default)]
    #[garde(inner(length(max = 20), inner(length(chars, min = 1, max = 80))))]
    pub genres: Option<Vec<String>>,
    #[serde(default)]
    #[garde(inner(length(chars, max = 10_000)))]
    pub description: Option<String>,
    /// Years; `null`: estimated from the genres.
    #[serde(default, deserialize_with = "said")]
    #[garde(inner(inner(range(max = 18))))]
    #[schema(value_type = Option<u8>)]
    pub maturity: Option<Option<u8>>,
    #[serde(default)]
    #[garde(inner(range(min = 0.0, max = 1_000_000.0)))]
    pub duration_s: Option<f64>,
    #[serde(default)]
    #[garde(dive)]
    pub people: Option<Vec<NewCredit>>,
    #[serde(default)]
    #[garde(skip)]
    pub published: Option<bool>,
    /// To come: until then viewers do not see it, and then they do. `null`: not planned any more.
    #[serde(default, deserialize_with = "said")]
    #[garde(skip)]
    #[schema(value_type = Option<Time>)]
    pub publish_at: Option<Option<Time>>,
    /// To come, after it is published: from then on viewers do not see it. `null`: not planned any more.
    #[serde(default, deserialize_with = "said")]
    #[garde(skip)]
    #[schema(value_type = Option<Time>)]
    pub unpublish_at: Option<Option<Time>>,
}

/// A field that is there, if only to say `null`; `default` stands for one that is not.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct StartImport {
    #[garde(skip)]
    pub dataset: Dataset,
    /// Finished uploads with purpose `dataset`.
    #[garde(length(min = 1, max = FILES_MAX))]
    #[schema(value_type = Vec<String>)]
    pub upload_ids: Vec<UploadId>,
}

/// One's own uploads that are not whole, newest first, and what one may still send.
#[derive(Debug, Serialize, ToSchema)]
pub struct Uploads {
    pub items: Vec<Upload>,
    /// Of one upload.
    pub bytes_max: u64,
    /// Of all uploads that may still be begun, together.
    pub bytes_left: u64,
    /// Unfinished at a time.
    pub uploads_max: u32,
}

/// A file on its way in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Upload {
    #[schema(value_type = String)]
    pub id: UploadId,
    /// Where a video goes; absent for anything else, and for a part of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub title_id: Option<TitleId>,
    /// What the person called it.
    pub filename: String,
    /// Absent while nobody has said how long it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How much is safely here.
    pub offset: u64,
    /// As it was given when it began; may be empty.
    pub fingerprint: String,
    /// It is removed then, unless more of it comes before.
    pub expires_at: Time,
}

impl From<streaming::Upload> for Upload {
    fn from(upload: streaming::Upload) -> Self {
        Self {
            id: upload.id,
            title_id: upload.title,
            filename: upload.filename,
            bytes: (!upload.length_deferred).then_some(upload.bytes),
            offset: upload.offset,
            fingerprint: upload.fingerprint,
            expires_at: upload.expires_at.into(),
        }
    }
}

impl From<streaming::Uploads> for Uploads {
    fn from(uploads: streaming::Uploads) -> Self {
        Self {
            items: uploads.items.into_iter().map(Upload::from).collect(),
            bytes_max: uploads.bytes_max,
            bytes_left: uploads.bytes_left,
            uploads_max: uploads.uploads_max,
        }
    }
}
