//! Owns `cargo xtask test`: the steps that must pass, in order, the fast ones first.
//!
//! The page is built before the crates that embed it. The test runner comes last, so that its summary closes the output, with what
//! was not run for want of a data set.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::needs::{self, BUBBLEWRAP, CHROMIUM, COMPILER, CURL, FFMPEG, MPV, NGINX, POSTGRESQL, TURN, VARNISH};
use crate::node::Node;
use crate::process::Run;
use crate::progress::{Progress, Stage};
use crate::{cargo, licences, python, tidy};

#[derive(Args)]
pub struct Options {
    /// Go on after a failed step, and fail at the end
    #[arg(long)]
    keep_going: bool,
    /// Only this step (may be given several times)
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Only the tests whose name contains this, in the steps that run tests
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
}

/// One step of the suite; the order here is the order of running.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// install what the tests drive: ffmpeg, bubblewrap, PostgreSQL, chromium, mpv, nginx, Varnish, Node.js, validators, an S3 server, nextest
    Tools,
    /// rustfmt changes nothing
    Format,
    /// the house rules
    Tidy,
    /// licences and sources of every dependency
    Licences,
    /// the page's locked dependencies
    WebInstall,
    /// the page's lints and types
    WebLint,
    /// the page's unit tests
    WebTest,
    /// the page itself, which the binary embeds
    WebBuild,
    /// the compressed script of the home page is within its budget
    WebSize,
    /// every page in a real browser: accessibility, keyboard, sizes of window
    WebPages,
    /// clippy on every target, warnings are errors
    Clippy,
    /// examples in the documentation
    DocTests,
    /// compile everything that the last step runs
    Build,
    /// unit, store, door, integration and real-browser tests
    Tests,
    /// the tests on real data sets, of those data sets that are here; says which are not
    DataSets,
}

/// Data sets that tests need, by their folder, and what the names of those tests begin with.
const DATA_SETS: [(&str, &str); 3] = [
    ("ml-100k", "ml_100k_"),
    ("ml-1m", "ml_1m_"),
    ("movietweetings-100k", "movietweetings_"),
];

impl Step {
    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().replace('-', " "))
    }
}

pub fn run(root: &Path, options: &Options) -> Result<()> {
    let chosen = |step: &&Step| options.only.is_empty() || options.only.contains(step);
    let steps: Vec<Step> = Step::value_variants().iter().filter(chosen).copied().collect();
    let mut progress = Progress::new(steps.len(), &logs(root))?;
    let mut suite = Suite {
        root,
        filter: options.filter.as_deref(),
        summary: None,
        not_run: None,
    };
    let mut failed = Vec::new();
    for step in steps {
        if let Err(error) = progress.step(&step.name(), |stage| suite.step(step, stage)) {
            failed.push(step.name());
            if !options.keep_going {
                progress.print_durations();
                suite.print_summary();
                return Err(error);
            }
        }
    }
    progress.print_durations();
    suite.print_summary();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn logs(root: &Path) -> PathBuf {
    cargo::target_folder(root).join("xtask/test")
}

struct Suite<'a> {
    root: &'a Path,
    filter: Option<&'a str>,
    /// The closing line of the test runner.
    summary: Option<String>,
    /// Which data sets are missing, and so which tests have said nothing.
    not_run: Option<String>,
}

impl Suite<'_> {
    fn step(&mut self, step: Step, stage: &Stage) -> Result<()> {
        match step {
            Step::Tools => self.tools(stage),
            Step::Format => self.cargo(stage, &["fmt", "--all", "--check"]),
            Step::Tidy => self.tidy(stage),
            Step::Licences => licences::check(self.root, stage),
            Step::WebInstall => self.node(stage)?.install_dependencies(stage),
            Step::WebLint => self.npm(stage, "lint"),
            Step::WebTest => self.npm(stage, "test"),
            Step::WebBuild => self.node(stage)?.build(stage),
            Step::WebSize => self.npm(stage, "check:size"),
            Step::WebPages => self.npm(stage, "check:pages"),
            Step::Clippy => self.cargo(
                stage,
                &[
                    "clippy",
                    "--keep-going",
                    "--workspace",
                    "--all-targets",
                    "--locked",
                    "--",
                    "-D",
                    "warnings",
                ],
            ),
            Step::DocTests => self.cargo(stage, &["test", "--doc", "--workspace", "--locked"]),
            Step::Build => self.build(stage),
            Step::Tests => self.tests(stage),
            Step::DataSets => self.data_sets(stage),
        }
    }

    fn tools(&self, stage: &Stage) -> Result<()> {
        let tools = [
            &COMPILER,
            &FFMPEG,
            &BUBBLEWRAP,
            &POSTGRESQL,
            &CHROMIUM,
            &MPV,
            &NGINX,
            &VARNISH,
            &TURN,
            &CURL,
        ];
        needs::ensure(stage, &tools)?;
        self.node(stage)?;
        python::validators(self.root, stage)?;
        python::s3_server(self.root, stage)?;
        if !has_nextest(self.root) {
            stage.line("installing the test runner; this takes some minutes, once");
            // A runner that does not compile with this toolchain is no failure: `cargo test` runs the same tests.
            if cargo::run(self.root)
                .args(["install", "--locked", "cargo-nextest"])
                .run(stage)
                .is_err()
            {
                stage.note("without nextest, with `cargo test`");
            }
        }
        Ok(())
    }

    fn tidy(&self, stage: &Stage) -> Result<()> {
        let (findings, files) = tidy::check(self.root)?;
        for finding in &findings {
            stage.line(&finding.to_string());
        }
        if !findings.is_empty() {
            bail!("{} findings; `cargo xtask tidy` prints them", findings.len());
        }
        stage.note(format!("{files} files"));
        Ok(())
    }

    fn build(&self, stage: &Stage) -> Result<()> {
        if has_nextest(self.root) {
            return self.cargo(stage, &["nextest", "run", "--workspace", "--locked", "--no-run"]);
        }
        self.cargo(stage, &["test", "--workspace", "--locked", "--no-run"])
    }

    fn tests(&mut self, stage: &Stage) -> Result<()> {
        let mut summary = Vec::new();
        let run = self.test_runner(stage)?.args(self.filter);
        let outcome = run.run_with(stage, |line| {
            if is_summary(line) {
                summary.push(line.trim_end().to_owned());
            }
        });
        self.summary = if has_nextest(self.root) {
            summary.pop()
        } else {
            counted(&summary)
        };
        outcome.with_context(|| self.summary.clone().unwrap_or_else(|| "no test was run".to_owned()))?;
        let summary = self
            .summary
            .as_deref()
            .context("the test runner ended without a summary")?;
        stage.note(summary.trim());
        Ok(())
    }

    fn test_runner(&self, stage: &Stage) -> Result<Run> {
        let run = cargo::run(self.root);
        let run = if has_nextest(self.root) {
            run.args(["nextest", "run"])
        } else {
            run.args(["test", "--lib", "--bins", "--tests"])
        };
        let run = run.args(["--workspace", "--locked", "--no-fail-fast"]);
        // The browser tests use the Node.js that the page was built with.
        Ok(run.variables(self.node(stage)?.variables()))
    }

    /// Such tests are ignored in the step before: a test that cannot do its work must not count as passed.
    fn data_sets(&mut self, stage: &Stage) -> Result<()> {
        let folder = needs::data_sets(self.root);
        let is_here = |(name, _): &(&str, &str)| folder.join(name).is_dir();
        let (here, missing): (Vec<_>, Vec<_>) = DATA_SETS.into_iter().partition(is_here);
        self.not_run = not_run(&missing, &folder);
        for (_, prefix) in &here {
            self.ignored_tests(prefix, stage)?;
        }
        let names: Vec<&str> = here.iter().map(|(name, _)| *name).collect();
        let ran = (!names.is_empty()).then(|| names.join(", "));
        let notes: Vec<String> = ran.into_iter().chain(self.not_run.clone()).collect();
        stage.note(notes.join("; "));
        Ok(())
    }

    fn ignored_tests(&self, prefix: &str, stage: &Stage) -> Result<()> {
        let run = self.test_runner(stage)?;
        if !has_nextest(self.root) {
            return run.args(["--", "--ignored", prefix]).run(stage);
        }
        let chosen = format!("test({prefix})");
        let run = run.args(["--run-ignored", "only", "--no-tests", "pass", "-E", &chosen]);
        run.args(self.filter).run(stage)
    }

    fn node(&self, stage: &Stage) -> Result<Node> {
        Node::ensure(self.root, stage)
    }

    fn npm(&self, stage: &Stage, script: &str) -> Result<()> {
        self.node(stage)?
            .run("npm")
            .args(["run", script])
            .variable("CI", "true")
            .run(stage)
    }

    fn cargo(&self, stage: &Stage, arguments: &[&str]) -> Result<()> {
        cargo::run(self.root).args(arguments.iter().copied()).run(stage)
    }

    fn print_summary(&self) {
        if let Some(summary) = &self.summary {
            println!("\n{summary}");
        }
        if let Some(not_run) = &self.not_run {
            println!("{not_run}");
        }
    }
}

/// What to say of the data sets that are missing.
fn not_run(missing: &[(&str, &str)], folder: &Path) -> Option<String> {
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| {
        format!(
            "not run: the tests on {}; no such folder in {} (or set KINORA_DATASETS)",
            names.join(", "),
            folder.display()
        )
    })
}

fn has_nextest(root: &Path) -> bool {
    cargo::run(root).args(["nextest", "--version"]).quiet().is_some()
}

/// nextest: `Summary [ 12.3s] 210 tests run: 210 passed, 0 skipped`; cargo: `test result: ok. 12 passed; …`, once per binary.
fn is_summary(line: &str) -> bool {
    let line = line.trim_start();
    (line.starts_with("Summary [") && line.contains(" run:")) || line.starts_with("test result:")
}

/// One line for all of `cargo test`'s.
fn counted(lines: &[String]) -> Option<String> {
    let count = |line: &String, what: &str| -> usize {
        let before = line.split(what).next().unwrap_or_default();
        before
            .split_whitespace()
            .next_back()
            .and_then(|word| word.parse().ok())
            .unwrap_or(0)
    };
    let passed: usize = lines.iter().map(|line| count(line, " passed")).sum();
    let failed: usize = lines.iter().map(|line| count(line, " failed")).sum();
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    (!lines.is_empty()).then(|| {
        format!("test result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_data_sets_are_named() {
        let folder = Path::new("data");
        assert_eq!(not_run(&[], folder), None);
        let said = not_run(&DATA_SETS, folder).unwrap();
        assert_eq!(
            said,
            "not run: the tests on ml-100k, ml-1m, movietweetings-100k; no such folder in data (or set KINORA_DATASETS)"
        );
    }

    #[test]
    fn closing_lines_are_known_and_added_up() {
        assert!(is_summary(
            "     Summary [   0.114s] 10 tests run: 10 passed, 0 skipped"
        ));
        assert!(is_summary(
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s"
        ));
        assert!(!is_summary("        PASS [   0.006s] xtask tests::a"));
        let lines = [
            "test result: ok. 3 passed; 0 failed; 0 ignored".to_owned(),
            "test result: FAILED. 2 passed; 1 failed".to_owned(),
        ];
        assert_eq!(
            counted(&lines).unwrap(),
            "test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out"
        );
        assert_eq!(counted(&[]), None);
    }
}
