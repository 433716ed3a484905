//! A search for the settings of the base models: random steps around the best known ones, each judged on the past.
//!
//! Random search in a neighbourhood (Bergstra and Bengio 2012, "Random search for hyper-parameter optimization", with steps from
//! the incumbent instead of draws from the whole space, for the incumbent is seldom far off): trial n varies one model's settings,
//! trains that model alone, and keeps them where its own ranking finds more than the incumbent's of the same viewers' titles,
//! beyond noise. Only [`LearnStages`] are judged by, so a test is never touched.
//!
//! Trial n depends on the seed, n, the best settings so far and the data, and on nothing else: a search that was stopped and
//! goes on from its stored state comes to the same bytes as one that ran through.

use crate::error::Result;
use crate::metrics::ndcg_at;
use crate::model::{Model, Scratch};
use crate::models::{Content, Cooccurrence, Ease, Ials, ItemFeatures};
use crate::select::{ItemSet, evenly};
use crate::split::{Case, LearnStages, Stage};
use crate::train::BaseConfig;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Viewers that a setting is judged by, at most, thinned evenly.
const CASES_MAX: usize = 3_000;
/// Fewer viewers say nothing.
const CASES_MIN: usize = 30;
/// A title with fewer positive events is what the content model is for.
const COLD_BELOW: f32 = 2.0;

/// How a search steps and judges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchSettings {
    /// Seed of the steps.
    pub seed: u64,
    /// NDCG at this depth is what counts.
    pub depth: usize,
    /// A step is kept where its mean gain over the same viewers is above zero by so many standard errors.
    pub margin: f64,
    /// Rehearsals that are judged by, the newest first.
    pub stages: usize,
    /// Models whose settings are varied, in turn.
    pub subjects: [bool; SUBJECTS.len()],
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            seed: 7,
            depth: 20,
            margin: 2.0,
            stages: 1,
            subjects: [true; SUBJECTS.len()],
        }
    }
}

/// A model whose settings are varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Cooccurrence,
    Ease,
    Ials,
    Content,
}

const SUBJECTS: [Subject; 4] = [Subject::Cooccurrence, Subject::Ease, Subject::Ials, Subject::Content];

/// Where a search stands: enough to go on from, in another process or on newer data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    settings: SearchSettings,
    best: BaseConfig,
    trials: u64,
    kept: u64,
}

impl Search {
    /// Begins at the incumbent.
    pub fn new(incumbent: BaseConfig, settings: SearchSettings) -> Self {
        Self {
            settings,
            best: incumbent,
            trials: 0,
            kept: 0,
        }
    }

    /// The best settings so far.
    pub fn best(&self) -> BaseConfig {
        self.best
    }

    /// Trials so far, and how many of them found better settings.
    pub fn trials(&self) -> (u64, u64) {
        (self.trials, self.kept)
    }

    /// Goes back to these settings; what is tried next is what would have been tried.
    pub fn return_to(&mut self, incumbent: BaseConfig) {
        self.best = incumbent;
    }

    /// Makes trials until `go_on`, which is asked before each one with the state so far, says no or fails. An overlong trial is
    /// not broken off: the budget may be exceeded by the training of two base models. Without enough held-out viewers nothing is
    /// tried.
    pub fn run(
        &mut self,
        learn: LearnStages<'_>,
        features: &ItemFeatures,
        go_on: &mut dyn FnMut(&Self) -> Result<bool>,
    ) -> Result<()> {
        let stages: Vec<&Stage> = learn.iter().take(self.settings.stages.max(1)).collect();
        let subjects: Vec<Subject> = SUBJECTS
            .into_iter()
            .zip(self.settings.subjects)
            .filter_map(|(subject, is_varied)| is_varied.then_some(subject))
            .collect();
        let enough = stages
            .iter()
            .any(|stage| stage.cases.len() >= CASES_MIN && !stage.train.is_empty());
        if subjects.is_empty() || !enough {
            return Ok(());
        }
        let mut judge = Judge {
            stages,
            features,
            depth: self.settings.depth,
            known: BTreeMap::new(),
        };
        while go_on(self)? {
            let mut rng = ChaCha8Rng::seed_from_u64(self.settings.seed.wrapping_add(self.trials));
            let subject = subjects[self.trials as usize % subjects.len()];
            let candidate = varied(&self.best, subject, &mut rng);
            if judge.is_better(&self.best, &candidate, subject, self.settings.margin)? {
                self.best = candidate;
                self.kept += 1;
            }
            self.trials += 1;
        }
        Ok(())
    }
}

/// Judges settings, and remembers how the incumbent did.
struct Judge<'a> {
    stages: Vec<&'a Stage>,
    features: &'a ItemFeatures,
    depth: usize,
    known: BTreeMap<Subject, Vec<f32>>,
}

impl Judge<'_> {
    fn is_better(&mut self, best: &BaseConfig, candidate: &BaseConfig, subject: Subject, margin: f64) -> Result<bool> {
        let before = match self.known.remove(&subject) {
            Some(known) => known,
            None => self.figures(best, subject)?,
        };
        if before.len() < CASES_MIN || candidate == best {
            self.known.insert(subject, before);
            return Ok(false);
        }
        let after = self.figures(candidate, subject)?;
        let is_better = gain(&before, &after) > margin;
        self.known.insert(subject, if is_better { after } else { before });
        if is_better && subject == Subject::Ials {
            // It predicts other vectors now.
            self.known.remove(&Subject::Content);
        }
        Ok(is_better)
    }

    /// NDCG by viewer.
    fn figures(&self, config: &BaseConfig, subject: Subject) -> Result<Vec<f32>> {
        let mut figures = Vec::new();
        for stage in &self.stages {
            let model = self.model(stage, config, subject)?;
            let excluded = match subject {
                Subject::Content => warm(stage),
                _ => ItemSet::default(),
            };
            figures.extend(self.ranked(&*model, stage, &excluded));
        }
        Ok(figures)
    }

    fn model(&self, stage: &Stage, config: &BaseConfig, subject: Subject) -> Result<Box<dyn Model>> {
        let data = &*stage.train;
        Ok(match subject {
            Subject::Cooccurrence => Box::new(Cooccurrence::train(data, config.cooccurrence)?),
            Subject::Ease => Box::new(Ease::train(data, config.ease)?),
            Subject::Ials => Box::new(Ials::train(data, config.ials)?),
            Subject::Content => {
                let ials = Ials::train(data, config.ials)?;
                Box::new(Content::train(data, self.features, &ials, config.content)?)
            }
        })
    }

    /// Of viewers with a history who have anything to find outside of `excluded`.
    fn ranked(&self, model: &dyn Model, stage: &Stage, excluded: &ItemSet) -> Vec<f32> {
        let wanted = |case: &Case| -> Vec<u32> {
            let targets = case.targets.iter().copied();
            targets.filter(|&item| !excluded.contains(item)).collect()
        };
        let cases: Vec<(&Case, Vec<u32>)> = stage
            .cases
            .iter()
            .filter(|case| !case.history.is_empty())
            .map(|case| (case, wanted(case)))
            .filter(|(_, targets)| !targets.is_empty())
            .collect();
        let thinned: Vec<&(&Case, Vec<u32>)> = evenly(&cases, CASES_MAX).collect();
        let one = |scratch: &mut Scratch, (case, targets): &(&Case, Vec<u32>)| {
            let list = model.recommend(&case.history, self.depth, excluded, scratch);
            let items: Vec<u32> = list.iter().map(|scored| scored.item).collect();
            ndcg_at(&items, targets, self.depth)
        };
        let figures = thinned
            .par_iter()
            .map_init(Scratch::default, |scratch, case| one(scratch, case));
        figures.collect()
    }
}

/// Titles that many know.
fn warm(stage: &Stage) -> ItemSet {
    let popularity = stage.train.popularity();
    let known = (0..popularity.len() as u32).filter(|&item| popularity[item as usize] >= COLD_BELOW);
    ItemSet::of(popularity.len(), known)
}

/// The mean of the paired differences in standard errors.
fn gain(before: &[f32], after: &[f32]) -> f64 {
    let count = before.len() as f64;
    let differences = || {
        before
            .iter()
            .zip(after)
            .map(|(before, after)| f64::from(after - before))
    };
    let mean = differences().sum::<f64>() / count;
    let variance = differences().map(|difference| (difference - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let error = (variance / count).sqrt();
    if error > 0.0 { mean / error } else { 0.0 }
}

/// A step away from `config`: every setting of the subject is varied or not by the toss of a coin, one at least.
fn varied(config: &BaseConfig, subject: Subject, rng: &mut ChaCha8Rng) -> BaseConfig {
    let mut next = *config;
    let count = match subject {
        Subject::Cooccurrence => 9,
        Subject::Ease => 1,
        Subject::Ials => 4,
        Subject::Content => 1,
    };
    let chosen = rng.random_range(0..count);
    for setting in 0..count {
        if setting == chosen || rng.random_range(0..3) == 0 {
            vary(&mut next, subject, setting, rng);
        }
    }
    next
}

fn vary(config: &mut BaseConfig, subject: Subject, setting: usize, rng: &mut ChaCha8Rng) {
    let (counts, ease) = (&mut config.cooccurrence, &mut config.ease);
    let ials = &mut config.ials;
    match (subject, setting) {
        (Subject::Cooccurrence, 0) => counts.window = whole(counts.window, 1..=20, rng),
        (Subject::Cooccurrence, 1) => counts.decay = towards_one(counts.decay, rng),
        (Subject::Cooccurrence, 2) => counts.column_exponent = shifted(counts.column_exponent, 0.1, 0.0..=0.9, rng),
        (Subject::Cooccurrence, 3) => counts.row_exponent = shifted(counts.row_exponent, 0.15, 0.0..=1.5, rng),
        (Subject::Cooccurrence, 4) => counts.context = whole(counts.context, 1..=500, rng),
        (Subject::Cooccurrence, 5) => counts.context_decay = towards_one(counts.context_decay, rng),
        (Subject::Cooccurrence, 6) => counts.column_offset = scaled(counts.column_offset, 1.5, 0.5..=1_000.0, rng),
        (Subject::Cooccurrence, 7) => counts.row_offset = scaled(counts.row_offset, 1.5, 0.1..=100.0, rng),
        (Subject::Cooccurrence, _) => counts.backward = shifted(counts.backward, 0.2, 0.0..=1.0, rng),
        // How its input decays is the ranker's own matter.
        (Subject::Ease, _) => ease.regularisation = scaled(ease.regularisation, 1.0, 1.0..=100_000.0, rng),
        (Subject::Ials, 0) => {
            ials.objective.regularisation = scaled(ials.objective.regularisation, 1.5, 1e-5..=1.0, rng);
        }
        (Subject::Ials, 1) => ials.objective.unobserved = scaled(ials.objective.unobserved, 1.5, 1e-3..=10.0, rng),
        (Subject::Ials, 2) => {
            let exponent = &mut ials.objective.frequency_exponent;
            *exponent = shifted(*exponent, 0.2, 0.0..=1.2, rng);
        }
        // Not more: a title's vector is what a server holds in memory.
        (Subject::Ials, _) => ials.size = whole(ials.size / 8, 1..=8, rng) * 8,
        (Subject::Content, _) => {
            config.content.regularisation = scaled(config.content.regularisation, 2.0, 1e-3..=1_000.0, rng);
        }
    }
}

/// A number between −1 and 1.
fn toss(rng: &mut ChaCha8Rng) -> f32 {
    rng.random::<f32>() * 2.0 - 1.0
}

/// Times two to the power of at most `octaves`, either way.
fn scaled(value: f32, octaves: f32, within: std::ops::RangeInclusive<f32>, rng: &mut ChaCha8Rng) -> f32 {
    (value * (octaves * toss(rng)).exp2()).clamp(*within.start(), *within.end())
}

fn shifted(value: f32, by: f32, within: std::ops::RangeInclusive<f32>, rng: &mut ChaCha8Rng) -> f32 {
    (value + by * toss(rng)).clamp(*within.start(), *within.end())
}

/// A decay: what it lacks of one is halved or doubled at most.
fn towards_one(value: f32, rng: &mut ChaCha8Rng) -> f32 {
    1.0 - scaled((1.0 - value).max(0.005), 1.0, 0.0..=0.8, rng)
}

/// A half more or less, by one at least.
fn whole(value: usize, within: std::ops::RangeInclusive<usize>, rng: &mut ChaCha8Rng) -> usize {
    let next = (value as f32 * (0.6 * toss(rng)).exp2()).round() as usize;
    let next = match next == value {
        true if rng.random() => value + 1,
        true => value.saturating_sub(1),
        false => next,
    };
    next.clamp(*within.start(), *within.end())
}
