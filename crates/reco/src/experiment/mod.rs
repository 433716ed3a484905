//! Comparing two recommenders on live viewers: who is in which arm, when a difference is more than noise, and what a log says about
//! a policy that never served.
//!
//! | question | method | file |
//! |---|---|---|
//! | who is in which arm | stable hash (Tang et al. 2010) | `assign` |
//! | A/B: is the difference of two means real, read as often as one likes | mixture sequential test (Johari et al. 2017) | `sequential` |
//! | which of two rankings do viewers prefer | team-draft interleaving (Radlinski et al. 2008), exact sequential sign test | `interleave` |
//! | what would another policy have earned | IPS, self-normalised IPS, doubly robust | `offpolicy` |
//!
//! The unit is always the viewer: arms are drawn by viewer, metrics are one number a viewer, intervals are over viewers.
//! `examples/experiments.rs` states power and false-positive rate of each method on a simulated audience whose true tastes are known.

mod assign;
mod interleave;
mod offpolicy;
mod sequential;

pub use assign::{ENROLLED_ALL, arm_of, is_enrolled};
pub use interleave::{Drafted, Preference, PreferenceTest, Preferences, Team, team_draft};
pub use offpolicy::{Decision, Estimate, doubly_robust, ips, self_normalised};
pub use sequential::{Difference, Direction, Moments, Verdict, difference, verdict};
