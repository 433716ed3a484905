//! The profiles of the account.

use axum::{Json, extract::State};
use contract::{
    ProfileId,
    accounts::{self, ForAccount, ForProfile},
};
use http::StatusCode;
use utoipa_axum::routes;

use super::Answer;
use crate::{
    dto::{Items, accounts as dto},
    extract::{Json as Body, Path},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::Caller,
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::SignedIn, routes!(list_profiles, create_profile)),
        route(Policy::SignedIn, routes!(get_profile, update_profile, delete_profile)),
    ]
}

#[utoipa::path(get, path = "/api/v1/profiles", tag = "account",
    responses((status = 200, body = Items<dto::Profile>)))]
async fn list_profiles(State(gateway): State<Gateway>, caller: Caller) -> Answer<Items<dto::Profile>> {
    let me = gateway
        .doors
        .accounts
        .me(ForAccount {
            account: caller.account,
        })
        .await?;
    Ok(Json(Items {
        items: me.profiles.into_iter().map(dto::Profile::from).collect(),
    }))
}

#[utoipa::path(post, path = "/api/v1/profiles", tag = "account", request_body = dto::CreateProfile,
    responses((status = 201, body = dto::Profile)))]
async fn create_profile(
    State(gateway): State<Gateway>,
    caller: Caller,
    Body(body): Body<dto::CreateProfile>,
) -> Result<(StatusCode, Json<dto::Profile>), Problem> {
    let dto::CreateProfile {
        name,
        avatar,
        kids,
        maturity_max,
        preferences,
    } = body;
    let preferences = preferences.unwrap_or_default().into();
    let request = accounts::CreateProfile {
        account: caller.account,
        name,
        avatar,
        kids,
        maturity_max,
        preferences,
    };
    let profile = gateway.doors.accounts.create_profile(request).await?;
    gateway.profiles.forget(caller.account).await;
    Ok((StatusCode::CREATED, Json(profile.into())))
}

#[utoipa::path(get, path = "/api/v1/profiles/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 200, body = dto::Profile)))]
async fn get_profile(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(profile): Path<ProfileId>,
) -> Answer<dto::Profile> {
    let profile = gateway
        .doors
        .accounts
        .profile(ForProfile {
            account: caller.account,
            profile,
        })
        .await?;
    Ok(Json(profile.into()))
}

#[utoipa::path(patch, path = "/api/v1/profiles/{id}", tag = "account", params(("id" = String, Path)),
    request_body = dto::UpdateProfile, responses((status = 200, body = dto::Profile)))]
async fn update_profile(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(profile): Path<ProfileId>,
    Body(body): Body<dto::UpdateProfile>,
) -> Answer<dto::Profile> {
    let dto::UpdateProfile {
        name,
        avatar,
        kids,
        maturity_max,
        preferences,
        onboarded,
    } = body;
    let preferences = preferences.map(Into::into);
    let account = caller.account;
    let request = accounts::UpdateProfile {
        account,
        profile,
        name,
        avatar,
        kids,
        maturity_max,
        preferences,
        onboarded,
    };
    let profile = gateway.doors.accounts.update_profile(request).await?;
    gateway.profiles.forget(account).await;
    Ok(Json(profile.into()))
}

/// Deletes the profile with its history and taste, for good.
#[utoipa::path(delete, path = "/api/v1/profiles/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 204)))]
async fn delete_profile(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(profile): Path<ProfileId>,
) -> Result<StatusCode, Problem> {
    gateway
        .doors
        .accounts
        .delete_profile(ForProfile {
            account: caller.account,
            profile,
        })
        .await?;
    gateway.profiles.forget(caller.account).await;
    let of_profile = contract::activity::ForProfileOnly { profile };
    gateway.doors.activity.erase(of_profile).await?;
    gateway.doors.recommend.erase(of_profile).await?;
    Ok(StatusCode::NO_CONTENT)
}
