//! Bit rates measured from segment sizes.

use crate::asset::Track;

/// Bits per second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bandwidth {
    pub peak: u64,
    pub average: u64,
}

impl std::ops::Add for Bandwidth {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            peak: self.peak + other.peak,
            average: self.average + other.average,
        }
    }
}

/// The largest duration of a segment in whole seconds, at least one.
pub(super) fn target_duration(track: &Track) -> u64 {
    let longest = track.durations.iter().map(|&(ticks, _)| ticks).max().unwrap_or(0);
    (track.seconds(longest).round() as u64).max(1)
}

/// RFC 8216, 4.1: the peak is the largest rate of any run of segments that lasts between a half and one and a half of the target
/// duration; the average is that of the whole.
pub(super) fn measure(track: &Track) -> Bandwidth {
    let average = rate(track.bytes.iter().sum(), track.seconds(track.duration()));
    let target = target_duration(track) as f64;
    let segments: Vec<_> = track
        .segments()
        .map(|segment| (segment.bytes, track.seconds(segment.duration)))
        .collect();
    let mut peak = average;
    for start in 0..segments.len() {
        let (mut bytes, mut seconds) = (0, 0.0);
        for (more, longer) in &segments[start..] {
            bytes += more;
            seconds += longer;
            if seconds > target * 1.5 {
                break;
            }
            if seconds >= target * 0.5 {
                peak = peak.max(rate(bytes, seconds));
            }
        }
    }
    Bandwidth { peak, average }
}

fn rate(bytes: u64, seconds: f64) -> u64 {
    if seconds <= 0.0 {
        return 0;
    }
    ((bytes * 8) as f64 / seconds).ceil() as u64
}
