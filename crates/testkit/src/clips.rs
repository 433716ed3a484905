//! Owns the files that somebody could upload: ordinary films and what breaks careless code. Each is made once per machine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::films::Film;

/// Raise when a clip of the same name becomes another.
const FORMAT: u32 = 2;

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
            Self::Ordinary { seconds } => film("320x180", "24", seconds).write(file),
            Self::HighDefinition { seconds } => film("1280x720", "24", seconds).write(file),
            Self::Portrait => film("180x320", "30", 4).write(file),
            Self::Film23976 => film("320x180", "24000/1001", 6).write(file),
            // 4:4:4 is the only common form that may have an odd width.
            Self::OddDimensions => Film::silent("320x180", "24", 4)
                .and(&["-vf", "scale=321:181", "-pix_fmt", "yuv444p"])
                .write(file),
            Self::Silent => Film::silent("320x180", "25", 4).index_first().write(file),
            Self::AudioOnly => Film::sound_alone(4, &["-c:a", "aac"]).write(file),
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

fn film(size: &str, rate: &str, seconds: u32) -> Film {
    Film::new(size, rate, seconds).index_first()
}

fn cut_in_half(file: &Path) {
    let whole = Film::silent("320x180", "24", 6).make("mp4");
    let bytes = fs::read(&whole.path).expect("read the whole film");
    write(file, &bytes[..bytes.len() / 2]);
}

fn write(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).expect("write the clip");
}

/// Another user's folder could not be written.
fn own_user() -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").map_or(0, |own| own.uid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::films::ffprobe;

    fn probe(clip: Clip, entries: &str) -> Vec<String> {
        ffprobe(&["-select_streams", "v:0", "-show_entries", entries], &clip.file())
    }

    #[test]
    fn clips_are_what_they_are_called() {
        assert_eq!(probe(Clip::Portrait, "stream=width,height"), ["180,320"]);
        assert_eq!(probe(Clip::OddDimensions, "stream=width,height"), ["321,181"]);
        assert_eq!(probe(Clip::Film23976, "stream=r_frame_rate"), ["24000/1001"]);
        assert!(probe(Clip::AudioOnly, "stream=width").is_empty());
        assert_eq!(fs::metadata(Clip::Empty.file()).unwrap().len(), 0);
    }
}
