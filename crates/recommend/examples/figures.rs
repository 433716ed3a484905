//! Measures activity and recommend on generated data of MovieTweetings' size: `cargo run --release -p recommend --example figures`.
//!
//! Durations are wall time, and processor time of this thread where it says so, which other work on the machine does not change.

use std::{sync::Arc, time::Instant};

use contract::{
    ProfileId, TitleId,
    accounts::Preferences,
    activity::{Activity as _, HalfStars, ImportRatings, ImportedRating, PageInteractions, Rate, Recent},
    catalog::{Catalog as _, ExternalId, ImportTitles, NewTitle, TitleKind},
    jobs::JobState,
    recommend::{GetHome, Recommend as _, StartTraining, Viewer},
};
use platform::{Bus, Inputs, Location, blob::BlobStore};
use tokio_util::sync::CancellationToken;

const TITLES: i64 = 10_506;
const VIEWERS: i64 = 25_000;
const RATINGS: i64 = 1_000_000;
const PAGES: i64 = 2_000;
const GENRES: [&str; 12] = [
    "Drama",
    "Comedy",
    "Thriller",
    "Action",
    "Romance",
    "Crime",
    "Adventure",
    "Horror",
    "Sci-Fi",
    "Mystery",
    "Fantasy",
    "Family",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let inputs = Inputs::system();
    let bus = Bus::new(inputs.clock.clone());
    let blobs = BlobStore::open(&folder.path().join("blobs"))?;
    let location = Location::folder(folder.path());
    let catalog = catalog::open(
        catalog::Deps {
            location: location.clone(),
            inputs: inputs.clone(),
            bus: bus.clone(),
            blobs: blobs.clone(),
        },
        catalog::Config {
            search: catalog::SearchIndex::Off,
        },
    )
    .await?;
    let films = (0..TITLES).map(film).collect();
    let titles = catalog.import(ImportTitles { titles: films }).await?.titles;
    let activity = activity::open(activity::Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        config: activity::Config {
            cache_bytes_max: 0,
            ..activity::Config::default()
        },
    })
    .await?;
    measure_activity(&activity, &titles, inputs.now_ms()).await?;
    let room = recommend::open(recommend::Deps {
        location,
        blobs,
        inputs,
        bus,
        catalog,
        activity,
        config: recommend::Config::default(),
    })
    .await?;
    train(&room).await?;
    measure_pages(&room).await
}

async fn measure_activity(activity: &activity::Room, titles: &[TitleId], now: i64) -> anyhow::Result<()> {
    let ratings = ratings(titles, now);
    let rows = ratings.len();
    let started = Instant::now();
    let written = activity.import_ratings(ImportRatings { ratings }).await?.written;
    report("import of ratings, durable", rows, started);
    anyhow::ensure!(written > 0, "nothing was imported");
    let started = Instant::now();
    let (mut after, mut read) = (None, 0);
    loop {
        let limit = 200_000;
        let page = activity.interactions(PageInteractions { after, limit }).await?;
        read += page.profiles.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    report("interactions read for training", read, started);
    let started = Instant::now();
    for viewer in 0..PAGES {
        let profile = ProfileId(viewer * 7 % VIEWERS + 1);
        activity.recent(Recent { profile, limit: 500 }).await?;
    }
    report("recent, no cache", PAGES as usize, started);
    let started = Instant::now();
    for n in 0..200 {
        let like = Rate {
            profile: ProfileId(n + 1),
            title: titles[n as usize],
            opinion: contract::activity::Opinion::Like,
        };
        activity.rate(like).await?;
    }
    report("ratings one after the other", 200, started);
    Ok(())
}

async fn measure_pages(room: &recommend::Room) -> anyhow::Result<()> {
    for round in ["first", "second"] {
        let (started, busy) = (Instant::now(), processor_us()?);
        for viewer in 0..PAGES {
            home(room, viewer * 13 % VIEWERS + 1).await?;
        }
        let what = format!("home pages, {round} round, activity uncached");
        report(&what, PAGES as usize, started);
        let each = (processor_us()? - busy) / PAGES as u64;
        println!("  processor time a page: {each} us (activity's thread not counted)");
    }
    Ok(())
}

async fn train(room: &Arc<recommend::Room>) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut changes = room.job_changes();
    let job = room.train(StartTraining {}).await?;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(room.clone().run_worker(stop.clone()));
    loop {
        let changed = changes.recv().await?;
        if changed.id == job.id && changed.state != JobState::Running && changed.state != JobState::Queued {
            println!(
                "training: {:.1} s, {:?} {:?}",
                started.elapsed().as_secs_f32(),
                changed.outcome,
                changed.error
            );
            break;
        }
    }
    stop.cancel();
    Ok(worker.await?)
}

async fn home(room: &recommend::Room, profile: i64) -> anyhow::Result<()> {
    let viewer = Viewer {
        profile: ProfileId(profile),
        maturity_max: 18,
        preferences: Preferences::default(),
    };
    let page = room
        .home(GetHome {
            viewer,
            exclude: Vec::new(),
        })
        .await?;
    anyhow::ensure!(!page.rows.is_empty(), "an empty page");
    Ok(())
}

fn film(n: i64) -> NewTitle {
    let genre = |step: i64| GENRES[((n * step) % 12) as usize].to_owned();
    NewTitle {
        kind: TitleKind::Film,
        name: format!("Film {n}"),
        original_name: None,
        year: Some(1930 + (n % 95) as u16),
        genres: vec![genre(1), genre(5)],
        description: String::new(),
        maturity: Some(12),
        duration_ms: None,
        credits: Vec::new(),
        place: None,
        external: vec![ExternalId {
            source: "generated".into(),
            id: n.to_string(),
        }],
        published: true,
    }
}

/// Popular titles more often, each viewer near one region of the catalogue.
fn ratings(titles: &[TitleId], now: i64) -> Vec<ImportedRating> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: i64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as i64) % below
    };
    let row = |n: i64| {
        let viewer = n % VIEWERS;
        let skewed = random(TITLES).min(random(TITLES)).min(random(TITLES));
        let title = (skewed + viewer % 12 * 300) % TITLES;
        let near = (title - viewer % 12 * 300).rem_euclid(TITLES) < 2_000;
        let half_stars = (random(4) + if near { 7 } else { 3 }) as u8;
        ImportedRating {
            profile: ProfileId(viewer + 1),
            title: titles[title as usize],
            stars: HalfStars::new(half_stars.clamp(1, 10)).unwrap_or_else(|| unreachable!("it is clamped")),
            at: now - random(1_000) * 86_400_000,
        }
    };
    let mut row = row;
    (0..RATINGS).map(&mut row).collect()
}

fn report(what: &str, count: usize, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{what}: {count} in {seconds:.2} s, {:.0} a second, {:.0} us each",
        count as f64 / seconds,
        seconds * 1e6 / count as f64
    );
}

/// Time that this thread was on a processor.
fn processor_us() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = text.split_whitespace().next().unwrap_or("0").parse()?;
    Ok(nanoseconds / 1_000)
}
