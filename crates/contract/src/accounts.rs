//! Accounts: who people are, how they prove it, and the profiles behind an account.

use std::net::IpAddr;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Done, Millis, Page, ProfileId, SessionId};

/// What an account may do. Each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Viewer,
    Curator,
    Admin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub created_at: Millis,
}

/// The most profiles an account may have.
pub const PROFILES_MAX: usize = 5;
/// Genres and languages that a profile may prefer.
pub const PREFERRED_GENRES_MAX: usize = 40;
pub const PREFERRED_LANGUAGES_MAX: usize = 10;
/// Letters of each.
pub const PREFERENCE_CHARS_MAX: usize = 60;
/// The age that sees everything.
pub const MATURITY_ANY: u8 = 18;
/// The highest limit a kids profile may have, years.
pub const MATURITY_KIDS: u8 = 12;

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Preferences {
    /// Genre names as the catalogue writes them.
    pub genres: Vec<String>,
    /// BCP 47 tags, the best liked first.
    pub languages: Vec<String>,
    /// `film`, `series`.
    pub content_types: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub id: ProfileId,
    pub account: AccountId,
    pub name: String,
    /// The name of one of the page's drawings.
    pub avatar: String,
    pub kids: bool,
    /// Titles above this age are invisible, years, 0 to 18.
    pub maturity_max: u8,
    pub preferences: Preferences,
    /// Whether the first choice of genres or titles was made (or declined).
    pub onboarded: bool,
    pub created_at: Millis,
}

/// Where a request comes from, for limits and for the list of sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub address: IpAddr,
    /// At most 200 characters; longer ones are cut.
    pub user_agent: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Register {
    pub email: String,
    pub password: String,
    pub name: String,
    pub client: Client,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    pub email: String,
    pub password: String,
    pub client: Client,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Refresh {
    pub refresh_token: String,
    pub client: Client,
}

/// The answer of every way in.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignedIn {
    pub account: Account,
    pub profiles: Vec<Profile>,
    pub session: SessionId,
    pub access_token: String,
    pub refresh_token: String,
    /// Of the access token, seconds.
    pub expires_in_s: u32,
    /// Of the refresh token, seconds.
    pub refresh_expires_in_s: u32,
}

/// What an access token says (JWT, EdDSA, RFC 8037; `typ` is `at+jwt`, RFC 9068).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: AccountId,
    pub sid: SessionId,
    pub role: Role,
    /// Seconds since the epoch.
    pub iat: i64,
    pub exp: i64,
}

pub const TOKEN_ISSUER: &str = "kinora";
pub const TOKEN_AUDIENCE: &str = "kinora-api";
pub const TOKEN_TYPE: &str = "at+jwt";

/// A key that access tokens may be signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyingKey {
    /// The `kid` of the token's header.
    pub id: String,
    /// Ed25519 public key, base64url without padding (the `x` of a JWK).
    pub x: String,
}

/// What a gateway needs to judge access tokens without asking again: keys, and the sessions that ended within a token's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub keys: Vec<VerifyingKey>,
    pub revoked: Vec<SessionId>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct GetVerification {}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForAccount {
    pub account: AccountId,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForSession {
    pub account: AccountId,
    pub session: SessionId,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ChangePassword {
    pub account: AccountId,
    /// The session that asks; all others end.
    pub session: SessionId,
    pub current: String,
    pub new: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct DeleteAccount {
    pub account: AccountId,
    pub password: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    pub id: SessionId,
    pub user_agent: String,
    pub address: IpAddr,
    pub created_at: Millis,
    pub last_used_at: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub account: Account,
    /// Oldest first.
    pub profiles: Vec<Profile>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForProfile {
    pub account: AccountId,
    pub profile: ProfileId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateProfile {
    pub account: AccountId,
    pub name: String,
    pub avatar: Option<String>,
    pub kids: bool,
    pub maturity_max: Option<u8>,
    pub preferences: Preferences,
}

/// Only what is there changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateProfile {
    pub account: AccountId,
    pub profile: ProfileId,
    pub name: Option<String>,
    pub avatar: Option<String>,
    pub kids: Option<bool>,
    pub maturity_max: Option<u8>,
    pub preferences: Option<Preferences>,
    pub onboarded: Option<bool>,
}

/// Made by an operator on the command line, or by whoever holds the one-time token of an empty system.
#[derive(Clone, Serialize, Deserialize)]
pub struct AddAccount {
    pub email: String,
    pub password: String,
    pub name: String,
    pub role: Role,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct SetUp {
    /// Printed by `kinora serve` when no admin exists; good once.
    pub token: String,
    pub register: Register,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListAccounts {
    /// A part of an address or a name.
    pub query: Option<String>,
    pub after: Option<AccountId>,
    pub limit: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SetRole {
    pub account: AccountId,
    pub role: Role,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindAccount {
    pub email: String,
}

crate::door_error! {
    /// What accounts can refuse.
    AccountsError {
        EmailInvalid => InvalidArgument, "email_invalid", "this is not an e-mail address";
        PasswordRefused(String) => InvalidArgument, "password_refused", "{0}";
        NameInvalid => InvalidArgument, "name_invalid", "a name has 1 to 80 characters";
        EmailTaken => Conflict, "email_taken", "there is an account with this address already";
        /// The same for an unknown address and for a wrong password.
        CredentialsWrong => Unauthenticated, "credentials_wrong", "the address or the password is wrong";
        RefreshInvalid => Unauthenticated, "refresh_invalid", "log in again";
        /// The argument says after how many seconds to try again.
        TooManyAttempts(u32) => ResourceExhausted, "too_many_attempts", "too many attempts; try again in {0} s";
        AccountNotFound => NotFound, "account_not_found", "no such account";
        SessionNotFound => NotFound, "session_not_found", "no such session";
        ProfileNotFound => NotFound, "profile_not_found", "no such profile";
        TooManyProfiles => FailedPrecondition, "too_many_profiles", "an account has at most five profiles";
        LastProfile => FailedPrecondition, "last_profile", "an account keeps at least one profile";
        LastAdmin => FailedPrecondition, "last_admin", "the last admin stays an admin";
        ProfileInvalid(String) => InvalidArgument, "profile_invalid", "{0}";
        SetUpRefused => Forbidden, "set_up_refused", "the token is wrong, used, or an admin exists already";
    }
}

#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    async fn register(&self, req: Register) -> Result<SignedIn, AccountsError>;
    async fn login(&self, req: Login) -> Result<SignedIn, AccountsError>;
    /// Trades a refresh token for the next one. A token used twice ends its session, but for a short grace.
    async fn refresh(&self, req: Refresh) -> Result<SignedIn, AccountsError>;
    async fn logout(&self, req: ForSession) -> Result<Done, AccountsError>;
    async fn logout_all(&self, req: ForAccount) -> Result<Done, AccountsError>;
    async fn change_password(&self, req: ChangePassword) -> Result<Done, AccountsError>;
    async fn delete_account(&self, req: DeleteAccount) -> Result<Done, AccountsError>;
    async fn sessions(&self, req: ForAccount) -> Result<Vec<SessionInfo>, AccountsError>;
    async fn verification(&self, req: GetVerification) -> Result<Verification, AccountsError>;
    async fn me(&self, req: ForAccount) -> Result<Me, AccountsError>;
    async fn profile(&self, req: ForProfile) -> Result<Profile, AccountsError>;
    async fn create_profile(&self, req: CreateProfile) -> Result<Profile, AccountsError>;
    async fn update_profile(&self, req: UpdateProfile) -> Result<Profile, AccountsError>;
    async fn delete_profile(&self, req: ForProfile) -> Result<Done, AccountsError>;
    /// For operators: no limits, no session.
    async fn add_account(&self, req: AddAccount) -> Result<Me, AccountsError>;
    async fn set_up(&self, req: SetUp) -> Result<SignedIn, AccountsError>;
    async fn find(&self, req: FindAccount) -> Result<Me, AccountsError>;
    async fn list(&self, req: ListAccounts) -> Result<Page<Account, AccountId>, AccountsError>;
    async fn set_role(&self, req: SetRole) -> Result<Account, AccountsError>;
}

crate::wire! { Accounts as "accounts", AccountsError:
    register(Register) -> SignedIn,
    login(Login) -> SignedIn,
    refresh(Refresh) -> SignedIn,
    logout(ForSession) -> Done,
    logout_all(ForAccount) -> Done,
    change_password(ChangePassword) -> Done,
    delete_account(DeleteAccount) -> Done,
    sessions(ForAccount) -> Vec<SessionInfo>,
    verification(GetVerification) -> Verification,
    me(ForAccount) -> Me,
    profile(ForProfile) -> Profile,
    create_profile(CreateProfile) -> Profile,
    update_profile(UpdateProfile) -> Profile,
    delete_profile(ForProfile) -> Done,
    add_account(AddAccount) -> Me,
    set_up(SetUp) -> SignedIn,
    find(FindAccount) -> Me,
    list(ListAccounts) -> Page<Account, AccountId>,
    set_role(SetRole) -> Account,
}
