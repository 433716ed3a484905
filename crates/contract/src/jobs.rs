//! Background work as every room that has some shows it.

use serde::{Deserialize, Serialize};

use crate::{JobId, Millis, TitleId};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    Transcode,
    Import,
    Train,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

/// A job as people see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    pub state: JobState,
    /// 0 to 1.
    pub progress: f32,
    /// The step it is at, in words, such as `encoding 720p`.
    pub stage: String,
    /// Why it failed and what to do, in words for a curator.
    pub error: Option<String>,
    /// What it works on, in words.
    pub subject: String,
    pub title_id: Option<TitleId>,
    pub attempts: u32,
    pub created_at: Millis,
    pub started_at: Option<Millis>,
    pub finished_at: Option<Millis>,
    /// What came of it, in words.
    #[serde(default)]
    pub outcome: Option<String>,
    /// About how long it will still take, at the pace of late; absent where nobody could say.
    #[serde(default)]
    pub remaining_s: Option<u64>,
}

/// Newest first, from before `before`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListJobs {
    pub before: Option<JobId>,
    pub limit: u32,
    #[serde(default)]
    pub state: Option<JobState>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForJob {
    pub job: JobId,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct AskOutlook {
    pub kind: JobKind,
}

/// How far all work of a kind is that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// How many jobs wait.
    pub queued: u64,
    pub running: u64,
    /// 0 to 1, of these and of what was done since the oldest of them has been waiting.
    pub progress: f32,
    /// About how long all of them will take, at the pace of late; absent where nobody could say.
    pub remaining_s: Option<u64>,
}

crate::door_error! {
    /// What a job can refuse.
    JobError {
        NotFound => NotFound, "job_not_found", "no such job";
        NotCancellable => FailedPrecondition, "job_not_cancellable", "the job has already ended";
        AlreadyEnded => FailedPrecondition, "job_ended", "the job has already ended";
        NotRetryable => FailedPrecondition, "job_not_retryable", "only a failed or cancelled job can be retried";
    }
}

/// The same door in every room with jobs, so that one list shows them all.
#[async_trait::async_trait]
pub trait Jobs: Send + Sync + 'static {
    async fn list(&self, req: ListJobs) -> Result<Vec<Job>, JobError>;
    async fn get(&self, req: ForJob) -> Result<Job, JobError>;
    async fn cancel(&self, req: ForJob) -> Result<Job, JobError>;
    async fn retry(&self, req: ForJob) -> Result<Job, JobError>;
    /// Before everything that waits, and before whatever was put first earlier.
    async fn first(&self, req: ForJob) -> Result<Job, JobError>;
    async fn outlook(&self, req: AskOutlook) -> Result<Outlook, JobError>;
}

crate::wire! {
    Jobs as "jobs", JobError: list(ListJobs) -> Vec<Job>, get(ForJob) -> Job, cancel(ForJob) -> Job, retry(ForJob) -> Job, first(ForJob) -> Job,
    outlook(AskOutlook) -> Outlook
}
