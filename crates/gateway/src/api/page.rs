//! The web page, from inside the binary: assets with hashed names for ever, `index.html` for every address of the page.

use std::{
    collections::HashMap,
    io::Write as _,
    sync::{LazyLock, Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::RustEmbed;

use crate::{problem::Problem, state::Gateway};

/// What `npm run build` made; empty where it did not run.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";
/// Brotli's quality for what is compressed once and sent often.
const BROTLI_QUALITY: u32 = 9;
const BROTLI_WINDOW: u32 = 22;

/// What no route knows.
pub async fn fallback(State(_): State<Gateway>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let ours = path == "api" || path.starts_with("api/") || path.starts_with("media/") || path.starts_with("art/");
    if ours {
        return Problem::not_found("not_found", "there is nothing at this address").into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return crate::edge::method_not_allowed().await;
    }
    if let Some(file) = Built::get(path).filter(|_| path != "index.html") {
        return send(path, file, request.headers());
    }
    // A name with an ending is a file that is not there; everything else is an address of the page.
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.')) && path != "index.html";
    if is_file {
        return Problem::not_found("not_found", "there is nothing at this address").into_response();
    }
    match Built::get("index.html") {
        Some(file) => send("index.html", file, request.headers()),
        None => not_built(),
    }
}

fn send(path: &str, file: rust_embed::EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let cache = if path.starts_with("assets/") {
        FOR_EVER
    } else {
        ASK_AGAIN
    };
    let media_type = mime_guess::from_path(path).first_or_octet_stream();
    let text = media_type.type_() == "text"
        || matches!(
            media_type.subtype().as_str(),
            "javascript" | "json" | "svg" | "manifest+json"
        );
    let content_type = if text {
        format!("{media_type}; charset=utf-8")
    } else {
        media_type.to_string()
    };
    let coding = if text { Coding::accepted(headers) } else { Coding::Plain };
    let etag = format!("\"{hex}{}\"", coding.suffix());
    let mut answer = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type.as_str()),
        (header::CACHE_CONTROL, cache),
        (header::ETAG, &etag),
        (header::VARY, "accept-encoding"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.insert(name, value);
        }
    }
    if super::is_known(headers, &etag) {
        return (StatusCode::NOT_MODIFIED, answer).into_response();
    }
    if let Some(name) = coding.name() {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    let body = match coding {
        Coding::Plain => match file.data {
            std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
        },
        _ => compressed(hash, coding, &file.data),
    };
    (answer, body).into_response()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Coding {
    Brotli,
    Gzip,
    Plain,
}

impl Coding {
    fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers
            .get(header::ACCEPT_ENCODING)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let takes = |name: &str| {
            accepted.split(',').map(str::trim).any(|one| {
                let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
                coding.trim() == name && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
            })
        };
        match () {
            () if takes("br") => Self::Brotli,
            () if takes("gzip") => Self::Gzip,
            () => Self::Plain,
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Plain => None,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => "-br",
            Self::Gzip => "-gz",
            Self::Plain => "",
        }
    }
}

/// As many as there are files in the page, twice: the files of this binary never change.
type Compressed = Mutex<HashMap<([u8; 32], Coding), Bytes>>;
static COMPRESSED: LazyLock<Compressed> = LazyLock::new(Compressed::default);

fn compressed(hash: [u8; 32], coding: Coding, data: &[u8]) -> Bytes {
    let kept = || COMPRESSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(done) = kept().get(&(hash, coding)) {
        return done.clone();
    }
    let made = match coding {
        Coding::Brotli => brotli_of(data),
        Coding::Gzip => gzip_of(data),
        Coding::Plain => Ok(data.to_vec()),
    };
    // Writing to memory does not fail; were it to, an empty answer would be seen at once.
    let bytes = Bytes::from(made.unwrap_or_default());
    kept().insert((hash, coding), bytes.clone());
    bytes
}

fn brotli_of(data: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_QUALITY, BROTLI_WINDOW);
    writer.write_all(data)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

fn gzip_of(data: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(data)?;
    writer.finish()
}

fn not_built() -> Response {
    let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Kinora</title><h1>Kinora runs</h1>\
        <p>Its web page is not in this binary. Build it with <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, \
        then build Kinora again. The interface is described at <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p></html>";
    ([(header::CACHE_CONTROL, ASK_AGAIN)], axum::response::Html(page)).into_response()
}
