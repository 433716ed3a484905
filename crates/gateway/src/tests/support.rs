//! A router whose doors answer what the test says, and requests as a client sends them.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{body::Body, extract::ConnectInfo, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{
    AccountId, Fault, ProfileId, SessionId,
    accounts::{
        Account, Claims, Me, Preferences, Profile, Role, TOKEN_AUDIENCE, TOKEN_ISSUER, Verification, VerifyingKey,
    },
    wire::{Remote, Transport},
};
use ed25519_dalek::SigningKey;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use platform::{Bus, Inputs, blob::BlobStore, clock::ManualClock, test_support::S3Server};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::{Config, Doors, pictures::Pictures, state::Gateway};

type Answer = Arc<dyn Fn(Value) -> Value + Send + Sync>;

/// The far end of every door: `service.method` to an answer. What nobody scripted is unavailable.
#[derive(Default)]
pub struct Script {
    answers: Mutex<HashMap<String, Answer>>,
    pub calls: Mutex<Vec<(String, Value)>>,
    /// Methods that answer only when the test lets them.
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
}

#[contract::async_trait]
impl Transport for Script {
    async fn call(&self, service: &'static str, method: &'static str, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let name = format!("{service}.{method}");
        let request: Value = serde_json::from_slice(&body).unwrap();
        self.calls.lock().unwrap().push((name.clone(), request.clone()));
        let gate = self.gates.lock().unwrap().get(&name).cloned();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        let answer = self.answers.lock().unwrap().get(&name).cloned();
        match answer {
            Some(answer) => Ok(serde_json::to_vec(&answer(request)).unwrap()),
            None => Err(Fault::Unavailable(format!("{name} at 10.1.2.3:5432"))),
        }
    }
}

pub struct World {
    pub edge: crate::Edge,
    pub gateway: Gateway,
    pub script: Arc<Script>,
    pub clock: Arc<ManualClock>,
    pub key: SigningKey,
    /// Where the blobs are, until the test ends.
    pub _folder: tempfile::TempDir,
}

pub const ACCOUNT: AccountId = AccountId(7000);
pub const SESSION: SessionId = SessionId(7100);
pub const PROFILE: ProfileId = ProfileId(7200);
pub const KIDS: ProfileId = ProfileId(7201);

impl World {
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(folder.path()).unwrap();
        Self::over(config, blobs, folder).await
    }

    /// With its media in a bucket.
    pub async fn on(server: &S3Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::configured(&server.config(), folder.path()).unwrap();
        let config = Config {
            media_bytes_max: 16 << 20,
            ..Config::default()
        };
        Self::over(config, blobs, folder).await
    }

    async fn over(config: Config, blobs: BlobStore, folder: tempfile::TempDir) -> Self {
        let script = Arc::new(Script::default());
        let remote = || Arc::new(Remote::new(script.clone()));
        let (inputs, clock) = Inputs::manual(1);
        let doors = Doors {
            accounts: remote(),
            catalog: remote(),
            activity: remote(),
            recommend: remote(),
            streaming: remote(),
            imports: remote(),
            jobs: vec![remote()],
            blobs,
            bus: Bus::new(inputs.clock.clone()),
            inputs,
            metrics: None,
            health: Vec::new(),
        };
        config.check().unwrap();
        let gateway = Gateway::new(doors, config, Pictures::with(&[7; 32]));
        let edge = crate::Edge::around(crate::routes::router(&gateway), &gateway);
        let key = SigningKey::from_bytes(&[7; 32]);
        let world = Self {
            edge,
            gateway,
            script,
            clock,
            key,
            _folder: folder,
        };
        let x = URL_SAFE_NO_PAD.encode(world.key.verifying_key().as_bytes());
        let verification = Verification {
            keys: vec![VerifyingKey { id: "k1".into(), x }],
            revoked: vec![SessionId(666)],
        };
        world.answers("accounts.verification", verification);
        world.answers("accounts.me", me());
        world
    }

    /// From now on the method answers this.
    pub fn answers(&self, method: &str, answer: impl serde::Serialize) {
        let answer = json!({ "Ok": answer });
        self.does(method, move |_| answer.clone());
    }

    pub fn refuses(&self, method: &str, error: impl serde::Serialize) {
        let answer = json!({ "Err": error });
        self.does(method, move |_| answer.clone());
    }

    /// From now on the method does this, and says `{"Ok": …}` or `{"Err": …}`.
    pub fn does(&self, method: &str, answer: impl Fn(Value) -> Value + Send + Sync + 'static) {
        self.script
            .answers
            .lock()
            .unwrap()
            .insert(method.into(), Arc::new(answer));
    }

    /// From now on each call of the method takes one of the permits that the test gives before it answers.
    pub fn gate(&self, method: &str) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.script.gates.lock().unwrap().insert(method.into(), gate.clone());
        gate
    }

    pub fn calls(&self, method: &str) -> Vec<Value> {
        let calls = self.script.calls.lock().unwrap();
        calls
            .iter()
            .filter(|(name, _)| name == method)
            .map(|(_, request)| request.clone())
            .collect()
    }

    pub fn claims(&self, role: Role) -> Claims {
        let now_s = ManualClock::START_MS / 1000;
        Claims {
            iss: TOKEN_ISSUER.into(),
            aud: TOKEN_AUDIENCE.into(),
            sub: ACCOUNT,
            sid: SESSION,
            role,
            iat: now_s - 60,
            exp: now_s + 600,
        }
    }

    pub fn token(&self, role: Role) -> String {
        self.sign(&self.claims(role), "at+jwt", "k1")
    }

    pub fn sign(&self, claims: &Claims, typ: &str, kid: &str) -> String {
        // PKCS#8 of an Ed25519 seed (RFC 8410).
        let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        der.extend_from_slice(self.key.as_bytes());
        let header = Header {
            typ: Some(typ.into()),
            kid: Some(kid.into()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&der)).unwrap()
    }

    pub fn as_role(&self, role: Role) -> Client<'_> {
        Client {
            world: self,
            headers: vec![("authorization".into(), format!("Bearer {}", self.token(role)))],
        }
    }

    pub fn viewer(&self) -> Client<'_> {
        self.as_role(Role::Viewer)
    }

    pub fn anonymous(&self) -> Client<'_> {
        Client {
            world: self,
            headers: Vec::new(),
        }
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Client<'a> {
    world: &'a World,
    headers: Vec<(String, String)>,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: bytes::Bytes,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// Status and code of a refusal, which must be a whole problem.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json",
            "{} {:?}",
            self.status,
            self.body
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(
            problem["correlation_id"],
            self.headers["x-request-id"].to_str().unwrap()
        );
        for part in ["type", "title", "detail"] {
            assert!(problem[part].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        (self.status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Client<'_> {
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, Body::empty()).await
    }

    pub async fn json(&self, method: Method, path: &str, body: Value) -> Reply {
        self.clone()
            .with("content-type", "application/json")
            .send(method, path, Body::from(body.to_string()))
            .await
    }

    /// The answer's body, of which nothing is taken yet.
    pub async fn begin(&self, path: &str) -> Body {
        self.respond(Method::GET, path, Body::empty()).await.into_body()
    }

    async fn respond(&self, method: Method, path: &str, body: Body) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost:8080");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(body).unwrap();
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4000))));
        self.world.edge.clone().oneshot(request).await.unwrap()
    }

    pub async fn send(&self, method: Method, path: &str, body: Body) -> Reply {
        let (parts, body) = self.respond(method, path, body).await.into_parts();
        // A stream of events never ends.
        let endless = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value == "text/event-stream");
        let body = if endless { Body::empty() } else { body };
        let body = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

pub fn me() -> Me {
    let account = Account {
        id: ACCOUNT,
        email: "ada@example.org".into(),
        name: "Ada".into(),
        role: Role::Viewer,
        created_at: 0,
    };
    Me {
        account,
        profiles: vec![profile(PROFILE, 18), profile(KIDS, 7)],
    }
}

pub fn profile(id: ProfileId, maturity_max: u8) -> Profile {
    Profile {
        id,
        account: ACCOUNT,
        name: "Ada".into(),
        avatar: "moon".into(),
        kids: maturity_max < 13,
        maturity_max,
        preferences: Preferences::default(),
        onboarded: true,
        created_at: 0,
    }
}

/// A card as the catalogue says it.
pub fn card(id: i64, name: &str, maturity: u8) -> Value {
    json!({
        "id": contract::TitleId(id), "kind": "film", "name": name, "year": 1995, "genres": ["Crime"], "maturity": maturity,
        "duration_ms": 6_000_000, "average_rating": 4.123, "ratings_count": 12, "playable": true, "published": true,
        "artwork_version": 3,
    })
}

/// `catalog.cards` and `catalog.title` know these.
pub fn stock(world: &World, cards: Vec<Value>) {
    let known = cards.clone();
    world.does("catalog.cards", move |request| {
        let asked = request["titles"].as_array().unwrap().clone();
        let found: Vec<&Value> = asked
            .iter()
            .filter_map(|id| known.iter().find(|card| card["id"] == *id))
            .collect();
        json!({ "Ok": found })
    });
    world.does("catalog.title", move |request| {
        match cards.iter().find(|card| card["id"] == request["title"]) {
            Some(card) => json!({ "Ok": {
                "card": card, "original_name": null, "description": "A thief and a detective.", "credits": [], "place": null,
                "video": null, "external": [], "created_at": 0, "updated_at": 0,
            }}),
            None => json!({ "Err": "title_not_found" }),
        }
    });
}
