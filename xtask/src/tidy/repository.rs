//! Owns the rules about what the repository holds at all: no markers for later, no machine's own paths, no download addresses, no
//! data that may not be passed on, no large binary files, a change log that is kept.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Finding, Source};

/// A committed file is at most this large: a repository is cloned by everybody.
const FILE_BYTES_MAX: u64 = 1_500_000;
/// Names that rating data sets use. A small file of such a name is a made-up test sample, a large one is the real thing.
const DATA_NAMES: [&str; 10] = [
    "ratings.dat",
    "movies.dat",
    "users.dat",
    "ratings.csv",
    "movies.csv",
    "u.data",
    "u.item",
    ".inter",
    "_order.txt",
    "_ids.tsv",
];
const DATA_BYTES_MAX: u64 = 20_000;

/// Rules that need no text: names and sizes, and files that must exist.
pub fn check(root: &Path, paths: &[String]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in paths {
        let full = root.join(path);
        if !full.is_file() {
            continue;
        }
        let bytes = fs::metadata(&full).with_context(|| format!("look at {path}"))?.len();
        if DATA_NAMES.iter().any(|name| path.ends_with(name)) && bytes > DATA_BYTES_MAX {
            let text = format!(
                "{bytes} bytes of a rating data set; the GroupLens sets may not be redistributed, fetch them by name"
            );
            findings.push(Finding::new(path, 0, text));
        } else if bytes > FILE_BYTES_MAX {
            findings.push(Finding::new(
                path,
                0,
                format!("{bytes} bytes; a committed file has at most {FILE_BYTES_MAX}"),
            ));
        }
    }
    let changes = fs::read_to_string(root.join("CHANGELOG.md")).unwrap_or_default();
    if !changes
        .lines()
        .any(|line| line.starts_with("## ") && line.contains("Unreleased"))
    {
        findings.push(Finding::new(
            "CHANGELOG.md",
            0,
            "no `## Unreleased` section for what the next version brings",
        ));
    }
    Ok(findings)
}

/// Rules for every text file.
pub fn check_text(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_lock = source.ends_with(&["package-lock.json", "Cargo.lock"]);
    let is_code = source.ends_with(&[
        ".rs", ".ts", ".tsx", ".js", ".mjs", ".css", ".sql", ".sh", ".toml", ".yml", ".html",
    ]);
    for (index, line) in source.text.lines().enumerate() {
        let mut find = |text: String| findings.push(Finding::new(&source.path, index + 1, text));
        if is_lock {
            if has_download_address(line) {
                find(
                    "a download address in a lock file; set `omit-lockfile-registry-resolved=true` in .npmrc"
                        .to_owned(),
                );
            }
            continue;
        }
        if is_code {
            let found = |marker: &String| contains_word(line, marker) && !needs_data_set(line, marker);
            for marker in markers().into_iter().filter(found) {
                find(format!("`{marker}`: finish it, or file an issue and say nothing here"));
            }
        }
        for path in machine_paths().into_iter().filter(|path| contains_path(line, path)) {
            find(format!("`{path}…` is a path of one machine"));
        }
        for host in registry_hosts().into_iter().filter(|host| line.contains(host.as_str())) {
            find(format!("`{host}`: name packages, not the hosts they come from"));
        }
    }
    findings
}

/// In pieces, so that this file does not find itself.
fn markers() -> [String; 6] {
    [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["XX", "X"],
        ["to", "do!"],
        ["unimplem", "ented!"],
        ["#[ign", "ore"],
    ]
    .map(|parts| parts.concat())
}

/// A test that is ignored for want of a real data set, which `cargo xtask test` runs where the data set is, or says so.
fn needs_data_set(line: &str, marker: &str) -> bool {
    let reason = line.trim_start().strip_prefix(marker);
    reason.is_some_and(|reason| reason.starts_with(" = \"needs the data set "))
}

fn machine_paths() -> [String; 4] {
    [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"]].map(|parts| parts.concat())
}

fn registry_hosts() -> [String; 4] {
    [
        ["registry.npm", "js"],
        ["static.crates", ".io"],
        ["files.python", "hosted"],
        ["deb.deb", "ian"],
    ]
    .map(|parts| parts.concat())
}

/// The path begins here, rather than going on inside `…/media/work/`.
fn contains_path(line: &str, path: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "_.}-~*".contains(c);
    line.match_indices(path)
        .any(|(at, _)| !line[..at].chars().next_back().is_some_and(goes_on))
}

fn contains_word(line: &str, word: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_letter);
        let after =
            word.ends_with(char::is_alphanumeric) && line[at + word.len()..].chars().next().is_some_and(is_letter);
        !before && !after
    })
}

/// npm writes `"resolved": "https://…"`; cargo's own source line names the index, not a place to download from.
fn has_download_address(line: &str) -> bool {
    line.contains("\"resolved\"") && line.contains("://") || line.contains("source = \"git+")
}
