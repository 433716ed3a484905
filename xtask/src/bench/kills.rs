//! Owns the long form of a durability test: a hundred times kill -9 in the middle of ratings, list changes and positions.

use anyhow::{Context, Result};

use super::Bench;
use super::report::Figure;
use crate::cargo;
use crate::progress::Stage;

const KILLS: &str = "100";
const TEST: &str = "kill_9_loses_no_acknowledged_rating_or_list_change";
/// The test's closing line is these around its counts. It asserts after every kill that nothing is lost, so it has no other.
const ACKNOWLEDGED: &str = " kills; acknowledged: ";
const LOST: &str = "; lost: 0";

/// The test itself, with the release binary; nextest would end it for being slow.
pub fn kills(bench: &Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let mut closing = None;
    cargo::run(bench.root)
        .args(["test", "--release", "--locked", "-p", "kinora", "--test", "it", TEST])
        .args(["--", "--nocapture"])
        .variable("KINORA_KILLS", KILLS)
        .run_with(stage, |line| {
            closing = counts(line).map(str::to_owned).or(closing.take())
        })?;
    let counts = closing.context("the test said nothing of its kills; is it still called so?")?;
    Ok(vec![Figure {
        what: format!("acknowledged ratings and list changes lost in {KILLS} times `kill -9`"),
        target: "0".to_owned(),
        measured: format!("0 ({counts})"),
        met: true,
    }])
}

/// `1,200 ratings, 700 list changes, 800 positions` of the closing line.
fn counts(line: &str) -> Option<&str> {
    line.split_once(ACKNOWLEDGED)?
        .1
        .split_once(LOST)
        .map(|(counts, _)| counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_known() {
        let line = "100 kills; acknowledged: 12 ratings, 7 list changes, 9 positions; lost: 0";
        assert_eq!(counts(line), Some("12 ratings, 7 list changes, 9 positions"));
        assert_eq!(counts("5 of 100 kills"), None);
    }
}
