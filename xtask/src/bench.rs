//! Owns `cargo xtask bench`.
use anyhow::Result;
use clap::Args;
use std::path::Path;
#[derive(Args)]
pub struct Options {}
pub fn run(_: &Path, _: &Options) -> Result<()> {
    Ok(())
}
