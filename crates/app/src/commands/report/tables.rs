//! Every figure of a report, in tables that scroll by themselves on a narrow screen.

use reco::{Figures, ModelReport, Report};

use super::{
    page::escape,
    words::{label, p_value},
};

/// A measure per row, a model per column.
pub fn models(report: &Report) -> String {
    let Some(first) = report.models.first() else {
        return String::new();
    };
    let mut rows: Vec<(String, Vec<String>)> = first
        .metrics
        .keys()
        .map(|metric| {
            let cells = report.models.iter();
            let cells = cells.map(|model| cell(model.metrics.get(metric), model.intervals.get(metric)));
            (label(metric), cells.collect())
        })
        .collect();
    let time = |of: fn(&ModelReport) -> String| report.models.iter().map(of).collect();
    rows.push(("Training, s".into(), time(|model| format!("{:.2}", model.train_s))));
    rows.push(("Ranking, µs".into(), time(|model| format!("{:.0}", model.serve_us))));
    table("Figures of each model", "Measure", &names(report), &rows)
}

/// A part of the test and a measure per row, a model per column.
pub fn segments(report: &Report) -> String {
    let mut rows = Vec::new();
    for segment in &report.segments {
        for metric in report.protocol.headline() {
            let of = |model: &ModelReport| {
                let none = Figures::default();
                let figures = model.segments.get(&segment.name).unwrap_or(&none);
                cell(figures.metrics.get(metric), figures.intervals.get(metric))
            };
            let name = format!("{}, {}", segment.name, label(metric));
            rows.push((name, report.models.iter().map(of).collect()));
        }
    }
    table(
        "Figures of parts of the test",
        "Part and measure",
        &names(report),
        &rows,
    )
}

/// A comparison per row.
pub fn paired(report: &Report) -> String {
    let heads = ["Measure", "Difference", "95 % interval", "p", "Better for", "Worse for"];
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let mut rows = Vec::new();
    for model in &report.models {
        for test in &model.paired {
            let name = format!("{} against {}", model.name, test.against);
            let cells = vec![
                label(&test.metric),
                format!("{:+.4}", test.difference),
                format!("{:+.4} to {:+.4}", test.interval.0, test.interval.1),
                escape(&p_value(test.p_value)),
                test.better.to_string(),
                test.worse.to_string(),
            ];
            rows.push((name, cells));
        }
    }
    table("Paired tests", "Models", &heads, &rows)
}

fn names(report: &Report) -> Vec<String> {
    report.models.iter().map(|model| model.name.clone()).collect()
}

/// A value with its interval below.
fn cell(value: Option<&f64>, interval: Option<&(f64, f64)>) -> String {
    let Some(value) = value else {
        return "–".to_owned();
    };
    match interval {
        Some((low, high)) => format!("{value:.4}<span class=\"range\">{low:.4} to {high:.4}</span>"),
        None => format!("{value:.4}"),
    }
}

/// Cells are markup already, heads and row names are text.
fn table(label: &str, corner: &str, heads: &[String], rows: &[(String, Vec<String>)]) -> String {
    let heads: String = heads
        .iter()
        .map(|head| format!("<th scope=\"col\">{}</th>", escape(head)))
        .collect();
    let rows: String = rows
        .iter()
        .map(|(name, cells)| {
            let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
            format!("<tr><th scope=\"row\">{}</th>{cells}</tr>", escape(name))
        })
        .collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table><thead><tr><th scope=\"col\">{corner}</th>{heads}</tr></thead>\
         <tbody>{rows}</tbody></table></div>"
    )
}
