//! Titles as data sets write them, made into titles as people write them.

use contract::catalog::YEARS;

/// A title's name apart from its year and its other name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    /// `The Matrix`
    pub name: String,
    /// The other name in parentheses: the original, or a translation.
    pub other: Option<String>,
    pub year: Option<u16>,
}

/// Articles that libraries put behind the name, in the languages of the data sets.
const ARTICLES: [&str; 33] = [
    "The", "A", "An", "Le", "La", "Les", "L'", "Un", "Une", "Des", "Il", "Lo", "I", "Gli", "Uno", "Una", "El", "Los",
    "Las", "Der", "Die", "Das", "Ein", "Eine", "De", "Het", "Den", "Det", "En", "Ett", "O", "Os", "As",
];

/// Beginnings of what stands in parentheses and belongs to the name.
const PARTS: [&str; 6] = ["part", "vol", "volume", "the movie", "episode", "live"];

/// `Matrix, The (1999)` → `The Matrix`, 1999. `Postino, Il (The Postman) (1994)` → `Il Postino`, other name `The Postman`, 1994.
pub fn parse_name(title: &str) -> Name {
    let title = unquoted(title.trim());
    let (title, year) = split_year(title);
    let (main, other) = split_other(title);
    let name = article_first(main);
    let other = other
        .map(article_first)
        .filter(|other| !other.is_empty() && *other != name);
    Name { name, other, year }
}

/// Without quotes around the whole; `"Great Performances" Cats` keeps its own.
fn unquoted(title: &str) -> &str {
    let inside = title.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside
        .filter(|inside| !inside.contains('"') && !inside.trim().is_empty())
        .map_or(title, str::trim)
}

/// The year at the end: `(1999)`, `(2006-2008)`, `(2006–)`.
fn split_year(title: &str) -> (&str, Option<u16>) {
    let cut = title.strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let Some((before, inside)) = cut else {
        return (title, None);
    };
    let digits = inside.trim().get(..4).unwrap_or_default();
    let rest = inside.trim().get(4..).unwrap_or_default();
    let is_range = rest.is_empty() || rest.starts_with(['-', '–']);
    match digits.parse::<u16>() {
        Ok(year) if is_range && YEARS.contains(&year) && !before.trim().is_empty() => (before.trim(), Some(year)),
        _ => (title, None),
    }
}

/// The other name in the last pair of parentheses.
fn split_other(title: &str) -> (&str, Option<&str>) {
    let Some(rest) = title.strip_suffix(')') else {
        return (title, None);
    };
    let Some(open) = matching_open(rest) else {
        return (title, None);
    };
    let (before, inside) = (rest[..open].trim(), rest[open + 1..].trim());
    let lower = inside.to_lowercase();
    let belongs =
        inside.chars().all(|letter| letter.is_ascii_digit()) || PARTS.iter().any(|part| starts_with_word(&lower, part));
    if before.is_empty() || belongs {
        return (title, None);
    }
    let inside = ["a.k.a. ", "a.k.a ", "aka "]
        .iter()
        .find_map(|prefix| strip_prefix_ignoring_case(inside, prefix))
        .unwrap_or(inside);
    // Of several names in parentheses the first name stands: `Cité, La (City, The) (Stadt)`.
    let main = split_other(before).0;
    (main, Some(inside))
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// Where the parenthesis opens that the end of the text (its `)` removed) closes.
fn matching_open(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, letter) in text.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' if depth == 0 => return Some(at),
            '(' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `Matrix, The` → `The Matrix`.
fn article_first(name: &str) -> String {
    let name = name.trim();
    let Some((rest, article)) = name.rsplit_once(", ") else {
        return name.to_owned();
    };
    match ARTICLES.iter().find(|known| known.eq_ignore_ascii_case(article)) {
        Some(_) if article.ends_with('\'') => format!("{article}{rest}"),
        Some(_) => format!("{article} {rest}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_a_person_writes_them() {
        for (title, name, other, year) in [
            ("Matrix, The (1999)", "The Matrix", None, Some(1999)),
            ("Toy Story (1995)", "Toy Story", None, Some(1995)),
            ("Misérables, Les", "Les Misérables", None, None),
            (
                "Postino, Il (The Postman) (1994)",
                "Il Postino",
                Some("The Postman"),
                Some(1994),
            ),
            (
                "Double vie de Véronique, La (Double Life of Veronique, The) (1991)",
                "La Double vie de Véronique",
                Some("The Double Life of Veronique"),
                Some(1991),
            ),
            (
                "Eye of Vichy, The (Oeil de Vichy, L') (1993)",
                "The Eye of Vichy",
                Some("L'Oeil de Vichy"),
                Some(1993),
            ),
            ("Seven (a.k.a. Se7en) (1995)", "Seven", Some("Se7en"), Some(1995)),
            (
                "Good, the Bad and the Ugly, The (1966)",
                "The Good, the Bad and the Ugly",
                None,
                Some(1966),
            ),
            ("Girl, Interrupted (1999)", "Girl, Interrupted", None, Some(1999)),
            ("1984 (1984)", "1984", None, Some(1984)),
            ("(500) Days of Summer (2009)", "(500) Days of Summer", None, Some(2009)),
            ("Mockingjay (Part 2) (2015)", "Mockingjay (Part 2)", None, Some(2015)),
            ("Fawlty Towers (1975-1979)", "Fawlty Towers", None, Some(1975)),
            ("Babylon 5", "Babylon 5", None, None),
            (
                "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
                "The City of Lost Children",
                Some("La Cité des enfants perdus"),
                Some(1995),
            ),
            ("Léon (1994)", "Léon", None, Some(1994)),
            (
                "Thieves (Voleurs, Les) (1996)",
                "Thieves",
                Some("Les Voleurs"),
                Some(1996),
            ),
            ("Kill Bill (Vol. 2) (2004)", "Kill Bill (Vol. 2)", None, Some(2004)),
            (
                "\"Great Performances\" Cats (1998)",
                "\"Great Performances\" Cats",
                None,
                Some(1998),
            ),
            ("\"Kubrick\"", "Kubrick", None, None),
            ("Nothing Yet (2999)", "Nothing Yet (2999)", None, None),
            ("", "", None, None),
        ] {
            let expected = Name {
                name: name.into(),
                other: other.map(str::to_owned),
                year,
            };
            assert_eq!(parse_name(title), expected, "{title}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_title_is_too_strange(title in "[ ,()'A-Za-zé0-9\"–]{0,40}") {
            let name = parse_name(&title);
            proptest::prop_assert!(name.name.len() <= title.len());
        }
    }
}
