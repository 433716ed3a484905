//! What parts have made, joined: what may be missing, and what is said of it.

use super::planning::{plan, sound};
use crate::{
    asset::Track,
    encode::{
        chunks::Chunk,
        join::{Package, join},
        package::MadeRendition,
    },
};

/// Segments of so many pictures each, at 25 a second.
fn made(name: &str, init: &str, segments: &[u64]) -> MadeRendition {
    let mut track = Track {
        name: name.into(),
        codec: String::new(),
        timescale: 25,
        init_bytes: 1,
        bytes: vec![],
        durations: vec![],
    };
    segments.iter().for_each(|pictures| track.push(1, *pictures));
    MadeRendition {
        init: init.into(),
        width: 320,
        height: 180,
        keyframes: vec![1; segments.len()],
        track,
    }
}

fn chunks(last: MadeRendition) -> [(Chunk, Vec<MadeRendition>); 2] {
    let first = Chunk {
        segments: Some(15),
        ..Chunk::WHOLE
    };
    let second = Chunk {
        first: 15,
        segments: None,
        seek_s: Some(28.15),
    };
    [(first, vec![made("v0", "one", &[50; 15])]), (second, vec![last])]
}

#[test]
fn one_or_two_pictures_after_the_last_joint_are_let_go() {
    let plan = plan(320, 180, Some((25, 1)));
    let join = |last| join(&plan, &chunks(last), &[]).map(|package: Package| package.index.duration_ms);
    for scrap in [1, 2] {
        assert_eq!(join(made("v0", "another", &[scrap])), Ok(30_000));
    }
    assert_eq!(join(made("v0", "one", &[3])), Ok(30_120));
    assert!(join(made("v0", "another", &[3])).is_err());
}

#[test]
fn a_picture_that_stops_is_missed_though_the_sound_goes_on() {
    let mut plan = plan(320, 180, Some((25, 1)));
    plan.duration_s = Some(80.0);
    let sound = [made("a0", "sound", &[50; 40])];
    let join = |plan: &_| join(plan, &chunks(made("v0", "one", &[50; 2])), &sound);
    // A picture that is meant to be shorter than the sound is.
    plan.pictures_s = Some(34.0);
    assert_eq!(join(&plan).unwrap().index.duration_ms, 34_000);
    plan.pictures_s = Some(80.0);
    let refused = join(&plan).unwrap_err();
    assert!(
        !refused.retry && refused.text.starts_with("The file ends early: 34 s of 1:20"),
        "{refused:?}"
    );
}

#[test]
fn a_sound_track_of_which_nothing_came_is_named() {
    let mut plan = plan(320, 180, Some((25, 1)));
    plan.audio = vec![sound(1, 6), sound(2, 2)];
    let all = [made("a0", "x", &[50]), made("a1", "x", &[50]), made("a2", "x", &[50])];
    let notes = |sound: &[MadeRendition]| {
        join(&plan, &chunks(made("v0", "one", &[50])), sound)
            .unwrap()
            .index
            .notes
    };
    assert_eq!(notes(&all), Vec::<String>::new());
    assert_eq!(
        notes(&all[2..]),
        ["1 of 2 sound tracks were left out: nothing in them could be decoded."]
    );
    assert_eq!(notes(&[]), ["Nothing was heard in its sound track."]);
}
