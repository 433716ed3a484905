//! The page: one HTML file that needs nothing else, readable on a telephone and on a wall, in light and in dark. It is well-formed
//! XML too, so that a test can read it.

use reco::{ModelReport, Report, Segment};

use super::{
    chart::{Bar, Point, bars, furthest, points},
    tables,
    words::{self, comparison, count, is_headline, label},
};

/// What every model is compared with.
const BASELINE: &str = "popularity";

/// A page that stands alone. `source` is the name of the data.
pub fn html(report: &Report, source: &str) -> String {
    let [title, ..] = words::protocol(report.protocol).map(escape);
    let parts = [
        asked(report, source),
        in_short(report),
        accuracy(report),
        beyond(report),
        segments(report),
        times(report),
        figures(report),
        meanings(report),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><meta name=\"color-scheme\" content=\"light dark\"/>\
         <title>Evaluation: {title}</title><style>{STYLE}</style></head><body><main>{}</main></body></html>\n",
        parts.concat()
    )
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn section(heading: &str, inner: &str) -> String {
    format!("<section><h2>{}</h2>{inner}</section>", escape(heading))
}

fn figure(caption: &str, note: &str, drawn: &str) -> String {
    let note = if note.is_empty() {
        String::new()
    } else {
        format!("<span class=\"note\">{}</span>", escape(note))
    };
    format!(
        "<figure><figcaption>{}{note}</figcaption>{drawn}</figure>",
        escape(caption)
    )
}

/// What was asked, of whom.
fn asked(report: &Report, source: &str) -> String {
    let [title, question, papers] = words::protocol(report.protocol).map(escape);
    let data = &report.data;
    let facts = [
        ("Data", source.to_owned()),
        ("Learned from", format!("{} events", count(data.train_events))),
        ("Catalogue", format!("{} titles", count(data.items))),
        ("Asked for", format!("{} viewers", count(data.cases))),
        (
            "of whom new",
            format!("{:.1} % had no history", data.cold_users * 100.0),
        ),
        ("Wanted", format!("{} titles", count(data.targets))),
        (
            "of which unseen",
            format!("{:.1} % were in no event of training", data.cold_targets * 100.0),
        ),
    ];
    let facts: String = facts
        .iter()
        .map(|(name, fact)| format!("<div><dt>{name}</dt><dd>{}</dd></div>", escape(fact)))
        .collect();
    format!(
        "<header><p class=\"over\">Evaluation</p><h1>{title}</h1><p class=\"lead\">{question}</p><p class=\"note\">{papers} The \
         answers were sealed until every model was trained: what models choose, they choose by earlier moments or other viewers.</p>\
         </header><dl class=\"facts\">{facts}</dl>"
    )
}

/// The best model, and each model against popularity, in words.
fn in_short(report: &Report) -> String {
    let headline = report.protocol.headline()[0];
    let value = |model: &ModelReport| model.metrics.get(headline).copied().unwrap_or(f64::NEG_INFINITY);
    let best = report.models.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
    let Some(best) = best.filter(|_| report.models.len() > 1) else {
        return section("In short", &sentences(report));
    };
    let lead = format!(
        "<p class=\"lead\"><strong>{}</strong> finds the most: {} {:.4}.</p>",
        escape(&best.name),
        label(headline),
        value(best)
    );
    section("In short", &(lead + &sentences(report)))
}

fn sentences(report: &Report) -> String {
    let mut items = String::new();
    for model in &report.models {
        for test in model.paired.iter().filter(|test| is_headline(report, test)) {
            let said = format!("{}.", comparison(&model.name, test));
            items.push_str(&format!("<li>{}</li>", escape(&said)));
        }
    }
    if items.is_empty() {
        return "<p>Nothing to compare with: popularity was judged alone.</p>".to_owned();
    }
    format!(
        "<ul class=\"said\">{items}</ul><p class=\"note\">Both models answer for the same viewers. p is how often chance alone would give a \
         difference as great (paired randomisation test: Smucker, Allan &amp; Carterette 2007), not corrected for the number of \
         comparisons; the interval is a 95 % bootstrap over viewers.</p>"
    )
}

fn bar<'a>(model: &'a ModelReport, value: f64, interval: Option<(f64, f64)>, text: String) -> Bar<'a> {
    Bar {
        name: &model.name,
        value,
        interval,
        text,
        is_baseline: model.name == BASELINE,
    }
}

fn accuracy(report: &Report) -> String {
    let headline = report.protocol.headline();
    let is_accuracy = |name: &&String| {
        ["ndcg@", "recall@", "hit_rate@"]
            .iter()
            .any(|kind| name.starts_with(kind))
    };
    let names = report
        .models
        .first()
        .map(|model| model.metrics.keys().filter(is_accuracy));
    let mut names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    names.sort_by_key(|name| {
        headline
            .iter()
            .position(|first| first == name)
            .unwrap_or(headline.len())
    });
    let plots: String = names.iter().map(|metric| metric_plot(report, metric)).collect();
    section(
        "How much is found",
        &format!(
            "<p class=\"note\">Further right is better. The lines are 95 % bootstrap intervals over viewers; the first two measures are the \
             ones that the papers quote.</p><div class=\"grid-of\">{plots}</div>"
        ),
    )
}

fn metric_plot(report: &Report, metric: &str) -> String {
    let rows: Vec<Bar<'_>> = report
        .models
        .iter()
        .map(|model| {
            let value = model.metrics.get(metric).copied().unwrap_or_default();
            bar(
                model,
                value,
                model.intervals.get(metric).copied(),
                format!("{value:.4}"),
            )
        })
        .collect();
    let drawn = bars(&format!("{metric} of each model"), &rows, furthest(&rows), true);
    figure(&label(metric), "", &drawn)
}

/// What the lists show beside what is wanted.
fn beyond(report: &Report) -> String {
    let headline = report.protocol.headline()[0];
    let plots: String = [
        "coverage@20",
        "novelty@20",
        "diversity@20",
        "miscalibration@20",
        "gini@20",
    ]
    .iter()
    .filter_map(|metric| against(report, headline, metric))
    .collect();
    section(
        "What it costs",
        &format!(
            "<p class=\"note\">A service that finds much and shows everybody the same serves nobody for long. Up is more found. Of coverage, \
             novelty and diversity more is better: further right. Of miscalibration and Gini less is: further left.</p>\
             <div class=\"grid-of\">{plots}</div>"
        ),
    )
}

fn against(report: &Report, headline: &str, metric: &str) -> Option<String> {
    let with_both = report.models.iter().filter_map(|model| {
        Some(Point {
            name: &model.name,
            x: *model.metrics.get(metric)?,
            y: *model.metrics.get(headline)?,
        })
    });
    let placed: Vec<Point<'_>> = with_both.collect();
    let (x_name, y_name) = (label(metric), label(headline));
    let drawn = points(&format!("{metric} against {headline}"), (&x_name, &y_name), &placed);
    (!placed.is_empty()).then(|| figure(&format!("{y_name} against {x_name}"), "", &drawn))
}

/// Small plots of one measure, all of a group to the same scale.
fn segments(report: &Report) -> String {
    let headline = report.protocol.headline()[0];
    let mut kinds: Vec<_> = report.segments.iter().map(|segment| segment.of).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let groups: String = kinds
        .into_iter()
        .map(|of| {
            let members: Vec<&Segment> = report.segments.iter().filter(|segment| segment.of == of).collect();
            let rows: Vec<Vec<Bar<'_>>> = members
                .iter()
                .map(|segment| segment_rows(report, segment, headline))
                .collect();
            let most = furthest(rows.iter().flatten());
            let plots: String = members
                .iter()
                .zip(&rows)
                .map(|(segment, rows)| segment_plot(segment, headline, rows, most))
                .collect();
            format!(
                "<h3>{}</h3><div class=\"grid-of\">{plots}</div>",
                words::segments_of(of)
            )
        })
        .collect();
    if groups.is_empty() {
        return String::new();
    }
    let note = format!(
        "<p class=\"note\">{} of parts of the test; each group of plots has one scale.</p>",
        label(headline)
    );
    section("For whom, and of what", &(note + &groups))
}

fn segment_rows<'a>(report: &'a Report, segment: &Segment, metric: &str) -> Vec<Bar<'a>> {
    let rows = report.models.iter().filter_map(|model| {
        let figures = model.segments.get(&segment.name)?;
        let value = *figures.metrics.get(metric)?;
        Some(bar(
            model,
            value,
            figures.intervals.get(metric).copied(),
            format!("{value:.4}"),
        ))
    });
    rows.collect()
}

fn segment_plot(segment: &Segment, metric: &str, rows: &[Bar<'_>], most: f64) -> String {
    let mut name = segment.name.clone();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let note = format!(
        "{}. {} viewers, {} titles to find",
        segment.rule,
        count(segment.cases),
        count(segment.targets)
    );
    figure(
        &name,
        &note,
        &bars(&format!("{metric} of {}", segment.name), rows, most, true),
    )
}

fn times(report: &Report) -> String {
    let plot = |key: &str, caption: &str, note: &str, of: fn(&ModelReport) -> f64, unit: &str| {
        let rows: Vec<Bar<'_>> = report
            .models
            .iter()
            .map(|model| {
                let value = of(model);
                let text = if value < 100.0 {
                    format!("{value:.1} {unit}")
                } else {
                    format!("{value:.0} {unit}")
                };
                bar(model, value, None, text)
            })
            .collect();
        figure(
            caption,
            note,
            &bars(&format!("{key} of each model"), &rows, furthest(&rows), false),
        )
    };
    let train = plot(
        "train_s",
        "Training",
        "Of the ranker with all it blends and its rehearsals",
        |model| model.train_s,
        "s",
    );
    let serve = plot(
        "serve_us",
        "One viewer's ranking of all titles",
        "Mean, on one core",
        |model| model.serve_us,
        "µs",
    );
    section(
        "How long it takes",
        &format!("<div class=\"grid-of\">{train}{serve}</div>"),
    )
}

fn figures(report: &Report) -> String {
    let mut inner = format!("<h3>Models</h3>{}", tables::models(report));
    if !report.segments.is_empty() {
        inner.push_str(&format!("<h3>Parts of the test</h3>{}", tables::segments(report)));
    }
    if report.models.iter().any(|model| !model.paired.is_empty()) {
        inner.push_str(&format!("<h3>Paired tests</h3>{}", tables::paired(report)));
    }
    section("All figures", &inner)
}

/// What the words of the page mean.
fn meanings(report: &Report) -> String {
    let models = report
        .models
        .iter()
        .map(|model| (model.name.clone(), words::model(&model.name)));
    let kind = |metric: &&String| metric.split('@').next().unwrap_or_default().to_owned();
    let metrics = report
        .models
        .first()
        .map(|model| model.metrics.keys().collect::<Vec<_>>());
    let mut metrics = metrics.unwrap_or_default();
    metrics.dedup_by_key(|metric| kind(metric));
    let metrics = metrics.into_iter().map(|metric| {
        let name = label(metric);
        (
            name.split('@').next().unwrap_or_default().to_owned(),
            words::meaning(metric),
        )
    });
    let terms: String = models
        .chain(metrics)
        .map(|(term, meaning)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(&term), escape(meaning)))
        .collect();
    section(
        "What the words mean",
        &format!(
            "<p class=\"note\">The number after @ is how many titles of a list are looked at.</p><dl class=\"terms\">{terms}</dl>"
        ),
    )
}

const STYLE: &str = "\
:root{--ground:#faf7f1;--raised:#fff;--text:#211d18;--muted:#6a6156;--line:#e2dbcf;--bar:#c9b48f;--base:#b9b3a9;--best:#b06a00}\
@media(prefers-color-scheme:dark){:root{--ground:#0f0e0c;--raised:#191714;--text:#f4efe6;--muted:#b3aa9c;--line:#2f2b26;--bar:#8a6d3b;\
--base:#5b564f;--best:#f2b347}}\
*{box-sizing:border-box}html{font-size:clamp(16px,.42vw + 10.6px,27px)}\
body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.55 system-ui,sans-serif}\
main{max-width:84rem;margin:auto;padding:2rem 1rem 4rem}h1,h2,h3{font-family:Georgia,serif;font-weight:400;line-height:1.2;margin:0}\
h1{font-size:clamp(1.7rem,5vw,2.6rem)}h2{font-size:1.6rem}h3{font-size:1.15rem;margin:1.8rem 0 .6rem}\
header{max-width:46rem}.over{color:var(--muted);margin:0 0 .3rem}.lead{font-size:1.1rem}.note{color:var(--muted);font-size:.9rem;\
max-width:46rem}section{margin-top:3rem;border-top:1px solid var(--line);padding-top:1.4rem}\
dl{margin:1.4rem 0}dd{margin:0}dt{color:var(--muted)}.facts{display:flex;flex-wrap:wrap;gap:.9rem 2rem}.facts dt{font-size:.85rem}\
.terms{display:grid;gap:.9rem 2rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr))}.terms dt{color:var(--text);\
font-weight:600}.said{padding-left:1.2rem;max-width:60rem}.said li{margin:.35rem 0}\
.grid-of{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));margin-top:1rem}\
figure{margin:0;padding:.9rem;background:var(--raised);border:1px solid var(--line);border-radius:.6rem}\
figcaption{margin-bottom:.6rem}figcaption .note{display:block;font-size:.82rem}\
svg{display:block;width:100%;height:auto;font:13px system-ui,sans-serif}svg text{fill:var(--text)}svg .value{text-anchor:end;\
font-variant-numeric:tabular-nums}.bar{fill:var(--bar)}.bar-base{fill:var(--base)}.bar-best,.point{fill:var(--best)}\
.whisker{stroke:var(--text);stroke-width:1.5;fill:none}.axis{stroke:var(--muted);fill:none}.grid{stroke:var(--line);fill:none}\
svg .tick{font-size:10.5px;fill:var(--muted)}svg .middle{text-anchor:middle}svg .end{text-anchor:end}\
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.6rem;background:var(--raised)}.scroll:focus-visible{outline:2px solid \
var(--best);outline-offset:2px}table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}\
th,td{padding:.4rem .8rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}tr:last-child td,tr:last-child th{\
border-bottom:0}th{font-weight:600}th:first-child,td.words{text-align:left}tbody th{font-weight:400}.range{display:block;\
color:var(--muted);font-size:.8rem}";
