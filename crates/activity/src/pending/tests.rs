//! The write-behind map by itself.

use contract::{ProfileId, TitleId, activity::Progress};

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

const ANN: ProfileId = ProfileId(1);
const BOB: ProfileId = ProfileId(2);

#[test]
fn positions_of_one_title_become_one() {
    let pending = Pending::new(10);
    for step in 1..=5 {
        assert!(pending.put(ANN, TitleId(1), &at(step * 100, step as i64)));
    }
    assert_eq!(pending.len(), 1);
    assert_eq!(pending.waiting(None, 10)[0].progress, at(500, 5));
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
    let flushed = pending.waiting(None, 10);
    assert_eq!(flushed.len(), 2);
    assert_eq!(
        pending.get(ANN, TitleId(1)),
        Some(at(100, 1)),
        "readable until it is written"
    );
    pending.put(ANN, TitleId(1), &at(200, 2));
    pending.written(&flushed);
    assert_eq!(pending.len(), 1);
    assert_eq!(
        pending.get(ANN, TitleId(1)).map(|progress| progress.position_ms),
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
