//! Segments as they leave a real server: in both versions of HTTP, whole and in part, to readers of every pace.

use std::{fs, path::PathBuf, time::Duration};

use reqwest::{Method, Version};
use serde_json::{Value, json};
use testkit::{Answer, Client, Clip, Cluster, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpSocket, TcpStream},
};

use crate::{LONG, id};

/// More than any socket holds.
const SEGMENT_BYTES: usize = 8_000_000;
const SLOW_READERS: usize = 300;
const GROWTH_BYTES_MAX: u64 = 40_000_000;

/// A server with one film whose first segment is large, and the signed path of that segment.
struct Cinema {
    cluster: Cluster,
    segment: Vec<u8>,
    path: String,
}

impl Cinema {
    async fn open() -> Self {
        let cluster = Cluster::one();
        let admin = cluster.admin().await;
        let title = id(&admin
            .post("/admin/titles", &json!({ "name": "Solaris" }))
            .await
            .expect(201));
        let clip = Clip::Ordinary { seconds: 4 }.file();
        let words = ["media", "add", &clip.to_string_lossy(), "--title", &title, "--wait"];
        cluster.command(&words).ok();
        let segment = enlarge(&cluster.data().join("blobs/assets"));
        until("the title to be playable", LONG, async || {
            (admin.get(&format!("/titles/{title}")).await.ok()["playable"] == true).then_some(())
        })
        .await;
        let playback = admin.post("/playback", &json!({ "title_id": title })).await.expect(200);
        let master = playback["hls_url"].as_str().unwrap();
        Self {
            path: master.replace("master.m3u8", "v0/1.m4s"),
            cluster,
            segment,
        }
    }

    fn address(&self) -> &str {
        self.cluster.url().trim_start_matches("http://")
    }

    /// Asks for the segment and reads no more than the head of the answer.
    async fn slow_reader(&self) -> BufReader<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8_000).unwrap();
        let stream = socket.connect(self.address().parse().unwrap()).await.unwrap();
        let mut stream = BufReader::with_capacity(1_000, stream);
        let head = format!("GET {} HTTP/1.1\r\nhost: {}\r\n\r\n", self.path, self.address());
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        while !said.ends_with(b"\r\n\r\n") {
            said.push(stream.read_u8().await.expect("a whole head"));
        }
        assert!(said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said));
        stream
    }
}

/// Makes the film's first segment a large one, in its file and in the index.
fn enlarge(assets: &std::path::Path) -> Vec<u8> {
    let asset: PathBuf = fs::read_dir(assets).unwrap().next().unwrap().unwrap().path();
    let index_file = asset.join("index.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&index_file).unwrap()).unwrap();
    index["video"][0]["bytes"][0] = json!(SEGMENT_BYTES);
    fs::write(index_file, index.to_string()).unwrap();
    let segment: Vec<u8> = (0..SEGMENT_BYTES as u64)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    fs::write(asset.join("v0/1.m4s"), &segment).unwrap();
    segment
}

async fn ask(client: &reqwest::Client, method: Method, url: &str, headers: &[(&str, &str)]) -> Answer {
    let request = client.request(method, url);
    let request = headers
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    Answer::of(request, url).await
}

#[tokio::test]
async fn a_segment_is_the_same_in_both_versions_of_http_transcode() {
    let cinema = Cinema::open().await;
    let url = format!("{}{}", cinema.cluster.url(), cinema.path);
    let one = platform::outbound::client().http1_only().build().unwrap();
    let two = platform::outbound::client().http2_prior_knowledge().build().unwrap();
    for (client, version) in [(&one, Version::HTTP_11), (&two, Version::HTTP_2)] {
        assert_eq!(client.get(&url).send().await.unwrap().version(), version);
        // No client is so modern that video would shrink for it.
        let whole = ask(client, Method::GET, &url, &[("accept-encoding", "br, gzip")]).await;
        assert_eq!(whole.status.as_u16(), 200);
        assert!(whole.body == cinema.segment && !whole.headers.contains_key("content-encoding"));
        for (range, from, to) in [
            ("bytes=0-0", 0, 1),
            ("bytes=1048575-1048576", 1_048_575, 1_048_577),
            ("bytes=7000000-", 7_000_000, SEGMENT_BYTES),
            ("bytes=-5", SEGMENT_BYTES - 5, SEGMENT_BYTES),
        ] {
            let part = ask(client, Method::GET, &url, &[("range", range)]).await;
            assert_eq!(part.status.as_u16(), 206, "{version:?} {range}");
            assert!(part.body == cinema.segment[from..to], "{version:?} {range}");
        }
        let etag = whole.headers["etag"].to_str().unwrap();
        let known = ask(client, Method::GET, &url, &[("if-none-match", etag)]).await;
        assert_eq!((known.status.as_u16(), known.body.len()), (304, 0), "{version:?}");
        let head = ask(client, Method::HEAD, &url, &[]).await;
        assert_eq!(head.headers["content-length"], SEGMENT_BYTES.to_string());
        // Many at once, in one connection where there is one.
        let all = futures_of(client, &url, 20).await;
        assert!(all.iter().all(|body| *body == cinema.segment), "{version:?}");
    }
}

async fn futures_of(client: &reqwest::Client, url: &str, count: usize) -> Vec<Vec<u8>> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (client, url) = (client.clone(), url.to_owned());
        tasks.spawn(async move { ask(&client, Method::GET, &url, &[]).await.body });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn slow_readers_cost_no_memory_and_get_what_they_asked_for_transcode() {
    let cinema = Cinema::open().await;
    let anonymous: Client = cinema.cluster.anonymous();
    let mut first = cinema.slow_reader().await;
    let before = cinema.cluster.server.resident_bytes();
    let mut readers = Vec::new();
    for _ in 0..SLOW_READERS {
        readers.push(cinema.slow_reader().await);
    }
    let url = format!("{}{}", cinema.cluster.url(), cinema.path);
    // Of HTTP/2, too, as many as a connection may have: these read no more than heads.
    let mut streams = Vec::new();
    for _ in 0..3 {
        let two = platform::outbound::client().http2_prior_knowledge().build().unwrap();
        for _ in 0..16 {
            streams.push(two.get(&url).send().await.unwrap());
        }
    }
    let grown = cinema.cluster.server.resident_bytes().saturating_sub(before);
    eprintln!(
        "{SLOW_READERS} slow readers and {} slow streams: {grown} bytes",
        streams.len()
    );
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes");
    let alive = tokio::time::timeout(Duration::from_secs(10), anonymous.get("//livez")).await;
    assert_eq!(alive.expect("others are answered").status.as_u16(), 200);
    let mut body = vec![0; SEGMENT_BYTES];
    first.read_exact(&mut body).await.unwrap();
    assert!(body == cinema.segment);
}
