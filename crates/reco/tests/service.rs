//! Training for a service, the artefact, the guard, and the evaluation report.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod common;

use common::{ITEMS, STEP, history, planted, planted_features, planted_keys, planted_recommender};
use reco::{
    Dataset, EvaluateOptions, Event, Interaction, ItemFeatures, ItemSet, MODEL_NAMES, Model, Outcome, Pace, Part,
    Protocol, RecoError, Recommender, Scratch, TrainConfig, Trained, compare, evaluate, train,
};
use std::cell::{Cell, RefCell};
use std::time::Duration;

fn config() -> TrainConfig {
    TrainConfig {
        base: common::small_base(),
        ..TrainConfig::default()
    }
}

fn trained(config: &TrainConfig) -> Trained {
    let (data, now) = (planted(), 600 * STEP);
    train(&data, &planted_keys(), &planted_features(), config, now, &|_, _| Ok(())).expect("trains")
}

#[test]
fn training_reports_progress_and_figures() {
    let stages = RefCell::new(Vec::new());
    let record = |stage: &str, share: f32| {
        stages.borrow_mut().push((stage.to_owned(), share));
        Ok(())
    };
    let (data, keys) = (planted(), planted_keys());
    let done = train(&data, &keys, &planted_features(), &config(), 600 * STEP, &record);
    let done = done.expect("trains");
    let stages = stages.into_inner();
    assert!(stages.windows(2).all(|w| w[0].1 <= w[1].1), "{stages:?}");
    assert_eq!(stages.last().map(|s| s.1), Some(1.0));
    assert_eq!(done.metrics.models.len(), MODEL_NAMES.len());
    assert_eq!(done.metrics.cases, done.held_out.len());
    assert_eq!(done.recommender.trained_through(), 599 * STEP);
    assert!(done.rehearsal.trained_through() < 599 * STEP);
}

#[test]
fn training_ends_where_it_is_told_to() {
    let seen = RefCell::new(0);
    let stop = |_: &str, _: f32| {
        *seen.borrow_mut() += 1;
        if *seen.borrow() < 3 {
            Ok(())
        } else {
            Err(RecoError::Cancelled)
        }
    };
    let done = train(
        &planted(),
        &planted_keys(),
        &planted_features(),
        &config(),
        600 * STEP,
        &stop,
    );
    assert_eq!(done.err(), Some(RecoError::Cancelled));
    assert_eq!(*seen.borrow(), 3, "nothing goes on after that");
}

/// A model in service that has learned more than nine tenths of the events would win any comparison that begins there.
#[test]
fn judging_begins_where_the_model_in_service_ended() {
    let known = 590 * STEP;
    let config = TrainConfig {
        known_through: Some(known),
        ..config()
    };
    let done = trained(&config);
    assert_eq!(done.rehearsal.trained_through(), known);
    assert!(!done.held_out.is_empty() && done.held_out.len() < trained(&self::config()).held_out.len());
    // A clock that was ahead must not end all judging.
    let ahead = TrainConfig {
        known_through: Some(i64::MAX),
        ..config
    };
    assert_eq!(trained(&ahead).held_out.len(), trained(&self::config()).held_out.len());
}

#[test]
fn training_is_deterministic() {
    let parts = |t: Trained| t.recommender.save_parts().expect("saves");
    assert!(parts(trained(&config())) == parts(trained(&config())));
}

/// Whoever brings ratings of years ago and then begins to watch.
#[test]
fn years_of_silence_age_nothing() {
    let train_on = |data: &Dataset| {
        let now = data.newest().expect("events");
        train(data, &planted_keys(), &planted_features(), &config(), now, &|_, _| {
            Ok(())
        })
        .expect("trains")
    };
    let before = planted();
    let again = Interaction {
        user: 0,
        item: 0,
        weight: 1.0,
        at: before.newest().expect("events") + 10 * 365 * 24 * STEP,
    };
    let events = before.interactions().chain([again]);
    let after = Dataset::from_interactions(before.users(), before.items(), events).expect("builds");
    let lively = |trained: &Trained| {
        let scores = trained.recommender.trending_model().scores()[1..40].to_vec();
        let highest = scores.iter().copied().fold(0.0, f32::max);
        scores
            .iter()
            .map(|score| (100.0 * score / highest).round())
            .collect::<Vec<_>>()
    };
    assert_eq!(lively(&train_on(&after)), lively(&train_on(&before)));
}

#[test]
fn a_handful_of_events_trains_without_a_rehearsal() {
    let data = Dataset::from_interactions(
        1,
        2,
        [Interaction {
            user: 0,
            item: 1,
            weight: 1.0,
            at: 5,
        }],
    )
    .expect("builds");
    let done = train(&data, &[8, 9], &ItemFeatures::none(2), &config(), 9, &|_, _| Ok(()));
    let done = done.expect("trains");
    assert!(done.metrics.models.is_empty() && done.held_out.is_empty());
    assert_eq!(done.recommender.popular(5, &ItemSet::default())[0].item, 1);
    let empty = data.filtered(|_| false);
    let refused = train(&empty, &[8, 9], &ItemFeatures::none(2), &config(), 9, &|_, _| Ok(()));
    assert!(matches!(refused.err(), Some(RecoError::Data(_))));
}

#[test]
fn parts_round_trip_in_any_order() {
    let model = trained(&config()).recommender;
    let mut parts = model.save_parts().expect("saves");
    parts.reverse();
    let loaded = Recommender::load_parts(&parts).expect("loads");
    assert_eq!(loaded, model);
    assert_eq!(loaded.index_of(1003), Some(3));
    assert_eq!(loaded.index_of(3), None);
    assert_eq!(loaded.key_of(3), 1003);
}

fn refusal(parts: &[Part]) -> String {
    Recommender::load_parts(parts).expect_err("refused").to_string()
}

#[test]
fn damaged_parts_are_refused_by_name() {
    let whole = planted_recommender().save_parts().expect("saves");
    for index in 0..whole.len() {
        let name = whole[index].0.clone();
        let mut cut = whole.clone();
        let half = cut[index].1.len() / 2;
        cut[index].1.truncate(half);
        assert!(refusal(&cut).contains(&name), "{name} cut");
        let mut missing = whole.clone();
        missing.remove(index);
        assert!(refusal(&missing).contains(&name), "{name} missing");
        if name != "manifest.json" {
            let mut altered = whole.clone();
            let last = altered[index].1.len() - 1;
            altered[index].1[last] ^= 0x40;
            assert!(refusal(&altered).contains("checksum"), "{name} altered");
        }
    }
}

#[test]
fn values_that_are_not_finite_are_refused_even_with_a_right_checksum() {
    let mut bytes = planted_recommender().bases().ials.save().expect("saves");
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = reco::load_model(&bytes).err().expect("refused").to_string();
    assert!(error.contains("vectors") && error.contains("NaN"), "{error}");
}

#[test]
fn two_titles_with_one_id_are_refused() {
    let model = planted_recommender();
    let mut keys = planted_keys();
    keys[1] = keys[0];
    let refused = Recommender::new(model.bases().clone(), model.ranker().clone(), &keys, 0);
    assert!(refused.unwrap_err().to_string().contains("stands twice"));
    let refused = Recommender::new(model.bases().clone(), model.ranker().clone(), &[1], 0);
    assert!(refused.is_err());
}

#[test]
fn the_guard_tells_a_worse_model_from_an_equal_one() {
    let good = trained(&config());
    let same = compare(&good.rehearsal, &good.rehearsal, &good.held_out, 1);
    assert_eq!(same.outcome, Outcome::Equal);
    assert_eq!(same.difference, 0.0);
    assert_eq!(same.cases, good.held_out.len());
    // A model over unrelated titles knows nothing of the histories and finds none of the targets.
    let other = {
        let model = planted_recommender();
        let keys: Vec<i64> = (0..ITEMS as i64).map(|i| 5000 + i).collect();
        Recommender::new(model.bases().clone(), model.ranker().clone(), &keys, 0).expect("fits")
    };
    let better = compare(&other, &good.rehearsal, &good.held_out, 1);
    assert_eq!(better.outcome, Outcome::Better);
    assert!(better.interval.0 > 0.0 && better.current == 0.0);
    assert_eq!(compare(&good.rehearsal, &other, &[], 1).outcome, Outcome::Unknown);
}

/// A clock by which each round over the viewers takes so long, of the first model and of the second.
fn clock(first: impl Fn(u32) -> Duration, second: impl Fn(u32) -> Duration) -> impl FnMut() -> Duration {
    let (mut calls, mut now) = (0, Duration::ZERO);
    move || {
        // Once at the beginning of a round; then before and after each model.
        match calls % 5 {
            2 => now += first(calls / 5),
            4 => now += second(calls / 5),
            _ => {}
        }
        calls += 1;
        now
    }
}

#[test]
fn the_guard_tells_a_much_slower_model_from_noise() {
    let good = trained(&config());
    let model = &good.rehearsal;
    let viewers = good.held_out.len() as u32;
    let all = |us: u64| Duration::from_micros(us) * viewers;
    let pace = |first: u64, second: u64| {
        Pace::measure(
            model,
            model,
            &good.held_out,
            &mut clock(|_| all(first), |_| all(second)),
        )
    };
    let slow = pace(1_000, 3_100);
    assert!(
        (slow.current_us - 1_000.0).abs() < 1e-6 && (slow.candidate_us - 3_100.0).abs() < 1e-6,
        "{slow:?}"
    );
    assert_eq!((slow.cases, slow.is_much_slower()), (good.held_out.len(), true));
    assert!(!pace(1_000, 2_900).is_much_slower());
    assert!(!pace(10, 900).is_much_slower(), "below a millisecond nobody waits");
    assert!(pace(10, 1_100).is_much_slower());
    // One undisturbed round is enough.
    let disturbed = |round: u32| all(if round == 3 { 1_000 } else { 90_000 });
    let pace = Pace::measure(model, model, &good.held_out, &mut clock(|_| all(1_000), disturbed));
    assert!(!pace.is_much_slower(), "{pace:?}");
    let nobody = Pace::measure(model, model, &[], &mut clock(|_| all(1), |_| all(1_000_000)));
    assert!(!nobody.is_much_slower() && nobody.cases == 0);
}

#[test]
fn timing_two_models_ends_soon_where_both_are_slow() {
    let good = trained(&config());
    let asked = Cell::new(0);
    let mut slow = clock(|_| Duration::from_secs(3), |_| Duration::from_secs(3));
    let mut counted = || {
        asked.set(asked.get() + 1);
        slow()
    };
    let pace = Pace::measure(&good.rehearsal, &good.rehearsal, &good.held_out, &mut counted);
    assert_eq!(asked.get(), 6, "one round, and the look at the clock that ended it");
    assert_eq!(pace.current_us, 3e6 / good.held_out.len() as f64);
}

#[test]
fn more_titles_may_take_longer() {
    let good = trained(&config());
    let half = (ITEMS / 2) as u32;
    let fewer: Vec<Interaction> = planted().interactions().filter(|i| i.item < half).collect();
    let fewer = Dataset::from_interactions(common::USERS, ITEMS / 2, fewer).expect("builds");
    let (keys, none) = (planted_keys(), ItemFeatures::none(ITEMS / 2));
    let small = train(&fewer, &keys[..ITEMS / 2], &none, &config(), 600 * STEP, &|_, _| Ok(())).expect("trains");
    let all = |us: u64| Duration::from_micros(us) * good.held_out.len() as u32;
    let pace = |candidate: u64| {
        let mut clock = clock(|_| all(1_000), |_| all(candidate));
        Pace::measure(&small.recommender, &good.rehearsal, &good.held_out, &mut clock)
    };
    assert!(!pace(5_900).is_much_slower(), "twice the titles, twice the time");
    assert!(pace(6_100).is_much_slower());
}

#[test]
fn an_explanation_names_titles_of_the_history_and_taste() {
    let model = trained(&config()).recommender;
    let seen = history(&[25, 2, 3]);
    let list = model.recommend(&seen, 1, &ItemSet::default(), &mut Scratch::default());
    let why = model.explain(&seen, list[0].item);
    assert!(!why.is_empty());
    assert!(why.iter().all(|c| [25, 2, 3].contains(&c.item)));
    assert!([2, 3].contains(&why[0].item), "{why:?}");
}

/// How far ahead of the mean candidate a title is for this history.
fn lead(model: &Recommender, history: &[Event], item: u32) -> f32 {
    let why = model.attribute_where(history, item, &|_| true, &mut Scratch::default());
    why.map_or(0.0, |why| why.lead)
}

/// A reason is true: what it names can be taken out of the history, and what it was given for falls.
#[test]
fn without_the_title_that_a_reason_names_the_recommendation_falls() {
    let model = trained(&config()).recommender;
    let (mut named, mut least) = (0.0, 0.0);
    for first in 0..20 {
        let taste = first % 2 * 20;
        let watched: Vec<u32> = [0, 2, 5, 9].map(|step| taste + (first + step) % 20).into();
        let seen = history(&watched);
        let mut scratch = Scratch::default();
        let mut ranked = model.rank_where(&seen, 3, &|_| true, &mut scratch);
        let best: Vec<u32> = ranked.list().iter().map(|scored| scored.item).collect();
        for why in ranked.attribute(&best).into_iter().flatten() {
            let (most, last) = (why.titles[0], why.titles[why.titles.len() - 1]);
            assert!(
                most.contribution > 0.0,
                "nothing of {watched:?} speaks for {}",
                why.item
            );
            let without = |item: u32| {
                let rest: Vec<Event> = seen.iter().filter(|event| event.item != item).copied().collect();
                why.lead - lead(&model, &rest, why.item)
            };
            let fall = without(most.item);
            assert!(fall > 0.0, "{} without {} of {watched:?}: {fall}", why.item, most.item);
            named += fall;
            least += without(last.item);
        }
    }
    assert!(named > 2.0 * least, "named {named}, least {least}");
}

#[test]
fn trending_and_popular_honour_exclusions_and_know_no_unseen_title() {
    let model = planted_recommender();
    let excluded = ItemSet::of(ITEMS, 0..10);
    for list in [model.trending(100, &excluded), model.popular(100, &excluded)] {
        assert!(list.iter().all(|s| (10..40).contains(&s.item)));
        assert_eq!(list.len(), 30);
    }
}

#[test]
fn evaluation_reports_every_model_with_intervals() {
    let options = EvaluateOptions {
        keep_rankings: true,
        base: Some(common::small_base()),
        ..EvaluateOptions::default()
    };
    let (data, features) = (planted(), planted_features());
    let done = evaluate(Protocol::LastOut, &data, &features, &MODEL_NAMES, &options);
    let done = done.expect("evaluates");
    let json = serde_json::to_value(&done.report).expect("serialises");
    assert_eq!(json["protocol"], "last-out");
    for (model, name) in done.report.models.iter().zip(MODEL_NAMES) {
        assert_eq!(model.name, name);
        let (low, high) = model.intervals["ndcg@10"];
        let mean = model.metrics["ndcg@10"];
        assert!(low <= mean && mean <= high);
        assert_eq!(done.rankings[name].len(), common::USERS);
        assert!(done.rankings[name].iter().all(|r| r.items.len() >= ITEMS - 10));
    }
    let found = |name: &str| {
        let model = done.report.models.iter().find(|m| m.name == name);
        model.expect("reported").metrics["ndcg@10"]
    };
    assert!(found("cooccurrence") > found("popularity") + 0.2);
    assert!(found("ranker") > found("popularity") + 0.2);
}

#[test]
fn an_unknown_model_is_named_in_the_error() {
    let (data, features) = (planted(), planted_features());
    let options = EvaluateOptions::default();
    let error = evaluate(Protocol::LastOut, &data, &features, &["oracle"], &options).unwrap_err();
    assert_eq!(error, RecoError::UnknownModel("oracle".into()));
}
