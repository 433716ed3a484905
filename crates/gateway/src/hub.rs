//! Facts as they reach the gateway: sessions that ended, roles and profiles that changed, and what open pages want to know.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use contract::{
    AccountId, ProfileId, TitleId,
    events::{Event, EventBody},
};
use platform::bus::{Delivery, handler};
use tokio::sync::broadcast;

use crate::{problem::Problem, state::Gateway};

/// Notices that a slow reader may be behind before it loses some.
const NOTICES_MAX: usize = 256;

/// Something that open pages may want to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// What a profile sees has changed.
    ProfileActed {
        profile: ProfileId,
        title: TitleId,
    },
    ProfilesChanged {
        account: AccountId,
    },
    TitlesChanged {
        titles: Vec<TitleId>,
    },
    TitleReady {
        title: TitleId,
    },
    ModelActivated,
    /// Streams of this session must end.
    SessionsEnded {
        sessions: HashSet<contract::SessionId>,
    },
}

/// Hands notices to open event streams, and counts those.
pub struct Hub {
    notices: broadcast::Sender<Arc<Notice>>,
    streams: Arc<Mutex<HashMap<AccountId, u32>>>,
}

/// An account's right to one event stream.
pub struct Seat {
    streams: Arc<Mutex<HashMap<AccountId, u32>>>,
    account: AccountId,
}

impl Hub {
    pub fn new() -> Self {
        Self {
            notices: broadcast::Sender::new(NOTICES_MAX),
            streams: Arc::default(),
        }
    }

    pub fn listen(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.notices.subscribe()
    }

    pub fn seat(&self, account: AccountId, streams_max: u32) -> Result<Seat, Problem> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = streams.entry(account).or_insert(0);
        if *taken >= streams_max {
            return Err(Problem::too_many(5));
        }
        *taken += 1;
        Ok(Seat {
            streams: self.streams.clone(),
            account,
        })
    }

    fn tell(&self, notice: Notice) {
        // Nobody listening is no error.
        self.notices.send(Arc::new(notice)).ok();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = streams.get_mut(&self.account) {
            *taken -= 1;
            if *taken == 0 {
                streams.remove(&self.account);
            }
        }
    }
}

/// Takes facts from now on; what was before, the doors know.
pub async fn subscribe(gateway: &Gateway) -> anyhow::Result<()> {
    let at = gateway.clone();
    let handler = handler(move |events: Vec<Event>| {
        let gateway = at.clone();
        Box::pin(async move {
            for event in events {
                take(&gateway, event).await;
            }
            Ok(())
        })
    });
    gateway
        .doors
        .bus
        .subscribe("gateway", Delivery::Ephemeral, handler)
        .await?;
    Ok(())
}

pub async fn take(gateway: &Gateway, event: Event) {
    match event.body {
        EventBody::SessionsRevoked { sessions, .. } => {
            gateway.tokens.revoke(&sessions);
            gateway.hub.tell(Notice::SessionsEnded {
                sessions: sessions.into_iter().collect(),
            });
        }
        EventBody::RoleChanged { account, role } => gateway.tokens.set_role(account, role, event.at),
        EventBody::ProfileCreated { account, .. }
        | EventBody::ProfileChanged { account, .. }
        | EventBody::ProfileDeleted { account, .. } => {
            gateway.profiles.forget(account).await;
            gateway.hub.tell(Notice::ProfilesChanged { account });
        }
        EventBody::AccountDeleted { account } => gateway.profiles.forget(account).await,
        EventBody::ProfileActed { profile, title, .. } => gateway.hub.tell(Notice::ProfileActed { profile, title }),
        EventBody::TitlesChanged { titles } => gateway.hub.tell(Notice::TitlesChanged { titles }),
        EventBody::TitleDeleted { title } => gateway.hub.tell(Notice::TitlesChanged { titles: vec![title] }),
        EventBody::AssetReady { title, .. } => gateway.hub.tell(Notice::TitleReady { title }),
        EventBody::ModelActivated { .. } | EventBody::ExperimentChanged { .. } => {
            gateway.hub.tell(Notice::ModelActivated)
        }
        EventBody::AccountRegistered { .. }
        | EventBody::RatingsChanged { .. }
        | EventBody::InteractionsImported { .. }
        | EventBody::AssetRemoved { .. } => {}
    }
}
