//! Ways in: register, log in, refresh, and the first admin of an empty system.

use contract::{
    DoorError, Fault, Millis, SessionId,
    accounts::{Account, AccountsError, Client, Login, Profile, Refresh, Register, Role, SetUp, SignedIn},
    events::EventBody,
};
use platform::{Tx, rng};

use crate::{
    limits::{self, Taken},
    profiles,
    service::Local,
    store::{NewSession, Rotation, SessionRow},
    strength,
    tokens::{self, ACCESS_TTL_S, RefreshToken},
    words,
};

const DAY_MS: i64 = 86_400_000;
/// How long a refresh token that was just used still gives its successor: a reply can be lost, and two tabs can ask at once.
const GRACE_MS: i64 = 10_000;
/// Sessions that an account may have; the one unused the longest makes place.
const SESSIONS_MAX: i64 = 50;
const SET_UP: &str = "set_up_token";

/// An account that is about to be: checked, its password hashed.
pub struct Applicant {
    pub email: String,
    pub name: String,
    pub password_hash: String,
}

/// Checks what a person wrote and hashes the password.
pub async fn apply(room: &Local, email: &str, name: &str, password: &str) -> Result<Applicant, AccountsError> {
    let (email, name) = (words::email(email)?, words::name(name)?);
    if let Some(reason) = strength::refuse(password, &email, &name) {
        return Err(AccountsError::PasswordRefused(reason));
    }
    Ok(Applicant {
        email,
        name,
        password_hash: room.passwords.hash(password).await?,
    })
}

/// The account with its first profile and the facts about both.
pub async fn insert(
    room: &Local,
    tx: &mut Tx,
    new: &Applicant,
    role: Role,
) -> Result<(Account, Profile), AccountsError> {
    let (email, name, created_at) = (new.email.clone(), new.name.clone(), room.now_ms());
    let account = Account {
        id: room.inputs.id(),
        email,
        name,
        role,
        created_at,
    };
    if !room.store.insert_account(tx, &account, &new.password_hash).await? {
        return Err(AccountsError::EmailTaken);
    }
    let profile = profiles::first(room, &account);
    room.store.insert_profile(tx, &profile).await?;
    room.tell(tx, EventBody::AccountRegistered { account: account.id })
        .await?;
    room.tell(
        tx,
        EventBody::ProfileCreated {
            account: account.id,
            profile: profile.id,
        },
    )
    .await?;
    Ok((account, profile))
}

pub async fn register(room: &Local, req: Register) -> Result<SignedIn, AccountsError> {
    limits::registration(&room.store, &room.config, req.client.address, room.now_ms()).await?;
    let applicant = apply(room, &req.email, &req.name, &req.password).await?;
    let mut tx = room.store.db.begin().await?;
    let (account, profile) = insert(room, &mut tx, &applicant, Role::Viewer).await?;
    let begun = begin_session(room, &mut tx, &account, &req.client).await?;
    tx.commit().await?;
    signed_in(room, account, vec![profile], begun)
}

pub async fn login(room: &Local, req: Login) -> Result<SignedIn, AccountsError> {
    let result = try_login(room, req).await;
    let outcome = result.as_ref().map_or_else(DoorError::slug, |_| "done");
    metrics::counter!("accounts_logins_total", "result" => outcome).increment(1);
    result
}

async fn try_login(room: &Local, req: Login) -> Result<SignedIn, AccountsError> {
    // What is no address has no account, and is not looked for: for the rest it goes on like an unknown one.
    let email = words::email(&req.email).ok();
    let counted = email.clone().unwrap_or_else(|| req.email.trim().to_lowercase());
    let taken = limits::attempt(
        &room.store,
        &room.config,
        &counted,
        Some(req.client.address),
        room.now_ms(),
    )
    .await?;
    let entered = enter(room, email.as_deref(), &req, &taken).await;
    if let Err(AccountsError::Fault(_)) = entered {
        limits::not_theirs(&room.store, &taken).await;
    }
    let (account, profiles, begun) = entered?;
    room.tidy_if_due().await;
    signed_in(room, account, profiles, begun)
}

/// Looks at the password and begins a session.
async fn enter(
    room: &Local,
    email: Option<&str>,
    req: &Login,
    taken: &Taken,
) -> Result<(Account, Vec<Profile>, Begun), AccountsError> {
    let known = match email {
        Some(email) => room.store.account_by_email(email).await?,
        None => None,
    };
    let right = room
        .passwords
        .verify(&req.password, known.as_ref().map(|row| row.password_hash.as_str()))
        .await?;
    let Some(row) = known.filter(|_| right) else {
        tracing::info!(address = %req.client.address, "a log-in failed");
        return Err(AccountsError::CredentialsWrong);
    };
    let mut tx = room.store.db.begin().await?;
    limits::succeeded(&room.store, &mut tx, taken).await?;
    // The password may have been changed since it was looked at.
    let locked = room
        .store
        .lock_signing_in(&mut tx, row.id.into(), &row.password_hash, room.now_ms())
        .await?;
    let account = locked.ok_or(AccountsError::CredentialsWrong)?.account();
    let begun = begin_session(room, &mut tx, &account, &req.client).await?;
    let profiles = room.store.profiles_in(&mut tx, account.id).await?;
    tx.commit().await?;
    Ok((account, profiles, begun))
}

/// A session and the token to go on with.
struct Begun {
    session: SessionId,
    token: RefreshToken,
    expires_at: Millis,
}

async fn begin_session(room: &Local, tx: &mut Tx, account: &Account, client: &Client) -> Result<Begun, Fault> {
    let (session, now) = (room.inputs.id(), room.now_ms());
    let token = room.tokens.first(session, &room.inputs);
    let expires_at = expiry(room, now, now);
    let new = NewSession {
        id: session,
        account: account.id,
        user_agent: words::user_agent(&client.user_agent),
        address: client.address,
        now,
        expires_at,
        token_hash: token.digest(),
    };
    room.store.insert_session(tx, &new).await?;
    for surplus in room.store.surplus_sessions(tx, account.id, SESSIONS_MAX).await? {
        let sessions = room
            .store
            .revoke_sessions(tx, account.id, Some(surplus), None, now)
            .await?;
        room.tell(
            tx,
            EventBody::SessionsRevoked {
                account: account.id,
                sessions,
            },
        )
        .await?;
    }
    Ok(Begun {
        session,
        token,
        expires_at,
    })
}

/// When a session ends if it is not used again.
fn expiry(room: &Local, created_at: Millis, now: Millis) -> Millis {
    let idle = now + i64::from(room.config.session_idle_days) * DAY_MS;
    idle.min(created_at + i64::from(room.config.session_days_max) * DAY_MS)
}

fn signed_in(room: &Local, account: Account, profiles: Vec<Profile>, begun: Begun) -> Result<SignedIn, AccountsError> {
    let now = room.now_ms();
    Ok(SignedIn {
        access_token: room.tokens.access(account.id, begun.session, account.role, now)?,
        refresh_token: begun.token.into_text(),
        expires_in_s: ACCESS_TTL_S,
        refresh_expires_in_s: u32::try_from((begun.expires_at - now).max(0) / 1000).unwrap_or(u32::MAX),
        session: begun.session,
        account,
        profiles,
    })
}

pub async fn refresh(room: &Local, req: Refresh) -> Result<SignedIn, AccountsError> {
    room.tidy_if_due().await;
    let token = room
        .tokens
        .parse(&req.refresh_token)
        .ok_or(AccountsError::RefreshInvalid)?;
    let begun = match rotate(room, &token).await? {
        Some(begun) => begun,
        // Not the current one: the one just before it, or one that should be forgotten.
        None => repeat(room, &token).await?,
    };
    let session = live_session(room, token.session)
        .await?
        .ok_or(AccountsError::RefreshInvalid)?;
    let row = room
        .store
        .account(session.account_id.into())
        .await?
        .ok_or(AccountsError::RefreshInvalid)?;
    let profiles = room.store.profiles(row.id.into()).await?;
    signed_in(room, row.account(), profiles, begun)
}

async fn live_session(room: &Local, id: SessionId) -> Result<Option<SessionRow>, Fault> {
    let now = room.now_ms();
    let session = room.store.session(id).await?;
    Ok(session.filter(|session| session.revoked_at.is_none() && session.expires_at > now))
}

/// One step on, if `token` is the current one.
async fn rotate(room: &Local, token: &RefreshToken) -> Result<Option<Begun>, AccountsError> {
    let session = live_session(room, token.session)
        .await?
        .ok_or(AccountsError::RefreshInvalid)?;
    let nonce: [u8; 32] = rng::bytes(&*room.inputs.entropy);
    let successor = room.tokens.successor(token, &nonce);
    let now = room.now_ms();
    let expires_at = expiry(room, session.created_at, now);
    let (from, to) = (token.digest(), successor.digest());
    let rotation = Rotation {
        session: token.session,
        from: &from,
        to: &to,
        nonce: &nonce,
        now,
        expires_at,
    };
    let rotated = room.store.rotate(rotation).await?;
    Ok(rotated.then_some(Begun {
        session: token.session,
        token: successor,
        expires_at,
    }))
}

/// The same successor once more within the grace; otherwise the token was used twice, and one of the two users is a thief.
async fn repeat(room: &Local, token: &RefreshToken) -> Result<Begun, AccountsError> {
    let session = live_session(room, token.session)
        .await?
        .ok_or(AccountsError::RefreshInvalid)?;
    let since = room.now_ms() - session.rotated_at;
    // Before the use: another process's clock is a little ahead; much before it: the clock was set back, and it proves nothing.
    let just_used = session.previous_hash == Some(token.digest()) && (-GRACE_MS..=GRACE_MS).contains(&since);
    if let (true, Some(nonce)) = (just_used, &session.nonce) {
        let successor = room.tokens.successor(token, nonce);
        return Ok(Begun {
            session: token.session,
            token: successor,
            expires_at: session.expires_at,
        });
    }
    let account = session.account_id.into();
    metrics::counter!("accounts_refresh_reuse_total").increment(1);
    tracing::warn!(%account, session = %token.session, "a refresh token was used twice; its session ends");
    let mut tx = room.store.db.begin().await?;
    let sessions = room
        .store
        .revoke_sessions(&mut tx, account, Some(token.session), None, room.now_ms())
        .await?;
    if !sessions.is_empty() {
        room.tell(&mut tx, EventBody::SessionsRevoked { account, sessions })
            .await?;
    }
    tx.commit().await?;
    Err(AccountsError::RefreshInvalid)
}

pub async fn issue_set_up_token(room: &Local) -> Result<Option<String>, Fault> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut tx = room.store.db.begin().await?;
    room.store.lock_admins(&mut tx).await?;
    if room.store.count_admins(&mut tx).await? > 0 {
        return Ok(None);
    }
    let token = URL_SAFE_NO_PAD.encode(rng::bytes::<24>(&*room.inputs.entropy));
    room.store.set_setting(&mut tx, SET_UP, &set_up_digest(&token)).await?;
    tx.commit().await?;
    Ok(Some(token))
}

pub async fn set_up(room: &Local, req: SetUp) -> Result<SignedIn, AccountsError> {
    limits::registration(&room.store, &room.config, req.register.client.address, room.now_ms()).await?;
    let register = req.register;
    let applicant = apply(room, &register.email, &register.name, &register.password).await?;
    let mut tx = room.store.db.begin().await?;
    room.store.lock_admins(&mut tx).await?;
    let spent = room
        .store
        .spend_setting(&mut tx, SET_UP, &set_up_digest(&req.token))
        .await?;
    // Looked at together, in the transaction that makes the admin: the token is spent only if all goes well.
    if !spent || room.store.count_admins(&mut tx).await? > 0 {
        return Err(AccountsError::SetUpRefused);
    }
    let (account, profile) = insert(room, &mut tx, &applicant, Role::Admin).await?;
    let begun = begin_session(room, &mut tx, &account, &register.client).await?;
    tx.commit().await?;
    signed_in(room, account, vec![profile], begun)
}

fn set_up_digest(token: &str) -> String {
    tokens::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}
