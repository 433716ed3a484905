//! The loopback transport, with a real door.

use contract::{
    JobId, async_trait,
    jobs::{AskOutlook, ForJob, Job, JobError, Jobs, ListJobs, Outlook},
    wire::Served,
};

use super::*;

struct NoJobs;

#[async_trait]
impl Jobs for NoJobs {
    async fn list(&self, _: ListJobs) -> Result<Vec<Job>, JobError> {
        Ok(Vec::new())
    }
    async fn get(&self, req: ForJob) -> Result<Job, JobError> {
        if req.job == JobId(1) {
            Err(JobError::NotFound)
        } else {
            Err(Fault::DeadlineExceeded.into())
        }
    }
    async fn cancel(&self, _: ForJob) -> Result<Job, JobError> {
        Err(JobError::NotCancellable)
    }
    async fn retry(&self, _: ForJob) -> Result<Job, JobError> {
        Err(JobError::NotRetryable)
    }
    async fn first(&self, _: ForJob) -> Result<Job, JobError> {
        Err(JobError::AlreadyEnded)
    }
    async fn outlook(&self, _: AskOutlook) -> Result<Outlook, JobError> {
        Err(Fault::DeadlineExceeded.into())
    }
}

#[tokio::test]
async fn answers_and_errors_of_every_kind_come_through() {
    let door: Arc<dyn Jobs> = Arc::new(NoJobs);
    let remote = Loopback::new().with(Served(door)).remote();
    assert_eq!(remote.list(ListJobs::default()).await, Ok(Vec::new()));
    assert_eq!(remote.get(ForJob { job: JobId(1) }).await, Err(JobError::NotFound));
    assert_eq!(
        remote.get(ForJob { job: JobId(2) }).await,
        Err(JobError::Fault(Fault::DeadlineExceeded))
    );
}

#[tokio::test]
async fn what_is_not_there_and_what_is_malformed_is_said() {
    let nobody = Loopback::new().remote();
    assert!(matches!(
        nobody.list(ListJobs::default()).await,
        Err(JobError::Fault(Fault::Unavailable(_)))
    ));
    let door: Arc<dyn Jobs> = Arc::new(NoJobs);
    let loopback = Loopback::new().with(Served(door));
    for (method, body) in [("explode", "{}"), ("list", "{"), ("get", "{\"job\":5}")] {
        assert!(
            matches!(
                loopback.call("jobs", method, body.into()).await,
                Err(Fault::Internal(_))
            ),
            "{method}"
        );
    }
}
