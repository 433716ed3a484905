//! The room's suite, with the real catalogue and the real activity beneath it: on SQLite and on PostgreSQL, on the door itself and
//! over the wire. Models are small and really trained, on data in which tastes were planted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod composition;
mod constraints;
mod embeddings;
mod estimates;
mod experiments;
mod guard;
mod home;
mod house;
mod learning;
mod models;
mod newcomers;
mod serving;
