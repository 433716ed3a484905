//! Signed manifests and segments: streaming says whether and what, this sends it, whole or in part.

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use bytes::Bytes;
use contract::streaming::{GetMedia, Media, MediaBody};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};

use crate::{
    policy::Policy,
    problem::Problem,
    routes::{Route, plain},
    session::{Caller, MaybeCaller},
    state::Gateway,
};

pub const PATH: &str = "/media/{*path}";
pub const POLICY: Policy = Policy::Media;
const FOLDER: &str = "/media/";

pub fn routes() -> Vec<Route> {
    vec![plain(POLICY, PATH, &[Method::GET, Method::HEAD], get(media)).streaming()]
}

/// Whether a piece of sound or picture is asked for.
pub fn is_segment(request: &Request) -> bool {
    let path = request.uri().path();
    request.method() == Method::GET && path.starts_with(FOLDER) && path.ends_with(".m4s")
}

async fn media(
    State(gateway): State<Gateway>,
    MaybeCaller(caller): MaybeCaller,
    head: Parts,
) -> Result<Response, Problem> {
    answer(&gateway, caller, &head).await
}

pub async fn answer(gateway: &Gateway, caller: Option<Caller>, head: &Parts) -> Result<Response, Problem> {
    // As it arrived: what was signed are these very bytes.
    let path = head.uri.path().strip_prefix(FOLDER).unwrap_or_default();
    let media = gateway
        .doors
        .streaming
        .media(GetMedia {
            path: path.to_owned(),
            account: caller.map(|caller| caller.account),
        })
        .await?;
    let bytes = match &media.body {
        MediaBody::Inline(body) => body.0.len() as u64,
        MediaBody::Stored { bytes, .. } => *bytes,
    };
    let etag = format!("\"{}\"", media.etag);
    let part = wanted(&head.headers, &etag, bytes);
    let mut response = match part {
        Wanted::Unchanged => StatusCode::NOT_MODIFIED.into_response(),
        Wanted::Whole => send(gateway, &media, 0, bytes).await?,
        Wanted::Part { from, to } => {
            let mut response = send(gateway, &media, from, to - from).await?;
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            set(
                &mut response,
                header::CONTENT_RANGE,
                format!("bytes {from}-{}/{bytes}", to - 1),
            )?;
            response
        }
        Wanted::Nothing => {
            let problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                "the file is shorter than that",
            );
            let mut response = problem.into_response();
            set(&mut response, header::CONTENT_RANGE, format!("bytes */{bytes}"))?;
            return Ok(response);
        }
    };
    set(&mut response, header::CONTENT_TYPE, media.content_type)?;
    set(&mut response, header::CACHE_CONTROL, media.cache_control)?;
    set(&mut response, header::ETAG, etag)?;
    response
        .headers_mut()
        .insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    Ok(response)
}

fn set(response: &mut Response, name: HeaderName, value: String) -> Result<(), Problem> {
    let value = HeaderValue::try_from(value).map_err(Problem::internal)?;
    response.headers_mut().insert(name, value);
    Ok(())
}

/// `length` bytes of the body from `from` on.
async fn send(gateway: &Gateway, media: &Media, from: u64, length: u64) -> Result<Response, Problem> {
    match &media.body {
        MediaBody::Inline(blob) => {
            let from = from as usize;
            let part = Bytes::copy_from_slice(&blob.0[from..from + length as usize]);
            let mut response = Response::new(Body::from(part));
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            Ok(response)
        }
        MediaBody::Stored { key, bytes } => {
            let (blobs, range) = (&gateway.doors.blobs, from..from + length);
            gateway.files.answer(blobs, (key, *bytes), range).await
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    /// From the first to before the second byte.
    Part {
        from: u64,
        to: u64,
    },
    /// The client has it already.
    Unchanged,
    /// Beyond the end.
    Nothing,
}

/// RFC 9110, sections 13 and 14. Several ranges at once are answered with the whole, as it allows.
fn wanted(headers: &HeaderMap, etag: &str, bytes: u64) -> Wanted {
    if super::is_known(headers, etag) {
        return Wanted::Unchanged;
    }
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let other = headers.get(header::IF_RANGE).is_some_and(|known| known != etag);
    let Some(range) = range.filter(|_| !other).and_then(|range| range.strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let Some((from, to)) = range.split_once('-').filter(|_| !range.contains(',')) else {
        return Wanted::Whole;
    };
    match (from.trim().parse::<u64>().ok(), to.trim().parse::<u64>().ok()) {
        (Some(from), _) if from >= bytes => Wanted::Nothing,
        (Some(from), Some(last)) if last >= from => Wanted::Part {
            from,
            to: last.saturating_add(1).min(bytes),
        },
        (Some(from), None) if to.trim().is_empty() => Wanted::Part { from, to: bytes },
        (None, Some(0)) if from.is_empty() => Wanted::Nothing,
        (None, Some(last)) if from.is_empty() && bytes > 0 => Wanted::Part {
            from: bytes.saturating_sub(last),
            to: bytes,
        },
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(pairs: &[(&'static str, &'static str)]) -> Wanted {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        wanted(&headers, "\"v1\"", 1000)
    }

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (range, answer) in [
            ("bytes=0-0", Wanted::Part { from: 0, to: 1 }),
            ("bytes=0-999", Wanted::Part { from: 0, to: 1000 }),
            ("bytes=900-", Wanted::Part { from: 900, to: 1000 }),
            ("bytes=900-5000", Wanted::Part { from: 900, to: 1000 }),
            ("bytes=-100", Wanted::Part { from: 900, to: 1000 }),
            ("bytes=-5000", Wanted::Part { from: 0, to: 1000 }),
            ("bytes=1000-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=x-y", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("bytes=0-18446744073709551615", Wanted::Part { from: 0, to: 1000 }),
        ] {
            assert_eq!(ask(&[("range", range)]), answer, "{range}");
        }
    }

    #[test]
    fn validators_decide_first() {
        assert_eq!(
            ask(&[("if-none-match", "\"v0\", W/\"v1\""), ("range", "bytes=0-1")]),
            Wanted::Unchanged
        );
        assert_eq!(ask(&[("if-none-match", "\"v2\"")]), Wanted::Whole);
        assert_eq!(ask(&[("if-range", "\"v0\""), ("range", "bytes=0-1")]), Wanted::Whole);
        assert_eq!(
            ask(&[("if-range", "\"v1\""), ("range", "bytes=0-1")]),
            Wanted::Part { from: 0, to: 2 }
        );
    }
}
