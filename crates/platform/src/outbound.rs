//! Requests to others over HTTP: TLS is rustls with ring, and the certificates that are trusted are this machine's.

/// A client to be built. There is no other way to one: the library panics where it has not been told which TLS to use.
#[allow(clippy::disallowed_methods)]
pub fn client() -> reqwest::ClientBuilder {
    choose_tls();
    reqwest::Client::builder()
}

/// Before a library makes clients of its own.
pub fn choose_tls() {
    // Once for the process; whoever comes second finds what they wanted.
    rustls::crypto::ring::default_provider().install_default().ok();
}
