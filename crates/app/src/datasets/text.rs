//! Files as lines with numbers, and bytes as text.

use std::{
    borrow::Cow,
    fs::File,
    io::{BufRead, BufReader, Read as _},
    path::Path,
};

use super::{DatasetError, Result};

/// A longer line is not of any data set that we know.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// Files of titles are read whole.
const TITLES_BYTES_MAX: u64 = 256 << 20;

/// How a file of titles is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Nothing else is accepted.
    Utf8,
    /// UTF-8 where the whole file is, else ISO 8859-1 (as Windows-1252, its superset).
    Utf8OrLatin1,
}

/// What a file is called in messages.
pub fn shown(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// An error about a place.
pub fn wrong<T>(path: &Path, line: u64, what: impl Into<String>) -> Result<T> {
    Err(DatasetError {
        file: shown(path),
        line: (line > 0).then_some(line),
        what: what.into(),
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> DatasetError {
    DatasetError {
        file: shown(path),
        line: None,
        what: format!("cannot be read: {error}"),
    }
}

/// Calls `each` with every line (from 1, without its end) of a file that may be larger than memory.
pub fn for_each_line(path: &Path, mut each: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut line = Vec::with_capacity(256);
    for number in 1.. {
        line.clear();
        let read = (&mut reader)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .map_err(|error| unreadable(path, &error))?;
        if read == 0 {
            break;
        }
        let Some(content) = line.strip_suffix(b"\n") else {
            let what = if read as u64 == LINE_BYTES_MAX {
                format!("the line is longer than {LINE_BYTES_MAX} bytes")
            } else {
                "the last line has no line end: the file was cut short".to_owned()
            };
            return wrong(path, number, what);
        };
        each(number, content.strip_suffix(b"\r").unwrap_or(content))?;
    }
    Ok(())
}

/// All lines of a file of titles, decoded.
pub fn read_lines(path: &Path, encoding: Encoding) -> Result<Vec<String>> {
    let bytes = read_whole(path)?;
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        let lines = bytes.split(|&byte| byte == b'\n').count() as u64;
        return wrong(path, lines, "the last line has no line end: the file was cut short");
    }
    let text = decode(path, &bytes, encoding)?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// A whole file of titles.
pub fn read_whole(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Vec::new();
    file.take(TITLES_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > TITLES_BYTES_MAX {
        return wrong(
            path,
            0,
            format!("a file of titles has at most {TITLES_BYTES_MAX} bytes"),
        );
    }
    Ok(bytes)
}

/// Bytes as text; what is not in the expected encoding is an error with its line.
pub fn decode<'a>(path: &Path, bytes: &'a [u8], encoding: Encoding) -> Result<Cow<'a, str>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => match first_mojibake(text) {
            None => Ok(Cow::Borrowed(text)),
            Some(line) => wrong(path, line, "the text was encoded twice (UTF-8 read as ISO 8859-1)"),
        },
        Err(error) => match encoding {
            Encoding::Utf8 => wrong(path, line_of(bytes, error.valid_up_to()), "the text is not UTF-8"),
            Encoding::Utf8OrLatin1 => latin1(path, bytes),
        },
    }
}

fn latin1<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, str>> {
    // Control characters of 0x80 to 0x9F are in no title: such a file is something else.
    if let Some(at) = bytes.iter().position(|byte| (0x80..0xA0).contains(byte)) {
        return wrong(path, line_of(bytes, at), "the text is neither UTF-8 nor ISO 8859-1");
    }
    let text = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0;
    match first_mojibake(&text) {
        None => Ok(text),
        Some(line) => wrong(path, line, "the text is partly UTF-8 and partly ISO 8859-1"),
    }
}

fn line_of(bytes: &[u8], at: usize) -> u64 {
    1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// The first line in which an accented letter stands as the two letters that its UTF-8 bytes are in ISO 8859-1 (`Ã©`).
fn first_mojibake(text: &str) -> Option<u64> {
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        if matches!(before, 'Ã' | 'Â') && ('\u{80}'..='\u{BF}').contains(&letter) {
            return Some(line_of(text.as_bytes(), at));
        }
        before = letter;
    }
    None
}
