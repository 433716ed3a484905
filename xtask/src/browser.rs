//! Owns looking at a running Kinora in a real browser: a script is run by the same driver as in the tests.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::node::Node;
use crate::progress::Stage;

/// A script of the repository, the service that it looks at, and where it puts its pictures.
pub struct Look<'a> {
    pub root: &'a Path,
    /// From the repository's root.
    pub script: &'a str,
    pub url: &'a str,
    pub input: Value,
    pub pictures: PathBuf,
}

impl Look<'_> {
    /// What the script gives back.
    pub fn run(&self, node: &Node, stage: &Stage) -> Result<Value> {
        let order = json!({
            "script": self.root.join(self.script),
            "modules": self.root.join("web/package.json"),
            "pictures": self.pictures,
            "url": self.url, "width": 1280, "height": 800,
            "input": self.input,
        });
        let driver = self.root.join("crates/testkit/browser/driver.mjs");
        let said = node.run("node").arg(driver).input(order.to_string()).output(stage)?;
        let line = said.lines().rev().find(|line| line.starts_with("{\"value\""));
        let answer: Value = serde_json::from_str(line.context("the browser gave no answer")?)?;
        Ok(answer["value"].clone())
    }
}
