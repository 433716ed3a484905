//! A generated service: `cargo run --release -p reco --example scale -- TITLES VIEWERS EVENTS [THREADS]` trains a recommender on it,
//! ranks for some of its viewers on one thread, and prints what that took, as JSON at the end.
//!
//! Titles belong to tastes and are popular by a power law within theirs; a viewer has a few tastes, more or less to watch, and often
//! goes on to a title close to the last one. Everything follows from a seed, and no list of interactions exists besides the data
//! set's own.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reco::{
    Dataset, DatasetBuilder, Interaction, ItemFeatures, ItemFeaturesBuilder, ItemSet, Recommender, Scratch,
    TitleDescription, TrainConfig, signal, train,
};
use std::time::Instant;

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

const TASTES: usize = 60;
const SEED: u64 = 7;
const DAY_MS: i64 = 86_400_000;
/// How long ago the first event is.
const DAYS: i64 = 1_000;
/// Rankings that are timed, of as many viewers.
const RANKINGS: usize = 5_000;
/// Titles of a ranking, as a page asks for them.
const RANKED: usize = 600;

fn main() -> Anyhow<()> {
    let arguments: Result<Vec<usize>, _> = std::env::args().skip(1).map(|word| word.parse()).collect();
    let arguments = arguments?;
    let [titles, viewers, events] = *arguments.first_chunk().ok_or("TITLES VIEWERS EVENTS")?;
    let threads = arguments.get(3).copied().unwrap_or(2);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let began = Instant::now();
    let data = generated(titles, viewers, events)?;
    let kept = data.len();
    eprintln!(
        "{kept} events after {:.0} s, {:.2} GB",
        began.elapsed().as_secs_f64(),
        peak_gb()
    );
    let began = Instant::now();
    let service = trained(&data, &began)?;
    let train_s = began.elapsed().as_secs_f64();
    let peak = peak_gb();
    let mut millis = rankings(&service, &data);
    millis.sort_by(f64::total_cmp);
    let at = |share: f64| millis[((millis.len() - 1) as f64 * share) as usize];
    let (p50, p99) = (at(0.5), at(0.99));
    let figures = serde_json::json!({
        "titles": titles,
        "viewers": viewers,
        "events": kept,
        "train_s": train_s,
        "peak_gb": peak,
        "ranking_p50_ms": p50,
        "ranking_p99_ms": p99,
    });
    println!("{figures}");
    Ok(())
}

fn generated(titles: usize, viewers: usize, events: usize) -> reco::Result<Dataset> {
    let mut builder = DatasetBuilder::new(viewers, titles);
    let mut seen = ItemSet::new(titles);
    let mean = events as f32 / viewers as f32;
    for user in 0..viewers as u32 {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED.wrapping_mul(1 << 32) + u64::from(user));
        // Exponential, so that some watch much: its mean is one.
        let much = -(1.0 - rng.random::<f32>()).ln();
        let count = ((mean * (0.2 + 0.8 * much)).round() as usize).clamp(1, titles / 4);
        let tastes: [usize; 3] = std::array::from_fn(|_| rng.random_range(0..TASTES));
        let first = rng.random_range(0..DAYS * 9 / 10) * DAY_MS;
        let step = (DAYS * DAY_MS - first) / (count as i64 + 1);
        seen.reset(titles);
        let mut last: Option<usize> = None;
        for place in 0..count as i64 {
            let taste = tastes[(rng.random::<f32>() * 3.0 * rng.random::<f32>()) as usize % 3];
            let item = next_title(&mut rng, titles, taste, last);
            last = Some(item);
            if seen.contains(item as u32) {
                continue;
            }
            seen.insert(item as u32);
            builder.push(Interaction {
                user,
                item: item as u32,
                weight: signal::from_half_stars(rng.random_range(2..=10)),
                at: first + step * place + rng.random_range(0..step.max(1)),
            });
        }
    }
    builder.build()
}

/// Close to the last one, or by the power law of the taste. Title i belongs to taste i modulo their number.
fn next_title(rng: &mut ChaCha8Rng, titles: usize, taste: usize, last: Option<usize>) -> usize {
    let per_taste = titles / TASTES;
    if let Some(last) = last
        && rng.random::<f32>() < 0.25
    {
        return (last + TASTES * rng.random_range(1..6)).min(titles - 1);
    }
    // The density of rank r falls with r^(−2/3).
    let rank = rng.random::<f32>().powi(3) * per_taste as f32;
    (rank as usize).min(per_taste - 1) * TASTES + taste
}

fn described(titles: usize) -> ItemFeatures {
    let mut features = ItemFeaturesBuilder::new(titles);
    for item in 0..titles {
        let genres = [format!("Genre {}", item % TASTES), format!("Genre {}", item % 7)];
        let people: Vec<String> = (0..3)
            .map(|place| format!("Person {}", item * 7 / (place + 2) % 20_000))
            .collect();
        features.describe(
            item as u32,
            &TitleDescription {
                name: &format!("Title {} of {}", item % 997, item % 1_009),
                year: Some(1950 + (item % 70) as i32),
                genres: &genres.each_ref().map(String::as_str),
                people: &people.iter().map(String::as_str).collect::<Vec<_>>(),
            },
        );
    }
    features.build()
}

fn trained(data: &Dataset, began: &Instant) -> reco::Result<Recommender> {
    let keys: Vec<i64> = (0..data.items() as i64).collect();
    let stages = |stage: &str, share: f32| {
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("{seconds:7.1} s {:5.2} GB {:3.0} % {stage}", peak_gb(), share * 100.0);
        Ok(())
    };
    let now = data.newest().unwrap_or_default();
    let trained = train(
        data,
        &keys,
        &described(data.items()),
        &TrainConfig::default(),
        now,
        &stages,
    )?;
    for model in &trained.metrics.models {
        eprintln!(
            "{:14} ndcg@20 {:.4} recall@50 {:.4} {:.0} µs",
            model.name, model.metrics["ndcg@20"], model.metrics["recall@50"], model.serve_us
        );
    }
    Ok(trained.recommender)
}

/// Milliseconds of one uncached ranking each, on this thread.
fn rankings(service: &Recommender, data: &Dataset) -> Vec<f64> {
    let mut scratch = Scratch::default();
    let step = (data.users() / RANKINGS).max(1);
    let users = (0..data.users() as u32).step_by(step).take(RANKINGS);
    let timed = users.map(|user| {
        let began = Instant::now();
        let ranked = service.rank_where(data.history(user), RANKED, &|_| true, &mut scratch);
        assert_eq!(ranked.list().len(), RANKED, "a page without titles");
        began.elapsed().as_secs_f64() * 1e3
    });
    timed.collect()
}

fn peak_gb() -> f64 {
    status_kb("VmHWM:").map_or(f64::NAN, |kilobytes| kilobytes / 1e6)
}

fn status_kb(field: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
