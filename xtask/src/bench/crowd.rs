//! Owns the load on the home page: many real viewers, each with its own token.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::library::Library;
use crate::process::Run;
use crate::progress::Stage;

/// The viewers of a library in front of a server.
pub struct Crowd<'a> {
    url: &'a str,
    script: &'a Path,
    tokens: PathBuf,
    core: Option<usize>,
}

/// What the load generator saw.
pub struct Load {
    pub requests: f64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl<'a> Crowd<'a> {
    /// Everybody logs in: their tokens are good for ten minutes.
    pub fn of(library: &Library, url: &'a str, script: &'a Path) -> Result<Self> {
        let tokens = library.tokens(url)?;
        let core = None;
        Ok(Self {
            url,
            script,
            tokens,
            core,
        })
    }

    /// The same, asking from one core of the machine alone.
    pub fn on_core(self, core: usize) -> Self {
        Self {
            core: Some(core),
            ..self
        }
    }

    /// Home pages of random viewers for so long (`20s`); fails where one is not answered.
    pub fn ask(&self, connections: usize, time: &str, seed: usize, stage: &Stage) -> Result<Load> {
        let threads = connections.min(2);
        let run = Run::new("wrk").args([format!("-t{threads}"), format!("-c{connections}"), format!("-d{time}")]);
        let run = run.arg("-s").arg(self.script).arg(self.url).arg("--");
        let run = run.arg(&self.tokens).arg(seed.to_string());
        let said = match self.core {
            Some(core) => run.on_core(core),
            None => run,
        }
        .output(stage)?;
        let line = said.lines().rev().find(|line| line.starts_with('{'));
        let figures: Value = serde_json::from_str(line.context("the load generator gave no figures")?)
            .context("read the load generator's figures")?;
        let number = |key: &str| {
            figures[key]
                .as_f64()
                .with_context(|| format!("no `{key}` in {figures}"))
        };
        if number("refused")? + number("errors")? > 0.0 {
            bail!("not every request was answered: {figures}");
        }
        Ok(Load {
            requests: number("requests")?,
            per_second: number("requests")? / (number("duration_us")? / 1e6),
            p50_ms: number("p50_us")? / 1_000.0,
            p99_ms: number("p99_us")? / 1_000.0,
        })
    }
}
