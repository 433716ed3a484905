//! An evaluation for people: a table for the terminal, and a page that stands alone in one file.

mod chart;
mod page;
mod tables;
mod words;

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests fail by it")]
mod tests;

pub use page::html;

use std::fmt::Write as _;

use reco::{ModelReport, Report};

use words::{comparison, is_headline};

/// A figure with half the width of its 95 % interval.
fn figure(model: &ModelReport, metric: &str) -> String {
    let Some(value) = model.metrics.get(metric) else {
        return "–".into();
    };
    match model.intervals.get(metric) {
        Some((low, high)) => format!("{value:.4} ±{:.4}", (high - low) / 2.0),
        None => format!("{value:.4}"),
    }
}

/// For a terminal.
pub fn table(report: &Report) -> String {
    let [first, second] = report.protocol.headline();
    let metrics = [first, second, "coverage@20"];
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{:<14} {first:>16} {second:>16} {:>16} {:>9} {:>10}",
        "model", metrics[2], "train s", "serve µs"
    );
    for model in &report.models {
        let [first, second, third] = metrics.map(|metric| figure(model, metric));
        let name = &model.name;
        let _ = writeln!(
            out,
            "{name:<14} {first:>16} {second:>16} {third:>16} {:>9.2} {:>10.0}",
            model.train_s, model.serve_us
        );
    }
    let data = &report.data;
    let _ = writeln!(
        out,
        "{} cases, {} titles to find, {:.1} % of them never seen before; ± is the 95 % interval",
        data.cases,
        data.targets,
        data.cold_targets * 100.0
    );
    for model in &report.models {
        for test in model.paired.iter().filter(|test| is_headline(report, test)) {
            let _ = writeln!(out, "{}", comparison(&model.name, test));
        }
    }
    out
}
