//! Owns asking others' parsers what they think of manifests: hls-parser, m3u8-parser and mpd-parser of npm, m3u8 and mpegdash of PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::command::finish;
use crate::repository;

/// What one parser found in one manifest.
#[derive(Debug, PartialEq)]
pub struct Finding {
    pub parser: String,
    /// Below the folder: `v0/index.m3u8`.
    pub file: String,
    pub facts: Value,
    /// What it did not like; empty where all is well.
    pub complaints: Vec<String>,
}

/// Reads all manifests of a folder with every parser that knows their kind.
///
/// # Panics
/// When a parser is not installed or dies.
#[track_caller]
pub fn check(folder: &Path) -> Vec<Finding> {
    let mut files = Vec::new();
    manifests(folder, folder, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no manifests in {}", folder.display());
    let modules = repository().join("web/package.json");
    let order = json!({ "folder": folder, "files": files, "modules": modules }).to_string();
    let scripts = repository().join("crates/testkit/validators");
    [
        (PathBuf::from("node"), scripts.join("check.mjs")),
        (python(), scripts.join("check.py")),
    ]
    .into_iter()
    .flat_map(|(program, script)| {
        let mut command = Command::new(program);
        command.arg(script);
        let said = finish(command, &order).json();
        let findings = said.as_array().expect("a list of findings").clone();
        findings.into_iter().map(|finding| Finding {
            parser: text(&finding["parser"]),
            file: text(&finding["file"]),
            facts: finding["facts"].clone(),
            complaints: finding["complaints"]
                .as_array()
                .into_iter()
                .flatten()
                .map(text)
                .collect(),
        })
    })
    .collect()
}

/// The one that `cargo xtask test` made, with the parsers in it.
fn python() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    let python = target.join("xtask/validators/bin/python");
    assert!(
        python.is_file(),
        "the validators are not installed: cargo xtask test --only tools"
    );
    python
}

fn manifests(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the folder of the manifests") {
        let path = entry.expect("an entry of the folder").path();
        let is_manifest = path
            .extension()
            .is_some_and(|ending| ending == "m3u8" || ending == "mpd");
        if path.is_dir() {
            manifests(root, &path, found);
        } else if is_manifest {
            let below = path.strip_prefix(root).expect("below the folder");
            found.push(below.to_string_lossy().into_owned());
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parser_reads_what_is_right_and_complains_of_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "good.m3u8",
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:2.0,\n1.ts\n#EXT-X-ENDLIST\n",
        );
        write(
            "bad.m3u8",
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:x\n#EXTINF:2.0,\n1.ts\n#EXT-X-ENDLIST\n",
        );
        write("bad.mpd", "<MPD><Period></MPD>");
        let findings = check(folder.path());
        assert_eq!(findings.len(), 2 * 3 + 2);
        for finding in findings {
            assert_eq!(
                finding.complaints.is_empty(),
                finding.file == "good.m3u8",
                "{finding:?}"
            );
            if finding.file == "good.m3u8" {
                assert_eq!(finding.facts["segments"], 1, "{finding:?}");
            }
        }
    }
}
