//! Encoders in hardware: asked for, tried, and done without where they do not work. What each is told is tested beside them.

use std::path::Path;

use contract::jobs::JobState;
use platform::on;
use streaming::{Config, Encoder, Encryption};
use testkit::films::{Film, film};

use crate::support::House;

#[tokio::test]
async fn an_encoder_that_does_not_work_here_is_told_and_software_does_it() {
    if Path::new("/dev/nvidiactl").exists() {
        eprintln!("skipped: there is a card that may well encode");
        return;
    }
    let short = film("320x180", "25", 2);
    let mut house = House::with(Config {
        encoder: Encoder::Nvenc,
        ..Config::default()
    })
    .await;
    let job = house.transcode(&short.path).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    let outcome = job.outcome.unwrap();
    assert!(
        outcome.contains("NVENC, which is set, does not work on this server"),
        "{outcome}"
    );
    let words = streaming::try_encoder(Encoder::Nvenc, tempfile::tempdir().unwrap().path())
        .await
        .unwrap_err();
    assert!(
        words.starts_with("NVENC does not work here, so films are encoded by software: "),
        "{words}"
    );
    // Nobody insisted: nothing is wrong.
    let mut house = House::with(Config {
        encoder: Encoder::Auto,
        ..Config::default()
    })
    .await;
    let job = house.transcode(&short.path).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert!(Path::new("/dev/dri").exists() || !job.outcome.unwrap().contains("does not work"));
}

/// The same key and vector never meet two ciphertexts of one part, so what encodes it must make the same bytes each time.
#[tokio::test]
async fn what_is_stored_encrypted_is_encoded_by_software_whatever_is_set() {
    let short = film("320x180", "25", 2);
    let mut house = House::with(Config {
        encoder: Encoder::Nvenc,
        encryption: Encryption::Aes128,
        ..Config::default()
    })
    .await;
    let job = house.transcode(&short.path).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    let outcome = job.outcome.unwrap();
    assert!(outcome.ends_with(", encrypted"), "{outcome}");
}

#[tokio::test]
async fn a_film_on_which_hardware_fails_is_encoded_by_software_from_its_beginning() {
    let long = Film::new("320x180", "25", 70).make("mp4");
    let mut house = House::new().await;
    let plain = house.play(&long.path).await;
    let plain = house.download(&plain).await;
    let job = house.add(&long.path).await;
    house.until(job.id, |job| job.stage.starts_with("encoding")).await;
    house.rest().await;
    // As if a worker had planned it that has a card of a kind that is not here.
    for sql in [
        "UPDATE jobs SET payload = json_set(payload, '$.planned.plan.hardware', 'nvenc'), state = 'waiting', lease = NULL WHERE id = $1",
        "UPDATE jobs SET payload = json_set(payload, '$.plan.hardware', 'nvenc'), state = 'queued', outcome = NULL, lease = NULL,
         attempts = 0 WHERE parent_id = $1",
    ] {
        on!(house.room.database().writer(), pool => sqlx::query(sql).bind(job.id.0).execute(pool).await.map(drop)).unwrap();
    }
    house.work();
    let ended = house.ended(job.id).await;
    assert_eq!(ended.state, JobState::Done, "{ended:?}");
    let outcome = ended.outcome.unwrap();
    assert!(
        outcome.contains("Encoded by software: NVENC failed on this film."),
        "{outcome}"
    );
    let again = house.start().await.unwrap();
    let again = house.download(&again).await;
    for name in ["v0/init.mp4", "v0/1.m4s", "v0/35.m4s", "a0/35.m4s"] {
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        assert_eq!(read(plain.path()), read(again.path()), "{name}");
    }
}
