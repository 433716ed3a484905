//! From what the parts of the work have made to the whole: one index, in which every part continues the one before to the tick.

use platform::jobs::Failure;

use super::{
    audio, chapters,
    chunks::Chunk,
    explain,
    extras::Extra,
    package::{MadeRendition, broken},
    plan::Plan,
};
use crate::asset::{AssetIndex, AudioTrack, INDEX_VERSION, Track, VideoTrack};

/// How much may be missing at the end, absolutely and as a share of what the file says: containers round.
const MISSING_S_MAX: f64 = 1.0;
const MISSING_SHARE_MAX: f64 = 0.02;
/// Of fewer pictures than these the encoder makes another initialisation segment.
const PICTURES_MIN: u64 = 3;

/// A film that is whole.
#[derive(Debug)]
pub struct Package {
    pub index: AssetIndex,
    /// Where the film's own chapters put the end credits.
    pub credits_ms: Option<u64>,
    /// Where they put the opening.
    pub intro_ms: Option<(u64, u64)>,
    /// What is not stored yet.
    pub extras: Vec<Extra>,
}

/// Joins the chunks, in order, and the sound.
pub fn join(plan: &Plan, chunks: &[(Chunk, Vec<MadeRendition>)], sound: &[MadeRendition]) -> Result<Package, Failure> {
    let mut index = AssetIndex {
        version: INDEX_VERSION,
        duration_ms: 0,
        frame_rate: plan.frame_rate,
        video: video(plan, chunks)?,
        audio: sound_tracks(plan, sound),
        subtitles: Vec::new(),
        storyboard: None,
        chapters: Vec::new(),
        notes: plan.notes.clone(),
        encrypted: false,
    };
    let Some(first) = index.video.first().map(|video| &video.track) else {
        return Err(Failure::permanent(explain::NOTHING_DECODED));
    };
    index.duration_ms = (first.seconds(first.duration()) * 1000.0).round() as u64;
    index.chapters = chapters::shown(&plan.extras.chapters, index.duration_ms);
    index.notes.extend(left_out(plan, sound));
    check_length(plan, &index)?;
    Ok(Package {
        credits_ms: chapters::credits_ms(&plan.credits_s, index.duration_ms),
        intro_ms: chapters::intro_ms(&plan.extras.chapters, index.duration_ms),
        index,
        extras: Vec::new(),
    })
}

fn video(plan: &Plan, chunks: &[(Chunk, Vec<MadeRendition>)]) -> Result<Vec<VideoTrack>, Failure> {
    let mut rungs: Vec<(String, VideoTrack)> = Vec::new();
    let mut is_over = false;
    for (chunk, made) in chunks {
        if made.is_empty() || chunk.first > 0 && made.iter().all(|part| is_scrap(plan, part)) {
            // What can be decoded ends before its chunk begins, or just after; how much is missing is asked at the end.
            is_over = true;
            continue;
        }
        if is_over || made.len() != plan.rungs.len() {
            return Err(broken("a part of the film is missing"));
        }
        if chunk.first == 0 {
            rungs = made.iter().map(begin).collect();
        } else {
            for ((init, rung), part) in rungs.iter_mut().zip(made) {
                if *init != part.init || !append(rung, part, chunk.first) {
                    return Err(broken("the parts of the film do not fit together"));
                }
            }
        }
        let whole = chunk.segments.and_then(|segments| {
            let timescale = made.first()?.track.timescale;
            plan.ticks(segments, timescale)
        });
        is_over = whole.is_some_and(|whole| made.first().is_some_and(|part| part.track.duration() != whole));
    }
    Ok(rungs.into_iter().map(|(_, rung)| rung).collect())
}

fn is_scrap(plan: &Plan, part: &MadeRendition) -> bool {
    let segment = plan.ticks(1, part.track.timescale);
    segment.is_some_and(|ticks| part.track.duration() * u64::from(plan.group) < PICTURES_MIN * ticks)
}

fn begin(part: &MadeRendition) -> (String, VideoTrack) {
    let rung = VideoTrack {
        width: part.width,
        height: part.height,
        keyframes: part.keyframes.clone(),
        track: part.track.clone(),
    };
    (part.init.clone(), rung)
}

/// Whether it fitted.
fn append(rung: &mut VideoTrack, part: &MadeRendition, first: u32) -> bool {
    let fits = rung.track.bytes.len() == first as usize && rung.track.timescale == part.track.timescale;
    part.track
        .segments()
        .for_each(|segment| rung.track.push(segment.bytes, segment.duration));
    rung.keyframes.extend(&part.keyframes);
    fits
}

fn sound_tracks(plan: &Plan, made: &[MadeRendition]) -> Vec<AudioTrack> {
    let sounds = audio::sounds(plan);
    let track = |made: &MadeRendition| {
        let position = (0..sounds.len()).find(|&sound| audio::name(sound) == made.track.name)?;
        let audio = plan.audio.get(sounds[position].track)?;
        Some(AudioTrack {
            language: audio.language.clone(),
            label: audio.label.clone(),
            kind: audio.kind,
            is_default: audio.is_default,
            // The file's own header says two of any AAC.
            channels: if sounds[position].surround { 6 } else { 2 },
            track: made.track.clone(),
        })
    };
    made.iter().filter_map(track).collect()
}

/// What a curator should know of tracks of which nothing came.
fn left_out(plan: &Plan, made: &[MadeRendition]) -> Option<String> {
    let sounds = audio::sounds(plan);
    let is_there = |track: usize| {
        let mut names = (0..sounds.len()).filter(|&sound| sounds[sound].track == track);
        names.any(|sound| made.iter().any(|made| made.track.name == audio::name(sound)))
    };
    let all = plan.audio.len();
    match (0..all).filter(|&track| !is_there(track)).count() {
        0 => None,
        missing if missing == all => Some("Nothing was heard in its sound track.".into()),
        missing => Some(format!(
            "{missing} of {all} sound tracks were left out: nothing in them could be decoded."
        )),
    }
}

/// A file that was cut off decodes without complaint as far as it goes; and so does one whose picture stops while its sound goes on.
fn check_length(plan: &Plan, index: &AssetIndex) -> Result<(), Failure> {
    let length = |track: &Track| track.seconds(track.duration());
    let longest = index.tracks().map(length).fold(0.0, f64::max);
    let pictures = index.video.first().map_or(0.0, |video| length(&video.track));
    for (promised, there) in [(plan.duration_s, longest), (plan.pictures_s, pictures)] {
        let promised = promised.unwrap_or(0.0);
        if promised - there > MISSING_S_MAX.max(promised * MISSING_SHARE_MAX) {
            return Err(Failure::permanent(format!(
                "The file ends early: {} of {} are there. Copy or upload it again, to the end.",
                explain::length(there),
                explain::length(promised)
            )));
        }
    }
    Ok(())
}
