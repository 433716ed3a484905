//! Subtitles as they leave: WebVTT that is read cue by cue from what ffmpeg made of a stranger's text, and written anew. Times are
//! sorted and lie within the film; of markup there is bold, italic and underlined, closed where it was opened; everything else is
//! text that shows as it was written. Nothing of the source's headers, styles, notes, identifiers or settings is kept.

use crate::manifest::cue_time;

/// Longer subtitles than any film has; what comes after is left out.
const CUES_MAX: usize = 20_000;
const CUE_CHARS_MAX: usize = 1_000;
const CUE_LINES_MAX: usize = 12;
const MARKUP: [&str; 3] = ["b", "i", "u"];
const MARKUP_DEPTH_MAX: usize = 8;
/// What may follow an ampersand; any other is one that was meant.
const ENTITIES: [&str; 6] = ["&amp;", "&lt;", "&gt;", "&nbsp;", "&lrm;", "&rlm;"];

struct Cue {
    from_ms: u64,
    to_ms: u64,
    text: String,
}

/// The subtitles of a film that is so long. `None`: there is nothing in them.
pub fn rewritten(said: &[u8], duration_ms: u64) -> Option<String> {
    let mut cues = cues(&String::from_utf8_lossy(said), duration_ms);
    if cues.is_empty() {
        return None;
    }
    cues.sort_by_key(|cue| cue.from_ms);
    let mut text = String::from("WEBVTT\n");
    for cue in cues {
        let times = [cue_time(cue.from_ms), cue_time(cue.to_ms)].join(" --> ");
        text.extend(["\n", &times, "\n", &cue.text, "\n"]);
    }
    Some(text)
}

fn cues(said: &str, duration_ms: u64) -> Vec<Cue> {
    let mut lines = said.split('\n').map(|line| line.trim_end_matches('\r')).peekable();
    let mut cues = Vec::new();
    while let Some(line) = lines.next() {
        let Some((from_ms, to_ms)) = times(line) else { continue };
        let mut words: Vec<&str> = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.trim().is_empty() && times(line).is_none()) {
            if words.len() < CUE_LINES_MAX {
                words.push(line);
            }
        }
        let to_ms = to_ms.min(duration_ms);
        let text = payload(&words.join("\n"));
        if from_ms < to_ms && !text.is_empty() {
            cues.push(Cue { from_ms, to_ms, text });
        }
        if cues.len() == CUES_MAX {
            break;
        }
    }
    cues
}

/// `00:01.000 --> 00:02.000 align:start`.
fn times(line: &str) -> Option<(u64, u64)> {
    let (from, rest) = line.split_once("-->")?;
    Some((time(from.trim())?, time(rest.split_whitespace().next()?)?))
}

/// `01:02:03.004` or `02:03.004` in ms.
fn time(text: &str) -> Option<u64> {
    let (whole, thousandths) = text.split_once('.')?;
    let number = |text: &str, digits: usize| -> Option<u64> {
        let plain = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok())?
    };
    let mut seconds = 0;
    let parts = whole.split(':');
    if !(2..=3).contains(&parts.clone().count()) {
        return None;
    }
    for part in parts {
        seconds = seconds * 60 + number(part, 5)?;
    }
    Some(seconds * 1000 + number(thousandths, 3)?)
}

/// A cue's text: no empty line, which would end it, and nothing that reads as another cue or as a tag of anybody's.
fn payload(said: &str) -> String {
    let mut text = String::with_capacity(said.len());
    let mut open: Vec<&str> = Vec::new();
    let mut rest = said;
    let mut kept = 0;
    while let Some(sign) = rest.chars().next() {
        if kept == CUE_CHARS_MAX {
            break;
        }
        kept += 1;
        if let Some((name, is_end, after)) = markup(rest) {
            mark(&mut text, &mut open, name, is_end);
            rest = after;
            continue;
        }
        if let Some(entity) = ENTITIES.iter().find(|entity| rest.starts_with(**entity)) {
            text.push_str(entity);
            rest = &rest[entity.len()..];
            continue;
        }
        match sign {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '\n' => text.push('\n'),
            '\t' | '\u{2028}' | '\u{2029}' => text.push(' '),
            sign if sign.is_control() => {}
            sign => text.push(sign),
        }
        rest = &rest[sign.len_utf8()..];
    }
    while let Some(name) = open.pop() {
        text.extend(["</", name, ">"]);
    }
    let lines = text.split('\n').map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// A tag of ours at the beginning, whether it ends what it marks, and what comes after it.
fn markup(text: &str) -> Option<(&'static str, bool, &str)> {
    let inner = text.strip_prefix('<')?;
    let (inner, is_end) = inner.strip_prefix('/').map_or((inner, false), |inner| (inner, true));
    let of = |name: &&'static str| Some((*name, is_end, inner.strip_prefix(*name)?.strip_prefix('>')?));
    MARKUP.iter().find_map(of)
}

fn mark(text: &mut String, open: &mut Vec<&str>, name: &'static str, is_end: bool) {
    if is_end {
        if open.contains(&name) {
            while let Some(inner) = open.pop() {
                text.extend(["</", inner, ">"]);
                if inner == name {
                    break;
                }
            }
        }
    } else if open.len() < MARKUP_DEPTH_MAX && !open.contains(&name) {
        open.push(name);
        text.extend(["<", name, ">"]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Option<String> {
        let written = rewritten(
            format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n").as_bytes(),
            60_000,
        )?;
        let body = written.strip_prefix("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n")?;
        body.strip_suffix('\n').map(str::to_owned)
    }

    #[test]
    fn times_are_sorted_within_the_film_and_make_sense() {
        let said = "WEBVTT - a title\n\nSTYLE\n::cue { color: red }\n\nNOTE 00:01.000\n\nid\n00:05.000 --> 00:06.500 align:start line:0\r\nLater\r\n\n\
                    00:00:01.000 --> 01:00:00.000\nFirst,\nin two lines\n\n00:04.000 --> 00:03.000\nBackwards\n\n00:59.000 --> 02:00.000\nLong\n\n\
                    01:00.000 --> 01:01.000\nBehind the end\n\n1:1 --> 2\nNo times\n";
        assert_eq!(
            rewritten(said.as_bytes(), 60_000).unwrap(),
            "WEBVTT\n\n00:00:01.000 --> 00:01:00.000\nFirst,\nin two lines\n\n00:00:05.000 --> 00:00:06.500\nLater\n\n\
             00:00:59.000 --> 00:01:00.000\nLong\n"
        );
        assert_eq!(rewritten(b"WEBVTT\n\n", 60_000), None);
        assert_eq!(rewritten(b"", 60_000), None);
        assert_eq!(rewritten(b"\xff\xfe\x00", 60_000), None);
    }

    #[test]
    fn markup_is_what_we_know_and_the_rest_is_text() {
        for (said, written) in [
            (
                "<b>Bold</b> <i>and <u>more</u></i>",
                "<b>Bold</b> <i>and <u>more</u></i>",
            ),
            ("<i>never closed", "<i>never closed</i>"),
            ("<b><i>crossed</b></i>", "<b><i>crossed</i></b>"),
            ("</u>from nowhere", "from nowhere"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("<v Roger>Hi", "&lt;v Roger&gt;Hi"),
            ("<b onclick=x>no", "&lt;b onclick=x&gt;no"),
            ("Tom & Jerry &amp; co &#x3c;", "Tom &amp; Jerry &amp; co &amp;#x3c;"),
            ("a --> b", "a --&gt; b"),
            ("bell\u{7}\0 and\ttab", "bell and tab"),
            (
                "\u{202b}\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
                "\u{202b}\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
            ),
        ] {
            assert_eq!(one(said).as_deref(), Some(written), "{said:?}");
        }
        assert_eq!(one(" \t "), None);
        assert_eq!(one("<i></i>").as_deref(), Some("<i></i>"));
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        assert_eq!(one(&"x".repeat(5_000)).unwrap().len(), CUE_CHARS_MAX);
        assert_eq!(one(&"x\n".repeat(100)).unwrap().lines().count(), CUE_LINES_MAX);
        let many = "00:01.000 --> 00:02.000\nx\n\n".repeat(CUES_MAX + 10);
        assert_eq!(
            rewritten(many.as_bytes(), 60_000).unwrap().matches("-->").count(),
            CUES_MAX
        );
        let nested = one(&"<b><i><u>".repeat(50)).unwrap();
        assert_eq!(nested, "<b><i><u></u></i></b>");
    }

    proptest! {
        /// Whatever it was: what is written reads as itself, and no cue of it came from within another one.
        #[test]
        fn what_is_written_is_read_as_written(text in "[a<>/biu&;\\-> \\n\\r\\t\\x00:.0-9]{0,200}") {
            let said = format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n");
            if let Some(written) = rewritten(said.as_bytes(), 60_000) {
                let again = rewritten(written.as_bytes(), 60_000);
                prop_assert_eq!(again.as_ref(), Some(&written));
                prop_assert!(!written.contains("\n\n\n") && !written.contains('\0'));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(said in prop::collection::vec(any::<u8>(), 0..300), duration: u64) {
            rewritten(&said, duration);
        }
    }
}
