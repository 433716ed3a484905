//! Owns docs/benchmarks.md: one row per figure, with what was wanted, what was measured, on which commit and under which load.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::Run;

const HEAD: &str = "# Benchmarks

Made by `cargo xtask bench`; rows that were not measured again keep their commit. Everything runs on one machine: server, load and
browser share its cores. A figure that falls short stays here until it no longer does.
";
const COLUMNS: &str = "| what | at least | measured | met | commit | load before |\n|---|---|---|---|---|---|\n";

/// One measured figure.
pub struct Figure {
    pub what: String,
    pub target: String,
    pub measured: String,
    pub met: bool,
}

impl Figure {
    /// A figure that must not be above its target.
    pub fn at_most(what: &str, measured: f64, target: f64, unit: &str) -> Self {
        Self::new(what, measured, target, unit, measured <= target)
    }

    /// A figure that must not be below its target.
    pub fn at_least(what: &str, measured: f64, target: f64, unit: &str) -> Self {
        Self::new(what, measured, target, unit, measured >= target)
    }

    /// A figure that could not be measured, and why.
    pub fn not_run(what: &str, target: &str, why: &str) -> Self {
        Self {
            what: what.to_owned(),
            target: target.to_owned(),
            measured: format!("not run: {why}"),
            met: false,
        }
    }

    /// With a remark beside what was measured: what others took, what it was made of.
    pub fn noted(mut self, note: &str) -> Self {
        self.measured = format!("{} ({note})", self.measured);
        self
    }

    /// Met only where this holds as well: a speed that was bought with worse answers is none.
    pub fn only_if(mut self, holds: bool) -> Self {
        self.met &= holds;
        self
    }

    /// With what was wanted said in other words.
    pub fn wanting(mut self, words: &str) -> Self {
        self.target = words.to_owned();
        self
    }

    fn new(what: &str, measured: f64, target: f64, unit: &str, met: bool) -> Self {
        let shown = |value: f64| format!("{} {unit}", number(value)).trim_end().to_owned();
        Self {
            what: what.to_owned(),
            target: shown(target),
            measured: shown(measured),
            met,
        }
    }

    fn row(&self, machine: &Machine) -> String {
        let met = if self.met { "yes" } else { "**no**" };
        format!(
            "| {} | {} | {} | {met} | {} | {} |",
            self.what, self.target, self.measured, machine.commit, machine.load
        )
    }
}

/// Four digits that matter, thousands apart.
pub fn number(value: f64) -> String {
    if value >= 10_000.0 {
        let whole = format!("{value:.0}").into_bytes();
        let groups: Vec<String> = whole
            .rchunks(3)
            .rev()
            .map(|group| String::from_utf8_lossy(group).into())
            .collect();
        return groups.join(",");
    }
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// Where and when it was measured.
pub struct Machine {
    pub description: String,
    pub commit: String,
    pub load: String,
}

impl Machine {
    pub fn here(root: &Path) -> Result<Self> {
        let field = |file: &str, key: &str| -> String {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
            line.split_once(':')
                .map_or_else(String::new, |(_, value)| value.trim().to_owned())
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let kibibytes: u64 = field("/proc/meminfo", "MemTotal")
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or(0);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let date = Run::new("date").arg("+%F").quiet().unwrap_or_default();
        let description = format!(
            "Last run: {}, {}, {cores} cores, {} GiB, Linux {}.",
            date.trim(),
            field("/proc/cpuinfo", "model name"),
            kibibytes.div_ceil(1024 * 1024),
            kernel.trim(),
        );
        let git = |words: &[&str]| Run::new("git").args(words.iter().copied()).folder(root).stdout();
        let changed = if git(&["status", "--porcelain"])?.trim().is_empty() {
            ""
        } else {
            " and changes"
        };
        let commit = format!("{}{changed}", git(&["rev-parse", "--short", "HEAD"])?.trim());
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
        Ok(Self {
            description,
            commit,
            load,
        })
    }
}

/// The document with these figures, and the rows of earlier runs for the others.
pub fn merged(root: &Path, figures: &[Figure], machine: &Machine) -> Result<String> {
    let old = fs::read_to_string(path(root)).unwrap_or_default();
    Ok(document(&old, figures, machine))
}

fn document(old: &str, figures: &[Figure], machine: &Machine) -> String {
    let old_rows: Vec<&str> = old
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| what "))
        .collect();
    let name = |row: &str| row.split('|').nth(1).unwrap_or_default().trim().to_owned();
    let mut rows: Vec<String> = Vec::new();
    for row in &old_rows {
        let measured = figures.iter().find(|figure| figure.what == name(row));
        rows.push(measured.map_or_else(|| (*row).to_owned(), |figure| figure.row(machine)));
    }
    let is_new = |figure: &&Figure| !old_rows.iter().any(|row| name(row) == figure.what);
    rows.extend(figures.iter().filter(is_new).map(|figure| figure.row(machine)));
    format!("{HEAD}\n{}\n\n{COLUMNS}{}\n", machine.description, rows.join("\n"))
}

pub fn write(root: &Path, text: &str) -> Result<()> {
    let path = path(root);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))
}

fn path(root: &Path) -> PathBuf {
    root.join("docs/benchmarks.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(commit: &str) -> Machine {
        Machine {
            description: "A machine.".to_owned(),
            commit: commit.to_owned(),
            load: "0.10".to_owned(),
        }
    }

    #[test]
    fn rows_are_replaced_added_and_kept() {
        let first = document(
            "",
            &[
                Figure::at_most("start", 612.0, 500.0, "ms"),
                Figure::at_least("home", 1_900.0, 1_000.0, "req/s"),
            ],
            &machine("aaa"),
        );
        assert!(
            first.contains("| start | 500 ms | 612 ms | **no** | aaa | 0.10 |"),
            "{first}"
        );
        let second = document(
            &first,
            &[
                Figure::at_most("start", 402.0, 500.0, "ms"),
                Figure::at_most("memory", 121.0, 150.0, "MB"),
            ],
            &machine("bbb"),
        );
        let rows: Vec<&str> = second
            .lines()
            .filter(|line| line.contains("aaa") || line.contains("bbb"))
            .collect();
        assert_eq!(
            rows,
            [
                "| start | 500 ms | 402 ms | yes | bbb | 0.10 |",
                "| home | 1000 req/s | 1900 req/s | yes | aaa | 0.10 |",
                "| memory | 150 MB | 121 MB | yes | bbb | 0.10 |",
            ]
        );
    }

    #[test]
    fn numbers_show_what_matters() {
        let shown: Vec<String> = [0.1613, 1.234, 12.34, 123.4, 123_456.0, 107_732_361.0]
            .map(number)
            .into();
        assert_eq!(shown, ["0.1613", "1.23", "12.3", "123", "123,456", "107,732,361"]);
    }
}
