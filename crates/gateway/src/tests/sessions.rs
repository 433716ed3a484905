//! Tokens, cookies, origins, profiles.

use contract::{
    EventId, SessionId,
    accounts::{Claims, Role},
    events::{Event, EventBody},
};
use http::Method;
use serde_json::json;

use super::support::{ACCOUNT, KIDS, SESSION, World};
use crate::{Config, hub};

fn event(body: EventBody) -> Event {
    Event {
        id: EventId(1),
        at: platform::clock::ManualClock::START_MS,
        body,
    }
}

#[tokio::test]
async fn only_good_tokens_prove_anything() {
    let world = World::new().await;
    world.answers("accounts.sessions", json!([]));
    let ask = async |token: String| {
        let client = world.anonymous().with("authorization", format!("Bearer {token}"));
        client.get("/api/v1/auth/sessions").await.status.as_u16()
    };
    let good = world.claims(Role::Viewer);
    assert_eq!(ask(world.token(Role::Viewer)).await, 200);
    let wrong = [
        Claims {
            iss: "else".into(),
            ..good.clone()
        },
        Claims {
            aud: "else".into(),
            ..good.clone()
        },
        Claims {
            exp: good.iat,
            ..good.clone()
        },
        // From the future: made before the clock was set back.
        Claims {
            iat: good.iat + 60 + 61,
            ..good.clone()
        },
        Claims {
            sid: SessionId(666),
            ..good.clone()
        },
    ];
    for claims in wrong {
        assert_eq!(ask(world.sign(&claims, "at+jwt", "k1")).await, 401, "{claims:?}");
    }
    assert_eq!(ask(world.sign(&good, "JWT", "k1")).await, 401, "another kind of token");
    assert_eq!(ask(world.sign(&good, "at+jwt", "k2")).await, 401, "an unknown key");
    let token = world.token(Role::Viewer);
    let (head, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(
        ask(format!("{head}.{}", signature.chars().rev().collect::<String>())).await,
        401
    );
    assert_eq!(ask(format!("{head}.")).await, 401);
    assert_eq!(ask("x".repeat(10_000)).await, 401);
    // `alg: none` and a symmetric algorithm with the public key are refused by the pinned algorithm.
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoiazEifQ.e30.";
    assert_eq!(ask(none.into()).await, 401);
}

#[tokio::test]
async fn strangers_tokens_do_not_make_us_ask_for_keys_all_the_time() {
    let world = World::new().await;
    for _ in 0..20 {
        let token = world.sign(&world.claims(Role::Viewer), "at+jwt", "unknown");
        world
            .anonymous()
            .with("authorization", format!("Bearer {token}"))
            .get("/api/v1/me")
            .await;
    }
    assert_eq!(world.calls("accounts.verification").len(), 1);
    world.clock.advance(5_001);
    let token = world.sign(&world.claims(Role::Viewer), "at+jwt", "unknown");
    world
        .anonymous()
        .with("authorization", format!("Bearer {token}"))
        .get("/api/v1/me")
        .await;
    assert_eq!(world.calls("accounts.verification").len(), 2);
}

#[tokio::test]
async fn an_ended_session_and_a_changed_role_count_at_once() {
    let world = World::new().await;
    world.answers("accounts.list", json!({ "items": [], "next": null }));
    let admin = world.as_role(Role::Admin);
    assert_eq!(admin.get("/api/v1/admin/users").await.status, 200);
    hub::take(
        &world.gateway,
        event(EventBody::RoleChanged {
            account: ACCOUNT,
            role: Role::Viewer,
        }),
    )
    .await;
    assert_eq!(
        admin.get("/api/v1/admin/users").await.problem(),
        (403, "forbidden".into())
    );
    let revoked = EventBody::SessionsRevoked {
        account: ACCOUNT,
        sessions: vec![SESSION],
    };
    hub::take(&world.gateway, event(revoked)).await;
    assert_eq!(admin.get("/api/v1/me").await.problem(), (401, "unauthenticated".into()));
}

#[tokio::test]
async fn an_open_stream_of_events_ends_with_its_session_for_curators_too() {
    use futures::StreamExt as _;
    use tower::ServiceExt as _;
    for role in [Role::Viewer, Role::Curator] {
        let world = World::new().await;
        world.answers("jobs.list", json!([]));
        let token = world.token(role);
        let request = http::Request::get("/api/v1/events").header("authorization", format!("Bearer {token}"));
        let request = request.body(axum::body::Body::empty()).unwrap();
        let open = world.edge.clone().oneshot(request).await.unwrap();
        assert_eq!(open.status(), 200);
        let revoked = EventBody::SessionsRevoked {
            account: ACCOUNT,
            sessions: vec![SESSION],
        };
        hub::take(&world.gateway, event(revoked)).await;
        let rest = open.into_body().into_data_stream().count();
        let rest = tokio::time::timeout(std::time::Duration::from_secs(5), rest).await;
        assert_eq!(rest, Ok(0), "{role:?}");
    }
}

#[tokio::test]
async fn an_expired_token_stops_counting_while_it_is_remembered() {
    let world = World::new().await;
    let viewer = world.viewer();
    assert_eq!(viewer.get("/api/v1/me").await.status, 200);
    world.clock.advance(601_000);
    assert_eq!(viewer.get("/api/v1/me").await.status, 401);
}

#[tokio::test]
async fn cookies_need_our_own_page() {
    let world = World::new().await;
    world.answers("activity.remove_from_list", json!({}));
    let cookie = format!("__Host-kinora_access={}", world.token(Role::Viewer));
    let browser = world.anonymous().with("cookie", cookie);
    assert_eq!(browser.get("/api/v1/me").await.status, 200);
    let path = "/api/v1/my-list/z8";
    let bare = browser.send(Method::DELETE, path, axum::body::Body::empty()).await;
    assert_eq!(bare.problem(), (403, "origin_refused".into()));
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "same-origin", 204),
        ("origin", "http://evil.example", 403),
        ("origin", "http://localhost:8080", 204),
    ] {
        let reply = browser
            .clone()
            .with(name, value)
            .send(Method::DELETE, path, axum::body::Body::empty())
            .await;
        assert_eq!(reply.status.as_u16(), status, "{name}: {value}");
    }
    // The weaker name is not believed where the stronger one is used.
    let weak = world
        .anonymous()
        .with("cookie", format!("kinora_access={}", world.token(Role::Viewer)));
    assert_eq!(weak.get("/api/v1/me").await.status, 401);
    // Another site cannot log its own account in here.
    let login = json!({ "email": "eve@example.org", "password": "x" });
    let foreign = world.anonymous().with("origin", "http://evil.example");
    assert_eq!(
        foreign.json(Method::POST, "/api/v1/auth/login", login).await.problem(),
        (403, "origin_refused".into())
    );
}

#[tokio::test]
async fn logging_in_sets_cookies_and_says_tokens() {
    let world = World::new().await;
    let me = super::support::me();
    world.answers(
        "accounts.login",
        json!({
            "account": me.account, "profiles": me.profiles, "session": SESSION, "access_token": "a.b.c",
            "refresh_token": "r1", "expires_in_s": 600, "refresh_expires_in_s": 3600,
        }),
    );
    let body = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let reply = world
        .anonymous()
        .with("user-agent", "x".repeat(500))
        .json(Method::POST, "/api/v1/auth/login", body)
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let cookies: Vec<_> = reply
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(cookies.len(), 2);
    assert!(
        cookies
            .iter()
            .all(|cookie| cookie.contains("HttpOnly") && cookie.contains("Secure")),
        "{cookies:?}"
    );
    let said = reply.json();
    assert_eq!(
        (&said["access_token"], &said["expires_in"]),
        (&json!("a.b.c"), &json!(600))
    );
    assert_eq!(said["account"]["role"], "viewer");
    let asked = &world.calls("accounts.login")[0]["client"];
    assert_eq!(asked["address"], "192.0.2.1");
    assert_eq!(asked["user_agent"].as_str().unwrap().len(), 200);
    world.refuses("accounts.login", json!({ "too_many_attempts": 42 }));
    let body = json!({ "email": "ada@example.org", "password": "wrong" });
    let reply = world.anonymous().json(Method::POST, "/api/v1/auth/login", body).await;
    assert_eq!(reply.problem(), (429, "too_many_attempts".into()));
    assert_eq!(reply.header("retry-after"), "42");
}

#[tokio::test]
async fn a_browser_gets_its_new_tokens_as_cookies_alone() {
    let world = World::new().await;
    let me = super::support::me();
    let signed_in = json!({
        "account": me.account, "profiles": me.profiles, "session": SESSION, "access_token": "a.b.c",
        "refresh_token": "r2", "expires_in_s": 600, "refresh_expires_in_s": 3600,
    });
    world.answers("accounts.refresh", signed_in);
    let path = "/api/v1/auth/refresh";
    let browser = world
        .anonymous()
        .with("cookie", "__Host-kinora_refresh=r1")
        .with("origin", "http://localhost:8080");
    let reply = browser.send(Method::POST, path, axum::body::Body::empty()).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    assert_eq!(world.calls("accounts.refresh")[0]["refresh_token"], "r1");
    assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 2);
    let said = reply.json();
    assert_eq!(
        (&said["account"]["name"], &said["expires_in"]),
        (&json!("Ada"), &json!(600))
    );
    let text = String::from_utf8_lossy(&reply.body);
    assert!(!text.contains("a.b.c") && !text.contains("r2"), "{text}");
    let client = world.anonymous();
    let said = client
        .json(Method::POST, path, json!({ "refresh_token": "r1" }))
        .await
        .json();
    assert_eq!(
        (&said["access_token"], &said["refresh_token"]),
        (&json!("a.b.c"), &json!("r2"))
    );
}

#[tokio::test]
async fn nobody_is_told_to_be_logged_out_who_is_not() {
    let world = World::new().await;
    let path = "/api/v1/auth/logout";
    let client = world.anonymous();
    let log_out = async || client.json(Method::POST, path, json!({ "refresh_token": "r1" })).await;
    world.refuses("accounts.refresh", json!({ "fault": { "unavailable": "x" } }));
    assert_eq!(log_out().await.problem(), (503, "unavailable".into()));
    world.refuses("accounts.refresh", json!("refresh_invalid"));
    assert_eq!(log_out().await.status, 204, "it is over already");
}

#[tokio::test]
async fn people_are_not_looked_for_by_what_does_not_print() {
    let world = World::new().await;
    world.answers("accounts.list", json!({ "items": [], "next": null }));
    let admin = world.as_role(Role::Admin);
    assert_eq!(admin.get("/api/v1/admin/users?q=ad%20a").await.status, 200);
    let reply = admin.get("/api/v1/admin/users?q=a%00b").await;
    assert_eq!(reply.problem(), (400, "query_invalid".into()));
    assert_eq!(world.calls("accounts.list").len(), 1);
}

#[tokio::test]
async fn a_profile_must_be_the_accounts_own() {
    let world = World::new().await;
    let said = world.viewer().get("/api/v1/me").await.json();
    assert_eq!(said["profile_id"], json!(super::support::PROFILE));
    let said = world
        .viewer()
        .with("x-profile", KIDS.to_string())
        .get("/api/v1/me")
        .await
        .json();
    assert_eq!(said["profile_id"], json!(KIDS));
    for foreign in ["z8", "not an id", ""] {
        let reply = world.viewer().with("x-profile", foreign).get("/api/v1/me").await;
        assert_eq!(reply.problem(), (404, "profile_not_found".into()), "{foreign}");
    }
}

#[tokio::test]
async fn all_addresses_of_one_customer_share_a_limit() {
    let world = World::with(Config {
        auth_requests_per_minute: 2,
        trusted_proxies: vec!["192.0.2.1".into()],
        ..Config::default()
    })
    .await;
    world.refuses("accounts.login", json!("credentials_wrong"));
    let log_in = async |address: &str| {
        let client = world.anonymous().with("x-forwarded-for", address);
        let body = json!({ "email": "ada@example.org", "password": "x" });
        client
            .json(Method::POST, "/api/v1/auth/login", body)
            .await
            .status
            .as_u16()
    };
    assert_eq!(log_in("2001:db8:1:2::1").await, 401);
    assert_eq!(log_in("2001:db8:1:2:ffff::2").await, 401);
    assert_eq!(log_in("2001:db8:1:2:3:4:5:6").await, 429);
    assert_eq!(log_in("2001:db8:1:3::1").await, 401);
}

#[tokio::test]
async fn ways_in_are_limited_by_address() {
    let world = World::with(Config {
        auth_requests_per_minute: 3,
        ..Config::default()
    })
    .await;
    world.refuses("accounts.login", json!("credentials_wrong"));
    let body = json!({ "email": "ada@example.org", "password": "x" });
    for _ in 0..3 {
        let reply = world
            .anonymous()
            .json(Method::POST, "/api/v1/auth/login", body.clone())
            .await;
        assert_eq!(reply.problem(), (401, "credentials_wrong".into()));
    }
    // A made-up forwarded address is not another address.
    let reply = world
        .anonymous()
        .with("x-forwarded-for", "198.51.100.7")
        .json(Method::POST, "/api/v1/auth/login", body)
        .await;
    assert_eq!(reply.problem(), (429, "too_many_requests".into()));
}
