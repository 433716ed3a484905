//! From rankings to figures: what all models of a test are measured by is prepared once.

use super::report::{DataReport, Figures, PairedTest, Ranking, Segment};
use super::segments::{Cut, cut};
use crate::metrics::{
    bootstrap_interval, coverage_at, diversity_at, exposure_at, gini, hit_rate_at, information_of, mean,
    miscalibration, mix_of, ndcg_at, novelty_at, recall_at, sign_flip_test,
};
use crate::models::ItemFeatures;
use crate::split::{Protocol, Stage};
use std::collections::BTreeMap;

/// How far down a list is looked at for what is no accuracy: a page's first rows.
const DEPTH: usize = 20;
/// Random signs of a paired test: p-values from 0.0001 on.
const FLIPS: usize = 10_000;

/// A metric of one ranking against its targets.
type Metric = fn(&[u32], &[u32], usize) -> f32;

const METRICS: [(&str, Metric, &[usize]); 3] = [
    ("recall", recall_at, &[10, 20, 50]),
    ("ndcg", ndcg_at, &[10, 20, 100]),
    ("hit_rate", hit_rate_at, &[10, 50]),
];

/// Accuracy metrics by name and depth.
fn accuracy() -> impl Iterator<Item = (String, Metric, usize)> {
    let at = |(name, metric, depths): (&'static str, Metric, &'static [usize])| {
        depths.iter().map(move |&k| (format!("{name}@{k}"), metric, k))
    };
    METRICS.into_iter().flat_map(at)
}

/// What the models of one test are measured by.
pub(super) struct Measure<'a> {
    stage: &'a Stage,
    features: &'a ItemFeatures,
    headline: [&'static str; 2],
    resamples: usize,
    seed: u64,
    /// Bits by title.
    information: Vec<f32>,
    /// Genre mix of each case's history.
    mixes: Vec<Option<Vec<f64>>>,
    cuts: Vec<Cut>,
}

/// One model's figures, and by viewer the headline figures, in the order of the cases.
pub(super) struct Measured {
    pub figures: Figures,
    pub segments: BTreeMap<String, Figures>,
    headline: [Vec<f32>; 2],
}

impl<'a> Measure<'a> {
    /// Without segments; see [`Self::with_segments`].
    pub fn new(protocol: Protocol, stage: &'a Stage, features: &'a ItemFeatures, resamples: usize, seed: u64) -> Self {
        let data = &*stage.train;
        let viewers = (0..data.users() as u32).filter(|&user| !data.history(user).is_empty());
        let own_mix = |case: &crate::split::Case| {
            let titles = case
                .history
                .iter()
                .map(|event| (features.genres(event.item), event.weight));
            mix_of(titles, features.genre_count())
        };
        Self {
            stage,
            features,
            headline: protocol.headline(),
            resamples,
            seed,
            information: information_of(&data.popularity(), viewers.count()),
            mixes: stage.cases.iter().map(own_mix).collect(),
            cuts: Vec::new(),
        }
    }

    /// With figures of their own for the parts of the test.
    pub fn with_segments(mut self, protocol: Protocol) -> Self {
        self.cuts = cut(protocol, self.stage);
        self
    }

    /// The segments by which it measures.
    pub fn segments(&self) -> Vec<Segment> {
        self.cuts.iter().map(|cut| cut.segment.clone()).collect()
    }

    /// Figures of one model's rankings, one per case and in the order of the cases.
    pub fn of(&self, rankings: &[Ranking]) -> Measured {
        let mut measured = Measured {
            figures: Figures::default(),
            segments: BTreeMap::new(),
            headline: [Vec::new(), Vec::new()],
        };
        for (name, metric, k) in accuracy() {
            let pairs = rankings.iter().zip(&self.stage.cases);
            let values: Vec<f32> = pairs
                .map(|(ranking, case)| metric(&ranking.items, &case.targets, k))
                .collect();
            self.add_mean(&mut measured.figures, &name, &values);
            if let Some(place) = self.headline.iter().position(|headline| **headline == name) {
                measured.headline[place] = values;
            }
        }
        self.add_lists(&mut measured.figures, rankings);
        for cut in &self.cuts {
            let figures = self.of_cut(cut, rankings);
            measured.segments.insert(cut.segment.name.clone(), figures);
        }
        measured
    }

    /// What the lists show, found or not.
    fn add_lists(&self, figures: &mut Figures, rankings: &[Ranking]) {
        let lists = || rankings.iter().map(|ranking| ranking.items.as_slice());
        let items = self.stage.train.items();
        let coverage = f64::from(coverage_at(lists(), items, DEPTH));
        let evenness = gini(&exposure_at(lists(), items, DEPTH));
        figures.metrics.insert(format!("coverage@{DEPTH}"), coverage);
        figures.metrics.insert(format!("gini@{DEPTH}"), evenness);
        let novelty: Vec<f32> = lists()
            .filter_map(|list| novelty_at(list, &self.information, DEPTH))
            .collect();
        let similarity = |one, other| self.features.similarity(one, other);
        let diversity: Vec<f32> = lists()
            .filter_map(|list| diversity_at(list, similarity, DEPTH))
            .collect();
        let pairs = self.mixes.iter().zip(lists());
        let calibration: Vec<f32> = pairs
            .filter_map(|(own, list)| self.miscalibration(own.as_deref()?, list))
            .collect();
        for (name, values) in [
            ("novelty", novelty),
            ("diversity", diversity),
            ("miscalibration", calibration),
        ] {
            if !values.is_empty() {
                self.add_mean(figures, &format!("{name}@{DEPTH}"), &values);
            }
        }
    }

    fn miscalibration(&self, own: &[f64], list: &[u32]) -> Option<f32> {
        let titles = list.iter().take(DEPTH).map(|&item| (self.features.genres(item), 1.0));
        Some(miscalibration(own, &mix_of(titles, self.features.genre_count())?))
    }

    fn of_cut(&self, cut: &Cut, rankings: &[Ranking]) -> Figures {
        let mut figures = Figures::default();
        for (name, metric, k) in accuracy().filter(|(name, ..)| self.headline.contains(&name.as_str())) {
            let cases = cut.cases.iter();
            let values: Vec<f32> = cases
                .map(|(case, targets)| metric(&rankings[*case].items, targets, k))
                .collect();
            self.add_mean(&mut figures, &name, &values);
        }
        figures
    }

    fn add_mean(&self, figures: &mut Figures, name: &str, values: &[f32]) {
        let interval = bootstrap_interval(values, self.resamples, self.seed);
        figures.metrics.insert(name.to_owned(), mean(values));
        figures.intervals.insert(name.to_owned(), interval);
    }

    /// Whether a model finds more than another, by each headline figure.
    pub fn paired(&self, ours: &Measured, against: &str, theirs: &Measured) -> Vec<PairedTest> {
        let both = ours.headline.iter().zip(&theirs.headline).zip(self.headline);
        both.map(|((ours, theirs), metric)| {
            let differences: Vec<f32> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
            PairedTest {
                against: against.to_owned(),
                metric: metric.to_owned(),
                difference: mean(&differences),
                interval: bootstrap_interval(&differences, self.resamples, self.seed),
                p_value: sign_flip_test(&differences, FLIPS, self.seed),
                better: differences.iter().filter(|d| **d > 0.0).count(),
                worse: differences.iter().filter(|d| **d < 0.0).count(),
            }
        })
        .collect()
    }
}

/// Sizes of a stage.
pub(super) fn describe(stage: &Stage) -> DataReport {
    let data = &*stage.train;
    let targets: Vec<u32> = stage.cases.iter().flat_map(|c| c.targets.clone()).collect();
    let cold = targets.iter().filter(|&&t| data.occurrences(t).is_empty());
    let new = stage.cases.iter().filter(|c| c.history.is_empty());
    DataReport {
        users: data.users(),
        items: data.items(),
        train_events: data.len(),
        cases: stage.cases.len(),
        cold_targets: cold.count() as f64 / targets.len().max(1) as f64,
        cold_users: new.count() as f64 / stage.cases.len().max(1) as f64,
        targets: targets.len(),
    }
}
