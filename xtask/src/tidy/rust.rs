//! Owns the rules for Rust files: budgets, the `//!` head, panics without a reason, `unsafe` without a reason.

use super::functions::{self, line_of, words};
use super::mask::Masked;
use super::{Finding, Source, over_budget};

/// An `expect` must say why it cannot fail; one or two words do not.
const REASON_CHARS_MIN: usize = 12;
/// A head such as `My List.` says enough.
const HEAD_CHARS_MIN: usize = 6;
/// How many lines above `unsafe` its SAFETY comment may begin.
const SAFETY_LINES_MAX: usize = 8;

pub fn check(source: &Source) -> Vec<Finding> {
    let masked = Masked::rust(&source.text);
    let mut findings = over_budget(source, &functions::of_rust(&masked.code));
    findings.extend(head(source));
    findings.extend(unsafe_code(source, &masked));
    if !is_test(&source.path) {
        findings.extend(panics(source, &masked.code));
    }
    findings
}

/// Tests and what only tests use may panic: that is how they fail.
pub fn is_test(path: &str) -> bool {
    path.contains("/tests/")
        || path.contains("/benches/")
        || path.contains("/test_support")
        || path.ends_with("/tests.rs")
        || path.starts_with("crates/testkit/")
}

fn head(source: &Source) -> Option<Finding> {
    let first = source
        .text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    let says = first
        .and_then(|line| line.strip_prefix("//!"))
        .is_some_and(|rest| rest.trim().len() >= HEAD_CHARS_MIN);
    (!says).then(|| Finding::new(&source.path, 1, "no `//!` head that says what the file owns"))
}

fn panics(source: &Source, code: &[u8]) -> Vec<Finding> {
    let tests = test_modules(code);
    let mut findings = Vec::new();
    for (at, word) in words(code) {
        let called = at > 0 && code[at - 1] == b'.' && code.get(at + word.len()) == Some(&b'(');
        if !called || tests.iter().any(|range| range.contains(&at)) {
            continue;
        }
        let line = line_of(code, at);
        if word == b"unwrap" {
            findings.push(Finding::new(
                &source.path,
                line,
                "`unwrap` outside tests; return an error, or `expect` with the reason",
            ));
        } else if word == b"expect" && !has_reason(&source.text, at + word.len() + 1) {
            findings.push(Finding::new(
                &source.path,
                line,
                "`expect` without the reason why it cannot fail",
            ));
        }
    }
    findings
}

/// The argument is a string that is long enough to be a reason. A parser's own `expect(token)` is none of ours.
fn has_reason(text: &str, argument: usize) -> bool {
    let rest = text[argument..].trim_start();
    match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((reason, _)) => reason.chars().count() >= REASON_CHARS_MIN,
        None => rest.starts_with("concat!"),
    }
}

/// Bodies of `#[cfg(test)] mod … { … }` and of anything else under that attribute.
fn test_modules(code: &[u8]) -> Vec<std::ops::Range<usize>> {
    const ATTRIBUTE: &[u8] = b"#[cfg(test)]";
    let mut ranges = Vec::new();
    for at in 0..code.len() {
        if !code[at..].starts_with(ATTRIBUTE) {
            continue;
        }
        let mut depth = 0_usize;
        for (end, byte) in code.iter().enumerate().skip(at + ATTRIBUTE.len()) {
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && matches!(byte, b'}' | b';') {
                ranges.push(at..end);
                break;
            }
        }
    }
    ranges
}

fn unsafe_code(source: &Source, masked: &Masked) -> Vec<Finding> {
    let lines: Vec<usize> = words(&masked.code)
        .filter(|(_, word)| *word == b"unsafe")
        .map(|(at, _)| line_of(&masked.code, at))
        .collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let head: String = source
        .text
        .lines()
        .take_while(|line| line.starts_with("//!") || line.starts_with("#!["))
        .collect();
    if !head.contains("unsafe") {
        findings.push(Finding::new(
            &source.path,
            1,
            "the file has `unsafe` code and its head does not say so",
        ));
    }
    let comments: Vec<&[u8]> = masked.comment_lines().collect();
    for line in lines {
        let above = &comments[line.saturating_sub(SAFETY_LINES_MAX)..line];
        if !above
            .iter()
            .any(|comment| String::from_utf8_lossy(comment).contains("SAFETY:"))
        {
            findings.push(Finding::new(
                &source.path,
                line,
                "`unsafe` without a SAFETY comment above it",
            ));
        }
    }
    findings
}
