//! Encoders that a graphics card has. None is used unless an operator asks for it; one that is asked for is tried first, with a second of
//! film in the sandbox, since what ffmpeg was built with says nothing of what the machine has. A film that fails in hardware is encoded
//! by software as a whole: its parts share one description of the coding, so they must all come from the same encoder.
//!
//! Only software promises the same bytes however a film was shared out.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use platform::jobs::Failure;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    command,
    extras::{self, Ran},
    plan::Rung,
    sandbox::{Limits, OUTPUT, Program, Sandbox, Task},
};
use crate::mp4;

/// What an operator may ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoder {
    #[default]
    Software,
    Vaapi,
    Nvenc,
    Qsv,
    /// The first that works here, else software.
    Auto,
}

/// An encoder that is not software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hardware {
    Vaapi,
    Nvenc,
    Qsv,
}

/// What came of trying what an operator asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TriedEncoder {
    /// Nobody asked, or for whatever there is, and there is none.
    Software,
    Works(Hardware),
    /// Why it does not, in the program's own last words: for an operator.
    Fails(Hardware, String),
}

/// Where Linux shows graphics cards that encode without a screen.
const CARDS: &str = "/dev/dri";
const CARD: &str = "renderD";
const NVIDIA: [&str; 3] = ["/dev/nvidiactl", "/dev/nvidia0", "/dev/nvidia-uvm"];
const WALL: Duration = Duration::from_secs(60);
const TRIAL_BYTES_MAX: u64 = 16 << 20;
const WORDS_CHARS_MAX: usize = 200;

impl Encoder {
    fn candidates(self) -> &'static [Hardware] {
        match self {
            Self::Software => &[],
            Self::Vaapi => &[Hardware::Vaapi],
            Self::Nvenc => &[Hardware::Nvenc],
            Self::Qsv => &[Hardware::Qsv],
            Self::Auto => &[Hardware::Nvenc, Hardware::Qsv, Hardware::Vaapi],
        }
    }
}

impl Hardware {
    /// As operators know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vaapi => "VAAPI",
            Self::Nvenc => "NVENC",
            Self::Qsv => "Quick Sync",
        }
    }

    /// The devices that it needs, as far as they are there. The sandbox has no others.
    pub fn devices(self) -> Vec<PathBuf> {
        match self {
            Self::Vaapi | Self::Qsv => card().into_iter().collect(),
            Self::Nvenc => NVIDIA
                .map(PathBuf::from)
                .into_iter()
                .filter(|path| path.exists())
                .collect(),
        }
    }

    /// What stands before the input.
    pub fn device_options(self) -> Vec<String> {
        // Where there is none, ffmpeg says so.
        let card = card().unwrap_or_else(|| Path::new(CARDS).join(format!("{CARD}128")));
        let card = card.display();
        match self {
            Self::Vaapi => vec!["-vaapi_device".into(), card.to_string()],
            Self::Qsv => vec!["-init_hw_device".into(), format!("qsv=card,child_device={card}")],
            Self::Nvenc => Vec::new(),
        }
    }

    /// What the filters of a rung end with.
    pub fn upload(self) -> &'static str {
        match self {
            Self::Vaapi => ",format=nv12,hwupload",
            Self::Qsv => ",format=nv12",
            Self::Nvenc => "",
        }
    }

    /// Closed groups of one length, and no picture that is shown before its group's first: what a segment must be.
    pub fn coding_options(self, rung: &Rung, group: u32) -> Vec<String> {
        let rate = |kbps: u32| format!("{kbps}k");
        let (usual, most, buffer) = (rate(rung.kbps * 3 / 4), rate(rung.kbps), rate(rung.kbps * 2));
        let group = group.to_string();
        let mut words: Vec<&str> = match self {
            Self::Vaapi => vec!["-c:v", "h264_vaapi", "-rc_mode", "VBR"],
            Self::Nvenc => vec![
                "-c:v",
                "h264_nvenc",
                "-preset",
                "p4",
                "-rc",
                "vbr",
                "-no-scenecut",
                "1",
                "-forced-idr",
                "1",
            ],
            Self::Qsv => vec!["-c:v", "h264_qsv", "-preset", "veryfast", "-look_ahead", "0"],
        };
        words.extend([
            "-profile:v",
            "high",
            "-b:v",
            &usual,
            "-maxrate",
            &most,
            "-bufsize",
            &buffer,
        ]);
        words.extend(["-g", &group, "-bf", "0", "-flags:v", "+cgop"]);
        words.into_iter().map(str::to_owned).collect()
    }
}

/// The first graphics card.
fn card() -> Option<PathBuf> {
    let entries = fs::read_dir(CARDS).ok()?.flatten();
    let cards = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(CARD));
    cards.map(|entry| entry.path()).min()
}

/// Encodes a second of film into `folder`, which is empty, with each that was asked for until one works.
pub async fn try_out(sandbox: &Sandbox, encoder: Encoder, folder: &Path) -> Result<TriedEncoder, Failure> {
    let mut last = TriedEncoder::Software;
    for hardware in encoder.candidates() {
        match one_second(sandbox, *hardware, folder).await? {
            None => return Ok(TriedEncoder::Works(*hardware)),
            Some(_) if encoder == Encoder::Auto => {}
            Some(words) => last = TriedEncoder::Fails(*hardware, words),
        }
    }
    Ok(last)
}

/// Answers why it cannot.
async fn one_second(sandbox: &Sandbox, hardware: Hardware, folder: &Path) -> Result<Option<String>, Failure> {
    let task = Task {
        program: Program::HardwareFfmpeg(hardware),
        arguments: trial_arguments(hardware).into_iter().map(Into::into).collect(),
        input: "/dev/null".into(),
        output: Some(folder.to_owned()),
        limits: Limits {
            wall: WALL,
            silence: WALL,
            cpu_s: WALL.as_secs(),
            memory_bytes: 4 << 30,
            output_bytes: TRIAL_BYTES_MAX,
        },
    };
    match extras::run_task(sandbox, task, &CancellationToken::new(), |_| {}).await? {
        Ran::Well => {}
        Ran::TooLong => return Ok(Some("it took too long".into())),
        Ran::Badly(words) => return Ok(Some(shortened(&words))),
    }
    let file = folder.join(TRIAL);
    let pieces = tokio::task::spawn_blocking(move || {
        let pieces = fs::File::open(file).ok().and_then(|mut file| mp4::scan(&mut file).ok());
        pieces.map_or(0, |layout| layout.pieces.len())
    });
    let is_whole = pieces.await.map_err(anyhow::Error::from)? == 2;
    Ok((!is_whole).then(|| "it does not begin a group where it must".into()))
}

const TRIAL: &str = "trial.mp4";

fn trial_arguments(hardware: Hardware) -> Vec<String> {
    let rung = Rung {
        width: 640,
        height: 360,
        kbps: 800,
    };
    let mut words = command::quiet("error");
    words.extend(hardware.device_options());
    let filters = format!("format=yuv420p{}", hardware.upload());
    let film = "testsrc2=size=640x360:rate=24:duration=1";
    words.extend(["-f", "lavfi", "-i", film, "-vf", &filters].map(str::to_owned));
    words.extend(hardware.coding_options(&rung, 12));
    words.extend(["-movflags".into(), command::VIDEO_FRAGMENTS.into()]);
    words.extend(["-f", "mp4", "-y"].map(str::to_owned));
    words.push(format!("{OUTPUT}/{TRIAL}"));
    words
}

/// The first line, which says most.
fn shortened(words: &str) -> String {
    let line = words
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it ended without a word");
    line.chars()
        .filter(|sign| !sign.is_control())
        .take(WORDS_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNG: Rung = Rung {
        width: 1280,
        height: 720,
        kbps: 2_800,
    };

    #[test]
    fn each_is_told_in_its_own_words_what_a_segment_must_be() {
        for (hardware, own) in [
            (Hardware::Vaapi, "-c:v h264_vaapi -rc_mode VBR"),
            (
                Hardware::Nvenc,
                "-c:v h264_nvenc -preset p4 -rc vbr -no-scenecut 1 -forced-idr 1",
            ),
            (Hardware::Qsv, "-c:v h264_qsv -preset veryfast -look_ahead 0"),
        ] {
            let rest = "-profile:v high -b:v 2100k -maxrate 2800k -bufsize 5600k -g 48 -bf 0 -flags:v +cgop";
            assert_eq!(hardware.coding_options(&RUNG, 48).join(" "), format!("{own} {rest}"));
        }
        let device = Hardware::Vaapi.device_options().join(" ");
        assert!(device.starts_with("-vaapi_device /dev/dri/renderD"), "{device}");
        let device = Hardware::Qsv.device_options().join(" ");
        assert!(
            device.starts_with("-init_hw_device qsv=card,child_device=/dev/dri/renderD"),
            "{device}"
        );
        assert!(Hardware::Nvenc.device_options().is_empty());
        let trial = trial_arguments(Hardware::Vaapi).join(" ");
        assert!(
            trial.contains("-vf format=yuv420p,format=nv12,hwupload -c:v h264_vaapi"),
            "{trial}"
        );
    }

    #[test]
    fn it_is_off_unless_an_operator_asks() {
        assert_eq!(Encoder::default().candidates(), []);
        assert_eq!(
            serde_json::from_str::<Encoder>("\"vaapi\"").unwrap().candidates(),
            [Hardware::Vaapi]
        );
        assert_eq!(Encoder::Auto.candidates().len(), 3);
        assert!(serde_json::from_str::<Encoder>("\"cuda\"").is_err());
    }

    /// Where a card is, this says that it works; where none is, why not.
    #[tokio::test]
    async fn what_is_asked_for_is_tried() {
        let sandbox = Sandbox::default();
        for (encoder, hardware) in [
            (Encoder::Vaapi, Hardware::Vaapi),
            (Encoder::Nvenc, Hardware::Nvenc),
            (Encoder::Qsv, Hardware::Qsv),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let tried = try_out(&sandbox, encoder, folder.path()).await.unwrap();
            match tried {
                TriedEncoder::Works(works) => assert!(works == hardware && !hardware.devices().is_empty()),
                TriedEncoder::Fails(fails, words) => assert!(fails == hardware && words.len() > 5, "{words}"),
                TriedEncoder::Software => panic!("{encoder:?} was not tried"),
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let nobody_asked = try_out(&sandbox, Encoder::Software, folder.path()).await;
        assert_eq!(nobody_asked.unwrap(), TriedEncoder::Software);
    }
}
