//! `kinora doctor`: looks for what is wrong and says what to do. Reads only: it makes no folder and no database, migrates nothing and
//! takes no event, so it works beside a running server, and on what no server would start on.

use std::{collections::BTreeSet, path::Path, process::Command};

use anyhow::bail;
use serde::Serialize;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    cli::Place,
    config::Config,
    node::{Node, ROOMS},
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
    ];
    findings.extend(encoder(&config).await?);
    findings.extend(bucket(&config).await?);
    match folder(&config.data_dir) {
        Err(missing) => findings.push(missing),
        Ok(space) => {
            findings.push(space);
            findings.extend(databases(&config).await?);
        }
    }
    show(&findings, json)
}

/// Says nothing where nobody asked for an encoder in hardware.
async fn encoder(config: &Config) -> anyhow::Result<Option<Finding>> {
    let encoder = config.streaming.encoder;
    if encoder == streaming::Encoder::Software {
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    let result = if config.streaming.encryption == streaming::Encryption::Off {
        streaming::try_encoder(encoder, folder.path()).await
    } else {
        Ok("software, since videos are stored encrypted (streaming.encryption)".into())
    };
    let remedy = "install the card's driver and let Kinora's user open its device (/dev/dri/renderD128 or /dev/nvidia0), or set streaming.encoder = \"software\"";
    Ok(Some(Finding::new("encoder", result, remedy)))
}

/// Whether it is there and shows what it holds; says nothing where files are on disk.
async fn bucket(config: &Config) -> anyhow::Result<Option<Finding>> {
    if config.storage.bucket.is_empty() {
        return Ok(None);
    }
    let blobs = config.blobs()?;
    let looked = blobs.folders("assets").await;
    let words = blobs.bucket().unwrap_or_default();
    let result = match looked {
        Ok(assets) => Ok(format!("{words} answers; videos in it: {}", assets.len())),
        Err(error) => Err(error.to_string()),
    };
    let remedy = "set [storage] right, or start its server; the key must be allowed to read, write, list and delete";
    Ok(Some(Finding::new("storage", result, remedy)))
}

/// What is free in the data folder; an error where there is none.
fn folder(data_dir: &Path) -> Result<Finding, Finding> {
    if data_dir.is_dir() {
        return Ok(space(data_dir));
    }
    Err(Finding::new(
        "folder",
        Err(format!("there is no folder {}", data_dir.display())),
        "name the right one with --data-dir; `kinora serve` makes a new one",
    ))
}

async fn databases(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let known = known_migrations().await?;
    let (mut rooms, mut wrong, mut pending) = (Vec::new(), Vec::new(), Vec::new());
    for (room, known) in ROOMS.into_iter().zip(known) {
        match examine(config, room).await {
            Ok((opened, applied)) if applied.is_subset(&known) => {
                if applied.len() < known.len() {
                    pending.push(format!("{room} lacks {}", known.len() - applied.len()));
                }
                rooms.push(opened);
            }
            Ok(_) => wrong.push(format!("{room} was written by a newer version")),
            Err(error) => wrong.push(format!("{room}: {error:#}")),
        }
    }
    let all = |wrong: Vec<String>, right: &str| match wrong.is_empty() {
        true => Ok(right.to_owned()),
        false => Err(wrong.join("; ")),
    };
    let mut findings = vec![
        Finding::new(
            "databases",
            all(wrong, "all can be read and are whole"),
            "restore the last backup into a new folder, or use the version that wrote them",
        ),
        Finding::new(
            "migrations",
            all(pending, "none is pending"),
            "kinora migrate, or start this version: it migrates at its start",
        ),
    ];
    findings.extend(model(&mut rooms).await);
    findings.extend(jobs(&mut rooms).await);
    findings.push(parked(&mut rooms).await);
    Ok(findings)
}

/// The migrations that this version has, by room: those of new databases in a folder that is thrown away.
async fn known_migrations() -> anyhow::Result<Vec<BTreeSet<Migration>>> {
    let folder = tempfile::tempdir()?;
    let fresh = Config {
        data_dir: folder.path().to_owned(),
        ..Config::default()
    };
    let node = Node::quiet(fresh.clone()).await?;
    let opened = node.rooms().await.map(drop);
    node.close().await;
    opened?;
    let mut known = Vec::new();
    for room in ROOMS {
        known.push(examine(&fresh, room).await?.1);
    }
    Ok(known)
}

/// Which of the two tables of migrations, and its number there.
type Migration = (&'static str, i64);

/// A database to look into, without a pool and without a writer.
struct Opened {
    room: &'static str,
    connection: Connection,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Opens a database, checks that it is whole, and says which migrations it has seen.
async fn examine(config: &Config, room: &'static str) -> anyhow::Result<(Opened, BTreeSet<Migration>)> {
    let connection = if config.database_url.is_empty() {
        let file = config.data_dir.join(format!("{room}.db"));
        anyhow::ensure!(file.is_file(), "there is no {}", file.display());
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
        Connection::Sqlite(options.pragma("query_only", "on").connect().await?)
    } else {
        Connection::Postgres(PgConnection::connect(&config.database_url).await?)
    };
    let mut opened = Opened { room, connection };
    if let Connection::Sqlite(connection) = &mut opened.connection {
        let (said,): (String,) = sqlx::query_as("PRAGMA quick_check(1)").fetch_one(connection).await?;
        anyhow::ensure!(said == "ok", "the file is damaged: {said}");
    }
    let mut applied = BTreeSet::new();
    for table in ["platform_migrations", "room_migrations"] {
        let rows: Vec<(i64,)> = opened.rows("SELECT version FROM ", table, "").await?;
        applied.extend(rows.into_iter().map(|(version,)| (table, version)));
    }
    Ok((opened, applied))
}

impl Opened {
    /// Rows of a table of this room; the texts are ours, never anybody's.
    async fn rows<T>(&mut self, select: &str, table: &str, rest: &str) -> sqlx::Result<Vec<T>>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
            + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
            + Send
            + Unpin,
    {
        let room = self.room;
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let sql = sqlx::AssertSqlSafe(format!("{select} {table} {rest}"));
                sqlx::query_as(sql).fetch_all(connection).await
            }
            Connection::Postgres(connection) => {
                let sql = sqlx::AssertSqlSafe(format!("{select} {room}.{table} {rest}"));
                sqlx::query_as(sql).fetch_all(connection).await
            }
        }
    }
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

async fn model(rooms: &mut [Opened]) -> Option<Finding> {
    let recommend = rooms.iter_mut().find(|opened| opened.room == "recommend")?;
    let active: sqlx::Result<Vec<(i64,)>> = recommend.rows("SELECT model_id FROM", "active_model", "").await;
    let result = match active.as_deref() {
        Ok([(model,)]) => Ok(format!("model {} serves", contract::ModelId(*model))),
        Ok(_) => Err("no model has been trained".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Some(Finding::new("model", result, "kinora train"))
}

/// Says nothing where nothing failed.
async fn jobs(rooms: &mut [Opened]) -> Option<Finding> {
    let mut failed: Vec<(i64, String, Option<String>)> = Vec::new();
    let mut failure = None;
    for opened in rooms {
        let rest = "WHERE state = 'failed' ORDER BY id DESC LIMIT 20";
        match opened.rows("SELECT id, subject, error FROM", "jobs", rest).await {
            Ok(rows) => failed.extend(rows),
            Err(error) => failure = Some(format!("the jobs of {} cannot be read: {error}", opened.room)),
        }
    }
    let newest = failed.iter().max_by_key(|job| job.0);
    let text = newest.map(|(_, subject, error)| {
        let error = error.as_deref().unwrap_or("?");
        format!("{} failed; the newest: {subject}: {error}", failed.len())
    });
    Some(Finding::new(
        "jobs",
        Err(failure.or(text)?),
        "see Jobs on the page: retry or cancel each",
    ))
}

async fn parked(rooms: &mut [Opened]) -> Finding {
    let mut parked: Vec<(String, String)> = Vec::new();
    let mut failure = None;
    for opened in rooms {
        let rest = "ORDER BY parked_at, id LIMIT 20";
        match opened
            .rows("SELECT subscriber, error FROM", "outbox_parked", rest)
            .await
        {
            Ok(rows) => parked.extend(rows),
            Err(error) => failure = Some(format!("{}: {error}", opened.room)),
        }
    }
    let result = match (failure, parked.first()) {
        (Some(failure), _) => Err(failure),
        (None, None) => Ok("every event was taken by every subscriber".to_owned()),
        (None, Some((subscriber, error))) => Err(format!(
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
