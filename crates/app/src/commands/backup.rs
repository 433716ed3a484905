//! `kinora backup`: one file with a consistent copy of every database, all models and artwork, and (unless left out) the video,
//! packaged and waiting to be.
//!
//! The databases' copies fit together ([`crate::copies`]). Blobs are immutable and copied after the databases; one that was removed
//! meanwhile is left out where no copy of a database names it. Sources get a second name before the databases are copied, for a job
//! that ends removes its own. The search index is not in it: it is made again from the catalogue.

mod work;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use contract::{AssetId, ModelId, UploadId};
use platform::blob::{BlobError, BlobStore};

use super::progress::Progress;
use crate::{
    archive::{self, Writer},
    cli::Place,
    config::Config,
    copies,
};
use work::Work;

pub use work::clear_leftovers;

/// Packaged video is most of the bytes; what waits to be packaged is among the files where they are in a bucket.
const MEDIA_PREFIXES: [&str; 2] = ["assets/", "uploads/"];
/// Where sources wait for their jobs.
const SOURCES: &str = "uploads";

pub async fn run(place: &Place, file: &Path, without_media: bool) -> anyhow::Result<()> {
    let config = Config::read(place)?;
    let blobs = config.blobs()?;
    let folder = || format!("the folder {}", config.blobs_dir().display());
    ensure!(
        config.database_url.is_empty(),
        "the databases are in PostgreSQL: back them up with pg_dump, and {} beside it",
        blobs.bucket().map_or_else(folder, str::to_owned)
    );
    let originals = copies::originals(&config.data_dir).await?;
    let progress = Progress::new();
    let work = Work::begin(&config.data_dir, &archive::part_of(file))?;
    let mut backup = Backup {
        writer: Writer::create(file)?,
        copies: work.folder().to_owned(),
        without_media,
    };
    let keys_before = keys_of(&blobs).await?;
    backup.hold_sources(&config.data_dir)?;
    for (number, original) in originals.iter().enumerate() {
        let name = original.name();
        progress.at(0.3 * number as f32 / originals.len() as f32, &format!("copying {name}"));
        let copy = original.copy(&backup.copies).await?;
        backup.writer.add(format!("databases/{name}"), &copy, true)?;
    }
    backup.add_sources().await?;
    let mut keys = keys_of(&blobs).await?;
    keys.extend(keys_before);
    backup.add_blobs(&blobs, &keys, &progress).await?;
    let (files, bytes) = backup.writer.finish()?;
    progress.end();
    println!(
        "{}: {files} files, {:.1} MB before compression",
        file.display(),
        bytes as f64 / 1e6
    );
    Ok(())
}

async fn keys_of(blobs: &BlobStore) -> anyhow::Result<BTreeSet<String>> {
    let blobs = blobs.list("").await?;
    Ok(blobs.into_iter().map(|blob| blob.key).collect())
}

struct Backup {
    writer: Writer,
    /// Where the databases' copies are, and the sources under their second names.
    copies: PathBuf,
    without_media: bool,
}

impl Backup {
    /// Gives each source a second name, so that it stays until it is copied.
    fn hold_sources(&self, data_dir: &Path) -> anyhow::Result<()> {
        let held = self.copies.join(SOURCES);
        fs::create_dir(&held)?;
        let sources = match fs::read_dir(data_dir.join(SOURCES)) {
            Ok(sources) => sources,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).context("reading the folder of uploads"),
        };
        for source in sources {
            let source = source?;
            match fs::hard_link(source.path(), held.join(source.file_name())) {
                // Its job has just ended.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                linked => linked.with_context(|| format!("holding {}", source.path().display()))?,
            }
        }
        Ok(())
    }

    /// Uploads that go on, and the sources of jobs that have not ended well.
    async fn add_sources(&mut self) -> anyhow::Result<()> {
        let sql = "SELECT id, purpose FROM uploads WHERE state NOT IN ('packaged', 'expired')";
        for (id, purpose) in self.rows::<(i64, String)>("streaming.db", sql).await? {
            let name = format!("{SOURCES}/{}", UploadId(id));
            if !(self.without_media && purpose == "video") {
                self.add_if_there(&name, &self.copies.join(&name))?;
            }
        }
        Ok(())
    }

    async fn add_blobs(
        &mut self,
        blobs: &BlobStore,
        keys: &BTreeSet<String>,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let named = self.named_blobs().await?;
        let kept = |key: &&String| !(self.without_media && MEDIA_PREFIXES.iter().any(|prefix| key.starts_with(prefix)));
        let keys: Vec<&String> = keys.iter().filter(kept).collect();
        for (number, key) in keys.iter().enumerate() {
            progress.at(0.3 + 0.7 * number as f32 / keys.len() as f32, "copying files");
            let is_there = self.add_blob(blobs, key).await?;
            let is_named = || {
                named
                    .iter()
                    .any(|name| *key == name || key.starts_with(&format!("{name}/")))
            };
            if !is_there && is_named() {
                bail!("{key} was replaced while the backup was made; make it again");
            }
        }
        Ok(())
    }

    /// Blobs, and folders of blobs, without which what the copied databases say would not be true.
    async fn named_blobs(&self) -> anyhow::Result<Vec<String>> {
        let assets = "SELECT id FROM assets WHERE state = 'ready'";
        let subtitles = "SELECT id FROM subtitles WHERE state = 'ready'";
        let models = "SELECT model_id FROM active_model";
        let pictures = "SELECT poster_key FROM titles WHERE poster_key IS NOT NULL
            UNION SELECT backdrop_key FROM titles WHERE backdrop_key IS NOT NULL";
        let mut named = Vec::new();
        let assets = self.rows::<(i64,)>("streaming.db", assets).await?;
        named.extend(assets.iter().map(|(id,)| format!("assets/{}", AssetId(*id))));
        let subtitles = self.rows::<(i64,)>("streaming.db", subtitles).await?;
        named.extend(subtitles.iter().map(|(id,)| format!("subtitles/{id}")));
        let models = self.rows::<(i64,)>("recommend.db", models).await?;
        named.extend(models.iter().map(|(id,)| format!("models/{}", ModelId(*id))));
        let pictures = self.rows::<(String,)>("catalog.db", pictures).await?;
        named.extend(pictures.into_iter().map(|(key,)| key));
        Ok(named)
    }

    /// What a copied database says; nothing where there is none.
    async fn rows<T>(&self, database: &str, sql: &'static str) -> anyhow::Result<Vec<T>>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin,
    {
        let copy = self.copies.join(database);
        if !copy.exists() {
            return Ok(Vec::new());
        }
        let mut connection = copies::open(&copy).await?;
        let rows = sqlx::query_as(sql).fetch_all(&mut connection).await;
        rows.with_context(|| format!("reading the copy of {database}"))
    }

    /// `false`: there is no such file. One that lies in a bucket is brought here first, for as long as it takes to add it.
    async fn add_blob(&mut self, blobs: &BlobStore, key: &str) -> anyhow::Result<bool> {
        let name = format!("blobs/{key}");
        let copy = self.copies.join("blob");
        match blobs.local_path(key) {
            Ok(Some(path)) => return self.add_if_there(&name, &path),
            Ok(None) => {}
            // Left by a write that was cut off: nobody's.
            Err(_) => return Ok(false),
        }
        match blobs.fetch(key, &copy).await {
            Err(BlobError::NotFound(_)) => return Ok(false),
            fetched => fetched?,
        };
        self.writer.add(name, &copy, false)?;
        fs::remove_file(&copy)?;
        Ok(true)
    }

    /// `false`: there is no such file.
    fn add_if_there(&mut self, name: &str, from: &Path) -> anyhow::Result<bool> {
        match self.writer.add(name.to_owned(), from, false) {
            Ok(()) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn backup(folder: &Path) -> Backup {
        let copies = folder.join("copies");
        fs::create_dir(&copies).unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(copies.join("catalog.db"));
        let mut catalog = sqlx::ConnectOptions::connect(&options.create_if_missing(true))
            .await
            .unwrap();
        for sql in [
            "CREATE TABLE titles (poster_key TEXT, backdrop_key TEXT)",
            "INSERT INTO titles VALUES ('artwork/z8/1.png', NULL)",
        ] {
            sqlx::query(sql).execute(&mut catalog).await.unwrap();
        }
        Backup {
            writer: Writer::create(&folder.join("backup")).unwrap(),
            copies,
            without_media: false,
        }
    }

    #[tokio::test]
    async fn a_file_that_vanished_matters_only_where_a_database_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut backup = backup(folder.path()).await;
        let progress = Progress::new();
        let gone = BTreeSet::from(["artwork/z8/0.png".to_owned(), "assets/z9/index.json".to_owned()]);
        let blobs = BlobStore::open(&folder.path().join("blobs")).unwrap();
        backup.add_blobs(&blobs, &gone, &progress).await.unwrap();
        let named = BTreeSet::from(["artwork/z8/1.png".to_owned()]);
        let error = backup.add_blobs(&blobs, &named, &progress).await.unwrap_err();
        assert!(error.to_string().contains("make it again"), "{error:#}");
        drop(backup);
        assert!(!folder.path().join("backup.part").exists());
    }
}
