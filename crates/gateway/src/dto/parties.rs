//! Parties, as the API says them. What goes over their sockets is in [`crate::parties::messages`].

use contract::{ProfileId, TitleId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::parties;

const RATE_DEFAULT: f64 = 1.0;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct OpenParty {
    /// A film or an episode.
    #[garde(skip)]
    #[schema(value_type = String)]
    pub title_id: TitleId,
    /// Where the film is. Absent: at its beginning.
    #[serde(default)]
    #[garde(range(min = 0.0, max = 1_000_000.0))]
    #[schema(minimum = 0)]
    pub position_s: f64,
    #[serde(default)]
    #[garde(skip)]
    pub playing: bool,
    /// Speed of the film. Absent: 1.
    #[serde(default = "rate_default")]
    #[garde(range(min = 0.25, max = 4.0))]
    #[schema(minimum = 0.25, maximum = 4)]
    pub rate: f64,
    /// Of a party that was lost with the server that it was open at: opens it again under this id.
    #[serde(default)]
    #[garde(inner(custom(an_id)))]
    pub id: Option<String>,
}

fn rate_default() -> f64 {
    RATE_DEFAULT
}

fn an_id(text: &str, _: &()) -> garde::Result {
    match parties::is_id(text) {
        true => Ok(()),
        false => Err(garde::Error::new("is not the id of a party")),
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Party {
    /// Whoever knows it may join.
    pub id: String,
    #[schema(value_type = String)]
    pub title_id: TitleId,
    /// `null`: nobody is there.
    #[schema(required = true)]
    pub host_name: Option<String>,
    pub members: usize,
    pub members_max: usize,
    /// Where the film is.
    pub position_s: f64,
}

impl From<&parties::Party> for Party {
    fn from(party: &parties::Party) -> Self {
        let parties::Outline {
            host_name,
            members,
            position_s,
        } = party.outline();
        Self {
            id: party.id.clone(),
            title_id: party.title,
            host_name,
            members,
            members_max: parties::MEMBERS_MAX,
            position_s,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JoinQuery {
    /// Which of the account's profiles joins: a browser's WebSocket sends no headers of ours. Default: the first.
    #[garde(skip)]
    #[param(value_type = Option<String>)]
    pub profile: Option<ProfileId>,
    /// The seat that a welcome gave, to come back to it.
    #[garde(inner(custom(an_id)))]
    pub seat: Option<String>,
}
