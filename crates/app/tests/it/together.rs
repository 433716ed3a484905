//! Watching together in real browsers, over a line of 100 ms, and over the caches that stand before Kinora.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use testkit::{Browser, Client, Cluster, Line, films::Film, films::file, repository, until};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{
    LONG,
    edge::Edge,
    id,
    relay::{Relay, SECRET},
};

/// There and back.
const LINE: Duration = Duration::from_millis(100);
const SECONDS: u32 = 100;
const PASSWORD: &str = testkit::client::PASSWORD;

async fn film(cluster: &Cluster, seconds: u32) -> String {
    let title = json!({ "name": "Solaris" });
    let title = id(&cluster.admin().await.post("/admin/titles", &title).await.expect(201));
    let film = Film::new("160x90", "12", seconds).index_first().make("mp4");
    let words = [
        "media",
        "add",
        &film.path.to_string_lossy(),
        "--title",
        &title,
        "--wait",
    ];
    cluster.command(&words).ok();
    let admin = cluster.admin().await;
    until("the title to be playable", LONG, async || {
        (admin.get(&format!("/titles/{title}")).await.ok()["playable"] == true).then_some(())
    })
    .await;
    title
}

/// Who opens a party and who comes to it, as the scripts want them: over the line, each under a name of its own for this machine.
fn two_people(line: &Line) -> Value {
    let person = |name: &str, host: &str| {
        let email = format!("{name}@kinora.example");
        json!({ "url": line.url(host), "email": email, "password": PASSWORD })
    };
    json!({ "ann": person("ann", "127.0.0.1"), "ben": person("ben", "localhost") })
}

/// What a script saw; its figures are printed.
fn browse(cluster: &Cluster, script: &str, input: Value) -> JoinHandle<Value> {
    let browser = Browser::new(cluster.url());
    let script = repository().join("crates/app/tests/browser").join(script);
    tokio::task::spawn_blocking(move || {
        let seen = browser.run(&script, &input);
        eprintln!("{seen:#}");
        seen
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_two_people_on_a_long_line_watch_together() {
    let cluster = Cluster::one();
    let title = film(&cluster, SECONDS).await;
    for name in ["ann", "ben"] {
        cluster.viewer(name).await;
    }
    let line = Line::to(cluster.url(), LINE / 2).await;
    let mut input = two_people(&line);
    input["title"] = json!(title);
    input["seconds"] = json!(SECONDS);
    let seen = browse(&cluster, "together.mjs", input).await.expect("the browser ran");
    for window in ["findings", "narrowFindings"] {
        assert_eq!(seen[window], Value::Array(Vec::new()), "{window}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_a_party_outlives_its_server() {
    let mut cluster = Cluster::one();
    let title = film(&cluster, SECONDS).await;
    let ann = cluster.viewer("ann").await;
    let cem = cluster.viewer("cem").await;
    cluster.viewer("ben").await;
    let line = Line::to(cluster.url(), LINE / 2).await;
    let party = id(&ann.post("/parties", &json!({ "title_id": title })).await.expect(201));
    let mut input = two_people(&line);
    input["title"] = json!(title);
    input["party"] = json!(party);
    let mut browser = browse(&cluster, "together-restart.mjs", input);
    // Somebody who hears when it is time.
    let mut socket = join(cluster.url(), &party, &cem).await;
    tokio::select! {
        () = hear(&mut socket, "\"ready\"") => {}
        seen = &mut browser => panic!("it ended too early: {seen:?}"),
    }
    cluster.server.restart();
    line.lead_to(cluster.url());
    browser.await.expect("the browser ran");
}

/// Where no direct way is found, a call goes through the TURN server that the operator named, with the credentials made for each member.
#[tokio::test(flavor = "multi_thread")]
async fn browser_a_call_goes_through_a_relay() {
    let relay = Relay::start();
    let settings = file("kinora.toml", relay.settings(SECRET).as_bytes());
    let settings = ["--config", &settings.path.to_string_lossy()];
    let cluster = Cluster::launched(|_| (), |launch| launch.words(&settings));
    let title = film(&cluster, 2).await;
    let ann = cluster.viewer("ann").await;
    cluster.viewer("ben").await;
    let line = Line::to(cluster.url(), Duration::ZERO).await;
    let mut input = two_people(&line);
    input["title"] = json!(title);
    input["party"] = json!(id(&ann
        .post("/parties", &json!({ "title_id": title }))
        .await
        .expect(201)));
    let seen = browse(&cluster, "together-relay.mjs", input)
        .await
        .expect("the browser ran");
    assert_eq!(seen["ways"], json!([["relay", "relay"], ["relay", "relay"]]));
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn join(url: &str, party: &str, who: &Client) -> Socket {
    let url = format!("{}/api/v1/parties/{party}/socket", url.replace("http://", "ws://"));
    let mut request = url.into_client_request().unwrap();
    let bearer = format!("Bearer {}", who.token.as_ref().unwrap());
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    connect_async(request).await.expect("the upgrade gets through").0
}

/// Until a message has these words. Asks for the time meanwhile, as a page does: who says nothing for long is let go.
async fn hear(socket: &mut Socket, words: &str) {
    let mut asks = tokio::time::interval(Duration::from_secs(4));
    let heard = tokio::time::timeout(LONG, async {
        loop {
            tokio::select! {
                message = socket.next() => {
                    let message = message.expect("it stays open").unwrap();
                    if message.to_text().is_ok_and(|text| text.contains(words)) {
                        return;
                    }
                }
                _ = asks.tick() => socket.send(ping()).await.unwrap(),
            }
        }
    });
    heard.await.unwrap_or_else(|_| panic!("no {words}"));
}

fn ping() -> Message {
    Message::text(json!({ "type": "ping", "sent_ms": 7 }).to_string())
}

async fn a_party_gets_through(edge: fn(&str) -> Edge) {
    let cluster = Cluster::one();
    let title = film(&cluster, 2).await;
    let edge = edge(cluster.url());
    let ann = cluster.viewer("ann").await.at(&edge.url);
    let party = id(&ann.post("/parties", &json!({ "title_id": title })).await.expect(201));
    let path = format!("/parties/{party}/socket");
    assert_eq!(ann.get(&path).await.problem(426), "websocket_required");
    let mut socket = join(&edge.url, &party, &ann).await;
    hear(&mut socket, "\"pong\"").await;
}

#[tokio::test]
async fn a_party_gets_through_nginx() {
    a_party_gets_through(Edge::nginx).await;
}

#[tokio::test]
async fn a_party_gets_through_varnish() {
    a_party_gets_through(Edge::varnish).await;
}
