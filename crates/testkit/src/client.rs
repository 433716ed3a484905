//! Owns talking to a Kinora over HTTP as one person: token, profile, JSON in and out, answers that explain themselves when a test
//! expected another.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A password that passes the rules.
pub const PASSWORD: &str = "a quiet evening at the pictures";

/// One person, or nobody yet.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    pub token: Option<String>,
    pub refresh_token: Option<String>,
    pub profile: Option<String>,
}

impl Client {
    /// Nobody: no token.
    pub fn anonymous(url: &str) -> Self {
        let http = platform::outbound::client()
            // A test that waits for a command does not see meanwhile that the server has let go of an idle connection.
            .pool_idle_timeout(Duration::from_secs(10))
            .build()
            .expect("an HTTP client needs nothing from the system");
        Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
            token: None,
            refresh_token: None,
            profile: None,
        }
    }

    /// A new person.
    pub async fn register(url: &str, email: &str) -> Self {
        let mut client = Self::anonymous(url);
        let body = json!({ "email": email, "password": PASSWORD, "name": name_of(email) });
        let answer = client.post("/auth/register", &body).await;
        client.remember(&answer.expect(201));
        client
    }

    /// Somebody who has an account.
    pub async fn log_in(url: &str, email: &str, password: &str) -> Self {
        let mut client = Self::anonymous(url);
        let answer = client
            .post("/auth/login", &json!({ "email": email, "password": password }))
            .await;
        client.remember(&answer.expect(200));
        client
    }

    /// The same person at another address: after a restart.
    pub fn at(&self, url: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            ..self.clone()
        }
    }

    /// The same person, acting as another of their profiles.
    pub fn as_profile(&self, profile: &str) -> Self {
        Self {
            profile: Some(profile.to_owned()),
            ..self.clone()
        }
    }

    fn remember(&mut self, session: &Value) {
        self.token = session["access_token"].as_str().map(str::to_owned);
        self.refresh_token = session["refresh_token"].as_str().map(str::to_owned);
        assert!(self.token.is_some(), "a session without an access token: {session}");
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Five stars and the like.
    pub async fn rate(&self, title: &str, stars: f64) -> Answer {
        self.put(&format!("/titles/{title}/rating"), &json!({ "stars": stars }))
            .await
    }

    /// Any method on any path; a path outside `/api` starts with two slashes: `//livez`, `//media/…`.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request, path).await
    }

    /// A request to finish by hand: headers, a body that is no JSON.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, self.full(path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(profile) = &self.profile {
            request = request.header("x-profile", profile);
        }
        request
    }

    fn full(&self, path: &str) -> String {
        match path.strip_prefix("//") {
            Some(outside) => format!("{}/{outside}", self.url),
            None if path.starts_with("http") => path.to_owned(),
            None => format!("{}/api/v1{path}", self.url),
        }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    request: String,
}

impl Answer {
    /// Sends a request and reads the whole answer.
    pub async fn of(request: reqwest::RequestBuilder, shown: &str) -> Self {
        Self::try_of(request, shown)
            .await
            .unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    /// As [`Answer::of`], where no answer is a possible outcome: the server is being killed.
    pub async fn try_of(request: reqwest::RequestBuilder, shown: &str) -> reqwest::Result<Self> {
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await?.to_vec();
        Ok(Self {
            status,
            headers,
            body,
            request: shown.to_owned(),
        })
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}: {}", self.request, self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(
            self.status.is_success(),
            "{}: {} {}",
            self.request,
            self.status,
            self.text()
        );
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The stable code of a problem with this status.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        let problem = self.expect(status);
        let kind = self
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        assert!(
            kind.starts_with("application/problem+json"),
            "{}: content type {kind}",
            self.request
        );
        problem["code"]
            .as_str()
            .unwrap_or_else(|| panic!("{}: a problem without a code: {problem}", self.request))
            .to_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.request, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn name_of(email: &str) -> &str {
    email.split('@').next().unwrap_or(email)
}
