//! Data sets brought in through the page.

use axum::{Json, extract::State};
use contract::{imports, streaming::ForUpload};
use http::StatusCode;
use utoipa_axum::routes;

use crate::{
    dto::admin::{Job, StartImport},
    extract::Json as Body,
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Caller,
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![route(Policy::Curator, routes!(start_import))]
}

/// Queues an import of files that were uploaded with purpose `dataset`. The uploads go once it has succeeded; after a failure they
/// are there for another try.
#[utoipa::path(post, path = "/api/v1/admin/imports", tag = "admin", request_body = StartImport,
    responses((status = 202, body = Job)))]
async fn start_import(
    State(gateway): State<Gateway>,
    caller: Caller,
    Body(body): Body<StartImport>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    let account = caller.account;
    let uploads: Vec<_> = body
        .upload_ids
        .into_iter()
        .map(|upload| ForUpload { account, upload })
        .collect();
    let mut paths = Vec::with_capacity(uploads.len());
    for upload in &uploads {
        paths.push(gateway.doors.streaming.uploaded_file(*upload).await?.path);
    }
    let kind = body.dataset.into();
    let job = gateway
        .doors
        .imports
        .start(imports::StartImport {
            kind,
            paths,
            claims: Vec::new(),
            uploads,
        })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(job.into())))
}
