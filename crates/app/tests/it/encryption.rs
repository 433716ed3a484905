//! An encrypted film in a whole Kinora: who is given its key, and that it comes back from a backup with it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use testkit::{Client, Clip, Cluster, Launch, films::file, kinora, until};

use crate::{LONG, id};

const WITHIN: std::time::Duration = std::time::Duration::from_secs(60);

/// What stands behind a signed address, and how it may be kept.
async fn fetched(url: &str, path: &str) -> (Vec<u8>, String) {
    let answer = Client::anonymous(url).get(&format!("/{path}")).await;
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
    let kept = answer.headers["cache-control"].to_str().unwrap().to_owned();
    (answer.body, kept)
}

#[tokio::test]
async fn a_key_is_for_its_viewer_and_comes_back_from_a_backup_with_its_film_transcode() {
    let settings = file("kinora.toml", b"[streaming]\nencryption = \"aes-128\"\n");
    let settings = ["--config", &settings.path.to_string_lossy()];
    let cluster = Cluster::launched(|_| (), |launch| launch.words(&settings));
    let title = json!({ "name": "Solaris" });
    let title = id(&cluster.admin().await.post("/admin/titles", &title).await.expect(201));
    let clip = Clip::Ordinary { seconds: 4 }.file();
    let words = ["media", "add", &clip.to_string_lossy(), "--title", &title, "--wait"];
    let said = cluster.command(&[&words[..], &settings].concat()).ok();
    assert!(said.contains("encrypted"), "{said}");
    let ann = cluster.viewer("ann").await;
    let playback: Value = until("the title to be playable", LONG, async || {
        let answer = ann.post("/playback", &json!({ "title_id": title })).await;
        answer.status.is_success().then(|| answer.ok())
    })
    .await;
    assert_eq!(playback["dash_url"], Value::Null, "{playback}");
    let address = |file: &str| playback["hls_url"].as_str().unwrap().replace("master.m3u8", file);
    let (key, kept) = fetched(cluster.url(), &address("v0/key")).await;
    assert_eq!((key.len(), kept.as_str()), (16, "no-store"));
    let segment = fetched(cluster.url(), &address("v0/1.m4s")).await;
    assert!(segment.0.len() % 16 == 0 && segment.1.contains("immutable"));
    let eve = cluster.viewer("eve").await;
    let refused = eve.get(&format!("/{}", address("v0/key"))).await;
    assert_eq!(refused.problem(403), "media_forbidden");

    let folder = tempfile::tempdir().unwrap();
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    cluster.command(&["backup", &backup.to_string_lossy()]).ok();
    kinora(&restored, &["restore", &backup.to_string_lossy()], "").ok();
    // Whatever it is set to: the film is what it is.
    let again = Launch::new(&restored).start();
    assert_eq!(fetched(again.url(), &address("v0/key")).await.0, key);
    assert_eq!(fetched(again.url(), &address("v0/1.m4s")).await, segment);
    assert!(
        fetched(again.url(), &address("v0/index.m3u8"))
            .await
            .0
            .windows(7)
            .any(|tag| tag == b"AES-128")
    );

    ann.post("/auth/logout", &json!({})).await.expect(204);
    until("the end of the key", WITHIN, async || {
        let answer = cluster.anonymous().get(&format!("/{}", address("v0/key"))).await;
        (answer.status.as_u16() == 403).then_some(())
    })
    .await;
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let log = cluster.server.log();
    assert!(!log.is_empty() && !log.contains(&hex) && !log.contains(&STANDARD.encode(&key)));
}
