//! The room as its callers see it: real databases, real ffmpeg in the real sandbox, tiny clips.

mod bad_input;
mod delivery;
mod jobs;
mod support;
mod transcode;
mod uploads;
