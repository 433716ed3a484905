//! ML-1M as the papers on sequential recommendation use it: `ml-1m_sas_order.txt`, `user item` a line, in each user's order in
//! time, dense ids from 1, users and items with at least five interactions. There are no ratings and no times, so it can be evaluated and
//! not imported. Beside it may lie `strong/` (the split of the papers on strong generalisation) and, to give the items
//! names, `ml-1m_seq_original_ids.tsv` with `movies.dat`.

use std::{collections::HashMap, path::Path};

use super::{
    Dataset, Layout, Result,
    check::{Collector, ascii},
    double_colon::read_movies,
    text::{for_each_line, wrong},
};

/// A held-out user: what is known and what must be found; dense film indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The data set's own id.
    pub user: u32,
    pub known: Vec<u32>,
    pub targets: Vec<u32>,
}

/// Training users whole, and held-out users in two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrongSplit {
    /// Only `known` is filled.
    pub train: Vec<Fold>,
    pub validation: Vec<Fold>,
    pub test: Vec<Fold>,
}

/// Items of each user, in order.
type Sequences = Vec<(u32, Vec<u32>)>;

pub fn read(order: &Path, original: Option<&Path>, movies: Option<&Path>) -> Result<Dataset> {
    let sequences = read_order(order)?;
    let items = sequences
        .iter()
        .flat_map(|(_, items)| items)
        .max()
        .copied()
        .unwrap_or_default();
    let named = match (original, movies) {
        (Some(original), Some(movies)) => name_items(&sequences, original, movies)?,
        _ => HashMap::new(),
    };
    let mut collector = Collector::new(Layout::Movielens1mPreprocessed);
    for item in 1..=items {
        let (title, genres) = named
            .get(&item)
            .cloned()
            .unwrap_or_else(|| (format!("Film {item}"), Vec::new()));
        collector.film(order, 0, &item.to_string(), &title, genres)?;
    }
    for (user, items) in &sequences {
        let viewer = collector.viewer(order, 0, &user.to_string())?;
        for (position, item) in (0..).zip(items) {
            collector.position(viewer, item - 1, position);
        }
    }
    let folder = order
        .parent()
        .map(|folder| folder.join("strong"))
        .filter(|folder| folder.is_dir());
    let strong = folder.map(|folder| read_strong(&folder, items)).transpose()?;
    Ok(collector.finish(false, strong))
}

fn read_order(path: &Path) -> Result<Sequences> {
    let mut sequences: Sequences = Vec::new();
    let mut index = HashMap::new();
    for_each_line(path, |line, bytes| {
        let text = ascii(path, line, bytes)?;
        let numbers = text
            .split_once(' ')
            .and_then(|(user, item)| Some((user.parse().ok()?, item.parse().ok()?)));
        match numbers {
            Some((user, item)) if user > 0 && item > 0 => push(&mut sequences, &mut index, user, item),
            _ => return wrong(path, line, "there are not two numbers, user and item, from 1"),
        }
        Ok(())
    })?;
    Ok(sequences)
}

fn push(sequences: &mut Sequences, index: &mut HashMap<u32, usize>, user: u32, item: u32) {
    let at = *index.entry(user).or_insert(sequences.len());
    if at == sequences.len() {
        sequences.push((user, Vec::new()));
    }
    sequences[at].1.push(item);
}

/// Title and genres of items. The two files number users and items differently but hold the same sequences, so a user whose
/// sequence has a length that no other has gives away its items' ids (3,387 of 3,416); the rest stays without names.
fn name_items(sequences: &Sequences, original: &Path, movies: &Path) -> Result<HashMap<u32, (String, Vec<String>)>> {
    let mut theirs: Sequences = Vec::new();
    let mut index = HashMap::new();
    for_each_line(original, |line, bytes| {
        let text = ascii(original, line, bytes)?;
        let mut fields = text.split('\t').map(str::parse::<u32>);
        match (fields.next(), fields.next()) {
            (Some(Ok(user)), Some(Ok(item))) => push(&mut theirs, &mut index, user, item),
            _ if line == 1 => {}
            _ => return wrong(original, line, "there are not the fields user, item, pos"),
        }
        Ok(())
    })?;
    let mut films = Collector::new(Layout::Movielens1m);
    read_movies(movies, Layout::Movielens1m, &mut films)?;
    let films: HashMap<String, _> = films
        .finish(true, None)
        .films
        .into_iter()
        .map(|film| (film.id.clone(), film))
        .collect();
    let (ours, theirs) = (by_unique_length(sequences), by_unique_length(&theirs));
    let mut named = HashMap::new();
    for (length, items) in ours {
        let Some(ids) = theirs.get(&length) else { continue };
        for (item, id) in items.iter().zip(*ids) {
            if let Some(film) = films.get(&id.to_string()) {
                let year = film.name.year.map(|year| format!(" ({year})")).unwrap_or_default();
                named.insert(*item, (format!("{}{year}", film.name.name), film.genres.clone()));
            }
        }
    }
    Ok(named)
}

fn by_unique_length(sequences: &Sequences) -> HashMap<usize, &[u32]> {
    let mut users: HashMap<usize, u32> = HashMap::new();
    for (_, items) in sequences {
        *users.entry(items.len()).or_default() += 1;
    }
    let unique = sequences.iter().filter(|(_, items)| users[&items.len()] == 1);
    unique.map(|(_, items)| (items.len(), items.as_slice())).collect()
}

fn read_strong(folder: &Path, items: u32) -> Result<StrongSplit> {
    Ok(StrongSplit {
        train: read_folds(&folder.join("train.tsv"), items, false)?,
        validation: read_folds(&folder.join("validation.tsv"), items, true)?,
        test: read_folds(&folder.join("test.tsv"), items, true)?,
    })
}

fn read_folds(path: &Path, items: u32, with_targets: bool) -> Result<Vec<Fold>> {
    let mut folds = Vec::new();
    for_each_line(path, |line, bytes| {
        let text = ascii(path, line, bytes)?;
        let mut fields = text.split('\t');
        let user = fields.next().and_then(|user| user.parse().ok());
        let known = fields.next().and_then(|list| indices(list, items));
        let targets = if with_targets {
            fields.next().and_then(|list| indices(list, items))
        } else {
            Some(Vec::new())
        };
        match (user, known, targets, fields.next()) {
            (Some(user), Some(known), Some(targets), None) => folds.push(Fold { user, known, targets }),
            _ => return wrong(path, line, "there are not a user and lists of items"),
        }
        Ok(())
    })?;
    Ok(folds)
}

/// `3,1,2` → dense indices from 0.
fn indices(list: &str, items: u32) -> Option<Vec<u32>> {
    let item = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|item| (1..=items).contains(item))
            .map(|item| item - 1)
    };
    list.split(',').map(item).collect()
}
