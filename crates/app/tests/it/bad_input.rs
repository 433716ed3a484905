//! Bad input at a whole server: refused by name, without a trace.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Clip, Cluster, until};

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
async fn an_import_that_is_refused_leaves_its_uploads() {
    let cluster = Cluster::one();
    let curator = cluster.person("curator", "curator").await;
    let send = async |text: &str| {
        let metadata = format!(
            "purpose {},filename {}",
            STANDARD.encode("dataset"),
            STANDARD.encode("a")
        );
        crate::video::upload_bytes(&curator, &metadata, text.as_bytes()).await
    };
    let import = async |uploads: [&String; 2]| {
        let ids: Vec<_> = uploads.iter().map(|path| path.rsplit('/').next()).collect();
        let body = json!({ "dataset": "movietweetings", "upload_ids": ids });
        let job = id(&curator.post("/admin/imports", &body).await.expect(202));
        until("the end of the import", Duration::from_secs(60), async || {
            let job = curator.get(&format!("/admin/jobs/{job}")).await.ok();
            matches!(job["state"].as_str(), Some("done" | "failed")).then_some(job)
        })
        .await
    };
    let state = async |upload: &String| {
        let request = curator
            .request(Method::HEAD, &format!("/{upload}"))
            .header("tus-resumable", "1.0.0");
        Answer::of(request, upload).await.status.as_u16()
    };
    let movies = send("0110413::Léon (1994)::Crime|Drama\n").await;
    let cut = send("7::0110413::9::1365029107\n7::0110413::9::13650").await;
    let refused = import([&movies, &cut]).await;
    assert!(
        refused["error"].as_str().is_some_and(|why| why.contains("line 2")),
        "{refused}"
    );
    assert_eq!((state(&movies).await, state(&cut).await), (200, 200));
    let whole = send("7::0110413::9::1365029107\n").await;
    let imported = import([&movies, &whole]).await;
    assert_eq!(imported["state"], "done", "{imported}");
    assert_eq!((state(&movies).await, state(&whole).await), (404, 404));
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
