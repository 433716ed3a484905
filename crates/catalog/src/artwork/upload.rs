//! Uploaded pictures: what they are is seen from their bytes, never believed from a header.

/// The most bytes of an uploaded picture.
pub const BODY_BYTES_MAX: usize = 5 * 1024 * 1024;

/// The media type of a PNG, JPEG or WebP; `None` for anything else.
pub fn sniff(body: &[u8]) -> Option<&'static str> {
    match body {
        [
            0x89,
            b'P',
            b'N',
            b'G',
            b'\r',
            b'\n',
            0x1a,
            b'\n',
            _,
            _,
            _,
            _,
            b'I',
            b'H',
            b'D',
            b'R',
            ..,
        ] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            b'V',
            b'P',
            b'8',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}
