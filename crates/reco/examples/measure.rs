//! Measures all models on the data sets of `$KINORA_DATASETS` (default `../shared/data` beside the repository):
//! `cargo run --release -p reco --example measure -- last-out|chosen|earlier|strong|ml-100k|movietweetings|before-ml-100k|before-movietweetings|service|replay [MODEL…|VIEWERS]
//! [SETTING=JSON…]`, for instance `strong ials ials.size=128` or `before-ml-100k ranker ranker.forest.depth=6`. What is tried here must not be chosen by what comes out, but for
//! `chosen`: `last-out` without each viewer's last event, which is the one that `last-out` tests, and `earlier`: without the last three,
//! so that what the search for settings looked at is not what judges them either; and `before-…`: a temporal test one cut earlier, on
//! the newest tenth of what lay before the test.

#[path = "../tests/common/data.rs"]
mod data;

use reco::{
    BaseConfig, Case, Dataset, EvaluateOptions, Evaluation, Interaction, ItemFeatures, ItemSet, MODEL_NAMES, Model,
    Protocol, Recommender, Scratch, Split, TrainConfig, evaluate, evaluate_split, train,
};
use std::time::Instant;

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Anyhow<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let what = arguments.first().map_or("last-out", String::as_str);
    let (changes, named): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .skip(1)
        .map(String::as_str)
        .partition(|a| a.contains('='));
    let names = if named.is_empty() { MODEL_NAMES.to_vec() } else { named };
    let mut options = EvaluateOptions::default();
    let protocol = match what {
        "last-out" | "chosen" | "earlier" => Protocol::LastOut,
        "strong" => Protocol::Strong,
        _ => Protocol::Temporal,
    };
    if what != "replay" {
        let ranker = changes.iter().filter_map(|change| change.strip_prefix("ranker."));
        options.ranker = changed(options.ranker, &ranker.collect::<Vec<_>>())?;
        let base: Vec<&str> = changes.iter().copied().filter(|c| !c.starts_with("ranker.")).collect();
        options.base = Some(changed(BaseConfig::for_protocol(protocol), &base)?);
    }
    let started = Instant::now();
    match what {
        "last-out" => {
            let (data, features) = data::ml_1m()?;
            let done = evaluate(Protocol::LastOut, &data, &features, &names, &options)?;
            print(&done);
        }
        "chosen" | "earlier" => {
            let (data, features) = data::ml_1m()?;
            let before = without_last(&data, if what == "chosen" { 1 } else { 3 })?;
            print(&evaluate(Protocol::LastOut, &before, &features, &names, &options)?);
        }
        "strong" => {
            let (split, features) = data::ml_1m_strong()?;
            print(&evaluate_split(split, &features, &names, &options)?);
        }
        "ml-100k" => temporal(data::ml_100k()?, &names, &options)?,
        "movietweetings" => temporal(data::movietweetings()?, &names, &options)?,
        "before-ml-100k" => temporal(before(data::ml_100k()?)?, &names, &options)?,
        "before-movietweetings" => temporal(before(data::movietweetings()?)?, &names, &options)?,
        "service-ml-100k" => service(data::ml_100k()?)?,
        "service" => service(data::movietweetings()?)?,
        "replay" => replay(
            data::movietweetings()?,
            names.first().and_then(|n| n.parse().ok()).unwrap_or(20),
            &changes,
        )?,
        other => return Err(format!("unknown measurement {other:?}").into()),
    }
    println!("{:.2} s in total", started.elapsed().as_secs_f64());
    Ok(())
}

/// What lay before the temporal test.
fn before((data, features): (Dataset, ItemFeatures)) -> reco::Result<(Dataset, ItemFeatures)> {
    let split = Split::make(Protocol::Temporal, &data, 1)?;
    Ok((Dataset::clone(split.train()), features))
}

fn without_last(data: &Dataset, count: usize) -> reco::Result<Dataset> {
    let viewers = 0..data.users() as u32;
    let events = viewers.flat_map(|user| {
        let history = data.history(user);
        history[..history.len().saturating_sub(count)]
            .iter()
            .map(move |event| Interaction {
                user,
                item: event.item,
                weight: event.weight,
                at: event.at,
            })
    });
    Dataset::from_interactions(data.users(), data.items(), events)
}

/// Settings with changes such as `ials.size=128`.
fn changed<T: serde::Serialize + serde::de::DeserializeOwned>(base: T, changes: &[&str]) -> Anyhow<T> {
    let mut json = serde_json::to_value(base)?;
    for change in changes {
        let (path, value) = change.split_once('=').ok_or("no =")?;
        let pointer = format!("/{}", path.replace('.', "/"));
        let place = json.pointer_mut(&pointer).ok_or("no such setting")?;
        *place = serde_json::from_str(value)?;
    }
    Ok(serde_json::from_value(json)?)
}

fn temporal((data, features): (Dataset, ItemFeatures), names: &[&str], options: &EvaluateOptions) -> reco::Result<()> {
    print(&evaluate(Protocol::Temporal, &data, &features, names, options)?);
    Ok(())
}

/// What a service does: train, evaluate, save, load, serve.
fn service((data, features): (Dataset, ItemFeatures)) -> reco::Result<()> {
    let keys: Vec<i64> = (0..data.items() as i64).collect();
    let now = data.newest().unwrap_or_default();
    let started = Instant::now();
    let stages = |stage: &str, share: f32| {
        let seconds = started.elapsed().as_secs_f64();
        println!("  {seconds:6.2} s  {:3.0} %  {stage}", share * 100.0);
        Ok(())
    };
    let trained = train(&data, &keys, &features, &TrainConfig::default(), now, &stages)?;
    println!("train and evaluate {:.2} s", started.elapsed().as_secs_f64());
    for model in &trained.metrics.models {
        print_model(model);
    }
    for (name, weight) in trained.recommender.ranker().weights() {
        println!("  {name:24} {weight:8.3}");
    }
    let parts = trained.recommender.save_parts()?;
    for (name, bytes) in &parts {
        println!("  {name:28} {:8.2} MB", bytes.len() as f64 / 1e6);
    }
    let started = Instant::now();
    let loaded = Recommender::load_parts(&parts)?;
    println!("load {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let cases: Vec<_> = trained.held_out.iter().cycle().take(20_000).cloned().collect();
    println!(
        "top 100 of {} titles: {:.0} µs",
        loaded.items(),
        ranking_micros(&loaded, &cases, 100)
    );
    println!("top 600: {:.0} µs", ranking_micros(&loaded, &cases, 600));
    for name in MODEL_NAMES.into_iter().filter(|name| *name != "ranker") {
        if let Some(model) = loaded.model(name) {
            println!("  {name:14} {:.0} µs", ranking_micros(model, &cases, 100));
        }
    }
    reasons(&loaded, &cases[..cases.len().min(4_000)]);
    Ok(())
}

/// What attributing the first twenty titles of a ranking costs, and what makes most of their leads.
fn reasons(model: &Recommender, cases: &[Case]) {
    let mut scratch = Scratch::default();
    let (mut leads, mut fifths) = ([0usize; 4], 0usize);
    let (mut spent, mut count) = (0.0, 0usize);
    for case in cases
        .iter()
        .filter(|case| case.history.iter().any(|event| event.weight > 0.0))
    {
        let mut ranked = model.rank_where(&case.history, 160, &|_| true, &mut scratch);
        let items: Vec<u32> = ranked.list().iter().take(20).map(|scored| scored.item).collect();
        let before = Instant::now();
        let attributed = ranked.attribute(&items);
        spent += before.elapsed().as_secs_f64();
        count += 1;
        for why in attributed.into_iter().flatten() {
            let history: f32 = why.titles.iter().map(|title| title.contribution).sum();
            let parts = [history, why.popularity, why.trending, why.other];
            let most = (0..4).max_by(|&a, &b| parts[a].total_cmp(&parts[b]));
            leads[most.unwrap_or(0)] += 1;
            let titles = why.titles.iter().map(|title| title.contribution);
            let lifting: f32 = titles.chain(parts[1..].iter().copied()).map(|part| part.max(0.0)).sum();
            fifths += usize::from(
                why.titles
                    .first()
                    .is_some_and(|title| title.contribution >= 0.2 * lifting),
            );
        }
    }
    println!("attributing the first 20: {:.0} µs", spent * 1e6 / count.max(1) as f64);
    println!("most is the history's, popularity's, trending's, other: {leads:?}; one title made a fifth of {fifths}");
}

/// Mean time of one ranking on this thread.
fn ranking_micros(model: &dyn Model, cases: &[Case], k: usize) -> f64 {
    let (nothing, mut scratch) = (ItemSet::default(), Scratch::default());
    let before = Instant::now();
    for case in cases {
        std::hint::black_box(model.recommend(&case.history, k, &nothing, &mut scratch));
    }
    before.elapsed().as_secs_f64() * 1e6 / cases.len().max(1) as f64
}

fn print(done: &Evaluation) {
    println!("{:?} {:?}", done.report.protocol, done.report.data);
    done.report.models.iter().for_each(print_model);
}

fn print_model(model: &reco::ModelReport) {
    print!(
        "{:14} train {:6.2} s, serve {:6.0} µs ",
        model.name, model.train_s, model.serve_us
    );
    for name in [
        "recall@10",
        "ndcg@10",
        "recall@20",
        "ndcg@20",
        "recall@50",
        "ndcg@100",
        "coverage@20",
    ] {
        print!(" {name} {:.4}", model.metrics[name]);
    }
    println!();
    for test in &model.paired {
        let (low, high) = test.interval;
        println!(
            "  {} over {}: {:+.4} ({low:+.4} to {high:+.4}), p {:.4}",
            test.metric, test.against, test.difference, test.p_value
        );
    }
    for (segment, figures) in &model.segments {
        let shown = figures.metrics.iter().map(|(name, value)| format!("{name} {value:.4}"));
        println!("  {segment}: {}", shown.collect::<Vec<_>>().join(" "));
    }
}

/// Titles of viewers' last fifth among the first 50 recommended: at each of the `moments` (shares of all events that are past,
/// four fifths unless told) those viewers whose own four fifths end nearest to it. Nobody's future and none of their own events
/// is learned from. Settings are chosen at earlier moments, so that the figures of the tests stay unseen.
fn replay((data, features): (Dataset, ItemFeatures), count: usize, changes: &[&str]) -> Anyhow<()> {
    let (moments, changes): (Vec<&str>, Vec<&str>) = changes.iter().partition(|c| c.starts_with("moments="));
    let moments: Vec<f64> = match moments.first() {
        Some(given) => serde_json::from_str(&given["moments=".len()..])?,
        None => vec![0.8],
    };
    let config = changed(TrainConfig::default(), &changes)?;
    let mut found = vec![Vec::new(); MODEL_NAMES.len()];
    let mut wanted = 0;
    for moment in moments {
        let replay = Moment::of(&data, moment, count);
        let keys: Vec<i64> = (0..data.items() as i64).collect();
        let trained = train(&replay.before, &keys, &features, &config, replay.now, &|_, _| Ok(()))?;
        let mut scratch = Scratch::default();
        let mut sums = Vec::new();
        for (name, found) in MODEL_NAMES.iter().zip(&mut found) {
            let model = trained.recommender.model(name).ok_or("an unknown model")?;
            let before = found.len();
            for (past, future) in replay.viewers.iter().map(|&user| parted(&data, user)) {
                let list = model.recommend(past, 50, &ItemSet::default(), &mut scratch);
                found.push(future.iter().filter(|e| list.iter().any(|s| s.item == e.item)).count() as f64);
            }
            sums.push(found[before..].iter().sum::<f64>());
        }
        let futures = replay.viewers.iter().flat_map(|&user| parted(&data, user).1);
        let counts: Vec<usize> = futures.map(|e| replay.before.occurrences(e.item).len()).collect();
        wanted += counts.len();
        let known = counts.iter().filter(|count| **count > 0).count();
        println!(
            "{moment}: {sums:?} of {}, {known} known, {} days off",
            counts.len(),
            replay.days_off
        );
    }
    for (name, ours) in MODEL_NAMES.iter().zip(&found) {
        let leads: Vec<f64> = ours.iter().zip(&found[0]).map(|(ours, usual)| ours - usual).collect();
        let mean = leads.iter().sum::<f64>() / leads.len() as f64;
        let spread = leads.iter().map(|lead| (lead - mean).powi(2)).sum::<f64>().sqrt();
        let (found, lead) = (ours.iter().sum::<f64>(), mean * leads.len() as f64);
        println!("{name:14} {found} of {wanted}, {lead:+.0} ± {spread:.1}");
    }
    Ok(())
}

fn parted(data: &Dataset, user: u32) -> (&[reco::Event], &[reco::Event]) {
    data.history(user).split_at(data.history(user).len() * 4 / 5)
}

struct Moment {
    now: i64,
    before: Dataset,
    viewers: Vec<u32>,
    days_off: i64,
}

impl Moment {
    fn of(data: &Dataset, moment: f64, count: usize) -> Self {
        let mut times: Vec<i64> = data.interactions().map(|i| i.at).collect();
        times.sort_unstable();
        let now = times[(times.len() as f64 * moment) as usize];
        let mut nearest: Vec<(i64, u32)> = (0..data.users() as u32)
            .filter(|&user| (40..=150).contains(&data.history(user).len()))
            .map(|user| ((parted(data, user).1[0].at - now).abs(), user))
            .collect();
        nearest.sort_unstable();
        nearest.truncate(count);
        let viewers: Vec<u32> = nearest.iter().map(|(_, user)| *user).collect();
        Self {
            now,
            before: data.filtered(|i| i.at < now && !viewers.contains(&i.user)),
            viewers,
            days_off: nearest.last().map_or(0, |(off, _)| off / 86_400_000),
        }
    }
}
