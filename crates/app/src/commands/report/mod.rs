//! An evaluation for people: a table for the terminal and a page with plots in one file.

use std::fmt::Write as _;

use reco::{ModelReport, Report};

/// What a protocol is quoted by in the literature, first.
fn headline(report: &Report) -> [&'static str; 3] {
    match report.protocol {
        reco::Protocol::LastOut => ["ndcg@10", "recall@10", "coverage@20"],
        reco::Protocol::Strong => ["ndcg@100", "recall@20", "recall@50"],
        reco::Protocol::Temporal => ["ndcg@20", "recall@20", "coverage@20"],
    }
}

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
    let metrics = headline(report);
    let mut out = String::new();
    let [first, second, third] = metrics;
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{:<14} {first:>16} {second:>16} {third:>16} {:>9} {:>10}",
        "model", "train s", "serve µs"
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
    out
}

/// A page that stands alone.
pub fn html(report: &Report, source: &str) -> String {
    let protocol = match report.protocol {
        reco::Protocol::LastOut => "leave-last-out, full ranking",
        reco::Protocol::Strong => "strong generalisation",
        reco::Protocol::Temporal => "one cut in time",
    };
    let plots: String = headline(report).iter().map(|metric| plot(report, metric)).collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Evaluation: {protocol}</title><style>{STYLE}</style><main><h1>Evaluation</h1>\
         <p>{protocol}, on {}. {} viewers and {} titles; {} held-out viewers with {} titles to find, {:.1} % of which nobody had \
         seen in training. Whiskers are 95 % bootstrap intervals over viewers.</p>{plots}{}</main></html>\n",
        escape(source),
        report.data.users,
        report.data.items,
        report.data.cases,
        report.data.targets,
        report.data.cold_targets * 100.0,
        all_figures(report)
    )
}

const STYLE: &str = "body{background:#0f0e0c;color:#f4efe6;font:16px/1.5 system-ui,sans-serif;margin:0}\
main{max-width:60rem;margin:auto;padding:2rem 1rem}h1,h2{font-family:Georgia,serif;font-weight:400}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}td,th{padding:.3rem .6rem;text-align:right;\
border-bottom:1px solid #2c2925}td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}.scroll{overflow-x:auto}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A bar per model with its interval.
fn plot(report: &Report, metric: &str) -> String {
    const ROW: f64 = 34.0;
    let top = |model: &ModelReport| {
        let value = model.metrics.get(metric).copied().unwrap_or_default();
        model.intervals.get(metric).map_or(value, |(_, high)| high.max(value))
    };
    let most = report.models.iter().map(top).fold(f64::MIN_POSITIVE, f64::max);
    let x = |value: f64| 140.0 + value / most * 480.0;
    let mut bars = String::new();
    for (row, model) in report.models.iter().enumerate() {
        let value = model.metrics.get(metric).copied().unwrap_or_default();
        let y = ROW * row as f64;
        let _ = write!(
            bars,
            "<text x=\"0\" y=\"{:.1}\" fill=\"#f4efe6\">{}</text><rect x=\"140\" y=\"{:.1}\" width=\"{:.1}\" height=\"20\" rx=\"3\" \
             fill=\"#f2b347\"/><text x=\"{:.1}\" y=\"{:.1}\" fill=\"#b3aa9c\">{value:.4}</text>",
            y + 20.0,
            escape(&model.name),
            y + 5.0,
            x(value) - 140.0,
            x(top(model)) + 8.0,
            y + 20.0
        );
        if let Some((low, high)) = model.intervals.get(metric) {
            let middle = y + 15.0;
            let _ = write!(
                bars,
                "<path d=\"M{:.1} {middle:.1}H{:.1}\" stroke=\"#f4efe6\" stroke-width=\"2\"/>",
                x(*low),
                x(*high)
            );
        }
    }
    let height = ROW * report.models.len() as f64;
    format!(
        "<h2>{metric}</h2><svg viewBox=\"0 0 720 {height:.0}\" role=\"img\" aria-label=\"{metric} of each model\" \
         font-size=\"15\">{bars}</svg>"
    )
}

fn all_figures(report: &Report) -> String {
    let Some(first) = report.models.first() else {
        return String::new();
    };
    let metrics: Vec<&String> = first.metrics.keys().collect();
    let mut rows = String::new();
    for model in &report.models {
        let cells: String = metrics
            .iter()
            .map(|metric| format!("<td>{}</td>", figure(model, metric)))
            .collect();
        let _ = write!(
            rows,
            "<tr><td>{}</td>{cells}<td>{:.2}</td><td>{:.0}</td></tr>",
            escape(&model.name),
            model.train_s,
            model.serve_us
        );
    }
    let heads: String = metrics
        .iter()
        .map(|metric| format!("<th scope=\"col\">{metric}</th>"))
        .collect();
    format!(
        "<h2>All figures</h2><div class=\"scroll\" tabindex=\"0\"><table><tr><th scope=\"col\">model</th>{heads}\
         <th scope=\"col\">train s</th><th scope=\"col\">serve µs</th></tr>{rows}</table></div>"
    )
}
