//! Results, from sums alone: cheap to read at any time, and allowed to be.

use contract::experiments::{
    ArmDifference, ArmPreference, ArmResult, Experiment, ExperimentMethod, ExperimentMetric, ExperimentResults,
    ExperimentVerdict,
};
use reco::experiment::{Difference, Direction, Preferences, Verdict, difference, verdict};

use super::store::Sums;

/// Chance of seeing, at any reading, a difference that is not there.
const ALPHA: f64 = 0.05;

pub fn read(experiment: Experiment, sums: &Sums, waiting: u64) -> ExperimentResults {
    match experiment.setup.method {
        ExperimentMethod::Ab => ab(experiment, sums, waiting),
        ExperimentMethod::Interleaving => interleaved(experiment, sums, waiting),
    }
}

fn ab(experiment: Experiment, sums: &Sums, waiting: u64) -> ExperimentResults {
    let setup = &experiment.setup;
    let found = |metric, alpha| difference(&sum(sums, 0, metric), &sum(sums, 1, metric), alpha);
    let metric = found(setup.metric, ALPHA);
    // All guards together raise a false alarm as seldom as the metric does.
    let alpha = ALPHA / setup.guards.len().max(1) as f64;
    let guards: Vec<(ExperimentMetric, Option<Difference>)> = setup
        .guards
        .iter()
        .map(|guard| (*guard, found(*guard, alpha)))
        .collect();
    let judged: Vec<(Option<Difference>, Direction)> = guards
        .iter()
        .map(|(guard, found)| (*found, direction(*guard)))
        .collect();
    let judged = verdict((metric, direction(setup.metric)), &judged);
    let difference = metric.map(|found| told(setup.metric, found, ALPHA));
    let guards: Vec<ArmDifference> = guards
        .into_iter()
        .filter_map(|(guard, found)| Some(told(guard, found?, alpha)))
        .collect();
    let arms = arms(&experiment, sums);
    let decision = ab_in_words(&experiment, &arms, difference.as_ref(), &guards, judged);
    ExperimentResults {
        experiment,
        arms,
        waiting,
        difference,
        guards,
        preference: None,
        verdict: told_verdict(judged),
        decision,
    }
}

fn interleaved(experiment: Experiment, sums: &Sums, waiting: u64) -> ExperimentResults {
    let metric = experiment.setup.metric;
    let (first, second) = (sum(sums, 0, metric), sum(sums, 1, metric));
    let (a, b) = (first.sum.round() as u64, second.sum.round() as u64);
    let counted = Preferences {
        a,
        b,
        ties: first.count.saturating_sub(a + b),
    };
    let test = counted.test(ALPHA);
    let leads = test.and_then(|test| match test.interval {
        (low, _) if low > 0.5 => Some(true),
        (_, high) if high < 0.5 => Some(false),
        _ => None,
    });
    let judged = match leads {
        _ if test.is_none() => Verdict::TooEarly,
        None => Verdict::Undecided,
        Some(true) => Verdict::Better,
        Some(false) => Verdict::Worse,
    };
    let preference = ArmPreference {
        first: counted.a,
        second: counted.b,
        ties: counted.ties,
        share: test.map(|test| test.share),
        low: test.map(|test| test.interval.0),
        high: test.map(|test| test.interval.1),
        p_value: test.map(|test| test.p_value),
    };
    let decision = interleaved_in_words(&experiment, &preference, judged);
    let arms = experiment.setup.arms.iter().map(|arm| ArmResult {
        name: arm.name.clone(),
        model: arm.model,
        viewers: first.count,
        means: Vec::new(),
    });
    ExperimentResults {
        arms: arms.collect(),
        experiment,
        waiting,
        difference: None,
        guards: Vec::new(),
        preference: Some(preference),
        verdict: told_verdict(judged),
        decision,
    }
}

fn arms(experiment: &Experiment, sums: &Sums) -> Vec<ArmResult> {
    let metrics = std::iter::once(experiment.setup.metric).chain(experiment.setup.guards.iter().copied());
    let metrics: Vec<ExperimentMetric> = metrics.collect();
    let arm = |(number, arm): (usize, &contract::experiments::ExperimentArm)| ArmResult {
        name: arm.name.clone(),
        model: arm.model,
        viewers: sum(sums, number, experiment.setup.metric).count,
        means: metrics
            .iter()
            .map(|metric| (*metric, sum(sums, number, *metric).mean()))
            .collect(),
    };
    experiment.setup.arms.iter().enumerate().map(arm).collect()
}

fn sum(sums: &Sums, arm: usize, metric: ExperimentMetric) -> reco::experiment::Moments {
    sums.get(&(arm, metric)).copied().unwrap_or_default()
}

fn direction(metric: ExperimentMetric) -> Direction {
    match metric.is_better_higher() {
        true => Direction::HigherIsBetter,
        false => Direction::LowerIsBetter,
    }
}

fn told(metric: ExperimentMetric, found: Difference, alpha: f64) -> ArmDifference {
    ArmDifference {
        metric,
        value: found.value,
        low: found.interval.0,
        high: found.interval.1,
        p_value: found.p_value,
        alpha,
    }
}

fn told_verdict(judged: Verdict) -> ExperimentVerdict {
    match judged {
        Verdict::TooEarly => ExperimentVerdict::TooEarly,
        Verdict::Undecided => ExperimentVerdict::Undecided,
        Verdict::Better => ExperimentVerdict::Better,
        Verdict::Worse => ExperimentVerdict::Worse,
        Verdict::Harmful => ExperimentVerdict::Harmful,
    }
}

fn ab_in_words(
    experiment: &Experiment,
    arms: &[ArmResult],
    difference: Option<&ArmDifference>,
    guards: &[ArmDifference],
    judged: Verdict,
) -> String {
    let names: Vec<&str> = experiment.setup.arms.iter().map(|arm| arm.name.as_str()).collect();
    let [first, second] = names[..] else {
        return String::new();
    };
    let viewers: Vec<u64> = arms.iter().map(|arm| arm.viewers).collect();
    let metric = in_words(experiment.setup.metric);
    let figures = match difference {
        Some(found) => format!(
            "{:+.3} {metric} a viewer (from {:+.3} to {:+.3}, with {} and {} viewers)",
            found.value, found.low, found.high, viewers[0], viewers[1]
        ),
        None => format!(
            "{} and {} viewers have been observed to the end",
            viewers[0], viewers[1]
        ),
    };
    let worse = guards.iter().find(|guard| match guard.metric.is_better_higher() {
        true => guard.high < 0.0,
        false => guard.low > 0.0,
    });
    match (judged, worse) {
        (Verdict::Harmful, Some(guard)) => format!(
            "“{second}” does harm: {:+.3} {} a viewer (from {:+.3} to {:+.3}). {figures}.",
            guard.value,
            in_words(guard.metric),
            guard.low,
            guard.high
        ),
        (Verdict::Better, _) => format!("“{second}” is better than “{first}”: {figures}."),
        (Verdict::Worse, _) => format!("“{second}” is worse than “{first}”: {figures}."),
        _ if difference.is_none() => format!("Too early: {figures}."),
        _ => format!("No difference beyond noise yet: {figures}."),
    }
}

fn interleaved_in_words(experiment: &Experiment, found: &ArmPreference, judged: Verdict) -> String {
    let names: Vec<&str> = experiment.setup.arms.iter().map(|arm| arm.name.as_str()).collect();
    let [first, second] = names[..] else {
        return String::new();
    };
    let metric = in_words(experiment.setup.metric);
    let (Some(share), Some(low), Some(high)) = (found.share, found.low, found.high) else {
        return format!("Too early: no viewer has preferred one of them by {metric} yet.");
    };
    let counts = format!(
        "{} viewers preferred “{second}” by {metric}, {} “{first}”, {} neither: {:.1} % (from {:.1} to {:.1})",
        found.second,
        found.first,
        found.ties,
        100.0 * share,
        100.0 * low,
        100.0 * high
    );
    match judged {
        Verdict::Better => format!("“{second}” is better than “{first}”: {counts}."),
        Verdict::Worse => format!("“{second}” is worse than “{first}”: {counts}."),
        _ => format!("No preference beyond noise yet: {counts}."),
    }
}

fn in_words(metric: ExperimentMetric) -> &'static str {
    match metric {
        ExperimentMetric::Plays => "plays",
        ExperimentMetric::Finishes => "finished titles",
        ExperimentMetric::GoodRatings => "good ratings",
        ExperimentMetric::Dislikes => "dislikes",
    }
}

#[cfg(test)]
mod tests {
    use contract::{
        ExperimentId, ModelId,
        experiments::{ExperimentArm, ExperimentState, StartExperiment},
    };
    use reco::experiment::Moments;

    use super::*;

    fn experiment(method: ExperimentMethod, metric: ExperimentMetric, guards: Vec<ExperimentMetric>) -> Experiment {
        let arm = |name: &str, model| ExperimentArm {
            name: name.into(),
            model: ModelId(model),
            weight: 1,
        };
        Experiment {
            id: ExperimentId(1),
            setup: StartExperiment {
                name: "test".into(),
                method,
                metric,
                guards,
                arms: vec![arm("old", 1), arm("new", 2)],
                share_percent: 100,
                window_ms: 86_400_000,
            },
            state: ExperimentState::Running,
            started_at: 0,
            stopped_at: None,
            problem: None,
        }
    }

    /// Of `count` viewers `ones` had one, the others none.
    fn ones(ones: u64, count: u64) -> Moments {
        Moments {
            count,
            sum: ones as f64,
            squares: ones as f64,
        }
    }

    #[test]
    fn an_ab_says_what_its_sums_say() {
        use ExperimentMetric::{Dislikes, Plays};
        let of = |plays: [u64; 2], dislikes: [u64; 2]| {
            let sums: Sums = [
                ((0, Plays), ones(plays[0], 2_000)),
                ((1, Plays), ones(plays[1], 2_000)),
                ((0, Dislikes), ones(dislikes[0], 2_000)),
                ((1, Dislikes), ones(dislikes[1], 2_000)),
            ]
            .into();
            read(experiment(ExperimentMethod::Ab, Plays, vec![Dislikes]), &sums, 7)
        };
        let better = of([400, 600], [100, 100]);
        assert_eq!((better.verdict, better.waiting), (ExperimentVerdict::Better, 7));
        assert!(
            better
                .decision
                .starts_with("“new” is better than “old”: +0.100 plays a viewer"),
            "{}",
            better.decision
        );
        assert_eq!(better.arms[1].means, [(Plays, 0.3), (Dislikes, 0.05)]);
        assert_eq!(of([600, 400], [100, 100]).verdict, ExperimentVerdict::Worse);
        assert_eq!(of([400, 410], [100, 100]).verdict, ExperimentVerdict::Undecided);
        let harmful = of([400, 600], [100, 300]);
        assert_eq!(harmful.verdict, ExperimentVerdict::Harmful);
        assert!(
            harmful
                .decision
                .starts_with("“new” does harm: +0.100 dislikes a viewer"),
            "{}",
            harmful.decision
        );
        // Nobody has played anything, and everybody is annoyed.
        let annoyed = of([0, 0], [100, 900]);
        assert_eq!(
            (annoyed.verdict, annoyed.difference),
            (ExperimentVerdict::Harmful, None)
        );
        let words = "“new” does harm: +0.400 dislikes a viewer";
        assert!(annoyed.decision.starts_with(words), "{}", annoyed.decision);
        let nothing = read(experiment(ExperimentMethod::Ab, Plays, vec![]), &Sums::new(), 3);
        assert_eq!(
            (nothing.verdict, nothing.difference),
            (ExperimentVerdict::TooEarly, None)
        );
    }

    #[test]
    fn an_interleaving_says_who_is_preferred() {
        let of = |metric, first, second| {
            let sums: Sums = [((0, metric), ones(first, 1_000)), ((1, metric), ones(second, 1_000))].into();
            read(experiment(ExperimentMethod::Interleaving, metric, vec![]), &sums, 0)
        };
        let better = of(ExperimentMetric::Plays, 100, 200);
        assert_eq!(better.verdict, ExperimentVerdict::Better);
        let preference = better.preference.expect("is there");
        assert_eq!((preference.first, preference.second, preference.ties), (100, 200, 700));
        assert!(
            better
                .decision
                .contains("200 viewers preferred “new” by plays, 100 “old”, 700 neither")
        );
        assert_eq!(of(ExperimentMetric::Plays, 200, 100).verdict, ExperimentVerdict::Worse);
        assert_eq!(
            of(ExperimentMetric::Plays, 100, 110).verdict,
            ExperimentVerdict::Undecided
        );
        assert_eq!(of(ExperimentMetric::Plays, 0, 0).verdict, ExperimentVerdict::TooEarly);
    }
}
