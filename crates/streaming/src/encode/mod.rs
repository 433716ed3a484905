//! From a file that somebody sent to segments on disk: look at it, plan, encode, cut.
//!
//! | step | module |
//! |---|---|
//! | what the first bytes say | [`sniff`] |
//! | what ffprobe says, inside the sandbox | [`probe`] |
//! | where its chapters put the opening and the end credits | [`chapters`] |
//! | what its languages are called | [`language`] |
//! | which rungs, at which frame rate | [`plan`] |
//! | the one ffmpeg command for all of them | [`command`] |
//! | running it, with progress, limits and a stop | [`run`], [`sandbox`], `syscalls` |
//! | cutting the rungs into segments | [`package`] |
//! | its subtitles and its storyboard | [`extras`], [`subtitles`], [`webvtt`], [`storyboard`] |
//! | telling a person what went wrong | [`explain`] |

pub mod chapters;
pub mod command;
pub mod explain;
pub mod extras;
pub mod language;
pub mod package;
pub mod plan;
pub mod probe;
pub mod run;
pub mod sandbox;
pub mod sniff;
pub mod storyboard;
pub mod subtitles;
mod syscalls;
pub mod webvtt;

#[cfg(test)]
mod tests;
