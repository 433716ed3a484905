//! Every route of the real server, asked by everybody there is.

use gateway::{Policy, table};
use reqwest::Method;
use testkit::{Client, Cluster};

/// Who asks: nobody, or a role from 0 (viewer) to 2 (admin).
fn refused(policy: Policy, role: Option<usize>) -> Option<u16> {
    match (policy, role) {
        // The tests come from this machine.
        (Policy::Public | Policy::WayIn | Policy::Operator, _) => None,
        // A made-up path is signed for nobody.
        (Policy::Media, _) => Some(403),
        (_, None) => Some(401),
        (Policy::SignedIn | Policy::Viewer, _) => None,
        (Policy::Curator, Some(role)) => (role < 1).then_some(403),
        (Policy::Admin, Some(role)) => (role < 2).then_some(403),
    }
}

#[tokio::test]
async fn every_route_keeps_its_policy() {
    let cluster = Cluster::one();
    let people: Vec<(Option<usize>, Client)> = vec![
        (None, cluster.anonymous()),
        (Some(0), cluster.viewer("viewer").await),
        (Some(1), cluster.person("curator", "curator").await),
        (Some(2), cluster.admin().await),
    ];
    for entry in table() {
        // These two end sessions, and would end the walk.
        let ends = ["/api/v1/auth/logout", "/api/v1/auth/logout-all"].contains(&entry.path.as_str());
        // A stream of events has no end; that it opens is another test's.
        if (ends && entry.policy == Policy::SignedIn) || entry.path == "/api/v1/events" {
            continue;
        }
        let path = entry
            .path
            .replace("{shape}", "poster")
            .replace("{version}", "1")
            .replace("{*path}", "x/y");
        let path = ["{id}", "{title_id}", "{session_id}", "{title}"]
            .iter()
            .fold(path, |path, name| path.replace(name, "z8"));
        for (role, client) in &people {
            if ends || (entry.path.ends_with("/refresh") && role.is_none()) {
                continue;
            }
            let answer = client.send(entry.method.clone(), &format!("/{path}"), None).await;
            let expected = refused(entry.policy, *role);
            let status = answer.status.as_u16();
            // Without a token in it a refresh is refused by itself.
            let got = matches!(status, 401 | 403)
                .then_some(status)
                .filter(|_| !entry.path.ends_with("/refresh"));
            assert_eq!(got, expected, "{} {path} as {role:?}: {}", entry.method, answer.text());
            assert!(
                status < 500 || status == 503,
                "{} {path} as {role:?}: {}",
                entry.method,
                answer.text()
            );
            if got.is_some() && entry.method != Method::HEAD {
                answer.problem(status);
            }
        }
    }
}

#[tokio::test]
async fn the_process_tells_how_it_is() {
    let cluster = Cluster::one();
    let nobody = cluster.anonymous();
    assert_eq!(nobody.get("//livez").await.text(), "ok\n");
    assert_eq!(nobody.get("//readyz").await.expect(200)["ready"], true);
    cluster.viewer("ada").await.get("/home").await.ok();
    let metrics = nobody.get("//metrics").await.text();
    for line in [
        "http_requests_total{method=\"GET\",route=\"/api/v1/home\",status=\"200\"} 1",
        "http_request_duration_seconds_bucket{method=\"GET\",route=\"/api/v1/home\",le=",
        "http_requests_in_flight",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let document = nobody.get("/openapi.json").await.json();
    assert_eq!(document, serde_json::to_value(gateway::document()).unwrap());
    // Addresses of the page are the page's, whatever they say; unknown ones below /api are problems.
    for page in [
        "//",
        "//homepage",
        "//content?id=z8",
        "//video?id=z8",
        "//profile",
        "//title/z8",
    ] {
        let answer = nobody.get(page).await;
        assert_eq!(answer.status.as_u16(), 200, "{page}");
        assert!(
            answer.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html"),
            "{page}"
        );
    }
    assert_eq!(nobody.get("/nothing").await.problem(404), "not_found");
}
