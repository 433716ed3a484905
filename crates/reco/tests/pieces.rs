//! The pieces: data set, splits, metrics, selection, and what only one model does.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod common;

use common::{ITEMS, STEP, history, planted, planted_features, planted_recommender, small_base};
use proptest::prelude::*;
use reco::metrics::{bootstrap_interval, coverage_at, hit_rate_at, ndcg_at, recall_at};
use reco::{
    Content, Cooccurrence, Dataset, Ease, Event, Ials, Interaction, ItemSet, Model, Popularity, Protocol, RecoError,
    Scored, Scratch, Split, Stage,
};

fn interaction(user: u32, item: u32, weight: f32, at: i64) -> Interaction {
    Interaction { user, item, weight, at }
}

/// The learn stages and the test of a split that nothing is chosen by.
fn stages(protocol: Protocol, data: &Dataset, seed: u64) -> (Vec<Stage>, Stage) {
    let split = Split::make(protocol, data, seed).expect("splits");
    let learn = split.learn().iter().cloned().collect();
    (learn, split.open(()).test().clone())
}

#[test]
fn a_data_set_sorts_by_time_and_keeps_the_newest_of_a_pair() {
    let data = Dataset::from_interactions(
        3,
        5,
        [
            interaction(0, 2, 1.0, 30),
            interaction(0, 1, 1.0, 10),
            interaction(0, 2, -1.0, 40),
            interaction(2, 4, 0.5, 5),
        ],
    )
    .expect("builds");
    let seen: Vec<(u32, f32)> = data.history(0).iter().map(|e| (e.item, e.weight)).collect();
    assert_eq!(seen, [(1, 1.0), (2, -1.0)]);
    assert!(data.history(1).is_empty() && data.history(99).is_empty());
    assert_eq!((data.users(), data.items(), data.len()), (3, 5, 3));
    assert_eq!(data.occurrences(4)[0].user, 2);
    assert_eq!(data.popularity(), [0.0, 1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn a_weight_that_is_no_number_is_refused_by_name() {
    let error = Dataset::from_interactions(1, 1, [interaction(3, 7, f32::NAN, 0)]).unwrap_err();
    assert_eq!(error, RecoError::Data("viewer 3 title 7 has weight NaN".into()));
}

#[test]
fn a_k_core_drops_in_rounds_and_remembers_the_way_back() {
    // Title 9 has one event; without it viewer 2 has one event, without which title 5 has one.
    let pairs = [(0, 3), (0, 4), (1, 3), (1, 4), (1, 5), (2, 5), (2, 9)];
    let events = pairs.map(|(user, item)| interaction(user, item, 1.0, i64::from(item)));
    let core = Dataset::from_interactions(3, 10, events).expect("builds").k_core(2, 2);
    assert_eq!(core.users, [0, 1]);
    assert_eq!(core.items, [3, 4]);
    assert_eq!(core.dataset.len(), 4);
}

#[test]
fn leave_last_out_holds_out_the_last_and_the_one_before() {
    let data = planted();
    let (learn, test_stage) = stages(Protocol::LastOut, &data, 1);
    for (known, test) in test_stage.cases.iter().map(|case| (data.history(case.user), case)) {
        let last = known.len() - 1;
        assert_eq!(test.targets, [known[last].item]);
        assert_eq!(test.history, known[..last]);
        let items = |events: &[Event]| events.iter().map(|e| e.item).collect::<Vec<_>>();
        let trained = test_stage.train.history(test.user);
        assert_eq!(items(trained), items(&test.history));
        assert_eq!(trained.last().map(|e| e.at), Some(0), "times are ages");
    }
    for (age, rehearsal) in learn.iter().enumerate() {
        assert!(
            !rehearsal.cases.is_empty(),
            "a rehearsal on the event {age} before the tested one"
        );
        for case in &rehearsal.cases {
            let whole = data.history(case.user);
            let wanted = whole.len() - 2 - age;
            assert_eq!(case.targets, [whole[wanted].item]);
            assert_eq!(rehearsal.train.history(case.user).len(), wanted);
        }
    }
}

#[test]
fn a_rehearsal_never_trains_on_what_the_test_wants() {
    // Viewers of three to seven events: too short for some of the rehearsals.
    let viewer = |user: u32| (0..3 + user).map(move |item| interaction(user, item, 1.0, i64::from(item)));
    let data = Dataset::from_interactions(5, 8, (0..5).flat_map(viewer)).expect("builds");
    let (learn, test) = stages(Protocol::LastOut, &data, 1);
    for (rehearsal, case) in learn.iter().flat_map(|r| test.cases.iter().map(move |c| (r, c))) {
        let trained = rehearsal.train.history(case.user);
        assert!(
            trained.iter().all(|e| !case.targets.contains(&e.item)),
            "viewer {}",
            case.user
        );
    }
}

#[test]
fn strong_generalisation_keeps_held_out_viewers_out_of_training() {
    let data = planted();
    let (learn, test) = stages(Protocol::Strong, &data, 98_765);
    let (_, again) = stages(Protocol::Strong, &data, 98_765);
    let (_, other) = stages(Protocol::Strong, &data, 1);
    assert_eq!(test.cases, again.cases);
    assert_ne!(test.cases, other.cases);
    for case in test.cases.iter().chain(&learn[0].cases) {
        assert!(test.train.history(case.user).is_empty());
        assert_eq!(case.targets.len(), data.history(case.user).len() / 5);
        assert!(case.history.iter().all(|e| !case.targets.contains(&e.item)));
    }
}

#[test]
fn the_temporal_split_trains_on_nothing_from_the_future() {
    let data = planted();
    let (learn, test) = stages(Protocol::Temporal, &data, 1);
    let newest = test.train.newest().expect("events");
    let targets = |case: &reco::Case| {
        let whole = data.history(case.user).to_vec();
        whole
            .into_iter()
            .filter(|e| case.targets.contains(&e.item))
            .collect::<Vec<_>>()
    };
    for case in &test.cases {
        assert!(targets(case).iter().all(|e| e.at > newest));
    }
    let later = std::iter::once(&test).chain(&learn);
    for (later, rehearsal) in later.zip(&learn) {
        assert!(rehearsal.train.newest() < later.train.newest());
        let newest = rehearsal.train.newest().expect("events");
        let wanted = |case: &reco::Case| targets(case).iter().all(|e| e.at > newest);
        assert!(rehearsal.cases.iter().all(wanted));
    }
    let new_viewers = test.cases.iter().filter(|c| c.history.is_empty());
    assert!(new_viewers.count() > 0, "new viewers stay in the test");
}

#[test]
fn too_little_data_is_an_error_not_a_panic() {
    let empty = Dataset::from_interactions(0, 0, []).expect("builds");
    let single = Dataset::from_interactions(1, 1, [interaction(0, 0, 1.0, 1)]).expect("builds");
    for data in [empty, single] {
        for protocol in [Protocol::LastOut, Protocol::Strong, Protocol::Temporal] {
            assert!(Split::make(protocol, &data, 1).is_err(), "{protocol:?}");
        }
    }
}

#[test]
fn metrics_match_values_worked_out_by_hand() {
    let ranked = [7, 1, 9, 3];
    assert_eq!(recall_at(&ranked, &[1, 3, 5], 2), 0.5);
    assert_eq!(recall_at(&ranked, &[1, 3, 5], 4), 2.0 / 3.0);
    assert_eq!(hit_rate_at(&ranked, &[9], 2), 0.0);
    assert_eq!(hit_rate_at(&ranked, &[9], 3), 1.0);
    // 1/log2(3) at rank 1 over 1/log2(2).
    assert!((ndcg_at(&ranked, &[1], 4) - 0.630_93).abs() < 1e-5);
    // (1/log2(3) + 1/log2(5)) / (1 + 1/log2(3)).
    assert!((ndcg_at(&ranked, &[1, 3], 4) - 0.650_92).abs() < 1e-4);
    assert_eq!(ndcg_at(&ranked, &[], 4), 0.0);
    assert_eq!(coverage_at([&ranked[..2], &ranked[1..]], 10, 2), 0.3);
}

#[test]
fn the_bootstrap_is_seeded_and_holds_the_mean() {
    let values: Vec<f32> = (0..400).map(|v| (v % 7) as f32).collect();
    let (low, high) = bootstrap_interval(&values, 300, 5);
    let mean = reco::metrics::mean(&values);
    assert!(low < mean && mean < high && high - low < 0.6);
    assert_eq!((low, high), bootstrap_interval(&values, 300, 5));
    assert_eq!(bootstrap_interval(&[], 300, 5), (0.0, 0.0));
}

#[test]
fn trending_forgets_and_counts_on() {
    let day = 24 * STEP;
    let events = [
        interaction(0, 0, 1.0, 0),
        interaction(1, 0, 1.0, 0),
        interaction(2, 0, 1.0, 0),
        interaction(3, 1, 1.0, 10 * day),
        interaction(4, 2, -1.0, 10 * day),
    ];
    let data = Dataset::from_interactions(5, 3, events).expect("builds");
    let mut trending = Popularity::trending(&data, 10 * day, 2 * day);
    assert_eq!(trending.scores(), [3.0 / 32.0, 1.0, 0.0]);
    let event = |item, at| Event { item, weight: 1.0, at };
    trending.observe(event(0, 12 * day));
    assert_eq!(trending.scores()[0], 3.0 / 32.0 + 2.0, "later events weigh more");
    trending.observe(event(99, 0));
    trending.observe(event(1, i64::MAX));
    assert!(trending.scores().iter().all(|s| s.is_finite()));
}

#[test]
fn one_observed_event_equals_counting_again() {
    let data = planted();
    let mut settings = small_base().cooccurrence;
    settings.keep = None;
    let last = data.history(0)[9];
    let shorter = data.filtered(|i| !(i.user == 0 && i.item == last.item));
    let mut updated = Cooccurrence::train(&shorter, settings).expect("counts");
    updated.observe(&data.history(0)[..9], last);
    let again = Cooccurrence::train(&data, settings).expect("counts");
    let scores = |model: &Cooccurrence| {
        let mut out = vec![0.0; ITEMS];
        model.score(&history(&[0, 3, 25]), &mut Scratch::default(), &mut out);
        out
    };
    for (a, b) in scores(&updated).iter().zip(scores(&again)) {
        assert!((a - b).abs() < 1e-5, "{a} is not {b}");
    }
}

#[test]
fn co_occurrence_is_directed() {
    let sequence = |user: u32| (0..3).map(move |i| interaction(user, i, 1.0, i64::from(i)));
    let data = Dataset::from_interactions(9, 3, (0..9).flat_map(sequence)).expect("builds");
    let model = Cooccurrence::train(&data, Default::default()).expect("counts");
    let next: Vec<u32> = model.similar(1, 3).iter().map(|s| s.item).collect();
    assert_eq!(next, [2]);
    assert!(model.similar(2, 3).is_empty());
}

#[test]
fn ease_solves_its_closed_form() {
    // One viewer likes both titles: G = [[2,1],[1,2]] with λ = 1, P = 1/3 [[2,-1],[-1,2]], B off the diagonal 1/2.
    let events = [interaction(0, 0, 1.0, 0), interaction(0, 1, 1.0, 1)];
    let data = Dataset::from_interactions(1, 2, events).expect("builds");
    let settings = reco::EaseSettings {
        regularisation: 1.0,
        ..Default::default()
    };
    let model = Ease::train(&data, settings).expect("solves");
    assert!((model.weights().get(0, 1) - 0.5).abs() < 1e-6);
    assert!((model.weights().get(1, 0) - 0.5).abs() < 1e-6);
    assert_eq!(model.weights().get(0, 0), 0.0);
}

/// What is learned from is solved as ever; a title beyond it satisfies the normal equations of its own ridge regression.
#[test]
fn titles_beyond_the_dense_solve_are_regressed_on_those_within() {
    let (data, mut settings) = (planted(), small_base().ease);
    (settings.keep, settings.items_max) = (None, 30);
    let model = Ease::train(&data, settings).expect("solves");
    let weights = model.weights();
    let mut by_count: Vec<u32> = (0..40).collect();
    by_count.sort_by_key(|&item| (std::cmp::Reverse(data.occurrences(item).len()), item));
    let (learned, beyond) = by_count.split_at(30);
    let common = |a: u32, b: u32| {
        let both = |user: &u32| {
            [a, b]
                .iter()
                .all(|item| data.history(*user).iter().any(|event| event.item == *item))
        };
        (0..data.users() as u32).filter(both).count() as f32
    };
    for &title in beyond {
        for &row in learned {
            let ridge = settings.regularisation * weights.get(row, title);
            let image: f32 = learned
                .iter()
                .map(|&from| common(row, from) * weights.get(from, title))
                .sum();
            let wanted = common(row, title);
            assert!(
                (image + ridge - wanted).abs() < 1e-3,
                "[{row}, {title}]: {} is not {wanted}",
                image + ridge
            );
        }
        assert!(weights.row(title).0.is_empty(), "{title} predicts nothing");
    }
    let alone = data.filtered(|i| learned.contains(&i.item));
    let alone = Ease::train(&alone, settings).expect("solves");
    for (&from, &to) in learned.iter().flat_map(|from| learned.iter().map(move |to| (from, to))) {
        let (own, alone) = (weights.get(from, to), alone.weights().get(from, to));
        assert!((own - alone).abs() < 1e-5, "[{from}, {to}]: {own} is not {alone}");
    }
}

#[test]
fn a_pruned_ease_equals_training_with_the_same_limit() {
    let (data, mut settings) = (planted(), small_base().ease);
    settings.keep = None;
    let full = Ease::train(&data, settings).expect("solves");
    settings.keep = Some(4);
    let sparse = Ease::train(&data, settings).expect("solves");
    assert_eq!(full.pruned(4), sparse);
    assert!(sparse.weights().stored() <= 4 * ITEMS);
}

#[test]
fn ials_reaches_a_stationary_point() {
    // After many epochs one more changes nothing: the alternating solution is a fixed point.
    let (data, mut settings) = (planted(), small_base().ials);
    settings.epochs = 60;
    let long = Ials::train(&data, settings).expect("trains");
    settings.epochs = 61;
    let longer = Ials::train(&data, settings).expect("trains");
    let scores = |model: &Ials| {
        let mut out = vec![0.0; ITEMS];
        model.score(&history(&[1, 2, 3]), &mut Scratch::default(), &mut out);
        out
    };
    for (a, b) in scores(&long).iter().zip(scores(&longer)) {
        assert!((a - b).abs() < 5e-3, "{a} is not {b}");
    }
}

#[test]
fn a_title_nobody_has_seen_is_scored_by_its_content() {
    let (data, base) = (planted(), small_base());
    let ials = Ials::train(&data, base.ials).expect("trains");
    let model = Content::train(&data, &planted_features(), &ials, base.content).expect("maps");
    let mut out = vec![0.0; ITEMS];
    model.score(&history(&[1, 2, 3]), &mut Scratch::default(), &mut out);
    assert!(out[40] > out[42] + 0.05, "{} against {}", out[40], out[42]);
}

#[test]
fn a_filter_narrows_the_candidates_not_the_list() {
    let model = planted_recommender();
    let mut scratch = Scratch::default();
    let rare = |item: u32| item >= 35;
    let list = model.recommend_where(&history(&[1, 2]), 6, &rare, &mut scratch);
    assert_eq!(list.len(), 6);
    assert!(list.iter().all(|s| rare(s.item)));
}

/// The widest silences were cut in the order of time before; what it gives is asked of the plain way.
fn cut_silences(data: &Dataset, longest: i64) -> Vec<Interaction> {
    let mut times: Vec<i64> = data.interactions().map(|i| i.at).collect();
    times.sort_unstable();
    times.dedup();
    let mut moved = times.clone();
    for index in (1..times.len()).rev() {
        moved[index - 1] = moved[index] - (times[index] - times[index - 1]).min(longest);
    }
    let at = |i: Interaction| moved[times.partition_point(|time| *time < i.at)];
    data.interactions().map(|i| Interaction { at: at(i), ..i }).collect()
}

proptest! {
    #[test]
    fn a_data_set_is_the_newest_of_each_pair_in_time_order(events in prop::collection::vec((0u32..6, 0u32..9, 0i64..40), 0..80)) {
        let list: Vec<Interaction> = (0u8..).zip(&events).map(|(n, &(user, item, at))| interaction(user, item, f32::from(n), at)).collect();
        let data = Dataset::from_interactions(6, 9, list.iter().copied()).expect("builds");
        let mut expected: Vec<Interaction> = Vec::new();
        for (n, own) in list.iter().enumerate() {
            // Later in time wins, and of the same time the one that came later.
            let is_newer = |(m, other): (usize, &Interaction)| (other.user, other.item) == (own.user, own.item) && (other.at, m) > (own.at, n);
            if !list.iter().enumerate().any(is_newer) {
                expected.push(*own);
            }
        }
        expected.sort_by_key(|i| (i.user, i.at));
        prop_assert_eq!(data.interactions().collect::<Vec<_>>(), expected);
        for item in 0..9 {
            prop_assert!(data.occurrences(item).iter().all(|&place| data.event(place).item == item));
        }
        prop_assert_eq!((0..9).map(|item| data.occurrences(item).len()).sum::<usize>(), data.len());
    }

    #[test]
    fn the_past_of_a_data_set_is_what_a_filter_leaves(events in prop::collection::vec((0u32..6, 0u32..9, 0i64..40), 0..80), cut in -1i64..41) {
        let events = events.into_iter().map(|(user, item, at)| interaction(user, item, 1.0, at));
        let data = Dataset::from_interactions(6, 9, events).expect("builds");
        let (shared, copied) = (data.until(cut), data.filtered(|i| i.at <= cut));
        prop_assert_eq!(&shared, &copied);
        prop_assert_eq!((shared.len(), shared.newest()), (copied.len(), copied.newest()));
        prop_assert_eq!(shared.popularity(), copied.popularity());
        for item in 0..9 {
            prop_assert_eq!(shared.occurrences(item), copied.occurrences(item));
        }
        prop_assert_eq!(&shared.clone().with_ages(), &copied.with_ages());
        prop_assert_eq!(shared, data.until(cut), "with_ages leaves the shared events alone");
    }

    #[test]
    fn silence_is_cut_and_nothing_else(times in prop::collection::vec(-200i64..200, 0..30), longest in 1i64..60) {
        let events = (0u32..).zip(&times).map(|(n, &at)| interaction(n % 4, n, 1.0, at));
        let data = Dataset::from_interactions(4, 30, events).expect("builds");
        let calm: Vec<Interaction> = data.without_silence(longest).interactions().collect();
        prop_assert_eq!(calm, cut_silences(&data, longest));
    }

    #[test]
    fn top_k_equals_sorting(scores in prop::collection::vec(-5i8..5, 0..300), k in 0usize..40, gone in prop::collection::vec(0u32..300, 0..50)) {
        let data = Dataset::from_interactions(scores.len(), scores.len().max(1), (0..scores.len() as u32).flat_map(|item| {
            let likes = (scores[item as usize] + 5) as u32;
            (0..likes).map(move |user| interaction(user, item, 1.0, 0))
        })).expect("builds");
        let model = Popularity::all_time(&data);
        let excluded = ItemSet::of(data.items(), gone.iter().copied());
        let list = model.recommend(&[], k, &excluded, &mut Scratch::default());
        let mut expected: Vec<Scored> = (0..data.items() as u32).filter(|&i| !excluded.contains(i))
            .map(|item| Scored { item, score: model.scores()[item as usize] }).collect();
        expected.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
        expected.truncate(k);
        prop_assert_eq!(list, expected);
    }

    #[test]
    fn item_sets_behave_like_sets(members in prop::collection::vec(0u32..200, 0..80), out in 0u32..200) {
        let mut set = ItemSet::of(150, members.iter().copied());
        let mut expected: std::collections::BTreeSet<u32> = members.iter().copied().filter(|&m| m < 150).collect();
        set.remove(out);
        expected.remove(&out);
        prop_assert_eq!(set.len(), expected.len());
        prop_assert!((0..250).all(|i| set.contains(i) == expected.contains(&i)));
        prop_assert!(set.iter().eq(expected.iter().copied()));
    }

    #[test]
    fn any_history_gives_finite_distinct_titles(events in prop::collection::vec((0u32..60, -1.0f32..=1.0), 0..40), k in 0usize..60) {
        thread_local! { static MODEL: reco::Recommender = planted_recommender(); }
        MODEL.with(|model| {
            let events = common::weighted(&events);
            let list = model.recommend(&events, k, &ItemSet::default(), &mut Scratch::default());
            let distinct = ItemSet::of(ITEMS, list.iter().map(|s| s.item));
            prop_assert_eq!(distinct.len(), list.len());
            prop_assert!(list.iter().all(|s| s.score.is_finite() && events.iter().all(|e| e.item != s.item)));
            let seen = ItemSet::of(ITEMS, events.iter().map(|e| e.item));
            prop_assert_eq!(list.len(), k.min(ITEMS - seen.len()));
            Ok(())
        })?;
    }
}
