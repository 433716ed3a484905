//! Small systems, one after another without allocating: the normal equations of a row of iALS, of a viewer, of a title of EASE.
//!
//! Our own rather than faer's: at 32 to 128 unknowns most of a general routine's time is not spent on the matrix.

use super::kernels::{Factorise, Observe, PADDING, Solve};
use crate::error::{RecoError, Result};
use pulp::Arch;

/// Values of observed rows that are taken together: they stay in the nearest cache.
const CHUNK: usize = 4096;

/// Collects `base + Σ |weight|·rowᵀ·row` and `Σ weight·row`, then solves `(… + ridge·I) x = …` by an exact Cholesky factorisation.
#[derive(Default)]
pub struct SpdSolver {
    size: usize,
    stride: usize,
    /// Column-major `[stride × stride]`.
    matrix: Vec<f32>,
    right: Vec<f32>,
    /// Rows that were observed and not yet added, `[n × stride]`, each scaled by √|weight|.
    rows: Vec<f32>,
    /// What is left of their weights for the right side.
    coefficients: Vec<f32>,
}

impl SpdSolver {
    /// Begins a system of `size` unknowns at `base`, column-major `[size × size]`, symmetric; empty for zeros.
    pub fn start(&mut self, base: &[f32], size: usize) {
        (self.size, self.stride) = (size, size.next_multiple_of(PADDING));
        self.rows.clear();
        self.coefficients.clear();
        self.right.clear();
        self.right.resize(self.stride, 0.0);
        self.matrix.clear();
        if base.len() == self.stride * self.stride {
            self.matrix.extend_from_slice(base);
            return;
        }
        self.matrix.resize(self.stride * self.stride, 0.0);
        if size > 0 {
            let columns = self.matrix.chunks_exact_mut(self.stride);
            for (column, base) in columns.zip(base.chunks_exact(size)) {
                column[..size].copy_from_slice(base);
            }
        }
    }

    /// Adds `|weight|·rowᵀ·row` to the matrix and `weight·row` to the right side.
    pub fn observe(&mut self, row: &[f32], weight: f32) {
        let scale = weight.abs().sqrt();
        if scale == 1.0 {
            self.rows.extend_from_slice(row);
        } else {
            self.rows.extend(row.iter().map(|value| value * scale));
        }
        self.coefficients.push(scale.copysign(weight));
        self.rows.resize(self.coefficients.len() * self.stride, 0.0);
        if self.rows.len() >= CHUNK.max(self.stride * 8) {
            self.flush();
        }
    }

    /// The solution in `out`, shape `[size]`, of the right side that was collected.
    pub fn solve(&mut self, ridge: f32, out: &mut [f32]) -> Result<()> {
        self.factorise(ridge)?;
        self.substitute();
        out.copy_from_slice(&self.right[..self.size]);
        Ok(())
    }

    /// The solution of another right side, in its place.
    pub fn solve_for(&mut self, ridge: f32, right: &mut [f32]) -> Result<()> {
        self.factorise(ridge)?;
        self.right[..self.size].copy_from_slice(right);
        self.substitute();
        right.copy_from_slice(&self.right[..self.size]);
        Ok(())
    }

    /// The same for `columns` right sides side by side, row-major `[size × columns]`: all of them take each step together.
    pub fn solve_all(&mut self, ridge: f32, right: &mut [f32], columns: usize) -> Result<()> {
        self.factorise(ridge)?;
        let (size, stride) = (self.size, self.stride);
        let factor = |row: usize, column: usize| self.matrix[column * stride + row];
        for row in 0..size {
            let (solved, rest) = right.split_at_mut(row * columns);
            let own = &mut rest[..columns];
            for (before, values) in solved.chunks_exact(columns).enumerate() {
                subtract(own, factor(row, before), values);
            }
            own.iter_mut().for_each(|value| *value /= factor(row, row));
        }
        for row in (0..size).rev() {
            let (rest, solved) = right.split_at_mut((row + 1) * columns);
            let own = &mut rest[row * columns..];
            for (after, values) in solved.chunks_exact(columns).enumerate() {
                subtract(own, factor(row + 1 + after, row), values);
            }
            own.iter_mut().for_each(|value| *value /= factor(row, row));
        }
        Ok(())
    }

    fn flush(&mut self) {
        Arch::new().dispatch(Observe {
            rows: &self.rows,
            coefficients: &self.coefficients,
            stride: self.stride,
            matrix: &mut self.matrix,
            right: &mut self.right,
        });
        self.rows.clear();
        self.coefficients.clear();
    }

    fn factorise(&mut self, ridge: f32) -> Result<()> {
        self.flush();
        let (stride, size) = (self.stride, self.size);
        for index in 0..size {
            self.matrix[index * stride + index] += ridge;
        }
        let matrix = &mut self.matrix;
        if Arch::new().dispatch(Factorise { matrix, stride, size }) {
            Ok(())
        } else {
            Err(RecoError::Numeric("a row's normal equations are singular".into()))
        }
    }

    fn substitute(&mut self) {
        Arch::new().dispatch(Solve {
            factor: &self.matrix,
            stride: self.stride,
            size: self.size,
            right: &mut self.right,
        });
    }
}

/// `own -= factor × values`.
fn subtract(own: &mut [f32], factor: f32, values: &[f32]) {
    for (own, value) in own.iter_mut().zip(values) {
        *own -= factor * value;
    }
}

/// `rowsᵀ rows` of row-major `rows` `[n × size]`, full and symmetric, column-major `[size × size]`.
pub fn gram(rows: &[f32], size: usize) -> Vec<f32> {
    let mut sums = SpdSolver::default();
    sums.start(&[], size);
    for row in rows.chunks_exact(size.max(1)) {
        sums.observe(row, 1.0);
    }
    sums.flush();
    let value = |column: usize, row: usize| sums.matrix[column.min(row) * sums.stride + column.max(row)];
    (0..size)
        .flat_map(|column| (0..size).map(move |row| (column, row)))
        .map(|(column, row)| value(column, row))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Sizes around the registers of every width, and one that takes the larger steps.
    const SIZES: [usize; 9] = [1, 3, 8, 15, 16, 17, 64, 100, 150];

    fn values(count: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| rng.random::<f32>() - 0.5).collect()
    }

    /// `base + ridge·I + Σ |weight|·rowᵀ·row` times `vector`, in double precision.
    fn image(base: &[f32], ridge: f32, rows: &[f32], weights: &[f32], vector: &[f32]) -> Vec<f64> {
        let size = vector.len();
        let exact: Vec<f64> = vector.iter().map(|&v| f64::from(v)).collect();
        let mut out: Vec<f64> = exact.iter().map(|v| v * f64::from(ridge)).collect();
        for (column, values) in base.chunks_exact(size).enumerate() {
            for (out, value) in out.iter_mut().zip(values) {
                *out += f64::from(*value) * exact[column];
            }
        }
        for (row, weight) in rows.chunks_exact(size).zip(weights) {
            let along: f64 = row.iter().zip(&exact).map(|(r, v)| f64::from(*r) * v).sum();
            for (out, value) in out.iter_mut().zip(row) {
                *out += f64::from(weight.abs()) * along * f64::from(*value);
            }
        }
        out
    }

    #[test]
    fn the_solution_satisfies_its_equations() -> Result<()> {
        for size in SIZES {
            let (rows, weights) = (values(size * 70, 1), values(70, 2));
            let base = gram(&values(size * 5, 3), size);
            let mut solver = SpdSolver::default();
            solver.start(&base, size);
            for (row, &weight) in rows.chunks_exact(size).zip(&weights) {
                solver.observe(row, weight);
            }
            let mut solution = vec![0.0; size];
            solver.solve(0.7, &mut solution)?;
            let mut wanted = vec![0f64; size];
            for (row, &weight) in rows.chunks_exact(size).zip(&weights) {
                for (sum, &value) in wanted.iter_mut().zip(row) {
                    *sum += f64::from(weight * value);
                }
            }
            let got = image(&base, 0.7, &rows, &weights, &solution);
            for (got, wanted) in got.iter().zip(&wanted) {
                assert!((got - wanted).abs() < 1e-3, "{size}: {got} is not {wanted}");
            }
        }
        Ok(())
    }

    #[test]
    fn many_right_sides_are_solved_like_each_alone() -> Result<()> {
        for size in SIZES {
            let (rows, right) = (values(size * 30, 4), values(size * 3, 5));
            let system = |solver: &mut SpdSolver| {
                solver.start(&[], size);
                rows.chunks_exact(size).for_each(|row| solver.observe(row, 1.0));
            };
            let (mut solver, mut all) = (SpdSolver::default(), right.clone());
            system(&mut solver);
            solver.solve_all(0.5, &mut all, 3)?;
            for column in 0..3 {
                let mut alone: Vec<f32> = right.iter().skip(column).step_by(3).copied().collect();
                system(&mut solver);
                solver.solve_for(0.5, &mut alone)?;
                for (one, of_all) in alone.iter().zip(all.iter().skip(column).step_by(3)) {
                    assert!((one - of_all).abs() < 1e-3, "{size}: {one} is not {of_all}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_used_solver_gives_the_bytes_of_a_fresh_one() -> Result<()> {
        let mut used = SpdSolver::default();
        for size in SIZES.into_iter().chain(SIZES.into_iter().rev()) {
            let row = values(size, 6);
            let solved = |solver: &mut SpdSolver| -> Result<Vec<f32>> {
                let mut out = vec![0.0; size];
                solver.start(&gram(&values(size * size, 7), size), size);
                solver.observe(&row, 0.4);
                solver.solve(0.1, &mut out)?;
                Ok(out)
            };
            assert_eq!(solved(&mut used)?, solved(&mut SpdSolver::default())?);
        }
        Ok(())
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        for broken in [-1.0, 0.0, f32::NAN, f32::INFINITY] {
            let mut solver = SpdSolver::default();
            solver.start(&[1.0, 0.0, 0.0, broken], 2);
            assert!(solver.solve_for(0.0, &mut [1.0, 1.0]).is_err(), "{broken}");
        }
    }
}
