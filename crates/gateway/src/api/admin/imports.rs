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

/// Queues an import of files that were uploaded with purpose `dataset`.
#[utoipa::path(post, path = "/api/v1/admin/imports", tag = "admin", request_body = StartImport,
    responses((status = 202, body = Job)))]
async fn start_import(
    State(gateway): State<Gateway>,
    caller: Caller,
    Body(body): Body<StartImport>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    let mut paths = Vec::with_capacity(body.upload_ids.len());
    for upload in body.upload_ids {
        let asked = ForUpload {
            account: caller.account,
            upload,
        };
        paths.push(gateway.doors.streaming.take_upload(asked).await?.path);
    }
    let kind = body.dataset.into();
    let job = gateway
        .doors
        .imports
        .start(imports::StartImport {
            kind,
            paths,
            claims: Vec::new(),
            remove_after: true,
        })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(job.into())))
}
