//! The inner loops, compiled for the widest registers of the processor they run on: a plain x86-64 build has only narrow ones.
//!
//! Matrices are column-major with columns padded to a multiple of [`PADDING`]; of a symmetric one only what lies at and below the
//! diagonal means anything.

mod cholesky;
mod observe;
#[cfg(test)]
mod tests;

use pulp::{Arch, Simd, WithSimd};

pub use cholesky::{Factorise, Solve};
pub use observe::{Gather, Observe, Settle, TURNS};

/// As many values as the widest register holds.
pub const PADDING: usize = 16;
/// Columns that are computed together.
const TILE: usize = 8;
/// Adds the rows, each times its coefficient, to a vector as long as one of them.
#[inline(always)]
fn add_sum<S: Simd>(simd: S, rows: &[f32], coefficients: &[f32], stride: usize, out: &mut [f32]) {
    let (groups, rest) = S::as_mut_simd_f32s(out).0.as_chunks_mut::<4>();
    let start = groups.len() * 4;
    for (group, out) in groups.iter_mut().enumerate() {
        add_registers(simd, rows, coefficients, (stride, group * 4), out);
    }
    for (register, out) in rest.iter_mut().enumerate() {
        let out = std::array::from_mut(out);
        add_registers(simd, rows, coefficients, (stride, start + register), out);
    }
}

/// The registers from `first` on of what [`add_sum`] adds.
#[inline(always)]
fn add_registers<S: Simd, const N: usize>(
    simd: S,
    rows: &[f32],
    coefficients: &[f32],
    (stride, first): (usize, usize),
    out: &mut [S::f32s; N],
) {
    let mut sums = *out;
    for (row, &coefficient) in rows.chunks_exact(stride).zip(coefficients) {
        let Some(values) = S::as_simd_f32s(row).0[first..].first_chunk::<N>() else {
            return;
        };
        let coefficient = simd.splat_f32s(coefficient);
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum = simd.mul_add_e_f32s(coefficient, value, *sum);
        }
    }
    *out = sums;
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

/// What of the products is wanted.
struct Below {
    /// The first column.
    first: usize,
    /// Whether the squares on the diagonal are, or only what is below them.
    squares: bool,
    subtract: bool,
}

impl Below {
    fn taken(first: usize) -> Self {
        Self {
            first,
            squares: true,
            subtract: true,
        }
    }
}

/// Adds to (or takes from) the columns of `out` the products of `rows` `[n × stride]`: `Σ row[i] · row[column]`.
#[inline(always)]
fn add_products<S: Simd>(simd: S, rows: &[f32], stride: usize, below: &Below, out: &mut [f32]) {
    let registers = stride / S::F32_LANES;
    let end = below.first + out.len() / stride;
    for column in (below.first..end).step_by(TILE) {
        let mut place = Place {
            stride,
            first: below.first,
            column,
            end: (column + TILE).min(end),
            register: column / S::F32_LANES + usize::from(!below.squares),
            subtract: below.subtract,
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
    /// Before which column the tile ends.
    end: usize,
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
    for column in (place.column..place.end).step_by(WIDE) {
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
