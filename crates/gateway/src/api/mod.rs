//! The handlers, a file per part of the API. A handler reads its request, asks doors, and says the answer; it decides nothing
//! that a room should decide.

pub mod admin;
pub mod artwork;
pub mod auth;
pub mod events;
pub mod health;
pub mod history;
pub mod home;
pub mod me;
pub mod media;
pub mod my_list;
pub mod onboarding;
mod own_list;
pub mod page;
pub mod parties;
pub mod playback;
pub mod profiles;
pub mod ratings;
pub mod search;
pub mod titles;

use bytes::Bytes;
use http::{HeaderMap, header};
use serde::Serialize;

use crate::problem::Problem;

/// What handlers answer with.
pub type Answer<T> = Result<axum::Json<T>, Problem>;

/// Whether the client has what this validator names: `If-None-Match`, compared weakly (RFC 9110 §13.1.2).
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag.trim_start_matches("W/"))
}

/// Where the buffer of a large answer begins.
const LARGE_BYTES: usize = 64 * 1024;

/// A large answer, written into a plain buffer that begins at about its size. [`axum::Json`] begins with 128 bytes and takes
/// every run of bytes through `BytesMut`, which was a twentieth of the time of a home page. It ends with nothing to spare: answers are
/// kept, and what keeps them counts their bytes.
pub fn large_json(answer: &impl Serialize) -> Result<Bytes, Problem> {
    let mut body = Vec::with_capacity(LARGE_BYTES);
    match serde_json::to_writer(&mut body, answer) {
        Ok(()) => Ok(body.into_boxed_slice().into()),
        Err(error) => Err(Problem::internal(format!("an answer cannot be written: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who keeps an answer counts its bytes.
    #[test]
    fn a_large_answer_takes_no_more_than_it_has() {
        for bytes in [10, LARGE_BYTES - 2, LARGE_BYTES + 1] {
            let body = large_json(&"x".repeat(bytes)).unwrap();
            let buffer = body.try_into_mut().expect("nobody else has it");
            assert_eq!((buffer.len(), buffer.capacity()), (bytes + 2, bytes + 2));
        }
    }
}
