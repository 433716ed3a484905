//! What a video file's path says that it is.

use std::path::{Component, Path};

use contract::catalog::YEARS;

/// What a file's path says that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub year: Option<u16>,
    /// The series' name, season, episode.
    pub episode: Option<(String, u16, u16)>,
}

/// What the path says, at least what the file is called. A generic file name (`film.mkv`) takes the name of its folder.
/// `root` is the folder that `path` is in: it names the series that nothing else does.
pub fn name_of(root: &Path, path: &Path) -> Named {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .replace(['.', '_'], " ");
    let folders = folders_of(path.parent());
    if let Some((before, season, number, after)) = split_episode(&stem) {
        let from_folder = folders.into_iter().rev().find(|folder| !is_season_folder(folder));
        let above = folders_of(Some(root)).into_iter().rev();
        let above = above.into_iter().find(|folder| !is_season_folder(folder));
        let is_same = |folder: &String| before.is_empty() || split_year(folder).0.eq_ignore_ascii_case(&before);
        let series = match (from_folder.or_else(|| above.filter(is_same)), before.as_str()) {
            (Some(folder), _) => folder,
            (None, "") => "Series".to_owned(),
            (None, before) => before.to_owned(),
        };
        let (series, year) = split_year(&series);
        let name = if after.is_empty() {
            format!("Episode {number}")
        } else {
            after
        };
        return Named {
            name,
            year,
            episode: Some((series, season, number)),
        };
    }
    let (mut name, year) = split_year(&stem);
    if name.is_empty() {
        name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    }
    match folders.last().map(|folder| split_year(folder)) {
        Some((folder_name, Some(folder_year))) if year.is_none() => Named {
            name: folder_name,
            year: Some(folder_year),
            episode: None,
        },
        _ => Named {
            name,
            year,
            episode: None,
        },
    }
}

fn folders_of(path: Option<&Path>) -> Vec<String> {
    let parts = path.into_iter().flat_map(Path::components);
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    parts.filter_map(name).collect()
}

fn is_season_folder(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["season", "series", "specials"]
        .iter()
        .any(|word| lower.starts_with(word))
        || (lower.starts_with('s') && lower.len() > 1 && lower[1..].bytes().all(|byte| byte.is_ascii_digit()))
}

/// `Dark S01E02 Lies` → (`Dark`, 1, 2, `Lies`).
fn split_episode(stem: &str) -> Option<(String, u16, u16, String)> {
    let bytes = stem.as_bytes();
    for start in 0..bytes.len() {
        let at_word = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        if !at_word || !bytes[start].eq_ignore_ascii_case(&b's') {
            continue;
        }
        let Some((season, after_season)) = number_at(bytes, start + 1) else {
            continue;
        };
        if !bytes
            .get(after_season)
            .is_some_and(|byte| byte.eq_ignore_ascii_case(&b'e'))
        {
            continue;
        }
        let Some((episode, end)) = number_at(bytes, after_season + 1) else {
            continue;
        };
        let clean = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || c == '-').to_owned();
        return Some((clean(&stem[..start]), season, episode, clean(&stem[end..])));
    }
    None
}

/// A number of one to four digits at `start`, and where it ends.
fn number_at(bytes: &[u8], start: usize) -> Option<(u16, usize)> {
    let digits = bytes
        .get(start..)?
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(1..=4).contains(&digits) {
        return None;
    }
    let text = std::str::from_utf8(&bytes[start..start + digits]).ok()?;
    Some((text.parse().ok()?, start + digits))
}

/// `Solaris (1972) 1080p` → (`Solaris`, 1972).
fn split_year(text: &str) -> (String, Option<u16>) {
    for (open, _) in text.match_indices('(') {
        let Some(inside) = text.get(open + 1..open + 6) else {
            continue;
        };
        let year = inside.strip_suffix(')').and_then(|digits| digits.parse::<u16>().ok());
        if let Some(year) = year.filter(|year| YEARS.contains(year)) {
            let name = text[..open].trim();
            if !name.is_empty() {
                return (name.to_owned(), Some(year));
            }
        }
    }
    (text.trim().to_owned(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_as_people_mean_them() {
        let film = |name: &str, year| Named {
            name: name.into(),
            year,
            episode: None,
        };
        let episode = |series: &str, season, number, name: &str, year| Named {
            name: name.into(),
            year,
            episode: Some((series.into(), season, number)),
        };
        for (path, expected) in [
            ("Solaris (1972).mkv", film("Solaris", Some(1972))),
            ("Solaris (1972)/film.mkv", film("Solaris", Some(1972))),
            ("Science fiction/Solaris (1972) 1080p.mkv", film("Solaris", Some(1972))),
            ("2001.A.Space.Odyssey.mp4", film("2001 A Space Odyssey", None)),
            ("Holiday.mov", film("Holiday", None)),
            (
                "Dark (2017)/Season 1/Dark S01E02 Lies.mkv",
                episode("Dark", 1, 2, "Lies", Some(2017)),
            ),
            ("Dark/S2/s02e03.mkv", episode("Dark", 2, 3, "Episode 3", None)),
            ("Dark.S01E10.mkv", episode("Dark", 1, 10, "Episode 10", None)),
            ("Season 1/S01E03.mkv", episode("films", 1, 3, "Episode 3", None)),
            ("Blade Runner (2149).mkv", film("Blade Runner (2149)", None)),
            ("Amélie (2001)/Amélie.mkv", film("Amélie", Some(2001))),
            ("(1999).mkv", film("(1999)", None)),
            ("_.mkv", film("_", None)),
            ("Amélie (2001)/_.mkv", film("Amélie", Some(2001))),
        ] {
            assert_eq!(name_of(Path::new("/films"), Path::new(path)), expected, "{path}");
        }
        let named = name_of(Path::new("/films/Dark (2017)/Season 1"), Path::new("s01e02.mkv"));
        assert_eq!(named, episode("Dark", 1, 2, "Episode 2", Some(2017)));
        let named = name_of(
            Path::new("/films/Dark (2017)"),
            Path::new("Season 1/Dark S01E02 Lies.mkv"),
        );
        assert_eq!(named, episode("Dark", 1, 2, "Lies", Some(2017)));
    }

    proptest::proptest! {
        #[test]
        fn no_path_is_too_strange(path in ".{0,40}") {
            name_of(Path::new("/"), Path::new(&path));
        }
    }
}
