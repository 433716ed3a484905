//! Growing the trees: histograms of gradient and curvature per feature, the best question per level. Sums are taken in the
//! order of the rows and features are compared in their order, so any number of threads grows the same trees.

use super::forest::{Forest, ForestSettings, List, Tree};
use crate::select::evenly;
use crate::split::shuffle;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Questions that a feature may ask at most.
const BORDERS_MAX: usize = 63;
const BINS: usize = BORDERS_MAX + 1;
/// Values that the borders of a feature are drawn from.
const SAMPLE_MAX: usize = 20_000;

/// Scores of many lists, one after the other.
struct Scored {
    offsets: Vec<usize>,
    scores: Vec<f32>,
    hits: Vec<Vec<u32>>,
}

impl Scored {
    fn new(lists: &[&List]) -> Self {
        let mut offsets = vec![0];
        let mut scores = Vec::new();
        for list in lists {
            scores.extend(&list.start);
            offsets.push(scores.len());
        }
        let hits = lists.iter().map(|list| list.hits.clone()).collect();
        Self { offsets, scores, hits }
    }

    fn lists(&self) -> usize {
        self.hits.len()
    }

    /// Share of each candidate of a list under the softmax.
    fn shares(&self, list: usize, shares: &mut Vec<f32>) {
        let scores = &self.scores[self.offsets[list]..self.offsets[list + 1]];
        let highest = scores.iter().fold(f32::NEG_INFINITY, |m, &s| m.max(s));
        shares.clear();
        shares.extend(scores.iter().map(|s| (s - highest).exp()));
        let total: f32 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
    }
}

/// Lists that no tree learns from; they say when to stop.
pub(super) struct Judges {
    scored: Scored,
    /// `[features × candidates of all lists]`.
    columns: Vec<f32>,
    places: Vec<u8>,
}

impl Judges {
    pub fn new(lists: &[&List], features: usize) -> Self {
        let scored = Scored::new(lists);
        let count = scored.scores.len();
        let mut columns = vec![0f32; features * count];
        let rows = lists.iter().flat_map(|list| list.rows.chunks_exact(features));
        for (index, row) in rows.enumerate() {
            for (feature, value) in row.iter().enumerate() {
                columns[feature * count + index] = *value;
            }
        }
        Self {
            scored,
            columns,
            places: Vec::new(),
        }
    }

    pub fn add(&mut self, forest: &Forest, tree: usize) {
        forest.add_tree(tree, &self.columns, &mut self.places, &mut self.scored.scores);
    }

    /// Mean loss of a list: −mean over hits of log softmax(hit).
    pub fn loss(&self) -> f64 {
        let mut shares = Vec::new();
        let losses = (0..self.scored.lists()).map(|list| {
            self.scored.shares(list, &mut shares);
            let hits = &self.scored.hits[list];
            let logs = hits.iter().map(|&hit| f64::from(shares[hit as usize].max(1e-30)).ln());
            -logs.sum::<f64>() / hits.len().max(1) as f64
        });
        losses.sum::<f64>() / self.scored.lists().max(1) as f64
    }
}

/// Gradient and curvature of a row.
type Pull = [f32; 2];

/// The lists that trees learn from, their features as bins.
pub(super) struct Grower {
    settings: ForestSettings,
    scored: Scored,
    /// Ascending borders by feature.
    borders: Vec<Vec<f32>>,
    /// Bins by feature and row: how many borders the value is above.
    bins: Vec<Vec<u8>>,
    pulls: Vec<Pull>,
    rng: ChaCha8Rng,
}

/// A question that parts the rows, and how much it gains.
#[derive(Clone, Copy)]
struct Question {
    feature: usize,
    border: usize,
    gain: f32,
}

impl Grower {
    pub fn new(lists: &[&List], features: usize, settings: ForestSettings) -> Self {
        let scored = Scored::new(lists);
        let binned: Vec<(Vec<f32>, Vec<u8>)> = (0..features)
            .into_par_iter()
            .map(|feature| {
                let rows = lists.iter().flat_map(|list| list.rows.chunks_exact(features));
                let values: Vec<f32> = rows.map(|row| row[feature]).collect();
                let borders = borders(&values);
                let bin = |value: &f32| borders.partition_point(|border| value > border) as u8;
                let bins = values.iter().map(bin).collect();
                (borders, bins)
            })
            .collect();
        let (borders, bins) = binned.into_iter().unzip();
        Self {
            pulls: vec![[0.0; 2]; scored.scores.len()],
            rng: ChaCha8Rng::seed_from_u64(settings.seed),
            settings,
            scored,
            borders,
            bins,
        }
    }

    /// The next tree, already counted in the scores; `None` where no question gains anything.
    pub fn grow(&mut self, depth: usize) -> Option<Tree> {
        self.pull();
        let mut leaves = vec![self.chosen_rows()];
        let mut asked: Vec<Histogram> = self.chosen_features().into_iter().map(Histogram::new).collect();
        let mut questions = Vec::with_capacity(depth);
        for level in 0..depth {
            let counted = asked
                .par_iter_mut()
                .map(|histogram| self.best(histogram, &leaves, level));
            let counted: Vec<Option<Question>> = counted.collect();
            let better = |a: Question, b: Question| if b.gain > a.gain { b } else { a };
            let Some(best) = counted.into_iter().flatten().reduce(better) else {
                break;
            };
            leaves = self.parted(leaves, best);
            questions.push(best);
        }
        if questions.is_empty() {
            return None;
        }
        let mut answers: Vec<f32> = leaves.iter().map(|rows| self.answer(rows)).collect();
        self.add(&questions, &answers);
        // A tree that found nothing more to ask keeps its shape by questions that every value answers with no.
        answers.resize(1 << depth, 0.0);
        let questions = questions
            .into_iter()
            .map(|q| (q.feature as u32, self.borders[q.feature][q.border]));
        let questions = questions.chain(std::iter::repeat((0, f32::MAX))).take(depth).collect();
        Some(Tree {
            questions,
            leaves: answers,
        })
    }

    /// Leaves after a question: first those that said no, in their order, then those that said yes.
    fn parted(&self, leaves: Vec<Vec<u32>>, question: Question) -> Vec<Vec<u32>> {
        let bins = &self.bins[question.feature];
        let is_below = |row: &u32| usize::from(bins[*row as usize]) <= question.border;
        let parted = leaves.into_par_iter().map(|rows| rows.into_iter().partition(is_below));
        let (mut no, yes): (Vec<Vec<u32>>, Vec<Vec<u32>>) = parted.unzip();
        no.extend(yes);
        no
    }

    /// Counts the tree in the scores of all rows.
    fn add(&mut self, questions: &[Question], answers: &[f32]) {
        let asked: Vec<(&[u8], u8)> = questions
            .iter()
            .map(|q| (self.bins[q.feature].as_slice(), q.border as u8))
            .collect();
        let numbered = self.scored.scores.par_iter_mut().enumerate().with_min_len(10_000);
        numbered.for_each(|(row, score)| {
            let yes = |(level, (bins, border)): (usize, &(&[u8], u8))| usize::from(bins[row] > *border) << level;
            *score += answers[asked.iter().enumerate().map(yes).sum::<usize>()];
        });
    }

    /// Gradient and curvature of every row under the present scores.
    fn pull(&mut self) {
        let scored = &self.scored;
        let mut rest = self.pulls.as_mut_slice();
        let mut lists = Vec::with_capacity(scored.lists());
        for list in 0..scored.lists() {
            let (own, others) = rest.split_at_mut(scored.offsets[list + 1] - scored.offsets[list]);
            lists.push((list, own));
            rest = others;
        }
        lists.into_par_iter().for_each_init(Vec::new, |shares, (list, pulls)| {
            scored.shares(list, shares);
            for (pull, &share) in pulls.iter_mut().zip(shares.iter()) {
                *pull = [share, (share * (1.0 - share)).max(1e-6)];
            }
            let hits = &scored.hits[list];
            let wanted = 1.0 / hits.len().max(1) as f32;
            hits.iter().for_each(|&hit| pulls[hit as usize][0] -= wanted);
        });
    }

    fn chosen_rows(&mut self) -> Vec<u32> {
        let mut lists: Vec<usize> = (0..self.scored.lists()).collect();
        shuffle(&mut lists, &mut self.rng);
        lists.truncate((lists.len() as f32 * self.settings.list_share).ceil() as usize);
        lists.sort_unstable();
        let offsets = &self.scored.offsets;
        let rows = lists
            .iter()
            .flat_map(|&list| offsets[list] as u32..offsets[list + 1] as u32);
        rows.collect()
    }

    fn chosen_features(&mut self) -> Vec<usize> {
        let mut features: Vec<usize> = (0..self.bins.len())
            .filter(|&feature| !self.borders[feature].is_empty())
            .collect();
        shuffle(&mut features, &mut self.rng);
        features.truncate((features.len() as f32 * self.settings.feature_share).ceil() as usize);
        features.sort_unstable();
        features
    }

    /// The best question about one feature, over all leaves of the level at once.
    fn best(&self, histogram: &mut Histogram, leaves: &[Vec<u32>], level: usize) -> Option<Question> {
        histogram.count(leaves, level, &self.bins[histogram.feature], &self.pulls);
        let mut gains = vec![0f32; self.borders[histogram.feature].len()];
        for leaf in histogram.sums.chunks_exact(BINS) {
            let total = leaf.iter().fold([0f32; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
            let whole = self.value(total);
            let mut below = [0f32; 2];
            for (gain, bin) in gains.iter_mut().zip(leaf) {
                below = [below[0] + bin[0], below[1] + bin[1]];
                *gain += self.value(below) + self.value([total[0] - below[0], total[1] - below[1]]) - whole;
            }
        }
        let question = |(border, gain): (usize, f32)| Question {
            feature: histogram.feature,
            border,
            gain,
        };
        let better = |a: Question, b: Question| if b.gain > a.gain { b } else { a };
        let best = gains.into_iter().enumerate().map(question).reduce(better)?;
        (best.gain > 1e-6).then_some(best)
    }

    /// What a leaf of these sums lowers the loss by, times two.
    fn value(&self, [gradient, curvature]: Pull) -> f32 {
        gradient * gradient / (curvature + self.settings.leaf_regularisation)
    }

    /// What a leaf of these rows adds to their scores.
    fn answer(&self, rows: &[u32]) -> f32 {
        let pulls = rows.iter().map(|&row| self.pulls[row as usize]);
        let [gradient, curvature] = pulls.fold([0f32; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        -self.settings.learning_rate * gradient / (curvature + self.settings.leaf_regularisation)
    }
}

/// Sums of the pulls by leaf and bin of one feature, level after level.
struct Histogram {
    feature: usize,
    /// `[leaves × BINS]`.
    sums: Vec<Pull>,
}

impl Histogram {
    fn new(feature: usize) -> Self {
        Self {
            feature,
            sums: Vec::new(),
        }
    }

    /// Counts a level. Of two leaves that were one before, only the smaller is counted; the other is what it leaves over
    /// (Ke et al. 2017, "LightGBM").
    fn count(&mut self, leaves: &[Vec<u32>], level: usize, bins: &[u8], pulls: &[Pull]) {
        let parents = if level == 0 { 0 } else { leaves.len() / 2 };
        self.sums.resize(leaves.len() * BINS, [0.0; 2]);
        if parents == 0 {
            return add_rows(&mut self.sums, &leaves[0], bins, pulls);
        }
        let (no, yes) = self.sums.split_at_mut(parents * BINS);
        let pairs = no.chunks_exact_mut(BINS).zip(yes.chunks_exact_mut(BINS));
        for (place, (no, yes)) in pairs.enumerate() {
            let yes_is_smaller = leaves[parents + place].len() < leaves[place].len();
            let smaller = if yes_is_smaller {
                &leaves[parents + place]
            } else {
                &leaves[place]
            };
            add_rows(yes, smaller, bins, pulls);
            for (no, yes) in no.iter_mut().zip(yes.iter_mut()) {
                *no = [no[0] - yes[0], no[1] - yes[1]];
                if !yes_is_smaller {
                    std::mem::swap(no, yes);
                }
            }
        }
    }
}

fn add_rows(sums: &mut [Pull], rows: &[u32], bins: &[u8], pulls: &[Pull]) {
    for &row in rows {
        let sum = &mut sums[usize::from(bins[row as usize])];
        let pull = pulls[row as usize];
        *sum = [sum[0] + pull[0], sum[1] + pull[1]];
    }
}

/// Borders between equal shares of the values, each between two values that differ.
fn borders(values: &[f32]) -> Vec<f32> {
    let mut sample: Vec<f32> = evenly(values, SAMPLE_MAX).copied().collect();
    sample.sort_unstable_by(f32::total_cmp);
    let mut borders = Vec::with_capacity(BORDERS_MAX);
    for part in 1..=BORDERS_MAX {
        let at = part * sample.len() / (BORDERS_MAX + 1);
        let Some(&value) = sample.get(at) else { break };
        let below = sample.partition_point(|v| *v < value);
        if below > 0 {
            borders.push(sample[below - 1].midpoint(value));
        }
    }
    borders.dedup();
    borders
}
