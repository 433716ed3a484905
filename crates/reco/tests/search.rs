//! The search for settings: it mends what is badly set, goes on where it stopped, and keeps to its budget.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod common;

use common::{planted, planted_features, small_base};
use reco::{BaseConfig, Protocol, RecoError, Search, SearchSettings, Split};

fn bad() -> BaseConfig {
    let mut base = small_base();
    // What comes next here is the next number: these settings see neither direction nor nearness.
    base.cooccurrence.decay = 1.0;
    base.cooccurrence.context_decay = 1.0;
    base.cooccurrence.backward = 1.0;
    base.ease.regularisation = 100_000.0;
    base.ials.objective.regularisation = 1.0;
    base.ials.epochs = 3;
    base
}

/// Goes on for so many trials.
fn run(search: &mut Search, trials: u64) {
    let split = Split::make(Protocol::LastOut, &planted(), 1).expect("splits");
    let until = search.trials().0 + trials;
    let mut go_on = |search: &Search| Ok(search.trials().0 < until);
    search
        .run(split.learn(), &planted_features(), &mut go_on)
        .expect("searches");
}

/// NDCG@10 on the older rehearsals, which the search does not judge by.
fn figure(config: &BaseConfig, model: fn(&reco::Dataset, &BaseConfig) -> Box<dyn reco::Model>) -> f64 {
    let split = Split::make(Protocol::LastOut, &planted(), 1).expect("splits");
    let mut figures = Vec::new();
    for stage in split.learn().older().iter() {
        let model = model(&stage.train, config);
        let (rankings, _) = reco::rank_cases(&*model, &stage.cases, 10);
        let pairs = rankings.iter().zip(&stage.cases);
        figures.extend(pairs.map(|(ranking, case)| reco::metrics::ndcg_at(&ranking.items, &case.targets, 10)));
    }
    reco::metrics::mean(&figures)
}

#[test]
fn settings_that_are_planted_badly_are_mended() {
    let mut search = Search::new(bad(), SearchSettings::default());
    run(&mut search, 80);
    let (trials, kept) = search.trials();
    assert_eq!(trials, 80);
    assert!(kept >= 2, "{kept} steps were worth keeping");
    let counts = |data: &reco::Dataset, config: &BaseConfig| -> Box<dyn reco::Model> {
        Box::new(reco::Cooccurrence::train(data, config.cooccurrence).expect("counts"))
    };
    let (before, after) = (figure(&bad(), counts), figure(&search.best(), counts));
    assert!(
        after > 1.2 * before,
        "counting from {before:.4} to {after:.4}: {:?}",
        search.best().cooccurrence
    );
}

#[test]
fn a_search_that_was_stopped_goes_on_to_the_same_bytes() {
    let bytes = |search: &Search| serde_json::to_vec(search).expect("writes");
    let mut through = Search::new(bad(), SearchSettings::default());
    run(&mut through, 24);
    for stop in [1, 7, 16] {
        let mut first = Search::new(bad(), SearchSettings::default());
        run(&mut first, stop);
        let mut again: Search = serde_json::from_slice(&bytes(&first)).expect("reads");
        run(&mut again, 24 - stop);
        assert_eq!(bytes(&again), bytes(&through), "stopped after {stop}");
    }
    let mut other = Search::new(
        bad(),
        SearchSettings {
            seed: 8,
            ..SearchSettings::default()
        },
    );
    run(&mut other, 24);
    assert_ne!(bytes(&other), bytes(&through), "another seed is another search");
}

#[test]
fn without_a_budget_the_incumbent_stays() {
    let mut search = Search::new(bad(), SearchSettings::default());
    run(&mut search, 0);
    assert_eq!((search.best(), search.trials()), (bad(), (0, 0)));
}

#[test]
fn whoever_does_not_want_it_any_more_ends_it() {
    let split = Split::make(Protocol::LastOut, &planted(), 1).expect("splits");
    let mut search = Search::new(bad(), SearchSettings::default());
    let mut cancel = |search: &Search| match search.trials().0 {
        0..3 => Ok(true),
        _ => Err(RecoError::Cancelled),
    };
    let ended = search.run(split.learn(), &planted_features(), &mut cancel);
    assert_eq!((ended, search.trials().0), (Err(RecoError::Cancelled), 3));
}

#[test]
fn too_few_viewers_to_judge_by_are_no_reason_to_try() {
    let few = planted().filtered(|interaction| interaction.user < 20);
    let split = Split::make(Protocol::LastOut, &few, 1).expect("splits");
    let mut search = Search::new(bad(), SearchSettings::default());
    let mut asked = 0;
    let mut go_on = |_: &Search| {
        asked += 1;
        Ok(asked < 5)
    };
    search
        .run(split.learn(), &planted_features(), &mut go_on)
        .expect("searches");
    assert_eq!(search.trials(), (0, 0));
}
