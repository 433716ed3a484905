//! On a simulated audience whose true tastes are known, each method of `reco::experiment` finds a planted improvement and does not find
//! one that is not there. The long form, with more experiments, is `examples/experiments.rs`.

#[path = "common/audience.rs"]
mod audience;

use audience::{ALPHA, Audience, Ranking, ab, interleaved, replayed};

/// The one that serves, one as good, a better one.
const SERVES: Ranking = Ranking::new(1.0, 1);
const AS_GOOD: Ranking = Ranking::new(1.0, 2);
const BETTER: Ranking = Ranking::new(0.6, 3);

#[test]
fn an_ab_that_is_read_after_every_viewer_seldom_sees_what_is_not_there() {
    let found = ab(&Audience::new(1), [SERVES, AS_GOOD], 2_000, 300);
    println!("A/B, nothing planted: {found:?}");
    assert!(found.any() <= ALPHA, "false alarms at any reading: {found:?}");
    assert!(found.harmful <= ALPHA, "false alarms of the guard: {found:?}");
    assert!(
        found.naive > 0.15,
        "a test that may be read once, read as often, would have cried wolf: {found:?}"
    );
}

#[test]
fn an_ab_sees_what_is_there() {
    let found = ab(&Audience::new(1), [SERVES, BETTER], 4_000, 100);
    println!("A/B, planted improvement: {found:?}");
    assert!(found.better >= 0.8, "power: {found:?}");
    assert!(found.worse <= 0.02, "{found:?}");
}

#[test]
fn a_guard_stops_what_pleases_at_first_and_disappoints() {
    let bait = Ranking { bait: 1.5, ..SERVES };
    let found = ab(&Audience::new(1), [SERVES, Ranking { seed: 4, ..bait }], 3_000, 60);
    println!("A/B, more plays and more dislikes: {found:?}");
    assert!(found.better >= 0.8 && found.harmful >= 0.8, "{found:?}");
}

#[test]
fn interleaving_seldom_sees_what_is_not_there() {
    let found = interleaved(&Audience::new(1), [SERVES, AS_GOOD], 1_500, 300);
    println!("interleaving, nothing planted: {found:?}");
    assert!(found.any() <= ALPHA, "false alarms at any reading: {found:?}");
    assert!(found.naive > 0.15, "{found:?}");
}

#[test]
fn interleaving_sees_what_is_there_with_fewer_viewers_than_an_ab() {
    let audience = Audience::new(1);
    let found = interleaved(&audience, [SERVES, BETTER], 1_500, 100);
    println!("interleaving, planted improvement: {found:?}");
    assert!(found.better >= 0.9, "power: {found:?}");
    assert!(found.worse <= 0.02, "{found:?}");
    let as_few = ab(&audience, [SERVES, BETTER], 1_500, 100);
    println!("A/B, as few viewers: {as_few:?}");
    assert!(found.better > as_few.better, "{found:?} against {as_few:?}");
}

#[test]
fn off_policy_estimates_know_what_a_better_policy_would_have_earned() {
    let sharper = Ranking {
        sharpness: 2.0,
        ..Ranking::new(0.3, 3)
    };
    let (truth, found) = replayed(&Audience::new(1), SERVES, sharper, 2_000, 100);
    println!("off-policy, planted improvement {truth:?}: {found:#?}");
    for it in &found {
        assert!(it.held >= 0.9, "its 95 % interval holds the truth: {it:?}");
        assert!(it.bias.abs() < 0.02 * truth[1], "{it:?}, truth {truth:?}");
        assert!(it.better >= 0.8 && it.worse == 0.0, "power: {it:?}");
    }
    let [ips, _, doubly_robust] = &found[..] else {
        panic!("three methods")
    };
    assert!(doubly_robust.error < ips.error, "{found:?}");
}

#[test]
fn off_policy_estimates_seldom_see_what_is_not_there() {
    let (truth, found) = replayed(&Audience::new(1), SERVES, AS_GOOD, 2_000, 100);
    println!("off-policy, nothing planted {truth:?}: {found:#?}");
    for it in &found {
        assert!(it.held >= 0.9, "{it:?}");
        // Each interval is read once, at 95 %.
        assert!(it.better + it.worse <= 0.1, "false alarms: {it:?}");
    }
}
