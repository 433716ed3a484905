//! Server-sent events for open pages: jobs as they go on (for curators), and what changed for this account.

use std::{
    collections::HashMap,
    convert::Infallible,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use contract::{JobId, accounts::Role, jobs::ListJobs};
use futures::{Stream, StreamExt as _, future::ready, stream};
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::{
    dto::admin::Job,
    hub::{Notice, Seat},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::{Caller, Viewing},
    state::Gateway,
};

const HEARTBEAT: Duration = Duration::from_secs(15);
const JOBS_EVERY: Duration = Duration::from_secs(1);
/// The newest jobs; older ones do not move any more.
const JOBS_SEEN: u32 = 50;

pub fn routes() -> Vec<Route> {
    vec![route(Policy::Viewer, routes!(get_events)).streaming()]
}

/// What an event says; `event:` names the kind, `data:` is this as JSON.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message {
    /// For curators: a job is new or went on.
    Job { job: Box<Job> },
    /// What this profile would see has changed.
    HomeChanged {},
    /// Profiles of the account changed.
    ProfilesChanged {},
    /// These titles changed.
    TitlesChanged {
        #[schema(value_type = Vec<String>)]
        title_ids: Vec<contract::TitleId>,
    },
    /// A title can be played.
    TitleReady {
        #[schema(value_type = String)]
        title_id: contract::TitleId,
    },
}

impl Message {
    fn event(&self) -> Event {
        let name = match self {
            Self::Job { .. } => "job",
            Self::HomeChanged {} => "home_changed",
            Self::ProfilesChanged {} => "profiles_changed",
            Self::TitlesChanged { .. } => "titles_changed",
            Self::TitleReady { .. } => "title_ready",
        };
        // These types always become JSON; a comment keeps the stream alive if ever one does not.
        Event::default()
            .event(name)
            .json_data(self)
            .unwrap_or_else(|_| Event::default().comment("unsaid"))
    }
}

/// Changes as they happen, until the access token ends; then refresh and ask again.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    responses((status = 200, body = Message, content_type = "text/event-stream")))]
async fn get_events(State(gateway): State<Gateway>, viewing: Viewing) -> Result<Response, Problem> {
    let caller = viewing.caller;
    let seat = gateway.hub.seat(caller.account, gateway.config.event_streams_max)?;
    let left_ms = caller.expires_at - gateway.doors.inputs.now_ms();
    let ends = tokio::time::sleep(Duration::from_millis(left_ms.max(0) as u64));
    let jobs = jobs(gateway.clone(), caller);
    let messages = until_the_first_ends(notices(&gateway, viewing, seat), jobs);
    let events = messages
        .map(|message| Ok::<_, Infallible>(message.event()))
        .take_until(ends);
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response())
}

/// Both together, for as long as the first goes on: merged streams end with the last of them otherwise.
fn until_the_first_ends<T>(first: impl Stream<Item = T>, second: impl Stream<Item = T>) -> impl Stream<Item = T> {
    let first = first.map(Some).chain(stream::once(ready(None)));
    stream::select(first, second.map(Some))
        .take_while(|message| ready(message.is_some()))
        .filter_map(ready)
}

/// What the bus brought, as far as it concerns this viewer. Ends when the session does.
fn notices(gateway: &Gateway, viewing: Viewing, seat: Seat) -> impl Stream<Item = Message> + use<> {
    struct Listening {
        from: Receiver<std::sync::Arc<Notice>>,
        viewing: Viewing,
        _seat: Seat,
    }
    let listening = Listening {
        from: gateway.hub.listen(),
        viewing,
        _seat: seat,
    };
    stream::unfold(listening, |mut listening| async move {
        loop {
            let said = match listening.from.recv().await {
                Ok(notice) => message(&notice, &listening.viewing),
                // It fell behind: what was lost can only have changed the page.
                Err(RecvError::Lagged(_)) => Said::Message(Message::HomeChanged {}),
                Err(RecvError::Closed) => Said::End,
            };
            match said {
                Said::Message(message) => return Some((message, listening)),
                Said::Nothing => {}
                Said::End => return None,
            }
        }
    })
}

enum Said {
    Message(Message),
    Nothing,
    End,
}

fn message(notice: &Notice, viewing: &Viewing) -> Said {
    let caller = viewing.caller;
    match notice {
        Notice::SessionsEnded { sessions } if sessions.contains(&caller.session) => Said::End,
        Notice::ProfileActed { profile, .. } if *profile == viewing.profile.id => {
            Said::Message(Message::HomeChanged {})
        }
        Notice::ModelActivated => Said::Message(Message::HomeChanged {}),
        Notice::ProfilesChanged { account } if *account == caller.account => Said::Message(Message::ProfilesChanged {}),
        // Which titles there are is for those to know who may see all of them.
        Notice::TitlesChanged { titles } if caller.role >= Role::Curator => Said::Message(Message::TitlesChanged {
            title_ids: titles.clone(),
        }),
        Notice::TitleReady { title } if caller.role >= Role::Curator => {
            Said::Message(Message::TitleReady { title_id: *title })
        }
        _ => Said::Nothing,
    }
}

/// For curators: jobs that moved since the last look. For others nothing, without end.
fn jobs(gateway: Gateway, caller: Caller) -> impl Stream<Item = Message> {
    struct Watching {
        gateway: Gateway,
        seen: HashMap<JobId, Job>,
        found: Vec<Job>,
        looked_at: Option<Instant>,
    }
    if caller.role < Role::Curator {
        return stream::pending().right_stream();
    }
    let watching = Watching {
        gateway,
        seen: HashMap::new(),
        found: Vec::new(),
        looked_at: None,
    };
    let moved = stream::unfold(watching, |mut watching| async move {
        loop {
            if let Some(job) = watching.found.pop() {
                return Some((Message::Job { job: Box::new(job) }, watching));
            }
            if let Some(looked_at) = watching.looked_at {
                tokio::time::sleep(JOBS_EVERY.saturating_sub(looked_at.elapsed())).await;
            }
            watching.looked_at = Some(Instant::now());
            let Ok(jobs) = super::admin::jobs::newest(
                &watching.gateway,
                ListJobs {
                    limit: JOBS_SEEN,
                    ..Default::default()
                },
            )
            .await
            else {
                continue;
            };
            let jobs: Vec<Job> = jobs.into_iter().map(Job::from).collect();
            watching.found = jobs
                .iter()
                .filter(|job| watching.seen.get(&job.id) != Some(*job))
                .cloned()
                .collect();
            watching.seen = jobs.into_iter().map(|job| (job.id, job)).collect();
        }
    });
    moved.left_stream()
}
