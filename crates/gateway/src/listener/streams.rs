//! HTTP/2 streams whose other side takes nothing: each holds what was handed over of its body, so each has a clock of its own.
//!
//! The library asks a body for its next piece once there is room for the one before, and until then it asks nothing. So a piece that
//! is not followed by a question for long is one that nobody takes, and its stream is given up, with all that it holds; others of the
//! connection go on.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::header;
use hyper::{
    body::{Body as _, Frame, SizeHint},
    rt::Executor,
};
use tokio::time::Instant;

/// Of the last piece, kept back so that somebody has to make room for all before it.
const LAST_BYTES: usize = 1;

tokio::task_local! {
    /// Of the stream that is being answered.
    static HANDED: Handed;
}

/// Since when a piece waits to be taken, if one does.
#[derive(Clone, Default)]
struct Handed(Arc<Mutex<Option<Instant>>>);

impl Handed {
    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends once a piece has waited for so long.
    async fn too_long(&self, stalled: Duration) {
        loop {
            let now = Instant::now();
            let deadline = self.since().unwrap_or(now) + stalled;
            if deadline <= now {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }
}

/// Runs the streams of connections, each as long as its other side takes something.
#[derive(Clone)]
pub struct Streams {
    pub stalled: Duration,
}

impl<S: Future<Output = ()> + Send + 'static> Executor<S> for Streams {
    fn execute(&self, stream: S) {
        let (handed, stalled) = (Handed::default(), self.stalled);
        tokio::spawn(async move {
            tokio::select! {
                () = HANDED.scope(handed.clone(), stream) => {}
                // The library resets a stream that is dropped and lets its bytes go.
                () = handed.too_long(stalled) => {}
            }
        });
    }
}

/// Watches the body of an answer over HTTP/2, from within its stream.
pub fn watch(response: &mut Response) {
    let Ok(handed) = HANDED.try_with(Clone::clone) else {
        return;
    };
    let said = response.headers().get(header::CONTENT_LENGTH);
    let said = said.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let body = std::mem::take(response.body_mut());
    let watched = Watched {
        left: body.size_hint().exact().or(said),
        body,
        last: None,
        handed,
    };
    *response.body_mut() = Body::new(watched);
}

struct Watched {
    body: Body,
    /// Bytes that the body has still to give, where that is known.
    left: Option<u64>,
    /// The end of the last piece. Nothing is asked after a last piece, so it would have no clock; of a body that does not say how long
    /// it is, it has none. Those are made by compression, in small pieces.
    last: Option<Bytes>,
    handed: Handed,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        this.handed.set(None);
        if let Some(last) = this.last.take() {
            this.handed.set(Some(Instant::now()));
            return Poll::Ready(Some(Ok(Frame::data(last))));
        }
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        let Poll::Ready(Some(Ok(frame))) = polled else {
            return polled;
        };
        this.handed.set(Some(Instant::now()));
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(mut piece) => {
                this.left = this.left.map(|left| left.saturating_sub(piece.len() as u64));
                if this.left == Some(0) && piece.len() > LAST_BYTES {
                    this.last = Some(piece.split_off(piece.len() - LAST_BYTES));
                }
                Frame::data(piece)
            }
            Err(other) => other,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let more = self.last.as_ref().map_or(0, |last| last.len() as u64);
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + more);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + more);
        }
        hint
    }
}
