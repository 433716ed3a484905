//! EASE solved at once: every title is predicted from all others. Memory is the number of titles squared, time cubed.

use crate::dataset::Dataset;
use crate::error::Result;
use crate::linalg::negated_inverse;
use crate::sparse::SparseMatrix;
use rayon::prelude::*;

/// `B[i, j] = −P[i, j] / P[j, j]` with a zero diagonal, P = (XᵀX + λI)⁻¹, over the `chosen` titles (ascending) in the catalogue's own
/// indices; of each column the `keep` weights of greatest magnitude.
pub fn solve(data: &Dataset, chosen: &[u32], regularisation: f32, keep: Option<usize>) -> Result<SparseMatrix> {
    let size = chosen.len();
    let mut square = gram(data, chosen);
    for index in 0..size {
        square[index * size + index] += regularisation;
    }
    negated_inverse(&mut square, size)?;
    let diagonal: Vec<f32> = (0..size).map(|index| square[index * size + index]).collect();
    match keep {
        Some(keep) if keep < size => Ok(strongest_weights(&square, &diagonal, chosen, data.items(), keep)),
        _ => {
            square
                .par_chunks_mut(size.max(1))
                .enumerate()
                .for_each(|(row, values)| {
                    for (value, diagonal) in values.iter_mut().zip(&diagonal) {
                        *value = -*value / diagonal;
                    }
                    values[row] = 0.0;
                });
            Ok(SparseMatrix::square(data.items(), chosen, square))
        }
    }
}

/// P is symmetric: row j of it gives column j of the weights, a row of their transpose.
fn strongest_weights(inverse: &[f32], diagonal: &[f32], chosen: &[u32], items: usize, keep: usize) -> SparseMatrix {
    let size = chosen.len();
    let columns: Vec<Vec<(u32, f32)>> = (0..size)
        .into_par_iter()
        .map(|column| {
            let values = inverse[column * size..][..size].iter().enumerate();
            let cells = values
                .filter(|(row, _)| *row != column)
                .map(|(row, value)| (chosen[row], -value / diagonal[column]));
            super::strongest(cells.collect(), keep)
        })
        .collect();
    super::by_target(columns, chosen, items)
}

/// Lower triangle of XᵀX over the chosen titles, column-major, of the events with positive weight. Parallel over columns with a fixed
/// order inside.
fn gram(data: &Dataset, chosen: &[u32]) -> Vec<f32> {
    let size = chosen.len();
    let histories = Histories::new(data, chosen);
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

/// Histories of the chosen titles alone, in the order of the titles: what a title occurs with stands right after it.
struct Histories {
    /// Place among the chosen titles, and weight.
    cells: Vec<(u32, f32)>,
    /// Of each chosen title: where it stands in a history, and where that history ends.
    occurrences: Vec<Vec<(u32, u32)>>,
}

impl Histories {
    fn new(data: &Dataset, chosen: &[u32]) -> Self {
        let liked = |item: u32| {
            let occurrences = data.occurrences(item).iter();
            occurrences
                .map(|&occurrence| (occurrence.user as usize, data.event(occurrence).weight))
                .filter(|(_, weight)| *weight > 0.0)
        };
        let mut ends = vec![0u32; data.users() + 1];
        for &item in chosen {
            liked(item).for_each(|(user, _)| ends[user + 1] += 1);
        }
        for user in 0..data.users() {
            ends[user + 1] += ends[user];
        }
        let mut next = ends.clone();
        let mut cells = vec![(0, 0.0); ends[data.users()] as usize];
        let places = chosen.iter().enumerate().map(|(place, &item)| {
            let of_title = liked(item).map(|(user, weight)| {
                let at = next[user];
                next[user] += 1;
                cells[at as usize] = (place as u32, weight);
                (at, ends[user + 1])
            });
            of_title.collect()
        });
        let occurrences = places.collect();
        Self { cells, occurrences }
    }
}
