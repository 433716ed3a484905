//! What a file is by its first bytes, before any decoder sees it: the common mistakes, named.

/// How much of the start is looked at.
pub const START_BYTES: usize = 4096;

/// Why this cannot be a video, in words for a curator. `None`: it may be one.
pub fn refuse(start: &[u8]) -> Option<&'static str> {
    if start.is_empty() {
        return Some("This file is empty.");
    }
    if start.iter().all(|&byte| byte == 0) {
        return Some("This file begins with nothing but zeros: it was not copied to the end. Copy or upload it again.");
    }
    by_signature(start).or_else(|| text(start))
}

fn by_signature(start: &[u8]) -> Option<&'static str> {
    const PICTURE: &str = "This is a picture, not a video.";
    const ARCHIVE: &str = "This is an archive, not a video: unpack it and add the video inside.";
    const SIGNATURES: [(&[u8], &str); 11] = [
        (b"\x89PNG\r\n", PICTURE),
        (b"\xff\xd8\xff", PICTURE),
        (b"GIF8", PICTURE),
        (b"PK\x03\x04", ARCHIVE),
        (b"PK\x05\x06", ARCHIVE),
        (b"\x1f\x8b", ARCHIVE),
        (b"7z\xbc\xaf\x27\x1c", ARCHIVE),
        (b"Rar!\x1a\x07", ARCHIVE),
        (b"%PDF-", "This is a document (PDF), not a video."),
        (b"\x7fELF", "This is a program, not a video."),
        (b"SQLite format 3", "This is a database, not a video."),
    ];
    SIGNATURES
        .iter()
        .find(|(signature, _)| start.starts_with(signature))
        .map(|(_, text)| *text)
}

fn text(start: &[u8]) -> Option<&'static str> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    // A character cut at the end is no reason to think otherwise.
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if start.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&start[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    if text
        .chars()
        .any(|letter| letter.is_control() && !letter.is_whitespace())
    {
        return None;
    }
    let trimmed = text.trim_start();
    let is_playlist = [
        "#EXTM3U",
        "ffconcat",
        "[playlist]",
        "<MPD",
        "<smil",
        "<SmoothStreamingMedia",
        "<asx",
        "<ASX",
    ]
    .iter()
    .any(|mark| trimmed.starts_with(mark))
        || trimmed.starts_with("<?xml") && trimmed.contains("<MPD");
    Some(if is_playlist {
        "This is a playlist, not a video: add the video itself."
    } else if trimmed.starts_with("<!DOCTYPE") || trimmed.starts_with("<html") {
        "This is a web page, not a video."
    } else {
        "This file is text, not video."
    })
}
