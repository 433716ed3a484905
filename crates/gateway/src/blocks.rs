//! Stored files that lie in a bucket, on their way to viewers: read by ranges, in blocks that stay in memory for those who come next.
//!
//! Many viewers of a film ask for the same few segments within seconds: however many miss a block, it is read once, and the others
//! wait for that. What is held is bounded: the blocks by `gateway.media_bytes_max`, those that are being read by [`READS_MAX`], and
//! of each answer one piece, however slowly it is taken, for a piece is copied out of its block only when the one before has gone.
//! Whoever is so slow that a block has left the memory meanwhile has it read again.

use std::{io, ops::Range, sync::Arc, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use contract::Fault;
use http::{HeaderValue, header};
use moka::{future::Cache, policy::EvictionPolicy};
use platform::blob::{BlobError, BlobStore};
use tokio::sync::Semaphore;

/// A segment of two seconds is one or two of them.
const BLOCK_BYTES: u64 = 1 << 20;
/// Blocks that are being read, each in memory; the next read waits.
const READS_MAX: usize = 64;
/// Sooner than a request is given up, so that who asked hears what is wrong.
const READ_MAX: Duration = Duration::from_secs(15);
/// Of an answer, waiting to be taken.
const PIECE_BYTES: u64 = 64 << 10;
/// Beside a block's bytes: its key, and what the cache needs for an entry.
const ENTRY_BYTES: usize = 256;

/// A block of a file: the file's key, and which of its blocks.
type Place = (Arc<str>, u64);

/// Cheap to clone.
#[derive(Clone)]
pub struct Blocks {
    /// The least used goes first, and nothing else decides: what has just been read must be there for its reader.
    cache: Cache<Place, Bytes>,
    reads: Arc<Semaphore>,
}

/// A stored file, of so many bytes; it never changes.
#[derive(Clone)]
struct Stored {
    blobs: BlobStore,
    key: Arc<str>,
    bytes: u64,
}

/// Of a file, what is still to be sent.
struct Rest {
    blocks: Blocks,
    file: Stored,
    range: Range<u64>,
    /// Blocks before this one have been asked for.
    ahead: u64,
}

impl Blocks {
    pub fn new(bytes_max: u64) -> Self {
        let weight = |_: &Place, block: &Bytes| u32::try_from(block.len() + ENTRY_BYTES).unwrap_or(u32::MAX);
        Self {
            cache: Cache::builder()
                .max_capacity(bytes_max)
                .weigher(weight)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            reads: Arc::new(Semaphore::new(READS_MAX)),
        }
    }

    /// These bytes of a file as an answer. Its first block is there before the answer is, so that what is not there is said by its status.
    pub async fn answer(
        &self,
        blobs: &BlobStore,
        (key, bytes): (&str, u64),
        range: Range<u64>,
    ) -> Result<Response, Arc<BlobError>> {
        let length = range.end - range.start;
        let file = Stored {
            blobs: blobs.clone(),
            key: key.into(),
            bytes,
        };
        let first = range.start / BLOCK_BYTES;
        if length > 0 {
            self.block(&file, first).await?;
        }
        let rest = Rest {
            blocks: self.clone(),
            file,
            range,
            ahead: first + 1,
        };
        let mut response = Response::new(rest.into_body());
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        Ok(response)
    }

    #[cfg(test)]
    pub async fn held_bytes(&self) -> u64 {
        self.cache.run_pending_tasks().await;
        self.cache.weighted_size()
    }

    /// From memory, or by one read for all who want it now.
    async fn block(&self, file: &Stored, number: u64) -> Result<Bytes, Arc<BlobError>> {
        let place = (file.key.clone(), number);
        let read = self.read(file, number);
        self.cache.try_get_with(place, read).await
    }

    async fn read(&self, file: &Stored, number: u64) -> Result<Bytes, BlobError> {
        let from = number * BLOCK_BYTES;
        let range = from..file.bytes.min(from + BLOCK_BYTES);
        let wanted = range.end - range.start;
        let read = async {
            let place = self.reads.acquire().await;
            // Never closed, so it is a place.
            let _place = place.map_err(|error| Fault::Internal(error.to_string()))?;
            metrics::counter!("media_blocks_read_total").increment(1);
            file.blobs.get_range(&file.key, range).await
        };
        let late = || Fault::Unavailable(format!("storage has not sent {} in {READ_MAX:?}", file.key));
        let bytes = tokio::time::timeout(READ_MAX, read).await.map_err(|_| late())??;
        if bytes.len() as u64 == wanted {
            return Ok(bytes);
        }
        let text = format!("{} is not as long as its index says", file.key);
        Err(Fault::Internal(text).into())
    }
}

impl Rest {
    fn into_body(self) -> Body {
        Body::from_stream(futures::stream::try_unfold(self, |mut rest| async move {
            if rest.range.is_empty() {
                return Ok(None);
            }
            let piece = rest.piece().await.map_err(io::Error::other)?;
            rest.range.start += piece.len() as u64;
            Ok::<_, io::Error>(Some((piece, rest)))
        }))
    }

    /// The next bytes, copied: a slice would hold its whole block for as long as its reader likes.
    async fn piece(&mut self) -> Result<Bytes, Arc<BlobError>> {
        let number = self.range.start / BLOCK_BYTES;
        self.read_ahead(number + 1);
        let block = self.blocks.block(&self.file, number).await?;
        let from = self.range.start % BLOCK_BYTES;
        let left = self.range.end - self.range.start;
        let to = (block.len() as u64).min(from + left.min(PIECE_BYTES));
        Ok(Bytes::copy_from_slice(&block[from as usize..to as usize]))
    }

    /// The block after the one that is begun is read while that one is sent.
    fn read_ahead(&mut self, number: u64) {
        if number < self.ahead || number * BLOCK_BYTES >= self.range.end {
            return;
        }
        self.ahead = number + 1;
        let (blocks, file) = (self.blocks.clone(), self.file.clone());
        // Who needs it asks for it themselves, and hears what is wrong.
        tokio::spawn(async move { blocks.block(&file, number).await.map(drop).ok() });
    }
}
