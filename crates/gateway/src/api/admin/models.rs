//! The recommender's models.

use axum::{Json, extract::State};
use contract::{
    ModelId, PAGE_ITEMS_MAX,
    recommend::{ForModel, GetPreview, ListModels, StartTraining},
};
use http::StatusCode;
use utoipa_axum::routes;

use crate::{
    api::{Answer, home},
    cursor::Listing,
    dto::{
        LIMIT_DEFAULT, List,
        admin::Job,
        models::{Model, ModelEstimate, PreviewQuery},
        titles::{Home, PageQuery},
    },
    extract::{Path, Query},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::{Caller, Viewing},
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Admin, routes!(list_models)),
        route(Policy::Admin, routes!(train_model)),
        route(Policy::Admin, routes!(activate_model)),
        route(Policy::Admin, routes!(preview_model)),
        route(Policy::Admin, routes!(estimate_model)),
    ]
}

/// Newest first.
#[utoipa::path(get, path = "/api/v1/admin/models", tag = "admin", params(PageQuery),
    responses((status = 200, body = List<Model>)))]
async fn list_models(State(gateway): State<Gateway>, Query(query): Query<PageQuery>) -> Answer<List<Model>> {
    let listing = Listing::new("models", ())?;
    let before: Option<ModelId> = listing.read(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).min(PAGE_ITEMS_MAX);
    let models = gateway.doors.recommend.models(ListModels { before, limit }).await?;
    let next = (models.len() == limit as usize)
        .then(|| models.last().map(|model| model.id))
        .flatten();
    Ok(Json(List {
        items: models.into_iter().map(Model::from).collect(),
        next_cursor: listing.write(next)?,
    }))
}

/// Queues a training; one at a time, a second request joins the first.
#[utoipa::path(post, path = "/api/v1/admin/models/train", tag = "admin", responses((status = 202, body = Job)))]
async fn train_model(State(gateway): State<Gateway>) -> Result<(StatusCode, Json<Job>), Problem> {
    let job = gateway.doors.recommend.train(StartTraining {}).await?;
    Ok((StatusCode::ACCEPTED, Json(job.into())))
}

/// Serves this model from now on: also the way back to an older one. A refused one never serves.
#[utoipa::path(post, path = "/api/v1/admin/models/{id}/activate", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Model)))]
async fn activate_model(State(gateway): State<Gateway>, Path(model): Path<ModelId>) -> Answer<Model> {
    Ok(Json(gateway.doors.recommend.activate(ForModel { model }).await?.into()))
}

/// The home page that this model would make for one of the caller's own profiles, or for somebody who has done nothing yet.
/// Nobody looks at other people's pages, for those tell what they watch.
#[utoipa::path(get, path = "/api/v1/admin/models/{id}/home", tag = "admin", params(("id" = String, Path), PreviewQuery),
    responses((status = 200, body = Home)))]
async fn preview_model(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(model): Path<ModelId>,
    Query(query): Query<PreviewQuery>,
) -> Answer<Home> {
    let profile = gateway.profiles.choose(caller.account, query.profile).await?;
    let viewing = Viewing { caller, profile };
    let asked = GetPreview {
        viewer: viewing.viewer(),
        model,
        as_new: query.as_new,
    };
    let page = gateway.doors.recommend.preview(asked).await?;
    Ok(Json(home::compose(&gateway, &viewing, page).await?))
}

/// What this model would have earned where pages explored, by three estimates from the log of what was shown since it was trained.
/// Reads some thousand pages: takes seconds.
#[utoipa::path(get, path = "/api/v1/admin/models/{id}/estimate", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = ModelEstimate)))]
async fn estimate_model(State(gateway): State<Gateway>, Path(model): Path<ModelId>) -> Answer<ModelEstimate> {
    Ok(Json(gateway.doors.recommend.estimate(ForModel { model }).await?.into()))
}
