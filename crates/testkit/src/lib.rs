//! Owns what integration tests stand on: a whole Kinora as a real process, people who talk to it, films to give it, a browser that
//! looks at it, a line between both, a disk that runs full.
//!
//! Everything here panics where it cannot go on: in a test that is the answer. What a machine may lack (data sets that may not be
//! passed on, the right to mount) gives `None` and says on standard error what to do.
#![allow(clippy::expect_used, clippy::unwrap_used)]

pub mod browser;
pub mod client;
pub mod clips;
pub mod cluster;
pub mod command;
pub mod datasets;
pub mod disk;
pub mod films;
pub mod line;
pub mod server;
pub mod validators;
pub mod wait;

pub use browser::Browser;
pub use client::{Answer, Client};
pub use clips::Clip;
pub use cluster::Cluster;
pub use command::{Finished, kinora};
pub use disk::{SmallDisk, again_where_it_may_mount};
pub use line::Line;
pub use server::{Launch, Server};
pub use wait::until;

use std::path::PathBuf;

/// The repository's root.
pub fn repository() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.ancestors()
        .nth(2)
        .expect("the test kit stands two folders below the root")
        .to_path_buf()
}
