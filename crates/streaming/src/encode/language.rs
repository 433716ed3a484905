//! Languages of tracks: what containers say (ISO 639-2 in both its spellings, 639-3, BCP 47) as the shortest BCP 47 tag, which is what
//! manifests and browsers want, and what a language calls itself.

use isolang::Language;

/// ISO 639-2 has older codes for these; Matroska and DVDs write them.
const BIBLIOGRAPHIC: [(&str, &str); 20] = [
    ("alb", "sq"),
    ("arm", "hy"),
    ("baq", "eu"),
    ("bur", "my"),
    ("chi", "zh"),
    ("cze", "cs"),
    ("dut", "nl"),
    ("fre", "fr"),
    ("geo", "ka"),
    ("ger", "de"),
    ("gre", "el"),
    ("ice", "is"),
    ("mac", "mk"),
    ("mao", "mi"),
    ("may", "ms"),
    ("per", "fa"),
    ("rum", "ro"),
    ("slo", "sk"),
    ("tib", "bo"),
    ("wel", "cy"),
];
/// Language, script, region and a variant or two: longer tags are nobody's.
const SUBTAGS_MAX: usize = 4;

/// The tag of what a container says; `None` where it says nothing that is a language.
pub fn tag(said: &str) -> Option<String> {
    let mut subtags = said.split(['-', '_']);
    let primary = primary(subtags.next()?)?;
    let mut tag = primary.to_owned();
    for (position, subtag) in subtags.enumerate() {
        if position + 1 >= SUBTAGS_MAX || !is_plain(subtag) {
            return Some(primary.to_owned());
        }
        tag.push('-');
        tag.push_str(&cased(subtag));
    }
    Some(tag)
}

/// What speakers of the language call it: `Deutsch`, `English`; the tag itself where nobody knows.
pub fn name(tag: &str) -> String {
    let primary = tag.split('-').next().unwrap_or(tag);
    let known = Language::from_639_1(primary).or_else(|| Language::from_639_3(primary));
    let Some(language) = known else {
        return tag.to_owned();
    };
    let name = capital(language.to_autonym().unwrap_or_else(|| language.to_name()));
    match tag.split_once('-') {
        Some((_, rest)) => format!("{name} ({rest})"),
        None => name,
    }
}

/// Many write their languages small, but these stand in a list.
fn capital(name: &str) -> String {
    let mut signs = name.chars();
    signs
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(signs)
        .collect()
}

fn primary(said: &str) -> Option<&'static str> {
    let small = said.to_ascii_lowercase();
    let small = small.as_str();
    // Undetermined, several, none, not coded: no language at all.
    if matches!(small, "und" | "mul" | "zxx" | "mis") {
        return None;
    }
    if let Some((_, tag)) = BIBLIOGRAPHIC.iter().find(|(old, _)| *old == small) {
        return Some(tag);
    }
    let language = match small.len() {
        2 => Language::from_639_1(small)?,
        3 => Language::from_639_3(small)?,
        _ => return None,
    };
    Some(language.to_639_1().unwrap_or_else(|| language.to_639_3()))
}

fn is_plain(subtag: &str) -> bool {
    (2..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// As it is usually written: `Hans`, `BR`.
fn cased(subtag: &str) -> String {
    let mut small = subtag.to_ascii_lowercase();
    match small.len() {
        2 => small.make_ascii_uppercase(),
        4 => small[..1].make_ascii_uppercase(),
        _ => {}
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_language_is_one_tag() {
        for (said, expected) in [
            ("eng", Some("en")),
            ("en", Some("en")),
            ("GER", Some("de")),
            ("deu", Some("de")),
            ("fre", Some("fr")),
            ("haw", Some("haw")),
            ("pt-br", Some("pt-BR")),
            ("zh_hans-cn", Some("zh-Hans-CN")),
            ("en-x", Some("en")),
            ("en-\"", Some("en")),
            ("und", None),
            ("qqq", None),
            ("", None),
            ("english", None),
            ("d\u{e9}", None),
            ("\"\n#", None),
        ] {
            assert_eq!(tag(said).as_deref(), expected, "{said:?}");
        }
    }

    #[test]
    fn a_language_is_named_by_those_who_speak_it() {
        assert_eq!(name("de"), "Deutsch");
        assert_eq!(name("en"), "English");
        assert_eq!(name("pt-BR"), "Português (BR)");
        assert_eq!(name("xx"), "xx");
    }
}
