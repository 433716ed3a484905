//! The ladder of this title: ceilings of the rungs from what its own pictures want.
//!
//! A few segments of the film are encoded at the quality that is aimed at, without any ceiling; what the most demanding of them takes, and
//! half as much again, is a rung's ceiling. So a quiet film does not pay for bursts that nobody sees, and a restless one is not made to
//! look worse than it must. The lowest rungs stay as low as they are, for the lines that they are for. Same source, same ladder.

use platform::jobs::Failure;

use super::{
    chunks::{Chunk, Pictures},
    command,
    plan::{Plan, Rung},
};

/// Shorter films keep the usual ceilings: looking would cost more than it brings.
const LENGTH_S_MIN: f64 = 300.0;
/// Where samples are taken, as shares of the film: not at its ends, which are titles.
const PLACES: [f64; 4] = [0.15, 0.4, 0.6, 0.85];
/// Over what the most demanding sample takes: the film has more demanding moments.
const HEADROOM: f64 = 1.5;
/// Of the usual ceiling, the least and the most that is chosen.
const SHARE_MIN: f64 = 1.0 / 3.0;
const SHARE_MAX: f64 = 1.5;
/// Up to this short side a rung is for lines that have no more to give.
const LOW_RUNG_PIXELS: u32 = 360;
const KBPS_MIN: u32 = 100;

/// The segments to look at; none where a film is short or cannot be entered in the middle.
pub fn samples(plan: &Plan, pictures: &Pictures) -> Vec<Chunk> {
    if pictures.end_s() < LENGTH_S_MIN {
        return Vec::new();
    }
    let segments = pictures.end_s() / plan.segment_s();
    let place = |share: f64| {
        let first = (segments * share) as u32;
        Some(Chunk {
            first,
            segments: Some(1),
            seek_s: Some(pictures.entrance(f64::from(first) * plan.segment_s())?),
        })
    };
    PLACES.into_iter().filter_map(place).collect()
}

/// How many bytes each rung of a sample took.
pub fn bytes(plan: &Plan, folder: &std::path::Path) -> Result<Vec<u64>, Failure> {
    let names = (0..plan.rungs.len()).map(command::video_name);
    let sizes = names.map(|name| std::fs::metadata(folder.join(format!("{name}.mp4"))).map(|meta| meta.len()));
    sizes
        .collect::<std::io::Result<_>>()
        .map_err(|error| super::explain::io(&error))
}

/// Ceilings by what samples took, each one segment long.
pub fn choose(plan: &Plan, samples: &[Vec<u64>]) -> Vec<Rung> {
    if samples.is_empty() {
        return plan.rungs.clone();
    }
    let mut below = 0;
    let ceiling = |(index, rung): (usize, &Rung)| {
        let most = samples.iter().filter_map(|sample| sample.get(index)).max();
        let usual = f64::from(rung.kbps);
        let is_low = rung.width.min(rung.height) <= LOW_RUNG_PIXELS;
        let highest = if is_low { usual } else { usual * SHARE_MAX };
        let chosen = most.map_or(usual, |&bytes| {
            bytes as f64 * 8.0 / 1000.0 / plan.segment_s() * HEADROOM
        });
        let kbps = chosen.clamp(usual * SHARE_MIN, highest) as u32 / 10 * 10;
        below = kbps.max(below).max(KBPS_MIN.min(rung.kbps));
        Rung { kbps: below, ..*rung }
    };
    plan.rungs.iter().enumerate().map(ceiling).collect()
}
