//! Uploads that survive a broken line: tus 1.0 (<https://tus.io/protocols/resumable-upload>) with creation, expiration and
//! termination. Bytes go on to streaming in pieces; nothing of a file is ever whole in memory.

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::BytesMut;
use contract::{
    Blob, TitleId, UploadId,
    streaming::{AppendUpload, CreateUpload, ForUpload, Upload, UploadPurpose},
};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use utoipa_axum::routes;

use crate::{
    extract::Path,
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Caller,
    state::Gateway,
};

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
/// What one call to streaming carries.
const PIECE_BYTES: usize = 8 << 20;
const METADATA_BYTES_MAX: usize = 4096;

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Curator, routes!(upload_options, create_upload)).streaming(),
        route(Policy::Curator, routes!(head_upload, append_upload, delete_upload)).streaming(),
    ]
}

/// What this server speaks.
#[utoipa::path(options, path = "/api/v1/admin/uploads", tag = "uploads", responses((status = 204)))]
async fn upload_options() -> Response {
    let mut response = tus(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert("tus-version", VERSION);
    headers.insert(
        "tus-extension",
        HeaderValue::from_static("creation,expiration,termination"),
    );
    response
}

/// Begins an upload. `Upload-Length` in bytes; `Upload-Metadata` with `filename`, `purpose` (`video` or `dataset`) and for a
/// video `title_id`, each in base64.
#[utoipa::path(post, path = "/api/v1/admin/uploads", tag = "uploads",
    params(("Tus-Resumable" = String, Header, example = "1.0.0"), ("Upload-Length" = u64, Header),
        ("Upload-Metadata" = String, Header, example = "filename aGVhdC5tcDQ=,purpose dmlkZW8=,title_id ejg=")),
    responses((status = 201, headers(("Location" = String), ("Upload-Expires" = String)))))]
async fn create_upload(
    State(gateway): State<Gateway>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    spoken(&headers)?;
    let bytes = number(&headers, &LENGTH)?;
    let metadata = Metadata::read(&headers)?;
    let asked = CreateUpload {
        account: caller.account,
        bytes,
        filename: metadata.filename,
        purpose: metadata.purpose,
        title: metadata.title,
    };
    let upload = gateway.doors.streaming.create_upload(asked).await?;
    let mut response = tus(StatusCode::CREATED);
    put(
        &mut response,
        header::LOCATION,
        &format!("/api/v1/admin/uploads/{}", upload.id),
    )?;
    describe(&mut response, &upload)?;
    Ok(response)
}

/// How far it is.
#[utoipa::path(head, path = "/api/v1/admin/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, example = "1.0.0")),
    responses((status = 200, headers(("Upload-Offset" = u64), ("Upload-Length" = u64)))))]
async fn head_upload(
    State(gateway): State<Gateway>,
    caller: Caller,
    headers: HeaderMap,
    Path(upload): Path<UploadId>,
) -> Result<Response, Problem> {
    spoken(&headers)?;
    let upload = gateway
        .doors
        .streaming
        .upload(ForUpload {
            account: caller.account,
            upload,
        })
        .await?;
    let mut response = tus(StatusCode::OK);
    put(&mut response, header::CACHE_CONTROL, "no-store")?;
    describe(&mut response, &upload)?;
    Ok(response)
}

/// Goes on at `Upload-Offset`. When the last byte is in, a video's transcoding is queued: its job is in `X-Job-Id`.
#[utoipa::path(patch, path = "/api/v1/admin/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, example = "1.0.0"), ("Upload-Offset" = u64, Header)),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, headers(("Upload-Offset" = u64), ("X-Job-Id" = String)))))]
async fn append_upload(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<UploadId>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    spoken(headers)?;
    let typed = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == "application/offset+octet-stream");
    if !typed {
        let detail = "send pieces as application/offset+octet-stream";
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type_unsupported",
            detail,
        ));
    }
    let offset = number(headers, &OFFSET)?;
    let upload = append(&gateway, caller, id, offset, request.into_body()).await?;
    let mut response = tus(StatusCode::NO_CONTENT);
    describe(&mut response, &upload)?;
    if let Some(job) = &upload.job {
        put(&mut response, HeaderName::from_static("x-job-id"), &job.id.to_string())?;
    }
    Ok(response)
}

/// Hands the body over piece by piece; what arrived before the line broke is kept.
async fn append(
    gateway: &Gateway,
    caller: Caller,
    id: UploadId,
    mut offset: u64,
    body: Body,
) -> Result<Upload, Problem> {
    let mut incoming = body.into_data_stream();
    let mut piece = BytesMut::new();
    let mut last = None;
    loop {
        let arrived = incoming.next().await;
        let ended = !matches!(arrived, Some(Ok(_)));
        if let Some(Ok(bytes)) = &arrived {
            piece.extend_from_slice(bytes);
        }
        while piece.len() >= PIECE_BYTES || (ended && (!piece.is_empty() || last.is_none())) {
            let body = Blob(piece.split_to(piece.len().min(PIECE_BYTES)).to_vec());
            let asked = AppendUpload {
                account: caller.account,
                upload: id,
                offset,
                body,
            };
            let upload = gateway.doors.streaming.append_upload(asked).await?;
            offset = upload.offset;
            last = Some(upload);
        }
        match (arrived, ended, &mut last) {
            (Some(Err(error)), _, _) => {
                let problem =
                    Problem::bad_request("body_cut_short", "the body did not arrive whole; ask where to go on");
                return Err(Problem {
                    cause: Some(error.to_string()),
                    ..problem
                });
            }
            (None, true, last) => {
                return last
                    .take()
                    .ok_or_else(|| Problem::internal("an upload without an answer"));
            }
            _ => {}
        }
    }
}

/// Gives it up.
#[utoipa::path(delete, path = "/api/v1/admin/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, example = "1.0.0")), responses((status = 204)))]
async fn delete_upload(
    State(gateway): State<Gateway>,
    caller: Caller,
    headers: HeaderMap,
    Path(upload): Path<UploadId>,
) -> Result<Response, Problem> {
    spoken(&headers)?;
    gateway
        .doors
        .streaming
        .remove_upload(ForUpload {
            account: caller.account,
            upload,
        })
        .await?;
    Ok(tus(StatusCode::NO_CONTENT))
}

fn tus(status: StatusCode) -> Response {
    let mut response = status.into_response();
    response.headers_mut().insert(RESUMABLE, VERSION);
    response
}

fn describe(response: &mut Response, upload: &Upload) -> Result<(), Problem> {
    response.headers_mut().insert(OFFSET, HeaderValue::from(upload.offset));
    response.headers_mut().insert(LENGTH, HeaderValue::from(upload.bytes));
    let moment = jiff::Timestamp::from_millisecond(upload.expires_at).map_err(Problem::internal)?;
    put(
        response,
        EXPIRES,
        &jiff::fmt::rfc2822::to_string(&moment.to_zoned(jiff::tz::TimeZone::UTC)).map_err(Problem::internal)?,
    )
}

fn put(response: &mut Response, name: HeaderName, value: &str) -> Result<(), Problem> {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_str(value).map_err(Problem::internal)?);
    Ok(())
}

/// Only version 1.0.0 is understood.
fn spoken(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(RESUMABLE) == Some(&VERSION) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "tus_version_unsupported",
        "send Tus-Resumable: 1.0.0",
    ))
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, Problem> {
    let value = headers.get(name).and_then(|value| value.to_str().ok()?.parse().ok());
    value.ok_or_else(|| Problem::bad_request("header_invalid", format!("{name} must be a number of bytes")))
}

struct Metadata {
    filename: String,
    purpose: UploadPurpose,
    title: Option<TitleId>,
}

impl Metadata {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let wrong = |detail: &str| Problem::bad_request("upload_metadata_invalid", detail);
        let text = headers
            .get(METADATA)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if text.len() > METADATA_BYTES_MAX {
            return Err(wrong("Upload-Metadata is too long"));
        }
        let mut metadata = Self {
            filename: "upload".into(),
            purpose: UploadPurpose::Video,
            title: None,
        };
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = STANDARD
                .decode(value.trim())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            let value = value.ok_or_else(|| wrong("values of Upload-Metadata are UTF-8 in base64"))?;
            match (key, value.as_str()) {
                ("filename", name) if !name.is_empty() => metadata.filename = name.chars().take(255).collect(),
                ("purpose", "video") => metadata.purpose = UploadPurpose::Video,
                ("purpose", "dataset") => metadata.purpose = UploadPurpose::Dataset,
                ("purpose", _) => return Err(wrong("purpose is video or dataset")),
                ("title_id", id) => metadata.title = Some(id.parse().map_err(|_| Problem::no_such_title())?),
                // Clients add keys of their own, such as `filetype`.
                _ => {}
            }
        }
        if metadata.purpose == UploadPurpose::Video && metadata.title.is_none() {
            return Err(wrong("a video needs title_id"));
        }
        Ok(metadata)
    }
}
