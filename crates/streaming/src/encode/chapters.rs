//! What a film's own chapters say of it: where its end credits begin.
//!
//! The rule: a chapter counts whose whole name, its number aside, is one that end credits usually have, and that begins in the last
//! quarter of the film as it was packaged; of several the first. `Credits` near the beginning is an opening, and a chapter that a
//! header puts behind the end is nothing. Longer credits than a quarter are in no film that anybody watches; a curator can still say so.
//!
//! Names are texts of strangers: they are compared with the names below and go no further.

/// From which share of a film on a chapter of such a name means its end.
const LAST_SHARE: f64 = 0.75;
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

/// Words that number a chapter, before the name proper.
const NUMBERING: [&str; 6] = ["chapter", "kapitel", "chapitre", "capítulo", "capitolo", "hoofdstuk"];

/// Whether a chapter of this name is the end credits: `12. End Credits`, `Chapter 12: END CREDITS`, `Générique de fin`.
pub fn names_credits(name: &str) -> bool {
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
    NAMES.contains(&words.join(" ").as_str())
}

/// The rule over where chapters of such names begin, in seconds, for a film that is so long.
pub fn credits_ms(begin_s: &[f64], duration_ms: u64) -> Option<u64> {
    let from = duration_ms as f64 * LAST_SHARE;
    let begin_ms = begin_s.iter().map(|seconds| (seconds * 1000.0).round());
    let found = begin_ms.filter(|&begin| begin >= from && begin < duration_ms as f64 && begin > 0.0);
    found.reduce(f64::min).map(|begin| begin as u64)
}
