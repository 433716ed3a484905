//! What a profile watched.

use axum::extract::State;
use contract::{
    TitleId,
    activity::{ForTitleOf, MarkWatched, TitleState},
};
use http::StatusCode;
use utoipa_axum::routes;

use super::{Answer, own_list};
use crate::{
    compose,
    dto::{
        List, Time,
        titles::{HistoryEntry, PageQuery, PutWatched},
    },
    extract::{Json as Body, Path, Query},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Viewing,
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Viewer, routes!(get_history)),
        route(Policy::Viewer, routes!(delete_history)),
        route(Policy::Viewer, routes!(put_watched)),
    ]
}

/// Newest first.
#[utoipa::path(get, path = "/api/v1/history", tag = "activity", params(PageQuery),
    responses((status = 200, body = List<HistoryEntry>)))]
async fn get_history(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Query(query): Query<PageQuery>,
) -> Answer<List<HistoryEntry>> {
    let ask = |list| gateway.doors.activity.history(list);
    let entry = |title, state: &TitleState| {
        let progress = state.progress.as_ref()?;
        Some(HistoryEntry {
            title,
            last_watched_at: Time(progress.at),
            progress: progress.into(),
            my_rating: state.opinion.map(Into::into),
        })
    };
    own_list::page(&gateway, &viewing, ("history", query), ask, entry).await
}

/// Forgets that the title was ever watched or rated: it stops counting as taste.
#[utoipa::path(delete, path = "/api/v1/history/{title_id}", tag = "activity", params(("title_id" = String, Path)),
    responses((status = 204)))]
async fn delete_history(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Path(title): Path<TitleId>,
) -> Result<StatusCode, Problem> {
    gateway
        .doors
        .activity
        .forget(ForTitleOf {
            profile: viewing.profile.id,
            title,
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Marks a title as watched, or as not watched. Of a series: every episode.
#[utoipa::path(put, path = "/api/v1/titles/{id}/watched", tag = "activity", params(("id" = String, Path)),
    request_body = PutWatched, responses((status = 204)))]
async fn put_watched(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Path(title): Path<TitleId>,
    Body(body): Body<PutWatched>,
) -> Result<StatusCode, Problem> {
    let card = compose::visible_card(&gateway, &viewing, title).await?;
    let mut titles = vec![title];
    if card.kind == contract::catalog::TitleKind::Series {
        let seasons = gateway
            .doors
            .catalog
            .seasons(contract::catalog::ForTitle { title })
            .await?;
        let episodes = seasons.into_iter().flat_map(|season| season.episodes);
        titles.extend(
            episodes
                .filter(|episode| compose::visible(&episode.card, &viewing))
                .map(|episode| episode.card.id),
        );
    }
    for titles in titles.chunks(compose::TITLES_MAX) {
        let marked = MarkWatched {
            profile: viewing.profile.id,
            titles: titles.to_vec(),
            watched: body.watched,
        };
        gateway.doors.activity.mark_watched(marked).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
