//! Facts that rooms tell each other. A fact is written in the transaction of the change it reports (outbox) and reaches every
//! subscriber at least once, in the order of its room: subscribers are idempotent by event id or by absolute state.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, AssetId, EventId, ExperimentId, Millis, ModelId, ProfileId, SessionId, TitleId, accounts::Role,
    activity::TitleRatings,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    pub at: Millis,
    pub body: EventBody,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    // accounts
    AccountRegistered {
        account: AccountId,
    },
    AccountDeleted {
        account: AccountId,
    },
    RoleChanged {
        account: AccountId,
        role: Role,
    },
    /// These sessions are over: their access tokens count no more.
    SessionsRevoked {
        account: AccountId,
        sessions: Vec<SessionId>,
    },
    ProfileCreated {
        account: AccountId,
        profile: ProfileId,
    },
    ProfileChanged {
        account: AccountId,
        profile: ProfileId,
    },
    ProfileDeleted {
        account: AccountId,
        profile: ProfileId,
    },
    // catalog
    /// Titles were added or changed; at most 1,000 ids an event.
    TitlesChanged {
        titles: Vec<TitleId>,
    },
    TitleDeleted {
        title: TitleId,
    },
    // activity
    /// What a profile thinks of or did with a title changed: its next page must know.
    ProfileActed {
        profile: ProfileId,
        title: TitleId,
        /// Whether this turned what the profile has said or done to the title's favour.
        #[serde(default)]
        favours: bool,
    },
    /// Absolute figures after a change, for read models elsewhere; at most 1,000 an event.
    RatingsChanged {
        titles: Vec<TitleRatings>,
    },
    /// Many interactions arrived at once.
    InteractionsImported {
        count: u64,
    },
    // streaming
    /// A title can be played.
    AssetReady {
        title: TitleId,
        asset: AssetId,
        duration_ms: u64,
        height: u32,
    },
    AssetRemoved {
        title: TitleId,
        asset: AssetId,
    },
    // recommend
    ModelActivated {
        model: ModelId,
    },
    /// It has started or was stopped.
    ExperimentChanged {
        experiment: ExperimentId,
    },
}

impl EventBody {
    /// The name of the kind, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AccountRegistered { .. } => "account_registered",
            Self::AccountDeleted { .. } => "account_deleted",
            Self::RoleChanged { .. } => "role_changed",
            Self::SessionsRevoked { .. } => "sessions_revoked",
            Self::ProfileCreated { .. } => "profile_created",
            Self::ProfileChanged { .. } => "profile_changed",
            Self::ProfileDeleted { .. } => "profile_deleted",
            Self::TitlesChanged { .. } => "titles_changed",
            Self::TitleDeleted { .. } => "title_deleted",
            Self::ProfileActed { .. } => "profile_acted",
            Self::RatingsChanged { .. } => "ratings_changed",
            Self::InteractionsImported { .. } => "interactions_imported",
            Self::AssetReady { .. } => "asset_ready",
            Self::AssetRemoved { .. } => "asset_removed",
            Self::ModelActivated { .. } => "model_activated",
            Self::ExperimentChanged { .. } => "experiment_changed",
        }
    }
}
