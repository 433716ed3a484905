//! kill -9 at random moments: whatever was acknowledged is there afterwards, whatever was not is there whole or not at all.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, Clip, Cluster, client::PASSWORD, until};

use crate::{
    LONG,
    rows::{self, Figures},
    titles_of,
};

/// Kills in the test; the long form is `cargo xtask bench kills`, which sets `KINORA_KILLS` and reads the lines printed here.
const KILLS: usize = 5;
const TOLD_EVERY: usize = 5;
const WRITERS: usize = 4;
/// Of the film's four seconds: before its end, so that it is never finished.
const POSITION_MS_MAX: u64 = 3_000;

/// What the server said that a title's state is, and what it may also be: a write that got no answer.
#[derive(Debug, Clone, Default)]
struct Known {
    stars: Option<u8>,
    listed: bool,
    unanswered: Option<Write>,
    /// Of the film: reported since the server was last asked, milliseconds. Those of the last two seconds may be lost.
    positions: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Write {
    Stars(Option<u8>),
    Listed(bool),
    Position(u64),
}

/// Answers that said that a write was done.
#[derive(Debug, Default)]
struct Acknowledged {
    ratings: AtomicUsize,
    list_changes: AtomicUsize,
    positions: AtomicUsize,
}

impl Acknowledged {
    fn count(&self, write: Write) {
        let counter = match write {
            Write::Stars(_) => &self.ratings,
            Write::Listed(_) => &self.list_changes,
            Write::Position(_) => &self.positions,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn counts(&self) -> [usize; 3] {
        [&self.ratings, &self.list_changes, &self.positions].map(|counter| counter.load(Ordering::Relaxed))
    }
}

/// One person, writing one thing after the other and remembering every answer.
struct Writer {
    client: Client,
    /// The first one is the film, which is playing.
    titles: Vec<String>,
    playback: String,
    known: BTreeMap<String, Known>,
    random: u64,
    acknowledged: Arc<Acknowledged>,
    email: String,
}

impl Writer {
    async fn play(&mut self) {
        let film = json!({ "title_id": self.titles[0] });
        let playback = self.client.post("/playback", &film).await.expect(200);
        self.playback = playback["session_id"].as_str().expect("a playback's id").to_owned();
    }

    fn next(&mut self, below: u64) -> u64 {
        // Knuth's MMIX constants: all that is wanted is that runs repeat.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    /// Writes until the server is gone.
    async fn write_on(mut self) -> Self {
        loop {
            let mut place = self.next(self.titles.len() as u64) as usize;
            let write = match self.next(14) {
                0..=4 => Write::Stars(Some(self.next(5) as u8 + 1)),
                5 => Write::Stars(None),
                6 | 7 => Write::Listed(true),
                8 | 9 => Write::Listed(false),
                _ => {
                    place = 0;
                    Write::Position(1 + self.next(POSITION_MS_MAX))
                }
            };
            let title = self.titles[place].clone();
            let request = self.request(&title, write);
            let known = self.known.entry(title).or_default();
            known.send(write);
            match Answer::try_of(request, "a write").await {
                Ok(answer) => {
                    answer.ok();
                    known.take(write);
                    self.acknowledged.count(write);
                }
                Err(_) => return self,
            }
        }
    }

    /// Compares with what the server says now, and goes on from there.
    async fn check(&mut self) {
        for (title, known) in &mut self.known {
            let shown = self.client.get(&format!("/titles/{title}")).await.ok();
            let stars = shown["my_rating"]["stars"].as_f64().map(|stars| stars as u8);
            let listed = shown["in_my_list"] == true;
            let position = shown["progress"]["position_s"]
                .as_f64()
                .map(|seconds| (seconds * 1e3).round() as u64);
            assert!(
                position.is_none_or(|position| known.positions.contains(&position)),
                "{title} stands at {position:?}; reported was {:?}",
                known.positions
            );
            let mut allowed = vec![(known.stars, known.listed)];
            if let Some(write) = known.unanswered {
                let mut also = known.clone();
                also.take(write);
                allowed.push((also.stars, also.listed));
            }
            assert!(
                allowed.contains(&(stars, listed)),
                "{title} is {stars:?}, {listed}; acknowledged was {known:?}"
            );
            *known = Known {
                stars,
                listed,
                unanswered: None,
                positions: position.into_iter().collect(),
            };
        }
    }

    fn request(&self, title: &str, write: Write) -> reqwest::RequestBuilder {
        let client = &self.client;
        match write {
            Write::Stars(Some(stars)) => client
                .request(Method::PUT, &format!("/titles/{title}/rating"))
                .json(&json!({ "stars": stars })),
            Write::Stars(None) => client.request(Method::DELETE, &format!("/titles/{title}/rating")),
            Write::Listed(true) => client.request(Method::PUT, &format!("/my-list/{title}")),
            Write::Listed(false) => client.request(Method::DELETE, &format!("/my-list/{title}")),
            Write::Position(position_ms) => client
                .request(Method::POST, &format!("/playback/{}/progress", self.playback))
                .json(&json!({ "position_s": position_ms as f64 / 1e3, "state": "playing" })),
        }
    }
}

impl Known {
    fn send(&mut self, write: Write) {
        match write {
            Write::Position(position_ms) => self.positions.push(position_ms),
            _ => self.unanswered = Some(write),
        }
    }

    fn take(&mut self, write: Write) {
        match write {
            Write::Stars(stars) => self.stars = stars,
            Write::Listed(listed) => self.listed = listed,
            Write::Position(_) => {}
        }
        self.unanswered = None;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_no_acknowledged_rating_or_list_change() {
    let kills = std::env::var("KINORA_KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok())
        .unwrap_or(KILLS);
    let mut cluster = Cluster::with_library();
    let acknowledged = Arc::new(Acknowledged::default());
    let done = || acknowledged.counts().iter().sum::<usize>();
    let mut writers = writers(&cluster, &acknowledged).await;
    let before = figures_of(&writers[0].titles, &cluster).await;
    assert!(before.values().all(|figures| figures.count() > 0), "{before:?}");
    for kill in 0..kills {
        for writer in &mut writers {
            writer.play().await;
        }
        let running: Vec<_> = writers
            .drain(..)
            .map(|writer| tokio::spawn(writer.write_on()))
            .collect();
        // In the middle of writing, each time at another place.
        let enough = done() + 10 + kill * 7 % 30;
        until("writes", Duration::from_secs(60), async || {
            (done() >= enough).then_some(())
        })
        .await;
        cluster.server.kill9();
        for writer in running {
            writers.push(writer.await.expect("a writer"));
        }
        cluster.server.restart();
        for writer in &mut writers {
            writer.client = Client::log_in(cluster.url(), &writer.email, PASSWORD).await;
            writer.check().await;
        }
        averages_agree(&writers, &before, &cluster).await;
        if (kill + 1) % TOLD_EVERY == 0 {
            println!("{} of {kills} kills", kill + 1);
        }
    }
    let [ratings, list_changes, positions] = acknowledged.counts();
    println!(
        "{kills} kills; acknowledged: {ratings} ratings, {list_changes} list changes, {positions} positions; lost: 0"
    );
}

/// People who are about to write, with one film that all of them can play.
async fn writers(cluster: &Cluster, acknowledged: &Arc<Acknowledged>) -> Vec<Writer> {
    let titles = titles_of(&cluster.admin().await, "Drama", 12).await;
    let clip = Clip::Ordinary { seconds: 4 }.file();
    cluster
        .command(&["media", "add", &clip.to_string_lossy(), "--title", &titles[0], "--wait"])
        .ok();
    let mut writers = Vec::new();
    for index in 0..WRITERS {
        let name = format!("writer{index}");
        writers.push(Writer {
            client: cluster.viewer(&name).await,
            titles: titles.clone(),
            playback: String::new(),
            known: BTreeMap::new(),
            random: index as u64 + 1,
            acknowledged: acknowledged.clone(),
            email: format!("{name}@kinora.example"),
        });
    }
    writers
}

/// Of every title that was written to: everybody's figures are those from before the first write and what was acknowledged to each
/// writer since, in what is shown as in the rows.
async fn averages_agree(writers: &[Writer], before: &BTreeMap<String, Figures>, cluster: &Cluster) {
    let admin = cluster.admin().await;
    for (title, before) in before {
        let mut expected = before.clone();
        let own = writers.iter().filter_map(|writer| writer.known.get(title)?.stars);
        own.for_each(|stars| expected.stars[usize::from(stars) * 2 - 1] += 1);
        rows::title_agrees(&admin, &cluster.data(), title, &expected).await;
    }
    assert_eq!(rows::disagreements(&cluster.data()).await, 0);
}

/// What everybody else has said.
async fn figures_of(titles: &[String], cluster: &Cluster) -> BTreeMap<String, Figures> {
    let admin = cluster.admin().await;
    let mut figures = BTreeMap::new();
    for title in titles {
        let shown = admin.get(&format!("/titles/{title}")).await.ok();
        figures.insert(title.clone(), Figures::shown(&shown));
    }
    figures
}

/// Everything that a job brings about, asked for and killed at once; the transcode and the training in the middle of their work.
#[tokio::test]
async fn jobs_that_are_killed_go_on_after_the_restart_and_leave_nothing_half_there_transcode() {
    let mut cluster = Cluster::with_library();
    let admin = cluster.admin().await;
    let title = titles_of(&admin, "Drama", 1).await.remove(0);
    let before = models(&admin).await;
    let uploads = [
        upload(&admin, "9000001::Half There (2001)::Drama\n").await,
        upload(&admin, "7::9000001::9::1365029107\n").await,
    ];
    let clip = Clip::Ordinary { seconds: 20 }.file();
    cluster
        .command(&["media", "add", &clip.to_string_lossy(), "--title", &title])
        .ok();
    running(&admin, "transcode").await;
    let ids = uploads.each_ref().map(|path| path.rsplit('/').next());
    let import = json!({ "dataset": "movietweetings", "upload_ids": ids });
    admin.post("/admin/models/train", &Value::Null).await.expect(202);
    running(&admin, "train").await;
    admin.post("/admin/imports", &import).await.expect(202);
    let caught = running(&admin, "transcode").await;
    cluster.server.kill9();
    println!("killed with {} jobs at work", caught.len());
    // What a training leaves that is killed while it stores its model.
    let model_files = cluster.data().join("blobs/models");
    std::fs::create_dir(model_files.join("half")).unwrap();
    std::fs::write(model_files.join("half/ease.safetensors"), "half").unwrap();
    cluster.server.restart();

    let admin = cluster.admin().await;
    assert_eq!(
        models(&admin).await,
        before,
        "the model before serves until there is another"
    );
    admin.get("/home").await.ok();
    let jobs = until("the end of all jobs", LONG, async || {
        let jobs = admin.get("/admin/jobs").await.ok()["items"].as_array().unwrap().clone();
        let ended = |job: &Value| matches!(job["state"].as_str(), Some("done" | "failed" | "cancelled"));
        jobs.iter().all(ended).then_some(jobs)
    })
    .await;
    assert!(jobs.iter().all(|job| job["state"] == "done"), "{jobs:?}");
    // Of each kind but the transcode, one was for the library.
    for (kind, count) in [("train", 2), ("import", 2), ("transcode", 1)] {
        assert_eq!(jobs.iter().filter(|job| job["kind"] == kind).count(), count, "{kind}");
    }
    let after = models(&admin).await;
    assert_eq!((before.len(), after.len()), (1, 2), "{after:?}");
    assert_eq!(
        after.values().filter(|state| *state == "active").count(),
        1,
        "{after:?}"
    );
    let lying: Vec<_> = std::fs::read_dir(model_files)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(lying.len(), 2, "{lying:?}");
    assert!(lying.iter().all(|id| after.contains_key(id)), "{lying:?} {after:?}");
    assert_eq!(admin.get(&format!("/titles/{title}")).await.ok()["playable"], true);
    let found = admin.get("/search?q=Half%20There").await.ok();
    assert_eq!(found["items"][0]["name"], "Half There", "{found}");
    for upload in uploads {
        let head = admin.request(Method::HEAD, &format!("/{upload}"));
        let gone = Answer::of(head.header("tus-resumable", "1.0.0"), &upload).await;
        assert_eq!(gone.status.as_u16(), 404, "{upload}");
    }
}

/// The jobs at work, once there is one of this kind among them.
async fn running(admin: &Client, kind: &str) -> Vec<Value> {
    until(kind, LONG, async || {
        let running = admin.get("/admin/jobs?state=running").await.ok()["items"]
            .as_array()?
            .clone();
        running.iter().any(|job| job["kind"] == kind).then_some(running)
    })
    .await
}

/// State by id.
async fn models(admin: &Client) -> BTreeMap<String, String> {
    let list = admin.get("/admin/models").await.ok();
    let models = list["items"].as_array().unwrap().iter();
    models
        .map(|model| (crate::id(model), model["state"].as_str().unwrap().to_owned()))
        .collect()
}

async fn upload(curator: &Client, text: &str) -> String {
    crate::video::upload_bytes(curator, "purpose ZGF0YXNldA==", text.as_bytes()).await
}
