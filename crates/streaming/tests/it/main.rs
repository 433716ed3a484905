//! The room as its callers see it: real databases, real ffmpeg in the real sandbox, tiny clips.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod beside;
mod bucket;
mod chunks;
mod credits;
mod damage;
mod deleted;
mod delivery;
mod encoders;
mod encryption;
mod extras;
mod heard;
mod hostile;
mod jobs;
mod killed;
mod looks;
mod saga;
mod sound;
mod storage;
mod streams;
mod support;
mod tidying;
mod titles;
mod tracks;
mod transcode;
mod tus;
mod uploads;
mod validators;
