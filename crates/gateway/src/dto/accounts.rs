//! Accounts, sessions and profiles, as the API says them.

use contract::{AccountId, ProfileId, SessionId, accounts};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Time, mirror};

mirror! { Role of accounts::Role { Viewer, Curator, Admin } }

mirror! {
    struct Account of accounts::Account {
        #[schema(value_type = String)]
        id: AccountId,
        email: String,
        name: String,
        role: Role,
        created_at: Time,
    }
}

/// What a profile likes, as it said itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Preferences {
    /// As `GET /genres` names them.
    #[garde(length(max = accounts::PREFERRED_GENRES_MAX), inner(length(chars, min = 1, max = accounts::PREFERENCE_CHARS_MAX)))]
    #[schema(required = true)]
    pub genres: Vec<String>,
    /// BCP 47 tags, the best liked first.
    #[garde(length(max = accounts::PREFERRED_LANGUAGES_MAX), inner(length(chars, min = 1, max = 35)))]
    #[schema(required = true)]
    pub languages: Vec<String>,
    /// `film`, `series`.
    #[garde(length(max = 5), inner(length(chars, min = 1, max = 20)))]
    #[schema(required = true)]
    pub content_types: Vec<String>,
}

impl From<accounts::Preferences> for Preferences {
    fn from(theirs: accounts::Preferences) -> Self {
        let accounts::Preferences {
            genres,
            languages,
            content_types,
        } = theirs;
        Self {
            genres,
            languages,
            content_types,
        }
    }
}

impl From<Preferences> for accounts::Preferences {
    fn from(ours: Preferences) -> Self {
        let Preferences {
            genres,
            languages,
            content_types,
        } = ours;
        Self {
            genres,
            languages,
            content_types,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Profile {
    #[schema(value_type = String)]
    pub id: ProfileId,
    pub name: String,
    /// The name of one of the page's drawings.
    pub avatar: String,
    pub kids: bool,
    /// Titles above this age do not exist for the profile, years.
    pub maturity_max: u8,
    pub preferences: Preferences,
    /// Whether the first choice of genres and titles was made.
    pub onboarded: bool,
    pub created_at: Time,
}

impl From<accounts::Profile> for Profile {
    fn from(profile: accounts::Profile) -> Self {
        let accounts::Profile {
            id,
            name,
            avatar,
            kids,
            maturity_max,
            preferences,
            onboarded,
            created_at,
            ..
        } = profile;
        let preferences = preferences.into();
        Self {
            id,
            name,
            avatar,
            kids,
            maturity_max,
            preferences,
            onboarded,
            created_at: Time(created_at),
        }
    }
}

/// The answer of every way in. Browsers get the tokens as cookies too.
#[derive(Serialize, ToSchema)]
pub struct SignedIn {
    pub account: Account,
    /// The account's first profile.
    pub profile: Option<Profile>,
    pub profiles: Vec<Profile>,
    pub access_token: String,
    pub refresh_token: String,
    #[schema(value_type = String, example = "Bearer")]
    pub token_type: &'static str,
    /// Of the access token, seconds.
    pub expires_in: u32,
}

impl From<accounts::SignedIn> for SignedIn {
    fn from(signed_in: accounts::SignedIn) -> Self {
        let accounts::SignedIn {
            account,
            profiles,
            access_token,
            refresh_token,
            expires_in_s,
            ..
        } = signed_in;
        Self {
            account: account.into(),
            profile: profiles.first().cloned().map(Profile::from),
            profiles: profiles.into_iter().map(Profile::from).collect(),
            access_token,
            refresh_token,
            token_type: "Bearer",
            expires_in: expires_in_s,
        }
    }
}

/// The answer of a refresh. The tokens stand in it for whoever sent theirs in the body; a browser, which sent a cookie, gets cookies
/// alone, so that no script of its page ever holds one.
#[derive(Serialize, ToSchema)]
pub struct Refreshed {
    pub account: Account,
    /// The account's first profile.
    pub profile: Option<Profile>,
    pub profiles: Vec<Profile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    #[schema(value_type = String, example = "Bearer")]
    pub token_type: &'static str,
    /// Of the access token, seconds.
    pub expires_in: u32,
}

impl Refreshed {
    pub fn new(signed_in: SignedIn, by_cookie: bool) -> Self {
        Self {
            account: signed_in.account,
            profile: signed_in.profile,
            profiles: signed_in.profiles,
            access_token: (!by_cookie).then_some(signed_in.access_token),
            refresh_token: (!by_cookie).then_some(signed_in.refresh_token),
            token_type: signed_in.token_type,
            expires_in: signed_in.expires_in,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    pub account: Account,
    /// Oldest first.
    pub profiles: Vec<Profile>,
    /// The one that this request chose.
    #[schema(value_type = String)]
    pub profile_id: ProfileId,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    #[schema(value_type = String)]
    pub id: SessionId,
    pub user_agent: String,
    pub address: String,
    pub created_at: Time,
    pub last_used_at: Time,
    /// Whether it is the one that asks.
    pub current: bool,
}

// Lengths here only bound the work; what a good address, name or password is, accounts decides.

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Register {
    #[garde(length(chars, max = 254))]
    #[schema(example = "ada@example.org")]
    pub email: String,
    #[garde(length(chars, max = 1024))]
    pub password: String,
    #[garde(length(chars, max = 200))]
    #[schema(example = "Ada")]
    pub name: String,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Login {
    #[garde(length(chars, max = 254))]
    pub email: String,
    #[garde(length(chars, max = 1024))]
    pub password: String,
}

/// Empty in a browser: the cookie says it.
#[derive(Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    #[garde(inner(length(chars, max = 1024)))]
    pub refresh_token: Option<String>,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[garde(length(chars, max = 1024))]
    pub current_password: String,
    #[garde(length(chars, max = 1024))]
    pub new_password: String,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// Printed by `kinora serve` when no admin exists.
    #[garde(length(chars, max = 200))]
    pub token: String,
    #[garde(length(chars, max = 254))]
    pub email: String,
    #[garde(length(chars, max = 1024))]
    pub password: String,
    #[garde(length(chars, max = 200))]
    pub name: String,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct DeleteMe {
    #[garde(length(chars, max = 1024))]
    pub password: String,
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateProfile {
    #[garde(length(chars, min = 1, max = 80))]
    pub name: String,
    #[serde(default)]
    #[garde(inner(length(chars, min = 1, max = 40)))]
    pub avatar: Option<String>,
    #[serde(default)]
    #[garde(skip)]
    pub kids: bool,
    #[serde(default)]
    #[garde(inner(range(max = 18)))]
    pub maturity_max: Option<u8>,
    #[serde(default)]
    #[garde(dive)]
    pub preferences: Option<Preferences>,
}

/// Only what is there changes.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateProfile {
    #[serde(default)]
    #[garde(inner(length(chars, min = 1, max = 80)))]
    pub name: Option<String>,
    #[serde(default)]
    #[garde(inner(length(chars, min = 1, max = 40)))]
    pub avatar: Option<String>,
    #[serde(default)]
    #[garde(skip)]
    pub kids: Option<bool>,
    #[serde(default)]
    #[garde(inner(range(max = 18)))]
    pub maturity_max: Option<u8>,
    #[serde(default)]
    #[garde(dive)]
    pub preferences: Option<Preferences>,
    #[serde(default)]
    #[garde(skip)]
    pub onboarded: Option<bool>,
}

#[derive(Debug, Serialize, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListUsers {
    /// A part of an address or a name.
    #[garde(inner(length(chars, max = 200), custom(super::printable)))]
    pub q: Option<String>,
    #[garde(inner(range(min = 1, max = 200)))]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    #[garde(skip)]
    pub cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    #[garde(skip)]
    pub role: Role,
}
