//! What can go wrong in this crate, in words an operator can act on.

use thiserror::Error;

/// Everything that this crate refuses. The text names what was wrong and where.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RecoError {
    /// The interactions themselves cannot be used.
    #[error("data set: {0}")]
    Data(String),
    /// A configuration value is outside its range.
    #[error("configuration: {0}")]
    Config(String),
    /// A numeric step failed (a matrix was not positive definite, a value not finite).
    #[error("numerics: {0}")]
    Numeric(String),
    /// A stored model is cut short, altered or inconsistent.
    #[error("artefact {part}: {reason}")]
    Artefact {
        /// File or tensor that was looked at.
        part: String,
        /// What was wrong with it.
        reason: String,
    },
    /// Whoever asked does not want it any more.
    #[error("cancelled")]
    Cancelled,
    /// A model name that does not exist.
    #[error("unknown model {0:?}; one of popularity, trending, ials, ease, cooccurrence, content, ranker")]
    UnknownModel(String),
}

impl RecoError {
    /// An artefact error for `part`.
    pub fn artefact(part: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Artefact {
            part: part.into(),
            reason: reason.into(),
        }
    }
}

/// Result of this crate.
pub type Result<T, E = RecoError> = std::result::Result<T, E>;
