//! Parties over real sockets: what members say and are told, and who is kept out.

use std::{net::SocketAddr, time::Duration};

use contract::{
    ProfileId, SessionId, TitleId,
    accounts::Role,
    events::{Event, EventBody},
};
use futures::{SinkExt as _, StreamExt as _};
use http::{Method, StatusCode};
use platform::clock::ManualClock;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};
use tokio_util::sync::CancellationToken;

use super::support::{ACCOUNT, KIDS, PROFILE, SESSION, World, card, me, stock};
use crate::Config;

const SOON: Duration = Duration::from_secs(20);

/// The whole gateway behind a listener.
struct House {
    world: World,
    address: SocketAddr,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl House {
    async fn open() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let world = World::with(config).await;
        stock(&world, vec![card(5, "Heat", 16)]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(crate::serve(listener, world.edge.clone(), 100, stop.clone()));
        Self { world, address, stop }
    }

    /// Opens a party for the film; its id.
    async fn party(&self) -> String {
        let body = json!({ "title_id": TitleId(5), "position_s": 60.0 });
        let opened = self.world.viewer().json(Method::POST, "/api/v1/parties", body).await;
        assert_eq!(opened.status, 201, "{:?}", opened.body);
        opened.json()["id"].as_str().unwrap().to_owned()
    }

    async fn member(&self, party: &str) -> Member {
        self.knock(&format!("{party}/socket"), &[]).await.unwrap()
    }

    /// With the viewer's bearer, unless `headers` bring something else.
    async fn knock(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Member, StatusCode> {
        self.knock_with(path, headers, None).await
    }

    async fn knock_with(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        receive_buffer: Option<u32>,
    ) -> Result<Member, StatusCode> {
        let url = format!("ws://{}/api/v1/parties/{path}", self.address);
        let mut request = url.into_client_request().unwrap();
        if headers.is_empty() {
            let bearer = format!("Bearer {}", self.world.token(Role::Viewer));
            request.headers_mut().insert("authorization", bearer.parse().unwrap());
        }
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        let stream = socket.connect(self.address).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Member(socket)),
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    async fn happens(&self, body: EventBody) {
        let event = Event {
            id: 1.into(),
            at: ManualClock::START_MS,
            body,
        };
        crate::hub::take(&self.world.gateway, event).await;
    }
}

struct Member(WebSocketStream<TcpStream>);

impl Member {
    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message of this kind.
    async fn hear(&mut self, kind: &str) -> Value {
        let heard = tokio::time::timeout(SOON, async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let message: Value = serde_json::from_str(&text).unwrap();
                        if message["type"] == kind {
                            return message;
                        }
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("instead of {kind}: {other:?}"),
                }
            }
        });
        heard.await.unwrap_or_else(|_| panic!("no {kind}"))
    }

    /// The code that the connection is closed with.
    async fn end(&mut self) -> u16 {
        let ended = tokio::time::timeout(SOON, async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map_or(0, |frame| frame.code.into()),
                    Some(Ok(_)) => {}
                    other => panic!("no close frame: {other:?}"),
                }
            }
        });
        ended.await.expect("the connection ends")
    }

    async fn refused(&mut self, message: Value) -> String {
        self.say(message).await;
        self.hear("refused").await["code"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn members_see_one_film_and_talk() {
    let house = House::open().await;
    let id = house.party().await;
    let mut ann = house.member(&id).await;
    let welcome = ann.hear("welcome").await;
    assert_eq!((&welcome["you"], &welcome["chat"]), (&json!("1"), &json!([])));
    assert_eq!(ann.hear("state").await["position_s"], 60.0);
    ann.say(json!({ "type": "chat", "text": "is it on?" })).await;
    ann.hear("chat").await;

    let mut ben = house.member(&id).await;
    let late = ben.hear("welcome").await;
    assert_eq!(late["chat"][0]["text"], "is it on?");
    let members = ben.hear("members").await;
    assert_eq!(
        (members["host"].as_str(), members["members"].as_array().unwrap().len()),
        (Some("1"), 2)
    );

    ben.say(json!({ "type": "ping", "sent_ms": 12.5 })).await;
    let pong = ben.hear("pong").await;
    let [sent, received, answered] = ["sent_ms", "received_ms", "answered_ms"].map(|name| pong[name].as_f64().unwrap());
    assert!(
        sent == 12.5 && received <= answered && answered - received < 1_000.0,
        "{pong}"
    );

    let control = json!({ "type": "control", "playing": true, "position_s": 90.0, "rate": 1.0, "at_ms": answered });
    assert_eq!(ben.refused(control.clone()).await, "not_host");
    ann.say(control).await;
    let state = ben.hear("state").await;
    assert_eq!(
        (&state["playing"], &state["position_s"], &state["by"]),
        (&json!(true), &json!(90.0), &json!("1"))
    );

    let outline = house.world.viewer().get(&format!("/api/v1/parties/{id}")).await.json();
    assert_eq!((&outline["members"], &outline["host_name"]), (&json!(2), &json!("Ada")));
    assert!(outline["position_s"].as_f64().unwrap() >= 90.0, "{outline}");

    ann.say(json!({ "type": "leave" })).await;
    assert_eq!(ann.end().await, 1000);
    assert_eq!(ben.hear("members").await["host"], "2", "who stays is the host");
}

#[tokio::test]
async fn who_comes_back_has_the_seat_and_a_lost_party_its_id() {
    let house = House::open().await;
    let id = house.party().await;
    let mut ann = house.member(&id).await;
    let seat = ann.hear("welcome").await["seat"].as_str().unwrap().to_owned();
    let mut again = house.knock(&format!("{id}/socket?seat={seat}"), &[]).await.unwrap();
    assert_eq!(again.hear("welcome").await["you"], "1");
    assert_eq!(ann.end().await, 4005);

    let viewer = house.world.viewer();
    let open = |id: &str| {
        let body = json!({ "title_id": TitleId(5), "id": id, "playing": true });
        viewer.json(Method::POST, "/api/v1/parties", body)
    };
    assert_eq!(open(&id).await.problem(), (409, "party_open".into()));
    // As after a restart: nobody here knows it.
    let lost = "AAAAAAAAAAAAAAAAAAAAAA";
    let opened = open(lost).await;
    assert_eq!((opened.status.as_u16(), &opened.json()["id"]), (201, &json!(lost)));
    assert_eq!(open("short").await.problem(), (422, "request_invalid".into()));
}

#[tokio::test]
async fn only_who_may_see_the_title_comes_in_from_our_own_page() {
    let house = House::open().await;
    let id = house.party().await;
    let path = format!("{id}/socket");
    let token = house.world.token(Role::Viewer);
    let cookie = format!("__Host-kinora_access={token}");
    let bearer = format!("Bearer {token}");
    let own = format!("http://{}", house.address);
    for (headers, status) in [
        (vec![("x-nothing", "1")], 401),
        (vec![("authorization", "Bearer of bad news")], 401),
        (vec![("cookie", cookie.as_str())], 403),
        (
            vec![("cookie", cookie.as_str()), ("origin", "https://evil.example")],
            403,
        ),
        (vec![("cookie", cookie.as_str()), ("origin", "null")], 403),
    ] {
        let refused = house.knock(&path, &headers).await.err();
        assert_eq!(refused.map(|status| status.as_u16()), Some(status), "{headers:?}");
    }
    for headers in [
        vec![("cookie", cookie.as_str()), ("origin", own.as_str())],
        vec![("authorization", bearer.as_str())],
    ] {
        let mut member = house.knock(&path, &headers).await.unwrap();
        member.hear("welcome").await;
    }
    for (path, status) in [
        (format!("{id}/socket?profile={KIDS}"), 404),
        (format!("{id}/socket?profile={}", ProfileId(1)), 404),
        ("AAAAAAAAAAAAAAAAAAAAAA/socket".into(), 404),
        (format!("{id}/socket?seat=x"), 400),
        (format!("{id}/socket?more=x"), 400),
    ] {
        let refused = house.knock(&path, &[]).await.err();
        assert_eq!(refused.map(|status| status.as_u16()), Some(status), "{path}");
    }
    let viewer = house.world.viewer();
    let plain = viewer.get(&format!("/api/v1/parties/{path}")).await;
    assert_eq!(plain.problem(), (426, "websocket_required".into()));
    let kids = viewer.clone().with("x-profile", KIDS.to_string());
    assert_eq!(
        kids.get(&format!("/api/v1/parties/{id}")).await.problem(),
        (404, "party_not_found".into())
    );
    let body = json!({ "title_id": TitleId(5) });
    assert_eq!(
        kids.json(Method::POST, "/api/v1/parties", body).await.problem(),
        (404, "title_not_found".into())
    );
}

#[tokio::test]
async fn parties_of_an_account_have_a_limit() {
    let house = House::open().await;
    for _ in 0..5 {
        house.party().await;
    }
    let body = json!({ "title_id": TitleId(5) });
    let refused = house.world.viewer().json(Method::POST, "/api/v1/parties", body).await;
    assert_eq!(refused.problem(), (429, "too_many_requests".into()));
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_too_much_ends_it() {
    let house = House::open().await;
    let id = house.party().await;
    let mut member = house.member(&id).await;
    for message in [
        json!({ "type": "shout", "text": "fire" }),
        json!({ "type": "chat", "text": "a", "html": true }),
        json!(["leave"]),
        json!(7),
    ] {
        assert_eq!(member.refused(message.clone()).await, "message_invalid", "{message}");
    }
    member.0.send(Message::binary(vec![0_u8; 8])).await.unwrap();
    assert_eq!(member.hear("refused").await["code"], "message_invalid");
    assert_eq!(
        member.refused(json!({ "type": "hand_over", "member": "9" })).await,
        "member_not_found"
    );

    member.say(json!({ "type": "chat", "text": "x".repeat(30_000) })).await;
    assert_eq!(member.end().await, 1009);

    let mut member = house.member(&id).await;
    let huge = json!({ "type": "chat", "text": "x".repeat(200_000) }).to_string();
    // It may be cut off while it is still being sent.
    member.0.send(Message::text(huge)).await.ok();
    let heard = tokio::time::timeout(SOON, async {
        while let Some(Ok(message)) = member.0.next().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    });
    heard.await.expect("the connection ends");

    let mut member = house.member(&id).await;
    for _ in 0..400 {
        let ping = json!({ "type": "ping", "sent_ms": 0 }).to_string();
        if member.0.send(Message::text(ping)).await.is_err() {
            break;
        }
    }
    assert_eq!(member.end().await, 4003);
}

#[tokio::test]
async fn a_session_that_ends_ends_its_sockets() {
    let house = House::open().await;
    let id = house.party().await;
    let mut member = house.member(&id).await;
    member.hear("welcome").await;
    house
        .happens(EventBody::SessionsRevoked {
            account: ACCOUNT,
            sessions: vec![SessionId(SESSION.0 + 1)],
        })
        .await;
    member.say(json!({ "type": "ping", "sent_ms": 1 })).await;
    member.hear("pong").await;
    house
        .happens(EventBody::SessionsRevoked {
            account: ACCOUNT,
            sessions: vec![SESSION],
        })
        .await;
    assert_eq!(member.end().await, 4001);
    assert_eq!(
        house.knock(&format!("{id}/socket"), &[]).await.err(),
        Some(StatusCode::UNAUTHORIZED)
    );
}

#[tokio::test]
async fn an_access_token_that_runs_out_ends_its_socket() {
    let house = House::open().await;
    let id = house.party().await;
    let mut claims = house.world.claims(Role::Viewer);
    claims.exp = ManualClock::START_MS / 1000 + 1;
    let bearer = format!("Bearer {}", house.world.sign(&claims, "at+jwt", "k1"));
    let headers = [("authorization", bearer.as_str())];
    let mut member = house.knock(&format!("{id}/socket"), &headers).await.unwrap();
    assert_eq!(member.end().await, 4001);
}

#[tokio::test]
async fn a_profile_that_may_not_see_the_title_any_more_is_let_go() {
    let house = House::open().await;
    let id = house.party().await;
    let mut member = house.member(&id).await;
    member.hear("welcome").await;
    let mut stricter = me();
    stricter.profiles[0].maturity_max = 12;
    house.world.answers("accounts.me", stricter);
    let changed = EventBody::ProfileChanged {
        account: ACCOUNT,
        profile: PROFILE,
    };
    house.happens(changed).await;
    assert_eq!(member.end().await, 4004);

    house.world.answers("accounts.me", me());
    house
        .happens(EventBody::ProfileChanged {
            account: ACCOUNT,
            profile: PROFILE,
        })
        .await;
    let mut member = house.member(&id).await;
    member.hear("welcome").await;
    stock(&house.world, Vec::new());
    let titles = vec![TitleId(5)];
    house.happens(EventBody::TitlesChanged { titles }).await;
    assert_eq!(member.end().await, 4004);
}

#[tokio::test]
async fn ways_for_the_call_are_told_to_who_joins_it_and_signals_to_who_they_are_for() {
    let together = serde_json::from_value(json!({ "ice_servers": [
        { "urls": ["turn:turn.example.org:3478"], "secret": "north" },
    ]}))
    .unwrap();
    let config = Config {
        together,
        ..Config::default()
    };
    let house = House::with(config).await;
    let id = house.party().await;
    let mut ann = house.member(&id).await;
    let mut ben = house.member(&id).await;
    let mut cem = house.member(&id).await;
    let offer = |to: &str| json!({ "type": "offer", "to": to, "sdp": "v=0" });
    assert_eq!(ann.refused(offer("2")).await, "not_in_call");
    for member in [&mut ann, &mut ben] {
        member.say(json!({ "type": "voice", "on": true, "muted": true })).await;
        let servers = member.hear("ice").await;
        let username = servers["servers"][0]["username"].as_str().unwrap();
        assert!(username.ends_with(&format!(":{ACCOUNT}")), "{servers}");
        assert!(!servers.to_string().contains("north"), "{servers}");
    }
    ann.say(offer("2")).await;
    assert_eq!(
        ben.hear("offer").await,
        json!({ "type": "offer", "from": "1", "sdp": "v=0" })
    );
    assert_eq!(cem.refused(offer("1")).await, "not_in_call");
    assert_eq!(ann.refused(offer("77")).await, "member_not_found");

    let page = house.world.anonymous().get("/livez").await;
    let allowed = page.header("permissions-policy");
    assert!(
        allowed.contains("microphone=(self)") && allowed.contains("camera=()"),
        "{allowed}"
    );
}

#[tokio::test]
async fn who_takes_nothing_is_let_go_and_the_others_are_told() {
    let house = House::open().await;
    let id = house.party().await;
    let mut ann = house.member(&id).await;
    let mut slow = house
        .knock_with(&format!("{id}/socket"), &[], Some(4096))
        .await
        .unwrap();
    for member in [&mut ann, &mut slow] {
        member.say(json!({ "type": "voice", "on": true, "muted": true })).await;
        member.hear("ice").await;
    }
    let long = json!({ "type": "offer", "to": "2", "sdp": "v".repeat(16_000) });
    for _ in 0..250 {
        ann.say(long.clone()).await;
    }
    loop {
        let members = ann.hear("members").await;
        if members["members"][1]["present"] == json!(false) {
            break;
        }
    }
}
