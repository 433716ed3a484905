//! Ways through address translation for the voice call, as the operator names them: STUN and TURN servers. Their credentials go to
//! members who have joined the call, and nowhere else.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::{AccountId, Millis};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha1::Sha1;

const SERVERS_MAX: usize = 8;
const URLS_MAX: usize = 8;
/// As long as a long evening; who joins the call again gets new ones.
const CREDENTIAL_LIVES_S: i64 = 6 * 3600;

/// A part of the configuration that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "none" } else { "secret" })
    }
}

/// One server, or several with the same credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IceConfig {
    /// `stun:host:port`, `turn:host:port?transport=udp`, `turns:…` (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// For TURN with an account of its own.
    pub username: String,
    pub credential: Secret,
    /// For TURN that shares a secret with us (coturn's `static-auth-secret`): each member gets credentials that end with the evening.
    pub secret: Secret,
}

/// As a browser takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IceServer {
    pub urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Secret>,
}

/// Fails naming what is wrong, without any secret.
pub fn check(servers: &[IceConfig]) -> anyhow::Result<()> {
    let key = "gateway.together.ice_servers";
    anyhow::ensure!(
        servers.len() <= SERVERS_MAX,
        "{key} may have {SERVERS_MAX} entries at most"
    );
    for server in servers {
        let urls = &server.urls;
        let counted = (1..=URLS_MAX).contains(&urls.len());
        anyhow::ensure!(counted, "{key}: each entry has 1 to {URLS_MAX} urls");
        for url in urls {
            anyhow::ensure!(
                is_address(url),
                "{key}: {url:?} is no address such as stun:stun.example.org:3478"
            );
        }
        let relays = urls.iter().any(|url| url.starts_with("turn"));
        let own = !server.username.is_empty() && server.credential != Secret::default();
        let half = server.username.is_empty() != (server.credential == Secret::default());
        let shared = server.secret != Secret::default();
        anyhow::ensure!(!half, "{key}: username and credential come together");
        anyhow::ensure!(
            relays == (own || shared) && !(own && shared),
            "{key}: a TURN server needs either username and credential or secret, a STUN server neither"
        );
    }
    Ok(())
}

fn is_address(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else {
        return false;
    };
    let (authority, query) = rest
        .split_once('?')
        .map_or((rest, None), |(at, query)| (at, Some(query)));
    let transport = match query {
        None => true,
        Some("transport=udp" | "transport=tcp") => scheme.starts_with("turn"),
        Some(_) => false,
    };
    // A host and perhaps a port are what an address of the web has too.
    let host = url::Url::parse(&format!("http://{authority}/"));
    let plain = host.is_ok_and(|url| url.username().is_empty() && url.password().is_none() && url.path() == "/");
    matches!(scheme, "stun" | "stuns" | "turn" | "turns") && transport && plain && !authority.contains(['/', '@', '#'])
}

/// What a member may use from now on.
pub fn servers_for(servers: &[IceConfig], account: AccountId, now: Millis) -> Vec<IceServer> {
    let expires_s = now / 1000 + CREDENTIAL_LIVES_S;
    let of = |server: &IceConfig| {
        let (username, credential) = if server.secret != Secret::default() {
            let username = format!("{expires_s}:{}", contract::ids::encode(account.0));
            let credential = time_limited(&server.secret, &username);
            (Some(username), credential)
        } else {
            let own = !server.username.is_empty();
            (
                own.then(|| server.username.clone()),
                own.then(|| server.credential.clone()),
            )
        };
        IceServer {
            urls: server.urls.clone(),
            username,
            credential,
        }
    };
    servers.iter().map(of).collect()
}

/// The convention of TURN servers with a shared secret: base64 of HMAC-SHA1 over the name, which begins with its end in Unix seconds.
fn time_limited(secret: &Secret, username: &str) -> Option<Secret> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.0.as_bytes()).ok()?;
    mac.update(username.as_bytes());
    Some(Secret(STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> IceConfig {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_cannot_work_is_refused_at_the_start() {
        for good in [
            r#"{"urls":["stun:stun.example.org"]}"#,
            r#"{"urls":["stun:[2001:db8::1]:3478","stuns:stun.example.org:5349"]}"#,
            r#"{"urls":["turn:turn.example.org:3478?transport=udp"],"secret":"s"}"#,
            r#"{"urls":["turns:turn.example.org"],"username":"a","credential":"b"}"#,
        ] {
            check(&[entry(good)]).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
        for bad in [
            r#"{"urls":[]}"#,
            r#"{"urls":["https://stun.example.org"]}"#,
            r#"{"urls":["stun:"]}"#,
            r#"{"urls":["stun:a b"]}"#,
            r#"{"urls":["stun:me@host"]}"#,
            r#"{"urls":["stun:host?transport=udp"]}"#,
            r#"{"urls":["stun:host"],"secret":"s"}"#,
            r#"{"urls":["turn:host"]}"#,
            r#"{"urls":["turn:host"],"username":"a"}"#,
            r#"{"urls":["turn:host"],"username":"a","credential":"b","secret":"hush"}"#,
        ] {
            let error = check(&[entry(bad)]).expect_err(bad).to_string();
            assert!(error.contains("ice_servers") && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn credentials_are_those_that_the_server_will_work_out() {
        let servers = [
            entry(r#"{"urls":["turn:turn.example.org"],"secret":"north"}"#),
            entry(r#"{"urls":["stun:stun.example.org"]}"#),
        ];
        let told = servers_for(&servers, AccountId(35), 1_700_000_000_123);
        assert_eq!(told[0].username.as_deref(), Some("1700021600:13"));
        // printf 1700021600:13 | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(told[0].credential, Some(Secret("3Q/6wHChSKtvfHbtKxKOrvrfcr4=".into())));
        assert_eq!((&told[1].username, &told[1].credential), (&None, &None));
        assert!(!format!("{servers:?} {told:?}").contains("north"));
    }
}
