//! How interactions become training data and held-out cases, one function per published protocol.

use crate::dataset::{Dataset, Event};
use crate::error::{RecoError, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The protocols of the literature that are built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Each viewer's last title is the test, the one before it the validation (SASRec, BERT4Rec, gSASRec).
    LastOut,
    /// Held-out viewers: 80 % of their titles given, 20 % wanted (Liang et al. 2018 and after).
    Strong,
    /// One cut in time: the newest tenth of all events is the test, new viewers and titles included.
    Temporal,
}

/// How many moments of the past the ranker learns from: more of them show more viewers with long histories.
const REHEARSALS: usize = 4;

/// One held-out viewer: what is known, and what should be found.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Dense viewer index in the data set that was split.
    pub user: u32,
    /// Known events, oldest first; may be empty (a new viewer).
    pub history: Vec<Event>,
    /// Titles to find, none of them in the history.
    pub targets: Vec<u32>,
}

/// Training data with the cases that may be judged after training on it.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What a model may learn from.
    pub train: Arc<Dataset>,
    /// What it is judged on.
    pub cases: Vec<Case>,
}

/// Two kinds of stages: `learn` for fitting and choosing (a ranker's labels, hyper-parameters), `test` for the figures.
#[derive(Clone, Debug)]
pub struct Split {
    /// Where it came from.
    pub protocol: Protocol,
    /// Rehearsals, the newest first: each knows less of the past than the one before, and none anything of the test.
    pub learn: Vec<Stage>,
    /// Test stage.
    pub test: Stage,
}

impl Split {
    /// The split of a protocol; only [`Protocol::Strong`] uses the seed. The papers' seed is 98765, drawn there from
    /// another generator: for their very split, give it to [`Self::strong_given`].
    pub fn make(protocol: Protocol, data: &Dataset, seed: u64) -> Result<Self> {
        match protocol {
            Protocol::LastOut => Self::leave_last_out(data),
            Protocol::Strong => Self::strong(data, seed),
            Protocol::Temporal => Self::temporal(data, 0.1),
        }
    }

    /// Leave-last-out; viewers with fewer than three events only train. Its papers use the order alone, so the
    /// training data's times are replaced by [`Dataset::with_ages`].
    pub fn leave_last_out(data: &Dataset) -> Result<Self> {
        let split = Self {
            protocol: Protocol::LastOut,
            learn: (2..2 + REHEARSALS).map(|held| without_last(data, held)).collect(),
            test: without_last(data, 1),
        };
        split.checked()
    }

    /// Strong generalisation: viewers permuted by the seed, a tenth (at most 600) tested, as many validated; of each
    /// of these a fifth of the titles, chosen by the seed, is wanted.
    pub fn strong(data: &Dataset, seed: u64) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut users: Vec<u32> = (0..data.users() as u32)
            .filter(|&u| data.history(u).len() >= 2)
            .collect();
        shuffle(&mut users, &mut rng);
        let held = (users.len() / 10).min(600);
        let (training, held_out) = users.split_at(users.len() - 2 * held);
        let (validation, test) = held_out.split_at(held);
        let mut case = |&user: &u32| fold_in_case(data, user, &mut rng);
        let validation: Vec<Case> = validation.iter().map(&mut case).collect();
        let test: Vec<Case> = test.iter().map(&mut case).collect();
        let mut trains = vec![false; data.users()];
        training.iter().for_each(|&u| trains[u as usize] = true);
        let train = data.filtered(|i| trains[i.user as usize]);
        Self::strong_given(train, validation, test)
    }

    /// Strong generalisation on a split that somebody else made; times become [`Dataset::with_ages`].
    pub fn strong_given(train: Dataset, validation: Vec<Case>, test: Vec<Case>) -> Result<Self> {
        let train = Arc::new(train.with_ages());
        let split = Self {
            protocol: Protocol::Strong,
            learn: vec![Stage {
                train: Arc::clone(&train),
                cases: validation,
            }],
            test: Stage { train, cases: test },
        };
        split.checked()
    }

    /// One cut in time: the newest `share` of all events is the test; of the rest again the newest `share` is the first
    /// rehearsal, and so on. Events at the very time of a cut stay on the older side, so nothing from the future leaks.
    pub fn temporal(data: &Dataset, share: f64) -> Result<Self> {
        Self::temporal_from(data, share, i64::MIN)
    }

    /// The same, but the test begins no earlier than after `known`, if there is anything later: where a model that has
    /// learned up to there is to be compared, both must know the same past.
    pub fn temporal_from(data: &Dataset, share: f64, known: i64) -> Result<Self> {
        let is_known = |newest: i64| known < newest;
        let cut = newest_cut(data, share).max(if data.newest().is_some_and(is_known) {
            known
        } else {
            i64::MIN
        });
        let test = after_cut(data, cut);
        let mut learn: Vec<Stage> = Vec::with_capacity(REHEARSALS);
        for _ in 0..REHEARSALS {
            let later = &learn.last().map_or(&test, |stage| stage).train;
            learn.push(after_cut(later, newest_cut(later, share)));
        }
        let split = Self {
            protocol: Protocol::Temporal,
            learn,
            test,
        };
        split.checked()
    }

    fn checked(self) -> Result<Self> {
        if self.test.cases.is_empty() || self.test.train.is_empty() {
            let text = "too few interactions for this protocol: nothing to train on or to test";
            return Err(RecoError::Data(text.into()));
        }
        Ok(self)
    }
}

/// Training data without the last `held` events of each viewer, of which one at least stays; wanted is the first of them.
/// Viewers with too few events only train.
fn without_last(data: &Dataset, held: usize) -> Stage {
    let known = |user: u32| match data.history(user).len() {
        len if len >= 3 => len.saturating_sub(held).max(1),
        len => len,
    };
    let mut cases = Vec::new();
    for user in 0..data.users() as u32 {
        let (history, known) = (data.history(user), known(user));
        if known + held == history.len() {
            cases.push(Case {
                user,
                history: history[..known].to_vec(),
                targets: vec![history[known].item],
            });
        }
    }
    let mut position = vec![0usize; data.users()];
    let train = data.filtered(|i| {
        position[i.user as usize] += 1;
        position[i.user as usize] <= known(i.user)
    });
    Stage {
        train: Arc::new(train.with_ages()),
        cases,
    }
}

/// The time after which lies the newest `share` of the events.
fn newest_cut(data: &Dataset, share: f64) -> i64 {
    let mut times: Vec<i64> = data.interactions().map(|i| i.at).collect();
    let Some(last) = times.len().checked_sub(1) else {
        return i64::MIN;
    };
    let first = ((times.len() as f64) * (1.0 - share)) as usize;
    let (_, &mut cut, _) = times.select_nth_unstable(first.min(last));
    cut
}

/// What came after `cut` against everything before.
fn after_cut(data: &Dataset, cut: i64) -> Stage {
    let train = Arc::new(data.filtered(|i| i.at <= cut));
    let mut cases = Vec::new();
    for user in 0..data.users() as u32 {
        let history = data.history(user);
        let (known, later) = history.split_at(history.partition_point(|e| e.at <= cut));
        let liked = later.iter().filter(|e| e.weight > 0.0);
        let targets: Vec<u32> = liked.map(|e| e.item).collect();
        if !targets.is_empty() {
            cases.push(Case {
                user,
                history: known.to_vec(),
                targets,
            });
        }
    }
    Stage { train, cases }
}

fn fold_in_case(data: &Dataset, user: u32, rng: &mut ChaCha8Rng) -> Case {
    let history = data.history(user);
    let mut order: Vec<usize> = (0..history.len()).collect();
    shuffle(&mut order, rng);
    order.truncate((history.len() / 5).max(1));
    let mut wanted = vec![false; history.len()];
    order.iter().for_each(|&index| wanted[index] = true);
    let side = |want: bool| {
        let events = history.iter().zip(&wanted);
        events.filter(move |(_, w)| **w == want).map(|(e, _)| *e)
    };
    Case {
        user,
        history: side(false).collect(),
        targets: side(true).map(|e| e.item).collect(),
    }
}

/// Fisher–Yates.
pub(crate) fn shuffle<T>(list: &mut [T], rng: &mut ChaCha8Rng) {
    for last in (1..list.len()).rev() {
        list.swap(last, rng.random_range(0..=last));
    }
}
