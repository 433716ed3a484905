//! Playback, as the API says it.

use contract::{
    PlaybackId, TitleId, activity,
    streaming::{self, CHAPTER_NAME_CHARS_MAX},
};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Time, milliseconds, mirror, seconds};

mirror! { SubtitleKind of streaming::SubtitleKind { Subtitles, Captions, Forced } }
mirror! { PlayState of activity::PlayState { Playing, Paused, Ended } }

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct StartPlayback {
    /// A film, an episode, or a series: then the episode to go on with.
    #[garde(skip)]
    #[schema(value_type = String)]
    pub title_id: TitleId,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Playback {
    #[schema(value_type = String)]
    pub session_id: PlaybackId,
    /// What plays: of a series, the episode.
    #[schema(value_type = String)]
    pub title_id: TitleId,
    /// Signed, from the root.
    pub hls_url: String,
    #[schema(required = true)]
    pub dash_url: Option<String>,
    pub resume_at_s: f64,
    pub duration_s: f64,
    /// Where the credits begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits_at_s: Option<f64>,
    /// The opening, which a viewer may skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intro: Option<Span>,
    /// In order.
    pub chapters: Vec<Chapter>,
    /// WebVTT whose cues name parts of pictures: `1.jpg#xywh=0,0,160,90`, relative to this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storyboard_url: Option<String>,
    pub subtitles: Vec<Subtitles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub next_title_id: Option<TitleId>,
    pub expires_at: Time,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Subtitles {
    pub id: String,
    /// BCP 47; `null`: not known.
    #[schema(required = true)]
    pub language: Option<String>,
    pub label: String,
    pub kind: SubtitleKind,
    /// WebVTT.
    pub url: String,
}

impl From<streaming::Subtitles> for Subtitles {
    fn from(subtitles: streaming::Subtitles) -> Self {
        Self {
            id: subtitles.id,
            language: subtitles.language,
            label: subtitles.label,
            kind: subtitles.kind.into(),
            url: subtitles.path,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Chapter {
    pub start_s: f64,
    /// `null`: it has none.
    #[schema(required = true)]
    pub name: Option<String>,
}

impl From<streaming::Chapter> for Chapter {
    fn from(chapter: streaming::Chapter) -> Self {
        Self {
            start_s: seconds(chapter.start_ms),
            name: chapter.name,
        }
    }
}

/// A chapter that a curator says.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewChapter {
    #[garde(range(min = 0.0, max = 1_000_000.0))]
    #[schema(minimum = 0)]
    pub start_s: f64,
    /// Absent or empty: it is called by its number.
    #[serde(default)]
    #[garde(inner(length(chars, max = CHAPTER_NAME_CHARS_MAX)))]
    #[schema(max_length = 60)]
    pub name: Option<String>,
}

impl From<NewChapter> for streaming::Chapter {
    fn from(chapter: NewChapter) -> Self {
        Self {
            start_ms: milliseconds(chapter.start_s),
            name: chapter.name,
        }
    }
}

/// A part of a video.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Span {
    #[garde(range(min = 0.0, max = 1_000_000.0))]
    #[schema(minimum = 0)]
    pub start_s: f64,
    #[garde(range(min = 0.0, max = 1_000_000.0))]
    #[schema(minimum = 0)]
    pub end_s: f64,
}

impl From<(u64, u64)> for Span {
    fn from((start_ms, end_ms): (u64, u64)) -> Self {
        Self {
            start_s: seconds(start_ms),
            end_s: seconds(end_ms),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReportProgress {
    #[garde(range(min = 0.0, max = 1_000_000.0))]
    #[schema(minimum = 0)]
    pub position_s: f64,
    #[garde(skip)]
    pub state: PlayState,
    /// By the player's clock: the newest wins. Absent: now.
    #[serde(default)]
    #[garde(skip)]
    pub at: Option<Time>,
}

/// What one report says at most.
const STALLS_MAX: usize = 100;
const SWITCHES_MAX: u32 = 10_000;
const ERRORS_MAX: u32 = 1_000;
const QUALITY_SECONDS_MAX: f64 = 3_600.0;

/// How a showing went since the report before.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReportQuality {
    /// From the press of Play to the first picture; in the first report after it only.
    #[serde(default)]
    #[garde(inner(range(min = 0.0, max = QUALITY_SECONDS_MAX)))]
    #[schema(minimum = 0, maximum = 3600)]
    pub startup_s: Option<f64>,
    /// How long each stall lasted that is over. 100 at most.
    #[garde(length(max = STALLS_MAX), inner(range(min = 0.0, max = QUALITY_SECONDS_MAX)))]
    #[schema(max_items = 100)]
    pub stalls_s: Vec<f64>,
    /// Changes from one rung to another.
    #[garde(range(max = SWITCHES_MAX))]
    #[schema(maximum = 10000)]
    pub switches: u32,
    /// By kind; 5 at most.
    #[garde(length(max = PlaybackErrorKind::ALL), dive)]
    #[schema(max_items = 5)]
    pub errors: Vec<PlaybackErrors>,
    /// Time that was played.
    #[garde(range(min = 0.0, max = QUALITY_SECONDS_MAX))]
    #[schema(minimum = 0, maximum = 3600)]
    pub watched_s: f64,
    /// The last report of its session.
    #[garde(skip)]
    pub ended: bool,
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PlaybackErrors {
    #[garde(skip)]
    pub kind: PlaybackErrorKind,
    #[garde(range(min = 1, max = ERRORS_MAX))]
    #[schema(minimum = 1, maximum = 1000)]
    pub count: u32,
}

/// What a player had to tell its viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaybackErrorKind {
    Network,
    Media,
    Expired,
    Unsupported,
    Unknown,
}

impl PlaybackErrorKind {
    /// How many kinds there are.
    const ALL: usize = 5;

    /// As metrics name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Media => "media",
            Self::Expired => "expired",
            Self::Unsupported => "unsupported",
            Self::Unknown => "unknown",
        }
    }
}
