//! The figures of pages beside what they have to be better than, as JSON.

use contract::catalog::NewTitle;
use reco::metrics::bootstrap_interval;
use serde_json::{Value, json};

use super::{
    data::{House, Rating},
    judged::{Judged, judge},
    live::{self, LIKES},
};

const RESAMPLES: usize = 1_000;
const SEED: u64 = 20;

pub async fn figures(
    house: &House,
    films: &[NewTitle],
    past: &[Rating],
    next: &[Rating],
    config: recommend::Config,
) -> anyhow::Result<Value> {
    let judged = judge(&house.room, films, &house.titles, past, next).await?;
    let fixed = recommend::Config {
        rows_fixed: true,
        ..config
    };
    let fixed = judge(&*house.with(fixed).await?, films, &house.titles, past, next).await?;
    let new: Vec<&Judged> = judged.iter().filter(|one| one.is_new).collect();
    let mixes = judged
        .iter()
        .filter_map(|one| Some((one.calibration?, one.ranked_calibration?)));
    let rows = judged.iter().zip(&fixed).map(|(one, other)| (one.page, other.page));
    let mut said = json!({
        "rows": compared(rows),
        // Less is better.
        "miscalibration": compared(mixes),
        "new_viewers": compared(new.iter().map(|one| (one.page, one.popular))),
        "all_viewers": compared(judged.iter().map(|one| (one.page, one.popular))),
    });
    // Last: from here on more is known of everybody.
    let found = live::live(house, past, next).await?;
    found.report();
    let groups = LIKES.iter().zip(found.asked).zip(found.shown);
    let groups: Vec<Value> = groups
        .map(|((likes, asked), shown)| json!({ "liked_by": likes, "asked": asked, "shown": shown }))
        .collect();
    said["new_titles"] = json!({ "groups": groups, "by_lot": found.by_lot(films.len()) });
    Ok(said)
}

/// Means of both, and the interval of their difference over the same viewers.
fn compared(pairs: impl Iterator<Item = (f64, f64)>) -> Value {
    let pairs: Vec<(f64, f64)> = pairs.collect();
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / pairs.len().max(1) as f64;
    let differences: Vec<f32> = pairs.iter().map(|(own, other)| (own - other) as f32).collect();
    let (low, high) = bootstrap_interval(&differences, RESAMPLES, SEED);
    json!({
        "value": mean(&mut pairs.iter().map(|pair| pair.0)),
        "other": mean(&mut pairs.iter().map(|pair| pair.1)),
        "low": low,
        "high": high,
        "viewers": pairs.len(),
    })
}
