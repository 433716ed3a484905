//! The one ffmpeg command that makes all rungs and the sound of a source: decoded once, split, scaled, encoded side by side.
//!
//! Nothing here comes from a person: numbers from the plan, enums of ours, fixed paths inside the sandbox.

use std::fmt::Write as _;

use super::{
    plan::{Plan, Rung, SEGMENT_S},
    probe,
    sandbox::{OUTPUT, SOURCE},
};

/// How fast and how well; measured in the design notes.
const PRESET: &str = "veryfast";
const CRF: &str = "22";
const AUDIO_KBPS: u32 = 128;
/// Longer than this nothing is encoded, whatever the header says.
const LENGTH_S_MAX: u32 = 86_400;

/// Positive composition offsets with an edit list: every client that we know puts the first picture at zero.
const VIDEO_FRAGMENTS: &str = "+frag_keyframe+empty_moov+default_base_moof+delay_moov+skip_trailer";
const AUDIO_FRAGMENTS: &str = "+empty_moov+default_base_moof+skip_trailer+cmaf";

/// Name of a rendition's folder and, while encoding, of its file.
pub fn video_name(rung: usize) -> String {
    format!("v{rung}")
}

pub const AUDIO_NAME: &str = "a0";

pub fn arguments(plan: &Plan) -> Vec<String> {
    let mut arguments: Vec<String> = Vec::new();
    let mut add = |more: &[&str]| arguments.extend(more.iter().map(ToString::to_string));
    add(&[
        "-nostdin",
        "-hide_banner",
        "-v",
        "error",
        "-nostats",
        "-progress",
        "pipe:1",
        "-stats_period",
        "0.5",
    ]);
    let options = probe::input_options();
    add(&options.each_ref().map(String::as_str));
    add(&["-i", SOURCE, "-filter_complex", &filters(plan)]);
    for (index, rung) in plan.rungs.iter().enumerate() {
        let options = video_options(plan, rung);
        add(&["-map", &format!("[v{index}]")]);
        add(&options.iter().map(String::as_str).collect::<Vec<_>>());
        add(&["-movflags", VIDEO_FRAGMENTS]);
        add(&output_options().each_ref().map(String::as_str));
        add(&[&format!("{OUTPUT}/{}.mp4", video_name(index))]);
    }
    if plan.audio.is_some() {
        add(&[
            "-map",
            "[a0]",
            "-c:a",
            "aac",
            "-b:a",
            &format!("{AUDIO_KBPS}k"),
            "-ar",
            "48000",
            "-flags:a",
            "+bitexact",
        ]);
        // The encoder's run-in: without it the first sample that is heard stands at zero.
        add(&["-bsf:a", "noise=drop=eq(n\\,0)"]);
        add(&[
            "-movflags",
            AUDIO_FRAGMENTS,
            "-frag_duration",
            &format!("{:.0}", SEGMENT_S * 1e6),
        ]);
        add(&output_options().each_ref().map(String::as_str));
        add(&[&format!("{OUTPUT}/{AUDIO_NAME}.mp4")]);
    }
    arguments
}

fn filters(plan: &Plan) -> String {
    let mut graph = format!("[0:{}]", plan.video.stream);
    if plan.video.interlaced {
        graph.push_str("bwdif=mode=send_frame:deint=interlaced,");
    }
    // A constant rate from zero on: late starts and gaps are filled, so that picture and sound keep together.
    let (over, under) = plan.frame_rate;
    let _ = write!(graph, "fps={over}/{under}:start_time=0");
    if plan.video.hdr {
        graph.push_str(
            ",zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv",
        );
    }
    let _ = write!(graph, ",format=yuv420p,split={}", plan.rungs.len());
    (0..plan.rungs.len()).for_each(|index| {
        let _ = write!(graph, "[s{index}]");
    });
    for (index, rung) in plan.rungs.iter().enumerate() {
        let _ = write!(
            graph,
            ";[s{index}]scale={}:{},setsar=1[v{index}]",
            rung.width, rung.height
        );
    }
    if let Some(audio) = &plan.audio {
        let _ = write!(
            graph,
            ";[0:{}]aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo,loudnorm=I=-16:TP=-1.5:LRA=11,\
             aresample=48000[a0]",
            audio.stream
        );
    }
    graph
}

fn video_options(plan: &Plan, rung: &Rung) -> Vec<String> {
    let group = plan.group.to_string();
    let rate = |kbps: u32| format!("{kbps}k");
    let (over, under) = plan.frame_rate;
    [
        ["-c:v", "libx264"],
        ["-preset", PRESET],
        ["-profile:v", "high"],
        ["-pix_fmt", "yuv420p"],
        ["-r", &format!("{over}/{under}")],
        ["-crf", CRF],
        ["-maxrate", &rate(rung.kbps)],
        ["-bufsize", &rate(rung.kbps * 2)],
        ["-g", &group],
        ["-keyint_min", &group],
        ["-sc_threshold", "0"],
        ["-flags:v", "+cgop+bitexact"],
    ]
    .as_flattened()
    .iter()
    .map(ToString::to_string)
    .collect()
}

fn output_options() -> [String; 11] {
    let length = LENGTH_S_MAX.to_string();
    [
        "-map_metadata",
        "-1",
        "-map_chapters",
        "-1",
        "-fflags",
        "+bitexact",
        "-t",
        &length,
        "-f",
        "mp4",
        "-y",
    ]
    .map(ToString::to_string)
}
