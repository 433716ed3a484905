//! What curators read and change of a title, through the door of the catalogue.

use contract::{
    accounts::Role,
    catalog::YEARS,
    imports::FILES_MAX,
    streaming::{CHAPTER_NAME_CHARS_MAX, CHAPTERS_MAX},
};
use http::Method;
use serde_json::{Value, json};

use super::support::{KIDS, World, card, stock};

#[tokio::test]
async fn a_curator_reads_all_of_a_title_that_their_profile_may_not_watch() {
    let world = World::new().await;
    let mut hidden = card(1, "Heat", 16);
    hidden["published"] = json!(false);
    stock(&world, vec![hidden]);
    let kid = KIDS.to_string();
    let curator = world.as_role(Role::Curator).with("x-profile", kid.clone());
    assert_eq!(
        curator.get("/api/v1/titles/1").await.problem(),
        (404, "title_not_found".into())
    );
    let reply = curator.get("/api/v1/admin/titles/1").await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let title = reply.json();
    assert_eq!(title["description"], "A thief and a detective.");
    assert_eq!((&title["name"], &title["published"]), (&json!("Heat"), &json!(false)));
    assert_eq!((&title["people"], &title["place"]), (&json!([]), &Value::Null));
    let viewer = world.viewer().with("x-profile", kid);
    assert_eq!(viewer.get("/api/v1/admin/titles/1").await.problem().0, 403);
    assert_eq!(
        curator.get("/api/v1/admin/titles/9").await.problem(),
        (404, "title_not_found".into())
    );
}

#[tokio::test]
async fn null_takes_away_what_is_absent_is_kept() {
    let world = World::new().await;
    let mut without_year = card(1, "Heat", 16);
    without_year["year"] = Value::Null;
    world.answers(
        "catalog.update",
        json!({
            "card": without_year, "original_name": null, "description": "", "credits": [], "place": null, "video": null,
            "external": [], "created_at": 0, "updated_at": 0,
        }),
    );
    let curator = world.as_role(Role::Curator);
    for (body, year, maturity, cleared) in [
        (json!({ "name": "Heat" }), json!(null), json!(null), json!([])),
        (json!({ "year": null }), json!(null), json!(null), json!(["year"])),
        (
            json!({ "year": 1995, "maturity": null }),
            json!(1995),
            json!(null),
            json!(["maturity"]),
        ),
        (json!({ "maturity": 0 }), json!(null), json!(0), json!([])),
    ] {
        let reply = curator
            .json(Method::PATCH, "/api/v1/admin/titles/1", body.clone())
            .await;
        assert_eq!(reply.status, 200, "{body}: {:?}", reply.body);
        let calls = world.calls("catalog.update");
        let asked = calls.last().unwrap();
        assert_eq!(
            (&asked["year"], &asked["maturity"], &asked["cleared"]),
            (&year, &maturity, &cleared),
            "{body}"
        );
    }
    for wrong in [
        json!({ "year": 1500 }),
        json!({ "year": YEARS.end() + 1 }),
        json!({ "maturity": 19 }),
    ] {
        let reply = curator
            .json(Method::PATCH, "/api/v1/admin/titles/1", wrong.clone())
            .await;
        assert_eq!(reply.problem(), (422, "request_invalid".into()), "{wrong}");
    }
}

#[tokio::test]
async fn as_many_files_as_an_import_takes_and_no_more() {
    let world = World::new().await;
    world.answers(
        "streaming.uploaded_file",
        json!({ "path": "/uploads/1", "filename": "ratings.dat", "bytes": 9 }),
    );
    world.refuses("imports.start", json!({ "refused": "enough" }));
    let curator = world.as_role(Role::Curator);
    for (files, refused_by) in [
        (0, "request_invalid"),
        (FILES_MAX, "import_refused"),
        (FILES_MAX + 1, "request_invalid"),
    ] {
        let ids: Vec<String> = (1..=files).map(|upload| format!("z{}", upload % 10)).collect();
        let body = json!({ "dataset": "movielens", "upload_ids": ids });
        let reply = curator.json(Method::POST, "/api/v1/admin/imports", body).await;
        assert_eq!(reply.problem().1, refused_by, "{files} files");
    }
}

#[tokio::test]
async fn a_curator_says_where_the_credits_of_a_video_begin() {
    let world = World::new().await;
    stock(&world, vec![card(1, "Heat", 16)]);
    let video = |credits_ms: Value| json!({ "asset": "9", "duration_ms": 60_500, "credits_ms": credits_ms });
    world.answers("streaming.video", video(json!(null)));
    world.answers("streaming.set_markers", video(json!(51_250)));
    let curator = world.as_role(Role::Curator);
    let path = "/api/v1/admin/titles/1/video";
    let ask = async |body: Value| curator.json(Method::PATCH, path, body).await;
    // Nothing said, nothing changed.
    let none = json!({ "duration_s": 60.5, "chapters": [], "chapters_edited": false });
    assert_eq!(ask(json!({})).await.json(), none);
    assert!(world.calls("streaming.set_markers").is_empty());
    let said = ask(json!({ "credits_at_s": 51.25 })).await.json();
    let expected = json!({ "duration_s": 60.5, "credits_at_s": 51.25, "chapters": [], "chapters_edited": false });
    assert_eq!(said, expected);
    ask(json!({ "credits_at_s": null })).await;
    ask(json!({ "intro": { "start_s": 1.5, "end_s": 31 }, "credits_at_s": 50 })).await;
    ask(json!({ "intro": null })).await;
    assert_eq!(
        world.calls("streaming.set_markers"),
        [
            json!({ "title": "1", "markers": [{ "credits": 51_250 }] }),
            json!({ "title": "1", "markers": [{ "credits": null }] }),
            json!({ "title": "1", "markers": [{ "credits": 50_000 }, { "intro": [1_500, 31_000] }] }),
            json!({ "title": "1", "markers": [{ "intro": null }] }),
        ]
    );
    for wrong in [
        json!({ "credits_at_s": -1 }),
        json!({ "credits_at_s": 1e9 }),
        json!({ "credits_at_s": "0:51" }),
        json!({ "credits_s": 51 }),
        json!({ "intro": 51 }),
        json!({ "intro": { "start_s": 51 } }),
        json!({ "intro": { "start_s": -1, "end_s": 5 } }),
        json!([51]),
    ] {
        assert_eq!(
            ask(wrong.clone()).await.problem(),
            (422, "request_invalid".into()),
            "{wrong}"
        );
    }
    world.refuses("streaming.set_markers", json!({ "marker_invalid": "within the video" }));
    assert_eq!(
        ask(json!({ "credits_at_s": 60.5 })).await.problem(),
        (400, "marker_invalid".into())
    );
    let viewer = world.viewer().json(Method::PATCH, path, json!({})).await;
    assert_eq!(viewer.problem(), (403, "forbidden".into()));
}

#[tokio::test]
async fn a_curator_says_the_chapters_of_a_video_with_all_else_at_once() {
    let world = World::new().await;
    stock(&world, vec![card(1, "Heat", 16)]);
    world.answers(
        "streaming.set_markers",
        json!({ "asset": "9", "duration_ms": 60_500, "credits_ms": null, "chapters": [{ "start_ms": 1_500, "name": null }], "chapters_edited": true }),
    );
    let curator = world.as_role(Role::Curator);
    let ask = async |body: Value| curator.json(Method::PATCH, "/api/v1/admin/titles/1/video", body).await;
    let all =
        json!({ "credits_at_s": 50, "intro": null, "chapters": [{ "start_s": 0, "name": "One" }, { "start_s": 1.5 }] });
    assert_eq!(
        ask(all).await.json(),
        json!({ "duration_s": 60.5, "chapters": [{ "start_s": 1.5, "name": null }], "chapters_edited": true })
    );
    ask(json!({ "chapters": null })).await;
    ask(json!({ "chapters": [] })).await;
    let chapters = [
        json!({ "start_ms": 0, "name": "One" }),
        json!({ "start_ms": 1_500, "name": null }),
    ];
    assert_eq!(
        world.calls("streaming.set_markers"),
        [
            json!({ "title": "1", "markers": [{ "credits": 50_000 }, { "intro": null }, { "chapters": chapters }] }),
            json!({ "title": "1", "markers": [{ "chapters": null }] }),
            json!({ "title": "1", "markers": [{ "chapters": [] }] }),
        ]
    );
    let many = |count| json!({ "chapters": vec![json!({ "start_s": 1 }); count] });
    let named = |letters: usize| json!({ "chapters": [{ "start_s": 1, "name": "ü".repeat(letters) }] });
    assert_eq!(ask(many(CHAPTERS_MAX)).await.status, 200);
    assert_eq!(ask(named(CHAPTER_NAME_CHARS_MAX)).await.status, 200);
    for wrong in [
        many(CHAPTERS_MAX + 1),
        named(CHAPTER_NAME_CHARS_MAX + 1),
        json!({ "chapters": "One" }),
        json!({ "chapters": [{ "name": "One" }] }),
        json!({ "chapters": [{ "start_s": -1 }] }),
        json!({ "chapters": [{ "start_s": 1e9 }] }),
        json!({ "chapters": [{ "start_s": 1, "end_s": 2 }] }),
    ] {
        assert_eq!(
            ask(wrong.clone()).await.problem(),
            (422, "request_invalid".into()),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_curator_reads_the_video_of_a_title_that_has_one() {
    let world = World::new().await;
    stock(&world, vec![card(1, "Heat", 16)]);
    let curator = world.as_role(Role::Curator);
    let read = async || curator.get("/api/v1/admin/titles/1").await.json()["video"].clone();
    assert_eq!(read().await, Value::Null);
    let whole = json!({ "Ok": {
        "card": card(1, "Heat", 16), "original_name": null, "description": "", "credits": [], "place": null,
        "video": { "asset": "9", "duration_ms": 60_000, "height": 360 }, "external": [], "created_at": 0, "updated_at": 0,
    }});
    world.does("catalog.title", move |_| whole.clone());
    world.answers(
        "streaming.video",
        json!({ "asset": "9", "duration_ms": 60_000, "credits_ms": 51_000, "intro_ms": [0, 30_500],
            "chapters": [{ "start_ms": 0, "name": "One" }] }),
    );
    assert_eq!(
        read().await,
        json!({ "duration_s": 60.0, "credits_at_s": 51.0, "intro": { "start_s": 0.0, "end_s": 30.5 },
            "chapters": [{ "start_s": 0.0, "name": "One" }], "chapters_edited": false })
    );
    // Replaced or removed a moment ago.
    world.refuses("streaming.video", "not_playable");
    assert_eq!(read().await, Value::Null);
}

#[tokio::test]
async fn a_curator_sees_how_far_all_films_are_and_puts_one_first() {
    let world = World::new().await;
    let job = json!({
        "id": "5", "kind": "transcode", "state": "queued", "progress": 0.0, "stage": "", "error": null, "subject": "Heat",
        "title_id": "1", "attempts": 0, "created_at": 0, "started_at": null, "finished_at": null,
    });
    world.answers("jobs.get", job.clone());
    world.answers("jobs.first", job);
    world.answers(
        "jobs.outlook",
        json!({ "queued": 3, "running": 1, "progress": 0.123_4, "remaining_s": 600 }),
    );
    let curator = world.as_role(Role::Curator);
    let outlook = curator.get("/api/v1/admin/jobs/outlook").await;
    assert_eq!(outlook.status, 200, "{:?}", outlook.body);
    let expected = json!({ "queued": 3, "running": 1, "progress": 0.12, "remaining_s": 600 });
    assert_eq!(outlook.json(), expected);
    assert_eq!(world.calls("jobs.outlook")[0], json!({ "kind": "transcode" }));
    let path = format!("/api/v1/admin/jobs/{}/first", contract::JobId(5));
    let first = curator.json(Method::POST, &path, json!({})).await;
    assert_eq!(
        (first.status.as_u16(), &first.json()["subject"]),
        (200, &json!("Heat")),
        "{:?}",
        first.body
    );
    assert_eq!(world.calls("jobs.first").len(), 1);
    world.refuses("jobs.first", "already_ended");
    let refused = curator.json(Method::POST, &path, json!({})).await;
    assert_eq!(refused.problem(), (409, "job_ended".into()));
}

#[tokio::test]
async fn a_curator_puts_subtitles_beside_a_video_and_takes_them_away() {
    let world = World::new().await;
    let file = json!({ "id": "z8", "origin": "sent a.srt", "filename": "a.srt", "language": "de", "kind": "forced", "added_at": 0 });
    world.answers("streaming.add_subtitles", file.clone());
    world.answers("streaming.subtitle_files", json!([file]));
    world.answers("streaming.remove_subtitles", json!({}));
    let curator = world.as_role(Role::Curator);
    let path = "/api/v1/admin/titles/1/subtitles";
    let send = async |query: &str, bytes: usize| {
        let body = axum::body::Body::from(vec![b'x'; bytes]);
        curator.send(Method::POST, &format!("{path}?{query}"), body).await
    };
    let added = send("filename=a.srt&language=ger&kind=forced", 3).await;
    assert_eq!(added.status, 201);
    let shown = json!({ "id": "z8", "filename": "a.srt", "language": "de", "kind": "forced", "added_at": "1970-01-01T00:00:00Z" });
    assert_eq!(added.json(), shown);
    assert_eq!(
        world.calls("streaming.add_subtitles"),
        [
            json!({ "title": "1", "origin": "sent a.srt", "filename": "a.srt", "language": "ger", "kind": "forced",
                "by_name": { "language": true, "kind": false }, "body": "eHh4" })
        ]
    );
    assert_eq!(send("filename=b.srt", 3).await.status, 201);
    let call = &world.calls("streaming.add_subtitles")[1];
    assert_eq!(
        (&call["language"], &call["by_name"]),
        (&Value::Null, &json!({ "language": true, "kind": true }))
    );
    assert_eq!(curator.get(path).await.json(), json!({ "items": [shown] }));
    let too_long = format!("filename={}", "a".repeat(81));
    for (query, code) in [
        ("", "query_invalid"),
        ("filename=", "query_invalid"),
        ("filename=a.srt&kind=loud", "query_invalid"),
        ("filename=a.srt&path=/etc/passwd", "query_invalid"),
        ("filename=a%00.srt", "query_invalid"),
        (too_long.as_str(), "query_invalid"),
    ] {
        assert_eq!(send(query, 3).await.problem().1, code, "{query}");
    }
    assert_eq!(send("filename=a.srt", (4 << 20) + 1).await.status, 413);
    world.refuses(
        "streaming.add_subtitles",
        json!({ "subtitles_invalid": "a.srt: it is no text." }),
    );
    assert_eq!(
        send("filename=a.srt", 3).await.problem(),
        (400, "subtitles_invalid".into())
    );
    let remove = async |id: &str| {
        curator
            .send(Method::DELETE, &format!("{path}/{id}"), axum::body::Body::empty())
            .await
    };
    assert_eq!(remove("z8").await.status, 204);
    assert_eq!(
        world.calls("streaming.remove_subtitles"),
        [json!({ "title": "1", "origin": "sent a.srt", "id": "z8" })]
    );
    assert_eq!(remove("z9").await.problem(), (404, "subtitles_not_found".into()));
}

#[tokio::test]
async fn a_curator_says_whose_language_subtitles_are() {
    let world = World::new().await;
    let file = json!({ "id": "z8", "origin": "sent a.srt", "filename": "a.srt", "language": null, "kind": "captions", "added_at": 0 });
    world.answers("streaming.name_subtitles", file);
    let curator = world.as_role(Role::Curator);
    let path = "/api/v1/admin/titles/1/subtitles/z8";
    let say = async |body: Value| curator.json(Method::PUT, path, body).await;
    let said = say(json!({ "language": null, "kind": "captions" })).await;
    assert_eq!(
        (said.status.as_u16(), said.json()["kind"].clone()),
        (200, json!("captions"))
    );
    say(json!({ "language": "deu", "kind": "forced" })).await;
    assert_eq!(
        world.calls("streaming.name_subtitles"),
        [
            json!({ "title": "1", "id": "z8", "language": null, "kind": "captions" }),
            json!({ "title": "1", "id": "z8", "language": "deu", "kind": "forced" }),
        ]
    );
    for wrong in [
        json!({ "language": "de" }),
        json!({ "kind": "forced" }),
        json!({ "language": "d", "kind": "forced" }),
        json!({ "language": "d".repeat(36), "kind": "forced" }),
        json!({ "language": "de", "kind": "loud" }),
        json!({ "language": "de", "kind": "forced", "filename": "b.srt" }),
    ] {
        let refused = say(wrong.clone()).await;
        assert_eq!(refused.problem(), (422, "request_invalid".into()), "{wrong}");
    }
    world.refuses("streaming.name_subtitles", "subtitles_not_found");
    let gone = say(json!({ "language": "de", "kind": "forced" })).await;
    assert_eq!(gone.problem(), (404, "subtitles_not_found".into()));
    let viewer = world.viewer().json(Method::PUT, path, json!({})).await;
    assert_eq!(viewer.problem(), (403, "forbidden".into()));
}
