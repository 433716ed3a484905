//! What is going to be watched, whoever watches: how often titles were watched lately, forgotten at several paces.
//!
//! At moments of the past each pace made a list, of which some came. Those paces that found nearly as much as the best of them count
//! alike, the others not at all: which one is the very best changes from moment to moment, and the mean of a few good ones is as
//! good as the best (the weighing that makes what came likeliest is not: it is ruled by the many titles that come seldom).
//!
//! Each pace is simple exponential smoothing of a title's events (Brown 1959, "Statistical forecasting for inventory control"); that
//! popularity means little without its time: Ji et al., "A re-visit of the popularity baseline in recommender systems", SIGIR 2020. That
//! forecasts weighed alike are hard to beat: Clemen 1989, "Combining forecasts", and Stock & Watson 2004, who take the mean too.

use crate::codec::{TensorReader, TensorWriter};
use crate::dataset::Dataset;
use crate::error::Result;
use crate::select::{Scored, best_first};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

const NAME: &str = "outlook";
/// Half-lives as multiples of that of trending; the last forgets nothing.
const PACES: [f64; 7] = [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, f64::INFINITY];
/// Moments of the past at which the paces are tried.
const MOMENTS: usize = 5;
/// From one moment to the next come so many of all events.
const STEP: f64 = 0.05;
/// A list is held against what comes in so many steps.
const AHEAD: usize = 2;
/// Steps there are; after the last is now.
const STEPS: usize = MOMENTS + AHEAD - 1;
/// A pace counts that finds at least this share of what the best finds.
const NEARLY: f64 = 0.9;
/// Places of a list that count.
const DEPTH: usize = 20;
/// Times that the moments are drawn from, at most.
const SAMPLE_MAX: usize = 200_000;
/// Scores are expected events of a title among so many.
const AMONG: f64 = 10_000.0;

/// Expected events per title, whoever the viewer is.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    scores: Vec<f32>,
    /// Titles that were there at the training; those behind them came since.
    trained: usize,
    /// The median of those that were watched.
    usual: f32,
    /// What each pace counts, by [`PACES`].
    weights: Vec<f32>,
    /// What the logarithm of a score counts beside what a ranker has learned.
    weight: f32,
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct Settings {
    items: usize,
    weight: f32,
}

/// Decayed counts, or a share of them, by pace.
type Counts = [f64; PACES.len()];

/// What happened to one title, from step to step.
struct Course {
    /// Decayed counts before each step, and now.
    counts: [Counts; STEPS + 1],
    /// Events in each step.
    came: [f64; STEPS],
}

impl Outlook {
    /// As seen at `now`; `half_life` is that of trending, in the unit of the events' time, `weight` what the ranker gives to it.
    pub fn train(data: &Dataset, now: i64, half_life: i64, weight: f32) -> Self {
        let times = step_times(data, now);
        let half_lives = PACES.map(|pace| pace * half_life.max(1) as f64);
        let titles = (0..data.items() as u32).into_par_iter();
        let courses: Vec<Course> = titles.map(|item| course(data, item, &times, &half_lives)).collect();
        let weights = weights(&courses);
        let mut totals = [0f64; PACES.len()];
        for course in &courses {
            let pairs = totals.iter_mut().zip(&course.counts[STEPS]);
            pairs.for_each(|(total, count)| *total += count);
        }
        let score = |course: &Course| {
            let paces = course.counts[STEPS].iter().zip(&totals).zip(&weights);
            let share: f64 = paces
                .map(|((count, total), weight)| weight * count / total.max(f64::MIN_POSITIVE))
                .sum();
            (AMONG * share) as f32
        };
        let scores: Vec<f32> = courses.iter().map(score).collect();
        Self {
            trained: scores.len(),
            usual: usual(&scores),
            scores,
            weights: weights.map(|weight| weight as f32).to_vec(),
            weight,
        }
    }

    /// Of ten thousand events to come, how many are each title's, as far as they were watched: shape `[items]`, 0 for what came since.
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// The score of a title; of one that came after the training that of the usual title: that nobody watched it yet says nothing.
    pub fn expected(&self, item: u32) -> f32 {
        let item = item as usize;
        if item < self.trained {
            self.scores[item]
        } else {
            self.usual
        }
    }

    /// What each pace counts, the quickest to forget first; their sum is one.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// What the logarithm of a score counts beside what a ranker has learned.
    pub fn weight(&self) -> f32 {
        self.weight
    }

    /// Number of titles.
    pub fn items(&self) -> usize {
        self.scores.len()
    }

    /// The same over at least `items` titles, of which those behind the trained ones are new.
    pub(crate) fn with_items(&self, items: usize) -> Self {
        let mut wider = self.clone();
        wider.scores.resize(items.max(self.items()), 0.0);
        wider
    }

    /// As a safetensors file.
    pub fn save(&self) -> Result<Vec<u8>> {
        let mut writer = TensorWriter::default();
        writer.f32("scores", &self.scores);
        writer.f32("weights", &self.weights);
        let settings = Settings {
            items: self.items(),
            weight: self.weight,
        };
        writer.finish(NAME, &settings)
    }

    /// Reads what [`Self::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let reader = TensorReader::new(NAME, bytes)?;
        let settings: Settings = reader.settings(NAME)?;
        let scores = reader.f32("scores", settings.items)?;
        Ok(Self {
            trained: scores.len(),
            usual: usual(&scores),
            scores,
            weights: reader.f32("weights", PACES.len())?,
            weight: settings.weight,
        })
    }
}

fn usual(scores: &[f32]) -> f32 {
    let mut watched: Vec<f32> = scores.iter().copied().filter(|score| *score > 0.0).collect();
    let middle = watched.len() / 2;
    if watched.is_empty() {
        return 0.0;
    }
    *watched.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// When the steps begin, the oldest first, and now. Equal where so many events have one time.
fn step_times(data: &Dataset, now: i64) -> [i64; STEPS + 1] {
    let every = data.len() / SAMPLE_MAX + 1;
    let events = data.interactions().step_by(every);
    let mut times: Vec<i64> = events.map(|event| event.at.min(now)).collect();
    times.sort_unstable();
    std::array::from_fn(|step| {
        let later = (STEP * (STEPS - step) as f64 * times.len() as f64) as usize;
        let place = times.len().checked_sub(1 + later).filter(|_| step < STEPS);
        place.and_then(|place| times.get(place)).copied().unwrap_or(now)
    })
}

fn course(data: &Dataset, item: u32, times: &[i64; STEPS + 1], half_lives: &Counts) -> Course {
    let mut course = Course {
        counts: [[0.0; PACES.len()]; STEPS + 1],
        came: [0.0; STEPS],
    };
    let liked = data.occurrences(item).iter().map(|&occurrence| data.event(occurrence));
    for event in liked.filter(|event| event.weight > 0.0) {
        let at = event.at.min(times[STEPS]);
        let known_at = times.partition_point(|time| *time < at).min(STEPS);
        if let Some(step) = known_at.checked_sub(1) {
            course.came[step] += 1.0;
        }
        let age = times[known_at].saturating_sub(at) as f64;
        let pairs = course.counts[known_at].iter_mut().zip(half_lives);
        pairs.for_each(|(count, half_life)| *count += (-age / half_life).exp2());
    }
    for step in 1..=STEPS {
        let passed = times[step].saturating_sub(times[step - 1]) as f64;
        let before = course.counts[step - 1];
        for ((count, before), half_life) in course.counts[step].iter_mut().zip(before).zip(half_lives) {
            *count += before * (-passed / half_life).exp2();
        }
    }
    course
}

fn weights(courses: &[Course]) -> Counts {
    let found: Counts = std::array::from_fn(|pace| (0..MOMENTS).map(|moment| found(courses, moment, pace)).sum());
    let most = found.iter().copied().fold(0.0, f64::max);
    let counts = found.map(|found| if found >= NEARLY * most { 1.0 } else { 0.0 });
    let total: f64 = counts.iter().sum();
    counts.map(|count| count / total)
}

/// Of what came after a moment, how much this pace's list had in its first places, discounted as in NDCG.
fn found(courses: &[Course], moment: usize, pace: usize) -> f64 {
    let scored = courses.iter().enumerate().map(|(item, course)| Scored {
        item: item as u32,
        score: course.counts[moment][pace] as f32,
    });
    let mut list: Vec<Scored> = scored.filter(|scored| scored.score > 0.0).collect();
    if list.len() > DEPTH {
        list.select_nth_unstable_by(DEPTH, best_first);
        list.truncate(DEPTH);
    }
    list.sort_unstable_by(best_first);
    let came = |course: &Course| course.came[moment..moment + AHEAD].iter().sum::<f64>();
    let gain = |(rank, scored): (usize, &Scored)| came(&courses[scored.item as usize]) / (rank as f64 + 2.0).log2();
    let gains: f64 = list.iter().enumerate().map(gain).sum();
    gains / courses.iter().map(came).sum::<f64>().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Interaction;

    #[test]
    fn of_a_title_that_came_since_as_much_is_expected_as_of_the_usual_one() -> Result<()> {
        // Title 0 once, title 1 twice, …, at the same time; four never.
        let events = (0..5u32).flat_map(|item| (0..=item).map(move |user| (user, item)));
        let events = events.map(|(user, item)| Interaction {
            user,
            item,
            weight: 1.0,
            at: 0,
        });
        let data = Dataset::from_interactions(5, 9, events)?;
        let trained = Outlook::train(&data, 0, 1, 0.5);
        let wider = trained.with_items(11);
        for outlook in [&wider, &Outlook::load(&trained.save()?)?.with_items(11)] {
            assert_eq!(outlook, &wider);
            let expected: Vec<f32> = (0..11).map(|item| outlook.expected(item)).collect();
            assert_eq!(expected[..9], *trained.scores());
            assert_eq!(expected[9..], [expected[2]; 2]);
            assert_eq!(outlook.scores()[9..], [0.0; 2], "nobody watched them yet");
        }
        Ok(())
    }
}
