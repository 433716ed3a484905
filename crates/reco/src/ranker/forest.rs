//! Gradient-boosted oblivious trees over the features of a candidate: what a linear blend cannot say ("new titles, but
//! only for those who watch new titles").
//!
//! Listwise softmax cross entropy between the scores' shares and the hits', each hit the same share (ListNet's top-one loss, Cao et al. 2007,
//! "Learning to rank: from pairwise to listwise"), boosted by trees. XE-NDCG-MART (Bruch 2021, "An alternative cross entropy loss for
//! learning-to-rank") does so too, but draws its targets anew for each tree, `2^grade − γ` with a random γ: here is no grade and no γ, so its
//! bound on NDCG is not claimed. Leaves by Newton's step with the diagonal of the curvature, as in LambdaMART (Burges 2010, "From RankNet to
//! LambdaRank to LambdaMART"). All nodes of a level share one question (Dorogush et al. 2018, "CatBoost"), so a
//! tree is a handful of comparisons over a whole column of candidates.

use super::grow::{Grower, Judges};
use crate::codec::{TensorReader, TensorWriter};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Questions per tree, at most.
const DEPTH_MAX: usize = 8;
/// Every so many lists one is kept for deciding when to stop.
const JUDGE_EVERY: usize = 5;
/// With fewer lists trees learn noise.
const LISTS_MIN: usize = 200;

/// How the trees are grown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForestSettings {
    /// Trees at most; zero leaves the linear blend alone.
    pub trees_max: usize,
    /// Questions per tree, at most 8.
    pub depth: usize,
    /// Share of a tree's answer that counts.
    pub learning_rate: f32,
    /// Curvature that is added to every leaf: pulls rare leaves to zero.
    pub leaf_regularisation: f32,
    /// Share of the features that a tree may ask.
    pub feature_share: f32,
    /// Share of the lists that a tree sees.
    pub list_share: f32,
    /// Trees without a better loss on the kept lists before growing stops.
    pub patience: usize,
    /// Seed of the shares.
    pub seed: u64,
}

impl Default for ForestSettings {
    /// Fewer and deeper trees than at first, for what they cost; checked as [`super::RankerSettings`] are, NDCG@20 on MovieTweetings and
    /// ML-100k before the test: as it is .1506 .3019; no trees .1424 .3028, at most 60 .1507 .3000, at most 240 .1517 .3019; depth 4 .1487 .2966,
    /// 6 .1518 .3054. Nothing but having trees or none is beyond noise there; the other numbers were set by hand.
    fn default() -> Self {
        Self {
            trees_max: 120,
            depth: 5,
            learning_rate: 0.15,
            leaf_regularisation: 4.0,
            feature_share: 0.4,
            list_share: 0.7,
            patience: 20,
            seed: 1,
        }
    }
}

/// One viewer's candidates for learning.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Row-major `[candidates × features]`.
    pub rows: Vec<f32>,
    /// Score that the trees begin from, one per candidate.
    pub start: Vec<f32>,
    /// Candidates that were targets.
    pub hits: Vec<u32>,
}

/// All trees over some candidates, compiled for the widest registers there are: every processor of the architecture has only the
/// narrow ones, which take twice as long.
struct Walk<'a> {
    forest: &'a Forest,
    columns: &'a [f32],
    places: &'a mut Vec<u8>,
    out: &'a mut [f32],
}

impl pulp::WithSimd for Walk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        for tree in 0..self.forest.trees() {
            self.forest.add_tree(tree, self.columns, self.places, self.out);
        }
    }
}

/// One tree: `depth` questions (feature, border), `2^depth` answers.
#[derive(Debug)]
pub(super) struct Tree {
    pub questions: Vec<(u32, f32)>,
    pub leaves: Vec<f32>,
}

/// Trees over `features` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    features: usize,
    /// Question `level` of tree `t` at `t · depth + level`: is the value of this feature above this border?
    asked: Vec<u32>,
    borders: Vec<f32>,
    /// Answers `[trees × 2^depth]`; bit `level` of the index is the answer to question `level`.
    leaves: Vec<f32>,
    depth: usize,
}

impl Forest {
    /// No trees: adds nothing.
    pub fn none(features: usize, depth: usize) -> Self {
        Self {
            features,
            asked: Vec::new(),
            borders: Vec::new(),
            leaves: Vec::new(),
            depth: depth.clamp(1, DEPTH_MAX),
        }
    }

    /// Grows trees on the lists; none where there are too few lists or nothing is gained on the lists kept aside.
    pub fn train<'a>(lists: &'a [List], features: usize, settings: &ForestSettings) -> Self {
        let mut forest = Self::none(features, settings.depth);
        if lists.len() < LISTS_MIN || settings.trees_max == 0 {
            return forest;
        }
        let (judges, learners): (Vec<_>, Vec<_>) = lists
            .iter()
            .enumerate()
            .partition(|(index, _)| index % JUDGE_EVERY == 0);
        let only = |numbered: Vec<(usize, &'a List)>| numbered.into_iter().map(|(_, list)| list).collect::<Vec<_>>();
        let mut judges = Judges::new(&only(judges), features);
        let mut grower = Grower::new(&only(learners), features, *settings);
        let (mut best, mut best_trees) = (judges.loss(), 0);
        for tree in 1..=settings.trees_max {
            let Some(grown) = grower.grow(forest.depth) else { break };
            forest.push(&grown);
            judges.add(&forest, tree - 1);
            let loss = judges.loss();
            if loss < best - 1e-6 {
                (best, best_trees) = (loss, tree);
            }
            if tree >= best_trees + settings.patience {
                break;
            }
        }
        forest.truncate(best_trees);
        forest
    }

    pub(super) fn push(&mut self, tree: &Tree) {
        self.asked.extend(tree.questions.iter().map(|(feature, _)| feature));
        self.borders.extend(tree.questions.iter().map(|(_, border)| border));
        self.leaves.extend(&tree.leaves);
    }

    /// Number of trees.
    pub fn trees(&self) -> usize {
        self.asked.len() / self.depth
    }

    fn truncate(&mut self, trees: usize) {
        self.asked.truncate(trees * self.depth);
        self.borders.truncate(trees * self.depth);
        self.leaves.truncate(trees << self.depth);
    }

    /// Adds the trees' answers for `out.len()` candidates; `columns` is `[features × candidates]`.
    pub fn add(&self, columns: &[f32], places: &mut Vec<u8>, out: &mut [f32]) {
        pulp::Arch::new().dispatch(Walk {
            forest: self,
            columns,
            places,
            out,
        });
    }

    #[inline(always)]
    pub(super) fn add_tree(&self, tree: usize, columns: &[f32], places: &mut Vec<u8>, out: &mut [f32]) {
        let count = out.len();
        places.clear();
        places.resize(count, 0);
        for level in 0..self.depth {
            let at = tree * self.depth + level;
            let start = self.asked[at] as usize * count;
            let border = self.borders[at];
            for (place, value) in places.iter_mut().zip(&columns[start..start + count]) {
                *place |= u8::from(*value > border) << level;
            }
        }
        let leaves = &self.leaves[tree << self.depth..(tree + 1) << self.depth];
        for (sum, place) in out.iter_mut().zip(places) {
            *sum += leaves[usize::from(*place)];
        }
    }

    /// The answer of every tree to one candidate, as an index of its leaves, shape `[trees]`.
    pub fn places(&self, row: &[f32]) -> Vec<u8> {
        let questions = self
            .asked
            .chunks_exact(self.depth)
            .zip(self.borders.chunks_exact(self.depth));
        let place = |(asked, borders): (&[u32], &[f32])| {
            let answers = asked.iter().zip(borders).enumerate();
            answers.fold(0, |place, (level, (feature, border))| {
                place | u8::from(row[*feature as usize] > *border) << level
            })
        };
        questions.map(place).collect()
    }

    /// The sum of the trees' answers at these places.
    pub fn sum(&self, places: &[u8]) -> f32 {
        let leaves = self.leaves.chunks_exact(1 << self.depth);
        leaves
            .zip(places)
            .map(|(leaves, place)| leaves[usize::from(*place)])
            .sum()
    }

    /// Divides what the trees answer at the places `to` less what they answer at `from` among the players that the features belong
    /// to, exactly: the Shapley value of a game in which those who take part answer as `to` and the others as `from` (baseline
    /// Shapley; Sundararajan, Najmi 2020, "The many Shapley values for model explanation"). Trees are additive and each asks few
    /// questions, so all coalitions of a tree are counted out. For several candidates at once, each with its places and what is
    /// added to its parts: the best of a list often stand at the same place of a tree.
    pub fn divide(&self, from: &[u8], players: &[usize], candidates: &mut [(Vec<u8>, &mut [f32])]) {
        let asked = self.asked.chunks_exact(self.depth);
        let trees = asked.zip(self.leaves.chunks_exact(1 << self.depth));
        let mut known: Vec<(u8, Division)> = Vec::with_capacity(candidates.len());
        for (tree, ((asked, leaves), &from)) in trees.zip(from).enumerate() {
            known.clear();
            for (places, parts) in candidates.iter_mut() {
                let to = places[tree];
                let index = known.iter().position(|(place, _)| *place == to).unwrap_or_else(|| {
                    known.push((to, Division::of_tree(asked, leaves, (from, to), players)));
                    known.len() - 1
                });
                known[index].1.add_to(parts);
            }
        }
    }

    /// How often each feature is asked, shape `[features]`.
    pub fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.features];
        self.asked.iter().for_each(|&feature| uses[feature as usize] += 1);
        uses
    }

    pub fn write(&self, writer: &mut TensorWriter) {
        writer.i64("trees.depth", &[self.depth as i64]);
        writer.u32("trees.asked", &self.asked);
        writer.f32("trees.borders", &self.borders);
        writer.f32("trees.leaves", &self.leaves);
    }

    /// Reads what [`Self::write`] wrote; refuses questions about features that do not exist.
    pub fn read(reader: &TensorReader<'_>, features: usize) -> Result<Self> {
        let depth = match reader.i64_any("trees.depth")?.as_slice() {
            &[depth] if (1..=DEPTH_MAX as i64).contains(&depth) => depth as usize,
            other => return Err(reader.error(format!("trees of depth {other:?}"))),
        };
        let asked = reader.u32_any("trees.asked")?;
        if asked.len() % depth != 0 || asked.iter().any(|&feature| feature as usize >= features) {
            return Err(reader.error("a tree asks about a feature that does not exist"));
        }
        Ok(Self {
            features,
            borders: reader.f32("trees.borders", asked.len())?,
            leaves: reader.f32("trees.leaves", (asked.len() / depth) << depth)?,
            asked,
            depth,
        })
    }
}

/// What one tree's change of answer is worth to the players that made it.
struct Division {
    /// Players, the answers that they change, and their shares.
    changes: [(usize, u8, f32); DEPTH_MAX],
    count: usize,
}

impl Division {
    /// As [`Forest::divide`], for one tree.
    fn of_tree(asked: &[u32], leaves: &[f32], (from, to): (u8, u8), players: &[usize]) -> Self {
        // Who would change an answer, and the answers: nobody else gets a share.
        let mut changes = [(0, 0u8, 0f32); DEPTH_MAX];
        let mut count = 0;
        for (level, feature) in asked.iter().enumerate() {
            let bit = (from ^ to) & 1 << level;
            if bit == 0 {
                continue;
            }
            let player = players[*feature as usize];
            match changes[..count].iter_mut().find(|known| known.0 == player) {
                Some(known) => known.1 |= bit,
                None => {
                    changes[count] = (player, bit, 0.0);
                    count += 1;
                }
            }
        }
        let mut flips = [0u8; 1 << DEPTH_MAX];
        for coalition in 0..1usize << count {
            if coalition > 0 {
                let first = changes[coalition.trailing_zeros() as usize].1;
                flips[coalition] = flips[coalition & (coalition - 1)] | first;
            }
            let value = leaves[usize::from(from ^ flips[coalition])];
            let size = coalition.count_ones() as usize;
            // Its value is gained by those in it, and what those outside begin from.
            let (gained, left) = (
                SHARES[count][size.wrapping_sub(1) % DEPTH_MAX],
                SHARES[count][size % DEPTH_MAX],
            );
            for (index, (_, _, sum)) in changes[..count].iter_mut().enumerate() {
                let share = if coalition >> index & 1 == 1 { gained } else { -left };
                *sum += share * value;
            }
        }
        Self { changes, count }
    }

    fn add_to(&self, parts: &mut [f32]) {
        for (player, _, share) in &self.changes[..self.count] {
            parts[*player] += share;
        }
    }
}

/// Share of the orders of `n` players in which exactly `s` others come before one of them, `[n][s]`: s! (n − 1 − s)! / n!.
const SHARES: [[f32; DEPTH_MAX]; DEPTH_MAX + 1] = {
    let mut shares = [[0.0; DEPTH_MAX]; DEPTH_MAX + 1];
    let mut n = 1;
    while n <= DEPTH_MAX {
        // 1/n for nobody before; each further one: × s / (n − s).
        shares[n][0] = 1.0 / n as f32;
        let mut s = 1;
        while s < n {
            shares[n][s] = shares[n][s - 1] * s as f32 / (n - s) as f32;
            s += 1;
        }
        n += 1;
    }
    shares
};
