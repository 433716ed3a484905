//! The text subtitles of a source as WebVTT: ffmpeg reads them inside the sandbox, [`webvtt`] writes what is kept.
//!
//! A film is not lost over its subtitles: what cannot be read is left out, and the job's outcome says so.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::streaming::SubtitleKind;
use platform::jobs::Failure;
use tokio_util::sync::CancellationToken;

use super::{
    command, explain,
    extras::{self, Extra, Ran},
    language,
    probe::{self, Extras, Subtitle},
    sandbox::{Limits, OUTPUT, Program, SOURCE, Sandbox, Task},
    text::Text,
    webvtt,
};
use crate::{asset::SubtitleTrack, manifest::unique};

/// Of more tracks than these the rest is left out.
const TRACKS_MAX: usize = 32;
/// Of all that ffmpeg writes; and of one track, as it is kept.
const WRITTEN_BYTES_MAX: u64 = 64 << 20;
const TRACK_BYTES_MAX: u64 = 4 << 20;
/// Of what is shown at once, as it lies in the source: what ffmpeg needs to take it apart grows with its square.
const CUE_BYTES_MAX: u64 = 64 << 10;
/// A whole source is looked through for it, mostly by waiting for a disk.
const LOOK_WALL: Duration = Duration::from_secs(3600);
/// Of a file of its own, which has a few megabytes at most.
const FILE_WALL: Duration = Duration::from_secs(20);

/// What became of a source's subtitles.
#[derive(Debug, Default)]
pub struct Made {
    pub tracks: Vec<SubtitleTrack>,
    pub files: Vec<Extra>,
    pub notes: Vec<String>,
}

/// Reads all that is text into files in `folder`, which is empty.
pub async fn extract(
    sandbox: &Sandbox,
    (source, folder): (&Path, &Path),
    extras: &Extras,
    duration_ms: u64,
    cancel: &CancellationToken,
) -> Result<Made, Failure> {
    let wanted = &extras.subtitles[..extras.subtitles.len().min(TRACKS_MAX)];
    let mut made = Made::default();
    made.leave_out(extras.subtitle_pictures, "are pictures, and only text can be read");
    made.leave_out(extras.subtitles.len() - wanted.len(), "are more than a film may have");
    if wanted.is_empty() {
        return Ok(made);
    }
    let huge = with_huge_cues(sandbox, source, cancel).await?;
    let is_small = |(_, subtitle): &(usize, &Subtitle)| !huge.contains(&subtitle.stream);
    let all: Vec<(usize, &Subtitle)> = wanted.iter().enumerate().filter(is_small).collect();
    made.leave_out(wanted.len() - all.len(), "show more at once than anybody could read");
    if all.is_empty() {
        return Ok(made);
    }
    let unread = read_all(sandbox, (source, folder), &all, cancel).await?;
    let (mut empty, mut large) = (0, 0);
    for (position, subtitle) in all {
        let Ok(said) = tokio::fs::read(raw(folder, position)).await else {
            continue;
        };
        match webvtt::rewritten(&said, duration_ms) {
            None => empty += 1,
            Some(text) if text.len() as u64 > TRACK_BYTES_MAX => large += 1,
            Some(text) => made.keep(folder, subtitle, text).await?,
        }
    }
    made.leave_out(unread, "cannot be read");
    made.leave_out(empty, "are empty");
    made.leave_out(large, "are longer than any film's");
    Ok(made)
}

/// The streams with a cue that nobody could read. Where the source cannot be looked through they are read as they are, until that takes
/// too long.
async fn with_huge_cues(
    sandbox: &Sandbox,
    source: &Path,
    cancel: &CancellationToken,
) -> Result<HashSet<usize>, Failure> {
    let mut arguments: Vec<String> = ["-v", "error", "-select_streams", "s", "-of", "csv=p=0"]
        .map(str::to_owned)
        .into();
    arguments.extend(["-show_entries".to_owned(), "packet=stream_index,size".to_owned()]);
    arguments.extend(probe::look_options());
    arguments.push(SOURCE.to_owned());
    let task = Task {
        program: Program::Ffprobe,
        arguments: arguments.into_iter().map(Into::into).collect(),
        input: source.to_owned(),
        output: None,
        limits: Limits {
            wall: LOOK_WALL,
            // It says nothing for as long as nobody speaks.
            silence: LOOK_WALL,
            cpu_s: LOOK_WALL.as_secs(),
            memory_bytes: 2 << 30,
            output_bytes: 0,
        },
    };
    let found = Arc::new(Mutex::new(HashSet::new()));
    let huge = found.clone();
    let on_line = move |line: &str| {
        if let Some(stream) = huge_cue(line) {
            huge.lock().unwrap_or_else(PoisonError::into_inner).insert(stream);
        }
    };
    let ran = extras::run_task(sandbox, task, cancel, on_line).await?;
    if ran != Ran::Well {
        tracing::warn!(words = ran.words(), "subtitles were not looked through to their end");
    }
    let found = found.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(found.clone())
}

/// `2,70000`: a stream and how many bytes a packet of it has.
fn huge_cue(line: &str) -> Option<usize> {
    let mut numbers = line.split(',');
    let (stream, bytes): (usize, u64) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    (bytes > CUE_BYTES_MAX).then_some(stream)
}

/// What became of a file of subtitles.
#[derive(Debug, PartialEq, Eq)]
pub enum Converted {
    /// WebVTT.
    Well(String),
    /// What is wrong with it, after "it".
    Refused(&'static str),
}

/// A file of its own as WebVTT, whichever film it is shown with; `folder` is empty.
pub async fn convert(
    sandbox: &Sandbox,
    folder: &Path,
    text: &Text,
    cancel: &CancellationToken,
) -> Result<Converted, Failure> {
    let (source, output) = (folder.join("text"), folder.join("out"));
    let write = async {
        tokio::fs::write(&source, &text.text).await?;
        tokio::fs::create_dir(&output).await
    };
    write.await.map_err(|error| explain::io(&error))?;
    let mut arguments = command::quiet("error");
    let options = [
        "-protocol_whitelist",
        "file,pipe",
        "-format_whitelist",
        text.format.demuxer(),
        "-codec_whitelist",
        probe::TEXT_DECODERS,
        "-f",
        text.format.demuxer(),
        "-i",
        SOURCE,
        "-map",
        "0:0",
    ];
    arguments.extend(options.map(str::to_owned));
    arguments.extend(webvtt_output(0));
    let task = Task {
        program: Program::Ffmpeg,
        arguments: arguments.into_iter().map(Into::into).collect(),
        input: source,
        output: Some(output.clone()),
        limits: Limits {
            wall: FILE_WALL,
            silence: FILE_WALL,
            cpu_s: FILE_WALL.as_secs(),
            memory_bytes: 1 << 30,
            output_bytes: 4 * TRACK_BYTES_MAX,
        },
    };
    match extras::run_task(sandbox, task, cancel, |_| {}).await? {
        Ran::Well => {}
        Ran::TooLong => return Ok(Converted::Refused("takes too long to read")),
        Ran::Badly(words) => {
            tracing::debug!(words, "a file of subtitles cannot be read");
            return Ok(Converted::Refused("cannot be read"));
        }
    }
    let said = tokio::fs::read(raw(&output, 0))
        .await
        .map_err(|error| explain::io(&error))?;
    Ok(
        match webvtt::rewritten(&said, (probe::DURATION_S_MAX * 1000.0) as u64) {
            None => Converted::Refused("has nothing to show"),
            Some(text) if text.len() as u64 > TRACK_BYTES_MAX => Converted::Refused("is longer than any film's"),
            Some(text) => Converted::Well(text),
        },
    )
}

/// All at once, or one by one, so that a broken one takes no other with it; answers how many could not be read.
async fn read_all(
    sandbox: &Sandbox,
    places: (&Path, &Path),
    all: &[(usize, &Subtitle)],
    cancel: &CancellationToken,
) -> Result<usize, Failure> {
    let ran = read(sandbox, places, all, cancel).await?;
    if ran == Ran::Well {
        return Ok(0);
    }
    tracing::warn!(words = ran.words(), "subtitles cannot be read all at once");
    let mut unread = 0;
    let mut goes_on = ran != Ran::TooLong;
    for one in all {
        if goes_on {
            match read(sandbox, places, &[*one], cancel).await? {
                Ran::Well => continue,
                Ran::Badly(_) => {}
                Ran::TooLong => goes_on = false,
            }
        }
        unread += 1;
        tokio::fs::remove_file(raw(places.1, one.0)).await.ok();
    }
    Ok(unread)
}

impl Made {
    fn leave_out(&mut self, tracks: usize, why: &str) {
        match tracks {
            0 => {}
            1 => self.notes.push(format!("1 subtitle track is left out: such {why}.")),
            tracks => self
                .notes
                .push(format!("{tracks} subtitle tracks are left out: they {why}.")),
        }
    }

    async fn keep(&mut self, folder: &Path, subtitle: &Subtitle, text: String) -> Result<(), Failure> {
        let name = format!("s{}", self.tracks.len());
        let said = subtitle.label.clone();
        let label = said.unwrap_or_else(|| label(subtitle.language.as_deref(), subtitle.kind));
        let label = unique(label, |label| self.tracks.iter().any(|track| track.label == label));
        let bytes = text.len() as u64;
        let path = folder.join(format!("{name}.vtt"));
        tokio::fs::write(&path, text)
            .await
            .map_err(|error| explain::io(&error))?;
        self.files.push(Extra {
            name: format!("{name}/1.vtt"),
            path,
        });
        self.tracks.push(SubtitleTrack {
            name,
            language: subtitle.language.clone(),
            label,
            kind: subtitle.kind,
            bytes,
        });
        Ok(())
    }
}

fn raw(folder: &Path, position: usize) -> PathBuf {
    folder.join(format!("raw{position}.vtt"))
}

async fn read(
    sandbox: &Sandbox,
    (source, folder): (&Path, &Path),
    wanted: &[(usize, &Subtitle)],
    cancel: &CancellationToken,
) -> Result<Ran, Failure> {
    let mut arguments = command::quiet("error");
    arguments.extend(probe::subtitle_options());
    arguments.extend(["-i".to_owned(), SOURCE.to_owned()]);
    for (position, subtitle) in wanted {
        arguments.extend(["-map".to_owned(), format!("0:{}", subtitle.stream)]);
        arguments.extend(webvtt_output(*position));
    }
    extras::run(sandbox, arguments, (source, folder), WRITTEN_BYTES_MAX, cancel).await
}

/// The file that [`raw`] is then there as.
fn webvtt_output(position: usize) -> Vec<String> {
    let options = [
        "-c:s",
        "webvtt",
        "-map_metadata",
        "-1",
        "-fflags",
        "+bitexact",
        "-f",
        "webvtt",
        "-y",
    ];
    let mut words: Vec<String> = options.map(str::to_owned).into();
    words.push(format!("{OUTPUT}/raw{position}.vtt"));
    words
}

/// What subtitles are called that nobody named: their language and what they are for.
pub fn label(language: Option<&str>, kind: SubtitleKind) -> String {
    let what = match kind {
        SubtitleKind::Subtitles => None,
        SubtitleKind::Captions => Some("SDH"),
        SubtitleKind::Forced => Some("forced"),
    };
    match (language.map(language::name), what) {
        (Some(language), Some(what)) => format!("{language} ({what})"),
        (Some(language), None) => language,
        (None, Some(what)) => format!("Subtitles ({what})"),
        (None, None) => "Subtitles".into(),
    }
}
