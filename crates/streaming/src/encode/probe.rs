//! What ffprobe says of a file, reduced to what planning needs. Nothing of it is trusted as text: names are enums of ours,
//! numbers are bounded.

mod sound;

use std::{path::Path, sync::Arc, sync::Mutex, sync::PoisonError, time::Duration};

use contract::streaming::SubtitleKind;
use platform::jobs::Failure;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    chapters::{self, Chapter},
    explain, language,
    sandbox::{Limits, Program, SOURCE, Sandbox, Task},
};
use crate::asset::{AudioKind, label};

/// Containers that may be opened at all. Playlists, concatenations and everything that names other files are not here.
pub const FORMATS: &str = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,ivf,wav,mp3,flac,aac";
/// Decoders that may run. One list for pictures and one for sound.
const VIDEO_DECODERS: &str = "h264,hevc,vp8,libvpx,vp9,libvpx-vp9,av1,libdav1d,libaom-av1,mpeg1video,mpeg2video,mpeg4,msmpeg4v2,msmpeg4,\
     msmpeg4v3,wmv1,wmv2,wmv3,vc1,theora,prores,dnxhd,ffv1,mjpeg,h263,flv,dvvideo,rawvideo";
const AUDIO_DECODERS: &str = "aac,aac_latm,mp1float,mp2float,mp3float,mp2,mp3,ac3,eac3,dca,truehd,mlp,opus,libopus,vorbis,flac,alac,\
     wmav1,wmav2,wmapro,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_u8,pcm_alaw,pcm_mulaw,\
     pcm_bluray,pcm_dvd,adpcm_ms,adpcm_ima_wav,amrnb,amrwb,nellymoser";

/// What lies in films beside that, subtitles and covers. ffprobe begins a decoder for every stream, or gives up on the whole file;
/// the encoder is never given these.
pub(super) const TEXT_DECODERS: &str = "ass,ssa,srt,subrip,mov_text,text,webvtt";
const OTHER_DECODERS: &str = "ass,ssa,srt,subrip,mov_text,text,webvtt,pgssub,dvdsub,dvbsub,xsub,cc_dec,libzvbi_teletextdec,libaribb24,png,bmp,gif,webp";

/// Subtitle codecs whose packets are text, and those whose packets are pictures.
const SUBTITLE_TEXTS: &[&str] = &["subrip", "srt", "ass", "ssa", "mov_text", "text", "webvtt"];
const SUBTITLE_PICTURES: &[&str] = &["hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"];

const ANSWER_BYTES_MAX: usize = 4 << 20;
const STREAMS_MAX: usize = 256;
/// Containers that can be entered in the middle, exactly.
const INDEXED: [&str; 2] = ["mov", "matroska"];
/// Of more than these the rest is not looked at.
const CHAPTERS_MAX: usize = 1_000;
const PIXELS_MAX: u64 = 8192 * 4352;
/// A day: longer than any film, shorter than what a broken header claims.
pub const DURATION_S_MAX: f64 = 86_400.0;

/// A source that can be encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Absent where the container does not say.
    pub duration_s: Option<f64>,
    pub video: Video,
    /// The one that is heard where nobody has chosen first.
    pub audio: Vec<Audio>,
    /// When the container's own time begins, in seconds.
    pub start_s: f64,
    /// Whether the container has an index by which it can be entered in the middle.
    pub is_indexed: bool,
    /// What is left out, one sentence each.
    pub notes: Vec<String>,
    /// Where the chapters begin that are called end credits, in seconds from the first picture.
    pub credits_s: Vec<f64>,
    pub extras: Extras,
}

/// What a film has beside picture and sound.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Extras {
    pub subtitles: Vec<Subtitle>,
    /// How many subtitle streams are pictures, which nothing here can read.
    pub subtitle_pictures: usize,
    /// In the order of the file.
    pub chapters: Vec<Chapter>,
}

/// A subtitle stream that is text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subtitle {
    pub stream: usize,
    /// BCP 47.
    pub language: Option<String>,
    pub label: Option<String>,
    pub kind: SubtitleKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Video {
    pub stream: usize,
    /// As shown: after rotation, with square pixels.
    pub width: u32,
    pub height: u32,
    /// Frames per second as a fraction; `None` where no sense can be made of what the file says.
    pub frame_rate: Option<(u32, u32)>,
    pub interlaced: bool,
    /// Brightness coded for HDR screens (PQ or HLG).
    pub hdr: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audio {
    pub stream: usize,
    /// BCP 47.
    pub language: Option<String>,
    pub label: Option<String>,
    pub kind: AudioKind,
    pub is_default: bool,
    pub channels: u16,
}

/// The options with which subtitles are read from a source.
pub fn subtitle_options() -> [String; 8] {
    options(format!("{VIDEO_DECODERS},{AUDIO_DECODERS},{TEXT_DECODERS}"))
}

/// The options with which a source is only looked at.
pub fn look_options() -> [String; 8] {
    options(format!("{VIDEO_DECODERS},{AUDIO_DECODERS},{OTHER_DECODERS}"))
}

/// The options with which the encoder opens a source.
pub fn input_options() -> [String; 8] {
    options(format!("{VIDEO_DECODERS},{AUDIO_DECODERS}"))
}

fn options(decoders: String) -> [String; 8] {
    [
        "-protocol_whitelist".into(),
        "file,pipe".into(),
        "-format_whitelist".into(),
        FORMATS.into(),
        "-codec_whitelist".into(),
        decoders,
        "-max_pixels".into(),
        PIXELS_MAX.to_string(),
    ]
}

/// Looks at a file inside the sandbox.
pub async fn probe(sandbox: &Sandbox, input: &Path, cancel: &CancellationToken) -> Result<Source, Failure> {
    let limits = Limits {
        wall: Duration::from_secs(120),
        silence: Duration::from_secs(120),
        cpu_s: 60,
        memory_bytes: 2 << 30,
        output_bytes: 0,
    };
    let mut arguments: Vec<_> = [
        "-v",
        "error",
        "-print_format",
        "json=compact=1",
        "-show_format",
        "-show_streams",
        "-show_entries",
        "chapter=start_time,end_time:chapter_tags=title",
    ]
    .map(Into::into)
    .into();
    arguments.extend(look_options().map(Into::into));
    arguments.push(SOURCE.into());
    let task = Task {
        program: Program::Ffprobe,
        arguments,
        input: input.to_owned(),
        output: None,
        limits,
    };
    let answer = Arc::new(Mutex::new(String::new()));
    let collect = answer.clone();
    let on_line = move |line: &str| {
        let mut answer = collect.lock().unwrap_or_else(PoisonError::into_inner);
        if answer.len() + line.len() <= ANSWER_BYTES_MAX {
            answer.push_str(line);
            answer.push('\n');
        }
    };
    let ended = sandbox
        .run(task, cancel.clone(), on_line)
        .await
        .map_err(|error| explain::sandbox(&error))?;
    if ended.status != 0 {
        return Err(explain::unreadable(&ended));
    }
    let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let answer: Answer = serde_json::from_str(&answer).map_err(|_| {
        Failure::permanent("This file describes itself in a way that cannot be read; it may be damaged.")
    })?;
    answer.source()
}

/// ffprobe's JSON, as far as we read it.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    chapters: Vec<ChapterEntry>,
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Default, Deserialize)]
struct Format {
    #[serde(default)]
    format_name: String,
    duration: Option<String>,
    start_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChapterEntry {
    start_time: Option<String>,
    end_time: Option<String>,
    tags: ChapterTags,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChapterTags {
    title: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    index: usize,
    codec_type: String,
    codec_name: String,
    width: u32,
    height: u32,
    sample_aspect_ratio: String,
    avg_frame_rate: String,
    r_frame_rate: String,
    field_order: String,
    color_transfer: String,
    channels: u16,
    duration: Option<String>,
    disposition: Disposition,
    side_data_list: Vec<SideData>,
    tags: Tags,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Disposition {
    default: u8,
    attached_pic: u8,
    forced: u8,
    hearing_impaired: u8,
    visual_impaired: u8,
    descriptions: u8,
    comment: u8,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tags {
    language: Option<String>,
    title: Option<String>,
    /// How Matroska says how long a stream is; a time of day.
    #[serde(rename = "DURATION")]
    duration: Option<String>,
    #[serde(rename = "DURATION-eng")]
    duration_statistics: Option<String>,
}

impl Answer {
    pub(super) fn source(self) -> Result<Source, Failure> {
        if self.streams.len() > STREAMS_MAX {
            return Err(Failure::permanent(
                "This file holds more streams than any film does; it is damaged or hostile.",
            ));
        }
        let of = |kind: &'static str| self.streams.iter().filter(move |stream| stream.codec_type == kind);
        // What the maker marked as the default, else the first.
        let video = of("video")
            .filter(|stream| stream.disposition.attached_pic == 0)
            .min_by_key(|stream| 1 - stream.disposition.default.min(1));
        let audio = of("audio").min_by_key(|stream| 1 - stream.disposition.default.min(1));
        let video = match (video, audio) {
            (Some(video), _) => video,
            (None, Some(_)) => {
                return Err(Failure::permanent(
                    "There is no picture in this file: it has only sound.",
                ));
            }
            (None, None) => return Err(Failure::permanent("There is neither picture nor sound in this file.")),
        };
        let (audio, notes) = self.sound();
        let first = audio
            .first()
            .and_then(|first| of("audio").find(|stream| stream.index == first.stream));
        Ok(Source {
            duration_s: self.duration(video, first)?,
            video: picture(video)?,
            audio,
            start_s: self.start_s(),
            is_indexed: INDEXED
                .iter()
                .any(|name| self.format.format_name.split(',').any(|of| of == *name)),
            notes,
            credits_s: self.credits(),
            extras: Extras {
                subtitles: self.subtitles(),
                subtitle_pictures: self.subtitle_streams(SUBTITLE_PICTURES).count(),
                chapters: self.chapters().collect(),
            },
        })
    }

    fn start_s(&self) -> f64 {
        let time = self.format.start_time.as_deref().and_then(|text| text.parse().ok());
        time.filter(|time: &f64| time.is_finite()).unwrap_or(0.0)
    }

    fn credits(&self) -> Vec<f64> {
        let credits = self.chapters().filter(|chapter| chapters::names_credits(&chapter.name));
        credits.map(|chapter| chapter.start_s).collect()
    }

    /// The encoder begins at zero, wherever the container's own time begins.
    fn chapters(&self) -> impl Iterator<Item = Chapter> {
        let time = |text: &Option<String>| text.as_deref()?.parse::<f64>().ok().filter(|time| time.is_finite());
        let first = time(&self.format.start_time).unwrap_or(0.0);
        let chapters = self.chapters.iter().take(CHAPTERS_MAX);
        chapters.filter_map(move |entry| {
            Some(Chapter {
                start_s: time(&entry.start_time)? - first,
                end_s: time(&entry.end_time).map(|end| end - first),
                name: entry.tags.title.clone(),
            })
        })
    }

    fn subtitle_streams(&self, codecs: &'static [&'static str]) -> impl Iterator<Item = &Stream> {
        let subtitles = self.streams.iter().filter(|stream| stream.codec_type == "subtitle");
        subtitles.filter(|stream| codecs.contains(&stream.codec_name.as_str()))
    }

    fn subtitles(&self) -> Vec<Subtitle> {
        let text = self.subtitle_streams(SUBTITLE_TEXTS);
        text.map(|stream| Subtitle {
            stream: stream.index,
            language: stream.tags.language.as_deref().and_then(language::tag),
            label: stream.tags.title.as_deref().and_then(label),
            kind: match stream.disposition {
                Disposition { forced: 1.., .. } => SubtitleKind::Forced,
                Disposition {
                    hearing_impaired: 1.., ..
                } => SubtitleKind::Captions,
                _ => SubtitleKind::Subtitles,
            },
        })
        .collect()
    }

    /// The longer of picture and sound, as far as they say. The container's own length is that of its longest stream, which may be
    /// another one: it counts only where they say nothing, and against tags that a remuxer left from a longer file.
    fn duration(&self, video: &Stream, audio: Option<&Stream>) -> Result<Option<f64>, Failure> {
        let container = self.format.duration.as_deref().and_then(seconds);
        let streams = [Some(video), audio].into_iter().flatten();
        let longer = streams.filter_map(Stream::seconds).reduce(f64::max);
        let duration_s = match (longer, container) {
            (Some(longer), Some(container)) => Some(longer.min(container)),
            (longer, container) => longer.or(container),
        };
        if duration_s.is_some_and(|seconds| seconds > DURATION_S_MAX) {
            return Err(Failure::permanent(
                "This file says that it lasts more than a day; its header is damaged.",
            ));
        }
        Ok(duration_s)
    }
}

impl Stream {
    fn seconds(&self) -> Option<f64> {
        let said = |text: &Option<String>, read: fn(&str) -> Option<f64>| text.as_deref().and_then(read);
        said(&self.duration, seconds)
            .or_else(|| said(&self.tags.duration, time))
            .or_else(|| said(&self.tags.duration_statistics, time))
    }
}

fn seconds(text: &str) -> Option<f64> {
    text.parse().ok().filter(|seconds| is_length(*seconds))
}

fn is_length(seconds: f64) -> bool {
    seconds.is_finite() && seconds > 0.0
}

/// `01:58:03.250000000` in seconds.
fn time(text: &str) -> Option<f64> {
    let [hours, minutes, rest] = text.split(':').collect::<Vec<_>>().try_into().ok()?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let rest: f64 = rest.parse().ok().filter(|rest| *rest >= 0.0)?;
    Some(f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + rest).filter(|seconds| is_length(*seconds))
}

fn picture(stream: &Stream) -> Result<Video, Failure> {
    if !is_known(&stream.codec_name, VIDEO_DECODERS) {
        let codec: String = stream
            .codec_name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(20)
            .collect();
        let codec = if codec.is_empty() {
            "an unknown way".into()
        } else {
            codec
        };
        return Err(Failure::permanent(format!(
            "The picture is coded as {codec}, which Kinora does not decode; convert it to H.264 first."
        )));
    }
    if stream.width == 0 || stream.height == 0 {
        return Err(Failure::permanent(
            "The file ends early or is damaged: not even the size of the picture can be read.",
        ));
    }
    if u64::from(stream.width) * u64::from(stream.height) > PIXELS_MAX {
        return Err(Failure::permanent(
            "The picture is larger than 8192 × 4352, which Kinora does not decode.",
        ));
    }
    let (width, height) = shown(stream);
    Ok(Video {
        stream: stream.index,
        width,
        height,
        frame_rate: frame_rate(stream),
        interlaced: matches!(stream.field_order.as_str(), "tt" | "bb" | "tb" | "bt"),
        hdr: matches!(stream.color_transfer.as_str(), "smpte2084" | "arib-std-b67"),
    })
}

/// The picture's size with square pixels, turned as a phone says.
fn shown(stream: &Stream) -> (u32, u32) {
    let (horizontal, vertical) = fraction(&stream.sample_aspect_ratio.replace(':', "/"))
        .filter(|&(horizontal, vertical)| {
            horizontal <= vertical.saturating_mul(16) && vertical <= horizontal.saturating_mul(16)
        })
        .unwrap_or((1, 1));
    let width = (u64::from(stream.width) * u64::from(horizontal) / u64::from(vertical)).clamp(1, 16_384) as u32;
    let rotation = stream
        .side_data_list
        .iter()
        .find_map(|data| data.rotation)
        .unwrap_or(0.0);
    let turned = (rotation.abs().rem_euclid(180.0) - 90.0).abs() < 1.0;
    if turned {
        (stream.height, width)
    } else {
        (width, stream.height)
    }
}

/// The average, unless the nominal one is as good as the same (then it is the exact one).
fn frame_rate(stream: &Stream) -> Option<(u32, u32)> {
    let (average, nominal) = (fraction(&stream.avg_frame_rate), fraction(&stream.r_frame_rate));
    let value = |(over, under): (u32, u32)| f64::from(over) / f64::from(under);
    match (average, nominal) {
        (Some(average), Some(nominal)) if (value(average) / value(nominal) - 1.0).abs() < 0.02 => Some(nominal),
        (average, nominal) => average.or(nominal),
    }
}

fn fraction(text: &str) -> Option<(u32, u32)> {
    let (over, under) = text.split_once('/')?;
    let (over, under) = (over.parse().ok()?, under.parse().ok()?);
    (over > 0 && under > 0).then_some((over, under))
}

/// ffprobe names codecs, the lists name decoders; where they differ the decoder's name begins with or stands for the codec's.
fn is_known(codec: &str, decoders: &str) -> bool {
    let codec = if codec == "dts" { "dca" } else { codec };
    let codec = match codec {
        "amr_nb" => "amrnb",
        "amr_wb" => "amrwb",
        "flv1" => "flv",
        other => other,
    };
    decoders.split(',').any(|decoder| decoder == codec)
}
