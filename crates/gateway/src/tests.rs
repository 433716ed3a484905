//! Tests of the whole router over doors of its own: every door is remote, and what is at its other end a test scripts.

mod bad_input;
mod curators;
mod experiments;
mod given_up;
mod home;
mod media;
mod models;
mod openapi;
mod parties;
mod policies;
mod quality;
mod sessions;
mod support;
mod uploads;
mod writes;
