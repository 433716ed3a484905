//! The profiles of accounts, as far as they were asked for lately: every request of a viewer needs one.

use std::{sync::Arc, time::Duration};

use contract::{
    AccountId, ProfileId,
    accounts::{Accounts, AccountsError, ForAccount, Profile},
};

use crate::problem::Problem;

const ACCOUNTS_MAX: u64 = 20_000;
/// Events make changes known at once; this bounds what a lost one can do.
const KEPT_FOR: Duration = Duration::from_secs(60);

pub struct Profiles {
    accounts: Arc<dyn Accounts>,
    /// Oldest first.
    cached: moka::future::Cache<AccountId, Arc<[Arc<Profile>]>>,
}

impl Profiles {
    pub fn new(accounts: Arc<dyn Accounts>) -> Self {
        Self {
            accounts,
            cached: moka::future::Cache::builder()
                .max_capacity(ACCOUNTS_MAX)
                .time_to_live(KEPT_FOR)
                .build(),
        }
    }

    /// The profile of that id, or the account's first; another account's profile is as unknown as none.
    pub async fn choose(&self, account: AccountId, wanted: Option<ProfileId>) -> Result<Arc<Profile>, Problem> {
        let profiles = self.of(account).await?;
        let chosen = match wanted {
            Some(id) => profiles.iter().find(|profile| profile.id == id),
            None => profiles.first(),
        };
        chosen.cloned().ok_or_else(|| AccountsError::ProfileNotFound.into())
    }

    async fn of(&self, account: AccountId) -> Result<Arc<[Arc<Profile>]>, Problem> {
        let ask = async {
            let me = self.accounts.me(ForAccount { account }).await?;
            Ok(me.profiles.into_iter().map(Arc::new).collect())
        };
        let asked: Result<_, Arc<AccountsError>> = self.cached.try_get_with(account, ask).await;
        asked.map_err(|error| Problem::from(AccountsError::clone(&error)))
    }

    /// Something changed: the next request asks again.
    pub async fn forget(&self, account: AccountId) {
        self.cached.invalidate(&account).await;
    }
}
