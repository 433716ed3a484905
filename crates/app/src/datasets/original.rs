//! MovieLens 100K as published: `u.data` and `u.item`.

use std::path::Path;

use super::{
    Dataset, Layout, Result,
    check::{Collector, ascii, half_stars},
    text::{Encoding, for_each_line, read_lines, wrong},
};

/// In the order of the flags in `u.item`.
const GENRES: [&str; 19] = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
];
/// id, title, release date, video release date, IMDb address.
const FIELDS_BEFORE: usize = 5;

pub fn read(data: &Path, item: &Path) -> Result<Dataset> {
    let mut collector = Collector::new(Layout::Movielens100k);
    for (line, text) in (1..).zip(read_lines(item, Encoding::Utf8OrLatin1)?) {
        let fields: Vec<&str> = text.split('|').collect();
        if fields.len() != FIELDS_BEFORE + GENRES.len() {
            return wrong(item, line, format!("there are {} fields instead of 24", fields.len()));
        }
        let flags = &fields[FIELDS_BEFORE..];
        if let Some(flag) = flags.iter().find(|flag| !matches!(**flag, "0" | "1")) {
            return wrong(item, line, format!("{flag:?} is not a genre flag, 0 or 1"));
        }
        let genres = GENRES
            .iter()
            .zip(flags)
            .filter(|(_, flag)| **flag == "1")
            .map(|(genre, _)| (*genre).to_owned());
        collector.film(item, line, fields[0], fields[1], genres.collect())?;
    }
    for_each_line(data, |line, bytes| {
        let text = ascii(data, line, bytes)?;
        let mut fields = text.split('\t');
        let (Some(viewer), Some(film), Some(rating), Some(at), None) = (
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
        ) else {
            return wrong(data, line, "there are not the four fields viewer, film, rating, time");
        };
        collector.rating(data, line, viewer, film, half_stars(data, line, rating)?, at)
    })?;
    Ok(collector.finish(true, None))
}
