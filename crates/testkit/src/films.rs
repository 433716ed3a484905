//! Owns making films with ffmpeg, outside any sandbox (they are the test's own): the one place of the tests that knows an encoder's words.
//!
//! ```ignore
//! let film = Film::new("320x180", "25", 2).index_first().make("mp4");
//! let noisy = Film::silent("640x360", "30", 20).and(&["-vf", "noise=alls=60:allf=t"]).make("mp4");
//! let two_parts = Film::new("320x180", "25", 10).chapters(&[("The film", 0, 8), ("End Credits", 8, 10)]).make("mkv");
//! ```

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// H.264 as quickly as it goes, in the form that every player takes.
const H264: [&str; 6] = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
const AAC: [&str; 2] = ["-c:a", "aac"];

/// A file of a test's, gone with it.
#[derive(Debug)]
pub struct Made {
    pub path: PathBuf,
    _folder: tempfile::TempDir,
}

/// A file with these bytes.
pub fn file(name: &str, bytes: &[u8]) -> Made {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("write the file");
    Made { path, _folder: folder }
}

/// The usual one: [`Film::new`] as an MP4 that can be played from its beginning on.
pub fn film(size: &str, rate: &str, seconds: impl Display) -> Made {
    Film::new(size, rate, seconds).index_first().make("mp4")
}

/// A film that is to be made. Every input is in it; what its streams are coded as may be chosen.
#[derive(Debug, Clone, Default)]
pub struct Film {
    inputs: Vec<Vec<String>>,
    coding: Vec<String>,
    chapters: Option<String>,
}

impl Film {
    /// Moving bars, in which every frame is another, with a tone: H.264 and AAC.
    pub fn new(size: &str, rate: &str, seconds: impl Display) -> Self {
        Self::silent(size, rate, &seconds).tone(440, seconds)
    }

    /// Without sound.
    pub fn silent(size: &str, rate: &str, seconds: impl Display) -> Self {
        Self::default().picture(size, rate, seconds).coded(&H264)
    }

    /// A tone and nothing to see, coded as these words say.
    pub fn sound_alone(seconds: impl Display, coding: &[&str]) -> Self {
        Self::default().tone(440, seconds).coded(coding)
    }

    /// Moving bars, the first ones or further ones.
    pub fn picture(self, size: &str, rate: &str, seconds: impl Display) -> Self {
        let bars = format!("testsrc2=size={size}:rate={rate}:duration={seconds}");
        self.input(&["-f", "lavfi", "-i", &bars])
    }

    /// A tone, the first one or a further one, as AAC.
    pub fn tone(self, frequency_hz: u32, seconds: impl Display) -> Self {
        let tone = format!("sine=frequency={frequency_hz}:duration={seconds}:sample_rate=48000");
        self.input(&["-f", "lavfi", "-i", &tone]).and(&AAC)
    }

    /// What was put in last begins so much later.
    pub fn later(mut self, seconds: f64) -> Self {
        if let Some(input) = self.inputs.last_mut() {
            input.splice(0..0, owned(&["-itsoffset", &seconds.to_string()]));
        }
        self
    }

    /// Something else that lies in the file: the words before and with its `-i`.
    pub fn input(mut self, words: &[&str]) -> Self {
        self.inputs.push(owned(words));
        self
    }

    /// Coded as these words say, instead of as H.264 and AAC.
    pub fn coded(mut self, words: &[&str]) -> Self {
        self.coding = owned(words);
        self
    }

    /// These words too; of two that say the same the last one counts.
    pub fn and(mut self, words: &[&str]) -> Self {
        self.coding.extend(owned(words));
        self
    }

    /// The index stands at the beginning, so that the file can be played while it arrives.
    pub fn index_first(self) -> Self {
        self.and(&["-movflags", "+faststart"])
    }

    /// Chapters: their names, and from which second to which they go.
    pub fn chapters(mut self, chapters: &[(&str, u32, u32)]) -> Self {
        let chapter = |(name, from, to): &(&str, u32, u32)| {
            format!("[CHAPTER]\nTIMEBASE=1/1\nSTART={from}\nEND={to}\ntitle={name}\n")
        };
        let all: String = chapters.iter().map(chapter).collect();
        self.chapters = Some(format!(";FFMETADATA1\n{all}"));
        self
    }

    /// In a folder of its own.
    pub fn make(&self, extension: &str) -> Made {
        let made = file(&format!("film.{extension}"), b"");
        self.write(&made.path);
        made
    }

    /// As this file; its ending says which container.
    pub fn write(&self, to: &Path) {
        let mut words: Vec<String> = self.inputs.iter().flatten().cloned().collect();
        for input in 0..self.inputs.len() {
            words.extend(["-map".into(), input.to_string()]);
        }
        // An input too, but with nothing in it to be seen or heard.
        let chapters = self.chapters.as_ref().map(|text| file("chapters.txt", text.as_bytes()));
        if let Some(chapters) = &chapters {
            let read = ["-i".into(), chapters.path.to_string_lossy().into_owned()];
            let place = words.iter().position(|word| word == "-map").unwrap_or(words.len());
            words.splice(place..place, read);
            words.extend(["-map_chapters".into(), self.inputs.len().to_string()]);
        }
        words.extend(self.coding.iter().cloned());
        ffmpeg(&words, to);
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn ffmpeg(words: &[String], file: &Path) {
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

/// What ffprobe answers, one line an entry.
pub fn ffprobe(words: &[&str], file: &Path) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "csv=p=0"])
        .args(words)
        .arg(file)
        .output()
        .expect("ffprobe, which comes with ffmpeg");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| line.trim_end_matches(',').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_holds_all_that_it_was_made_of() {
        let film = Film::new("320x180", "25", 2)
            .tone(900, 3)
            .chapters(&[("The film", 0, 1), ("End Credits", 1, 2)])
            .make("mkv");
        let kinds = ffprobe(&["-show_entries", "stream=codec_name"], &film.path);
        assert_eq!(kinds, ["h264", "aac", "aac"]);
        let chapters = ffprobe(&["-show_entries", "chapter=start_time:chapter_tags=title"], &film.path);
        assert_eq!(chapters, ["0.000000,The film", "1.000000,End Credits"]);
    }
}
