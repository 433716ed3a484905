//! The catalogue through its door: on SQLite and PostgreSQL, in this process and over the wire.

// A test that cannot go on says so by a panic.
#![allow(clippy::unwrap_used)]

mod artwork;
mod browse;
mod changes;
mod events;
mod import;
mod search;
mod support;
mod windows;
