//! Puts a segment of a chunk at its place in the film: the encoder counted segments and time from the chunk's own beginning.

use crate::mp4::Mp4Error;

/// Where a segment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub number: u32,
    /// Of its first picture, in ticks.
    pub decode_time: u64,
}

/// Writes the place into `mfhd` and `tfdt` (ISO/IEC 14496-12, 8.8.5 and 8.8.12); nothing moves by it.
pub fn place(segment: &mut [u8], place: Place) -> Result<(), Mp4Error> {
    let moof = find(segment, b"moof")?;
    let mfhd = find(moof, b"mfhd")?;
    field::<4>(mfhd, 4)?.copy_from_slice(&place.number.to_be_bytes());
    let tfdt = find(find(moof, b"traf")?, b"tfdt")?;
    match tfdt.first() {
        Some(1) => field::<8>(tfdt, 4)?.copy_from_slice(&place.decode_time.to_be_bytes()),
        Some(0) => {
            let short = u32::try_from(place.decode_time).map_err(|_| Mp4Error::Malformed("a time is too large"))?;
            field::<4>(tfdt, 4)?.copy_from_slice(&short.to_be_bytes());
        }
        _ => return Err(Mp4Error::Malformed("a decode time of an unknown version")),
    }
    Ok(())
}

/// The body of the first box of a kind.
fn find<'a>(mut rest: &'a mut [u8], wanted: &[u8; 4]) -> Result<&'a mut [u8], Mp4Error> {
    const CUT_OFF: Mp4Error = Mp4Error::Malformed("a box is cut off");
    loop {
        let (Some(&length), Some(&kind)) = (
            rest.first_chunk::<4>(),
            rest.get(4..).and_then(|rest| rest.first_chunk::<4>()),
        ) else {
            return Err(Mp4Error::Missing(String::from_utf8_lossy(wanted).into_owned()));
        };
        let length = u32::from_be_bytes(length) as usize;
        let (whole, after) = rest
            .split_at_mut_checked(length)
            .filter(|_| length >= 8)
            .ok_or(CUT_OFF)?;
        if kind == *wanted {
            return Ok(&mut whole[8..]);
        }
        rest = after;
    }
}

/// A field that long behind version and flags.
fn field<const N: usize>(body: &mut [u8], from: usize) -> Result<&mut [u8; N], Mp4Error> {
    let field = body.get_mut(from..).and_then(|rest| rest.first_chunk_mut::<N>());
    field.ok_or(Mp4Error::Malformed("a field is cut off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = (8 + body.len() as u32).to_be_bytes();
        [&length[..], kind, body].concat()
    }

    fn segment(version: u8, time_bytes: usize) -> Vec<u8> {
        let mfhd = a_box(b"mfhd", &[0; 8]);
        let tfdt = a_box(b"tfdt", &[&[version, 0, 0, 0][..], &vec![0; time_bytes]].concat());
        let traf = a_box(b"traf", &[a_box(b"tfhd", &[0; 8]), tfdt].concat());
        [a_box(b"moof", &[mfhd, traf].concat()), a_box(b"mdat", b"pictures")].concat()
    }

    #[test]
    fn number_and_time_are_written_and_nothing_else_changes() {
        let here = Place {
            number: 0x0102_0304,
            decode_time: 0x0506_0708,
        };
        for (version, time_bytes) in [(0, 4), (1, 8)] {
            let before = segment(version, time_bytes);
            let mut after = before.clone();
            place(&mut after, here).unwrap();
            let changed: Vec<u8> = before
                .iter()
                .zip(&after)
                .filter(|(a, b)| a != b)
                .map(|(_, b)| *b)
                .collect();
            assert_eq!((changed, after.len()), ((1..=8).collect(), before.len()));
        }
        let mut short = segment(0, 4);
        assert!(
            place(
                &mut short,
                Place {
                    decode_time: 1 << 33,
                    ..here
                }
            )
            .is_err()
        );
    }

    #[test]
    fn what_is_cut_off_anywhere_is_an_error_or_untouched_and_never_a_panic() {
        let whole = segment(1, 8);
        for end in 0..whole.len() {
            place(
                &mut whole[..end].to_vec(),
                Place {
                    number: 1,
                    decode_time: 1,
                },
            )
            .ok();
        }
        assert!(
            place(
                &mut whole[..40].to_vec(),
                Place {
                    number: 1,
                    decode_time: 1
                }
            )
            .is_err()
        );
    }
}
