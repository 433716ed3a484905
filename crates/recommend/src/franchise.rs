//! Which titles belong together by their names: sequels, remakes, the same name twice. It keeps them apart in a row, nothing else, so
//! a name that is shared by chance does no harm.

use std::collections::HashMap;

/// Of no group.
pub const NONE: u32 = u32::MAX;
/// A stem that more titles have says nothing about them.
const TITLES_MAX: usize = 30;
/// Words that a name begins with and nobody sorts by.
const ARTICLES: [&str; 3] = ["the", "a", "an"];
/// Words that number the parts of a work.
const PARTS: [&str; 8] = ["part", "vol", "volume", "chapter", "episode", "season", "no", "the"];
const ROMAN: [&str; 11] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi"];

/// The group of each name, or [`NONE`]: names with the same stem are of one group.
pub fn groups<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<u32> {
    let stems: Vec<String> = names.map(stem).collect();
    let mut groups: HashMap<&str, (u32, usize)> = HashMap::with_capacity(stems.len());
    for stem in &stems {
        let next = groups.len() as u32;
        groups.entry(stem).or_insert((next, 0)).1 += 1;
    }
    let group = |stem: &String| groups.get(stem.as_str()).copied().filter(|_| !stem.is_empty());
    let grouped = |(group, titles): (u32, usize)| (2..=TITLES_MAX).contains(&titles).then_some(group);
    stems
        .iter()
        .map(|stem| group(stem).and_then(grouped).unwrap_or(NONE))
        .collect()
}

/// What a name has in common with the names of its sequels: the words before a colon, a dash or “and the”, without an article before
/// and a number behind.
fn stem(name: &str) -> String {
    let name = name.to_lowercase();
    let end = [":", " - ", " – ", " ("].iter().filter_map(|end| name.find(end)).min();
    let words = name[..end.unwrap_or(name.len())].split(|c: char| !c.is_alphanumeric());
    let mut words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    if words.len() > 1 && ARTICLES.contains(&words[0]) {
        words.remove(0);
    }
    // “Harry Potter and the …”, but not “Beauty and the Beast”: one word before it may be anybody's.
    if let Some(at) = words.windows(2).position(|pair| pair == ["and", "the"])
        && at > 1
    {
        words.truncate(at);
    }
    while words.len() > 1 && words.last().is_some_and(|word| is_number(word) || PARTS.contains(word)) {
        words.pop();
    }
    words.join(" ")
}

fn is_number(word: &str) -> bool {
    ROMAN.contains(&word) || word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(names: &[&str]) -> bool {
        let groups = groups(names.iter().copied());
        groups[0] != NONE && groups.iter().all(|group| *group == groups[0])
    }

    #[test]
    fn sequels_remakes_and_parts_are_of_one_group() {
        assert!(same(&["Rocky", "Rocky II", "Rocky III", "Rocky 5"]));
        assert!(same(&["The Godfather", "The Godfather: Part II", "Godfather, The"]));
        assert!(same(&["RoboCop", "Robocop"]));
        assert!(same(&["Kill Bill: Vol. 1", "Kill Bill: Vol. 2", "Kill Bill Volume 3"]));
        assert!(same(&["Star Wars: Episode IV - A New Hope", "Star Wars"]));
        assert!(same(&[
            "Harry Potter and the Goblet of Fire",
            "Harry Potter and the Half-Blood Prince"
        ]));
        assert!(same(&["Le Dîner 2", "le dîner"]));
    }

    #[test]
    fn others_are_not() {
        let names = [
            "Heat",
            "Heathers",
            "Beauty and the Beast",
            "Beauty Shop",
            "2001: A Space Odyssey",
            "1984",
            "",
            "!",
            "V",
            "The",
        ];
        assert_eq!(groups(names.into_iter()), [NONE; 10]);
    }

    /// Numbered by the dozen: that is how a catalogue is made up, not how films are called.
    #[test]
    fn a_stem_of_too_many_titles_is_none() {
        let names: Vec<String> = (0..31).map(|n| format!("Film {n}")).collect();
        assert_eq!(groups(names.iter().map(String::as_str)), [NONE; 31]);
        assert!(same(&names[..30].iter().map(String::as_str).collect::<Vec<_>>()));
    }
}
