//! Home pages as they were last sent: a viewer who comes back before anything has changed gets the same page without its being
//! made again, and a client that still has it is told so (RFC 9110 §13, `ETag` and `If-None-Match`).
//!
//! The rooms say whether a page may have changed (`Recommend::home_version`); what the gateway itself puts into a page, and for whom,
//! is part of the tag. A page that is shown again keeps its id and is not recorded as shown a second time.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use contract::ProfileId;
use http::{HeaderValue, StatusCode, header};

use crate::session::Viewing;

/// After so long a page is made anew in any case (`Recommend::home_version`).
const KEPT_FOR: Duration = Duration::from_secs(30);
/// Beside the body: key, tag, and what the cache needs for an entry.
const ENTRY_BYTES: usize = 256;
/// Whoever keeps the page asks each time. The tag names the profile: asked as somebody else, it is another.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The newest page of each profile, bounded by bytes.
pub struct HomePages(Option<moka::sync::Cache<ProfileId, Kept>>);

#[derive(Clone)]
struct Kept {
    tag: Tag,
    body: Bytes,
}

/// What a page is made of, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag(u64);

impl Tag {
    pub fn new(home_version: u64, viewing: &Viewing) -> Self {
        let mut hasher = DefaultHasher::new();
        (home_version, viewing.profile.id, viewing.sees_unpublished()).hash(&mut hasher);
        Self(hasher.finish())
    }

    /// Weak, since the same page may be compressed or not.
    pub fn text(self) -> String {
        format!("W/\"{:016x}\"", self.0)
    }

    /// "You have it."
    pub fn not_modified(self) -> Response {
        self.on(StatusCode::NOT_MODIFIED.into_response())
    }

    /// The page as a body of JSON.
    pub fn page(self, body: Bytes) -> Response {
        self.on(([(header::CONTENT_TYPE, "application/json")], body).into_response())
    }

    fn on(self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        // Hexadecimal digits and quotes are always a header's value.
        if let Ok(tag) = HeaderValue::from_str(&self.text()) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CACHE_CONTROL, ASK_AGAIN);
        response
    }
}

impl HomePages {
    /// Keeps at most so many bytes; none where that is 0.
    pub fn new(bytes_max: u64) -> Self {
        let weigh = |_: &ProfileId, kept: &Kept| u32::try_from(kept.body.len() + ENTRY_BYTES).unwrap_or(u32::MAX);
        Self((bytes_max > 0).then(|| {
            moka::sync::Cache::builder()
                .max_capacity(bytes_max)
                .time_to_live(KEPT_FOR)
                .weigher(weigh)
                .build()
        }))
    }

    /// The profile's page, if it is still the one of that tag.
    pub fn get(&self, profile: ProfileId, tag: Tag) -> Option<Bytes> {
        let kept = self.0.as_ref()?.get(&profile)?;
        (kept.tag == tag).then_some(kept.body)
    }

    pub fn keep(&self, profile: ProfileId, tag: Tag, body: Bytes) {
        if let Some(pages) = &self.0 {
            pages.insert(profile, Kept { tag, body });
        }
    }
}
