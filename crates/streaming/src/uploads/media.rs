//! Files of this machine that an operator or a watched folder names.

use std::path::Path;

use contract::{
    Fault, UploadId,
    jobs::Job,
    streaming::{AddMedia, StreamingError, UploadPurpose},
};
use platform::Tx;

use super::filename;
use crate::{
    room::Room,
    saga::Received,
    store::uploads::{self, UploadRow, WHOLE, purpose_name},
};

/// Files of this machine that wait to be packaged before a sparing one is copied.
const MEDIA_WAITING_MAX: u64 = 4;
/// What a sparing copy leaves free, beside as much again as it takes itself.
const RESERVE_BYTES: u64 = 1 << 30;

impl Room {
    /// A file that an operator named: checked and brought in at once, whatever happens to the original later.
    pub(crate) async fn ingest(&self, req: AddMedia) -> Result<Job, StreamingError> {
        let subject = self.title_name(req.title).await?;
        let invalid = |what: &str| StreamingError::FileInvalid(format!("{} {what}", req.path));
        let path = tokio::fs::canonicalize(&req.path)
            .await
            .map_err(|error| invalid(reason(&error)))?;
        let meta = tokio::fs::metadata(&path)
            .await
            .map_err(|error| invalid(reason(&error)))?;
        if meta.is_dir() {
            return Err(invalid("is a folder; name one video file"));
        }
        if !meta.is_file() {
            return Err(invalid("is not a regular file"));
        }
        tokio::fs::File::open(&path)
            .await
            .map_err(|error| invalid(reason(&error)))?;
        let now = self.inputs.now_ms();
        let row = UploadRow {
            id: self.inputs.id(),
            account_id: None,
            title_id: Some(req.title.0),
            purpose: purpose_name(UploadPurpose::Video).into(),
            filename: shown_name(&path),
            bytes: meta.len() as i64,
            received: meta.len() as i64,
            state: WHOLE.into(),
            job_id: None,
            created_at: now,
            expires_at: now + self.config.source_expiry_s as i64 * 1000,
            length_known: 1,
            parts: String::new(),
            fingerprint: String::new(),
            metadata: String::new(),
        };
        let id = UploadId(row.id);
        if !self.files.link(id, path.clone()).await? {
            if req.sparing {
                self.check_room_for_copy(meta.len()).await?;
            }
            self.files.copy_in(id, path).await?;
        }
        let received = Received {
            source: id,
            title: req.title,
            subject,
            bytes: meta.len(),
            is_asked_for: !req.sparing,
        };
        let (tx, job) = match self.note_media(&row, received).await {
            Ok(noted) => noted,
            Err(fault) => {
                self.files.remove(id).await?;
                return Err(fault.into());
            }
        };
        // Where this fails it is not known what became of the row; without one, the file is swept away.
        tx.commit().await?;
        self.queue.wake();
        self.begin_to_keep(id);
        Ok(job)
    }

    async fn note_media(&self, row: &UploadRow, received: Received) -> Result<(Tx, Job), Fault> {
        let mut tx = self.db.begin().await?;
        uploads::insert(&mut tx, row).await?;
        let job = self.receive(&mut tx, received).await?;
        Ok((tx, job))
    }

    /// A library on another disk does not come over as a whole: what is packaged meanwhile needs room, too.
    async fn check_room_for_copy(&self, bytes: u64) -> Result<(), Fault> {
        let waiting = uploads::media_waiting(&self.db).await?;
        if waiting >= MEDIA_WAITING_MAX {
            return Err(Fault::StorageFull(format!("{waiting} files wait to be packaged")));
        }
        let (free, needed) = (
            self.files.free_bytes()?,
            bytes.saturating_mul(2).saturating_add(RESERVE_BYTES),
        );
        if free < needed {
            return Err(Fault::StorageFull(format!(
                "{needed} bytes are needed, {free} are free"
            )));
        }
        Ok(())
    }
}

fn shown_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    filename(&name).unwrap_or_else(|_| "video".into())
}

fn reason(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist",
        std::io::ErrorKind::PermissionDenied => "may not be read by Kinora",
        _ => "cannot be read",
    }
}
