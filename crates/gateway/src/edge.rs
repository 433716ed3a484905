//! What happens to every request and every answer, whoever handles it: a correlation id, metrics, one line in the log,
//! security headers, compression, and problems written out.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use platform::telemetry;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate as _, SizeAbove},
    },
};

use crate::{api, network, problem::Problem, session::Address, state::Gateway};

/// Below this, compressing costs more than it saves.
const COMPRESS_BYTES_MIN: u64 = 1024;
const CORRELATION_CHARS_MAX: usize = 64;
const CORRELATION: HeaderName = HeaderName::from_static("x-request-id");

/// What a page of ours may load, and who may frame it: nothing and nobody but itself. `blob:` is how a player feeds its own
/// video element.
const PAGE_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Puts the edge around the router.
pub fn wrap(router: Router, gateway: &Gateway) -> Router {
    let compress = SizeAbove::new(COMPRESS_BYTES_MIN)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::SSE)
        .and(NotForContentType::const_new("video/"))
        .and(NotForContentType::const_new("audio/"))
        .and(NotForContentType::const_new("font/"))
        .and(NotForContentType::const_new("application/octet-stream"));
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(
            CompressionLayer::new()
                .quality(CompressionLevel::Fastest)
                .compress_when(compress),
        )
        .layer(middleware::from_fn_with_state(gateway.clone(), edge))
}

async fn edge(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let id = correlation_id(&gateway, &request);
    let address = address(&gateway, &request);
    request.extensions_mut().insert(address);
    let seen = Seen::new(&request, &id, address);
    let response = if seen.route == api::media::PATH {
        // It writes no lines but the one at the end, and there are more of these than of all others: a span would be felt.
        next.run(request).await
    } else {
        telemetry::with_correlation(id.clone(), next.run(request)).await
    };
    let response = finish(response, &id, &gateway);
    seen.report(&response, &gateway);
    response
}

/// The caller's own id where it is a sane one, else a new one.
fn correlation_id(gateway: &Gateway, request: &Request) -> String {
    let sane = |text: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (8..=CORRELATION_CHARS_MAX).contains(&text.len()) && text.bytes().all(plain)
    };
    let given = request
        .headers()
        .get(CORRELATION)
        .and_then(|value| value.to_str().ok())
        .filter(sane);
    given.map_or_else(|| contract::ids::encode(gateway.doors.inputs.id()), str::to_owned)
}

fn address(gateway: &Gateway, request: &Request) -> Address {
    let peer = network::peer(request.extensions());
    let client = network::client(peer, request.headers(), &gateway.trusted);
    let local = peer.is_loopback() && !request.headers().contains_key("x-forwarded-for");
    Address { client, local }
}

/// What the log and the metrics say of a request, whether or not its client waits for the answer. Signed paths and queries
/// stay out.
struct Seen {
    method: &'static str,
    route: String,
    id: String,
    client: IpAddr,
    started: Instant,
    answered: bool,
    _in_flight: InFlight,
}

/// The status that the metrics say where the client went before there was one; nobody is ever answered so.
const CLIENT_GONE: u16 = 499;

impl Seen {
    fn new(request: &Request, id: &str, address: Address) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        Self {
            method: method_label(request.method()),
            route: route.map_or("page", MatchedPath::as_str).to_owned(),
            id: id.to_owned(),
            client: address.client,
            started: Instant::now(),
            answered: false,
            _in_flight: InFlight::begin(),
        }
    }

    /// Counts the request; how many milliseconds it took.
    fn count(&self, status: u16) -> f64 {
        let (method, route, took) = (self.method, self.route.clone(), self.started.elapsed());
        metrics::counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string())
            .increment(1);
        metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route).record(took);
        took.as_secs_f64() * 1e3
    }

    fn report(mut self, response: &Response, gateway: &Gateway) {
        self.answered = true;
        let status = response.status().as_u16();
        let segment = gateway.segments.at(self.method, &self.route, status);
        let duration_ms = segment.map_or_else(|| self.count(status), |counts| counts.add(self.started.elapsed()));
        let Self {
            method,
            route,
            id,
            client,
            ..
        } = &self;
        match response.extensions().get::<Problem>() {
            Some(Problem {
                code,
                cause: Some(cause),
                ..
            }) => {
                tracing::error!(correlation_id = id, method, route, status, duration_ms, %client, code, cause, "request failed");
            }
            Some(Problem { code, .. }) => {
                tracing::info!(correlation_id = id, method, route, status, duration_ms, %client, code, "request refused");
            }
            // Every player takes one every two seconds: they are counted, and logged for those who look closer.
            None if route == api::media::PATH => {
                tracing::debug!(correlation_id = id, method, route, status, duration_ms, %client, "request");
            }
            None => tracing::info!(correlation_id = id, method, route, status, duration_ms, %client, "request"),
        }
    }
}

/// Where answers with a segment are counted. The names are looked up once: this happens more often than all else.
pub struct Segments([(u16, Counts); 3]);

pub struct Counts {
    requests: metrics::Counter,
    took: metrics::Histogram,
}

impl Segments {
    const METHOD: &str = "GET";

    pub fn new() -> Self {
        Self([200, 206, 304].map(|status| {
            let (method, route) = (Self::METHOD, api::media::PATH);
            let counts = Counts {
                requests: metrics::counter!("http_requests_total", "method" => method, "route" => route, "status" => status.to_string()),
                took: metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route),
            };
            (status, counts)
        }))
    }

    fn at(&self, method: &str, route: &str, status: u16) -> Option<&Counts> {
        let of_these = || method == Self::METHOD && route == api::media::PATH;
        let (_, counts) = self.0.iter().find(|(known, _)| *known == status)?;
        of_these().then_some(counts)
    }
}

impl Counts {
    fn add(&self, took: Duration) -> f64 {
        self.requests.increment(1);
        self.took.record(took);
        took.as_secs_f64() * 1e3
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let duration_ms = self.count(CLIENT_GONE);
        let (id, method, route, client) = (&self.id, self.method, &self.route, self.client);
        tracing::info!(correlation_id = id, method, route, duration_ms, %client, "the client gave up");
    }
}

/// Made-up methods must not make up metrics.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// Counts requests that are being worked on, also when one is given up.
struct InFlight;

impl InFlight {
    fn begin() -> Self {
        metrics::gauge!("http_requests_in_flight").increment(1.0);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!("http_requests_in_flight").decrement(1.0);
    }
}

/// Writes problems out and adds what every answer carries.
fn finish(mut response: Response, id: &str, gateway: &Gateway) -> Response {
    if let Some(problem) = problem_of(&response) {
        let problem = Problem {
            correlation_id: id.to_owned(),
            ..problem
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let headers = response.headers_mut();
        for name in [
            header::CONTENT_LENGTH,
            header::CONTENT_ENCODING,
            header::TRANSFER_ENCODING,
        ] {
            headers.remove(name);
        }
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(problem);
        *response.body_mut() = Body::from(body);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(CORRELATION, id);
    }
    if gateway.public_url.as_ref().is_some_and(|url| url.scheme() == "https") {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(self), geolocation=(), payment=(), usb=()",
        ),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The problem of an answer; what refused without one (the router itself) gets a general one.
fn problem_of(response: &Response) -> Option<Problem> {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    let status = response.status();
    let (code, detail) = match status {
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "this address does not take that method"),
        StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "the body is too large"),
        StatusCode::INTERNAL_SERVER_ERROR => ("internal", "something went wrong here"),
        _ => return None,
    };
    Some(Problem::new(status, code, detail))
}

/// Known addresses asked in an unknown way. The router fills in `Allow`.
pub async fn method_not_allowed() -> Response {
    let detail = "this address does not take that method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response()
}

fn panicked(payload: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    Problem::internal(format!("a handler panicked: {}", text.unwrap_or("without words"))).into_response()
}
