//! Every part is somebody's: the parts are the lead, and a model that has no say in a score has no part in it.

use super::*;
use crate::bundle::Recommender;
use crate::dataset::{Dataset, Interaction};
use crate::model::Model;
use crate::models::ItemFeatures;
use crate::ranker::RankerSettings;
use crate::ranker::forest::{Forest, Tree};
use crate::train::BaseConfig;
use proptest::prelude::*;
use std::sync::LazyLock;

const ITEMS: u32 = 24;
const DEPTH: usize = 3;

/// Where what is learned is all there is.
static BASES: LazyLock<Bases> = LazyLock::new(|| trained(0.0));
/// Where what is expected whoever watches counts beside it.
static EXPECTING: LazyLock<Bases> = LazyLock::new(|| trained(0.5));

/// Two tastes of ten titles in a circle, a stray step now and then, a few titles that nobody has seen.
fn trained(outlook_weight: f32) -> Bases {
    let event = |user: u32, step: u32| Interaction {
        user,
        item: (user + u32::from((user + step) % 7 == 6)) % 2 * 10 + (user / 2 + step * step) % 10,
        weight: if step % 5 == 4 { -1.0 } else { 1.0 },
        at: i64::from(user * 10 + step),
    };
    let events = (0..40).flat_map(|user| (0..7).map(move |step| event(user, step)));
    let data = Dataset::from_interactions(40, ITEMS as usize, events).expect("finite weights");
    let mut config = BaseConfig::default();
    (config.ials.size, config.ease.regularisation, config.ease.item_min) = (6, 3.0, 1);
    let features = ItemFeatures::none(ITEMS as usize);
    config.outlook_weight = outlook_weight;
    Bases::train(&data, &features, &config, 400, &|_, _| Ok(())).expect("trains")
}

fn history(events: &[(u32, f32)]) -> Vec<Event> {
    let event = |(at, &(item, weight)): (usize, &(u32, f32))| Event {
        item,
        weight,
        at: at as i64,
    };
    events.iter().enumerate().map(event).collect()
}

fn ranker(weights: Vec<f32>, trees: &[Tree]) -> Ranker {
    let mut forest = Forest::none(COLUMNS, DEPTH);
    trees.iter().for_each(|tree| forest.push(tree));
    Ranker {
        settings: RankerSettings::default(),
        weights,
        forest,
    }
}

/// Weight one on the value of each of these signals, nothing on any other.
fn trusting(signals: &[Signal]) -> Vec<f32> {
    let mut weights = vec![0.0; FEATURES];
    signals
        .iter()
        .for_each(|signal| weights[*signal as usize * KINDS] = 1.0);
    weights
}

fn recommender(ranker: Ranker) -> Recommender {
    recommender_over(&BASES, ranker)
}

fn recommender_over(bases: &Bases, ranker: Ranker) -> Recommender {
    let keys: Vec<i64> = (0..i64::from(ITEMS)).collect();
    Recommender::new(bases.clone(), ranker, &keys, 0).expect("keys fit")
}

/// The whole list with what placed each title.
fn attributed(recommender: &Recommender, history: &[Event]) -> Vec<(Scored, Attribution)> {
    let mut scratch = Scratch::default();
    let mut ranked = recommender.rank_where(history, ITEMS as usize, &|_| true, &mut scratch);
    let list = ranked.list().to_vec();
    let items: Vec<u32> = list.iter().map(|scored| scored.item).collect();
    let attributed = ranked.attribute(&items);
    let pairs = list.into_iter().zip(attributed);
    pairs.filter_map(|(scored, why)| Some((scored, why?))).collect()
}

fn sum(why: &Attribution) -> f32 {
    let titles: f32 = why.titles.iter().map(|title| title.contribution).sum();
    titles + why.popularity + why.trending + why.other
}

fn trees() -> impl Strategy<Value = Vec<Tree>> {
    let questions = prop::collection::vec((0..COLUMNS as u32, -0.2f32..1.2), DEPTH);
    let leaves = prop::collection::vec(-1.0f32..1.0, 1 << DEPTH);
    let tree = (questions, leaves).prop_map(|(questions, leaves)| Tree { questions, leaves });
    prop::collection::vec(tree, 0..12)
}

fn histories() -> impl Strategy<Value = Vec<(u32, f32)>> {
    // One of the titles is not in the catalogue.
    prop::collection::vec((0..=ITEMS, prop::sample::select(vec![1.0, 0.4, -1.0])), 0..9)
}

proptest! {
    #[test]
    fn the_parts_are_the_lead(
        weights in prop::collection::vec(-1.0f32..1.0, FEATURES),
        trees in trees(),
        events in histories(),
        is_expecting in any::<bool>(),
    ) {
        let bases = if is_expecting { &EXPECTING } else { &BASES };
        let recommender = recommender_over(bases, ranker(weights, &trees));
        let mut leads = Vec::new();
        for (scored, why) in attributed(&recommender, &history(&events)) {
            prop_assert!((sum(&why) - why.lead).abs() < 1e-4, "{why:?}");
            leads.push(scored.score - why.lead);
        }
        // All are compared with the same.
        prop_assert!(leads.iter().all(|mean| (mean - leads[0]).abs() < 1e-4), "{leads:?}");
    }

    /// A line's value for the mean candidate is the mean of its values.
    #[test]
    fn without_trees_the_lead_is_over_the_mean_score(
        weights in prop::collection::vec(-1.0f32..1.0, FEATURES),
        events in histories(),
    ) {
        let list = attributed(&recommender_over(&EXPECTING, ranker(weights, &[])), &history(&events));
        let mean = list.iter().map(|(scored, _)| scored.score).sum::<f32>() / list.len() as f32;
        for (scored, why) in list {
            prop_assert!((scored.score - mean - why.lead).abs() < 1e-4, "{scored:?} {why:?} over {mean}");
        }
    }
}

/// Only what the score was made from can be its reason.
#[test]
fn a_model_without_weight_gives_no_reason() {
    let events = history(&[(0, 1.0), (1, 1.0), (12, -1.0)]);
    let popular = recommender(ranker(trusting(&[Signal::Popularity]), &[]));
    for item in 0..ITEMS {
        assert_eq!(
            popular.explain(&events, item),
            [],
            "of {item}, which popularity alone has placed"
        );
    }
    // EASE asks all three events; the newest alone counts for this blend.
    let newest = recommender(ranker(trusting(&[Signal::Newest]), &[]));
    let events = history(&[(1, 1.0), (3, 1.0), (0, 1.0), (2, 1.0)]);
    let mut named: Vec<u32> = (0..ITEMS)
        .flat_map(|item| newest.explain(&events, item))
        .map(|title| title.item)
        .collect();
    named.sort_unstable();
    named.dedup();
    // Of a title of the history itself the others speak, of which the newest two are asked.
    let others = |item: u32| {
        newest
            .explain(&events, item)
            .iter()
            .all(|title| [0, 2].contains(&title.item))
    };
    assert!((4..ITEMS).all(others) && named.contains(&2), "{named:?}");
}

#[test]
fn what_trees_ask_of_one_event_is_that_event_s() {
    let events = history(&[(0, 1.0), (2, 1.0), (12, -1.0)]);
    let (follower, strength) = BASES
        .cooccurrence
        .followers(2)
        .filter(|(item, _)| *item != 0)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("somebody went on");
    let names: Vec<String> = (0..COLUMNS).map(columns::name).collect();
    let newest = names.iter().position(|name| name == "after.1").expect("a column") as u32;
    let tree = Tree {
        questions: vec![(newest, strength * 0.99), (0, 2.0), (0, 2.0)],
        leaves: vec![0.0, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    };
    let recommender = recommender(ranker(vec![0.0; FEATURES], &[tree]));
    let why = recommender.attribute_where(&events, follower, &|_| true, &mut Scratch::default());
    let why = why.expect("it is in the catalogue");
    assert_eq!(why.titles.iter().map(|title| title.item).collect::<Vec<_>>(), [2]);
    assert!((why.titles[0].contribution - 0.7).abs() < 1e-6, "{why:?}");
    assert!((why.lead - 0.7).abs() < 1e-6, "{why:?}");
    assert_eq!((why.popularity, why.trending, why.other), (0.0, 0.0, 0.0));
}

/// A ranker may prefer what few have liked, or what does not follow: then nobody's liking is the reason.
#[test]
fn what_is_small_has_no_merit() {
    let events = history(&[(0, 1.0), (2, 1.0)]);
    let weights: Vec<f32> = trusting(&[Signal::Popularity]).iter().map(|weight| -weight).collect();
    let names: Vec<String> = (0..COLUMNS).map(columns::name).collect();
    let newest = names.iter().position(|name| name == "after.1").expect("a column") as u32;
    let shunned = Tree {
        questions: vec![(newest, 1e-6), (0, 2.0), (0, 2.0)],
        leaves: vec![0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    };
    let recommender = recommender(ranker(weights, &[shunned]));
    let mut leading = 0;
    for (_, why) in attributed(&recommender, &events) {
        assert!(why.popularity <= 0.0 && why.trending <= 0.0, "{why:?}");
        assert!(why.titles.iter().all(|title| title.contribution <= 0.0), "{why:?}");
        leading += usize::from(why.lead > 0.0);
    }
    assert!(leading > 0);
}

/// Titles that nobody has watched fill a list, but no model has proposed them.
#[test]
fn what_no_model_proposed_has_no_attribution() {
    let tree = Tree {
        questions: vec![(0, 0.5), (0, 2.0), (0, 2.0)],
        leaves: vec![0.7; 8],
    };
    let recommender = recommender(ranker(trusting(&[Signal::Ease]), &[tree]));
    let events = history(&[(0, 1.0)]);
    let mut scratch = Scratch::default();
    let mut ranking = recommender.rank_where(&events, 5, &|_| false, &mut scratch);
    assert!(ranking.list().is_empty());
    assert_eq!(ranking.attribute(&[1, 2, u32::MAX]), [None, None, None]);
}

/// What a dislike lifts is the dislike's part, not that of whatever was liked.
#[test]
fn a_part_goes_to_the_terms_that_made_the_signal_what_it_is() {
    let divided = |part, above, terms: [f32; 3]| {
        let mut parts = [0.0; 3];
        let rest = divide(part, above, terms.into_iter().enumerate(), &mut parts);
        (parts, rest)
    };
    let near = |(parts, rest): ([f32; 3], f32), expected: [f32; 4]| {
        let found = [parts[0], parts[1], parts[2], rest];
        let far = found.iter().zip(expected).any(|(a, b)| (a - b).abs() > 1e-6);
        assert!(!far, "{found:?} is not {expected:?}");
    };
    near(divided(0.8, true, [3.0, -2.0, 1.0]), [0.6, 0.0, 0.2, 0.0]);
    // A ranker that takes the signal for ill lowers the title by those who raised the signal.
    near(divided(-0.8, true, [3.0, -2.0, 1.0]), [-0.6, 0.0, -0.2, 0.0]);
    near(divided(-0.6, false, [3.0, -2.0, 1.0]), [0.0, -0.2, 0.0, -0.4]);
    // And a small signal that it takes for good is nobody's merit who raised it.
    near(divided(0.6, false, [3.0, 2.0, 1.0]), [0.0, 0.0, 0.0, 0.6]);
}
