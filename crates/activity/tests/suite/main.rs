//! The room's suite: every test on SQLite and on PostgreSQL, on the door itself and over the wire.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod house;
mod imports;
mod lists;
mod model;
mod positions;
mod ratings;
