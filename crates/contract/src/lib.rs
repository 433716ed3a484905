//! The doors between Kinora's rooms: ids, plain types, errors, events and one trait per service.
//!
//! Nothing here does anything: rooms implement the traits, callers hold `Arc<dyn Door>` and cannot tell where it runs.
//! Every door is a hand-written async trait of one request type to one result; [`wire!`] makes its remote side.
//! Inside a message new fields carry `#[serde(default)]`; a method is never given another meaning.

pub mod accounts;
pub mod activity;
pub mod blob;
pub mod catalog;
pub mod error;
pub mod events;
pub mod experiments;
pub mod ids;
pub mod imports;
pub mod jobs;
pub mod recommend;
pub mod streaming;
pub mod wire;

pub use blob::Blob;
pub use error::{Code, DoorError, Fault};
pub use ids::*;

/// A moment: milliseconds since the Unix epoch, UTC. RFC 3339 exists at the HTTP edge only.
pub type Millis = i64;

/// What [`async_trait::async_trait`] doors need at their callers.
pub use async_trait::async_trait;

/// Answer of methods that have nothing to tell but that it is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Done {}

/// One page of a keyset-paged list. `next` is the key to continue after, absent on the last page.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Page<T, K> {
    pub items: Vec<T>,
    pub next: Option<K>,
}

/// The most entries that any list method returns, whatever it was asked for.
pub const PAGE_ITEMS_MAX: u32 = 200;
