//! nginx and Varnish with the configurations of `deploy/` before a real server: what they keep is served to whoever may have it, and
//! to nobody else.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    Answer, Client, Cluster,
    films::{Film, file},
    until,
};

use crate::{LONG, edge::Edge, id};

const ANSWER_MAX: Duration = Duration::from_secs(30);
/// What is promised of whatever ends.
const MEDIA_ENDS_WITHIN: Duration = Duration::from_secs(60);
const FOR_HALF_A_DAY: &str = "[streaming]\nplayback_s = 43200\n";
/// An initialisation segment, subtitles, and a sheet of a storyboard.
const OTHERS: [&str; 3] = ["v0/init.mp4", "s0/1.vtt", "b0/1.jpg"];
/// Short enough to wait for; and keys end as all else does.
const SHORT_AND_ENCRYPTED: &str = "[streaming]\nplayback_s = 15\nencryption = \"aes-128\"\n";

/// A film, and people who watch it through a cache.
struct Cinema {
    cluster: Cluster,
    edge: Edge,
    title: String,
    /// The first segment, as Kinora has it.
    segment: Vec<u8>,
    /// What else never changes, with the bytes that Kinora has.
    others: Vec<(&'static str, Vec<u8>)>,
}

impl Cinema {
    async fn open(edge: fn(&str) -> Edge, settings: &str) -> Self {
        let settings = file("kinora.toml", settings.as_bytes());
        let settings = settings.path.to_string_lossy();
        let cluster = Cluster::launched(|_| (), |launch| launch.words(&["--config", &settings]));
        let title = json!({ "name": "Solaris" });
        let title = id(&cluster.admin().await.post("/admin/titles", &title).await.expect(201));
        // Long enough to be compressed for who takes that.
        let text = format!("1\n00:00:01,000 --> 00:00:03,000\n{}\n", "Good evening. ".repeat(100));
        let text = file("subtitles.srt", text.as_bytes());
        let film = Film::new("320x180", "24", 4)
            .input(&["-i", &text.path.to_string_lossy()])
            .and(&["-c:s", "srt"])
            .make("mkv");
        let words = [
            "media",
            "add",
            &film.path.to_string_lossy(),
            "--title",
            &title,
            "--wait",
            "--config",
            &settings,
        ];
        cluster.command(&words).ok();
        let ann = cluster.viewer("ann").await;
        until("the title to be playable", LONG, async || {
            (ann.get(&format!("/titles/{title}")).await.ok()["playable"] == true).then_some(())
        })
        .await;
        let direct = Watched::press(&ann, &title).await;
        let segment = direct.get(&cluster.anonymous()).await;
        assert_eq!(segment.status.as_u16(), 200);
        let mut others = Vec::new();
        for name in OTHERS {
            let answer = direct.beside(name).get(&cluster.anonymous()).await;
            assert_eq!(answer.status.as_u16(), 200, "{name}");
            others.push((name, answer.body));
        }
        Self {
            edge: edge(cluster.url()),
            segment: segment.body,
            others,
            cluster,
            title,
        }
    }

    /// Somebody new, who does everything through the cache.
    async fn viewer(&self, name: &str) -> Client {
        self.cluster.viewer(name).await.at(&self.edge.url)
    }

    fn nobody(&self) -> Client {
        Client::anonymous(&self.edge.url)
    }

    /// Watches: the right bytes, and whether they were kept.
    async fn takes(&self, who: &Client, watched: &Watched) -> String {
        let answer = watched.get(who).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        assert!(answer.body == self.segment);
        answer.headers["x-cache"].to_str().unwrap().to_owned()
    }

    async fn is_refused(&self, who: &Client, path: &str) {
        let answer = who.get(&format!("/{path}")).await;
        assert_eq!(answer.problem(403), "media_forbidden", "{path}");
    }
}

/// A press of play: the signed path of the first segment.
struct Watched(String);

impl Watched {
    async fn press(who: &Client, title: &str) -> Self {
        let playback: Value = who.post("/playback", &json!({ "title_id": title })).await.expect(200);
        Self(playback["hls_url"].as_str().unwrap().replace("master.m3u8", "v0/1.m4s"))
    }

    /// Another file of the same asset.
    fn beside(&self, name: &str) -> Self {
        Self(self.0.replace("v0/1.m4s", name))
    }

    async fn get(&self, who: &Client) -> Answer {
        who.get(&format!("/{}", self.0)).await
    }

    async fn get_with(&self, who: &Client, name: &str, value: &str) -> Answer {
        let request = who.request(Method::GET, &format!("/{}", self.0)).header(name, value);
        Answer::of(request, &self.0).await
    }
}

async fn what_is_kept_is_for_those_who_may_have_it(edge: fn(&str) -> Edge) {
    let cinema = Cinema::open(edge, FOR_HALF_A_DAY).await;
    let (ada, bob, nobody) = (cinema.viewer("ada").await, cinema.viewer("bob").await, cinema.nobody());
    let (adas, bobs) = (
        Watched::press(&ada, &cinema.title).await,
        Watched::press(&bob, &cinema.title).await,
    );
    assert_eq!(cinema.takes(&nobody, &adas).await, "MISS", "the first viewer fills");
    assert_eq!(cinema.takes(&nobody, &adas).await, "HIT");
    assert_eq!(
        cinema.takes(&bob, &bobs).await,
        "HIT",
        "another signature, the same segment"
    );
    parts_and_validators(&cinema, &bobs).await;
    the_others_are_kept_too(&cinema, &adas, &bobs).await;
    // Somebody else who says who they are, however they say it.
    cinema.is_refused(&bob, &adas.0).await;
    let cookie = format!("__Host-kinora_access={}", bob.token.as_ref().unwrap());
    let known = nobody.request(Method::GET, "/me").header("cookie", &cookie);
    assert_eq!(Answer::of(known, "/me").await.status.as_u16(), 200);
    let answer = adas.get_with(&nobody, "cookie", &cookie).await;
    assert_eq!(answer.problem(403), "media_forbidden");
    assert_eq!(cinema.takes(&ada, &adas).await, "HIT");
    altered(&cinema, &adas.0).await;
    // Manifests are one person's and never kept.
    let manifest = adas.0.replace("v0/1.m4s", "master.m3u8");
    let answer = nobody.get(&format!("/{manifest}")).await;
    assert!(answer.status.is_success() && !answer.headers.contains_key("x-cache"));
}

/// Also where the one takes another encoding than the other.
async fn the_others_are_kept_too(cinema: &Cinema, adas: &Watched, bobs: &Watched) {
    let nobody = cinema.nobody();
    for (name, bytes) in &cinema.others {
        let (adas, bobs) = (adas.beside(name), bobs.beside(name));
        let filled = adas.get(&nobody).await;
        assert_eq!(filled.headers["x-cache"], "MISS", "{name}");
        let kept = bobs.get_with(&nobody, "accept-encoding", "identity, x-none").await;
        assert_eq!(kept.headers["x-cache"], "HIT", "{name}");
        assert!(filled.body == *bytes && kept.body == *bytes, "{name}");
        let parts: Vec<&str> = adas.0.split('/').collect();
        let wrong = adas.0.replace(parts[6], "AAAAAAAAAAAAAAAAAAAAAA");
        cinema.is_refused(&nobody, &wrong).await;
    }
}

async fn parts_and_validators(cinema: &Cinema, watched: &Watched) {
    let nobody = cinema.nobody();
    let part = watched.get_with(&nobody, "range", "bytes=10-99").await;
    assert_eq!(part.status.as_u16(), 206);
    assert!(part.body == cinema.segment[10..100]);
    let whole = watched.get(&nobody).await;
    let etag = whole.headers["etag"].to_str().unwrap();
    let known = watched.get_with(&nobody, "if-none-match", etag).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    let head = nobody.request(Method::HEAD, &format!("/{}", watched.0));
    let head = Answer::of(head, "HEAD").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert!(whole.headers["cache-control"].to_str().unwrap().contains("immutable"));
}

async fn altered(cinema: &Cinema, path: &str) {
    let nobody = cinema.nobody();
    let parts: Vec<&str> = path.split('/').collect();
    // /media/{playback}/{session}/{account}/{expires}/{signature}/{asset}/…
    for place in 2..8 {
        let mut altered: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let last = altered[place].pop().unwrap();
        altered[place].push(if last == '1' { '2' } else { '1' });
        cinema.is_refused(&nobody, &altered.join("/")).await;
    }
    let unsigned = format!("/media/{}/v0/1.m4s", parts[7]);
    cinema.is_refused(&nobody, &unsigned).await;
    // What a cache says to itself means nothing from outside.
    let wrong = path.replace(parts[6], "AAAAAAAAAAAAAAAAAAAAAA");
    for (name, value) in [("x-kinora-step", "segment"), ("x-kinora-url", path)] {
        let request = nobody
            .request(Method::GET, &format!("/{wrong}"))
            .header(name, value)
            .header("x-kinora-step", "segment");
        assert_eq!(Answer::of(request, name).await.problem(403), "media_forbidden");
    }
    for inside in ["/.kinora-check", "/@kinora"] {
        let answer = nobody.get(&format!("/{inside}")).await;
        assert!(answer.body != cinema.segment, "{inside}");
    }
    let there_is_none = path.replace("v0/1.m4s", "v0/999.m4s");
    let answer = nobody.get(&format!("/{there_is_none}")).await;
    assert_eq!(answer.problem(404), "media_not_found");
}

async fn what_has_ended_is_over(edge: fn(&str) -> Edge) {
    let cinema = Cinema::open(edge, SHORT_AND_ENCRYPTED).await;
    let (ada, bob, nobody) = (cinema.viewer("ada").await, cinema.viewer("bob").await, cinema.nobody());
    let (adas, bobs) = (
        Watched::press(&ada, &cinema.title).await,
        Watched::press(&bob, &cinema.title).await,
    );
    cinema.takes(&nobody, &adas).await;
    assert_eq!(cinema.takes(&nobody, &bobs).await, "HIT");
    // A key is kept by nobody on the way, and each time it is asked whether it may be given out.
    let adas_key = adas.beside("v0/key");
    for _ in 0..2 {
        let key = adas_key.get(&nobody).await;
        assert_eq!((key.status.as_u16(), key.body.len()), (200, 16));
        assert!(key.headers["cache-control"] == "no-store" && !key.headers.contains_key("x-cache"));
    }
    cinema.is_refused(&bob, &adas_key.0).await;
    ada.post("/auth/logout", &json!({})).await.expect(204);
    until("the end of its key", MEDIA_ENDS_WITHIN, async || {
        (adas_key.get(&nobody).await.status.as_u16() == 403).then_some(())
    })
    .await;
    until("the end after logging out", MEDIA_ENDS_WITHIN, async || {
        (adas.get(&nobody).await.status.as_u16() == 403).then_some(())
    })
    .await;
    until("the end of the signature", MEDIA_ENDS_WITHIN, async || {
        (bobs.get(&nobody).await.status.as_u16() == 403).then_some(())
    })
    .await;
    let again = Watched::press(&bob, &cinema.title).await;
    assert_eq!(cinema.takes(&bob, &again).await, "HIT", "the segment is still kept");
}

#[tokio::test]
async fn a_browser_speaks_http_2_with_nginx_and_gets_the_same_transcode() {
    let cinema = Cinema::open(Edge::nginx_with_tls, FOR_HALF_A_DAY).await;
    let viewer = cinema.cluster.viewer("ada").await;
    let watched = Watched::press(&viewer, &cinema.title).await;
    let url = format!("{}{}", cinema.edge.url, watched.0);
    let body = cinema.cluster.data().join("body");
    let curl = |words: &[&str]| {
        let said = Command::new("curl")
            .args([
                "-sS",
                "--insecure",
                "--http2",
                "-w",
                "%{http_version} %{http_code}",
                "-o",
            ])
            .arg(&body)
            .args(words)
            .output()
            .expect("curl, which the tests need: apt-get install -y curl");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        (String::from_utf8(said.stdout).unwrap(), fs::read(&body).unwrap())
    };
    for _ in ["filled", "kept"] {
        let (said, whole) = curl(&[&url]);
        assert_eq!(said, "2 200");
        assert!(whole == cinema.segment);
    }
    let (said, part) = curl(&["-r", "5-104", &url]);
    assert_eq!(said, "2 206");
    assert!(part == cinema.segment[5..105]);
    let (said, _) = curl(&[&url.replace(&watched.0, &watched.0.replace("v0/1.m4s", "v0/2.m4s"))]);
    assert_eq!(said, "2 200");
    let parts: Vec<&str> = watched.0.split('/').collect();
    let (said, _) = curl(&[&url.replace(parts[6], "AAAAAAAAAAAAAAAAAAAAAA")]);
    assert_eq!(said, "2 403");
}

/// Whoever asks for another protocol and is refused gets no connection of their own behind the cache.
fn another_protocol_opens_no_way_in(edge: fn(&str) -> Edge) {
    let cluster = Cluster::one();
    let edge = edge(cluster.url());
    assert_eq!(statuses(&edge, "/livez", "upgrade: x"), ["200", "403"]);
    // A party's socket is let through, so what comes after a refusal might be taken for its bytes.
    let socket = "/api/v1/parties/AAAAAAAAAAAAAAAAAAAAAA/socket";
    let websocket = "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==";
    for asked in [
        websocket,
        "upgrade: websocket",
        "upgrade: WebSocket\r\nexpect: 100-continue",
    ] {
        let statuses = statuses(&edge, socket, asked);
        assert_eq!(statuses[0], "401", "{asked}: {statuses:?}");
        let others = &statuses[1..];
        assert!(others.iter().all(|status| status == "403"), "{asked}: {statuses:?}");
    }
}

/// Of a request for another protocol, and of one for what nobody outside may see on the same connection.
fn statuses(edge: &Edge, path: &str, upgrade: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(edge.url.strip_prefix("http://").unwrap()).unwrap();
    let asked = format!(
        "GET {path} HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\n{upgrade}\r\n\r\n\
         GET /metrics HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).unwrap();
    stream.set_read_timeout(Some(ANSWER_MAX)).unwrap();
    let mut answers = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answers) {
        // Closed upon what was not heard any more.
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    String::from_utf8_lossy(&answers)
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer.split(' ').next().unwrap().to_owned())
        // Which is only said meanwhile.
        .filter(|status| status != "100")
        .collect()
}

#[test]
fn another_protocol_opens_no_way_in_at_nginx() {
    another_protocol_opens_no_way_in(Edge::nginx);
}

#[test]
fn another_protocol_opens_no_way_in_at_varnish() {
    another_protocol_opens_no_way_in(Edge::varnish);
}

#[tokio::test]
async fn nginx_keeps_segments_for_those_who_may_have_them_transcode() {
    what_is_kept_is_for_those_who_may_have_it(Edge::nginx).await;
}

#[tokio::test]
async fn varnish_keeps_segments_for_those_who_may_have_them_transcode() {
    what_is_kept_is_for_those_who_may_have_it(Edge::varnish).await;
}

#[tokio::test]
async fn what_has_ended_is_over_at_nginx_transcode() {
    what_has_ended_is_over(Edge::nginx).await;
}

#[tokio::test]
async fn what_has_ended_is_over_at_varnish_transcode() {
    what_has_ended_is_over(Edge::varnish).await;
}
