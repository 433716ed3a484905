//! The page is read as a browser would: well-formed, complete, and asking nobody else for anything.

use std::collections::BTreeMap;

use reco::{DataReport, Figures, ModelReport, PairedTest, Protocol, Report, Segment, SegmentOf};

use super::{html, table, words};

const METRICS: [&str; 13] = [
    "recall@10",
    "recall@20",
    "recall@50",
    "ndcg@10",
    "ndcg@20",
    "ndcg@100",
    "hit_rate@10",
    "hit_rate@50",
    "coverage@20",
    "gini@20",
    "novelty@20",
    "diversity@20",
    "miscalibration@20",
];

fn figures(level: f64) -> Figures {
    let values = METRICS
        .iter()
        .zip(1..)
        .map(|(name, place)| ((*name).to_owned(), level + f64::from(place) / 1e4));
    let metrics: BTreeMap<String, f64> = values.collect();
    let means = metrics
        .iter()
        .filter(|(name, _)| !["coverage@20", "gini@20"].contains(&name.as_str()));
    let intervals = means
        .map(|(name, value)| (name.clone(), (value - 0.01, value + 0.01)))
        .collect();
    Figures { metrics, intervals }
}

fn model(name: &str, level: f64, p_value: f64) -> ModelReport {
    let Figures { metrics, intervals } = figures(level);
    let test = |metric: &str| PairedTest {
        against: "popularity".to_owned(),
        metric: metric.to_owned(),
        difference: level - 0.1,
        interval: (level - 0.11, level - 0.09),
        p_value,
        better: 1200,
        worse: 34,
    };
    ModelReport {
        name: name.to_owned(),
        train_s: 1.25,
        serve_us: 321.0,
        metrics,
        intervals,
        segments: BTreeMap::from([("new viewers".to_owned(), figures(level / 2.0))]),
        paired: if name == "popularity" {
            Vec::new()
        } else {
            vec![test("ndcg@20"), test("recall@20")]
        },
    }
}

fn report(protocol: Protocol) -> Report {
    Report {
        protocol,
        data: DataReport {
            users: 16_554,
            items: 10_506,
            train_events: 89_998,
            cases: 1_714,
            targets: 8_901,
            cold_targets: 0.125,
            cold_users: 0.5,
        },
        segments: vec![Segment {
            name: "new viewers".to_owned(),
            of: SegmentOf::Viewers,
            rule: "no event before the test".to_owned(),
            cases: 857,
            targets: 4_000,
        }],
        models: vec![
            model("popularity", 0.1, 1.0),
            model("ranker", 0.25, 0.0001),
            model("a <b> & \"c\"", 0.09, 0.2),
        ],
    }
}

/// An element with its attributes, or the text between two.
#[derive(Debug)]
enum Piece {
    Element(String, BTreeMap<String, String>),
    Text(String),
}

/// Reads well-formed markup; panics with what is wrong.
fn read(markup: &str) -> Vec<Piece> {
    let mut rest = markup.strip_prefix("<!doctype html>").expect("a doctype");
    let (mut open, mut pieces): (Vec<String>, _) = (Vec::new(), Vec::new());
    while let Some(at) = rest.find('<') {
        pieces.push(Piece::Text(plain(&rest[..at])));
        let end = at + rest[at..].find('>').expect("a tag that ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed in the order of opening");
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(
            name.chars().all(|c| c.is_ascii_alphanumeric()),
            "{name:?} is no element"
        );
        if !is_empty {
            open.push(name.to_owned());
        }
        pieces.push(Piece::Element(name.to_owned(), read_attributes(attributes)));
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "left open: {open:?}");
    pieces
}

fn read_attributes(mut rest: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    while let Some((name, after)) = rest.trim_start().split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a value that ends");
        let before = found.insert(name.to_owned(), plain(value));
        assert!(before.is_none(), "{name} stands twice");
        rest = after;
    }
    assert!(rest.trim().is_empty(), "{rest:?} is no attribute");
    found
}

fn plain(text: &str) -> String {
    assert!(!text.contains('>') || !text.contains('<'), "{text:?}");
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\"")];
    let mut left = text.replace("&amp;", "");
    entities.iter().for_each(|(entity, _)| left = left.replace(entity, ""));
    assert!(!left.contains('&'), "a bare & in {text:?}");
    let text = entities
        .iter()
        .fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter));
    text.replace("&amp;", "&")
}

const PROTOCOLS: [Protocol; 3] = [Protocol::LastOut, Protocol::Strong, Protocol::Temporal];

#[test]
fn the_page_is_well_formed_and_holds_every_model_and_figure() {
    for protocol in PROTOCOLS {
        let report = report(protocol);
        let pieces = read(&html(&report, "a <folder> & more"));
        let text: Vec<&str> = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Text(text) => Some(text.as_str()),
                Piece::Element(..) => None,
            })
            .collect();
        let has = |wanted: &str| text.iter().any(|text| text.contains(wanted));
        assert!(has("a <folder> & more"));
        for model in &report.models {
            assert!(has(&model.name), "{} is missing", model.name);
            for (metric, value) in &model.metrics {
                assert!(has(&words::label(metric)), "{metric} is missing");
                assert!(has(&format!("{value:.4}")), "{} {metric} is missing", model.name);
            }
            for (low, high) in model.intervals.values() {
                assert!(has(&format!("{low:.4} to {high:.4}")));
            }
            for metric in protocol.headline() {
                assert!(has(&format!("{:.4}", model.segments["new viewers"].metrics[metric])));
            }
        }
        for label in labels(&pieces) {
            let metric = label.split(' ').next().unwrap_or_default();
            let is_known = METRICS.contains(&metric) || ["train_s", "serve_us"].contains(&metric);
            assert!(is_known, "a plot of {metric}, which is no figure");
        }
        // Eight of accuracy, five of lists, one of a segment, two of times.
        assert_eq!(labels(&pieces).len(), 16);
    }
}

fn labels(pieces: &[Piece]) -> Vec<&str> {
    let plots = pieces.iter().filter_map(|piece| match piece {
        Piece::Element(name, attributes) if name == "svg" => Some(attributes["aria-label"].as_str()),
        _ => None,
    });
    plots.collect()
}

#[test]
fn the_page_asks_nobody_for_anything() {
    let page = html(&report(Protocol::Temporal), "data");
    for outside in ["http", "//", "url(", "@import", "<script", "src=", "href=", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

fn coordinate(text: &str) -> f64 {
    text.parse().expect(text)
}

/// Bars and whiskers stay in their plot, and no coordinate is lost.
#[test]
fn drawings_stay_inside_their_frame() {
    let mut report = report(Protocol::Temporal);
    report.models[0].metrics.insert("ndcg@20".into(), 0.0);
    report.models[2].intervals.insert("ndcg@20".into(), (-0.2, 9.0));
    let page = html(&report, "data");
    assert!(!page.contains("NaN") && !page.contains("inf"));
    let (mut height, mut whiskers) = (0.0, 0);
    for piece in read(&page) {
        let Piece::Element(name, attributes) = piece else {
            continue;
        };
        let number = |key: &str| attributes.get(key).map_or(0.0, |value| coordinate(value));
        match name.as_str() {
            "svg" => height = attributes["viewBox"].rsplit(' ').next().map_or(0.0, coordinate),
            "rect" => assert!(number("width") >= 0.0 && number("x") + number("width") <= 340.0),
            "circle" => assert!((0.0..=340.0).contains(&number("cx")) && (0.0..=240.0).contains(&number("cy"))),
            "path" if attributes["class"] == "whisker" => {
                whiskers += 1;
                inside(&attributes["d"], height);
            }
            _ => {}
        }
    }
    assert_eq!(
        whiskers, 27,
        "three models in eight plots of accuracy and one of a segment"
    );
}

/// A whisker goes from end to end, with a stroke down at either.
fn inside(path: &str, height: f64) {
    let numbers = path.split(['M', ' ', 'H', 'v']).filter(|part| !part.is_empty());
    let numbers: Vec<f64> = numbers.map(coordinate).collect();
    let [low, middle, high, left, top, down, right, right_top, right_down] = numbers[..] else {
        panic!("{path}");
    };
    assert_eq!([left, right, right_top, right_down], [low, high, top, down], "{path}");
    assert!(0.0 <= low && low <= high && high <= 340.0, "{path}");
    assert!(
        0.0 <= top && top < middle && middle < top + down && top + down <= height,
        "{path}"
    );
}

#[test]
fn a_difference_is_said_in_words() {
    let report = report(Protocol::Temporal);
    let said = |model: usize| words::comparison(&report.models[model].name, &report.models[model].paired[0]);
    assert_eq!(
        said(1),
        "ranker is better than popularity: +0.1500 NDCG@20 (95 % interval +0.1400 to +0.1600), p < 0.001; better for 1,200 viewers, worse \
         for 34"
    );
    assert!(said(2).contains("popularity do not differ beyond chance: -0.0100") && said(2).contains("p = 0.200"));
    let worse = PairedTest {
        difference: -0.1,
        p_value: 0.049,
        ..report.models[1].paired[0].clone()
    };
    assert!(words::comparison("ease", &worse).starts_with("ease is worse than popularity: -0.1000"));
}

#[test]
fn a_single_model_without_any_segment_makes_a_page_too() {
    let mut report = report(Protocol::LastOut);
    report.models.truncate(1);
    report.segments.clear();
    let pieces = read(&html(&report, "data"));
    assert_eq!(labels(&pieces).len(), 15);
    assert!(table(&report).starts_with("model"));
}

#[test]
fn the_terminal_says_what_differs() {
    let text = table(&report(Protocol::Temporal));
    assert!(text.contains("ranker is better than popularity"), "{text}");
    assert_eq!(
        text.matches("NDCG@20").count(),
        2,
        "of the headline figure alone: {text}"
    );
}
