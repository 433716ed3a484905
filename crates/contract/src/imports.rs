//! Imports: data sets brought in by a curator. Composed of catalogue and activity, so it is the binary's own service.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{ProfileId, jobs::Job, streaming::ForUpload};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetKind {
    /// ML-100k (original or RecBole atomic), ML-1M `.dat`, ML-latest, 25M, 32M `.csv`: which one is seen from the files.
    Movielens,
    Movietweetings,
}

/// Of one import.
pub const FILES_MAX: usize = 16;

/// Queues an import of files that are on this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StartImport {
    pub kind: DatasetKind,
    /// At most [`FILES_MAX`] files, or one folder.
    pub paths: Vec<String>,
    /// Viewers of the data set that are people here.
    pub claims: Vec<(String, ProfileId)>,
    /// The uploads that the files are: removed once the import has succeeded, kept for another try where it has not.
    #[serde(default)]
    pub uploads: Vec<ForUpload>,
}

crate::door_error! {
    /// What an import can refuse at once; what the files hold shows in the job.
    ImportsError {
        Refused(String) => InvalidArgument, "import_refused", "{0}";
    }
}

#[async_trait]
pub trait Imports: Send + Sync + 'static {
    async fn start(&self, req: StartImport) -> Result<Job, ImportsError>;
}

crate::wire! { Imports as "imports", ImportsError: start(StartImport) -> Job }
