//! Films that are damaged in places: as much of them is published as there is, in its whole length, unless they end early.

use contract::jobs::JobState;
use testkit::films::{Film, Made, ffprobe, file};

use crate::{bad_input::refused, support::House};

/// The same file, with nothing but zeros in the pictures from one second to another.
fn without_pictures(whole: &Made, from_s: f64, to_s: f64) -> Made {
    let mut bytes = std::fs::read(&whole.path).unwrap();
    let entries = "packet=pts_time,size,pos";
    let packets = ffprobe(&["-select_streams", "v:0", "-show_entries", entries], &whole.path);
    let mut damaged = 0;
    for packet in packets {
        let fields: Vec<&str> = packet.split(',').collect();
        let time: f64 = fields[0].parse().unwrap();
        if (from_s..to_s).contains(&time) {
            let (size, at): (usize, usize) = (fields[1].parse().unwrap(), fields[2].parse().unwrap());
            // The length of what follows stays, as on a disk that lost a sector.
            bytes[at + 4..at + size].fill(0);
            damaged += 1;
        }
    }
    assert!(damaged > 0);
    file("film.mp4", &bytes)
}

#[tokio::test]
async fn damage_in_the_middle_costs_what_is_damaged_and_nothing_else() {
    let mut house = House::new().await;
    house.work_at_once(2);
    let whole = Film::silent("160x90", "5", 310).and(&["-g", "20"]).make("mp4");
    // Over the place of a sample and over a whole chunk.
    let damaged = without_pictures(&whole, 100.0, 170.0);
    let job = house.transcode(&damaged.path).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:?}");
    assert_eq!(house.start().await.unwrap().duration_ms, 310_000);
}

#[tokio::test]
async fn a_picture_that_stops_while_the_sound_goes_on_is_refused() {
    let mut house = House::new().await;
    let whole = Film::new("160x90", "25", 80).and(&["-g", "50"]).make("mp4");
    let damaged = without_pictures(&whole, 30.0, 100.0);
    let words = refused(&mut house, &damaged).await;
    assert!(
        words.starts_with("The file ends early: 30 s") && words.contains(" of 1:20 are there."),
        "{words}"
    );
}
