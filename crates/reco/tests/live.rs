//! What a recommender in service learns without a training: counts that go on, and titles that came since.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod common;

use common::{ITEMS, history, planted, planted_recommender, small_base, weighted};
use proptest::prelude::*;
use reco::{Cooccurrence, Ease, Event, ItemSet, Model, RecoError, Recommender, Scratch, TitleDescription};

fn ranked(model: &Recommender, history: &[Event]) -> Vec<u32> {
    let all = model.recommend(history, 10 * ITEMS, &ItemSet::default(), &mut Scratch::default());
    all.iter().map(|scored| scored.item).collect()
}

fn place(model: &Recommender, history: &[Event], item: u32) -> usize {
    let list = ranked(model, history);
    list.iter()
        .position(|&other| other == item)
        .expect("every title is ranked")
}

fn comedy<'a>(name: &'a str, genres: &'a [&'a str]) -> TitleDescription<'a> {
    TitleDescription {
        name,
        year: Some(1991),
        genres,
        people: &[],
    }
}

/// Two new titles of the first taste, one of the second, one of which nothing is known.
fn placed() -> Recommender {
    let new = [
        (5_001, comedy("Unheard Of", &["Comedy"])),
        (5_000, comedy("Unheard Of", &["Comedy"])),
        (5_002, comedy("Unheard Of", &["Horror"])),
        (5_003, TitleDescription::default()),
    ];
    planted_recommender().placed(&new).expect("places")
}

#[test]
fn a_new_title_finds_those_it_is_for_and_moves_nobody_else() {
    let (model, before) = (placed(), planted_recommender());
    assert_eq!((model.items(), model.trained_items()), (ITEMS + 4, ITEMS));
    assert_eq!(model.index_of(5_000), Some(ITEMS as u32 + 1));
    let (first, second) = (history(&[2, 3, 4]), history(&[22, 23, 24]));
    for new in [0, 1] {
        let item = (ITEMS + new) as u32;
        assert!(
            place(&model, &first, item) < place(&model, &second, item),
            "title {item}"
        );
    }
    let item = ITEMS as u32 + 2;
    assert!(place(&model, &second, item) < place(&model, &first, item));
    // The order of the known titles is what it was.
    let known = |list: Vec<u32>| list.into_iter().filter(|&item| item < ITEMS as u32).collect::<Vec<_>>();
    for history in [first, second, history(&[])] {
        assert_eq!(known(ranked(&model, &history)), known(ranked(&before, &history)));
    }
    let near = model.similar(ITEMS as u32, 10);
    let of_its_taste = near.iter().filter(|s| s.item < 20 || [40, 41, 45].contains(&s.item));
    assert_eq!(of_its_taste.count(), 10, "{near:?}");
}

#[test]
fn who_likes_a_new_title_is_led_on_by_what_it_is() {
    let model = placed();
    let of_first = |history: &[Event]| {
        let list = ranked(&model, history);
        list.iter()
            .take(10)
            .filter(|&&item| item < 20 || item == 40 || item == 41)
            .count()
    };
    assert!(of_first(&history(&[ITEMS as u32])) > of_first(&history(&[ITEMS as u32 + 2])));
    // Its reasons are made of known terms too.
    let why = model.explain(&history(&[ITEMS as u32, 3]), 5);
    assert!(why.iter().all(|part| part.contribution.is_finite()) && !why.is_empty());
    let unknown = ranked(&model, &history(&[ITEMS as u32 + 3]));
    assert_eq!(unknown.len(), ITEMS + 3);
}

#[test]
fn a_title_is_placed_once_and_never_stored() {
    let model = planted_recommender();
    let known = [(1_003, comedy("Known", &["Comedy"]))];
    assert!(matches!(model.placed(&known), Err(RecoError::Data(text)) if text.contains("1003")));
    let twice = [(5_000, comedy("New", &["Comedy"])), (5_000, comedy("New", &["Comedy"]))];
    assert!(model.placed(&twice).is_err());
    assert!(placed().save_parts().is_err());
    let loaded = Recommender::load_parts(&model.save_parts().expect("saves")).expect("loads");
    let again = loaded.placed(&[(5_000, comedy("New", &["Comedy"]))]).expect("places");
    assert_eq!(
        ranked(&again, &history(&[1])),
        ranked(
            &model.placed(&[(5_000, comedy("New", &["Comedy"]))]).expect("places"),
            &history(&[1])
        )
    );
}

#[test]
fn counts_go_on_beside_the_model_that_serves() {
    let model = placed();
    let mut counts = model.counts().clone();
    let new = ITEMS as u32 + 3;
    for _ in 0..30 {
        counts.observe(&history(&[25]), history(&[new])[0]);
    }
    assert!(!counts.has_row_of(model.counts(), 25) && counts.has_row_of(model.counts(), 26));
    let mut further = counts.clone();
    further.observe(&history(&[26]), history(&[new])[0]);
    assert!(further.has_row_of(&counts, 25), "changed before, and the same since");
    assert!(!further.has_row_of(&counts, 26) && !further.has_row_of(&counts, new));
    let before = place(&model, &history(&[25]), new);
    let live = model.with_counts(counts).expect("fits");
    let after = place(&live, &history(&[25]), new);
    assert!(
        after < before,
        "a title of which nothing was known follows another one: from {before} to {after}"
    );
    assert_eq!(
        place(&model, &history(&[25]), new),
        before,
        "the model itself has not changed"
    );
    let other = planted_recommender().counts().clone();
    assert!(model.with_counts(other).is_err(), "counts over fewer titles");
}

/// A title's place in memory: the cells that change are those of the rows that events touch.
#[test]
fn what_is_held_beside_the_trained_counts_is_what_has_happened() {
    let mut counts = planted_recommender().counts().clone();
    assert_eq!(counts.changed_cells(), 0);
    let long: Vec<Event> = history(&(0..40).collect::<Vec<u32>>());
    counts.observe(&long[..39], long[39]);
    let trained = planted_recommender();
    let rows = (0..ITEMS as u32)
        .filter(|&item| !counts.has_row_of(trained.counts(), item))
        .count();
    assert_eq!(
        rows,
        1 + small_base().cooccurrence.window,
        "one event touches its window and itself"
    );
    assert!(counts.changed_cells() <= rows * ITEMS);
}

fn score(model: &dyn Model, history: &[Event], item: u32) -> f32 {
    let mut out = vec![0.0; model.items()];
    model.score(history, &mut Scratch::default(), &mut out);
    out[item as usize]
}

/// The models in which a title's score is a sum over the history with weights that are known.
fn monotone() -> &'static (Cooccurrence, Ease) {
    static MODELS: std::sync::OnceLock<(Cooccurrence, Ease)> = std::sync::OnceLock::new();
    MODELS.get_or_init(|| {
        let (data, base) = (planted(), small_base());
        let counts = Cooccurrence::train(&data, base.cooccurrence).expect("counts");
        (counts, Ease::train(&data, base.ease).expect("solves"))
    })
}

proptest! {
    /// Whatever the rest of the history says: the worse a neighbour of a title was found, the lower that title stands.
    #[test]
    fn worse_evidence_on_neighbours_never_raises_a_title(
        items in prop::collection::btree_set(0u32..40, 2..9),
        weights in prop::collection::vec(-1.0f32..=1.0, 9),
        lower in prop::collection::vec(0.0f32..=2.0, 9),
        wanted in 0u32..40,
    ) {
        let (counts, ease) = monotone();
        let known: Vec<(u32, f32)> = items.iter().copied().zip(weights).collect();
        let history = weighted(&known);
        let pairs = known.iter().zip(lower);
        for (name, model, is_neighbour) in [
            ("counts", counts as &dyn Model, &(|from| counts.followers(from).any(|(to, _)| to == wanted)) as &dyn Fn(u32) -> bool),
            ("ease", ease as &dyn Model, &|from| ease.weights().get(from, wanted) > 0.0),
        ] {
            let worse: Vec<(u32, f32)> = pairs
                .clone()
                .map(|(&(item, weight), less)| (item, if is_neighbour(item) { weight - less } else { weight }))
                .collect();
            let (before, after) = (score(model, &history, wanted), score(model, &weighted(&worse), wanted));
            prop_assert!(after <= before + 1e-5, "{}: from {} to {}", name, before, after);
        }
    }
}
