//! The two cookies of a browser's session. Scripts cannot read them.
//!
//! Over https, and on this machine's own names, they are `__Host-` cookies with `Secure`. A home network over plain http
//! cannot have those: there they have plain names, so that a page from elsewhere can never plant the stronger ones.

use axum_extra::extract::cookie::{Cookie, SameSite};
use contract::accounts::SignedIn;
use http::{HeaderMap, HeaderValue, header};
use url::Url;

/// How the cookies of a request are called and guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jar {
    secure: bool,
}

impl Jar {
    pub fn new(public_url: Option<&Url>, headers: &HeaderMap) -> Self {
        let here = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let secure = match public_url {
            Some(url) => url.scheme() == "https" || url.host_str().is_some_and(here),
            None => here(host_name(headers)),
        };
        Self { secure }
    }

    pub fn access(self) -> &'static str {
        if self.secure {
            "__Host-kinora_access"
        } else {
            "kinora_access"
        }
    }

    pub fn refresh(self) -> &'static str {
        if self.secure {
            "__Host-kinora_refresh"
        } else {
            "kinora_refresh"
        }
    }

    /// The value of a cookie, if it came along.
    pub fn get<'a>(self, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        let lines = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok());
        let mut pairs = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// `Set-Cookie` lines for a log-in.
    pub fn sign_in(self, signed_in: &SignedIn) -> [HeaderValue; 2] {
        [
            self.line(
                self.access(),
                &signed_in.access_token,
                signed_in.expires_in_s,
                SameSite::Lax,
            ),
            self.line(
                self.refresh(),
                &signed_in.refresh_token,
                signed_in.refresh_expires_in_s,
                SameSite::Strict,
            ),
        ]
    }

    /// `Set-Cookie` lines that remove them.
    pub fn sign_out(self) -> [HeaderValue; 2] {
        [
            self.line(self.access(), "", 0, SameSite::Lax),
            self.line(self.refresh(), "", 0, SameSite::Strict),
        ]
    }

    fn line(self, name: &'static str, value: &str, max_age_s: u32, same_site: SameSite) -> HeaderValue {
        let mut cookie = Cookie::new(name, value.to_owned());
        cookie.set_path("/");
        cookie.set_http_only(true);
        cookie.set_secure(self.secure);
        cookie.set_same_site(same_site);
        // Written by hand, since the cookie's own `max_age` wants another crate's duration.
        let line = format!("{cookie}; Max-Age={max_age_s}");
        // Tokens are base64url and dots; anything else would be a defect, and then no cookie is the safe answer.
        HeaderValue::from_str(&line).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// The host that the request names, without its port.
pub fn host_name(headers: &HeaderMap) -> &str {
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') => &host[..colon],
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(public_url: Option<&str>, host: &'static str) -> Jar {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        Jar::new(public_url.map(|url| url.parse().unwrap()).as_ref(), &headers)
    }

    #[test]
    fn names_follow_what_a_browser_would_keep() {
        for (public_url, host, secure) in [
            (None, "localhost:8080", true),
            (None, "127.0.0.1", true),
            (None, "[::1]:8080", true),
            (None, "192.168.1.4:8080", false),
            (None, "localhost.evil.example", false),
            (Some("https://films.example.org"), "10.0.0.1", true),
            (Some("http://tv.local:8080"), "localhost", false),
            (Some("http://localhost:8080"), "localhost:8080", true),
        ] {
            assert_eq!(jar(public_url, host).secure, secure, "{public_url:?} {host}");
        }
    }

    #[test]
    fn cookies_are_out_of_reach_for_scripts_and_other_sites() {
        let [access, refresh] = jar(None, "localhost").sign_out();
        assert_eq!(
            access,
            "__Host-kinora_access=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        );
        assert_eq!(
            refresh,
            "__Host-kinora_refresh=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0"
        );
    }

    #[test]
    fn only_the_cookie_of_that_name_counts() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("a=1; kinora_access=plain; __Host-kinora_access=token=x"),
        );
        let jar = jar(None, "localhost");
        assert_eq!(jar.get(&headers, jar.access()), Some("token=x"));
        assert_eq!(jar.get(&headers, jar.refresh()), None);
    }
}
