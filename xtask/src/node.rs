//! Owns Node.js for the web page's build and tests: a version that is new enough, `npm ci` only when it is due.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::needs;
use crate::process::Run;
use crate::progress::Stage;
use crate::stamp::{self, Stamp};
use crate::{cargo, needs::NPM};

/// What vite 8 asks for.
const VERSION_MIN: (u32, u32) = (20, 19);
/// What we fetch where the system's is older; the npm package carries the program.
const OWN_VERSION: &str = "node@22";
const OWN_NPM: &str = "npm@11";

/// A Node.js that is new enough.
pub struct Node {
    root: PathBuf,
    /// The folder of our own copy, where the system's is too old.
    own: Option<PathBuf>,
}

impl Node {
    /// Finds Node.js, installs it by name where it is missing, and takes a newer one from npm where Debian's is too old.
    pub fn ensure(root: &Path, stage: &Stage) -> Result<Self> {
        let own = cargo::target_folder(root).join("tools/node");
        let bin = own.join("node_modules/.bin");
        if !version("node".into()).is_some_and(recent) || !needs::on_path("npm") {
            if !version(bin.join("node").into()).is_some_and(recent) {
                install_own(stage, &own)?;
            }
            return match version(bin.join("node").into()).filter(|found| recent(*found)) {
                Some(_) => Ok(Self {
                    root: root.to_path_buf(),
                    own: Some(bin),
                }),
                None => bail!(
                    "needs Node.js {}.{} or newer; please install it and run this again",
                    VERSION_MIN.0,
                    VERSION_MIN.1
                ),
            };
        }
        Ok(Self {
            root: root.to_path_buf(),
            own: None,
        })
    }

    /// A program of Node.js' own, such as `npm`, in the folder of the web page.
    pub fn run(&self, program: &str) -> Run {
        Run::new(program)
            .folder(&self.root.join("web"))
            .variables(self.variables())
    }

    /// What another program needs in its environment to find this Node.js.
    pub fn variables(&self) -> Option<(String, OsString)> {
        self.own.as_ref().map(|bin| ("PATH".to_owned(), path_with(bin)))
    }

    /// Installs the locked dependencies, where they are not installed as locked.
    pub fn install_dependencies(&self, stage: &Stage) -> Result<()> {
        let web = self.root.join("web");
        let inputs = stamp::digest_of_files(&[web.join("package-lock.json"), web.join("package.json")])?;
        let stamp = Stamp::new(&web.join("node_modules/.installed"));
        if stamp.holds(inputs) {
            stage.note("as locked");
            return Ok(());
        }
        self.run("npm").args(["ci", "--no-audit", "--no-fund"]).run(stage)?;
        stamp.set(inputs)
    }

    /// Builds the page into `web/dist`, where anything that it is made of changed.
    pub fn build(&self, stage: &Stage) -> Result<()> {
        let web = self.root.join("web");
        let inputs = stamp::digest_of_folder(&web, &["node_modules", "dist", "coverage", "test-results"])?;
        let stamp = Stamp::new(&web.join("node_modules/.built"));
        if stamp.holds(inputs) && web.join("dist/index.html").is_file() {
            stage.note("unchanged");
            return Ok(());
        }
        self.run("npm").args(["run", "build"]).run(stage)?;
        stamp.set(inputs)
    }
}

fn install_own(stage: &Stage, folder: &Path) -> Result<()> {
    if !needs::on_path("npm") {
        needs::ensure(stage, &[&NPM])?;
        if version("node".into()).is_some_and(recent) {
            return Ok(());
        }
    }
    stage.line("the system's Node.js is too old for the page's build; fetching a newer one beside it");
    std::fs::create_dir_all(folder)?;
    let prefix = ["install", "--no-audit", "--no-fund", "--prefix"];
    Run::new("npm")
        .args(prefix)
        .arg(folder)
        .args([OWN_VERSION, OWN_NPM])
        .run(stage)
}

fn path_with(first: &Path) -> OsString {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(first.to_path_buf()).chain(std::env::split_paths(&rest));
    std::env::join_paths(folders).unwrap_or(rest.clone())
}

fn version(program: OsString) -> Option<(u32, u32)> {
    parse_version(&Run::new(program).arg("--version").quiet()?)
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn recent(found: (u32, u32)) -> bool {
    found >= VERSION_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(parse_version("v20.20.2\n"), Some((20, 20)));
        assert!(recent(parse_version("v20.20.2").unwrap()));
        assert!(recent(parse_version("v100.0.0").unwrap()));
        assert!(!recent(parse_version("v18.19.0").unwrap()));
        assert_eq!(parse_version("unknown"), None);
    }
}
