//! A curator's morning in a real browser: a data set comes in through the page, a broken file is refused, a title and a role change.

use std::{fs, path::Path};

use serde_json::{Value, json};
use testkit::{Browser, Client, Cluster, client::PASSWORD, datasets, repository};

/// The small data set, and the same with a line that no import may take.
fn files(folder: &Path) -> (String, String) {
    let [whole, broken] = ["whole", "broken"].map(|name| folder.join(name));
    datasets::write_small(&whole);
    datasets::write_small(&broken);
    let ratings = broken.join("ratings.csv");
    let text = fs::read_to_string(&ratings).expect("read the ratings");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[6] = "1,not a film,5.0,1500000000";
    fs::write(&ratings, lines.join("\n")).expect("write the ratings");
    (
        whole.to_string_lossy().into_owned(),
        broken.to_string_lossy().into_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_shows_what_a_curator_does() {
    let house = Cluster::one();
    let files_folder = house.data().join("files");
    let (whole, broken) = files(&files_folder);
    let vera = house.person("vera", "viewer").await;
    let name = vera.get("/me").await.ok()["account"]["name"].clone();
    let url = house.url().to_owned();
    let input = json!({
        "admin": { "email": "admin@kinora.example", "password": PASSWORD },
        "person": name, "folder": whole, "broken": broken,
    });
    let script = repository().join(Path::new("crates/app/tests/browser/curating.mjs"));
    let seen = tokio::task::spawn_blocking(move || Browser::new(&url).run(&script, &input))
        .await
        .expect("the browser ran");
    assert_eq!(seen["refused"], "ratings.csv, line 7: there is no film \"not a film\"");
    let imported = seen["imported"].as_str().unwrap_or_default();
    assert!(
        imported.starts_with("96 titles (96 new, 0 changed), 1440 ratings of 80 viewers"),
        "{imported}"
    );
    let findings = seen["findings"].as_object().expect("axe ran");
    assert!(
        findings.values().all(|found| *found == json!([])),
        "{}",
        Value::from(findings.clone())
    );
    // What the page said is so, for the new curator too.
    let vera = Client::log_in(house.url(), "vera@kinora.example", PASSWORD).await;
    assert_eq!(
        vera.get("/admin/jobs").await.ok()["items"].as_array().map(Vec::len),
        Some(2)
    );
    let title = vera
        .get(&format!("/titles/{}", seen["title"].as_str().unwrap_or_default()))
        .await
        .ok();
    assert_eq!(title["name"], "The Quietest Harbour");
}
