//! Owns the figures of ranking quality on real data, as `kinora evaluate` and reco's own measurements give them.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::peers::{example, figures};
use super::report::{Figure, number};
use crate::process::Run;
use crate::progress::Stage;

pub fn quality(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let dataset = bench.dataset("ml-1m")?.to_string_lossy().into_owned();
    bench.dataset("movietweetings-100k")?;
    let evaluate = |protocol: &str| -> Result<Value> {
        let words = ["evaluate", "--data", &dataset, "--protocol", protocol, "--json"];
        let run = Run::new(&bench.binary).args(words);
        stage.line(&format!("protocol {protocol}"));
        serde_json::from_str(&run.stdout()?).context("read what `kinora evaluate` prints")
    };
    let mut rows = last_out(&evaluate("last-out")?)?;
    rows.extend(strong(&evaluate("strong")?)?);
    let run = Run::new(example(bench.root, "reco", "speed", stage)?).arg("temporal");
    rows.extend(temporal(&figures(run, stage)?)?);
    Ok(rows)
}

fn last_out(report: &Value) -> Result<Vec<Figure>> {
    let counting = |metric: &str| of(report, "cooccurrence", metric);
    let ranker = |metric: &str| of(report, "ranker", metric);
    let row = |what: &str| format!("ML-1M leave-last-out {what}");
    let training = model(report, "ranker")?["train_s"].as_f64();
    let training = training.context("no training time of the ranker")?;
    let popularity = |metric: &str| of(report, "popularity", metric);
    Ok(vec![
        reproduced(&row("Recall@10, popularity"), popularity("recall@10")?, 0.0363),
        reproduced(&row("NDCG@10, popularity"), popularity("ndcg@10")?, 0.0178),
        Figure::at_least(&row("NDCG@10, counting model"), counting("ndcg@10")?, 0.161, ""),
        Figure::at_least(&row("Recall@10, counting model"), counting("recall@10")?, 0.275, ""),
        Figure::at_least(&row("NDCG@10, ranker"), ranker("ndcg@10")?, 0.191, ""),
        Figure::at_least(&row("Recall@10, ranker"), ranker("recall@10")?, 0.316, ""),
        Figure::at_most(
            &row("training of the ranker, its models included"),
            training,
            120.0,
            "s",
        ),
    ])
}

fn strong(report: &Value) -> Result<Vec<Figure>> {
    let row = |what: &str| format!("ML-1M strong generalisation {what}");
    let (ndcg_name, ndcg) = best_single(report, "ndcg@100")?;
    let (recall_name, recall) = best_single(report, "recall@20")?;
    let ranker = of(report, "ranker", "ndcg@100")?;
    let ranker_recall = format!("Recall@20 {}", number(of(report, "ranker", "recall@20")?));
    let popularity = |metric: &str| of(report, "popularity", metric);
    Ok(vec![
        reproduced(&row("Recall@20, popularity"), popularity("recall@20")?, 0.1926),
        reproduced(&row("NDCG@100, popularity"), popularity("ndcg@100")?, 0.2330),
        Figure::at_least(&row("NDCG@100, best single model"), ndcg, 0.4845, "").noted(&ndcg_name),
        Figure::at_least(&row("Recall@20, best single model"), recall, 0.420, "").noted(&recall_name),
        Figure::at_least(&row("NDCG@100, ranker"), ranker, 0.4845, "").noted(&ranker_recall),
    ])
}

/// Away from a figure that others measured by no more than its last digit: as far as that, the evaluation is theirs.
const DIGIT: f64 = 0.000_15;

/// The plain list of popular titles has no settings: where its figure is another one, the evaluation is, and no other row says anything.
fn reproduced(what: &str, value: f64, published: f64) -> Figure {
    let is_same = (value - published).abs() <= DIGIT;
    Figure::at_least(what, value, f64::MIN, "")
        .wanting(&format!("{}, as others measured", number(published)))
        .only_if(is_same)
}

/// A lead counts when the whole of its interval is above zero.
fn temporal(said: &Value) -> Result<Vec<Figure>> {
    let number_of = |value: &Value| value.as_f64().with_context(|| format!("no number in {said}"));
    let ranker = number(number_of(&said["ranker"])?);
    let row = |other: &str, lead: &Value| -> Result<Figure> {
        let [low, high] = [number_of(&lead["low"])?, number_of(&lead["high"])?];
        let what =
            format!("MovieTweetings temporal NDCG@20, lead of the ranker over {other}, lower end of its 95 % interval");
        let name = lead["name"].as_str().context("a lead over nobody")?;
        let note = format!(
            "upper end {}; ranker {ranker}, {name} {}",
            number(high),
            number(number_of(&lead["value"])?)
        );
        Ok(Figure::at_least(&what, low, f64::MIN_POSITIVE, "")
            .noted(&note)
            .wanting("above 0"))
    };
    Ok(vec![
        row("popularity", &said["over_popularity"])?,
        row("the best single model", &said["over_best"])?,
    ])
}

fn model<'a>(report: &'a Value, name: &str) -> Result<&'a Value> {
    let models = report["models"].as_array().context("an evaluation without models")?;
    let found = models.iter().find(|model| model["name"] == name);
    found.with_context(|| format!("no model {name} in the evaluation"))
}

fn of(report: &Value, name: &str, metric: &str) -> Result<f64> {
    let value = value_of(&model(report, name)?["metrics"][metric]);
    value.with_context(|| format!("{name} has no `{metric}`"))
}

/// The model with the highest value of a metric, the ranker aside.
fn best_single(report: &Value, metric: &str) -> Result<(String, f64)> {
    let models = report["models"].as_array().context("an evaluation without models")?;
    let named = models
        .iter()
        .filter_map(|model| Some((model["name"].as_str()?, value_of(&model["metrics"][metric])?)));
    let best = named
        .filter(|(name, _)| *name != "ranker")
        .max_by(|a, b| a.1.total_cmp(&b.1));
    best.map(|(name, value)| (name.to_owned(), value))
        .with_context(|| format!("no model has `{metric}`"))
}

/// A plain number, or one with its confidence interval.
fn value_of(metric: &Value) -> Option<f64> {
    metric
        .as_f64()
        .or_else(|| metric["value"].as_f64())
        .or_else(|| metric["mean"].as_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lead_whose_interval_holds_zero_is_none() -> Result<()> {
        let said = |low: f64| {
            let lead = json!({ "name": "ease", "value": 0.05, "low": low, "high": 0.03 });
            json!({ "ranker": 0.07, "over_popularity": lead, "over_best": lead })
        };
        let met = |low: f64| -> Result<Vec<bool>> { Ok(temporal(&said(low))?.iter().map(|row| row.met).collect()) };
        assert_eq!(met(0.001)?, [true, true]);
        assert_eq!(met(0.0)?, [false, false]);
        assert_eq!(met(-0.001)?, [false, false]);
        Ok(())
    }

    #[test]
    fn a_baseline_is_reproduced_from_neither_side_by_more_than_a_digit() {
        let met = [0.0361, 0.0363, 0.036_44, 0.0366].map(|value| reproduced("a row", value, 0.0363).met);
        assert_eq!(met, [false, true, true, false]);
        assert_eq!(reproduced("a row", 0.0363, 0.0363).target, "0.0363, as others measured");
    }

    #[test]
    fn the_ranker_is_no_single_model() -> Result<()> {
        let named = |name: &str, value: f64| json!({ "name": name, "metrics": { "ndcg@100": value } });
        let report = json!({ "models": [named("ials", 0.48), named("ranker", 0.49), named("ease", 0.47)] });
        assert_eq!(best_single(&report, "ndcg@100")?, ("ials".to_owned(), 0.48));
        assert!(of(&report, "content", "ndcg@100").is_err());
        Ok(())
    }
}
