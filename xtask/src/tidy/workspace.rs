//! Owns the rules about crates: who may depend on whom, dependencies that nobody uses, and the size of the contract.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::functions::words;
use super::mask::Masked;
use super::{CONTRACT_LINES_MAX, Finding, Source};
use crate::cargo;

const ROOMS: [&str; 7] = [
    "accounts",
    "catalog",
    "activity",
    "recommend",
    "streaming",
    "notify",
    "insights",
];

/// Which crates of ours a crate may depend on: the table of the architecture document.
pub fn allowed(from: &str) -> Option<Vec<&'static str>> {
    let mut edges = match from {
        "contract" | "reco" | "xtask" => vec![],
        "platform" => vec!["contract"],
        "recommend" => vec!["contract", "platform", "reco"],
        room if ROOMS.contains(&room) => vec!["contract", "platform"],
        "gateway" => vec!["contract", "platform"],
        "testkit" => vec!["kinora", "contract", "platform"],
        "kinora" => vec!["contract", "platform", "reco", "gateway", "testkit"],
        _ => return None,
    };
    if from == "kinora" {
        edges.extend(ROOMS);
    }
    Some(edges)
}

/// Rooms whose doors a crate is given, and which its tests may therefore open for real: there are no fakes of rooms.
fn held_doors(from: &str) -> &'static [&'static str] {
    match from {
        "streaming" => &["catalog"],
        "recommend" => &["catalog", "activity"],
        "notify" => &["accounts"],
        "gateway" => &ROOMS,
        _ => &[],
    }
}

pub fn check(root: &Path, sources: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = contract_size(sources);
    for package in cargo::workspace_packages(root)? {
        let name = text(&package, "name")?;
        let manifest = relative(root, text(&package, "manifest_path")?);
        let folder = manifest.trim_end_matches("Cargo.toml").to_owned();
        let Some(allowed) = allowed(name) else {
            findings.push(Finding::new(
                &manifest,
                0,
                format!("`{name}` stands in no row of the table of allowed edges"),
            ));
            continue;
        };
        let used = identifiers(sources, &folder);
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = text(dependency, "name")?;
            let development = dependency["kind"] == "dev";
            if !dependency["path"].is_null() {
                findings.extend(edge(&manifest, name, target, development, &allowed));
            }
            let known_as = dependency["rename"]
                .as_str()
                .map_or_else(|| library_name(target), |rename| rename.replace('-', "_"));
            if !used.contains(&known_as) && !linked_only(&package, target) {
                let text = format!("`{target}` is a dependency that nothing in the crate names");
                findings.push(Finding::new(&manifest, 0, text));
            }
        }
    }
    Ok(findings)
}

/// The room that takes films is tested with the clips of the test kit, so that one place knows how films are made.
const FED_WITH_CLIPS: &str = "streaming";

/// Checks one edge between two crates of ours.
pub fn edge(manifest: &str, from: &str, to: &str, development: bool, allowed: &[&str]) -> Option<Finding> {
    // The test kit is for tests alone, and for the binary's: the tests of a room do not start the whole house.
    let in_code = allowed.contains(&to) && to != "testkit";
    let clips = from == FED_WITH_CLIPS && to == "testkit";
    let in_tests = development && (allowed.contains(&to) || held_doors(from).contains(&to) || clips);
    let forbidden = !in_code && !in_tests;
    forbidden.then(|| {
        Finding::new(
            manifest,
            0,
            format!("`{from}` may not depend on `{to}`; see the table in ARCHITECTURE.md"),
        )
    })
}

fn contract_size(sources: &[Source]) -> Vec<Finding> {
    let own = sources
        .iter()
        .filter(|source| source.path.starts_with("crates/contract/src/") && source.ends_with(&[".rs"]));
    let lines: usize = own.map(|source| source.text.lines().count()).sum();
    let text = format!("{lines} lines; the contract has at most {CONTRACT_LINES_MAX}");
    (lines > CONTRACT_LINES_MAX)
        .then(|| Finding::new("crates/contract", 0, text))
        .into_iter()
        .collect()
}

/// Every word in the crate's Rust code.
fn identifiers(sources: &[Source], folder: &str) -> std::collections::HashSet<String> {
    let own = sources
        .iter()
        .filter(|source| source.path.starts_with(folder) && source.ends_with(&[".rs"]));
    own.flat_map(|source| {
        let code = Masked::rust(&source.text).code;
        words(&code)
            .map(|(_, word)| String::from_utf8_lossy(word).into_owned())
            .collect::<Vec<_>>()
    })
    .collect()
}

/// The name of the library, where it is not the package's.
fn library_name(package: &str) -> String {
    if package == "kinora" {
        "app".to_owned()
    } else {
        package.replace('-', "_")
    }
}

/// `[package.metadata.tidy] linked-only = ["name"]`: there for its features or its link, named nowhere.
fn linked_only(package: &Value, dependency: &str) -> bool {
    let names = package["metadata"]["tidy"]["linked-only"].as_array();
    names.is_some_and(|names| names.iter().any(|name| name == dependency))
}

fn relative(root: &Path, path: &str) -> String {
    let path = Path::new(path);
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("`cargo metadata` gives no `{key}`"))
}
