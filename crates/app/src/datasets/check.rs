//! Rows on their way in: every field checked, names made into dense indices, duplicates counted.

use std::{collections::HashMap, path::Path};

use super::{
    Dataset, Film, Layout, RATINGS_MAX, Rating, Result, StrongSplit, TITLES_MAX, names::parse_name, text::wrong,
};

/// 1990-01-01: nobody rated films on the net before. A time cut short lies before it.
const EARLIEST_S: u32 = 631_152_000;
const NAME_BYTES_MAX: usize = 64;
/// What the catalogue takes: refused here, the line is known.
const GENRES_MAX: usize = 12;
const GENRE_LETTERS_MAX: usize = 40;
const TITLE_LETTERS_MAX: usize = 300;

/// From a data set's ids to dense indices. Almost all ids are small numbers, and there are millions of look-ups.
#[derive(Default)]
struct Index {
    /// By number; `NONE` where there is none.
    numbers: Vec<u32>,
    others: HashMap<String, u32>,
}

impl Index {
    const NONE: u32 = u32::MAX;
    const NUMBER_MAX: usize = 1 << 23;

    /// Ids that are a number in its shortest form; `007` is another id than `7`.
    fn number(id: &str) -> Option<usize> {
        let digits = id.as_bytes();
        if digits.is_empty() || digits.len() > 7 || (digits[0] == b'0' && digits.len() > 1) {
            return None;
        }
        let value = digits.iter().try_fold(0usize, |value, digit| {
            digit.is_ascii_digit().then(|| value * 10 + usize::from(digit - b'0'))
        })?;
        (value < Self::NUMBER_MAX).then_some(value)
    }

    fn get(&self, id: &str) -> Option<u32> {
        match Self::number(id) {
            Some(number) => self.numbers.get(number).copied().filter(|index| *index != Self::NONE),
            None => self.others.get(id).copied(),
        }
    }

    fn insert(&mut self, id: &str, index: u32) {
        match Self::number(id) {
            Some(number) => {
                if self.numbers.len() <= number {
                    self.numbers.resize(number + 1, Self::NONE);
                }
                self.numbers[number] = index;
            }
            None => {
                self.others.insert(id.to_owned(), index);
            }
        }
    }
}

/// A data set being read: films first, then ratings.
pub struct Collector {
    layout: Layout,
    films: Vec<Film>,
    film_index: Index,
    viewers: Vec<String>,
    viewer_index: Index,
    ratings: Vec<Rating>,
    duplicates: u64,
}

impl Collector {
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            films: Vec::new(),
            film_index: Index::default(),
            viewers: Vec::new(),
            viewer_index: Index::default(),
            ratings: Vec::new(),
            duplicates: 0,
        }
    }

    /// A film by its id, title as written there (`Matrix, The (1999)`) and genres. The same film twice is counted, another
    /// film under the same id refused.
    pub fn film(&mut self, path: &Path, line: u64, id: &str, title: &str, genres: Vec<String>) -> Result<()> {
        self.film_of_year(path, line, id, title, None, genres)
    }

    /// With the year in a field of its own.
    pub fn film_of_year(
        &mut self,
        path: &Path,
        line: u64,
        id: &str,
        title: &str,
        year: Option<u16>,
        genres: Vec<String>,
    ) -> Result<()> {
        let id = check_id(path, line, "film", id)?;
        let mut name = parse_name(title);
        name.year = year.or(name.year);
        if name.name.is_empty() {
            return wrong(path, line, "the title is empty");
        }
        if name
            .name
            .chars()
            .count()
            .max(name.other.iter().flat_map(|other| other.chars()).count())
            > TITLE_LETTERS_MAX
        {
            return wrong(
                path,
                line,
                format!("the title has more than {TITLE_LETTERS_MAX} letters"),
            );
        }
        let genres = known_genres(genres);
        if genres.len() > GENRES_MAX || genres.iter().any(|genre| genre.chars().count() > GENRE_LETTERS_MAX) {
            return wrong(
                path,
                line,
                format!("more than {GENRES_MAX} genres, or one of more than {GENRE_LETTERS_MAX} letters"),
            );
        }
        if self.films.len() >= TITLES_MAX {
            return wrong(path, line, format!("more than {TITLES_MAX} titles"));
        }
        let film = Film {
            id: id.to_owned(),
            name,
            genres,
            imdb: None,
        };
        if let Some(index) = self.film_index.get(id) {
            let known = &self.films[index as usize];
            // Its number elsewhere comes by itself, perhaps not again.
            if (&known.name, &known.genres) != (&film.name, &film.genres) {
                return wrong(
                    path,
                    line,
                    format!("film {id} is here a second time with another title or other genres"),
                );
            }
            self.duplicates += 1;
            return Ok(());
        }
        self.film_index.insert(id, self.films.len() as u32);
        self.films.push(film);
        Ok(())
    }

    pub fn imdb(&mut self, path: &Path, line: u64, id: &str, imdb: &str) -> Result<()> {
        if imdb.is_empty() {
            return Ok(());
        }
        if !imdb.bytes().all(|byte| byte.is_ascii_digit()) || imdb.len() > 12 {
            return wrong(path, line, format!("{imdb:?} is not an IMDb number"));
        }
        match self.film_index.get(id) {
            Some(index) => {
                let known = &mut self.films[index as usize].imdb;
                if known.as_ref().is_some_and(|known| known != imdb) {
                    return wrong(
                        path,
                        line,
                        format!("film {id} is here a second time with another IMDb number"),
                    );
                }
                *known = Some(imdb.to_owned());
            }
            None => return wrong(path, line, format!("there is no film {id}")),
        }
        Ok(())
    }

    /// A rating in half stars, with its time.
    pub fn rating(&mut self, path: &Path, line: u64, viewer: &str, film: &str, half_stars: u8, at: &str) -> Result<()> {
        let at_s = match at.parse::<u32>() {
            Ok(at_s) if at_s >= EARLIEST_S => at_s,
            _ => return wrong(path, line, format!("{at:?} is not a time in seconds after 1990")),
        };
        let Some(film) = self.film_index.get(film) else {
            return wrong(path, line, format!("there is no film {film:?}"));
        };
        let viewer = self.viewer(path, line, viewer)?;
        if self.ratings.len() >= RATINGS_MAX {
            return wrong(path, line, format!("more than {RATINGS_MAX} ratings"));
        }
        self.ratings.push(Rating {
            viewer,
            film,
            at_s,
            half_stars,
        });
        Ok(())
    }

    pub fn viewer(&mut self, path: &Path, line: u64, name: &str) -> Result<u32> {
        if let Some(index) = self.viewer_index.get(name) {
            return Ok(index);
        }
        let name = check_id(path, line, "viewer", name)?;
        let index = self.viewers.len() as u32;
        self.viewer_index.insert(name, index);
        self.viewers.push(name.to_owned());
        Ok(index)
    }

    /// Without anything between film and rating order but the position: for pre-processed data.
    pub fn position(&mut self, viewer: u32, film: u32, position: u32) {
        self.ratings.push(Rating {
            viewer,
            film,
            at_s: position,
            half_stars: 0,
        });
    }

    pub fn film_count(&self) -> usize {
        self.films.len()
    }

    /// Sorted by viewer and time; of several ratings of a film by a viewer the newest stands.
    pub fn finish(mut self, timed: bool, strong: Option<StrongSplit>) -> Dataset {
        let before = self.ratings.len();
        group_by_viewer(&mut self.ratings, self.viewers.len());
        keep_newest(&mut self.ratings);
        let duplicates = self.duplicates + (before - self.ratings.len()) as u64;
        Dataset {
            layout: self.layout,
            films: self.films,
            viewers: self.viewers,
            ratings: self.ratings,
            timed,
            duplicates,
            strong,
        }
    }
}

/// Brings the ratings of each viewer together, in the order of their lines. Most files are so already.
fn group_by_viewer(ratings: &mut Vec<Rating>, viewers: usize) {
    if ratings.is_sorted_by_key(|rating| rating.viewer) {
        return;
    }
    let mut next = vec![0usize; viewers + 1];
    for rating in ratings.iter() {
        next[rating.viewer as usize + 1] += 1;
    }
    for viewer in 0..viewers {
        next[viewer + 1] += next[viewer];
    }
    let mut grouped = vec![
        Rating {
            viewer: 0,
            film: 0,
            at_s: 0,
            half_stars: 0
        };
        ratings.len()
    ];
    for rating in ratings.iter() {
        let place = &mut next[rating.viewer as usize];
        grouped[*place] = *rating;
        *place += 1;
    }
    *ratings = grouped;
}

/// Leaves the newest of each viewer and film, sorted by viewer and time; of equal times the later line stands.
fn keep_newest(ratings: &mut Vec<Rating>) {
    let (mut kept, mut start) = (0, 0);
    while start < ratings.len() {
        let viewer = ratings[start].viewer;
        let length = ratings[start..]
            .iter()
            .take_while(|rating| rating.viewer == viewer)
            .count();
        let group = &mut ratings[start..start + length];
        group.sort_by_key(|rating| (rating.film, rating.at_s));
        let mut newest = 0;
        for place in 0..length {
            if group.get(place + 1).is_none_or(|next| next.film != group[place].film) {
                group[newest] = group[place];
                newest += 1;
            }
        }
        group[..newest].sort_unstable_by_key(|rating| (rating.at_s, rating.film));
        ratings.copy_within(start..start + newest, kept);
        kept += newest;
        start += length;
    }
    ratings.truncate(kept);
}

fn check_id<'a>(path: &Path, line: u64, what: &str, id: &'a str) -> Result<&'a str> {
    let good = !id.is_empty() && id.len() <= NAME_BYTES_MAX && id.bytes().all(|byte| byte.is_ascii_graphic());
    if good {
        Ok(id)
    } else {
        wrong(path, line, format!("{id:?} is not the id of a {what}"))
    }
}

/// Placeholders for "none" are none.
fn known_genres(genres: Vec<String>) -> Vec<String> {
    let none = ["", "unknown", "(no genres listed)", "N/A"];
    let mut known: Vec<String> = Vec::with_capacity(genres.len());
    for genre in genres {
        let genre = genre.trim();
        if !none.contains(&genre) && !known.iter().any(|other| other == genre) {
            known.push(genre.to_owned());
        }
    }
    known
}

/// `4`, `4.0` or `3.5` stars of five as half stars.
pub fn half_stars(path: &Path, line: u64, text: &str) -> Result<u8> {
    match text.as_bytes() {
        [star @ b'1'..=b'5'] | [star @ b'1'..=b'5', b'.', b'0'] => Ok((star - b'0') * 2),
        [star @ b'0'..=b'4', b'.', b'5'] => Ok((star - b'0') * 2 + 1),
        _ => wrong(path, line, format!("{text:?} is not a rating from 0.5 to 5 stars")),
    }
}

/// Text of a line that must be ASCII: ids, numbers, times.
pub fn ascii<'a>(path: &Path, line: u64, bytes: &'a [u8]) -> Result<&'a str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => wrong(path, line, "there is something other than numbers in this line"),
    }
}
