//! Watching together over the caches that stand before Kinora.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::json;
use testkit::{Client, Cluster, films::Film, until};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{LONG, edge::Edge, id};

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

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn join(url: &str, party: &str, who: &Client) -> Socket {
    let url = format!("{}/api/v1/parties/{party}/socket", url.replace("http://", "ws://"));
    let mut request = url.into_client_request().unwrap();
    let bearer = format!("Bearer {}", who.token.as_ref().unwrap());
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    connect_async(request).await.expect("the upgrade gets through").0
}

/// Until a message has these words.
async fn hear(socket: &mut Socket, words: &str) {
    let heard = tokio::time::timeout(LONG, async {
        loop {
            let message = socket.next().await.expect("it stays open").unwrap();
            if message.to_text().is_ok_and(|text| text.contains(words)) {
                return;
            }
        }
    });
    heard.await.unwrap_or_else(|_| panic!("no {words}"));
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
    let ping = json!({ "type": "ping", "sent_ms": 7 }).to_string();
    socket.send(Message::text(ping)).await.unwrap();
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
