//! The listener: connections come in here, HTTP/1.1 and HTTP/2 without TLS (by prior knowledge), as many as are allowed.
//!
//! | limit | what happens beyond it |
//! |---|---|
//! | connections | the next one waits in the system's queue until one ends |
//! | time until the first request, and for the head of each | the connection is closed |
//! | size and number of a request's headers | 431 |
//! | time that the other side takes nothing | the connection is closed ([`wire`]) |
//! | bytes that wait for a slow reader | the next piece of the body is not read |
//! | time that a piece waits for the reader of an HTTP/2 stream | the stream is reset ([`streams`]) |
//! | another protocol that is asked for and not spoken | the connection is closed |
//!
//! A connection that becomes a member's socket is not counted any more; parties have limits of their own ([`crate::parties`]).
//!
//! Files leave HTTP/1.1 connections by `sendfile(2)` ([`outgoing`]); in HTTP/2 their bytes stand inside of frames, so they are read.

mod outgoing;
mod streams;
#[cfg(test)]
mod tests;
mod wire;

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use http::{HeaderValue, Method, StatusCode, Version, header};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use self::{
    outgoing::{Outgoing, StandIn},
    streams::Streams,
    wire::Wire,
};
use crate::{Edge, file_slice::untouched};

/// All headers of a request together, and what is read ahead of a body.
const HEAD_BYTES_MAX: usize = 128 << 10;
const HEADERS_MAX: usize = 100;
/// Of one HTTP/2 connection.
const STREAMS_MAX: u32 = 16;
/// Of one HTTP/2 stream, waiting for its reader.
const STREAM_BYTES_MAX: usize = 64 << 10;
/// HTTP/2 asks a silent peer whether it is there.
const PING_AFTER: Duration = Duration::from_secs(20);
/// Without a descriptor left there is nothing to do but to wait for one.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// How long the listener waits for others.
#[derive(Clone, Copy)]
struct Patience {
    /// Until the first request, for each head, and between requests.
    head: Duration,
    /// While nothing is taken of what was asked for. As long as nginx waits.
    stalled: Duration,
}

/// What stands before Kinora keeps idle connections for a minute (nginx, Varnish): a request must not meet one that is just being closed.
const PATIENCE: Patience = Patience {
    head: Duration::from_secs(75),
    stalled: Duration::from_secs(60),
};

/// Answers connections until `stop`, and those that are open until they have nothing to answer any more.
pub async fn serve(listener: TcpListener, edge: Edge, connections_max: u32, stop: CancellationToken) {
    serve_patiently(listener, edge, connections_max, stop, PATIENCE).await;
}

/// What answers requests.
trait Answers: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static {}

impl<S> Answers for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

async fn serve_patiently(
    listener: TcpListener,
    answers: impl Answers,
    connections_max: u32,
    stop: CancellationToken,
    patience: Patience,
) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(connections_max as usize));
    let protocol = Arc::new(protocol(patience));
    while let Some((stream, peer, place)) = next(&listener, &places, &stop).await {
        let connection = Connection {
            answers: answers.clone(),
            peer,
            patience,
            outgoing: Arc::default(),
            asked: Arc::default(),
        };
        let (protocol, stop) = (protocol.clone(), stop.clone());
        connections.spawn(async move {
            connection.run(&protocol, stream, stop).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// The next connection, once there is a place for it; none after `stop`.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let accepted = async {
        // Never closed, so there is one in the end.
        let place = places.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return Some((stream, peer, place)),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        accepted = accepted => accepted,
    }
}

/// It went before it was taken: not our trouble.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn protocol(patience: Patience) -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(Streams {
        stalled: patience.stalled,
    });
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_AFTER)
        .max_concurrent_streams(STREAMS_MAX)
        .max_send_buf_size(STREAM_BYTES_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .enable_connect_protocol();
    builder
}

/// One connection, and what its requests share.
#[derive(Clone)]
struct Connection<A> {
    answers: A,
    peer: SocketAddr,
    patience: Patience,
    outgoing: Arc<Outgoing>,
    /// Told at every request.
    asked: Arc<Notify>,
}

impl<A: Answers> Connection<A> {
    async fn run(self, protocol: &auto::Builder<Streams>, stream: TcpStream, stop: CancellationToken) {
        // Where it cannot be set, answers are late and right.
        stream.set_nodelay(true).ok();
        let wire = TokioIo::new(Wire::new(stream, self.outgoing.clone(), self.patience.stalled));
        let (asked, patience) = (self.asked.clone(), self.patience);
        let service = service_fn(move |request| self.clone().answer(request));
        let mut connection = pin!(protocol.serve_connection_with_upgrades(wire, service));
        // The library waits for its first bytes without a clock.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = asked.notified() => {}
            () = tokio::time::sleep(patience.head) => return,
            () = stop.cancelled() => {}
        }
        tokio::select! {
            // How it ended was its client's doing, and says nothing that its requests have not said.
            _ = connection.as_mut() => return,
            () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        connection.await.ok();
    }

    async fn answer(mut self, request: Request<Incoming>) -> Result<Response, Infallible> {
        self.asked.notify_one();
        // The answer to HEAD has the length and no body.
        let by_the_kernel = request.version() <= Version::HTTP_11 && request.method() != Method::HEAD;
        let other_protocol = request.headers().contains_key(header::UPGRADE);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let mut response = self.answers.call(request).await?;
        if by_the_kernel && let Some(slice) = untouched(&mut response) {
            *response.body_mut() = Body::new(StandIn::new(self.outgoing, &slice));
        }
        if other_protocol && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            // What stands before us may have given its connection to the one who asked for it: nothing more is heard there.
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        streams::watch(&mut response);
        Ok(response)
    }
}
