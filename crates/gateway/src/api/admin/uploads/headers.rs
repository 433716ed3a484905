//! What the headers of tus say, and saying it.

use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::{
    TitleId, UploadId,
    streaming::{Concat, METADATA_BYTES_MAX, Upload, UploadPurpose},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::problem::Problem;

pub const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
pub const EXTENSIONS: HeaderValue = HeaderValue::from_static(
    "creation,creation-with-upload,creation-defer-length,termination,checksum,expiration,concatenation",
);
pub const CHECKSUMS: HeaderValue = HeaderValue::from_static("sha1,sha256");
pub const TYPE: &str = "application/offset+octet-stream";
pub const PLACE: &str = "/api/v1/admin/uploads/";

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSIONS: HeaderName = HeaderName::from_static("tus-version");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const CONCAT: HeaderName = HeaderName::from_static("upload-concat");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// An answer as the protocol wants it, refusals too.
pub fn answered(result: Result<Response, Problem>) -> Response {
    let mut response = result.unwrap_or_else(Problem::into_response);
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, VERSION);
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert(VERSIONS, VERSION);
    }
    response
}

/// Only version 1.0.0 is understood.
pub fn spoken(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(RESUMABLE) == Some(&VERSION) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "tus_version_unsupported",
        "send Tus-Resumable: 1.0.0",
    ))
}

/// The method that is meant, where the way here lets through no other than POST.
pub fn meant(headers: &HeaderMap) -> Result<Option<Method>, Problem> {
    let Some(value) = headers.get(OVERRIDE) else {
        return Ok(None);
    };
    let known = [
        Method::HEAD,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::POST,
    ];
    let method = known.into_iter().find(|method| value == method.as_str());
    let wrong = || {
        Problem::bad_request(
            "header_invalid",
            "X-HTTP-Method-Override is HEAD, PATCH, DELETE or OPTIONS",
        )
    };
    method.map(Some).ok_or_else(wrong)
}

pub fn offset(headers: &HeaderMap) -> Result<u64, Problem> {
    number(headers, &OFFSET)?.ok_or_else(|| not_a_number(&OFFSET))
}

/// `None`: it is said later, or with an earlier piece.
pub fn length_of_piece(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    number(headers, &LENGTH)
}

/// `None`: it will be said later.
pub fn length_of_new(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    match (headers.get(DEFER_LENGTH), number(headers, &LENGTH)?) {
        (None, Some(bytes)) => Ok(Some(bytes)),
        (None, None) => Err(not_a_number(&LENGTH)),
        (Some(deferred), None) if deferred == "1" => Ok(None),
        (Some(_), None) => Err(Problem::bad_request(
            "header_invalid",
            "Upload-Defer-Length is 1, or is left out",
        )),
        (Some(_), Some(_)) => Err(Problem::bad_request(
            "header_invalid",
            "send Upload-Length or Upload-Defer-Length, not both",
        )),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let digits = value
        .to_str()
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits
        .and_then(|text| text.parse().ok())
        .filter(|number| *number <= i64::MAX as u64);
    number.map(Some).ok_or_else(|| not_a_number(name))
}

fn not_a_number(name: &HeaderName) -> Problem {
    Problem::bad_request("header_invalid", format!("{name} must be a number of bytes"))
}

pub fn has_pieces_type(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value == TYPE)
}

/// What an upload is to others; `None`: a file of its own.
pub fn concat(headers: &HeaderMap) -> Result<Option<Concat>, Problem> {
    let Some(value) = headers.get(CONCAT) else {
        return Ok(None);
    };
    let wrong = || {
        Problem::bad_request(
            "header_invalid",
            "Upload-Concat is `partial`, or `final;` and addresses of uploads here",
        )
    };
    let text = value.to_str().map_err(|_| wrong())?;
    if text == "partial" {
        return Ok(Some(Concat::Partial));
    }
    let addresses = text.strip_prefix("final;").ok_or_else(wrong)?;
    let parts: Option<Vec<UploadId>> = addresses.split_ascii_whitespace().map(id_of).collect();
    let parts = parts.filter(|parts| !parts.is_empty()).ok_or_else(wrong)?;
    if headers.contains_key(LENGTH) || headers.contains_key(DEFER_LENGTH) {
        let detail = "what is joined is as long as its parts: leave Upload-Length out";
        return Err(Problem::bad_request("header_invalid", detail));
    }
    Ok(Some(Concat::Final(parts)))
}

/// Of an address as it was given in `Location`, or of the whole address that a client made of it.
fn id_of(address: &str) -> Option<UploadId> {
    let (_, id) = address.rsplit_once(PLACE)?;
    id.parse().ok()
}

pub struct Metadata {
    pub filename: String,
    pub purpose: UploadPurpose,
    pub title: Option<TitleId>,
    pub fingerprint: String,
    /// All of it, also what only the client understands.
    pub said: String,
}

impl Metadata {
    pub fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let wrong = |detail: &str| Problem::bad_request("upload_metadata_invalid", detail);
        let text = headers.get(METADATA).map_or(Ok(""), HeaderValue::to_str);
        let text = text.map_err(|_| wrong("Upload-Metadata is keys and values in base64, in ASCII"))?;
        if text.len() > METADATA_BYTES_MAX {
            return Err(wrong("Upload-Metadata is too long"));
        }
        let mut metadata = Self {
            filename: "upload".into(),
            purpose: UploadPurpose::Dataset,
            title: None,
            fingerprint: String::new(),
            said: text.to_owned(),
        };
        let mut purpose = None;
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = STANDARD
                .decode(value.trim())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            let value = value.ok_or_else(|| wrong("values of Upload-Metadata are UTF-8 in base64"))?;
            match (key, value.as_str()) {
                ("filename", name) if !name.is_empty() => metadata.filename = name.chars().take(255).collect(),
                ("purpose", "video") => purpose = Some(UploadPurpose::Video),
                ("purpose", "dataset") => purpose = Some(UploadPurpose::Dataset),
                ("purpose", _) => return Err(wrong("purpose is video or dataset")),
                ("title_id", id) => metadata.title = Some(id.parse().map_err(|_| Problem::no_such_title())?),
                ("fingerprint", text) => metadata.fingerprint = text.to_owned(),
                // Clients add keys of their own, such as `filetype`.
                _ => {}
            }
        }
        let usual = metadata.title.map_or(UploadPurpose::Dataset, |_| UploadPurpose::Video);
        metadata.purpose = purpose.unwrap_or(usual);
        Ok(metadata)
    }

    /// A video that is no part of another must be for a title.
    pub fn complete(self) -> Result<Self, Problem> {
        if self.purpose == UploadPurpose::Video && self.title.is_none() {
            return Err(Problem::bad_request(
                "upload_metadata_invalid",
                "a video needs title_id",
            ));
        }
        Ok(self)
    }
}

/// Says where an upload is and what it is.
pub fn describe(response: &mut Response, upload: &Upload) -> Result<(), Problem> {
    let headers = response.headers_mut();
    headers.insert(OFFSET, HeaderValue::from(upload.offset));
    if upload.length_deferred {
        headers.insert(DEFER_LENGTH, HeaderValue::from(1));
    } else {
        headers.insert(LENGTH, HeaderValue::from(upload.bytes));
    }
    let moment = jiff::Timestamp::from_millisecond(upload.expires_at).map_err(Problem::internal)?;
    let moment = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment);
    put(response, EXPIRES, &moment.map_err(Problem::internal)?)?;
    match &upload.concat {
        None => Ok(()),
        Some(Concat::Partial) => put(response, CONCAT, "partial"),
        Some(Concat::Final(parts)) => {
            let addresses: Vec<_> = parts.iter().map(|part| format!("{PLACE}{part}")).collect();
            put(response, CONCAT, &format!("final;{}", addresses.join(" ")))
        }
    }
}

/// What was said of it when it began, in the same words.
pub fn describe_metadata(response: &mut Response, upload: &Upload) -> Result<(), Problem> {
    if upload.metadata.is_empty() {
        return Ok(());
    }
    put(response, METADATA, &upload.metadata)
}

pub fn put(response: &mut Response, name: HeaderName, value: &str) -> Result<(), Problem> {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_str(value).map_err(Problem::internal)?);
    Ok(())
}
