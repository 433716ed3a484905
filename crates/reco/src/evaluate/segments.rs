//! Parts of a test that deserve figures of their own: heavy and light viewers, old and new titles, popular and rare ones.

use super::report::{Segment, SegmentOf};
use crate::dataset::Dataset;
use crate::split::{Case, Protocol, Stage};

/// A segment with its viewers, as indices of the stage's cases, and what each of them is asked for.
pub(super) struct Cut {
    pub segment: Segment,
    pub cases: Vec<(usize, Vec<u32>)>,
}

/// All segments of a test that have a viewer in them. Titles have an age only where times are real: in [`Protocol::Temporal`].
pub(super) fn cut(protocol: Protocol, stage: &Stage) -> Vec<Cut> {
    let mut cuts = by_history(&stage.cases);
    cuts.extend(by_age(protocol, stage));
    cuts.extend(by_popularity(stage));
    cuts.retain(|cut| !cut.cases.is_empty());
    cuts
}

/// Thirds of the viewers with a history, by its length; equal lengths stay together, on the lighter side.
fn by_history(cases: &[Case]) -> Vec<Cut> {
    let mut lengths: Vec<usize> = cases.iter().map(|case| case.history.len()).filter(|l| *l > 0).collect();
    lengths.sort_unstable();
    let at = |thirds: usize| {
        lengths
            .get(lengths.len().saturating_sub(1) * thirds / 3)
            .copied()
            .unwrap_or(0)
    };
    let (light, middle) = (at(1), at(2));
    let viewers = |name: &str, rule: String, from: usize, to: usize| {
        let inside = |case: &Case| (from..=to).contains(&case.history.len());
        let chosen = cases.iter().enumerate().filter(|(_, case)| inside(case));
        let chosen = chosen.map(|(index, case)| (index, case.targets.clone())).collect();
        made(name, SegmentOf::Viewers, rule, chosen)
    };
    vec![
        viewers("new viewers", "no event before the test".to_owned(), 0, 0),
        viewers(
            "light viewers",
            format!("1 to {light} events before the test: the lightest third"),
            1,
            light,
        ),
        viewers(
            "middle viewers",
            format!("{} to {middle} events before the test: the middle third", light + 1),
            light + 1,
            middle,
        ),
        viewers(
            "heavy viewers",
            format!("more than {middle} events before the test: the heaviest third"),
            middle + 1,
            usize::MAX,
        ),
    ]
}

/// The third of the titles in training whose first event is newest, the other titles in training, and those without any event.
fn by_age(protocol: Protocol, stage: &Stage) -> Vec<Cut> {
    let data = &*stage.train;
    let first = |item: u32| data.occurrences(item).iter().map(|&at| data.event(at).at).min();
    let is_cold = |item: u32| data.occurrences(item).is_empty();
    let cold = "in no event of training".to_owned();
    let mut cuts = vec![titles(stage, "unseen titles", SegmentOf::TitleAge, cold, is_cold)];
    if protocol != Protocol::Temporal {
        return cuts;
    }
    let mut times: Vec<i64> = (0..data.items() as u32).filter_map(first).collect();
    times.sort_unstable();
    let since = times.get(times.len() * 2 / 3).copied().unwrap_or(i64::MAX);
    let new = "the third of the titles in training whose first event is the newest".to_owned();
    let old = "the other titles in training".to_owned();
    let is_new = |item: u32| first(item).is_some_and(|at| at >= since);
    let is_old = |item: u32| first(item).is_some_and(|at| at < since);
    cuts.push(titles(stage, "new titles", SegmentOf::TitleAge, new, is_new));
    cuts.push(titles(stage, "old titles", SegmentOf::TitleAge, old, is_old));
    cuts
}

/// The titles that together make half of the training's events, and the others that have any.
fn by_popularity(stage: &Stage) -> Vec<Cut> {
    let data = &*stage.train;
    let popular = most_popular_half(data);
    let count = popular.iter().filter(|is_popular| **is_popular).count();
    let half = format!("the {count} most popular titles, which make half of training's events");
    let rest = "the other titles in training".to_owned();
    let is_popular = |item: u32| popular[item as usize];
    let is_rare = |item: u32| !is_popular(item) && !data.occurrences(item).is_empty();
    vec![
        titles(stage, "popular titles", SegmentOf::TitlePopularity, half, is_popular),
        titles(stage, "rare titles", SegmentOf::TitlePopularity, rest, is_rare),
    ]
}

fn most_popular_half(data: &Dataset) -> Vec<bool> {
    let events = |item: u32| data.occurrences(item).len();
    let mut order: Vec<u32> = (0..data.items() as u32).collect();
    order.sort_by_key(|&item| (std::cmp::Reverse(events(item)), item));
    let mut popular = vec![false; data.items()];
    let mut counted = 0;
    for item in order {
        if 2 * counted >= data.len() {
            break;
        }
        counted += events(item);
        popular[item as usize] = true;
    }
    popular
}

fn titles(stage: &Stage, name: &str, of: SegmentOf, rule: String, wants: impl Fn(u32) -> bool) -> Cut {
    let asked = stage.cases.iter().enumerate().map(|(index, case)| {
        let targets: Vec<u32> = case.targets.iter().copied().filter(|&item| wants(item)).collect();
        (index, targets)
    });
    made(
        name,
        of,
        rule,
        asked.filter(|(_, targets)| !targets.is_empty()).collect(),
    )
}

fn made(name: &str, of: SegmentOf, rule: String, cases: Vec<(usize, Vec<u32>)>) -> Cut {
    let segment = Segment {
        name: name.to_owned(),
        of,
        rule,
        cases: cases.len(),
        targets: cases.iter().map(|(_, targets)| targets.len()).sum(),
    };
    Cut { segment, cases }
}
