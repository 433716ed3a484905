//! Publish or refuse: a new model is judged on the newest events, which it has not seen, against the one in service.

use reco::{Case, Clock, Dataset, Event, Outcome, Pace, Recommender, Trained, compare};

use super::artefact;
use crate::titles::Titles;

const METRIC: &str = "ndcg@20";
/// The first of a model's figures.
const SHOWN_FIRST: [&str; 7] = [
    METRIC,
    "recall@20",
    "coverage@20",
    "novelty@20",
    "diversity@20",
    "miscalibration@20",
    "gini@20",
];
/// With fewer held-out viewers a figure alone says nothing.
const CASES_MIN: usize = 30;
/// With fewer the same viewers under both models say nothing either. Of 800 simulated pairs of equal models that miss every other viewer, the
/// bootstrap called one worse in 4 % with thirty viewers, in 5 % with ten, and in 9 % with six.
const PAIRS_MIN: usize = 10;
/// A model that reaches less than this share of what popularity reaches has learned nothing.
const POPULARITY_SHARE_MIN: f64 = 0.8;
/// Without events that the current model has not seen, only a collapse against its own rehearsal is refused.
const COLLAPSE_SHARE: f32 = 0.7;
/// Held-out viewers for whom every score of a new model is looked at.
const SAMPLED_MAX: usize = 50;
const SEED: u64 = 20;

/// What is to be done, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub publish: bool,
    pub decision: String,
    pub metrics: Vec<(String, f32)>,
    pub baseline: Vec<(String, f32)>,
}

impl Verdict {
    /// It cannot serve, whatever else was found.
    pub fn refuse(&mut self, reason: &str) {
        self.publish = false;
        self.decision = format!("broken: {reason}");
    }
}

/// `earlier`: the metrics of the current model's own rehearsal. `clock` times both models' rankings.
pub fn judge(
    trained: &Trained,
    data: &Dataset,
    titles: &Titles,
    current: Option<&Recommender>,
    earlier: &[(String, f32)],
    clock: Clock<'_>,
) -> Verdict {
    let metrics = metrics(trained);
    let (publish, decision, baseline) = decide(trained, data, titles, current, earlier, clock);
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
    clock: Clock<'_>,
) -> Decision {
    let sampled = sampled(trained);
    let whole = artefact::check(&trained.recommender, titles)
        .and_then(|()| artefact::recommends(&trained.recommender, sampled.clone()))
        .and_then(|()| artefact::recommends(&trained.rehearsal, sampled));
    if let Err(reason) = whole {
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
    if let Some(reason) = is_much_slower(current, trained, clock) {
        return (false, reason, Vec::new());
    }
    let fresh = unseen_by(current, trained, data);
    if fresh.len() >= PAIRS_MIN {
        return against(current, trained, &fresh, earlier);
    }
    without_fresh_events(trained, earlier)
}

/// Histories of held-out viewers, evenly from the first to the last.
fn sampled(trained: &Trained) -> impl Iterator<Item = &[Event]> + Clone {
    let step = trained.held_out.len().div_ceil(SAMPLED_MAX).max(1);
    trained
        .held_out
        .iter()
        .step_by(step)
        .map(|case| case.history.as_slice())
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

/// The model that would serve takes many times as long for the same viewers.
fn is_much_slower(current: &Recommender, trained: &Trained, clock: Clock<'_>) -> Option<String> {
    let pace = Pace::measure(current, &trained.recommender, &trained.held_out, clock);
    let ms = |us: f64| us / 1000.0;
    pace.is_much_slower().then(|| {
        format!(
            "much slower than the model in service: {:.2} ms for the ranking of one viewer, where that takes {:.2} ms on the same {} \
             viewers; at most {:.2} ms are let through",
            ms(pace.candidate_us),
            ms(pace.current_us),
            pace.cases,
            ms(pace.allowed_us)
        )
    })
}

/// `earlier`: what the current model had in its own training, beside which its figure on these viewers stands.
fn against(current: &Recommender, trained: &Trained, fresh: &[Case], earlier: &[(String, f32)]) -> Decision {
    let compared = compare(current, &trained.rehearsal, fresh, SEED);
    let others = earlier.iter().filter(|(name, _)| name != METRIC).cloned();
    let baseline = std::iter::once((METRIC.to_owned(), compared.current as f32))
        .chain(others)
        .collect();
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
    let baseline = earlier.to_vec();
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

/// What a person looks at first stands first; the rest follows by name.
fn metrics(trained: &Trained) -> Vec<(String, f32)> {
    let mut listed = Vec::new();
    let Some(ranker) = trained.metrics.models.iter().find(|report| report.name == "ranker") else {
        return listed;
    };
    for name in SHOWN_FIRST {
        listed.extend(ranker.metrics.get(name).map(|value| (name.to_owned(), *value as f32)));
        if name == METRIC {
            let popularity = figure(trained, "popularity");
            listed.extend(popularity.map(|value| (format!("{METRIC} of popularity"), value as f32)));
        }
    }
    let others = ranker
        .metrics
        .iter()
        .filter(|(name, _)| !SHOWN_FIRST.contains(&name.as_str()));
    listed.extend(others.map(|(name, value)| (name.clone(), *value as f32)));
    listed.push(("serve_us".to_owned(), ranker.serve_us as f32));
    listed
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
    use std::time::Duration;

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

    /// Everything takes no time.
    fn at_once() -> impl FnMut() -> Duration {
        || Duration::ZERO
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
        let verdict = judge(&good, &data, &titles(), Some(&in_service), &[], &mut at_once());
        assert!(
            verdict.publish && verdict.decision.starts_with("as good as"),
            "{}",
            verdict.decision
        );
        let verdict = judge(&good, &data, &titles(), Some(&mistaken), &[], &mut at_once());
        assert!(
            verdict.publish && verdict.decision.starts_with("better than"),
            "{}",
            verdict.decision
        );
        let worse = Trained {
            rehearsal: mistaken,
            ..good
        };
        let verdict = judge(&worse, &data, &titles(), Some(&in_service), &[], &mut at_once());
        assert!(
            !verdict.publish && verdict.decision.starts_with("worse than"),
            "{}",
            verdict.decision
        );
    }

    /// A clock by which the model in service takes so long per viewer, and the new one so long.
    fn clock(cases: usize, current_us: u64, candidate_us: u64) -> impl FnMut() -> Duration {
        let (mut calls, mut now) = (0, Duration::ZERO);
        let all = move |us: u64| Duration::from_micros(us) * cases.min(100) as u32;
        move || {
            match calls % 5 {
                2 => now += all(current_us),
                4 => now += all(candidate_us),
                _ => {}
            }
            calls += 1;
            now
        }
    }

    #[test]
    fn a_model_that_is_much_slower_than_the_one_in_service_is_refused() {
        let data = watched(|title| title);
        let good = trained(&data);
        let step = good.held_out.len().div_ceil(100);
        let timed = good.held_out.len().div_ceil(step);
        let judged = |current_us, candidate_us| {
            let mut clock = clock(timed, current_us, candidate_us);
            judge(&good, &data, &titles(), Some(&good.rehearsal), &[], &mut clock)
        };
        let verdict = judged(1_500, 6_000);
        assert!(!verdict.publish, "{}", verdict.decision);
        let said =
            "much slower than the model in service: 6.00 ms for the ranking of one viewer, where that takes 1.50 ms";
        assert!(verdict.decision.starts_with(said), "{}", verdict.decision);
        let verdict = judged(1_500, 4_000);
        assert!(
            verdict.publish && verdict.decision.starts_with("as good as"),
            "{}",
            verdict.decision
        );
    }

    /// As many held-out viewers as there are in a small house.
    fn of_few(trained: Trained, viewers: usize) -> Trained {
        let held_out = trained.held_out.into_iter().take(viewers).collect();
        Trained { held_out, ..trained }
    }

    #[test]
    fn a_few_viewers_are_compared_and_fewer_say_nothing() {
        let data = watched(|title| title);
        let good = of_few(trained(&data), PAIRS_MIN);
        assert_eq!(good.held_out.len(), PAIRS_MIN);
        let mistaken = trained(&watched(|title| (title * 27 + 13) % TITLES)).rehearsal;
        let in_service = good.rehearsal.clone();
        let earlier = [("ndcg@20", 0.0), ("recall@20", 0.25)].map(|(name, value)| (name.to_owned(), value));
        let judged = |trained: &Trained| judge(trained, &data, &titles(), Some(&in_service), &earlier, &mut at_once());
        let verdict = judged(&good);
        assert!(
            verdict.publish
                && verdict
                    .decision
                    .starts_with("as good as the model in service on what 10 viewers"),
            "{}",
            verdict.decision
        );
        let worse = Trained {
            rehearsal: mistaken,
            ..good
        };
        let verdict = judged(&worse);
        assert!(
            !verdict.publish && verdict.decision.starts_with("worse than"),
            "{}",
            verdict.decision
        );
        let before = |name: &str| {
            verdict
                .baseline
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| *value)
        };
        assert!(
            before("ndcg@20") > Some(0.0),
            "on these viewers: {:?}",
            verdict.baseline
        );
        assert_eq!(before("recall@20"), Some(0.25), "in its own training");
        let verdict = judged(&of_few(worse, PAIRS_MIN - 1));
        assert!(
            verdict.publish && verdict.decision.starts_with("too little has happened"),
            "{}",
            verdict.decision
        );
        assert_eq!(verdict.baseline, earlier);
    }

    /// One number of the model to publish is none, after a title that is not among the most popular.
    #[test]
    fn a_model_with_a_number_that_is_none_is_refused() {
        let data = watched(|title| title);
        let good = trained(&data);
        let popular = good.recommender.popular(3, &reco::ItemSet::new(TITLES as usize));
        let is_rarer = |event: &&Event| popular.iter().all(|known| known.item != event.item);
        let rarer = good.held_out[0]
            .history
            .iter()
            .find(is_rarer)
            .expect("one of them")
            .item;
        let event = |item, weight| Event { item, weight, at: 0 };
        let mut counts = good.recommender.counts().clone();
        counts.observe(&[event(rarer, 1.0)], event((rarer + 1) % TITLES, f32::NAN));
        let recommender = good.recommender.with_counts(counts).expect("fits");
        let broken = Trained { recommender, ..good };
        let verdict = judge(&broken, &data, &titles(), None, &[], &mut at_once());
        let said = "broken: its cooccurrence scores a title with NaN";
        assert_eq!((verdict.publish, verdict.decision.as_str()), (false, said));
    }

    #[test]
    fn the_figures_begin_with_what_a_person_looks_at() {
        let data = watched(|title| title);
        let verdict = judge(&trained(&data), &data, &titles(), None, &[], &mut at_once());
        let names: Vec<&str> = verdict.metrics.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..3], [METRIC, "ndcg@20 of popularity", "recall@20"]);
        for name in ["coverage@20", "gini@20", "novelty@20", "ndcg@100", "serve_us"] {
            assert_eq!(names.iter().filter(|known| **known == name).count(), 1, "{name}");
        }
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
        let verdict = judge(&nothing, &data, &titles(), None, &[], &mut at_once());
        assert!(
            !verdict.publish && verdict.decision.contains("popular titles"),
            "{}",
            verdict.decision
        );
        for report in &mut nothing.metrics.models {
            report.metrics.insert(METRIC.into(), f64::NAN);
        }
        let verdict = judge(&nothing, &data, &titles(), None, &[], &mut at_once());
        assert!(
            !verdict.publish && verdict.decision.contains("NaN"),
            "{}",
            verdict.decision
        );
    }
}
