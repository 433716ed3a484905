//! Owns the house rules that a machine can check (`cargo xtask tidy`): what counts as a finding, and printing them.
//!
//! One file per kind of rule: `rust` and `script` read source text, `functions` finds function bodies, `workspace` asks cargo
//! which crate depends on which, `repository` looks at what is committed at all.

mod functions;
mod mask;
mod repository;
mod rust;
mod script;
mod workspace;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::Run;

/// The budgets of the style guide.
pub const FILE_LINES_MAX: usize = 500;
pub const FUNCTION_LINES_MAX: usize = 70;
pub const CONTRACT_LINES_MAX: usize = 3_000;

/// One broken rule. `line` 0 means the whole file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub text: String,
}

impl Finding {
    fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            text: text.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.path, self.text),
            line => write!(out, "{}:{line}: {}", self.path, self.text),
        }
    }
}

/// A file of the repository that is text.
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn ends_with(&self, ends: &[&str]) -> bool {
        ends.iter().any(|end| self.path.ends_with(end))
    }
}

/// Checks the repository and prints what it finds.
pub fn run(root: &Path) -> Result<()> {
    let started = Instant::now();
    let (findings, files) = check(root)?;
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings in {files} files", findings.len());
    }
    println!(
        "tidy: {files} files, no findings ({:.1}s)",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// All findings, sorted, and how many files were read.
pub fn check(root: &Path) -> Result<(Vec<Finding>, usize)> {
    let paths = tracked(root)?;
    let mut findings = repository::check(root, &paths)?;
    let sources = read(root, &paths)?;
    for source in &sources {
        if source.ends_with(&[".rs"]) {
            findings.extend(rust::check(source));
        } else if source.ends_with(&[".ts", ".tsx"]) {
            findings.extend(script::check(source));
        }
        findings.extend(repository::check_text(source));
    }
    findings.extend(workspace::check(root, &sources)?);
    findings.sort();
    Ok((findings, sources.len()))
}

/// What git holds or would hold: tracked files and new ones that no ignore rule hides.
fn tracked(root: &Path) -> Result<Vec<String>> {
    let list = Run::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .folder(root)
        .stdout()?;
    let mut paths: Vec<String> = list
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

fn read(root: &Path, paths: &[String]) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in paths {
        let full = root.join(path);
        if !full.is_file() {
            continue; // removed from the work tree, not yet from the index
        }
        let bytes = fs::read(&full).with_context(|| format!("read {path}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source {
                path: path.clone(),
                text,
            });
        }
    }
    Ok(sources)
}

/// Findings for a file or a function that is over its budget.
fn over_budget(source: &Source, functions: &[functions::Function]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        findings.push(Finding::new(
            &source.path,
            0,
            format!("{lines} lines; a source file has at most {FILE_LINES_MAX}"),
        ));
    }
    for function in functions {
        if function.lines > FUNCTION_LINES_MAX {
            let text = format!(
                "`{}` has {} lines; a function has at most {FUNCTION_LINES_MAX}",
                function.name, function.lines
            );
            findings.push(Finding::new(&source.path, function.line, text));
        }
    }
    findings
}
