//! An orderly end: what was answered before it, and while it lasted, is kept.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Client, Clip, Cluster, client::PASSWORD, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{LONG, id, ids, rows};

/// People who watch one film. Positions are written behind once an hour: until then only an orderly end can save them.
struct Cinema {
    cluster: Cluster,
    title: String,
}

impl Cinema {
    async fn open() -> Self {
        let cluster = Cluster::launched(|_| (), |launch| launch.variable("KINORA_ACTIVITY__FLUSH_MS", "3600000"));
        let film = json!({ "name": "Solaris", "year": 1972, "genres": ["Drama"] });
        let title = id(&cluster.admin().await.post("/admin/titles", &film).await.expect(201));
        let clip = Clip::Ordinary { seconds: 4 }.file();
        let words = ["media", "add", &clip.to_string_lossy(), "--title", &title, "--wait"];
        cluster.command(&words).ok();
        Self { cluster, title }
    }

    /// Somebody new, and the path of their player's reports.
    async fn viewer(&self, name: &str) -> (Client, String) {
        let client = self.cluster.viewer(name).await;
        let playback = client
            .post("/playback", &json!({ "title_id": self.title }))
            .await
            .expect(200);
        let path = format!("/playback/{}/progress", playback["session_id"].as_str().unwrap());
        (client, path)
    }

    async fn positions(&self) -> Option<i64> {
        let sql = "SELECT COUNT(*) FROM states WHERE position_ms IS NOT NULL";
        rows::number(&self.cluster.data(), "activity", sql).await
    }

    /// After a restart, where this viewer's film goes on.
    async fn resumes_at(&self, name: &str) -> Value {
        let client = Client::log_in(self.cluster.url(), &format!("{name}@kinora.example"), PASSWORD).await;
        assert_eq!(ids(&client.get("/history").await.ok()), [self.title.as_str()], "{name}");
        let shown = client.get(&format!("/titles/{}", self.title)).await.ok();
        let playback = client.post("/playback", &json!({ "title_id": self.title })).await;
        assert_eq!(
            playback.expect(200)["resume_at_s"],
            shown["progress"]["position_s"],
            "{name}"
        );
        shown["progress"]["position_s"].clone()
    }
}

fn position(seconds: f64) -> Value {
    json!({ "position_s": seconds, "state": "playing" })
}

#[tokio::test]
async fn an_orderly_end_keeps_the_last_position_and_says_so_transcode() {
    let mut cinema = Cinema::open().await;
    let (ada, path) = cinema.viewer("ada").await;
    for seconds in [0.5, 1.0, 1.75] {
        ada.post(&path, &position(seconds)).await.expect(204);
    }
    assert_eq!(cinema.positions().await, Some(0), "a position was written through");
    assert!(cinema.cluster.server.stop().success());
    let log = cinema.cluster.server.log();
    assert!(log.contains("ended"), "{log}");
    assert_eq!(cinema.positions().await, Some(1));
    cinema.cluster.server.restart();
    assert_eq!(cinema.resumes_at("ada").await, 1.75);
}

/// A report whose beginning the server has read, and which waits for its end.
struct Unfinished {
    stream: TcpStream,
    rest: String,
}

impl Unfinished {
    async fn begin(client: &Client, path: &str, body: &Value) -> Self {
        let request = client.request(Method::POST, path).build().unwrap();
        let url = request.url();
        let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
        let body = body.to_string();
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {host}:{port}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            url.path(),
            client.token.as_ref().unwrap(),
            body.len()
        );
        let mut stream = TcpStream::connect((host, port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Said when the handler asks for the body: from here on the request is being answered.
        let mut said = [0; 64];
        let read = stream.read(&mut said).await.unwrap();
        let said = String::from_utf8_lossy(&said[..read]).into_owned();
        assert!(said.starts_with("HTTP/1.1 100"), "{said}");
        Self { stream, rest: body }
    }

    async fn finish(mut self) -> String {
        self.stream.write_all(self.rest.as_bytes()).await.unwrap();
        let mut said = String::new();
        self.stream.read_to_string(&mut said).await.unwrap();
        said
    }
}

/// The regular writing of positions ends when the server is told to; requests are answered for a while longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_came_while_the_server_drained_is_kept_transcode() {
    let mut cinema = Cinema::open().await;
    let (ada, before) = cinema.viewer("ada").await;
    let (bob, during) = cinema.viewer("bob").await;
    ada.post(&before, &position(1.25)).await.expect(204);
    let report = Unfinished::begin(&bob, &during, &position(2.5)).await;
    cinema.cluster.server.ask_to_stop();
    until("the last of the regular writes", LONG, async || {
        (cinema.positions().await == Some(1)).then_some(())
    })
    .await;
    let said = report.finish().await;
    assert!(said.starts_with("HTTP/1.1 204"), "{said}");
    assert!(cinema.cluster.server.stop().success());
    cinema.cluster.server.restart();
    assert_eq!(cinema.resumes_at("ada").await, 1.25);
    assert_eq!(cinema.resumes_at("bob").await, 2.5);
}
