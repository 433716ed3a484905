//! Players that are not ours on a film that is: four in a real browser, and two programs. Each plays, seeks and switches.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};
use testkit::{
    Browser, Cluster,
    films::{Film, ffprobe, file},
    repository,
};

use crate::{sidecars::found, video::ended_job};

const SECONDS: u32 = 48;
const RATE: usize = 12;
const FRAMES: usize = SECONDS as usize * RATE;
/// Of the subtitles within the film and of those beside it.
const WORDS: [&str; 2] = ["Good evening", "Guten Abend"];
/// What a stranger called a track to break whoever writes it into a list, and what is left of it.
const HOSTILE: &str = "L'original, \"VF\" <b>\n#EXT-X-ENDLIST,URI=\"x";
const HOSTILE_LEFT: &str = "L'original, VF b #EXT-X-ENDLIST,URI=x";

/// The tracks of the film by their names, each with the tone that is heard in it, in hertz: the first in stereo and 5.1, the others in stereo.
const SOUNDS: [(&str, u32); 4] = [
    ("English", 440),
    (HOSTILE_LEFT, 660),
    ("Deutsch", 880),
    ("Director's commentary", 1_100),
];

/// A film with two rungs, four sound tracks, subtitles within and beside it, and somebody who may watch it.
struct Evening {
    cluster: Cluster,
    hls: String,
    /// Of what is not encrypted.
    dash: Option<String>,
}

impl Evening {
    async fn begin() -> Self {
        Self::of_film("off").await
    }

    /// The film is stored as `streaming.encryption` says.
    async fn of_film(encryption: &str) -> Self {
        let settings = file(
            "kinora.toml",
            format!("[streaming]\nencryption = \"{encryption}\"\n").as_bytes(),
        );
        let settings = settings.path.to_string_lossy();
        let cluster = Cluster::launched(|_| (), |launch| launch.words(&["--config", &settings]));
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let folder = folder.path().to_string_lossy();
        cluster
            .command(&["import", "folder", &folder, "--config", &settings])
            .ok();
        let viewer = cluster.viewer("ann").await;
        let title = found(&viewer, "Heat").await;
        let job = ended_job(&cluster.admin().await, &title).await;
        assert_eq!(job["state"], "done", "{job:#}");
        let playback = testkit::until("the title to be playable", crate::LONG, async || {
            let answer = viewer.post("/playback", &json!({ "title_id": title })).await;
            answer.status.is_success().then(|| answer.ok())
        })
        .await;
        let address = |name: &str| Some(format!("{}{}", cluster.url(), playback[name].as_str()?));
        let (hls, dash) = (address("hls_url").unwrap(), address("dash_url"));
        assert_eq!(dash.is_some(), encryption == "off", "{playback}");
        let languages = ["language", "label"].map(|name| [0, 1].map(|at| playback["subtitles"][at][name].clone()));
        assert_eq!(json!(languages), json!([["en", "de"], ["Tom & Jerry's; i", "Deutsch"]]));
        Self { cluster, hls, dash }
    }

    fn shows(&self, player: &str, address: &str, pictures: bool) {
        let script = repository().join("crates/app/tests/browser/players.mjs");
        // Some parsers of HLS take an apostrophe for a quote, so there it is another sign.
        let written = |name: &str| {
            let is_hls = address == self.hls;
            name.replace('\'', if is_hls { "\u{2019}" } else { "'" })
        };
        let audio = SOUNDS.map(|(name, hertz)| json!({ "name": written(name), "hertz": hertz }));
        let surround = json!({ "name": SOUNDS[0].0, "hertz": SOUNDS[0].1, "folders": ["a0", "a1"] });
        let input = json!({
            "player": player, "address": address, "heights": [240, 360], "audio": audio, "surround": surround, "words": WORDS,
            "at": 12, "pictures": pictures,
        });
        eprintln!("{player} plays {address}");
        let seen = Browser::new(self.cluster.url()).run(&script, &input);
        assert_eq!(seen["heights"], json!([240, 360]), "{player} {seen}");
        let mut names: Vec<_> = seen["audio"].as_array().unwrap().iter().map(Value::as_str).collect();
        let expected = SOUNDS.map(|(name, _)| written(name));
        assert_eq!(
            names.first(),
            Some(&Some("English")),
            "what is heard first: {player} {seen}"
        );
        names.sort_unstable();
        let mut expected: Vec<_> = expected.iter().map(|name| Some(name.as_str())).collect();
        expected.sort_unstable();
        assert_eq!(names, expected, "{player} {seen}");
        let subtitles = ["Tom & Jerry's; i", "Deutsch"].map(written);
        assert_eq!(seen["subtitles"], json!(subtitles), "{player} {seen}");
        if pictures {
            is_the_seventh_picture(&seen["picture"], player);
        }
    }
}

/// The film, and a file of subtitles beside it.
fn fill(folder: &Path) {
    let text =
        |words: &str| format!("1\n00:00:01,000 --> 00:00:15,000\n{words}\n\n2\n00:00:16,000 --> 00:00:18,000\n-\n");
    let within = file("subtitles.srt", text(WORDS[0]).as_bytes());
    let mut film = Film::silent("640x360", &RATE.to_string(), SECONDS);
    for (_, hertz) in SOUNDS {
        film = film.tone(hertz, SECONDS);
    }
    film.input(&["-i", &within.path.to_string_lossy()])
        .and(&["-c:s", "srt", "-ac:a:0", "6", "-disposition:a:3", "comment"])
        .and(&["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"])
        .and(&["-metadata:s:a:2", "language=deu", "-metadata:s:a:3", "language=eng"])
        .and(&["-metadata:s:a:1", &format!("title={HOSTILE}")])
        .and(&["-metadata:s:a:3", &format!("title={}", SOUNDS[3].0)])
        .and(&["-metadata:s:s:0", "language=eng"])
        .and(&["-metadata:s:s:0", "title=Tom & \"Jerry\"'s; <i>"])
        .write(&folder.join("Heat (1995).mkv"));
    fs::write(folder.join("Heat (1995).de.srt"), text(WORDS[1])).unwrap();
}

/// At 12 s of one picture every two seconds, six to a line.
fn is_the_seventh_picture(picture: &Value, player: &str) {
    let place = ["x", "y", "width", "height"].map(|name| picture[name].as_f64().unwrap_or(f64::NAN).round());
    assert_eq!(place, [0.0, 90.0, 160.0, 90.0], "{player} {picture}");
    let address = picture["address"].as_str().unwrap_or_default();
    assert!(address.ends_with("/b0/1.jpg"), "{player} {picture}");
}

#[tokio::test]
async fn browser_players_of_others_play_seek_and_switch() {
    let evening = Evening::begin().await;
    let dash = evening.dash.as_deref().unwrap();
    evening.shows("hls.js", &evening.hls, false);
    evening.shows("shaka", &evening.hls, true);
    evening.shows("shaka", dash, true);
    evening.shows("dash.js", dash, true);
    evening.shows("video.js", &evening.hls, false);
}

#[tokio::test]
async fn browser_players_of_others_and_programs_play_what_is_encrypted() {
    let evening = Evening::of_film("aes-128").await;
    every_rung_is_whole(&evening.hls);
    mpv_plays_every_rung(&evening.hls);
    evening.shows("hls.js", &evening.hls, false);
    evening.shows("shaka", &evening.hls, true);
    evening.shows("video.js", &evening.hls, false);
    let dash = evening.hls.replace("master.m3u8", "manifest.mpd");
    let dash = dash.strip_prefix(evening.cluster.url()).unwrap();
    let refused = evening.cluster.anonymous().get(&format!("/{dash}")).await;
    assert_eq!(refused.problem(404), "dash_not_offered");
}

/// Debian's ffmpeg, which mpv reads with too, cannot seek in any HLS of fragmented MP4, not even in its own (mended in 7.1); in DASH it can.
#[tokio::test]
async fn transcode_ffmpeg_and_mpv_play_every_rung_and_seek() {
    let evening = Evening::begin().await;
    let dash = evening.dash.as_deref().unwrap();
    for address in [evening.hls.as_str(), dash] {
        every_rung_is_whole(address);
    }
    let words = [
        "-read_intervals",
        "12%+#1",
        "-select_streams",
        "v:1",
        "-show_entries",
        "packet=pts_time",
    ];
    let sought = ffprobe(&words, dash.as_ref());
    assert_eq!(sought.first().map(String::as_str), Some("12.000000"), "{sought:?}");
    mpv_plays_every_rung(&evening.hls);
    for (rung, height) in [("1", "240"), ("2", "360")] {
        mpv(
            &[&format!("--vid={rung}"), "--start=12", "--length=2", dash],
            &format!("from 12.000000 in {height}, sound en."),
        );
    }
}

fn every_rung_is_whole(address: &str) {
    for (rung, height) in [("v:0", "240"), ("v:1", "360")] {
        let entries = "stream=height,nb_read_frames";
        let words = ["-count_frames", "-select_streams", rung, "-show_entries", entries];
        let counted = ffprobe(&words, address.as_ref());
        let expected = format!("{height},{FRAMES}");
        assert!(counted.contains(&expected), "{address} {rung}: {counted:?}");
    }
}

fn mpv_plays_every_rung(hls: &str) {
    for (rung, height) in [("min", "240"), ("max", "360")] {
        mpv(
            &[&format!("--hls-bitrate={rung}"), hls],
            &format!("from 0.000000 in {height}, sound en."),
        );
    }
}

/// Plays to the end, and says that when it begins.
#[track_caller]
fn mpv(words: &[&str], begins: &str) {
    let played = Command::new("mpv")
        .args(["--no-config", "--vo=null", "--ao=null", "--untimed"])
        .arg("--term-playing-msg=from ${=time-pos} in ${height}, sound ${=current-tracks/audio/lang}.")
        .args(words)
        .output()
        .expect("mpv, which the tests need: apt-get install -y mpv");
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{words:?}: {said}");
    assert!(
        said.contains(begins) && said.contains("End of file"),
        "{words:?}: {said}"
    );
}
