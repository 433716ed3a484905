//! One member's connection: reads what they say, sends what they are told, and ends when it must.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, sleep_until, timeout},
};

use super::{
    Party, Seat,
    ice::servers_for,
    messages::{Ending, FromMember, MESSAGE_BYTES_MAX, Refused, ToMember},
    room::Who,
};
use crate::{compose, hub::Notice, session::Viewing, state::Gateway};

/// A call that begins sends its ways all at once.
const MESSAGES_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(299);
const MESSAGES_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
/// Members ask for the time every few seconds.
const SILENCE_MAX: Duration = Duration::from_secs(45);
const SEND_MAX: Duration = Duration::from_secs(5);
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// Who connects, and what they were let in with.
pub struct Joining {
    pub gateway: Gateway,
    pub party: Arc<Party>,
    pub viewing: Viewing,
    pub seat: Option<String>,
    /// From before the connection was answered, so that no end of a session falls in between.
    pub notices: Receiver<Arc<Notice>>,
}

/// Runs the connection to its end.
pub async fn run(mut socket: WebSocket, mut joining: Joining) {
    metrics::gauge!("party_members").increment(1.0);
    let profile = &joining.viewing.profile;
    let who = Who {
        account: joining.viewing.caller.account,
        profile: profile.id,
        name: profile.name.clone(),
        avatar: profile.avatar.clone(),
    };
    let seat = joining
        .gateway
        .parties
        .join(&joining.party, who, joining.seat.as_deref());
    let ending = match seat {
        Ok(mut seat) => {
            let ending = stay(&mut socket, &mut joining, &mut seat).await;
            joining.party.lost(&seat);
            ending
        }
        Err(ending) => Some(ending),
    };
    metrics::gauge!("party_members").decrement(1.0);
    if let Some(ending) = ending {
        let frame = CloseFrame {
            code: ending.code(),
            reason: Utf8Bytes::from_static(ending.reason()),
        };
        // Whoever takes nothing is not told why.
        timeout(CLOSE_MAX, socket.send(Message::Close(Some(frame)))).await.ok();
    }
}

/// Until something ends it; nothing to say where the other side is gone already.
async fn stay(socket: &mut WebSocket, joining: &mut Joining, seat: &mut Seat) -> Option<Ending> {
    let allowed = RateLimiter::direct(Quota::per_second(MESSAGES_PER_SECOND).allow_burst(MESSAGES_BURST));
    let left_ms = joining.viewing.caller.expires_at - joining.gateway.doors.inputs.now_ms();
    let session_ends = Instant::now() + Duration::from_millis(left_ms.max(0) as u64);
    let mut silent_at = Instant::now() + SILENCE_MAX;
    loop {
        let step = tokio::select! {
            biased;
            ending = &mut seat.end => Err(Some(ending.unwrap_or(Ending::Over))),
            () = sleep_until(session_ends) => Err(Some(Ending::Session)),
            () = sleep_until(silent_at) => Err(Some(Ending::Silent)),
            notice = joining.notices.recv() => judge(joining, notice).await,
            heard = socket.recv() => {
                silent_at = Instant::now() + SILENCE_MAX;
                match heard {
                    None => Err(None),
                    Some(Err(_)) => Err(Some(Ending::Unreadable)),
                    Some(Ok(message)) => hear(socket, joining, seat, &allowed, message).await,
                }
            }
            Some(text) = seat.queue.recv() => send(socket, text).await,
        };
        if let Err(ending) = step {
            return ending;
        }
    }
}

async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> Result<(), Option<Ending>> {
    match timeout(SEND_MAX, socket.send(Message::Text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(None),
        Err(_) => Err(Some(Ending::TooSlow)),
    }
}

async fn say(socket: &mut WebSocket, message: &ToMember) -> Result<(), Option<Ending>> {
    match serde_json::to_string(message) {
        Ok(text) => send(socket, text.into()).await,
        Err(_) => Ok(()),
    }
}

async fn hear(
    socket: &mut WebSocket,
    joining: &Joining,
    seat: &Seat,
    allowed: &DefaultDirectRateLimiter,
    message: Message,
) -> Result<(), Option<Ending>> {
    let received_ms = joining.party.now();
    if allowed.check().is_err() {
        return Err(Some(Ending::TooFast));
    }
    let message = match message {
        Message::Text(text) if text.len() > MESSAGE_BYTES_MAX => return Err(Some(Ending::TooLarge)),
        Message::Text(text) => FromMember::read(&text),
        Message::Binary(_) => Err(Refused::INVALID),
        Message::Close(_) => return Err(None),
        // The library answers these.
        Message::Ping(_) | Message::Pong(_) => return Ok(()),
    };
    let joins_call = matches!(message, Ok(FromMember::Voice { on: true, .. }));
    if let Ok(FromMember::Ping { sent_ms }) = message {
        let answered_ms = joining.party.now();
        let pong = ToMember::Pong {
            sent_ms,
            received_ms,
            answered_ms,
        };
        return say(socket, &pong).await;
    }
    if joins_call {
        // First, so that it knows its ways when it hears of the others.
        let servers = &joining.gateway.config.together.ice_servers;
        let (account, now) = (joining.viewing.caller.account, joining.gateway.doors.inputs.now_ms());
        let servers = servers_for(servers, account, now);
        say(socket, &ToMember::Ice { servers }).await?;
    }
    match message.and_then(|message| joining.party.take(seat, message)) {
        Ok(()) => Ok(()),
        Err(refused) => say(socket, &ToMember::Refused(refused)).await,
    }
}

/// Whether what happened elsewhere ends this connection.
async fn judge(joining: &Joining, notice: Result<Arc<Notice>, RecvError>) -> Result<(), Option<Ending>> {
    let Viewing { caller, profile } = &joining.viewing;
    let look_again = match notice.as_deref() {
        Ok(Notice::SessionsEnded { sessions }) if sessions.contains(&caller.session) => {
            return Err(Some(Ending::Session));
        }
        Ok(Notice::ProfilesChanged { account }) => *account == caller.account,
        Ok(Notice::TitlesChanged { titles }) => titles.contains(&joining.party.title),
        Ok(_) => false,
        // What was lost may have been of us: it comes back with a token that is looked at.
        Err(RecvError::Lagged(_)) => return Err(Some(Ending::Session)),
        Err(RecvError::Closed) => return Err(Some(Ending::Over)),
    };
    if !look_again {
        return Ok(());
    }
    let gateway = &joining.gateway;
    let allowed = async {
        let profile = gateway.profiles.choose(caller.account, Some(profile.id)).await?;
        let viewing = Viewing {
            caller: *caller,
            profile,
        };
        compose::visible_card(gateway, &viewing, joining.party.title).await
    };
    match allowed.await {
        // A part that is not there just now has not said no.
        Err(problem) if !problem.status.is_server_error() => Err(Some(Ending::NotForProfile)),
        _ => Ok(()),
    }
}
