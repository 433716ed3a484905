//! Who leaves, by whatever way, leaves the film too: its addresses are good no longer, though they are not out of date.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Client, Cluster, client::PASSWORD, films::film, until};

use crate::id;

/// What is promised.
const MEDIA_ENDS_WITHIN: Duration = Duration::from_secs(60);
const NEW_PASSWORD: &str = "another quiet evening at the pictures";

/// A film that is playing: its master manifest and its first segment, which need no log-in but that of their signature.
struct Playing(Client, String);

impl Playing {
    async fn press(viewer: &Client, title: &str) -> Self {
        let playback = viewer
            .post("/playback", &json!({ "title_id": title }))
            .await
            .expect(200);
        let master = playback["hls_url"].as_str().unwrap().to_owned();
        let mut nobody = viewer.clone();
        (nobody.token, nobody.refresh_token) = (None, None);
        let playing = Self(nobody, master);
        assert_eq!(playing.status().await, [200, 200]);
        playing
    }

    async fn status(&self) -> [u16; 2] {
        let segment = self.1.replace("master.m3u8", "v0/1.m4s");
        let of = async |path: &str| self.0.get(&format!("/{path}")).await.status.as_u16();
        [of(&self.1).await, of(&segment).await]
    }

    /// How long it goes on.
    async fn ends(&self, why: &str) -> Duration {
        let began = Instant::now();
        until(&format!("the end after {why}"), MEDIA_ENDS_WITHIN, async || {
            (self.status().await == [403, 403]).then_some(())
        })
        .await;
        eprintln!("after {why} the film went on for {:?}", began.elapsed());
        began.elapsed()
    }
}

#[tokio::test]
async fn a_film_ends_with_the_log_in_that_plays_it() {
    let mut cluster = Cluster::one();
    let curator = cluster.person("curator", "curator").await;
    let title = id(&curator
        .post("/admin/titles", &json!({ "name": "Heat" }))
        .await
        .expect(201));
    let made = film("320x180", "25", 2);
    let words = [
        "media",
        "add",
        &made.path.to_string_lossy(),
        "--title",
        &title,
        "--wait",
    ];
    cluster.command(&words).ok();
    let mut ada = cluster.viewer("ada").await;
    until("the title to be playable", MEDIA_ENDS_WITHIN, async || {
        (ada.get(&format!("/titles/{title}")).await.ok()["playable"] == true).then_some(())
    })
    .await;
    let log_in = async |url: &str, password| Client::log_in(url, "ada@kinora.example", password).await;

    let other = log_in(cluster.url(), PASSWORD).await;
    let (here, there) = (Playing::press(&ada, &title).await, Playing::press(&other, &title).await);
    ada.post("/auth/logout", &json!({})).await.expect(204);
    here.ends("logging out").await;
    assert_eq!(there.status().await, [200, 200], "elsewhere it goes on");

    let third = log_in(cluster.url(), PASSWORD).await;
    let own = Playing::press(&third, &title).await;
    let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    third.post("/auth/password", &change).await.expect(204);
    there.ends("a new password").await;
    assert_eq!(own.status().await, [200, 200], "whoever changed it goes on");

    let helped = Playing::press(&curator, &title).await;
    let me = curator.get("/me").await.ok();
    let account = me["account"]["id"].as_str().or(me["id"].as_str()).unwrap();
    let demoted = json!({ "role": "viewer" });
    let admin = cluster.admin().await;
    admin
        .patch(&format!("/admin/users/{account}"), &demoted)
        .await
        .expect(200);
    helped.ends("losing a role").await;

    // What was over stays over when the server comes back, and whoever watches goes on.
    let url = {
        cluster.server.restart();
        cluster.url().to_owned()
    };
    let at = |playing: &Playing| Playing(playing.0.at(&url), playing.1.clone());
    assert_eq!(at(&here).status().await, [403, 403]);
    assert_eq!(at(&own).status().await, [200, 200]);

    ada = third.at(&url);
    ada.post("/auth/logout-all", &Value::Null).await.expect(204);
    at(&own).ends("logging out everywhere").await;

    let last = log_in(&url, NEW_PASSWORD).await;
    let playing = Playing::press(&last, &title).await;
    let password = json!({ "password": NEW_PASSWORD });
    last.send(reqwest::Method::DELETE, "/me", Some(&password))
        .await
        .expect(204);
    playing.ends("deleting the account").await;
}
