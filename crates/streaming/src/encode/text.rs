//! A file of subtitles as people have them, as text that ffmpeg reads: in whatever encoding it was written, as UTF-8, with the format that
//! its content says, and with no cue so long that taking it apart would take ffmpeg minutes (it goes through a cue again for each mark-up).

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, SHIFT_JIS, UTF_16BE, UTF_16LE};

/// Of one file, as it came. A film's dialogue is a twentieth of it.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// Of what stands between two times: far more than [`super::webvtt`] keeps of it.
const CUE_BYTES_MAX: usize = 16 << 10;
/// So much is looked at to see whether every other byte is zero.
const LOOK_BYTES: usize = 4 << 10;
const LINES_LOOKED_AT: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    SubRip,
    /// Sub Station Alpha, also its advanced kind.
    Ssa,
    WebVtt,
}

impl Format {
    /// As ffmpeg calls it.
    pub fn demuxer(self) -> &'static str {
        match self {
            Self::SubRip => "srt",
            Self::Ssa => "ass",
            Self::WebVtt => "webvtt",
        }
    }
}

/// What a file says.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    pub format: Format,
    pub text: String,
}

/// Fails with what is wrong with the file, after "it".
pub fn read(bytes: &[u8]) -> Result<Text, &'static str> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err("has more than 4 MiB, and no subtitles of a film have");
    }
    let text = decoded(bytes);
    if text.contains('\0') {
        return Err("is no text");
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let format = format(&text).ok_or("holds no subtitles in a format that is known: SubRip, ASS, SSA or WebVTT")?;
    Ok(Text {
        format,
        text: bounded(&text, format),
    })
}

/// By its mark, if it has one; else as UTF-8 if it is; else as what it looks most like.
fn decoded(bytes: &[u8]) -> String {
    let (encoding, skipped) = match Encoding::for_bom(bytes) {
        Some(found) => found,
        None => (guessed(bytes), 0),
    };
    let (text, _) = encoding.decode_without_bom_handling(&bytes[skipped..]);
    text.into_owned()
}

fn guessed(bytes: &[u8]) -> &'static Encoding {
    if let Some(wide) = wide(bytes) {
        return wide;
    }
    if str::from_utf8(bytes).is_err() && is_shift_jis(bytes) {
        return SHIFT_JIS;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

/// Japanese of a few words, which the detector takes for Polish or Cyrillic. No other language writes kana; what others write looks, read
/// as Shift_JIS, like narrow ones.
fn is_shift_jis(bytes: &[u8]) -> bool {
    let Some(text) = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes) else {
        return false;
    };
    let (mut all, mut kana, mut narrow) = (0, 0, 0);
    for sign in text.chars().filter(|sign| !sign.is_ascii()) {
        all += 1;
        match sign {
            '\u{3041}'..='\u{30ff}' => kana += 1,
            '\u{ff61}'..='\u{ff9f}' => narrow += 1,
            _ => {}
        }
    }
    kana >= 2 && kana * 4 >= all && narrow * 8 <= all
}

/// UTF-16 without a mark: times and line ends make every other byte zero in any language.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let look = &bytes[..bytes.len().min(LOOK_BYTES)];
    let zeros = |first: usize| look.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match look.len() / 8 {
        0 => None,
        enough if odd > enough && even * 8 < odd => Some(UTF_16LE),
        enough if even > enough && odd * 8 < even => Some(UTF_16BE),
        _ => None,
    }
}

fn format(text: &str) -> Option<Format> {
    let text = text.trim_start();
    if text.starts_with("WEBVTT") {
        return Some(Format::WebVtt);
    }
    let mut lines = text
        .lines()
        .take(LINES_LOOKED_AT)
        .map(|line| line.trim_start().to_ascii_lowercase());
    let is_ssa = |line: &String| {
        ["[script info]", "[events]", "dialogue:"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    if lines.any(|line| is_ssa(&line)) {
        return Some(Format::Ssa);
    }
    text.lines().any(is_time).then_some(Format::SubRip)
}

/// `00:00:01,000 --> 00:00:02,000`, roughly.
fn is_time(line: &str) -> bool {
    let starts_with_digit = |text: &str| text.trim_start().starts_with(|sign: char| sign.is_ascii_digit());
    line.split_once("-->")
        .is_some_and(|(from, to)| starts_with_digit(from) && starts_with_digit(to))
}

/// Without what stands beyond [`CUE_BYTES_MAX`] after a time; with Sub Station Alpha every line is a cue.
fn bounded(text: &str, format: Format) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut left, mut is_cut) = (CUE_BYTES_MAX, false);
    for line in text.split_inclusive('\n') {
        if format == Format::Ssa || is_time(line) {
            // A cue of WebVTT ends with an empty line, which went with the rest.
            kept.push_str(if is_cut { "\n\n" } else { "" });
            (left, is_cut) = (CUE_BYTES_MAX, false);
        }
        let end = line.floor_char_boundary(left.min(line.len()));
        kept.push_str(&line[..end]);
        is_cut |= end < line.len();
        left -= end;
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn srt(words: &str) -> String {
        format!("1\n00:00:01,000 --> 00:00:02,000\n{words}\n\n2\n00:00:03,000 --> 00:00:04,000\n{words}\n")
    }

    #[test]
    fn every_encoding_that_occurs_is_read() {
        let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let narrow = |text: &str, name: &str| {
            let (bytes, _, unknown) = Encoding::for_label(name.as_bytes()).unwrap().encode(text);
            assert!(!unknown, "{name} cannot write {text}");
            bytes.into_owned()
        };
        for (words, name) in [
            ("Schöne Grüße, heißt es, für übermorgen.", "windows-1252"),
            (
                "L\u{2019}été dernier, à Noël, où est passé mon frère\u{a0}?",
                "windows-1252",
            ),
            ("Zażółć gęślą jaźń, proszę cię, że już idę.", "windows-1250"),
            ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "windows-1250"),
            ("Где ты был вчера вечером? Я тебя ждал.", "windows-1251"),
            ("Где ты был вчера вечером? Я тебя ждал.", "koi8-r"),
            ("Πού ήσουν χθες το βράδυ; Σε περίμενα.", "windows-1253"),
            ("İyi günler, nasılsınız? Şimdi çıkıyoruz.", "windows-1254"),
            // The first three look like Polish, Cyrillic and Polish to whoever knows no kana.
            ("はい、行こう", "shift_jis"),
            ("昨日の夜はどこにいたの？ずっと駅で待っていた", "shift_jis"),
            ("お前は誰だ", "shift_jis"),
            (
                "もういいよ。コーヒーを飲んで、テレビを見て、それから寝ました。",
                "shift_jis",
            ),
            ("昨日の夜はどこにいたの？ずっと駅で待っていた", "euc-jp"),
            ("昨日の夜はどこにいたの？", "iso-2022-jp"),
            ("昨天晚上你在哪里？我一直在等你。", "gbk"),
            ("昨天晚上你在哪裡？我一直在等你。", "big5"),
            ("어젯밤에 어디 있었어요? 기다렸어요.", "euc-kr"),
            // German in low quotes and Russian of DOS have bytes of kana in them.
            ("‚Ärger‘ und ‚Öl‘", "windows-1252"),
            ("Вот и всё", "ibm866"),
        ] {
            let text = srt(words);
            assert_eq!(read(&narrow(&text, name)).unwrap().text, text, "{name}");
            assert_eq!(read(text.as_bytes()).unwrap().text, text, "UTF-8");
            assert_eq!(
                read(format!("\u{feff}{text}").as_bytes()).unwrap().text,
                text,
                "UTF-8 with a mark"
            );
            for mark in ["\u{feff}", ""] {
                let marked = format!("{mark}{text}");
                for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                    assert_eq!(
                        read(&wide(&marked, bytes)).unwrap().text,
                        text,
                        "UTF-16 {mark:?} {words}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_a_file_holds_is_what_says_its_format() {
        let format = |text: &str| read(text.as_bytes()).map(|read| read.format);
        assert_eq!(format(&srt("Hello")), Ok(Format::SubRip));
        assert_eq!(
            format("1\r00:00:01,000 --> 00:00:02,000\rOld Macs\r"),
            Ok(Format::SubRip)
        );
        assert_eq!(
            format("\n WEBVTT - a title\n\n00:01.000 --> 00:02.000\nHi\n"),
            Ok(Format::WebVtt)
        );
        assert_eq!(format("; made by hand\n[Script Info]\nTitle: x\n"), Ok(Format::Ssa));
        for nothing in [
            "",
            "{1}{1}25",
            "a --> b",
            "just words",
            "#EXTM3U\nhttp://10.0.0.1/x.ts\n",
        ] {
            assert!(format(nothing).unwrap_err().contains("no subtitles"), "{nothing}");
        }
        assert_eq!(
            read(b"\x1aE\xdf\xa3\0\0\0\x01\xff\xff\0\0\x1f").unwrap_err(),
            "is no text"
        );
        assert!(read(&vec![b' '; FILE_BYTES_MAX + 1]).unwrap_err().contains("4 MiB"));
    }

    #[test]
    fn a_cue_of_a_megabyte_is_cut_and_takes_no_other_with_it() {
        for line in [
            "é".repeat(1 << 20),
            "{\\\n\n".repeat(300_000),
            format!("<i>a</i>{}", "\n".repeat(1 << 20)),
        ] {
            let said = format!("1\n00:00:01,000 --> 00:00:02,000\n{line}\n\n2\n00:00:03,000 --> 00:00:04,000\nShort\n");
            let text = read(said.as_bytes()).unwrap().text;
            assert!(text.len() < CUE_BYTES_MAX + 200, "{}", text.len());
            assert!(
                text.ends_with("00:00:03,000 --> 00:00:04,000\nShort\n"),
                "{}",
                &text[text.len() - 60..]
            );
        }
        let said = format!(
            "WEBVTT\n\n00:01.000 --> 00:02.000\n{}\n\n00:03.000 --> 00:04.000\nShort\n",
            "x".repeat(1 << 20)
        );
        assert!(
            read(said.as_bytes())
                .unwrap()
                .text
                .ends_with("x\n\n00:03.000 --> 00:04.000\nShort\n")
        );
        let events = format!(
            "[Events]\nDialogue: 0,0:00:01.00,{}\nDialogue: 0,0:00:02.00,Short\n",
            "x".repeat(1 << 20)
        );
        let text = read(events.as_bytes()).unwrap().text;
        assert!(text.len() < CUE_BYTES_MAX + 200 && text.ends_with("\nDialogue: 0,0:00:02.00,Short\n"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            read(&bytes).ok();
        }
    }
}
