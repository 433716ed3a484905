//! The room's SQL, a file per table.

pub mod assets;
pub mod playbacks;
pub mod secrets;
pub mod sessions;
pub mod subtitles;
pub mod uploads;
