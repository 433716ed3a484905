//! Judges whole home pages on what people did next: `cargo run --release -p recommend --example pages -- FOLDER [test] [CONFIG] [FILE]`.
//!
//! FOLDER holds MovieTweetings (`movies.dat`, `ratings.dat`). All ratings before a moment are imported and learned from; then every
//! viewer who liked something after it gets a page as of that moment, and the page is judged by where those titles stand on it. The
//! moment stands at four fifths of all ratings and the next tenth is what comes next: settings are chosen there. With `test` it
//! stands at nine tenths: that is looked at once, when everything is chosen. CONFIG is the room's configuration as JSON, FILE gets the
//! figure of each viewer, so that two runs can be compared in pairs.
//!
//! Figures: two-dimensional NDCG over the first ten columns of all rows (Felicioni et al. 2021, discount 1 / log2(row + column), a
//! title counts where it stands first, normalised by the best cells of 12 × 10); NDCG@20 of *Top Picks*; calibration of its first
//! twenty (Steck 2018: KL of the genres liked from those shown, mixed with a hundredth of the former); new viewers apart.

use std::collections::{HashMap, HashSet};

use contract::{
    ProfileId, TitleId,
    accounts::Preferences,
    activity::{Activity as _, HalfStars, ImportRatings, ImportedRating},
    catalog::{Catalog as _, ExternalId, ImportTitles, NewTitle, TitleKind},
    jobs::JobState,
    recommend::{GetHome, GetTop, HomePage, Recommend as _, RowKind, StartTraining, Viewer},
};
use platform::{Bus, Inputs, Location, blob::BlobStore, clock::Clock as _};
use tokio_util::sync::CancellationToken;

const COLUMNS: usize = 10;
const ROWS: usize = 12;
const TOP: usize = 20;
/// From so many half stars on a title was liked.
const LIKED: u8 = 7;

struct Rating {
    viewer: i64,
    title: usize,
    half_stars: u8,
    at_ms: i64,
}

struct Data {
    films: Vec<NewTitle>,
    ratings: Vec<Rating>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let folder = arguments
        .next()
        .unwrap_or_else(|| "../shared/data/movietweetings-100k".into());
    let tenths = if arguments.next_if(|argument| argument == "test").is_some() {
        9
    } else {
        8
    };
    let config: recommend::Config = serde_json::from_str(&arguments.next().unwrap_or_else(|| "{}".into()))?;
    let data = read(&folder)?;
    let cut = data.ratings.len() * tenths / 10;
    let until = data.ratings.len() * (tenths + 1) / 10;
    let (past, next) = (&data.ratings[..cut], &data.ratings[cut..until]);
    let (room, titles, _folder) = open(&data.films, past, config).await?;
    train(&room).await?;
    let judged = judge(&room, &data.films, &titles, past, next).await?;
    report("all viewers", &judged);
    let segment = |new: bool| {
        judged
            .iter()
            .filter(|one| one.is_new == new)
            .cloned()
            .collect::<Vec<_>>()
    };
    report("viewers with a past", &segment(false));
    report("new viewers", &segment(true));
    if let Some(file) = arguments.next() {
        let lines = judged.iter().map(|one| {
            format!(
                "{} {} {} {}\n",
                one.viewer,
                one.page,
                one.picks,
                one.calibration.unwrap_or(-1.0)
            )
        });
        std::fs::write(file, lines.collect::<String>())?;
    }
    Ok(())
}

fn read(folder: &str) -> anyhow::Result<Data> {
    let lines = |name: &str| std::fs::read_to_string(format!("{folder}/{name}"));
    let mut films = Vec::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for line in lines("movies.dat")?.lines() {
        let parts: Vec<&str> = line.split("::").collect();
        let [id, name, genres] = parts[..] else { continue };
        let (name, year) = name.rsplit_once(" (").unwrap_or((name, ""));
        numbers.insert(id.into(), films.len());
        films.push(NewTitle {
            kind: TitleKind::Film,
            name: name.into(),
            original_name: None,
            year: year.trim_end_matches(')').parse().ok(),
            genres: genres
                .split('|')
                .filter(|genre| !genre.is_empty())
                .map(str::to_owned)
                .collect(),
            description: String::new(),
            maturity: Some(12),
            duration_ms: None,
            credits: Vec::new(),
            place: None,
            external: vec![ExternalId {
                source: "movietweetings".into(),
                id: id.into(),
            }],
            published: true,
        });
    }
    let mut ratings = Vec::new();
    for line in lines("ratings.dat")?.lines() {
        let parts: Vec<&str> = line.split("::").collect();
        let [viewer, film, stars, at] = parts[..] else { continue };
        let Some(title) = numbers.get(film) else { continue };
        ratings.push(Rating {
            viewer: viewer.parse()?,
            title: *title,
            half_stars: stars.parse::<u8>()?.max(1),
            at_ms: at.parse::<i64>()? * 1_000,
        });
    }
    ratings.sort_by_key(|rating| rating.at_ms);
    Ok(Data { films, ratings })
}

/// A room that knows the past, at its end.
async fn open(
    films: &[NewTitle],
    past: &[Rating],
    config: recommend::Config,
) -> anyhow::Result<(std::sync::Arc<recommend::Room>, Vec<TitleId>, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let (inputs, clock) = Inputs::manual(11);
    let end = past.last().map_or(0, |rating| rating.at_ms) + 1;
    clock.advance(end - clock.now_ms());
    let bus = Bus::new(clock);
    let blobs = BlobStore::open(&folder.path().join("blobs"))?;
    let location = Location::folder(folder.path());
    let deps = catalog::Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        blobs: blobs.clone(),
    };
    let search = catalog::SearchIndex::Off;
    let catalog = catalog::open(deps, catalog::Config { search }).await?;
    let titles = catalog.import(ImportTitles { titles: films.to_vec() }).await?.titles;
    let activity = activity::open(activity::Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        config: activity::Config::default(),
    })
    .await?;
    let rating = |rating: &Rating| {
        Some(ImportedRating {
            profile: ProfileId(rating.viewer),
            title: titles[rating.title],
            stars: HalfStars::new(rating.half_stars)?,
            at: rating.at_ms,
        })
    };
    let ratings = past.iter().filter_map(rating).collect();
    activity.import_ratings(ImportRatings { ratings }).await?;
    let deps = recommend::Deps {
        location,
        blobs,
        inputs,
        bus,
        catalog,
        activity,
        config,
    };
    Ok((recommend::open(deps).await?, titles, folder))
}

async fn train(room: &std::sync::Arc<recommend::Room>) -> anyhow::Result<()> {
    let mut changes = room.job_changes();
    let job = room.train(StartTraining {}).await?;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(room.clone().run_worker(stop.clone()));
    loop {
        let changed = changes.recv().await?;
        if changed.id == job.id && !matches!(changed.state, JobState::Running | JobState::Queued) {
            println!("trained: {:?} {:?}", changed.outcome, changed.error);
            break;
        }
    }
    stop.cancel();
    Ok(worker.await?)
}

/// What one viewer's page was worth.
#[derive(Clone)]
struct Judged {
    viewer: i64,
    is_new: bool,
    page: f64,
    picks: f64,
    /// Absent without liked titles or picks.
    calibration: Option<f64>,
    /// The same two of the ranking alone, before it is made a row.
    ranked: f64,
    ranked_calibration: Option<f64>,
    shown: HashSet<TitleId>,
}

async fn judge(
    room: &recommend::Room,
    films: &[NewTitle],
    titles: &[TitleId],
    past: &[Rating],
    next: &[Rating],
) -> anyhow::Result<Vec<Judged>> {
    let rated: HashSet<(i64, usize)> = past.iter().map(|rating| (rating.viewer, rating.title)).collect();
    let mut liked: HashMap<i64, Vec<usize>> = HashMap::new();
    for rating in past.iter().filter(|rating| rating.half_stars >= LIKED) {
        liked.entry(rating.viewer).or_default().push(rating.title);
    }
    let known: HashSet<i64> = past.iter().map(|rating| rating.viewer).collect();
    let mut targets: std::collections::BTreeMap<i64, HashSet<TitleId>> = std::collections::BTreeMap::new();
    let is_target = |rating: &&Rating| rating.half_stars >= LIKED && !rated.contains(&(rating.viewer, rating.title));
    for rating in next.iter().filter(is_target) {
        targets.entry(rating.viewer).or_default().insert(titles[rating.title]);
    }
    let genres: HashMap<TitleId, &[String]> = titles
        .iter()
        .zip(films)
        .map(|(id, film)| (*id, &film.genres[..]))
        .collect();
    let mut judged = Vec::with_capacity(targets.len());
    for (viewer, targets) in targets {
        let page = home(room, viewer).await?;
        let ranked = GetTop {
            viewer: as_viewer(viewer),
            limit: TOP as u32,
            exclude: Vec::new(),
        };
        let ranked: Vec<TitleId> = room.top(ranked).await?.iter().map(|item| item.title).collect();
        let picks = page.rows.iter().find(|row| row.kind == RowKind::TopPicks);
        let picks: Vec<TitleId> = picks.map_or_else(Vec::new, |row| row.items.iter().map(|item| item.title).collect());
        let own = liked.get(&viewer).map_or(&[][..], Vec::as_slice);
        let own: Vec<TitleId> = own.iter().map(|title| titles[*title]).collect();
        judged.push(Judged {
            viewer,
            is_new: !known.contains(&viewer),
            page: ndcg_of_page(&page, &targets),
            picks: ndcg(&picks, &targets),
            calibration: divergence(&genres, &own, &picks[..picks.len().min(TOP)]),
            ranked: ndcg(&ranked, &targets),
            ranked_calibration: divergence(&genres, &own, &ranked),
            shown: page
                .rows
                .iter()
                .flat_map(|row| row.items.iter().take(COLUMNS).map(|item| item.title))
                .collect(),
        });
    }
    Ok(judged)
}

fn as_viewer(viewer: i64) -> Viewer {
    Viewer {
        profile: ProfileId(viewer),
        maturity_max: 18,
        preferences: Preferences::default(),
    }
}

async fn home(room: &recommend::Room, viewer: i64) -> anyhow::Result<HomePage> {
    let home = GetHome {
        viewer: as_viewer(viewer),
        exclude: Vec::new(),
    };
    Ok(room.home(home).await?)
}

fn discount(place: usize) -> f64 {
    (place as f64).log2().recip()
}

fn ndcg_of_page(page: &HomePage, targets: &HashSet<TitleId>) -> f64 {
    let mut seen = HashSet::new();
    let mut sum = 0.0;
    for (row, shown) in page.rows.iter().enumerate().take(ROWS) {
        for (column, item) in shown.items.iter().enumerate().take(COLUMNS) {
            if targets.contains(&item.title) && seen.insert(item.title) {
                sum += discount(row + column + 2);
            }
        }
    }
    let mut cells: Vec<f64> = (0..ROWS)
        .flat_map(|row| (0..COLUMNS).map(move |column| discount(row + column + 2)))
        .collect();
    cells.sort_by(|a, b| b.total_cmp(a));
    sum / cells.iter().take(targets.len()).sum::<f64>()
}

fn ndcg(list: &[TitleId], targets: &HashSet<TitleId>) -> f64 {
    let hits = list
        .iter()
        .enumerate()
        .take(TOP)
        .filter(|(_, title)| targets.contains(*title));
    let ideal: f64 = (0..targets.len().min(TOP)).map(|place| discount(place + 2)).sum();
    hits.map(|(place, _)| discount(place + 2)).sum::<f64>() / ideal
}

/// Shares of the genres of a list: each title gives one, divided among its genres.
fn mix<'a>(genres: &HashMap<TitleId, &'a [String]>, list: &[TitleId]) -> HashMap<&'a str, f64> {
    let mut mix: HashMap<&str, f64> = HashMap::new();
    for own in list
        .iter()
        .filter_map(|title| genres.get(title))
        .filter(|own| !own.is_empty())
    {
        own.iter()
            .for_each(|genre| *mix.entry(genre.as_str()).or_default() += 1.0 / own.len() as f64);
    }
    let total: f64 = mix.values().sum();
    mix.values_mut().for_each(|share| *share /= total);
    mix
}

fn divergence(genres: &HashMap<TitleId, &[String]>, own: &[TitleId], shown: &[TitleId]) -> Option<f64> {
    let (own, shown) = (mix(genres, own), mix(genres, shown));
    let term = |(genre, share): (&&str, &f64)| {
        let mixed = 0.99 * shown.get(genre).copied().unwrap_or(0.0) + 0.01 * share;
        share * (share / mixed).ln()
    };
    (!own.is_empty() && !shown.is_empty()).then(|| own.iter().map(term).sum())
}

fn report(what: &str, judged: &[Judged]) {
    let line = |name: &str, values: Vec<f64>| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
        println!(
            "  {name}: {mean:.4} ± {:.4} ({count} viewers)",
            1.96 * (variance / count).sqrt()
        );
    };
    println!("{what}");
    line(
        "two-dimensional NDCG of the page",
        judged.iter().map(|one| one.page).collect(),
    );
    line(
        "NDCG@20 of the ranking alone",
        judged.iter().map(|one| one.ranked).collect(),
    );
    let alone = judged.iter().filter_map(|one| one.ranked_calibration);
    line("calibration of the ranking alone (KL)", alone.collect());
    line("NDCG@20 of Top Picks", judged.iter().map(|one| one.picks).collect());
    line(
        "calibration of Top Picks (KL)",
        judged.iter().filter_map(|one| one.calibration).collect(),
    );
    let shown: HashSet<TitleId> = judged.iter().flat_map(|one| one.shown.iter().copied()).collect();
    println!("  titles shown to anybody: {}", shown.len());
}
