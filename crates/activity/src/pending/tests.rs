//! The write-behind map by itself.

use contract::{ProfileId, TitleId, activity::Progress};
use proptest::prelude::*;

use super::*;

fn at(position_ms: u64, at: i64) -> Progress {
    Progress {
        position_ms,
        duration_ms: 1_000,
        watched: position_ms as f32 / 1_000.0,
        finished: false,
        at,
    }
}

fn steps(pending: &Pending) -> Vec<Progress> {
    let waiting = pending.waiting(10);
    waiting[0].steps().cloned().collect()
}

const ANN: ProfileId = ProfileId(1);
const BOB: ProfileId = ProfileId(2);

#[test]
fn positions_of_one_title_become_one() {
    let pending = Pending::new(10);
    for step in 1..=5 {
        assert!(pending.put(ANN, TitleId(1), &at(step * 100, step as i64)));
    }
    assert_eq!(pending.len(), 1);
    assert_eq!(steps(&pending), [at(500, 5)]);
}

#[test]
fn a_full_map_takes_known_titles_only() {
    let pending = Pending::new(2);
    assert!(pending.put(ANN, TitleId(1), &at(1, 1)) && pending.put(ANN, TitleId(2), &at(1, 1)));
    assert!(!pending.put(BOB, TitleId(1), &at(1, 1)));
    assert!(!pending.has(BOB));
    assert!(pending.put(ANN, TitleId(1), &at(2, 2)));
    pending.discard(ANN, TitleId(2));
    assert!(pending.put(BOB, TitleId(1), &at(1, 1)));
    pending.discard_profile(ANN);
    assert_eq!(pending.len(), 1);
}

#[test]
fn a_report_during_a_flush_stays() {
    let pending = Pending::new(10);
    pending.put(ANN, TitleId(1), &at(100, 1));
    pending.put(ANN, TitleId(2), &at(100, 1));
    let flushed = pending.waiting(10);
    assert_eq!(flushed.len(), 2);
    assert_eq!(
        pending.over(ANN, TitleId(1), None),
        Some(at(100, 1)),
        "readable until it is written"
    );
    pending.put(ANN, TitleId(1), &at(200, 2));
    pending.written(&flushed);
    assert_eq!(pending.len(), 1);
    assert_eq!(
        pending.over(ANN, TitleId(1), None).map(|progress| progress.position_ms),
        Some(200)
    );
}

#[test]
fn what_waits_is_laid_over_what_was_read() {
    let pending = Pending::new(10);
    pending.put(ANN, TitleId(1), &at(500, 5));
    pending.put(ANN, TitleId(2), &at(100, 1));
    let read = vec![TitleState {
        progress: Some(at(100, 1)),
        ..rules::empty(TitleId(1))
    }];
    let mut some = read.clone();
    assert!(pending.overlay(ANN, &mut some, Some(&[])));
    assert_eq!(some.len(), 1);
    assert_eq!(some[0].progress, Some(at(500, 5)));
    let mut all = read.clone();
    pending.overlay(ANN, &mut all, None);
    assert_eq!(all.len(), 2);
    let mut others = read.clone();
    assert!(!pending.overlay(BOB, &mut others, None));
    assert_eq!(others, read);
}

#[test]
fn a_finished_title_that_is_opened_again_stays_open_when_the_look_goes_on_to_the_last_scene() {
    let finished = Progress {
        finished: true,
        ..at(1_000, 1)
    };
    let pending = Pending::new(10);
    pending.put(ANN, TitleId(1), &at(50, 2));
    pending.put(ANN, TitleId(1), &at(850, 3));
    assert_eq!(steps(&pending), [at(50, 2), at(850, 3)]);
    let known = pending.over(ANN, TitleId(1), Some(finished)).unwrap();
    assert!(!known.finished);
    assert_eq!((known.position_ms, known.watched), (850, 1.0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn reports_that_wait_become_what_each_by_itself_would_have_made(
        stored in prop::option::of((0u64..=1_000, Just(0))),
        mut reports in prop::collection::vec((0u64..=1_000, 0i64..20), 1..8),
    ) {
        reports.sort_by_key(|(_, time)| *time);
        let progress = |(position_ms, time): (u64, i64)| Progress {
            finished: position_ms >= 950,
            ..at(position_ms, time)
        };
        let stored = stored.map(progress);
        let pending = Pending::new(10);
        let mut one_by_one = stored.clone();
        for report in reports.into_iter().map(progress) {
            pending.put(ANN, TitleId(1), &report);
            one_by_one = Some(rules::merge(one_by_one.as_ref(), &report));
        }
        prop_assert_eq!(pending.over(ANN, TitleId(1), stored), one_by_one);
    }
}
