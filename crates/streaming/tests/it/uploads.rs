//! Uploads: pieces, offsets, limits, restarts; on both engines and both sides of the door.

use contract::{
    Blob, Code, DoorError as _, UploadId,
    jobs::JobState,
    streaming::{AppendUpload, CreateUpload, ForUpload, Streaming, StreamingError, Upload, UploadPurpose},
};
use platform::test_support;
use streaming::Config;
use testkit::films::film;

use crate::support::{ACCOUNT, House, NO_TITLE, SERIES, STRANGER, TITLE};

pub fn video(bytes: u64) -> CreateUpload {
    let title = Some(TITLE);
    CreateUpload {
        account: ACCOUNT,
        bytes,
        filename: "../../etc/passwd\n.mp4".into(),
        purpose: UploadPurpose::Video,
        title,
        length_deferred: false,
        is_partial: false,
        fingerprint: String::new(),
        metadata: String::new(),
    }
}

pub fn dataset(bytes: u64) -> CreateUpload {
    CreateUpload {
        purpose: UploadPurpose::Dataset,
        title: None,
        filename: "ratings.csv".into(),
        ..video(bytes)
    }
}

pub fn piece(upload: UploadId, offset: u64, bytes: &[u8]) -> AppendUpload {
    AppendUpload {
        account: ACCOUNT,
        upload,
        offset,
        body: Blob(bytes.to_vec()),
        request: None,
        is_held: false,
        length: None,
    }
}

pub fn mine(upload: UploadId) -> ForUpload {
    ForUpload {
        account: ACCOUNT,
        upload,
    }
}

#[tokio::test]
async fn pieces_arrive_in_order_and_no_byte_more_than_declared() {
    for database in test_support::databases().await {
        let engine = database.name;
        let house = House::on(database, Config::default()).await;
        for (door, streaming) in house.doors() {
            let upload = streaming.create_upload(dataset(10)).await.unwrap();
            assert_eq!(
                (upload.offset, upload.bytes, upload.job),
                (0, 10, None),
                "{engine} {door}"
            );
            let append = |offset, bytes: &'static [u8]| streaming.append_upload(piece(upload.id, offset, bytes));
            assert_eq!(append(0, b"1234").await.unwrap().offset, 4);
            // Repeated, ahead, too much: said where to go on; nothing changed.
            assert_eq!(append(0, b"1234").await, Err(StreamingError::OffsetWrong(4)));
            assert_eq!(append(5, b"6").await, Err(StreamingError::OffsetWrong(4)));
            assert_eq!(append(4, b"5678901").await, Err(StreamingError::UploadTooLarge(10)));
            assert_eq!(append(4, b"").await.unwrap().offset, 4);
            assert_eq!(
                streaming.uploaded_file(mine(upload.id)).await,
                Err(StreamingError::OffsetWrong(4))
            );
            assert_eq!(append(4, b"567890").await.unwrap().offset, 10);
            assert_eq!(append(10, b"1").await, Err(StreamingError::UploadTooLarge(10)));

            let taken = streaming.uploaded_file(mine(upload.id)).await.unwrap();
            assert_eq!(taken.filename, "ratings.csv");
            assert_eq!(std::fs::read(&taken.path).unwrap(), b"1234567890", "{engine} {door}");
            assert_eq!(
                streaming.uploaded_file(mine(upload.id)).await,
                Ok(taken),
                "{engine} {door}: again, after an import that failed"
            );
            streaming.remove_upload(mine(upload.id)).await.unwrap();
            assert_eq!(
                streaming.uploaded_file(mine(upload.id)).await,
                Err(StreamingError::UploadNotFound)
            );
        }
    }
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart_with_what_was_answered_for() {
    for database in test_support::databases().await {
        let mut house = House::on(database, Config::default()).await;
        let upload = house.room.create_upload(dataset(6)).await.unwrap();
        house.room.append_upload(piece(upload.id, 0, b"abc")).await.unwrap();
        // Bytes that were written and never answered for: a crash between disk and database.
        let path = house.data.path().join("uploads").join(upload.id.to_string());
        std::fs::write(&path, b"abcXY").unwrap();
        house.reopen().await;
        assert_eq!(house.room.upload(mine(upload.id)).await.unwrap().offset, 3);
        house.room.append_upload(piece(upload.id, 3, b"def")).await.unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"abcdef");
    }
}

#[tokio::test]
async fn a_whole_video_is_packaged_and_its_source_removed() {
    let mut house = House::new().await;
    house.work();
    let film = film("320x180", "25", 2);
    let bytes = std::fs::read(&film.path).unwrap();
    let upload = house.room.create_upload(video(bytes.len() as u64)).await.unwrap();
    assert_eq!(upload.filename, "../../etc/passwd.mp4", "shown as it is, never a path");
    let (first, second) = bytes.split_at(bytes.len() / 3);
    house.room.append_upload(piece(upload.id, 0, first)).await.unwrap();
    let whole = house
        .room
        .append_upload(piece(upload.id, first.len() as u64, second))
        .await
        .unwrap();
    let job = whole.job.unwrap();
    assert_eq!(house.ended(job.id).await.state, JobState::Done);
    house.start().await.unwrap();
    assert!(house.lying_in("uploads").is_empty());
    // It can still be asked after.
    let later = house.room.upload(mine(upload.id)).await.unwrap();
    assert_eq!((later.offset, later.bytes), (bytes.len() as u64, bytes.len() as u64));
    assert_eq!(later.job.map(|job| job.state), Some(JobState::Done));
}

#[tokio::test]
async fn an_upload_is_its_owners_alone() {
    let house = House::new().await;
    let upload = house.room.create_upload(video(10)).await.unwrap();
    let theirs = ForUpload {
        account: STRANGER,
        upload: upload.id,
    };
    assert_eq!(house.room.upload(theirs).await, Err(StreamingError::UploadNotFound));
    assert_eq!(
        house.room.remove_upload(theirs).await,
        Err(StreamingError::UploadNotFound)
    );
    assert_eq!(
        house.room.uploaded_file(theirs).await,
        Err(StreamingError::UploadNotFound)
    );
    let piece = AppendUpload {
        account: STRANGER,
        ..piece(upload.id, 0, b"1")
    };
    assert_eq!(
        house.room.append_upload(piece).await,
        Err(StreamingError::UploadNotFound)
    );
    house.room.remove_upload(mine(upload.id)).await.unwrap();
    assert_eq!(
        house.room.upload(mine(upload.id)).await,
        Err(StreamingError::UploadNotFound)
    );
    assert!(house.lying_in("uploads").is_empty());
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_before_the_first_byte() {
    for database in test_support::databases().await {
        let config = Config {
            upload_bytes_max: 100,
            uploads_max: 3,
            upload_bytes_per_account_max: 250,
            ..Config::default()
        };
        let house = House::on(database, config).await;
        let create = |request: CreateUpload| house.room.create_upload(request);
        assert_eq!(create(video(101)).await, Err(StreamingError::UploadTooLarge(100)));
        assert_eq!(
            create(video(0)).await,
            Err(StreamingError::FileInvalid("This file is empty.".into()))
        );
        let no_title = CreateUpload {
            title: None,
            ..video(5)
        };
        assert!(matches!(create(no_title).await, Err(StreamingError::FileInvalid(_))));
        let unknown = CreateUpload {
            title: Some(NO_TITLE),
            ..video(5)
        };
        assert_eq!(create(unknown).await, Err(StreamingError::TitleNotFound));
        let series = CreateUpload {
            title: Some(SERIES),
            ..video(5)
        };
        assert_eq!(create(series).await, Err(StreamingError::TitleIsSeries));
        let long = CreateUpload {
            filename: "x".repeat(256),
            ..video(5)
        };
        assert!(matches!(create(long).await, Err(StreamingError::FileInvalid(_))));

        create(video(100)).await.unwrap();
        create(video(100)).await.unwrap();
        assert_eq!(
            create(video(100)).await,
            Err(StreamingError::UploadQuotaReached(50)),
            "bytes of the account"
        );
        let third = create(video(10)).await.unwrap();
        assert_eq!(
            create(video(10)).await,
            Err(StreamingError::QuotaReached),
            "uploads of the account"
        );
        let other = CreateUpload {
            account: STRANGER,
            ..video(100)
        };
        create(other).await.unwrap();
        house.room.remove_upload(mine(third.id)).await.unwrap();
        create(video(10)).await.unwrap();
    }
}

#[tokio::test]
async fn more_than_the_disk_holds_is_refused_at_once() {
    let config = Config {
        upload_bytes_max: u64::MAX / 4,
        upload_bytes_per_account_max: u64::MAX / 2,
        ..Config::default()
    };
    let house = House::with(config).await;
    let refused = house.room.create_upload(video(1 << 60)).await.unwrap_err();
    assert_eq!((refused.code(), refused.slug()), (Code::Unavailable, "storage_full"));
}

#[tokio::test]
async fn a_forgotten_upload_expires_and_one_that_moves_does_not() {
    for database in test_support::databases().await {
        let house = House::on(database, Config::default()).await;
        let lifetime = house.config.upload_expiry_s as i64 * 1000;
        let still: Upload = house.room.create_upload(dataset(10)).await.unwrap();
        let moving = house.room.create_upload(dataset(10)).await.unwrap();
        house.clock.advance(lifetime - 1);
        house.room.append_upload(piece(moving.id, 0, b"1")).await.unwrap();
        house.clock.advance(1);
        let gone = Err(StreamingError::UploadExpired);
        assert_eq!(house.room.upload(mine(still.id)).await, gone);
        assert_eq!(house.room.append_upload(piece(still.id, 0, b"1")).await, gone);
        assert_eq!(house.room.upload(mine(moving.id)).await.unwrap().offset, 1);
        // A file that no row knows, from long ago, goes with it.
        let orphan = UploadId(1).to_string();
        std::fs::write(house.data.path().join("uploads").join(&orphan), "x").unwrap();
        house.room.tidy().await.unwrap();
        assert_eq!(house.lying_in("uploads"), [moving.id.to_string()]);
        // That it expired is remembered for a week, and claims no room.
        assert_eq!(house.room.upload(mine(still.id)).await, gone);
        house.clock.advance(6 * 86_400_000);
        house.room.tidy().await.unwrap();
        assert_eq!(house.room.upload(mine(still.id)).await, gone);
        house.clock.advance(86_400_000);
        house.room.tidy().await.unwrap();
        assert_eq!(
            house.room.upload(mine(still.id)).await,
            Err(StreamingError::UploadNotFound)
        );
    }
}

fn free_bytes(folder: &std::path::Path) -> u64 {
    let output = std::process::Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(folder)
        .output()
        .unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    words.lines().last().unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn room_that_others_were_promised_is_not_promised_again() {
    for database in test_support::databases().await {
        let engine = database.name;
        let config = Config {
            upload_bytes_max: 1 << 50,
            upload_bytes_per_account_max: 1 << 52,
            ..Config::default()
        };
        let house = House::on(database, config).await;
        let most = free_bytes(house.data.path()) / 10 * 6;
        let streaming = &house.room;
        let first = streaming.create_upload(dataset(most)).await.unwrap();
        let of_another = CreateUpload {
            account: STRANGER,
            ..dataset(most)
        };
        let is_full = |refused: Result<Upload, StreamingError>| {
            matches!(refused, Err(StreamingError::Fault(contract::Fault::StorageFull(_))))
        };
        assert!(is_full(streaming.create_upload(of_another.clone()).await), "{engine}");
        // One that says later how long it is.
        let later = CreateUpload {
            length_deferred: true,
            ..dataset(0)
        };
        let later = streaming.create_upload(later).await.unwrap().id;
        let said = AppendUpload {
            length: Some(most),
            ..piece(later, 0, b"1")
        };
        assert!(is_full(streaming.append_upload(said).await), "{engine}");
        streaming.create_upload(dataset(1 << 10)).await.unwrap();
        // Given up, or forgotten, it has nothing to come any more.
        streaming.remove_upload(mine(first.id)).await.unwrap();
        streaming.create_upload(of_another.clone()).await.unwrap();
        assert!(is_full(streaming.create_upload(dataset(most)).await), "{engine}");
        house.clock.advance(house.config.upload_expiry_s as i64 * 1000 + 1);
        streaming.create_upload(dataset(most)).await.unwrap();
    }
}
