//! Owns a whole Kinora in a folder of its own, with the people that a test needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use platform::db::Location;
use tempfile::TempDir;

use crate::client::PASSWORD;
use crate::command::{Finished, finish, kinora};
use crate::{Client, Launch, Server, datasets};

const ADMIN: &str = "admin@kinora.example";

/// One process that does everything.
#[derive(Debug)]
pub struct Cluster {
    pub server: Server,
    // Below the server, so that it goes first.
    folder: TempDir,
}

impl Cluster {
    /// Starts with an empty library and one admin.
    pub fn one() -> Self {
        Self::started(|_| ())
    }

    /// Starts with the small made-up library of [`datasets::write_small`] and a trained model.
    pub fn with_library() -> Self {
        Self::started(|data| {
            let source = data.join("small-data-set");
            datasets::write_small(&source);
            kinora(data, &["import", "movielens", &source.to_string_lossy()], "").ok();
            kinora(data, &["train"], "").ok();
        })
    }

    /// As [`Cluster::one`], with everything in a database of its own on the PostgreSQL that the tests share.
    pub async fn on_postgres() -> Self {
        let url = new_postgres_database().await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let words = [
            "user",
            "add",
            ADMIN,
            "--role",
            "admin",
            "--password-stdin",
            "--database-url",
            &url,
        ];
        kinora(folder.path(), &words, &format!("{PASSWORD}\n")).ok();
        Self {
            server: Launch::new(folder.path()).words(&["--database-url", &url]).start(),
            folder,
        }
    }

    /// Starts after `prepare` has filled the data folder through the command line.
    pub fn started(prepare: impl FnOnce(&Path)) -> Self {
        Self::launched(prepare, |launch| launch)
    }

    /// The same, with what `adjust` makes of the launch.
    pub fn launched(prepare: impl FnOnce(&Path), adjust: impl FnOnce(Launch) -> Launch) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().to_path_buf();
        kinora(
            &data,
            &["user", "add", ADMIN, "--role", "admin", "--password-stdin"],
            &format!("{PASSWORD}\n"),
        )
        .ok();
        prepare(&data);
        Self {
            server: adjust(Launch::new(&data)).start(),
            folder,
        }
    }

    pub fn url(&self) -> &str {
        self.server.url()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// Runs a command beside the server.
    pub fn command(&self, words: &[&str]) -> Finished {
        kinora(self.folder.path(), words, "")
    }

    pub fn anonymous(&self) -> Client {
        Client::anonymous(self.url())
    }

    pub async fn admin(&self) -> Client {
        Client::log_in(self.url(), ADMIN, PASSWORD).await
    }

    /// A new viewer of this name.
    pub async fn viewer(&self, name: &str) -> Client {
        Client::register(self.url(), &format!("{name}@kinora.example")).await
    }

    /// An account with a role, made on the command line.
    pub async fn person(&self, name: &str, role: &str) -> Client {
        let email = format!("{name}@kinora.example");
        let words = ["user", "add", &email, "--role", role, "--password-stdin"];
        kinora(self.folder.path(), &words, &format!("{PASSWORD}\n")).ok();
        Client::log_in(self.url(), &email, PASSWORD).await
    }
}

/// The shared server has one schema prefix per store's test; a whole Kinora gets a database instead, for its names are its own.
async fn new_postgres_database() -> String {
    let shared = platform::test_support::postgres().await;
    let Location::Postgres { url, schema_prefix } = shared.location else {
        panic!("the shared PostgreSQL is not one")
    };
    let name = format!("kinora_{schema_prefix}").trim_end_matches('_').to_owned();
    let mut psql = Command::new("psql");
    psql.args(["--quiet", "--command", &format!("CREATE DATABASE {name}"), &url]);
    finish(psql, "").ok();
    url.replacen("/postgres?", &format!("/{name}?"), 1)
}
