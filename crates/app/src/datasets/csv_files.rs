//! MovieLens latest, 25M and 32M: comma-separated, UTF-8.

use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::{
    Dataset, Layout, Result,
    check::{Collector, ascii, half_stars},
    text::{Encoding, decode, for_each_line, read_whole, wrong},
};

pub fn read(ratings: &Path, movies: &Path, links: Option<&Path>) -> Result<Dataset> {
    let mut collector = Collector::new(Layout::MovielensCsv);
    each_record(movies, ["movieId", "title", "genres"], |line, [id, title, genres]| {
        let genres = genres.split('|').map(str::to_owned).collect();
        collector.film(movies, line, id, title, genres)
    })?;
    if let Some(links) = links {
        each_record(links, ["movieId", "imdbId", "tmdbId"], |line, [id, imdb, _]| {
            collector.imdb(links, line, id, imdb)
        })?;
    }
    read_ratings(ratings, &mut collector)?;
    Ok(collector.finish(true, None))
}

/// Ratings are numbers only, so a line is a record: no quotes, and no need to hold the file.
fn read_ratings(ratings: &Path, collector: &mut Collector) -> Result<()> {
    for_each_line(ratings, |line, bytes| {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let text = ascii(ratings, line, bytes)?;
        if line == 1 {
            return match text {
                "userId,movieId,rating,timestamp" => Ok(()),
                _ => wrong(ratings, 1, "the first line must be userId,movieId,rating,timestamp"),
            };
        }
        let mut fields = text.split(',');
        let (Some(viewer), Some(film), Some(rating), Some(at), None) = (
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
        ) else {
            return wrong(
                ratings,
                line,
                "there are not the four fields userId,movieId,rating,timestamp",
            );
        };
        collector.rating(ratings, line, viewer, film, half_stars(ratings, line, rating)?, at)
    })
}

/// Every record of a file of titles, by the names of its columns.
fn each_record<const N: usize>(
    path: &Path,
    names: [&str; N],
    mut each: impl FnMut(u64, [&str; N]) -> Result<()>,
) -> Result<()> {
    let bytes = read_whole(path)?;
    if !bytes.ends_with(b"\n") {
        return wrong(path, 0, "the last line has no line end: the file was cut short");
    }
    let text = decode(path, &bytes, Encoding::Utf8)?;
    let mut reader: Reader<&[u8]> = ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut record = ByteRecord::new();
    let mut first = true;
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return wrong(path, line, error.to_string()),
        }
        if record.len() != N {
            return wrong(path, line, format!("there are {} fields instead of {N}", record.len()));
        }
        let mut fields = [""; N];
        for (field, bytes) in fields.iter_mut().zip(record.iter()) {
            *field = std::str::from_utf8(bytes).unwrap_or_default();
        }
        // A quote that is never closed takes the records after it for its own.
        if fields.iter().any(|field| field.contains(['\n', '\r'])) {
            return wrong(
                path,
                line,
                "a field goes over the end of the line: a quote is not closed",
            );
        }
        if !first {
            each(line, fields)?;
        } else if fields != names {
            return wrong(path, 1, format!("the first line must be {}", names.join(",")));
        }
        first = false;
    }
    if first {
        return wrong(path, 0, "the file is empty");
    }
    Ok(())
}
