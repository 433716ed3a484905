//! What tus asks for beyond pieces in order: lengths that come later, parts that are joined, pieces that are held until they are
//! checked, requests that take over, files that are no video; on both engines and both sides of the door.

use contract::{
    UploadId,
    jobs::JobState,
    streaming::{
        AppendUpload, Concat, CreateUpload, JoinUploads, ListUploads, ReadUpload, Streaming, StreamingError, Upload,
        UploadPurpose,
    },
};
use platform::test_support;
use streaming::Config;
use testkit::films::film;

use crate::{
    support::{ACCOUNT, House, STRANGER, TITLE},
    uploads::{dataset, mine, piece, video},
};

const TEXT: &str = "This file is text, not video.";

fn partial(bytes: u64) -> CreateUpload {
    CreateUpload {
        is_partial: true,
        title: None,
        ..video(bytes)
    }
}

fn deferred(request: CreateUpload) -> CreateUpload {
    CreateUpload {
        bytes: 0,
        length_deferred: true,
        ..request
    }
}

fn joined(parts: &[UploadId], purpose: UploadPurpose) -> JoinUploads {
    JoinUploads {
        account: ACCOUNT,
        parts: parts.to_vec(),
        filename: "film.mkv".into(),
        purpose,
        title: (purpose == UploadPurpose::Video).then_some(TITLE),
        metadata: "filename ZmlsbS5ta3Y=".into(),
    }
}

async fn part(streaming: &dyn Streaming, bytes: &[u8]) -> UploadId {
    let part = streaming.create_upload(partial(bytes.len() as u64)).await.unwrap();
    let whole = streaming.append_upload(piece(part.id, 0, bytes)).await.unwrap();
    assert_eq!((whole.offset, whole.job), (bytes.len() as u64, None));
    part.id
}

#[tokio::test]
async fn a_length_may_come_later_and_then_holds() {
    for database in test_support::databases().await {
        let engine = database.name;
        let config = Config {
            upload_bytes_max: 100,
            upload_bytes_per_account_max: 120,
            ..Config::default()
        };
        let house = House::on(database, config).await;
        for (door, streaming) in house.doors() {
            let begun = streaming.create_upload(deferred(dataset(0))).await.unwrap();
            assert!(begun.length_deferred, "{engine} {door}");
            let reached = streaming.append_upload(piece(begun.id, 0, b"12345")).await.unwrap();
            assert_eq!((reached.offset, reached.length_deferred), (5, true));
            // What has arrived claims its room, and no more may come than may be declared.
            let other = streaming.create_upload(dataset(95)).await.unwrap();
            let refused = streaming.append_upload(piece(begun.id, 5, &[7; 30])).await;
            assert_eq!(refused, Err(StreamingError::UploadQuotaReached(25)), "{engine} {door}");
            let long = |length, bytes: &[u8]| AppendUpload {
                length: Some(length),
                ..piece(begun.id, 5, bytes)
            };
            let too_long = streaming.append_upload(long(101, b"")).await;
            assert_eq!(too_long, Err(StreamingError::UploadTooLarge(100)));
            let shorter = streaming.append_upload(long(4, b"")).await;
            assert_eq!(shorter, Err(StreamingError::UploadTooLarge(4)));
            let told = streaming.append_upload(long(9, b"67")).await.unwrap();
            assert_eq!((told.bytes, told.offset, told.length_deferred), (9, 7, false));
            let changed = AppendUpload {
                length: Some(10),
                ..piece(begun.id, 7, b"89")
            };
            assert!(matches!(
                streaming.append_upload(changed).await,
                Err(StreamingError::FileInvalid(_))
            ));
            streaming.append_upload(piece(begun.id, 7, b"89")).await.unwrap();
            let file = streaming.uploaded_file(mine(begun.id)).await.unwrap();
            // The 30 bytes that were refused had been written: none of them stays.
            assert_eq!(std::fs::read(file.path).unwrap(), b"123456789", "{engine} {door}");
            for upload in [begun.id, other.id] {
                streaming.remove_upload(mine(upload)).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn what_is_complete_when_its_length_is_told_needs_no_more_bytes() {
    let house = House::new().await;
    let begun = house.room.create_upload(deferred(dataset(0))).await.unwrap();
    house.room.append_upload(piece(begun.id, 0, b"abc")).await.unwrap();
    let told = AppendUpload {
        length: Some(3),
        ..piece(begun.id, 3, b"")
    };
    house.room.append_upload(told).await.unwrap();
    house.room.uploaded_file(mine(begun.id)).await.unwrap();
}

#[tokio::test]
async fn parts_become_one_upload_once_each_is_whole() {
    for database in test_support::databases().await {
        let engine = database.name;
        let config = Config {
            upload_bytes_per_account_max: 20,
            ..Config::default()
        };
        let house = House::on(database, config).await;
        for (door, streaming) in house.doors() {
            let first = part(&*streaming, b"one ").await;
            let second = streaming.create_upload(partial(3)).await.unwrap().id;
            assert_eq!(
                streaming.upload(mine(first)).await.unwrap().concat,
                Some(Concat::Partial)
            );
            let wanted = joined(&[first, second], UploadPurpose::Dataset);
            let early = streaming.join_uploads(wanted.clone()).await;
            assert_eq!(early, Err(StreamingError::PartUnfinished), "{engine} {door}");
            streaming.append_upload(piece(second, 0, b"two")).await.unwrap();

            refused_to_others(&*streaming, &wanted).await;
            let one = streaming.join_uploads(wanted.clone()).await.unwrap();
            assert_eq!((one.offset, one.bytes), (7, 7));
            assert_eq!(one.concat, Some(Concat::Final(vec![first, second])));
            // The answer was lost: asked again, it is the same one.
            let again = streaming.join_uploads(wanted).await.unwrap();
            assert_eq!(again.id, one.id, "{engine} {door}");
            let file = streaming.uploaded_file(mine(one.id)).await.unwrap();
            assert_eq!(std::fs::read(file.path).unwrap(), b"one two");
            assert_eq!(streaming.upload(mine(first)).await, Err(StreamingError::UploadNotFound));
            assert_eq!(house.lying_in("uploads"), [one.id.to_string()], "{engine} {door}");
            // Its bytes count once.
            let left = streaming
                .uploads(ListUploads { account: ACCOUNT })
                .await
                .unwrap()
                .bytes_left;
            assert_eq!(left, 13, "{engine} {door}");
            let more = streaming.append_upload(piece(one.id, 7, b"!")).await;
            assert_eq!(more, Err(StreamingError::UploadJoined));
            streaming.remove_upload(mine(one.id)).await.unwrap();
        }
    }
}

async fn refused_to_others(streaming: &dyn Streaming, wanted: &JoinUploads) {
    let theirs = JoinUploads {
        account: STRANGER,
        ..wanted.clone()
    };
    assert_eq!(streaming.join_uploads(theirs).await, Err(StreamingError::PartNotFound));
    let alone = streaming.create_upload(dataset(1)).await.unwrap();
    streaming.append_upload(piece(alone.id, 0, b"x")).await.unwrap();
    let mut parts = wanted.parts.clone();
    parts.push(alone.id);
    let no_part = joined(&parts, UploadPurpose::Dataset);
    assert_eq!(streaming.join_uploads(no_part).await, Err(StreamingError::PartNotFound));
    let twice = joined(&[wanted.parts[0]; 2], UploadPurpose::Dataset);
    assert_eq!(streaming.join_uploads(twice).await, Err(StreamingError::PartNotFound));
    let many = joined(&[wanted.parts[0]; 33], UploadPurpose::Dataset);
    let split = JoinUploads {
        metadata: "filename a\r\nset-cookie: b".into(),
        ..wanted.clone()
    };
    for wrong in [many, split] {
        let refused = streaming.join_uploads(wrong).await;
        assert!(matches!(refused, Err(StreamingError::FileInvalid(_))), "{refused:?}");
    }
    streaming
        .remove_upload(contract::streaming::ForUpload {
            account: ACCOUNT,
            upload: alone.id,
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_video_of_parts_is_packaged() {
    let mut house = House::new().await;
    house.work();
    let film = film("320x180", "25", 2);
    let bytes = std::fs::read(&film.path).unwrap();
    let (first, second) = bytes.split_at(bytes.len() / 3);
    let parts = [part(&*house.room, first).await, part(&*house.room, second).await];
    let whole = house
        .room
        .join_uploads(joined(&parts, UploadPurpose::Video))
        .await
        .unwrap();
    assert_eq!(house.ended(whole.job.unwrap().id).await.state, JobState::Done);
    house.start().await.unwrap();
    assert!(house.lying_in("uploads").is_empty());
}

#[tokio::test]
async fn what_is_no_video_is_refused_with_its_first_bytes() {
    for database in test_support::databases().await {
        let engine = database.name;
        let house = House::on(database, Config::default()).await;
        let playlist = "#EXTM3U\n#EXTINF:10,\nhttp://10.0.0.1/secret\n".repeat(100);
        for (door, streaming) in house.doors() {
            for (content, words) in [
                ("diary ".repeat(1000), TEXT),
                (
                    playlist.clone(),
                    "This is a playlist, not a video: add the video itself.",
                ),
            ] {
                let upload = streaming.create_upload(video(1 << 30)).await.unwrap();
                // Too little to tell by, then enough: at once, and not after a gigabyte.
                let (few, rest) = content.as_bytes().split_at(100);
                streaming.append_upload(piece(upload.id, 0, few)).await.unwrap();
                let refused = streaming.append_upload(piece(upload.id, 100, rest)).await;
                assert_eq!(
                    refused,
                    Err(StreamingError::FileInvalid(words.into())),
                    "{engine} {door}"
                );
                assert_eq!(
                    streaming.upload(mine(upload.id)).await,
                    Err(StreamingError::UploadNotFound)
                );
            }
            let short = streaming.create_upload(video(5)).await.unwrap();
            let refused = streaming.append_upload(piece(short.id, 0, b"hello")).await;
            assert_eq!(
                refused,
                Err(StreamingError::FileInvalid(TEXT.into())),
                "{engine} {door}"
            );
            // Which part is the first is said when they are joined.
            let parts = [
                part(&*streaming, &[b'a'; 5000]).await,
                part(&*streaming, &[0; 10]).await,
            ];
            let refused = streaming.join_uploads(joined(&parts, UploadPurpose::Video)).await;
            assert_eq!(
                refused,
                Err(StreamingError::FileInvalid(TEXT.into())),
                "{engine} {door}"
            );
            assert_eq!(house.lying_in("uploads"), Vec::<String>::new(), "{engine} {door}");
            let all = streaming.uploads(ListUploads { account: ACCOUNT }).await.unwrap();
            assert_eq!((all.items, all.bytes_left), (vec![], all.bytes_left));
        }
    }
}

fn of_request(request: u64, append: AppendUpload) -> AppendUpload {
    AppendUpload {
        request: Some(request),
        ..append
    }
}

#[tokio::test]
async fn a_later_request_takes_over_from_one_whose_line_is_dead() {
    for database in test_support::databases().await {
        let house = House::on(database, Config::default()).await;
        for (door, streaming) in house.doors() {
            let id = streaming.create_upload(dataset(10)).await.unwrap().id;
            let send =
                |request, offset, bytes: &[u8]| streaming.append_upload(of_request(request, piece(id, offset, bytes)));
            assert_eq!(send(5, 0, b"12").await.unwrap().offset, 2);
            assert_eq!(send(7, 2, b"34").await.unwrap().offset, 4, "{door}");
            // The old connection was not dead: its next piece would have fitted, too.
            assert_eq!(send(5, 4, b"xx").await, Err(StreamingError::UploadTakenOver), "{door}");
            assert_eq!(send(7, 4, b"567890").await.unwrap().offset, 10);
            let file = streaming.uploaded_file(mine(id)).await.unwrap();
            assert_eq!(std::fs::read(file.path).unwrap(), b"1234567890");
            streaming.remove_upload(mine(id)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn pieces_that_are_held_count_with_the_last_or_not_at_all() {
    for database in test_support::databases().await {
        let mut house = House::on(database, Config::default()).await;
        let begun = house.room.create_upload(deferred(dataset(0))).await.unwrap();
        let held = |request, offset, bytes: &[u8]| AppendUpload {
            is_held: true,
            ..of_request(request, piece(begun.id, offset, bytes))
        };
        let append = |room: &std::sync::Arc<streaming::Room>, append| {
            let room = room.clone();
            async move { room.append_upload(append).await.map(|upload: Upload| upload.offset) }
        };
        assert_eq!(append(&house.room, held(5, 0, b"abcdefgh")).await, Ok(0), "not yet");
        assert_eq!(append(&house.room, held(5, 8, b"ijklmnop")).await, Ok(0));
        // The checksum was wrong: another request begins where the file ends.
        assert_eq!(
            append(&house.room, held(6, 8, b"x")).await,
            Err(StreamingError::OffsetWrong(0))
        );
        assert_eq!(append(&house.room, held(6, 0, b"AB")).await, Ok(0));
        let last = of_request(6, piece(begun.id, 2, b"CD"));
        assert_eq!(append(&house.room, last).await, Ok(4));
        // A restart forgets what was held.
        assert_eq!(append(&house.room, held(7, 4, b"zz")).await, Ok(4));
        house.reopen().await;
        let rest = of_request(7, piece(begun.id, 6, b"z"));
        assert_eq!(append(&house.room, rest).await, Err(StreamingError::OffsetWrong(4)));
        let end = AppendUpload {
            length: Some(5),
            ..of_request(8, piece(begun.id, 4, b"E"))
        };
        assert_eq!(append(&house.room, end).await, Ok(5));
        let file = house.room.uploaded_file(mine(begun.id)).await.unwrap();
        assert_eq!(
            std::fs::read(file.path).unwrap(),
            b"ABCDE",
            "exactly as many as were declared"
        );
    }
}

#[tokio::test]
async fn what_arrived_is_read_back_and_nothing_beyond_it() {
    for database in test_support::databases().await {
        let house = House::on(database, Config::default()).await;
        for (door, streaming) in house.doors() {
            let sent: Vec<u8> = (0..2_500_000_u32).map(|at| (at / 251 + at) as u8).collect();
            let id = streaming.create_upload(dataset(3_000_000)).await.unwrap().id;
            let read = |account, offset| {
                let asked = ReadUpload {
                    account,
                    upload: id,
                    offset,
                };
                streaming.read_upload(asked)
            };
            assert_eq!(read(ACCOUNT, 0).await.unwrap().0, b"", "{door}: nothing yet");
            streaming.append_upload(piece(id, 0, &sent)).await.unwrap();
            // It is on the disk and does not count.
            let held = AppendUpload {
                is_held: true,
                ..piece(id, sent.len() as u64, b"unchecked")
            };
            streaming.append_upload(held).await.unwrap();
            let mut whole = Vec::new();
            for bytes in [1 << 20, 1 << 20, 2_500_000 - (2 << 20), 0] {
                let part = read(ACCOUNT, whole.len() as u64).await.unwrap().0;
                assert_eq!(part.len(), bytes, "{door}");
                whole.extend(part);
            }
            assert!(whole == sent, "{door}");
            assert_eq!(read(ACCOUNT, u64::MAX).await.unwrap().0, b"", "{door}");
            assert_eq!(read(STRANGER, 0).await, Err(StreamingError::UploadNotFound), "{door}");
            std::fs::remove_file(house.data.path().join("uploads").join(id.to_string())).unwrap();
            assert_eq!(
                read(ACCOUNT, 0).await,
                Err(StreamingError::UploadNotFound),
                "{door}: packaged"
            );
            streaming.remove_upload(mine(id)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn ones_own_unfinished_uploads_are_listed_with_what_is_left() {
    for database in test_support::databases().await {
        let config = Config {
            upload_bytes_max: 1000,
            upload_bytes_per_account_max: 5000,
            uploads_max: 7,
            ..Config::default()
        };
        let house = House::on(database, config).await;
        for (door, streaming) in house.doors() {
            let known = CreateUpload {
                fingerprint: "900 bytes of Solaris".into(),
                metadata: "filename U29sYXJpcw==,filetype dmlkZW8vbXA0".into(),
                ..video(900)
            };
            let old = streaming.create_upload(known.clone()).await.unwrap();
            assert_eq!((&old.fingerprint, &old.metadata), (&known.fingerprint, &known.metadata));
            for (fingerprint, metadata) in [
                ("x".repeat(101), String::new()),
                (String::new(), "x".repeat(4097)),
                (String::new(), "filename a\r\nset-cookie: b".into()),
            ] {
                let refused = CreateUpload {
                    fingerprint,
                    metadata,
                    ..video(900)
                };
                let refused = streaming.create_upload(refused).await;
                assert!(matches!(refused, Err(StreamingError::FileInvalid(_))), "{refused:?}");
            }
            let new = streaming.create_upload(dataset(3)).await.unwrap();
            let whole = streaming.create_upload(dataset(1)).await.unwrap();
            streaming.append_upload(piece(whole.id, 0, b"1")).await.unwrap();
            let theirs = CreateUpload {
                account: STRANGER,
                ..video(10)
            };
            let theirs = streaming.create_upload(theirs).await.unwrap();
            let reached = streaming.append_upload(piece(new.id, 0, b"12")).await.unwrap();
            let mut all = streaming.uploads(ListUploads { account: ACCOUNT }).await.unwrap();
            assert_eq!(all.items, [reached, old.clone()], "{door}");
            all.items.clear();
            let limits = (all.bytes_max, all.bytes_left, all.uploads_max);
            assert_eq!(limits, (1000, 5000 - 904, 7), "{door}");
            house.clock.advance(house.config.upload_expiry_s as i64 * 1000);
            let later = streaming.uploads(ListUploads { account: ACCOUNT }).await.unwrap();
            assert_eq!(later.items, [], "{door}");
            house.room.tidy().await.unwrap();
            streaming.remove_upload(mine(whole.id)).await.unwrap();
            assert_eq!(streaming.upload(mine(old.id)).await, Err(StreamingError::UploadExpired));
            assert_ne!(theirs.id, old.id);
        }
    }
}

#[tokio::test]
async fn what_is_held_is_looked_at_when_it_counts() {
    let house = House::new().await;
    let streaming = &house.room;
    let film = std::fs::read(&film("320x180", "25", 2).path).unwrap();
    let upload = streaming.create_upload(video(film.len() as u64)).await.unwrap().id;
    let held = |request, offset, bytes: &[u8]| AppendUpload {
        is_held: true,
        ..of_request(request, piece(upload, offset, bytes))
    };
    // Damaged on its way, which its checksum is about to say: nothing is known of the file yet.
    let damaged = vec![0; 5000];
    assert_eq!(streaming.append_upload(held(5, 0, &damaged)).await.unwrap().offset, 0);
    assert_eq!(streaming.upload(mine(upload)).await.unwrap().offset, 0);
    streaming.append_upload(held(6, 0, &film[..5000])).await.unwrap();
    let rest = of_request(6, piece(upload, 5000, &film[5000..]));
    let whole = streaming.append_upload(rest).await.unwrap();
    assert_eq!(whole.offset, film.len() as u64);
    assert!(whole.job.is_some());
    // What counts is looked at from its first byte, however it came.
    let upload = streaming.create_upload(video(1 << 30)).await.unwrap().id;
    let text = "diary ".repeat(1000);
    let held = AppendUpload {
        is_held: true,
        ..of_request(7, piece(upload, 0, text.as_bytes()))
    };
    streaming.append_upload(held).await.unwrap();
    let last = of_request(7, piece(upload, text.len() as u64, b"the end"));
    assert_eq!(
        streaming.append_upload(last).await,
        Err(StreamingError::FileInvalid(TEXT.into()))
    );
    assert_eq!(
        streaming.upload(mine(upload)).await,
        Err(StreamingError::UploadNotFound)
    );
}

#[tokio::test]
async fn who_goes_away_while_parts_are_joined_finds_them_joined() {
    let house = House::new().await;
    let parts = [
        part(&*house.room, &[1; 4 << 20]).await,
        part(&*house.room, &[2; 4 << 20]).await,
    ];
    let wanted = joined(&parts, UploadPurpose::Dataset);
    let mut joining = Box::pin(house.room.join_uploads(wanted.clone()));
    // Until the copy has begun.
    while house.lying_in("uploads").len() < 3 {
        tokio::select! {
            biased;
            _ = &mut joining => panic!("it ended before its client could go"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(joining);
    let one = house.room.join_uploads(wanted).await.unwrap();
    assert_eq!(one.bytes, 8 << 20);
    assert_eq!(house.lying_in("uploads"), [one.id.to_string()], "one copy, and no part");
}
