//! Good files in, playable streams out: checked with ffmpeg as the player.

use std::path::Path;

use contract::events::EventBody;
use testkit::films::{Film, ffprobe, file, film};

use crate::support::{House, TITLE};

/// Presentation times of the keyframes, in seconds.
fn keyframes(file: &Path) -> Vec<String> {
    let packets = ffprobe(
        &["-select_streams", "v:0", "-show_entries", "packet=pts_time,flags"],
        file,
    );
    packets
        .iter()
        .filter_map(|line| line.split_once(",K").map(|(time, _)| time.to_owned()))
        .collect()
}

fn frames(file: &Path) -> usize {
    let counted = ffprobe(
        &[
            "-count_frames",
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=nb_read_frames",
        ],
        file,
    );
    counted.iter().find_map(|line| line.parse().ok()).unwrap()
}

fn size(file: &Path) -> String {
    ffprobe(
        &[
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=width,height,sample_aspect_ratio",
        ],
        file,
    )[0]
    .clone()
}

#[tokio::test]
async fn a_film_becomes_aligned_rungs_that_a_player_can_play() {
    let mut house = House::new().await;
    let film = film("640x360", "24000/1001", 5);
    let playback = house.play(&film.path).await;
    let folder = house.download(&playback).await;

    let master = house.manifest(&playback, "master.m3u8").await;
    let variants: Vec<_> = master
        .lines()
        .filter(|line| line.starts_with("#EXT-X-STREAM-INF"))
        .collect();
    assert_eq!(variants.len(), 2, "{master}");
    assert!(
        variants
            .iter()
            .all(|line| line.contains("FRAME-RATE=23.976") && line.contains("mp4a.40.2")),
        "{master}"
    );
    assert!(
        variants[0].contains("RESOLUTION=426x240") && variants[1].contains("RESOLUTION=640x360"),
        "{master}"
    );

    // A real player reads the whole of it: each rung has each frame.
    let (low, high) = (folder.path().join("v0/index.m3u8"), folder.path().join("v1/index.m3u8"));
    assert_eq!((frames(&low), frames(&high)), (120, 120));
    assert_eq!(frames(&folder.path().join("master.m3u8")), 120);
    // Keyframes every 48 frames, which is 2.002 s, on both rungs, from zero.
    assert_eq!(keyframes(&low), ["0.000000", "2.002000", "4.004000"]);
    assert_eq!(keyframes(&low), keyframes(&high));
    let playlist = house.manifest(&playback, "v0/index.m3u8").await;
    assert_eq!(playlist.matches("#EXTINF:2.002000,").count(), 2, "{playlist}");
    assert!(
        playlist.contains("#EXTINF:1.001000,") && playlist.ends_with("#EXT-X-ENDLIST\n"),
        "{playlist}"
    );

    // Sound begins with the picture and lasts as long.
    let sound = ffprobe(
        &["-show_entries", "packet=pts_time"],
        &folder.path().join("a0/index.m3u8"),
    );
    assert_eq!(sound.first().map(String::as_str), Some("0.000000"));
    let last: f64 = sound.last().unwrap().parse().unwrap();
    assert!((4.9..5.1).contains(&last), "{last}");

    assert_eq!(playback.duration_ms, 5005);
    let ready = EventBody::AssetReady {
        title: TITLE,
        asset: playback.asset,
        duration_ms: 5005,
        height: 360,
    };
    assert_eq!(house.facts().await, [ready]);
    assert!(house.lying_in("uploads").is_empty() && house.lying_in("transcode").is_empty());
}

#[tokio::test]
async fn a_silent_portrait_film_stands_upright_in_every_rung() {
    let mut house = House::new().await;
    let film = Film::silent("360x640", "30", 3).make("mp4");
    let playback = house.play(&film.path).await;
    let master = house.manifest(&playback, "master.m3u8").await;
    assert!(
        master.contains("RESOLUTION=240x426") && master.contains("RESOLUTION=360x640"),
        "{master}"
    );
    assert!(!master.contains("AUDIO") && !master.contains("mp4a"), "{master}");
    let folder = house.download(&playback).await;
    assert_eq!(frames(&folder.path().join("master.m3u8")), 90);
    assert_eq!(size(&folder.path().join("v0/index.m3u8")), "240,426,1:1");
}

#[tokio::test]
async fn odd_sides_wide_pixels_and_too_many_frames_are_made_regular() {
    let mut house = House::new().await;
    let coding = ["-c:v", "ffv1", "-vf", "setsar=4/3"];
    let film = Film::silent("241x181", "120", 2).coded(&coding).make("mkv");
    let playback = house.play(&film.path).await;
    let folder = house.download(&playback).await;
    let file = folder.path().join("v0/index.m3u8");
    // 241 × 4/3 = 321 wide; even, no larger than the source, square, at most sixty frames a second.
    assert_eq!(size(&file), "320,180,1:1");
    assert_eq!(frames(&file), 120);
    assert!(
        house
            .manifest(&playback, "master.m3u8")
            .await
            .contains("FRAME-RATE=60.000")
    );
}

#[tokio::test]
async fn sound_that_begins_late_and_frames_that_come_when_they_like_keep_together() {
    let mut house = House::new().await;
    // Frames between 10 and 30 a second; sound from 1.5 s on.
    let film = Film::silent("320x180", "30", 4)
        .tone(440, 2.5)
        .later(1.5)
        .and(&["-vf", "select='not(between(t,1,2)*mod(n,3))'", "-fps_mode", "vfr"])
        .and(&["-c:a", "libopus"])
        .make("mkv");
    let playback = house.play(&film.path).await;
    let folder = house.download(&playback).await;
    let times = ffprobe(
        &["-show_entries", "packet=pts_time"],
        &folder.path().join("a0/index.m3u8"),
    );
    let last: f64 = times.last().unwrap().parse().unwrap();
    assert_eq!(times[0], "0.000000", "silence stands where there is no sound yet");
    assert!((3.9..4.1).contains(&last), "{last}");
    assert!(
        (3_950..=4_050).contains(&playback.duration_ms),
        "{}",
        playback.duration_ms
    );
    let keyframes = keyframes(&folder.path().join("v0/index.m3u8"));
    assert_eq!(keyframes[..2], ["0.000000", "2.000000"]);
}

#[tokio::test]
async fn interlaced_hdr_and_ten_bit_sources_come_out_plain() {
    let mut house = House::new().await;
    let hdr = [
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p10le",
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        "-colorspace",
        "bt2020nc",
        "-x265-params",
        "log-level=none",
    ];
    let interlaced = [
        "-vf",
        "tinterlace=interleave_top",
        "-flags",
        "+ildct+ilme",
        "-top",
        "1",
        "-c:v",
        "mpeg2video",
        "-q:v",
        "4",
    ];
    for (extension, size_and_rate, coding) in [
        ("mkv", ("320x180", "25"), &hdr[..]),
        ("mpg", ("320x192", "50"), &interlaced[..]),
    ] {
        let film = Film::silent(size_and_rate.0, size_and_rate.1, 2)
            .coded(coding)
            .make(extension);
        let playback = house.play(&film.path).await;
        let folder = house.download(&playback).await;
        let format = ffprobe(
            &["-show_entries", "stream=codec_name,pix_fmt"],
            &folder.path().join("v0/index.m3u8"),
        );
        assert_eq!(format[0], "h264,yuv420p", "{extension}");
    }
}

#[tokio::test]
async fn the_dash_description_plays_the_same_segments() {
    let mut house = House::new().await;
    let playback = house.play(&film("320x180", "25", 5).path).await;
    let folder = house.download(&playback).await;
    assert_eq!(frames(&folder.path().join("manifest.mpd")), 125);
}

#[tokio::test]
async fn the_same_source_gives_the_same_bytes() {
    let mut house = House::new().await;
    let film = film("320x180", "25", 3);
    let (first, second) = (house.play(&film.path).await, house.play(&film.path).await);
    let one = house.download(&first).await;
    let other = house.download(&second).await;
    for file in [
        "v0/index.m3u8",
        "v0/init.mp4",
        "v0/1.m4s",
        "v0/2.m4s",
        "a0/index.m3u8",
        "a0/init.mp4",
        "a0/1.m4s",
    ] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        assert!(read(one.path()) == read(other.path()), "{file}");
    }
}

#[tokio::test]
async fn a_film_is_whole_when_its_picture_and_its_sound_are_whatever_else_goes_on_longer() {
    let mut house = House::new().await;
    let film = Film::new("320x180", "25", 30);
    let longer_sound = film.clone().tone(900, 33).index_first().make("mp4");
    assert_eq!(
        ffprobe(&["-show_entries", "format=duration"], &longer_sound.path),
        ["33.000000"]
    );
    let text = "1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n2\n00:00:34,000 --> 00:00:36,000\nGood-bye.\n";
    let text = file("subtitles.srt", text.as_bytes());
    let subtitles = ["-i", text.path.to_str().unwrap()];
    let longer_text = film.input(&subtitles).and(&["-c:s", "srt"]).make("mkv");
    for film in [&longer_sound, &longer_text] {
        let playback = house.play(&film.path).await;
        assert!((30_000..30_100).contains(&playback.duration_ms), "{:?}", film.path);
    }

    // Of which half is missing all the same.
    let bytes = std::fs::read(&longer_sound.path).unwrap();
    let job = house.transcode(&file("half.mp4", &bytes[..bytes.len() / 2]).path).await;
    let words = job.error.unwrap();
    assert!(
        words.starts_with("The file ends early: ") && words.contains(" of 30 s are there."),
        "{words}"
    );
}
