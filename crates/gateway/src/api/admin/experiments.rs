//! Experiments: two models compared on live viewers.

use axum::{Json, extract::State};
use contract::{
    ExperimentId, PAGE_ITEMS_MAX,
    experiments::{ForExperiment, ListExperiments},
};
use http::StatusCode;
use utoipa_axum::routes;

use crate::{
    api::Answer,
    cursor::Listing,
    dto::{
        LIMIT_DEFAULT, List,
        experiments::{CreateExperiment, Experiment, ExperimentWithResults},
        titles::PageQuery,
    },
    extract::{Json as Body, Path, Query},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Admin, routes!(list_experiments, create_experiment)),
        route(Policy::Admin, routes!(get_experiment)),
        route(Policy::Admin, routes!(stop_experiment)),
    ]
}

/// Newest first.
#[utoipa::path(get, path = "/api/v1/admin/experiments", tag = "admin", params(PageQuery),
    responses((status = 200, body = List<Experiment>)))]
async fn list_experiments(State(gateway): State<Gateway>, Query(query): Query<PageQuery>) -> Answer<List<Experiment>> {
    let listing = Listing::new("experiments", ())?;
    let before: Option<ExperimentId> = listing.read(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).min(PAGE_ITEMS_MAX);
    let asked = ListExperiments { before, limit };
    let experiments = gateway.doors.recommend.experiments(asked).await?;
    let next = (experiments.len() == limit as usize)
        .then(|| experiments.last().map(|experiment| experiment.id))
        .flatten();
    Ok(Json(List {
        items: experiments.into_iter().map(Experiment::from).collect(),
        next_cursor: listing.write(next)?,
    }))
}

/// Starts at once; one runs at a time.
#[utoipa::path(post, path = "/api/v1/admin/experiments", tag = "admin", request_body = CreateExperiment,
    responses((status = 201, body = Experiment)))]
async fn create_experiment(
    State(gateway): State<Gateway>,
    Body(body): Body<CreateExperiment>,
) -> Result<(StatusCode, Json<Experiment>), Problem> {
    let experiment = gateway.doors.recommend.start_experiment(body.into()).await?;
    Ok((StatusCode::CREATED, Json(experiment.into())))
}

/// With what it says so far: may be read as often as one likes.
#[utoipa::path(get, path = "/api/v1/admin/experiments/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = ExperimentWithResults)))]
async fn get_experiment(
    State(gateway): State<Gateway>,
    Path(experiment): Path<ExperimentId>,
) -> Answer<ExperimentWithResults> {
    let asked = ForExperiment { experiment };
    Ok(Json(gateway.doors.recommend.experiment(asked).await?.into()))
}

/// Everybody has the model in service again.
#[utoipa::path(post, path = "/api/v1/admin/experiments/{id}/stop", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Experiment)))]
async fn stop_experiment(State(gateway): State<Gateway>, Path(experiment): Path<ExperimentId>) -> Answer<Experiment> {
    let asked = ForExperiment { experiment };
    Ok(Json(gateway.doors.recommend.stop_experiment(asked).await?.into()))
}
