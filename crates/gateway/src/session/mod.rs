//! Who asks: access tokens, the cookies that carry them, and the proof that a browser's request is our page's own.

pub mod cookies;
pub mod origin;
pub mod tokens;

use axum::extract::FromRequestParts;
use contract::{
    AccountId, Millis, SessionId,
    accounts::{Client, Profile, Role},
    recommend,
};
use http::{HeaderMap, header, request::Parts};
use std::{net::IpAddr, sync::Arc};

use crate::problem::Problem;

/// An account that proved itself. Handlers of every policy but the public ones may take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    pub account: AccountId,
    pub session: SessionId,
    pub role: Role,
    pub expires_at: Millis,
}

/// A profile of the caller's. Handlers under `Policy::Viewer` may take it.
#[derive(Debug, Clone)]
pub struct Viewing {
    pub caller: Caller,
    pub profile: Arc<Profile>,
}

impl Viewing {
    /// As recommendation wants to know it.
    pub fn viewer(&self) -> recommend::Viewer {
        recommend::Viewer {
            profile: self.profile.id,
            maturity_max: self.profile.maturity_max,
            preferences: self.profile.preferences.clone(),
        }
    }

    /// Curators see what is not published yet, but a kids profile stays one.
    pub fn sees_unpublished(&self) -> bool {
        self.caller.role >= Role::Curator && !self.profile.kids
    }
}

/// Where a request comes from, settled by [`crate::edge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    pub client: IpAddr,
    /// The connection itself comes from this machine and nobody else is named.
    pub local: bool,
}

const USER_AGENT_CHARS_MAX: usize = 200;

/// For limits and for the list of sessions.
pub fn client(address: Address, headers: &HeaderMap) -> Client {
    let user_agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Client {
        address: address.client,
        user_agent: user_agent.chars().take(USER_AGENT_CHARS_MAX).collect(),
    }
}

/// What the policy of the route put there. Missing means that the route's policy does not give it: a defect of ours.
fn from_extensions<T: Clone + Send + Sync + 'static>(parts: &Parts) -> Result<T, Problem> {
    let missing = || {
        Problem::internal(format!(
            "the policy of {} gives no {}",
            parts.uri.path(),
            std::any::type_name::<T>()
        ))
    };
    parts.extensions.get::<T>().cloned().ok_or_else(missing)
}

macro_rules! extracted {
    ($($name:ty),+) => {$(
        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                from_extensions(parts)
            }
        }
    )+};
}

extracted!(Caller, Viewing, Address);

/// The caller, where there is one: for public routes that say more to those who are known.
pub struct MaybeCaller(pub Option<Caller>);

impl<S: Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(parts.extensions.get::<Caller>().copied()))
    }
}
