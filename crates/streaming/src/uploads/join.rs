//! One upload of several partial ones (tus: concatenation), so that a client may send a file over several connections.

use contract::{
    Fault, UploadId,
    jobs::Job,
    streaming::{ForUpload, JoinUploads, StreamingError, Upload, UploadPurpose},
};
use platform::Tx;

use super::{answer, check_metadata, filename};
use crate::{
    encode::sniff,
    room::Room,
    saga::Received,
    store::uploads::{self, UploadRow, WHOLE, purpose_name},
};

const PARTS_MAX: usize = 32;

impl Room {
    /// What was begun is brought to its end, also where its client goes away meanwhile: a copy that nobody knows of would take its
    /// room beside the parts, and who asks again finds what was made.
    pub(crate) async fn join(&self, req: JoinUploads) -> Result<Upload, StreamingError> {
        let room = self.own.upgrade();
        let room = room.ok_or_else(|| Fault::Unavailable("it is ending".into()))?;
        let joined = tokio::spawn(async move { room.join_to_the_end(req).await });
        joined.await.map_err(|error| Fault::Internal(error.to_string()))?
    }

    /// Files are copied before the one transaction that makes the parts one upload: whatever dies before it leaves the parts as they
    /// are and a file that no row knows; whatever dies after it, files of parts that no row knows. Both are swept away.
    async fn join_to_the_end(&self, req: JoinUploads) -> Result<Upload, StreamingError> {
        let name = filename(&req.filename)?;
        check_metadata(&req.metadata)?;
        self.check_purpose(req.purpose, req.title).await?;
        let Some(first) = req.parts.first().filter(|_| req.parts.len() <= PARTS_MAX) else {
            let text = format!("join between one and {PARTS_MAX} uploads");
            return Err(StreamingError::FileInvalid(text));
        };
        // The same request twice waits for itself, and then finds what it made.
        let _alone = self.join_locks.of(*first).lock().await;
        let parts = names_of(&req.parts);
        if let Some(row) = uploads::joined(&self.db, req.account, &parts).await? {
            let upload = UploadId(row.id);
            return self
                .find_upload(ForUpload {
                    account: req.account,
                    upload,
                })
                .await;
        }
        let found = self.parts(&req).await?;
        let bytes: u64 = found.iter().map(|(_, bytes)| bytes).sum();
        self.check_size(bytes).await?;
        self.look_at_parts(&req, bytes).await?;
        let now = self.inputs.now_ms();
        let row = UploadRow {
            id: self.inputs.id(),
            account_id: Some(req.account.0),
            title_id: req.title.map(|title| title.0),
            purpose: purpose_name(req.purpose).into(),
            filename: name,
            bytes: bytes as i64,
            received: bytes as i64,
            state: WHOLE.into(),
            job_id: None,
            created_at: now,
            expires_at: now + self.config.source_expiry_s as i64 * 1000,
            length_known: 1,
            parts,
            fingerprint: String::new(),
            metadata: req.metadata.clone(),
        };
        self.files.join(UploadId(row.id), &found).await?;
        self.make_one(&req, row).await
    }

    /// The parts that are asked for, with their lengths.
    async fn parts(&self, req: &JoinUploads) -> Result<Vec<(UploadId, u64)>, StreamingError> {
        let mut found = Vec::with_capacity(req.parts.len());
        for part in &req.parts {
            let row = uploads::find(&self.db, req.account, *part).await?;
            let row = row.filter(|row| row.is_partial() && !row.has_expired(self.inputs.now_ms()));
            let row = row.ok_or(StreamingError::PartNotFound)?;
            if row.state != WHOLE {
                return Err(StreamingError::PartUnfinished);
            }
            found.push((*part, row.bytes as u64));
        }
        Ok(found)
    }

    /// What a part holds is only known once it is said which is the first.
    async fn look_at_parts(&self, req: &JoinUploads, bytes: u64) -> Result<(), StreamingError> {
        if req.purpose != UploadPurpose::Video {
            return Ok(());
        }
        let most = sniff::START_BYTES.min(bytes as usize);
        let start = self.files.start(&req.parts, most).await?;
        let Some(text) = sniff::refuse(&start) else {
            return Ok(());
        };
        for part in &req.parts {
            self.remove_source(*part).await?;
        }
        Err(StreamingError::FileInvalid(text.into()))
    }

    async fn make_one(&self, req: &JoinUploads, row: UploadRow) -> Result<Upload, StreamingError> {
        let (tx, job) = match self.write_one(req, &row).await {
            Ok(written) => written,
            Err(refused) => {
                self.files.remove(UploadId(row.id)).await?;
                return Err(refused);
            }
        };
        // Where this fails it is not known what became of the row; without one, the file is swept away.
        tx.commit().await?;
        self.queue.wake();
        if job.is_some() {
            self.begin_to_keep(UploadId(row.id));
        }
        for part in &req.parts {
            if let Err(error) = self.files.remove(*part).await {
                tracing::warn!(%part, %error, "a part that was joined was not removed; it will be");
            }
        }
        Ok(answer(row, job))
    }

    async fn write_one(&self, req: &JoinUploads, row: &UploadRow) -> Result<(Tx, Option<Job>), StreamingError> {
        let subject = match (req.purpose, req.title) {
            (UploadPurpose::Video, Some(title)) => Some((title, self.title_name(title).await?)),
            _ => None,
        };
        let mut tx = self.db.begin().await?;
        for part in &req.parts {
            if !uploads::use_up(&mut tx, req.account, *part).await? {
                return Err(StreamingError::PartNotFound);
            }
        }
        uploads::insert(&mut tx, row).await?;
        let job = match subject {
            Some((title, subject)) => {
                let received = Received {
                    source: row.id.into(),
                    title,
                    subject,
                    bytes: row.bytes as u64,
                    is_asked_for: true,
                };
                Some(self.receive(&mut tx, received).await?)
            }
            None => None,
        };
        Ok((tx, job))
    }
}

fn names_of(parts: &[UploadId]) -> String {
    let names: Vec<_> = parts.iter().map(UploadId::to_string).collect();
    names.join(" ")
}

/// What a joined upload was joined of.
pub(super) fn parts_of(row: &UploadRow) -> Vec<UploadId> {
    row.parts.split(' ').filter_map(|id| id.parse().ok()).collect()
}
