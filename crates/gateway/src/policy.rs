//! Who may use a route, judged before its handler is called. Every route names its policy when it is registered.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use contract::{ProfileId, accounts::Role};
use http::{HeaderMap, StatusCode, header};
use platform::network::customer_network;

use crate::{
    idempotency::Turn,
    problem::Problem,
    session::{Address, Caller, Viewing, cookies::Jar, origin, origin::Origin},
    state::Gateway,
};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Everybody.
    Public,
    /// Everybody, as often as the limit on ways in allows.
    WayIn,
    /// Whoever holds a signed path.
    Media,
    /// Whoever is logged in.
    SignedIn,
    /// Whoever is logged in, as one of their profiles.
    Viewer,
    /// Curators and admins.
    Curator,
    Admin,
    /// This machine, or everybody where the configuration says so.
    Operator,
}

impl Policy {
    /// The least role that passes, where a log-in is needed at all.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Public | Self::WayIn | Self::Media | Self::Operator => None,
            Self::SignedIn | Self::Viewer => Some(Role::Viewer),
            Self::Curator => Some(Role::Curator),
            Self::Admin => Some(Role::Admin),
        }
    }
}

/// What a route is guarded with.
#[derive(Clone)]
pub struct Guard {
    pub gateway: Gateway,
    pub policy: Policy,
    /// Bodies that are streams, and answers that never end, do their own waiting.
    pub bounded: bool,
}

/// The middleware of one route.
pub async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match admit(&guard.gateway, guard.policy, request).await {
        Ok((request, caller)) => run(&guard, caller, request, next)
            .await
            .unwrap_or_else(|problem| problem.into_response()),
        Err(problem) => problem.into_response(),
    }
}

/// Lets the request pass with what its policy gives it, or refuses.
pub async fn admit(
    gateway: &Gateway,
    policy: Policy,
    mut request: Request,
) -> Result<(Request, Option<Caller>), Problem> {
    let credentials = Credentials::find(gateway, request.headers());
    // A socket that is opened can change things, and a browser lets any page open one.
    if !origin::is_safe(request.method()) || opens_socket(request.headers()) {
        credentials.same_origin(gateway, request.headers())?;
    }
    let address = *request
        .extensions()
        .get::<Address>()
        .ok_or_else(|| Problem::internal("the edge was left out"))?;
    let caller = match policy.role() {
        None => match credentials.token {
            Some(token) => gateway.tokens.caller(token).await.ok(),
            None => None,
        },
        Some(least) => Some(signed_in(gateway, credentials.token, least).await?),
    };
    match policy {
        Policy::WayIn => gateway.limits.ways_in.check(&customer_network(address.client))?,
        Policy::Operator if !(address.local || gateway.config.metrics_public) => {
            return Err(Problem::forbidden("only from this machine"));
        }
        Policy::Viewer => {
            let Some(caller) = caller else {
                return Err(Problem::internal("a viewer without a caller"));
            };
            let profile = gateway
                .profiles
                .choose(caller.account, wanted_profile(request.headers())?)
                .await?;
            request.extensions_mut().insert(Viewing { caller, profile });
        }
        _ => {}
    }
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    Ok((request, caller))
}

async fn signed_in(gateway: &Gateway, token: Option<&str>, least: Role) -> Result<Caller, Problem> {
    let token = token.ok_or_else(|| Problem::unauthenticated("log in first"))?;
    let caller = gateway.tokens.caller(token).await?;
    if caller.role < least {
        return Err(Problem::forbidden(match least {
            Role::Admin => "only for admins",
            _ => "only for curators",
        }));
    }
    gateway.limits.accounts.check(&caller.account)?;
    Ok(caller)
}

/// Calls the handler: once per idempotency key, and no longer than is allowed.
async fn run(guard: &Guard, caller: Option<Caller>, request: Request, next: Next) -> Result<Response, Problem> {
    if !guard.bounded {
        return Ok(next.run(request).await);
    }
    let keyed = caller.filter(|_| guard.policy.role().is_some() && !origin::is_safe(request.method()));
    let answered = async move {
        let Some(caller) = keyed else {
            return Ok(next.run(request).await);
        };
        match guard.gateway.answers.turn(caller.account, request).await? {
            Turn::Plain(request) => Ok(next.run(request).await),
            Turn::First(request, ticket) => Ok(ticket.answer(next.run(request)).await),
            Turn::Again(response) => Ok(response),
        }
    };
    let limit = Duration::from_secs(guard.gateway.config.timeout_s.into());
    tokio::time::timeout(limit, answered).await.map_err(|_| {
        Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "deadline_exceeded",
            "this took too long; try again",
        )
    })?
}

fn opens_socket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn wanted_profile(headers: &HeaderMap) -> Result<Option<ProfileId>, Problem> {
    let Some(wanted) = headers.get("x-profile") else {
        return Ok(None);
    };
    let parsed = wanted.to_str().ok().and_then(|text| text.parse().ok());
    parsed
        .map(Some)
        .ok_or_else(|| contract::accounts::AccountsError::ProfileNotFound.into())
}

/// The proof that came along, and how.
struct Credentials<'a> {
    token: Option<&'a str>,
    /// Sent by the browser by itself, so other pages can cause it too.
    ambient: bool,
}

impl<'a> Credentials<'a> {
    fn find(gateway: &Gateway, headers: &'a HeaderMap) -> Self {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some((scheme, token)) = authorization.and_then(|value| value.split_once(' '))
            && scheme.eq_ignore_ascii_case("bearer")
        {
            return Self {
                token: Some(token.trim()),
                ambient: false,
            };
        }
        let jar = Jar::new(gateway.public_url.as_ref(), headers);
        let token = jar.get(headers, jar.access());
        let ambient = token.is_some() || jar.get(headers, jar.refresh()).is_some();
        Self { token, ambient }
    }

    /// A page from elsewhere may neither use our cookies nor plant its own log-in.
    fn same_origin(&self, gateway: &Gateway, headers: &HeaderMap) -> Result<(), Problem> {
        let bearer = self.token.is_some() && !self.ambient;
        let refused = match origin::of(headers, gateway.public_url.as_ref()) {
            Origin::Own => false,
            Origin::Other => !bearer,
            Origin::Unsaid => self.ambient,
        };
        if refused {
            let detail = "requests with cookies must come from our own page; others send Authorization: Bearer";
            return Err(Problem::new(StatusCode::FORBIDDEN, "origin_refused", detail));
        }
        Ok(())
    }
}
