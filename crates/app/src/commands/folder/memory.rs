//! What a folder held when it was last brought in, so that what has not changed costs nothing. Tables `library_files` and
//! `library_subtitles`, in the database of imports. A file that was noted has its title, and its video or a job that makes it; one of
//! subtitles is shown with its title.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use contract::{Fault, TitleId};
use platform::{Db, db::OrFault as _, on};

use super::{digest, scan::Seen, sidecars::Sidecar};

/// Of one folder.
pub struct Memory<'a> {
    db: &'a Db,
    folder: String,
}

/// Bytes, time of change, and what it lay on.
type Stamp = (i64, i64, String);

impl<'a> Memory<'a> {
    pub fn of(db: &'a Db, folder: &Path) -> Self {
        let folder = digest(folder.as_os_str().as_encoded_bytes());
        Self { db, folder }
    }

    pub async fn load(&self) -> Result<Known, Fault> {
        let sql = "SELECT file, bytes, modified_ms, mount FROM library_files WHERE folder = $1";
        let rows: Vec<(String, i64, i64, String)> =
            on!(self.db, pool => sqlx::query_as(sql).bind(&self.folder).fetch_all(pool).await).or_fault()?;
        let known = rows
            .into_iter()
            .map(|(file, bytes, modified_ms, mount)| (file, (bytes, modified_ms, mount)));
        Ok(Known(known.collect()))
    }

    pub async fn note(&self, files: &[&Seen]) -> Result<(), Fault> {
        let sql = "INSERT INTO library_files (folder, file, bytes, modified_ms, mount) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (folder, file) DO UPDATE SET bytes = excluded.bytes, modified_ms = excluded.modified_ms,
             mount = excluded.mount";
        let mut tx = self.db.begin().await?;
        for seen in files {
            let (bytes, modified_ms, mount) = stamp(seen);
            on!(tx, conn => sqlx::query(sql).bind(&self.folder).bind(key(&seen.file)).bind(bytes).bind(modified_ms).bind(mount)
                .execute(conn).await.map(drop))
            .or_fault()?;
        }
        tx.commit().await
    }

    /// What files that are known lie on now.
    pub async fn note_mounts(&self, files: &[&Seen]) -> Result<(), Fault> {
        let mut tx = self.db.begin().await?;
        for seen in files {
            let sql = "UPDATE library_files SET mount = $3 WHERE folder = $1 AND file = $2";
            on!(tx, conn => sqlx::query(sql).bind(&self.folder).bind(key(&seen.file)).bind(seen.mount.to_string())
                .execute(conn).await.map(drop))
            .or_fault()?;
        }
        tx.commit().await
    }

    /// Those that are no longer there: one that comes back is new.
    pub async fn forget(&self, files: &[String]) -> Result<(), Fault> {
        for files in files.chunks(500) {
            let mut tx = self.db.begin().await?;
            for file in files {
                let sql = "DELETE FROM library_files WHERE folder = $1 AND file = $2";
                on!(tx, conn => sqlx::query(sql).bind(&self.folder).bind(file).execute(conn).await.map(drop))
                    .or_fault()?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    pub async fn load_subtitles(&self) -> Result<KnownSubtitles, Fault> {
        let sql = "SELECT file, film, title_id, bytes, modified_ms, mount FROM library_subtitles WHERE folder = $1";
        type Row = (String, String, i64, i64, i64, String);
        let rows: Vec<Row> =
            on!(self.db, pool => sqlx::query_as(sql).bind(&self.folder).fetch_all(pool).await).or_fault()?;
        let known = rows.into_iter().map(|(file, film, title, bytes, modified_ms, mount)| {
            let stamp = (bytes, modified_ms, mount);
            let title = TitleId(title);
            (file, Shown { film, title, stamp })
        });
        Ok(KnownSubtitles(known.collect()))
    }

    pub async fn note_subtitles(&self, sidecar: &Sidecar<'_>, title: TitleId) -> Result<(), Fault> {
        let sql = "INSERT INTO library_subtitles (folder, file, film, title_id, bytes, modified_ms, mount)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (folder, file) DO UPDATE SET film = excluded.film, title_id = excluded.title_id,
             bytes = excluded.bytes, modified_ms = excluded.modified_ms, mount = excluded.mount";
        let (bytes, modified_ms, mount) = stamp(sidecar.seen);
        on!(self.db.writer(), pool => sqlx::query(sql).bind(&self.folder).bind(key(&sidecar.seen.file)).bind(key(sidecar.film))
            .bind(title.0).bind(bytes).bind(modified_ms).bind(mount).execute(pool).await.map(drop))
        .or_fault()
    }

    pub async fn forget_subtitles(&self, file: &str) -> Result<(), Fault> {
        let sql = "DELETE FROM library_subtitles WHERE folder = $1 AND file = $2";
        on!(self.db.writer(), pool => sqlx::query(sql).bind(&self.folder).bind(file).execute(pool).await.map(drop))
            .or_fault()
    }

    /// What streaming knows a file of subtitles by.
    pub fn origin(&self, file: &str) -> String {
        format!("folder {} {file}", self.folder)
    }
}

/// What is remembered of a folder.
pub struct Known(HashMap<String, Stamp>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    New,
    Changed,
    Unchanged,
}

impl Known {
    pub fn change(&self, seen: &Seen) -> Change {
        match self.0.get(&key(&seen.file)) {
            None => Change::New,
            Some((bytes, modified_ms, _)) if is_same((*bytes, *modified_ms), seen) => Change::Unchanged,
            Some(_) => Change::Changed,
        }
    }

    /// Whether it was noted as lying on something else.
    pub fn has_moved(&self, seen: &Seen) -> bool {
        self.0
            .get(&key(&seen.file))
            .is_some_and(|(.., mount)| *mount != *seen.mount)
    }

    /// What was there and is not among these, although it would be if it were there: what it lay on is.
    pub fn gone(mut self, files: &[Seen], mounts: &HashSet<Arc<str>>) -> Vec<String> {
        for seen in files {
            self.0.remove(&key(&seen.file));
        }
        let gone = self.0.into_iter().filter(|(_, (.., mount))| is_there(mount, mounts));
        gone.map(|(file, _)| file).collect()
    }
}

/// A file of subtitles, as it was noted.
pub struct Shown {
    pub film: String,
    pub title: TitleId,
    stamp: Stamp,
}

/// By their keys.
pub struct KnownSubtitles(HashMap<String, Shown>);

impl KnownSubtitles {
    /// What was noted of it; `Unchanged` only while it belongs to the same film.
    pub fn change(&self, sidecar: &Sidecar<'_>) -> (Change, Option<&Shown>) {
        let Some(shown) = self.0.get(&key(&sidecar.seen.file)) else {
            return (Change::New, None);
        };
        let (bytes, modified_ms, _) = &shown.stamp;
        let is_same = is_same((*bytes, *modified_ms), sidecar.seen) && shown.film == key(sidecar.film);
        let change = if is_same { Change::Unchanged } else { Change::Changed };
        (change, Some(shown))
    }

    /// See [`Known::gone`].
    pub fn gone(mut self, sidecars: &[Sidecar<'_>], mounts: &HashSet<Arc<str>>) -> Vec<(String, Shown)> {
        for sidecar in sidecars {
            self.0.remove(&key(&sidecar.seen.file));
        }
        let gone = self.0.into_iter().filter(|(_, shown)| is_there(&shown.stamp.2, mounts));
        gone.collect()
    }
}

/// What a file is remembered by.
pub fn key(file: &Path) -> String {
    digest(file.as_os_str().as_encoded_bytes())
}

fn is_there(mount: &str, mounts: &HashSet<Arc<str>>) -> bool {
    mount.is_empty() || mounts.contains(mount)
}

fn is_same((bytes, modified_ms): (i64, i64), seen: &Seen) -> bool {
    let (own_bytes, own_modified_ms, _) = stamp(seen);
    (bytes, modified_ms) == (own_bytes, own_modified_ms)
}

fn stamp(seen: &Seen) -> Stamp {
    (seen.bytes as i64, seen.modified_ms, seen.mount.to_string())
}
