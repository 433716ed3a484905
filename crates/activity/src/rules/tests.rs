//! The rules, without a database.

use contract::{
    ProfileId, TitleId,
    activity::{ActivityError, HalfStars, Opinion, PlayState, Progress, ReportProgress, TitleState},
};
use proptest::prelude::*;

use super::*;

fn report(position_ms: u64, state: PlayState, at: Millis) -> ReportProgress {
    ReportProgress {
        profile: ProfileId(1),
        title: TitleId(1),
        position_ms,
        duration_ms: 100_000,
        credits_ms: Some(92_000),
        state,
        at,
    }
}

fn watched(position_ms: u64, at: Millis) -> Progress {
    progress(&report(position_ms, PlayState::Playing, at), i64::MAX).unwrap()
}

#[test]
fn finished_is_95_percent_or_the_credits_or_ended_near_the_end() {
    let finished = |req: ReportProgress| progress(&req, 0).unwrap().finished;
    let without_credits = |position| ReportProgress {
        credits_ms: None,
        ..report(position, PlayState::Playing, 0)
    };
    assert!(!finished(without_credits(94_999)));
    assert!(finished(without_credits(95_000)));
    assert!(!finished(report(91_999, PlayState::Playing, 0)));
    assert!(finished(report(92_000, PlayState::Paused, 0)));
    assert!(!finished(report(60_000, PlayState::Ended, 0)), "closed in the middle");
    assert!(finished(report(86_000, PlayState::Ended, 0)));
    assert!(
        !finished(ReportProgress {
            credits_ms: Some(0),
            ..report(0, PlayState::Playing, 0)
        }),
        "nonsense credits"
    );
}

#[test]
fn positions_outside_of_the_title_are_refused() {
    for req in [
        ReportProgress {
            duration_ms: 0,
            ..report(0, PlayState::Playing, 0)
        },
        report(110_001, PlayState::Playing, 0),
        report(u64::MAX, PlayState::Playing, 0),
        ReportProgress {
            duration_ms: u64::MAX,
            ..report(1, PlayState::Playing, 0)
        },
        report(1, PlayState::Playing, -1),
    ] {
        assert_eq!(progress(&req, 0), Err(ActivityError::PositionInvalid), "{req:?}");
    }
    assert_eq!(
        progress(&report(105_000, PlayState::Playing, 0), 0)
            .unwrap()
            .position_ms,
        100_000
    );
}

#[test]
fn a_players_clock_that_runs_ahead_is_held_to_now() {
    assert_eq!(progress(&report(1, PlayState::Playing, i64::MAX), 77).unwrap().at, 77);
}

#[test]
fn the_newest_position_by_the_players_clock_wins_and_the_furthest_share_stays() {
    let merged = merge(Some(&watched(50_000, 20)), &watched(30_000, 10));
    assert_eq!((merged.position_ms, merged.at, merged.watched), (50_000, 20, 0.5));
    let merged = merge(Some(&watched(50_000, 20)), &watched(30_000, 30));
    assert_eq!((merged.position_ms, merged.at, merged.watched), (30_000, 30, 0.5));
}

#[test]
fn watching_again_opens_a_finished_title_and_keeps_its_share() {
    let finished = watched(96_000, 10);
    assert!(
        merge(Some(&finished), &watched(85_000, 20)).finished,
        "a look back at the last scene"
    );
    let again = merge(Some(&finished), &watched(5_000, 20));
    assert!(!again.finished);
    assert!(again.watched > 0.95);
    assert!(
        merge(Some(&finished), &watched(5_000, 5)).finished,
        "a late report from before"
    );
}

#[test]
fn every_action_says_truly_what_it_changed() {
    let mut state = empty(TitleId(1));
    let five = Opinion::Stars(HalfStars::new(10).unwrap());
    let both = Effect {
        changed: true,
        acted: true,
        favours: false,
    };
    let first = Effect { favours: true, ..both };
    assert_eq!(apply(&mut state, &Action::Rate(five, 10)), first);
    assert_eq!(apply(&mut state, &Action::Rate(five, 20)), Effect::default());
    assert_eq!(apply(&mut state, &Action::Rate(Opinion::Like, 5)), both);
    assert_eq!(
        state.rated_at,
        Some(10),
        "a clock set back does not make a rating older"
    );
    let position = apply(&mut state, &Action::Watch(watched(10_000, 30)));
    assert_eq!(
        position,
        Effect {
            changed: true,
            ..Effect::default()
        }
    );
    assert_eq!(apply(&mut state, &Action::Watch(watched(99_000, 40))), both);
    assert_eq!(apply(&mut state, &Action::MarkWatched(50)), Effect::default());
    assert_eq!(apply(&mut state, &Action::List(60)), both);
    assert_eq!(apply(&mut state, &Action::List(70)), Effect::default());
    assert_eq!(apply(&mut state, &Action::Forget), both);
    assert_eq!(
        state,
        TitleState {
            listed_at: Some(60),
            ..empty(TitleId(1))
        },
        "a list entry is not a memory"
    );
    assert_eq!(apply(&mut state, &Action::Unlist), both);
    assert!(is_empty(&state));
    assert_eq!(apply(&mut state, &Action::Unrate), Effect::default());
    assert_eq!(apply(&mut state, &Action::MarkWatched(80)), first);
    assert_eq!(
        state
            .progress
            .as_ref()
            .map(|progress| (progress.finished, progress.watched)),
        Some((true, 1.0))
    );
}

#[test]
fn opinions_survive_their_stored_form() {
    let stars = (1..=10).filter_map(HalfStars::new).map(Opinion::Stars);
    for opinion in stars.chain([Opinion::Like, Opinion::Dislike]) {
        assert_eq!(opinion_of(opinion_code(opinion)), Some(opinion));
    }
    for code in [0, 11, 100, 103, -1, 266] {
        assert_eq!(opinion_of(code), None);
    }
}

proptest! {
    /// Reports may arrive in any order: the position and the share come out the same.
    #[test]
    fn the_order_of_arrival_does_not_matter(mut reports in prop::collection::vec((0u64..100_000, 0i64..1_000_000), 1..8)) {
        reports.sort_by_key(|report| report.1);
        reports.dedup_by_key(|report| report.1);
        let fold = |reports: &mut dyn Iterator<Item = &(u64, i64)>| {
            reports.fold(None, |known: Option<Progress>, (position, at)| Some(merge(known.as_ref(), &watched(*position, *at))))
        };
        let (forwards, backwards) = (fold(&mut reports.iter()), fold(&mut reports.iter().rev()));
        let key = |progress: Option<Progress>| progress.map(|progress| (progress.position_ms, progress.at, progress.watched));
        prop_assert_eq!(key(forwards), key(backwards));
    }
}

#[test]
fn only_a_turn_to_its_favour_favours_a_title() {
    let stars = |half_stars| Action::Rate(Opinion::Stars(HalfStars::new(half_stars).unwrap()), 10);
    let cases = [
        (vec![], stars(2), false),
        (vec![], stars(6), false),
        (vec![], stars(7), true),
        (vec![], Action::Rate(Opinion::Dislike, 10), false),
        (vec![], Action::List(10), true),
        (vec![], Action::Watch(watched(50_000, 10)), false),
        (vec![], Action::Watch(watched(99_000, 10)), true),
        (vec![stars(9)], stars(10), false),
        (vec![stars(9)], Action::Unrate, false),
        (vec![stars(2)], stars(9), true),
        (vec![Action::List(5)], Action::Watch(watched(99_000, 10)), false),
        (vec![Action::Rate(Opinion::Dislike, 5)], Action::List(10), false),
    ];
    for (before, action, favours) in cases {
        let mut state = empty(TitleId(1));
        for action in &before {
            apply(&mut state, action);
        }
        assert_eq!(
            apply(&mut state, &action).favours,
            favours,
            "{action:?} after {before:?}"
        );
    }
}
