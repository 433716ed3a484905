//! Symmetric positive definite systems, small and large, and products with a vector.
//!
//! Whatever is parallel is parallel over rows or columns of the result, each with a fixed order inside: any number of threads
//! gives the same bytes.

mod inverse;
mod kernels;
mod spd;

pub use inverse::negated_inverse;
pub use kernels::multiply;
pub use spd::{SpdSolver, gram};

/// Sums side by side: one after the other, each waits for the one before it. The compiler makes registers of them.
const LANES: usize = 16;

/// The sum of the products of two vectors of equal length.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        lanes
            .iter_mut()
            .zip(a.iter().zip(b))
            .for_each(|(sum, (a, b))| *sum += a * b);
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// The sum of all values.
pub fn sum(values: &[f32]) -> f32 {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0f32; LANES];
    for chunk in whole {
        lanes.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value);
    }
    lanes.iter().chain(rest).sum()
}
