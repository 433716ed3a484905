//! Where files lie: in the data folder, or in a bucket.

use std::fmt;

use anyhow::ensure;
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// `[storage]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A bucket of S3, or of a server that speaks as S3 does. Empty: a folder in the data folder.
    pub bucket: String,
    /// The server, such as `https://s3.example.org`. Empty: Amazon's, in the region.
    pub endpoint: String,
    pub region: String,
    /// A folder within the bucket, so that others can share it.
    pub prefix: String,
    /// Empty, and the secret too: what `AWS_ACCESS_KEY_ID` and its like say, or the role of this machine.
    pub access_key_id: String,
    pub secret_access_key: Secret,
    /// Whether addresses name the bucket in their path, or before the server's name.
    pub path_style: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            endpoint: String::new(),
            region: "us-east-1".into(),
            prefix: String::new(),
            access_key_id: String::new(),
            secret_access_key: Secret::default(),
            path_style: true,
        }
    }
}

/// Something that nobody reads by accident: it never shows itself.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "hidden" })
    }
}

impl Config {
    /// Fails naming the key that is wrong.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.bucket.is_empty() {
            let others = [
                ("endpoint", self.endpoint.as_str()),
                ("prefix", &self.prefix),
                ("access_key_id", &self.access_key_id),
                ("secret_access_key", self.secret_access_key.reveal()),
            ];
            for (key, value) in others {
                ensure!(
                    value.is_empty(),
                    "storage.{key} is of a bucket, and storage.bucket names none"
                );
            }
            return Ok(());
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        ensure!(
            (3..=63).contains(&self.bucket.len()) && self.bucket.bytes().all(plain),
            "storage.bucket {:?} is no name of a bucket: 3 to 63 small letters, digits, hyphens and dots",
            self.bucket
        );
        ensure!(
            !self.region.is_empty(),
            "storage.region must name a region; most servers take us-east-1"
        );
        ensure!(
            self.prefix.is_empty() || super::parse(&self.prefix).is_ok(),
            "storage.prefix {:?} is no folder such as kinora/films",
            self.prefix
        );
        ensure!(
            self.access_key_id.is_empty() == self.secret_access_key.reveal().is_empty(),
            "storage.access_key_id and storage.secret_access_key belong together; leave out both for those of the environment"
        );
        self.server().map(drop)
    }

    /// The server's address, where one is named.
    pub(super) fn server(&self) -> anyhow::Result<Option<Url>> {
        if self.endpoint.is_empty() {
            return Ok(None);
        }
        let url: Url = self
            .endpoint
            .parse()
            .map_err(|error| anyhow::anyhow!("storage.endpoint is not an address: {error}"))?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.path() == "/"
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        ensure!(
            plain,
            "storage.endpoint must be http:// or https:// with a host, and no path, name or password"
        );
        Ok(Some(url))
    }

    /// For people: what and where it is.
    pub(super) fn words(&self) -> String {
        let at = match self.endpoint.is_empty() {
            true => format!("S3 in {}", self.region),
            false => self.endpoint.clone(),
        };
        format!("the bucket {} at {at}", self.bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> Config {
        Config {
            bucket: "films".into(),
            ..Config::default()
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        bucket().check().unwrap();
        Config::default().check().unwrap();
        let with = |change: fn(&mut Config)| {
            let mut config = bucket();
            change(&mut config);
            format!("{:#}", config.check().unwrap_err())
        };
        for (said, key) in [
            (with(|it| it.bucket = "Films!".into()), "storage.bucket"),
            (with(|it| it.bucket = "a".into()), "storage.bucket"),
            (with(|it| it.region = String::new()), "storage.region"),
            (with(|it| it.prefix = "../x".into()), "storage.prefix"),
            (with(|it| it.prefix = "/x/".into()), "storage.prefix"),
            (with(|it| it.access_key_id = "key".into()), "storage.secret_access_key"),
            (
                with(|it| it.secret_access_key = Secret::new("x")),
                "storage.access_key_id",
            ),
            (with(|it| it.endpoint = "films".into()), "storage.endpoint"),
            (with(|it| it.endpoint = "ftp://films".into()), "storage.endpoint"),
            (with(|it| it.endpoint = "http://films/x".into()), "storage.endpoint"),
            (
                with(|it| it.endpoint = "http://key:hush@films".into()),
                "storage.endpoint",
            ),
        ] {
            assert!(said.contains(key), "{said}");
            assert!(!said.contains("hush"), "{said}");
        }
        let lost = Config {
            endpoint: "http://films".into(),
            ..Config::default()
        };
        assert!(lost.check().unwrap_err().to_string().contains("storage.bucket"));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let config = Config {
            secret_access_key: Secret::new("hush"),
            ..bucket()
        };
        let shown = format!("{config:?}");
        assert!(!shown.contains("hush") && shown.contains("hidden"), "{shown}");
        assert!(format!("{:?}", bucket()).contains("none"));
    }
}
