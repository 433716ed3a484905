//! The door: each method is a line here and a function where its rules are.

use std::sync::atomic::{AtomicI64, Ordering};

use contract::{
    AccountId, Done, Fault, Millis, Page,
    accounts::{
        Account, Accounts, AccountsError, AddAccount, ChangePassword, CreateProfile, DeleteAccount, FindAccount,
        ForAccount, ForProfile, ForSession, GetVerification, ListAccounts, Login, Me, Profile, Refresh, Register,
        SessionInfo, SetRole, SetUp, SignedIn, UpdateProfile, Verification,
    },
    async_trait,
    events::EventBody,
};
use platform::{Inputs, Tx, outbox};

use crate::{
    Config, entry, leave,
    passwords::Passwords,
    people, profiles,
    store::Store,
    tokens::{self, ACCESS_TTL_S, Tokens},
};

type Answer<T> = Result<T, AccountsError>;

/// Old sessions and unused limits are cleared, and the signing key is looked at, this often.
const TIDY_EVERY_MS: i64 = 600_000;
/// Ended sessions are remembered for a day: far longer than their access tokens live.
pub const ENDED_KEPT_MS: i64 = 86_400_000;

/// The room itself.
pub struct Local {
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) passwords: Passwords,
    pub(crate) config: Config,
    pub(crate) inputs: Inputs,
    pub(crate) tidied_at: AtomicI64,
}

impl Local {
    pub(crate) fn now_ms(&self) -> Millis {
        self.inputs.now_ms()
    }

    /// Tells a fact in the transaction of its change.
    pub(crate) async fn tell(&self, tx: &mut Tx, body: EventBody) -> Result<(), Fault> {
        outbox::append(tx, &self.inputs.event(body)).await
    }

    /// Now and then, on the way of a log-in or a refresh; a failure is nobody's who comes in.
    pub(crate) async fn tidy_if_due(&self) {
        let now = self.now_ms();
        let last = self.tidied_at.load(Ordering::Acquire);
        let due = now - last >= TIDY_EVERY_MS;
        if !due
            || self
                .tidied_at
                .compare_exchange(last, now, Ordering::AcqRel, Ordering::Acquire)
                .is_err()
        {
            return;
        }
        if let Err(error) = self.store.tidy(now - ENDED_KEPT_MS, now).await {
            tracing::warn!(%error, "old sessions were not cleared");
        }
        if let Err(error) = self.tokens.renew_key(&self.store, &self.inputs).await {
            tracing::warn!(error = format!("{error:#}"), "the signing key was not looked at");
        }
    }
}

#[async_trait]
impl Accounts for Local {
    async fn register(&self, req: Register) -> Answer<SignedIn> {
        entry::register(self, req).await
    }
    async fn login(&self, req: Login) -> Answer<SignedIn> {
        entry::login(self, req).await
    }
    async fn refresh(&self, req: Refresh) -> Answer<SignedIn> {
        entry::refresh(self, req).await
    }
    async fn logout(&self, req: ForSession) -> Answer<Done> {
        leave::logout(self, req).await
    }
    async fn logout_all(&self, req: ForAccount) -> Answer<Done> {
        leave::logout_all(self, req.account).await
    }
    async fn change_password(&self, req: ChangePassword) -> Answer<Done> {
        leave::change_password(self, req).await
    }
    async fn delete_account(&self, req: DeleteAccount) -> Answer<Done> {
        leave::delete_account(self, req).await
    }
    async fn sessions(&self, req: ForAccount) -> Answer<Vec<SessionInfo>> {
        Ok(self.store.sessions(req.account, self.now_ms()).await?)
    }
    async fn verification(&self, _: GetVerification) -> Answer<Verification> {
        // A minute more than a token lives, for gateways whose clocks are not quite ours.
        let since = self.now_ms() - i64::from(ACCESS_TTL_S + 60) * 1000;
        Ok(Verification {
            keys: tokens::verifying(&self.store).await?,
            revoked: self.store.revoked_since(since).await?,
        })
    }
    async fn me(&self, req: ForAccount) -> Answer<Me> {
        people::me(self, req.account).await
    }
    async fn profile(&self, req: ForProfile) -> Answer<Profile> {
        self.store
            .profile(req.account, req.profile)
            .await?
            .ok_or(AccountsError::ProfileNotFound)
    }
    async fn create_profile(&self, req: CreateProfile) -> Answer<Profile> {
        profiles::create(self, req).await
    }
    async fn update_profile(&self, req: UpdateProfile) -> Answer<Profile> {
        profiles::update(self, req).await
    }
    async fn delete_profile(&self, req: ForProfile) -> Answer<Done> {
        profiles::delete(self, req).await
    }
    async fn add_account(&self, req: AddAccount) -> Answer<Me> {
        people::add(self, req).await
    }
    async fn set_up(&self, req: SetUp) -> Answer<SignedIn> {
        entry::set_up(self, req).await
    }
    async fn find(&self, req: FindAccount) -> Answer<Me> {
        people::find(self, &req.email).await
    }
    async fn list(&self, req: ListAccounts) -> Answer<Page<Account, AccountId>> {
        people::list(self, req).await
    }
    async fn set_role(&self, req: SetRole) -> Answer<Account> {
        people::set_role(self, req).await
    }
}
