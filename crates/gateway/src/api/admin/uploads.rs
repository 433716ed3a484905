//! Uploads that survive a broken line: tus 1.0 (<https://tus.io/protocols/resumable-upload>), whole: creation, with the first bytes and
//! with a length that is said later, termination, checksums, expiration, concatenation.

mod body;
mod content;
mod headers;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use contract::{
    UploadId,
    streaming::{Concat, CreateUpload, ForUpload, JoinUploads, ListUploads, Upload},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use utoipa_axum::routes;

use crate::{
    dto::admin::Uploads,
    extract::Path,
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Caller,
    state::Gateway,
};

use body::{Checksum, Sending};
use headers::{Metadata, answered, describe, put, spoken};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Curator, routes!(upload_options, create_upload, list_uploads)).streaming(),
        route(
            Policy::Curator,
            routes!(head_upload, read_upload, append_upload, delete_upload, override_upload),
        )
        .streaming(),
    ]
}

/// What this server speaks, and the largest upload that it takes.
#[utoipa::path(options, path = "/api/v1/admin/uploads", tag = "uploads",
    responses((status = 204, headers(("Tus-Version" = String), ("Tus-Extension" = String), ("Tus-Max-Size" = u64),
        ("Tus-Checksum-Algorithm" = String)))))]
async fn upload_options(State(gateway): State<Gateway>, caller: Caller) -> Response {
    answered(options(&gateway, caller).await)
}

async fn options(gateway: &Gateway, caller: Caller) -> Result<Response, Problem> {
    let account = caller.account;
    let uploads = gateway.doors.streaming.uploads(ListUploads { account }).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    for (name, value) in [
        ("tus-version", headers::VERSION),
        ("tus-extension", headers::EXTENSIONS),
        ("tus-checksum-algorithm", headers::CHECKSUMS),
        ("tus-max-size", HeaderValue::from(uploads.bytes_max)),
    ] {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}

/// One's own uploads that are not whole, newest first, and what one may still send.
#[utoipa::path(get, path = "/api/v1/admin/uploads", tag = "uploads", responses((status = 200, body = Uploads)))]
async fn list_uploads(State(gateway): State<Gateway>, caller: Caller) -> Result<Json<Uploads>, Problem> {
    let account = caller.account;
    let uploads = gateway.doors.streaming.uploads(ListUploads { account }).await?;
    Ok(Json(uploads.into()))
}

/// Begins an upload. `Upload-Length` in bytes (or `Upload-Defer-Length: 1`); `Upload-Metadata` with `filename`, `purpose` (`video` or
/// `dataset`; not said: `video` where there is a `title_id`), for a video `title_id`, and a `fingerprint` to find it again by if you like,
/// each in base64; all of it is told again as it was said. The first bytes may come along. `Upload-Concat: partial` begins a part,
/// `final;` and the addresses of whole parts makes one upload of them.
#[utoipa::path(post, path = "/api/v1/admin/uploads", tag = "uploads",
    params(("Tus-Resumable" = String, Header, example = "1.0.0"), ("Upload-Length" = Option<u64>, Header),
        ("Upload-Defer-Length" = Option<u64>, Header), ("Upload-Concat" = Option<String>, Header),
        ("Upload-Checksum" = Option<String>, Header),
        ("Upload-Metadata" = String, Header, example = "filename aGVhdC5tcDQ=,purpose dmlkZW8=,title_id ejg=")),
    responses((status = 201, headers(("Location" = String), ("Upload-Offset" = u64), ("Upload-Expires" = String)))))]
async fn create_upload(State(gateway): State<Gateway>, caller: Caller, request: Request) -> Response {
    answered(match headers::meant(request.headers()) {
        Ok(Some(Method::OPTIONS)) => options(&gateway, caller).await,
        Ok(_) => create(&gateway, caller, request).await,
        Err(problem) => Err(problem),
    })
}

async fn create(gateway: &Gateway, caller: Caller, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let said = &parts.headers;
    spoken(said)?;
    let upload = match headers::concat(said)? {
        Some(Concat::Final(parts)) => join(gateway, caller, said, parts).await?,
        concat => begin(gateway, caller, (said, body), concat.is_some()).await?,
    };
    let mut response = StatusCode::CREATED.into_response();
    let place = format!("{}{}", headers::PLACE, upload.id);
    put(&mut response, header::LOCATION, &place)?;
    describe(&mut response, &upload)?;
    describe_job(&mut response, &upload)?;
    Ok(response)
}

async fn join(gateway: &Gateway, caller: Caller, said: &HeaderMap, parts: Vec<UploadId>) -> Result<Upload, Problem> {
    let metadata = Metadata::read(said)?.complete()?;
    let asked = JoinUploads {
        account: caller.account,
        parts,
        filename: metadata.filename,
        purpose: metadata.purpose,
        title: metadata.title,
        metadata: metadata.said,
    };
    Ok(gateway.doors.streaming.join_uploads(asked).await?)
}

async fn begin(
    gateway: &Gateway,
    caller: Caller,
    (said, body): (&HeaderMap, Body),
    is_partial: bool,
) -> Result<Upload, Problem> {
    let length = headers::length_of_new(said)?;
    let metadata = Metadata::read(said)?;
    let metadata = if is_partial { metadata } else { metadata.complete()? };
    let checksum = Checksum::read(said)?;
    let asked = CreateUpload {
        account: caller.account,
        bytes: length.unwrap_or(0),
        filename: metadata.filename,
        purpose: metadata.purpose,
        title: metadata.title,
        length_deferred: length.is_none(),
        is_partial,
        fingerprint: metadata.fingerprint,
        metadata: metadata.said,
    };
    let upload = gateway.doors.streaming.create_upload(asked).await?;
    if !headers::has_pieces_type(said) {
        return Ok(upload);
    }
    let sending = Sending {
        gateway,
        account: caller.account,
        upload: upload.id,
        offset: 0,
        length: None,
        checksum,
        request: gateway.doors.inputs.id::<i64>() as u64,
    };
    match sending.run(body).await {
        Ok(upload) => Ok(upload),
        Err(problem) => {
            // Nobody was told where it is, so nobody could go on with it.
            let gone = ForUpload {
                account: caller.account,
                upload: upload.id,
            };
            if let Err(error) = gateway.doors.streaming.remove_upload(gone).await {
                tracing::info!(%error, "an upload that was refused with its first bytes is left until it expires");
            }
            Err(problem)
        }
    }
}

/// How far it is.
#[utoipa::path(head, path = "/api/v1/admin/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, example = "1.0.0")),
    responses((status = 200, headers(("Upload-Offset" = u64), ("Upload-Length" = u64), ("Upload-Concat" = String)))))]
async fn head_upload(
    State(gateway): State<Gateway>,
    caller: Caller,
    said: HeaderMap,
    Path(upload): Path<UploadId>,
) -> Response {
    answered(head(&gateway, caller, &said, upload).await)
}

async fn head(gateway: &Gateway, caller: Caller, said: &HeaderMap, upload: UploadId) -> Result<Response, Problem> {
    spoken(said)?;
    let account = caller.account;
    let upload = gateway.doors.streaming.upload(ForUpload { account, upload }).await?;
    let mut response = StatusCode::OK.into_response();
    put(&mut response, header::CACHE_CONTROL, "no-store")?;
    describe(&mut response, &upload)?;
    headers::describe_metadata(&mut response, &upload)?;
    describe_job(&mut response, &upload)?;
    Ok(response)
}

/// The bytes that arrived. No part of tus, but what its clients' own tests look at; a video's are there until it is packaged.
#[utoipa::path(get, path = "/api/v1/admin/uploads/{id}", tag = "uploads", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
async fn read_upload(State(gateway): State<Gateway>, caller: Caller, Path(upload): Path<UploadId>) -> Response {
    answered(content::answer(&gateway, caller.account, upload).await)
}

/// Goes on at `Upload-Offset`. When the last byte is in, a video's transcoding is queued: its job is in `X-Job-Id`. With
/// `Upload-Checksum` (`sha1` or `sha256`) nothing of the request counts unless all of it is as it was sent.
#[utoipa::path(patch, path = "/api/v1/admin/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, example = "1.0.0"), ("Upload-Offset" = u64, Header),
        ("Upload-Length" = Option<u64>, Header), ("Upload-Checksum" = Option<String>, Header)),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, headers(("Upload-Offset" = u64), ("X-Job-Id" = String)))))]
async fn append_upload(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<UploadId>,
    request: Request,
) -> Response {
    answered(append(&gateway, caller, id, request).await)
}

async fn append(gateway: &Gateway, caller: Caller, upload: UploadId, request: Request) -> Result<Response, Problem> {
    let said = request.headers();
    spoken(said)?;
    if !headers::has_pieces_type(said) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type_unsupported",
            "send pieces as application/offset+octet-stream",
        ));
    }
    let sending = Sending {
        gateway,
        account: caller.account,
        upload,
        offset: headers::offset(said)?,
        length: headers::length_of_piece(said)?,
        checksum: Checksum::read(said)?,
        request: gateway.doors.inputs.id::<i64>() as u64,
    };
    let upload = sending.run(request.into_body()).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    describe(&mut response, &upload)?;
    describe_job(&mut response, &upload)?;
    Ok(response)
}

/// Gives it up.
#[utoipa::path(delete, path = "/api/v1/admin/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, example = "1.0.0")), responses((status = 204)))]
async fn delete_upload(
    State(gateway): State<Gateway>,
    caller: Caller,
    said: HeaderMap,
    Path(upload): Path<UploadId>,
) -> Response {
    answered(delete(&gateway, caller, &said, upload).await)
}

async fn delete(gateway: &Gateway, caller: Caller, said: &HeaderMap, upload: UploadId) -> Result<Response, Problem> {
    spoken(said)?;
    let account = caller.account;
    gateway
        .doors
        .streaming
        .remove_upload(ForUpload { account, upload })
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `X-HTTP-Method-Override` says what is meant, for clients and ways here that know only POST.
#[utoipa::path(post, path = "/api/v1/admin/uploads/{id}", tag = "uploads",
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, example = "1.0.0"),
        ("X-HTTP-Method-Override" = String, Header, example = "PATCH")), responses((status = 204)))]
async fn override_upload(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<UploadId>,
    request: Request,
) -> Response {
    let said = request.headers();
    answered(match headers::meant(said) {
        Ok(Some(Method::PATCH)) => append(&gateway, caller, id, request).await,
        Ok(Some(Method::HEAD)) => head(&gateway, caller, said, id).await,
        Ok(Some(Method::DELETE)) => delete(&gateway, caller, said, id).await,
        Ok(_) => Err(Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "say with X-HTTP-Method-Override what is meant: PATCH, HEAD or DELETE",
        )),
        Err(problem) => Err(problem),
    })
}

fn describe_job(response: &mut Response, upload: &Upload) -> Result<(), Problem> {
    match &upload.job {
        Some(job) => put(response, HeaderName::from_static("x-job-id"), &job.id.to_string()),
        None => Ok(()),
    }
}
