//! Files on their way out of one connection, as the HTTP library sees them: stretches of bytes that stand for the file's.
//!
//! The library frames what a body gives it and hands slices of it to the connection. A body that is a file gives it slices of
//! [`standing_in`], memory that nobody ever writes or reads; [`super::wire`] knows them by their address and lets the kernel send
//! the file's bytes instead. Each stretch that is under way has an address of its own, so that a slice can mean no other file: what
//! is not found ends the connection.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    pin::Pin,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::file_slice::FileSlice;

/// The longest stretch.
const STRETCH_BYTES_MAX: usize = 1 << 20;
/// Stretches that may be under way in one connection. The library takes 16 pieces before it wants them sent.
const STRETCHES_MAX: usize = 32;

/// Zeroed by the system, page by page, when somebody looks; nobody does, so it costs addresses and no memory.
static STANDING_IN: LazyLock<&'static [u8]> =
    LazyLock::new(|| &*Box::leak(vec![0; STRETCHES_MAX * STRETCH_BYTES_MAX].into_boxed_slice()));

/// Where in it a slice begins, if it is one of it.
fn place(slice: &[u8]) -> Option<usize> {
    let at = slice.as_ptr().addr().checked_sub(STANDING_IN.as_ptr().addr())?;
    (at < STANDING_IN.len()).then_some(at)
}

/// Whether these bytes stand for a file's.
pub fn standing_in(slice: &[u8]) -> bool {
    place(slice).is_some()
}

/// What a connection has still to send of files.
#[derive(Default)]
pub struct Outgoing(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    stretches: VecDeque<Stretch>,
    /// Counts stretches, to give each its place.
    given: usize,
}

struct Stretch {
    at: usize,
    bytes: usize,
    file: Arc<File>,
    offset: u64,
}

/// The part of a file that a slice stands for.
pub struct Part {
    pub file: Arc<File>,
    pub offset: u64,
}

impl Outgoing {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that stand for these of the file.
    fn stand_in(&self, file: &Arc<File>, offset: u64, bytes: usize) -> io::Result<Bytes> {
        let mut queue = self.queue();
        if queue.stretches.len() >= STRETCHES_MAX || bytes > STRETCH_BYTES_MAX {
            return Err(io::Error::other("more of files is under way than was foreseen"));
        }
        let at = queue.given % STRETCHES_MAX * STRETCH_BYTES_MAX;
        queue.given = queue.given.wrapping_add(1);
        queue.stretches.push_back(Stretch {
            at,
            bytes,
            file: file.clone(),
            offset,
        });
        Ok(Bytes::from_static(&STANDING_IN[at..at + bytes]))
    }

    /// What the slice stands for. Stretches before it were given up by the library and are forgotten.
    pub fn part(&self, slice: &[u8]) -> Option<Part> {
        let from = place(slice)?;
        let mut queue = self.queue();
        while let Some(first) = queue.stretches.front() {
            if (first.at..first.at + first.bytes).contains(&from) {
                let within = from - first.at;
                return (slice.len() <= first.bytes - within).then(|| Part {
                    file: first.file.clone(),
                    offset: first.offset + within as u64,
                });
            }
            queue.stretches.pop_front();
        }
        None
    }

    /// So many bytes of the slice are sent; a stretch that has ended lets its file go.
    pub fn sent(&self, slice: &[u8], bytes: usize) {
        let mut queue = self.queue();
        let ended = place(slice).zip(queue.stretches.front());
        if ended.is_some_and(|(from, first)| from + bytes >= first.at + first.bytes) {
            queue.stretches.pop_front();
        }
    }
}

/// A body that stands for a part of a file. Its bytes mean nothing outside of the connection that `outgoing` is of.
pub struct StandIn {
    outgoing: Arc<Outgoing>,
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl StandIn {
    pub fn new(outgoing: Arc<Outgoing>, slice: &FileSlice) -> Self {
        Self {
            outgoing,
            file: slice.file.clone(),
            offset: slice.offset,
            left: slice.bytes,
        }
    }
}

impl Body for StandIn {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let bytes = this.left.min(STRETCH_BYTES_MAX as u64);
        let given = this.outgoing.stand_in(&this.file, this.offset, bytes as usize);
        this.offset += bytes;
        this.left -= bytes;
        Poll::Ready(Some(given.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Arc<File> {
        Arc::new(tempfile::tempfile().unwrap())
    }

    #[test]
    fn a_slice_means_its_own_file_or_none() {
        let (outgoing, first, second) = (Outgoing::default(), file(), file());
        let one = outgoing.stand_in(&first, 100, 10).unwrap();
        let two = outgoing.stand_in(&second, 7, 20).unwrap();
        assert!(standing_in(&one) && standing_in(&two) && !standing_in(b"plain"));
        let part = outgoing.part(&one[4..]).unwrap();
        assert!(Arc::ptr_eq(&part.file, &first));
        assert_eq!(part.offset, 104);
        outgoing.sent(&one, 4);
        assert!(outgoing.part(&one[4..]).is_some(), "it has not ended");
        outgoing.sent(&one[4..], 6);
        assert_eq!(Arc::strong_count(&first), 2, "only `part` holds it");
        let part = outgoing.part(&two[..5]).unwrap();
        assert!(Arc::ptr_eq(&part.file, &second));
        assert_eq!(part.offset, 7);
        assert!(outgoing.part(&one).is_none(), "it was sent");
        assert!(outgoing.part(b"plain").is_none());
    }

    #[test]
    fn what_was_given_up_is_forgotten_and_what_is_under_way_is_bounded() {
        let (outgoing, first, second) = (Outgoing::default(), file(), file());
        outgoing.stand_in(&first, 0, 10).unwrap();
        let two = outgoing.stand_in(&second, 0, 10).unwrap();
        assert!(Arc::ptr_eq(&outgoing.part(&two).unwrap().file, &second));
        assert_eq!(Arc::strong_count(&first), 1);
        for _ in 1..STRETCHES_MAX {
            outgoing.stand_in(&first, 0, 1).unwrap();
        }
        assert!(outgoing.stand_in(&first, 0, 1).is_err());
        assert!(outgoing.stand_in(&first, 0, STRETCH_BYTES_MAX + 1).is_err());
    }
}
