//! Owns `cargo xtask demo --check`: an evening of the demo's two people in a real browser, by the script that the tests run too.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{ADMIN, Demo, Person, VIEWER};
use crate::browser::Look;
use crate::node::Node;
use crate::progress::Stage;

const SCRIPT: &str = "crates/app/tests/browser/evening.mjs";

/// Starts the server, spends the evening, stops the server; lines that say what was seen.
pub fn evening(root: &Path, demo: &Demo, stage: &Stage) -> Result<Vec<String>> {
    let node = Node::ensure(root, stage)?;
    let server = demo.kinora.start(stage)?;
    let look = Look {
        root,
        script: SCRIPT,
        url: &server.url,
        input: json!({ "first": login(&VIEWER), "second": login(&ADMIN) }),
        pictures: demo.kinora.data.join("check"),
    };
    let seen = look.run(&node, stage)?;
    for page in ["homeFindings", "titleFindings"] {
        if seen[page].as_array().is_none_or(|findings| !findings.is_empty()) {
            bail!("accessibility, {page}: {}", seen[page]);
        }
    }
    Ok(report(&seen, &look.pictures))
}

fn login(person: &Person) -> Value {
    json!({ "email": person.email, "password": person.password })
}

fn report(seen: &Value, pictures: &Path) -> Vec<String> {
    let rows = list(&seen["rows"]);
    let mut kinds = Vec::new();
    for kind in rows.iter().filter_map(|row| row["kind"].as_str()) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let mut lines = vec![line(
        "rows",
        &format!("{} of {} kinds: {}", rows.len(), kinds.len(), kinds.join(", ")),
    )];
    lines.extend(lines_of("reasons", &seen["reasons"]));
    lines.push(line("played", seen["title"].as_str().unwrap_or_default()));
    lines.push(line(
        "first frame",
        &format!("{} ms after pressing play", seen["firstFrameMs"]),
    ));
    lines.extend(lines_of("after five stars", &seen["because"]));
    let shared = format!("{} of {} are also the admin's", seen["shared"], seen["picks"]);
    lines.push(line("top picks", &shared));
    lines.push(line("pictures", &pictures.display().to_string()));
    lines
}

/// One line for each text, the name before the first.
fn lines_of(name: &str, texts: &Value) -> Vec<String> {
    let texts = list(texts).iter().filter_map(Value::as_str).enumerate();
    texts
        .map(|(index, text)| line(if index == 0 { name } else { "" }, text))
        .collect()
}

fn line(name: &str, text: &str) -> String {
    format!("{name:<17} {text}")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_reads_as_a_list() {
        let seen = json!({
            "rows": [{ "kind": "top_picks" }, { "kind": "genre" }, { "kind": "genre" }], "reasons": ["one", "two"],
            "title": "Alien", "firstFrameMs": 412, "because": ["Because you loved Alien"], "shared": 3, "picks": 20,
        });
        let wanted = "\
rows              3 of 2 kinds: top_picks, genre
reasons           one
                  two
played            Alien
first frame       412 ms after pressing play
after five stars  Because you loved Alien
top picks         3 of 20 are also the admin's
pictures          target/demo/check";
        assert_eq!(report(&seen, Path::new("target/demo/check")).join("\n"), wanted);
    }
}
