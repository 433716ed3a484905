//! Accounts and their roles.

use axum::{Json, extract::State};
use contract::{
    AccountId,
    accounts::{ListAccounts, SetRole},
};
use utoipa_axum::routes;

use crate::{
    api::Answer,
    cursor::Listing,
    dto::{
        LIMIT_DEFAULT, List,
        accounts::{Account, ListUsers, UpdateUser},
    },
    extract::{Json as Body, Path, Query},
    policy::Policy,
    routes::{Route, route},
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Admin, routes!(list_users)),
        route(Policy::Admin, routes!(update_user)),
    ]
}

#[utoipa::path(get, path = "/api/v1/admin/users", tag = "admin", params(ListUsers),
    responses((status = 200, body = List<Account>)))]
async fn list_users(State(gateway): State<Gateway>, Query(query): Query<ListUsers>) -> Answer<List<Account>> {
    let listing = Listing::new("users", &query.q)?;
    let after: Option<AccountId> = listing.read(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let page = gateway
        .doors
        .accounts
        .list(ListAccounts {
            query: query.q,
            after,
            limit,
        })
        .await?;
    let next_cursor = listing.write(page.next)?;
    Ok(Json(List {
        items: page.items.into_iter().map(Account::from).collect(),
        next_cursor,
    }))
}

/// Gives a role; it counts at once, also for sessions that are open.
#[utoipa::path(patch, path = "/api/v1/admin/users/{id}", tag = "admin", params(("id" = String, Path)),
    request_body = UpdateUser, responses((status = 200, body = Account)))]
async fn update_user(
    State(gateway): State<Gateway>,
    Path(account): Path<AccountId>,
    Body(body): Body<UpdateUser>,
) -> Answer<Account> {
    let role = body.role.into();
    let changed = gateway.doors.accounts.set_role(SetRole { account, role }).await?;
    gateway.tokens.set_role(account, role, gateway.doors.inputs.now_ms());
    Ok(Json(changed.into()))
}
