//! Sound: every track, its words and its loudness, and what is wrong with it.

use std::path::Path;

use contract::jobs::JobState;
use testkit::films::{Film, Made};

use crate::support::House;

/// How loud a rendition is, in LUFS.
pub fn loudness(file: &Path) -> f64 {
    let output = std::process::Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-v", "info", "-i"])
        .arg(file)
        .args(["-af", "ebur128=framelog=verbose", "-f", "null", "-"])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, summary) = words.rsplit_once("Integrated loudness:").unwrap();
    let line = summary.lines().find_map(|line| line.trim().strip_prefix("I:")).unwrap();
    line.trim().strip_suffix(" LUFS").unwrap().parse().unwrap()
}

/// A film with these sound tracks, each a tone at so many decibels.
fn with_tracks(levels: &[(i32, u32)], more: &[&str]) -> Made {
    let mut film = Film::silent("160x90", "25", 12);
    for (level, hertz) in levels {
        let tone = format!("sine=frequency={hertz}:duration=12:sample_rate=48000,volume={level}dB");
        film = film.input(&["-f", "lavfi", "-i", &tone]);
    }
    film.and(&["-c:a", "aac"]).and(more).make("mkv")
}

#[tokio::test]
async fn every_track_is_kept_with_its_words_and_made_equally_loud() {
    let mut house = House::new().await;
    let film = with_tracks(
        &[(-30, 440), (0, 660), (-12, 880)],
        &[
            "-metadata:s:a:0",
            "language=deu",
            "-metadata:s:a:1",
            "language=eng",
            "-metadata:s:a:1",
            "title=The long cut",
            "-metadata:s:a:2",
            "language=eng",
            "-disposition:a:1",
            "default",
            "-disposition:a:0",
            "0",
            "-disposition:a:2",
            "comment",
        ],
    );
    let playback = house.play(&film.path).await;
    let folder = house.download(&playback).await;
    for track in ["a0", "a1", "a2"] {
        let measured = loudness(&folder.path().join(format!("{track}/index.m3u8")));
        assert!((measured + 16.0).abs() < 1.0, "{track} is at {measured} LUFS");
    }
    let master = house.manifest(&playback, "master.m3u8").await;
    let media: Vec<_> = master
        .lines()
        .filter(|line| line.starts_with("#EXT-X-MEDIA:TYPE=AUDIO"))
        .collect();
    assert_eq!(media.len(), 3, "{master}");
    assert!(
        media[0].contains("NAME=\"The long cut\"") && media[0].contains("DEFAULT=YES"),
        "{master}"
    );
    assert!(media.iter().any(|line| line.contains("LANGUAGE=\"de\"")), "{master}");
}

#[tokio::test]
async fn surround_sound_is_kept_beside_stereo() {
    let mut house = House::new().await;
    let surround = [
        "-af",
        "volume=-20dB,pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0",
        "-c:a",
        "ac3",
    ];
    let film = Film::new("160x90", "25", 6).and(&surround).make("mkv");
    let playback = house.play(&film.path).await;
    let folder = house.download(&playback).await;
    let channels = |track: &str| {
        let file = folder.path().join(format!("{track}/index.m3u8"));
        testkit::films::ffprobe(&["-show_entries", "stream=channels"], &file)[0].clone()
    };
    assert_eq!((channels("a0"), channels("a1")), ("2".into(), "6".into()));
    let master = house.manifest(&playback, "master.m3u8").await;
    assert!(
        master.contains("CHANNELS=\"6\"") && master.contains("CHANNELS=\"2\""),
        "{master}"
    );
}

#[tokio::test]
async fn a_hundred_tracks_are_sixteen_and_the_outcome_says_so() {
    let mut house = House::new().await;
    let mut film = Film::new("160x90", "25", 1);
    for _ in 1..100 {
        film = film.and(&["-map", "1:a"]);
    }
    let job = house.transcode(&film.make("mkv").path).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    let outcome = job.outcome.unwrap();
    assert!(
        outcome.ends_with("84 of 100 sound tracks were left out; 16 are kept."),
        "{outcome}"
    );
    let playback = house.start().await.unwrap();
    let tracks = house.blobs.list(&format!("assets/{}", playback.asset)).await.unwrap();
    let inits = tracks
        .iter()
        .filter(|file| file.key.contains("/a") && file.key.ends_with("/init.mp4"));
    assert_eq!(inits.count(), 16);
}

#[tokio::test]
async fn a_track_that_cannot_be_decoded_is_left_out_and_the_outcome_says_so() {
    let mut house = House::new().await;
    // Every packet of the first track is lost; nothing of it says so but that there is none.
    let film = Film::silent("160x90", "25", 6)
        .tone(440, 6)
        .tone(880, 6)
        .and(&["-c:a:0", "truehd", "-strict", "-2", "-bsf:a:0", "noise=drop=1"])
        .and(&["-metadata:s:a:1", "title=Whole"]);
    let job = house.transcode(&film.make("mkv").path).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    let outcome = job.outcome.unwrap();
    assert!(
        outcome.ends_with("1 of 2 sound tracks were left out: nothing in them could be decoded."),
        "{outcome}"
    );
    let playback = house.start().await.unwrap();
    let folder = house.download(&playback).await;
    let measured = loudness(&folder.path().join("a1/index.m3u8"));
    assert!((measured + 16.0).abs() < 1.0, "{measured} LUFS");
    let master = house.manifest(&playback, "master.m3u8").await;
    assert!(master.contains("NAME=\"Whole\""), "{master}");

    // None at all: a silent film, rather than none.
    let alone = Film::silent("160x90", "25", 2).tone(440, 2).and(&[
        "-c:a",
        "truehd",
        "-strict",
        "-2",
        "-bsf:a",
        "noise=drop=1",
    ]);
    let job = house.transcode(&alone.make("mkv").path).await;
    let outcome = job.outcome.unwrap_or_else(|| panic!("{:?}", job.error));
    assert!(outcome.ends_with("Nothing was heard in its sound track."), "{outcome}");
}

#[tokio::test]
async fn silence_stays_silent() {
    let mut house = House::new().await;
    let film = Film::silent("160x90", "25", 3)
        .input(&["-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo:d=3"])
        .and(&["-c:a", "aac"])
        .make("mp4");
    let playback = house.play(&film.path).await;
    let folder = house.download(&playback).await;
    assert!(loudness(&folder.path().join("a0/index.m3u8")) < -60.0);
}

#[tokio::test]
async fn a_film_of_one_picture_is_a_film() {
    let mut house = House::new().await;
    let still = Film::silent("160x90", "25", 0.04).make("mp4");
    assert_eq!(house.play(&still.path).await.duration_ms, 40);
    let with_sound = Film::silent("160x90", "25", 0.04).tone(440, 5).make("mkv");
    let playback = house.play(&with_sound.path).await;
    let folder = house.download(&playback).await;
    assert!(folder.path().join("a0/3.m4s").exists());
}

#[tokio::test]
async fn times_that_are_missing_or_negative_do_no_harm() {
    let mut house = House::new().await;
    let first_time = |file: &Path| {
        let words = ["-select_streams", "v:0", "-show_entries", "packet=pts_time"];
        testkit::films::ffprobe(&words, file).swap_remove(0)
    };
    let untimed = Film::new("320x180", "25", 50)
        .coded(&["-c:v", "mpeg4", "-bf", "2", "-c:a", "mp3"])
        .make("avi");
    assert_eq!(
        first_time(&untimed.path),
        "N/A",
        "no picture in here has a time of its own"
    );
    let playback = house.play(&untimed.path).await;
    assert!(
        (49_900..=50_200).contains(&playback.duration_ms),
        "{}",
        playback.duration_ms
    );
    // What stands before zero is not shown where the container says so, and is where it does not.
    for (extension, format, shown) in [("mp4", "mp4", 3_900..=4_100), ("ts", "mpegts", 4_900..=5_200)] {
        let whole = Film::new("320x180", "25", 5).and(&["-g", "25"]).make("mp4");
        let early = testkit::films::file(&format!("film.{extension}"), b"");
        let moved = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-i"])
            .arg(&whole.path)
            .args([
                "-c",
                "copy",
                "-output_ts_offset",
                "-1",
                "-avoid_negative_ts",
                "disabled",
                "-muxdelay",
                "0",
                "-muxpreload",
                "0",
                "-f",
                format,
            ])
            .arg(&early.path)
            .status()
            .unwrap();
        assert!(moved.success());
        if extension == "ts" {
            assert_eq!(first_time(&early.path), "-1.000000");
        }
        let playback = house.play(&early.path).await;
        assert!(
            shown.contains(&playback.duration_ms),
            "{extension}: {}",
            playback.duration_ms
        );
        let folder = house.download(&playback).await;
        assert_eq!(
            first_time(&folder.path().join("v0/index.m3u8")),
            "0.000000",
            "{extension}"
        );
    }
}
