//! The sound: every track, as stereo and, where the source has it, as 5.1 beside that; made equally loud by two passes.
//!
//! The first pass measures (EBU R 128), the second brings each rendition to the same loudness: by one factor where its peaks allow that,
//! else as ffmpeg's `loudnorm` does. A track is one part of the work, however many renditions it has: it is cheap, and has no joints that
//! could click. Its two passes are two pieces: what was measured is kept, and is not measured again if the second does not come to its end.

use serde::{Deserialize, Serialize};

use super::{
    command::{self, AUDIO_FRAGMENTS},
    plan::{Plan, SEGMENT_S},
    sandbox::OUTPUT,
};

const STEREO_KBPS: u32 = 128;
const SURROUND_KBPS: u32 = 384;
const TARGET: &str = "I=-16:TP=-1.5:LRA=11";
/// Samples of a packet.
const PACKET: u32 = 1024;
/// Packets before zero, beside the encoder's run-in, that are encoded and thrown away.
const LEAD: u32 = 2;
/// What is quieter than this is silence, and stays it.
const SILENT_LUFS: f64 = -69.9;

/// One rendition of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// Which of the plan's tracks.
    pub track: usize,
    pub surround: bool,
}

/// All renditions, in the order of their names `a0`, `a1`, ….
pub fn sounds(plan: &Plan) -> Vec<Sound> {
    let tracks = plan.audio.iter().enumerate();
    let of_track = |(track, audio): (usize, &super::probe::Audio)| {
        let stereo = Sound { track, surround: false };
        let surround = Sound { track, surround: true };
        std::iter::once(stereo).chain((audio.channels >= 6).then_some(surround))
    };
    tracks.flat_map(of_track).collect()
}

pub fn name(sound: usize) -> String {
    format!("a{sound}")
}

/// The most that the sound may take, kbit/s.
pub fn kbps(plan: &Plan) -> u32 {
    let each = |sound: &Sound| if sound.surround { SURROUND_KBPS } else { STEREO_KBPS };
    sounds(plan).iter().map(each).sum()
}

/// How loud a rendition is: as `loudnorm` wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    integrated: f64,
    range: f64,
    peak: f64,
    threshold: f64,
}

/// The renditions of a track, each with its number among all.
pub fn of_track(plan: &Plan, track: usize) -> impl Iterator<Item = (usize, Sound)> + use<> {
    let all = sounds(plan).into_iter().enumerate();
    all.filter(move |(_, sound)| sound.track == track)
}

/// The command that measures a track.
pub fn measure_arguments(plan: &Plan, track: usize) -> Vec<String> {
    // Its summary is said at this level; the banner is left out.
    let mut arguments = command::head("info");
    let graph = graph(plan, track, |index| {
        format!("ebur128@m{index}=peak=true:framelog=verbose")
    });
    arguments.extend(["-filter_complex".into(), graph]);
    for (index, _) in of_track(plan, track) {
        arguments.extend(["-map", &format!("[a{index}]"), "-f", "null", "-"].map(String::from));
    }
    arguments
}

/// The command that encodes a track, by what was measured of each of its renditions.
pub fn arguments(plan: &Plan, track: usize, loudness: &[Option<Loudness>]) -> Vec<String> {
    let mut arguments = command::head("error");
    let first = of_track(plan, track).next().map_or(0, |(index, _)| index);
    let graph = graph(plan, track, |index| {
        let normalise = loudness.get(index - first).copied().flatten().map(normalise);
        let normalised = normalise.map_or_else(String::new, |filter| format!("{filter},"));
        format!("{normalised}aresample=48000,{}", lead(index))
    });
    arguments.extend(["-filter_complex".into(), graph]);
    for (index, sound) in of_track(plan, track) {
        let kbps = if sound.surround { SURROUND_KBPS } else { STEREO_KBPS };
        let fragment = format!("{:.0}", SEGMENT_S * 1e6);
        let (map, rate) = (format!("[a{index}]"), format!("{kbps}k"));
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(ToString::to_string));
        add(&[
            "-map",
            &map,
            "-c:a",
            "aac",
            "-b:a",
            &rate,
            "-ar",
            "48000",
            "-flags:a",
            "+bitexact",
        ]);
        // The encoder's run-in, and the lead: without them the first sample that is heard stands at zero.
        add(&["-bsf:a", &format!("noise=drop=lte(n\\,{LEAD})")]);
        add(&["-movflags", AUDIO_FRAGMENTS, "-frag_duration", &fragment]);
        arguments.extend(command::output_options());
        arguments.push(format!("{OUTPUT}/{}.mp4", name(index)));
    }
    arguments
}

/// Before its beginning a sound is led to it by itself, backwards. A packet is heard whole over the one before it; the first that is kept
/// has none, and rises instead, as after any seek. Were there silence before zero, the encoder would make short windows of a sound that
/// begins at once, and it would not rise but break in. (Of a sound that is shorter than the lead, 43 ms, little or nothing is left.)
fn lead(index: usize) -> String {
    let samples = LEAD * PACKET;
    format!(
        "asplit[f{index}][s{index}];[f{index}]atrim=end_sample={samples},areverse[l{index}];\
         [l{index}][s{index}]concat=n=2:v=0:a=1,asetpts=(N-{samples})/SR/TB"
    )
}

/// A track from zero on, without gaps, in the layouts of its renditions, each through a filter of its own to `[a0]`, `[a1]`, …. Each begins
/// at the source itself: behind a split all have one layout, and six channels would be made of the two beside them.
fn graph(plan: &Plan, track: usize, filter: impl Fn(usize) -> String) -> String {
    let stream = plan.audio.get(track).map_or(0, |audio| audio.stream);
    let chain = |(index, sound): (usize, Sound)| {
        let layout = if sound.surround { "5.1" } else { "stereo" };
        let filter = filter(index);
        format!("[0:{stream}]aresample=48000:async=1:first_pts=0,aformat=channel_layouts={layout},{filter}[a{index}]")
    };
    let chains: Vec<String> = of_track(plan, track).map(chain).collect();
    chains.join(";")
}

fn normalise(measured: Loudness) -> String {
    // Zero means to the filter that nothing was measured, and so does anything beyond what it takes.
    let Loudness {
        integrated,
        range,
        peak,
        threshold,
    } = measured;
    format!(
        "loudnorm={TARGET}:linear=true:measured_I={:.1}:measured_LRA={:.1}:measured_TP={:.1}:measured_thresh={:.1}",
        integrated.clamp(-99.0, -0.1),
        range.clamp(0.1, 99.0),
        peak.clamp(-99.0, 98.9),
        threshold.clamp(-99.0, -0.1)
    )
}

/// What the measuring command said of these renditions; `None` for one that is silent, or of which nothing came.
pub fn loudness(words: &str, renditions: impl Iterator<Item = usize>) -> Vec<Option<Loudness>> {
    let of = |index: usize| {
        // The last time: ffmpeg builds its graph once before it knows the source, and that one has heard nothing.
        let (_, summary) = words.rsplit_once(&format!("[ebur128@m{index} @ "))?;
        let summary = summary.split("[ebur128@").next()?;
        let mut values = summary.lines().filter_map(|line| {
            let (name, value) = line.trim().split_once(':')?;
            let value: f64 = value.split_whitespace().next()?.parse().ok()?;
            value.is_finite().then(|| (name.to_owned(), value))
        });
        // In the order in which it says them; the second threshold is that of the range.
        let mut next = |wanted: &str| values.find(|(name, _)| name == wanted).map(|(_, value)| value);
        let measured = Loudness {
            integrated: next("I")?,
            threshold: next("Threshold")?,
            range: next("LRA")?,
            peak: next("Peak")?,
        };
        (measured.integrated > SILENT_LUFS).then_some(measured)
    };
    renditions.map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "[ebur128@m1 @ 0x564c0f172100] Summary:

  Integrated loudness:
    I:         -70.0 LUFS
    Threshold:   0.0 LUFS
Stream mapping:
size=N/A time=00:05:00.01 bitrate=N/A speed=92.4x
[ebur128@m1 @ 0x556938eec680] Summary:

  Integrated loudness:
    I:         -25.1 LUFS
    Threshold: -35.1 LUFS

  Loudness range:
    LRA:         0.0 LU
    Threshold: -45.1 LUFS
    LRA low:   -25.1 LUFS
    LRA high:  -25.1 LUFS

  True peak:
    Peak:      -23.1 dBFS
[ebur128@m0 @ 0x556938eecb80] Summary:

  Integrated loudness:
    I:         -70.0 LUFS
    Threshold: -80.0 LUFS

  Loudness range:
    LRA:         0.0 LU
    Threshold:   0.0 LUFS
    LRA low:     0.0 LUFS
    LRA high:    0.0 LUFS

  True peak:
    Peak:       -inf dBFS
";

    #[test]
    fn what_was_measured_is_told_and_silence_stays_silent() {
        let measured = loudness(WORDS, 0..3);
        assert_eq!((measured[0], measured[2]), (None, None));
        assert_eq!(loudness(WORDS, 1..2), measured[1..2]);
        let kept = serde_json::to_string(&measured).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Option<Loudness>>>(&kept).unwrap(), measured);
        assert_eq!(
            normalise(measured[1].unwrap()),
            "loudnorm=I=-16:TP=-1.5:LRA=11:linear=true:measured_I=-25.1:measured_LRA=0.1:measured_TP=-23.1:measured_thresh=-35.1"
        );
    }
}
