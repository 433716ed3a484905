//! Videos in a bucket of a real S3 server: the same as on disk, with originals that any machine's worker can have.

use std::time::Duration;

use contract::jobs::JobState;
use platform::test_support::S3Server;
use testkit::{SmallDisk, again_where_it_may_mount};

use crate::{
    chunks::{assert_same, stored},
    saga::{a_film, expected, is_there_once},
    support::{House, TITLE},
};

const DAY_MS: i64 = 86_400_000;

#[tokio::test]
async fn a_film_in_a_bucket_is_what_it_is_on_disk_and_goes_with_its_title() {
    let film = a_film();
    let expected = expected(&film.path).await;
    let server = S3Server::start().await;
    let mut house = House::in_bucket(server.config()).await;
    house.play(&film.path).await;
    is_there_once(&house, &expected, "in a bucket").await;
    assert_eq!(server.everything().await.len(), expected.len());
    house.delete_title(TITLE).await;
    house.clock.advance(DAY_MS);
    house.room.tidy().await.unwrap();
    assert_eq!(server.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_worker_on_another_machine_fetches_what_was_received_here() {
    let film = a_film();
    let expected = expected(&film.path).await;
    let server = S3Server::start().await;
    let mut here = House::in_bucket(server.config()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut there = House::storing(folder, here.location.clone(), server.config()).await;
    there.work_at_once(2);
    let job = here.add(&film.path).await.id;
    let ended = there.ended(job).await;
    assert_eq!(ended.state, JobState::Done, "{ended:?}");
    let playback = here.start().await.unwrap();
    assert_same(&expected, &stored(&here, &playback).await, "fetched");
    there.rest().await;
    assert_eq!(there.lying_in("uploads"), Vec::<String>::new());
    assert_eq!(there.lying_in("transcode"), Vec::<String>::new(), "it was let go");
    assert_eq!(server.everything().await.len(), expected.len(), "the original is gone");
    // What it was received into hears nothing of its end.
    assert_eq!(here.lying_in("uploads").len(), 1);
    here.clock.advance(DAY_MS + 1_000);
    here.room.tidy().await.unwrap();
    assert_eq!(here.lying_in("uploads"), Vec::<String>::new());
    here.rest().await;
}

#[tokio::test]
async fn a_worker_whose_disk_is_full_says_so_and_fetches_once_there_is_room() {
    let Some(disk) = SmallDisk::new(256 << 20) else {
        return again_where_it_may_mount("bucket::a_worker_whose_disk_is_full_says_so_and_fetches_once_there_is_room");
    };
    let film = a_film();
    let server = S3Server::start().await;
    let here = House::in_bucket(server.config()).await;
    let folder = tempfile::tempdir_in(disk.path()).unwrap();
    let mut there = House::storing(folder, here.location.clone(), server.config()).await;
    there.work();
    let job = here.add(&film.path).await.id;
    let said = waits_because(&there).await;
    let beginning = "The disk of this worker is full: a film of 1 MB has to be fetched, and 1024 MB must stay free; ";
    assert!(said.starts_with(beginning), "{said}");
    assert!(said.ends_with(" MB are free. Free space on it."), "{said}");
    disk.resize(2 << 30);
    there.clock.advance(3_600_000);
    let ended = there.ended(job).await;
    assert_eq!(ended.state, JobState::Done, "{ended:?}");
    there.rest().await;
}

/// Until a job waits for another try: the words of why.
async fn waits_because(house: &House) -> String {
    let sql = "SELECT error FROM jobs WHERE state = 'queued' AND error IS NOT NULL";
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        tick.tick().await;
        let found: Option<(String,)> =
            platform::on!(house.room.database(), pool => sqlx::query_as(sql).fetch_optional(pool).await).unwrap();
        if let Some((said,)) = found {
            return said;
        }
    }
}

#[tokio::test]
async fn a_film_that_fails_leaves_its_original_for_another_try_until_it_expires() {
    let server = S3Server::start().await;
    let mut house = House::in_bucket(server.config()).await;
    let noise = testkit::films::file(
        "film.mp4",
        &b"\0\0\0\x20ftypisom, and then nothing of a film".repeat(40),
    );
    let job = house.transcode(&noise.path).await;
    assert_eq!(job.state, JobState::Failed, "{job:?}");
    house.rest().await;
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while server.everything().await.len() != 1 {
        tick.tick().await;
    }
    house.clock.advance(365 * DAY_MS);
    house.room.tidy().await.unwrap();
    assert_eq!(server.everything().await, Vec::<String>::new());
    assert_eq!(house.lying_in("uploads"), Vec::<String>::new());
}

#[tokio::test]
async fn storage_that_is_away_for_a_while_is_named_and_costs_a_film_nothing_but_time() {
    let film = a_film();
    let expected = expected(&film.path).await;
    let mut server = S3Server::start().await;
    let mut house = House::in_bucket(server.config()).await;
    server.kill();
    house.work();
    let job = house.add(&film.path).await.id;
    let said = waits_because(&house).await;
    let what_to_do = "Storage failed. Ask the server's operator to see that it is there and well, then retry: ";
    let named = format!("{what_to_do}the bucket films at http://127.0.0.1:");
    assert!(said.starts_with(&named), "{said}");
    assert!(said.contains("does not answer"), "{said}");
    server.come_back().await;
    house.clock.advance(3_600_000);
    let ended = house.ended(job).await;
    assert_eq!(ended.state, JobState::Done, "{ended:?}");
    is_there_once(&house, &expected, "after an outage").await;
}
