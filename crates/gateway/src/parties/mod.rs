//! Watching together: parties of a few members who see one film at one time, talk, and hear each other.
//!
//! Parties are live state of the process that opened them, in memory alone. After a restart the host's page opens the party again under
//! its old id, from where its film is, and the others come back to it; nothing but the chat is lost.
//!
//! | limit | what happens beyond it |
//! |---|---|
//! | parties here, parties that an account has opened | 429 |
//! | members of a party | the connection is closed: full |
//! | size of a message | the connection is closed |
//! | messages in a time | the connection is closed |
//! | lines of chat in a time | refused |
//! | messages that wait for a member | the connection is closed: too slow |
//! | time with nobody there, time with nothing done | the party is over |
//!
//! [`room`] has the rules and [`film`] the line that the film follows; [`messages`] what is said, [`socket`] a member's connection.

mod film;
pub mod ice;
pub mod messages;
mod room;
pub mod socket;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::extract::ws::Utf8Bytes;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{AccountId, ProfileId, TitleId};
use platform::rng::{self, Entropy};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc, oneshot};

use self::{
    messages::{Ending, FromMember, MemberId, Refused, ToMember},
    room::{Connection, Room, To, Who},
};
use crate::problem::Problem;

pub use film::Course;
pub use room::MEMBERS_MAX;

/// Of those that are open at once.
const PARTIES_OF_AN_ACCOUNT_MAX: usize = 5;
/// Messages that wait for a member.
const QUEUE_MAX: usize = 256;
/// Random bytes of an id, which is all that it takes to come in, and of a seat.
const SECRET_BYTES: usize = 16;
const SECRET_CHARS: usize = 22;

/// What an operator may set of watching together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Parties at once.
    pub parties_max: u32,
    /// STUN and TURN servers for the voice call. None: members hear each other on one network only.
    pub ice_servers: Vec<ice::IceConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            parties_max: 1_000,
            ice_servers: Vec::new(),
        }
    }
}

impl Config {
    /// Fails naming the key that is wrong.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.parties_max > 0, "gateway.together.parties_max must be at least 1");
        ice::check(&self.ice_servers)
    }
}

/// All parties of this process.
pub struct Parties {
    open: Arc<Mutex<HashMap<String, Arc<Party>>>>,
    entropy: Arc<dyn Entropy>,
    parties_max: usize,
    began: Instant,
    connections: AtomicU64,
}

pub struct Party {
    pub id: String,
    pub title: TitleId,
    opened_by: AccountId,
    began: Instant,
    inner: Mutex<Inner>,
    /// Told whenever the party's next moment may be another one.
    changed: Notify,
}

struct Inner {
    room: Room,
    /// Nobody comes in any more.
    over: bool,
    lines: HashMap<Connection, Line>,
}

/// The way to one member's connection.
struct Line {
    member: MemberId,
    queue: mpsc::Sender<Utf8Bytes>,
    end: oneshot::Sender<Ending>,
}

/// A member's connection, as the socket holds it.
pub struct Seat {
    pub member: MemberId,
    connection: Connection,
    pub queue: mpsc::Receiver<Utf8Bytes>,
    pub end: oneshot::Receiver<Ending>,
}

/// Where a party stands, for who thinks of joining.
pub struct Outline {
    pub host_name: Option<String>,
    pub members: usize,
    pub position_s: f64,
}

impl Parties {
    pub fn new(config: &Config, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            open: Arc::default(),
            entropy,
            parties_max: config.parties_max as usize,
            began: Instant::now(),
            connections: AtomicU64::new(0),
        }
    }

    /// Opens a party; under an old id where the host's page knows one that is not open any more.
    pub fn open(
        &self,
        opener: (AccountId, ProfileId),
        title: TitleId,
        course: Course,
        again: Option<String>,
    ) -> Result<Arc<Party>, Problem> {
        let mut open = lock(&self.open);
        let of_account = open.values().filter(|party| party.opened_by == opener.0).count();
        if open.len() >= self.parties_max || of_account >= PARTIES_OF_AN_ACCOUNT_MAX {
            return Err(Problem::too_many(60));
        }
        let id = again.unwrap_or_else(|| self.secret());
        if open.contains_key(&id) {
            let detail = "that party is open already; join it";
            return Err(Problem::new(http::StatusCode::CONFLICT, "party_open", detail));
        }
        let party = Arc::new(Party {
            id: id.clone(),
            title,
            opened_by: opener.0,
            began: self.began,
            inner: Mutex::new(Inner {
                room: Room::new(title, opener, course, moment(self.began)),
                over: false,
                lines: HashMap::new(),
            }),
            changed: Notify::new(),
        });
        open.insert(id, party.clone());
        metrics::gauge!("parties_open").increment(1.0);
        tokio::spawn(watch(self.open.clone(), party.clone()));
        Ok(party)
    }

    pub fn find(&self, id: &str) -> Option<Arc<Party>> {
        lock(&self.open).get(id).cloned()
    }

    fn secret(&self) -> String {
        URL_SAFE_NO_PAD.encode(rng::bytes::<SECRET_BYTES>(&*self.entropy))
    }

    /// A seat at the party, or why there is none.
    pub fn join(&self, party: &Party, who: Who, seat: Option<&str>) -> Result<Seat, Ending> {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let new_seat = self.secret();
        let (queue, queued) = mpsc::channel(QUEUE_MAX);
        let (end, ended) = oneshot::channel();
        let mut inner = lock(&party.inner);
        if inner.over {
            return Err(Ending::Over);
        }
        let joined = inner.room.join(who, seat, new_seat, connection, party.now());
        let member = joined.ok_or(Ending::Full)?;
        inner.lines.insert(connection, Line { member, queue, end });
        party.deliver(&mut inner);
        party.changed.notify_one();
        Ok(Seat {
            member,
            connection,
            queue: queued,
            end: ended,
        })
    }
}

/// Whether this can be the id of a party: one that we made, or could have made.
pub fn is_id(text: &str) -> bool {
    text.len() == SECRET_CHARS
        && URL_SAFE_NO_PAD
            .decode(text)
            .is_ok_and(|bytes| bytes.len() == SECRET_BYTES)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds of our steady clock, with what there is below one.
fn moment(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

/// Does what time brings, until the party is over.
async fn watch(open: Arc<Mutex<HashMap<String, Arc<Party>>>>, party: Arc<Party>) {
    loop {
        let wait_ms = lock(&party.inner).room.next_at() - party.now();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs_f64(wait_ms.max(1.0) / 1e3)) => {}
            () = party.changed.notified() => {}
        }
        if party.tick() {
            lock(&open).remove(&party.id);
            metrics::gauge!("parties_open").decrement(1.0);
            return;
        }
    }
}

impl Party {
    /// Milliseconds of the clock that its members follow.
    pub fn now(&self) -> f64 {
        moment(self.began)
    }

    /// Whether it is over.
    fn tick(&self) -> bool {
        let mut inner = lock(&self.inner);
        let now = self.now();
        inner.room.tick(now);
        inner.over = inner.room.is_over(now);
        self.deliver(&mut inner);
        inner.over
    }

    pub fn outline(&self) -> Outline {
        let inner = lock(&self.inner);
        Outline {
            host_name: inner.room.host_name().map(str::to_owned),
            members: inner.room.members(),
            position_s: inner.room.position(self.now()),
        }
    }

    pub fn take(&self, seat: &Seat, message: FromMember) -> Result<(), Refused> {
        let mut inner = lock(&self.inner);
        let taken = inner.room.take(seat.member, message, self.now());
        self.deliver(&mut inner);
        self.changed.notify_one();
        taken
    }

    /// The connection is gone.
    pub fn lost(&self, seat: &Seat) {
        let mut inner = lock(&self.inner);
        inner.lines.remove(&seat.connection);
        inner.room.lost(seat.connection, self.now());
        self.deliver(&mut inner);
        self.changed.notify_one();
    }

    /// Says what the room wants said. Who does not keep up is let go, which the others are told of in turn.
    fn deliver(&self, inner: &mut Inner) {
        loop {
            let (said, ended) = inner.room.drain();
            if said.is_empty() && ended.is_empty() {
                break;
            }
            for (connection, ending) in ended {
                inner.end(connection, ending);
            }
            for (to, message) in said {
                for connection in inner.tell(to, &message) {
                    inner.end(connection, Ending::TooSlow);
                    inner.room.lost(connection, self.now());
                }
            }
        }
    }
}

impl Inner {
    fn end(&mut self, connection: Connection, ending: Ending) {
        if let Some(line) = self.lines.remove(&connection) {
            // Its socket may have ended by itself.
            line.end.send(ending).ok();
        }
    }

    /// Puts the message into queues; gives back whose was full.
    fn tell(&self, to: To, message: &ToMember) -> Vec<Connection> {
        let Ok(text) = serde_json::to_string(message).map(Utf8Bytes::from) else {
            return Vec::new();
        };
        let meant = self.lines.iter().filter(|(_, line)| match to {
            To::All => true,
            To::One(member) => line.member == member,
        });
        meant
            .filter(|(_, line)| line.queue.try_send(text.clone()).is_err())
            .map(|(&connection, _)| connection)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use platform::Inputs;

    use super::*;

    const COURSE: Course = Course {
        playing: false,
        position_s: 0.0,
        rate: 1.0,
    };

    fn parties(parties_max: u32) -> Parties {
        let config = Config {
            parties_max,
            ..Config::default()
        };
        Parties::new(&config, Inputs::manual(1).0.entropy)
    }

    fn person(number: i64) -> (AccountId, ProfileId) {
        (AccountId(number), ProfileId(number))
    }

    fn who(number: i64) -> Who {
        let (account, profile) = person(number);
        Who {
            account,
            profile,
            name: format!("viewer {number}"),
            avatar: "moon".into(),
        }
    }

    #[tokio::test]
    async fn who_does_not_keep_up_is_let_go_and_holds_nobody_up() {
        let parties = parties(10);
        let party = parties.open(person(1), TitleId(5), COURSE, None).unwrap();
        let mut quick = parties.join(&party, who(1), None).unwrap();
        let mut slow = parties.join(&party, who(2), None).unwrap();
        let mut heard = String::new();
        // Beside what it was told at its coming.
        for _ in slow.queue.len()..=QUEUE_MAX {
            assert!(!heard.contains(r#""present":false"#), "{heard}");
            let everybody = FromMember::Settings {
                everyone_controls: true,
            };
            party.take(&quick, everybody).unwrap();
            while let Ok(text) = quick.queue.try_recv() {
                heard = text.to_string();
            }
        }
        assert_eq!(slow.end.try_recv(), Ok(Ending::TooSlow));
        assert!(heard.contains(r#""present":false"#), "{heard}");
        assert!(quick.end.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_house_has_so_many_parties_and_no_more() {
        let parties = parties(2);
        for number in 1..=2 {
            parties.open(person(number), TitleId(5), COURSE, None).unwrap();
        }
        let refused = parties.open(person(3), TitleId(5), COURSE, None).err().unwrap();
        assert_eq!(refused.status.as_u16(), 429);
    }

    #[test]
    fn ids_are_such_as_we_make() {
        let id = parties(1).secret();
        assert!(is_id(&id), "{id}");
        for text in [
            "",
            "short",
            "AAAAAAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAAAAAAB",
            "AAAAAAAAAAAAAAAAAAAAA/",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }
}
