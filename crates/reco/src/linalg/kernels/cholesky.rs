//! Cholesky factors and what is solved with them, a few columns at a time.

use super::{Below, add_products, add_sum, dot};
use pulp::{Simd, WithSimd};

/// Columns of a Cholesky step and of a substitution: they are solved among themselves, then taken from all that follow at once.
const STEP: usize = 8;
/// Columns whose following ones are changed together, in matrices that do not fit the nearest cache.
const STEP_LARGE: usize = 32;
const LARGE: usize = 128;

/// Turns the lower triangle of the first `size` columns into their Cholesky factor, with the reciprocals of its diagonal in the
/// diagonal's place; above it, within its register, become zeros. False where the matrix is not positive definite.
pub struct Factorise<'a> {
    pub matrix: &'a mut [f32],
    pub stride: usize,
    pub size: usize,
}

impl WithSimd for Factorise<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { matrix, stride, size } = self;
        let step = if stride > LARGE { STEP_LARGE } else { STEP };
        for start in (0..size).step_by(step) {
            let end = (start + step).min(size);
            let (done, rest) = matrix.split_at_mut(end * stride);
            let panel = &mut done[start * stride..];
            if !factorise_panel(simd, panel, stride, start) {
                return false;
            }
            if end < size {
                add_products(simd, panel, stride, &Below::taken(end), rest);
            }
        }
        true
    }
}

/// Columns of which the first is column `first` of the square, a step of them after the other.
#[inline(always)]
fn factorise_panel<S: Simd>(simd: S, panel: &mut [f32], stride: usize, first: usize) -> bool {
    let mut left = panel;
    let mut start = first;
    while !left.is_empty() {
        let width = STEP.min(left.len() / stride);
        let (step, rest) = left.split_at_mut(width * stride);
        let done = match width {
            STEP => factorise_step::<S, STEP>(simd, step, stride, start),
            _ => step_of_one(simd, step, stride, start),
        };
        if !done {
            return false;
        }
        start += width;
        if !rest.is_empty() {
            add_products(simd, step, stride, &Below::taken(start), rest);
        }
        left = rest;
    }
    true
}

/// Columns at the end that are too few for a whole step, one by one.
#[inline(always)]
fn step_of_one<S: Simd>(simd: S, columns: &mut [f32], stride: usize, first: usize) -> bool {
    let mut left = columns;
    let mut column = first;
    while !left.is_empty() {
        let (own, rest) = left.split_at_mut(stride);
        if !factorise_step::<S, 1>(simd, own, stride, column) {
            return false;
        }
        for (number, later) in rest.chunks_exact_mut(stride).enumerate() {
            let aligned = column / S::F32_LANES * S::F32_LANES;
            let factor = -own[column + 1 + number];
            add_sum(
                simd,
                &own[aligned..],
                &[factor],
                stride - aligned,
                &mut later[aligned..],
            );
        }
        column += 1;
        left = rest;
    }
    true
}

/// `N` columns: their square on the diagonal first, then all rows below it.
#[inline(always)]
fn factorise_step<S: Simd, const N: usize>(simd: S, columns: &mut [f32], stride: usize, first: usize) -> bool {
    let mut square = [[0.0; N]; N];
    for (column, values) in square.iter_mut().zip(columns.chunks_exact(stride)) {
        column.copy_from_slice(&values[first..first + N]);
    }
    let Some(inverse) = factorise_square(&mut square) else {
        return false;
    };
    let aligned = first / S::F32_LANES;
    for register in aligned..stride / S::F32_LANES {
        let mut solved = [simd.splat_f32s(0.0); N];
        for column in 0..N {
            let own = &mut columns[column * stride..][..stride];
            let mut value = S::as_simd_f32s(own).0[register];
            for (earlier, &before) in solved[..column].iter().enumerate() {
                let factor = simd.splat_f32s(-square[earlier][column]);
                value = simd.mul_add_e_f32s(factor, before, value);
            }
            solved[column] = simd.mul_f32s(value, simd.splat_f32s(inverse[column]));
            S::as_mut_simd_f32s(own).0[register] = solved[column];
        }
    }
    for (column, own) in columns.chunks_exact_mut(stride).enumerate() {
        own[aligned * S::F32_LANES..first + column].fill(0.0);
        own[first + column] = inverse[column];
    }
    true
}

/// The Cholesky factor of a small square, by columns, in its place; answers the reciprocals of its diagonal. Columns wait for the
/// pivots before them, so these are taken as they come, and all their roots together at the end.
#[inline(always)]
fn factorise_square<const N: usize>(square: &mut [[f32; N]; N]) -> Option<[f32; N]> {
    let mut inverse = [0.0; N];
    for column in 0..N {
        let (own, later) = square[column..].split_first_mut()?;
        let pivot = 1.0 / own[column];
        inverse[column] = own[column];
        for (number, later) in later.iter_mut().enumerate() {
            let factor = -own[column + 1 + number] * pivot;
            for (value, own) in later.iter_mut().zip(&*own) {
                *value = factor.mul_add(*own, *value);
            }
        }
    }
    for pivot in &mut inverse {
        if !(*pivot > 0.0 && pivot.is_finite()) {
            return None;
        }
        *pivot = 1.0 / pivot.sqrt();
    }
    for (column, inverse) in square.iter_mut().zip(&inverse) {
        column.iter_mut().for_each(|value| *value *= inverse);
    }
    Some(inverse)
}

/// Solves `L Lᵀ x = right` in place of `right`, padded with zeros like the columns of the factor, which [`Factorise`] made.
pub struct Solve<'a> {
    pub factor: &'a [f32],
    pub stride: usize,
    pub size: usize,
    pub right: &'a mut [f32],
}

impl WithSimd for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            factor,
            stride,
            size,
            right,
        } = self;
        let whole = size / STEP * STEP;
        for first in (0..whole).step_by(STEP) {
            forward::<S, STEP>(simd, &factor[first * stride..][..STEP * stride], first, right);
        }
        for first in whole..size {
            forward::<S, 1>(simd, &factor[first * stride..][..stride], first, right);
        }
        for first in (whole..size).rev() {
            backward::<S, 1>(simd, &factor[first * stride..][..stride], first, right);
        }
        for first in (0..whole).step_by(STEP).rev() {
            backward::<S, STEP>(simd, &factor[first * stride..][..STEP * stride], first, right);
        }
    }
}

/// `N` unknowns of `L y = right`, taken from all that follow.
#[inline(always)]
fn forward<S: Simd, const N: usize>(simd: S, columns: &[f32], first: usize, right: &mut [f32]) {
    let stride = right.len();
    let mut solved = [0.0; N];
    for row in 0..N {
        let mut value = right[first + row];
        for (column, before) in solved[..row].iter().enumerate() {
            value -= columns[column * stride + first + row] * before;
        }
        solved[row] = value * columns[row * stride + first + row];
    }
    let aligned = first / S::F32_LANES;
    for register in aligned..stride / S::F32_LANES {
        let mut value = S::as_simd_f32s(right).0[register];
        for (column, solved) in columns.chunks_exact(stride).zip(&solved) {
            let factor = simd.splat_f32s(-solved);
            value = simd.mul_add_e_f32s(factor, S::as_simd_f32s(column).0[register], value);
        }
        S::as_mut_simd_f32s(right).0[register] = value;
    }
    right[first..first + N].copy_from_slice(&solved);
}

/// `N` unknowns of `Lᵀ x = right`, from all that follow.
#[inline(always)]
fn backward<S: Simd, const N: usize>(simd: S, columns: &[f32], first: usize, right: &mut [f32]) {
    let stride = right.len();
    let mut solved = [0.0; N];
    solved.copy_from_slice(&right[first..first + N]);
    // They are not among those that follow, though in the same register.
    right[first..first + N].fill(0.0);
    let aligned = first / S::F32_LANES * S::F32_LANES;
    let mut known = [0.0; N];
    for (known, column) in known.iter_mut().zip(columns.chunks_exact(stride)) {
        *known = dot(simd, &column[aligned..], &right[aligned..]);
    }
    for column in (0..N).rev() {
        let own = &columns[column * stride + first..][..N];
        let mut value = solved[column] - known[column];
        for row in column + 1..N {
            value -= own[row] * solved[row];
        }
        solved[column] = value * own[column];
    }
    right[first..first + N].copy_from_slice(&solved);
}
