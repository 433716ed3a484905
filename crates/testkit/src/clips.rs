//! Owns making films for tests with ffmpeg: ordinary ones and those that break careless code. Each is made once per machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Raise when a clip of the same name becomes another.
const FORMAT: u32 = 1;

/// A file that somebody could upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clip {
    /// 320×180, 24 frames per second, a tone, this many seconds.
    Ordinary { seconds: u32 },
    /// 1280×720, for a ladder of several rungs.
    HighDefinition { seconds: u32 },
    /// Taller than wide.
    Portrait,
    /// 24000/1001 frames per second.
    Film23976,
    /// 321×181: no encoder for 4:2:0 takes that as it is.
    OddDimensions,
    /// No sound.
    Silent,
    /// Sound alone.
    AudioOnly,
    /// A film whose second half is missing, index included.
    CutInHalf,
    /// A text in a file named `.mp4`.
    TextFile,
    /// Nothing in a file named `.mp4`.
    Empty,
    /// A playlist that names other files, called `.mp4`.
    PlaylistAsMp4,
}

impl Clip {
    /// Those that play once they are transcoded.
    pub const PLAYABLE: [Self; 5] = [
        Self::Ordinary { seconds: 4 },
        Self::Portrait,
        Self::Film23976,
        Self::OddDimensions,
        Self::Silent,
    ];
    /// Those that must be refused with a reason.
    pub const BROKEN: [Self; 5] = [
        Self::AudioOnly,
        Self::CutInHalf,
        Self::TextFile,
        Self::Empty,
        Self::PlaylistAsMp4,
    ];

    /// The file, made where it is not here yet.
    pub fn file(self) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("kinora-test-clips-{FORMAT}-{}", own_user()));
        fs::create_dir_all(&folder).expect("create the folder of the clips");
        let file = folder.join(self.name());
        if !file.is_file() {
            // Several test processes may make the same clip; the last to finish wins, and all are equal.
            let partial = folder.join(format!("{}-{}", std::process::id(), self.name()));
            self.make(&partial);
            fs::rename(&partial, &file).expect("put the clip in its place");
        }
        file
    }

    fn name(self) -> String {
        match self {
            Self::Ordinary { seconds } => format!("ordinary-{seconds}.mp4"),
            Self::HighDefinition { seconds } => format!("high-definition-{seconds}.mp4"),
            other => format!("{}.mp4", format!("{other:?}").to_lowercase()),
        }
    }

    fn make(self, file: &Path) {
        match self {
            Self::Ordinary { seconds } => film(file, "320x180", "24", seconds, true),
            Self::HighDefinition { seconds } => film(file, "1280x720", "24", seconds, true),
            Self::Portrait => film(file, "180x320", "30", 4, true),
            Self::Film23976 => film(file, "320x180", "24000/1001", 6, true),
            Self::OddDimensions => odd_dimensions(file),
            Self::Silent => film(file, "320x180", "25", 4, false),
            Self::AudioOnly => ffmpeg(
                &["-f", "lavfi", "-i", "sine=frequency=330:duration=4", "-c:a", "aac"],
                file,
            ),
            Self::CutInHalf => cut_in_half(file),
            Self::TextFile => write(
                file,
                "Once upon a time there was no film in this file.\n"
                    .repeat(50)
                    .as_bytes(),
            ),
            Self::Empty => write(file, b""),
            Self::PlaylistAsMp4 => write(
                file,
                b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
            ),
        }
    }
}

/// A moving picture in which every frame differs, so that a test can see it move.
fn film(file: &Path, size: &str, rate: &str, seconds: u32, sound: bool) {
    let picture = format!("testsrc2=size={size}:rate={rate}:duration={seconds}");
    let tone = format!("sine=frequency=330:duration={seconds}:sample_rate=48000");
    let mut words = vec!["-f", "lavfi", "-i", &picture];
    if sound {
        words.extend(["-f", "lavfi", "-i", &tone, "-c:a", "aac", "-b:a", "96k"]);
    }
    words.extend([
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-movflags",
        "+faststart",
    ]);
    ffmpeg(&words, file);
}

/// 4:4:4 is the only common form that may have an odd width.
fn odd_dimensions(file: &Path) {
    let picture = "testsrc2=size=320x180:rate=24:duration=4,scale=321:181,format=yuv444p";
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            picture,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv444p",
        ],
        file,
    );
}

fn cut_in_half(file: &Path) {
    let whole = file.with_extension("whole.mp4");
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=24:duration=6",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
        ],
        &whole,
    );
    let bytes = fs::read(&whole).expect("read the whole film");
    write(file, &bytes[..bytes.len() / 2]);
    fs::remove_file(&whole).expect("remove the whole film");
}

fn write(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).expect("write the clip");
}

fn ffmpeg(words: &[&str], file: &Path) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(words)
        .arg(file)
        .output();
    let output = output.expect("ffmpeg, which the tests need: apt-get install -y ffmpeg");
    assert!(
        output.status.success(),
        "ffmpeg {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Another user's folder could not be written.
fn own_user() -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").map_or(0, |own| own.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(clip: Clip, entries: &str) -> String {
        let words = [
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            entries,
            "-of",
            "csv=p=0",
        ];
        let output = Command::new("ffprobe").args(words).arg(clip.file()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[test]
    fn clips_are_what_they_are_called() {
        assert_eq!(probe(Clip::Portrait, "stream=width,height"), "180,320");
        assert_eq!(probe(Clip::OddDimensions, "stream=width,height"), "321,181");
        assert_eq!(probe(Clip::Film23976, "stream=r_frame_rate"), "24000/1001");
        assert_eq!(probe(Clip::AudioOnly, "stream=width"), "");
        assert_eq!(probe(Clip::CutInHalf, "stream=width"), "");
        assert_eq!(fs::metadata(Clip::Empty.file()).unwrap().len(), 0);
    }
}
