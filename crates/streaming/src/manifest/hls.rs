//! HLS playlists.

use std::fmt::Write as _;

use super::bandwidth::{self, Bandwidth};
use crate::asset::{AssetIndex, AudioTrack, Track, VideoTrack};

/// `master.m3u8`: which renditions there are. The lowest comes first, since simple players begin with the first.
pub fn multivariant(index: &AssetIndex) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for (position, audio) in index.audio.iter().enumerate() {
        audio_rendition(&mut text, audio, position == 0);
    }
    // Whichever of the audio renditions is chosen, the variant's figures hold.
    let loudest = index
        .audio
        .iter()
        .map(|audio| bandwidth::measure(&audio.track))
        .max_by_key(|rate| rate.peak);
    for video in &index.video {
        variant(&mut text, index, video, loudest.unwrap_or_default());
    }
    text
}

fn audio_rendition(text: &mut String, audio: &AudioTrack, is_default: bool) {
    let language = audio.language.as_deref();
    let _ = write!(
        text,
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"{}\"",
        language.unwrap_or("main")
    );
    if let Some(language) = language {
        let _ = write!(text, ",LANGUAGE=\"{language}\"");
    }
    let yes_or_no = if is_default { "YES" } else { "NO" };
    let _ = writeln!(
        text,
        ",DEFAULT={yes_or_no},AUTOSELECT=YES,CHANNELS=\"{}\",URI=\"{}/index.m3u8\"",
        audio.channels, audio.track.name
    );
}

fn variant(text: &mut String, index: &AssetIndex, video: &VideoTrack, audio: Bandwidth) {
    let rate = bandwidth::measure(&video.track) + audio;
    let codecs: Vec<&str> = std::iter::once(video.track.codec.as_str())
        .chain(index.audio.first().map(|audio| audio.track.codec.as_str()))
        .collect();
    let (frames, seconds) = index.frame_rate;
    let _ = write!(
        text,
        "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\",RESOLUTION={}x{},FRAME-RATE={:.3}",
        rate.peak,
        rate.average,
        codecs.join(","),
        video.width,
        video.height,
        f64::from(frames) / f64::from(seconds)
    );
    if !index.audio.is_empty() {
        text.push_str(",AUDIO=\"audio\"");
    }
    let _ = writeln!(text, "\n{}/index.m3u8", video.track.name);
}

/// `v0/index.m3u8`, `a0/index.m3u8`: the segments of one rendition, with durations from their own timestamps.
pub fn media_playlist(track: &Track) -> String {
    let mut text = String::with_capacity(160 + track.bytes.len() * 32);
    let _ = write!(
        text,
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n\
         #EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n",
        bandwidth::target_duration(track)
    );
    for segment in track.segments() {
        let _ = writeln!(
            text,
            "#EXTINF:{:.6},\n{}.m4s",
            track.seconds(segment.duration),
            segment.number
        );
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}
