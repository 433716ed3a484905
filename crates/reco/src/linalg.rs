//! Small and large symmetric positive definite systems on faer, always on the calling thread: callers are parallel
//! over rows, which keeps results independent of the number of threads.

use crate::error::{RecoError, Result};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::reborrow::{IntoConst, Reborrow, ReborrowMut};
use faer::{Accum, MatMut, MatRef, Par};

/// Solves `d × d` systems again and again without allocating.
#[derive(Default)]
pub struct SpdSolver {
    matrix: Vec<f32>,
    memory: Option<MemBuffer>,
}

impl SpdSolver {
    /// Solves `(base + ridge·I + Σ rowᵀ·row) x = right` in place of `right`; `rows` is row-major `[n × d]`,
    /// `base` column-major `[d × d]`, symmetric. Exact Cholesky.
    pub fn solve(&mut self, base: &[f32], ridge: f32, rows: &[f32], right: &mut [f32]) -> Result<()> {
        let size = right.len();
        let (factor, memory) = self.factorise(base, ridge, rows, size)?;
        let right = MatMut::from_column_major_slice_mut(right, size, 1);
        llt::solve::solve_in_place(factor, right, Par::Seq, MemStack::new(memory));
        Ok(())
    }

    /// The same for `columns` right sides side by side, row-major `[d × columns]`: all of them take each step together.
    pub fn solve_all(
        &mut self,
        base: &[f32],
        ridge: f32,
        rows: &[f32],
        right: &mut [f32],
        columns: usize,
    ) -> Result<()> {
        let size = right.len() / columns.max(1);
        let (factor, _) = self.factorise(base, ridge, rows, size)?;
        for row in 0..size {
            let (solved, rest) = right.split_at_mut(row * columns);
            let own = &mut rest[..columns];
            for (before, values) in solved.chunks_exact(columns).enumerate() {
                subtract(own, factor[(row, before)], values);
            }
            own.iter_mut().for_each(|value| *value /= factor[(row, row)]);
        }
        for row in (0..size).rev() {
            let (rest, solved) = right.split_at_mut((row + 1) * columns);
            let own = &mut rest[row * columns..];
            for (after, values) in solved.chunks_exact(columns).enumerate() {
                subtract(own, factor[(row + 1 + after, row)], values);
            }
            own.iter_mut().for_each(|value| *value /= factor[(row, row)]);
        }
        Ok(())
    }

    /// The Cholesky factor, in the lower triangle.
    fn factorise(
        &mut self,
        base: &[f32],
        ridge: f32,
        rows: &[f32],
        size: usize,
    ) -> Result<(MatRef<'_, f32>, &mut MemBuffer)> {
        if self.matrix.len() != base.len() {
            self.memory = None;
        }
        self.matrix.clear();
        self.matrix.extend_from_slice(base);
        let mut matrix = MatMut::from_column_major_slice_mut(&mut self.matrix, size, size);
        add_gram(matrix.rb_mut(), rows, size);
        for index in 0..size {
            matrix[(index, index)] += ridge;
        }
        let memory = self.memory.get_or_insert_with(|| scratch_for(size));
        let stack = MemStack::new(memory);
        llt::factor::cholesky_in_place(matrix.rb_mut(), Default::default(), Par::Seq, stack, Default::default())
            .map_err(|_| RecoError::Numeric("a row's normal equations are singular".into()))?;
        Ok((matrix.into_const(), memory))
    }
}

/// `own -= factor × values`.
fn subtract(own: &mut [f32], factor: f32, values: &[f32]) {
    for (own, value) in own.iter_mut().zip(values) {
        *own -= factor * value;
    }
}

fn scratch_for(size: usize) -> MemBuffer {
    MemBuffer::new(llt::factor::cholesky_in_place_scratch::<f32>(
        size,
        Par::Seq,
        Default::default(),
    ))
}

/// Lower triangle of `out += rowsᵀ rows`.
fn add_gram(out: MatMut<'_, f32>, rows: &[f32], size: usize) {
    if rows.is_empty() {
        return;
    }
    // Row-major [n × d] is column-major [d × n], the left factor.
    let left = MatRef::from_column_major_slice(rows, size, rows.len() / size);
    triangular::matmul(
        out,
        BlockStructure::TriangularLower,
        Accum::Add,
        left,
        BlockStructure::Rectangular,
        left.transpose(),
        BlockStructure::Rectangular,
        1.0f32,
        Par::Seq,
    );
}

/// `rowsᵀ rows`, full and symmetric, column-major `[d × d]`.
pub fn gram(rows: &[f32], size: usize) -> Vec<f32> {
    let mut out = vec![0f32; size * size];
    add_gram(MatMut::from_column_major_slice_mut(&mut out, size, size), rows, size);
    mirror_lower(&mut out, size);
    out
}

/// `out[n] = rows[n × d] · vector[d]`.
pub fn multiply(rows: &[f32], vector: &[f32], out: &mut [f32]) {
    let size = vector.len();
    matmul::matmul(
        MatMut::from_row_major_slice_mut(out, 1, rows.len() / size),
        Accum::Replace,
        MatRef::from_row_major_slice(vector, 1, size),
        MatRef::from_column_major_slice(rows, size, rows.len() / size),
        1.0f32,
        Par::Seq,
    );
}

/// Inverse of a symmetric positive definite matrix, column-major `[size × size]`, of which the lower triangle is
/// filled. The input is overwritten; the result is full and symmetric.
pub fn inverse_spd(matrix: &mut [f32], size: usize) -> Result<Vec<f32>> {
    let mut factor = MatMut::from_column_major_slice_mut(matrix, size, size);
    let mut memory = scratch_for(size);
    llt::factor::cholesky_in_place(
        factor.rb_mut(),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut memory),
        Default::default(),
    )
    .map_err(|_| RecoError::Numeric("the item-item matrix is not positive definite".into()))?;
    let mut memory = MemBuffer::new(llt::inverse::inverse_scratch::<f32>(size, Par::Seq));
    let mut out = vec![0f32; size * size];
    llt::inverse::inverse(
        MatMut::from_column_major_slice_mut(&mut out, size, size),
        factor.rb(),
        Par::Seq,
        MemStack::new(&mut memory),
    );
    mirror_lower(&mut out, size);
    Ok(out)
}

/// Copies the lower triangle of a column-major square onto the upper one, in blocks that fit the cache.
fn mirror_lower(square: &mut [f32], size: usize) {
    const BLOCK: usize = 64;
    for column_block in (0..size).step_by(BLOCK) {
        for row_block in (column_block..size).step_by(BLOCK) {
            for column in column_block..(column_block + BLOCK).min(size) {
                for row in row_block.max(column + 1)..(row_block + BLOCK).min(size) {
                    square[row * size + column] = square[column * size + row];
                }
            }
        }
    }
}
