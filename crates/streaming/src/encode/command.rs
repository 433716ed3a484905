//! The ffmpeg command that makes all rungs of a part of the picture: decoded once, split, scaled, encoded side by side.
//!
//! Nothing here comes from a person: numbers from the plan, enums of ours, fixed paths inside the sandbox.
//!
//! Every rung is encoded by one thread: with more of them x264's rate control depends on which is ahead, and the bytes with it. What uses
//! a machine's cores is that several chunks are encoded at a time.

use std::fmt::Write as _;

use super::{
    chunks::Chunk,
    hardware::Hardware,
    plan::{Plan, Rung},
    probe,
    sandbox::{OUTPUT, SOURCE},
};

/// How fast and how well; measured in the design notes.
const PRESET: &str = "veryfast";
const CRF: &str = "22";
/// Longer than this nothing is encoded, whatever the header says.
const LENGTH_S_MAX: u32 = 86_400;

/// Positive composition offsets with an edit list: every client that we know puts the first picture at zero.
pub const VIDEO_FRAGMENTS: &str = "+frag_keyframe+empty_moov+default_base_moof+delay_moov+skip_trailer";
pub const AUDIO_FRAGMENTS: &str = "+empty_moov+default_base_moof+skip_trailer+cmaf";

/// Says on standard output at which time the first picture stood that was decoded.
const TELL_FIRST: &str = "trim=end_frame=1,metadata=mode=add:key=first:value=1,metadata=mode=print:file=-,nullsink";

/// Name of a rendition's folder and, while encoding, of its file.
pub fn video_name(rung: usize) -> String {
    format!("v{rung}")
}

/// How every command begins that opens the source from its beginning.
pub fn head(level: &str) -> Vec<String> {
    let mut arguments = start(level);
    arguments.extend(["-i".into(), SOURCE.into()]);
    arguments
}

fn start(level: &str) -> Vec<String> {
    let mut arguments = quiet(level);
    // However much of it is damaged: a part is short, and a scratch may be as long. What is missing is asked of the whole film.
    arguments.extend(["-max_error_rate".into(), "1".into()]);
    arguments.extend(probe::input_options());
    arguments
}

/// How every command begins: it asks nothing, and says how far it is.
pub fn quiet(level: &str) -> Vec<String> {
    let words = [
        "-nostdin",
        "-hide_banner",
        "-v",
        level,
        "-nostats",
        "-progress",
        "pipe:1",
        "-stats_period",
        "0.5",
    ];
    words.map(String::from).into()
}

/// All rungs of a chunk. A chunk that is a part keeps the source's own times until its pictures are chosen.
pub fn arguments(plan: &Plan, chunk: &Chunk) -> Vec<String> {
    encoding((plan, plan.hardware), chunk, |rung| match plan.hardware {
        Some(hardware) => {
            let coding = hardware.coding_options(rung, plan.group);
            coding.into_iter().chain(rate_options(plan)).collect()
        }
        None => {
            let rate = |kbps: u32| format!("{kbps}k");
            let ceiling = [
                "-maxrate".into(),
                rate(rung.kbps),
                "-bufsize".into(),
                rate(rung.kbps * 2),
            ];
            software_options(plan).into_iter().chain(ceiling).collect()
        }
    })
}

/// By software and without ceilings: what the pictures want.
pub fn sample_arguments(plan: &Plan, chunk: &Chunk) -> Vec<String> {
    encoding((plan, None), chunk, |_| software_options(plan))
}

fn encoding(
    (plan, hardware): (&Plan, Option<Hardware>),
    chunk: &Chunk,
    coding: impl Fn(&Rung) -> Vec<String>,
) -> Vec<String> {
    let mut arguments = start("error");
    arguments.extend(hardware.map(Hardware::device_options).unwrap_or_default());
    let mut add = |more: &[&str]| arguments.extend(more.iter().map(ToString::to_string));
    if !chunk.is_whole() {
        add(&["-copyts", "-start_at_zero"]);
    }
    if let Some(seek_s) = chunk.seek_s {
        add(&["-ss", &format!("{seek_s:.6}"), "-noaccurate_seek"]);
    }
    add(&["-i", SOURCE, "-filter_complex", &filters(plan, chunk, hardware)]);
    for (index, rung) in plan.rungs.iter().enumerate() {
        arguments.extend(["-map".into(), format!("[v{index}]")]);
        arguments.extend(coding(rung));
        arguments.extend(["-movflags".into(), VIDEO_FRAGMENTS.into()]);
        arguments.extend(output_options());
        arguments.push(format!("{OUTPUT}/{}.mp4", video_name(index)));
    }
    arguments
}

fn filters(plan: &Plan, chunk: &Chunk, hardware: Option<Hardware>) -> String {
    let stream = plan.video.stream;
    let mut graph = if chunk.seek_s.is_some() {
        format!("[0:{stream}]split=2[m][f];[f]{TELL_FIRST};[m]")
    } else {
        format!("[0:{stream}]")
    };
    pictures(&mut graph, plan);
    if !chunk.is_whole() {
        // By number of pictures from the film's beginning: until a picture comes the first one is repeated, so they count from there.
        let first = chunk.first * plan.group;
        let _ = write!(graph, ",trim=start_frame={first}");
        if let Some(segments) = chunk.segments {
            let _ = write!(graph, ":end_frame={}", first + segments * plan.group);
        }
        graph.push_str(",setpts=PTS-STARTPTS");
    }
    shades(&mut graph, plan);
    let _ = write!(graph, ",split={}", plan.rungs.len());
    (0..plan.rungs.len()).for_each(|index| {
        let _ = write!(graph, "[s{index}]");
    });
    let upload = hardware.map_or("", Hardware::upload);
    for (index, rung) in plan.rungs.iter().enumerate() {
        let _ = write!(
            graph,
            ";[s{index}]scale={}:{},setsar=1{upload}[v{index}]",
            rung.width, rung.height
        );
    }
    graph
}

/// Whole pictures at a constant rate from zero on: late starts and gaps are filled, so that picture and sound keep together.
fn pictures(graph: &mut String, plan: &Plan) {
    if plan.video.interlaced {
        graph.push_str("bwdif=mode=send_frame:deint=interlaced,");
    }
    let (over, under) = plan.frame_rate;
    let _ = write!(graph, "fps={over}/{under}:start_time=0");
}

/// Colours as every screen shows them.
fn shades(graph: &mut String, plan: &Plan) {
    if plan.video.hdr {
        graph.push_str(
            ",zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv",
        );
    }
    graph.push_str(",format=yuv420p");
}

fn rate_options(plan: &Plan) -> [String; 2] {
    let (over, under) = plan.frame_rate;
    ["-r".into(), format!("{over}/{under}")]
}

fn software_options(plan: &Plan) -> Vec<String> {
    let group = plan.group.to_string();
    let [rate_option, rate] = rate_options(plan);
    [
        ["-c:v", "libx264"],
        ["-threads:v", "1"],
        ["-preset", PRESET],
        ["-profile:v", "high"],
        ["-pix_fmt", "yuv420p"],
        [&rate_option, &rate],
        ["-crf", CRF],
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

pub fn output_options() -> [String; 11] {
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
