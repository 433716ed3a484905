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
//!
//! # How often they err
//! On a simulated audience whose true tastes are known (`tests/experiments.rs` prints these; `examples/experiments.rs` is the long form):
//!
//! | method | viewers | says there is a difference where there is none | sees the planted one | median viewers until then |
//! |---|---|---|---|---|
//! | A/B, read after every viewer | 2,000 / 4,000 | 2.3 % of 300 experiments | 99 % of 100 | 1,133 |
//! | a fixed test at 5 %, read as often | 2,000 | 36 % | | |
//! | interleaving, read after every viewer | 1,500 | 3.0 % of 300 | 100 % of 100 (A/B: 70 %) | 310 |
//! | a fixed sign test at 5 %, read as often | 1,500 | 46 % | | |
//! | IPS / SNIPS / DR, 95 % interval of the lift, read once | 2,000 | 6.0 / 4.5 / 4.0 % of 200 logs | 100 % of 100 | |

mod assign;
mod interleave;
mod offpolicy;
mod sequential;

pub use assign::{ENROLLED_ALL, arm_of, is_enrolled};
pub use interleave::{Drafted, Preference, PreferenceTest, Preferences, Team, team_draft};
pub use offpolicy::{Decision, Estimate, doubly_robust, ips, self_normalised};
pub use sequential::{Difference, Direction, Moments, Verdict, difference, verdict};
