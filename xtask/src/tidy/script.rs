//! Owns the rules for TypeScript files: budgets, and no way around the type checker without a reason.

use super::functions;
use super::mask::Masked;
use super::{Finding, Source, over_budget};

/// A word that makes a comment an escape hatch; it needs a reason behind it.
const ESCAPES: [&str; 4] = ["@ts-ignore", "@ts-expect-error", "@ts-nocheck", "eslint-disable"];

pub fn check(source: &Source) -> Vec<Finding> {
    if is_generated(source) {
        return Vec::new();
    }
    let masked = Masked::script(&source.text);
    let mut findings = over_budget(source, &functions::of_script(&masked.code));
    for (index, comment) in masked.comment_lines().enumerate() {
        let comment = String::from_utf8_lossy(comment);
        for escape in ESCAPES {
            if let Some((_, reason)) = comment.split_once(escape) {
                if !reason.contains("--") && !reason.contains(':') {
                    findings.push(Finding::new(
                        &source.path,
                        index + 1,
                        format!("`{escape}` without a reason (`{escape} -- why`)"),
                    ));
                }
                break;
            }
        }
    }
    findings
}

/// The client's types are made from the OpenAPI document and are as long as it is.
fn is_generated(source: &Source) -> bool {
    source.path.ends_with(".d.ts")
        || source.path.contains("/generated/")
        || source.text.lines().take(5).any(|line| line.contains("auto-generated"))
}
