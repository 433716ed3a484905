//! Finds the parts of a fragmented MP4 file without reading its samples.

use std::io::{Read, Seek, SeekFrom};

use super::{Fragment, Init, Mp4Error, boxes};

/// A `moov` or `moof` longer than this is garbage: two seconds of samples take a few kilobytes.
const INDEX_BYTES_MAX: u64 = 16 << 20;

/// Where the parts of a file lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub init: Init,
    /// The initialisation segment is the file up to here.
    pub init_bytes: u64,
    pub pieces: Vec<Piece>,
}

/// One `moof` and the `mdat` that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub offset: u64,
    pub bytes: u64,
    pub fragment: Fragment,
}

/// Reads the layout of a file with one track.
pub fn scan(file: &mut (impl Read + Seek)) -> Result<Layout, Mp4Error> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut init = None;
    let mut init_bytes = None;
    let mut pieces: Vec<Piece> = Vec::new();
    let mut offset = 0;
    while offset < end {
        let (kind, header_bytes, bytes) = header_at(file, offset, end)?;
        match &kind {
            b"moov" => init = Some(Init::read(&body(file, offset, header_bytes, bytes)?)?),
            b"moof" => {
                init_bytes.get_or_insert(offset);
                let init = init
                    .as_ref()
                    .ok_or_else(|| Mp4Error::Missing("moov before moof".into()))?;
                let fragment = Fragment::read(&body(file, offset, header_bytes, bytes)?, init)?;
                pieces.push(Piece {
                    offset,
                    bytes,
                    fragment,
                });
            }
            // Whatever follows a moof belongs to it.
            _ => {
                if let Some(piece) = pieces.last_mut() {
                    piece.bytes += bytes;
                }
            }
        }
        offset += bytes;
    }
    let init = init.ok_or_else(|| Mp4Error::Missing("moov".into()))?;
    Ok(Layout {
        init,
        init_bytes: init_bytes.unwrap_or(end),
        pieces,
    })
}

fn header_at(file: &mut (impl Read + Seek), offset: u64, end: u64) -> Result<([u8; 4], u64, u64), Mp4Error> {
    file.seek(SeekFrom::Start(offset))?;
    let mut start = Vec::with_capacity(16);
    file.by_ref().take(16).read_to_end(&mut start)?;
    let header = boxes::header(&start)?;
    let bytes = header.bytes.unwrap_or(end - offset);
    if bytes > end - offset {
        return Err(Mp4Error::Malformed("the file ends inside a box"));
    }
    Ok((header.kind, header.header_bytes, bytes))
}

fn body(file: &mut (impl Read + Seek), offset: u64, header_bytes: u64, bytes: u64) -> Result<Vec<u8>, Mp4Error> {
    if bytes > INDEX_BYTES_MAX {
        return Err(Mp4Error::Malformed("an index is too large"));
    }
    file.seek(SeekFrom::Start(offset + header_bytes))?;
    let mut body = vec![0; (bytes - header_bytes) as usize];
    file.read_exact(&mut body)?;
    Ok(body)
}
