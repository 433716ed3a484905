//! Requests whose clients do not wait for the answer.

use http::{Method, StatusCode};
use serde_json::json;

use super::support::{Client, Reply, World, card, stock};

const PATH: &str = "/api/v1/titles/1/rating";

async fn world(config: crate::Config) -> World {
    let world = World::with(config).await;
    stock(&world, vec![card(1, "Babe", 0)]);
    world.answers(
        "activity.rate",
        json!({ "title": "1", "histogram": [0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "likes": 0, "dislikes": 0, "version": 1 }),
    );
    world
}

async fn rate(client: &Client<'_>) -> Reply {
    client.json(Method::PUT, PATH, json!({ "stars": 5 })).await
}

/// Asks, and goes once the write is under way.
async fn ask_and_go(world: &World, client: &Client<'_>) {
    let mut asking = Box::pin(rate(client));
    while world.calls("activity.rate").is_empty() {
        assert!(futures::poll!(&mut asking).is_pending());
        tokio::task::yield_now().await;
    }
}

/// The answer of the request that was under way.
async fn once_done(client: &Client<'_>) -> Reply {
    loop {
        let reply = rate(client).await;
        if reply.status != StatusCode::CONFLICT {
            return reply;
        }
        tokio::task::yield_now().await;
    }
}

/// Who does not wait for the end of a write.
#[derive(Debug, Clone, Copy)]
enum GivenUpBy {
    Client,
    Deadline,
}

impl GivenUpBy {
    fn config(self) -> crate::Config {
        match self {
            Self::Client => crate::Config::default(),
            Self::Deadline => impatient(),
        }
    }

    /// Asks, and leaves the write under way.
    async fn give_up(self, world: &World, client: &Client<'_>) {
        match self {
            Self::Client => ask_and_go(world, client).await,
            Self::Deadline => assert_eq!(rate(client).await.problem(), (504, "deadline_exceeded".into())),
        }
    }
}

fn impatient() -> crate::Config {
    crate::Config {
        timeout_s: 1,
        ..crate::Config::default()
    }
}

#[tokio::test]
async fn a_write_that_was_given_up_is_done_once() {
    for by in [GivenUpBy::Client, GivenUpBy::Deadline] {
        let world = world(by.config()).await;
        let gate = world.gate("activity.rate");
        let client = world.viewer().with("idempotency-key", "k-1");
        by.give_up(&world, &client).await;
        let reply = rate(&client).await;
        assert_eq!(reply.problem(), (409, "idempotency_in_progress".into()), "{by:?}");
        assert_eq!(reply.header("retry-after"), "1", "{by:?}");
        gate.add_permits(9);
        let reply = once_done(&client).await;
        assert_eq!(
            (reply.status, reply.header("idempotency-replayed")),
            (StatusCode::OK, "true"),
            "{by:?}"
        );
        assert_eq!(world.calls("activity.rate").len(), 1, "{by:?}");
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let world = world(impatient()).await;
    let endless = axum::body::Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let client = world.viewer().with("idempotency-key", "k-1");
    let reply = client.send(Method::PUT, PATH, endless).await;
    assert_eq!(reply.problem(), (504, "deadline_exceeded".into()));
    assert_eq!(rate(&client).await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_given_up_is_counted() {
    let metrics = platform::telemetry::Metrics::install().unwrap();
    let world = world(crate::Config::default()).await;
    let _gate = world.gate("activity.rate");
    ask_and_go(&world, &world.viewer()).await;
    let text = metrics.render();
    let counted = r#"http_requests_total{method="PUT",route="/api/v1/titles/{id}/rating",status="499"} 1"#;
    assert!(text.contains(counted), "{text}");
    assert!(text.contains("http_requests_in_flight 0"), "{text}");
}
