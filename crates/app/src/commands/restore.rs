//! `kinora restore`: brings back what `backup` wrote, into a folder that holds nothing yet, after checking all of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

use super::progress::Progress;
use crate::{archive, cli::Place, config::Config};

pub fn run(place: &Place, file: &Path) -> anyhow::Result<()> {
    let config = Config::read(place)?;
    ensure!(
        config.database_url.is_empty(),
        "the databases are in PostgreSQL: restore them with pg_restore"
    );
    let data_dir = &config.data_dir;
    ensure!(
        is_empty(data_dir)?,
        "{} is not empty; name a new folder with --data-dir, so that nothing is overwritten",
        data_dir.display()
    );
    let work = unpacking_folder(data_dir);
    // What an earlier, interrupted restore left: never anything but unpacked parts.
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("removing {}", work.display()))?;
    }
    fs::create_dir_all(&work).with_context(|| format!("creating {}", work.display()))?;
    let progress = Progress::new();
    let unpacked = archive::unpack(file, &work, |share, stage| progress.at(share, stage));
    progress.end();
    let manifest = match unpacked {
        Ok(manifest) => manifest,
        Err(error) => {
            fs::remove_dir_all(&work).context("removing the unpacked parts")?;
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

fn is_empty(folder: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("reading {}", folder.display())),
    }
}

/// Beside the data folder, so that renaming it is one step.
fn unpacking_folder(data_dir: &Path) -> PathBuf {
    let mut name = data_dir.as_os_str().to_owned();
    name.push(".restoring");
    name.into()
}

/// The databases stand in the data folder itself.
fn put_in_place(work: &Path, data_dir: &Path) -> anyhow::Result<()> {
    let databases = work.join("databases");
    for entry in fs::read_dir(&databases).context("the backup holds no databases")? {
        let from = entry?.path();
        let name = from.file_name().unwrap_or_default();
        fs::rename(&from, work.join(name))?;
    }
    fs::remove_dir(&databases)?;
    if data_dir.exists() {
        fs::remove_dir(data_dir).with_context(|| format!("replacing the empty folder {}", data_dir.display()))?;
    }
    fs::rename(work, data_dir).with_context(|| format!("naming {}", data_dir.display()))?;
    Ok(())
}
