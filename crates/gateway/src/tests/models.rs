//! The recommender's models: read as they were judged, and one of them put in service.

use contract::accounts::Role;
use http::Method;
use serde_json::{Value, json};

use super::support::World;

const PATH: &str = "/api/v1/admin/models";

fn known(id: &str, state: &str) -> Value {
    json!({
        "id": id, "state": state, "created_at": 0, "train_s": 4.5, "interactions": 100, "viewers": 10, "titles": 20,
        "metrics": [["ndcg@20", 0.25], ["ndcg@20 of popularity", 0.125]], "baseline": [["ndcg@20", 0.5]],
        "decision": "worse than the model in service",
    })
}

#[tokio::test]
async fn an_admin_goes_back_to_an_older_model() {
    let world = World::new().await;
    world.answers("recommend.models", [known("z9", "active"), known("z8", "ready")]);
    let admin = world.as_role(Role::Admin);
    let listed = admin.get(PATH).await.json();
    let shown: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["id"], &it["state"]))
        .collect();
    assert_eq!(
        shown,
        [(&json!("z9"), &json!("active")), (&json!("z8"), &json!("ready"))]
    );
    assert_eq!(
        listed["items"][1]["metrics"],
        json!([{ "name": "ndcg@20", "value": 0.25 }, { "name": "ndcg@20 of popularity", "value": 0.125 }])
    );

    world.answers("recommend.activate", known("z8", "active"));
    let reply = admin
        .json(Method::POST, &format!("{PATH}/z8/activate"), json!({}))
        .await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let said = reply.json();
    assert_eq!((&said["id"], &said["state"]), (&json!("z8"), &json!("active")));
    assert_eq!(said["baseline"], json!([{ "name": "ndcg@20", "value": 0.5 }]));
    assert_eq!(world.calls("recommend.activate"), [json!({ "model": "z8" })]);
}

#[tokio::test]
async fn a_model_that_cannot_serve_is_refused_by_its_name_and_only_admins_choose() {
    let world = World::new().await;
    let activate = format!("{PATH}/z8/activate");
    for role in [Role::Viewer, Role::Curator] {
        let reply = world.as_role(role).json(Method::POST, &activate, json!({})).await;
        assert_eq!(reply.status, 403, "{role:?}");
    }
    assert!(world.calls("recommend.activate").is_empty());
    let admin = world.as_role(Role::Admin);
    for (error, status, code) in [
        (json!("model_not_found"), 404, "model_not_found"),
        (
            json!({ "model_broken": "ials.safetensors is cut short" }),
            409,
            "model_broken",
        ),
    ] {
        world.refuses("recommend.activate", error);
        let reply = admin.json(Method::POST, &activate, json!({})).await;
        assert_eq!(reply.problem(), (status, code.into()));
    }
    let no_id = admin.json(Method::POST, &format!("{PATH}/O/activate"), json!({})).await;
    assert_eq!(no_id.problem(), (404, "not_found".into()));
}
