//! What a film has beside picture and sound: its subtitles as WebVTT and its storyboard. A film is not lost over them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use platform::jobs::Failure;
use tokio_util::sync::CancellationToken;

use super::{
    command, explain,
    join::Package,
    probe::Extras,
    sandbox::{Limits, Program, Sandbox, SandboxError, Task},
    storyboard, subtitles,
};

/// A whole source is read for its subtitles.
const WALL: Duration = Duration::from_secs(3600);
const SILENCE: Duration = Duration::from_secs(300);
const MEMORY_BYTES: u64 = 2 << 30;

/// A file to be stored as it is, under this name below the asset.
#[derive(Debug, Clone)]
pub struct Extra {
    /// `s0/1.vtt`, `b0/1.jpg`.
    pub name: String,
    pub path: PathBuf,
}

/// How a program ended that nothing hangs on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ran {
    Well,
    /// With its last words.
    Badly(String),
    /// It was stopped, and the next one would have to be as well.
    TooLong,
}

impl Ran {
    /// Of a program that did not end well.
    pub fn words(&self) -> &str {
        match self {
            Self::Well => "",
            Self::Badly(words) => words,
            Self::TooLong => "took too long",
        }
    }
}

/// Makes what there is to make of `source` and of the lowest rung, which lies in `folder`, and adds it to the package.
pub async fn add(
    sandbox: &Sandbox,
    package: &mut Package,
    extras: &Extras,
    (source, folder): (&Path, &Path),
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let own = folder_in(folder, "text").await?;
    let duration_ms = package.index.duration_ms;
    let made = subtitles::extract(sandbox, (source, &own), extras, duration_ms, cancel).await?;
    package.index.subtitles = made.tracks;
    package.index.notes.extend(made.notes);
    package.extras.extend(made.files);
    let own = folder_in(folder, "pictures").await?;
    let rung = folder.join(format!("{}.mp4", command::video_name(0)));
    match storyboard::make(sandbox, (&rung, &own), &package.index, cancel).await? {
        Some((storyboard, files)) => {
            package.index.storyboard = Some(storyboard);
            package.extras.extend(files);
        }
        None => package
            .index
            .notes
            .push("The seek bar has no pictures: they could not be made.".into()),
    }
    Ok(())
}

async fn folder_in(folder: &Path, name: &str) -> Result<PathBuf, Failure> {
    let own = folder.join(name);
    tokio::fs::create_dir(&own).await.map_err(|error| explain::io(&error))?;
    Ok(own)
}

pub(super) async fn run(
    sandbox: &Sandbox,
    arguments: Vec<String>,
    (input, output): (&Path, &Path),
    output_bytes: u64,
    cancel: &CancellationToken,
) -> Result<Ran, Failure> {
    let limits = Limits {
        wall: WALL,
        silence: SILENCE,
        cpu_s: WALL.as_secs(),
        memory_bytes: MEMORY_BYTES,
        output_bytes,
    };
    let task = Task {
        program: Program::Ffmpeg,
        arguments: arguments.into_iter().map(Into::into).collect(),
        input: input.to_owned(),
        output: Some(output.to_owned()),
        limits,
    };
    run_task(sandbox, task, cancel, |_| {}).await
}

/// With limits of its own, and somebody who hears its lines.
pub(super) async fn run_task(
    sandbox: &Sandbox,
    task: Task,
    cancel: &CancellationToken,
    on_line: impl FnMut(&str) + Send + 'static,
) -> Result<Ran, Failure> {
    match sandbox.run(task, cancel.clone(), on_line).await {
        Ok(ended) if ended.status == 0 => Ok(Ran::Well),
        Ok(ended) => Ok(Ran::Badly(ended.words)),
        Err(error @ SandboxError::TooMuch) => Ok(Ran::Badly(error.to_string())),
        Err(SandboxError::TooLong(_) | SandboxError::Silent(_)) => Ok(Ran::TooLong),
        Err(error) => Err(explain::sandbox(&error)),
    }
}
