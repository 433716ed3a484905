//! A whole Kinora whose files lie in a bucket of a real S3 server.

use std::path::Path;

use platform::test_support::S3Server;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    Answer, Client, Cluster, Finished, Launch,
    films::{Film, Made, ffprobe, file},
    kinora, until,
};

use crate::{
    LONG, id,
    video::{ended_job, upload},
};

const SECONDS: u32 = 12;
const FRAMES: usize = 288;

/// A house, its bucket, and what says where that is.
struct House {
    server: S3Server,
    cluster: Cluster,
    settings: Made,
}

fn configuration(settings: &Made) -> [String; 2] {
    ["--config".into(), settings.path.to_string_lossy().into_owned()]
}

/// A command on a folder, with settings of its own.
fn run(data: &Path, words: &[&str], settings: &Made) -> Finished {
    let configuration = configuration(settings);
    let configuration: Vec<&str> = configuration.iter().map(String::as_str).collect();
    kinora(data, &[words, &configuration].concat(), "")
}

impl House {
    async fn new() -> Self {
        let server = S3Server::start().await;
        let settings = file("kinora.toml", server.settings().as_bytes());
        let [flag, path] = configuration(&settings);
        let cluster = Cluster::launched(|_| (), |launch| launch.words(&[&flag, &path]));
        Self {
            server,
            cluster,
            settings,
        }
    }

    /// Sends a film through the door, and waits until it plays: what a player is told.
    async fn film(&self) -> Value {
        let curator = self.cluster.person("curator", "curator").await;
        let title = json!({ "name": "Heat", "year": 1995 });
        let title = id(&curator.post("/admin/titles", &title).await.expect(201));
        let film = Film::new("320x180", "24", SECONDS).make("mp4");
        upload(&curator, &title, &film.path).await;
        let job = ended_job(&curator, &title).await;
        assert_eq!(job["state"], "done", "{job}");
        let ada = self.cluster.viewer("ada").await;
        until("the title to be playable", LONG, async || {
            let answer = ada.post("/playback", &json!({ "title_id": title })).await;
            answer.status.is_success().then(|| answer.ok())
        })
        .await
    }

    /// Segments of pictures and sound, by their paths.
    fn segments(playback: &Value) -> Vec<String> {
        let master = playback["hls_url"].as_str().unwrap();
        let segments = (1..=SECONDS / 2).flat_map(|number| ["v0", "a0"].map(|track| format!("{track}/{number}.m4s")));
        segments.map(|name| master.replace("master.m3u8", &name)).collect()
    }
}

async fn get(client: &Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client.request(Method::GET, &format!("/{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request, path).await
}

#[tokio::test]
async fn a_film_in_a_bucket_is_sent_there_plays_and_outlasts_an_outage_transcode() {
    let mut house = House::new().await;
    let playback = house.film().await;
    let on_disk = std::fs::read_dir(house.cluster.data().join("blobs"));
    assert_eq!(on_disk.map_or(0, Iterator::count), 0, "it is nowhere else");
    let master = format!("{}{}", house.cluster.url(), playback["hls_url"].as_str().unwrap());
    let words = [
        "-count_frames",
        "-select_streams",
        "v:0",
        "-show_entries",
        "stream=nb_read_frames",
    ];
    let played = ffprobe(&words, master.as_ref());
    assert!(played.contains(&FRAMES.to_string()), "{played:?}");

    let nobody = house.cluster.anonymous();
    let segment = &House::segments(&playback)[0];
    let whole = get(&nobody, segment, &[]).await;
    assert_eq!(whole.status.as_u16(), 200);
    let etag = whole.headers["etag"].to_str().unwrap();
    let part = get(&nobody, segment, &[("range", "bytes=10-99")]).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &whole.body[10..100]));
    let known = get(&nobody, segment, &[("if-none-match", etag)]).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    it_plays_on_through_an_outage(&mut house, &playback).await;
}

/// A server that has just been started has nothing in its memory. The bucket goes in the middle of a film, and comes back.
async fn it_plays_on_through_an_outage(house: &mut House, playback: &Value) {
    house.cluster.server.restart();
    let segments = House::segments(playback);
    let (first, rest) = segments.split_at(segments.len() / 2);
    let nobody = house.cluster.anonymous();
    for segment in first {
        assert_eq!(get(&nobody, segment, &[]).await.status.as_u16(), 200, "{segment}");
    }
    house.server.kill();
    for segment in first {
        assert_eq!(
            get(&nobody, segment, &[]).await.status.as_u16(),
            200,
            "{segment} was in memory"
        );
    }
    let refused = get(&nobody, &rest[0], &[]).await;
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.problem(503), "unavailable");
    let ready = nobody.get("//readyz").await;
    assert_eq!(
        (ready.status.as_u16(), ready.json()["failing"].clone()),
        (503, json!(["blobs"]))
    );
    assert!(house.cluster.server.log().contains("does not answer"));
    house.server.come_back().await;
    for segment in rest {
        let there = until("the segment", LONG, async || {
            let answer = get(&nobody, segment, &[]).await;
            (answer.status.as_u16() == 200).then_some(answer)
        });
        assert!(!there.await.body.is_empty(), "{segment}");
    }
}

#[tokio::test]
async fn a_bucket_comes_back_from_a_backup_into_another_transcode() {
    let house = House::new().await;
    let playback = house.film().await;
    let segment = &House::segments(&playback)[0];
    let before = get(&house.cluster.anonymous(), segment, &[]).await.body;
    let folder = tempfile::tempdir().unwrap();
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    let backup = backup.to_string_lossy();
    run(&house.cluster.data(), &["backup", &backup], &house.settings).ok();
    let said = run(&restored, &["restore", &backup], &house.settings).failed();
    assert!(
        said.contains("the bucket films") && said.contains("is not empty"),
        "{said}"
    );
    assert!(!restored.exists());
    let elsewhere = format!("{}prefix = \"again\"\n", house.server.settings());
    let elsewhere = file("again.toml", elsewhere.as_bytes());
    run(&restored, &["restore", &backup], &elsewhere).ok();
    assert!(!restored.join("blobs").exists());
    let [flag, path] = configuration(&elsewhere);
    let again = Launch::new(&restored).words(&[&flag, &path]).start();
    let after = get(&Client::anonymous(again.url()), segment, &[]).await;
    assert_eq!(after.status.as_u16(), 200);
    assert!(after.body == before);
    // And onto a disk.
    let on_disk = folder.path().join("on-disk");
    kinora(&on_disk, &["restore", &backup], "").ok();
    let again = Launch::new(&on_disk).start();
    assert!(get(&Client::anonymous(again.url()), segment, &[]).await.body == before);
}

#[tokio::test]
async fn a_bucket_that_cannot_be_used_is_named_at_the_start_and_by_the_doctor() {
    let server = S3Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let right = server.settings();
    let settings = file("kinora.toml", right.as_bytes());
    let [flag, path] = configuration(&settings);
    let mut house = Launch::new(&data).words(&[&flag, &path]).start();
    house.stop();
    let healthy = run(&data, &["doctor", "--json"], &settings);
    assert!(
        healthy.stdout.contains("the bucket films at http"),
        "{}",
        healthy.stdout
    );
    let endpoint = server.config().endpoint;
    for (wrong, words) in [
        (
            right.replace("the secret of", "not the secret of"),
            "SignatureDoesNotMatch",
        ),
        (right.replace("\"KINORA", "\"NOBODY"), "InvalidAccessKeyId"),
        (right.replace(&endpoint, "http://127.0.0.1:1"), "does not answer"),
    ] {
        let settings = file("wrong.toml", wrong.as_bytes());
        let [flag, path] = configuration(&settings);
        let said = Launch::new(&data)
            .words(&[&flag, &path])
            .try_start()
            .map(drop)
            .unwrap_err();
        assert!(said.contains(words) && said.contains("storage."), "{said}");
        assert!(!said.contains("the secret of"), "{said}");
        let examined = run(&data, &["doctor"], &settings);
        assert!(examined.stdout.contains(words), "{}", examined.stdout);
        assert!(!examined.stdout.contains("the secret of"), "{}", examined.stdout);
    }
    let elsewhere = file("wrong.toml", right.replace("\"films\"", "\"no-films\"").as_bytes());
    let examined = run(&data, &["doctor"], &elsewhere);
    assert!(
        examined.stdout.contains("there is not the bucket no-films"),
        "{}",
        examined.stdout
    );
}
