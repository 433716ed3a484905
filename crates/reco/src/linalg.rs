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
