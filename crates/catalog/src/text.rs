//! Folding: how names are compared, so that `amelie` finds `Amélie` and `walle` finds `WALL·E`.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation as _;

/// Lower case, without accents, compatibility forms unified; letters that have no decomposition written out.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase().replace('`', "'");
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'ß' | 'ẞ' => folded.push_str("ss"),
            'æ' | 'Æ' => folded.push_str("ae"),
            'œ' | 'Œ' => folded.push_str("oe"),
            'ø' | 'Ø' => folded.push('o'),
            'ł' | 'Ł' => folded.push('l'),
            'đ' | 'Đ' | 'ð' | 'Ð' => folded.push('d'),
            'þ' | 'Þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            '’' | '‘' | 'ʼ' | '`' => folded.push('\''),
            letter => folded.extend(letter.to_lowercase()),
        }
    }
    folded
}

/// Words of a text, folded, without apostrophes and dots inside.
pub fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    if folded.is_ascii() {
        return ascii_words(&folded);
    }
    folded
        .unicode_words()
        .map(|word| {
            word.chars()
                .filter(|letter| letter.is_alphanumeric())
                .collect::<String>()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// What [`words`] does, for the most common case in a fraction of the time.
fn ascii_words(folded: &str) -> Vec<String> {
    let bytes = folded.as_bytes();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (at, &byte) in bytes.iter().enumerate() {
        let goes_on = || bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
        if byte.is_ascii_alphanumeric() {
            word.push(byte as char);
        } else if matches!(byte, b'\'' | b'.') && goes_on() {
            // Inside of a word, or before one: no end.
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Words to index: those of the text, and the two sides of a hyphen also as one (`Spider-Man`: spider, man, spiderman).
pub fn indexed_words(text: &str) -> Vec<String> {
    let mut all = words(text);
    let joined = text
        .split_whitespace()
        .filter(|part| part.contains(['-', '·', '–', '.']));
    all.extend(joined.map(|part| words(part).concat()).filter(|word| !word.is_empty()));
    all.dedup();
    all
}

/// The name as sorted: folded, without a leading English article.
pub fn sort_name(name: &str) -> String {
    let folded = fold(name);
    let bare = folded.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    let rest = ["the ", "a ", "an "]
        .iter()
        .find_map(|article| bare.strip_prefix(article))
        .filter(|rest| !rest.is_empty());
    rest.unwrap_or(if bare.is_empty() { &folded } else { bare }).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_odd_letters_fold() {
        assert_eq!(fold("Amélie"), "amelie");
        assert_eq!(fold("Læstadius Straße Øst ŁÓDŹ"), "laestadius strasse ost lodz");
        assert_eq!(words("Schindler's List"), ["schindlers", "list"]);
        assert_eq!(words("WALL·E"), ["walle"]);
        assert_eq!(words("'Crocodile' Dundee. II..."), ["crocodile", "dundee", "ii"]);
        assert_eq!(words("Léon 'n' S.W.A.T."), ["leon", "n", "swat"]);
        assert_eq!(words("七人の侍"), ["七", "人", "の", "侍"]);
        assert!(words("!?… --").is_empty());
    }

    #[test]
    fn hyphens_join_and_part() {
        assert_eq!(indexed_words("The Spider-Man"), ["the", "spider", "man", "spiderman"]);
        assert_eq!(indexed_words("S.W.A.T."), ["swat"]);
    }

    #[test]
    fn articles_do_not_sort() {
        assert_eq!(sort_name("The Matrix"), "matrix");
        assert_eq!(sort_name("A"), "a");
        assert_eq!(sort_name("\"Émile\""), "emile\"");
        assert_eq!(sort_name("???"), "???");
    }
}
