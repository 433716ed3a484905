//! What is said over a party's socket: JSON texts, one message each, closed both ways.
//!
//! Times are milliseconds of the gateway's own steady clock (`now_ms` of the welcome, both times of a pong); a member finds out how
//! far its clock is from it by asking with `ping` (the offset of RFC 5905 §8, of the sample that was under way the shortest).

use contract::TitleId;
use serde::{Deserialize, Serialize};

use super::ice::IceServer;

/// The longest message; a description of a connection is the longest that there is.
pub const MESSAGE_BYTES_MAX: usize = 20 << 10;
/// What is read of a longer one before the connection ends.
pub const READ_BYTES_MAX: usize = 64 << 10;
const CHAT_CHARS_MAX: usize = 500;
const DESCRIPTION_BYTES_MAX: usize = 16 << 10;
const CANDIDATE_BYTES_MAX: usize = 1 << 10;
const POSITION_S_MAX: f64 = 1_000_000.0;
const RATE_MIN: f64 = 0.25;
const RATE_MAX: f64 = 4.0;

/// Of one party, in the order of coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MemberId(pub u32);

impl From<MemberId> for String {
    fn from(id: MemberId) -> Self {
        id.0.to_string()
    }
}

impl TryFrom<String> for MemberId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| "not the id of a member")
    }
}

/// What a member may say.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromMember {
    /// What time is it? `sent_ms` comes back as it was.
    Ping {
        sent_ms: f64,
    },
    /// From now on the film does this: it was, or will be, at `position_s` at `at_ms`.
    Control {
        playing: bool,
        position_s: f64,
        rate: f64,
        at_ms: f64,
    },
    /// This member's picture cannot go on, or can again.
    Waiting {
        waiting: bool,
    },
    Chat {
        text: String,
    },
    /// The host makes another member the host.
    HandOver {
        member: MemberId,
    },
    /// The host lets everybody control the film, or nobody else any more.
    Settings {
        everyone_controls: bool,
    },
    /// In the voice call or not; muted says nothing there.
    Voice {
        on: bool,
        muted: bool,
    },
    Offer {
        to: MemberId,
        sdp: String,
    },
    Answer {
        to: MemberId,
        sdp: String,
    },
    Candidate {
        to: MemberId,
        candidate: String,
        sdp_mid: Option<String>,
        sdp_m_line_index: Option<u16>,
        username_fragment: Option<String>,
    },
    Leave {},
}

impl FromMember {
    /// Reads one message: an object with exactly the fields of its type, each within its limits.
    pub fn read(text: &str) -> Result<Self, Refused> {
        // Through a map, because a list in the place of an object would be taken by position.
        let fields = serde_json::from_str(text).map_err(|_| Refused::INVALID)?;
        let message: Self = serde_json::from_value(serde_json::Value::Object(fields)).map_err(|_| Refused::INVALID)?;
        if message.is_within_limits() {
            Ok(message)
        } else {
            Err(Refused::INVALID)
        }
    }

    fn is_within_limits(&self) -> bool {
        let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= CANDIDATE_BYTES_MAX);
        match self {
            Self::Control { position_s, rate, .. } => {
                (0.0..=POSITION_S_MAX).contains(position_s) && (RATE_MIN..=RATE_MAX).contains(rate)
            }
            Self::Chat { text } => {
                let text = text.trim();
                !text.is_empty() && text.chars().count() <= CHAT_CHARS_MAX && !text.contains(char::is_control)
            }
            Self::Offer { sdp, .. } | Self::Answer { sdp, .. } => sdp.len() <= DESCRIPTION_BYTES_MAX,
            Self::Candidate {
                candidate,
                sdp_mid,
                username_fragment,
                ..
            } => candidate.len() <= CANDIDATE_BYTES_MAX && short(sdp_mid) && short(username_fragment),
            _ => true,
        }
    }
}

/// What a member is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToMember {
    /// The first message. `seat` lets the same member come back after its connection was lost.
    Welcome {
        you: MemberId,
        seat: String,
        title_id: TitleId,
        now_ms: f64,
        /// The newest lines, oldest first.
        chat: Vec<Line>,
    },
    State(State),
    Members {
        members: Vec<Member>,
        host: MemberId,
        everyone_controls: bool,
    },
    Chat(Line),
    Pong {
        sent_ms: f64,
        received_ms: f64,
        answered_ms: f64,
    },
    /// To who has joined the voice call: ways through address translation.
    Ice {
        servers: Vec<IceServer>,
    },
    Offer {
        from: MemberId,
        sdp: String,
    },
    Answer {
        from: MemberId,
        sdp: String,
    },
    Candidate {
        from: MemberId,
        candidate: String,
        sdp_mid: Option<String>,
        sdp_m_line_index: Option<u16>,
        username_fragment: Option<String>,
    },
    /// What was asked for was not done.
    Refused(Refused),
}

/// Where the film is: at `position_s` at `at_ms`, which may be a moment ahead, so that all begin at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    pub playing: bool,
    pub position_s: f64,
    pub at_ms: f64,
    pub rate: f64,
    /// Grows with every change.
    pub revision: u64,
    /// The film stands still until these have their picture.
    pub waiting_for: Vec<MemberId>,
    /// Whose doing it was, where it was somebody's.
    pub by: Option<MemberId>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Member {
    pub id: MemberId,
    pub name: String,
    pub avatar: String,
    /// Not: its connection is lost, and it may come back.
    pub present: bool,
    pub voice: bool,
    pub muted: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub from: MemberId,
    pub name: String,
    pub text: String,
    pub at_ms: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Stable name of what is wrong.
    pub code: &'static str,
    pub detail: &'static str,
}

impl Refused {
    pub const INVALID: Self = Self {
        code: "message_invalid",
        detail: "this is no message of a party, or one of its parts is too long or out of range",
    };
    pub const NOT_HOST: Self = Self {
        code: "not_host",
        detail: "only the host may do that",
    };
    pub const NO_SUCH_MEMBER: Self = Self {
        code: "member_not_found",
        detail: "nobody of that id is here",
    };
    pub const NOT_IN_CALL: Self = Self {
        code: "not_in_call",
        detail: "both must have joined the voice call",
    };
    pub const CHAT_TOO_FAST: Self = Self {
        code: "chat_too_fast",
        detail: "too many lines at once; wait a moment",
    };
}

/// Why a connection ends: the close code and the words that go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The member said so.
    Left,
    /// The party is over.
    Over,
    /// The log-in ended, or its access token ran out: refresh it and come back.
    Session,
    /// It took nothing of what it was told for too long.
    TooSlow,
    /// It said too much.
    TooFast,
    /// The title is not for this profile (any more).
    NotForProfile,
    /// The same seat was taken from another connection.
    Replaced,
    Full,
    TooLarge,
    /// What came over the connection is no WebSocket, or far too long.
    Unreadable,
    /// Nothing was heard of it.
    Silent,
}

impl Ending {
    pub fn code(self) -> u16 {
        match self {
            Self::Left => 1000,
            Self::Unreadable => 1002,
            Self::TooLarge => 1009,
            Self::Over => 4000,
            Self::Session => 4001,
            Self::TooSlow => 4002,
            Self::TooFast => 4003,
            Self::NotForProfile => 4004,
            Self::Replaced => 4005,
            Self::Full => 4006,
            Self::Silent => 4007,
        }
    }

    pub fn reason(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Unreadable => "not to be read",
            Self::TooLarge => "message too large",
            Self::Over => "the party is over",
            Self::Session => "the session ended; refresh it and come back",
            Self::TooSlow => "too slow",
            Self::TooFast => "too many messages",
            Self::NotForProfile => "the title is not for this profile",
            Self::Replaced => "came back from elsewhere",
            Self::Full => "the party is full",
            Self::Silent => "nothing heard for too long",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_closed() {
        let ping = r#"{"type":"ping","sent_ms":1.5}"#;
        assert_eq!(FromMember::read(ping), Ok(FromMember::Ping { sent_ms: 1.5 }));
        let long = "x".repeat(CHAT_CHARS_MAX + 1);
        for text in [
            "",
            "[]",
            r#"["ping",{"sent_ms":1}]"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"ping","sent_ms":"1"}"#,
            r#"{"type":"ping","sent_ms":1,"more":2}"#,
            r#"{"type":"shout","text":"fire"}"#,
            r#"{"type":"leave","more":2}"#,
            r#"{"type":"hand_over","member":1}"#,
            r#"{"type":"chat","text":"  "}"#,
            "{\"type\":\"chat\",\"text\":\"a\\u0007\"}",
            &format!(r#"{{"type":"chat","text":"{long}"}}"#),
            r#"{"type":"control","playing":true,"position_s":-1,"rate":1,"at_ms":0}"#,
            r#"{"type":"control","playing":true,"position_s":1,"rate":100,"at_ms":0}"#,
            r#"{"type":"control","playing":true,"position_s":1e999,"rate":1,"at_ms":0}"#,
            &format!(
                r#"{{"type":"offer","to":"1","sdp":"{}"}}"#,
                "x".repeat(DESCRIPTION_BYTES_MAX + 1)
            ),
        ] {
            assert_eq!(FromMember::read(text), Err(Refused::INVALID), "{text}");
        }
    }
}
