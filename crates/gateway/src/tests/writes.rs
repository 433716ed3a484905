//! What holds for every request: correlation, headers, deadlines, and writes that are repeated.

use std::sync::atomic::{AtomicU32, Ordering};

use http::Method;
use serde_json::json;

use super::support::{ACCOUNT, KIDS, World, card, me, stock};
use crate::pictures::Pictures;

#[tokio::test]
async fn a_repeated_write_is_done_once() {
    let world = World::new().await;
    stock(&world, vec![card(1, "Babe", 0)]);
    world.answers(
        "activity.rate",
        json!({ "title": "1", "histogram": [0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "likes": 0, "dislikes": 0, "version": 1 }),
    );
    let client = world.viewer().with("idempotency-key", "k-1");
    let path = "/api/v1/titles/1/rating";
    let first = client.json(Method::PUT, path, json!({ "stars": 5 })).await;
    let again = client.json(Method::PUT, path, json!({ "stars": 5 })).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(world.calls("activity.rate").len(), 1);
    let other = client.json(Method::PUT, path, json!({ "stars": 4 })).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused".into()));
    // The same key of another profile, or elsewhere, is another key.
    let kid = world
        .viewer()
        .with("x-profile", KIDS.to_string())
        .with("idempotency-key", "k-1");
    assert_eq!(kid.json(Method::PUT, path, json!({ "stars": 5 })).await.status, 200);
    assert_eq!(world.calls("activity.rate").len(), 2);
    let elsewhere = client
        .json(Method::PUT, "/api/v1/titles/9/rating", json!({ "stars": 5 }))
        .await;
    assert_eq!(elsewhere.problem(), (404, "title_not_found".into()));
    let elsewhere = client
        .json(Method::PUT, "/api/v1/titles/9/rating", json!({ "stars": 5 }))
        .await;
    assert_eq!(elsewhere.problem(), (404, "title_not_found".into()));
    for wrong in ["", &"k".repeat(201)] {
        let reply = world
            .viewer()
            .with("idempotency-key", wrong)
            .json(Method::PUT, path, json!({ "stars": 5 }))
            .await;
        assert_eq!(reply.problem(), (400, "idempotency_key_invalid".into()));
    }
}

#[tokio::test]
async fn a_write_that_failed_may_be_tried_again() {
    let world = World::new().await;
    let tries = AtomicU32::new(0);
    world.does("activity.remove_from_list", move |_| {
        match tries.fetch_add(1, Ordering::Relaxed) {
            0 => json!({ "Err": { "fault": { "unavailable": "x" } } }),
            _ => json!({ "Ok": {} }),
        }
    });
    let client = world.viewer().with("idempotency-key", "k-2");
    let path = "/api/v1/my-list/1";
    assert_eq!(
        client
            .send(Method::DELETE, path, axum::body::Body::empty())
            .await
            .problem()
            .0,
        503
    );
    assert_eq!(
        client
            .send(Method::DELETE, path, axum::body::Body::empty())
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn every_answer_carries_its_id_and_its_guard() {
    let world = World::new().await;
    for path in ["/livez", "/api/v1/nothing", "/", "/api/v1/me"] {
        let reply = world.anonymous().get(path).await;
        assert!(reply.header("x-request-id").len() >= 8, "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(
            reply
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert!(reply.header("permissions-policy").contains("camera=()"));
        assert_eq!(reply.header("referrer-policy"), "same-origin");
    }
    let given = world
        .anonymous()
        .with("x-request-id", "trace-1234.a_b")
        .get("/livez")
        .await;
    assert_eq!(given.header("x-request-id"), "trace-1234.a_b");
    for insane in ["short", "has space in it", "<script>alert(1)</script>", &"x".repeat(65)] {
        let reply = world.anonymous().with("x-request-id", insane).get("/livez").await;
        assert_ne!(reply.header("x-request-id"), insane);
    }
    let https = World::with(crate::Config {
        public_url: "https://films.example.org".into(),
        ..Default::default()
    })
    .await;
    assert!(
        https
            .anonymous()
            .get("/livez")
            .await
            .header("strict-transport-security")
            .contains("max-age")
    );
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let world = World::new().await;
    let reply = world
        .anonymous()
        .with("accept-encoding", "gzip, br")
        .get("/api/v1/openapi.json")
        .await;
    assert_eq!(reply.header("content-encoding"), "br");
    let plain = world.anonymous().get("/api/v1/openapi.json").await;
    assert_eq!(plain.header("content-encoding"), "");
    assert!(reply.body.len() * 3 < plain.body.len());
    assert_eq!(plain.json()["info"]["title"], "Kinora");
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    use futures::FutureExt as _;
    let world = World::new().await;
    assert_eq!(
        world.anonymous().get("/readyz").await.json(),
        json!({ "ready": true, "failing": [] })
    );
    let mut doors = world.gateway.doors.clone();
    let check = |name, answer: Result<(), String>| crate::HealthCheck {
        name,
        check: std::sync::Arc::new(move || std::future::ready(answer.clone()).boxed()),
    };
    doors.health = vec![
        check("catalog", Ok(())),
        check("activity", Err("connection refused by 10.1.2.3".into())),
    ];
    let gateway = crate::state::Gateway::new(doors, crate::Config::default(), Pictures::with(&[7; 32]));
    let edge = crate::Edge::around(crate::routes::router(&gateway), &gateway);
    let broken = World { edge, ..world };
    let reply = broken.anonymous().get("/readyz").await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.json(), json!({ "ready": false, "failing": ["activity"] }));
    assert_eq!(broken.anonymous().get("/livez").await.status, 200);
}

#[tokio::test]
async fn onboarding_likes_titles_and_remembers_genres() {
    let world = World::new().await;
    stock(&world, vec![card(1, "Heat", 16)]);
    world.answers(
        "activity.rate",
        json!({ "title": "1", "histogram": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "likes": 1, "dislikes": 0, "version": 1 }),
    );
    world.answers(
        "accounts.update_profile",
        super::support::profile(super::support::PROFILE, 18),
    );
    let body = json!({ "genres": ["Drama"], "title_ids": ["1"] });
    assert_eq!(
        world
            .viewer()
            .json(Method::POST, "/api/v1/onboarding", body)
            .await
            .status,
        204
    );
    assert_eq!(world.calls("activity.rate")[0]["opinion"], "like");
    let update = &world.calls("accounts.update_profile")[0];
    assert_eq!(
        (&update["preferences"]["genres"], &update["onboarded"]),
        (&json!(["Drama"]), &json!(true))
    );
}

#[tokio::test]
async fn a_refused_choice_of_genres_likes_nothing() {
    let world = World::new().await;
    stock(&world, vec![card(1, "Heat", 16)]);
    world.refuses("accounts.update_profile", json!({ "profile_invalid": "as asked" }));
    let onboard = async |genres: Vec<String>| {
        let body = json!({ "genres": genres, "title_ids": ["1"] });
        world
            .viewer()
            .json(Method::POST, "/api/v1/onboarding", body)
            .await
            .problem()
    };
    assert_eq!(onboard(vec!["Drama".into()]).await, (400, "profile_invalid".into()));
    // What the rules of profiles refuse is refused before anything is asked.
    let asked = world.calls("accounts.update_profile").len();
    assert_eq!(onboard(vec!["x".repeat(61)]).await.0, 422);
    assert_eq!(onboard(vec!["Drama".into(); 41]).await.0, 422);
    assert_eq!(world.calls("accounts.update_profile").len(), asked);
    assert!(world.calls("activity.rate").is_empty());
}

#[tokio::test]
async fn a_very_long_series_is_marked_whole() {
    let world = World::new().await;
    let mut series = card(1, "Tatort", 0);
    series["kind"] = json!("series");
    stock(&world, vec![series]);
    let episodes: Vec<_> = (2..=2501)
        .map(|id| json!({ "number": id, "card": card(id, "Folge", 0), "description": "" }))
        .collect();
    world.answers("catalog.seasons", json!([{ "number": 1, "episodes": episodes }]));
    world.answers("activity.mark_watched", json!({}));
    let body = json!({ "watched": true });
    let reply = world.viewer().json(Method::PUT, "/api/v1/titles/1/watched", body).await;
    assert_eq!(reply.status, 204, "{:?}", reply.body);
    let calls = world.calls("activity.mark_watched");
    let marked: Vec<usize> = calls
        .iter()
        .map(|call| call["titles"].as_array().unwrap().len())
        .collect();
    assert_eq!(marked, [1000, 1000, 501]);
}

#[tokio::test]
async fn an_account_opens_only_so_many_event_streams_and_a_curator_hears_of_jobs() {
    use futures::StreamExt as _;
    use tower::ServiceExt as _;
    let world = World::with(crate::Config {
        event_streams_max: 1,
        ..Default::default()
    })
    .await;
    let job = json!({
        "id": "5", "kind": "transcode", "state": "running", "progress": 0.5, "stage": "encoding 720p", "error": null,
        "subject": "Heat", "title_id": "1", "attempts": 1, "created_at": 0, "started_at": 1, "finished_at": null,
    });
    world.answers("jobs.list", json!([job]));
    let token = world.token(contract::accounts::Role::Curator);
    let ask = || {
        let request = http::Request::get("/api/v1/events").header("authorization", format!("Bearer {token}"));
        world
            .edge
            .clone()
            .oneshot(request.body(axum::body::Body::empty()).unwrap())
    };
    let open = ask().await.unwrap();
    assert_eq!(open.headers()["content-type"], "text/event-stream");
    assert_eq!(ask().await.unwrap().status(), 429);
    let mut body = open.into_body().into_data_stream();
    let first = String::from_utf8(body.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(
        first.starts_with("event: job\ndata: {") && first.contains("\"progress\":0.5"),
        "{first}"
    );
    drop(body);
    assert_eq!(ask().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_deleted_profile_does_not_come_back_through_the_player() {
    let world = World::new().await;
    stock(&world, vec![card(1, "Babe", 0)]);
    let nothing = json!({ "title": "1", "opinion": null, "rated_at": null, "progress": null, "listed_at": null });
    world.answers("activity.state", nothing);
    world.answers("activity.report_progress", json!({}));
    let playback = json!({
        "id": "5", "account": ACCOUNT, "profile": KIDS, "title": "1", "asset": "6", "duration_ms": 60_000,
        "credits_ms": null, "hls_path": "/media/x", "dash_path": null, "storyboard_path": null, "expires_at": 0,
    });
    world.answers("streaming.start_playback", playback);
    let kid = world.viewer().with("x-profile", KIDS.to_string());
    let begun = kid
        .json(Method::POST, "/api/v1/playback", json!({ "title_id": "1" }))
        .await;
    assert_eq!(begun.status, 200, "{:?}", begun.body);
    let report = async || {
        let body = json!({ "position_s": 10.0, "state": "playing" });
        let client = world.viewer();
        client.json(Method::POST, "/api/v1/playback/5/progress", body).await
    };
    assert_eq!(report().await.status, 204);
    for method in ["accounts.delete_profile", "activity.erase", "recommend.erase"] {
        world.answers(method, json!({}));
    }
    let mut me = me();
    me.profiles.retain(|profile| profile.id != KIDS);
    world.answers("accounts.me", me);
    let path = format!("/api/v1/profiles/{KIDS}");
    let deleted = world
        .viewer()
        .send(Method::DELETE, &path, axum::body::Body::empty())
        .await;
    assert_eq!(deleted.status, 204, "{:?}", deleted.body);
    assert_eq!(report().await.problem(), (404, "profile_not_found".into()));
    assert_eq!(world.calls("activity.report_progress").len(), 1);
}

/// Log lines as they were written.
#[derive(Clone, Default)]
struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_is_logged_on_the_way_carries_the_requests_id() {
    let world = World::new().await;
    world.does("activity.remove_from_list", |_| {
        tracing::warn!("something is odd");
        json!({ "Ok": {} })
    });
    let lines = Lines::default();
    let writer = lines.clone();
    let logs = platform::telemetry::logs(Default::default(), None, move || writer.clone(), false).unwrap();
    let logging = tracing::subscriber::set_default(logs);
    // Also where the work goes on in a task of its own.
    for key in ["", "idempotency-key"] {
        let client = world.viewer().with("x-request-id", "r-7f3a-9c");
        let client = if key.is_empty() {
            client
        } else {
            client.with(key, "k-1")
        };
        let reply = client
            .send(Method::DELETE, "/api/v1/my-list/1", axum::body::Body::empty())
            .await;
        assert_eq!(reply.status, 204);
    }
    drop(logging);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let odd: Vec<bool> = text
        .lines()
        .filter(|line| line.contains("odd"))
        .map(|line| line.contains("r-7f3a-9c"))
        .collect();
    assert_eq!(odd, [true, true], "{text}");
}
