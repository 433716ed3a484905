//! Drawn pictures.
