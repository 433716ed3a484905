//! The sandbox against programs that try things, plans for every shape of source, and words for every failure.

mod isolation;
mod joining;
mod naming;
mod packaging;
pub mod planning;
mod probing;
