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
        .with("upload-metadata", metadata)
        .send(Method::POST, "/api/v1/admin/uploads", Body::empty())
        .await;
    assert_eq!(begun.status, 201, "{:?}", begun.body);
    assert_eq!(begun.header("location"), "/api/v1/admin/uploads/5");
    assert_eq!(begun.header("upload-expires"), "Thu, 1 Jan 2026 00:00:00 +0000");
    let asked = &world.calls("streaming.create_upload")[0];
    assert_eq!(
        (&asked["filename"], &asked["title"], &asked["bytes"]),
        (&json!("Léon.mp4"), &json!("1"), &json!(20_000_000))
    );

    it_goes_on_in_pieces(&world).await;

    world.answers("streaming.upload", upload(42));
    let head = tus(&world)
        .send(Method::HEAD, "/api/v1/admin/uploads/5", Body::empty())
        .await;
    assert_eq!(
        (head.header("upload-offset"), head.header("upload-length")),
        ("42", "20000000")
    );
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
    assert_eq!(offsets, [100, 100 + (8 << 20), 100 + (16 << 20)], "in pieces of 8 MiB");

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
    assert_eq!(world.calls("streaming.append_upload").len(), 4);
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
        ("10", "", "upload_metadata_invalid"),
        ("10", "purpose aGVscA==", "upload_metadata_invalid"),
        ("10", "filename !!!", "upload_metadata_invalid"),
        ("10", "title_id IQ==", "title_not_found"),
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
    let options = world
        .as_role(Role::Curator)
        .send(Method::OPTIONS, path, Body::empty())
        .await;
    assert_eq!((options.status.as_u16(), options.header("tus-version")), (204, "1.0.0"));
}
