//! The HLS multivariant playlist: which renditions there are, after RFC 8216 and Apple's authoring specification.

use std::fmt::Write as _;

use contract::streaming::SubtitleKind;

use super::{
    audio::{self, Member},
    bandwidth::{self, Bandwidth},
    media, storyboard,
};
use crate::asset::{AssetIndex, AudioKind, SubtitleTrack, VideoTrack};

/// `master.m3u8`. The lowest rung comes first, since simple players begin with the first.
pub fn multivariant(index: &AssetIndex) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    let (members, groups) = (audio::members(index), audio::groups(index));
    for &channels in &groups {
        for member in &members {
            audio_rendition(&mut text, member, channels, groups.len());
        }
    }
    for track in &index.subtitles {
        subtitle_rendition(&mut text, track);
    }
    if groups.is_empty() {
        for video in &index.video {
            variant(&mut text, index, video, None);
        }
    }
    for &channels in &groups {
        let sound = Sound::new(&members, channels, groups.len());
        for video in &index.video {
            variant(&mut text, index, video, Some(&sound));
        }
    }
    for video in &index.video {
        keyframe_variant(&mut text, video);
    }
    image_variant(&mut text, index);
    text
}

/// What a variant says of its sound. Whichever of the group's renditions is chosen, the figures hold.
struct Sound {
    group: String,
    rate: Bandwidth,
    codec: String,
}

impl Sound {
    fn new(members: &[Member<'_>], channels: u16, groups: usize) -> Self {
        let tracks = members.iter().map(|member| &member.in_group(channels).track);
        Self {
            group: group_id(channels, groups),
            rate: tracks
                .clone()
                .map(bandwidth::measure)
                .max_by_key(|rate| rate.peak)
                .unwrap_or_default(),
            codec: tracks.map(|track| track.codec.clone()).next().unwrap_or_default(),
        }
    }
}

fn group_id(channels: u16, groups: usize) -> String {
    if groups == 1 {
        "audio".into()
    } else {
        format!("audio-{channels}")
    }
}

fn audio_rendition(text: &mut String, member: &Member<'_>, channels: u16, groups: usize) {
    let track = member.in_group(channels);
    let group = group_id(channels, groups);
    let _ = write!(
        text,
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{group}\",NAME=\"{}\"",
        quoted(&member.name)
    );
    if let Some(language) = &track.language {
        let _ = write!(text, ",LANGUAGE=\"{}\"", quoted(language));
    }
    // A player takes a commentary for nobody who has not asked for it.
    let auto = yes_or_no(track.kind != AudioKind::Commentary || member.is_default);
    let _ = write!(text, ",DEFAULT={},AUTOSELECT={auto}", yes_or_no(member.is_default));
    if track.kind == AudioKind::Description {
        text.push_str(",CHARACTERISTICS=\"public.accessibility.describes-video\"");
    }
    let _ = writeln!(
        text,
        ",CHANNELS=\"{}\",URI=\"{}/index.m3u8\"",
        track.channels, track.track.name
    );
}

fn subtitle_rendition(text: &mut String, track: &SubtitleTrack) {
    let _ = write!(
        text,
        "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subtitles\",NAME=\"{}\"",
        quoted(&track.label)
    );
    if let Some(language) = &track.language {
        let _ = write!(text, ",LANGUAGE=\"{}\"", quoted(language));
    }
    let forced = yes_or_no(track.kind == SubtitleKind::Forced);
    let _ = write!(text, ",DEFAULT=NO,AUTOSELECT=YES,FORCED={forced}");
    if track.kind == SubtitleKind::Captions {
        text.push_str(
            ",CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound\"",
        );
    }
    let _ = writeln!(text, ",URI=\"{}/index.m3u8\"", track.name);
}

fn variant(text: &mut String, index: &AssetIndex, video: &VideoTrack, sound: Option<&Sound>) {
    let rate = bandwidth::measure(&video.track) + sound.map(|sound| sound.rate).unwrap_or_default();
    let codecs: Vec<&str> = std::iter::once(video.track.codec.as_str())
        .chain(sound.map(|sound| sound.codec.as_str()))
        .collect();
    let (frames, seconds) = index.frame_rate;
    let _ = write!(
        text,
        "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\",RESOLUTION={}x{},FRAME-RATE={:.3},VIDEO-RANGE=SDR",
        rate.peak,
        rate.average,
        codecs.join(","),
        video.width,
        video.height,
        f64::from(frames) / f64::from(seconds)
    );
    if let Some(sound) = sound {
        let _ = write!(text, ",AUDIO=\"{}\"", sound.group);
    }
    if !index.subtitles.is_empty() {
        text.push_str(",SUBTITLES=\"subtitles\"");
    }
    let _ = writeln!(text, ",CLOSED-CAPTIONS=NONE\n{}/index.m3u8", video.track.name);
}

fn keyframe_variant(text: &mut String, video: &VideoTrack) {
    let Some(keyframes) = media::keyframes(video) else {
        return;
    };
    let rate = bandwidth::measure(&keyframes);
    let _ = writeln!(
        text,
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\",RESOLUTION={}x{},VIDEO-RANGE=SDR,\
         URI=\"{}/iframes.m3u8\"",
        rate.peak, rate.average, video.track.codec, video.width, video.height, video.track.name
    );
}

fn image_variant(text: &mut String, index: &AssetIndex) {
    let Some(storyboard) = &index.storyboard else {
        return;
    };
    let _ = writeln!(
        text,
        "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH={},CODECS=\"jpeg\",RESOLUTION={}x{},URI=\"{}/index.m3u8\"",
        storyboard::bandwidth(storyboard, index.duration_ms),
        storyboard.width,
        storyboard.height,
        storyboard.name
    );
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}

/// A quoted string holds no quotes and no line ends; ours do not come with any. Some parsers take an apostrophe for one, too.
fn quoted(text: &str) -> String {
    let signs = text.chars().filter(|sign| !matches!(sign, '"' | '\r' | '\n'));
    signs.map(|sign| if sign == '\'' { '\u{2019}' } else { sign }).collect()
}
