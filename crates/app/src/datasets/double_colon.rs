//! MovieLens 1M and MovieTweetings: fields between double colons.

use std::path::Path;

use super::{
    Dataset, Layout, Result,
    check::{Collector, ascii, half_stars},
    text::{Encoding, for_each_line, read_lines, wrong},
};

/// MovieTweetings numbers films as IMDb does, with at least this many digits; MovieLens never reached them in 1M.
const IMDB_DIGITS: usize = 7;

pub fn read(ratings: &Path, movies: &Path) -> Result<Dataset> {
    let layout = layout_of(movies)?;
    let mut collector = Collector::new(layout);
    read_movies(movies, layout, &mut collector)?;
    for_each_line(ratings, |line, bytes| {
        let text = ascii(ratings, line, bytes)?;
        let Some([viewer, film, rating, at]) = fields(text) else {
            return wrong(
                ratings,
                line,
                "there are not the four fields viewer::film::rating::time",
            );
        };
        let half_stars = match layout {
            Layout::Movietweetings => ten_points(ratings, line, rating)?,
            _ => half_stars(ratings, line, rating)?,
        };
        collector.rating(ratings, line, viewer, film, half_stars, at)
    })?;
    Ok(collector.finish(true, None))
}

/// Also reads the `movies.dat` that lies beside pre-processed data.
pub fn read_movies(movies: &Path, layout: Layout, collector: &mut Collector) -> Result<()> {
    let encoding = match layout {
        Layout::Movietweetings => Encoding::Utf8,
        _ => Encoding::Utf8OrLatin1,
    };
    for (line, text) in (1..).zip(read_lines(movies, encoding)?) {
        let Some([id, title, genres]) = fields(&text) else {
            return wrong(
                movies,
                line,
                "there are not the three fields id::title (year)::genre|genre",
            );
        };
        let genres = genres.split('|').map(str::to_owned).collect();
        collector.film(movies, line, id, title, genres)?;
        if layout == Layout::Movietweetings {
            collector.imdb(movies, line, id, id)?;
        }
    }
    if collector.film_count() == 0 {
        return wrong(movies, 0, "there is no film in it");
    }
    Ok(())
}

fn layout_of(movies: &Path) -> Result<Layout> {
    let mut layout = Layout::Movielens1m;
    for_each_line(movies, |line, bytes| {
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if line == 1 && digits >= IMDB_DIGITS {
            layout = Layout::Movietweetings;
        }
        Ok(())
    })?;
    Ok(layout)
}

/// Exactly `N` fields.
fn fields<const N: usize>(text: &str) -> Option<[&str; N]> {
    let mut parts = text.splitn(N, "::");
    let mut fields = [""; N];
    for field in &mut fields {
        *field = parts.next()?;
    }
    (!fields[N - 1].contains("::")).then_some(fields)
}

/// 0 to 10 points, as half stars: nothing is below half a star.
fn ten_points(path: &Path, line: u64, text: &str) -> Result<u8> {
    match text.parse::<u8>() {
        Ok(points @ 0..=10) => Ok(points.max(1)),
        _ => wrong(path, line, format!("{text:?} is not a rating from 0 to 10")),
    }
}
