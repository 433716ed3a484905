//! `kinora backup`: one file with a consistent copy of every database, all models and artwork, and (unless left out) the video.
//!
//! The databases' copies fit together ([`crate::copies`]); blobs are immutable and copied after the databases, so what those name
//! is there. The search index is not in it: it is made again from the catalogue.

use std::path::Path;

use anyhow::{Context as _, ensure};
use platform::blob::BlobStore;

use super::progress::Progress;
use crate::{archive::Writer, cli::Place, config::Config, copies};

/// Packaged video is most of the bytes.
const MEDIA_PREFIX: &str = "assets/";

pub async fn run(place: &Place, file: &Path, without_media: bool) -> anyhow::Result<()> {
    let config = Config::read(place)?;
    ensure!(
        config.database_url.is_empty(),
        "the databases are in PostgreSQL: back them up with pg_dump, and the folder {} beside it",
        config.blobs_dir().display()
    );
    let originals = copies::originals(&config.data_dir).await?;
    let progress = Progress::new();
    let copies = tempfile::tempdir_in(&config.data_dir).context("making a folder for the copies")?;
    let mut writer = Writer::create(file)?;
    for (number, original) in originals.iter().enumerate() {
        let name = original.name();
        progress.at(0.3 * number as f32 / originals.len() as f32, &format!("copying {name}"));
        let copy = original.copy(copies.path()).await?;
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
