//! Where a party's film is: a line through (position, moment) with a slope, which a control draws anew, and which stands still while
//! members are waited for.

use super::messages::{MemberId, State};

/// Milliseconds of the gateway's steady clock.
pub type Moment = f64;

/// A control may be told so late, or be meant for so soon.
const CONTROL_LATE_MS: f64 = 1_000.0;
const CONTROL_AHEAD_MS: f64 = 500.0;
/// After a wait all begin at one moment that every member hears of before.
const BEGIN_AHEAD_MS: f64 = 300.0;
const WAIT_MAX_MS: f64 = 10_000.0;

/// What somebody wants of the film.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    pub playing: bool,
    pub position_s: f64,
    pub rate: f64,
}

#[derive(Debug)]
pub struct Film {
    course: Course,
    at: Moment,
    revision: u64,
    by: Option<MemberId>,
    /// Whom it stands still for, and since when.
    awaited: Vec<MemberId>,
    awaited_since: Moment,
}

impl Film {
    pub fn new(course: Course, now: Moment) -> Self {
        Self {
            course,
            at: now,
            revision: 1,
            by: None,
            awaited: Vec::new(),
            awaited_since: now,
        }
    }

    pub fn playing(&self) -> bool {
        self.course.playing
    }

    pub fn position(&self, now: Moment) -> f64 {
        let Course {
            playing,
            position_s,
            rate,
        } = self.course;
        if playing && self.awaited.is_empty() {
            position_s + (now - self.at).max(0.0) / 1_000.0 * rate
        } else {
            position_s
        }
    }

    /// A new line, as of `at`; nobody is waited for until somebody says again that they cannot go on.
    pub fn control(&mut self, course: Course, at: Moment, by: MemberId, now: Moment) {
        self.course = course;
        self.at = at.clamp(now - CONTROL_LATE_MS, now + CONTROL_AHEAD_MS);
        self.by = Some(by);
        self.awaited.clear();
        self.revision += 1;
    }

    /// Stands still for these, or goes on where there are none. Whether that is news.
    pub fn wait_for(&mut self, awaited: Vec<MemberId>, now: Moment) -> bool {
        if awaited == self.awaited {
            return false;
        }
        if self.awaited.is_empty() {
            self.course.position_s = self.position(now);
            self.at = now;
            self.awaited_since = now;
        }
        if awaited.is_empty() {
            self.at = now + BEGIN_AHEAD_MS;
        }
        self.awaited = awaited;
        self.by = None;
        self.revision += 1;
        true
    }

    pub fn awaited(&self) -> &[MemberId] {
        &self.awaited
    }

    /// When it has waited long enough, if it waits.
    pub fn waits_until(&self) -> Option<Moment> {
        (!self.awaited.is_empty()).then_some(self.awaited_since + WAIT_MAX_MS)
    }

    pub fn state(&self) -> State {
        State {
            playing: self.course.playing,
            position_s: self.course.position_s,
            at_ms: self.at,
            rate: self.course.rate,
            revision: self.revision,
            waiting_for: self.awaited.clone(),
            by: self.by,
        }
    }
}
