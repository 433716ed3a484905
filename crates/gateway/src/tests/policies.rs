//! Every route, asked by everybody.

use contract::accounts::Role;
use http::Method;

use super::support::World;
use crate::{Policy, table};

/// What a policy answers before any handler runs: refused with this status, or passed on (`None`).
fn expected(policy: Policy, role: Option<Role>) -> Option<u16> {
    match (policy, role) {
        (Policy::Public | Policy::WayIn | Policy::Media, _) => None,
        // The tests' requests come from elsewhere.
        (Policy::Operator, _) => Some(403),
        (_, None) => Some(401),
        (Policy::SignedIn | Policy::Viewer, Some(_)) => None,
        (Policy::Curator, Some(role)) => (role < Role::Curator).then_some(403),
        (Policy::Admin, Some(role)) => (role < Role::Admin).then_some(403),
    }
}

#[tokio::test]
async fn every_route_keeps_its_policy() {
    let world = World::new().await;
    let table = table();
    assert!(table.len() > 60, "{}", table.len());
    for entry in &table {
        let path = entry
            .path
            .replace("{shape}", "poster")
            .replace("{version}", "1")
            .replace("{*path}", "x/y");
        let path = ["{id}", "{title_id}", "{session_id}", "{subtitles_id}", "{title}"]
            .iter()
            .fold(path, |path, name| path.replace(name, "z8"));
        assert!(!path.contains('{'), "{path}: name the part");
        for role in [None, Some(Role::Viewer), Some(Role::Curator), Some(Role::Admin)] {
            // Logging in again and again is limited on purpose.
            let client = role.map_or_else(|| world.anonymous(), |role| world.as_role(role));
            let reply = client
                .send(entry.method.clone(), &path, axum::body::Body::empty())
                .await;
            let refused = matches!(reply.status.as_u16(), 401 | 403).then_some(reply.status.as_u16());
            // With nothing to go on, these say so themselves.
            let asks_for_proof = ["/api/v1/auth/refresh"].contains(&entry.path.as_str());
            if asks_for_proof {
                continue;
            }
            assert_eq!(
                refused,
                expected(entry.policy, role),
                "{} {path} as {role:?}: {}",
                entry.method,
                reply.status
            );
            if refused.is_some() && entry.method != Method::HEAD {
                reply.problem();
            }
        }
    }
}

#[test]
fn the_ways_of_the_api_are_all_there_once() {
    let mut seen = std::collections::BTreeSet::new();
    for entry in table() {
        assert!(
            seen.insert(format!("{} {}", entry.method, entry.path)),
            "{entry:?} stands twice"
        );
        let admin = entry.path.starts_with("/api/v1/admin/");
        assert_eq!(
            admin,
            matches!(entry.policy, Policy::Curator | Policy::Admin),
            "{entry:?}"
        );
    }
    for route in [
        "POST /api/v1/auth/register",
        "GET /api/v1/home",
        "PUT /api/v1/titles/{id}/rating",
        "POST /api/v1/playback/{session_id}/progress",
        "POST /api/v1/playback/{session_id}/quality",
        "GET /media/{*path}",
        "GET /readyz",
    ] {
        assert!(seen.contains(route), "{route} is gone");
    }
}

#[tokio::test]
async fn metrics_are_for_this_machine() {
    let world = World::new().await;
    let reply = world.anonymous().get("/metrics").await;
    assert_eq!(reply.problem(), (403, "forbidden".into()));
    let open = World::with(crate::Config {
        metrics_public: true,
        ..crate::Config::default()
    })
    .await;
    assert_eq!(
        open.anonymous().get("/metrics").await.problem(),
        (404, "metrics_off".into())
    );
}
