//! What an operator may set: a file, the environment and flags over good defaults.

use std::{net::SocketAddr, path::PathBuf};

use platform::{
    Location,
    blob::{self, BlobStore},
    config::{Layers, load},
    telemetry::LogFormat,
};
use serde::{Deserialize, Serialize};

use crate::{cli::Place, commands::folder::watch};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder that holds everything.
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    /// A listener of its own for `/metrics`, such as `127.0.0.1:9090`. Empty: none.
    pub metrics_listen: String,
    /// `postgres://…`. Empty: SQLite files in `data_dir`.
    pub database_url: String,
    /// `all`, or some of `gateway,transcoder,trainer,importer`.
    pub roles: String,
    pub log_format: LogFormat,
    /// As `RUST_LOG`. Empty: what matters.
    pub log_filter: String,
    pub storage: blob::Config,
    pub gateway: gateway::Config,
    pub accounts: accounts::Config,
    pub activity: activity::Config,
    pub recommend: recommend::Config,
    pub streaming: streaming::Config,
    pub library: watch::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "kinora-data".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_listen: String::new(),
            database_url: String::new(),
            roles: "all".into(),
            log_format: LogFormat::default(),
            log_filter: String::new(),
            storage: blob::Config::default(),
            gateway: gateway::Config::default(),
            accounts: accounts::Config::default(),
            activity: activity::Config::default(),
            recommend: recommend::Config::default(),
            streaming: streaming::Config::default(),
            library: watch::Config::default(),
        }
    }
}

impl Config {
    /// Defaults, file, environment, and the flags of `place`; checked.
    pub fn read(place: &Place) -> anyhow::Result<Self> {
        let mut layers = Layers::from_process(place.config.as_deref());
        // Where tests and measurements find data sets: no setting of ours.
        layers.environment.remove("KINORA_DATASETS");
        let mut config: Self = load(layers)?;
        if let Some(data_dir) = &place.data_dir {
            config.data_dir = data_dir.clone();
        }
        if let Some(url) = &place.database_url {
            config.database_url = url.clone();
        }
        if let Some(format) = place.log_format {
            config.log_format = format.into();
        }
        config.storage.check()?;
        config.gateway.check()?;
        config.library.check()?;
        Ok(config)
    }

    pub fn location(&self) -> Location {
        if self.database_url.is_empty() {
            Location::folder(&self.data_dir)
        } else {
            Location::postgres(&self.database_url)
        }
    }

    /// Where files are, opened.
    pub fn blobs(&self) -> anyhow::Result<BlobStore> {
        BlobStore::configured(&self.storage, &self.blobs_dir())
    }

    /// Where they are, unless in a bucket.
    pub fn blobs_dir(&self) -> PathBuf {
        self.data_dir.join("blobs")
    }
}
