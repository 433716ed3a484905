//! Reads the real data sets beside the repository (or in `$KINORA_DATASETS`) for tests and measurements.
#![allow(dead_code)]

use reco::{
    Case, Dataset, DatasetBuilder, Event, Interaction, ItemFeatures, ItemFeaturesBuilder, Split, TitleDescription,
    signal,
};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

fn file(path: &str) -> Anyhow<String> {
    let folder = std::env::var_os("KINORA_DATASETS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = folder.join(path);
    let bytes = fs::read(&path).map_err(|error| format!("no data set at {}: {error}", path.display()))?;
    // latin-1 where it is not UTF-8.
    Ok(String::from_utf8(bytes).unwrap_or_else(|e| e.into_bytes().iter().map(|&b| char::from(b)).collect()))
}

/// ML-1M in the order of the sequential papers; time counts events back from each viewer's last one, which is 0.
pub fn ml_1m() -> Anyhow<(Dataset, ItemFeatures)> {
    let mut sequences: Vec<Vec<u32>> = Vec::new();
    for line in file("ml-1m/ml-1m_sas_order.txt")?.lines() {
        let (user, item) = line.split_once(' ').ok_or("no space")?;
        sequences.resize(sequences.len().max(user.parse()?), Vec::new());
        sequences[user.parse::<usize>()? - 1].push(item.parse::<u32>()? - 1);
    }
    let mut builder = DatasetBuilder::new(0, 0);
    for (user, sequence) in sequences.iter().enumerate() {
        for (position, &item) in sequence.iter().enumerate() {
            builder.push(Interaction {
                user: user as u32,
                item,
                weight: 1.0,
                at: position as i64 + 1 - sequence.len() as i64,
            });
        }
    }
    let data = builder.build()?;
    let features = ml_1m_features(data.items())?;
    Ok((data, features))
}

fn ml_1m_features(items: usize) -> Anyhow<ItemFeatures> {
    let order = file("ml-1m/ml-1m_sas_order.txt")?;
    let original = file("ml-1m/ml-1m_seq_original_ids.tsv")?;
    let mut dense = HashMap::new();
    for (a, b) in order.lines().zip(original.lines()) {
        let item = a.split(' ').nth(1).ok_or("item")?.parse::<u32>()? - 1;
        let id = b.split_whitespace().nth(1).ok_or("id")?;
        dense.insert(id.to_owned(), item);
    }
    let mut features = ItemFeaturesBuilder::new(items);
    for line in file("ml-1m/movies.dat")?.lines() {
        let fields: Vec<&str> = line.split("::").collect();
        if let (Some(&item), 3) = (dense.get(fields[0]), fields.len()) {
            describe(&mut features, item, fields[1], fields[2]);
        }
    }
    Ok(features.build())
}

/// The split of strong generalisation that the published figures were measured on.
pub fn ml_1m_strong() -> Anyhow<(Split, ItemFeatures)> {
    let mut builder = DatasetBuilder::new(0, 0);
    for line in file("ml-1m/strong/train.tsv")?.lines() {
        let (user, items) = line.split_once('\t').ok_or("no tab")?;
        for (at, event) in events(items)?.into_iter().enumerate() {
            builder.push(Interaction {
                user: user.parse()?,
                item: event.item,
                weight: 1.0,
                at: at as i64,
            });
        }
    }
    let train = builder.build()?;
    let features = ml_1m_features(train.items())?;
    let split = Split::strong_given(
        train,
        strong_cases("ml-1m/strong/validation.tsv")?,
        strong_cases("ml-1m/strong/test.tsv")?,
    )?;
    Ok((split, features))
}

fn strong_cases(path: &str) -> Anyhow<Vec<Case>> {
    let mut cases = Vec::new();
    for line in file(path)?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        cases.push(Case {
            user: fields[0].parse()?,
            history: events(fields[1])?,
            targets: events(fields[2])?.iter().map(|e| e.item).collect(),
        });
    }
    Ok(cases)
}

fn events(items: &str) -> Anyhow<Vec<Event>> {
    let mut list = Vec::new();
    for (at, item) in items.split(',').enumerate() {
        list.push(Event {
            item: item.parse::<u32>()? - 1,
            weight: 1.0,
            at: at as i64,
        });
    }
    Ok(list)
}

/// MovieTweetings with its films' genres, years and names; time in milliseconds.
pub fn movietweetings() -> Anyhow<(Dataset, ItemFeatures)> {
    let movies = file("movietweetings-100k/movies.dat")?;
    let mut index = HashMap::new();
    for line in movies.lines() {
        let id = line.split("::").next().ok_or("id")?;
        let next = index.len() as u32;
        index.entry(id).or_insert(next);
    }
    let mut features = ItemFeaturesBuilder::new(index.len());
    for line in movies.lines() {
        let fields: Vec<&str> = line.split("::").collect();
        describe(&mut features, index[fields[0]], fields[1], fields[2]);
    }
    let mut builder = DatasetBuilder::new(0, index.len());
    for line in file("movietweetings-100k/ratings.dat")?.lines() {
        let fields: Vec<&str> = line.split("::").collect();
        builder.push(Interaction {
            user: fields[0].parse::<u32>()? - 1,
            item: index[fields[1]],
            weight: signal::from_half_stars(fields[2].parse::<u8>()?.max(1)),
            at: fields[3].parse::<i64>()? * 1000,
        });
    }
    Ok((builder.build()?, features.build()))
}

/// ML-100k with genres, years and names; time in milliseconds.
pub fn ml_100k() -> Anyhow<(Dataset, ItemFeatures)> {
    let titles = file("ml-100k/ml-100k.item")?;
    let mut index = HashMap::new();
    for line in titles.lines().skip(1) {
        let id = line.split('\t').next().ok_or("id")?;
        index.insert(id, index.len() as u32);
    }
    let mut features = ItemFeaturesBuilder::new(index.len());
    for line in titles.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let named = format!("{} ({})", fields[1], fields[2]);
        let genres = fields[3].replace(' ', "|");
        describe(&mut features, index[fields[0]], &named, &genres);
    }
    let mut builder = DatasetBuilder::new(0, index.len());
    for line in file("ml-100k/ml-100k.inter")?.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let stars: f32 = fields[2].parse()?;
        builder.push(Interaction {
            user: fields[0].parse::<u32>()? - 1,
            item: index[fields[1]],
            weight: signal::from_half_stars((stars * 2.0) as u8),
            at: fields[3].parse::<f64>()? as i64 * 1000,
        });
    }
    Ok((builder.build()?, features.build()))
}

fn describe(features: &mut ItemFeaturesBuilder, item: u32, name: &str, genres: &str) {
    let (name, year) = match name.rsplit_once(" (") {
        Some((name, year)) => (name, year.trim_end_matches(')').parse().ok()),
        None => (name, None),
    };
    let genres: Vec<&str> = genres.split('|').filter(|g| !g.is_empty()).collect();
    features.describe(
        item,
        &TitleDescription {
            name,
            year,
            genres: &genres,
            people: &[],
        },
    );
}
