//! Walks ISO base media boxes (ISO/IEC 14496-12) in memory. Every length is checked: garbage is an error, never a panic.

use super::Mp4Error;

/// A box: its type and what is inside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Box4<'a> {
    pub kind: [u8; 4],
    pub body: &'a [u8],
}

/// The boxes that follow each other in `rest`.
pub(super) struct Boxes<'a> {
    rest: &'a [u8],
}

/// The start of a box: how long the header is and how long the whole is (`None`: to the end).
pub(super) struct Header {
    pub kind: [u8; 4],
    pub header_bytes: u64,
    pub bytes: Option<u64>,
}

/// Reads a box's header from its first 16 bytes (or fewer at the end of a file).
pub(super) fn header(start: &[u8]) -> Result<Header, Mp4Error> {
    let mut fields = Fields::new(start);
    let short = fields.u32()?;
    let kind = fields.array::<4>()?;
    let (header_bytes, bytes) = match short {
        0 => (8, None),
        1 => (16, Some(fields.u64()?)),
        short => (8, Some(u64::from(short))),
    };
    if bytes.is_some_and(|bytes| bytes < header_bytes) {
        return Err(Mp4Error::Malformed("a box is shorter than its own header"));
    }
    Ok(Header {
        kind,
        header_bytes,
        bytes,
    })
}

impl<'a> Boxes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The first box of a kind.
    pub fn find(self, kind: &[u8; 4]) -> Result<&'a [u8], Mp4Error> {
        self.find_optional(kind)?
            .ok_or_else(|| Mp4Error::Missing(String::from_utf8_lossy(kind).into_owned()))
    }

    pub fn find_optional(mut self, kind: &[u8; 4]) -> Result<Option<&'a [u8]>, Mp4Error> {
        self.find_map(|found| match found {
            Ok(found) if found.kind == *kind => Some(Ok(found.body)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
        .transpose()
    }

    fn read(&mut self) -> Result<Box4<'a>, Mp4Error> {
        let header = header(self.rest)?;
        let all = self.rest.len() as u64;
        let bytes = header.bytes.unwrap_or(all);
        if bytes > all {
            return Err(Mp4Error::Malformed("a box is longer than what it is in"));
        }
        let (whole, rest) = self.rest.split_at(bytes as usize);
        self.rest = rest;
        Ok(Box4 {
            kind: header.kind,
            body: &whole[header.header_bytes as usize..],
        })
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<Box4<'a>, Mp4Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.rest = &[];
        }
        Some(read)
    }
}

/// Big-endian fields, one after the other.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Mp4Error> {
        let (field, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(Mp4Error::Malformed("a field is cut off"))?;
        self.rest = rest;
        Ok(*field)
    }

    pub fn u8(&mut self) -> Result<u8, Mp4Error> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16, Mp4Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Mp4Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Mp4Error> {
        self.array().map(u64::from_be_bytes)
    }

    pub fn skip(&mut self, bytes: usize) -> Result<(), Mp4Error> {
        self.rest = self
            .rest
            .get(bytes..)
            .ok_or(Mp4Error::Malformed("a field is cut off"))?;
        Ok(())
    }

    /// `u32` or, in version 1 of a box, `u64`.
    pub fn wide(&mut self, version: u8) -> Result<u64, Mp4Error> {
        if version == 0 {
            self.u32().map(u64::from)
        } else {
            self.u64()
        }
    }

    /// Version and flags of a full box.
    pub fn version_and_flags(&mut self) -> Result<(u8, u32), Mp4Error> {
        let both = self.u32()?;
        Ok(((both >> 24) as u8, both & 0x00ff_ffff))
    }

    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}
