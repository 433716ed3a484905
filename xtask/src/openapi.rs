//! Owns `cargo xtask openapi`: the committed description of the HTTP interface, and the page's types made from it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::cargo;
use crate::node::Node;
use crate::progress::{Progress, Stage};

/// Where the snapshot stands; a test of the gateway's guards it, the page's client is generated from it.
const SNAPSHOT: &str = "crates/gateway/openapi.json";

#[derive(Args)]
pub struct Options {
    /// Change nothing; fail where the snapshot is not what the routes say
    #[arg(long)]
    check: bool,
}

pub fn run(root: &Path, options: &Options) -> Result<()> {
    let mut progress = Progress::new(2, &cargo::target_folder(root).join("xtask/openapi"))?;
    let changed = progress.step("OpenAPI document", |stage| snapshot(root, options, stage))?;
    progress.step("client types", |stage| {
        if options.check || !changed {
            stage.note("nothing to do");
            return Ok(());
        }
        let node = Node::ensure(root, stage)?;
        node.install_dependencies(stage)?;
        node.run("npm").args(["run", "generate"]).run(stage)
    })
}

/// Whether the snapshot was not what the routes say.
fn snapshot(root: &Path, options: &Options, stage: &Stage) -> Result<bool> {
    cargo::run(root)
        .args(["build", "--locked", "-p", "kinora"])
        .run(stage)?;
    let binary = cargo::target_folder(root).join("debug/kinora");
    let text = crate::process::Run::new(binary).arg("openapi").stdout()?;
    let document: Value = serde_json::from_str(&text).context("read what `kinora openapi` prints")?;
    let text = serde_json::to_string_pretty(&document)? + "\n";
    let path = root.join(SNAPSHOT);
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        stage.note("unchanged");
        return Ok(false);
    }
    if options.check {
        bail!("{SNAPSHOT} is not what the routes say; run `cargo xtask openapi` and commit it");
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, text).with_context(|| format!("write {SNAPSHOT}"))?;
    stage.note(format!("wrote {SNAPSHOT}"));
    Ok(true)
}
