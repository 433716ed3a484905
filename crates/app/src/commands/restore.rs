//! `kinora restore`: brings back what `backup` wrote, into a folder that holds nothing yet, after checking all of it. Where files are to
//! lie in a bucket, it holds nothing yet either, and gets them before anything else is in its place.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use platform::blob::BlobStore;

use super::progress::Progress;
use crate::{archive, cli::Place, config::Config};

/// What the names of files that lie in storage begin with.
const BLOBS: &str = "blobs/";
const UNPACKING: &str = ".restoring";
/// What a new disk of its own holds from the beginning.
const LOST_AND_FOUND: &str = "lost+found";

pub async fn run(place: &Place, file: &Path) -> anyhow::Result<()> {
    let config = Config::read(place)?;
    ensure!(
        config.database_url.is_empty(),
        "the databases are in PostgreSQL: restore them with pg_restore"
    );
    let data_dir = &config.data_dir;
    let was_there = data_dir.exists();
    ensure_empty(data_dir)?;
    let bucket = match config.storage.bucket.is_empty() {
        true => None,
        false => Some(empty_bucket(&config).await?),
    };
    let work = unpacking_folder(data_dir);
    // What an earlier, interrupted restore left: never anything but unpacked parts.
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("removing {}", work.display()))?;
    }
    create_private_folder(&work).with_context(|| format!("creating {}", work.display()))?;
    let progress = Progress::new();
    let unpacked = archive::unpack(file, &work, |share, stage| progress.at(share, stage));
    let unpacked = match (unpacked, &bucket) {
        (Ok(manifest), Some(blobs)) => put_in_bucket(&work, manifest, blobs, &progress).await,
        (unpacked, _) => unpacked,
    };
    progress.end();
    let manifest = match unpacked {
        Ok(manifest) => manifest,
        Err(error) => {
            let unwanted = if was_there { &work } else { data_dir };
            fs::remove_dir_all(unwanted).context("removing the unpacked parts")?;
            return Err(error.context(format!("{} was not touched", data_dir.display())));
        }
    };
    put_in_place(&work, data_dir)?;
    println!(
        "{}: {} files of version {} restored",
        data_dir.display(),
        manifest.files.len(),
        manifest.version
    );
    Ok(())
}

async fn empty_bucket(config: &Config) -> anyhow::Result<BlobStore> {
    let blobs = config.blobs()?;
    ensure!(
        blobs.list("").await.context("storage")?.is_empty(),
        "{} is not empty; name another, or another storage.prefix, so that nothing is overwritten",
        blobs.bucket().unwrap_or_default()
    );
    Ok(blobs)
}

/// All of them, or none where it fails.
async fn put_in_bucket(
    work: &Path,
    manifest: archive::Manifest,
    blobs: &BlobStore,
    progress: &Progress,
) -> anyhow::Result<archive::Manifest> {
    let keys = manifest.files.iter().filter_map(|file| file.name.strip_prefix(BLOBS));
    let keys: Vec<&str> = keys.collect();
    for (number, key) in keys.iter().enumerate() {
        progress.at(number as f32 / keys.len() as f32, "storing");
        if let Err(error) = blobs.put_file(key, &work.join(BLOBS).join(key)).await {
            for key in &keys[..number] {
                blobs.delete(key).await.ok();
            }
            return Err(anyhow::Error::new(error).context(format!("storing {key}")));
        }
    }
    if !keys.is_empty() {
        fs::remove_dir_all(work.join(BLOBS))?;
    }
    Ok(manifest)
}

/// Nothing is written over; what an interrupted restore had only unpacked does not count.
fn ensure_empty(data_dir: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(data_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", data_dir.display())),
    };
    for entry in entries {
        let name = entry?.file_name();
        ensure!(
            name == UNPACKING || name == LOST_AND_FOUND,
            "{} is not empty; name a new folder with --data-dir, so that nothing is overwritten",
            data_dir.display()
        );
    }
    Ok(())
}

/// Inside the data folder, which may be a disk of its own: its entries are renamed, never copied.
fn unpacking_folder(data_dir: &Path) -> PathBuf {
    data_dir.join(UNPACKING)
}

/// Whether a restore began to put things in place and did not come to its end.
pub fn was_interrupted(data_dir: &Path) -> bool {
    unpacking_folder(data_dir).exists()
}

/// Databases hold password hashes and keys: a folder that we make is its owner's alone.
fn create_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// The databases stand in the data folder itself. The folder that was unpacked into goes last: while it is there, nothing starts.
fn put_in_place(work: &Path, data_dir: &Path) -> anyhow::Result<()> {
    let databases = work.join("databases");
    move_entries(&databases, data_dir).context("the backup holds no databases")?;
    fs::remove_dir(&databases)?;
    move_entries(work, data_dir)?;
    fs::File::open(data_dir)?.sync_all()?;
    fs::remove_dir(work)?;
    Ok(())
}

fn move_entries(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        fs::rename(entry.path(), &to).with_context(|| format!("naming {}", to.display()))?;
    }
    Ok(())
}
