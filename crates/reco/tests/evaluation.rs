//! What evaluation says: measures against values worked out by hand, their rules, segments, and paired tests.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod common;

use common::{planted, planted_features};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reco::metrics::{
    coverage_at, diversity_at, exposure_at, gini, information_of, mean, miscalibration, mix_of, novelty_at,
    sign_flip_test,
};
use reco::{
    Dataset, EvaluateOptions, Interaction, ItemFeaturesBuilder, MODEL_NAMES, Protocol, Report, SegmentOf,
    TitleDescription, evaluate,
};

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-4, "{value} is not {expected}");
}

#[test]
fn gini_matches_values_worked_out_by_hand() {
    assert_eq!(gini(&[3, 3, 3]), 0.0);
    assert_eq!(gini(&[0, 5, 0]), 1.0);
    // Ascending 0, 1, 3 with n = 3: (−2·0 + 0·1 + 2·3) / (2 · 4).
    assert_eq!(gini(&[3, 0, 1]), 0.75);
    assert_eq!((gini(&[]), gini(&[7]), gini(&[0, 0])), (0.0, 0.0, 0.0));
    let lists = [&[0u32, 1, 2][..], &[0, 9]];
    assert_eq!(exposure_at(lists, 3, 2), [2, 1, 0]);
}

#[test]
fn novelty_is_the_mean_of_the_bits_of_what_is_shown() {
    // Of 4 viewers all, one, none and two have the title: log₂ of 4/4, 4/1, 4/1, 4/2.
    let bits = information_of(&[4.0, 1.0, 0.0, 2.0], 4);
    assert_eq!(bits, [0.0, 2.0, 2.0, 1.0]);
    assert_eq!(novelty_at(&[0, 1, 3], &bits, 2), Some(1.0));
    assert_eq!(novelty_at(&[0, 1, 3], &bits, 20), Some(1.0));
    assert_eq!(novelty_at(&[], &bits, 20), None);
}

#[test]
fn calibration_matches_values_worked_out_by_hand() {
    let (drama, both, comedy, none) = (&[0u32][..], &[0, 1][..], &[1][..], &[][..]);
    let mix = mix_of([(drama, 1.0), (both, 1.0), (none, 5.0), (comedy, -1.0)], 2);
    assert_eq!(
        mix,
        Some(vec![0.75, 0.25]),
        "dislikes and titles without genres do not count"
    );
    assert_eq!(mix_of([(none, 1.0)], 2), None);
    // q̃ = .99 · (1, 0) + .01 · (.5, .5); .5 ln(.5 / .995) + .5 ln(.5 / .005).
    near(f64::from(miscalibration(&[0.5, 0.5], &[1.0, 0.0])), 1.958_52);
    // The whole of the viewer's taste is missing: ln(1 / .01).
    near(f64::from(miscalibration(&[1.0, 0.0], &[0.0, 1.0])), 4.605_17);
    near(f64::from(miscalibration(&[0.75, 0.25], &[0.75, 0.25])), 0.0);
}

#[test]
fn diversity_is_the_mean_distance_of_known_pairs() {
    let similarity = |one: u32, other: u32| match (one, other) {
        (0, 1) => Some(1.0),
        (0, 2) => Some(0.5),
        _ => None,
    };
    assert_eq!(diversity_at(&[0, 1, 2], similarity, 20), Some(0.25));
    assert_eq!(diversity_at(&[0, 1, 2], similarity, 2), Some(0.0));
    assert_eq!(diversity_at(&[1, 2], similarity, 20), None);
}

#[test]
fn titles_that_are_alike_have_a_similarity_of_one_and_strangers_of_none() {
    let mut features = ItemFeaturesBuilder::new(5);
    for (item, genres) in [
        (0, &["Drama", "War"][..]),
        (1, &["War", "drama"]),
        (2, &["Comedy"]),
        (3, &["Comedy"]),
    ] {
        let title = TitleDescription {
            genres,
            ..TitleDescription::default()
        };
        features.describe(item, &title);
    }
    let features = features.build();
    assert_eq!(features.genre_count(), 3);
    assert_eq!(features.genres(0).len(), 2);
    assert!(
        features
            .genres(1)
            .iter()
            .all(|genre| features.genres(0).contains(genre))
    );
    assert!(features.genres(4).is_empty() && features.genres(99).is_empty());
    near(f64::from(features.similarity(0, 1).expect("known")), 1.0);
    assert_eq!(features.similarity(0, 2), Some(0.0));
    assert_eq!((features.similarity(0, 4), features.similarity(99, 0)), (None, None));
    let list = diversity_at(&[0, 1, 4], |a, b| features.similarity(a, b), 20);
    near(f64::from(list.expect("one pair is known")), 0.0);
}

#[test]
fn the_paired_test_counts_signs() {
    // Of the eight signs of (1, 1, 1) two reach a sum of 3.
    let p = sign_flip_test(&[1.0, 1.0, 1.0], 20_000, 4);
    assert!((p - 0.25).abs() < 0.01, "{p}");
    assert_eq!(p, sign_flip_test(&[1.0, 1.0, 1.0], 20_000, 4));
    assert_eq!(sign_flip_test(&[1.0; 60], 999, 4), 0.001, "no random sign is as clear");
    assert_eq!(
        sign_flip_test(&[-1.0; 60], 999, 4),
        0.001,
        "worse is as clear as better"
    );
    assert_eq!(
        (sign_flip_test(&[0.0; 9], 99, 4), sign_flip_test(&[], 99, 4)),
        (1.0, 1.0)
    );
}

/// Where there is nothing to find, one test in twenty says that there is.
#[test]
fn the_paired_test_keeps_its_level() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut found = 0;
    for seed in 0..400 {
        // Differences of two equal models: anything, symmetric around zero.
        let differences: Vec<f32> = (0..40).map(|_| rng.random_range(-1.0..1.0)).collect();
        found += u32::from(sign_flip_test(&differences, 500, seed) < 0.05);
    }
    assert!((8..=34).contains(&found), "{found} of 400 where 20 are due");
}

fn options() -> EvaluateOptions {
    EvaluateOptions {
        base: Some(common::small_base()),
        ..EvaluateOptions::default()
    }
}

fn report(protocol: Protocol, data: &Dataset, names: &[&str]) -> Report {
    let done = evaluate(protocol, data, &planted_features(), names, &options());
    done.expect("evaluates").report
}

#[test]
fn a_report_says_what_lists_show() {
    let report = report(Protocol::LastOut, &planted(), &["popularity", "cooccurrence"]);
    for model in &report.models {
        for metric in [
            "coverage@20",
            "gini@20",
            "novelty@20",
            "miscalibration@20",
            "diversity@20",
            "recall@50",
        ] {
            assert!(model.metrics[metric].is_finite(), "{} has no {metric}", model.name);
        }
        assert!(!model.intervals.contains_key("gini@20"), "no mean over viewers");
    }
    let of = |index: usize, metric: &str| report.models[index].metrics[metric];
    // Half of the viewers like comedies, half horror; the popular list is one list for both.
    assert!(of(1, "miscalibration@20") < of(0, "miscalibration@20"));
    assert!(of(1, "gini@20") < of(0, "gini@20"));
}

#[test]
fn without_anything_known_of_titles_nothing_is_said_of_genres() {
    let none = reco::ItemFeatures::none(common::ITEMS);
    let done = evaluate(Protocol::LastOut, &planted(), &none, &["popularity"], &options());
    let metrics = &done.expect("evaluates").report.models[0].metrics;
    assert!(!metrics.contains_key("miscalibration@20") && !metrics.contains_key("diversity@20"));
    assert!(metrics.contains_key("novelty@20"));
}

/// Viewers of all lengths; titles 30 to 33 appear late in training, 40 to 43 only in the test.
fn uneven() -> Dataset {
    let mut events = Vec::new();
    for user in 0..40u32 {
        let length = 1 + user % 12;
        for step in 0..length {
            let late = step + 1 == length;
            let item = match user % 4 {
                0 if late => 40 + user % 3,
                1 if late => 30 + user % 4,
                _ => (user + step * 3) % 30,
            };
            let at = if late && user % 2 == 0 {
                900 + i64::from(user)
            } else {
                i64::from(step * 40 + user)
            };
            let at = if (30..34).contains(&item) { at + 480 } else { at };
            events.push(Interaction {
                user,
                item,
                weight: 1.0,
                at,
            });
        }
        if user % 4 == 1 {
            events.push(Interaction {
                user,
                item: 30 + (user + 1) % 4,
                weight: 1.0,
                at: 950,
            });
        }
    }
    Dataset::from_interactions(40, common::ITEMS, events).expect("builds")
}

#[test]
fn segments_part_the_test() {
    let report = report(Protocol::Temporal, &uneven(), &["popularity"]);
    let of = |of: SegmentOf| report.segments.iter().filter(move |segment| segment.of == of);
    assert!(of(SegmentOf::Viewers).count() >= 3, "{:?}", report.segments);
    let cases: usize = of(SegmentOf::Viewers).map(|segment| segment.cases).sum();
    assert_eq!(cases, report.data.cases, "every viewer is in one segment");
    let aged: usize = of(SegmentOf::TitleAge).map(|segment| segment.targets).sum();
    assert_eq!(aged, report.data.targets, "every title is of one age");
    let names: Vec<&str> = of(SegmentOf::TitleAge).map(|segment| segment.name.as_str()).collect();
    assert_eq!(names, ["unseen titles", "new titles", "old titles"]);
    let unseen = of(SegmentOf::TitleAge).next().expect("unseen titles").targets;
    assert_eq!(unseen as f64 / aged as f64, report.data.cold_targets);
    let known: usize = of(SegmentOf::TitlePopularity).map(|segment| segment.targets).sum();
    assert_eq!(
        known + unseen,
        report.data.targets,
        "every known title is popular or rare"
    );

    let model = &report.models[0];
    let weighed = of(SegmentOf::Viewers).map(|segment| {
        let figures = &model.segments[&segment.name];
        let (low, high) = figures.intervals["ndcg@20"];
        let value = figures.metrics["ndcg@20"];
        assert!(low <= value && value <= high);
        segment.cases as f64 * value
    });
    near(
        weighed.sum::<f64>() / report.data.cases as f64,
        model.metrics["ndcg@20"],
    );
    assert_eq!(
        model.segments["unseen titles"].metrics["recall@20"], 0.0,
        "popularity cannot know them"
    );
}

#[test]
fn light_viewers_are_the_third_with_the_shortest_histories() {
    let report = report(Protocol::LastOut, &uneven(), &["popularity"]);
    let segment = |name: &str| {
        report
            .segments
            .iter()
            .find(|segment| segment.name == name)
            .expect("there")
    };
    // Counted by hand: twelve of the 36 viewers have two or three events before the test, twelve have eight to ten.
    assert_eq!(
        segment("light viewers").rule,
        "1 to 3 events before the test: the lightest third"
    );
    assert_eq!(
        segment("heavy viewers").rule,
        "more than 7 events before the test: the heaviest third"
    );
    let aged = report
        .segments
        .iter()
        .filter(|segment| segment.of == SegmentOf::TitleAge);
    assert!(aged.count() <= 1, "an order without times says nothing of age");
}

#[test]
fn every_model_is_tested_against_popularity_and_the_ranker_against_all() {
    let all = report(Protocol::LastOut, &planted(), &MODEL_NAMES);
    let against = |index: usize| {
        let tests = all.models[index].paired.iter().filter(|test| test.metric == "ndcg@10");
        tests.map(|test| test.against.as_str()).collect::<Vec<_>>()
    };
    assert!(against(0).is_empty(), "popularity is no better than itself");
    assert_eq!(against(4), ["popularity"]);
    assert_eq!(
        against(6),
        ["popularity", "trending", "ials", "ease", "cooccurrence", "content"]
    );
    let test = &all.models[4].paired[0];
    near(
        test.difference,
        all.models[4].metrics["ndcg@10"] - all.models[0].metrics["ndcg@10"],
    );
    assert!(test.interval.0 > 0.0 && test.p_value < 0.001, "{test:?}");
    assert!(
        test.better > 40 && test.better + test.worse <= all.data.cases,
        "{test:?}"
    );
}

#[test]
fn a_model_that_is_judged_alone_is_still_tested_against_popularity() {
    let alone = report(Protocol::LastOut, &planted(), &["ease"]);
    assert_eq!(alone.models.len(), 1, "popularity was not asked for");
    assert_eq!(alone.models[0].paired[0].against, "popularity");
    let beside = report(Protocol::LastOut, &planted(), &["popularity", "ease"]);
    assert_eq!(alone.models[0].paired, beside.models[1].paired);
}

fn without_times(mut report: Report) -> Report {
    for model in &mut report.models {
        (model.train_s, model.serve_us) = (0.0, 0.0);
    }
    report
}

#[test]
fn a_report_is_the_same_at_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("starts");
        pool.install(|| without_times(report(Protocol::Temporal, &uneven(), &MODEL_NAMES)))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_report_from_before_segments_is_still_read() {
    let mut json = serde_json::to_value(report(Protocol::LastOut, &planted(), &["popularity"])).expect("serialises");
    json.as_object_mut().expect("an object").remove("segments");
    let model = json["models"][0].as_object_mut().expect("an object");
    model.remove("segments");
    model.remove("paired");
    let read: Report = serde_json::from_value(json).expect("reads");
    assert!(read.segments.is_empty() && read.models[0].paired.is_empty());
}

proptest! {
    #[test]
    fn gini_is_a_share_that_asks_neither_for_order_nor_for_scale(mut exposure in prop::collection::vec(0u64..1000, 0..60), scale in 1u64..50) {
        let index = gini(&exposure);
        prop_assert!((-1e-12..=1.0 + 1e-12).contains(&index), "{}", index);
        let scaled: Vec<u64> = exposure.iter().map(|shown| shown * scale).collect();
        prop_assert!((gini(&scaled) - index).abs() < 1e-9);
        exposure.reverse();
        prop_assert_eq!(gini(&exposure), index);
    }

    #[test]
    fn more_even_exposure_never_has_a_higher_gini(exposure in prop::collection::vec(0u64..1000, 2..60), from in 0usize..60, to in 0usize..60) {
        let (from, to) = (from % exposure.len(), to % exposure.len());
        let mut evened = exposure.clone();
        if exposure[from] > exposure[to] {
            let moved = (exposure[from] - exposure[to]) / 2;
            evened[from] -= moved;
            evened[to] += moved;
        }
        prop_assert!(gini(&evened) <= gini(&exposure) + 1e-12);
    }

    #[test]
    fn a_mirrored_list_is_calibrated_and_no_list_is_worse_than_the_bound(
        own in prop::collection::vec(0.0f64..1.0, 1..12), shown in prop::collection::vec(0.0f64..1.0, 12)
    ) {
        let share = |values: &[f64]| {
            let total: f64 = values.iter().sum();
            values.iter().map(|value| value / total.max(1e-9)).collect::<Vec<_>>()
        };
        let (own, shown) = (share(&own), share(&shown[..own.len()]));
        prop_assert!(miscalibration(&own, &own) < 1e-5);
        let far = miscalibration(&own, &shown);
        prop_assert!((0.0..=4.606).contains(&far), "{}", far);
    }

    #[test]
    fn a_mix_is_made_of_shares(titles in prop::collection::vec((prop::collection::vec(0u32..6, 0..4), -1.0f32..=1.0), 0..30)) {
        let mix = mix_of(titles.iter().map(|(genres, weight)| (genres.as_slice(), *weight)), 6);
        let counts = titles.iter().any(|(genres, weight)| !genres.is_empty() && *weight > 0.0);
        prop_assert_eq!(mix.is_some(), counts);
        if let Some(mix) = mix {
            prop_assert!((mix.iter().sum::<f64>() - 1.0).abs() < 1e-9 && mix.iter().all(|share| *share >= 0.0));
        }
    }

    #[test]
    fn lists_are_measured_whatever_their_order(
        (list, shuffled) in prop::collection::btree_set(0u32..40, 2..20).prop_flat_map(|titles| {
            let list: Vec<u32> = titles.into_iter().collect();
            (Just(list.clone()), Just(list).prop_shuffle())
        })
    ) {
        let features = planted_features();
        let bits: Vec<f32> = (0..40).map(|item| item as f32 / 7.0).collect();
        let measure = |list: &[u32]| {
            let diversity = diversity_at(list, |a, b| features.similarity(a, b), 20);
            (diversity.unwrap_or(0.0), novelty_at(list, &bits, 20).unwrap_or(0.0), coverage_at([list], 40, 20))
        };
        let (diversity, novelty, coverage) = measure(&list);
        prop_assert!((0.0..=1.0).contains(&diversity));
        let again = measure(&shuffled);
        prop_assert!((again.0 - diversity).abs() < 1e-6 && (again.1 - novelty).abs() < 1e-6);
        prop_assert_eq!(again.2, coverage);
    }

    #[test]
    fn one_title_shown_many_times_has_no_diversity(item in 0u32..40, times in 2usize..20) {
        let features = planted_features();
        let diversity = diversity_at(&vec![item; times], |a, b| features.similarity(a, b), 20);
        prop_assert!(diversity.is_some_and(|diversity| diversity.abs() < 1e-5));
    }

    #[test]
    fn the_paired_test_asks_neither_for_the_order_of_models_nor_of_viewers(differences in prop::collection::vec(-1.0f32..1.0, 1..12)) {
        // So many signs are drawn that all of them are seen about as often as they are due.
        let p = sign_flip_test(&differences, 4_000, 3);
        prop_assert!((0.0..=1.0).contains(&p));
        let turned: Vec<f32> = differences.iter().map(|d| -d).collect();
        prop_assert_eq!(sign_flip_test(&turned, 4_000, 3), p);
        let mut reversed = differences.clone();
        reversed.reverse();
        prop_assert!((sign_flip_test(&reversed, 4_000, 3) - p).abs() < 0.06);
    }
}

#[test]
fn a_mean_of_nothing_is_zero() {
    assert_eq!(mean(&[]).to_bits(), 0.0f64.to_bits(), "and not -0, which would be read");
    assert_eq!(reco::metrics::ndcg_at(&[1, 2], &[3], 2).to_bits(), 0.0f32.to_bits());
}

/// Forty titles that everybody has known for long, then ten that come up in the last week, fewer times each than any of the others.
fn fashion() -> Dataset {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let event = |user, item, at| Interaction {
        user,
        item,
        weight: 1.0,
        at,
    };
    let old = (0..60u32)
        .flat_map(|user| (0..9u32).map(move |step| event(user, (user * 7 + step) % 40, i64::from(step) * DAY)));
    let late = (0..60u32).flat_map(|user| {
        (0..2u32).map(move |step| event(user, 40 + (user + step * 3) % 10, 60 * DAY + i64::from(user) * DAY / 8))
    });
    Dataset::from_interactions(60, 50, old.chain(late)).expect("finite weights")
}

#[test]
fn what_has_come_up_lately_is_found_by_trending_and_not_by_popularity() {
    let (data, features) = (fashion(), ItemFeaturesBuilder::new(50).build());
    let names = ["popularity", "trending"];
    let done = evaluate(Protocol::Temporal, &data, &features, &names, &options()).expect("evaluates");
    let found = |index: usize| done.report.models[index].metrics["ndcg@20"];
    assert!(found(0) < 0.1 && found(1) > 0.5, "{} {}", found(0), found(1));
}
