//! Signed media, sent.

use axum::body::Body;
use contract::{TitleId, catalog::ArtworkShape};
use http::Method;
use http_body_util::BodyExt as _;
use platform::test_support::S3Server;
use serde_json::{Value, json};

use super::support::{ACCOUNT, World};

async fn world() -> (World, Vec<u8>) {
    with_segment(World::new().await).await
}

async fn with_segment(world: World) -> (World, Vec<u8>) {
    let segment: Vec<u8> = (0..1_300_000u32).map(|index| (index % 251) as u8).collect();
    world
        .gateway
        .doors
        .blobs
        .put("media/a/720p/seg-1.m4s", segment.clone())
        .await
        .unwrap();
    world.answers("streaming.media", stored("media/a/720p/seg-1.m4s", segment.len()));
    (world, segment)
}

fn stored(key: &str, bytes: usize) -> Value {
    let body = json!({ "stored": { "key": key, "bytes": bytes } });
    json!({ "content_type": "video/mp4", "cache_control": "public, max-age=31536000, immutable", "etag": "a1", "body": body })
}

#[tokio::test]
async fn a_cold_segment_is_read_once_for_all_who_ask() {
    let server = S3Server::start().await;
    let (world, segment) = with_segment(World::on(&server).await).await;
    let viewers = (0..100).map(|_| async {
        let reply = world.anonymous().get("/media/x").await;
        assert!(reply.status == 200 && reply.body[..] == segment[..]);
    });
    futures::future::join_all(viewers).await;
    assert_eq!(server.answered("GET").await, 2, "it has two blocks");
}

#[tokio::test]
async fn what_is_in_memory_plays_on_while_storage_is_away() {
    let mut server = S3Server::start().await;
    let (world, segment) = with_segment(World::on(&server).await).await;
    let hot = || async { world.anonymous().with("range", "bytes=0-99").get("/media/x").await };
    let cold = || async { world.anonymous().with("range", "bytes=1200000-").get("/media/x").await };
    assert_eq!(hot().await.status, 206);
    server.kill();
    assert_eq!(
        (hot().await.status.as_u16(), &hot().await.body[..]),
        (206, &segment[..100])
    );
    let refused = cold().await;
    assert_eq!(refused.problem(), (503, "unavailable".into()));
    assert_eq!(
        (refused.header("retry-after"), refused.header("cache-control")),
        ("1", "no-store")
    );
    assert!(!String::from_utf8_lossy(&refused.body).contains("127.0.0.1"));
    server.come_back().await;
    assert_eq!(&cold().await.body[..], &segment[1_200_000..]);
}

#[tokio::test]
async fn slow_viewers_hold_no_memory_and_get_every_byte() {
    let server = S3Server::start().await;
    let world = World::on(&server).await;
    let content = |number: usize| vec![number as u8; 3 << 20];
    for number in 0..20 {
        let key = format!("media/a/{number}.m4s");
        world.gateway.doors.blobs.put(&key, content(number)).await.unwrap();
    }
    // Each takes a first piece, and rests while the others' segments push its own out of the memory.
    let mut slow = Vec::new();
    for number in 0..20 {
        world.answers("streaming.media", stored(&format!("media/a/{number}.m4s"), 3 << 20));
        let mut body = world.anonymous().begin("/media/x").await;
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        slow.push((number, first.len(), body));
    }
    assert!(world.gateway.files.held_bytes().await <= 16 << 20);
    for (number, first, body) in slow {
        let rest = body.collect().await.unwrap().to_bytes();
        assert!(rest[..] == content(number)[first..], "{number}");
    }
    assert!(world.gateway.files.held_bytes().await <= 16 << 20);
    let reads = server.answered("GET").await;
    assert!((60..=160).contains(&reads), "{reads} reads of 60 blocks");
}

#[tokio::test]
async fn segments_are_sent_whole_and_in_part() {
    let (world, segment) = world().await;
    are_sent_whole_and_in_part(&world, &segment).await;
}

#[tokio::test]
async fn segments_in_a_bucket_are_sent_as_from_a_disk() {
    let server = S3Server::start().await;
    let (world, segment) = with_segment(World::on(&server).await).await;
    are_sent_whole_and_in_part(&world, &segment).await;
    let over_blocks = world.anonymous().with("range", "bytes=1048570-1048583");
    let part = over_blocks.get("/media/x").await;
    assert_eq!(
        (part.status.as_u16(), &part.body[..]),
        (206, &segment[1_048_570..1_048_584])
    );
    assert_eq!(server.answered("GET").await, 2, "each of its blocks once, whoever asks");
    let key = "media/a/720p/seg-2.m4s";
    world.answers("streaming.media", stored(key, 5));
    assert_eq!(
        world.anonymous().get("/media/x").await.problem(),
        (404, "media_not_found".into())
    );
    world.gateway.doors.blobs.put(key, vec![1, 2, 3]).await.unwrap();
    let short = world.anonymous().get("/media/x").await;
    assert_eq!(
        short.problem(),
        (500, "internal".into()),
        "it is not what its index says"
    );
}

async fn are_sent_whole_and_in_part(world: &World, segment: &[u8]) {
    let path = "/media/p/a/123/sig/720p/seg-1.m4s?x=1";
    let whole = world.anonymous().get(path).await;
    assert_eq!((whole.status.as_u16(), &whole.body[..]), (200, segment));
    assert_eq!(whole.header("content-type"), "video/mp4");
    assert_eq!(whole.header("content-length"), segment.len().to_string());
    assert_eq!(whole.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(
        (whole.header("etag"), whole.header("accept-ranges")),
        ("\"a1\"", "bytes")
    );
    assert_eq!(
        world.calls("streaming.media")[0],
        json!({ "path": "p/a/123/sig/720p/seg-1.m4s", "account": null })
    );
    let part = world.anonymous().with("range", "bytes=600000-1199999").get(path).await;
    assert_eq!(
        (part.status.as_u16(), &part.body[..]),
        (206, &segment[600_000..1_200_000])
    );
    assert_eq!(part.header("content-range"), "bytes 600000-1199999/1300000");
    let beyond = world.anonymous().with("range", "bytes=9999999-").get(path).await;
    assert_eq!(beyond.problem(), (416, "range_not_satisfiable".into()));
    assert_eq!(beyond.header("content-range"), "bytes */1300000");
    let known = world.anonymous().with("if-none-match", "\"a1\"").get(path).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    let head = world.anonymous().send(Method::HEAD, path, Body::empty()).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), segment.len().to_string());
}

#[tokio::test]
async fn a_log_in_that_came_along_is_named_and_refusals_are_problems() {
    let (world, _) = world().await;
    world.viewer().get("/media/x").await;
    assert_eq!(world.calls("streaming.media")[0]["account"], json!(ACCOUNT));
    // An expired one is as good as none.
    world.clock.advance(3_600_000);
    world.viewer().get("/media/x").await;
    assert_eq!(world.calls("streaming.media")[1]["account"], json!(null));
    world.refuses("streaming.media", "media_forbidden");
    let reply = world.anonymous().get("/media/x").await;
    assert_eq!(reply.problem(), (403, "media_forbidden".into()));
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_found() {
    let (world, segment) = world().await;
    world
        .gateway
        .doors
        .blobs
        .delete("media/a/720p/seg-1.m4s")
        .await
        .unwrap();
    assert_eq!(
        world.anonymous().get("/media/x").await.problem(),
        (404, "media_not_found".into())
    );
    let inline =
        json!({ "inline": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &segment[..100]) });
    world.answers(
        "streaming.media",
        json!({ "content_type": "application/vnd.apple.mpegurl", "cache_control": "private", "etag": "m", "body": inline }),
    );
    let manifest = world.anonymous().with("range", "bytes=10-19").get("/media/x").await;
    assert_eq!((manifest.status.as_u16(), &manifest.body[..]), (206, &segment[10..20]));
}

#[tokio::test]
async fn pictures_are_kept_for_ever_under_their_own_version() {
    let world = World::new().await;
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "<svg/>");
    world.answers(
        "catalog.artwork",
        json!({ "content_type": "image/svg+xml", "version": 3, "body": body }),
    );
    let address = |version, shape| {
        let address = world.gateway.pictures.addresses(TitleId(1), version, [shape])[0];
        serde_json::to_value(address).unwrap().as_str().unwrap().to_owned()
    };
    let poster = address(3, ArtworkShape::Poster);
    let now = world.anonymous().get(&poster).await;
    assert_eq!((now.status.as_u16(), &now.body[..]), (200, &b"<svg/>"[..]));
    assert!(now.header("cache-control").contains("immutable"));
    assert!(now.header("content-security-policy").contains("sandbox"));
    let old = world.anonymous().get(&address(2, ArtworkShape::Backdrop)).await;
    assert_eq!(old.status, 200);
    assert!(!old.header("cache-control").contains("immutable"));
    let known = world.anonymous().with("if-none-match", "\"1-3\"");
    assert_eq!(known.get(&poster).await.status, 304);
    // An address that nobody handed out names nothing, whether or not there is such a title.
    let asked = world.calls("catalog.artwork").len();
    let other_title = poster.replace("/art/1/", "/art/2/");
    let other_version = poster.replace("/3-", "/2-");
    let no_shape = poster.replace("poster", "banner");
    for wrong in [
        "/art/1/3/poster",
        "/art/1/3-/poster",
        &other_title,
        &other_version,
        &no_shape,
    ] {
        let reply = world.viewer().get(wrong).await;
        assert_eq!(reply.problem(), (404, "not_found".into()), "{wrong}");
    }
    assert_eq!(world.calls("catalog.artwork").len(), asked);
}
