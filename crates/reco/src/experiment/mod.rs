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
//! On a simulated audience whose true tastes are known, 200 experiments of each kind, each read after every viewer (`cargo run --release
//! -p reco --example experiments 200`; `tests/experiments.rs` is the short form): the share of experiments that ever said there is a
//! difference. What is planted are more plays a viewer.
//!
//! | method | viewers | nothing planted | +5.9 % | +11.9 % | a fixed test at 5 %, nothing planted, read as often |
//! |---|---|---|---|---|---|
//! | A/B | 1,000 | 1.5 % | 10 % | 48 % | 26 % |
//! | A/B | 4,000 | 3.0 % | 43 % | 99.5 % | 38 % |
//! | A/B | 16,000 | 4.0 % | 99.5 % | | 49 % |
//! | interleaving | 1,000 | 2.0 % | 50 % | | 38 % |
//! | interleaving | 4,000 | 3.0 % | 100 % | | 46 % |
//!
//! A guard that nothing harms was called broken in 1 to 3.5 % of them. Off-policy, a log of 2,000 viewers read once at 95 %: a lift that is
//! not there was seen in 6.0 % (IPS), 4.5 % (self-normalised) and 4.0 % (doubly robust) of 200 logs, one of 29 % in all of 100.

mod assign;
mod interleave;
mod offpolicy;
mod sequential;

pub use assign::{ENROLLED_ALL, arm_of, is_enrolled};
pub use interleave::{Drafted, Preference, PreferenceTest, Preferences, Team, team_draft};
pub use offpolicy::{Decision, Estimate, doubly_robust, ips, self_normalised};
pub use sequential::{Difference, Direction, Moments, Verdict, difference, verdict};
