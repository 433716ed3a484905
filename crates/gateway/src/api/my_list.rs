//! My List.

use axum::extract::State;
use contract::{
    TitleId,
    activity::{ForTitleOf, TitleState},
};
use http::StatusCode;
use utoipa_axum::routes;

use super::{Answer, own_list};
use crate::{
    compose,
    dto::{
        List, Time,
        titles::{ListedTitle, PageQuery},
    },
    extract::{Path, Query},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Viewing,
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Viewer, routes!(get_my_list)),
        route(Policy::Viewer, routes!(add_to_my_list, remove_from_my_list)),
    ]
}

/// Newest first.
#[utoipa::path(get, path = "/api/v1/my-list", tag = "activity", params(PageQuery),
    responses((status = 200, body = List<ListedTitle>)))]
async fn get_my_list(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Query(query): Query<PageQuery>,
) -> Answer<List<ListedTitle>> {
    let ask = |list| gateway.doors.activity.list(list);
    let entry = |title, state: &TitleState| {
        let added_at = Time(state.listed_at.unwrap_or_default());
        Some(ListedTitle { title, added_at })
    };
    own_list::page(&gateway, &viewing, ("my-list", query), ask, entry).await
}

#[utoipa::path(put, path = "/api/v1/my-list/{title_id}", tag = "activity", params(("title_id" = String, Path)),
    responses((status = 204)))]
async fn add_to_my_list(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Path(title): Path<TitleId>,
) -> Result<StatusCode, Problem> {
    compose::visible_card(&gateway, &viewing, title).await?;
    gateway
        .doors
        .activity
        .add_to_list(ForTitleOf {
            profile: viewing.profile.id,
            title,
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removing what is not there is no error.
#[utoipa::path(delete, path = "/api/v1/my-list/{title_id}", tag = "activity", params(("title_id" = String, Path)),
    responses((status = 204)))]
async fn remove_from_my_list(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Path(title): Path<TitleId>,
) -> Result<StatusCode, Problem> {
    let removed = gateway
        .doors
        .activity
        .remove_from_list(ForTitleOf {
            profile: viewing.profile.id,
            title,
        })
        .await;
    match removed {
        Ok(_) | Err(contract::activity::ActivityError::NotThere) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(error.into()),
    }
}
