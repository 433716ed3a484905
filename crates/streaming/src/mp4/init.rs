//! The initialisation segment: `moov` of a file with one track.

use super::{
    Mp4Error,
    boxes::{Boxes, Fields},
};

/// What `moov` says of the one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// Ticks per second.
    pub timescale: u32,
    /// As in RFC 6381: `avc1.64001f`, `mp4a.40.2`.
    pub codec: String,
    pub media: Media,
    /// Defaults of `trex` for fragments that say nothing themselves.
    pub(super) default_duration: u32,
    pub(super) default_bytes: u32,
    pub(super) default_flags: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// Coded size in pixels.
    Video {
        width: u16,
        height: u16,
    },
    Audio {
        channels: u16,
    },
}

impl Init {
    /// Reads the body of a `moov` box.
    pub fn read(moov: &[u8]) -> Result<Self, Mp4Error> {
        let mdia = Boxes::new(Boxes::new(moov).find(b"trak")?).find(b"mdia")?;
        let mut mdhd = Fields::new(Boxes::new(mdia).find(b"mdhd")?);
        let (version, _) = mdhd.version_and_flags()?;
        mdhd.skip(if version == 0 { 8 } else { 16 })?;
        let timescale = mdhd.u32()?;
        if timescale == 0 {
            return Err(Mp4Error::Malformed("a timescale of zero"));
        }
        let stbl = Boxes::new(Boxes::new(mdia).find(b"minf")?).find(b"stbl")?;
        let (codec, media) = sample_entry(Boxes::new(stbl).find(b"stsd")?)?;
        let (default_duration, default_bytes, default_flags) = defaults(moov)?;
        Ok(Self {
            timescale,
            codec,
            media,
            default_duration,
            default_bytes,
            default_flags,
        })
    }
}

fn defaults(moov: &[u8]) -> Result<(u32, u32, u32), Mp4Error> {
    let mut trex = Fields::new(Boxes::new(Boxes::new(moov).find(b"mvex")?).find(b"trex")?);
    // Version and flags, track, description.
    trex.skip(12)?;
    Ok((trex.u32()?, trex.u32()?, trex.u32()?))
}

fn sample_entry(stsd: &[u8]) -> Result<(String, Media), Mp4Error> {
    let mut fields = Fields::new(stsd);
    fields.skip(8)?;
    let entry = Boxes::new(fields.rest())
        .next()
        .ok_or_else(|| Mp4Error::Missing("a sample entry".into()))??;
    match &entry.kind {
        b"avc1" | b"avc3" => avc(&entry.kind, entry.body),
        b"mp4a" => mp4a(entry.body),
        _ => Err(Mp4Error::Malformed("a codec that is neither H.264 nor AAC")),
    }
}

/// ISO/IEC 14496-15: profile, constraints and level stand in `avcC`.
fn avc(kind: &[u8; 4], entry: &[u8]) -> Result<(String, Media), Mp4Error> {
    let mut fields = Fields::new(entry);
    fields.skip(24)?;
    let (width, height) = (fields.u16()?, fields.u16()?);
    fields.skip(50)?;
    let mut avcc = Fields::new(Boxes::new(fields.rest()).find(b"avcC")?);
    let [_, profile, constraints, level] = avcc.array::<4>()?;
    let name = String::from_utf8_lossy(kind).into_owned();
    Ok((
        format!("{name}.{profile:02x}{constraints:02x}{level:02x}"),
        Media::Video { width, height },
    ))
}

/// ISO/IEC 14496-1: the object type stands in the descriptors of `esds`.
fn mp4a(entry: &[u8]) -> Result<(String, Media), Mp4Error> {
    let mut fields = Fields::new(entry);
    fields.skip(16)?;
    let channels = fields.u16()?;
    fields.skip(10)?;
    let mut esds = Fields::new(Boxes::new(fields.rest()).find(b"esds")?);
    esds.skip(4)?;
    let (object_type, audio_type) = descriptors(esds.rest())?;
    Ok((format!("mp4a.{object_type:x}.{audio_type}"), Media::Audio { channels }))
}

const ES_DESCRIPTOR: u8 = 3;
const DECODER_CONFIG: u8 = 4;
const DECODER_SPECIFIC: u8 = 5;

fn descriptors(bytes: &[u8]) -> Result<(u8, u8), Mp4Error> {
    let mut es = Fields::new(descriptor(bytes, ES_DESCRIPTOR)?);
    es.skip(2)?;
    let flags = es.u8()?;
    if flags & 0x80 != 0 {
        es.skip(2)?;
    }
    if flags & 0x40 != 0 {
        let url_bytes = es.u8()?;
        es.skip(usize::from(url_bytes))?;
    }
    if flags & 0x20 != 0 {
        es.skip(2)?;
    }
    let mut config = Fields::new(descriptor(es.rest(), DECODER_CONFIG)?);
    let object_type = config.u8()?;
    config.skip(12)?;
    let mut specific = Fields::new(descriptor(config.rest(), DECODER_SPECIFIC)?);
    let first = specific.u8()?;
    // Five bits; 31 says that six more follow.
    let audio_type = match first >> 3 {
        31 => 32 + ((first & 7) << 3 | specific.u8()? >> 5),
        short => short,
    };
    Ok((object_type, audio_type))
}

/// The body of the first descriptor with this tag.
fn descriptor(bytes: &[u8], tag: u8) -> Result<&[u8], Mp4Error> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut fields = Fields::new(rest);
        let found = fields.u8()?;
        let length = length(&mut fields)?;
        let body = fields.rest();
        let (body, after) = body
            .split_at_checked(length)
            .ok_or(Mp4Error::Malformed("a descriptor is cut off"))?;
        if found == tag {
            return Ok(body);
        }
        rest = after;
    }
    Err(Mp4Error::Missing(format!("descriptor {tag}")))
}

/// Seven bits a byte, at most four bytes.
fn length(fields: &mut Fields<'_>) -> Result<usize, Mp4Error> {
    let mut length = 0;
    for _ in 0..4 {
        let byte = fields.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(Mp4Error::Malformed("a descriptor's length is too long"))
}
