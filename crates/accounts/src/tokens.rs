//! Access tokens and refresh tokens.
//!
//! An access token is a JWT signed with Ed25519 (RFC 8037), `typ` `at+jwt` (RFC 9068), good for ten minutes and judged offline.
//!
//! A refresh token is, in base64url, the session's id, 32 random bytes and a MAC of both. The MAC tells a token that was ours once
//! from one that somebody made up: only the first kind, used twice, ends a session. The database has the token's SHA-256 only.
//! The random bytes of a successor are HMAC(predecessor, nonce), and the nonce is kept: so a client whose reply was lost gets
//! the same successor again, and the database alone can make neither.

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

/// Signs and makes tokens.
pub struct Tokens {
    kid: String,
    key: EncodingKey,
    /// Of every key, the newest first.
    verifying: Vec<VerifyingKey>,
    secret: [u8; SECRET_BYTES],
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
        let fresh: [u8; SECRET_BYTES] = rng::bytes(&*inputs.entropy);
        let public = SigningKey::from_bytes(&fresh).verifying_key();
        let id = URL_SAFE_NO_PAD.encode(&Sha256::digest(public.as_bytes())[..9]);
        store.ensure_signing_key(&id, &fresh, inputs.now_ms()).await?;
        let secret = URL_SAFE_NO_PAD.encode(rng::bytes::<SECRET_BYTES>(&*inputs.entropy));
        let secret = store.ensure_setting("refresh_secret", &secret).await?;
        let secret = URL_SAFE_NO_PAD
            .decode(secret)
            .ok()
            .and_then(|secret| secret.try_into().ok());

        let mut keys = Vec::new();
        for (id, secret) in store.signing_keys().await? {
            let secret: [u8; SECRET_BYTES] = secret.try_into().ok().context("a signing key has the wrong length")?;
            keys.push((id, SigningKey::from_bytes(&secret)));
        }
        let (kid, newest) = keys.first().context("there is no signing key")?;
        let der = newest.to_pkcs8_der().context("writing out the signing key")?;
        Ok(Self {
            kid: kid.clone(),
            key: EncodingKey::from_ed_der(der.as_bytes()),
            verifying: keys.iter().map(|(id, key)| verifying(id, key)).collect(),
            secret: secret.context("the refresh tokens' secret has the wrong length")?,
        })
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
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.into());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|error| Fault::Internal(format!("signing: {error}")))
    }

    pub fn verifying(&self) -> &[VerifyingKey] {
        &self.verifying
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

fn verifying(id: &str, key: &SigningKey) -> VerifyingKey {
    VerifyingKey {
        id: id.to_owned(),
        x: URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()),
    }
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
