//! What a file of subtitles is called, as far as it says whose language they are and what for: `en.forced`, `2_English`, `pt-BR.sdh`.

use contract::streaming::SubtitleKind;
use isolang::Language;

use super::language;

/// Names of languages that are not those of the standard.
const USUAL: [(&str, &str); 9] = [
    ("greek", "el"),
    ("farsi", "fa"),
    ("mandarin", "zh"),
    ("cantonese", "yue"),
    ("brazilian", "pt-BR"),
    ("flemish", "nl"),
    ("simplified", "zh-Hans"),
    ("traditional", "zh-Hant"),
    ("malay", "ms"),
];
/// Of three letters every second word is some language's: of those without a code of two letters only these are meant.
const LONG_CODES: [&str; 6] = ["fil", "yue", "cmn", "gsw", "haw", "ceb"];
const WORDS_MAX: usize = 20;

/// What a name says at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// BCP 47.
    pub language: Option<String>,
    pub kind: SubtitleKind,
    /// Whether every word of it was understood.
    pub is_plain: bool,
}

/// One word, on its own.
enum Word {
    Language(String),
    Kind(SubtitleKind),
    /// A number, or what says nothing that matters here.
    Filler,
}

/// Reads words from the last one back, up to one that says nothing of this.
pub fn file_name(name: &str) -> FileName {
    let mut said = FileName {
        language: None,
        kind: SubtitleKind::Subtitles,
        is_plain: true,
    };
    let words: Vec<&str> = words(name).collect();
    let first = words.len().saturating_sub(WORDS_MAX);
    let mut rest = words[first..].iter().rev().flat_map(|word| pieces(word)).peekable();
    while let Some(piece) = rest.next() {
        // Hindi, unless the name says another language before it: then it is for the hearing impaired.
        let is_after_language = rest
            .peek()
            .is_some_and(|before| matches!(word(before), Some(Word::Language(_))));
        let word = match word(&piece) {
            Some(Word::Language(tag)) if tag == "hi" && is_after_language => Some(Word::Kind(SubtitleKind::Captions)),
            word => word,
        };
        match word {
            Some(Word::Language(tag)) => said.language = Some(closer(said.language, tag)),
            Some(Word::Kind(kind)) => said.kind = kind,
            Some(Word::Filler) => {}
            None => {
                said.is_plain = false;
                break;
            }
        }
    }
    said.is_plain &= first == 0;
    said
}

/// What the name of a whole file says, which is shown with the title of this name: the words of that are nobody's language.
pub fn beside_title(filename: &str, title: &str) -> FileName {
    let stem = filename.rsplit_once('.').map_or(filename, |(stem, _)| stem);
    let mut own = words(title).peekable();
    let is_own = |word: &&str| own.next_if(|own| own.to_lowercase() == word.to_lowercase()).is_some();
    let rest: Vec<&str> = words(stem).skip_while(is_own).collect();
    file_name(&rest.join(" "))
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|sign: char| !sign.is_alphanumeric() && sign != '-')
        .filter(|word| !word.is_empty())
}

/// The last one counts, but of `Brazilian Portuguese` the first one says more of the same.
fn closer(last: Option<String>, before: String) -> String {
    match last {
        Some(last) if before.strip_prefix(&*last).is_some_and(|rest| rest.starts_with('-')) => before,
        Some(last) => last,
        None => before,
    }
}

/// `pt-BR` is one word, `English-SDH` are two; the last one first.
fn pieces(word: &str) -> Vec<String> {
    let small = word.to_lowercase();
    if code(&small).is_some() {
        return vec![small];
    }
    small
        .split('-')
        .rev()
        .filter(|piece| !piece.is_empty())
        .map(str::to_owned)
        .collect()
}

fn word(small: &str) -> Option<Word> {
    match small {
        "forced" | "foreign" => return Some(Word::Kind(SubtitleKind::Forced)),
        "sdh" | "cc" | "hoh" | "captions" | "hearing" | "impaired" => return Some(Word::Kind(SubtitleKind::Captions)),
        "default" | "full" | "sub" | "subs" | "subtitle" | "subtitles" | "utf8" => return Some(Word::Filler),
        _ if small.bytes().all(|byte| byte.is_ascii_digit()) => return Some(Word::Filler),
        _ => {}
    }
    code(small).or_else(|| named(small)).map(Word::Language)
}

/// `en`, `eng`, `pt-br`, `zh-hans`.
fn code(small: &str) -> Option<String> {
    let (primary, rest) = small
        .split_once('-')
        .map_or((small, None), |(primary, rest)| (primary, Some(rest)));
    // A region or a script: anything longer is another word.
    if rest.is_some_and(|rest| {
        !matches!(rest.len(), 2 | 4) || word(rest).is_some_and(|word| !matches!(word, Word::Language(_)))
    }) {
        return None;
    }
    let tag = language::tag(small)?;
    let has_two_letters = tag.split('-').next().is_some_and(|primary| primary.len() == 2);
    (has_two_letters || LONG_CODES.contains(&primary)).then_some(tag)
}

/// In English, or as those call it who speak it.
fn named(small: &str) -> Option<String> {
    if small.is_ascii() && small.len() < 4 {
        return None;
    }
    if let Some((_, tag)) = USUAL.iter().find(|(name, _)| *name == small) {
        return Some((*tag).to_owned());
    }
    let small = small.to_owned();
    let is_it = move |name: &str| name.chars().flat_map(char::to_lowercase).eq(small.chars());
    let found = Language::match_names(is_it.clone()).chain(Language::match_autonyms(is_it));
    let mut codes = found.filter_map(|language| language.to_639_1());
    codes.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_say_whose_language_and_what_for() {
        use SubtitleKind::{Captions, Forced, Subtitles};
        for (name, language, kind, is_plain) in [
            ("", None, Subtitles, true),
            (".en", Some("en"), Subtitles, true),
            (".ENG", Some("en"), Subtitles, true),
            (".de.forced", Some("de"), Forced, true),
            (".sdh.en", Some("en"), Captions, true),
            (".en.hi", Some("en"), Captions, true),
            (".hi", Some("hi"), Subtitles, true),
            (".en.cc", Some("en"), Captions, true),
            (".pt-BR", Some("pt-BR"), Subtitles, true),
            (".zh-Hans.default", Some("zh-Hans"), Subtitles, true),
            ("2_English", Some("en"), Subtitles, true),
            ("English-SDH", Some("en"), Captions, true),
            ("en-forced", Some("en"), Forced, true),
            ("English (SDH)", Some("en"), Captions, true),
            ("Deutsch", Some("de"), Subtitles, true),
            ("3_Brazilian Portuguese", Some("pt-BR"), Subtitles, true),
            ("Chinese (Simplified)", Some("zh-Hans"), Subtitles, true),
            ("Français [forced]", Some("fr"), Forced, true),
            (".fil", Some("fil"), Subtitles, true),
            (".directors.cut", None, Subtitles, false),
            (".directors.cut.en", Some("en"), Subtitles, false),
            ("the making of", None, Subtitles, false),
            ("\"; rm -rf / #", None, Subtitles, false),
        ] {
            let expected = FileName {
                language: language.map(str::to_owned),
                kind,
                is_plain,
            };
            assert_eq!(file_name(name), expected, "{name:?}");
        }
        assert!(!file_name(&"en.".repeat(1_000)).is_plain);
    }

    #[test]
    fn a_title_that_is_called_like_a_language_is_none() {
        for (filename, title, language) in [
            ("Heat.de.srt", "Heat (1995)", Some("de")),
            ("Heat.1995.1080p.de.srt", "Heat (1995)", Some("de")),
            ("It.srt", "It (2017)", None),
            ("it.2017.srt", "It (2017)", None),
            ("It.it.srt", "It (2017)", Some("it")),
            ("It (2017).en.srt", "It (2017)", Some("en")),
            ("The Italian.srt", "The Italian (2005)", None),
            ("It.srt", "Heat (1995)", Some("it")),
            ("en.srt", "Heat (1995)", Some("en")),
            ("English", "Heat (1995)", Some("en")),
            (".srt", "", None),
            ("", "", None),
        ] {
            let said = beside_title(filename, title).language;
            assert_eq!(said.as_deref(), language, "{filename} with {title}");
        }
    }

    proptest! {
        #[test]
        fn no_name_is_too_strange(name in "\\PC{0,60}", title in "\\PC{0,20}") {
            beside_title(&name, &title);
            file_name(&name);
        }
    }
}
