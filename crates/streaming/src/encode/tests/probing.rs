//! What is made of ffprobe's answers, the strange ones included.

use std::io;

use contract::Fault;
use platform::{blob::BlobError, jobs::Failure};
use proptest::prelude::*;

use crate::asset::AudioKind;
use crate::encode::{
    explain, package,
    probe::{Answer, Source},
    sandbox::{Ended, SandboxError},
    sniff,
};

fn source(streams: &str) -> Result<Source, String> {
    let json = format!("{{\"streams\":[{streams}],\"format\":{{\"duration\":\"10.5\"}}}}");
    let answer: Answer = serde_json::from_str(&json).unwrap();
    answer.source().map_err(|failure| failure.text)
}

const SOUND: &str = r#"{"index":1,"codec_type":"audio","codec_name":"aac","tags":{"language":"eng"}}"#;

fn video(more: &str) -> String {
    format!(
        r#"{{"index":0,"codec_type":"video","codec_name":"h264","width":1920,"height":1080,"avg_frame_rate":"25/1"{more}}}"#
    )
}

#[test]
fn sizes_are_as_shown() {
    let size = |more: &str| {
        let video = source(&video(more)).unwrap().video;
        (video.width, video.height)
    };
    assert_eq!(size(""), (1920, 1080));
    assert_eq!(size(r#","side_data_list":[{"rotation":-90}]"#), (1080, 1920));
    assert_eq!(
        size(r#","side_data_list":[{"side_data_type":"x"},{"rotation":270}]"#),
        (1080, 1920)
    );
    assert_eq!(size(r#","side_data_list":[{"rotation":180}]"#), (1920, 1080));
    assert_eq!(size(r#","sample_aspect_ratio":"4:3""#), (2560, 1080));
    assert_eq!(size(r#","sample_aspect_ratio":"0:1""#), (1920, 1080));
    assert_eq!(
        size(r#","sample_aspect_ratio":"1:4000000000""#),
        (1920, 1080),
        "nonsense is not believed"
    );
}

#[test]
fn the_default_tracks_are_taken() {
    let other =
        r#"{"index":2,"codec_type":"audio","codec_name":"ac3","tags":{"language":"deu"},"disposition":{"default":1}}"#;
    let cover = r#"{"index":3,"codec_type":"video","codec_name":"mjpeg","width":600,"height":600,"disposition":{"attached_pic":1}}"#;
    let found = source(&[cover, &video(""), SOUND, other].join(",")).unwrap();
    assert_eq!((found.video.stream, found.duration_s), (0, Some(10.5)));
    assert_eq!(
        found.audio.first().map(|audio| (audio.stream, audio.language.clone())),
        Some((2, Some("de".into())))
    );
    // What a person wrote into a tag is nothing that may stand in a manifest.
    let hostile = r#"{"index":1,"codec_type":"audio","codec_name":"aac","tags":{"language":"e\"\n#EXT"}}"#;
    assert_eq!(
        source(&[&video(""), hostile].join(",")).unwrap().audio[0].language,
        None
    );
}

#[test]
fn sixteen_sound_tracks_are_kept_with_what_they_are_for_and_the_rest_is_said() {
    let track = |index: usize| {
        let for_whom = match index {
            3 => r#""comment":1"#,
            4 => r#""visual_impaired":1"#,
            90 => r#""default":1"#,
            _ => "",
        };
        format!(
            r#"{{"index":{index},"codec_type":"audio","codec_name":"aac","channels":6,"tags":{{"language":"fra","title":"Nr. {index}"}},
            "disposition":{{{for_whom}}}}}"#
        )
    };
    let streams = std::iter::once(video(""))
        .chain((1..=100).map(track))
        .collect::<Vec<_>>();
    let found = source(&streams.join(",")).unwrap();
    let kept: Vec<_> = found.audio.iter().map(|audio| audio.stream).collect();
    assert_eq!(kept, [90, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    assert_eq!(found.notes, ["84 of 100 sound tracks were left out; 16 are kept."]);
    assert!(found.audio[0].is_default && !found.audio[1].is_default);
    assert_eq!(
        (found.audio[3].kind, found.audio[4].kind),
        (AudioKind::Commentary, AudioKind::Description)
    );
    assert_eq!(
        (found.audio[1].label.as_deref(), found.audio[1].channels),
        (Some("Nr. 1"), 6)
    );
    let odd = SOUND.replace("aac", "wmavoice");
    let found = source(&[video(""), SOUND.into(), odd].join(",")).unwrap();
    assert_eq!(
        (found.audio.len(), found.notes[0].as_str()),
        (1, "1 of 2 sound tracks are coded in a way that Kinora does not decode.")
    );
}

#[test]
fn as_long_as_the_longer_of_the_two_streams_that_are_taken() {
    let length = |picture: &str, sound: &str| {
        let sound = SOUND.replace("\"tags\"", &format!("{sound}\"tags\""));
        source(&[video(picture), sound].join(",")).unwrap().duration_s
    };
    assert_eq!(length(r#","duration":"8.0""#, r#""duration":"9.0","#), Some(9.0));
    assert_eq!(length("", r#""duration":"9.0","#), Some(9.0));
    assert_eq!(length("", ""), Some(10.5), "the container, where neither says");
    let tag = |text: &str| length(&format!(r#","tags":{{{text}}}"#), "");
    assert_eq!(tag(r#""DURATION":"00:00:08.250000000""#), Some(8.25));
    assert_eq!(tag(r#""DURATION-eng":"00:00:07.000000000""#), Some(7.0));
    assert_eq!(
        tag(r#""DURATION":"00:00:08.000000000","DURATION-eng":"00:00:09.000000000""#),
        Some(8.0)
    );
    // A film that was cut out of a longer one, whose tags nobody mended.
    assert_eq!(tag(r#""DURATION-eng":"02:00:00.000000000""#), Some(10.5));
    for nonsense in ["", "8", "a:b:c", "00:00:-1", "00:00:nan", "00:00:00"] {
        assert_eq!(tag(&format!(r#""DURATION":"{nonsense}""#)), Some(10.5), "{nonsense}");
    }
}

#[test]
fn what_cannot_be_encoded_is_said() {
    let words = |streams: &str| source(streams).unwrap_err();
    assert_eq!(words(SOUND), "There is no picture in this file: it has only sound.");
    assert_eq!(words(""), "There is neither picture nor sound in this file.");
    let exotic = video("").replace("h264", "sheervideo");
    assert!(words(&exotic).starts_with("The picture is coded as sheervideo, which Kinora does not decode"));
    let blank = video("").replace("1920", "0");
    assert!(words(&blank).starts_with("The file ends early or is damaged"));
    let vast = video("").replace("1920", "60000");
    assert!(words(&vast).starts_with("The picture is larger than"));
    let many = vec![SOUND; 300].join(",");
    assert!(words(&many).starts_with("This file holds more streams"));
}

#[test]
fn failures_of_the_machine_are_told_apart_from_those_of_the_file() {
    let explained = |status, words: &str| {
        explain::encoding(&Ended {
            status,
            words: words.into(),
        })
    };
    let full = explained(1, "av_interleaved_write_frame(): No space left on device");
    assert_eq!(
        (full.text.as_str(), full.retry),
        ("Storage is full; free space and retry.", false)
    );
    assert!(explained(137, "").retry);
    assert!(explained(1, "Cannot allocate memory").retry);
    assert!(!explained(1, "Invalid data found when processing input").retry);
    let probed = explain::unreadable(&Ended {
        status: 1,
        words: "film.mp4: Cannot allocate memory".into(),
    });
    assert!(!probed.retry, "{}", probed.text);
    let unknown = explained(1, "first\nlast words\u{7}\n\n");
    assert!(unknown.retry && unknown.text.ends_with(": last words"), "{unknown:?}");
}

#[test]
fn every_failure_says_what_to_do_and_no_more_than_people_should_read() {
    let ended = |status: i32, words: &str| Ended {
        status,
        words: words.into(),
    };
    let io = |kind: io::ErrorKind| explain::io(&kind.into());
    let failures = [
        explain::encoding(&ended(1, "Conversion failed!")),
        explain::encoding(&ended(1, "")),
        explain::encoding(&ended(1, "Invalid data found when processing input")),
        explain::encoding(&ended(1, "moov atom not found")),
        explain::encoding(&ended(255, "")),
        explain::encoding(&ended(153, "")),
        explain::encoding(&ended(137, "")),
        explain::encoding(&ended(1, "Cannot allocate memory")),
        explain::encoding(&ended(1, "bwrap: No permissions to create new namespace")),
        explain::sandbox(&SandboxError::TooLong(900)),
        explain::sandbox(&SandboxError::Silent(180)),
        explain::sandbox(&SandboxError::TooMuch),
        explain::sandbox(&SandboxError::Io(io::ErrorKind::StorageFull.into())),
        io(io::ErrorKind::Other),
        io(io::ErrorKind::PermissionDenied),
        io(io::ErrorKind::ReadOnlyFilesystem),
        explain::blob(BlobError::Fault(Fault::Unavailable("connection refused".into()))),
        explain::blob(BlobError::NotFound("assets/1/v0/init.mp4".into())),
        explain::fault(Fault::Internal("no such column: x".into())),
        explain::fault(Fault::Unavailable("database is locked".into())),
        explain::fault(Fault::StorageFull("12 bytes".into())),
        package::broken("a rung is missing"),
    ];
    let to_do = ["etry", "Ask ", "ask ", "Make or copy", "upload it again"];
    for Failure { text, .. } in &failures {
        assert!(to_do.iter().any(|words| text.contains(words)), "{text}");
        assert!(
            text.ends_with(|last: char| !last.is_control()) && !text.contains('\n'),
            "{text}"
        );
        assert!(!text.contains("column") && !text.contains("database is"), "{text}");
    }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(json in "\\PC{0,200}") {
        if let Ok(answer) = serde_json::from_str::<Answer>(&json) {
            answer.source().ok();
        }
    }

    #[test]
    fn no_start_of_a_file_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        sniff::refuse(&bytes);
    }
}
