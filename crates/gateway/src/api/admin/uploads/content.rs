//! What arrived of an upload, on its way back out: piece by piece, the next when the one before is taken.

use std::{io, sync::Arc};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use contract::{
    AccountId, UploadId,
    streaming::{ForUpload, ReadUpload, Streaming, StreamingError},
};
use futures::stream;
use http::{HeaderValue, header};

use super::headers::describe;
use crate::{problem::Problem, state::Gateway};

pub async fn answer(gateway: &Gateway, account: AccountId, upload: UploadId) -> Result<Response, Problem> {
    let found = gateway.doors.streaming.upload(ForUpload { account, upload }).await?;
    let mut pieces = Pieces {
        streaming: gateway.doors.streaming.clone(),
        place: ReadUpload {
            account,
            upload,
            offset: 0,
        },
        end: found.offset,
    };
    // A file that is not there is an answer; after the head it could only be a line that breaks.
    let first = pieces.next().await?;
    let body = stream::try_unfold((first, pieces), |(piece, mut pieces)| async move {
        if piece.is_empty() {
            return Ok::<_, io::Error>(None);
        }
        let next = pieces.next().await.map_err(io::Error::other)?;
        Ok(Some((piece, (next, pieces))))
    });
    let mut response = Response::new(Body::from_stream(body));
    describe(&mut response, &found)?;
    let headers = response.headers_mut();
    // It is somebody's file under this server's name: nothing that a browser opens.
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(found.offset));
    Ok(response)
}

struct Pieces {
    streaming: Arc<dyn Streaming>,
    place: ReadUpload,
    /// What had arrived when it was asked for; more may come meanwhile.
    end: u64,
}

impl Pieces {
    /// Nothing after the last.
    async fn next(&mut self) -> Result<Bytes, StreamingError> {
        let left = self.end - self.place.offset;
        let mut piece = self.streaming.read_upload(self.place).await?.0;
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        if piece.is_empty() && left > 0 {
            return Err(StreamingError::UploadNotFound);
        }
        self.place.offset += piece.len() as u64;
        Ok(piece.into())
    }
}
