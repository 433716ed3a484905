//! What pages are worth to those who got them, by what they liked next.

use std::collections::{BTreeMap, HashMap, HashSet};

use contract::{
    TitleId,
    catalog::NewTitle,
    recommend::{GetTop, HomePage, Recommend as _, Row, RowKind},
};
use reco::metrics::{miscalibration, mix_of, ndcg_at};

use super::data::{Rating, as_viewer, home};

pub const COLUMNS: usize = 10;
const ROWS: usize = 12;
const TOP: usize = 20;
/// From so many half stars on a title was liked.
pub const LIKED: u8 = 7;

/// What one viewer's page was worth.
#[derive(Clone)]
pub struct Judged {
    pub viewer: i64,
    pub is_new: bool,
    pub page: f64,
    pub picks: f64,
    /// Absent without liked titles or picks.
    pub calibration: Option<f64>,
    /// The same two of the ranking alone, before it is made a row.
    pub ranked: f64,
    pub ranked_calibration: Option<f64>,
    /// Liked next though nobody had rated them before, and those of them that the page showed.
    pub new_titles: usize,
    pub new_titles_shown: usize,
    pub shown: HashSet<TitleId>,
    /// The page of the most popular titles.
    pub popular: f64,
}

pub async fn judge(
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
    let mut targets: BTreeMap<i64, HashSet<TitleId>> = BTreeMap::new();
    let is_target = |rating: &&Rating| rating.half_stars >= LIKED && !rated.contains(&(rating.viewer, rating.title));
    for rating in next.iter().filter(is_target) {
        targets.entry(rating.viewer).or_default().insert(titles[rating.title]);
    }
    let (genres, genre_count) = numbered_genres(films);
    let mix = |list: &[u32]| mix_of(list.iter().map(|film| (&genres[*film as usize][..], 1.0)), genre_count);
    let film_of: HashMap<TitleId, u32> = titles.iter().copied().zip(0..).collect();
    let old: HashSet<TitleId> = past.iter().map(|rating| titles[rating.title]).collect();
    let popular = most_popular(titles, past);
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
            popular: ndcg_of_list(&popular, &targets),
        });
    }
    Ok(judged)
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
    sum / best(targets.len())
}

/// What every cell counts, the best first.
fn cells() -> Vec<f64> {
    let row = |row| (0..COLUMNS).map(move |column| discount(row + column + 2));
    let mut cells: Vec<f64> = (0..ROWS).flat_map(row).collect();
    cells.sort_by(|a, b| b.total_cmp(a));
    cells
}

fn best(targets: usize) -> f64 {
    cells().iter().take(targets).sum()
}

/// A page of one list, whose titles stand where they count most: no rows could show that list better.
fn ndcg_of_list(list: &[TitleId], targets: &HashSet<TitleId>) -> f64 {
    let cells = list.iter().zip(cells());
    let found = cells.filter(|(title, _)| targets.contains(title));
    found.map(|(_, cell)| cell).sum::<f64>() / best(targets.len())
}

/// What most people liked, the most liked first.
fn most_popular(titles: &[TitleId], past: &[Rating]) -> Vec<TitleId> {
    let mut counts = vec![0u32; titles.len()];
    for rating in past.iter().filter(|rating| rating.half_stars >= LIKED) {
        counts[rating.title] += 1;
    }
    let mut order: Vec<usize> = (0..titles.len()).collect();
    order.sort_by_key(|title| std::cmp::Reverse(counts[*title]));
    order.truncate(ROWS * COLUMNS);
    order.into_iter().map(|title| titles[title]).collect()
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

pub fn report(what: &str, judged: &[Judged]) {
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
    line(
        "the same of a page of the most popular titles",
        judged.iter().map(|one| one.popular).collect(),
    );
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
