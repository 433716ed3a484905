//! A connection whose file bodies the kernel sends: from the page cache to the socket by `sendfile(2)`, through no memory of ours.
//!
//! What is written is what the HTTP library gives, but for slices that stand for a file ([`super::outgoing`]). Those are sent from
//! the file, at its own pace: a slow reader holds an open file and what the socket buffers, nothing else. A reader that takes
//! nothing for a while is gone.
//!
//! `sendfile` waits for what is not in the page cache, and holds one thread of the runtime meanwhile. Files are brought in before they
//! are handed out ([`crate::files`]), so that happens only to what the system has dropped within the half minute since.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use rustix::net::{SendAncillaryBuffer, SendFlags};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

use super::outgoing::{Outgoing, standing_in};

/// After so much in one go it is somebody else's turn, however fast the other side takes it.
const TURN_BYTES: usize = 2 << 20;

pub struct Wire {
    stream: TcpStream,
    outgoing: Arc<Outgoing>,
    stalled: Stalled,
    /// Of files, since others last had their turn.
    in_one_go: usize,
}

impl Wire {
    /// `stalled_max`: how long the other side may take nothing of what is being sent.
    pub fn new(stream: TcpStream, outgoing: Arc<Outgoing>, stalled_max: Duration) -> Self {
        Self {
            stream,
            outgoing,
            stalled: Stalled::after(stalled_max),
            in_one_go: 0,
        }
    }

    /// Sends once the socket takes something.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        mut send: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.stream.poll_write_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => {
                    self.in_one_go = 0;
                    return self.stalled.poll(cx);
                }
            }
            match self.stream.try_io(Interest::WRITABLE, || send(&self.stream)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => {
                    self.stalled.end();
                    return Poll::Ready(sent);
                }
            }
        }
    }

    /// `more` says that a file comes next, so that its head does not leave in a packet of its own.
    fn poll_bytes(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>], more: bool) -> Poll<io::Result<usize>> {
        let flags = SendFlags::NOSIGNAL | if more { SendFlags::MORE } else { SendFlags::empty() };
        self.poll_send(cx, |stream| {
            let mut nothing_else = SendAncillaryBuffer::default();
            Ok(rustix::net::sendmsg(stream, slices, &mut nothing_else, flags)?)
        })
    }

    fn poll_file(&mut self, cx: &mut Context<'_>, slice: &[u8]) -> Poll<io::Result<usize>> {
        if self.in_one_go >= TURN_BYTES {
            self.in_one_go = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(part) = self.outgoing.part(slice) else {
            return Poll::Ready(Err(io::Error::other("bytes stand for a file that is not known")));
        };
        let sent = ready!(self.poll_send(cx, |stream| {
            let mut offset = part.offset;
            Ok(rustix::fs::sendfile(
                stream,
                &*part.file,
                Some(&mut offset),
                slice.len(),
            )?)
        }))?;
        if sent == 0 {
            let short = "the file is shorter than was promised";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, short)));
        }
        self.in_one_go += sent;
        self.outgoing.sent(slice, sent);
        Poll::Ready(Ok(sent))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let Some(first) = slices.iter().position(|slice| !slice.is_empty()) else {
            return Poll::Ready(Ok(0));
        };
        let slices = &slices[first..];
        if standing_in(&slices[0]) {
            return this.poll_file(cx, &slices[0]);
        }
        let file = slices.iter().position(|slice| !slice.is_empty() && standing_in(slice));
        this.poll_bytes(cx, &slices[..file.unwrap_or(slices.len())], file.is_some())
    }

    /// Asked once; without it the library would copy bodies behind its heads.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

/// A clock that runs while nothing is taken. Made when it is first needed: most connections never wait.
struct Stalled {
    after: Duration,
    runs: bool,
    clock: Option<Pin<Box<Sleep>>>,
}

impl Stalled {
    fn after(after: Duration) -> Self {
        Self {
            after,
            runs: false,
            clock: None,
        }
    }

    fn poll<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let deadline = Instant::now() + self.after;
        let new = || Box::pin(tokio::time::sleep_until(deadline));
        let clock = self.clock.get_or_insert_with(new);
        if !self.runs {
            clock.as_mut().reset(deadline);
            self.runs = true;
        }
        ready!(clock.as_mut().poll(cx));
        let gone = "the other side takes nothing any more";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, gone)))
    }

    fn end(&mut self) {
        self.runs = false;
    }
}
