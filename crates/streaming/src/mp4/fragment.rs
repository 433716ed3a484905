//! A movie fragment: `moof` of a file with one track.

use super::{
    Init, Mp4Error,
    boxes::{Boxes, Fields},
};

/// What `moof` says of the samples in the `mdat` after it. Times in ticks of the track's timescale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    pub decode_time: u64,
    pub duration: u64,
    pub samples: u64,
    /// Whether the first sample can be decoded without any other.
    pub begins_with_sync: bool,
    /// From the beginning of `moof` to the end of the first sample, in bytes; zero where the file does not say it in this way.
    pub first_sample_end: u64,
}

/// More samples than any two seconds hold; a fragment that claims more is garbage.
const SAMPLES_MAX: u64 = 1 << 20;
const IS_NON_SYNC: u32 = 0x1_0000;

const BASE_IS_MOOF: u32 = 0x2_0000;

struct Defaults {
    duration: u32,
    bytes: u32,
    flags: u32,
    /// Whether offsets count from the beginning of `moof`.
    from_moof: bool,
}

impl Fragment {
    /// Reads the body of a `moof` box.
    pub fn read(moof: &[u8], init: &Init) -> Result<Self, Mp4Error> {
        let traf = Boxes::new(moof).find(b"traf")?;
        let defaults = track_header(Boxes::new(traf).find(b"tfhd")?, init)?;
        let mut tfdt = Fields::new(Boxes::new(traf).find(b"tfdt")?);
        let (version, _) = tfdt.version_and_flags()?;
        let decode_time = tfdt.wide(version)?;
        let mut fragment = Self {
            decode_time,
            duration: 0,
            samples: 0,
            begins_with_sync: false,
            first_sample_end: 0,
        };
        for found in Boxes::new(traf) {
            let found = found?;
            if found.kind == *b"trun" {
                fragment.add_run(found.body, &defaults)?;
            }
        }
        Ok(fragment)
    }

    fn add_run(&mut self, trun: &[u8], defaults: &Defaults) -> Result<(), Mp4Error> {
        let mut fields = Fields::new(trun);
        let (_, flags) = fields.version_and_flags()?;
        let samples = fields.u32()?;
        if self.samples + u64::from(samples) > SAMPLES_MAX {
            return Err(Mp4Error::Malformed("a fragment claims too many samples"));
        }
        let offset = if flags & 0x1 != 0 { Some(fields.u32()?) } else { None };
        let first_flags = if flags & 0x4 != 0 { Some(fields.u32()?) } else { None };
        for index in 0..samples {
            let duration = if flags & 0x100 != 0 {
                fields.u32()?
            } else {
                defaults.duration
            };
            let bytes = if flags & 0x200 != 0 {
                fields.u32()?
            } else {
                defaults.bytes
            };
            let own_flags = if flags & 0x400 != 0 {
                fields.u32()?
            } else {
                defaults.flags
            };
            if flags & 0x800 != 0 {
                fields.skip(4)?;
            }
            if self.samples == 0 && index == 0 {
                self.begins_with_sync = first_flags.unwrap_or(own_flags) & IS_NON_SYNC == 0;
                // Signed in the file; ours are never before the `moof`.
                if let Some(offset) = offset.filter(|offset| defaults.from_moof && *offset <= i32::MAX as u32) {
                    self.first_sample_end = u64::from(offset) + u64::from(bytes);
                }
            }
            self.duration = self.duration.saturating_add(u64::from(duration));
        }
        self.samples += u64::from(samples);
        Ok(())
    }
}

/// Defaults of `tfhd` over those of `trex`.
fn track_header(tfhd: &[u8], init: &Init) -> Result<Defaults, Mp4Error> {
    let mut fields = Fields::new(tfhd);
    let (_, flags) = fields.version_and_flags()?;
    fields.skip(4)?;
    if flags & 0x1 != 0 {
        fields.skip(8)?;
    }
    if flags & 0x2 != 0 {
        fields.skip(4)?;
    }
    let duration = if flags & 0x8 != 0 {
        fields.u32()?
    } else {
        init.default_duration
    };
    let bytes = if flags & 0x10 != 0 {
        fields.u32()?
    } else {
        init.default_bytes
    };
    let sample_flags = if flags & 0x20 != 0 {
        fields.u32()?
    } else {
        init.default_flags
    };
    Ok(Defaults {
        duration,
        bytes,
        flags: sample_flags,
        from_moof: flags & BASE_IS_MOOF != 0 && flags & 0x1 == 0,
    })
}
