//! RecBole's atomic files: tabs, and a first line that names and types the fields.

use std::path::Path;

use contract::catalog::YEARS;

use super::{
    Dataset, Layout, Result,
    check::{Collector, ascii, half_stars},
    text::{Encoding, for_each_line, read_lines, shown, wrong},
};

pub fn read(inter: &Path, item: Option<&Path>) -> Result<Dataset> {
    let Some(item) = item else {
        return wrong(inter, 0, "the .item file that belongs to it is missing");
    };
    let mut collector = Collector::new(Layout::RecboleAtomic);
    read_items(item, &mut collector)?;
    let mut columns: Option<[usize; 4]> = None;
    for_each_line(inter, |line, bytes| {
        let text = ascii(inter, line, bytes)?;
        let Some([viewer, film, rating, at]) = columns else {
            columns = Some(columns_of(inter, text, ["user_id", "item_id", "rating", "timestamp"])?);
            return Ok(());
        };
        let fields: Vec<&str> = text.split('\t').collect();
        let field = |column: usize| fields.get(column).copied().unwrap_or_default();
        if fields.len() <= viewer.max(film).max(rating).max(at) {
            return wrong(inter, line, format!("there are only {} fields", fields.len()));
        }
        let at_s = field(at).split('.').next().unwrap_or_default();
        collector.rating(
            inter,
            line,
            field(viewer),
            field(film),
            half_stars(inter, line, field(rating))?,
            at_s,
        )
    })?;
    if columns.is_none() {
        return wrong(inter, 0, "the file is empty");
    }
    Ok(collector.finish(true, None))
}

fn read_items(item: &Path, collector: &mut Collector) -> Result<()> {
    let lines = read_lines(item, Encoding::Utf8OrLatin1)?;
    let mut lines = (1..).zip(&lines);
    let Some((_, header)) = lines.next() else {
        return wrong(item, 0, "the file is empty");
    };
    let [id, title, year, class] = columns_of(item, header, ["item_id", "movie_title", "release_year", "class"])?;
    for (line, text) in lines {
        let fields: Vec<&str> = text.split('\t').collect();
        if fields.len() <= id.max(title).max(year).max(class) {
            return wrong(item, line, format!("there are only {} fields", fields.len()));
        }
        let released = match fields[year].trim().parse::<u16>() {
            Ok(released) if YEARS.contains(&released) => Some(released),
            Ok(released) => return wrong(item, line, format!("{released} is not the year of a film")),
            // The published file says `unkonwn` and `V` where it knows none.
            Err(_) => None,
        };
        let genres = fields[class].split(' ').map(str::to_owned).collect();
        collector.film_of_year(item, line, fields[id], fields[title], released, genres)?;
    }
    Ok(())
}

/// Where the named fields stand.
fn columns_of<const N: usize>(path: &Path, header: &str, names: [&str; N]) -> Result<[usize; N]> {
    let mut columns = [0; N];
    for (column, name) in columns.iter_mut().zip(names) {
        let is = |field: &str| field.split(':').next() == Some(name);
        match header.split('\t').position(is) {
            Some(position) => *column = position,
            None => {
                return wrong(
                    path,
                    1,
                    format!("the first line of {} names no field {name}", shown(path)),
                );
            }
        }
    }
    Ok(columns)
}
