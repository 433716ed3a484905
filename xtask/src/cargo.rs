//! Owns how xtask asks and runs cargo.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::Run;

/// The cargo that runs us, in the repository's root.
pub fn run(root: &Path) -> Run {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    Run::new(program).folder(root)
}

/// The packages of this workspace without their dependencies' own; needs no network.
pub fn workspace_packages(root: &Path) -> Result<Vec<Value>> {
    packages(
        &run(root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stdout()?,
    )
}

/// Every package that a build for this machine uses, ours included. Downloads what is not here yet.
pub fn all_packages(root: &Path) -> Result<Vec<Value>> {
    let host = host(root)?;
    packages(
        &run(root)
            .args([
                "metadata",
                "--locked",
                "--format-version",
                "1",
                "--filter-platform",
                &host,
            ])
            .stdout()?,
    )
}

fn packages(metadata: &str) -> Result<Vec<Value>> {
    let metadata: Value = serde_json::from_str(metadata).context("read the answer of `cargo metadata`")?;
    metadata["packages"]
        .as_array()
        .cloned()
        .context("`cargo metadata` lists no packages")
}

fn host(root: &Path) -> Result<String> {
    let version = run(root).args(["version", "--verbose"]).stdout()?;
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned)
        .context("`cargo version --verbose` names no host")
}

/// Where cargo builds to.
pub fn target_folder(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}
