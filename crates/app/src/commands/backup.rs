//! `kinora backup`: one file with a consistent copy of every database, all models and artwork, and (unless left out) the video.
//!
//! Databases are copied with `VACUUM INTO`, which is consistent beside a running server; blobs are immutable and copied
//! after the databases, so what those name is there. The search index is not in it: it is made again from the catalogue.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use platform::blob::BlobStore;
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use super::progress::Progress;
use crate::{archive::Writer, cli::Place, config::Config};

/// Packaged video is most of the bytes.
const MEDIA_PREFIX: &str = "assets/";

pub async fn run(place: &Place, file: &Path, without_media: bool) -> anyhow::Result<()> {
    let config = Config::read(place)?;
    ensure!(
        config.database_url.is_empty(),
        "the databases are in PostgreSQL: back them up with pg_dump, and the folder {} beside it",
        config.blobs_dir().display()
    );
    let databases = databases_of(&config.data_dir)?;
    let progress = Progress::new();
    let copies = tempfile::tempdir_in(&config.data_dir).context("making a folder for the copies")?;
    let mut writer = Writer::create(file)?;
    for (number, database) in databases.iter().enumerate() {
        let name = database.file_name().unwrap_or_default().to_string_lossy().into_owned();
        progress.at(0.3 * number as f32 / databases.len() as f32, &format!("copying {name}"));
        let copy = copies.path().join(&name);
        vacuum_into(database, &copy).await?;
        writer.add(format!("databases/{name}"), &copy, true)?;
    }
    add_blobs(&mut writer, &config.blobs_dir(), without_media, &progress).await?;
    let (files, bytes) = writer.finish()?;
    progress.end();
    println!(
        "{}: {files} files, {:.1} MB before compression",
        file.display(),
        bytes as f64 / 1e6
    );
    Ok(())
}

fn databases_of(data_dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(data_dir).with_context(|| format!("reading the folder {}", data_dir.display()))?;
    let mut databases = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            databases.push(path);
        }
    }
    databases.sort();
    ensure!(
        !databases.is_empty(),
        "there is nothing of Kinora in {}",
        data_dir.display()
    );
    Ok(databases)
}

async fn vacuum_into(database: &Path, copy: &Path) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(false);
    let mut connection = options
        .connect()
        .await
        .with_context(|| format!("opening {}", database.display()))?;
    sqlx::query("VACUUM INTO $1")
        .bind(copy.to_string_lossy().into_owned())
        .execute(&mut connection)
        .await
        .with_context(|| format!("copying {}", database.display()))?;
    connection.close().await?;
    Ok(())
}

async fn add_blobs(writer: &mut Writer, folder: &Path, without_media: bool, progress: &Progress) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let store = BlobStore::open(folder)?;
    let mut blobs = store.list("").await?;
    blobs.retain(|blob| !(without_media && blob.key.starts_with(MEDIA_PREFIX)));
    let count = blobs.len().max(1);
    for (number, blob) in blobs.iter().enumerate() {
        progress.at(0.3 + 0.7 * number as f32 / count as f32, "copying files");
        writer.add(format!("blobs/{}", blob.key), &store.local_path(&blob.key)?, false)?;
    }
    Ok(())
}
