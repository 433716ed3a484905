//! The inherited suite: every model passes every check.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod common;

use common::{ITEMS, history, planted, planted_features, planted_recommender, small_base, weighted};
use reco::{
    Content, Cooccurrence, Ease, Event, Ials, ItemSet, Model, Popularity, Scored, Scratch, TrainConfig, load_model,
    train,
};

/// A fresh instance of every model, trained on the planted data.
fn models() -> Vec<Box<dyn Model>> {
    let (data, base) = (planted(), small_base());
    let ials = Ials::train(&data, base.ials).expect("ials");
    let mut sparse = base.ease;
    sparse.keep = Some(15);
    let mut dense = base.ease;
    dense.keep = None;
    let mut beyond = base.ease;
    beyond.items_max = 30;
    vec![
        Box::new(Popularity::all_time(&data)),
        Box::new(Popularity::trending(&data, 600 * common::STEP, 24 * common::STEP)),
        Box::new(Content::train(&data, &planted_features(), &ials, base.content).expect("content")),
        Box::new(ials),
        Box::new(Ease::train(&data, sparse).expect("sparse ease")),
        Box::new(Ease::train(&data, dense).expect("dense ease")),
        Box::new(Ease::train(&data, beyond).expect("ease beyond the dense solve")),
        Box::new(Cooccurrence::train(&data, base.cooccurrence).expect("cooccurrence")),
        Box::new(planted_recommender()),
    ]
}

fn each(check: impl Fn(&dyn Model)) {
    models().iter().for_each(|model| check(&**model));
}

fn best(model: &dyn Model, history: &[Event], k: usize) -> Vec<Scored> {
    model.recommend(history, k, &ItemSet::default(), &mut Scratch::default())
}

fn score_of(model: &dyn Model, history: &[Event], item: u32) -> f32 {
    let mut out = vec![0.0; model.items()];
    model.score(history, &mut Scratch::default(), &mut out);
    out[item as usize]
}

#[test]
fn more_than_the_catalogue_gives_the_catalogue_less_the_seen() {
    each(|model| {
        let list = best(model, &history(&[1, 2, 3]), 10 * ITEMS);
        assert_eq!(list.len(), ITEMS - 3, "{}", model.name());
        let distinct = ItemSet::of(ITEMS, list.iter().map(|s| s.item));
        assert_eq!(distinct.len(), list.len(), "{} repeats a title", model.name());
    });
}

#[test]
fn nothing_asked_gives_nothing() {
    each(|model| assert!(best(model, &history(&[1]), 0).is_empty(), "{}", model.name()));
}

#[test]
fn lists_are_sorted_and_finite() {
    each(|model| {
        for events in [history(&[]), history(&[5]), history(&[0, 21, 3, 22])] {
            let list = best(model, &events, ITEMS);
            assert!(list.iter().all(|s| s.score.is_finite()), "{}", model.name());
            let sorted = list.windows(2).all(|w| w[0].score >= w[1].score);
            assert!(sorted, "{}", model.name());
        }
    });
}

#[test]
fn an_empty_history_still_gets_a_list() {
    each(|model| assert_eq!(best(model, &[], 10).len(), 10, "{}", model.name()));
}

#[test]
fn unknown_titles_are_ignored() {
    each(|model| {
        let known = best(model, &history(&[2, 3]), 10);
        let strange = best(model, &weighted(&[(9_999, 1.0), (2, 1.0), (3, 1.0)]), 10);
        let order = |list: &[Scored]| list.iter().map(|s| s.item).collect::<Vec<_>>();
        assert_eq!(order(&known)[..3], order(&strange)[..3], "{}", model.name());
        assert!(!best(model, &history(&[u32::MAX]), 10).is_empty());
        assert!(model.similar(u32::MAX, 5).is_empty());
        assert!(model.explain(&history(&[1]), u32::MAX).is_empty());
    });
}

#[test]
fn duplicates_in_a_history_are_harmless() {
    each(|model| {
        let list = best(model, &history(&[2, 2, 2, 3, 3]), ITEMS);
        assert_eq!(list.len(), ITEMS - 2, "{}", model.name());
        assert!(list.iter().all(|s| s.score.is_finite()));
    });
}

#[test]
fn excluded_and_seen_titles_never_appear() {
    each(|model| {
        let excluded = ItemSet::of(ITEMS, (4..15).chain([40]));
        let seen = history(&[1, 2, 3]);
        let list = model.recommend(&seen, ITEMS, &excluded, &mut Scratch::default());
        assert_eq!(list.len(), ITEMS - 12 - 3, "{}", model.name());
        let leaked = |s: &Scored| excluded.contains(s.item) || (1..4).contains(&s.item);
        assert!(!list.iter().any(leaked), "{}", model.name());
    });
}

#[test]
fn a_used_scratch_changes_nothing() {
    each(|model| {
        let mut scratch = Scratch::default();
        let nothing = ItemSet::default();
        let fresh = best(model, &history(&[21, 22]), 10);
        model.recommend(&history(&[1, 2, 3, 4]), 30, &nothing, &mut scratch);
        let used = model.recommend(&history(&[21, 22]), 10, &nothing, &mut scratch);
        assert_eq!(fresh, used, "{}", model.name());
    });
}

#[test]
fn save_and_load_give_the_same_answers_and_bytes() {
    each(|model| {
        let bytes = model.save().expect("saves");
        let loaded = load_model(&bytes).expect("loads");
        let events = weighted(&[(1, 1.0), (2, 0.5), (25, -1.0)]);
        assert_eq!(model.name(), loaded.name());
        assert_eq!(best(model, &events, 20), best(&*loaded, &events, 20));
        assert_eq!(model.similar(3, 5), loaded.similar(3, 5));
        assert_eq!(model.explain(&events, 4), loaded.explain(&events, 4));
        assert_eq!(bytes, loaded.save().expect("saves again"), "{}", model.name());
    });
}

#[test]
fn training_twice_gives_the_same_bytes_at_any_number_of_threads() {
    let bytes_with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let all = || models().iter().map(|m| m.save().expect("saves")).collect::<Vec<_>>();
        pool.expect("pool").install(all)
    };
    assert!(bytes_with(1) == bytes_with(1));
    assert!(bytes_with(1) == bytes_with(3));
}

#[test]
fn cut_short_bytes_are_refused_with_a_reason() {
    each(|model| {
        let bytes = model.save().expect("saves");
        for length in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
            let error = load_model(&bytes[..length]).err().expect("refused");
            assert!(error.to_string().contains("artefact"), "{error}");
        }
    });
}

#[test]
fn additive_contributions_sum_to_the_score() {
    each(|model| {
        if !model.additive() {
            return;
        }
        let events = weighted(&[(1, 1.0), (2, 0.5), (3, 1.0), (25, -0.7)]);
        for item in [0, 4, 7, 24, 30] {
            let sum: f32 = model.explain(&events, item).iter().map(|c| c.contribution).sum();
            let score = score_of(model, &events, item);
            assert!(
                (sum - score).abs() < 1e-4,
                "{} {item}: {sum} is not {score}",
                model.name()
            );
        }
    });
}

#[test]
fn without_its_greatest_contributor_a_title_scores_lower() {
    each(|model| {
        let events = history(&[1, 2, 3]);
        let wanted = best(model, &events, 1)[0].item;
        let Some(top) = model.explain(&events, wanted).first().copied() else {
            return;
        };
        let rest: Vec<Event> = events.iter().filter(|e| e.item != top.item).copied().collect();
        let (with, without) = (score_of(model, &events, wanted), score_of(model, &rest, wanted));
        assert!(without < with, "{}: {without} is not below {with}", model.name());
    });
}

#[test]
fn personal_models_find_the_planted_taste() {
    each(|model| {
        if ["popularity", "trending"].contains(&model.name()) {
            return;
        }
        for (events, taste) in [(history(&[2, 3, 4]), 0..20), (history(&[22, 23, 24]), 20..40)] {
            let list = best(model, &events, 3);
            let fits = |s: &Scored| taste.contains(&s.item) || (s.item >= 40 && (s.item < 42) == (taste.start == 0));
            assert!(list.iter().all(fits), "{} gave {list:?}", model.name());
        }
    });
}

#[test]
fn a_dislike_lowers_its_neighbours() {
    each(|model| {
        let neighbours = model.similar(23, 3);
        if neighbours.is_empty() {
            return;
        }
        let liked = history(&[1, 2]);
        let mut disliking = liked.clone();
        disliking.insert(0, weighted(&[(23, -1.0)])[0]);
        let near = neighbours[0].item;
        let (before, after) = (score_of(model, &liked, near), score_of(model, &disliking, near));
        assert!(after < before, "{}: {after} is not below {before}", model.name());
    });
}

/// Of the ranker, which serves, the list is what counts, not a score: with weights that were learned, and for one or two stars as for a
/// dislike.
#[test]
fn what_serves_puts_the_neighbours_of_what_was_disliked_further_back() {
    let (data, keys) = (planted(), common::planted_keys());
    let config = TrainConfig {
        base: small_base(),
        ..TrainConfig::default()
    };
    let learned = train(&data, &keys, &planted_features(), &config, i64::MAX, &|_, _| Ok(()));
    for model in [planted_recommender(), learned.expect("trains").recommender] {
        let liked = history(&[1, 2]);
        let neighbours = model.similar(23, 5);
        assert_eq!(neighbours.len(), 5);
        let places = |events: &[Event]| -> usize {
            let list = best(&model, events, ITEMS);
            let place = |item: u32| list.iter().position(|s| s.item == item);
            neighbours.iter().map(|near| place(near.item).expect("ranked")).sum()
        };
        let before = places(&liked);
        for half_stars in [1, 2, 3, 4] {
            let mut disliking = liked.clone();
            disliking.push(Event {
                at: 2 * common::STEP,
                ..weighted(&[(23, reco::signal::from_half_stars(half_stars))])[0]
            });
            let after = places(&disliking);
            assert!(
                after > before,
                "{half_stars} half stars: {after} is not behind {before}"
            );
        }
    }
}

#[test]
fn similar_titles_leave_out_the_title_and_excess() {
    each(|model| {
        let list = model.similar(5, 4);
        assert!(list.len() <= 4 && list.iter().all(|s| s.item != 5), "{}", model.name());
        let all = model.similar(5, 1000);
        assert!(all.len() < ITEMS);
    });
}
