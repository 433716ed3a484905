//! The catalogue through its door: on SQLite and PostgreSQL, in this process and over the wire.

mod artwork;
mod browse;
mod changes;
mod events;
mod import;
mod search;
mod support;
