//! Manifests as they are, to the byte.

use super::*;
use crate::asset::{AssetIndex, AudioKind, AudioTrack, INDEX_VERSION, Track, VideoTrack};

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
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"en\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a0/index.m3u8\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=427716,AVERAGE-BANDWIDTH=343658,CODECS=\"avc1.640015,mp4a.40.2\",RESOLUTION=426x240,FRAME-RATE=23.976,AUDIO=\"audio\"\n\
         v0/index.m3u8\n\
         #EXT-X-STREAM-INF:BANDWIDTH=2126017,AVERAGE-BANDWIDTH=1726275,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=23.976,AUDIO=\"audio\"\n\
         v1/index.m3u8\n"
    );
}

#[test]
fn a_media_playlist() {
    assert_eq!(
        media_playlist(&index().video[0].track),
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
        text.contains("BANDWIDTH=20000,AVERAGE-BANDWIDTH=20000,CODECS=\"avc1.640015\",") && !text.contains("AUDIO"),
        "{text}"
    );
    assert!(media_playlist(&index.video[0].track).contains("#EXT-X-TARGETDURATION:1\n"));
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
