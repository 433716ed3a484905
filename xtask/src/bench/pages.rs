//! Owns the figures of whole home pages on real data, as recommend's own measurement gives them: every viewer of the last tenth of
//! MovieTweetings, with what was known before it.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::peers::{example, figures};
use super::report::{Figure, number};
use crate::process::Run;
use crate::progress::Stage;

pub fn pages(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let dataset = bench.dataset("movietweetings-100k")?;
    let program = example(bench.root, "recommend", "pages", stage)?;
    let run = Run::new(program).arg(dataset).args(["test", "figures"]);
    rows(&figures(run, stage)?)
}

fn rows(said: &Value) -> Result<Vec<Figure>> {
    Ok(vec![
        lead(
            &said["rows"],
            "two-dimensional NDCG of home pages, MovieTweetings, lead of rows chosen as a page over the same rows in a fixed order",
        )?,
        lead(
            &turned(&said["miscalibration"])?,
            "miscalibration of the first 20 Top Picks, MovieTweetings, lead of the page over its ranking as it is",
        )?,
        lead(
            &said["new_viewers"],
            "two-dimensional NDCG of home pages, viewers without a past, lead over a page of the most popular titles",
        )?,
        new_titles(&said["new_titles"])?,
    ])
}

/// A lead counts when the whole of its interval is above zero.
fn lead(said: &Value, what: &str) -> Result<Figure> {
    let [value, other, low, high, viewers] = of(said)?;
    let note = format!(
        "upper end {}; {} against {}, {viewers} viewers",
        number(high),
        number(value),
        number(other)
    );
    let what = format!("{what}, lower end of its 95 % interval");
    Ok(Figure::at_least(&what, low, f64::MIN_POSITIVE, "")
        .noted(&note)
        .wanting("above 0"))
}

fn of(said: &Value) -> Result<[f64; 5]> {
    let number_of = |key: &str| said[key].as_f64().with_context(|| format!("no `{key}` in {said}"));
    Ok([
        number_of("value")?,
        number_of("other")?,
        number_of("low")?,
        number_of("high")?,
        number_of("viewers")?,
    ])
}

/// Of what should be small.
fn turned(said: &Value) -> Result<Value> {
    let [_, _, low, high, _] = of(said)?;
    let mut turned = said.clone();
    (turned["low"], turned["high"]) = ((-high).into(), (-low).into());
    Ok(turned)
}

/// Of all times that somebody was the first to like a title that came after the training, how often their page had shown it. A page
/// whose titles are drawn by lot knows nothing of them.
fn new_titles(said: &Value) -> Result<Figure> {
    let groups = said["groups"].as_array().context("nothing of new titles")?;
    let by_lot = said["by_lot"].as_f64().context("nothing of the lot")?;
    let mut counts = Vec::with_capacity(groups.len());
    for group in groups {
        let count = |key: &str| group[key].as_f64().with_context(|| format!("no `{key}` in {group}"));
        counts.push((count("asked")?, count("shown")?));
    }
    let [(asked, shown), since @ ..] = &counts[..] else {
        anyhow::bail!("no group of new titles")
    };
    anyhow::ensure!(*asked > 0.0, "no title came after the training");
    let (asked_since, shown_since) = since
        .iter()
        .fold((0.0, 0.0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
    let what = "titles that came after the training, MovieTweetings, share that the page of whoever liked them first had shown before";
    let note = format!("{shown} of {asked}; once somebody had liked them: {shown_since} of {asked_since}");
    Ok(Figure::at_least(what, shown / asked, by_lot, "")
        .noted(&note)
        .wanting(&format!("{}, as by lot", number(by_lot))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(low: f64, high: f64) -> Value {
        json!({ "value": 0.2, "other": 0.15, "low": low, "high": high, "viewers": 300 })
    }

    #[test]
    fn a_lead_whose_interval_holds_zero_is_none_and_less_is_better_of_a_miscalibration() -> Result<()> {
        let groups = json!([
            { "liked_by": "nobody", "asked": 40, "shown": 3 },
            { "liked_by": "one", "asked": 10, "shown": 4 },
        ]);
        let titles = json!({ "groups": groups, "by_lot": 0.01 });
        let rows = |own: &Value, miscalibration: &Value| {
            rows(&json!({ "rows": own, "miscalibration": miscalibration, "new_viewers": own, "new_titles": titles }))
        };
        let better = rows(&said(0.01, 0.05), &said(-0.05, -0.01))?;
        assert!(better.iter().all(|row| row.met));
        let shown: Vec<&str> = better.iter().map(|row| row.measured.as_str()).collect();
        assert_eq!(
            shown[1],
            "0.0100 (upper end 0.0500; 0.2000 against 0.1500, 300 viewers)"
        );
        assert_eq!(shown[3], "0.0750 (3 of 40; once somebody had liked them: 4 of 10)");
        let none = rows(&said(0.0, 0.05), &said(0.01, 0.05))?;
        assert_eq!(
            none.iter().map(|row| row.met).collect::<Vec<_>>(),
            [false, false, false, true]
        );
        assert!(rows(&json!({}), &said(-0.05, -0.01)).is_err());
        Ok(())
    }
}
