//! Finished at the credits: by the chapters of the file, or because a curator says where they begin.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Client, Cluster, films::Film, until};

use crate::{id, video::ended_job};

const LONG: std::time::Duration = std::time::Duration::from_secs(180);

/// A title that plays this film.
async fn playing(cluster: &Cluster, curator: &Client, name: &str, film: &Film) -> String {
    let title = id(&curator
        .post("/admin/titles", &json!({ "name": name }))
        .await
        .expect(201));
    let made = film.make("mkv");
    cluster
        .command(&["media", "add", &made.path.to_string_lossy(), "--title", &title])
        .ok();
    assert_eq!(ended_job(curator, &title).await["state"], "done");
    until("the title to be playable", LONG, async || {
        (curator.get(&format!("/titles/{title}")).await.ok()["playable"] == true).then_some(())
    })
    .await;
    title
}

/// Watches until there and goes; says what history knows then, and what the home page wants to go on with.
async fn stops_at(viewer: &Client, title: &str, position_s: f64) -> (Value, bool) {
    let playback = viewer
        .post("/playback", &json!({ "title_id": title }))
        .await
        .expect(200);
    let report = json!({ "position_s": position_s, "state": "paused" });
    let path = format!("/playback/{}/progress", playback["session_id"].as_str().unwrap());
    viewer.post(&path, &report).await.expect(204);
    let history = viewer.get("/history").await.ok();
    let entries = history["items"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["title"]["id"] == title).unwrap();
    let home = viewer.get("/home").await.ok();
    let rows = home["rows"].as_array().unwrap();
    let goes_on = rows.iter().filter(|row| row["kind"] == "continue_watching").any(|row| {
        row["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|item| item["title"]["id"] == title)
    });
    (entry["progress"]["finished"].clone(), goes_on)
}

#[tokio::test]
async fn transcode_of_a_film_with_chapters_is_finished_at_its_credits() {
    let cluster = Cluster::one();
    let curator = cluster.person("curator", "curator").await;
    let ten = Film::silent("320x180", "25", 10);
    let chapters = ten.clone().chapters(&[("The film", 0, 8), ("End Credits", 8, 10)]);
    let (with, without) = tokio::join!(
        playing(&cluster, &curator, "Heat", &chapters),
        playing(&cluster, &curator, "Ronin", &ten),
    );
    let ada = cluster.viewer("ada").await;
    let playback = ada.post("/playback", &json!({ "title_id": with })).await.expect(200);
    assert_eq!(playback["credits_at_s"], 8.0, "{playback}");
    assert_eq!(stops_at(&ada, &with, 7.9).await, (json!(false), true));
    assert_eq!(stops_at(&ada, &with, 8.0).await, (json!(true), false));
    assert_eq!(
        stops_at(&ada, &without, 8.0).await,
        (json!(false), true),
        "95 % where nobody knows"
    );

    // A curator knows, also for whoever is watching.
    let path = format!("/admin/titles/{without}/video");
    let mark = async |at: Value| curator.patch(&path, &json!({ "credits_at_s": at })).await;
    assert_eq!(mark(json!(10.0)).await.problem(400), "marker_invalid");
    assert_eq!(
        mark(json!(7.5)).await.expect(200),
        json!({ "duration_s": 10.0, "credits_at_s": 7.5, "chapters": [], "chapters_edited": false })
    );
    let playback = async || {
        let body = json!({ "title_id": without });
        ada.post("/playback", &body).await.expect(200)
    };
    let parts = json!([{ "start_s": 0.0, "name": "The robbery" }, { "start_s": 6.25, "name": null }]);
    let all = json!({ "intro": { "start_s": 0.5, "end_s": 2.0 }, "chapters": parts });
    curator.patch(&path, &all).await.expect(200);
    let now = playback().await;
    assert_eq!((&now["intro"], &now["chapters"]), (&all["intro"], &all["chapters"]));
    let half_wrong = json!({ "intro": null, "chapters": [{ "start_s": 10.0 }] });
    assert_eq!(curator.patch(&path, &half_wrong).await.problem(400), "marker_invalid");
    assert_eq!(playback().await["intro"], all["intro"], "nothing is half saved");
    let whole = curator.get(&format!("/admin/titles/{without}")).await.ok();
    assert_eq!(whole["video"]["credits_at_s"], 7.5);
    assert_eq!(stops_at(&ada, &without, 8.0).await, (json!(true), false));
    let refused = ada
        .send(Method::PATCH, &path, Some(&json!({ "credits_at_s": 1.0 })))
        .await;
    assert_eq!(refused.problem(403), "forbidden");
    let nothing = id(&curator
        .post("/admin/titles", &json!({ "name": "Collateral" }))
        .await
        .expect(201));
    let refused = curator
        .patch(
            &format!("/admin/titles/{nothing}/video"),
            &json!({ "credits_at_s": 1.0 }),
        )
        .await;
    assert_eq!(refused.problem(409), "not_playable");
}
