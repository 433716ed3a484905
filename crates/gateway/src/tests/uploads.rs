//! tus 1.0, spoken.

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::accounts::Role;
use http::Method;
use serde_json::{Value, json};

use super::support::{Client, World};

fn upload(offset: u64) -> Value {
    json!({
        "id": "5", "account": "6v", "bytes": 20_000_000, "offset": offset, "filename": "heat.mp4", "purpose": "video",
        "title": "1", "expires_at": 1_767_225_600_000i64, "job": null,
    })
}

fn tus(world: &World) -> Client<'_> {
    world.as_role(Role::Curator).with("tus-resumable", "1.0.0")
}

#[tokio::test]
async fn an_upload_begins_goes_on_and_ends() {
    let world = World::new().await;
    world.answers("streaming.create_upload", upload(0));
    let metadata = format!(
        "filename {},title_id {},filetype",
        STANDARD.encode("Léon.mp4"),
        STANDARD.encode("1")
    );
    let begun = tus(&world)
        .with("upload-length", "20000000")
        .with("upload-metadata", metadata.clone())
        .send(Method::POST, "/api/v1/admin/uploads", Body::empty())
        .await;
    assert_eq!(begun.status, 201, "{:?}", begun.body);
    assert_eq!(begun.header("location"), "/api/v1/admin/uploads/5");
    assert_eq!(begun.header("upload-expires"), "Thu, 01 Jan 2026 00:00:00 GMT");
    let asked = &world.calls("streaming.create_upload")[0];
    assert_eq!(
        (&asked["filename"], &asked["title"], &asked["bytes"]),
        (&json!("Léon.mp4"), &json!("1"), &json!(20_000_000))
    );
    assert_eq!(
        (&asked["purpose"], &asked["metadata"]),
        (&json!("video"), &json!(metadata))
    );

    it_goes_on_in_pieces(&world).await;

    let mut told = upload(42);
    told["metadata"] = json!(metadata);
    world.answers("streaming.upload", told);
    let head = tus(&world)
        .send(Method::HEAD, "/api/v1/admin/uploads/5", Body::empty())
        .await;
    assert_eq!(
        (head.header("upload-offset"), head.header("upload-length")),
        ("42", "20000000")
    );
    assert_eq!(head.header("upload-metadata"), metadata);
    world.answers("streaming.remove_upload", json!({}));
    let removed = tus(&world)
        .send(Method::DELETE, "/api/v1/admin/uploads/5", Body::empty())
        .await;
    assert_eq!(removed.status, 204);
}

/// A long body arrives at the door in pieces, and what came before the line broke is kept.
async fn it_goes_on_in_pieces(world: &World) {
    world.does("streaming.append_upload", |request| {
        let body = STANDARD.decode(request["body"].as_str().unwrap()).unwrap();
        json!({ "Ok": upload(request["offset"].as_u64().unwrap() + body.len() as u64) })
    });
    let piece = tus(world)
        .with("upload-offset", "100")
        .with("content-type", "application/offset+octet-stream");
    let chunks = (0..20).map(|_| Ok::<_, std::io::Error>(vec![1u8; 1_000_000]));
    let reply = piece
        .send(
            Method::PATCH,
            "/api/v1/admin/uploads/5",
            Body::from_stream(futures::stream::iter(chunks)),
        )
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("upload-offset")),
        (204, "20000100")
    );
    let offsets: Vec<_> = world
        .calls("streaming.append_upload")
        .iter()
        .map(|call| call["offset"].as_u64().unwrap())
        .collect();
    let in_pieces_of_4_mib = [0, 4, 8, 12, 16].map(|mebibytes| 100 + (mebibytes << 20));
    assert_eq!(offsets, in_pieces_of_4_mib);

    // The line breaks: what arrived is handed over.
    let broken = [Ok(vec![2u8; 10]), Err(std::io::Error::other("gone"))];
    let reply = piece
        .send(
            Method::PATCH,
            "/api/v1/admin/uploads/5",
            Body::from_stream(futures::stream::iter(broken)),
        )
        .await;
    assert_eq!(reply.problem(), (400, "body_cut_short".into()));
    assert_eq!(world.calls("streaming.append_upload").len(), 6);
}

#[tokio::test]
async fn what_is_not_tus_is_refused() {
    let world = World::new().await;
    let path = "/api/v1/admin/uploads";
    let old = world
        .as_role(Role::Curator)
        .with("tus-resumable", "0.2.2")
        .send(Method::POST, path, Body::empty())
        .await;
    assert_eq!(old.problem(), (412, "tus_version_unsupported".into()));
    for (length, metadata, code) in [
        ("", "", "header_invalid"),
        ("-1", "", "header_invalid"),
        ("10", "purpose dmlkZW8=", "upload_metadata_invalid"),
        ("10", "purpose aGVscA==", "upload_metadata_invalid"),
        ("10", "filename !!!", "upload_metadata_invalid"),
        ("10", "title_id IQ==", "title_not_found"),
        ("10", "filename Léon", "upload_metadata_invalid"),
    ] {
        let client = tus(&world)
            .with("upload-length", length)
            .with("upload-metadata", metadata);
        assert_eq!(
            client.send(Method::POST, path, Body::empty()).await.problem().1,
            code,
            "{length} {metadata}"
        );
    }
    world.refuses("streaming.append_upload", json!({ "offset_wrong": 7 }));
    let piece = tus(&world)
        .with("upload-offset", "3")
        .with("content-type", "application/offset+octet-stream");
    let reply = piece
        .send(Method::PATCH, "/api/v1/admin/uploads/5", Body::from("x"))
        .await;
    assert_eq!(reply.problem(), (409, "offset_wrong".into()));
    let limits = json!({ "items": [], "bytes_max": 1000, "bytes_left": 500, "uploads_max": 20 });
    world.answers("streaming.uploads", limits);
    let options = world
        .as_role(Role::Curator)
        .send(Method::OPTIONS, path, Body::empty())
        .await;
    assert_eq!((options.status.as_u16(), options.header("tus-version")), (204, "1.0.0"));
    assert_eq!(options.header("tus-max-size"), "1000");
    assert_eq!(options.header("tus-checksum-algorithm"), "sha1,sha256");
    // Refusals speak tus, too.
    assert_eq!(
        (old.header("tus-version"), reply.header("tus-resumable")),
        ("1.0.0", "1.0.0")
    );
}

/// The door keeps what it is handed, as streaming would.
fn keeps(world: &World) {
    world.does("streaming.append_upload", |request| {
        let bytes = STANDARD.decode(request["body"].as_str().unwrap()).unwrap();
        let held = request["is_held"] == json!(true);
        let reached = request["offset"].as_u64().unwrap() + bytes.len() as u64;
        json!({ "Ok": upload(if held { 0 } else { reached }) })
    });
}

#[tokio::test]
async fn what_is_checked_counts_only_if_it_is_as_it_was_sent() {
    let world = World::new().await;
    keeps(&world);
    let piece = tus(&world)
        .with("upload-offset", "0")
        .with("content-type", "application/offset+octet-stream");
    let sent = |checksum: &str, body: Vec<u8>| {
        let piece = piece.clone().with("upload-checksum", checksum);
        async move {
            piece
                .send(Method::PATCH, "/api/v1/admin/uploads/5", Body::from(body))
                .await
        }
    };
    // "hello world"
    for good in [
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
    ] {
        let reply = sent(good, b"hello world".to_vec()).await;
        assert_eq!(reply.status, 204, "{good}: {:?}", reply.body);
    }
    assert_eq!(world.calls("streaming.append_upload").len(), 2);
    let reply = sent("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", b"hello w0rld".to_vec()).await;
    assert_eq!(reply.problem(), (460, "checksum_mismatch".into()));
    assert_eq!(
        world.calls("streaming.append_upload").len(),
        2,
        "nothing was handed over"
    );
    for bad in ["sha1", "crc32 AAAA", "sha1 !!!", "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0="] {
        assert_eq!(
            sent(bad, b"hello world".to_vec()).await.problem(),
            (400, "checksum_invalid".into()),
            "{bad}"
        );
    }
    // A long one is held piece by piece, and its last is never sent.
    let reply = sent("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", vec![1; 20 << 20]).await;
    assert_eq!(reply.problem().0, 460);
    let calls = world.calls("streaming.append_upload");
    let held: Vec<_> = calls[2..].iter().map(|call| call["is_held"].clone()).collect();
    assert_eq!(held, vec![json!(true); 4]);
    // Cut short: none of it could be checked.
    let broken = [Ok(vec![2u8; 10]), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(futures::stream::iter(broken));
    let cut = piece
        .clone()
        .with("upload-checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=");
    let reply = cut.send(Method::PATCH, "/api/v1/admin/uploads/5", body).await;
    assert_eq!(reply.problem(), (400, "body_cut_short".into()));
    assert_eq!(world.calls("streaming.append_upload").len(), 6);
}

#[tokio::test]
async fn an_upload_may_begin_with_its_first_bytes_and_without_a_length() {
    let world = World::new().await;
    keeps(&world);
    world.answers("streaming.create_upload", upload(0));
    let metadata = format!("title_id {}", STANDARD.encode("1"));
    let begin = tus(&world)
        .with("upload-metadata", metadata)
        .with("content-type", "application/offset+octet-stream");
    let place = "/api/v1/admin/uploads";
    let with_length = begin.clone().with("upload-length", "20000000");
    let begun = with_length.send(Method::POST, place, Body::from("0123456789")).await;
    assert_eq!((begun.status.as_u16(), begun.header("upload-offset")), (201, "10"));
    assert_eq!(begun.header("location"), "/api/v1/admin/uploads/5");
    // What is refused with its first bytes leaves nothing behind.
    world.refuses(
        "streaming.append_upload",
        json!({ "file_invalid": "This file is text, not video." }),
    );
    world.answers("streaming.remove_upload", json!({}));
    let refused = with_length.send(Method::POST, place, Body::from("0123456789")).await;
    assert_eq!(refused.problem(), (400, "file_invalid".into()));
    assert_eq!(world.calls("streaming.remove_upload").len(), 1);

    let mut unknown = upload(0);
    unknown["length_deferred"] = json!(true);
    world.answers("streaming.create_upload", &unknown);
    world.answers("streaming.append_upload", &unknown);
    let later = begin
        .clone()
        .with("upload-defer-length", "1")
        .send(Method::POST, place, Body::empty())
        .await;
    assert_eq!((later.status.as_u16(), later.header("upload-defer-length")), (201, "1"));
    assert_eq!(
        world.calls("streaming.create_upload").last().unwrap()["length_deferred"],
        true
    );
    for (client, why) in [
        (begin.clone().with("upload-defer-length", "2"), "only 1"),
        (with_length.clone().with("upload-defer-length", "1"), "not both"),
        (begin.clone().with("upload-length", "+7"), "digits"),
        (
            begin.clone().with("upload-length", "18446744073709551615"),
            "more than any file has",
        ),
    ] {
        let reply = client.send(Method::POST, place, Body::empty()).await;
        assert_eq!(reply.problem(), (400, "header_invalid".into()), "{why}");
    }
    let told = tus(&world)
        .with("upload-offset", "0")
        .with("upload-length", "44")
        .with("content-type", "application/offset+octet-stream");
    told.send(Method::PATCH, "/api/v1/admin/uploads/5", Body::empty()).await;
    assert_eq!(world.calls("streaming.append_upload").last().unwrap()["length"], 44);
}

#[tokio::test]
async fn parts_are_begun_and_joined() {
    let world = World::new().await;
    let mut part = upload(0);
    part["concat"] = json!("partial");
    world.answers("streaming.create_upload", part);
    let place = "/api/v1/admin/uploads";
    let begun = tus(&world)
        .with("upload-length", "10")
        .with("upload-concat", "partial")
        .send(Method::POST, place, Body::empty())
        .await;
    assert_eq!((begun.status.as_u16(), begun.header("upload-concat")), (201, "partial"));
    assert_eq!(world.calls("streaming.create_upload")[0]["is_partial"], true);

    let mut whole = upload(20_000_000);
    whole["concat"] = json!({ "final": ["5", "6"] });
    world.answers("streaming.join_uploads", whole);
    let metadata = format!("title_id {}", STANDARD.encode("1"));
    let join = tus(&world).with("upload-metadata", metadata);
    let addresses = "final;https://films.example.org/api/v1/admin/uploads/5 /api/v1/admin/uploads/6";
    let one = join
        .clone()
        .with("upload-concat", addresses)
        .send(Method::POST, place, Body::empty())
        .await;
    assert_eq!(one.status, 201, "{:?}", one.body);
    assert_eq!(
        one.header("upload-concat"),
        "final;/api/v1/admin/uploads/5 /api/v1/admin/uploads/6"
    );
    assert_eq!(world.calls("streaming.join_uploads")[0]["parts"], json!(["5", "6"]));
    for bad in ["final;", "final;/elsewhere/5", "whole", "final;/api/v1/admin/uploads/!"] {
        let reply = join
            .clone()
            .with("upload-concat", bad)
            .send(Method::POST, place, Body::empty())
            .await;
        assert_eq!(reply.problem(), (400, "header_invalid".into()), "{bad}");
    }
    let long = join
        .clone()
        .with("upload-concat", addresses)
        .with("upload-length", "20");
    let reply = long.send(Method::POST, place, Body::empty()).await;
    assert_eq!(reply.problem(), (400, "header_invalid".into()));
    world.refuses("streaming.join_uploads", json!("part_unfinished"));
    let early = join
        .clone()
        .with("upload-concat", addresses)
        .send(Method::POST, place, Body::empty())
        .await;
    assert_eq!(early.problem(), (409, "part_unfinished".into()));
}

#[tokio::test]
async fn what_arrived_is_told_in_pieces_and_as_nothing_that_a_browser_opens() {
    let world = World::new().await;
    let bytes: Vec<u8> = (0..42).collect();
    world.answers("streaming.upload", upload(bytes.len() as u64));
    // Three bytes more arrive while it is read: the head has said how many are told.
    let lies_there = [bytes.clone(), vec![7; 3]].concat();
    world.does("streaming.read_upload", move |request| {
        let offset = request["offset"].as_u64().unwrap() as usize;
        let piece = lies_there[offset..].iter().take(20).copied().collect::<Vec<_>>();
        json!({ "Ok": STANDARD.encode(piece) })
    });
    // Not every client of a plain file speaks tus.
    let curator = world.as_role(Role::Curator);
    let ask = async || {
        curator
            .send(Method::GET, "/api/v1/admin/uploads/5", Body::empty())
            .await
    };
    let read = ask().await;
    assert_eq!((read.status.as_u16(), &read.body[..]), (200, &bytes[..]));
    for (name, value) in [
        ("content-length", "42"),
        ("content-type", "application/octet-stream"),
        ("content-disposition", "attachment"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("upload-offset", "42"),
    ] {
        assert_eq!(read.header(name), value, "{name}");
    }
    let asked: Vec<_> = world
        .calls("streaming.read_upload")
        .iter()
        .map(|call| call["offset"].clone())
        .collect();
    assert_eq!(asked, [0, 20, 40, 42].map(|offset| json!(offset)));
    world.refuses("streaming.read_upload", json!("upload_not_found"));
    assert_eq!(
        ask().await.problem(),
        (404, "upload_not_found".into()),
        "before the head"
    );
}

#[tokio::test]
async fn another_method_may_stand_in_a_header() {
    let world = World::new().await;
    keeps(&world);
    world.answers("streaming.upload", upload(42));
    world.answers("streaming.remove_upload", json!({}));
    let place = "/api/v1/admin/uploads/5";
    let meant = |method: &str| tus(&world).with("x-http-method-override", method);
    let head = meant("HEAD").send(Method::POST, place, Body::empty()).await;
    assert_eq!((head.status.as_u16(), head.header("upload-offset")), (200, "42"));
    let piece = meant("PATCH")
        .with("upload-offset", "42")
        .with("content-type", "application/offset+octet-stream");
    let reply = piece.send(Method::POST, place, Body::from("abc")).await;
    assert_eq!((reply.status.as_u16(), reply.header("upload-offset")), (204, "45"));
    let gone = meant("DELETE").send(Method::POST, place, Body::empty()).await;
    assert_eq!(
        (gone.status.as_u16(), world.calls("streaming.remove_upload").len()),
        (204, 1)
    );
    assert_eq!(
        meant("PUT").send(Method::POST, place, Body::empty()).await.problem(),
        (400, "header_invalid".into())
    );
    let none = tus(&world).send(Method::POST, place, Body::empty()).await;
    assert_eq!(none.problem(), (405, "method_not_allowed".into()));
}

#[tokio::test]
async fn refusals_have_the_status_that_clients_know() {
    let world = World::new().await;
    let head = async || {
        tus(&world)
            .send(Method::HEAD, "/api/v1/admin/uploads/5", Body::empty())
            .await
    };
    world.refuses("streaming.upload", json!("upload_expired"));
    assert_eq!(head().await.status, 410);
    world.refuses("streaming.upload", json!("upload_not_found"));
    assert_eq!(head().await.status, 404);
    let piece = tus(&world)
        .with("upload-offset", "0")
        .with("content-type", "application/offset+octet-stream");
    for (error, status, code) in [
        (json!("upload_taken_over"), 423, "upload_taken_over"),
        (json!({ "upload_quota_reached": 9 }), 413, "upload_quota_reached"),
        (json!("upload_joined"), 403, "upload_joined"),
    ] {
        world.refuses("streaming.append_upload", error);
        let reply = piece
            .send(Method::PATCH, "/api/v1/admin/uploads/5", Body::from("x"))
            .await;
        assert_eq!(reply.problem(), (status, code.into()));
    }
    world.answers(
        "streaming.uploads",
        json!({ "items": [upload(3)], "bytes_max": 1000, "bytes_left": 500, "uploads_max": 20 }),
    );
    let list = world
        .as_role(Role::Curator)
        .send(Method::GET, "/api/v1/admin/uploads", Body::empty())
        .await;
    let wanted = json!({
        "items": [{ "id": "5", "title_id": "1", "filename": "heat.mp4", "bytes": 20_000_000, "offset": 3,
            "fingerprint": "", "expires_at": "2026-01-01T00:00:00Z" }],
        "bytes_max": 1000, "bytes_left": 500, "uploads_max": 20,
    });
    assert_eq!((list.status.as_u16(), list.json()), (200, wanted));
}
