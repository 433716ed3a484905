//! A request's body on its way to streaming, in pieces: nothing of a file is ever whole in memory.

use std::{mem, time::Duration};

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use contract::{
    AccountId, Blob, UploadId,
    streaming::{AppendUpload, Upload},
};
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::{problem::Problem, state::Gateway};

/// What one call to streaming carries.
const PIECE_BYTES: usize = 4 << 20;
/// A line on which nothing arrives for so long is taken for broken; what arrived before is kept.
const SILENCE: Duration = Duration::from_secs(60);
/// On a slow line a piece goes on before it is full: what arrived must soon be safe, whatever happens to this server.
const PIECE_AGE_MAX: Duration = Duration::from_secs(1);

/// The client's own word of what it sends, checked before any of it counts.
pub struct Checksum {
    expected: Vec<u8>,
    hasher: Hasher,
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get("upload-checksum") else {
            return Ok(None);
        };
        let wrong = |detail| Problem::bad_request("checksum_invalid", detail);
        let pair = value.to_str().ok().and_then(|text| text.split_once(' '));
        let (algorithm, digest) =
            pair.ok_or_else(|| wrong("Upload-Checksum is an algorithm and a digest in base64"))?;
        let (hasher, bytes) = match algorithm {
            "sha1" => (Hasher::Sha1(Sha1::new()), 20),
            "sha256" => (Hasher::Sha256(Sha256::new()), 32),
            _ => return Err(wrong("checksums are sha1 or sha256")),
        };
        let expected = STANDARD
            .decode(digest.trim())
            .ok()
            .filter(|digest| digest.len() == bytes);
        let expected = expected.ok_or_else(|| wrong("the digest does not have the length of its algorithm"))?;
        Ok(Some(Self { expected, hasher }))
    }

    fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn verify(&self) -> Result<(), Problem> {
        let is_right = match &self.hasher {
            Hasher::Sha1(hasher) => hasher.clone().finalize()[..] == self.expected,
            Hasher::Sha256(hasher) => hasher.clone().finalize()[..] == self.expected,
        };
        if is_right {
            return Ok(());
        }
        let status = StatusCode::from_u16(460).map_err(Problem::internal)?;
        Err(Problem {
            title: "Checksum Mismatch",
            ..Problem::new(
                status,
                "checksum_mismatch",
                "what arrived is not what was sent; send it again",
            )
        })
    }
}

/// One request that sends bytes of an upload.
pub struct Sending<'a> {
    pub gateway: &'a Gateway,
    pub account: AccountId,
    pub upload: UploadId,
    /// Where its next piece begins.
    pub offset: u64,
    pub length: Option<u64>,
    pub checksum: Option<Checksum>,
    /// Ids in the order of time: a later request takes over.
    pub request: u64,
}

impl Sending<'_> {
    /// Hands the body over piece by piece; what arrived before the line broke is kept, unless it was to be checked as a whole.
    pub async fn run(mut self, body: Body) -> Result<Upload, Problem> {
        let mut incoming = body.into_data_stream();
        let mut piece = Vec::new();
        let (mut began, mut heard) = (Instant::now(), Instant::now());
        loop {
            let patience = if piece.is_empty() {
                SILENCE.saturating_sub(heard.elapsed())
            } else {
                PIECE_AGE_MAX.saturating_sub(began.elapsed())
            };
            match tokio::time::timeout(patience, incoming.next()).await {
                Ok(Some(Ok(bytes))) => {
                    heard = Instant::now();
                    if piece.is_empty() {
                        began = heard;
                    }
                    self.take(&mut piece, bytes).await?;
                }
                Ok(None) => {
                    self.checksum.as_ref().map_or(Ok(()), Checksum::verify)?;
                    return self.hand_over(piece, false).await;
                }
                Ok(Some(Err(error))) => return Err(self.cut_short(piece, error.to_string()).await?),
                Err(_) if !piece.is_empty() => drop(self.hand_over(mem::take(&mut piece), true).await?),
                Err(_) => return Err(self.cut_short(piece, "nothing arrived for too long".into()).await?),
            }
        }
    }

    async fn take(&mut self, piece: &mut Vec<u8>, mut bytes: Bytes) -> Result<(), Problem> {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&bytes);
        }
        while piece.len() + bytes.len() > PIECE_BYTES {
            let rest = bytes.split_to(PIECE_BYTES - piece.len());
            filled(piece, &rest);
            self.hand_over(mem::take(piece), true).await?;
        }
        filled(piece, &bytes);
        Ok(())
    }

    async fn hand_over(&mut self, piece: Vec<u8>, more_comes: bool) -> Result<Upload, Problem> {
        let bytes = piece.len() as u64;
        let asked = AppendUpload {
            account: self.account,
            upload: self.upload,
            offset: self.offset,
            body: Blob(piece),
            request: Some(self.request),
            is_held: more_comes && self.checksum.is_some(),
            length: self.length,
        };
        let upload = self.gateway.doors.streaming.append_upload(asked).await?;
        self.offset += bytes;
        Ok(upload)
    }

    async fn cut_short(&mut self, piece: Vec<u8>, cause: String) -> Result<Problem, Problem> {
        if self.checksum.is_none() && !piece.is_empty() {
            self.hand_over(piece, false).await?;
        }
        let problem = Problem::bad_request("body_cut_short", "the body did not arrive whole; ask where to go on");
        Ok(Problem {
            cause: Some(cause),
            ..problem
        })
    }
}

/// A piece takes its memory once: growing by doubling, it would take three times as much until it is full.
fn filled(piece: &mut Vec<u8>, bytes: &[u8]) {
    piece.reserve_exact(PIECE_BYTES - piece.len());
    piece.extend_from_slice(bytes);
}
