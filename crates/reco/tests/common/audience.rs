//! A simulated audience, seeded, whose true tastes are known: what experiments are tested on, and what
//! `examples/experiments.rs` measures them with.
//!
//! A viewer has a taste, a title a character and a lure; a title that a viewer looks at is played with a chance that grows with how
//! well it suits and how it lures, and what lured and did not suit is disliked. Viewers look less at what stands further behind. A
//! *recommender* orders titles by how they suit, known with an error of its own: the smaller the error, the better it is, and two with
//! the same error are equally good though they show different titles.
#![allow(dead_code, clippy::unwrap_used)]

use rayon::prelude::*;
use reco::experiment::{
    Decision, Difference, Direction, Estimate, Moments, Preference, Preferences, Team, Verdict, arm_of, difference,
    doubly_robust, ips, self_normalised, team_draft, verdict,
};
use reco::random::{SplitMix64, draw};

const TITLES: usize = 60;
const DIMENSIONS: usize = 3;
/// Places of the row that is shown, and how much less each is looked at than the one before.
const ROW: usize = 10;
const LOOK: f64 = 0.85;
/// Pages of a viewer.
const VISITS: usize = 2;
pub const ALPHA: f64 = 0.05;
/// Clipping of importance weights.
pub const WEIGHT_MAX: f64 = 20.0;

/// How a recommender sees titles.
#[derive(Clone, Copy, Debug)]
pub struct Ranking {
    /// Standard deviation of its error.
    pub error: f64,
    /// How far it runs after what lures.
    pub bait: f64,
    /// Where one title is drawn instead of a row shown: how much the best is preferred, as softmax(scores · sharpness).
    pub sharpness: f64,
    /// Which errors it makes.
    pub seed: u64,
}

impl Ranking {
    pub const fn new(error: f64, seed: u64) -> Self {
        Self {
            error,
            bait: 0.0,
            sharpness: 1.0,
            seed,
        }
    }
}

struct Title {
    character: [f64; DIMENSIONS],
    lure: f64,
}

/// The titles; viewers are drawn as they come.
pub struct Audience {
    titles: Vec<Title>,
}

struct Viewer {
    /// How well each title suits.
    suits: Vec<f64>,
}

/// What a viewer did in all visits together.
#[derive(Default)]
struct Deeds {
    plays: f64,
    dislikes: f64,
    credits: [u32; 2],
}

impl Audience {
    pub fn new(seed: u64) -> Self {
        let mut rng = stream_of(seed, 0);
        let title = |_| Title {
            character: std::array::from_fn(|_| gaussian(&mut rng)),
            lure: 0.0,
        };
        let mut titles: Vec<Title> = (0..TITLES).map(title).collect();
        titles
            .iter_mut()
            .for_each(|title| title.lure = 0.7 * gaussian(&mut rng));
        Self { titles }
    }

    fn viewer(&self, rng: &mut Stream) -> Viewer {
        let taste: [f64; DIMENSIONS] = std::array::from_fn(|_| 0.7 * gaussian(rng));
        let suits = |title: &Title| title.character.iter().zip(taste).map(|(a, b)| a * b).sum();
        Viewer {
            suits: self.titles.iter().map(suits).collect(),
        }
    }

    /// Chance that a title is played once it is looked at.
    fn chance(&self, viewer: &Viewer, title: usize) -> f64 {
        sigmoid(viewer.suits[title] + self.titles[title].lure - 2.5)
    }

    /// What a recommender believes of each title for this viewer.
    fn scores(&self, ranking: &Ranking, viewer: &Viewer, stream: u64) -> Vec<f64> {
        let mut rng = stream_of(ranking.seed, stream);
        let score =
            |(suits, title): (&f64, &Title)| suits + ranking.bait * title.lure + ranking.error * gaussian(&mut rng);
        viewer.suits.iter().zip(&self.titles).map(score).collect()
    }

    fn order(&self, ranking: &Ranking, viewer: &Viewer, stream: u64) -> Vec<usize> {
        let scores = self.scores(ranking, viewer, stream);
        let mut order: Vec<usize> = (0..TITLES).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        order.truncate(2 * ROW);
        order
    }

    /// One visit: which places of the row are played; dislikes beside it.
    fn visit(&self, viewer: &Viewer, row: &[(usize, Option<Team>)], deeds: &mut Deeds, rng: &mut Stream) {
        for (place, (title, team)) in row.iter().enumerate() {
            let looked = rng.share() < LOOK.powi(place as i32);
            if !looked || rng.share() >= self.chance(viewer, *title) {
                continue;
            }
            deeds.plays += 1.0;
            match team {
                Some(Team::A) => deeds.credits[0] += 1,
                Some(Team::B) => deeds.credits[1] += 1,
                None => {}
            }
            let disappointed = sigmoid(2.0 * self.titles[*title].lure - viewer.suits[*title] - 2.5);
            deeds.dislikes += f64::from(u8::from(rng.share() < disappointed));
        }
    }

    /// Mean plays of a viewer under a recommender, over a large audience: the truth that experiments look for.
    pub fn plays(&self, ranking: &Ranking, viewers: u64, seed: u64) -> f64 {
        let mut sum = 0.0;
        for n in 0..viewers {
            let mut rng = stream_of(seed, n);
            let viewer = self.viewer(&mut rng);
            let row = self.order(ranking, &viewer, mixed(seed, n));
            let looked = row.iter().take(ROW).enumerate();
            sum += looked
                .map(|(place, title)| LOOK.powi(place as i32) * self.chance(&viewer, *title))
                .sum::<f64>();
        }
        VISITS as f64 * sum / viewers as f64
    }
}

/// What came of many experiments of the same kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    pub runs: usize,
    /// Said at any reading that B is better, or worse.
    pub better: f64,
    pub worse: f64,
    /// Said so at the last reading of a test that may be read only once.
    pub fixed_better: f64,
    /// A test that may be read only once, read after every viewer: said that there is a difference.
    pub naive: f64,
    /// A guard was broken at any reading.
    pub harmful: f64,
    /// Median viewers until the difference was seen, of the experiments that saw it.
    pub viewers: u64,
}

impl Rates {
    /// Said that there is a difference, whichever.
    pub fn any(&self) -> f64 {
        self.better + self.worse
    }
}

/// What one experiment said, read after every viewer.
#[derive(Default)]
struct Said {
    better: bool,
    worse: bool,
    harmful: bool,
    naive: bool,
    fixed_better: bool,
    at: Option<u64>,
}

impl Said {
    /// The first word counts.
    fn hear(&mut self, difference: Option<(f64, f64)>, viewers: u64) {
        let Some((low, high)) = difference.filter(|(low, high)| *low > 0.0 || *high < 0.0) else {
            return;
        };
        if !self.better && !self.worse {
            (self.better, self.worse) = (low > 0.0, high < 0.0);
            self.at = Some(viewers);
        }
    }
}

fn rates(said: Vec<Said>) -> Rates {
    let share = |is_so: &dyn Fn(&Said) -> bool| said.iter().filter(|it| is_so(it)).count() as f64 / said.len() as f64;
    let mut at: Vec<u64> = said.iter().filter_map(|it| it.at).collect();
    at.sort_unstable();
    Rates {
        runs: said.len(),
        better: share(&|it| it.better),
        worse: share(&|it| it.worse),
        fixed_better: share(&|it| it.fixed_better),
        naive: share(&|it| it.naive),
        harmful: share(&|it| it.harmful),
        viewers: at.get(at.len() / 2).copied().unwrap_or_default(),
    }
}

/// `runs` A/B experiments of `viewers` viewers each, read after every one of them.
pub fn ab(audience: &Audience, arms: [Ranking; 2], viewers: u64, runs: u64) -> Rates {
    rates(
        (0..runs)
            .into_par_iter()
            .map(|run| ab_once(audience, arms, viewers, run))
            .collect(),
    )
}

fn ab_once(audience: &Audience, arms: [Ranking; 2], viewers: u64, run: u64) -> Said {
    let (mut plays, mut dislikes) = ([Moments::default(); 2], [Moments::default(); 2]);
    let mut said = Said::default();
    for n in 0..viewers {
        let mut rng = stream_of(run, n);
        let viewer = audience.viewer(&mut rng);
        let arm = arm_of(run, n, &[1, 1]).unwrap();
        let order = audience.order(&arms[arm], &viewer, mixed(run, n));
        let row: Vec<_> = order.into_iter().take(ROW).map(|title| (title, None)).collect();
        let mut deeds = Deeds::default();
        (0..VISITS).for_each(|_| audience.visit(&viewer, &row, &mut deeds, &mut rng));
        plays[arm].push(deeds.plays);
        dislikes[arm].push(deeds.dislikes);
        let found = difference(&plays[0], &plays[1], ALPHA);
        said.hear(found.map(|found| found.interval), n + 1);
        let guard = difference(&dislikes[0], &dislikes[1], ALPHA);
        let judged = verdict((found, Direction::HigherIsBetter), &[(guard, Direction::LowerIsBetter)]);
        said.harmful |= judged == Verdict::Harmful;
        if let Some(found) = found {
            let once = fixed(&found, &plays);
            said.naive |= once.abs() > 1.96;
            said.fixed_better = once > 1.96;
        }
    }
    said
}

/// The z of a test that may be read only once.
fn fixed(found: &Difference, arms: &[Moments; 2]) -> f64 {
    let variance: f64 = arms.iter().map(|arm| arm.variance() / arm.count as f64).sum();
    found.value / variance.sqrt()
}

/// `runs` interleaved experiments of `viewers` viewers each, read after every one of them.
pub fn interleaved(audience: &Audience, arms: [Ranking; 2], viewers: u64, runs: u64) -> Rates {
    let run = |run| interleaved_once(audience, arms, viewers, run);
    rates((0..runs).into_par_iter().map(run).collect())
}

fn interleaved_once(audience: &Audience, arms: [Ranking; 2], viewers: u64, run: u64) -> Said {
    let mut preferences = Preferences::default();
    let mut said = Said::default();
    for n in 0..viewers {
        let mut rng = stream_of(run, n);
        let viewer = audience.viewer(&mut rng);
        let [a, b] = arms.map(|arm| audience.order(&arm, &viewer, mixed(run, n)));
        let mut deeds = Deeds::default();
        for visit in 0..VISITS as u64 {
            let row = team_draft(&a, &b, ROW, mixed(run, n * VISITS as u64 + visit));
            let row: Vec<_> = row.iter().map(|place| (place.item, place.team)).collect();
            audience.visit(&viewer, &row, &mut deeds, &mut rng);
        }
        preferences.push(Preference::of(deeds.credits[0], deeds.credits[1]));
        let Some(found) = preferences.test(ALPHA) else { continue };
        said.hear(Some((found.interval.0 - 0.5, found.interval.1 - 0.5)), n + 1);
        let wins = (preferences.a + preferences.b) as f64;
        let once = (preferences.b as f64 - wins / 2.0) / (wins / 4.0).sqrt();
        said.naive |= wins >= 30.0 && once.abs() > 1.96;
        said.fixed_better = once > 1.96;
    }
    said
}

/// How an off-policy estimator does over many logs.
#[derive(Clone, Copy, Debug)]
pub struct Replayed {
    pub name: &'static str,
    /// Mean estimate less the truth.
    pub bias: f64,
    /// Root of the mean squared error.
    pub error: f64,
    /// Share of logs whose interval held the truth.
    pub held: f64,
    /// Share of logs in which the whole interval of the lift was above zero, or below.
    pub better: f64,
    pub worse: f64,
}

/// Titles to choose from at each decision, and decisions of a viewer.
const CHOICES: usize = 12;
const DECISIONS: usize = 2;

/// `runs` logs of `viewers` viewers served by `served`; how well each estimator knows what `target` would have earned, and the truth:
/// what both really earn.
pub fn replayed(
    audience: &Audience,
    served: Ranking,
    target: Ranking,
    viewers: u64,
    runs: u64,
) -> ([f64; 2], Vec<Replayed>) {
    let truth = true_values(audience, [served, target]);
    let predicted = predictions(audience);
    type Method = fn(&[Decision], f64) -> reco::Result<Estimate>;
    let methods: [(&'static str, Method); 3] = [
        ("IPS", ips),
        ("self-normalised IPS", self_normalised),
        ("doubly robust", doubly_robust),
    ];
    let logs: Vec<Vec<Estimate>> = (0..runs)
        .into_par_iter()
        .map(|run| {
            let log = logged(audience, [served, target], &predicted, viewers, run);
            methods
                .iter()
                .map(|(_, method)| method(&log, WEIGHT_MAX).unwrap())
                .collect()
        })
        .collect();
    let judge = |(at, (name, _)): (usize, &(&'static str, Method))| {
        let of: Vec<&Estimate> = logs.iter().map(|log| &log[at]).collect();
        let mean = |value: &dyn Fn(&Estimate) -> f64| of.iter().map(|it| value(it)).sum::<f64>() / of.len() as f64;
        let share = |is_so: &dyn Fn(&Estimate) -> bool| mean(&|it| f64::from(u8::from(is_so(it))));
        Replayed {
            name,
            bias: mean(&|it| it.value - truth[1]),
            error: mean(&|it| (it.value - truth[1]).powi(2)).sqrt(),
            held: share(&|it| it.interval.0 <= truth[1] && truth[1] <= it.interval.1),
            better: share(&|it| it.lift_interval.0 > 0.0),
            worse: share(&|it| it.lift_interval.1 < 0.0),
        }
    };
    (truth, methods.iter().enumerate().map(judge).collect())
}

/// A viewer's choices at one decision and what both policies think of them.
struct Choice {
    titles: Vec<usize>,
    policies: [Vec<f64>; 2],
}

impl Audience {
    fn choice(&self, arms: &[Ranking; 2], viewer: &Viewer, stream: u64, rng: &mut Stream) -> Choice {
        let mut titles: Vec<usize> = (0..TITLES).collect();
        for at in 0..CHOICES {
            titles.swap(at, at + rng.below(TITLES - at));
        }
        titles.truncate(CHOICES);
        let policy = |arm: &Ranking| {
            let scores = self.scores(arm, viewer, stream);
            let odds: Vec<f64> = titles
                .iter()
                .map(|title| (arm.sharpness * scores[*title]).exp())
                .collect();
            let total: f64 = odds.iter().sum();
            odds.into_iter().map(|odds| odds / total).collect()
        };
        let policies = [policy(&arms[0]), policy(&arms[1])];
        Choice { titles, policies }
    }
}

fn logged(audience: &Audience, arms: [Ranking; 2], predicted: &[f64], viewers: u64, run: u64) -> Vec<Decision> {
    let mut log = Vec::with_capacity(viewers as usize * DECISIONS);
    for n in 0..viewers {
        let mut rng = stream_of(run, n);
        let viewer = audience.viewer(&mut rng);
        for decision in 0..DECISIONS as u64 {
            let stream = mixed(run, n * DECISIONS as u64 + decision);
            let choice = audience.choice(&arms, &viewer, stream, &mut rng);
            let [served, target] = &choice.policies;
            let mut left = rng.share();
            let taken = served.iter().position(|share| {
                left -= share;
                left < 0.0
            });
            let taken = taken.unwrap_or(CHOICES - 1);
            let title = choice.titles[taken];
            let played = rng.share() < audience.chance(&viewer, title);
            log.push(Decision {
                viewer: n,
                reward: f64::from(u8::from(played)),
                logged: served[taken],
                target: target[taken],
                predicted: predicted[title],
                expected: choice
                    .titles
                    .iter()
                    .zip(target)
                    .map(|(title, share)| share * predicted[*title])
                    .sum(),
            });
        }
    }
    log
}

/// What each policy really earns a decision, over a large audience.
fn true_values(audience: &Audience, arms: [Ranking; 2]) -> [f64; 2] {
    const VIEWERS: u64 = 100_000;
    let sums: Vec<[f64; 2]> = (0..VIEWERS)
        .into_par_iter()
        .map(|n| {
            let mut rng = stream_of(u64::MAX, n);
            let viewer = audience.viewer(&mut rng);
            let choice = audience.choice(&arms, &viewer, mixed(u64::MAX, n), &mut rng);
            let earned = |policy: &Vec<f64>| {
                let pairs = choice.titles.iter().zip(policy);
                pairs
                    .map(|(title, share)| share * audience.chance(&viewer, *title))
                    .sum()
            };
            [earned(&choice.policies[0]), earned(&choice.policies[1])]
        })
        .collect();
    std::array::from_fn(|arm| sums.iter().map(|sum| sum[arm]).sum::<f64>() / VIEWERS as f64)
}

/// A reward model that knows titles and nobody's taste: how often each is played on the average.
fn predictions(audience: &Audience) -> Vec<f64> {
    const VIEWERS: u64 = 2_000;
    let mut sums = vec![0.0; TITLES];
    for n in 0..VIEWERS {
        let viewer = audience.viewer(&mut stream_of(u64::MAX - 1, n));
        sums.iter_mut()
            .enumerate()
            .for_each(|(title, sum)| *sum += audience.chance(&viewer, title));
    }
    sums.into_iter().map(|sum| sum / VIEWERS as f64).collect()
}

/// A seed of its own for each viewer of each experiment.
fn mixed(run: u64, n: u64) -> u64 {
    run.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n.wrapping_mul(0xd1b5_4a32_d192_ed03)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Millions of viewers want something quick.
struct Stream(SplitMix64);

fn stream_of(seed: u64, stream: u64) -> Stream {
    Stream(SplitMix64::new(draw(seed, stream)))
}

impl Stream {
    /// Evenly in [0, 1).
    fn share(&mut self) -> f64 {
        (self.0.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.share() * limit as f64) as usize
    }
}

/// Box and Muller.
fn gaussian(rng: &mut Stream) -> f64 {
    let radius = (-2.0 * (1.0 - rng.share()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.share()).cos()
}
