//! What every handler reaches: the doors and the gateway's own small memory.

use std::{ops::Deref, sync::Arc, time::Duration};

use contract::{PlaybackId, streaming::Playback};
use url::Url;

use crate::{
    Config, Doors, card_texts::CardTexts, edge::Counts, files::Files, home_pages::HomePages, hub::Hub,
    idempotency::Answers, network::Network, parties::Parties, pictures::Pictures, profiles::Profiles, rate::Limits,
    session::tokens::Tokens,
};

const PLAYBACKS_MAX: u64 = 20_000;
const PLAYBACK_KEPT_FOR: Duration = Duration::from_secs(600);

/// Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

pub struct Inner {
    pub doors: Doors,
    pub config: Config,
    pub public_url: Option<Url>,
    pub trusted: Vec<Network>,
    pub tokens: Tokens,
    pub profiles: Profiles,
    pub limits: Limits,
    pub answers: Answers,
    pub hub: Hub,
    pub pictures: Pictures,
    pub parties: Parties,
    pub card_texts: CardTexts,
    pub home_pages: HomePages,
    pub files: Files,
    pub counts: Counts,
    /// Players report every few seconds: whose playback it is need not be asked each time.
    pub playbacks: moka::sync::Cache<PlaybackId, Arc<Playback>>,
}

impl Gateway {
    pub fn new(doors: Doors, config: Config, pictures: Pictures) -> Self {
        Self(Arc::new(Inner {
            tokens: Tokens::new(doors.accounts.clone(), doors.inputs.clock.clone()),
            profiles: Profiles::new(doors.accounts.clone()),
            limits: Limits::new(&config),
            answers: Answers::new(),
            hub: Hub::new(),
            card_texts: CardTexts::new(),
            home_pages: HomePages::new(config.home_pages_bytes_max),
            files: Files::new(config.media_bytes_max),
            counts: Counts::new(),
            parties: Parties::new(&config.together, doors.inputs.entropy.clone()),
            pictures,
            playbacks: moka::sync::Cache::builder()
                .max_capacity(PLAYBACKS_MAX)
                .time_to_live(PLAYBACK_KEPT_FOR)
                .build(),
            // Checked by `Config::check` before.
            public_url: config.public_url().ok().flatten(),
            trusted: config.trusted().unwrap_or_default(),
            doors,
            config,
        }))
    }
}

impl Deref for Gateway {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
