//! The sandbox against programs that try things, plans for every shape of source, and words for every failure.

mod isolation;
mod naming;
mod packaging;
mod planning;
mod probing;
