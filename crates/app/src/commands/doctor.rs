//! `kinora doctor`: looks for what is wrong and says what to do. Reads only; works beside a running server.

use std::{path::Path, process::Command};

use anyhow::bail;
use contract::{
    jobs::{JobState, ListJobs},
    recommend::{ListModels, ModelState, Recommend as _},
};
use serde::Serialize;

use crate::{
    cli::Place,
    config::Config,
    node::{Node, Rooms},
};

/// Below this, packaging a film will fail soon.
const FREE_BYTES_MIN: u64 = 2 << 30;

#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    ok: bool,
    detail: String,
    /// What to do, where something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

impl Finding {
    fn new(name: &'static str, result: Result<String, String>, remedy: &'static str) -> Self {
        let ok = result.is_ok();
        let (Ok(detail) | Err(detail)) = result;
        Self {
            name,
            ok,
            detail,
            remedy: (!ok).then_some(remedy),
        }
    }
}

pub async fn run(place: &Place, json: bool) -> anyhow::Result<()> {
    let config = Config::read(place)?;
    let mut findings = vec![
        program(
            "ffmpeg",
            "-version",
            "install ffmpeg (Debian: apt install ffmpeg); without it no video can be packaged",
        ),
        program(
            "ffprobe",
            "-version",
            "install ffmpeg (Debian: apt install ffmpeg); without it no video can be packaged",
        ),
        program(
            "bwrap",
            "--version",
            "install bubblewrap (Debian: apt install bubblewrap); video is only ever read inside it",
        ),
        space(&config.data_dir),
    ];
    let node = Node::quiet(config).await?;
    let opened = node.rooms().await;
    let remedy = "restore the last backup into a new folder, or migrate with the version that wrote this one";
    let rooms = opened
        .as_ref()
        .map(|_| "all rooms open".to_owned())
        .map_err(|error| format!("{error:#}"));
    findings.push(Finding::new("databases", rooms, remedy));
    if let Ok(rooms) = &opened {
        findings.push(model(rooms).await);
        findings.extend(failed_jobs(rooms).await);
        findings.push(parked(rooms).await);
    }
    node.close().await;
    show(&findings, json)
}

fn program(name: &'static str, flag: &str, remedy: &'static str) -> Finding {
    let result = match Command::new(name).arg(flag).output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()),
        Ok(output) => Err(format!("{name} does not run: {}", output.status)),
        Err(error) => Err(format!("{name} cannot be started: {error}")),
    };
    Finding::new(name, result, remedy)
}

fn space(data_dir: &Path) -> Finding {
    let result = match rustix::fs::statvfs(data_dir) {
        Ok(stat) => {
            let free = stat.f_bavail * stat.f_frsize;
            let text = format!("{:.1} GB free in {}", free as f64 / 1e9, data_dir.display());
            if free < FREE_BYTES_MIN { Err(text) } else { Ok(text) }
        }
        Err(error) => Err(format!("{}: {error}", data_dir.display())),
    };
    Finding::new(
        "space",
        result,
        "free space, or move the folder to a larger disk and name it with --data-dir",
    )
}

async fn model(rooms: &Rooms) -> Finding {
    let result = match rooms
        .recommend
        .models(ListModels {
            before: None,
            limit: contract::PAGE_ITEMS_MAX,
        })
        .await
    {
        Ok(models) => match models.iter().find(|model| model.state == ModelState::Active) {
            Some(model) => Ok(format!(
                "model {} serves, trained on {} interactions",
                model.id, model.interactions
            )),
            None => Err("no model has been trained".to_owned()),
        },
        Err(error) => Err(error.to_string()),
    };
    Finding::new("model", result, "kinora train")
}

async fn failed_jobs(rooms: &Rooms) -> Option<Finding> {
    let mut failed = Vec::new();
    for jobs in rooms.jobs() {
        let list = jobs
            .list(ListJobs {
                before: None,
                limit: 20,
                state: Some(JobState::Failed),
            })
            .await;
        failed.extend(list.unwrap_or_default());
    }
    let newest = failed.iter().max_by_key(|job| job.id)?;
    let text = format!(
        "{} failed; the newest: {}: {}",
        failed.len(),
        newest.subject,
        newest.error.as_deref().unwrap_or("?")
    );
    Some(Finding::new(
        "jobs",
        Err(text),
        "see Jobs on the page: retry or cancel each",
    ))
}

async fn parked(rooms: &Rooms) -> Finding {
    let mut parked = Vec::new();
    let mut failure = None;
    for db in rooms.databases() {
        match platform::outbox::parked(db, 20).await {
            Ok(facts) => parked.extend(facts),
            Err(error) => failure = Some(error.to_string()),
        }
    }
    let result = match (failure, parked.first()) {
        (Some(failure), _) => Err(failure),
        (None, None) => Ok("every event was taken by every subscriber".to_owned()),
        (None, Some((subscriber, _, error))) => Err(format!(
            "{} set aside; the first by {subscriber}: {error}",
            parked.len()
        )),
    };
    Finding::new(
        "events",
        result,
        "report this with the log of that time; the facts are kept",
    )
}

fn show(findings: &[Finding], json: bool) -> anyhow::Result<()> {
    let wrong = findings.iter().filter(|finding| !finding.ok).count();
    if json {
        println!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({ "ok": wrong == 0, "findings": findings }))?
        );
    } else {
        for finding in findings {
            println!(
                "{} {:<10} {}",
                if finding.ok { "ok   " } else { "WRONG" },
                finding.name,
                finding.detail
            );
            if let Some(remedy) = finding.remedy {
                println!("      {:<10} → {remedy}", "");
            }
        }
    }
    if wrong > 0 {
        bail!("{wrong} of {} checks failed", findings.len());
    }
    Ok(())
}
