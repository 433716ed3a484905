//! Good files in, playable streams out: checked with ffmpeg as the player.

use std::path::Path;

use contract::events::EventBody;

use crate::support::{House, TITLE, ffprobe, film, silent_film};

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
    let film = film("640x360", "24000/1001", "5");
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
    let film = silent_film(
        "mp4",
        "360x640",
        "30",
        "3",
        &["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"],
    );
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
