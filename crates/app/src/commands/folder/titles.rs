//! The titles of files: what paths and NFO files say of them, brought to the catalogue some at a time. One that it refuses holds up no
//! other.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use contract::{
    TitleId,
    catalog::{Catalog, CatalogError, EpisodePlace, ExternalId, ImportTitles, NewTitle, TitleKind},
};

use super::{
    Counts, Found, digest,
    nfo::{self, Facts, Kind},
};

/// Whose ids [`id_of`] are.
pub const SOURCE: &str = "file";
const SERIES_SOURCE: &str = "folder";
/// Titles that are made in one transaction, while viewers rate; no more of their NFO files are held at once.
const TITLES_AT_ONCE: usize = 2_000;

/// A title as a path says it.
struct Wanted {
    /// The file that it is of, or the first one of a series.
    file: PathBuf,
    kind: TitleKind,
    place: Option<EpisodePlace>,
    name: String,
    year: Option<u16>,
    own: ExternalId,
    /// Where more may stand of it; the first that is there counts.
    nfo: [Option<PathBuf>; 2],
}

/// Files with their titles, in order, without those that are left out. A title that is here already is left as it is.
pub async fn of_files<'a>(
    folder: &Path,
    files: &[&'a Found],
    catalog: &dyn Catalog,
    counts: &mut Counts,
) -> anyhow::Result<Vec<(&'a Found, TitleId)>> {
    let series = series_of(folder, files, catalog, counts).await?;
    let mut titles = Vec::with_capacity(files.len());
    for some in files.chunks(TITLES_AT_ONCE) {
        let (mut kept, mut wanted) = (Vec::with_capacity(some.len()), Vec::with_capacity(some.len()));
        for &found in some {
            match wanted_file(folder, found, &series) {
                Some(title) => {
                    kept.push(found);
                    wanted.push(title);
                }
                None => counts.leave_out(format!("{}: its series is left out", found.seen.file.display())),
            }
        }
        let made = put(wanted, catalog, counts).await?;
        let pairs = kept.into_iter().zip(made);
        titles.extend(pairs.filter_map(|(found, title)| Some((found, title?))));
    }
    Ok(titles)
}

/// By their keys.
async fn series_of(
    folder: &Path,
    files: &[&Found],
    catalog: &dyn Catalog,
    counts: &mut Counts,
) -> anyhow::Result<HashMap<String, TitleId>> {
    let mut series: BTreeMap<String, (&Found, &str)> = BTreeMap::new();
    for &found in files {
        if let Some((name, ..)) = &found.named.episode {
            series
                .entry(series_key(name, found.named.year))
                .or_insert((found, name));
        }
    }
    let series: Vec<_> = series.into_iter().collect();
    let mut ids = HashMap::with_capacity(series.len());
    for some in series.chunks(TITLES_AT_ONCE) {
        let wanted = some.iter().map(|(key, first)| wanted_series(folder, key, *first));
        let made = put(wanted.collect(), catalog, counts).await?;
        let pairs = some.iter().zip(made);
        ids.extend(pairs.filter_map(|((key, _), title)| Some((key.clone(), title?))));
    }
    Ok(ids)
}

/// `tvshow.nfo` lies in the folder of a series, whose episodes may lie in folders of their seasons.
fn wanted_series(root: &Path, key: &str, (found, name): (&Found, &str)) -> Wanted {
    let folder = root.join(found.seen.file.parent().unwrap_or(Path::new("")));
    let above = folder.parent().map(|above| above.join("tvshow.nfo"));
    Wanted {
        file: found.seen.file.clone(),
        kind: TitleKind::Series,
        place: None,
        name: name.to_owned(),
        year: found.named.year,
        own: ExternalId {
            source: SERIES_SOURCE.into(),
            id: digest(key.as_bytes()),
        },
        nfo: [Some(folder.join("tvshow.nfo")), above],
    }
}

/// `Solaris (1972).nfo` lies beside `Solaris (1972).mkv`, or `movie.nfo` in the film's own folder. `None` without its series.
fn wanted_file(folder: &Path, found: &Found, series: &HashMap<String, TitleId>) -> Option<Wanted> {
    let (named, path) = (&found.named, folder.join(&found.seen.file));
    let place = match &named.episode {
        Some((name, season, episode)) => Some(EpisodePlace {
            series: *series.get(&series_key(name, named.year))?,
            season: *season,
            episode: *episode,
        }),
        None => None,
    };
    let kind = if place.is_some() {
        TitleKind::Episode
    } else {
        TitleKind::Film
    };
    let own_folder = (kind == TitleKind::Film).then(|| path.with_file_name("movie.nfo"));
    Some(Wanted {
        file: found.seen.file.clone(),
        kind,
        place,
        name: named.name.clone(),
        year: named.year,
        own: ExternalId {
            source: SOURCE.into(),
            id: id_of(folder, &found.seen.file),
        },
        nfo: [Some(path.with_extension("nfo")), own_folder],
    })
}

/// In order; `None` for one that is left out.
async fn put(wanted: Vec<Wanted>, catalog: &dyn Catalog, counts: &mut Counts) -> anyhow::Result<Vec<Option<TitleId>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    // Reading files may take long, on a share for ever.
    let (titles, words) = tokio::task::spawn_blocking(move || with_facts(wanted)).await?;
    for why in words {
        counts.leave_out(why);
    }
    let mut ids = Vec::with_capacity(titles.len());
    // All or none go in at once. What is refused is halved, until those are alone that it was refused for.
    let mut waiting = vec![titles.as_slice()];
    while let Some(some) = waiting.pop() {
        let titles: Vec<NewTitle> = some.iter().map(|(_, title)| title.clone()).collect();
        match (catalog.import_new(ImportTitles { titles }).await, some) {
            (Ok(imported), _) => {
                counts.titles_created += imported.created;
                ids.extend(imported.titles.into_iter().map(Some));
            }
            (Err(CatalogError::Fault(fault)), _) => return Err(fault.into()),
            (Err(refused), [(file, _)]) => {
                counts.leave_out(format!("{}: {refused}", file.display()));
                ids.push(None);
            }
            (Err(_), _) => {
                let (first, second) = some.split_at(some.len() / 2);
                waiting.extend([second, first]);
            }
        }
    }
    Ok(ids)
}

/// Each with its file, and what is wrong with NFO files.
fn with_facts(wanted: Vec<Wanted>) -> (Vec<(PathBuf, NewTitle)>, Vec<String>) {
    let mut words = Vec::new();
    let titles = wanted.into_iter().map(|title| {
        let facts = facts_of(&title, &mut words);
        (title.file.clone(), new_title(title, facts))
    });
    (titles.collect(), words)
}

fn facts_of(title: &Wanted, words: &mut Vec<String>) -> Facts {
    let kind = match title.kind {
        TitleKind::Film => Kind::Film,
        TitleKind::Series => Kind::Series,
        TitleKind::Episode => Kind::Episode,
    };
    for path in title.nfo.iter().flatten() {
        match nfo::read(path, kind) {
            Ok(Some(facts)) => return facts,
            Ok(None) => {}
            Err(why) => words.push(why),
        }
    }
    Facts::default()
}

/// What an NFO file says goes before what the path says.
fn new_title(title: Wanted, facts: Facts) -> NewTitle {
    NewTitle {
        kind: title.kind,
        name: facts.name.unwrap_or(title.name),
        original_name: facts.original_name,
        year: facts.year.or(title.year),
        genres: facts.genres,
        description: facts.plot,
        maturity: None,
        duration_ms: None,
        credits: facts.credits,
        place: title.place,
        external: std::iter::once(title.own).chain(facts.ids).collect(),
        published: true,
    }
}

/// What a video file's title is known by.
pub fn id_of(folder: &Path, file: &Path) -> String {
    digest(folder.join(file).as_os_str().as_encoded_bytes())
}

/// A series is known by its name and year.
pub fn series_key(name: &str, year: Option<u16>) -> String {
    let year = year.map(|year| year.to_string()).unwrap_or_default();
    format!("{}\0{year}", name.to_lowercase())
}
