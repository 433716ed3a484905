//! How many of an account watch at once.
//!
//! A stream is a playback of which a segment was asked for within the last half minute: a player takes one every two seconds, and one
//! that is paused or was left takes none. Each process counts what it delivers itself, in memory: delivery asks no database. Where an
//! edge cache holds the segments, it asks whether an address is good every few seconds, and that counts the same. It asks another way for
//! what a player reads once (subtitles, storyboards), which is not watching.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use contract::{AccountId, Millis, PlaybackId, SessionId};
use moka::sync::Cache;

use crate::signing::Grant;

/// Nothing was asked for so long: nobody watches any more.
const WATCHED_WITHIN_MS: Millis = 30_000;
const ACCOUNTS_MAX: u64 = 100_000;

/// One log-in watching one playback.
struct Stream {
    playback: PlaybackId,
    session: SessionId,
    asked_at: Millis,
}

pub struct Streams {
    /// 0: as many as they like.
    most: u32,
    accounts: Cache<AccountId, Arc<Mutex<Vec<Stream>>>>,
}

impl Streams {
    pub fn new(most: u32) -> Self {
        let kept_for = Duration::from_millis(2 * WATCHED_WITHIN_MS as u64);
        Self {
            most,
            accounts: Cache::builder()
                .max_capacity(ACCOUNTS_MAX)
                .time_to_idle(kept_for)
                .build(),
        }
    }

    /// A player asks for the next piece: may it? Not if it would be one too many.
    pub fn goes_on(&self, grant: &Grant, now: Millis) -> bool {
        self.with(grant.account, now, |streams| {
            let known = streams.iter().position(|stream| stream.playback == grant.playback);
            match known {
                Some(known) => streams[known].asked_at = now,
                None if streams.len() < self.most as usize => streams.push(Stream::of(grant, now)),
                None => return false,
            }
            true
        })
    }

    /// Somebody presses play. Where all places are taken, a device that watches already gives up what it watched before: it only
    /// changes its film. Everybody else is refused.
    pub fn may_begin(&self, grant: &Grant, now: Millis) -> bool {
        self.with(grant.account, now, |streams| {
            if streams.len() < self.most as usize {
                return true;
            }
            let own = streams
                .iter()
                .enumerate()
                .filter(|(_, stream)| stream.session == grant.session);
            let Some((oldest, _)) = own.min_by_key(|(_, stream)| (stream.asked_at, stream.playback)) else {
                return false;
            };
            // The place is the new one's from now on, or the old one would take it back with its next segment.
            streams[oldest] = Stream::of(grant, now);
            true
        })
    }

    fn with(&self, account: AccountId, now: Millis, act: impl FnOnce(&mut Vec<Stream>) -> bool) -> bool {
        if self.most == 0 {
            return true;
        }
        let streams = self.accounts.get_with(account, Arc::default);
        let mut streams: MutexGuard<'_, Vec<Stream>> = streams.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in streams.iter_mut() {
            // Asked for in the future: the clock was set back since, and nobody can tell how long ago it was.
            stream.asked_at = stream.asked_at.min(now);
        }
        streams.retain(|stream| now - stream.asked_at < WATCHED_WITHIN_MS);
        act(&mut streams)
    }
}

impl Stream {
    fn of(grant: &Grant, now: Millis) -> Self {
        Self {
            playback: grant.playback,
            session: grant.session,
            asked_at: now,
        }
    }
}
