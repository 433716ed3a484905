//! Whose turn it is: one request at a time sends bytes of an upload. A client whose line broke comes back before its old
//! connection is known to be dead, so the later request takes over, and what the earlier one still sends is refused.
//!
//! Kept in memory: after a restart no earlier connection is left.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use contract::{UploadId, streaming::StreamingError};

/// Beyond it the request that has been known longest is forgotten; it goes on where the file ends, or is told where that is.
const REQUESTS_MAX: usize = 4096;

#[derive(Default)]
pub struct Requests(Mutex<HashMap<UploadId, Turn>>);

struct Turn {
    request: u64,
    /// Where its next piece begins: beyond what counts while its pieces are held.
    reached: u64,
}

impl Requests {
    /// Whether a piece of `request` may be written at `offset`, where `received` bytes count.
    pub fn check(&self, id: UploadId, request: Option<u64>, offset: u64, received: u64) -> Result<(), StreamingError> {
        let turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match (turns.get(&id), request) {
            (Some(turn), Some(request)) if request < turn.request => return Err(StreamingError::UploadTakenOver),
            (Some(turn), Some(request)) if request == turn.request => turn.reached,
            _ => received,
        };
        if offset == next {
            Ok(())
        } else {
            Err(StreamingError::OffsetWrong(received))
        }
    }

    pub fn reached(&self, id: UploadId, request: Option<u64>, reached: u64) {
        let Some(request) = request else { return };
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= REQUESTS_MAX && !turns.contains_key(&id) {
            let oldest = turns.iter().min_by_key(|(_, turn)| turn.request).map(|(id, _)| *id);
            oldest.and_then(|oldest| turns.remove(&oldest));
        }
        turns.insert(id, Turn { request, reached });
    }

    pub fn forget(&self, id: UploadId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_the_newest() {
        let requests = Requests::default();
        for number in 1..=REQUESTS_MAX as u64 + 10 {
            requests.reached(UploadId(number as i64), Some(number), 5);
        }
        assert_eq!(requests.0.lock().unwrap().len(), REQUESTS_MAX);
        let newest = UploadId(REQUESTS_MAX as i64 + 10);
        assert_eq!(
            requests.check(newest, Some(1), 5, 5),
            Err(StreamingError::UploadTakenOver)
        );
    }
}
