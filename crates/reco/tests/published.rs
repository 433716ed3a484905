//! The evaluator pinned to published figures on real data. A test's name begins with the data set that it needs: `cargo xtask test`
//! runs those whose data set is there.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod common;

use common::data;
use reco::{
    BaseConfig, CooccurrenceSettings, EvaluateOptions, ModelReport, Protocol, Recommender, TrainConfig, evaluate,
    evaluate_split, train,
};

fn near(model: &ModelReport, metric: &str, expected: f64) {
    let value = model.metrics[metric];
    assert!(
        (value - expected).abs() < 0.000_15,
        "{metric} is {value}, not {expected}"
    );
}

#[test]
#[ignore = "needs the data set ml-1m"]
fn ml_1m_leave_last_out_reproduces_popularity_and_the_counting_model() {
    let (data, features) = data::ml_1m().expect("reads");
    let names = ["popularity", "cooccurrence"];
    // The settings of the trial that these figures are of.
    let mut base = BaseConfig::for_protocol(Protocol::LastOut);
    base.cooccurrence = CooccurrenceSettings::default();
    let options = EvaluateOptions {
        base: Some(base),
        ..EvaluateOptions::default()
    };
    let done = evaluate(Protocol::LastOut, &data, &features, &names, &options);
    let models = done.expect("evaluates").report.models;
    near(&models[0], "recall@10", 0.0363);
    near(&models[0], "ndcg@10", 0.0178);
    near(&models[1], "recall@10", 0.2748);
    near(&models[1], "ndcg@10", 0.1605);
}

/// With the settings that the search found on the learn stages.
#[test]
#[ignore = "needs the data set ml-1m"]
fn ml_1m_leave_last_out_the_counting_model_as_it_was_searched() {
    let (data, features) = data::ml_1m().expect("reads");
    let names = ["cooccurrence"];
    let done = evaluate(Protocol::LastOut, &data, &features, &names, &EvaluateOptions::default());
    let models = done.expect("evaluates").report.models;
    near(&models[0], "recall@10", 0.2775);
    near(&models[0], "ndcg@10", 0.1619);
}

#[test]
#[ignore = "needs the data set ml-1m"]
fn ml_1m_strong_generalisation_reproduces_popularity_and_ease() {
    let (split, features) = data::ml_1m_strong().expect("reads");
    let names = ["popularity", "ease"];
    let done = evaluate_split(split, &features, &names, &EvaluateOptions::default());
    let models = done.expect("evaluates").report.models;
    near(&models[0], "recall@20", 0.1926);
    near(&models[0], "ndcg@100", 0.2330);
    near(&models[1], "recall@20", 0.4204);
    near(&models[1], "ndcg@100", 0.4836);
}

#[test]
#[ignore = "needs the data set movietweetings-100k"]
fn movietweetings_the_ranker_finds_more_than_popularity_and_stays_small() {
    let (data, features) = data::movietweetings().expect("reads");
    let keys: Vec<i64> = (0..data.items() as i64).collect();
    let now = data.newest().expect("events");
    let quiet = |_: &str, _: f32| Ok(());
    let mut config = TrainConfig::default();
    // Fewer rounds than a service takes: the claim is about the blend.
    config.base.ials.epochs = 2;
    let done = train(&data, &keys, &features, &config, now, &quiet);
    let done = done.expect("trains");
    let of = |name: &str| {
        let model = done.metrics.models.iter().find(|m| m.name == name);
        model.expect("reported").metrics["recall@50"]
    };
    assert!(
        of("ranker") > 1.3 * of("popularity"),
        "{} {}",
        of("ranker"),
        of("popularity")
    );
    let parts = done.recommender.save_parts().expect("saves");
    let bytes: usize = parts.iter().map(|p| p.1.len()).sum();
    assert!(bytes < 40_000_000, "{bytes} bytes");
    assert!(Recommender::load_parts(&parts).expect("loads") == done.recommender);
}
