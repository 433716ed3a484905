//! The gateway: everything that is HTTP and public. Sessions, policies, problem responses, the OpenAPI document, the
//! composition of pages out of the rooms' doors, signed media, and the web page itself.
//!
//! Calls: every door. Emits: nothing. Owns no data; what it keeps in memory (verified tokens, profiles, idempotent answers, home
//! pages, rate counters, parties) may be lost at any moment.
//!
//! Where things are:
//! - [`routes`]: the table of routes. Every route is registered with its [`policy::Policy`]; there is no other way to add one.
//! - [`policy`]: what happens between the listener and a handler: who asks, may they, how often, which profile.
//! - [`edge`]: what happens to every request and answer: correlation id, metrics, log line, headers, problem documents.
//! - [`listener`]: connections and their limits, and how files leave them.
//! - [`parties`]: watching together, live state of this process.
//! - [`api`]: a file per part of the API. [`dto`]: what it says, with its schema. [`compose`] and [`words`]: cards and reasons.
//!
//! Invariants: internal text never reaches a client; a title above the profile's maturity limit does not exist for it; a body,
//! a page, a cache and a wait each have a limit; handlers never see a request that its policy refuses.

mod api;
mod blocks;
mod card_texts;
mod closed;
mod compose;
pub mod config;
mod cursor;
mod dto;
mod edge;
mod extract;
mod file_slice;
mod files;
mod home_pages;
mod hub;
mod idempotency;
mod listener;
mod network;
mod openapi;
mod parties;
mod pictures;
mod policy;
mod problem;
mod profiles;
mod rate;
mod routes;
mod session;
mod state;
mod words;

use std::sync::Arc;

use axum::Router;
use contract::{
    accounts::Accounts, activity::Activity, catalog::Catalog, imports::Imports, jobs::Jobs, recommend::Recommend,
    streaming::Streaming,
};
use futures::future::BoxFuture;
use platform::{Bus, Inputs, blob::BlobStore, telemetry::Metrics};

pub use config::Config;
pub use edge::Edge;
pub use listener::serve;
pub use openapi::document;
pub use policy::Policy;
pub use routes::{RouteEntry, table};

/// What the gateway composes its answers of.
#[derive(Clone)]
pub struct Doors {
    pub accounts: Arc<dyn Accounts>,
    pub catalog: Arc<dyn Catalog>,
    pub activity: Arc<dyn Activity>,
    pub recommend: Arc<dyn Recommend>,
    pub streaming: Arc<dyn Streaming>,
    pub imports: Arc<dyn Imports>,
    /// Every room with background work.
    pub jobs: Vec<Arc<dyn Jobs>>,
    /// Where stored media bodies are.
    pub blobs: BlobStore,
    pub bus: Arc<Bus>,
    pub inputs: Inputs,
    /// Absent: `/metrics` says so.
    pub metrics: Option<Metrics>,
    pub health: Vec<HealthCheck>,
}

/// Something that `/readyz` asks and names when it is not there.
#[derive(Clone)]
pub struct HealthCheck {
    pub name: &'static str,
    pub check: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

/// Makes what answers the public. [`serve`] it, so that limits and logs know who asks.
pub async fn open(doors: Doors, config: Config) -> anyhow::Result<Edge> {
    config.check()?;
    let pictures = pictures::Pictures::open(&doors.blobs, &doors.inputs).await?;
    let gateway = state::Gateway::new(doors, config, pictures);
    hub::subscribe(&gateway).await?;
    Ok(Edge::around(routes::router(&gateway), &gateway))
}

/// The answer of `/metrics` alone, for a listener of its own.
pub fn metrics_router(metrics: Metrics) -> Router {
    Router::new().route(
        "/metrics",
        axum::routing::get(async move || api::health::metrics_text(&metrics)),
    )
}

#[cfg(test)]
mod tests;
