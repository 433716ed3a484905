//! An evening in a real browser: log in, home with reasons, a title, the picture moves, five stars, and the next home knows.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use testkit::{Browser, Clip, Cluster, datasets, kinora, repository};

const PASSWORD: &str = "a quiet evening at the pictures";
const FIRST: &str = "first@kinora.example";
const SECOND: &str = "second@kinora.example";

/// The small library; two accounts hold the histories of viewers with different tastes.
fn house() -> Cluster {
    Cluster::started(|data| {
        for email in [FIRST, SECOND] {
            kinora(data, &["user", "add", email, "--password-stdin"], PASSWORD).ok();
        }
        let source = data.join("small-data-set");
        datasets::write_small(&source);
        let claims = [format!("1={FIRST}"), format!("2={SECOND}")];
        let words = [
            "import",
            "movielens",
            &source.to_string_lossy(),
            "--claim",
            &claims[0],
            "--claim",
            &claims[1],
        ];
        kinora(data, &words, "").ok();
        kinora(data, &["train"], "").ok();
    })
}

/// A film for the best of what the first viewer is shown.
async fn add_film(house: &Cluster) -> String {
    let viewer = testkit::Client::log_in(house.url(), FIRST, PASSWORD).await;
    let home = viewer.get("/home").await.ok();
    let rows = home["rows"].as_array().cloned().unwrap_or_default();
    let picks = rows
        .iter()
        .find(|row| row["kind"] == "top_picks")
        .expect("a viewer with a history has top picks");
    let title = picks["items"][0]["title"]["id"].as_str().expect("an id").to_owned();
    let film = Clip::HighDefinition { seconds: 12 }.file();
    house
        .command(&["media", "add", &film.to_string_lossy(), "--title", &title, "--wait"])
        .ok();
    testkit::wait::until("the title can be played", Duration::from_secs(20), async || {
        let now = viewer.get(&format!("/titles/{title}")).await.ok();
        (now["playable"] == json!(true)).then_some(())
    })
    .await;
    title
}

fn findings(seen: &Value, name: &str) -> Vec<Value> {
    seen[name]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![json!("axe did not run")])
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_shows_two_viewers_their_evening() {
    let house = house();
    let title = add_film(&house).await;
    let url = house.url().to_owned();
    let input = json!({
        "first": { "email": FIRST, "password": PASSWORD },
        "second": { "email": SECOND, "password": PASSWORD },
        "title": title,
    });
    let script = repository().join(Path::new("crates/app/tests/browser/evening.mjs"));
    let seen = tokio::task::spawn_blocking(move || Browser::new(&url).run(&script, &input))
        .await
        .expect("the browser ran");
    assert_eq!(
        findings(&seen, "homeFindings"),
        Vec::<Value>::new(),
        "axe on the home page"
    );
    assert_eq!(
        findings(&seen, "titleFindings"),
        Vec::<Value>::new(),
        "axe on the title page"
    );
    assert!(seen["picture"]["frames"].as_u64() > Some(0), "{seen}");
}
