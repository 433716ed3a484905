//! The DASH media presentation description, over the same segments as HLS.

use std::fmt::Write as _;

use super::bandwidth;
use crate::asset::{AssetIndex, AudioTrack, Track, VideoTrack};

/// `manifest.mpd`.
pub fn presentation(index: &AssetIndex) -> String {
    let longest = index
        .video
        .iter()
        .flat_map(|video| longest_seconds(&video.track))
        .fold(2.0, f64::max);
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = write!(
        text,
        "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" type=\"static\" \
         mediaPresentationDuration=\"PT{:.3}S\" minBufferTime=\"PT{longest:.3}S\">\n <Period id=\"0\" start=\"PT0S\">\n",
        index.duration_ms as f64 / 1000.0
    );
    if let Some(first) = index.video.first() {
        video_set(&mut text, index, first);
    }
    for (position, audio) in index.audio.iter().enumerate() {
        audio_set(&mut text, audio, position + 1);
    }
    text.push_str(" </Period>\n</MPD>\n");
    text
}

fn longest_seconds(track: &Track) -> Option<f64> {
    track
        .durations
        .iter()
        .map(|&(ticks, _)| track.seconds(ticks))
        .max_by(f64::total_cmp)
}

/// All rungs have the same segments in time, so one timeline serves them.
fn video_set(text: &mut String, index: &AssetIndex, first: &VideoTrack) {
    text.push_str(
        "  <AdaptationSet id=\"0\" contentType=\"video\" mimeType=\"video/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">\n",
    );
    template(text, &first.track);
    let (frames, seconds) = index.frame_rate;
    for video in &index.video {
        let _ = writeln!(
            text,
            "   <Representation id=\"{}\" codecs=\"{}\" bandwidth=\"{}\" width=\"{}\" height=\"{}\" frameRate=\"{frames}/{seconds}\" \
             sar=\"1:1\"/>",
            video.track.name,
            video.track.codec,
            bandwidth::measure(&video.track).peak,
            video.width,
            video.height
        );
    }
    text.push_str("  </AdaptationSet>\n");
}

fn audio_set(text: &mut String, audio: &AudioTrack, id: usize) {
    let _ = write!(
        text,
        "  <AdaptationSet id=\"{id}\" contentType=\"audio\" mimeType=\"audio/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\""
    );
    if let Some(language) = &audio.language {
        let _ = write!(text, " lang=\"{language}\"");
    }
    text.push_str(">\n");
    template(text, &audio.track);
    let _ = write!(
        text,
        "   <Representation id=\"{}\" codecs=\"{}\" bandwidth=\"{}\" audioSamplingRate=\"{}\">\n    \
         <AudioChannelConfiguration schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"{}\"/>\n   \
         </Representation>\n  </AdaptationSet>\n",
        audio.track.name,
        audio.track.codec,
        bandwidth::measure(&audio.track).peak,
        audio.track.timescale,
        audio.channels
    );
}

fn template(text: &mut String, track: &Track) {
    let _ = write!(
        text,
        "   <SegmentTemplate timescale=\"{}\" startNumber=\"1\" initialization=\"$RepresentationID$/init.mp4\" \
         media=\"$RepresentationID$/$Number$.m4s\">\n    <SegmentTimeline>\n",
        track.timescale
    );
    let mut start = " t=\"0\"";
    for &(ticks, count) in &track.durations {
        let _ = writeln!(text, "     <S{start} d=\"{ticks}\" r=\"{}\"/>", count - 1);
        start = "";
    }
    text.push_str("    </SegmentTimeline>\n   </SegmentTemplate>\n");
}
