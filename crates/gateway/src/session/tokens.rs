//! Judges access tokens without asking anybody: EdDSA signatures (RFC 8037), `typ` of RFC 9068, issuer, audience, expiry, and
//! the sessions and roles that changed since the token was made.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use contract::{
    AccountId, Millis, SessionId,
    accounts::{Accounts, Claims, GetVerification, Role, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_TYPE, Verification},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use platform::clock::Clock;
use sha2::{Digest as _, Sha256};

use super::Caller;
use crate::problem::Problem;

/// A token that is longer was not made by us.
const TOKEN_BYTES_MAX: usize = 4096;
const VERIFIED_MAX: u64 = 20_000;
const VERIFIED_FOR: Duration = Duration::from_secs(600);
/// Between two questions for keys that strangers' tokens can cause.
const ASK_EVERY_MS: i64 = 5_000;
/// A token from farther in the future was made before the clock was set back: it would be good for too long.
const CLOCKS_APART_MS: i64 = 60_000;
/// Longer than any access token lives: what changed before that is in every token.
const CHANGES_KEPT_MS: i64 = 3_600_000;

pub struct Tokens {
    accounts: Arc<dyn Accounts>,
    clock: Arc<dyn Clock>,
    known: ArcSwap<Known>,
    /// Signatures that were checked before, by digest of the token. Expiry and revocation are looked at every time.
    verified: moka::sync::Cache<[u8; 32], Arc<Claims>>,
    asked_at: tokio::sync::Mutex<Millis>,
    changes: Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    keys: HashMap<String, DecodingKey>,
    revoked: HashMap<SessionId, Millis>,
    /// Roles that changed, and when: older tokens still name the old one.
    roles: HashMap<AccountId, (Role, Millis)>,
}

impl Tokens {
    pub fn new(accounts: Arc<dyn Accounts>, clock: Arc<dyn Clock>) -> Self {
        Self {
            accounts,
            clock,
            known: ArcSwap::default(),
            verified: moka::sync::Cache::builder()
                .max_capacity(VERIFIED_MAX)
                .time_to_live(VERIFIED_FOR)
                .build(),
            asked_at: tokio::sync::Mutex::new(Millis::MIN),
            changes: Mutex::new(()),
        }
    }

    /// Who the token proves, or that it proves nobody.
    pub async fn caller(&self, token: &str) -> Result<Caller, Problem> {
        let refused = || Problem::unauthenticated("the access token is not good, or no longer; log in again");
        if token.len() > TOKEN_BYTES_MAX {
            return Err(refused());
        }
        let claims = self.claims(token).await?.ok_or_else(refused)?;
        let known = self.known.load();
        let now = self.clock.now_ms();
        let expires_at = claims.exp.saturating_mul(1000);
        let made_at = claims.iat.saturating_mul(1000);
        if expires_at <= now || made_at > now + CLOCKS_APART_MS || known.revoked.contains_key(&claims.sid) {
            return Err(refused());
        }
        let role = match known.roles.get(&claims.sub) {
            Some(&(role, changed_at)) if made_at <= changed_at => role,
            _ => claims.role,
        };
        Ok(Caller {
            account: claims.sub,
            session: claims.sid,
            role,
            expires_at,
        })
    }

    async fn claims(&self, token: &str) -> Result<Option<Arc<Claims>>, Problem> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some(claims) = self.verified.get(&digest) {
            return Ok(Some(claims));
        }
        let Some(key) = self.key_of(token).await? else {
            return Ok(None);
        };
        let Ok(token) = jsonwebtoken::decode::<Claims>(token, &key, &validation()) else {
            return Ok(None);
        };
        let claims = Arc::new(token.claims);
        self.verified.insert(digest, claims.clone());
        Ok(Some(claims))
    }

    /// The key that the token's header names; asks for the current ones where it is new to us.
    async fn key_of(&self, token: &str) -> Result<Option<DecodingKey>, Problem> {
        let Ok(header) = jsonwebtoken::decode_header(token) else {
            return Ok(None);
        };
        let ours = header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TOKEN_TYPE);
        let Some(kid) = header.kid.filter(|_| ours) else {
            return Ok(None);
        };
        if let Some(key) = self.known.load().keys.get(&kid) {
            return Ok(Some(key.clone()));
        }
        self.ask().await?;
        Ok(self.known.load().keys.get(&kid).cloned())
    }

    /// Fetches keys and revocations, at most once in a while.
    async fn ask(&self) -> Result<(), Problem> {
        let mut asked_at = self.asked_at.lock().await;
        let now = self.clock.now_ms();
        if now < asked_at.saturating_add(ASK_EVERY_MS) {
            return Ok(());
        }
        let verification = self.accounts.verification(GetVerification {}).await?;
        *asked_at = now;
        self.learn(&verification);
        Ok(())
    }

    fn learn(&self, verification: &Verification) {
        self.change(|known, now| {
            known.keys = verification
                .keys
                .iter()
                .filter_map(|key| Some((key.id.clone(), DecodingKey::from_ed_components(&key.x).ok()?)))
                .collect();
            known
                .revoked
                .extend(verification.revoked.iter().map(|&session| (session, now)));
        });
    }

    /// These sessions are over.
    pub fn revoke(&self, sessions: &[SessionId]) {
        self.change(|known, now| known.revoked.extend(sessions.iter().map(|&session| (session, now))));
    }

    /// From now on, whatever older tokens say.
    pub fn set_role(&self, account: AccountId, role: Role, at: Millis) {
        self.change(|known, _| {
            known.roles.insert(account, (role, at));
        });
    }

    fn change(&self, change: impl FnOnce(&mut Known, Millis)) {
        let _one_at_a_time = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now_ms();
        let mut known = Known::clone(&self.known.load());
        known.revoked.retain(|_, at| *at + CHANGES_KEPT_MS > now);
        known.roles.retain(|_, (_, at)| *at + CHANGES_KEPT_MS > now);
        change(&mut known, now);
        self.known.store(Arc::new(known));
    }
}

/// Expiry is judged by our own clock, see [`Tokens::caller`].
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[TOKEN_ISSUER]);
    validation.set_audience(&[TOKEN_AUDIENCE]);
    validation.required_spec_claims = ["exp", "iss", "aud", "sub"]
        .into_iter()
        .map(String::from)
        .collect::<HashSet<_>>();
    validation.validate_exp = false;
    validation
}
