//! A split of the past: stages to learn and choose from, and one test that stays sealed until the models are finished.
//!
//! # Why the test cannot choose
//! [`Split`] hands out its [`LearnStages`] and what finished models train on, never its test cases. Whatever fits or
//! chooses (weights of a ranker, hyper-parameters, when to stop) takes [`LearnStages`], which only a split can make. The test
//! is opened by [`Split::open`]: it takes the finished models away and gives them back for reading only, and the split with
//! its learn stages is gone. The compiler holds this:
//!
//! ```
//! # use reco::{Dataset, Interaction, Protocol, Split};
//! # let event = |n: u32| Interaction { user: n % 4, item: n / 4, weight: 1.0, at: i64::from(n) };
//! # let data = Dataset::from_interactions(4, 6, (0..24).map(event))?;
//! let split = Split::make(Protocol::LastOut, &data, 1)?;
//! let newest = split.learn().newest().map(|stage| stage.cases.len());  // choosing: as often as you like
//! let opened = split.open("the finished models");                      // once, and nothing is chosen afterwards
//! assert_eq!((newest, opened.test().cases.len()), (Some(4), 4));
//! # Ok::<(), reco::RecoError>(())
//! ```
//!
//! The test cannot be read before:
//!
//! ```compile_fail,E0616
//! # use reco::{Dataset, Interaction, Protocol, Split};
//! # let event = |n: u32| Interaction { user: n % 4, item: n / 4, weight: 1.0, at: i64::from(n) };
//! # let data = Dataset::from_interactions(4, 6, (0..24).map(event))?;
//! let split = Split::make(Protocol::LastOut, &data, 1)?;
//! let cases = &split.test.cases;
//! # Ok::<(), reco::RecoError>(())
//! ```
//!
//! Nothing can be chosen after:
//!
//! ```compile_fail,E0505
//! # use reco::{Dataset, Interaction, Protocol, Split};
//! # let event = |n: u32| Interaction { user: n % 4, item: n / 4, weight: 1.0, at: i64::from(n) };
//! # let data = Dataset::from_interactions(4, 6, (0..24).map(event))?;
//! let split = Split::make(Protocol::LastOut, &data, 1)?;
//! let learn = split.learn();
//! let opened = split.open("the finished models");
//! let newest = learn.newest();
//! # Ok::<(), reco::RecoError>(())
//! ```
//!
//! And what is opened is no learn stage: no ranker can be fitted to it.
//!
//! ```compile_fail,E0308
//! # use reco::{Dataset, Interaction, Protocol, Ranker, RankerSettings, RecoError, Split};
//! # let event = |n: u32| Interaction { user: n % 4, item: n / 4, weight: 1.0, at: i64::from(n) };
//! # let data = Dataset::from_interactions(4, 6, (0..24).map(event))?;
//! let split = Split::make(Protocol::LastOut, &data, 1)?;
//! let opened = split.open("the finished models");
//! Ranker::train(opened.test(), RankerSettings::default(), &mut |_| Err(RecoError::Cancelled)).ok();
//! # Ok::<(), reco::RecoError>(())
//! ```

mod protocols;

pub(crate) use protocols::shuffle;

use crate::dataset::{Dataset, Event};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The protocols of the literature that are built in. The constructors of [`Split`] say how each follows its papers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Each viewer's last title is the test, the one before it the validation: [`Split::leave_last_out`].
    LastOut,
    /// Held-out viewers, four fifths of their titles given, one fifth wanted: [`Split::strong`].
    Strong,
    /// One cut in time, new viewers and titles included: [`Split::temporal`].
    Temporal,
}

impl Protocol {
    /// The two accuracy figures that its papers quote, first the one that models are compared by.
    pub fn headline(self) -> [&'static str; 2] {
        match self {
            Self::LastOut => ["ndcg@10", "recall@10"],
            Self::Strong => ["ndcg@100", "recall@20"],
            Self::Temporal => ["ndcg@20", "recall@20"],
        }
    }
}

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

/// Stages to learn and choose from, and a sealed test. Not `Clone`: its test is opened once.
#[derive(Debug)]
pub struct Split {
    protocol: Protocol,
    learn: Vec<Stage>,
    test: Stage,
}

/// Rehearsals in the past, the newest first: each knows less than the one before, and none anything of the test. Made by a
/// split alone, so that a function that takes these cannot be given a test.
#[derive(Clone, Copy, Debug)]
pub struct LearnStages<'a>(&'a [Stage]);

/// A test with the finished models that it judges.
#[derive(Debug)]
pub struct Opened<M> {
    protocol: Protocol,
    finished: M,
    test: Stage,
}

impl Split {
    /// Where it came from.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// For fitting and choosing.
    pub fn learn(&self) -> LearnStages<'_> {
        LearnStages(&self.learn)
    }

    /// What the finished models are trained on, with what was chosen before: everything that the test may know.
    pub fn train(&self) -> &Arc<Dataset> {
        &self.test.train
    }

    /// Number of held-out viewers in the test.
    pub fn held_out(&self) -> usize {
        self.test.cases.len()
    }

    /// Breaks the seal: takes the finished models, and ends the split.
    pub fn open<M>(self, finished: M) -> Opened<M> {
        Opened {
            protocol: self.protocol,
            finished,
            test: self.test,
        }
    }
}

impl<'a> LearnStages<'a> {
    /// All stages, the newest first.
    pub fn iter(self) -> std::slice::Iter<'a, Stage> {
        self.0.iter()
    }

    /// Number of stages.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to choose by.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The stage nearest to the test: choose by it what was learned on [`Self::older`].
    pub fn newest(self) -> Option<&'a Stage> {
        self.0.first()
    }

    /// All but the newest.
    pub fn older(self) -> Self {
        Self(self.0.get(1..).unwrap_or_default())
    }
}

impl<M> Opened<M> {
    /// Where it came from.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The models as they were handed over.
    pub fn finished(&self) -> &M {
        &self.finished
    }

    /// What they trained on, and what they are judged on.
    pub fn test(&self) -> &Stage {
        &self.test
    }

    /// The models and the cases, when all is judged.
    pub fn into_parts(self) -> (M, Vec<Case>) {
        (self.finished, self.test.cases)
    }
}
