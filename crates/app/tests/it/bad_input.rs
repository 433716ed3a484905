//! Bad input at a whole server: refused by name, without a trace.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Clip, Cluster};

use crate::{id, titles_of};

#[tokio::test]
async fn requests_that_are_wrong() {
    let cluster = Cluster::with_library();
    let ada = cluster.viewer("ada").await;
    let title = titles_of(&ada, "Drama", 1).await.remove(0);
    let path = format!("/titles/{title}/rating");
    for body in [
        json!({ "stars": 0 }),
        json!({ "stars": 6 }),
        json!({ "stars": "five" }),
        json!({ "stars": 5, "colour": "red" }),
        json!({ "stars": null }),
        json!([5]),
    ] {
        assert_eq!(ada.put(&path, &body).await.problem(422), "request_invalid", "{body}");
    }
    assert_eq!(ada.rate("z8", 5.0).await.problem(404), "title_not_found");
    assert_eq!(
        ada.get(&format!("/titles/{title}")).await.ok()["my_rating"],
        Value::Null
    );
    let huge = ada
        .request(Method::PUT, &path)
        .header("content-type", "application/json")
        .body(vec![b' '; 10 << 20]);
    assert_eq!(Answer::of(huge, &path).await.problem(413), "body_too_large");
    let cursor = ada.get("/titles?genre=Western&limit=2").await.ok()["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        ada.get(&format!("/titles?genre=Horror&cursor={cursor}"))
            .await
            .problem(400),
        "cursor_invalid"
    );
    assert_eq!(ada.get("/titles?limit=100000").await.problem(400), "query_invalid");
    for (email, password, code) in [
        ("not an address", testkit::client::PASSWORD, "email_invalid"),
        ("eve@kinora.example", "short", "password_refused"),
        ("ada@kinora.example", testkit::client::PASSWORD, "email_taken"),
    ] {
        let body = json!({ "email": email, "password": password, "name": "Eve" });
        let answer = cluster.anonymous().post("/auth/register", &body).await;
        assert!(answer.status.is_client_error());
        assert_eq!(answer.json()["code"], code, "{email}");
    }
    for index in 1..5 {
        ada.post("/profiles", &json!({ "name": format!("P{index}") }))
            .await
            .expect(201);
    }
    assert_eq!(
        ada.post("/profiles", &json!({ "name": "P6" })).await.problem(409),
        "too_many_profiles"
    );
}

#[tokio::test]
async fn files_that_are_no_films_are_refused_with_the_reason_transcode() {
    let cluster = Cluster::one();
    let curator = cluster.person("curator", "curator").await;
    for clip in Clip::BROKEN {
        let title = curator
            .post("/admin/titles", &json!({ "name": format!("{clip:?}") }))
            .await
            .expect(201);
        let file = clip.file();
        let added = cluster.command(&["media", "add", &file.to_string_lossy(), "--title", &id(&title)]);
        if added.status == Some(0) {
            let job = crate::video::ended_job(&curator, &id(&title)).await;
            assert_eq!(job["state"], "failed", "{clip:?}: {job}");
            assert!(job["error"].as_str().is_some_and(|why| why.len() > 10), "{job}");
        } else {
            let said = added.failed();
            assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        }
        let shown = curator.get(&format!("/titles/{}", id(&title))).await.ok();
        assert_eq!(shown["playable"], false, "{clip:?}");
        assert_eq!(
            curator
                .post("/playback", &json!({ "title_id": id(&title) }))
                .await
                .problem(409),
            "not_playable"
        );
    }
}
