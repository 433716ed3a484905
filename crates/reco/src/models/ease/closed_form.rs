//! The solution of EASE, dense over the titles that are learned from.
//!
//! A catalogue may have more titles than the dense solve has room for. Those beyond it are predicted from the others by the ridge
//! regression that EASE is, exactly: with G the Gram matrix of the titles learned from and g what they have in common with one more,
//! its column is (G + λI)⁻¹·g, and the inverse is there already. This is the subset of regressors (Smola & Bartlett 2001, "Sparse
//! greedy Gaussian process regression") with the most popular titles as the subset. It differs from EASE over all titles in one
//! thing: what is seen of the rarer ones predicts nothing. On ML-1M's validation viewers NDCG@100 is .4753 with 2,000 of the 3,416
//! titles and .4666 with 1,000, instead of .4768. Memory is the square of the subset and what is kept of each column.
//!
//! Tried instead, and left: a regression of each title on its nearest alone, as in fsSLIM (Ning & Karypis 2011), with thresholded
//! covariances as in Steck 2019 ("Markov random fields for collaborative filtering"). What is left out makes the systems indefinite;
//! with 400 neighbours of 3,416 titles NDCG@100 fell from .4768 to .4397 on ML-1M's validation viewers.

use crate::dataset::Dataset;
use crate::error::Result;
use crate::linalg::negated_inverse;
use crate::sparse::SparseMatrix;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Titles beyond those learned from that are predicted together.
const BATCH: usize = 64;
/// Weights that are kept of each column where there are titles beyond, if all should be.
const KEEP_MAX: usize = 1_000;

/// `B[i, j] = −P[i, j] / P[j, j]` with a zero diagonal, P = (XᵀX + λI)⁻¹, over the `learned` titles (ascending) in the catalogue's own
/// indices; of each column the `keep` weights of greatest magnitude.
pub fn solve(data: &Dataset, learned: &[u32], regularisation: f32, keep: Option<usize>) -> Result<SparseMatrix> {
    let size = learned.len();
    let mut square = negated(data, learned, regularisation)?;
    let diagonal: Vec<f32> = (0..size).map(|index| square[index * size + index]).collect();
    if let Some(keep) = keep.filter(|keep| *keep < size) {
        let columns = strongest_weights(&square, &diagonal, learned, keep);
        return Ok(by_target(columns, learned, data.items()));
    }
    square
        .par_chunks_mut(size.max(1))
        .enumerate()
        .for_each(|(row, values)| {
            for (value, diagonal) in values.iter_mut().zip(&diagonal) {
                *value = -*value / diagonal;
            }
            values[row] = 0.0;
        });
    Ok(SparseMatrix::square(data.items(), learned, square))
}

/// The same, and the columns of the titles `beyond`, predicted from the `learned` ones.
pub fn solve_beyond(
    data: &Dataset,
    learned: &[u32],
    beyond: &[u32],
    regularisation: f32,
    keep: Option<usize>,
) -> Result<SparseMatrix> {
    let size = learned.len();
    let square = negated(data, learned, regularisation)?;
    let diagonal: Vec<f32> = (0..size).map(|index| square[index * size + index]).collect();
    let keep = keep.unwrap_or(KEEP_MAX).min(KEEP_MAX);
    let mut columns = strongest_weights(&square, &diagonal, learned, keep);
    let places = places(data, learned);
    let predicted = beyond.par_chunks(BATCH).map(|batch| {
        let mut common = vec![0f32; size * batch.len()];
        for (sums, &item) in common.chunks_exact_mut(size.max(1)).zip(batch) {
            count(data, item, &places, sums);
        }
        let mut weights = vec![0f32; common.len()];
        matmul(
            MatMut::from_column_major_slice_mut(&mut weights, size, batch.len()),
            Accum::Replace,
            MatRef::from_column_major_slice(&square, size, size),
            MatRef::from_column_major_slice(&common, size, batch.len()),
            -1.0f32,
            Par::Seq,
        );
        let of_title = |weights: &[f32]| {
            let cells = learned.iter().copied().zip(weights.iter().copied());
            super::strongest(cells.filter(|cell| cell.1 != 0.0).collect(), keep)
        };
        weights.chunks_exact(size.max(1)).map(of_title).collect::<Vec<_>>()
    });
    let predicted: Vec<Vec<Vec<(u32, f32)>>> = predicted.collect();
    columns.extend(predicted.into_iter().flatten());
    let titles: Vec<u32> = learned.iter().chain(beyond).copied().collect();
    Ok(by_target(columns, &titles, data.items()))
}

/// −(XᵀX + λI)⁻¹ of the events with positive weight.
fn negated(data: &Dataset, learned: &[u32], regularisation: f32) -> Result<Vec<f32>> {
    let size = learned.len();
    let mut square = gram(data, learned);
    for index in 0..size {
        square[index * size + index] += regularisation;
    }
    negated_inverse(&mut square, size)?;
    Ok(square)
}

/// Place among the learned titles by title, `u32::MAX` for the others.
fn places(data: &Dataset, learned: &[u32]) -> Vec<u32> {
    let mut places = vec![u32::MAX; data.items()];
    for (place, &item) in (0..).zip(learned) {
        places[item as usize] = place;
    }
    places
}

/// What a title has in common with each of the learned ones.
fn count(data: &Dataset, item: u32, places: &[u32], sums: &mut [f32]) {
    for &occurrence in data.occurrences(item) {
        let own = data.event(occurrence).weight;
        if own <= 0.0 {
            continue;
        }
        for event in data.history(occurrence.user).iter().filter(|event| event.weight > 0.0) {
            if let Some(sum) = sums.get_mut(places[event.item as usize] as usize) {
                *sum += own * event.weight;
            }
        }
    }
}

/// Weights by rows from the columns of some titles.
fn by_target(columns: Vec<Vec<(u32, f32)>>, titles: &[u32], items: usize) -> SparseMatrix {
    let mut by_target = vec![Vec::new(); items];
    for (cells, &item) in columns.into_iter().zip(titles) {
        by_target[item as usize] = cells;
    }
    SparseMatrix::from_rows(&by_target).transposed()
}

/// P is symmetric: row j of it gives column j of the weights.
fn strongest_weights(inverse: &[f32], diagonal: &[f32], learned: &[u32], keep: usize) -> Vec<Vec<(u32, f32)>> {
    let size = learned.len();
    (0..size)
        .into_par_iter()
        .map(|column| {
            let values = inverse[column * size..][..size].iter().enumerate();
            let cells = values
                .filter(|(row, _)| *row != column)
                .map(|(row, value)| (learned[row], -value / diagonal[column]));
            super::strongest(cells.collect(), keep)
        })
        .collect()
}

/// Lower triangle of XᵀX over the learned titles, column-major, of the events with positive weight. Parallel over columns with a fixed
/// order inside.
fn gram(data: &Dataset, learned: &[u32]) -> Vec<f32> {
    let size = learned.len();
    let histories = Histories::new(data, learned);
    let mut square = vec![0f32; size * size];
    let columns = square.par_chunks_exact_mut(size.max(1)).zip(&histories.occurrences);
    columns.for_each(|(sums, occurrences)| {
        for &(from, to) in occurrences {
            let rest = &histories.cells[from as usize..to as usize];
            let own = rest[0].1;
            for &(row, weight) in rest {
                sums[row as usize] += own * weight;
            }
        }
    });
    square
}

/// Histories of the learned titles alone, in the order of the titles: what a title occurs with stands right after it.
struct Histories {
    /// Place among the learned titles, and weight.
    cells: Vec<(u32, f32)>,
    /// Of each learned title: where it stands in a history, and where that history ends.
    occurrences: Vec<Vec<(u32, u32)>>,
}

impl Histories {
    fn new(data: &Dataset, learned: &[u32]) -> Self {
        let liked = |item: u32| {
            let occurrences = data.occurrences(item).iter();
            occurrences
                .map(|&occurrence| (occurrence.user as usize, data.event(occurrence).weight))
                .filter(|(_, weight)| *weight > 0.0)
        };
        let mut ends = vec![0u32; data.users() + 1];
        for &item in learned {
            liked(item).for_each(|(user, _)| ends[user + 1] += 1);
        }
        for user in 0..data.users() {
            ends[user + 1] += ends[user];
        }
        let mut next = ends.clone();
        let mut cells = vec![(0, 0.0); ends[data.users()] as usize];
        let places = learned.iter().enumerate().map(|(place, &item)| {
            let of_title = liked(item).map(|(user, weight)| {
                let at = next[user];
                next[user] += 1;
                cells[at as usize] = (place as u32, weight);
                (at, ends[user + 1])
            });
            let mut list = Vec::with_capacity(data.occurrences(item).len());
            list.extend(of_title);
            list
        });
        let occurrences = places.collect();
        Self { cells, occurrences }
    }
}
