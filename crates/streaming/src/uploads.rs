//! Files on their way in: declared, written piece by piece, whole, handed on. What was answered for is on disk.

mod join;
mod media;
mod requests;

use contract::{
    Blob, Done, Fault, TitleId, UploadId,
    catalog::{CatalogError, ForTitle, TitleKind},
    jobs::{ForJob, Job, JobError, Jobs},
    streaming::{
        AppendUpload, Concat, CreateUpload, ForUpload, ListUploads, METADATA_BYTES_MAX, ReadUpload, StreamingError,
        Upload, UploadPurpose, UploadedFile, Uploads,
    },
};
use tokio::sync::Mutex;

use crate::{
    encode::sniff,
    room::Room,
    saga::Received,
    store::uploads::{self, Advance, OPEN, PACKAGED, PARTIAL, UploadRow, WHOLE, purpose_name},
};

pub use requests::Requests;

/// The largest piece that is taken at once.
const PIECE_BYTES_MAX: usize = 8 << 20;
/// What is read of one at once.
const READ_BYTES_MAX: u64 = 1 << 20;
const FILENAME_CHARS_MAX: usize = 255;
const FINGERPRINT_CHARS_MAX: usize = 100;

/// One writer per upload, in a bounded number of locks.
pub struct Locks([Mutex<()>; 64]);

impl Default for Locks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Locks {
    pub(crate) fn of(&self, id: UploadId) -> &Mutex<()> {
        &self.0[id.0.rem_euclid(64) as usize]
    }
}

impl Room {
    pub(crate) async fn new_upload(&self, req: CreateUpload) -> Result<Upload, StreamingError> {
        let filename = filename(&req.filename)?;
        if req.fingerprint.chars().count() > FINGERPRINT_CHARS_MAX || req.fingerprint.contains(char::is_control) {
            let text = format!("a fingerprint has at most {FINGERPRINT_CHARS_MAX} characters");
            return Err(StreamingError::FileInvalid(text));
        }
        check_metadata(&req.metadata)?;
        if !req.length_deferred {
            self.check_size(req.bytes).await?;
        }
        if !req.is_partial {
            self.check_purpose(req.purpose, req.title).await?;
        }
        let now = self.inputs.now_ms();
        let row = UploadRow {
            id: self.inputs.id(),
            account_id: Some(req.account.0),
            title_id: req.title.filter(|_| !req.is_partial).map(|title| title.0),
            purpose: purpose_name(req.purpose).into(),
            filename,
            bytes: if req.length_deferred { 0 } else { req.bytes as i64 },
            received: 0,
            state: OPEN.into(),
            job_id: None,
            created_at: now,
            expires_at: now + self.config.upload_expiry_s as i64 * 1000,
            length_known: i64::from(!req.length_deferred),
            fingerprint: req.fingerprint,
            metadata: req.metadata,
            parts: if req.is_partial { PARTIAL.into() } else { String::new() },
        };
        let mut tx = self.db.begin().await?;
        let usage = uploads::usage(&mut tx, req.account).await?;
        if usage.unfinished >= self.config.uploads_max {
            return Err(StreamingError::QuotaReached);
        }
        self.check_quota(usage.bytes, row.bytes as u64)?;
        // A row without a file would promise what is not there; a file without a row is swept away.
        self.files.create(UploadId(row.id)).await?;
        uploads::insert(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(answer(row, None))
    }

    async fn check_purpose(&self, purpose: UploadPurpose, title: Option<TitleId>) -> Result<(), StreamingError> {
        match (purpose, title) {
            (UploadPurpose::Video, Some(title)) => self.title_name(title).await.map(drop),
            (UploadPurpose::Video, None) => Err(StreamingError::FileInvalid("say for which title the video is".into())),
            (UploadPurpose::Dataset, _) => Ok(()),
        }
    }

    async fn check_size(&self, bytes: u64) -> Result<(), StreamingError> {
        if bytes == 0 {
            return Err(StreamingError::FileInvalid("This file is empty.".into()));
        }
        if bytes > self.config.upload_bytes_max {
            return Err(StreamingError::UploadTooLarge(self.config.upload_bytes_max));
        }
        let free = self.files.free_bytes()?;
        let others = uploads::to_come(&self.db, self.inputs.now_ms()).await?;
        if bytes.saturating_add(others) > free {
            let text = format!("{bytes} bytes are to come and {others} of other uploads, {free} are free");
            return Err(Fault::StorageFull(text).into());
        }
        Ok(())
    }

    /// `claimed` is what the account's uploads take already.
    fn check_quota(&self, claimed: u64, more: u64) -> Result<(), StreamingError> {
        let left = self.config.upload_bytes_per_account_max.saturating_sub(claimed);
        if more > left {
            return Err(StreamingError::UploadQuotaReached(left));
        }
        Ok(())
    }

    pub(crate) async fn append(&self, req: AppendUpload) -> Result<Upload, StreamingError> {
        let _alone = self.upload_locks.of(req.upload).lock().await;
        let (mine, offset) = (
            ForUpload {
                account: req.account,
                upload: req.upload,
            },
            req.offset,
        );
        let row = self.row(mine).await?;
        if row.is_joined() {
            return Err(StreamingError::UploadJoined);
        }
        self.requests
            .check(req.upload, req.request, offset, row.received as u64)?;
        if req.body.0.len() > PIECE_BYTES_MAX {
            return Err(StreamingError::FileInvalid(format!(
                "a piece has at most {PIECE_BYTES_MAX} bytes"
            )));
        }
        let step = self.step(&row, &req).await?;
        if !req.body.0.is_empty() {
            self.files.write_at(req.upload, offset, req.body.0).await?;
        }
        if !req.is_held {
            self.look_at(&row, &step).await?;
        }
        self.requests.reached(req.upload, req.request, step.to);
        let brings_something = step.to > step.from || step.length != row.length();
        if brings_something && !req.is_held {
            self.note(&row, &step).await?;
        }
        self.find_upload(mine).await
    }

    /// Where a piece brings the file, if all of it may be kept.
    async fn step(&self, row: &UploadRow, req: &AppendUpload) -> Result<Advance, StreamingError> {
        let length = match (row.length(), req.length) {
            (Some(known), Some(said)) if known != said => {
                return Err(StreamingError::FileInvalid(
                    "the length of an upload does not change".into(),
                ));
            }
            (None, Some(said)) => {
                self.check_size(said).await?;
                Some(said)
            }
            (known, _) => known,
        };
        let to = req.offset + req.body.0.len() as u64;
        let most = length.unwrap_or(self.config.upload_bytes_max);
        if to > most {
            return Err(StreamingError::UploadTooLarge(most));
        }
        let rest_s = if length == Some(to) {
            self.config.source_expiry_s
        } else {
            self.config.upload_expiry_s
        };
        Ok(Advance {
            from: row.received as u64,
            to,
            length,
            expires_at: self.inputs.now_ms() + rest_s as i64 * 1000,
        })
    }

    /// Whether it may be a video shows in its first bytes: what can not is refused once they count, and nothing of it stays. Before
    /// that they may be damaged, and be sent again.
    async fn look_at(&self, row: &UploadRow, step: &Advance) -> Result<(), StreamingError> {
        let start = sniff::START_BYTES as u64;
        let is_time = step.from < start && (step.to >= start || step.is_whole());
        if !is_time || row.is_partial() || row.purpose() != UploadPurpose::Video {
            return Ok(());
        }
        let bytes = self.files.start(&[UploadId(row.id)], sniff::START_BYTES).await?;
        // A line that broke may have left more behind than counts.
        let counts = bytes.len().min(step.to as usize);
        match sniff::refuse(&bytes[..counts]) {
            Some(text) => {
                self.discard(row).await?;
                Err(StreamingError::FileInvalid(text.into()))
            }
            None => Ok(()),
        }
    }

    /// The bytes are on disk; the row says so, and the last of them start the work.
    async fn note(&self, row: &UploadRow, step: &Advance) -> Result<(), StreamingError> {
        let id = UploadId(row.id);
        let starts_work = step.is_whole() && !row.is_partial() && row.purpose() == UploadPurpose::Video;
        // Outside the transaction: another room must never be waited for with ours open.
        let subject = match row.title() {
            Some(title) if starts_work => match self.title_name(title).await {
                Ok(name) => Some((title, name)),
                Err(refused @ (StreamingError::TitleNotFound | StreamingError::TitleIsSeries)) => {
                    self.discard(row).await?;
                    return Err(refused);
                }
                // The job asks again; until then the file's name will do.
                Err(_) => Some((title, row.filename.clone())),
            },
            _ => None,
        };
        if step.is_whole() {
            // A piece that did not count may have left more behind.
            self.files.cut_at(id, step.to).await?;
        }
        let mut tx = self.db.begin().await?;
        if let (None, Some(account)) = (row.length(), row.account_id) {
            let usage = uploads::usage(&mut tx, account.into()).await?;
            // The file may have expired since its row was read, and is counted no longer.
            let others = usage.bytes.saturating_sub(row.bytes as u64);
            self.check_quota(others, step.length.unwrap_or(step.to))?;
        }
        if !uploads::advance(&mut tx, id, step).await? {
            return Err(StreamingError::OffsetWrong(step.from));
        }
        let is_received = subject.is_some();
        if let Some((title, subject)) = subject {
            let received = Received {
                source: id,
                title,
                subject,
                bytes: step.to,
                is_asked_for: true,
            };
            self.receive(&mut tx, received).await?;
        }
        tx.commit().await?;
        self.queue.wake();
        if is_received {
            self.begin_to_keep(id);
        }
        if step.is_whole() {
            self.requests.forget(id);
        }
        Ok(())
    }

    pub(crate) async fn unfinished(&self, req: ListUploads) -> Result<Uploads, StreamingError> {
        let (now, most) = (self.inputs.now_ms(), self.config.uploads_max);
        let rows = uploads::unfinished(&self.db, req.account, now, most).await?;
        let usage = uploads::usage_now(&self.db, req.account).await?;
        Ok(Uploads {
            items: rows.into_iter().map(|row| answer(row, None)).collect(),
            bytes_max: self.config.upload_bytes_max,
            bytes_left: self.config.upload_bytes_per_account_max.saturating_sub(usage.bytes),
            uploads_max: most,
        })
    }

    pub(crate) async fn find_upload(&self, req: ForUpload) -> Result<Upload, StreamingError> {
        let row = self.row(req).await?;
        let job = match row.job_id {
            // A job that can not be read just now is no reason to hide the upload.
            Some(job) => self.queue.get(ForJob { job: job.into() }).await.ok(),
            None => None,
        };
        Ok(answer(row, job))
    }

    async fn row(&self, req: ForUpload) -> Result<UploadRow, StreamingError> {
        let found = uploads::find(&self.db, req.account, req.upload).await?;
        let row = found.ok_or(StreamingError::UploadNotFound)?;
        if row.has_expired(self.inputs.now_ms()) {
            return Err(StreamingError::UploadExpired);
        }
        Ok(row)
    }

    pub(crate) async fn drop_upload(&self, req: ForUpload) -> Result<Done, StreamingError> {
        let _alone = self.upload_locks.of(req.upload).lock().await;
        let row = self.row(req).await?;
        self.discard(&row).await?;
        Ok(Done {})
    }

    /// Everything that was sent for a title and is not packaged yet, with the work on it. The rows are the caller's.
    pub(crate) async fn discard_all_of(&self, title: TitleId) -> Result<(), Fault> {
        for row in uploads::of_title(&self.db, title).await? {
            let _alone = self.upload_locks.of(row.id.into()).lock().await;
            self.stop_work_on(&row).await?;
            self.remove_file(row.id.into()).await?;
        }
        Ok(())
    }

    async fn discard(&self, row: &UploadRow) -> Result<(), Fault> {
        self.requests.forget(row.id.into());
        self.stop_work_on(row).await?;
        self.remove_source(row.id.into()).await
    }

    async fn stop_work_on(&self, row: &UploadRow) -> Result<(), Fault> {
        let Some(job) = row.job_id.filter(|_| row.state != PACKAGED) else {
            return Ok(());
        };
        match Jobs::cancel(self, ForJob { job: job.into() }).await {
            Err(JobError::Fault(fault)) => Err(fault),
            // One that has ended is left as it is.
            _ => Ok(()),
        }
    }

    /// The file, then the row that knows of it.
    pub(crate) async fn remove_source(&self, id: UploadId) -> Result<(), Fault> {
        self.remove_file(id).await?;
        uploads::delete(&self.db, id).await.map(drop)
    }

    pub(crate) async fn piece_of(&self, req: ReadUpload) -> Result<Blob, StreamingError> {
        let ReadUpload {
            account,
            upload,
            offset,
        } = req;
        let row = self.row(ForUpload { account, upload }).await?;
        let bytes = (row.received as u64).saturating_sub(offset).min(READ_BYTES_MAX);
        let read = self.files.read_at(upload, offset, bytes).await?;
        read.map(Blob).ok_or(StreamingError::UploadNotFound)
    }

    pub(crate) async fn file_of(&self, req: ForUpload) -> Result<UploadedFile, StreamingError> {
        let _alone = self.upload_locks.of(req.upload).lock().await;
        let row = self.row(req).await?;
        if row.purpose() != UploadPurpose::Dataset {
            return Err(StreamingError::FileInvalid("this upload is a video for a title".into()));
        }
        if row.is_partial() {
            return Err(StreamingError::FileInvalid("this upload is a part of a file".into()));
        }
        if row.state != WHOLE {
            return Err(StreamingError::OffsetWrong(row.received as u64));
        }
        // Whoever asks is about to read it; it must not expire meanwhile.
        let later = self.inputs.now_ms() + self.config.source_expiry_s as i64 * 1000;
        uploads::postpone(&self.db, req.upload, later).await?;
        let path = self.files.path(req.upload).to_string_lossy().into_owned();
        Ok(UploadedFile {
            filename: row.filename,
            path,
        })
    }

    /// What a title that may have a video is called.
    pub(crate) async fn title_name(&self, title: TitleId) -> Result<String, StreamingError> {
        let found = self
            .catalog
            .title(ForTitle { title })
            .await
            .map_err(|error| match error {
                CatalogError::TitleNotFound => StreamingError::TitleNotFound,
                CatalogError::Fault(fault) => fault.into(),
                other => Fault::Internal(other.to_string()).into(),
            })?;
        // Players are sent to an episode: a video of the series itself would never be seen.
        if found.card.kind == TitleKind::Series {
            return Err(StreamingError::TitleIsSeries);
        }
        Ok(match found.card.year {
            Some(year) => format!("{} ({year})", found.card.name),
            None => found.card.name.to_string(),
        })
    }
}

fn answer(row: UploadRow, job: Option<Job>) -> Upload {
    let concat = match row.is_partial() {
        true => Some(Concat::Partial),
        false => row.is_joined().then(|| Concat::Final(join::parts_of(&row))),
    };
    Upload {
        length_deferred: row.length().is_none(),
        concat,
        id: row.id.into(),
        account: row.account_id.unwrap_or(0).into(),
        bytes: row.bytes as u64,
        offset: row.received as u64,
        purpose: row.purpose(),
        title: row.title(),
        filename: row.filename,
        fingerprint: row.fingerprint,
        metadata: row.metadata,
        expires_at: row.expires_at,
        job,
    }
}

/// It is told again in a header.
fn check_metadata(given: &str) -> Result<(), StreamingError> {
    let is_plain = given.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if given.len() > METADATA_BYTES_MAX || !is_plain {
        let text = format!("what is said of an upload has at most {METADATA_BYTES_MAX} characters, all of them ASCII");
        return Err(StreamingError::FileInvalid(text));
    }
    Ok(())
}

/// What a person called it, made safe to show.
fn filename(given: &str) -> Result<String, StreamingError> {
    let shown: String = given.chars().filter(|letter| !letter.is_control()).collect();
    if shown.chars().count() > FILENAME_CHARS_MAX {
        return Err(StreamingError::FileInvalid(format!(
            "a file name has at most {FILENAME_CHARS_MAX} characters"
        )));
    }
    Ok(if shown.trim().is_empty() { "video".into() } else { shown })
}
