//! How soon a home page knows: what everybody begins to watch, and what was published since the model was trained.

use std::time::Duration;

use platform::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use testkit::{Client, Cluster, until};

use crate::{id, ids, titles_of};

/// What is promised for both.
const MINUTE: Duration = Duration::from_secs(60);
const PROFILES_EACH: usize = 5;

/// So many profiles, in accounts as full as they may be.
async fn profiles(cluster: &Cluster, accounts: usize) -> Vec<Client> {
    let mut all = Vec::new();
    for account in 0..accounts {
        let first = cluster.viewer(&format!("crowd-{account}")).await;
        for number in 1..PROFILES_EACH {
            let made = first.post("/profiles", &json!({ "name": number.to_string() })).await;
            all.push(first.as_profile(&id(&made.expect(201))));
        }
        all.push(first);
    }
    all
}

/// The titles of a home page, row by row: the row's kind, and them.
fn shown(home: &Value) -> Vec<(String, Vec<String>)> {
    let rows = home["rows"].as_array().expect("rows").iter();
    rows.map(|row| (row["kind"].as_str().expect("a kind").to_owned(), ids(row)))
        .collect()
}

#[tokio::test]
async fn what_many_begin_to_watch_leads_trending_within_a_minute() {
    let cluster = Cluster::with_library();
    let ada = cluster.viewer("ada").await;
    let burst = titles_of(&ada, "Horror", 24).await.pop().expect("a title");
    let leads = |home: &Value| {
        let rows = shown(home);
        let trending = rows.iter().find(|(kind, _)| kind == "trending");
        trending.is_some_and(|(_, titles)| titles.first() == Some(&burst))
    };
    assert!(!leads(&ada.get("/home").await.ok()), "the least popular of its kind");
    for viewer in profiles(&cluster, 4).await {
        viewer.rate(&burst, 4.5).await.ok();
    }
    until("the burst leads Trending", MINUTE, async || {
        leads(&ada.get("/home").await.ok()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_new_title_is_on_pages_within_a_minute_and_first_where_it_fits() {
    let cluster = Cluster::with_library();
    let [ada, bob] = [cluster.viewer("ada").await, cluster.viewer("bob").await];
    for (viewer, genre) in [(&ada, "Western"), (&bob, "Horror")] {
        for title in titles_of(viewer, genre, 5).await {
            viewer.rate(&title, 5.0).await.ok();
        }
    }
    let curator = cluster.admin().await;
    let models = async || ids(&curator.get("/admin/models").await.ok());
    let trained = models().await;
    let western =
        json!({ "name": "The Late Stagecoach", "year": 2019, "genres": ["Western", "Drama"], "published": true });
    let western = id(&curator.post("/admin/titles", &western).await.expect(201));
    until("the new title on a page", MINUTE, async || {
        let rows = shown(&ada.get("/home").await.ok());
        rows.iter().any(|(_, titles)| titles.contains(&western)).then_some(())
    })
    .await;
    let place = async |viewer: &Client| {
        let all = ids(&viewer.get("/recommendations?limit=100").await.ok());
        all.iter().position(|title| *title == western).unwrap_or(all.len())
    };
    let (adas, bobs) = (place(&ada).await, place(&bob).await);
    assert!(
        adas < bobs,
        "who loves westerns has it at {adas}, who loves horror at {bobs}"
    );
    assert_eq!(models().await, trained, "nothing was trained meanwhile");
}

#[tokio::test]
async fn a_title_appears_and_goes_when_it_was_planned() {
    let cluster = Cluster::with_library();
    let (ada, curator) = (cluster.viewer("ada").await, cluster.admin().await);
    let made = json!({ "name": "The Midnight Premiere", "year": 2019, "genres": ["Drama"], "published": false });
    let title = id(&curator.post("/admin/titles", &made).await.expect(201));
    let (path, of_curator) = (format!("/titles/{title}"), format!("/admin/titles/{title}"));
    let plan = async |what: &str| {
        let soon = jiff::Timestamp::from_millisecond(SystemClock::default().now_ms() + 2_000).expect("a time");
        curator
            .patch(&of_curator, &json!({ what: soon.to_string() }))
            .await
            .ok();
        let planned = curator.get(&of_curator).await.ok();
        assert!(planned[what].is_string(), "{planned}");
    };
    let on_pages = async || {
        let rows = shown(&ada.get("/home").await.ok());
        rows.iter().any(|(_, titles)| titles.contains(&title))
    };
    plan("publish_at").await;
    until("the title is there", MINUTE, async || {
        (ada.get(&path).await.status == 200 && on_pages().await).then_some(())
    })
    .await;
    plan("unpublish_at").await;
    until("the title is gone", MINUTE, async || {
        (ada.get(&path).await.status == 404 && !on_pages().await).then_some(())
    })
    .await;
    let whole = curator.get(&of_curator).await.ok();
    assert_eq!(
        (&whole["published"], &whole["unpublish_at"]),
        (&json!(false), &Value::Null)
    );
    for (change, says) in [
        (json!({ "publish_at": "2020-01-01T00:00:00Z" }), "passed"),
        (json!({ "unpublish_at": "2030-01-01T00:00:00Z" }), "is not published"),
        (json!({ "publish_at": "tomorrow" }), "RFC 3339"),
    ] {
        let refused = curator.patch(&of_curator, &change).await;
        let is_refused = refused.status.is_client_error() && refused.text().contains(says);
        assert!(is_refused, "{change}: {} {}", refused.status, refused.text());
    }
}
