//! What is expected to be watched follows how quickly fashions passed before, whatever half-life trending is given.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod common;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reco::{Dataset, EvaluateOptions, Interaction, ItemFeatures, Outlook, Protocol, evaluate};

const DAY: i64 = 24 * 60 * 60 * 1000;
/// They end, and every tenth of them begins, within a fashion.
const DAYS: i64 = 115;
/// Titles that are watched alike all the time; those before them are in fashion one after the other.
const LASTING: std::ops::Range<u32> = 40..60;

/// `daily` events a day, each of a viewer of its own: two of three on the title that is in fashion, which it is for ten days.
fn fashions(daily: i64) -> Dataset {
    let event = |n: i64| {
        let day = n / daily;
        let item = match n % 3 {
            0 => LASTING.start + (n / 3 % i64::from(LASTING.end - LASTING.start)) as u32,
            _ => (day / 10) as u32,
        };
        let at = n * DAY / daily;
        interaction(n as u32, item, at)
    };
    Dataset::from_interactions(0, LASTING.end as usize, (0..daily * DAYS).map(event)).expect("builds")
}

/// Nothing ever changes but by chance.
fn habits() -> Dataset {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let event = |n: i64| interaction(n as u32, (rng.random::<f32>().powi(2) * 60.0) as u32, n * DAY / 30);
    let events: Vec<Interaction> = (0..30 * DAYS).map(event).collect();
    Dataset::from_interactions(0, 60, events).expect("builds")
}

fn interaction(user: u32, item: u32, at: i64) -> Interaction {
    Interaction {
        user,
        item,
        weight: 1.0,
        at,
    }
}

fn outlook(data: &Dataset, half_life: i64) -> Outlook {
    Outlook::train(data, data.newest().unwrap_or_default(), half_life, 0.5)
}

/// What the quicker paces count, and what the slower.
fn quick_and_slow(outlook: &Outlook) -> (f32, f32) {
    let weights = outlook.weights();
    (weights[..2].iter().sum(), weights[3..].iter().sum())
}

#[test]
fn where_fashions_pass_the_newest_is_expected() {
    for half_life in [2 * DAY, 7 * DAY, 30 * DAY] {
        let outlook = outlook(&fashions(30), half_life);
        let scores = outlook.scores();
        let newest = (DAYS / 10) as usize;
        let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        assert_eq!(best, Some(newest), "{half_life}: {:?}", outlook.weights());
        assert!(scores[newest] > 1.5 * scores[newest - 1], "{half_life}: {scores:?}");
        let sum: f32 = scores.iter().sum();
        assert!((sum - 10_000.0).abs() < 1.0, "{sum}");
    }
    let (quick, slow) = quick_and_slow(&outlook(&fashions(30), 7 * DAY));
    assert!(quick > 2.0 * slow, "{quick} {slow}");
}

#[test]
fn where_nothing_passes_all_that_was_counts() {
    let (quick, slow) = quick_and_slow(&outlook(&habits(), 7 * DAY));
    assert!(slow > 2.0 * quick, "{quick} {slow}");
}

#[test]
fn where_little_came_every_pace_counts_alike() {
    let nothing = Dataset::from_interactions(1, 3, []).expect("builds");
    let outlook = outlook(&nothing, DAY);
    let even = 1.0 / outlook.weights().len() as f32;
    assert!(outlook.weights().iter().all(|weight| (weight - even).abs() < 1e-6));
    assert_eq!(outlook.scores(), [0.0; 3]);
}

/// A clock that was ahead, and events that nobody liked.
#[test]
fn what_is_later_than_now_counts_as_now_and_what_was_disliked_not_at_all() {
    let disliked = Interaction {
        weight: -1.0,
        ..interaction(2, 1, 5 * DAY)
    };
    let events = [interaction(0, 0, 0), interaction(1, 2, i64::MAX), disliked];
    let data = Dataset::from_interactions(3, 3, events).expect("builds");
    let outlook = Outlook::train(&data, 6 * DAY, DAY, 0.5);
    let scores = outlook.scores();
    assert!(
        scores[2] > scores[0] && scores[0] > 0.0 && scores[1] == 0.0,
        "{scores:?}"
    );
}

#[test]
fn any_number_of_threads_expects_the_same() {
    let data = fashions(30);
    let bytes = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let outlook = pool.expect("a pool").install(|| outlook(&data, 7 * DAY));
        outlook.save().expect("saves")
    };
    assert!(bytes(1) == bytes(3));
}

#[test]
fn it_is_read_as_it_was_written_and_refused_otherwise() {
    let outlook = outlook(&fashions(6), 7 * DAY);
    let bytes = outlook.save().expect("saves");
    assert_eq!(Outlook::load(&bytes).expect("loads"), outlook);
    assert!(Outlook::load(&bytes[..bytes.len() - 4]).is_err());
}

/// Trending forgets much too slowly here, and there are too few viewers for trees: the ranker finds what is in fashion all the same.
#[test]
fn a_small_service_with_the_wrong_half_life_still_finds_the_fashion() {
    let mut base = common::small_base();
    base.trending_half_life = 60 * DAY;
    let options = EvaluateOptions {
        base: Some(base),
        ..EvaluateOptions::default()
    };
    let (data, features) = (fashions(3), ItemFeatures::none(LASTING.end as usize));
    let names = ["trending", "ranker"];
    let done = evaluate(Protocol::Temporal, &data, &features, &names, &options).expect("evaluates");
    let found = |index: usize| done.report.models[index].metrics["ndcg@20"];
    assert!(found(1) > found(0) + 0.05, "{} {}", found(0), found(1));
}
