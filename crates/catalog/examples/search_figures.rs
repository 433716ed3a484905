//! How fast the catalogue is, on a generated library: `cargo run --release -p catalog --example search_figures -- 10506`.

use std::{sync::Arc, time::Instant};

use catalog::{Config, Deps, SearchIndex};
use contract::{
    TitleId,
    catalog::{
        ArtworkShape, Browse, BrowsePage, Catalog as _, ExternalId, GetArtwork, GetCards, ImportTitles, NewTitle,
        Search, Sort, TitleKind,
    },
};
use platform::{Bus, Inputs, Location, blob::BlobStore};

const WORDS: [&str; 24] = [
    "Night", "River", "Last", "Return", "Blood", "Summer", "Amélie", "King", "Silence", "House", "Dark", "Love",
    "City", "Story", "Paradise", "Winter", "Ghost", "Star", "Road", "Children", "War", "Dream", "Golden", "Secret",
];
const GENRES: [&str; 8] = [
    "Drama", "Comedy", "Thriller", "Horror", "Sci-Fi", "Romance", "War", "Western",
];

fn title(number: usize) -> NewTitle {
    let word = |step: usize| WORDS[(number * step + number / 7) % WORDS.len()];
    NewTitle {
        kind: TitleKind::Film,
        name: format!("{} of the {} {number}", word(5), word(11)),
        original_name: None,
        year: Some(1920 + (number % 100) as u16),
        genres: vec![GENRES[number % 8].into(), GENRES[number / 8 % 8].into()],
        description: String::new(),
        maturity: None,
        duration_ms: None,
        credits: vec![],
        place: None,
        external: vec![ExternalId {
            source: "measure".into(),
            id: number.to_string(),
        }],
        published: true,
    }
}

async fn open(folder: &std::path::Path) -> anyhow::Result<(Arc<catalog::Local>, Arc<Bus>)> {
    let inputs = Inputs::system();
    let bus = Bus::new(inputs.clock.clone());
    let deps = Deps {
        location: Location::folder(folder),
        inputs,
        bus: bus.clone(),
        blobs: BlobStore::open(&folder.join("blobs"))?,
    };
    let local = catalog::open(
        deps,
        Config {
            search: SearchIndex::Folder(folder.join("search")),
        },
    )
    .await?;
    Ok((local, bus))
}

fn shown(what: &str, started: Instant, times: u32) {
    println!(
        "{what:<44} {:>10.3} ms",
        started.elapsed().as_secs_f64() * 1e3 / f64::from(times)
    );
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let count: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_506);
    let folder = tempfile::tempdir()?;
    let ids = import(folder.path(), count).await?;
    let started = Instant::now();
    let (local, _bus) = open(folder.path()).await?;
    shown("open", started, 1);
    search(&local).await?;
    read(&local, &ids).await
}

async fn import(folder: &std::path::Path, count: usize) -> anyhow::Result<Vec<TitleId>> {
    let (local, bus) = open(folder).await?;
    let titles: Vec<NewTitle> = (0..count).map(title).collect();
    let started = Instant::now();
    let ids = local.import(ImportTitles { titles: titles.clone() }).await?.titles;
    shown(&format!("import {count} titles"), started, 1);
    bus.settle().await?;
    shown("… until they can be searched", started, 1);
    let started = Instant::now();
    local.import(ImportTitles { titles }).await?;
    shown("the same again", started, 1);
    bus.shutdown().await;
    Ok(ids)
}

async fn search(local: &catalog::Local) -> anyhow::Result<()> {
    const TIMES: u32 = 50;
    for query in [
        "",
        "n",
        "nig",
        "night",
        "nigth",
        "amelie of the",
        "silence 77",
        "zzzzzz",
    ] {
        let request = Search {
            query: query.into(),
            maturity_max: 18,
            genre: None,
            kind: None,
            decade: None,
            limit: 20,
        };
        local.search(request.clone()).await?;
        let started = Instant::now();
        for _ in 0..TIMES {
            local.search(request.clone()).await?;
        }
        shown(&format!("search {query:?}"), started, TIMES);
    }
    Ok(())
}

async fn read(local: &catalog::Local, ids: &[TitleId]) -> anyhow::Result<()> {
    const TIMES: u32 = 200;
    let titles = ids[..100.min(ids.len())].to_vec();
    let started = Instant::now();
    for _ in 0..TIMES {
        local.cards(GetCards { titles: titles.clone() }).await?;
    }
    shown("100 cards", started, TIMES);
    let filter = Browse {
        genre: Some("War".into()),
        maturity_max: 18,
        sort: Sort::Name,
        ..Browse::default()
    };
    let page = BrowsePage {
        filter,
        after: None,
        limit: 50,
    };
    local.browse(page.clone()).await?;
    let started = Instant::now();
    for _ in 0..TIMES {
        local.browse(page.clone()).await?;
    }
    shown("a page of 50", started, TIMES);
    let started = Instant::now();
    for title in ids.iter().take(TIMES as usize) {
        local
            .artwork(GetArtwork {
                title: *title,
                shape: ArtworkShape::Poster,
            })
            .await?;
    }
    shown("a drawn poster", started, TIMES);
    Ok(())
}
