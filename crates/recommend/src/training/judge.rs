//! Publish or refuse: a new model is judged on the newest events, which it has not seen, against the one in service.

use reco::{Case, Dataset, Outcome, Recommender, Trained, compare};

use super::artefact;
use crate::titles::Titles;

const METRIC: &str = "ndcg@20";
/// Fewer held-out viewers say nothing.
const CASES_MIN: usize = 30;
/// A model that reaches less than this share of what popularity reaches has learned nothing.
const POPULARITY_SHARE_MIN: f64 = 0.8;
/// Without events that the current model has not seen, only a collapse against its own rehearsal is refused.
const COLLAPSE_SHARE: f32 = 0.7;
const SEED: u64 = 20;

/// What is to be done, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub publish: bool,
    pub decision: String,
    pub metrics: Vec<(String, f32)>,
    pub baseline: Vec<(String, f32)>,
}

/// `earlier`: the metrics of the current model's own rehearsal.
pub fn judge(
    trained: &Trained,
    data: &Dataset,
    titles: &Titles,
    current: Option<&Recommender>,
    earlier: &[(String, f32)],
) -> Verdict {
    let metrics = metrics(trained);
    let (publish, decision, baseline) = decide(trained, data, titles, current, earlier);
    Verdict {
        publish,
        decision,
        metrics,
        baseline,
    }
}

type Decision = (bool, String, Vec<(String, f32)>);

fn decide(
    trained: &Trained,
    data: &Dataset,
    titles: &Titles,
    current: Option<&Recommender>,
    earlier: &[(String, f32)],
) -> Decision {
    if let Err(reason) = artefact::check(&trained.recommender, titles) {
        return (false, format!("broken: {reason}"), Vec::new());
    }
    if let Some(reason) = has_learned_nothing(trained) {
        return (false, reason, Vec::new());
    }
    let Some(current) = current else {
        return (
            true,
            format!("the first model{}", beside_popularity(trained)),
            Vec::new(),
        );
    };
    let fresh = unseen_by(current, trained, data);
    if fresh.len() >= CASES_MIN {
        return against(current, trained, &fresh);
    }
    without_fresh_events(trained, earlier)
}

/// Not finite, or clearly below the plain list of popular titles.
fn has_learned_nothing(trained: &Trained) -> Option<String> {
    for report in &trained.metrics.models {
        if let Some((name, value)) = report.metrics.iter().find(|(_, value)| !value.is_finite()) {
            return Some(format!("{} {name} is {value}", report.name));
        }
    }
    let (ranker, popularity) = (figure(trained, "ranker")?, figure(trained, "popularity")?);
    let is_worse = trained.metrics.cases >= CASES_MIN && ranker < POPULARITY_SHARE_MIN * popularity;
    is_worse.then(|| {
        format!(
            "{METRIC} {ranker:.4} on {} viewers, below the list of popular titles ({popularity:.4})",
            trained.metrics.cases
        )
    })
}

fn against(current: &Recommender, trained: &Trained, fresh: &[Case]) -> Decision {
    let compared = compare(current, &trained.rehearsal, fresh, SEED);
    let baseline = vec![(METRIC.to_owned(), compared.current as f32)];
    let is_finite = compared.difference.is_finite();
    let word = match compared.outcome {
        _ if !is_finite => "not comparable with",
        Outcome::Better => "better than",
        Outcome::Equal => "as good as",
        Outcome::Worse => "worse than",
        Outcome::Unknown => "not comparable with",
    };
    let decision = format!(
        "{word} the model in service on what {} viewers did since: {METRIC} {:.4} against {:.4}, difference {:+.4} ({:+.4} to {:+.4})",
        compared.cases,
        compared.candidate,
        compared.current,
        compared.difference,
        compared.interval.0,
        compared.interval.1
    );
    (is_finite && compared.outcome != Outcome::Worse, decision, baseline)
}

fn without_fresh_events(trained: &Trained, earlier: &[(String, f32)]) -> Decision {
    let before = earlier.iter().find(|(name, _)| name == METRIC).map(|(_, value)| *value);
    let now = figure(trained, "ranker").map(|value| value as f32);
    let baseline: Vec<_> = before.map(|value| (METRIC.to_owned(), value)).into_iter().collect();
    let few = "too little has happened since the model in service was trained to compare them";
    match (now, before) {
        (Some(now), Some(before)) if trained.metrics.cases >= CASES_MIN && now < COLLAPSE_SHARE * before => (
            false,
            format!("{few}, and {METRIC} fell from {before:.4} to {now:.4}"),
            baseline,
        ),
        (Some(now), Some(before)) => (true, format!("{few}; {METRIC} {now:.4}, it had {before:.4}"), baseline),
        _ => (true, format!("{few}; nothing speaks against this one"), baseline),
    }
}

/// Held-out viewers with those of their titles that came after the current model was trained: on anything else it would be asked
/// for what it was told.
fn unseen_by(current: &Recommender, trained: &Trained, data: &Dataset) -> Vec<Case> {
    let since = current.trained_through();
    let is_new = |case: &Case, item: u32| {
        let events = data.history(case.user).iter();
        events
            .rev()
            .find(|event| event.item == item)
            .is_some_and(|event| event.at > since)
    };
    let fresh = trained.held_out.iter().filter_map(|case| {
        let targets: Vec<u32> = case
            .targets
            .iter()
            .copied()
            .filter(|item| is_new(case, *item))
            .collect();
        (!targets.is_empty()).then(|| Case {
            targets,
            ..case.clone()
        })
    });
    fresh.collect()
}

fn metrics(trained: &Trained) -> Vec<(String, f32)> {
    let of = |name: &str| trained.metrics.models.iter().find(|report| report.name == name);
    let ranker = of("ranker")
        .into_iter()
        .flat_map(|report| report.metrics.iter().map(|(name, value)| (name.clone(), *value as f32)));
    let popularity = figure(trained, "popularity").map(|value| (format!("{METRIC} of popularity"), value as f32));
    ranker.chain(popularity).collect()
}

fn figure(trained: &Trained, model: &str) -> Option<f64> {
    trained
        .metrics
        .models
        .iter()
        .find(|report| report.name == model)?
        .metrics
        .get(METRIC)
        .copied()
}

fn beside_popularity(trained: &Trained) -> String {
    match (figure(trained, "ranker"), figure(trained, "popularity")) {
        (Some(ranker), Some(popularity)) => format!(
            ": {METRIC} {ranker:.4} on the newest events of {} viewers, where the list of popular titles reaches {popularity:.4}",
            trained.metrics.cases
        ),
        _ => "; too little has happened to judge it".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests fail by it")]
mod tests {
    use reco::{Interaction, ItemFeatures, TrainConfig, train};

    use super::*;

    const TITLES: u32 = 80;

    /// Viewer v watches titles of genre v % 4, which are those with that remainder; `name` says which title each is.
    fn watched(name: impl Fn(u32) -> u32) -> Dataset {
        let event = |user: u32, step: u32| Interaction {
            user,
            item: name((user * 7 + step * 3) % 20 * 4 + user % 4),
            weight: 1.0,
            at: i64::from(step * 200 + user),
        };
        let events = (0..200).flat_map(|user| (0..14).map(move |step| (user, step)));
        let events = events.map(|(user, step)| event(user, step));
        Dataset::from_interactions(200, TITLES as usize, events).expect("builds")
    }

    fn trained(data: &Dataset) -> Trained {
        let keys: Vec<i64> = (0..i64::from(TITLES)).collect();
        let none = ItemFeatures::none(keys.len());
        train(data, &keys, &none, &TrainConfig::default(), 10_000, &|_, _| Ok(())).expect("trains")
    }

    fn titles() -> Titles {
        Titles::films(0..i64::from(TITLES))
    }

    #[test]
    fn a_model_that_is_worse_than_the_one_in_service_is_refused() {
        let data = watched(|title| title);
        let good = trained(&data);
        // Has learned from another world: every title is mistaken for another one, most of another genre.
        let mistaken = trained(&watched(|title| (title * 27 + 13) % TITLES)).rehearsal;
        let in_service = good.rehearsal.clone();
        let verdict = judge(&good, &data, &titles(), Some(&in_service), &[]);
        assert!(
            verdict.publish && verdict.decision.starts_with("as good as"),
            "{}",
            verdict.decision
        );
        let verdict = judge(&good, &data, &titles(), Some(&mistaken), &[]);
        assert!(
            verdict.publish && verdict.decision.starts_with("better than"),
            "{}",
            verdict.decision
        );
        let worse = Trained {
            rehearsal: mistaken,
            ..good
        };
        let verdict = judge(&worse, &data, &titles(), Some(&in_service), &[]);
        assert!(
            !verdict.publish && verdict.decision.starts_with("worse than"),
            "{}",
            verdict.decision
        );
    }

    #[test]
    fn a_model_that_has_learned_nothing_is_refused_even_as_the_first() {
        let data = watched(|title| title);
        let mut nothing = trained(&data);
        for report in nothing
            .metrics
            .models
            .iter_mut()
            .filter(|report| report.name == "ranker")
        {
            report.metrics.insert(METRIC.into(), 0.0);
        }
        let verdict = judge(&nothing, &data, &titles(), None, &[]);
        assert!(
            !verdict.publish && verdict.decision.contains("popular titles"),
            "{}",
            verdict.decision
        );
        for report in &mut nothing.metrics.models {
            report.metrics.insert(METRIC.into(), f64::NAN);
        }
        let verdict = judge(&nothing, &data, &titles(), None, &[]);
        assert!(
            !verdict.publish && verdict.decision.contains("NaN"),
            "{}",
            verdict.decision
        );
    }
}
