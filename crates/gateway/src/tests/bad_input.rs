//! What is wrong is refused, with the name of what is wrong, and nothing inside comes out.

use axum::body::Body;
use contract::accounts::Role;
use http::Method;
use serde_json::json;

use super::support::{KIDS, World, card, stock};
use crate::extract::ERRORS_MAX;

async fn world() -> World {
    let world = World::new().await;
    stock(&world, vec![card(1, "Heat", 16), card(2, "Babe", 0)]);
    world.answers(
        "activity.rate",
        json!({ "title": "1", "histogram": [0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "likes": 0, "dislikes": 0, "version": 1 }),
    );
    world
}

#[tokio::test]
async fn ratings_that_are_none() {
    let world = world().await;
    let viewer = world.viewer();
    for (body, field) in [
        (json!({ "stars": 0 }), "stars"),
        (json!({ "stars": 6 }), "stars"),
        (json!({ "stars": 5.5 }), "stars"),
        (json!({ "stars": 4.25 }), "stars"),
        (json!({ "stars": -1 }), "stars"),
        (json!({ "stars": "five" }), "stars"),
        (json!({ "like": "yes" }), "like"),
        (json!({ "stars": 5, "like": true }), "like"),
        (json!({}), "like"),
        (json!({ "stars": 5, "staars": 5 }), "staars"),
    ] {
        let reply = viewer.json(Method::PUT, "/api/v1/titles/1/rating", body.clone()).await;
        assert_eq!(reply.problem(), (422, "request_invalid".into()), "{body}");
        let problem = reply.json();
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(field), "{problem}");
    }
    assert!(world.calls("activity.rate").is_empty());
    let unknown = viewer
        .json(Method::PUT, "/api/v1/titles/9/rating", json!({ "stars": 5 }))
        .await;
    assert_eq!(unknown.problem(), (404, "title_not_found".into()));
    for no_id in ["O", "-1", "%00", "zzzzzzzzzzzzzzzzzzzz"] {
        let reply = viewer
            .json(
                Method::PUT,
                &format!("/api/v1/titles/{no_id}/rating"),
                json!({ "stars": 5 }),
            )
            .await;
        assert_eq!(reply.problem(), (404, "not_found".into()), "{no_id}");
    }
    let good = viewer
        .json(Method::PUT, "/api/v1/titles/1/rating", json!({ "stars": 4.5 }))
        .await;
    assert_eq!(good.status, 200);
    assert_eq!(good.json()["my_rating"], json!({ "stars": 4.5 }));
    assert_eq!(world.calls("activity.rate")[0]["opinion"], json!({ "stars": 9 }));
}

#[tokio::test]
async fn bodies_that_are_none() {
    let world = world().await;
    let viewer = world.viewer().with("content-type", "application/json");
    let path = "/api/v1/titles/1/rating";
    for (body, status, code) in [
        ("{", 400, "json_malformed"),
        ("", 400, "json_malformed"),
        ("{\"stars\": 5} and more", 400, "json_malformed"),
        ("\u{0}", 400, "json_malformed"),
        ("[]", 422, "request_invalid"),
        ("[5, null]", 422, "request_invalid"),
        ("null", 422, "request_invalid"),
        ("{\"stars\": 1e400}", 400, "json_malformed"),
    ] {
        let reply = viewer.send(Method::PUT, path, Body::from(body)).await;
        assert_eq!(reply.problem(), (status, code.into()), "{body:?}");
    }
    for deep in ["[".repeat(100_000), "{\"stars\":".repeat(50_000)] {
        assert_eq!(viewer.send(Method::PUT, path, Body::from(deep)).await.problem().0, 422);
    }
    let huge = format!("{{\"stars\": {}5}}", " ".repeat(10_000_000));
    assert_eq!(
        viewer.send(Method::PUT, path, Body::from(huge.clone())).await.problem(),
        (413, "body_too_large".into())
    );
    // The same without saying so beforehand.
    let pieces = huge
        .into_bytes()
        .chunks(64 << 10)
        .map(<[u8]>::to_vec)
        .collect::<Vec<_>>();
    let stream = futures::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
    let reply = viewer.send(Method::PUT, path, Body::from_stream(stream)).await;
    assert_eq!(reply.problem(), (413, "body_too_large".into()));
    let form = world.viewer().with("content-type", "application/x-www-form-urlencoded");
    assert_eq!(
        form.send(Method::PUT, path, Body::from("stars=5")).await.problem().0,
        415
    );
}

#[tokio::test]
async fn lists_in_the_place_of_objects() {
    let world = world().await;
    let curator = world.as_role(Role::Curator);
    let (profiles, profile) = ("/api/v1/profiles", format!("/api/v1/profiles/{KIDS}"));
    let (titles, title) = ("/api/v1/admin/titles", "/api/v1/admin/titles/1");
    let name = "Heat";
    for (method, path, body, field) in [
        (
            Method::POST,
            profiles,
            json!({ "name": name, "preferences": [["Drama"], [], []] }),
            "preferences",
        ),
        (
            Method::PATCH,
            &profile,
            json!({ "preferences": [["Drama"], [], []] }),
            "preferences",
        ),
        (
            Method::POST,
            titles,
            json!({ "name": name, "people": [["Al Pacino", "actor"]] }),
            "people[0]",
        ),
        (
            Method::POST,
            titles,
            json!({ "name": name, "place": ["1", 1, 2] }),
            "place",
        ),
        (
            Method::POST,
            titles,
            json!({ "name": name, "external": [["imdb", "1"]] }),
            "external[0]",
        ),
        (
            Method::PATCH,
            title,
            json!({ "people": [["Al Pacino", "actor"]] }),
            "people[0]",
        ),
        (Method::PUT, "/api/v1/titles/1/rating", json!([5, null]), ""),
    ] {
        let reply = curator.json(method, path, body.clone()).await;
        assert_eq!(reply.problem(), (422, "request_invalid".into()), "{path} {body}");
        assert_eq!(reply.json()["errors"][0]["field"], field, "{path} {body}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said_a_hundred_times_at_most() {
    let world = world().await;
    let curator = world.as_role(Role::Curator);
    let path = "/api/v1/admin/titles/1/video";
    let body = json!({ "chapters": vec![json!({ "start_s": -1 }); 10_000] });
    let reply = curator.json(Method::PATCH, path, body).await;
    assert_eq!(reply.problem(), (422, "request_invalid".into()));
    let errors = reply.json()["errors"].clone();
    assert_eq!(errors[0]["field"], "chapters", "that there are too many comes first");
    assert_eq!(errors[1]["field"], "chapters[0].start_s");
    assert_eq!(errors.as_array().map(Vec::len), Some(ERRORS_MAX));
}

#[tokio::test]
async fn queries_and_cursors_that_are_none() {
    let world = world().await;
    world.answers("catalog.browse", json!({ "items": [card(2, "Babe", 0)], "next": "k" }));
    world.answers("activity.states", json!([]));
    let viewer = world.viewer();
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "sort=best",
        "colour=red",
        "year_min=70000",
        "limit=5&limit=6",
    ] {
        let reply = viewer.get(&format!("/api/v1/titles?{query}")).await;
        assert_eq!(reply.problem(), (400, "query_invalid".into()), "{query}");
    }
    let page = viewer.get("/api/v1/titles?genre=Drama&limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = viewer
        .get(&format!("/api/v1/titles?genre=Drama&limit=2&cursor={cursor}"))
        .await;
    assert_eq!(next.status, 200);
    assert_eq!(world.calls("catalog.browse")[1]["after"], "k");
    for other in [
        format!("/api/v1/titles?genre=Crime&cursor={cursor}"),
        format!("/api/v1/titles?genre=Drama&sort=year&cursor={cursor}"),
        format!("/api/v1/history?cursor={cursor}"),
        "/api/v1/titles?genre=Drama&cursor=nonsense".into(),
    ] {
        assert_eq!(
            viewer.get(&other).await.problem(),
            (400, "cursor_invalid".into()),
            "{other}"
        );
    }
}

#[tokio::test]
async fn a_kids_profile_finds_no_adult_title() {
    let world = world().await;
    let kid = world.viewer().with("x-profile", KIDS.to_string());
    let path = "/api/v1/titles/1";
    for (method, path, body) in [
        (Method::GET, path.to_owned(), json!(null)),
        (Method::GET, format!("{path}/similar"), json!(null)),
        (Method::PUT, format!("{path}/rating"), json!({ "like": true })),
        (Method::DELETE, format!("{path}/rating"), json!(null)),
        (Method::PUT, format!("{path}/watched"), json!({ "watched": true })),
        (Method::PUT, "/api/v1/my-list/1".into(), json!(null)),
        (Method::POST, "/api/v1/playback".into(), json!({ "title_id": "1" })),
        (
            Method::POST,
            "/api/v1/onboarding".into(),
            json!({ "title_ids": ["2", "1"] }),
        ),
    ] {
        let reply = kid.json(method.clone(), &path, body).await;
        assert_eq!(reply.problem(), (404, "title_not_found".into()), "{method} {path}");
    }
    assert!(world.calls("activity.rate").is_empty());
    assert!(world.calls("streaming.start_playback").is_empty());
    let allowed = kid
        .json(Method::PUT, "/api/v1/titles/2/rating", json!({ "like": true }))
        .await;
    assert_eq!(allowed.status, 200);
}

#[tokio::test]
async fn what_is_inside_stays_inside() {
    let world = World::new().await;
    // Nobody scripted the catalogue: its fault names a machine.
    let reply = world.viewer().get("/api/v1/titles").await;
    assert_eq!(reply.problem(), (503, "unavailable".into()));
    assert!(!String::from_utf8_lossy(&reply.body).contains("10.1.2.3"));
    world.refuses(
        "catalog.browse",
        json!({ "fault": { "internal": "SELECT secret FROM shelf" } }),
    );
    let reply = world.viewer().get("/api/v1/titles").await;
    assert_eq!(reply.problem(), (500, "internal".into()));
    assert!(!String::from_utf8_lossy(&reply.body).contains("secret"));
    for (door, path) in [
        ("catalog.browse", "/api/v1/titles"),
        ("streaming.media", "/media/signed/v0/1.m4s"),
        ("streaming.media", "/media/signed/master.m3u8"),
    ] {
        world.does(door, |_| panic!("a secret panic"));
        let reply = world.viewer().get(path).await;
        assert_eq!(reply.problem(), (500, "internal".into()), "{path}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("secret"), "{path}");
    }
}

#[tokio::test]
async fn addresses_and_methods_that_are_none() {
    let world = World::new().await;
    for path in [
        "/api",
        "/api/v1/nothing",
        "/api/v2/home",
        "/media",
        "/art/1",
        "/assets/gone.js",
        "/../etc/passwd.txt",
    ] {
        let reply = world.viewer().get(path).await;
        let status = reply.status.as_u16();
        assert!(status == 404 || (path == "/media" && status == 200), "{path}: {status}");
    }
    let reply = world.viewer().send(Method::POST, "/api/v1/home", Body::empty()).await;
    assert_eq!(reply.problem(), (405, "method_not_allowed".into()));
    assert!(reply.header("allow").contains("GET"), "{:?}", reply.headers);
    assert_eq!(
        world
            .viewer()
            .send(Method::PUT, "/title/1", Body::empty())
            .await
            .problem()
            .0,
        405
    );
}
