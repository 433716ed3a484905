//! What the API says, with its schema. Requests are closed: an unknown field is an error. Answers are only ever written.

pub mod accounts;
pub mod admin;
pub mod asking;
pub mod experiments;
pub mod models;
pub mod parties;
pub mod pictures;
pub mod playback;
pub mod subtitles;
pub mod titles;

use std::borrow::Cow;

use contract::Millis;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};

/// A moment, RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Millis);

impl From<Millis> for Time {
    fn from(at: Millis) -> Self {
        Self(at)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Out of range would be a defect elsewhere; the nearest end of time is better than no answer.
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        serializer.collect_str(&moment)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(|_| D::Error::custom("not a time in RFC 3339"))?;
        Ok(Self(moment.as_millisecond()))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339, UTC"))
            .examples([serde_json::json!("2026-11-21T09:30:00Z")])
            .into()
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Time")
    }
}

/// Nothing that is looked for has a control character in it, and not every database bears one.
fn printable(text: &str, _: &()) -> garde::Result {
    match text.contains(char::is_control) {
        true => Err(garde::Error::new("has a control character in it")),
        false => Ok(()),
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Give it as `cursor` to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A list that is whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct Items<T> {
    pub items: Vec<T>,
}

pub const LIMIT_DEFAULT: u32 = 50;

/// Milliseconds as seconds.
pub fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// Seconds as milliseconds.
pub fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

/// An enum of the API that says the same as one of the contract, or a struct that answers with fields of one.
macro_rules! mirror {
    ($(#[$doc:meta])* struct $name:ident of $theirs:path { $($(#[$about:meta])* $field:ident: $kind:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, serde::Serialize, utoipa::ToSchema)]
        pub struct $name { $($(#[$about])* pub $field: $kind),+ }

        impl From<$theirs> for $name {
            fn from(theirs: $theirs) -> Self {
                Self { $($field: theirs.$field.into()),+ }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident of $theirs:path { $($variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant),+ }

        impl From<$theirs> for $name {
            fn from(theirs: $theirs) -> Self {
                match theirs { $(<$theirs>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $theirs {
            fn from(ours: $name) -> Self {
                match ours { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}
pub(crate) use mirror;
