//! Small systems, one after another without allocating: the normal equations of a row of iALS, of a viewer, of a title of EASE.
//!
//! Our own rather than faer's: at 32 to 128 unknowns most of a general routine's time is not spent on the matrix.

use super::kernels::{Factorise, Gather, Observe, PADDING, Settle, Solve, TURNS};
use crate::error::{RecoError, Result};
use pulp::Arch;
use std::ops::{Deref, DerefMut};

/// Values of observed rows that are taken together: they stay in the nearest cache.
const CHUNK: usize = 4096;

/// Values whose first one begins a line of the cache: a register that lies across two is read twice.
#[derive(Default)]
struct Aligned {
    values: Vec<f32>,
    first: usize,
    len: usize,
}

impl Aligned {
    const BYTES: usize = 64;

    /// So many zeros.
    fn zeroed(&mut self, len: usize) {
        self.values.clear();
        self.values.resize(len + Self::BYTES / size_of::<f32>(), 0.0);
        // Where an address cannot be aligned, it stays right and is slower.
        let first = self.values.as_ptr().align_offset(Self::BYTES);
        self.first = first.min(Self::BYTES / size_of::<f32>());
        self.len = len;
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.first..][..self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.first..][..self.len]
    }
}

/// Collects `base + Σ |weight|·rowᵀ·row` and `Σ weight·row`, then solves `(… + ridge·I) x = …` by an exact Cholesky factorisation.
#[derive(Default)]
pub struct SpdSolver {
    size: usize,
    stride: usize,
    /// Column-major `[stride × stride]`.
    matrix: Aligned,
    /// What the squares on its diagonal are still to get.
    turned: Aligned,
    right: Aligned,
    /// Room for rows that were observed and not yet added, `[n × stride]`, each scaled by √|weight|.
    rows: Aligned,
    /// What is left of their weights for the right side.
    coefficients: Vec<f32>,
    /// How many there are of both.
    taken: usize,
    /// Room for those that are to be taken together, by their place in a table, with their weights.
    picks: Vec<(u32, f32)>,
}

impl SpdSolver {
    /// Begins a system of `size` unknowns at `base`, column-major `[size × size]`, symmetric; empty for zeros.
    pub fn start(&mut self, base: &[f32], size: usize) {
        if size != self.size {
            (self.size, self.stride) = (size, size.next_multiple_of(PADDING));
            self.matrix.zeroed(self.stride * self.stride);
            self.turned.zeroed(self.stride * TURNS);
            self.right.zeroed(self.stride);
            let room = (CHUNK / self.stride.max(1)).max(8);
            self.rows.zeroed(self.stride * room);
            self.coefficients.resize(room, 0.0);
            self.picks.resize(room, (0, 0.0));
        }
        self.taken = 0;
        self.right.fill(0.0);
        self.turned.fill(0.0);
        if base.len() == self.matrix.len() {
            self.matrix.copy_from_slice(base);
            return;
        }
        self.matrix.fill(0.0);
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
        let own = &mut self.rows[self.taken * self.stride..][..self.size];
        own.iter_mut().zip(row).for_each(|(own, value)| *own = value * scale);
        self.coefficients[self.taken] = scale.copysign(weight);
        self.taken += 1;
        if self.taken * self.stride == self.rows.len() {
            self.flush();
        }
    }

    /// Observes rows of a table `[n × size]`, each with its weight, but for those without any; answers how many.
    pub fn observe_all(&mut self, table: &[f32], observed: impl Iterator<Item = (u32, f32)>) -> usize {
        let mut observed = observed.filter(|&(_, weight)| weight != 0.0);
        if self.size != self.stride {
            let size = self.size;
            let row = |index: u32| &table[index as usize * size..][..size];
            return observed.map(|(index, weight)| self.observe(row(index), weight)).count();
        }
        let mut count = 0;
        loop {
            let room = self.coefficients.len() - self.taken;
            let mut picked = 0;
            for (slot, pick) in self.picks[..room].iter_mut().zip(observed.by_ref()) {
                *slot = pick;
                picked += 1;
            }
            self.gather(table, picked);
            count += picked;
            if picked < room {
                return count;
            }
            self.flush();
        }
    }

    /// Takes the first so many of the picks.
    fn gather(&mut self, table: &[f32], picked: usize) {
        Arch::new().dispatch(Gather {
            table,
            picks: &self.picks[..picked],
            stride: self.stride,
            rows: &mut self.rows[self.taken * self.stride..],
            coefficients: &mut self.coefficients[self.taken..],
        });
        self.taken += picked;
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
            own.iter_mut().for_each(|value| *value *= factor(row, row));
        }
        for row in (0..size).rev() {
            let (rest, solved) = right.split_at_mut((row + 1) * columns);
            let own = &mut rest[row * columns..];
            for (after, values) in solved.chunks_exact(columns).enumerate() {
                subtract(own, factor(row + 1 + after, row), values);
            }
            own.iter_mut().for_each(|value| *value *= factor(row, row));
        }
        Ok(())
    }

    fn flush(&mut self) {
        Arch::new().dispatch(Observe {
            rows: &self.rows[..self.taken * self.stride],
            coefficients: &self.coefficients[..self.taken],
            stride: self.stride,
            matrix: &mut self.matrix,
            turned: &mut self.turned,
            right: &mut self.right,
        });
        self.taken = 0;
    }

    /// The matrix has all that was observed.
    fn settle(&mut self) {
        self.flush();
        Arch::new().dispatch(Settle {
            turned: &self.turned,
            stride: self.stride,
            matrix: &mut self.matrix,
        });
    }

    fn factorise(&mut self, ridge: f32) -> Result<()> {
        self.settle();
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
    sums.settle();
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
