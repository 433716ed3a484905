//! What is observed becomes a matrix and a right side.

use super::{Below, TILE, add_products, add_sum};
use pulp::{Simd, WithSimd};

/// Brings rows of a table together, `[n × stride]` both, each times the root of its weight, and says what is left of the weights.
pub struct Gather<'a> {
    pub table: &'a [f32],
    /// Which row, and its weight.
    pub picks: &'a [(u32, f32)],
    pub stride: usize,
    pub rows: &'a mut [f32],
    pub coefficients: &'a mut [f32],
}

impl WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let own = self.rows.chunks_exact_mut(self.stride).zip(self.coefficients);
        for ((own, coefficient), &(index, weight)) in own.zip(self.picks) {
            let scale = weight.abs().sqrt();
            *coefficient = scale.copysign(weight);
            let scale = simd.splat_f32s(scale);
            let row = &self.table[index as usize * self.stride..][..self.stride];
            for (own, &value) in S::as_mut_simd_f32s(own).0.iter_mut().zip(S::as_simd_f32s(row).0) {
                *own = simd.mul_f32s(value, scale);
            }
        }
    }
}

/// Adds observed rows `[n × stride]` to a matrix, `rowᵀ row` each, and to the right side, times their coefficients.
pub struct Observe<'a> {
    pub rows: &'a [f32],
    pub coefficients: &'a [f32],
    pub stride: usize,
    pub matrix: &'a mut [f32],
    /// The squares on the diagonal, each as wide as a register, turned: [`Settle`] brings them into the matrix. `[stride × TURNS]`.
    pub turned: &'a mut [f32],
    pub right: &'a mut [f32],
}

impl WithSimd for Observe<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        add_sum(simd, self.rows, self.coefficients, self.stride, self.right);
        let below = Below {
            first: 0,
            squares: S::F32_LANES < TILE,
            subtract: false,
        };
        add_products(simd, self.rows, self.stride, &below, self.matrix);
        if !below.squares {
            add_turned(simd, self.rows, self.stride, self.turned);
        }
    }
}

/// Of a register of sixteen values.
pub const TURNS: usize = 9;

/// Of a register's square half is enough, and that is the register times itself turned by none to half of its values.
#[inline(always)]
fn add_turned<S: Simd>(simd: S, rows: &[f32], stride: usize, turned: &mut [f32]) {
    let turns = S::F32_LANES / 2 + 1;
    let turned = S::as_mut_simd_f32s(turned).0.chunks_exact_mut(turns);
    for (register, turned) in turned.enumerate().take(stride / S::F32_LANES) {
        let mut sums = [simd.splat_f32s(0.0); TURNS];
        for row in rows.chunks_exact(stride) {
            let value = S::as_simd_f32s(row).0[register];
            sums[0] = simd.mul_add_e_f32s(value, value, sums[0]);
            for (turn, sum) in sums.iter_mut().enumerate().take(turns).skip(1) {
                *sum = simd.mul_add_e_f32s(value, simd.rotate_left_f32s(value, turn), *sum);
            }
        }
        for (turned, &sum) in turned.iter_mut().zip(&sums) {
            *turned = simd.add_f32s(*turned, sum);
        }
    }
}

/// Brings the squares on the diagonal into the matrix.
pub struct Settle<'a> {
    pub turned: &'a [f32],
    pub stride: usize,
    pub matrix: &'a mut [f32],
}

impl WithSimd for Settle<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (lanes, turns) = (S::F32_LANES, S::F32_LANES / 2 + 1);
        if lanes < TILE {
            return;
        }
        let squares = self.turned.chunks_exact(lanes * turns).take(self.stride / lanes);
        for (square, turned) in squares.enumerate() {
            let first = square * lanes * (self.stride + 1);
            let matrix = &mut self.matrix[first..];
            for (turn, values) in turned.chunks_exact(lanes).enumerate() {
                let (below, around) = values.split_at(lanes - turn);
                let of = |distance: usize| (distance..).step_by(self.stride + 1);
                for (place, value) in of(turn).zip(below) {
                    matrix[place] += value;
                }
                // Turned by half, each product is there twice.
                if 2 * turn < lanes {
                    for (place, value) in of(lanes - turn).zip(around) {
                        matrix[place] += value;
                    }
                }
            }
        }
    }
}
