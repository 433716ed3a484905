//! Vectors of titles from an endpoint: a real server over HTTP, which also fails in every way that endpoints do.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, extract::State, http::HeaderMap, http::StatusCode, response::IntoResponse, response::Response, routing,
};
use contract::{
    TitleId,
    catalog::{Catalog as _, NewTitle, TitleKind},
    jobs::JobState,
    recommend::{GetSimilar, ListModels, ModelState, Recommend as _, StartTraining},
};
use platform::{Bus, blob::BlobStore, test_support::pairings};
use recommend::{Config, Deps, Embeddings, Room};
use serde_json::{Value, json};

use crate::house::{House, NEW, finish, viewer};

/// What the endpoint does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Broken,
    Uneven,
    Longer,
    Talkative,
    Slow,
}

struct Endpoint {
    mood: Mutex<Mood>,
    texts: AtomicUsize,
    address: String,
}

impl Endpoint {
    async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Arc::new(Self {
            mood: Mutex::new(Mood::Well),
            texts: AtomicUsize::new(0),
            address: format!("http://{}/v1/embeddings", listener.local_addr().unwrap()),
        });
        let router = axum::Router::new()
            .route("/v1/embeddings", routing::post(answer))
            .with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        endpoint
    }

    /// Texts asked for since the last call.
    fn texts(&self) -> usize {
        self.texts.swap(0, Ordering::SeqCst)
    }

    fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

async fn answer(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let mood = *endpoint.mood.lock().unwrap();
    if headers
        .get("authorization")
        .is_none_or(|key| key != "Bearer of good news")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let texts = body["input"].as_array().unwrap().clone();
    assert_eq!(body["model"], "small");
    endpoint.texts.fetch_add(texts.len(), Ordering::SeqCst);
    let one = |(index, text): (usize, &Value)| {
        let length = if mood == Mood::Longer { 12 } else { 8 };
        let cut = usize::from(mood == Mood::Uneven && index % 2 == 1);
        json!({"index": index, "embedding": &vector(text.as_str().unwrap(), length)[cut..]})
    };
    match mood {
        Mood::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Talkative => "I am a language model.".into_response(),
        Mood::Slow => std::future::pending().await,
        // Last things first: the index counts.
        _ => Json(json!({"data": texts.iter().enumerate().map(one).rev().collect::<Vec<_>>()})).into_response(),
    }
}

/// Near the films of the same genre; birds are near westerns, which nothing else says of them.
fn vector(text: &str, length: usize) -> Vec<f32> {
    let number: Option<usize> = text
        .strip_prefix("Film ")
        .and_then(|rest| rest.split(' ').next()?.parse().ok());
    let mut vector = vec![0.1; length];
    vector[number.map_or(3, |number| number % 4)] = 1.0;
    vector[4 + text.len() % 4] += 0.05;
    vector
}

/// A film of which nothing is known but its name.
async fn bird(house: &House, name: &str) -> TitleId {
    let title = NewTitle {
        kind: TitleKind::Film,
        name: name.into(),
        original_name: None,
        year: None,
        genres: Vec::new(),
        description: String::new(),
        maturity: Some(6),
        duration_ms: Some(6_000_000),
        credits: Vec::new(),
        place: None,
        external: Vec::new(),
        published: true,
    };
    house.catalog.create(title).await.unwrap().card.id
}

/// Another process of the same house, with these settings.
async fn open(house: &House, embeddings: Embeddings) -> Arc<Room> {
    let deps = Deps {
        location: house.database.location.clone(),
        blobs: BlobStore::open(house.folder.path()).unwrap(),
        inputs: house.inputs.clone(),
        bus: Bus::new(house.inputs.clock.clone()),
        catalog: house.catalog.clone(),
        activity: house.activity.clone(),
        config: Config {
            embeddings,
            tune_trials_max: 0,
            ..Config::default()
        },
    };
    let room = recommend::open(deps).await.unwrap();
    room.ready().await.unwrap();
    room
}

/// What was decided about the model of a new training.
async fn train(house: &House, room: &Arc<Room>) -> String {
    house.clock.advance(1_000);
    let job = room.train(StartTraining {}).await.unwrap();
    let ended = finish(room, job).await;
    assert_eq!(ended.state, JobState::Done, "{}: {ended:?}", house.name);
    let list = ListModels { before: None, limit: 1 };
    let model = room.models(list).await.unwrap().pop().unwrap();
    assert_eq!(model.state, ModelState::Active, "{}: {}", house.name, model.decision);
    model.decision
}

/// How many of the ten titles closest to `title` are westerns.
async fn westerns(house: &House, room: &Room, title: TitleId) -> usize {
    let ask = GetSimilar {
        title,
        viewer: viewer(NEW),
        limit: 10,
        exclude: Vec::new(),
    };
    let near = room.similar(ask).await.unwrap();
    let films = near
        .iter()
        .filter_map(|near| house.films.iter().position(|film| *film == near.title));
    films.filter(|film| film % 4 == 3).count()
}

#[tokio::test]
async fn titles_that_are_close_for_an_endpoint_become_similar() {
    let endpoint = Endpoint::start().await;
    for pairing in pairings().await.into_iter().filter(|pairing| !pairing.remote) {
        let house = House::open(pairing).await;
        endpoint.be(Mood::Well);
        let key_file = house.folder.path().join("key");
        std::fs::write(&key_file, "of good news\n").unwrap();
        let embeddings = Embeddings {
            url: endpoint.address.clone(),
            model: "small".into(),
            key_file,
            timeout_ms: 10_000,
        };
        let kestrel = bird(&house, "Kestrel").await;
        let without = open(&house, Embeddings::default()).await;
        train(&house, &without).await;
        assert!(westerns(&house, &without, kestrel).await < 6, "{}", house.name);
        assert_eq!(endpoint.texts(), 0);

        let room = open(&house, embeddings.clone()).await;
        let decision = train(&house, &room).await;
        assert!(!decision.contains("embedding"), "{}: {decision}", house.name);
        assert!(westerns(&house, &room, kestrel).await >= 8, "{}", house.name);
        assert_eq!(endpoint.texts(), house.films.len() + 1, "{}", house.name);

        // Whoever trains next, wherever, asks for what is new alone.
        bird(&house, "Merlin").await;
        let room = open(&house, embeddings.clone()).await;
        train(&house, &room).await;
        assert_eq!(endpoint.texts(), 1, "{}", house.name);

        // Vectors of another length: all of them are asked for again.
        bird(&house, "Hobby").await;
        endpoint.be(Mood::Longer);
        train(&house, &room).await;
        assert_eq!(endpoint.texts(), 1 + house.films.len() + 3, "{}", house.name);
        train(&house, &room).await;
        assert_eq!(endpoint.texts(), 0, "{}", house.name);
        assert!(westerns(&house, &room, kestrel).await >= 8, "{}", house.name);
        house.bus.shutdown().await;
    }
}

#[tokio::test]
async fn an_endpoint_that_fails_is_no_reason_not_to_train() {
    let endpoint = Endpoint::start().await;
    let pairing = pairings().await.into_iter().next().unwrap();
    let house = House::open(pairing).await;
    let key_file = house.folder.path().join("key");
    std::fs::write(&key_file, "of good news").unwrap();
    let good = Embeddings {
        url: endpoint.address.clone(),
        model: "small".into(),
        key_file,
        timeout_ms: 10_000,
    };
    for (mood, words) in [
        (Mood::Broken, "500"),
        (Mood::Uneven, "8 dimensions where 7"),
        (Mood::Talkative, "its answer is none"),
        (Mood::Slow, "timed out"),
    ] {
        endpoint.be(mood);
        let timeout_ms = if mood == Mood::Slow { 300 } else { good.timeout_ms };
        let embeddings = Embeddings {
            timeout_ms,
            ..good.clone()
        };
        let decision = train(&house, &open(&house, embeddings).await).await;
        assert!(
            decision.contains("the embedding endpoint failed"),
            "{mood:?}: {decision}"
        );
        assert!(decision.contains(words), "{mood:?}: {decision}");
        assert!(decision.contains("0 of 480 titles"), "{mood:?}: {decision}");
    }
    for (embeddings, words) in [
        (
            Embeddings {
                key_file: "/nowhere/key".into(),
                ..good.clone()
            },
            "/nowhere/key",
        ),
        (
            Embeddings {
                url: "https://films.example.org/".into(),
                ..good.clone()
            },
            "http://",
        ),
        (
            Embeddings {
                url: "http://127.0.0.1:1/".into(),
                ..good.clone()
            },
            "refused",
        ),
    ] {
        let decision = train(&house, &open(&house, embeddings).await).await;
        assert!(decision.contains(words), "{decision}");
    }
    house.bus.shutdown().await;
}
