//! The inverse of one large symmetric positive definite matrix, in its own place and on all threads.

use crate::error::{RecoError, Result};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::matmul::matmul;
use faer::reborrow::{Reborrow, ReborrowMut};
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Rows and columns that are swept at once.
const PIVOTS: usize = 192;
/// Columns of one piece of parallel work.
const COLUMNS: usize = 128;

/// Turns the lower triangle of a symmetric positive definite matrix, column-major `[size × size]`, into minus its inverse, full and
/// symmetric.
///
/// Sweeps blocks of pivots (Gauss–Jordan kept symmetric; Goodnight 1979, "A tutorial on the SWEEP operator"): as many operations as
/// a Cholesky factorisation with the inverse after it, no second matrix, and nearly all of them in products of large blocks whose
/// columns are independent.
pub fn negated_inverse(matrix: &mut [f32], size: usize) -> Result<()> {
    let (mut columns, mut products) = (Vec::new(), Vec::new());
    for start in (0..size).step_by(PIVOTS) {
        let width = PIVOTS.min(size - start);
        let pivots = pivot_inverse(matrix, size, start, width)?;
        gather(matrix, size, start, width, &mut columns);
        products.resize(size * width, 0.0);
        let pieces = products.par_chunks_mut(COLUMNS * width);
        pieces.zip(columns.par_chunks(COLUMNS * width)).for_each(|(out, rows)| {
            let out = MatMut::from_row_major_slice_mut(out, rows.len() / width, width);
            let rows = MatRef::from_row_major_slice(rows, rows.len() / width, width);
            let pivots = MatRef::from_column_major_slice(&pivots, width, width);
            matmul(out, Accum::Replace, rows, pivots, 1.0, Par::Seq);
        });
        let sweep = Sweep {
            size,
            start,
            width,
            pivots: &pivots,
            columns: &columns,
            products: &products,
        };
        let pieces = matrix.par_chunks_mut(size * COLUMNS).enumerate();
        pieces.for_each(|(piece, out)| sweep.update(piece * COLUMNS, out));
    }
    mirror(matrix, size);
    Ok(())
}

/// One sweep, as every column sees it.
struct Sweep<'a> {
    size: usize,
    start: usize,
    width: usize,
    /// Inverse of the pivots' own block, `[width × width]`.
    pivots: &'a [f32],
    /// The pivots' columns, row-major `[size × width]`, zero in the rows of the pivots.
    columns: &'a [f32],
    /// The same times the inverse.
    products: &'a [f32],
}

impl Sweep<'_> {
    /// Sweeps the columns from `first` on, at and below the diagonal.
    fn update(&self, first: usize, out: &mut [f32]) {
        let Self { size, width, .. } = *self;
        let count = out.len() / size;
        let below = size - first;
        let target = MatMut::from_column_major_slice_mut(out, size, count).subrows_mut(first, below);
        let products = MatRef::from_row_major_slice(&self.products[first * width..], below, width);
        let columns = MatRef::from_row_major_slice(&self.columns[first * width..][..count * width], count, width);
        matmul(target, Accum::Add, products, columns.transpose(), -1.0, Par::Seq);
        for (column, out) in (first..).zip(out.chunks_exact_mut(size)) {
            if column < self.start {
                out[self.start..self.start + width].copy_from_slice(&self.products[column * width..][..width]);
            } else if column < self.start + width {
                self.replace_pivot(column - self.start, out);
            }
        }
    }

    fn replace_pivot(&self, pivot: usize, out: &mut [f32]) {
        let end = self.start + self.width;
        let own = &self.pivots[pivot * self.width..][..self.width];
        for (out, value) in out[self.start..end].iter_mut().zip(own) {
            *out = -value;
        }
        let below = self.products[end * self.width..].chunks_exact(self.width);
        for (out, row) in out[end..].iter_mut().zip(below) {
            *out = row[pivot];
        }
    }
}

/// The pivots' columns, row-major; what lies above the diagonal is read from its mirror image.
fn gather(matrix: &[f32], size: usize, start: usize, width: usize, out: &mut Vec<f32>) {
    out.resize(size * width, 0.0);
    out.par_chunks_mut(width).enumerate().for_each(|(row, out)| {
        if row < start {
            out.copy_from_slice(&matrix[row * size + start..][..width]);
        } else if row < start + width {
            out.fill(0.0);
        } else {
            for (column, out) in (start..).zip(out) {
                *out = matrix[column * size + row];
            }
        }
    });
}

/// Inverse of the block of pivots, full, column-major `[width × width]`.
fn pivot_inverse(matrix: &[f32], size: usize, start: usize, width: usize) -> Result<Vec<f32>> {
    let square = MatRef::from_column_major_slice(matrix, size, size);
    let mut factor = square.submatrix(start, start, width, width).to_owned();
    let refused = || RecoError::Numeric("the item-item matrix is not positive definite".into());
    let scratch = llt::factor::cholesky_in_place_scratch::<f32>(width, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(scratch.or(llt::inverse::inverse_scratch::<f32>(width, Par::Seq)));
    let stack = MemStack::new(&mut memory);
    llt::factor::cholesky_in_place(factor.rb_mut(), Default::default(), Par::Seq, stack, Default::default())
        .map_err(|_| refused())?;
    let mut inverse = vec![0f32; width * width];
    let out = MatMut::from_column_major_slice_mut(&mut inverse, width, width);
    llt::inverse::inverse(out, factor.rb(), Par::Seq, MemStack::new(&mut memory));
    for column in 0..width {
        for row in column + 1..width {
            inverse[row * width + column] = inverse[column * width + row];
        }
    }
    // A matrix that is hardly positive definite passes the factorisation and overflows here.
    inverse
        .iter()
        .all(|value| value.is_finite())
        .then_some(inverse)
        .ok_or_else(refused)
}

/// Copies the lower triangle onto the upper one: a strip of columns at a time, its rows above the strip from the columns before it.
fn mirror(matrix: &mut [f32], size: usize) {
    const TILE: usize = 16;
    for first in (0..size).step_by(COLUMNS) {
        let (before, strip) = matrix.split_at_mut(first * size);
        let strip = &mut strip[..COLUMNS.min(size - first) * size];
        let tiles = strip.par_chunks_mut(TILE * size).enumerate();
        tiles.for_each(|(tile, out)| {
            let own = first + tile * TILE;
            // Sixteen values of a column lie on one line of the cache, and so does what they become.
            for rows in (0..first).step_by(TILE) {
                for (column, out) in (own..).zip(out.chunks_exact_mut(size)) {
                    for row in rows..(rows + TILE).min(first) {
                        out[row] = before[row * size + column];
                    }
                }
            }
        });
        for column in 0..strip.len() / size {
            for row in column + 1..strip.len() / size {
                strip[row * size + first + column] = strip[column * size + first + row];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::gram;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn positive_definite(size: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(size as u64);
        let rows: Vec<f32> = (0..size * (size + 9)).map(|_| rng.random::<f32>() - 0.3).collect();
        let mut square = gram(&rows, size);
        for index in 0..size {
            square[index * size + index] += 3.0;
        }
        square
    }

    #[test]
    fn the_matrix_times_its_inverse_is_the_identity() -> Result<()> {
        for size in [1, 2, 31, PIVOTS, PIVOTS + 1, 2 * PIVOTS + 77] {
            let square = positive_definite(size);
            let mut inverse = square.clone();
            // What lies above the diagonal is never read.
            (1..size).for_each(|column| inverse[column * size..][..column].fill(f32::NAN));
            negated_inverse(&mut inverse, size)?;
            for column in (0..size).step_by(7) {
                for row in 0..size {
                    let along = square[row * size..].iter().zip(&inverse[column * size..]).take(size);
                    let value: f64 = along.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                    let wanted = if row == column { -1.0 } else { 0.0 };
                    assert!((value - wanted).abs() < 1e-3, "{size} [{row}, {column}]: {value}");
                    assert_eq!(inverse[column * size + row], inverse[row * size + column]);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bytes() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let size = 2 * PIVOTS + 77;
        let inverse = |threads: usize| -> std::result::Result<Vec<f32>, Box<dyn std::error::Error>> {
            let mut matrix = positive_definite(size);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            pool.install(|| negated_inverse(&mut matrix, size))?;
            Ok(matrix)
        };
        assert!(inverse(1)? == inverse(3)?);
        Ok(())
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        let mut square = positive_definite(2 * PIVOTS);
        let last = square.len() - 1;
        square[last] = -1.0;
        assert!(negated_inverse(&mut square, 2 * PIVOTS).is_err());
    }
}
