//! The room as its callers see it: real databases, real ffmpeg in the real sandbox, tiny clips.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod credits;
mod deleted;
mod delivery;
mod extras;
mod hostile;
mod jobs;
mod support;
mod transcode;
mod uploads;
mod validators;
