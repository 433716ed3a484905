//! What curators read and change of a title, through the door of the catalogue.

use contract::{accounts::Role, catalog::YEARS, imports::FILES_MAX};
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

#[tokio::test]
async fn null_takes_away_what_is_absent_is_kept() {
    let world = World::new().await;
    let mut without_year = card(1, "Heat", 16);
    without_year["year"] = Value::Null;
    world.answers(
        "catalog.update",
        json!({
            "card": without_year, "original_name": null, "description": "", "credits": [], "place": null, "video": null,
            "external": [], "created_at": 0, "updated_at": 0,
        }),
    );
    let curator = world.as_role(Role::Curator);
    for (body, year, maturity, cleared) in [
        (json!({ "name": "Heat" }), json!(null), json!(null), json!([])),
        (json!({ "year": null }), json!(null), json!(null), json!(["year"])),
        (
            json!({ "year": 1995, "maturity": null }),
            json!(1995),
            json!(null),
            json!(["maturity"]),
        ),
        (json!({ "maturity": 0 }), json!(null), json!(0), json!([])),
    ] {
        let reply = curator
            .json(Method::PATCH, "/api/v1/admin/titles/1", body.clone())
            .await;
        assert_eq!(reply.status, 200, "{body}: {:?}", reply.body);
        let calls = world.calls("catalog.update");
        let asked = calls.last().unwrap();
        assert_eq!(
            (&asked["year"], &asked["maturity"], &asked["cleared"]),
            (&year, &maturity, &cleared),
            "{body}"
        );
    }
    for wrong in [
        json!({ "year": 1500 }),
        json!({ "year": YEARS.end() + 1 }),
        json!({ "maturity": 19 }),
    ] {
        let reply = curator
            .json(Method::PATCH, "/api/v1/admin/titles/1", wrong.clone())
            .await;
        assert_eq!(reply.problem(), (422, "request_invalid".into()), "{wrong}");
    }
}

#[tokio::test]
async fn as_many_files_as_an_import_takes_and_no_more() {
    let world = World::new().await;
    world.answers(
        "streaming.uploaded_file",
        json!({ "path": "/uploads/1", "filename": "ratings.dat", "bytes": 9 }),
    );
    world.refuses("imports.start", json!({ "refused": "enough" }));
    let curator = world.as_role(Role::Curator);
    for (files, refused_by) in [
        (0, "request_invalid"),
        (FILES_MAX, "import_refused"),
        (FILES_MAX + 1, "request_invalid"),
    ] {
        let ids: Vec<String> = (1..=files).map(|upload| format!("z{}", upload % 10)).collect();
        let body = json!({ "dataset": "movielens", "upload_ids": ids });
        let reply = curator.json(Method::POST, "/api/v1/admin/imports", body).await;
        assert_eq!(reply.problem().1, refused_by, "{files} files");
    }
}
