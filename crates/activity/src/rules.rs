//! What the actions of a viewer mean for the state of a title: pure functions, no time, no storage.

use contract::{
    Millis,
    activity::{ActivityError, Opinion, PlayState, Progress, ReportProgress, TitleState},
};

/// From this share on a title is finished.
const FINISHED_SHARE: f32 = 0.95;
/// A player that says "ended" beyond this share means it; before, it was closed.
const ENDED_SHARE: f32 = 0.85;
/// Going back before this share of a finished title is watching it again.
const AGAIN_SHARE: f32 = 0.80;
/// Players round; a position may lie this far behind the end.
const POSITION_SLACK_MS: u64 = 10_000;
/// From three and a half stars on a rating speaks for a title.
const FAVOUR_HALF_STARS: u8 = 7;
/// No title is longer: a week.
const DURATION_MS_MAX: u64 = 7 * 86_400_000;

/// One thing a profile does to one title.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Rate(Opinion, Millis),
    Unrate,
    Watch(Progress),
    MarkWatched(Millis),
    MarkUnwatched,
    List(Millis),
    Unlist,
    Forget,
}

/// What changed, as far as others must know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effect {
    /// The row is not what it was.
    pub changed: bool,
    /// Opinion, finished or list changed: it counts as taste.
    pub acted: bool,
    /// What was said or done speaks for the title now, and did not before.
    pub favours: bool,
}

/// Performs `action`.
pub fn apply(state: &mut TitleState, action: &Action) -> Effect {
    let before = state.clone();
    match action {
        Action::Rate(opinion, _) if state.opinion == Some(*opinion) => {}
        // Time goes on for a rating even when the clock was set back.
        Action::Rate(opinion, at) => {
            state.opinion = Some(*opinion);
            state.rated_at = Some(state.rated_at.map_or(*at, |old| old.max(*at)));
        }
        Action::Unrate => (state.opinion, state.rated_at) = (None, None),
        Action::Watch(progress) => state.progress = Some(merge(state.progress.as_ref(), progress)),
        Action::MarkWatched(at) => mark_watched(state, *at),
        Action::MarkUnwatched => state.progress = None,
        Action::List(at) => state.listed_at = state.listed_at.or(Some(*at)),
        Action::Unlist => state.listed_at = None,
        Action::Forget => (state.opinion, state.rated_at, state.progress) = (None, None, None),
    }
    let is_finished = |state: &TitleState| state.progress.as_ref().is_some_and(|progress| progress.finished);
    let was_forgotten = before.progress.is_some() && state.progress.is_none();
    Effect {
        changed: before != *state,
        acted: before.opinion != state.opinion
            || before.listed_at.is_some() != state.listed_at.is_some()
            || (!is_finished(&before) && is_finished(state))
            || was_forgotten,
        favours: !favours(&before) && favours(state),
    }
}

/// Whether it speaks for the title: what was said about it, else that it was watched whole or put on the list.
fn favours(state: &TitleState) -> bool {
    match state.opinion {
        Some(Opinion::Stars(half_stars)) => half_stars.get() >= FAVOUR_HALF_STARS,
        Some(Opinion::Like) => true,
        Some(Opinion::Dislike) => false,
        None => state.listed_at.is_some() || state.progress.as_ref().is_some_and(|progress| progress.finished),
    }
}

fn mark_watched(state: &mut TitleState, at: Millis) {
    let known = state.progress.take();
    if known.as_ref().is_some_and(|progress| progress.finished) {
        state.progress = known;
        return;
    }
    let duration_ms = known.as_ref().map_or(0, |progress| progress.duration_ms);
    let at = known.map_or(at, |progress| progress.at.max(at));
    state.progress = Some(Progress {
        position_ms: duration_ms,
        duration_ms,
        watched: 1.0,
        finished: true,
        at,
    });
}

/// Nothing is left: the row goes.
pub fn is_empty(state: &TitleState) -> bool {
    state.opinion.is_none() && state.progress.is_none() && state.listed_at.is_none()
}

/// A state in which nothing happened yet.
pub fn empty(title: contract::TitleId) -> TitleState {
    TitleState {
        title,
        opinion: None,
        rated_at: None,
        progress: None,
        listed_at: None,
    }
}

/// A player's report as progress by itself. Its clock may run ahead; nothing is watched later than now.
pub fn progress(report: &ReportProgress, now: Millis) -> Result<Progress, ActivityError> {
    let duration_ms = report.duration_ms;
    let in_title =
        (1..=DURATION_MS_MAX).contains(&duration_ms) && report.position_ms <= duration_ms + POSITION_SLACK_MS;
    if !in_title || report.at < 0 {
        return Err(ActivityError::PositionInvalid);
    }
    let position_ms = report.position_ms.min(duration_ms);
    let watched = position_ms as f32 / duration_ms as f32;
    let in_credits = report
        .credits_ms
        .is_some_and(|credits| credits > 0 && position_ms >= credits);
    let ended = report.state == PlayState::Ended && watched >= ENDED_SHARE;
    let finished = watched >= FINISHED_SHARE || in_credits || ended;
    Ok(Progress {
        position_ms,
        duration_ms,
        watched,
        finished,
        at: report.at.min(now),
    })
}

/// Nothing was watched later than now: where that is what is known, the clock was set back, and what comes next is the newer.
pub fn set_back(known: &mut TitleState, next: &Progress, now: Millis) {
    if let Some(known) = known.progress.as_mut().filter(|known| known.at > now) {
        known.at = known.at.min(next.at);
    }
}

/// Two pieces of progress as one, in whatever order they arrive: the newer position by the player's clock wins, the furthest
/// share stays, and finished stays until the title is watched again from before its end.
pub fn merge(known: Option<&Progress>, next: &Progress) -> Progress {
    let Some(known) = known else { return next.clone() };
    let (newer, older) = if next.at >= known.at {
        (next, known)
    } else {
        (known, next)
    };
    Progress {
        watched: newer.watched.max(older.watched),
        finished: newer.finished || (older.finished && !is_again(newer)),
        ..newer.clone()
    }
}

/// Whether somebody who is here in a finished title is watching it again.
pub fn is_again(progress: &Progress) -> bool {
    (progress.position_ms as f32) < AGAIN_SHARE * progress.duration_ms as f32
}

/// The stored form of an opinion, also in [`contract::activity::Interactions`].
pub fn opinion_code(opinion: Opinion) -> i64 {
    match opinion {
        Opinion::Stars(half_stars) => i64::from(half_stars.get()),
        Opinion::Like => 101,
        Opinion::Dislike => 102,
    }
}

/// The way back; a code that nobody writes is no opinion.
pub fn opinion_of(code: i64) -> Option<Opinion> {
    match code {
        101 => Some(Opinion::Like),
        102 => Some(Opinion::Dislike),
        _ => u8::try_from(code)
            .ok()
            .and_then(contract::activity::HalfStars::new)
            .map(Opinion::Stars),
    }
}

/// Where an opinion counts in the figures of a title: half stars 1 to 10, likes, dislikes.
pub fn figure(opinion: Opinion) -> usize {
    match opinion {
        Opinion::Stars(half_stars) => usize::from(half_stars.get()) - 1,
        Opinion::Like => 10,
        Opinion::Dislike => 11,
    }
}

#[cfg(test)]
mod tests;
