//! The text subtitles of a source as WebVTT: ffmpeg reads them inside the sandbox, [`webvtt`] writes what is kept.
//!
//! A film is not lost over its subtitles: what cannot be read is left out, and the job's outcome says so.

use std::path::{Path, PathBuf};

use contract::streaming::SubtitleKind;
use platform::jobs::Failure;
use tokio_util::sync::CancellationToken;

use super::{
    explain,
    extras::{self, Extra, Ran},
    language,
    probe::{self, Extras, Subtitle},
    sandbox::{OUTPUT, SOURCE, Sandbox},
    webvtt,
};
use crate::{asset::SubtitleTrack, manifest::unique};

/// Of more tracks than these the rest is left out.
const TRACKS_MAX: usize = 32;
/// Of all that ffmpeg writes; and of one track, as it is kept.
const WRITTEN_BYTES_MAX: u64 = 64 << 20;
const TRACK_BYTES_MAX: u64 = 4 << 20;

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
    let all: Vec<(usize, &Subtitle)> = wanted.iter().enumerate().collect();
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
        let label = unique(label(subtitle), |label| {
            self.tracks.iter().any(|track| track.label == label)
        });
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
    let mut arguments = extras::begin();
    arguments.extend(probe::subtitle_options());
    arguments.extend(["-i".to_owned(), SOURCE.to_owned()]);
    for (position, subtitle) in wanted {
        arguments.extend(["-map".to_owned(), format!("0:{}", subtitle.stream)]);
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
        arguments.extend(options.map(str::to_owned));
        arguments.push(format!("{OUTPUT}/raw{position}.vtt"));
    }
    extras::run(sandbox, arguments, (source, folder), WRITTEN_BYTES_MAX, cancel).await
}

/// What the source calls it, else its language and what it is for.
fn label(subtitle: &Subtitle) -> String {
    if let Some(label) = &subtitle.label {
        return label.clone();
    }
    let language = subtitle.language.as_deref().map(language::name);
    let what = match subtitle.kind {
        SubtitleKind::Subtitles => None,
        SubtitleKind::Captions => Some("SDH"),
        SubtitleKind::Forced => Some("forced"),
    };
    match (language, what) {
        (Some(language), Some(what)) => format!("{language} ({what})"),
        (Some(language), None) => language,
        (None, Some(what)) => format!("Subtitles ({what})"),
        (None, None) => "Subtitles".into(),
    }
}
