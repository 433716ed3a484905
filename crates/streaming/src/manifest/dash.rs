//! The DASH media presentation description, over the same segments as HLS.

use std::fmt::Write as _;

use contract::streaming::SubtitleKind;

use super::{
    audio::{self, Member},
    bandwidth, storyboard,
};
use crate::asset::{AssetIndex, AudioKind, AudioTrack, Storyboard, SubtitleTrack, Track, VideoTrack};

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
    let members = audio::members(index);
    let sounds = members
        .iter()
        .flat_map(|member| member.encodings.iter().map(move |track| (member, *track)));
    let mut id = 0;
    let mut next = || {
        id += 1;
        id
    };
    sounds.for_each(|(member, track)| audio_set(&mut text, member, track, next()));
    index
        .subtitles
        .iter()
        .for_each(|track| subtitle_set(&mut text, index, track, next()));
    if let Some(storyboard) = &index.storyboard {
        storyboard_set(&mut text, index, storyboard, next());
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

fn audio_set(text: &mut String, member: &Member<'_>, audio: &AudioTrack, id: usize) {
    let _ = write!(
        text,
        "  <AdaptationSet id=\"{id}\" contentType=\"audio\" mimeType=\"audio/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\""
    );
    language(text, audio.language.as_deref());
    let _ = writeln!(text, ">\n   <Label>{}</Label>", escaped(&member.name));
    if audio.kind == AudioKind::Description {
        text.push_str("   <Accessibility schemeIdUri=\"urn:tva:metadata:cs:AudioPurposeCS:2007\" value=\"1\"/>\n");
    }
    role(
        text,
        match audio.kind {
            AudioKind::Commentary => "commentary",
            AudioKind::Description => "description",
            AudioKind::Main if member.is_default => "main",
            AudioKind::Main => "alternate",
        },
    );
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

/// One file: WebVTT stands by itself only as a whole.
fn subtitle_set(text: &mut String, index: &AssetIndex, track: &SubtitleTrack, id: usize) {
    let _ = write!(
        text,
        "  <AdaptationSet id=\"{id}\" contentType=\"text\" mimeType=\"text/vtt\""
    );
    language(text, track.language.as_deref());
    let _ = writeln!(text, ">\n   <Label>{}</Label>", escaped(&track.label));
    if track.kind == SubtitleKind::Captions {
        text.push_str("   <Accessibility schemeIdUri=\"urn:tva:metadata:cs:AudioPurposeCS:2007\" value=\"2\"/>\n");
    }
    role(
        text,
        match track.kind {
            SubtitleKind::Subtitles => "subtitle",
            SubtitleKind::Captions => "caption",
            SubtitleKind::Forced => "forced-subtitle",
        },
    );
    let rate = (track.bytes * 8_000).div_ceil(index.duration_ms.max(1));
    let _ = writeln!(
        text,
        "   <Representation id=\"{name}\" bandwidth=\"{rate}\">\n    <BaseURL>{name}/1.vtt</BaseURL>\n   </Representation>\n  \
         </AdaptationSet>",
        name = track.name
    );
}

/// Sheets of small pictures, as the DASH industry forum's guidelines have them.
fn storyboard_set(text: &mut String, index: &AssetIndex, storyboard: &Storyboard, id: usize) {
    let sheet_ms = storyboard.interval_ms * u64::from(storyboard.pictures_per_sheet());
    let _ = write!(
        text,
        "  <AdaptationSet id=\"{id}\" contentType=\"image\" mimeType=\"image/jpeg\">\n   <SegmentTemplate timescale=\"1000\" \
         duration=\"{sheet_ms}\" startNumber=\"1\" media=\"$RepresentationID$/$Number$.jpg\"/>\n   <Representation id=\"{}\" \
         bandwidth=\"{}\" width=\"{}\" height=\"{}\">\n    <EssentialProperty schemeIdUri=\"http://dashif.org/guidelines/thumbnail_tile\" \
         value=\"{}x{}\"/>\n   </Representation>\n  </AdaptationSet>\n",
        storyboard.name,
        storyboard::bandwidth(storyboard, index.duration_ms),
        storyboard.width * storyboard.columns,
        storyboard.height * storyboard.rows,
        storyboard.columns,
        storyboard.rows
    );
}

fn language(text: &mut String, language: Option<&str>) {
    if let Some(language) = language {
        let _ = write!(text, " lang=\"{}\"", escaped(language));
    }
}

fn role(text: &mut String, value: &str) {
    let _ = writeln!(
        text,
        "   <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"{value}\"/>"
    );
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
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
