//! Cross-site request forgery: what a cookie allows, only our own page may ask.

use http::{HeaderMap, Method, header};
use url::Url;

/// Where a browser says that a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Our page.
    Own,
    /// Somebody else's page.
    Other,
    /// It does not say: no browser of today.
    Unsaid,
}

/// Methods that change nothing.
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// `Sec-Fetch-Site` where there is one, else `Origin` against the host that was asked or the public address.
pub fn of(headers: &HeaderMap, public_url: Option<&Url>) -> Origin {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(header::HeaderName::from_static("sec-fetch-site")) {
        Some("same-origin" | "none") => return Origin::Own,
        Some(_) => return Origin::Other,
        None => {}
    }
    let Some(origin) = text(header::ORIGIN) else {
        return Origin::Unsaid;
    };
    let Ok(origin) = Url::parse(origin) else {
        return Origin::Other;
    };
    let is_public = public_url.is_some_and(|url| url.origin() == origin.origin());
    let authority = match (origin.host_str(), origin.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Origin::Other,
    };
    let is_host = text(header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(&authority));
    if is_public || is_host {
        Origin::Own
    } else {
        Origin::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(pairs: &[(&'static str, &'static str)]) -> Origin {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        of(&headers, Some(&"https://films.example.org".parse().unwrap()))
    }

    #[test]
    fn only_our_own_page_is_our_own() {
        assert_eq!(judge(&[("sec-fetch-site", "same-origin")]), Origin::Own);
        assert_eq!(judge(&[("sec-fetch-site", "same-site")]), Origin::Other);
        assert_eq!(
            judge(&[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://films.example.org")
            ]),
            Origin::Other
        );
        assert_eq!(
            judge(&[("origin", "https://films.example.org"), ("host", "10.0.0.5")]),
            Origin::Own
        );
        assert_eq!(
            judge(&[("origin", "http://localhost:8080"), ("host", "localhost:8080")]),
            Origin::Own
        );
        assert_eq!(
            judge(&[("origin", "http://localhost:9999"), ("host", "localhost:8080")]),
            Origin::Other
        );
        assert_eq!(judge(&[("origin", "null"), ("host", "localhost:8080")]), Origin::Other);
        assert_eq!(judge(&[("host", "localhost:8080")]), Origin::Unsaid);
    }
}
