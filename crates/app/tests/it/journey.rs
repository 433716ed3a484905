//! A film's whole way in real browsers: dropped on the desk, the laptop closed half-way, the server gone meanwhile, the rest sent the next
//! day, and in the evening the film on a phone, on a slow line.

use std::fs;
use std::time::Duration;

use serde_json::json;
use testkit::{Browser, Cluster, Line, client::PASSWORD, films::Film, repository, until};

use crate::LONG;

const SECONDS: u32 = 24;
/// Of which so much is watched on the phone.
const WATCHED_S: u32 = SECONDS - 4;

#[tokio::test(flavor = "multi_thread")]
async fn browser_a_film_sent_in_two_sittings_is_watched_on_a_phone() {
    let mut house = Cluster::one();
    house.viewer("vera").await;
    let title = json!({ "name": "Nosferatu" });
    house.admin().await.post("/admin/titles", &title).await.expect(201);
    // Noise is what an encoder cannot make small: the upload takes its time.
    let noise = ["-vf", "noise=alls=12:allf=t"];
    let film = Film::new("640x360", "24", SECONDS)
        .and(&noise)
        .index_first()
        .make("mp4");
    let line = Line::to(house.url(), Duration::ZERO).await;
    let url = line.url("127.0.0.1");
    let [closed, back] = ["laptop-closed", "server-back"].map(|name| house.data().join(name));
    let script = |name: &str| repository().join("crates/app/tests/browser").join(name);

    let sending = {
        let (browser, script) = (Browser::new(&url), script("journey-sending.mjs"));
        let input = json!({
            "admin": { "email": "admin@kinora.example", "password": PASSWORD },
            "title": "Nosferatu", "film": film.path, "closed": closed, "back": back,
        });
        tokio::task::spawn_blocking(move || browser.run(&script, &input))
    };
    tokio::pin!(sending);
    tokio::select! {
        () = until("the laptop to be closed", LONG, async || closed.exists().then_some(())) => {}
        seen = &mut sending => panic!("it ended too early: {seen:?}"),
    }
    house.server.kill9();
    house.server.restart();
    line.lead_to(house.url());
    fs::write(&back, "").unwrap();
    let seen = sending.await.expect("the browser ran");
    let bytes = fs::metadata(&film.path).unwrap().len();
    let gone_on_at = seen["offset"].as_u64().unwrap();
    assert!(
        gone_on_at > 0 && gone_on_at < bytes,
        "it went on at {gone_on_at} of {bytes}"
    );
    assert_eq!(seen["created"], 1, "uploads begun");
    assert_eq!(seen["pieces"][0], gone_on_at, "where the second sitting begins");

    let person = json!({ "email": "vera@kinora.example", "password": PASSWORD });
    let input = json!({ "person": person, "title": seen["title"], "seconds": WATCHED_S });
    let phone = Browser::new(&url).size(360, 780);
    let script = script("journey-phone.mjs");
    let seen = tokio::task::spawn_blocking(move || phone.run(&script, &input))
        .await
        .expect("the browser ran");
    assert_eq!(seen["findings"], json!([]), "axe on the title's page");
    assert_eq!(seen["scrolled"], 0, "nothing stands out at the side");
}
