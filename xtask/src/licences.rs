//! Owns the check of what we build upon: licences that allow it, sources that are package registries, packages we decided against.
//!
//! Our own instead of cargo-deny: that takes minutes to compile on a fresh machine and knows nothing of npm, while the whole
//! check is an expression of names against a list, from `cargo metadata` and `package-lock.json`, for both worlds alike.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cargo;
use crate::progress::Stage;

/// Permissive, or weak copyleft per file without obligations for what is linked to it.
const ALLOWED: [&str; 19] = [
    "0BSD",
    "Apache-2.0",
    "BlueOak-1.0.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "LLVM-exception",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OFL-1.1",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// Packages that tell their licence in their own Readme and not where the lock file looks, at the version that was read.
const READ: [(&str, &str, &str); 1] = [("node_modules/combine-errors", "3.0.3", "MIT")];

/// Packages that must not come back, with the reason.
const BANNED: [(&str, &str); 8] = [
    ("openssl-sys", "TLS is rustls: nothing of the system's"),
    ("native-tls", "TLS is rustls: nothing of the system's"),
    ("aws-lc-sys", "rustls' provider is ring: no cmake in the build"),
    ("figment", "unmaintained; use config"),
    ("fred", "unmaintained; use redis"),
    ("failsafe", "unmaintained"),
    ("sea-orm", "an object mapper that we do not need"),
    ("tonic", "a second interface language"),
];

/// Checks the crates and the page's packages, and says how many.
pub fn check(root: &Path, stage: &Stage) -> Result<()> {
    let packages = cargo::all_packages(root)?;
    let mut findings: Vec<String> = packages.iter().filter_map(crate_finding).collect();
    let lock = root.join("web/package-lock.json");
    let mut modules = 0;
    if lock.is_file() {
        let lock = fs::read_to_string(&lock).context("read web/package-lock.json")?;
        let lock: Value = serde_json::from_str(&lock).context("read web/package-lock.json")?;
        let listed = lock["packages"]
            .as_object()
            .context("web/package-lock.json lists no packages")?;
        for (path, module) in listed {
            modules += 1;
            findings.extend(module_finding(path, module));
        }
    }
    for finding in &findings {
        stage.line(finding);
    }
    if !findings.is_empty() {
        bail!("{} packages may not be used as they are", findings.len());
    }
    stage.note(format!("{} crates, {modules} npm packages", packages.len()));
    Ok(())
}

fn crate_finding(package: &Value) -> Option<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let version = package["version"].as_str().unwrap_or_default();
    if let Some((_, reason)) = BANNED.iter().find(|(banned, _)| *banned == name) {
        return Some(format!(
            "{name} {version}: {reason} (`cargo tree -i {name}` says who wants it)"
        ));
    }
    let from_registry = package["source"]
        .as_str()
        .is_none_or(|source| source.starts_with("registry+"));
    if !from_registry {
        return Some(format!(
            "{name} {version}: comes from {}, not from the registry",
            package["source"]
        ));
    }
    let licence = package["license"].as_str().unwrap_or_default();
    (!is_allowed(licence)).then(|| format!("{name} {version}: licence `{licence}` is not on our list"))
}

/// Only what is delivered to a browser counts; tools of the build are used, not passed on.
fn module_finding(path: &str, module: &Value) -> Option<String> {
    if path.is_empty() || module["dev"] == true || module["devOptional"] == true {
        return None;
    }
    let read = READ
        .iter()
        .find(|(known, version, _)| *known == path && module["version"] == *version);
    let said = module["license"].as_str();
    let licence = said.or(read.map(|(_, _, licence)| *licence)).unwrap_or_default();
    (!is_allowed(licence)).then(|| format!("{path}: licence `{licence}` is not on our list"))
}

/// Whether an SPDX expression can be met with licences of our list alone.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any_of(&mut words);
    met && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `a OR b`, the weakest binding.
fn any_of(words: &mut Words<'_>) -> bool {
    let mut met = all_of(words);
    while words.next_if_eq(&"OR").is_some() {
        met |= all_of(words);
    }
    met
}

/// `a AND b`, and `a WITH exception`.
fn all_of(words: &mut Words<'_>) -> bool {
    let mut met = one(words);
    while words.next_if(|word| *word == "AND" || *word == "WITH").is_some() {
        met &= one(words);
    }
    met
}

fn one(words: &mut Words<'_>) -> bool {
    match words.next() {
        Some("(") => any_of(words) & (words.next() == Some(")")),
        Some(name) => ALLOWED.contains(&name),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_are_met_or_not() {
        let met = [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-2.0) AND BSD-3-Clause",
            "Apache-2.0 WITH LLVM-exception OR MIT",
        ];
        let unmet = ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT Apache-2.0", "SSPL-1.0"];
        for expression in met {
            assert!(is_allowed(expression), "{expression}");
        }
        for expression in unmet {
            assert!(!is_allowed(expression), "{expression}");
        }
    }

    #[test]
    fn a_package_from_elsewhere_or_banned_is_found() {
        let package =
            |name: &str, source: &str| json!({"name": name, "version": "1.0.0", "license": "MIT", "source": source});
        assert_eq!(crate_finding(&package("serde", "registry+index")), None);
        assert!(
            crate_finding(&package("serde", "git+somewhere"))
                .unwrap()
                .contains("not from the registry")
        );
        assert!(
            crate_finding(&package("openssl-sys", "registry+index"))
                .unwrap()
                .contains("rustls")
        );
    }

    #[test]
    fn tools_of_the_page_build_are_not_delivered() {
        assert_eq!(
            module_finding("node_modules/a", &json!({"dev": true, "license": "GPL-3.0"})),
            None
        );
        assert!(module_finding("node_modules/a", &json!({"license": "GPL-3.0"})).is_some());
    }
}
