//! EASE for catalogues that the dense solve has no room for: every title is predicted from its nearest titles alone.
//!
//! The regression of each column on a neighbourhood is fsSLIM (Ning & Karypis 2011, "SLIM: sparse linear methods for top-n
//! recommender systems", section IV-D) with EASE's square loss and λ and without its bound at zero: on a neighbourhood of all other
//! titles it gives EASE's column exactly. Neighbours come from the thresholded covariances as in Steck 2019 ("Markov random fields
//! for collaborative filtering", section 3.2), of each title the `neighbours_max` that explain most of it on their own. It differs
//! from both in what it knows of two neighbours that are none of each other's: their covariance is taken for zero, as if they were
//! watched independently, so that nothing but the neighbours' covariances is ever held.

use super::EaseSettings;
use crate::dataset::Dataset;
use crate::error::{RecoError, Result};
use crate::linalg::SpdSolver;
use crate::sparse::SparseMatrix;
use rayon::prelude::*;

/// With covariances left out a system need not be positive definite: λ is doubled so often at most.
const DOUBLINGS_MAX: usize = 10;

/// Weights over the `chosen` titles (ascending) in the catalogue's own indices, at most `keep` per column and never more than
/// there are neighbours.
pub fn solve(data: &Dataset, chosen: &[u32], settings: &EaseSettings) -> Result<SparseMatrix> {
    let titles = Titles::new(data, chosen);
    let size = chosen.len();
    let neighbours: Vec<Vec<(u32, f32)>> = (0..size)
        .into_par_iter()
        .map_init(
            || vec![0f32; size],
            |sums, title| titles.neighbours(title, settings, sums),
        )
        .collect();
    let keep = settings.keep.unwrap_or(usize::MAX);
    let columns: Result<Vec<Vec<(u32, f32)>>> = (0..size)
        .into_par_iter()
        .map_init(Solver::default, |solver, title| {
            solver.places.resize(size, 0);
            let weights = solver.column(&titles, &neighbours, title, settings.regularisation)?;
            let near = neighbours[title].iter().map(|near| chosen[near.0 as usize]);
            Ok(super::strongest(near.zip(weights).collect(), keep))
        })
        .collect();
    Ok(super::by_target(columns?, chosen, data.items()))
}

/// What is known of the chosen titles before any pair of them.
struct Titles<'a> {
    data: &'a Dataset,
    chosen: &'a [u32],
    /// Place among the chosen titles by title, `u32::MAX` for the others.
    places: Vec<u32>,
    /// Sums of the positive weights over √(viewers): a product of two is what independent titles would have in common.
    means: Vec<f32>,
    /// Diagonal of XᵀX.
    squares: Vec<f32>,
}

impl<'a> Titles<'a> {
    fn new(data: &'a Dataset, chosen: &'a [u32]) -> Self {
        let mut places = vec![u32::MAX; data.items()];
        for (place, &item) in chosen.iter().enumerate() {
            places[item as usize] = place as u32;
        }
        let (mut sums, mut squares) = (vec![0f64; chosen.len()], vec![0f64; chosen.len()]);
        let mut viewers = 0;
        for user in 0..data.users() as u32 {
            let mut counts = false;
            for event in data.history(user).iter().filter(|event| event.weight > 0.0) {
                if let Some(sum) = sums.get_mut(places[event.item as usize] as usize) {
                    let weight = f64::from(event.weight);
                    *sum += weight;
                    squares[places[event.item as usize] as usize] += weight * weight;
                    counts = true;
                }
            }
            viewers += usize::from(counts);
        }
        let root = (viewers.max(1) as f64).sqrt();
        Self {
            data,
            chosen,
            places,
            means: sums.iter().map(|sum| (sum / root) as f32).collect(),
            squares: squares.iter().map(|square| *square as f32).collect(),
        }
    }

    /// The titles that explain most of one on their own: the squared error that a ridge regression on each alone takes away.
    /// Places ascending, with their covariance times the number of viewers. `sums` is all zero before and after.
    fn neighbours(&self, title: usize, settings: &EaseSettings, sums: &mut [f32]) -> Vec<(u32, f32)> {
        for &occurrence in self.data.occurrences(self.chosen[title]) {
            let own = self.data.event(occurrence).weight;
            if own <= 0.0 {
                continue;
            }
            for event in self.data.history(occurrence.user) {
                let place = self.places[event.item as usize];
                if let Some(sum) = sums.get_mut(place as usize).filter(|_| event.weight > 0.0) {
                    *sum += own * event.weight;
                }
            }
        }
        let count = settings.neighbours_max.max(1);
        let mut near: Vec<Neighbour> = Vec::with_capacity(2 * count.min(sums.len()));
        let mut floor = f32::NEG_INFINITY;
        for (place, sum) in sums.iter_mut().enumerate() {
            let mean = self.means[place];
            let covariance = std::mem::take(sum) - self.means[title] * mean;
            let gain = covariance * covariance / (self.squares[place] - mean * mean + settings.regularisation);
            if gain > floor && place != title {
                near.push(Neighbour {
                    place: place as u32,
                    covariance,
                    gain,
                });
                if near.len() >= 2 * count {
                    floor = keep_best(&mut near, count);
                }
            }
        }
        keep_best(&mut near, count);
        near.sort_unstable_by_key(|near| near.place);
        // A list of its own: one that is made in place would keep the room of the longer one.
        let mut kept = Vec::with_capacity(near.len());
        kept.extend(near.iter().map(|near| (near.place, near.covariance)));
        kept
    }
}

struct Neighbour {
    place: u32,
    covariance: f32,
    /// Squared error that it takes away.
    gain: f32,
}

/// Keeps the `count` of greatest gain, of equal ones those that come first; answers the least gain that is left.
fn keep_best(near: &mut Vec<Neighbour>, count: usize) -> f32 {
    if near.len() <= count {
        return f32::NEG_INFINITY;
    }
    let by_gain = |a: &Neighbour, b: &Neighbour| b.gain.total_cmp(&a.gain).then(a.place.cmp(&b.place));
    let (_, last, _) = near.select_nth_unstable_by(count - 1, by_gain);
    let floor = last.gain;
    near.truncate(count);
    floor
}

/// Buffers of one thread.
#[derive(Default)]
struct Solver {
    system: SpdSolver,
    matrix: Vec<f32>,
    /// Place among the neighbours plus one, zero for all other titles.
    places: Vec<u32>,
}

impl Solver {
    /// The weights of the neighbours of a title in predicting it, in their order.
    fn column(
        &mut self,
        titles: &Titles<'_>,
        neighbours: &[Vec<(u32, f32)>],
        title: usize,
        regularisation: f32,
    ) -> Result<Vec<f32>> {
        let near = &neighbours[title];
        let size = near.len();
        self.fill(titles, neighbours, near);
        let common =
            |&(place, covariance): &(u32, f32)| covariance + titles.means[place as usize] * titles.means[title];
        let mut ridge = regularisation;
        for _ in 0..=DOUBLINGS_MAX {
            let mut weights: Vec<f32> = near.iter().map(common).collect();
            self.system.start(&self.matrix, size);
            if self.system.solve_for(ridge, &mut weights).is_ok() && weights.iter().all(|weight| weight.is_finite()) {
                return Ok(weights);
            }
            ridge *= 2.0;
        }
        let text = format!("the neighbourhood of title {} has no solution", titles.chosen[title]);
        Err(RecoError::Numeric(text))
    }

    /// XᵀX of the neighbours, as far as they are neighbours of each other.
    fn fill(&mut self, titles: &Titles<'_>, neighbours: &[Vec<(u32, f32)>], near: &[(u32, f32)]) {
        let size = near.len();
        let means: Vec<f32> = near.iter().map(|near| titles.means[near.0 as usize]).collect();
        self.matrix.clear();
        for &mean in &means {
            self.matrix.extend(means.iter().map(|other| mean * other));
        }
        for (place, near) in (1..).zip(near) {
            self.places[near.0 as usize] = place;
        }
        for (row, near) in near.iter().enumerate() {
            self.matrix[row * size + row] = titles.squares[near.0 as usize];
            for &(other, covariance) in &neighbours[near.0 as usize] {
                if let Some(column) = self.places[other as usize].checked_sub(1) {
                    let value = covariance + means[row] * means[column as usize];
                    self.matrix[row * size + column as usize] = value;
                    self.matrix[column as usize * size + row] = value;
                }
            }
        }
        for near in near {
            self.places[near.0 as usize] = 0;
        }
    }
}
