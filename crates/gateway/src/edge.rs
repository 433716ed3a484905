//! What happens to every request and every answer, whoever handles it: a correlation id, metrics, one line in the log,
//! security headers, compression, and problems written out.

use std::{
    borrow::Cow,
    convert::Infallible,
    net::IpAddr,
    panic::AssertUnwindSafe,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures::{FutureExt as _, future::BoxFuture};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use platform::telemetry;
use tower::{Service, ServiceBuilder};
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate as _, SizeAbove},
    },
};

use crate::{api, network, policy, problem::Problem, session::Address, state::Gateway};

/// Below this, compressing costs more than it saves.
const COMPRESS_BYTES_MIN: u64 = 1024;
const CORRELATION_CHARS_MAX: usize = 64;
const CORRELATION: HeaderName = HeaderName::from_static("x-request-id");

/// What a page of ours may load, and who may frame it: nothing and nobody but itself. `blob:` is how a player feeds its own
/// video element.
const PAGE_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Everything that is HTTP and public: the routes, with the edge around them.
#[derive(Clone)]
pub struct Edge {
    gateway: Gateway,
    router: Router,
}

impl Edge {
    pub(crate) fn around(router: Router, gateway: &Gateway) -> Self {
        let compress = SizeAbove::new(COMPRESS_BYTES_MIN)
            .and(NotForContentType::IMAGES)
            .and(NotForContentType::SSE)
            .and(NotForContentType::const_new("video/"))
            .and(NotForContentType::const_new("audio/"))
            .and(NotForContentType::const_new("font/"))
            .and(NotForContentType::const_new("application/octet-stream"));
        // As one layer: the router boxes every layer that it is given, and clones the boxes for each request.
        let layers = ServiceBuilder::new()
            .layer(middleware::from_fn_with_state(gateway.clone(), edge))
            .layer(
                CompressionLayer::new()
                    .quality(CompressionLevel::Fastest)
                    .compress_when(compress),
            )
            .layer(CatchPanicLayer::custom(panicked));
        Self {
            gateway: gateway.clone(),
            router: router.layer(layers),
        }
    }

    /// There are more segments than all else, and of what the router does for them only the policy is needed: they do without it.
    async fn segment(self, request: Request) -> Response {
        let gateway = &self.gateway;
        attend(gateway, api::media::PATH.into(), request, async |request| {
            let answered = async {
                let (request, caller) = policy::admit(gateway, api::media::POLICY, request).await?;
                api::media::answer(gateway, caller, &request.into_parts().0).await
            };
            let answered = AssertUnwindSafe(answered).catch_unwind().await;
            answered.map_or_else(panicked, IntoResponse::into_response)
        })
        .await
    }
}

impl Service<Request> for Edge {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if api::media::is_segment(&request) {
            self.clone().segment(request).map(Ok).boxed()
        } else {
            self.router.call(request).boxed()
        }
    }
}

async fn edge(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("page", MatchedPath::as_str).to_owned();
    attend(&gateway, route.into(), request, async |request| next.run(request).await).await
}

/// What happens to every request, whoever handles it.
async fn attend(
    gateway: &Gateway,
    route: Cow<'static, str>,
    mut request: Request,
    handle: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let address = address(gateway, &request);
    request.extensions_mut().insert(address);
    let seen = Seen::new(&request, route, address, gateway);
    let response = if seen.route == api::media::PATH {
        // It writes no lines but the one at the end, and there are more of these than of all others: a span would be felt.
        handle(request).await
    } else {
        telemetry::with_correlation(seen.id.clone(), handle(request)).await
    };
    let response = finish(response, &seen.id, gateway);
    seen.report(&response, gateway);
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
    route: Cow<'static, str>,
    id: String,
    client: IpAddr,
    started: Instant,
    answered: bool,
    _in_flight: InFlight,
}

/// The status that the metrics say where the client went before there was one; nobody is ever answered so.
const CLIENT_GONE: u16 = 499;

impl Seen {
    fn new(request: &Request, route: Cow<'static, str>, address: Address, gateway: &Gateway) -> Self {
        Self {
            method: method_label(request.method()),
            route,
            id: correlation_id(gateway, request),
            client: address.client,
            started: Instant::now(),
            answered: false,
            _in_flight: InFlight::begin(&gateway.counts.in_flight),
        }
    }

    /// Counts the request; how many milliseconds it took.
    fn count(&self, status: u16) -> f64 {
        let (method, route, took) = (self.method, self.route.to_string(), self.started.elapsed());
        metrics::counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string())
            .increment(1);
        metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route).record(took);
        took.as_secs_f64() * 1e3
    }

    fn report(mut self, response: &Response, gateway: &Gateway) {
        self.answered = true;
        let status = response.status().as_u16();
        let segments = gateway.counts.segments(self.method, &self.route, status);
        let duration_ms = segments.map_or_else(|| self.count(status), |known| known.add(self.started.elapsed()));
        let Self {
            method,
            route,
            id,
            client,
            ..
        } = &self;
        let route = route.as_ref();
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

/// Where requests are counted whose names are looked up once: what happens more often than all else.
pub struct Counts {
    in_flight: metrics::Gauge,
    segments: [(u16, Answers); 3],
}

struct Answers {
    requests: metrics::Counter,
    took: metrics::Histogram,
}

impl Counts {
    const METHOD: &str = "GET";

    pub fn new() -> Self {
        let segments = [200, 206, 304].map(|status| {
            let (method, route) = (Self::METHOD, api::media::PATH);
            let answers = Answers {
                requests: metrics::counter!("http_requests_total", "method" => method, "route" => route, "status" => status.to_string()),
                took: metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route),
            };
            (status, answers)
        });
        Self {
            in_flight: metrics::gauge!("http_requests_in_flight"),
            segments,
        }
    }

    fn segments(&self, method: &str, route: &str, status: u16) -> Option<&Answers> {
        let of_these = || method == Self::METHOD && route == api::media::PATH;
        let (_, answers) = self.segments.iter().find(|(known, _)| *known == status)?;
        of_these().then_some(answers)
    }
}

impl Answers {
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
        let (id, method, route, client) = (&self.id, self.method, self.route.as_ref(), self.client);
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
struct InFlight(metrics::Gauge);

impl InFlight {
    fn begin(gauge: &metrics::Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
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
