//! Owns Pythons of our own: an environment per purpose, with its packages at one version each, made once and again for other versions.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cargo;
use crate::needs::{self, PIP, VENV};
use crate::process::Run;
use crate::progress::Stage;

/// The parsers of manifests that the tests ask.
const VALIDATORS: [(&str, &str); 2] = [("m3u8", "6.0.0"), ("mpegdash", "0.4.1")];

/// The Python that the test kit runs its validators with.
pub fn validators(root: &Path, stage: &Stage) -> Result<PathBuf> {
    environment(&cargo::target_folder(root).join("xtask/validators"), &VALIDATORS, stage)
}

/// A Python in `folder` that can import these packages, which are named as their modules are.
pub fn environment(folder: &Path, packages: &[(&str, &str)], stage: &Stage) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let imports = packages
        .iter()
        .map(|(name, version)| format!("import {name}; assert of('{name}') == '{version}'"));
    let imports: Vec<String> = std::iter::once("from importlib.metadata import version as of".to_owned())
        .chain(imports)
        .collect();
    let imports = imports.join("; ");
    let works = || Run::new(&python).args(["-c", &imports]).quiet().is_some();
    if works() {
        return Ok(python);
    }
    needs::ensure(stage, &[&PIP, &VENV])?;
    let wanted = packages.iter().map(|(name, version)| format!("{name}=={version}"));
    Run::new("python3").args(["-m", "venv"]).arg(folder).run(stage)?;
    let install = ["-m", "pip", "install", "--disable-pip-version-check"];
    Run::new(&python).args(install).args(wanted).run(stage)?;
    if !works() {
        bail!("{} fails at: {imports}", python.display());
    }
    Ok(python)
}
