//! How interactions become stages and a test: one function per published protocol.

use super::{Case, Protocol, Split, Stage};
use crate::dataset::Dataset;
use crate::error::{RecoError, Result};
use crate::select::evenly;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// How many moments of the past are rehearsed: more of them show more viewers with long histories.
const REHEARSALS: usize = 4;
/// Viewers that one cut in time holds out, at most: every so many of those who come back after it.
const CASES_MAX: usize = 20_000;
/// A moment that shows as many viewers is enough by itself: it is a large service, where every moment more costs much.
const CASES_ENOUGH: usize = CASES_MAX / 2;

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

    /// Leave-last-out with full ranking, the protocol of the sequential recommenders: SASRec (Kang & McAuley, ICDM 2018),
    /// BERT4Rec (Sun et al., CIKM 2019), gSASRec (Petrov & Macdonald, RecSys 2023).
    ///
    /// - Of each viewer the last event is the test. The test's history is all before it, the second last (the papers'
    ///   validation) included, as in the papers.
    /// - All titles of the index are ranked but those of the history. The first two papers sampled 100 negatives instead;
    ///   Krichene & Rendle (KDD 2020) show why such figures cannot be compared, and gSASRec and after rank all.
    /// - One title is wanted, so Recall@k is the hit rate, and NDCG@k is 1/log₂(rank + 2) of the found title, rank from 0.
    /// - Every interaction counts as positive; viewers and titles with fewer than five are the caller's to leave out
    ///   ([`Dataset::k_core`]; the papers' files come without them). Viewers with fewer than three events only train.
    /// - Learned and chosen is on the second, third, … last event: learn stage n knows what lay before the wanted event.
    /// - Order alone is used, so the training data's times are replaced by [`Dataset::with_ages`].
    /// - Different from the papers: the finished models also train on the second last event, since nothing is early-stopped
    ///   by it any more; the papers' networks see it at test time as input only.
    pub fn leave_last_out(data: &Dataset) -> Result<Self> {
        let split = Self {
            protocol: Protocol::LastOut,
            learn: (2..2 + REHEARSALS).map(|held| without_last(data, held)).collect(),
            test: without_last(data, 1),
        };
        split.checked()
    }

    /// Strong generalisation: the viewers of the test are unknown to training (Liang et al., "Variational autoencoders for
    /// collaborative filtering", WWW 2018; Steck, "EASE", WWW 2019, and after).
    ///
    /// - Viewers with two events and more are permuted by the seed: a tenth of them, at most 600, is the test, as many are the
    ///   validation (the one learn stage), the rest trains. Of a held-out viewer a fifth of the titles (one at least), drawn by
    ///   the seed, is wanted; the others are the history that is folded in.
    /// - All titles are ranked but those of the history. Recall@k is divided by min(k, wanted), NDCG@k by the best possible
    ///   value with min(k, wanted) titles: both as in Liang et al.
    /// - Every interaction is positive; Liang et al. keep ratings of four stars and more. Wanted titles that no training
    ///   viewer has seen stay wanted and count as missed ([`crate::DataReport::cold_targets`] says how many); the papers
    ///   drop them.
    /// - Histories keep their order, though the wanted titles are drawn from anywhere in them.
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

    /// [`Self::strong`] on a split that somebody else made; times become [`Dataset::with_ages`].
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

    /// One cut in time for everybody: what a service sees on the day after training ("global temporal split": Meng et al.,
    /// "Exploring data splitting strategies", RecSys 2020; Ji et al., "A critical study on data leakage", TOIS 2023: with
    /// any other split models learn from other viewers' future).
    ///
    /// - The newest `share` of all events is the test; of the rest again the newest `share` is the first rehearsal, and so
    ///   on, until there are four or one has shown 10,000 viewers. At most 20,000 viewers are held out, every so many. Events
    ///   at the very time of a cut stay on the older side, so nothing from the future leaks.
    /// - Wanted is what a viewer liked (weight above zero) after the cut, the history is everything of theirs before it.
    ///   Viewers without a history and titles that nobody had seen stay in.
    /// - All titles are ranked but those of the history. Recall@k is divided by min(k, wanted).
    /// - A title that a viewer rated twice stands at the newer time only ([`crate::DatasetBuilder::build`]): it may be missing
    ///   from the past, it never shows the future there.
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
        while learn.len() < REHEARSALS && learn.last().is_none_or(|stage| stage.cases.len() < CASES_ENOUGH) {
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
    let parted = |user: u32| {
        let history = data.history(user);
        history.split_at(history.partition_point(|event| event.at <= cut))
    };
    let has_target = |user: &u32| parted(*user).1.iter().any(|event| event.weight > 0.0);
    let wanting: Vec<u32> = (0..data.users() as u32).filter(has_target).collect();
    let cases = evenly(&wanting, CASES_MAX).map(|&user| {
        let (known, later) = parted(user);
        let liked = later.iter().filter(|event| event.weight > 0.0);
        Case {
            user,
            history: known.to_vec(),
            targets: liked.map(|event| event.item).collect(),
        }
    });
    Stage {
        cases: cases.collect(),
        train: Arc::new(data.until(cut)),
    }
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
