//! From a file to a picture, and who may have it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, Clip, Cluster, until};

use crate::id;

const LONG: std::time::Duration = std::time::Duration::from_secs(180);

/// The newest job of a title, once it has ended.
pub async fn ended_job(curator: &Client, title: &str) -> Value {
    until("the end of the job", LONG, async || {
        let jobs = curator.get("/admin/jobs").await.ok();
        let job = jobs["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|job| job["title_id"] == title)
            .cloned()?;
        matches!(job["state"].as_str(), Some("done" | "failed" | "cancelled")).then_some(job)
    })
    .await
}

/// Follows a manifest to the first line that is an address, relative to it.
async fn first_address(client: &Client, manifest: &str) -> String {
    let text = client.get(&format!("/{manifest}")).await;
    assert_eq!(text.status.as_u16(), 200, "{manifest}: {}", text.text());
    let text = text.text();
    let line = text
        .lines()
        .find(|line| !line.starts_with('#') && !line.is_empty())
        .expect("an address");
    let (folder, _) = manifest.rsplit_once('/').expect("a path");
    if line.starts_with('/') {
        line.to_owned()
    } else {
        format!("{folder}/{line}")
    }
}

#[tokio::test]
async fn a_film_is_uploaded_in_pieces_transcoded_and_played_by_its_viewer_only() {
    let cluster = Cluster::one();
    let curator = cluster.person("curator", "curator").await;
    let title = id(&curator
        .post("/admin/titles", &json!({ "name": "Heat", "year": 1995 }))
        .await
        .expect(201));
    refused_for_a_series(&curator).await;
    upload(&curator, &title, &Clip::Ordinary { seconds: 4 }.file()).await;
    let job = ended_job(&curator, &title).await;
    assert_eq!(
        (job["state"].as_str(), job["progress"].as_f64()),
        (Some("done"), Some(1.0)),
        "{job}"
    );

    let ada = cluster.viewer("ada").await;
    until("the title to be playable", LONG, async || {
        (ada.get(&format!("/titles/{title}")).await.ok()["playable"] == true).then_some(())
    })
    .await;
    let playback = ada.post("/playback", &json!({ "title_id": title })).await.expect(200);
    assert_eq!(playback["resume_at_s"], 0.0);
    assert!(
        (playback["duration_s"].as_f64().unwrap() - 4.0).abs() < 0.3,
        "{playback}"
    );
    let master = playback["hls_url"].as_str().unwrap();
    let nobody = cluster.anonymous();
    let rung = first_address(&nobody, master).await;
    let segment = first_address(&nobody, &rung).await;
    let whole = nobody.get(&format!("/{segment}")).await;
    assert_eq!(whole.status.as_u16(), 200);
    assert!(whole.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let part = nobody
        .request(Method::GET, &format!("/{segment}"))
        .header("range", "bytes=10-99");
    let part = Answer::of(part, &segment).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &whole.body[10..100]));
    forbidden(&cluster, master, &segment).await;
    it_goes_on_where_it_was_left(&cluster, &ada, &title, &id_of(&playback, "session_id")).await;
}

/// Positions of `session`, which is `ada`'s, come back as the place to resume, a row of the home page and an entry of the history.
async fn it_goes_on_where_it_was_left(cluster: &Cluster, ada: &Client, title: &str, session: &str) {
    let report = json!({ "position_s": 2.0, "state": "playing", "at": "2026-01-01T00:00:00Z" });
    ada.post(&format!("/playback/{session}/progress"), &report)
        .await
        .expect(204);
    let again = ada.post("/playback", &json!({ "title_id": title })).await.expect(200);
    assert_eq!(again["resume_at_s"], 2.0);
    let home = ada.get("/home").await.ok();
    let row = home["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["kind"] == "continue_watching")
        .cloned();
    assert_eq!(
        row.expect("a row to go on with")["items"][0]["title"]["progress"]["fraction"],
        json!(0.5)
    );
    let bob = cluster.viewer("bob").await;
    let report = json!({ "position_s": 1.0, "state": "paused" });
    assert_eq!(
        bob.post(&format!("/playback/{session}/progress"), &report)
            .await
            .problem(404),
        "playback_not_found"
    );
    let wrong = json!({ "position_s": -1.0, "state": "playing" });
    assert_eq!(
        ada.post(&format!("/playback/{session}/progress"), &wrong)
            .await
            .problem(422),
        "request_invalid"
    );
    let end = json!({ "position_s": 4.0, "state": "ended", "at": "2026-01-01T00:00:09Z" });
    ada.post(&format!("/playback/{session}/progress"), &end)
        .await
        .expect(204);
    assert_eq!(ada.get("/history").await.ok()["items"][0]["progress"]["finished"], true);
}

fn id_of(answer: &Value, name: &str) -> String {
    answer[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name}: {answer}"))
        .to_owned()
}

/// Altered, shortened, moved elsewhere, somebody else's: one answer for all.
async fn forbidden(cluster: &Cluster, master: &str, segment: &str) {
    let nobody = cluster.anonymous();
    let parts: Vec<&str> = master.split('/').collect();
    // /media/{playback}/{session}/{account}/{expires}/{signature}/…
    for place in 2..7 {
        let mut altered: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let last = altered[place].pop().expect("a part of the path");
        altered[place].push(if last == '1' { '2' } else { '1' });
        let path = altered.join("/");
        assert_eq!(
            nobody.get(&format!("/{path}")).await.problem(403),
            "media_forbidden",
            "{path}"
        );
    }
    for path in [
        "/media/x".to_owned(),
        segment.replace("/media/", "/media/../media/"),
        format!("{master}/../../../etc/passwd"),
    ] {
        let status = nobody.get(&format!("/{path}")).await.status.as_u16();
        assert!(matches!(status, 403 | 404) || path.contains(".."), "{path}: {status}");
    }
    // A person who says who they are must be the one it was signed for.
    let bob = cluster.viewer("eve").await;
    assert_eq!(bob.get(&format!("/{segment}")).await.problem(403), "media_forbidden");
}

/// Only its episodes can be played.
async fn refused_for_a_series(curator: &Client) {
    let series = json!({ "name": "The Wire", "kind": "series" });
    let series = id(&curator.post("/admin/titles", &series).await.expect(201));
    let metadata = format!(
        "filename {},title_id {}",
        STANDARD.encode("wire.mp4"),
        STANDARD.encode(series)
    );
    let create = curator
        .request(Method::POST, "/admin/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", 1_000)
        .header("upload-metadata", metadata);
    let refused = Answer::of(create, "an upload for a series").await;
    assert!(refused.text().contains("put the video on one of its episodes"));
    assert_eq!(refused.problem(400), "title_is_series");
}

/// tus 1.0 with a line that breaks once.
pub async fn upload(curator: &Client, title: &str, file: &std::path::Path) {
    let bytes = std::fs::read(file).expect("the clip");
    let metadata = format!(
        "filename {},title_id {}",
        STANDARD.encode("heat.mp4"),
        STANDARD.encode(title)
    );
    upload_bytes(curator, &metadata, &bytes).await;
}

/// Sends a file and says where it is.
pub async fn upload_bytes(curator: &Client, metadata: &str, bytes: &[u8]) -> String {
    let create = curator
        .request(Method::POST, "/admin/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", bytes.len())
        .header("upload-metadata", metadata);
    let created = Answer::of(create, "create an upload").await;
    assert_eq!(created.status.as_u16(), 201, "{}", created.text());
    let location = created.headers["location"].to_str().unwrap().to_owned();
    let half = bytes.len() / 2;
    for (from, to, status) in [(0, half, 204), (half - 10, bytes.len(), 409), (half, bytes.len(), 204)] {
        let piece = curator
            .request(Method::PATCH, &format!("/{location}"))
            .header("tus-resumable", "1.0.0")
            .header("upload-offset", from)
            .header("content-type", "application/offset+octet-stream")
            .body(bytes[from..to].to_vec());
        let answer = Answer::of(piece, "send a piece").await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    }
    location
}
