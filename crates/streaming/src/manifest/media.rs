//! HLS media playlists: the segments of a rendition, the keyframes of a rung, a file of subtitles, the sheets of a storyboard.

use std::fmt::Write as _;

use super::{bandwidth, storyboard};
use crate::asset::{AssetIndex, Track, VideoTrack};

/// `v0/index.m3u8`, `a0/index.m3u8`, `s0/index.m3u8`, `b0/index.m3u8`.
pub fn playlist(index: &AssetIndex, name: &str) -> Option<String> {
    if let Some(track) = index.track(name) {
        return Some(segments(track, index.encrypted));
    }
    if index.subtitles_named(name).is_some() {
        return Some(subtitles(index.duration_ms));
    }
    let storyboard = index.storyboard_named(name)?;
    Some(storyboard::image_playlist(storyboard, index.duration_ms))
}

/// With durations from the segments' own timestamps. A key stands behind the initialisation segment, which it is not for; the vector of
/// each segment is its number, as nothing else is said.
fn segments(track: &Track, encrypted: bool) -> String {
    let mut text = String::with_capacity(160 + track.bytes.len() * 32);
    begin(&mut text, bandwidth::target_duration(track));
    text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n");
    if encrypted {
        text.push_str("#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n");
    }
    for segment in track.segments() {
        let seconds = track.seconds(segment.duration);
        let _ = writeln!(text, "#EXTINF:{seconds:.6},\n{}.m4s", segment.number);
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// `v0/iframes.m3u8`, for winding and scrubbing: of every segment its beginning, which is a picture that stands by itself. `None`: an
/// index that does not know where it ends.
pub fn keyframe_playlist(video: &VideoTrack) -> Option<String> {
    let track = keyframes(video)?;
    let mut text = String::with_capacity(160 + track.bytes.len() * 64);
    begin(&mut text, bandwidth::target_duration(&track));
    text.push_str("#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"init.mp4\"\n");
    for segment in track.segments() {
        let seconds = track.seconds(segment.duration);
        let _ = writeln!(
            text,
            "#EXTINF:{seconds:.6},\n#EXT-X-BYTERANGE:{}@0\n{}.m4s",
            segment.bytes, segment.number
        );
    }
    text.push_str("#EXT-X-ENDLIST\n");
    Some(text)
}

/// The rung with nothing but the first picture of each segment.
pub(super) fn keyframes(video: &VideoTrack) -> Option<Track> {
    let is_known = video.keyframes.len() == video.track.bytes.len() && !video.keyframes.contains(&0);
    is_known.then(|| Track {
        bytes: video.keyframes.clone(),
        ..video.track.clone()
    })
}

/// One segment: WebVTT stands by itself only as a whole.
fn subtitles(duration_ms: u64) -> String {
    let mut text = String::new();
    begin(&mut text, duration_ms.div_ceil(1000).max(1));
    let seconds = duration_ms as f64 / 1000.0;
    let _ = write!(text, "#EXTINF:{seconds:.6},\n1.vtt\n#EXT-X-ENDLIST\n");
    text
}

fn begin(text: &mut String, target_s: u64) {
    let _ = write!(
        text,
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{target_s}\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    );
}
