//! A part of an open file as the body of an answer: read and sent in pieces, or, where the connection can, by the kernel.
//!
//! The answer carries both: a body that works everywhere, and the slice itself for [`crate::listener`], which takes it instead if
//! the body is still the handler's.

use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, header};

/// Files are read and sent in pieces of this size, each held until it is sent: with many streams in a connection it must be small.
const READ_BYTES: u64 = 64 << 10;

/// As many as an answer with a part of a file gets on its way out.
const HEADERS: usize = 12;

#[derive(Debug, Clone)]
pub struct FileSlice {
    pub file: Arc<File>,
    pub offset: u64,
    pub bytes: u64,
}

impl FileSlice {
    pub fn into_response(self) -> Response {
        let mut response = Response::new(self.clone().into_body());
        let headers = response.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.bytes));
        response.extensions_mut().insert(self);
        response
    }

    /// One piece at a time: the next is read when the one before is taken.
    fn into_body(self) -> Body {
        Body::from_stream(futures::stream::try_unfold(self, |slice| async move {
            if slice.bytes == 0 {
                return Ok(None);
            }
            let bytes = slice.bytes.min(READ_BYTES);
            let (file, offset) = (slice.file.clone(), slice.offset);
            let read = tokio::task::spawn_blocking(move || {
                let mut buffer = vec![0; bytes as usize];
                file.read_exact_at(&mut buffer, offset)?;
                Ok::<_, io::Error>(buffer)
            });
            let buffer = read.await.map_err(io::Error::other)??;
            let rest = Self {
                offset: offset + bytes,
                bytes: slice.bytes - bytes,
                ..slice
            };
            Ok::<_, io::Error>(Some((Bytes::from(buffer), rest)))
        }))
    }
}

/// Takes the slice out of an answer whose body is it: nothing was made of the body on the way.
pub fn untouched(response: &mut Response) -> Option<FileSlice> {
    let slice = response.extensions_mut().remove::<FileSlice>()?;
    let headers = response.headers();
    let whole = headers.get(header::CONTENT_LENGTH) == Some(&HeaderValue::from(slice.bytes));
    let plain = !headers.contains_key(header::CONTENT_ENCODING) && !headers.contains_key(header::TRANSFER_ENCODING);
    (whole && plain).then_some(slice)
}
