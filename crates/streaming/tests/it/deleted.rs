//! A title that is deleted takes everything with it: what waits, what is being encoded, what was sent, what was published.

use contract::{
    jobs::{Job, JobState},
    streaming::{ForUpload, Streaming as _, StreamingError},
};
use platform::test_support;
use streaming::Config;
use testkit::films::{Film, Made, file, film};

use crate::{
    support::{ACCOUNT, House, TITLE},
    uploads::{piece, video},
};

/// One that encodes for long enough to do something meanwhile.
fn long_film() -> Made {
    Film::silent("640x360", "30", 20).make("mp4")
}

async fn nothing_is_left(house: &House) {
    assert_eq!(house.start().await, Err(StreamingError::NotPlayable));
    assert_eq!(house.lying_in("uploads"), Vec::<String>::new());
    house.cleared().await;
}

async fn uploads_known(house: &House) -> i64 {
    let (count,): (i64,) = platform::on!(house.room.database(), pool =>
        sqlx::query_as("SELECT COUNT(*) FROM uploads").fetch_one(pool).await)
    .unwrap();
    count
}

#[tokio::test]
async fn what_waits_and_what_was_sent_goes_with_its_title() {
    for database in test_support::databases().await {
        let house = House::on(database, Config::default()).await;
        let queued = house.add(&file("film.mp4", b"some film").path).await;
        let open = house.room.create_upload(video(10)).await.unwrap();
        let open = ForUpload {
            account: ACCOUNT,
            upload: open.id,
        };
        house.room.append_upload(piece(open.upload, 0, b"1234")).await.unwrap();
        house.delete_title(TITLE).await;
        assert_eq!(house.job(queued.id).await.state, JobState::Cancelled);
        assert_eq!(house.room.upload(open).await, Err(StreamingError::UploadNotFound));
        nothing_is_left(&house).await;
        assert_eq!(uploads_known(&house).await, 0);
    }
}

#[tokio::test]
async fn an_encoding_stops_when_its_title_is_deleted() {
    let mut house = House::new().await;
    house.work();
    let job = house.add(&long_film().path).await;
    house.until(job.id, |job| job.progress > 0.03).await;
    house.delete_title(TITLE).await;
    let job = house.ended(job.id).await;
    assert_eq!(job.state, JobState::Cancelled, "{job:?}");
    nothing_is_left(&house).await;
    // Somebody who tries again is told.
    contract::jobs::Jobs::retry(&*house.room, contract::jobs::ForJob { job: job.id })
        .await
        .unwrap();
    said(&house.ended(job.id).await);
}

fn said(job: &Job) {
    assert_eq!(
        (job.state, job.error.as_deref()),
        (
            JobState::Failed,
            Some("The title of this video was deleted, and the video with it.")
        ),
        "{job:?}"
    );
}

#[tokio::test]
async fn nothing_is_published_for_a_title_that_went_before_anybody_was_told() {
    let mut house = House::new().await;
    house.work();
    let job = house.add(&long_film().path).await;
    house.until(job.id, |job| job.progress > 0.03).await;
    house.titles.delete(TITLE);
    said(&house.ended(job.id).await);
    nothing_is_left(&house).await;
    assert_eq!(uploads_known(&house).await, 0);
}

#[tokio::test]
async fn nothing_is_published_from_a_source_that_was_removed_by_another_process() {
    let mut house = House::new().await;
    house.work();
    let job = house.add(&long_film().path).await;
    house.until(job.id, |job| job.progress > 0.03).await;
    // The other process has just heard of the deletion; this one has not.
    platform::on!(house.room.database().writer(), pool =>
        sqlx::query("DELETE FROM uploads").execute(pool).await.map(drop))
    .unwrap();
    let job = house.ended(job.id).await;
    assert_eq!(
        (job.state, job.error.as_deref()),
        (
            JobState::Failed,
            Some("The source file was removed while it was being encoded.")
        ),
        "{job:?}"
    );
    assert_eq!(house.start().await, Err(StreamingError::NotPlayable));
    house.cleared().await;
}

#[tokio::test]
async fn the_last_piece_for_a_title_that_went_meanwhile_is_refused() {
    for database in test_support::databases().await {
        let house = House::on(database, Config::default()).await;
        let film = film("320x180", "25", 1);
        let bytes = std::fs::read(&film.path).unwrap();
        let upload = house.room.create_upload(video(bytes.len() as u64)).await.unwrap();
        let upload = ForUpload {
            account: ACCOUNT,
            upload: upload.id,
        };
        house.titles.delete(TITLE);
        assert_eq!(
            house.room.append_upload(piece(upload.upload, 0, &bytes)).await,
            Err(StreamingError::TitleNotFound)
        );
        nothing_is_left(&house).await;
        assert_eq!(uploads_known(&house).await, 0);
    }
}
