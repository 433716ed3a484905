//! Accounts: who people are, how they prove it, and the profiles behind an account.
//!
//! Owns: `accounts`, `profiles`, `sessions`, `signing_keys`, `settings`, `attempts`. Calls no other room. Emits `AccountRegistered`,
//! `AccountDeleted`, `RoleChanged`, `SessionsRevoked`, `ProfileCreated`, `ProfileChanged`, `ProfileDeleted`; listens to nothing.
//!
//! | file | what |
//! |---|---|
//! | `service` | the door |
//! | `entry` | ways in: register, log in, refresh, first admin |
//! | `leave` | ways out: log out, change password, delete |
//! | `people` | accounts as operators see them |
//! | `profiles` | the people of one account |
//! | `passwords`, `strength` | argon2id with bounded concurrency; which passwords are refused |
//! | `tokens` | access tokens (JWT, EdDSA) and refresh tokens |
//! | `limits` | how often somebody may try |
//! | `words` | addresses and names as they are kept |
//! | `store` | SQL |
//!
//! Invariants: a password is never stored, logged or compared in plain; a refresh token is stored as a digest only; an
//! unknown address costs and says the same as a wrong password; every way in passes a limit first; a refresh token that was
//! used before ends its session; a password change ends every other session; there is always an admin once there was one;
//! there is no account that nobody made.

mod entry;
mod leave;
mod limits;
mod passwords;
mod people;
mod profiles;
mod service;
mod store;
mod strength;
mod tokens;
mod words;

use std::sync::{Arc, atomic::AtomicI64};

use contract::AccountId;
use platform::{Bus, Db, Inputs, Location, Migrations};
use serde::{Deserialize, Serialize};

pub use service::Local;

static MIGRATIONS: Migrations = platform::migrations!();

/// What an operator may set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Password hashes computed at once; each takes 19 MiB and a core. 0: as many as there are cores.
    pub hashes_at_once: usize,
    /// Log-ins that may wait for their turn; more are refused at once.
    pub hashes_waiting_max: usize,
    /// A session that is not used for so long ends.
    pub session_idle_days: u32,
    /// And after so long in any case.
    pub session_days_max: u32,
    /// Accounts that one address may register at once, and per hour after that.
    pub registrations_max: u32,
    /// Wrong passwords that one address may send at once, for any account; one more every ten seconds. Log-ins under way count
    /// as wrong until they turn out right, so this also bounds those from one household, office or proxy.
    pub failures_per_address_max: u32,
    /// Wrong passwords for one account from one address; one more every minute.
    pub failures_per_account_and_address_max: u32,
    /// Wrong passwords for one account from everywhere; one more every 36 seconds.
    pub failures_per_account_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hashes_at_once: 0,
            hashes_waiting_max: 64,
            session_idle_days: 30,
            session_days_max: 180,
            registrations_max: 60,
            failures_per_address_max: 200,
            failures_per_account_and_address_max: 10,
            failures_per_account_max: 100,
        }
    }
}

/// What the room stands on.
pub struct Deps {
    pub location: Location,
    pub inputs: Inputs,
    pub bus: Arc<Bus>,
}

/// Opens the room. It is a `contract::accounts::Accounts`.
pub async fn open(deps: Deps, config: Config) -> anyhow::Result<Arc<Local>> {
    let db = Db::open(&deps.location, "accounts", &MIGRATIONS).await?;
    deps.bus.attach(&db).await?;
    let store = store::Store { db };
    let tokens = tokens::Tokens::open(&store, &deps.inputs).await?;
    let passwords = passwords::Passwords::new(&config, &deps.inputs)?;
    Ok(Arc::new(Local {
        store,
        tokens,
        passwords,
        config,
        inputs: deps.inputs,
        tidied_at: AtomicI64::new(0),
    }))
}

impl Local {
    /// For readiness, backup and migration.
    pub fn database(&self) -> &Db {
        &self.store.db
    }

    /// A new one-time token that makes the first admin, for `kinora serve` to print; `None` once there is an admin.
    /// Earlier ones are no longer good.
    pub async fn issue_set_up_token(&self) -> Result<Option<String>, contract::Fault> {
        entry::issue_set_up_token(self).await
    }

    /// Deletes an account without its password: for operators on the command line.
    pub async fn erase(&self, account: AccountId) -> Result<(), contract::accounts::AccountsError> {
        leave::erase(self, account).await
    }
}

#[cfg(test)]
mod tests;
