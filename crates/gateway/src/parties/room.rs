//! The rules of one party: who is in it, who decides, and where the film is. No clock, no sockets: time comes in, what is to be said
//! and which connections end goes out.
//!
//! - The film is a line: at `position_s` at `at_ms`, from there on at `rate`. A control draws a new one, whoever may send it.
//! - It stands still while somebody's picture cannot go on, 10 s at most, and then begins for all at one moment shortly ahead.
//! - Who loses the connection keeps the seat for a minute. A host who is away for 15 s is replaced by who has been here longest.

use std::collections::VecDeque;

use contract::{AccountId, ProfileId, TitleId};

use super::{
    film::{Course, Film, Moment},
    messages::{Ending, FromMember, Line, Member as Told, MemberId, Refused, ToMember},
};

/// Every member of a call sends their voice to every other.
pub const MEMBERS_MAX: usize = 8;
const CHAT_LINES_KEPT: usize = 50;
/// At once, and the time after which one more may come.
const CHAT_BURST: u32 = 5;
const CHAT_LINE_EVERY_MS: f64 = 1_000.0;
/// Who was waited for is not waited for again so soon; who was waited for in vain not before it can go on, or the film goes elsewhere.
const AFTER_WAIT_MS: f64 = 10_000.0;
const HOST_AWAY_MAX_MS: f64 = 15_000.0;
const AWAY_MAX_MS: f64 = 60_000.0;
/// Nobody is here: long enough for a server to come back, and for a page to be opened.
const EMPTY_MAX_MS: f64 = 120_000.0;
/// Nobody has said or done anything.
const IDLE_MAX_MS: f64 = 6.0 * 3_600_000.0;

/// Which of the connections to this gateway.
pub type Connection = u64;

/// Somebody who comes in.
#[derive(Debug, Clone)]
pub struct Who {
    pub account: AccountId,
    pub profile: ProfileId,
    pub name: String,
    pub avatar: String,
}

#[derive(Debug)]
struct Member {
    id: MemberId,
    who: Who,
    /// Known to this member alone.
    seat: String,
    connection: Option<Connection>,
    away_since: Moment,
    waiting: bool,
    /// Until then the film does not wait for this member.
    not_awaited_until: Moment,
    voice: bool,
    muted: bool,
    chat_allowed: f64,
    chat_at: Moment,
}

impl Member {
    fn is_awaited(&self, now: Moment) -> bool {
        self.connection.is_some() && self.waiting && self.not_awaited_until <= now
    }
}

/// Whom something is said to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    All,
    One(MemberId),
}

pub type Said = Vec<(To, ToMember)>;
pub type Ended = Vec<(Connection, Ending)>;

#[derive(Debug)]
pub struct Room {
    title: TitleId,
    /// Who opened it, until they have come: others may be quicker, but the party is theirs.
    opener: Option<(AccountId, ProfileId)>,
    /// In the order of coming.
    members: Vec<Member>,
    host: MemberId,
    everyone_controls: bool,
    film: Film,
    chat: VecDeque<Line>,
    next_member: u32,
    empty_since: Moment,
    acted_at: Moment,
    said: Vec<(To, ToMember)>,
    ended: Vec<(Connection, Ending)>,
}

impl Room {
    pub fn new(title: TitleId, opener: (AccountId, ProfileId), course: Course, now: Moment) -> Self {
        Self {
            title,
            opener: Some(opener),
            members: Vec::new(),
            host: MemberId(0),
            everyone_controls: false,
            film: Film::new(course, now),
            chat: VecDeque::new(),
            next_member: 1,
            empty_since: now,
            acted_at: now,
            said: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// What is to be said, and which connections end, since the last question.
    pub fn drain(&mut self) -> (Said, Ended) {
        (std::mem::take(&mut self.said), std::mem::take(&mut self.ended))
    }

    /// Takes a seat: the one that `seat` names where it is this person's, else a new one.
    pub fn join(
        &mut self,
        who: Who,
        seat: Option<&str>,
        new_seat: String,
        connection: Connection,
        now: Moment,
    ) -> Option<MemberId> {
        let theirs = |member: &Member| {
            Some(member.seat.as_str()) == seat && (member.who.account, member.who.profile) == (who.account, who.profile)
        };
        let opens = self.opener == Some((who.account, who.profile));
        let id = match self.members.iter().position(theirs) {
            Some(at) => {
                let member = &mut self.members[at];
                self.ended
                    .extend(member.connection.map(|before| (before, Ending::Replaced)));
                member.connection = Some(connection);
                member.who = who;
                member.id
            }
            None if self.members.len() >= MEMBERS_MAX => return None,
            None => self.seat_of_a_new_member(who, new_seat, connection, now),
        };
        if opens || self.find(self.host).is_none() {
            self.host = id;
        }
        if opens {
            self.opener = None;
        }
        self.acted_at = now;
        self.welcome(id, now);
        self.say_members();
        Some(id)
    }

    fn seat_of_a_new_member(&mut self, who: Who, seat: String, connection: Connection, now: Moment) -> MemberId {
        let id = MemberId(self.next_member);
        self.next_member += 1;
        self.members.push(Member {
            id,
            who,
            seat,
            connection: Some(connection),
            away_since: now,
            waiting: false,
            not_awaited_until: now,
            voice: false,
            muted: false,
            chat_allowed: CHAT_BURST.into(),
            chat_at: now,
        });
        id
    }

    fn welcome(&mut self, id: MemberId, now: Moment) {
        let seat = self.find(id).map(|member| member.seat.clone()).unwrap_or_default();
        let welcome = ToMember::Welcome {
            you: id,
            seat,
            title_id: self.title,
            now_ms: now,
            chat: self.chat.iter().cloned().collect(),
        };
        self.said.push((To::One(id), welcome));
        self.said.push((To::One(id), ToMember::State(self.film.state())));
    }

    /// The connection is gone, and whoever it was may come back.
    pub fn lost(&mut self, connection: Connection, now: Moment) {
        let Some(member) = self
            .members
            .iter_mut()
            .find(|member| member.connection == Some(connection))
        else {
            return;
        };
        member.connection = None;
        member.away_since = now;
        member.waiting = false;
        self.empty(now);
        self.say_members();
        self.wait_or_go_on(now);
    }

    /// Remembers since when nobody is here.
    fn empty(&mut self, now: Moment) {
        if self.present().next().is_none() {
            self.empty_since = now;
        }
    }

    /// What a member says is done, or refused.
    pub fn take(&mut self, from: MemberId, message: FromMember, now: Moment) -> Result<(), Refused> {
        match message {
            // Answered where it arrives.
            FromMember::Ping { .. } => {}
            FromMember::Control {
                playing,
                position_s,
                rate,
                at_ms,
            } => {
                if from != self.host && !self.everyone_controls {
                    return Err(Refused::NOT_HOST);
                }
                let course = Course {
                    playing,
                    position_s,
                    rate,
                };
                self.film.control(course, at_ms, from, now);
                self.controlled(now);
            }
            FromMember::Waiting { waiting } => {
                if let Some(member) = self.find_mut(from) {
                    member.waiting = waiting;
                    if !waiting && member.not_awaited_until.is_infinite() {
                        member.not_awaited_until = now + AFTER_WAIT_MS;
                    }
                }
                self.wait_or_go_on(now);
            }
            FromMember::Chat { text } => self.chat(from, text.trim(), now)?,
            FromMember::HandOver { member } => {
                self.only_host(from)?;
                let present = self.present().any(|other| other.id == member);
                if !present {
                    return Err(Refused::NO_SUCH_MEMBER);
                }
                self.host = member;
                self.say_members();
            }
            FromMember::Settings { everyone_controls } => {
                self.only_host(from)?;
                self.everyone_controls = everyone_controls;
                self.say_members();
            }
            FromMember::Voice { on, muted } => {
                if let Some(member) = self.find_mut(from) {
                    (member.voice, member.muted) = (on, muted);
                }
                self.say_members();
            }
            FromMember::Leave {} => self.leave(from, now),
            signal => self.relay(from, signal)?,
        }
        Ok(())
    }

    fn only_host(&self, from: MemberId) -> Result<(), Refused> {
        if from == self.host {
            Ok(())
        } else {
            Err(Refused::NOT_HOST)
        }
    }

    /// The film goes another way: whoever was not waited for any more is so again.
    fn controlled(&mut self, now: Moment) {
        self.acted_at = now;
        for member in &mut self.members {
            member.not_awaited_until = now;
        }
        self.said.push((To::All, ToMember::State(self.film.state())));
        self.wait_or_go_on(now);
    }

    fn chat(&mut self, from: MemberId, text: &str, now: Moment) -> Result<(), Refused> {
        let Some(member) = self.find_mut(from) else {
            return Err(Refused::NO_SUCH_MEMBER);
        };
        let earned = (now - member.chat_at) / CHAT_LINE_EVERY_MS;
        member.chat_allowed = (member.chat_allowed + earned).min(CHAT_BURST.into());
        member.chat_at = now;
        if member.chat_allowed < 1.0 {
            return Err(Refused::CHAT_TOO_FAST);
        }
        member.chat_allowed -= 1.0;
        let line = Line {
            from,
            name: member.who.name.clone(),
            text: text.to_owned(),
            at_ms: now,
        };
        if self.chat.len() == CHAT_LINES_KEPT {
            self.chat.pop_front();
        }
        self.acted_at = now;
        self.chat.push_back(line.clone());
        self.said.push((To::All, ToMember::Chat(line)));
        Ok(())
    }

    /// From one of the call to another of it, and to nobody else.
    fn relay(&mut self, from: MemberId, signal: FromMember) -> Result<(), Refused> {
        let (to, message) = match signal {
            FromMember::Offer { to, sdp } => (to, ToMember::Offer { from, sdp }),
            FromMember::Answer { to, sdp } => (to, ToMember::Answer { from, sdp }),
            FromMember::Candidate {
                to,
                candidate,
                sdp_mid,
                sdp_m_line_index,
                username_fragment,
            } => {
                let message = ToMember::Candidate {
                    from,
                    candidate,
                    sdp_mid,
                    sdp_m_line_index,
                    username_fragment,
                };
                (to, message)
            }
            _ => return Err(Refused::INVALID),
        };
        let in_call = |id: MemberId| self.find(id).is_some_and(|member| member.voice);
        if to == from || !self.present().any(|member| member.id == to) {
            return Err(Refused::NO_SUCH_MEMBER);
        }
        if !in_call(from) || !in_call(to) {
            return Err(Refused::NOT_IN_CALL);
        }
        self.said.push((To::One(to), message));
        Ok(())
    }

    /// Gone for good.
    fn leave(&mut self, id: MemberId, now: Moment) {
        let Some(at) = self.members.iter().position(|member| member.id == id) else {
            return;
        };
        let member = self.members.remove(at);
        self.ended
            .extend(member.connection.map(|connection| (connection, Ending::Left)));
        if self.host == id {
            self.hand_over_to_the_longest_here();
        }
        if member.connection.is_some() {
            self.empty(now);
        }
        self.say_members();
        self.wait_or_go_on(now);
    }

    fn hand_over_to_the_longest_here(&mut self) {
        let next = self.present().next().or(self.members.first()).map(|member| member.id);
        self.host = next.unwrap_or(self.host);
    }

    /// Stops the film for who cannot go on, or lets it go on once nobody is waited for any more.
    fn wait_or_go_on(&mut self, now: Moment) {
        let waiting = self.members.iter().filter(|member| member.is_awaited(now));
        let awaited: Vec<MemberId> = waiting
            .filter(|_| self.film.playing())
            .map(|member| member.id)
            .collect();
        let before = self.film.awaited().to_vec();
        if !self.film.wait_for(awaited, now) {
            return;
        }
        for id in before
            .into_iter()
            .filter(|id| !self.film.awaited().contains(id))
            .collect::<Vec<_>>()
        {
            if let Some(member) = self.find_mut(id) {
                member.not_awaited_until = member.not_awaited_until.max(now + AFTER_WAIT_MS);
            }
        }
        self.said.push((To::All, ToMember::State(self.film.state())));
    }

    /// What time brings: seats and hosts change hands, waits end.
    pub fn tick(&mut self, now: Moment) {
        let gone: Vec<MemberId> = self
            .members
            .iter()
            .filter(|member| member.connection.is_none() && member.away_since + AWAY_MAX_MS <= now)
            .map(|member| member.id)
            .collect();
        for id in gone {
            self.leave(id, now);
        }
        let host_is_away = self
            .find(self.host)
            .is_some_and(|host| host.connection.is_none() && host.away_since + HOST_AWAY_MAX_MS <= now);
        if host_is_away && self.present().next().is_some() {
            self.hand_over_to_the_longest_here();
            self.say_members();
        }
        if self.film.waits_until().is_some_and(|end| end <= now) {
            let awaited = self.film.awaited();
            for member in self.members.iter_mut().filter(|member| awaited.contains(&member.id)) {
                member.not_awaited_until = Moment::INFINITY;
            }
        }
        self.wait_or_go_on(now);
    }

    /// When time brings something next.
    pub fn next_at(&self) -> Moment {
        let someone = self.present().next().is_some();
        let of_members = self.members.iter().flat_map(|member| {
            let away = member.connection.is_none();
            let host = away && someone && member.id == self.host;
            [
                host.then_some(member.away_since + HOST_AWAY_MAX_MS),
                away.then_some(member.away_since + AWAY_MAX_MS),
                (!away && member.waiting && self.film.playing() && !self.film.awaited().contains(&member.id))
                    .then_some(member.not_awaited_until),
            ]
        });
        let empty = (!someone).then_some(self.empty_since + EMPTY_MAX_MS);
        of_members
            .chain([empty, self.film.waits_until()])
            .flatten()
            .fold(self.acted_at + IDLE_MAX_MS, f64::min)
    }

    /// Nobody is here any more, or nobody does anything. Ends what connections there are.
    pub fn is_over(&mut self, now: Moment) -> bool {
        let empty = self.present().next().is_none() && self.empty_since + EMPTY_MAX_MS <= now;
        let over = empty || self.acted_at + IDLE_MAX_MS <= now;
        if over {
            let connections = self.members.iter().filter_map(|member| member.connection);
            self.ended
                .extend(connections.map(|connection| (connection, Ending::Over)));
        }
        over
    }

    pub fn position(&self, now: Moment) -> f64 {
        self.film.position(now)
    }

    pub fn host_name(&self) -> Option<&str> {
        self.find(self.host).map(|member| member.who.name.as_str())
    }

    pub fn members(&self) -> usize {
        self.members.len()
    }

    fn say_members(&mut self) {
        let told = |member: &Member| Told {
            id: member.id,
            name: member.who.name.clone(),
            avatar: member.who.avatar.clone(),
            present: member.connection.is_some(),
            voice: member.voice,
            muted: member.muted,
        };
        let members = ToMember::Members {
            members: self.members.iter().map(told).collect(),
            host: self.host,
            everyone_controls: self.everyone_controls,
        };
        self.said.push((To::All, members));
    }

    fn present(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.connection.is_some())
    }

    fn find(&self, id: MemberId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    fn find_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }
}

#[cfg(test)]
mod tests;
