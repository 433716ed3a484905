//! The inner loops, compiled for the widest registers of the processor they run on: a plain x86-64 build has only narrow ones.
//!
//! Matrices are column-major with columns padded to a multiple of [`PADDING`]; of a symmetric one only what lies at and below the
//! diagonal means anything.

use pulp::{Arch, Simd, WithSimd};

/// As many values as the widest register holds.
pub const PADDING: usize = 16;
/// Columns that are computed together.
const TILE: usize = 8;
/// Columns of a Cholesky step, for small matrices and for those that do not fit the nearest cache.
const STEP: usize = 8;
const STEP_LARGE: usize = 32;
const LARGE: usize = 128;

/// Adds observed rows `[n × stride]` to a matrix, `rowᵀ row` each, and to the right side, times their coefficients.
pub struct Observe<'a> {
    pub rows: &'a [f32],
    pub coefficients: &'a [f32],
    pub stride: usize,
    pub matrix: &'a mut [f32],
    pub right: &'a mut [f32],
}

impl WithSimd for Observe<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (row, &coefficient) in self.rows.chunks_exact(self.stride).zip(self.coefficients) {
            add_scaled(simd, coefficient, row, self.right);
        }
        add_products(simd, self.rows, self.stride, 0, false, self.matrix);
    }
}

/// Turns the lower triangle of the first `size` columns into their Cholesky factor; above the diagonal, within its register,
/// become zeros. False where the matrix is not positive definite.
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
            for column in start..end {
                let (before, own) = panel.split_at_mut((column - start) * stride);
                if !factorise_column(simd, before, &mut own[..stride], column) {
                    return false;
                }
            }
            if end < size {
                add_products(simd, panel, stride, end, true, rest);
            }
        }
        true
    }
}

/// One column of a panel, from those before it.
#[inline(always)]
fn factorise_column<S: Simd>(simd: S, before: &[f32], own: &mut [f32], column: usize) -> bool {
    let stride = own.len();
    let first = column / S::F32_LANES;
    for register in first..stride / S::F32_LANES {
        let mut value = S::as_simd_f32s(own).0[register];
        for earlier in before.chunks_exact(stride) {
            let factor = simd.splat_f32s(-earlier[column]);
            value = simd.mul_add_e_f32s(factor, S::as_simd_f32s(earlier).0[register], value);
        }
        S::as_mut_simd_f32s(own).0[register] = value;
    }
    let root = own[column].sqrt();
    if !(root > 0.0 && root.is_finite()) {
        return false;
    }
    let inverse = simd.splat_f32s(1.0 / root);
    for value in &mut S::as_mut_simd_f32s(own).0[first..] {
        *value = simd.mul_f32s(*value, inverse);
    }
    own[column] = root;
    own[first * S::F32_LANES..column].fill(0.0);
    true
}

/// Solves `L Lᵀ x = right` in place of `right`, padded with zeros like the columns of the factor.
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
        let Self { factor, right, .. } = self;
        let columns = factor.chunks_exact(self.stride).enumerate().take(self.size);
        for (column, own) in columns.clone() {
            let value = right[column] / own[column];
            let aligned = column / S::F32_LANES * S::F32_LANES;
            add_scaled(simd, -value, &own[aligned..], &mut right[aligned..]);
            right[column] = value;
        }
        for (column, own) in columns.rev() {
            let aligned = column / S::F32_LANES * S::F32_LANES;
            let value = std::mem::take(&mut right[column]);
            let known = dot(simd, &own[aligned..], &right[aligned..]);
            right[column] = (value - known) / own[column];
        }
    }
}

/// `out += factor × values`, both of whole registers.
#[inline(always)]
fn add_scaled<S: Simd>(simd: S, factor: f32, values: &[f32], out: &mut [f32]) {
    let factor = simd.splat_f32s(factor);
    let (values, out) = (S::as_simd_f32s(values).0, S::as_mut_simd_f32s(out).0);
    for (out, &value) in out.iter_mut().zip(values) {
        *out = simd.mul_add_e_f32s(factor, value, *out);
    }
}

#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let mut sum = simd.splat_f32s(0.0);
    for (&a, &b) in a.iter().zip(b) {
        sum = simd.mul_add_e_f32s(a, b, sum);
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    simd.reduce_sum_f32s(sum) + rest
}

/// Adds to (or takes from) the columns of `out`, the first of which is column `first` of the square, the products of `rows`
/// `[n × stride]`: `Σ row[i] · row[column]`.
#[inline(always)]
fn add_products<S: Simd>(simd: S, rows: &[f32], stride: usize, first: usize, subtract: bool, out: &mut [f32]) {
    let registers = stride / S::F32_LANES;
    for column in (first..stride).step_by(TILE) {
        let mut place = Place {
            stride,
            first,
            column,
            register: column / S::F32_LANES,
            subtract,
        };
        while place.register < registers {
            let left = registers - place.register;
            // As many sums as the registers hold, and no fewer than the latency of an addition hides.
            let taken = match left {
                4.. if S::REGISTER_COUNT >= 32 => tiles::<S, 4, 4>(simd, rows, &place, out),
                3 if S::REGISTER_COUNT >= 32 => tiles::<S, 3, 4>(simd, rows, &place, out),
                2.. => tiles::<S, 2, 4>(simd, rows, &place, out),
                _ => tiles::<S, 1, 8>(simd, rows, &place, out),
            };
            place.register += taken;
        }
    }
}

struct Place {
    stride: usize,
    first: usize,
    column: usize,
    register: usize,
    subtract: bool,
}

/// [`TILE`] columns, `WIDE` at a time, by `HIGH` registers of rows; answers `HIGH`.
#[inline(always)]
fn tiles<S: Simd, const HIGH: usize, const WIDE: usize>(
    simd: S,
    rows: &[f32],
    place: &Place,
    out: &mut [f32],
) -> usize {
    let end = (place.column + TILE).min(place.stride);
    for column in (place.column..end).step_by(WIDE) {
        tile::<S, HIGH, WIDE>(simd, rows, place, column, out);
    }
    HIGH
}

#[inline(always)]
fn tile<S: Simd, const HIGH: usize, const WIDE: usize>(
    simd: S,
    rows: &[f32],
    place: &Place,
    column: usize,
    out: &mut [f32],
) {
    let mut sums = [[simd.splat_f32s(0.0); HIGH]; WIDE];
    for row in rows.chunks_exact(place.stride) {
        let values = S::as_simd_f32s(row).0[place.register..].first_chunk::<HIGH>();
        let (Some(values), Some(factors)) = (values, row[column..].first_chunk::<WIDE>()) else {
            return;
        };
        for (sums, &factor) in sums.iter_mut().zip(factors) {
            let factor = simd.splat_f32s(factor);
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum = simd.mul_add_e_f32s(value, factor, *sum);
            }
        }
    }
    let columns = out[(column - place.first) * place.stride..].chunks_exact_mut(place.stride);
    for (out, sums) in columns.zip(&sums) {
        let out = &mut S::as_mut_simd_f32s(out).0[place.register..];
        for (out, &sum) in out.iter_mut().zip(sums) {
            *out = match place.subtract {
                true => simd.sub_f32s(*out, sum),
                false => simd.add_f32s(*out, sum),
            };
        }
    }
}

/// `out[n] = rows[n × d] · vector[d]`.
pub fn multiply(rows: &[f32], vector: &[f32], out: &mut [f32]) {
    Arch::new().dispatch(Multiply { rows, vector, out });
}

struct Multiply<'a> {
    rows: &'a [f32],
    vector: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (out, row) in self.out.iter_mut().zip(self.rows.chunks_exact(self.vector.len())) {
            *out = dot(simd, row, self.vector);
        }
    }
}
