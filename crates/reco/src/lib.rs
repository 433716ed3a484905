//! Pure recommender mathematics: no async, no IO, dense `u32` indices, seeded.
//!
//! Same data, configuration and seed give the same bytes at any number of threads: work is parallel over rows, each
//! row has a fixed order inside, and sums across rows are taken in row order. Run inside a `rayon` pool of your own to
//! limit threads.
//!
//! # Words
//! *Item* = title, *user* = viewer, both dense indices from 0. An [`Event`] is `{item, weight, at}`: `weight` is signed
//! evidence (1 liked or watched whole, a fraction partly watched, below 0 disliked; see [`signal`]), `at` is
//! milliseconds. A *history* is a slice of events, oldest first; unknown titles are ignored, and a [`Recommender`] counts
//! the newest [`HISTORY_MAX`] only. An [`ItemSet`] is a bit set of titles to leave out.
//!
//! # Training and publishing
//! ```text
//! let mut builder = DatasetBuilder::new(users, items);
//! builder.push(Interaction { user, item, weight: signal::from_half_stars(9), at });
//! let data = builder.build()?;
//! let mut features = ItemFeaturesBuilder::new(items);
//! features.describe(item, &TitleDescription { name, year, genres, people });
//! let trained = train(&data, &item_keys, &features.build(), &TrainConfig::default(), now, &|stage, share| …)?;
//! trained.recommender                  // over all events: the one to publish
//! trained.metrics                      // of the rehearsal: trained on the oldest 90 %, judged on the newest 10 %
//! let verdict = compare(&current, &trained.rehearsal, &trained.held_out, seed);    // paired, with an interval
//! if verdict.outcome != Outcome::Worse { store(trained.recommender.save_parts()?) }
//! ```
//! `item_keys[i]` is the caller's own id (`i64`) of title `i`, strictly ascending not required, unique required.
//! Titles without any event belong into the index too: the content model scores them.
//!
//! # Serving
//! ```text
//! let model = Recommender::load_parts(&parts)?;        // refuses cut-short, altered, inconsistent bytes; says why
//! let item = model.index_of(title_id);                 // Option<u32>;  model.key_of(item) -> i64
//! let mut scratch = Scratch::default();                // one per thread, reused
//! model.recommend(&history, 100, &excluded, &mut scratch)  // Vec<Scored {item, score}>, best first, never a seen title
//! model.recommend_where(&history, 40, &|item| is_comedy(item), &mut scratch)  // candidates drawn inside the filter
//! model.similar(item, 40)                              // More Like This, Because You Watched
//! model.trending(40, &excluded); model.popular(40, &excluded);
//! model.explain(&history, item)                        // Vec<Contribution {item, contribution}>: why
//! let mut ranked = model.rank_where(&history, 40, &|item| is_comedy(item), &mut scratch);
//! ranked.attribute(&[best, second])                    // why, of titles of this ranking: each title's, popularity's … part
//! ```
//! One call costs about 0.2 ms of processor time at 10,500 titles, little more for longer lists: rank once per page
//! with a large `k` and cut rows from it. A [`Recommender`] is immutable and its clones share the models. What happened since
//! training is counted beside it: `model.counts().clone()`, [`Cooccurrence::observe`], `model.with_counts(counts)`; and
//! `model.placed(&titles)` has titles that came since.
//!
//! # Evaluating
//! ```text
//! let report = evaluate(Protocol::LastOut, &data, &features, &["ease", "ranker"], &EvaluateOptions::default())?;
//! let report = evaluate_split(Split::strong_given(train, validation, test)?, …)?;       // somebody else's split
//! report.report    // serde: {protocol, data, segments, models: [{name, train_s, serve_us, metrics, intervals, segments, paired}]}
//! report.rankings  // with `keep_rankings`: per test user the best 100
//! ```
//!
//! # A new model
//! One file under `models/` that implements [`Model`], a line in [`load_model`], a line in `evaluate::train_single`, and
//! a constructor in `tests/suite.rs`: the inherited suite does the rest.

mod bundle;
mod codec;
mod compare;
mod dataset;
mod error;
mod evaluate;
pub mod experiment;
mod linalg;
pub mod metrics;
mod model;
mod models;
pub mod random;
mod ranker;
mod search;
mod select;
pub mod signal;
mod sparse;
pub mod split;
mod train;

pub use bundle::{Part, Recommender};
pub use compare::{Clock, Comparison, Outcome, Pace, compare};
pub use dataset::{Core, Dataset, DatasetBuilder, Event, Interaction, Occurrence};
pub use error::{RecoError, Result};
pub use evaluate::{
    DataReport, EvaluateOptions, Evaluation, Figures, MODEL_NAMES, ModelReport, PairedTest, Ranking, Report, Segment,
    SegmentOf, evaluate, evaluate_split, rank_cases,
};
pub use model::{Contribution, HISTORY_MAX, Model, Scratch, load_model};
pub use models::{
    Content, ContentSettings, Cooccurrence, CooccurrenceSettings, EMBEDDED, Ease, EaseSettings, Ials, IalsSettings,
    ItemFeatures, ItemFeaturesBuilder, Objective, Outlook, Popularity, TitleDescription, reduced,
};
pub use ranker::{Attribution, Bases, ForestSettings, Ranked, Ranker, RankerSettings, Signal, Traits};
pub use search::{Search, SearchSettings};
pub use select::{ItemSet, Scored, top_k};
pub use sparse::SparseMatrix;
pub use split::{Case, LearnStages, Opened, Protocol, Split, Stage};
pub use train::{BaseConfig, OfflineMetrics, Progress, TRENDING_HALF_LIFE_MS, TrainConfig, Trained, train, tune};
