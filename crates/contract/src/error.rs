//! One small vocabulary of error codes. Every door has a rich enum of its own above it and translates with [`DoorError`];
//! the gateway translates a code to HTTP once, at the edge. Internal text never reaches a client.

use serde::{Deserialize, Serialize};

/// What kind of failure it is, for callers that do not know the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is wrong whatever the state of the system.
    InvalidArgument,
    /// Nobody is logged in, or the proof is no longer good.
    Unauthenticated,
    /// Known, and not allowed.
    Forbidden,
    NotFound,
    /// Somebody else was first, or it exists already.
    Conflict,
    /// Right request, wrong moment: the state must change first.
    FailedPrecondition,
    /// A limit was reached.
    ResourceExhausted,
    /// A part is not there just now; the same request may work later.
    Unavailable,
    DeadlineExceeded,
    /// A defect of ours or of a part. The text is for logs.
    Internal,
}

/// What every door's error can say of itself.
pub trait DoorError: std::error::Error + Send + Sync + 'static {
    /// The kind of failure.
    fn code(&self) -> Code;
    /// A stable name for clients, `snake_case`, such as `title_not_found`.
    fn slug(&self) -> &'static str;
}

/// What can go wrong behind any door, in any room: a variant of every door's error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    #[error("unavailable: {0}")]
    Unavailable(String),
    #[error("storage is full: {0}")]
    StorageFull(String),
    #[error("deadline exceeded")]
    DeadlineExceeded,
    #[error("too many at once: {0}")]
    Overloaded(String),
    #[error("internal: {0}")]
    Internal(String),
}

impl DoorError for Fault {
    fn code(&self) -> Code {
        match self {
            Fault::Unavailable(_) | Fault::StorageFull(_) => Code::Unavailable,
            Fault::DeadlineExceeded => Code::DeadlineExceeded,
            Fault::Overloaded(_) => Code::ResourceExhausted,
            Fault::Internal(_) => Code::Internal,
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Fault::Unavailable(_) => "unavailable",
            Fault::StorageFull(_) => "storage_full",
            Fault::DeadlineExceeded => "deadline_exceeded",
            Fault::Overloaded(_) => "overloaded",
            Fault::Internal(_) => "internal",
        }
    }
}

/// Declares a door's error: variants with text, code and slug in one table, and a `Fault` variant for the rest.
#[macro_export]
macro_rules! door_error {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $(($field:ty))? => $code:ident, $slug:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, thiserror::Error, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$vdoc])* #[error($text)] $variant $(($field))?,)*
            #[error(transparent)]
            Fault(#[from] $crate::Fault),
        }

        impl $crate::DoorError for $name {
            fn code(&self) -> $crate::Code {
                match self {
                    $($crate::door_error!(@pattern $variant $(($field))?) => $crate::Code::$code,)*
                    Self::Fault(fault) => fault.code(),
                }
            }

            fn slug(&self) -> &'static str {
                match self {
                    $($crate::door_error!(@pattern $variant $(($field))?) => $slug,)*
                    Self::Fault(fault) => fault.slug(),
                }
            }
        }
    };
    (@pattern $variant:ident) => { Self::$variant };
    (@pattern $variant:ident ($field:ty)) => { Self::$variant(_) };
}
