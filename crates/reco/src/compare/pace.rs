//! Is a new model much slower than the one in service? Both rank the same viewers, in turns, on this thread.

use super::translate;
use crate::bundle::Recommender;
use crate::model::{Model, Scratch};
use crate::select::{ItemSet, evenly};
use crate::split::Case;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Time since any moment, never less than before. An input: tests set it, a service gives what its thread has worked.
pub type Clock<'a> = &'a mut dyn FnMut() -> Duration;

/// Rounds of which the quickest counts: whatever else the machine does only ever adds time.
const ROUNDS: usize = 5;
/// After so long no further round begins.
const ROUNDS_LAST: Duration = Duration::from_secs(4);
/// Viewers, spread evenly over the given ones.
const CASES_MAX: usize = 100;
/// Titles ranked per viewer.
const DEPTH: usize = 100;
/// How many times the current model's time is let through.
const FACTOR_MAX: f64 = 3.0;
/// What is quicker than this is quick enough, whatever it is compared with: a page has to come within ten milliseconds.
const ENOUGH_US: f64 = 1_000.0;

/// Microseconds that one viewer's ranking takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// The model in service.
    pub current_us: f64,
    /// The new one.
    pub candidate_us: f64,
    /// What is let through: three times the current model's time, and as many times more as there are more titles to rank; one
    /// millisecond in any case.
    pub allowed_us: f64,
    /// Viewers ranked; without any nothing is known and all times are zero.
    pub cases: usize,
}

impl Pace {
    /// Measures both on the same viewers of `cases`, whose indices are the candidate's. Each round lets both rank all of them; of
    /// each the quickest round counts.
    pub fn measure(current: &Recommender, candidate: &Recommender, cases: &[Case], clock: Clock<'_>) -> Self {
        let ours: Vec<Case> = evenly(cases, CASES_MAX).cloned().collect();
        let theirs: Vec<Case> = ours.iter().map(|case| translate(case, candidate, current)).collect();
        let (mut current_time, mut candidate_time) = (Duration::MAX, Duration::MAX);
        let begun = clock();
        for round in 0..ROUNDS {
            if round > 0 && clock().saturating_sub(begun) > ROUNDS_LAST {
                break;
            }
            current_time = current_time.min(time_of(current, &theirs, clock));
            candidate_time = candidate_time.min(time_of(candidate, &ours, clock));
        }
        let each = |time: Duration| time.as_secs_f64() * 1e6 / ours.len().max(1) as f64;
        let growth = candidate.items() as f64 / current.items().max(1) as f64;
        let current_us = each(current_time);
        Self {
            current_us,
            candidate_us: each(candidate_time),
            allowed_us: (FACTOR_MAX * current_us * growth.max(1.0)).max(ENOUGH_US),
            cases: ours.len(),
        }
    }

    /// Whether serving would suffer.
    pub fn is_much_slower(&self) -> bool {
        self.cases > 0 && self.candidate_us > self.allowed_us
    }
}

fn time_of(model: &Recommender, cases: &[Case], clock: Clock<'_>) -> Duration {
    let (nothing, mut scratch) = (ItemSet::default(), Scratch::default());
    let begun = clock();
    for case in cases {
        std::hint::black_box(model.recommend(&case.history, DEPTH, &nothing, &mut scratch));
    }
    clock().saturating_sub(begun)
}
