//! Ways in and out.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use contract::{
    SessionId,
    accounts::{self, ForAccount, ForSession},
};
use http::{HeaderMap, StatusCode, header};
use utoipa_axum::routes;

use super::Answer;
use crate::{
    dto::{Items, Time, accounts as dto},
    extract::{Json as Body, OptionalJson, Path},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::{Address, Caller, MaybeCaller, client, cookies::Jar},
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::WayIn, routes!(register)),
        route(Policy::WayIn, routes!(login)),
        route(Policy::WayIn, routes!(refresh)),
        route(Policy::WayIn, routes!(set_up)),
        route(Policy::Public, routes!(logout)),
        route(Policy::SignedIn, routes!(logout_all)),
        route(Policy::SignedIn, routes!(change_password)),
        route(Policy::SignedIn, routes!(list_sessions)),
        route(Policy::SignedIn, routes!(end_session)),
    ]
}

/// Makes an account with its first profile, and logs in.
#[utoipa::path(post, path = "/api/v1/auth/register", tag = "auth", request_body = dto::Register,
    responses((status = 201, body = dto::SignedIn)))]
async fn register(
    State(gateway): State<Gateway>,
    address: Address,
    headers: HeaderMap,
    Body(body): Body<dto::Register>,
) -> Result<Response, Problem> {
    let dto::Register { email, password, name } = body;
    let request = accounts::Register {
        email,
        password,
        name,
        client: client(address, &headers),
    };
    let signed_in = gateway.doors.accounts.register(request).await?;
    Ok(welcome(&gateway, &headers, StatusCode::CREATED, signed_in))
}

#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", request_body = dto::Login,
    responses((status = 200, body = dto::SignedIn)))]
async fn login(
    State(gateway): State<Gateway>,
    address: Address,
    headers: HeaderMap,
    Body(body): Body<dto::Login>,
) -> Result<Response, Problem> {
    let dto::Login { email, password } = body;
    let signed_in = gateway
        .doors
        .accounts
        .login(accounts::Login {
            email,
            password,
            client: client(address, &headers),
        })
        .await?;
    Ok(welcome(&gateway, &headers, StatusCode::OK, signed_in))
}

/// Trades the refresh token (in the body, or a browser's cookie) for new tokens (in the body, or only cookies again).
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", request_body = Option<dto::Refresh>,
    responses((status = 200, body = dto::Refreshed)))]
async fn refresh(
    State(gateway): State<Gateway>,
    address: Address,
    headers: HeaderMap,
    OptionalJson(body): OptionalJson<dto::Refresh>,
) -> Result<Response, Problem> {
    let jar = Jar::new(gateway.public_url.as_ref(), &headers);
    let of_cookie = || jar.get(&headers, jar.refresh()).map(str::to_owned);
    let by_cookie = body.refresh_token.is_none();
    let refresh_token = body
        .refresh_token
        .or_else(of_cookie)
        .ok_or_else(|| Problem::unauthenticated("log in first"))?;
    let asked = accounts::Refresh {
        refresh_token,
        client: client(address, &headers),
    };
    match gateway.doors.accounts.refresh(asked).await {
        Ok(signed_in) => {
            let cookies = jar.sign_in(&signed_in);
            let mut response = Json(dto::Refreshed::new(signed_in.into(), by_cookie)).into_response();
            set_cookies(&mut response, cookies);
            Ok(response)
        }
        Err(error @ accounts::AccountsError::RefreshInvalid) => {
            // A browser should stop sending what is worth nothing.
            let mut response = Problem::from(error).into_response();
            set_cookies(&mut response, jar.sign_out());
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// The first admin of an empty system, by the token that `kinora serve` printed.
#[utoipa::path(post, path = "/api/v1/auth/setup", tag = "auth", request_body = dto::SetUp,
    responses((status = 201, body = dto::SignedIn)))]
async fn set_up(
    State(gateway): State<Gateway>,
    address: Address,
    headers: HeaderMap,
    Body(body): Body<dto::SetUp>,
) -> Result<Response, Problem> {
    let dto::SetUp {
        token,
        email,
        password,
        name,
    } = body;
    let register = accounts::Register {
        email,
        password,
        name,
        client: client(address, &headers),
    };
    let signed_in = gateway
        .doors
        .accounts
        .set_up(accounts::SetUp { token, register })
        .await?;
    Ok(welcome(&gateway, &headers, StatusCode::CREATED, signed_in))
}

/// Ends this session. Asking when it is over already is no error.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth", request_body = Option<dto::Refresh>,
    responses((status = 204)))]
async fn logout(
    State(gateway): State<Gateway>,
    MaybeCaller(caller): MaybeCaller,
    address: Address,
    headers: HeaderMap,
    OptionalJson(body): OptionalJson<dto::Refresh>,
) -> Result<Response, Problem> {
    let jar = Jar::new(gateway.public_url.as_ref(), &headers);
    let of_cookie = || jar.get(&headers, jar.refresh()).map(str::to_owned);
    let session = match (caller, body.refresh_token.or_else(of_cookie)) {
        (Some(caller), _) => Some((caller.account, caller.session)),
        // The access token is over, the session is not: whoever could go on may also end.
        (None, Some(refresh_token)) => {
            let asked = accounts::Refresh {
                refresh_token,
                client: client(address, &headers),
            };
            match gateway.doors.accounts.refresh(asked).await {
                Ok(signed_in) => Some((signed_in.account.id, signed_in.session)),
                Err(accounts::AccountsError::RefreshInvalid) => None,
                // The session may well be there: who hears that it is over must not be told so wrongly.
                Err(error) => return Err(error.into()),
            }
        }
        (None, None) => None,
    };
    if let Some((account, session)) = session {
        end(&gateway, ForSession { account, session }).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookies(&mut response, jar.sign_out());
    Ok(response)
}

/// Ends every session of the account, this one too.
#[utoipa::path(post, path = "/api/v1/auth/logout-all", tag = "auth", responses((status = 204)))]
async fn logout_all(State(gateway): State<Gateway>, caller: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    gateway
        .doors
        .accounts
        .logout_all(ForAccount {
            account: caller.account,
        })
        .await?;
    gateway.tokens.revoke(&[caller.session]);
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookies(
        &mut response,
        Jar::new(gateway.public_url.as_ref(), &headers).sign_out(),
    );
    Ok(response)
}

/// Changes the password; all other sessions end.
#[utoipa::path(post, path = "/api/v1/auth/password", tag = "auth", request_body = dto::ChangePassword,
    responses((status = 204)))]
async fn change_password(
    State(gateway): State<Gateway>,
    caller: Caller,
    Body(body): Body<dto::ChangePassword>,
) -> Result<StatusCode, Problem> {
    let request = accounts::ChangePassword {
        account: caller.account,
        session: caller.session,
        current: body.current_password,
        new: body.new_password,
    };
    gateway.doors.accounts.change_password(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where the account is logged in.
#[utoipa::path(get, path = "/api/v1/auth/sessions", tag = "auth",
    responses((status = 200, body = Items<dto::Session>)))]
async fn list_sessions(State(gateway): State<Gateway>, caller: Caller) -> Answer<Items<dto::Session>> {
    let sessions = gateway
        .doors
        .accounts
        .sessions(ForAccount {
            account: caller.account,
        })
        .await?;
    let session = |session: accounts::SessionInfo| dto::Session {
        current: session.id == caller.session,
        id: session.id,
        user_agent: session.user_agent,
        address: session.address.to_string(),
        created_at: Time(session.created_at),
        last_used_at: Time(session.last_used_at),
    };
    Ok(Json(Items {
        items: sessions.into_iter().map(session).collect(),
    }))
}

/// Logs one device out.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{id}", tag = "auth", params(("id" = String, Path)),
    responses((status = 204)))]
async fn end_session(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(session): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    end(
        &gateway,
        ForSession {
            account: caller.account,
            session,
        },
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The fact will come over the bus too; here it counts with the answer.
async fn end(gateway: &Gateway, session: ForSession) -> Result<(), Problem> {
    gateway.doors.accounts.logout(session).await?;
    gateway.tokens.revoke(&[session.session]);
    Ok(())
}

fn welcome(gateway: &Gateway, headers: &HeaderMap, status: StatusCode, signed_in: accounts::SignedIn) -> Response {
    let cookies = Jar::new(gateway.public_url.as_ref(), headers).sign_in(&signed_in);
    let mut response = (status, Json(dto::SignedIn::from(signed_in))).into_response();
    set_cookies(&mut response, cookies);
    response
}

/// Answers with tokens in them belong in no cache.
pub fn set_cookies(response: &mut Response, cookies: [http::HeaderValue; 2]) {
    let headers = response.headers_mut();
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    headers.insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
}
