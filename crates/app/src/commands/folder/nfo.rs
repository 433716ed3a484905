//! NFO files, as Kodi writes them beside a film, a series or an episode: what the title is called, what it is about, who made it.
//!
//! Whoever can put a video into the folder can put this there, so it is hostile until it is read: bounded in size, nodes and lengths, and
//! refused with any document type, so that there are no entities to expand.

use std::{fs::OpenOptions, io::Read as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use contract::catalog::{CreditRole, ExternalId, NewCredit, YEARS};
use roxmltree::{Document, Node, ParsingOptions};
use rustix::fs::OFlags;

const BYTES_MAX: u64 = 1 << 20;
const NODES_MAX: u32 = 20_000;
const NAME_CHARS_MAX: usize = 300;
const PLOT_CHARS_MAX: usize = 10_000;
const GENRES_MAX: usize = 12;
const GENRE_CHARS_MAX: usize = 40;
const PEOPLE_MAX: usize = 60;
const PERSON_CHARS_MAX: usize = 120;
const IDS_MAX: usize = 8;
const ID_BYTES_MAX: usize = 100;

/// What a file says of its title; all of it may be missing.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Facts {
    pub name: Option<String>,
    pub original_name: Option<String>,
    pub year: Option<u16>,
    pub plot: String,
    pub genres: Vec<String>,
    pub credits: Vec<NewCredit>,
    pub ids: Vec<ExternalId>,
}

/// The element that the file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Film,
    Series,
    Episode,
}

impl Kind {
    fn element(self) -> &'static str {
        match self {
            Self::Film => "movie",
            Self::Series => "tvshow",
            Self::Episode => "episodedetails",
        }
    }
}

/// What the file says; `None` where there is none, or a link. Fails in words with one that cannot be used.
pub fn read(path: &Path, kind: Kind) -> Result<Option<Facts>, String> {
    // Opening a pipe would wait for somebody who writes into it.
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits() as i32;
    let Ok(file) = OpenOptions::new().read(true).custom_flags(flags).open(path) else {
        return Ok(None);
    };
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(format!("{}: it is not a regular file", path.display()));
    }
    let mut text = Vec::new();
    let read = file.take(BYTES_MAX + 1).read_to_end(&mut text);
    read.map_err(|error| format!("{}: {error}", path.display()))?;
    if text.len() as u64 > BYTES_MAX {
        return Err(format!("{}: more than {} KiB", path.display(), BYTES_MAX >> 10));
    }
    let text = String::from_utf8_lossy(&text);
    parse(&text, kind).map_err(|why| format!("{}: {why}", path.display()))
}

fn parse(text: &str, kind: Kind) -> Result<Option<Facts>, String> {
    // Kodi takes an address after the element, and an element per episode of a file with several: the first one counts.
    let end = format!("</{}>", kind.element());
    let Some(at) = text.find(&end) else {
        return Ok(None);
    };
    let text = text[..at + end.len()].trim_start_matches('\u{feff}').trim_start();
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
    let root = document.root_element();
    Ok((root.tag_name().name() == kind.element()).then(|| facts(root)))
}

fn facts(root: Node<'_, '_>) -> Facts {
    let one = |name: &str| {
        let child = root.children().find(|child| child.has_tag_name(name));
        child
            .map(|child| words(child, NAME_CHARS_MAX))
            .filter(|text| !text.is_empty())
    };
    let all = |name: &'static str| root.children().filter(move |child| child.has_tag_name(name));
    let year = |text: String| {
        text.get(..4)
            .and_then(|year| year.parse().ok())
            .filter(|year| YEARS.contains(year))
    };
    let plot = ["plot", "outline"].into_iter().find_map(|name| {
        let child = root.children().find(|child| child.has_tag_name(name))?;
        Some(words(child, PLOT_CHARS_MAX)).filter(|text| !text.is_empty())
    });
    let genres = all("genre").flat_map(|genre| {
        let text = words(genre, NAME_CHARS_MAX);
        text.split('/').map(|genre| genre.trim().to_owned()).collect::<Vec<_>>()
    });
    Facts {
        name: one("title"),
        original_name: one("originaltitle"),
        year: ["year", "premiered", "aired"]
            .into_iter()
            .find_map(|name| one(name).and_then(year)),
        plot: plot.unwrap_or_default(),
        genres: genres
            .filter(|genre| (1..=GENRE_CHARS_MAX).contains(&genre.chars().count()))
            .take(GENRES_MAX)
            .collect(),
        credits: credits(root),
        ids: ids(root),
    }
}

fn credits(root: Node<'_, '_>) -> Vec<NewCredit> {
    let people = root.children().filter_map(|child| {
        let role = match child.tag_name().name() {
            "director" => CreditRole::Director,
            "credits" => CreditRole::Writer,
            "actor" => CreditRole::Actor,
            _ => return None,
        };
        let named = match role {
            CreditRole::Actor => child.children().find(|part| part.has_tag_name("name"))?,
            _ => child,
        };
        let name = words(named, PERSON_CHARS_MAX);
        (!name.is_empty()).then_some(NewCredit { name, role })
    });
    people.take(PEOPLE_MAX).collect()
}

/// `<uniqueid type="imdb">tt0069293</uniqueid>`
fn ids(root: Node<'_, '_>) -> Vec<ExternalId> {
    let ids = root
        .children()
        .filter(|child| child.has_tag_name("uniqueid"))
        .filter_map(|child| {
            let source = child.attribute("type")?.to_lowercase();
            let id = words(child, ID_BYTES_MAX);
            let known = ["imdb", "tmdb", "tvdb"].contains(&source.as_str());
            (known && !id.is_empty() && id.is_ascii()).then_some(ExternalId { source, id })
        });
    ids.take(IDS_MAX).collect()
}

/// The text of an element on one line, no longer than that.
fn words(node: Node<'_, '_>, chars_max: usize) -> String {
    let text = node.text().unwrap_or_default();
    let clean: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    words.join(" ").chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use rustix::fs::{FileType, Mode};

    use super::*;

    const FILM: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>
<movie>
    <title>Solaris</title><originaltitle>Солярис</originaltitle>
    <year>1972</year><premiered>1972-03-20</premiered>
    <plot>A psychologist is sent to a station
        that circles an ocean.</plot>
    <genre>Drama / Science Fiction</genre><genre>Mystery</genre>
    <director>Andrei Tarkovsky</director><credits>Fridrikh Gorenshtein</credits>
    <actor><name>Natalya Bondarchuk</name><role>Hari</role><order>0</order></actor>
    <uniqueid type="imdb" default="true">tt0069293</uniqueid><uniqueid type="other">1</uniqueid>
</movie>
https://www.themoviedb.org/movie/593
"#;

    #[test]
    fn a_film_is_read_as_kodi_writes_it() {
        let facts = parse(FILM, Kind::Film).unwrap().unwrap();
        assert_eq!(facts.name.as_deref(), Some("Solaris"));
        assert_eq!(facts.original_name.as_deref(), Some("Солярис"));
        assert_eq!(facts.year, Some(1972));
        assert_eq!(facts.plot, "A psychologist is sent to a station that circles an ocean.");
        assert_eq!(facts.genres, ["Drama", "Science Fiction", "Mystery"]);
        let credits: Vec<_> = facts
            .credits
            .iter()
            .map(|credit| (credit.name.as_str(), credit.role))
            .collect();
        assert_eq!(
            credits,
            [
                ("Andrei Tarkovsky", CreditRole::Director),
                ("Fridrikh Gorenshtein", CreditRole::Writer),
                ("Natalya Bondarchuk", CreditRole::Actor)
            ]
        );
        let ids: Vec<_> = facts
            .ids
            .iter()
            .map(|id| (id.source.as_str(), id.id.as_str()))
            .collect();
        assert_eq!(ids, [("imdb", "tt0069293")]);
        assert_eq!(parse(FILM, Kind::Series), Ok(None), "of another kind");
    }

    #[test]
    fn the_first_of_several_episodes_counts() {
        let text = "<episodedetails><title>Lies</title><aired>2017-12-01</aired></episodedetails>
            <episodedetails><title>Double Lives</title></episodedetails>";
        let facts = parse(text, Kind::Episode).unwrap().unwrap();
        assert_eq!((facts.name.as_deref(), facts.year), (Some("Lies"), Some(2017)));
    }

    #[test]
    fn hostile_ones_are_refused_or_cut() {
        let laughs = r#"<!DOCTYPE movie [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><movie><title>&b;</title></movie>"#;
        assert!(parse(laughs, Kind::Film).is_err());
        let outside = r#"<!DOCTYPE movie [<!ENTITY x SYSTEM "file:///etc/passwd">]><movie><plot>&x;</plot></movie>"#;
        assert!(parse(outside, Kind::Film).is_err());
        assert!(parse("<movie><title>&nbsp;</title></movie>", Kind::Film).is_err());
        let deep = format!("<movie>{}{}</movie>", "<a>".repeat(15_000), "</a>".repeat(15_000));
        // Deep or not, it ends, and quickly.
        assert!(parse(&deep, Kind::Film).is_err() || parse(&deep, Kind::Film) == Ok(Some(Facts::default())));
        let many = format!("<movie>{}</movie>", "<genre>x</genre>".repeat(30_000));
        assert!(parse(&many, Kind::Film).is_err());
        assert!(parse("<movie><title>Sol</movie>", Kind::Film).is_err());
        assert_eq!(parse("just an address", Kind::Film), Ok(None));
        let long = format!(
            "<movie><title>{}</title><year>99999999</year></movie>",
            "x".repeat(5_000)
        );
        let facts = parse(&long, Kind::Film).unwrap().unwrap();
        assert_eq!((facts.name.unwrap().len(), facts.year), (NAME_CHARS_MAX, None));
        let people = format!("<movie>{}</movie>", "<director>A</director>".repeat(500));
        assert_eq!(parse(&people, Kind::Film).unwrap().unwrap().credits.len(), PEOPLE_MAX);
    }

    #[test]
    fn a_file_that_is_not_there_says_nothing_and_one_too_large_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.nfo");
        assert_eq!(read(&path, Kind::Film), Ok(None));
        std::fs::write(&path, FILM).unwrap();
        assert!(read(&path, Kind::Film).unwrap().is_some());
        std::fs::write(&path, vec![b' '; BYTES_MAX as usize + 1]).unwrap();
        assert!(read(&path, Kind::Film).unwrap_err().contains("more than 1024 KiB"));
    }

    #[test]
    fn a_pipe_that_nobody_writes_into_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.nfo");
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (told, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || told.send(read(&path, Kind::Film)));
        let said = said.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
        assert!(said.unwrap_err().contains("not a regular file"));
        let link = folder.path().join("link.nfo");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert_eq!(read(&link, Kind::Film), Ok(None));
    }
}
