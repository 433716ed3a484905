//! How often somebody may try. A generic cell rate algorithm over one number per key, kept in the database: neither a restart nor
//! a second process resets it. Keys are digests, so that the table tells nothing about who tried.

use std::net::IpAddr;

use contract::{Fault, Millis, accounts::AccountsError};
use platform::{Tx, network::customer_network};
use sha2::{Digest as _, Sha256};

use crate::{Config, store::Store};

/// At most `burst` at once, then one every `every_ms`.
#[derive(Debug, Clone, Copy)]
struct Limit {
    burst: u32,
    every_ms: i64,
}

/// What an attempt counted, to be given back if it succeeds.
pub struct Taken(Vec<(String, Limit)>);

/// Counts a registration from an address.
pub async fn registration(store: &Store, config: &Config, address: IpAddr, now: Millis) -> Result<(), AccountsError> {
    let burst = config.registrations_max.max(1);
    let limit = Limit {
        burst,
        every_ms: 3_600_000 / i64::from(burst),
    };
    take(
        store,
        vec![(key("registration", &customer_network(address).to_string()), limit)],
        now,
    )
    .await
    .map(drop)
}

/// Counts an attempt at a password before it is looked at, so that many at once cannot slip through. Give it back with
/// [`succeeded`] when the password was right: only failures stay counted.
///
/// The narrow limits come first, so that one address cannot use up what an account has for all addresses; and always in the
/// same order, so that two attempts never wait for each other.
pub async fn attempt(
    store: &Store,
    config: &Config,
    email: &str,
    address: Option<IpAddr>,
    now: Millis,
) -> Result<Taken, AccountsError> {
    let mut limits = Vec::new();
    if let Some(network) = address.map(customer_network) {
        let both = format!("{network} {email}");
        limits.push((
            key("address", &network.to_string()),
            Limit {
                burst: config.failures_per_address_max,
                every_ms: 10_000,
            },
        ));
        let from_there = Limit {
            burst: config.failures_per_account_and_address_max,
            every_ms: 60_000,
        };
        limits.push((key("account and address", &both), from_there));
    }
    limits.push((
        key("account", email),
        Limit {
            burst: config.failures_per_account_max,
            every_ms: 36_000,
        },
    ));
    take(store, limits, now).await
}

/// The password was right: what the attempt counted is given back, in the transaction of what it was for.
pub async fn succeeded(store: &Store, tx: &mut Tx, taken: &Taken) -> Result<(), Fault> {
    for (key, limit) in &taken.0 {
        store.give_back_attempt(tx, key, limit.every_ms).await?;
    }
    Ok(())
}

/// The password was not judged, and that was our own fault: what the attempt counted is given back, where that can be done.
pub async fn not_theirs(store: &Store, taken: &Taken) {
    let given_back = async {
        let mut tx = store.db.begin().await?;
        succeeded(store, &mut tx, taken).await?;
        tx.commit().await
    };
    if let Err(error) = given_back.await {
        tracing::warn!(%error, "an attempt that failed by our own fault stays counted");
    }
}

async fn take(store: &Store, limits: Vec<(String, Limit)>, now: Millis) -> Result<Taken, AccountsError> {
    let mut tx = store.db.begin().await?;
    let mut taken = Taken(Vec::new());
    let mut refused = None;
    for (key, limit) in limits {
        let slack = limit.every_ms * i64::from(limit.burst.max(1) - 1);
        if let Err(free_at) = store.take_attempt(&mut tx, &key, now, limit.every_ms, slack).await? {
            let wait_ms = (free_at - slack - now).max(1);
            let wait_s = u32::try_from(wait_ms / 1000 + 1).unwrap_or(u32::MAX);
            refused = Some(AccountsError::TooManyAttempts(wait_s));
            break;
        }
        taken.0.push((key, limit));
    }
    // Also when it was refused: it was an attempt, and counts where it could be counted.
    tx.commit().await?;
    refused.map_or(Ok(taken), Err)
}

fn key(kind: &str, text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(&Sha256::digest(format!("{kind} {text}"))[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_nothing() {
        assert!(!key("account", "lea@example.org").contains("lea"));
        assert_ne!(key("account", "a"), key("address", "a"));
    }
}
