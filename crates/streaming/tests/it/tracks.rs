//! Sound tracks as parts of the work: each is one, its two passes are two pieces, and a worker that dies costs the piece that it was at.

use contract::{
    JobId,
    jobs::{Job, JobState},
};
use testkit::films::{Film, Made};

use crate::{
    chunks::{assert_same, kill, stored, worker_on},
    support::House,
};

const TRACKS: usize = 4;

/// Long sound beside little to see.
fn film() -> Made {
    let film = Film::silent("160x90", "5", 120).and(&["-g", "50", "-c:a", "aac"]);
    let tone = |film: Film, track: usize| {
        let tone = format!(
            "sine=frequency={}:duration=120:sample_rate=48000,volume=-{}dB",
            300 + 200 * track,
            3 * track
        );
        film.input(&["-f", "lavfi", "-i", &tone])
    };
    (0..TRACKS).fold(film, tone).make("mkv")
}

/// A part's row: its number, state, attempts, and what it was asked.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    id: i64,
    state: String,
    attempts: i64,
    payload: serde_json::Value,
}

impl Row {
    fn track(&self) -> Option<u64> {
        self.payload["part"]["sound"].as_u64()
    }

    fn is_measured(&self) -> bool {
        !self.payload["loudness"].is_null()
    }
}

async fn parts(house: &House, film: JobId) -> Vec<Row> {
    let rows: Vec<(i64, String, i64, String)> = platform::on!(house.room.database(), pool =>
        sqlx::query_as("SELECT id, state, attempts, payload FROM jobs WHERE parent_id = $1 ORDER BY id").bind(film.0).fetch_all(pool).await)
    .unwrap();
    let row = |(id, state, attempts, payload): (i64, String, i64, String)| Row {
        id,
        state,
        attempts,
        payload: serde_json::from_str(&payload).unwrap(),
    };
    rows.into_iter().map(row).collect()
}

/// Waits until the parts say what is asked of them; answers them.
async fn until(house: &House, film: JobId, what: impl Fn(&[Row]) -> bool) -> Vec<Row> {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(5));
    let wait = async {
        loop {
            tick.tick().await;
            let rows = parts(house, film).await;
            if what(&rows) {
                return rows;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(240), wait)
        .await
        .unwrap()
}

fn is_encoded(rows: &[Row], track: u64) -> bool {
    rows.iter()
        .any(|row| row.track() == Some(track) && row.state == "running" && row.is_measured())
}

#[tokio::test]
async fn a_worker_that_dies_over_a_sound_track_costs_that_piece_alone() {
    let film = film();
    let mut alone = House::new().await;
    let playback = alone.play(&film.path).await;
    let expected = stored(&alone, &playback).await;
    assert!((0..TRACKS).all(|track| expected.contains_key(&format!("a{track}/60.m4s"))));

    let mut house = House::new().await;
    let job = house.add(&film.path).await.id;
    // The first is done; the second was measured, and is being encoded.
    let mut worker = worker_on(&house);
    until(&house, job, |rows| is_encoded(rows, 1)).await;
    kill(&mut worker);
    let before = parts(&house, job).await;
    let tracks: Vec<_> = before.iter().filter(|row| row.track().is_some()).collect();
    assert_eq!(tracks.len(), TRACKS, "{before:?}");
    let states: Vec<_> = tracks
        .iter()
        .map(|row| (row.state.as_str(), row.attempts, row.is_measured()))
        .collect();
    assert_eq!(
        states,
        [
            ("done", 1, true),
            ("running", 1, true),
            ("queued", 0, false),
            ("queued", 0, false)
        ]
    );

    // Once it is missed, three others share what is left out.
    house.clock.advance(31_000);
    house.work_at_once(3);
    let after = until(&house, job, |rows| {
        let done = |row: &&Row| row.track().is_some() && row.state == "done";
        rows.iter().filter(done).count() == TRACKS
    })
    .await;
    for (before, after) in before.iter().zip(&after).filter(|(row, _)| row.track().is_some()) {
        let attempts = if before.state == "running" { 2 } else { 1 };
        assert_eq!((after.id, after.attempts), (before.id, attempts), "{after:?}");
        assert!(!before.is_measured() || before.payload["loudness"] == after.payload["loudness"]);
    }
    let ended: Job = house.ended(job).await;
    assert_eq!((ended.state, ended.attempts), (JobState::Done, 1), "{ended:?}");
    let playback = house.start().await.unwrap();
    assert_same(&expected, &stored(&house, &playback).await, "killed over its sound");
}

#[tokio::test]
async fn what_was_measured_is_not_measured_again() {
    let film = film();
    let mut house = House::new().await;
    house.work();
    let job = house.add(&film.path).await.id;
    until(&house, job, |rows| is_encoded(rows, 0)).await;
    house.rest().await;
    let rows = parts(&house, job).await;
    let first = rows.iter().find(|row| row.track() == Some(0)).unwrap();
    assert_eq!(
        (first.state.as_str(), first.is_measured()),
        ("queued", true),
        "{first:?}"
    );
    // As if it had been ten decibels louder: who measures it again hears that it is not.
    let mut payload = first.payload.clone();
    let integrated = &mut payload["loudness"][0]["integrated"];
    *integrated = (integrated.as_f64().unwrap() + 10.0).into();
    platform::on!(house.room.database().writer(), pool => sqlx::query("UPDATE jobs SET payload = $2 WHERE id = $1")
        .bind(first.id).bind(payload.to_string()).execute(pool).await.map(drop))
    .unwrap();
    house.work();
    let ended = house.ended(job).await;
    assert_eq!(ended.state, JobState::Done, "{ended:?}");
    let playback = house.start().await.unwrap();
    let folder = house.download(&playback).await;
    let loudness = |track: usize| crate::sound::loudness(&folder.path().join(format!("a{track}/index.m3u8")));
    assert!((loudness(0) + 26.0).abs() < 1.0, "{}", loudness(0));
    assert!((loudness(1) + 16.0).abs() < 1.0, "{}", loudness(1));
}
