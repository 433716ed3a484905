//! From a file that somebody sent to segments on disk: look at it, plan, encode, cut.
//!
//! | step | module |
//! |---|---|
//! | what the first bytes say | [`sniff`] |
//! | what ffprobe says, inside the sandbox | [`probe`] |
//! | where its chapters put the opening and the end credits | [`chapters`] |
//! | what its languages are called | [`language`] |
//! | which rungs, at which frame rate | [`plan`] |
//! | what their ceilings are, from samples | [`ladder`] |
//! | where the film is cut into chunks | [`chunks`] |
//! | the one ffmpeg command for all rungs of a chunk | [`command`] |
//! | the same by an encoder of the machine's own | [`hardware`] |
//! | those for the sound | [`audio`] |
//! | running it, with progress, limits and a stop | [`run`], [`sandbox`], `syscalls` |
//! | cutting what was encoded into segments | [`package`], [`rewrite`] |
//! | joining what the parts made | [`join`] |
//! | its subtitles and its storyboard | [`extras`], [`subtitles`], [`webvtt`], [`storyboard`] |
//! | subtitles in files of their own: what they are called, what they say | [`file_names`], [`text`] |
//! | telling a person what went wrong | [`explain`] |

pub mod audio;
pub mod chapters;
pub mod chunks;
pub mod command;
pub mod explain;
pub mod extras;
pub mod file_names;
pub mod hardware;
pub mod join;
pub mod ladder;
pub mod language;
pub mod package;
pub mod plan;
pub mod probe;
mod rewrite;
pub mod run;
pub mod sandbox;
pub mod sniff;
pub mod storyboard;
pub mod subtitles;
mod syscalls;
pub mod text;
pub mod webvtt;

#[cfg(test)]
pub mod tests;
