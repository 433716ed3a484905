//! What players say of how it went, and what the operator sees of it.

use http::Method;
use platform::telemetry::Metrics;
use serde_json::{Value, json};

use super::support::{ACCOUNT, KIDS, Reply, World};

const REPORT: &str = "/api/v1/playback/5/quality";

async fn world() -> World {
    let world = World::new().await;
    world.answers(
        "streaming.playback",
        json!({
            "id": "5", "account": ACCOUNT, "profile": KIDS, "title": "1", "asset": "6", "duration_ms": 60_000,
            "credits_ms": null, "hls_path": "/media/x", "dash_path": null, "storyboard_path": null, "expires_at": 0,
        }),
    );
    world
}

fn good() -> Value {
    json!({
        "startup_s": 0.3, "stalls_s": [0.4, 7.0], "switches": 3, "watched_s": 59.6, "ended": false,
        "errors": [{ "kind": "network", "count": 2 }, { "kind": "media", "count": 1 }],
    })
}

async fn report(world: &World, body: Value) -> Reply {
    world.viewer().json(Method::POST, REPORT, body).await
}

#[tokio::test]
async fn what_a_player_reports_is_in_the_metrics() {
    let metrics = Metrics::install().unwrap();
    let world = world().await;
    assert_eq!(report(&world, good()).await.status, 204);
    let last = json!({ "stalls_s": [], "switches": 0, "errors": [], "watched_s": 0.0, "ended": true });
    assert_eq!(report(&world, last).await.status, 204);
    let text = metrics.render();
    for line in [
        "playback_startup_seconds_bucket{le=\"0.2\"} 0",
        "playback_startup_seconds_bucket{le=\"0.5\"} 1",
        "playback_startup_seconds_count 1",
        "playback_stall_seconds_bucket{le=\"0.5\"} 1",
        "playback_stall_seconds_sum 7.4",
        "playback_switches_total 3",
        "playback_errors_total{kind=\"network\"} 2",
        "playback_errors_total{kind=\"media\"} 1",
        "playback_watched_seconds_total 60",
        "playback_ended_total 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_report_of_anything_else_is_refused_and_counts_nothing() {
    let metrics = Metrics::install().unwrap();
    let world = world().await;
    let with = |field: &str, value: Value| {
        let mut body = good();
        body[field] = value;
        body
    };
    let error = |count: u32| json!({ "kind": "network", "count": count });
    for (what, body) in [
        ("a field that nobody knows", with("viewer", json!("ann"))),
        (
            "a kind that nobody knows",
            with("errors", json!([{ "kind": "x", "count": 1 }])),
        ),
        ("an error that did not happen", with("errors", json!([error(0)]))),
        ("too many of an error", with("errors", json!([error(1001)]))),
        ("too many errors", with("errors", json!(vec![error(1); 6]))),
        ("too many stalls", with("stalls_s", json!(vec![1.0; 101]))),
        ("a stall before it began", with("stalls_s", json!([-0.1]))),
        ("a stall of a day", with("stalls_s", json!([86_400.0]))),
        ("a first picture before Play", with("startup_s", json!(-1.0))),
        ("too many switches", with("switches", json!(10_001))),
        ("more than was asked for", with("watched_s", json!(3_601.0))),
        ("no number", with("watched_s", Value::Null)),
    ] {
        let reply = report(&world, body).await;
        assert!([400, 422].contains(&reply.status.as_u16()), "{what}: {}", reply.status);
    }
    assert!(!metrics.render().contains("playback_"), "{}", metrics.render());
}

#[tokio::test]
async fn only_who_plays_it_reports_on_it() {
    let world = world().await;
    world.refuses("streaming.playback", "playback_not_found");
    assert_eq!(
        report(&world, good()).await.problem(),
        (404, "playback_not_found".into())
    );
    let nobody = world.anonymous().json(Method::POST, REPORT, good()).await;
    assert_eq!(nobody.problem().0, 401);
}
