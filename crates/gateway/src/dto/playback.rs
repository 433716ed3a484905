//! Playback, as the API says it.

use contract::{PlaybackId, TitleId, activity};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Time, mirror};

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
    /// BCP 47.
    pub language: String,
    pub label: String,
    pub url: String,
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
