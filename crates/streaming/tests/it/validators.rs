//! Every manifest is read without complaint by the parsers that players stand on, and they all read the same.

use serde_json::{Value, json};
use streaming::{Config, Encryption};
use testkit::films::{Film, file};

use crate::support::House;

fn seconds(facts: &Value) -> f64 {
    facts["seconds"].as_f64().unwrap_or(f64::NAN)
}

#[tokio::test]
async fn every_parser_reads_every_manifest_and_finds_the_same() {
    let subtitles = file("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello & <good> evening\n");
    let words = ["-i", subtitles.path.to_str().unwrap()];
    let named = [
        "-metadata:s:s:0",
        "language=eng",
        "-metadata:s:s:1",
        "title=Tom & Jerry's",
    ];
    let whole = Film::new("640x360", "24000/1001", 7)
        .input(&words)
        .input(&words)
        .and(&["-c:s", "srt"])
        .and(&named);
    let silent = Film::silent("180x320", "30", 3);
    let short = Film::new("320x180", "25", 3);
    for (encryption, film, variants, audio, subtitles) in [
        (Encryption::Off, whole, 2, 1, 2),
        (Encryption::Off, silent, 1, 0, 0),
        (Encryption::Aes128, short, 1, 1, 0),
    ] {
        let mut house = House::with(Config {
            encryption,
            ..Config::default()
        })
        .await;
        let playback = house.play(&film.make("mkv").path).await;
        let folder = house.download(&playback).await;
        let findings = testkit::validators::check(folder.path());
        // Three parsers of HLS, two of DASH; of HLS the main one, and of every rung two more. Of what is encrypted there are no
        // keyframes and there is no DASH.
        let plain = usize::from(encryption == Encryption::Off);
        let hls = 1 + (1 + plain) * variants + audio + subtitles + 1;
        assert_eq!(findings.len(), 3 * hls + 2 * plain);
        for finding in findings {
            assert!(finding.complaints.is_empty(), "{finding:?}");
            let facts = &finding.facts;
            match finding.file.as_str() {
                "master.m3u8" => {
                    let expected = json!({ "variants": variants, "keyframe_variants": plain * variants, "audio": audio, "subtitles": subtitles });
                    assert_eq!(*facts, expected, "{finding:?}");
                }
                "manifest.mpd" => {
                    let said = (&facts["variants"], &facts["audio"], &facts["subtitles"]);
                    assert_eq!(
                        said,
                        (&json!(variants), &json!(audio), &json!(subtitles)),
                        "{finding:?}"
                    );
                    assert_eq!(facts["segments"], playback.duration_ms.div_ceil(2_002), "{finding:?}");
                }
                name => {
                    assert_eq!(facts["ended"], true, "{finding:?}");
                    let key = (plain == 0 && name.starts_with(['v', 'a'])).then_some("AES-128 key");
                    assert_eq!(facts["key"], json!(key), "{finding:?}");
                }
            }
            let length = playback.duration_ms as f64 / 1000.0;
            let is_timed = facts.get("seconds").is_some();
            assert!(
                !is_timed || (seconds(facts) - length).abs() < 0.1,
                "{length}: {finding:?}"
            );
        }
    }
}
