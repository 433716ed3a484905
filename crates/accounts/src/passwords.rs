//! Password hashes: argon2id, a bounded number at once, the same work for an unknown address.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::anyhow;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version, password_hash::phc::PasswordHash,
};
use contract::Fault;
use platform::{Inputs, rng};
use tokio::sync::Semaphore;

use crate::Config;

/// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// More than 128 characters ever take.
const BYTES_MAX: usize = 1024;
/// Nobody waits longer than this for a turn.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Makes and checks password hashes.
pub struct Passwords {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    inputs: Inputs,
    /// A hash that no password has, for addresses that nobody has.
    nobody: String,
}

impl Passwords {
    pub fn new(config: &Config, inputs: &Inputs) -> anyhow::Result<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| anyhow!("argon2: {error}"))?;
        let at_once = match config.hashes_at_once {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            set => set,
        };
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            turns: Arc::new(Semaphore::new(at_once)),
            waiting: AtomicUsize::new(0),
            waiting_max: config.hashes_waiting_max,
            nobody: hash_of_nobody(inputs),
            inputs: inputs.clone(),
        })
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: &str) -> Result<String, Fault> {
        let salt: [u8; SALT_BYTES] = rng::bytes(&*self.inputs.entropy);
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        self.in_turn(move || {
            let hash = argon2.hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string())
                .map_err(|error| Fault::Internal(format!("argon2: {error}")))
        })
        .await?
    }

    /// Whether `password` is the one; with no `hash` the same work for nothing, and `false`.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Fault> {
        // Nobody has one as long as that; it costs what any other wrong one costs.
        let password = if password.len() <= BYTES_MAX { password } else { "" };
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let matches = self.in_turn(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| Fault::Internal(format!("a stored hash: {error}")))?;
            Ok::<_, Fault>(argon2.verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(matches.await?? && known)
    }

    /// Runs on a thread of its own when there is a turn; refuses at once when too many wait already.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let turn = match self.turns.clone().try_acquire_owned() {
            Ok(turn) => turn,
            Err(_) => self.wait().await?,
        };
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Held until the memory is free again, also when the caller has gone away.
            drop(turn);
            done
        });
        done.await.map_err(|error| Fault::Internal(error.to_string()))
    }

    /// Everybody's turn at once.
    #[cfg(test)]
    pub async fn all_turns(&self) -> tokio::sync::OwnedSemaphorePermit {
        let all = self.turns.available_permits() as u32;
        self.turns.clone().acquire_many_owned(all).await.unwrap()
    }

    async fn wait(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Fault> {
        let overloaded = || Fault::Overloaded("log-ins".into());
        let place = Place::take(&self.waiting, self.waiting_max).ok_or_else(overloaded)?;
        let turn = tokio::time::timeout(WAIT_MAX, self.turns.clone().acquire_owned()).await;
        drop(place);
        turn.map_err(|_| overloaded())?
            .map_err(|_| Fault::Unavailable("shutting down".into()))
    }
}

/// A place in the queue, given back however the wait ends.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, max: usize) -> Option<Self> {
        let place = Self(waiting);
        // Given back by the drop of `place` when it is one too many.
        (waiting.fetch_add(1, Ordering::AcqRel) < max).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Well formed, of the same cost, and random instead of computed: no password gives it.
fn hash_of_nobody(inputs: &Inputs) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
    let salt = STANDARD_NO_PAD.encode(rng::bytes::<SALT_BYTES>(&*inputs.entropy));
    let digest = STANDARD_NO_PAD.encode(rng::bytes::<32>(&*inputs.entropy));
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(at_once: usize, waiting_max: usize) -> Arc<Passwords> {
        let config = Config {
            hashes_at_once: at_once,
            hashes_waiting_max: waiting_max,
            ..Config::default()
        };
        Arc::new(Passwords::new(&config, &Inputs::manual(1).0).unwrap())
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_only_and_no_two_are_alike() {
        let passwords = passwords(2, 10);
        let hash = passwords.hash("correct horse battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse battery").await.unwrap());
        assert!(passwords.verify("correct horse battery", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("correct horse batterY", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("correct horse battery", None).await.unwrap());
        assert!(passwords.verify("x", Some("not a hash")).await.is_err());
    }

    #[tokio::test]
    async fn only_so_many_wait_and_the_others_hear_it_at_once() {
        let passwords = passwords(1, 2);
        let hashes = (0..12).map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.hash("correct horse battery").await })
        });
        let results = futures::future::join_all(hashes.collect::<Vec<_>>()).await;
        let refused = results
            .iter()
            .filter(|result| matches!(result, Ok(Err(Fault::Overloaded(_)))))
            .count();
        let made = results.iter().filter(|result| matches!(result, Ok(Ok(_)))).count();
        assert_eq!((made + refused, made), (12, 3), "one at work, two waiting");
        assert_eq!(passwords.waiting.load(Ordering::Acquire), 0);
    }
}
