//! What an operator may set of the gateway.

use std::str::FromStr as _;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{network::Network, parties};

/// With less, what was read for one viewer would be gone before they have taken it.
const MEDIA_BYTES_MIN: u64 = 16 << 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address that people type, such as `https://films.example.org`. Empty: whatever the browser asked for, and cookies
    /// carry `Secure` on this machine's own names only.
    pub public_url: String,
    /// Reverse proxies whose `X-Forwarded-For` is believed: addresses or networks such as `10.0.0.0/8`.
    pub trusted_proxies: Vec<String>,
    /// Whether `/metrics` answers everybody; otherwise only this machine.
    pub metrics_public: bool,
    /// Per address, on the ways in (log in, register, refresh, set up).
    pub auth_requests_per_minute: u32,
    /// Per account, on everything else.
    pub api_requests_per_second: u32,
    /// Event streams that one account may hold open.
    pub event_streams_max: u32,
    /// Home pages kept as they were sent, for viewers who come back before anything has changed; 0 keeps none.
    pub home_pages_bytes_max: u64,
    /// Of segments that lie in a bucket (`[storage]`), kept in memory for the viewers who come next.
    pub media_bytes_max: u64,
    /// Connections that are open at once; the next one waits until one ends.
    pub connections_max: u32,
    /// The longest that a handler may take before it answers.
    pub timeout_s: u32,
    pub together: parties::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            metrics_public: false,
            auth_requests_per_minute: 120,
            api_requests_per_second: 200,
            event_streams_max: 10,
            home_pages_bytes_max: 64 << 20,
            media_bytes_max: 256 << 20,
            connections_max: 16_000,
            timeout_s: 30,
            together: parties::Config::default(),
        }
    }
}

impl Config {
    /// Fails naming the key that is wrong.
    pub fn check(&self) -> anyhow::Result<()> {
        self.public_url()?;
        self.trusted()?;
        self.together.check()?;
        for (key, value) in [
            ("auth_requests_per_minute", self.auth_requests_per_minute),
            ("api_requests_per_second", self.api_requests_per_second),
            ("event_streams_max", self.event_streams_max),
            ("connections_max", self.connections_max),
            ("timeout_s", self.timeout_s),
        ] {
            anyhow::ensure!(value > 0, "gateway.{key} must be at least 1");
        }
        anyhow::ensure!(
            self.media_bytes_max >= MEDIA_BYTES_MIN,
            "gateway.media_bytes_max must be at least {MEDIA_BYTES_MIN}"
        );
        Ok(())
    }

    /// Absent where it is not set.
    pub(crate) fn public_url(&self) -> anyhow::Result<Option<Url>> {
        if self.public_url.is_empty() {
            return Ok(None);
        }
        let url = Url::from_str(&self.public_url)
            .map_err(|error| anyhow::anyhow!("gateway.public_url {:?} is not an address: {error}", self.public_url))?;
        let plain = matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.path() == "/";
        anyhow::ensure!(
            plain,
            "gateway.public_url {:?} must be http:// or https:// with a host and no path",
            self.public_url
        );
        Ok(Some(url))
    }

    pub(crate) fn trusted(&self) -> anyhow::Result<Vec<Network>> {
        let parse = |text: &String| {
            text.parse().map_err(|_| {
                anyhow::anyhow!(
                    "gateway.trusted_proxies: {text:?} is neither an address nor a network such as 10.0.0.0/8"
                )
            })
        };
        self.trusted_proxies.iter().map(parse).collect()
    }
}
