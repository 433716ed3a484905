//! Files of subtitles beside a title's videos, as the API says them.

use contract::{SubtitlesId, streaming};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Time, playback::SubtitleKind, printable};

#[derive(Debug, Serialize, ToSchema)]
pub struct SubtitleFile {
    #[schema(value_type = String)]
    pub id: SubtitlesId,
    pub filename: String,
    /// BCP 47; `null`: not known.
    #[schema(required = true)]
    pub language: Option<String>,
    pub kind: SubtitleKind,
    pub added_at: Time,
}

impl From<streaming::SubtitleFile> for SubtitleFile {
    fn from(file: streaming::SubtitleFile) -> Self {
        Self {
            id: file.id,
            filename: file.filename,
            language: file.language,
            kind: file.kind.into(),
            added_at: file.added_at.into(),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AddSubtitlesQuery {
    /// Another file of that name that was sent for the title is replaced.
    #[garde(length(chars, min = 1, max = 80), custom(printable))]
    #[param(min_length = 1, max_length = 80)]
    pub filename: String,
    /// ISO 639 or BCP 47; absent: as the filename says, `Solaris.de.forced.srt`.
    #[garde(inner(length(chars, min = 2, max = 35)))]
    #[param(min_length = 2, max_length = 35)]
    pub language: Option<String>,
    /// Absent: as the filename says.
    #[garde(skip)]
    #[param(inline)]
    pub kind: Option<SubtitleKind>,
}

/// All that is said of them.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NameSubtitles {
    /// ISO 639 or BCP 47; `null`: not known.
    #[serde(deserialize_with = "Option::deserialize")]
    #[garde(inner(length(chars, min = 2, max = 35)))]
    #[schema(required = true, min_length = 2, max_length = 35)]
    pub language: Option<String>,
    #[garde(skip)]
    pub kind: SubtitleKind,
}
