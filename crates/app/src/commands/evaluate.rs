//! `kinora evaluate`: the models on a data set by a standard protocol, with intervals, times, and the rankings for other tools.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::{Context as _, ensure};
use reco::{
    Case, Dataset, EvaluateOptions, Evaluation, Event, Interaction, ItemFeatures, ItemFeaturesBuilder, MODEL_NAMES,
    Split, TitleDescription, evaluate_split, signal,
};

use super::report;
use crate::{
    cli::{Evaluate, Protocol},
    datasets::{self, Fold, StrongSplit},
};

impl From<Protocol> for reco::Protocol {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::LastOut => Self::LastOut,
            Protocol::Strong => Self::Strong,
            Protocol::Temporal => Self::Temporal,
        }
    }
}

pub fn run(args: Evaluate) -> anyhow::Result<()> {
    let names: Vec<&str> = match args.model.as_slice() {
        [] => MODEL_NAMES.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    ensure!(
        args.dump.is_none() || names.len() == 1,
        "--dump needs one --model NAME, whose rankings it writes"
    );
    let data = datasets::read(std::slice::from_ref(&args.data))?;
    let split = split_of(&data, args.protocol.into(), args.seed)?;
    if !args.json {
        eprintln!(
            "{} viewers, {} titles, {} interactions; {} held-out viewers",
            data.viewers.len(),
            data.films.len(),
            data.ratings.len(),
            split.held_out()
        );
    }
    let options = EvaluateOptions {
        seed: args.seed,
        keep_rankings: args.dump.is_some(),
        ..EvaluateOptions::default()
    };
    let evaluation = evaluate_split(split, &features_of(&data), &names, &options)?;
    if let Some(path) = &args.dump {
        dump(path, names[0], &data, &evaluation).with_context(|| format!("writing {}", path.display()))?;
    }
    if let Some(path) = &args.report {
        // The name alone: a page is sent around, and where the data lies is nobody's business.
        let name = args.data.file_name().unwrap_or(args.data.as_os_str());
        let page = report::html(&evaluation.report, &name.to_string_lossy());
        std::fs::write(path, page).with_context(|| format!("writing {}", path.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&evaluation.report)?);
    } else {
        print!("{}", report::table(&evaluation.report));
    }
    Ok(())
}

/// The split that came with the data where there is one, else the protocol's own.
fn split_of(data: &datasets::Dataset, protocol: reco::Protocol, seed: u64) -> anyhow::Result<Split> {
    ensure!(
        data.timed || protocol != reco::Protocol::Temporal,
        "this data set has an order and no times; the temporal protocol needs times"
    );
    match (&data.strong, protocol) {
        (Some(strong), reco::Protocol::Strong) => given_split(strong, data.films.len()),
        _ => Ok(Split::make(protocol, &interactions_of(data, protocol)?, seed)?),
    }
}

/// Two of the protocols count every rating as liked, as their papers do; in time, a rating counts as production sees it.
fn interactions_of(data: &datasets::Dataset, protocol: reco::Protocol) -> reco::Result<Dataset> {
    let all_positive = protocol != reco::Protocol::Temporal;
    let rows = data.ratings.iter().map(|rating| Interaction {
        user: rating.viewer,
        item: rating.film,
        weight: if all_positive {
            1.0
        } else {
            signal::from_half_stars(rating.half_stars)
        },
        at: if data.timed {
            i64::from(rating.at_s) * 1000
        } else {
            i64::from(rating.at_s)
        },
    });
    Dataset::from_interactions(data.viewers.len(), data.films.len(), rows)
}

fn given_split(strong: &StrongSplit, items: usize) -> anyhow::Result<Split> {
    let users = strong
        .train
        .iter()
        .chain(&strong.validation)
        .chain(&strong.test)
        .map(|fold| fold.user)
        .max()
        .unwrap_or(0);
    let events = |fold: &Fold| -> Vec<Event> {
        (0..)
            .zip(&fold.known)
            .map(|(at, item)| Event {
                item: *item,
                weight: 1.0,
                at,
            })
            .collect()
    };
    let rows = strong.train.iter().flat_map(|fold| {
        events(fold).into_iter().map(|event| Interaction {
            user: fold.user,
            item: event.item,
            weight: event.weight,
            at: event.at,
        })
    });
    let train = Dataset::from_interactions(users as usize + 1, items, rows)?;
    let cases = |folds: &[Fold]| -> Vec<Case> {
        let case = |fold: &Fold| Case {
            user: fold.user,
            history: events(fold),
            targets: fold.targets.clone(),
        };
        folds.iter().map(case).collect()
    };
    Ok(Split::strong_given(
        train,
        cases(&strong.validation),
        cases(&strong.test),
    )?)
}

fn features_of(data: &datasets::Dataset) -> ItemFeatures {
    let mut builder = ItemFeaturesBuilder::new(data.films.len());
    for (item, film) in (0..).zip(&data.films) {
        let genres: Vec<&str> = film.genres.iter().map(String::as_str).collect();
        let year = film.name.year.map(i32::from);
        builder.describe(
            item,
            &TitleDescription {
                name: &film.name.name,
                year,
                genres: &genres,
                people: &[],
            },
        );
    }
    builder.build()
}

/// A line per test user: the user, a tab, the items, best first, in the data set's own ids.
fn dump(path: &Path, model: &str, data: &datasets::Dataset, evaluation: &Evaluation) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let given = data.strong.is_some() && evaluation.report.protocol == reco::Protocol::Strong;
    for ranking in evaluation.rankings.get(model).into_iter().flatten() {
        let items: Vec<&str> = ranking
            .items
            .iter()
            .map(|&item| data.films[item as usize].id.as_str())
            .collect();
        // The users of a given split are numbered by that split.
        let user = if given {
            ranking.user.to_string()
        } else {
            data.viewers[ranking.user as usize].clone()
        };
        writeln!(out, "{user}\t{}", items.join(","))?;
    }
    out.flush()?;
    Ok(())
}
