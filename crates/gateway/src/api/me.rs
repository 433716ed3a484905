//! The account itself.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use contract::{
    accounts::{DeleteAccount, ForAccount},
    activity::ForProfileOnly,
};
use http::{HeaderMap, StatusCode};
use utoipa_axum::routes;

use super::{Answer, auth};
use crate::{
    dto::accounts as dto,
    extract::Json as Body,
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::{Caller, Viewing, cookies::Jar},
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Viewer, routes!(get_me)),
        route(Policy::SignedIn, routes!(delete_me)),
    ]
}

/// Who is logged in, and as whom.
#[utoipa::path(get, path = "/api/v1/me", tag = "account", responses((status = 200, body = dto::Me)))]
async fn get_me(State(gateway): State<Gateway>, viewing: Viewing) -> Answer<dto::Me> {
    let me = gateway
        .doors
        .accounts
        .me(ForAccount {
            account: viewing.caller.account,
        })
        .await?;
    Ok(Json(dto::Me {
        account: me.account.into(),
        profiles: me.profiles.into_iter().map(dto::Profile::from).collect(),
        profile_id: viewing.profile.id,
    }))
}

/// Deletes the account with everything in it, for good.
#[utoipa::path(delete, path = "/api/v1/me", tag = "account", request_body = dto::DeleteMe, responses((status = 204)))]
async fn delete_me(
    State(gateway): State<Gateway>,
    caller: Caller,
    headers: HeaderMap,
    Body(body): Body<dto::DeleteMe>,
) -> Result<Response, Problem> {
    let account = caller.account;
    let doors = &gateway.doors;
    let me = doors.accounts.me(ForAccount { account }).await?;
    doors
        .accounts
        .delete_account(DeleteAccount {
            account,
            password: body.password,
        })
        .await?;
    gateway.tokens.revoke(&[caller.session]);
    gateway.profiles.forget(account).await;
    // The facts do the same again for whatever fails here.
    for profile in me.profiles {
        doors.activity.erase(ForProfileOnly { profile: profile.id }).await?;
        doors.recommend.erase(ForProfileOnly { profile: profile.id }).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    auth::set_cookies(
        &mut response,
        Jar::new(gateway.public_url.as_ref(), &headers).sign_out(),
    );
    Ok(response)
}
