//! The first visit: a few genres and titles, and the page knows where to begin.

use axum::{Json, extract::State};
use contract::{
    accounts::{Preferences, UpdateProfile},
    activity::{Opinion, Rate},
    recommend::GetOnboarding,
};
use http::StatusCode;
use utoipa_axum::routes;

use super::{Answer, titles};
use crate::{
    compose,
    dto::titles::{Onboarding, PutOnboarding},
    extract::Json as Body,
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Viewing,
    state::Gateway,
};

const TITLES_SHOWN: u32 = 60;

pub fn routes() -> Vec<Route> {
    vec![route(Policy::Viewer, routes!(get_onboarding, post_onboarding))]
}

/// What to choose from.
#[utoipa::path(get, path = "/api/v1/onboarding", tag = "home", responses((status = 200, body = Onboarding)))]
async fn get_onboarding(State(gateway): State<Gateway>, viewing: Viewing) -> Answer<Onboarding> {
    let asked = GetOnboarding {
        viewer: viewing.viewer(),
        limit: TITLES_SHOWN,
    };
    let chosen = gateway.doors.recommend.onboarding(asked).await?;
    let (mut cards, states, genres) = tokio::try_join!(
        compose::cards_by_title(&gateway, &viewing, chosen.clone()),
        compose::states(&gateway, &viewing, chosen.clone()),
        titles::genres(&gateway, &viewing),
    )?;
    let card = |title| {
        cards
            .remove(title)
            .map(|card| compose::card(&gateway.pictures, card, states.get(title)))
    };
    Ok(Json(Onboarding {
        genres,
        titles: chosen.iter().filter_map(card).collect(),
    }))
}

/// What was chosen: genres become preferences, titles are liked. Both may be empty.
#[utoipa::path(post, path = "/api/v1/onboarding", tag = "home", request_body = PutOnboarding,
    responses((status = 204)))]
async fn post_onboarding(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Body(body): Body<PutOnboarding>,
) -> Result<StatusCode, Problem> {
    let cards = compose::cards_by_title(&gateway, &viewing, body.title_ids.clone()).await?;
    if !body.title_ids.iter().all(|title| cards.contains_key(title)) {
        return Err(Problem::no_such_title());
    }
    // First what may be refused: titles that were liked twice change nothing.
    let preferences = (!body.genres.is_empty()).then(|| Preferences {
        genres: body.genres,
        ..viewing.profile.preferences.clone()
    });
    let account = viewing.caller.account;
    let update = UpdateProfile {
        account,
        profile: viewing.profile.id,
        name: None,
        avatar: None,
        kids: None,
        maturity_max: None,
        preferences,
        onboarded: Some(true),
    };
    gateway.doors.accounts.update_profile(update).await?;
    gateway.profiles.forget(account).await;
    for title in body.title_ids {
        gateway
            .doors
            .activity
            .rate(Rate {
                profile: viewing.profile.id,
                title,
                opinion: Opinion::Like,
            })
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
