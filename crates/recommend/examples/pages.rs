//! Judges whole home pages on what people did next: `cargo run --release -p recommend --example pages -- FOLDER [test|live] [CONFIG] [FILE]`.
//!
//! FOLDER holds MovieTweetings (`movies.dat`, `ratings.dat`). All ratings before a moment are imported and learned from; then every
//! viewer who liked something after it gets a page as of that moment, and the page is judged by where those titles stand on it. The
//! moment stands at four fifths of all ratings and the next tenth is what comes next: settings are chosen there. With `test` it
//! stands at nine tenths: that is looked at once, when everything is chosen. CONFIG is the room's configuration as JSON, FILE gets the
//! figure of each viewer, so that two runs can be compared in pairs.
//!
//! With `live` nothing stands still: every rating that comes next is heard at its time, without another training, and whoever is about to
//! like a title that nobody had rated before the training gets a page a moment before it. That is how soon a new title is found.
//!
//! Figures: two-dimensional NDCG over the first ten columns of all rows (Felicioni et al. 2021, discount 1 / log2(row + column), a
//! title counts where it stands first, normalised by the best cells of 12 × 10); NDCG@20 of *Top Picks*; calibration of its first
//! twenty (Steck 2018: KL of the genres liked from those shown, mixed with a hundredth of the former); the time a page takes; viewers
//! without a past, who get what is made for new ones, apart; how many of the titles that nobody had rated before were shown to whoever
//! liked them next.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use anyhow::Context as _;
use contract::{
    ProfileId, TitleId,
    accounts::Preferences,
    activity::{Activity as _, HalfStars, ImportRatings, ImportedRating, Opinion, Rate},
    catalog::{Catalog as _, ExternalId, ImportTitles, NewTitle, TitleKind},
    jobs::JobState,
    recommend::{GetHome, GetTop, HomePage, Recommend as _, Row, RowKind, StartTraining, Viewer},
};
use platform::{
    Bus, Inputs, Location,
    blob::BlobStore,
    clock::{Clock as _, ManualClock},
};
use reco::metrics::{miscalibration, mix_of, ndcg_at};
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
    let mode = arguments.next_if(|argument| ["test", "live"].contains(&argument.as_str()));
    let tenths = if mode.as_deref() == Some("test") { 9 } else { 8 };
    let config: recommend::Config = serde_json::from_str(&arguments.next().unwrap_or_else(|| "{}".into()))?;
    let data = read(&folder)?;
    let cut = data.ratings.len() * tenths / 10;
    let until = data.ratings.len() * (tenths + 1) / 10;
    let (past, next) = (&data.ratings[..cut], &data.ratings[cut..until]);
    let house = open(&data.films, past, config).await?;
    let House { room, titles, .. } = &house;
    train(room).await?;
    if mode.as_deref() == Some("live") {
        return live(&house, past, next).await;
    }
    let judged = judge(room, &data.films, titles, past, next).await?;
    time(room, &judged).await?;
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
struct House {
    room: Arc<recommend::Room>,
    activity: Arc<activity::Room>,
    bus: Arc<Bus>,
    clock: Arc<ManualClock>,
    titles: Vec<TitleId>,
    _folder: tempfile::TempDir,
}

async fn open(films: &[NewTitle], past: &[Rating], config: recommend::Config) -> anyhow::Result<House> {
    let folder = tempfile::tempdir()?;
    let (inputs, clock) = Inputs::manual(11);
    let end = past.last().map_or(0, |rating| rating.at_ms) + 1;
    clock.advance(end - clock.now_ms());
    let bus = Bus::new(clock.clone());
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
        bus: bus.clone(),
        catalog,
        activity: activity.clone(),
        config,
    };
    let room = recommend::open(deps).await?;
    room.subscribe(&bus).await?;
    room.ready().await?;
    Ok(House {
        room,
        activity,
        bus,
        clock,
        titles,
        _folder: folder,
    })
}

/// How often a page showed a title, unknown at the training, to whoever was about to like it, by how many had liked it before.
async fn live(house: &House, past: &[Rating], next: &[Rating]) -> anyhow::Result<()> {
    const LIKES: [&str; 4] = ["nobody", "one", "two to four", "five or more"];
    let old: HashSet<usize> = past.iter().map(|rating| rating.title).collect();
    let mut likes: HashMap<usize, usize> = HashMap::new();
    let mut asked = [0; LIKES.len()];
    let mut shown = [0; LIKES.len()];
    for rating in next {
        house.clock.advance((rating.at_ms - house.clock.now_ms()).max(0));
        let title = house.titles[rating.title];
        if rating.half_stars >= LIKED {
            let before = likes.entry(rating.title).or_default();
            if !old.contains(&rating.title) {
                house.bus.settle().await?;
                house.room.refresh().await;
                let group = match *before {
                    0 | 1 => *before,
                    2..5 => 2,
                    _ => 3,
                };
                asked[group] += 1;
                let page = home(&house.room, rating.viewer).await?;
                let front = page.rows.iter().flat_map(|row| row.items.iter().take(COLUMNS));
                shown[group] += usize::from(front.into_iter().any(|item| item.title == title));
            }
            *before += 1;
        }
        let stars = HalfStars::new(rating.half_stars).context("stars")?;
        let opinion = Opinion::Stars(stars);
        let profile = ProfileId(rating.viewer);
        house
            .activity
            .rate(Rate {
                profile,
                title,
                opinion,
            })
            .await?;
    }
    println!(
        "titles that nobody had rated before the training, in the first ten columns for whoever was about to like them"
    );
    for ((likes, asked), shown) in LIKES.iter().zip(asked).zip(shown) {
        println!("  liked by {likes} since: {shown} of {asked}");
    }
    Ok(())
}

async fn train(room: &Arc<recommend::Room>) -> anyhow::Result<()> {
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
    /// Liked next though nobody had rated them before, and those of them that the page showed.
    new_titles: usize,
    new_titles_shown: usize,
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
    let mut liked: HashMap<i64, Vec<u32>> = HashMap::new();
    for rating in past.iter().filter(|rating| rating.half_stars >= LIKED) {
        liked.entry(rating.viewer).or_default().push(rating.title as u32);
    }
    let known: HashSet<i64> = past.iter().map(|rating| rating.viewer).collect();
    let mut targets: std::collections::BTreeMap<i64, HashSet<TitleId>> = std::collections::BTreeMap::new();
    let is_target = |rating: &&Rating| rating.half_stars >= LIKED && !rated.contains(&(rating.viewer, rating.title));
    for rating in next.iter().filter(is_target) {
        targets.entry(rating.viewer).or_default().insert(titles[rating.title]);
    }
    let (genres, genre_count) = numbered_genres(films);
    let mix = |list: &[u32]| mix_of(list.iter().map(|film| (&genres[*film as usize][..], 1.0)), genre_count);
    let film_of: HashMap<TitleId, u32> = titles.iter().copied().zip(0..).collect();
    let old: HashSet<TitleId> = past.iter().map(|rating| titles[rating.title]).collect();
    let mut judged = Vec::with_capacity(targets.len());
    for (viewer, targets) in targets {
        let page = home(room, viewer).await?;
        let ranked = GetTop {
            viewer: as_viewer(viewer),
            limit: TOP as u32,
            exclude: Vec::new(),
        };
        let ranked: Vec<u32> = room
            .top(ranked)
            .await?
            .iter()
            .map(|item| film_of[&item.title])
            .collect();
        let picks = page.rows.iter().find(|row| row.kind == RowKind::TopPicks);
        let picks = picks.into_iter().flat_map(|row| &row.items);
        let picks: Vec<u32> = picks.map(|item| film_of[&item.title]).collect();
        let wanted: Vec<u32> = targets.iter().map(|title| film_of[title]).collect();
        let ndcg = |list: &[u32]| f64::from(ndcg_at(list, &wanted, TOP));
        let own = liked.get(&viewer).and_then(|own| mix(own));
        let calibration = |list: &[u32]| Some(f64::from(miscalibration(own.as_ref()?, &mix(list)?)));
        let front = |row: &Row| {
            row.items
                .iter()
                .take(COLUMNS)
                .map(|item| item.title)
                .collect::<Vec<_>>()
        };
        let shown: HashSet<TitleId> = page.rows.iter().flat_map(front).collect();
        let new_titles = || targets.iter().filter(|title| !old.contains(title));
        judged.push(Judged {
            viewer,
            new_titles: new_titles().count(),
            new_titles_shown: new_titles().filter(|title| shown.contains(title)).count(),
            is_new: !known.contains(&viewer),
            page: ndcg_of_page(&page, &targets),
            picks: ndcg(&picks),
            calibration: calibration(&picks[..picks.len().min(TOP)]),
            ranked: ndcg(&ranked),
            ranked_calibration: calibration(&ranked),
            shown,
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

/// Processor time of this thread a page, which other work on the machine hardly changes: the least of three rounds. Databases work on
/// threads of their own.
async fn time(room: &recommend::Room, judged: &[Judged]) -> anyhow::Result<()> {
    let mut least = u64::MAX;
    for _ in 0..3 {
        let before = processor_us()?;
        for one in judged {
            home(room, one.viewer).await?;
        }
        least = least.min(processor_us()? - before);
    }
    println!(
        "a page takes {} us of processor time",
        least / judged.len().max(1) as u64
    );
    Ok(())
}

fn processor_us() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = text.split_whitespace().next().unwrap_or("0").parse()?;
    Ok(nanoseconds / 1_000)
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

/// The genres of each film as dense numbers, and how many there are.
fn numbered_genres(films: &[NewTitle]) -> (Vec<Vec<u32>>, usize) {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut number = |genre| {
        let next = numbers.len() as u32;
        *numbers.entry(genre).or_insert(next)
    };
    let of_films = films
        .iter()
        .map(|film| film.genres.iter().map(|genre| number(genre.as_str())).collect());
    let genres = of_films.collect();
    (genres, numbers.len())
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
    let new: usize = judged.iter().map(|one| one.new_titles).sum();
    let new_shown: usize = judged.iter().map(|one| one.new_titles_shown).sum();
    println!("  liked titles that nobody had rated before: {new}, of which shown: {new_shown}");
}
