//! What curators read and change of a title, through the door of the catalogue.

use contract::accounts::Role;
use http::Method;
use serde_json::{Value, json};

use super::support::{KIDS, World, card, stock};

#[tokio::test]
async fn a_curator_reads_all_of_a_title_that_their_profile_may_not_watch() {
    let world = World::new().await;
    let mut hidden = card(1, "Heat", 16);
    hidden["published"] = json!(false);
    stock(&world, vec![hidden]);
    let kid = KIDS.to_string();
    let curator = world.as_role(Role::Curator).with("x-profile", kid.clone());
    assert_eq!(
        curator.get("/api/v1/titles/1").await.problem(),
        (404, "title_not_found".into())
    );
    let reply = curator.get("/api/v1/admin/titles/1").await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let title = reply.json();
    assert_eq!(title["description"], "A thief and a detective.");
    assert_eq!((&title["name"], &title["published"]), (&json!("Heat"), &json!(false)));
    assert_eq!((&title["people"], &title["place"]), (&json!([]), &Value::Null));
    let viewer = world.viewer().with("x-profile", kid);
    assert_eq!(viewer.get("/api/v1/admin/titles/1").await.problem().0, 403);
    assert_eq!(
        curator.get("/api/v1/admin/titles/9").await.problem(),
        (404, "title_not_found".into())
    );
}
