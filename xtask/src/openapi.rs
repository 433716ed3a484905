//! Owns `cargo xtask openapi`: the committed description of the HTTP interface, and the page's types made from it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;

use crate::cargo;
use crate::node::Node;
use crate::progress::{Progress, Stage};

/// The snapshot; a test of the gateway's guards it and writes it when asked, the page's client is generated from it.
const SNAPSHOT: &str = "crates/gateway/openapi.json";
const UPDATE: &str = "KINORA_UPDATE_SNAPSHOTS";

#[derive(Args)]
pub struct Options {
    /// Change nothing; fail where the snapshot is not what the routes say
    #[arg(long)]
    check: bool,
}

pub fn run(root: &Path, options: &Options) -> Result<()> {
    let mut progress = Progress::new(2, &cargo::target_folder(root).join("xtask/openapi"))?;
    progress.step("OpenAPI document", |stage| snapshot(root, options, stage))?;
    progress.step("client types", |stage| {
        if options.check {
            stage.note("nothing to do");
            return Ok(());
        }
        let node = Node::ensure(root, stage)?;
        node.install_dependencies(stage)?;
        node.run("npm").args(["run", "generate"]).run(stage)
    })
}

fn snapshot(root: &Path, options: &Options, stage: &Stage) -> Result<()> {
    let path = root.join(SNAPSHOT);
    let before = fs::read_to_string(&path).unwrap_or_default();
    let test = cargo::run(root).args(["test", "--locked", "-p", "gateway", "--lib", "snapshot"]);
    let test = if options.check {
        test
    } else {
        test.variable(UPDATE, "1")
    };
    test.run(stage)?;
    let after = fs::read_to_string(&path).with_context(|| format!("read {SNAPSHOT}"))?;
    stage.note(if before == after {
        "unchanged"
    } else {
        "written anew: look at the difference"
    });
    Ok(())
}
