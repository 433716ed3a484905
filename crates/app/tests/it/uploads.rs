//! Uploads through the front door: with the client that the world uses, and through everything that can break on the way.

use std::{fs::File, ops::Range, os::unix::fs::FileExt as _, path::Path, process::Command, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::StreamExt as _;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::{Answer, Client, Cluster, command::finish, repository};

use crate::LONG;

/// Runs cases of `web/tests/tus/cases.mjs`, all but the one that waits where none is named.
async fn cases(cluster: &Cluster, names: Option<&[&str]>) {
    let admin = cluster.admin().await;
    let title = admin
        .post(
            "/admin/titles",
            &json!({ "kind": "film", "name": "Heat", "year": 1995 }),
        )
        .await
        .ok();
    let order = json!({
        "url": cluster.url(), "token": admin.token, "title": title["id"], "uploads": cluster.data().join("uploads"),
        "cases": names,
    });
    let mut command = Command::new("node");
    command.arg(repository().join("web/tests/tus/cases.mjs"));
    let said = tokio::task::spawn_blocking(move || finish(command, &order.to_string()).json());
    let said = said.await.unwrap();
    let said = said.as_object().unwrap();
    let wrong: Vec<_> = said.iter().filter(|(_, what)| *what != "ok").collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", cluster.server.log());
    assert_eq!(said.len(), names.map_or(12, <[_]>::len), "{said:?}");
}

#[tokio::test]
async fn tus_js_client_passes_its_cases() {
    let cluster = Cluster::launched(
        |_| (),
        |launch| launch.variable("KINORA_STREAMING__UPLOAD_BYTES_MAX", "50000000"),
    );
    cases(&cluster, None).await;
}

#[tokio::test]
async fn tus_js_client_begins_again_what_has_expired() {
    let cluster = Cluster::launched(
        |_| (),
        |launch| launch.variable("KINORA_STREAMING__UPLOAD_EXPIRY_S", "4"),
    );
    cases(&cluster, Some(&["it begins again where it has expired"])).await;
}

/// The long form is `cargo xtask bench streaming`, which sets these and reads the line printed here.
const BYTES: u64 = 64 << 20;
const BREAKS: u64 = 20;
const PIECE_BYTES: usize = 1 << 20;
/// What the server still had to write of a line that broke makes another begin elsewhere; a few times, and then it is through.
const ENDS_MAX: usize = 5;

/// Byte `at` of a file that is never whole anywhere but where it is sent to: eight bytes at a time, from where they stand.
fn content(from: u64, bytes: usize) -> Vec<u8> {
    assert_eq!(from % 8, 0);
    let words = (from / 8..).map(|word| (word ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xd6e8_feb8_6659_fd93));
    words
        .take(bytes.div_ceil(8))
        .flat_map(u64::to_le_bytes)
        .take(bytes)
        .collect()
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Every other interruption is the line's, every other the server's: kill -9 in the middle of a request, and a new start.
#[tokio::test]
async fn an_upload_that_is_interrupted_again_and_again_arrives_byte_for_byte() {
    let (bytes, breaks) = (
        from_environment("KINORA_UPLOAD_BYTES", BYTES),
        from_environment("KINORA_UPLOAD_BREAKS", BREAKS),
    );
    let mut cluster = Cluster::one();
    let mut admin = cluster.admin().await;
    let place = begin(&admin, bytes).await;
    let began = Instant::now();
    let (mut grown, mut idle) = (0, idle_bytes(&cluster, &admin).await);
    for number in 1..=breaks {
        let from = offset_of(&admin, &place).await;
        let until = bytes / (breaks + 1) * number + 12_345;
        assert!(from < until, "it goes no further");
        if number % 2 == 1 {
            send(&admin, &place, from..until, End::Breaks).await;
            grown = grown.max(peak_bytes(&cluster).saturating_sub(idle));
            continue;
        }
        let sending = tokio::spawn({
            let (admin, place) = (admin.clone(), place.clone());
            async move { send(&admin, &place, from..until, End::Hangs).await }
        });
        let acknowledged = testkit::until("something arrived", LONG, async || {
            Some(offset_of(&admin, &place).await).filter(|offset| *offset > from)
        });
        let acknowledged = acknowledged.await;
        grown = grown.max(peak_bytes(&cluster).saturating_sub(idle));
        cluster.server.kill9();
        sending.await.unwrap();
        cluster.server.restart();
        admin = admin.at(cluster.url());
        idle = idle_bytes(&cluster, &admin).await;
        assert!(
            offset_of(&admin, &place).await >= acknowledged,
            "what was acknowledged is lost"
        );
    }
    for _ in 0..ENDS_MAX {
        let from = offset_of(&admin, &place).await;
        if from < bytes {
            send(&admin, &place, from..bytes, End::Whole).await;
        }
    }
    grown = grown.max(peak_bytes(&cluster).saturating_sub(idle));
    assert_eq!(offset_of(&admin, &place).await, bytes);
    let seconds = began.elapsed().as_secs_f64();
    let id = place.rsplit('/').next().unwrap();
    assert_is_content(&cluster.data().join("uploads").join(id), bytes);
    let figures = json!({
        "bytes": bytes, "breaks": breaks, "grown_bytes": grown, "megabytes_per_s": bytes as f64 / 1e6 / seconds,
    });
    println!("upload {figures}");
    assert!(grown < 50 << 20, "the server grew by {grown} bytes");
}

/// What the server holds once it has started to the end, which takes longer than until it listens; its peak is counted from here.
async fn idle_bytes(cluster: &Cluster, admin: &Client) -> u64 {
    let ready = async || admin.get("//readyz").await.json()["ready"].as_bool()?.then_some(());
    testkit::until("it is ready", LONG, ready).await;
    let process = cluster.server.process_id();
    std::fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
    cluster.server.resident_bytes()
}

fn peak_bytes(cluster: &Cluster) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", cluster.server.process_id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// How a request ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Whole,
    /// The client's line is cut.
    Breaks,
    /// Nothing more comes, until the server is killed.
    Hangs,
}

async fn begin(admin: &Client, bytes: u64) -> String {
    let create = admin
        .request(Method::POST, "/admin/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", bytes)
        .header("upload-metadata", "purpose ZGF0YXNldA==");
    let created = Answer::of(create, "create an upload").await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    created.headers["location"].to_str().unwrap().to_owned()
}

async fn offset_of(admin: &Client, place: &str) -> u64 {
    let head = admin
        .request(Method::HEAD, &format!("/{place}"))
        .header("tus-resumable", "1.0.0");
    let answer = Answer::of(head, "ask where it is").await;
    assert_eq!(answer.status, StatusCode::OK);
    number_in(&answer.headers, "upload-offset")
}

fn number_in(headers: &HeaderMap, name: &str) -> u64 {
    headers[name].to_str().unwrap().parse().unwrap()
}

/// Sends these bytes in one request, as they are made; how far that came is asked afterwards, as any client does.
async fn send(admin: &Client, place: &str, range: Range<u64>, end: End) {
    let offset = range.start;
    let pieces = range.clone().step_by(PIECE_BYTES).map(move |from| {
        let bytes = PIECE_BYTES.min((range.end - from) as usize);
        Ok::<_, std::io::Error>(content_at(from, bytes))
    });
    let pieces = futures::stream::iter(pieces);
    let body = match end {
        End::Whole => reqwest::Body::wrap_stream(pieces),
        End::Breaks => {
            let cut = futures::stream::once(async { Err(std::io::Error::other("the line broke")) });
            reqwest::Body::wrap_stream(pieces.chain(cut))
        }
        End::Hangs => reqwest::Body::wrap_stream(pieces.chain(futures::stream::pending())),
    };
    let request = admin
        .request(Method::PATCH, &format!("/{place}"))
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", offset)
        .header("content-type", "application/offset+octet-stream")
        .body(body);
    if let Ok(answer) = request.send().await {
        let expected = [StatusCode::NO_CONTENT, StatusCode::CONFLICT];
        assert!(expected.contains(&answer.status()), "{}", answer.status());
    }
}

/// From any byte, also one in the middle of a word.
fn content_at(from: u64, bytes: usize) -> Vec<u8> {
    let skip = (from % 8) as usize;
    content(from - skip as u64, bytes + skip).split_off(skip)
}

fn assert_is_content(path: &Path, bytes: u64) {
    let file = File::open(path).unwrap();
    assert_eq!(file.metadata().unwrap().len(), bytes);
    let (mut sent, mut stored) = (Sha256::new(), Sha256::new());
    let mut piece = vec![0; PIECE_BYTES];
    for from in (0..bytes).step_by(PIECE_BYTES) {
        let here = &mut piece[..PIECE_BYTES.min((bytes - from) as usize)];
        file.read_exact_at(here, from).unwrap();
        stored.update(&*here);
        sent.update(content_at(from, here.len()));
    }
    assert_eq!(sent.finalize(), stored.finalize());
}

#[tokio::test]
async fn the_list_of_unfinished_uploads_outlives_a_restart() {
    let mut cluster = Cluster::one();
    let admin = cluster.admin().await;
    let place = begin(&admin, 1_000).await;
    cluster.server.kill9();
    cluster.server.restart();
    let list: Value = admin.at(cluster.url()).get("/admin/uploads").await.ok();
    assert_eq!(list["items"][0]["id"], place.rsplit('/').next().unwrap());
    assert_eq!(
        (&list["items"][0]["bytes"], &list["items"][0]["offset"]),
        (&json!(1_000), &json!(0))
    );
    let other = cluster.person("curator", "curator").await;
    assert_eq!(other.get("/admin/uploads").await.ok()["items"], json!([]));
}

/// With its first bytes damaged: that is said, and it can be sent again.
#[tokio::test]
async fn a_checked_piece_that_was_damaged_is_asked_for_again() {
    const BYTES: usize = 9 << 20;
    let cluster = Cluster::one();
    let admin = cluster.admin().await;
    let title = admin
        .post("/admin/titles", &json!({ "name": "Heat" }))
        .await
        .expect(201);
    let metadata = format!("title_id {}", STANDARD.encode(title["id"].as_str().unwrap()));
    let create = admin
        .request(Method::POST, "/admin/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", 2 * BYTES)
        .header("upload-metadata", metadata);
    let created = Answer::of(create, "create an upload").await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    let place = created.headers["location"].to_str().unwrap();
    let sent = content(0, BYTES);
    let checksum = format!("sha256 {}", STANDARD.encode(Sha256::digest(&sent)));
    let mut damaged = sent.clone();
    damaged[..5000].fill(0);
    for (body, status) in [(damaged, 460), (sent, 204)] {
        let piece = admin
            .request(Method::PATCH, &format!("/{place}"))
            .header("tus-resumable", "1.0.0")
            .header("upload-offset", 0)
            .header("upload-checksum", &checksum)
            .header("content-type", "application/offset+octet-stream")
            .body(body);
        let answer = Answer::of(piece, "a checked piece").await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    }
    assert_eq!(offset_of(&admin, place).await, BYTES as u64);
}
