//! For whoever looks after the process: is it alive, is it ready, what does it count; and the OpenAPI document.

use std::{sync::LazyLock, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderValue, Method, StatusCode, header};
use platform::telemetry::Metrics;
use serde::Serialize;

use crate::{
    policy::Policy,
    problem::Problem,
    routes::{Route, plain},
    state::Gateway,
};

const CHECK_LIMIT: Duration = Duration::from_secs(2);

pub fn routes() -> Vec<Route> {
    vec![
        plain(Policy::Public, "/livez", &[Method::GET], get(livez)),
        plain(Policy::Public, "/readyz", &[Method::GET], get(readyz)),
        plain(Policy::Operator, "/metrics", &[Method::GET], get(metrics)),
        plain(Policy::Public, "/api/v1/openapi.json", &[Method::GET], get(openapi)),
    ]
}

/// The process runs and answers; nothing else is asked.
async fn livez() -> &'static str {
    "ok\n"
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// What is not ready. Why stands in the log.
    failing: Vec<&'static str>,
}

/// Whether requests can be served just now, and if not, for want of what.
async fn readyz(State(gateway): State<Gateway>) -> Response {
    let checks = gateway.doors.health.iter().map(|check| async move {
        let outcome = tokio::time::timeout(CHECK_LIMIT, (check.check)()).await;
        match outcome.unwrap_or_else(|_| Err("no answer in time".into())) {
            Ok(()) => None,
            Err(error) => {
                tracing::warn!(part = check.name, error, "not ready");
                Some(check.name)
            }
        }
    });
    let failing: Vec<&str> = futures::future::join_all(checks).await.into_iter().flatten().collect();
    let ready = failing.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        [(header::CACHE_CONTROL, "no-store")],
        Json(Readiness { ready, failing }),
    )
        .into_response()
}

async fn metrics(State(gateway): State<Gateway>) -> Result<Response, Problem> {
    match &gateway.doors.metrics {
        Some(metrics) => Ok(metrics_text(metrics)),
        None => Err(Problem::not_found("metrics_off", "this process keeps no metrics")),
    }
}

pub fn metrics_text(metrics: &Metrics) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(header::CONTENT_TYPE, content_type)], metrics.render()).into_response()
}

static DOCUMENT: LazyLock<Bytes> =
    LazyLock::new(|| Bytes::from(crate::openapi::document().to_pretty_json().unwrap_or_default()));

async fn openapi() -> Response {
    (
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        DOCUMENT.clone(),
    )
        .into_response()
}
