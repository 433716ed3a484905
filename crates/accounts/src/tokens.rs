//! Access tokens and refresh tokens.
//!
//! An access token is a JWT signed with Ed25519 (RFC 8037), `typ` `at+jwt` (RFC 9068), good for ten minutes and judged offline.
//!
//! A refresh token is, in base64url, the session's id, 32 random bytes and a MAC of both. The MAC tells a token that was ours once
//! from one that somebody made up: only the first kind, used twice, ends a session. The database has the token's SHA-256 only.
//! The random bytes of a successor are HMAC(predecessor, nonce), and the nonce is kept: so a client whose reply was lost gets
//! the same successor again, and the database alone can make neither.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{
    AccountId, Fault, Millis, SessionId,
    accounts::{Claims, Role, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_TYPE, VerifyingKey},
};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use platform::{Inputs, rng};
use sha2::{Digest as _, Sha256};

use crate::store::Store;

pub const ACCESS_TTL_S: u32 = 600;
const RANDOM_BYTES: usize = 32;
const MAC_BYTES: usize = 16;
const TOKEN_BYTES: usize = 8 + RANDOM_BYTES + MAC_BYTES;
const SECRET_BYTES: usize = 32;

/// A signing key is replaced at this age. The one before verifies for a day more: processes notice within minutes, and a token lives ten.
const KEY_AGE_MAX_MS: i64 = 30 * 86_400_000;
const KEY_KEPT_MS: i64 = 86_400_000;

/// Signs and makes tokens.
pub struct Tokens {
    signing: RwLock<Arc<Signing>>,
    secret: [u8; SECRET_BYTES],
}

struct Signing {
    kid: String,
    key: EncodingKey,
}

/// A refresh token that was ours, whatever has become of it.
#[derive(Clone)]
pub struct RefreshToken {
    pub session: SessionId,
    text: String,
}

impl Tokens {
    /// Takes the keys from the database; makes them on the first start.
    pub async fn open(store: &Store, inputs: &Inputs) -> anyhow::Result<Self> {
        let signing = newest_key(store, inputs).await?;
        let secret = URL_SAFE_NO_PAD.encode(rng::bytes::<SECRET_BYTES>(&*inputs.entropy));
        let secret = store.ensure_setting("refresh_secret", &secret).await?;
        let secret = URL_SAFE_NO_PAD
            .decode(secret)
            .ok()
            .and_then(|secret| secret.try_into().ok());
        Ok(Self {
            signing: RwLock::new(Arc::new(signing)),
            secret: secret.context("the refresh tokens' secret has the wrong length")?,
        })
    }

    /// Signs with the newest key from now on, which this makes when it is time; forgets those that no good token can name.
    pub async fn renew_key(&self, store: &Store, inputs: &Inputs) -> anyhow::Result<()> {
        let signing = Arc::new(newest_key(store, inputs).await?);
        *self.signing.write().unwrap_or_else(PoisonError::into_inner) = signing;
        store.forget_signing_keys(inputs.now_ms() - KEY_KEPT_MS).await?;
        Ok(())
    }

    pub fn access(&self, account: AccountId, session: SessionId, role: Role, now: Millis) -> Result<String, Fault> {
        let iat = now / 1000;
        let claims = Claims {
            iss: TOKEN_ISSUER.into(),
            aud: TOKEN_AUDIENCE.into(),
            sub: account,
            sid: session,
            role,
            iat,
            exp: iat + i64::from(ACCESS_TTL_S),
        };
        let signing = self.signing.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.into());
        header.kid = Some(signing.kid.clone());
        jsonwebtoken::encode(&header, &claims, &signing.key)
            .map_err(|error| Fault::Internal(format!("signing: {error}")))
    }

    /// The first token of a session.
    pub fn first(&self, session: SessionId, inputs: &Inputs) -> RefreshToken {
        self.make(session, rng::bytes(&*inputs.entropy))
    }

    /// The token after `token`; the same one for the same nonce.
    pub fn successor(&self, token: &RefreshToken, nonce: &[u8]) -> RefreshToken {
        self.make(token.session, mac(token.text.as_bytes(), &[b"successor", nonce]))
    }

    /// `None` for everything that never was a token of ours.
    pub fn parse(&self, text: &str) -> Option<RefreshToken> {
        let bytes: [u8; TOKEN_BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (signed, given) = bytes.split_at(TOKEN_BYTES - MAC_BYTES);
        let is_ours = keyed(&self.secret, &[b"refresh", signed])
            .verify_truncated_left(given)
            .is_ok();
        let session = i64::from_be_bytes(signed[..8].try_into().ok()?).into();
        is_ours.then(|| RefreshToken {
            session,
            text: text.to_owned(),
        })
    }

    fn make(&self, session: SessionId, random: [u8; RANDOM_BYTES]) -> RefreshToken {
        let mut bytes = session.0.to_be_bytes().to_vec();
        bytes.extend(random);
        let proof: [u8; 32] = mac(&self.secret, &[b"refresh", &bytes]);
        bytes.extend(&proof[..MAC_BYTES]);
        RefreshToken {
            session,
            text: URL_SAFE_NO_PAD.encode(bytes),
        }
    }
}

impl RefreshToken {
    /// What the database keeps of it.
    pub fn digest(&self) -> Vec<u8> {
        digest(&self.text)
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

/// SHA-256 of a secret with enough entropy of its own.
pub fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}

async fn newest_key(store: &Store, inputs: &Inputs) -> anyhow::Result<Signing> {
    let (fresh, now): ([u8; SECRET_BYTES], _) = (rng::bytes(&*inputs.entropy), inputs.now_ms());
    let public = SigningKey::from_bytes(&fresh).verifying_key();
    let id = URL_SAFE_NO_PAD.encode(&Sha256::digest(public.as_bytes())[..9]);
    store.ensure_signing_key(&id, &fresh, now, now - KEY_AGE_MAX_MS).await?;
    let newest = store.signing_keys().await?.into_iter().next();
    let (kid, secret) = newest.context("there is no signing key")?;
    let der = key(&secret)?.to_pkcs8_der().context("writing out the signing key")?;
    let key = EncodingKey::from_ed_der(der.as_bytes());
    Ok(Signing { kid, key })
}

/// Of every key that a good token may be signed with, also by other processes.
pub async fn verifying(store: &Store) -> Result<Vec<VerifyingKey>, Fault> {
    let keys = store.signing_keys().await?.into_iter().map(|(id, secret)| {
        let x = URL_SAFE_NO_PAD.encode(key(&secret)?.verifying_key().as_bytes());
        Ok(VerifyingKey { id, x })
    });
    keys.collect()
}

fn key(secret: &[u8]) -> Result<SigningKey, Fault> {
    let wrong = |_| Fault::Internal("a signing key has the wrong length".into());
    secret
        .try_into()
        .map(|secret| SigningKey::from_bytes(&secret))
        .map_err(wrong)
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    keyed(key, parts).finalize().into_bytes().into()
}

#[allow(clippy::expect_used)]
fn keyed(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}
