//! `kinora media`: video from this machine's disk onto a title.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use contract::{
    TitleId,
    jobs::{ForJob, Job, JobState, Jobs},
    streaming::{AddMedia, Streaming},
};
use tokio_util::sync::CancellationToken;

use super::progress::Progress;
use crate::{cli::Media, config::Config, node::Node};

const LOOK_EVERY: Duration = Duration::from_millis(300);

pub async fn run(command: Media) -> anyhow::Result<()> {
    let Media::Add {
        file,
        title,
        wait,
        place,
    } = command;
    let node = Node::quiet(Config::read(&place)?).await?;
    let result = add(&node, &file, title, wait).await;
    node.close().await;
    result
}

async fn add(node: &Node, file: &Path, title: TitleId, wait: bool) -> anyhow::Result<()> {
    let path = file
        .canonicalize()
        .with_context(|| format!("reading {}", file.display()))?;
    let rooms = node.rooms().await?;
    let path = path
        .to_str()
        .context("the path is not UTF-8; rename the file")?
        .to_owned();
    let job = rooms
        .streaming
        .add_media(AddMedia {
            title,
            path,
            sparing: false,
        })
        .await?;
    if !wait {
        println!("job {} is queued; a running server packages it, or use --wait", job.id);
        return Ok(());
    }
    let stop = CancellationToken::new();
    let workers = node.config.streaming.workers.max(1) as usize;
    let worker = tokio::spawn(rooms.streaming.clone().run_worker(workers, stop.clone()));
    let ended = wait_for(&*rooms.streaming, job).await;
    stop.cancel();
    worker.await?;
    rooms.settle(node).await?;
    report(&ended?)
}

/// Shows the job until it has ended. A running server may be the one that works on it.
pub async fn wait_for(jobs: &dyn Jobs, mut job: Job) -> anyhow::Result<Job> {
    let progress = Progress::new();
    loop {
        match job.state {
            JobState::Queued => progress.at(0.0, "waiting"),
            JobState::Running => progress.at(job.progress, &job.stage),
            JobState::Done | JobState::Failed | JobState::Cancelled => return Ok(job),
        }
        tokio::time::sleep(LOOK_EVERY).await;
        job = jobs.get(ForJob { job: job.id }).await?;
    }
}

/// Says how it ended; a failure is an error.
pub fn report(job: &Job) -> anyhow::Result<()> {
    match job.state {
        JobState::Done => println!("{}: {}", job.subject, job.outcome.as_deref().unwrap_or("done")),
        JobState::Cancelled => bail!("{} was cancelled", job.subject),
        _ => bail!("{}: {}", job.subject, job.error.as_deref().unwrap_or("failed")),
    }
    Ok(())
}
