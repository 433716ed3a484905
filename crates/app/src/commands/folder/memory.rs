//! What a folder held when it was last brought in, so that what has not changed costs nothing. Table `library_files`, in the database of
//! imports. A file that was noted has its title, and its video or a job that makes it.

use std::{collections::HashMap, path::Path};

use contract::Fault;
use platform::{Db, db::OrFault as _, on};

use super::{digest, scan::Seen};

/// Of one folder.
pub struct Memory<'a> {
    db: &'a Db,
    folder: String,
}

/// Bytes and time of change.
type Stamp = (i64, i64);

impl<'a> Memory<'a> {
    pub fn of(db: &'a Db, folder: &Path) -> Self {
        let folder = digest(folder.as_os_str().as_encoded_bytes());
        Self { db, folder }
    }

    pub async fn load(&self) -> Result<Known, Fault> {
        let sql = "SELECT file, bytes, modified_ms FROM library_files WHERE folder = $1";
        let rows: Vec<(String, i64, i64)> =
            on!(self.db, pool => sqlx::query_as(sql).bind(&self.folder).fetch_all(pool).await).or_fault()?;
        let known = rows
            .into_iter()
            .map(|(file, bytes, modified_ms)| (file, (bytes, modified_ms)));
        Ok(Known(known.collect()))
    }

    pub async fn note(&self, files: &[&Seen]) -> Result<(), Fault> {
        let sql = "INSERT INTO library_files (folder, file, bytes, modified_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (folder, file) DO UPDATE SET bytes = excluded.bytes, modified_ms = excluded.modified_ms";
        let mut tx = self.db.begin().await?;
        for seen in files {
            let (bytes, modified_ms) = stamp(seen);
            on!(tx, conn => sqlx::query(sql).bind(&self.folder).bind(key(seen)).bind(bytes).bind(modified_ms)
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
        match self.0.get(&key(seen)) {
            None => Change::New,
            Some(known) if *known == stamp(seen) => Change::Unchanged,
            Some(_) => Change::Changed,
        }
    }

    /// What was there and is not among these.
    pub fn gone(mut self, files: &[Seen]) -> Vec<String> {
        for seen in files {
            self.0.remove(&key(seen));
        }
        self.0.into_keys().collect()
    }
}

fn key(seen: &Seen) -> String {
    digest(seen.file.as_os_str().as_encoded_bytes())
}

fn stamp(seen: &Seen) -> Stamp {
    (seen.bytes as i64, seen.modified_ms)
}
