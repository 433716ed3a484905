//! Every manifest is read without complaint by the parsers that players stand on, and they all read the same.

use contract::{
    Blob,
    streaming::{AddSubtitles, ByName, Streaming as _, SubtitleKind},
};
use serde_json::{Value, json};
use streaming::{Config, Encryption};
use testkit::{
    films::{Film, Made, file},
    validators::Finding,
};

use crate::support::{House, TITLE};

fn seconds(facts: &Value) -> f64 {
    facts["seconds"].as_f64().unwrap_or(f64::NAN)
}

/// How many of each there are. HLS has every rung once for each group and every track once within it, DASH every encoding of a track.
struct Offered {
    rungs: usize,
    groups: usize,
    tracks: usize,
    encodings: usize,
    subtitles: usize,
}

impl Offered {
    fn plain(rungs: usize, tracks: usize) -> Self {
        Self {
            rungs,
            groups: 1,
            tracks,
            encodings: tracks,
            subtitles: 0,
        }
    }
}

/// A film in English in stereo and 5.1, in French and with a commentary, and subtitles, under names that are to break lists.
fn whole() -> Made {
    let subtitles = file("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello & <good> evening\n");
    let words = ["-i", subtitles.path.to_str().unwrap()];
    Film::new("640x360", "24000/1001", 7)
        .tone(660, 7)
        .tone(880, 7)
        .input(&words)
        .input(&words)
        .and(&["-c:s", "srt", "-ac:a:0", "6", "-disposition:a:2", "comment"])
        .and(&["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"])
        .and(&["-metadata:s:a:1", "title=L'original, \"VF\"\n#EXT-X-ENDLIST,URI=\"x"])
        .and(&["-metadata:s:a:2", "title=</Label><Label>A \"commentary\" & more"])
        .and(&["-metadata:s:s:0", "language=eng"])
        .and(&["-metadata:s:s:1", "title=Tom & Jerry's"])
        .make("mkv")
}

/// A file beside the film, which says nothing of its language but what it is called.
async fn add_beside(house: &House) {
    let file = AddSubtitles {
        title: TITLE,
        origin: "beside".into(),
        filename: "\"Film\",NAME=&amp;.srt".into(),
        language: Some("deu".into()),
        kind: SubtitleKind::Captions,
        by_name: ByName::default(),
        body: Blob(b"1\n00:00:01,000 --> 00:00:02,000\nGuten Abend\n".to_vec()),
    };
    house.room.add_subtitles(file).await.unwrap();
}

#[tokio::test]
async fn every_parser_reads_every_manifest_and_finds_the_same() {
    let rich = Offered {
        rungs: 2,
        groups: 2,
        tracks: 3,
        encodings: 4,
        subtitles: 3,
    };
    let silent = Film::silent("180x320", "30", 3).make("mkv");
    let short = Film::new("320x180", "25", 3).make("mkv");
    for (encryption, film, offered) in [
        (Encryption::Off, whole(), rich),
        (Encryption::Off, silent, Offered::plain(1, 0)),
        (Encryption::Aes128, short, Offered::plain(1, 1)),
    ] {
        let mut house = House::with(Config {
            encryption,
            ..Config::default()
        })
        .await;
        let playback = house.play(&film.path).await;
        if offered.subtitles > 0 {
            add_beside(&house).await;
        }
        let folder = house.download(&playback).await;
        let findings = testkit::validators::check(folder.path());
        // Three parsers of HLS, two of DASH; of HLS the main one, and of every rung two more. Of what is encrypted there are no
        // keyframes and there is no DASH.
        let plain = usize::from(encryption == Encryption::Off);
        let hls = 1 + (1 + plain) * offered.rungs + offered.encodings + offered.subtitles + 1;
        assert_eq!(findings.len(), 3 * hls + 2 * plain);
        for finding in findings {
            says(&finding, &offered, plain, playback.duration_ms);
        }
    }
}

/// Without a complaint, and all that there is; `plain` is 1 for what is not encrypted.
fn says(finding: &Finding, offered: &Offered, plain: usize, duration_ms: u64) {
    assert!(finding.complaints.is_empty(), "{finding:?}");
    let facts = &finding.facts;
    let Offered {
        rungs,
        groups,
        tracks,
        encodings,
        subtitles,
    } = *offered;
    match finding.file.as_str() {
        "master.m3u8" => {
            let expected = json!({
                "variants": groups * rungs, "keyframe_variants": plain * rungs, "audio": tracks, "subtitles": subtitles,
            });
            assert_eq!(*facts, expected, "{finding:?}");
        }
        "manifest.mpd" => {
            // One of them takes what is called the same for one.
            let audio = if finding.parser == "mpd-parser" {
                tracks
            } else {
                encodings
            };
            let said = (&facts["variants"], &facts["audio"], &facts["subtitles"]);
            assert_eq!(said, (&json!(rungs), &json!(audio), &json!(subtitles)), "{finding:?}");
            assert_eq!(facts["segments"], duration_ms.div_ceil(2_002), "{finding:?}");
        }
        name => {
            assert_eq!(facts["ended"], true, "{finding:?}");
            let key = (plain == 0 && name.starts_with(['v', 'a'])).then_some("AES-128 key");
            assert_eq!(facts["key"], json!(key), "{finding:?}");
        }
    }
    let length = duration_ms as f64 / 1000.0;
    let is_timed = facts.get("seconds").is_some();
    assert!(
        !is_timed || (seconds(facts) - length).abs() < 0.1,
        "{length}: {finding:?}"
    );
}
