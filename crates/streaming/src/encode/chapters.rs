//! What a film's own chapters say of it: its parts, its opening, and where its end credits begin.
//!
//! The rule of the credits: a chapter counts whose whole name, its number aside, is one that end credits usually have, and that begins in the last
//! quarter of the film as it was packaged; of several the first. `Credits` near the beginning is an opening, and a chapter that a
//! header puts behind the end is nothing. Longer credits than a quarter are in no film that anybody watches; a curator can still say so.
//!
//! The rule of the opening: a chapter of one of the names that openings have, which begins in the first third of the film and lasts
//! four minutes at most; of several the first. `Introduction` is none: much of what is called so is the film.
//!
//! Names are texts of strangers: they are compared with the names below, and shown as [`label`] leaves them.

use contract::streaming::{CHAPTERS_MAX, Chapter as Named};
use serde::{Deserialize, Serialize};

use crate::asset::label;

/// From which share of a film on a chapter of such a name means its end.
const LAST_SHARE: f64 = 0.75;
/// Until which share of a film a chapter of such a name is its opening, and how long it may be.
const OPENING_SHARE: f64 = 1.0 / 3.0;
const OPENING_MS_MAX: f64 = 240_000.0;
/// A name that is longer is none of ours.
const NAME_CHARS_MAX: usize = 100;

/// In small letters; accents, which many leave out, are written and left out.
const NAMES: [&str; 41] = [
    "credits",
    "end credits",
    "ending credits",
    "closing credits",
    "final credits",
    "credits roll",
    "credit roll",
    "end title",
    "end titles",
    "closing titles",
    "end title credits",
    "end titles and credits",
    "abspann",
    "nachspann",
    "générique",
    "generique",
    "générique de fin",
    "generique de fin",
    "générique final",
    "generique final",
    "créditos",
    "creditos",
    "créditos finales",
    "creditos finales",
    "créditos finais",
    "creditos finais",
    "titoli di coda",
    "aftiteling",
    "eftertexter",
    "rulletekster",
    "sluttekster",
    "lopputekstit",
    "napisy końcowe",
    "napisy koncowe",
    "závěrečné titulky",
    "zaverecne titulky",
    "титры",
    "финальные титры",
    "エンドクレジット",
    "エンドロール",
    "片尾",
];

const OPENINGS: [&str; 42] = [
    "intro",
    "opening",
    "opening credits",
    "opening titles",
    "opening title",
    "opening theme",
    "op",
    "title sequence",
    "main title",
    "main titles",
    "theme song",
    "vorspann",
    "générique de début",
    "generique de debut",
    "générique d ouverture",
    "generique d ouverture",
    "créditos iniciales",
    "creditos iniciales",
    "créditos iniciais",
    "creditos iniciais",
    "apertura",
    "abertura",
    "titoli di testa",
    "sigla",
    "sigla iniziale",
    "begintitels",
    "förtexter",
    "fortekster",
    "vinjett",
    "alkutekstit",
    "alkutunnari",
    "czołówka",
    "czolowka",
    "napisy początkowe",
    "úvodní titulky",
    "uvodni titulky",
    "начальные титры",
    "вступительные титры",
    "заставка",
    "опенинг",
    "オープニング",
    "片头",
];

/// A chapter as the file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chapter {
    /// From the first picture.
    pub start_s: f64,
    pub end_s: Option<f64>,
    pub name: String,
}

/// Words that number a chapter, before the name proper.
const NUMBERING: [&str; 6] = ["chapter", "kapitel", "chapitre", "capítulo", "capitolo", "hoofdstuk"];

/// Whether a chapter of this name is the end credits: `12. End Credits`, `Chapter 12: END CREDITS`, `Générique de fin`.
pub fn names_credits(name: &str) -> bool {
    is_one_of(name, &NAMES)
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    if name.chars().nth(NAME_CHARS_MAX).is_some() {
        return false;
    }
    // An accent may be a sign of its own behind its letter.
    let letters = name.chars().filter(|letter| !('\u{300}'..='\u{36f}').contains(letter));
    let small: String = letters.flat_map(char::to_lowercase).collect();
    let words: Vec<&str> = small
        .split(|letter: char| !letter.is_alphabetic())
        .filter(|word| !word.is_empty())
        .collect();
    let words = match words.split_first() {
        Some((first, rest)) if NUMBERING.contains(first) => rest,
        _ => &words,
    };
    names.contains(&words.join(" ").as_str())
}

/// The chapters that a viewer may choose from, of a film that is so long.
pub fn shown(chapters: &[Chapter], duration_ms: u64) -> Vec<Named> {
    let milliseconds = |chapter: &Chapter| (chapter.start_s * 1000.0).round().max(0.0) as u64;
    let mut shown: Vec<Named> = chapters
        .iter()
        .filter(|chapter| chapter.start_s.is_finite())
        .map(|chapter| Named {
            start_ms: milliseconds(chapter),
            name: label(&chapter.name),
        })
        .filter(|chapter| chapter.start_ms < duration_ms)
        .collect();
    shown.sort_by_key(|chapter| chapter.start_ms);
    shown.dedup_by_key(|chapter| chapter.start_ms);
    shown.truncate(CHAPTERS_MAX);
    shown
}

/// The opening of a film that is so long. It ends where its chapter does, at the latest where the next one begins.
pub fn intro_ms(chapters: &[Chapter], duration_ms: u64) -> Option<(u64, u64)> {
    let duration = duration_ms as f64;
    let openings = chapters
        .iter()
        .filter(|chapter| chapter.start_s.is_finite() && is_one_of(&chapter.name, &OPENINGS));
    let spans = openings.filter_map(|opening| {
        let later = chapters
            .iter()
            .map(|other| other.start_s)
            .filter(|&start| start > opening.start_s);
        let end_s = later.chain(opening.end_s).reduce(f64::min)?;
        let (from, to) = ((opening.start_s * 1000.0).round().max(0.0), (end_s * 1000.0).round());
        let is_opening = from <= duration * OPENING_SHARE && to > from && to - from <= OPENING_MS_MAX && to <= duration;
        is_opening.then_some((from as u64, to as u64))
    });
    spans.min()
}

/// The rule over where chapters of such names begin, in seconds, for a film that is so long.
pub fn credits_ms(begin_s: &[f64], duration_ms: u64) -> Option<u64> {
    let from = duration_ms as f64 * LAST_SHARE;
    let begin_ms = begin_s.iter().map(|seconds| (seconds * 1000.0).round());
    let found = begin_ms.filter(|&begin| begin >= from && begin < duration_ms as f64 && begin > 0.0);
    found.reduce(f64::min).map(|begin| begin as u64)
}
