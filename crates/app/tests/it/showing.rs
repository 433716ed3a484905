//! Our own player in a real browser, on what a real Kinora has made of a file: everything that it promises, and what is told of it.

use serde_json::{Value, json};
use testkit::{Answer, Browser, Client, Cluster, client::PASSWORD, films::Film, repository, until};

use crate::{LONG, id};

const SECONDS: u32 = 48;
/// So much of the film goes by at least, between all the jumps.
const WATCHED_S: f64 = 5.0;
const HEIGHTS: [u32; 2] = [240, 360];
/// In the order of the file: name, language, and the tone that is heard, in hertz.
const SOUNDS: [(&str, &str, u32); 2] = [("English", "eng", 440), ("Deutsch", "deu", 880)];
/// Name, from which second to which, and the line that stands there.
const CHAPTERS: [(&str, u32, u32, &str); 3] = [
    ("The card trick", 0, 10, "Pick a card."),
    ("The lamp", 10, 30, "Mind the lamp, it is hot."),
    ("The street", 30, 48, "Nobody walks here any more."),
];

/// A series of two episodes; the first has all that a film may have.
struct Series {
    cluster: Cluster,
    first: String,
    second: String,
}

impl Series {
    async fn published() -> Self {
        let cluster = Cluster::one();
        let admin = cluster.admin().await;
        let series = json!({ "kind": "series", "name": "The Magician" });
        let series = id(&admin.post("/admin/titles", &series).await.expect(201));
        let episode = async |number: u32, name: &str, film: Film| {
            let place = json!({ "series_id": series, "season": 1, "episode": number });
            let title = json!({ "kind": "episode", "name": name, "place": place });
            let title = id(&admin.post("/admin/titles", &title).await.expect(201));
            let film = film.make("mkv");
            let words = [
                "media",
                "add",
                &film.path.to_string_lossy(),
                "--title",
                &title,
                "--wait",
            ];
            cluster.command(&words).ok();
            until("the title to be playable", LONG, async || {
                (admin.get(&format!("/titles/{title}")).await.ok()["playable"] == true).then_some(())
            })
            .await;
            title
        };
        let first = episode(1, "The Trick", whole_film()).await;
        let second = episode(2, "The Price", Film::new("320x180", "12", 12)).await;
        put_subtitles(&admin, &first).await;
        Self { cluster, first, second }
    }

    async fn mark(&self, markers: &Value) {
        let path = format!("/admin/titles/{}/video", self.first);
        self.cluster.admin().await.patch(&path, markers).await.expect(200);
    }
}

fn whole_film() -> Film {
    let chapters = CHAPTERS.map(|(name, from, to, _)| (name, from, to));
    let mut film = Film::silent("640x360", "12", SECONDS).chapters(&chapters);
    for (track, (_, language, hertz)) in SOUNDS.iter().enumerate() {
        let named = [format!("-metadata:s:a:{track}"), format!("language={language}")];
        film = film.tone(*hertz, SECONDS).and(&named.each_ref().map(String::as_str));
    }
    film
}

async fn put_subtitles(curator: &Client, title: &str) {
    let cue = |(at, (_, from, to, words)): (usize, &(&str, u32, u32, &str))| {
        format!("{}\n00:00:{from:02},000 --> 00:00:{to:02},000\n{words}\n\n", at + 1)
    };
    let srt: String = CHAPTERS.iter().enumerate().map(cue).collect();
    let path = format!("/admin/titles/{title}/subtitles?filename=trick.en.srt");
    let request = curator.request(reqwest::Method::POST, &path).body(srt);
    Answer::of(request, &path).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn browser_player_keeps_its_promises_on_a_real_film() {
    let series = Series::published().await;
    let markers = json!({ "intro": { "start_s": 1.0, "end_s": 11.0 }, "credits_at_s": 42.0 });
    series.mark(&markers).await;
    series.cluster.viewer("vera").await;
    let chapter =
        |(name, start_s, _, words): (&str, u32, u32, &str)| json!({ "name": name, "start_s": start_s, "words": words });
    let input = json!({
        "person": { "email": "vera@kinora.example", "password": PASSWORD },
        "episode": series.first, "next": series.second,
        "intro": markers["intro"], "credits_at_s": markers["credits_at_s"],
        "chapters": CHAPTERS.map(chapter), "subtitles": "English", "heights": HEIGHTS,
        "audio": SOUNDS.map(|(name, _, hertz)| json!({ "name": name, "hertz": hertz })),
    });
    let browser = Browser::new(series.cluster.url());
    let script = repository().join("crates/app/tests/browser/showing.mjs");
    let seen = tokio::task::spawn_blocking(move || browser.run(&script, &input))
        .await
        .expect("the browser ran");
    eprintln!("{seen:#}");
    assert_eq!(seen["audio"], json!(SOUNDS.map(|(name, ..)| name)), "{seen}");
    assert_eq!(seen["rungs"], json!(["Auto (360p)", "360p", "240p"]), "{seen}");
    // One picture every two seconds, six to a line, each 160×90: those that stand a second after the chapters begin.
    assert_eq!(seen["pictures"], json!([[0, 0], [800, 0], [480, 180]]), "{seen}");
    the_house_knows(&series.cluster).await;
}

/// Three showings: the first episode, the same in another browser, the second one.
async fn the_house_knows(cluster: &Cluster) {
    let metrics = until("every showing to be told of", LONG, async || {
        let metrics = cluster.anonymous().get("//metrics").await.text();
        metrics
            .lines()
            .any(|line| line == "playback_ended_total 3")
            .then_some(metrics)
    })
    .await;
    let figure = |name: &str| -> f64 {
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |figure| figure.parse().unwrap())
    };
    assert_eq!(figure("playback_startup_seconds_count"), 3.0, "{metrics}");
    assert!(figure("playback_startup_seconds_sum") > 0.0, "{metrics}");
    assert!(figure("playback_watched_seconds_total") >= WATCHED_S, "{metrics}");
    assert!(figure("playback_switches_total") >= 1.0, "{metrics}");
    assert!(!metrics.contains("playback_errors_total{"), "{metrics}");
}
