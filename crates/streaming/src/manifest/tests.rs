//! Manifests as they are, to the byte.

use super::*;
use contract::streaming::SubtitleKind;

use crate::asset::{AssetIndex, AudioKind, AudioTrack, INDEX_VERSION, Storyboard, SubtitleTrack, Track, VideoTrack};

fn track(name: &str, codec: &str, timescale: u32, segments: &[(u64, u64)]) -> Track {
    let (name, codec) = (name.to_owned(), codec.to_owned());
    let mut track = Track {
        name,
        codec,
        timescale,
        init_bytes: 800,
        bytes: vec![],
        durations: vec![],
    };
    segments
        .iter()
        .for_each(|&(bytes, duration)| track.push(bytes, duration));
    track
}

fn index() -> AssetIndex {
    let low = track(
        "v0",
        "avc1.640015",
        24_000,
        &[(40_000, 48_048), (75_000, 48_048), (20_000, 24_024)],
    );
    let high = track(
        "v1",
        "avc1.64001f",
        24_000,
        &[(400_000, 48_048), (500_000, 48_048), (100_000, 24_024)],
    );
    let sound = track(
        "a0",
        "mp4a.40.2",
        48_000,
        &[(32_000, 96_256), (32_000, 96_256), (16_000, 47_728)],
    );
    AssetIndex {
        version: INDEX_VERSION,
        duration_ms: 5005,
        frame_rate: (24_000, 1_001),
        video: vec![
            VideoTrack {
                width: 426,
                height: 240,
                keyframes: vec![],
                track: low,
            },
            VideoTrack {
                width: 1280,
                height: 720,
                keyframes: vec![],
                track: high,
            },
        ],
        audio: vec![AudioTrack {
            language: Some("en".into()),
            label: None,
            kind: AudioKind::Main,
            is_default: true,
            channels: 2,
            track: sound,
        }],
        subtitles: vec![],
        storyboard: None,
        chapters: vec![],
        notes: vec![],
        encrypted: false,
    }
}

#[test]
fn the_multivariant_playlist() {
    // Peaks are 75,000 and 500,000 bytes in 2.002 s; for the sound 48,000 in the last two segments, 2.9997 s.
    assert_eq!(
        multivariant(&index()),
        "#EXTM3U\n\
         #EXT-X-VERSION:7\n\
         #EXT-X-INDEPENDENT-SEGMENTS\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a0/index.m3u8\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=427716,AVERAGE-BANDWIDTH=343658,CODECS=\"avc1.640015,mp4a.40.2\",RESOLUTION=426x240,FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO=\"audio\",CLOSED-CAPTIONS=NONE\n\
         v0/index.m3u8\n\
         #EXT-X-STREAM-INF:BANDWIDTH=2126017,AVERAGE-BANDWIDTH=1726275,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO=\"audio\",CLOSED-CAPTIONS=NONE\n\
         v1/index.m3u8\n"
    );
}

#[test]
fn a_media_playlist() {
    assert_eq!(
        playlist(&index(), "v0").unwrap(),
        "#EXTM3U\n\
         #EXT-X-VERSION:7\n\
         #EXT-X-TARGETDURATION:2\n\
         #EXT-X-MEDIA-SEQUENCE:1\n\
         #EXT-X-PLAYLIST-TYPE:VOD\n\
         #EXT-X-INDEPENDENT-SEGMENTS\n\
         #EXT-X-MAP:URI=\"init.mp4\"\n\
         #EXTINF:2.002000,\n1.m4s\n\
         #EXTINF:2.002000,\n2.m4s\n\
         #EXTINF:1.001000,\n3.m4s\n\
         #EXT-X-ENDLIST\n"
    );
}

#[test]
fn a_media_playlist_of_what_is_encrypted() {
    let plain = playlist(&index(), "v0").unwrap();
    let encrypted = AssetIndex {
        encrypted: true,
        ..index()
    };
    let map = "#EXT-X-MAP:URI=\"init.mp4\"\n";
    let key = "#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n";
    assert!(plain.contains(map) && !plain.contains("KEY"));
    // The key comes after the map, or players would decrypt that too; the first segment is number 1, by which they begin to count.
    assert_eq!(
        playlist(&encrypted, "v0").unwrap(),
        plain.replace(map, &format!("{map}{key}"))
    );
    assert!(plain.contains("#EXT-X-MEDIA-SEQUENCE:1\n") && plain.contains("\n1.m4s\n"));
    assert!(playlist(&encrypted, "a0").unwrap().contains(key));
}

#[test]
fn the_presentation_description() {
    let text = presentation(&index());
    assert!(
        text.contains("mediaPresentationDuration=\"PT5.005S\" minBufferTime=\"PT2.002S\""),
        "{text}"
    );
    assert!(
        text.contains("<S t=\"0\" d=\"48048\" r=\"1\"/>\n     <S d=\"24024\" r=\"0\"/>"),
        "{text}"
    );
    assert!(text.contains("<Representation id=\"v1\" codecs=\"avc1.64001f\" bandwidth=\"1998002\" width=\"1280\" height=\"720\" frameRate=\"24000/1001\""), "{text}");
    assert_eq!(text.matches("<SegmentTemplate").count(), 2);
}

#[test]
fn a_short_film_without_sound() {
    let mut index = index();
    index.audio.clear();
    index.video.truncate(1);
    index.video[0].track = track("v0", "avc1.640015", 25, &[(1000, 10)]);
    let text = multivariant(&index);
    assert!(
        text.contains("BANDWIDTH=20000,AVERAGE-BANDWIDTH=20000,CODECS=\"avc1.640015\",") && !text.contains("AUDIO="),
        "{text}"
    );
    assert!(playlist(&index, "v0").unwrap().contains("#EXT-X-TARGETDURATION:1\n"));
}

#[test]
fn the_index_survives_storage_and_stays_small() {
    let index = index();
    let text = serde_json::to_string(&index).unwrap();
    assert_eq!(serde_json::from_str::<AssetIndex>(&text).unwrap(), index);
    assert!(text.contains("\"durations\":[[48048,2],[24024,1]]"), "{text}");
    assert_eq!(
        (index.bytes(), index.height()),
        (40_000 + 75_000 + 20_000 + 1_000_000 + 80_000 + 3 * 800, 720)
    );
}

/// Everything that an index can say.
fn whole() -> AssetIndex {
    let mut index = index();
    index.video[0].keyframes = vec![9_000, 12_000, 8_000];
    index.video[1].keyframes = vec![90_000, 120_000, 0];
    let sound = |name: &str, language: Option<&str>, kind, channels| AudioTrack {
        language: language.map(Into::into),
        label: None,
        kind,
        is_default: false,
        channels,
        track: track(name, "mp4a.40.2", 48_000, &[(32_000 * u64::from(channels), 240_240)]),
    };
    index.audio = vec![
        sound("a0", Some("de"), AudioKind::Main, 2),
        sound("a1", Some("en"), AudioKind::Main, 2),
        sound("a2", Some("en"), AudioKind::Main, 6),
        sound("a3", Some("en"), AudioKind::Commentary, 2),
        sound("a4", None, AudioKind::Description, 2),
        sound("a5", Some("de"), AudioKind::Main, 2),
    ];
    index.audio[1].is_default = true;
    index.audio[2].is_default = true;
    let text = |name: &str, label: &str, kind| SubtitleTrack {
        name: name.into(),
        language: Some("en".into()),
        label: label.into(),
        kind,
        bytes: 1_001,
    };
    index.subtitles = vec![
        text("s0", "Tom & Jerry's", SubtitleKind::Subtitles),
        text("s1", "English (SDH)", SubtitleKind::Captions),
        text("s2", "English \"forced\"", SubtitleKind::Forced),
    ];
    index.storyboard = Some(Storyboard {
        name: "b0".into(),
        width: 160,
        height: 90,
        columns: 2,
        rows: 1,
        interval_ms: 2_002,
        pictures: 3,
        bytes: vec![9_000, 5_000],
    });
    index
}

#[test]
fn tracks_and_their_encodings_are_members_and_groups() {
    let text = multivariant(&whole());
    let audio: Vec<_> = text.lines().filter(|line| line.contains("TYPE=AUDIO")).collect();
    // Every group has all members: where there is no better encoding, the one that there is.
    assert_eq!(audio.len(), 2 * 5, "{text}");
    let expected = [
        "\"audio-2\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a1/index.m3u8\"",
        "\"audio-2\",NAME=\"Deutsch\",LANGUAGE=\"de\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a0/index.m3u8\"",
        "\"audio-2\",NAME=\"English (Commentary)\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=NO,CHANNELS=\"2\",URI=\"a3/index.m3u8\"",
        "\"audio-2\",NAME=\"Audio description\",DEFAULT=NO,AUTOSELECT=YES,CHARACTERISTICS=\"public.accessibility.describes-video\",CHANNELS=\"2\",URI=\"a4/index.m3u8\"",
        "\"audio-2\",NAME=\"Deutsch 2\",LANGUAGE=\"de\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a5/index.m3u8\"",
        "\"audio-6\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"6\",URI=\"a2/index.m3u8\"",
        "\"audio-6\",NAME=\"Deutsch\",LANGUAGE=\"de\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a0/index.m3u8\"",
    ];
    for (line, expected) in audio.iter().zip(expected) {
        assert_eq!(*line, format!("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID={expected}"));
    }
    let variants: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("#EXT-X-STREAM-INF"))
        .collect();
    assert_eq!(variants.len(), 4, "{text}");
    assert!(
        variants[0].ends_with(",AUDIO=\"audio-2\",SUBTITLES=\"subtitles\",CLOSED-CAPTIONS=NONE")
            && variants[3].contains(",AUDIO=\"audio-6\""),
        "{text}"
    );
}

/// Two minutes in two languages in stereo and 5.1, one in stereo alone, and a commentary.
fn two_groups() -> AssetIndex {
    let even = |name: &str, codec: &str, bytes: u64| track(name, codec, 24_000, &[(bytes, 48_000); 60]);
    let rung = |name: &str, codec: &str, (width, height), bytes: u64, keyframe: u64| VideoTrack {
        width,
        height,
        keyframes: vec![keyframe; 60],
        track: even(name, codec, bytes),
    };
    let sound = |name: &str, language: &str, channels: u16| AudioTrack {
        language: Some(language.into()),
        label: None,
        kind: AudioKind::Main,
        is_default: language == "en",
        channels,
        track: even(name, "mp4a.40.2", u64::from(channels) * 16_000),
    };
    let commentary = AudioTrack {
        label: Some("Commentary by the director".into()),
        kind: AudioKind::Commentary,
        is_default: false,
        ..sound("a5", "en", 2)
    };
    AssetIndex {
        duration_ms: 120_000,
        frame_rate: (24, 1),
        video: vec![
            rung("v0", "avc1.64000d", (320, 180), 60_000, 9_000),
            rung("v1", "avc1.64001e", (640, 360), 260_000, 40_000),
        ],
        audio: vec![
            sound("a0", "en", 2),
            sound("a1", "en", 6),
            sound("a2", "fr", 2),
            sound("a3", "fr", 6),
            sound("a4", "de", 2),
            commentary,
        ],
        subtitles: vec![SubtitleTrack {
            name: "s0".into(),
            language: Some("en".into()),
            label: "English".into(),
            kind: SubtitleKind::Subtitles,
            bytes: 1_000,
        }],
        storyboard: Some(Storyboard {
            name: "b0".into(),
            width: 160,
            height: 90,
            columns: 5,
            rows: 5,
            interval_ms: 5_000,
            pictures: 24,
            bytes: vec![150_000],
        }),
        ..index()
    }
}

/// The page's tests play a film by this file.
#[test]
fn a_playlist_of_two_groups_is_what_the_page_is_tested_with() {
    assert_eq!(multivariant(&two_groups()), include_str!("two-groups.m3u8"));
}

#[test]
fn subtitles_keyframes_and_pictures_have_their_lines() {
    let text = multivariant(&whole());
    for line in [
        "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subtitles\",NAME=\"Tom & Jerry\u{2019}s\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI=\"s0/index.m3u8\"",
        "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subtitles\",NAME=\"English forced\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI=\"s2/index.m3u8\"",
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=63937,AVERAGE-BANDWIDTH=46354,CODECS=\"avc1.640015\",RESOLUTION=426x240,VIDEO-RANGE=SDR,URI=\"v0/iframes.m3u8\"",
        "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=39961,CODECS=\"jpeg\",RESOLUTION=160x90,URI=\"b0/index.m3u8\"",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    // Of the other rung it is not known where every keyframe ends.
    assert_eq!(text.matches("#EXT-X-I-FRAME-STREAM-INF").count(), 1, "{text}");
    let whole = whole();
    assert_eq!(keyframe_playlist(&whole.video[1]), None);
    let keyframes = keyframe_playlist(&whole.video[0]).unwrap();
    assert!(
        keyframes.contains(
            "#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2.002000,\n#EXT-X-BYTERANGE:9000@0\n1.m4s\n"
        ),
        "{keyframes}"
    );
    assert_eq!(
        playlist(&whole, "s1").unwrap(),
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n\
         #EXTINF:5.005000,\n1.vtt\n#EXT-X-ENDLIST\n"
    );
    assert_eq!(playlist(&whole, "s3"), None);
    assert_eq!(
        storyboard_cues(whole.storyboard.as_ref().unwrap(), whole.duration_ms),
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.002\n1.jpg#xywh=0,0,160,90\n\n00:00:02.002 --> 00:00:04.004\n1.jpg#xywh=160,0,160,90\n\n\
         00:00:04.004 --> 00:00:05.005\n2.jpg#xywh=0,0,160,90\n"
    );
}

#[test]
fn the_presentation_description_of_everything() {
    let text = presentation(&whole());
    assert_eq!(text.matches("contentType=\"audio\"").count(), 6, "{text}");
    for part in [
        "<Label>Tom &amp; Jerry's</Label>",
        "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>",
        "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"commentary\"/>",
        "<Label>English (SDH)</Label>\n   <Accessibility schemeIdUri=\"urn:tva:metadata:cs:AudioPurposeCS:2007\" value=\"2\"/>",
        "<Representation id=\"s0\" bandwidth=\"1600\">\n    <BaseURL>s0/1.vtt</BaseURL>",
        "duration=\"4004\" startNumber=\"1\" media=\"$RepresentationID$/$Number$.jpg\"/>\n   <Representation id=\"b0\" bandwidth=\"39961\" width=\"320\" height=\"90\">",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
