//! Pressing play and what is behind signed paths.

use contract::{
    SessionId,
    events::EventBody,
    streaming::{ForPlayback, GetMedia, Media, MediaBody, Playback, StartPlayback, Streaming, StreamingError},
};
use platform::test_support;
use streaming::Config;
use testkit::films::film;

use crate::support::{ACCOUNT, House, PROFILE, SESSION, STRANGER, TITLE, below};

async fn playing() -> (House, Playback) {
    let mut house = House::new().await;
    let playback = house.play(&film("320x180", "25", 3).path).await;
    (house, playback)
}

fn stored(media: Media) -> (String, u64) {
    match media.body {
        MediaBody::Stored { key, bytes } => (key, bytes),
        inline => panic!("{inline:?}"),
    }
}

#[tokio::test]
async fn what_a_player_asks_for_is_there_with_the_right_headers() {
    let (house, playback) = playing().await;
    for (door, streaming) in house.doors() {
        let get = |path: String| {
            let streaming = streaming.clone();
            async move {
                streaming
                    .media(GetMedia {
                        path,
                        account: Some(ACCOUNT),
                    })
                    .await
            }
        };
        let master = get(playback.hls_path.clone()).await.unwrap();
        assert_eq!(
            (master.content_type.as_str(), master.cache_control.as_str()),
            ("application/vnd.apple.mpegurl", "private, max-age=300")
        );
        let again = get(playback.hls_path.clone()).await.unwrap();
        assert_eq!(master, again, "{door}: the same bytes and validator each time");
        let dash = get(playback.dash_path.clone().unwrap()).await.unwrap();
        assert_eq!(dash.content_type, "application/dash+xml");

        let segment = get(below(&playback, "v0/1.m4s")).await.unwrap();
        assert_eq!(segment.cache_control, "public, max-age=31536000, immutable");
        assert_eq!(
            (segment.content_type.as_str(), segment.etag.as_str()),
            ("video/mp4", format!("{}-v0-1", playback.asset).as_str())
        );
        let (key, bytes) = stored(segment);
        assert_eq!(house.blobs.size(&key).await.unwrap(), Some(bytes));
        let sound = get(below(&playback, "a0/init.mp4")).await.unwrap();
        assert_eq!(sound.content_type, "audio/mp4");
        for nothing in [
            "v0/0.m4s",
            "v0/3.m4s",
            "v9/1.m4s",
            "index.json",
            "../x",
            "v0/../index.json",
            "",
            "v0/",
        ] {
            assert_eq!(
                get(below(&playback, nothing)).await,
                Err(StreamingError::MediaNotFound),
                "{door} {nothing}"
            );
        }
    }
}

#[tokio::test]
async fn every_other_path_is_forbidden() {
    let (house, playback) = playing().await;
    let forbidden = |path: String, account| {
        let room = house.room.clone();
        async move {
            assert_eq!(
                room.media(GetMedia {
                    path: path.clone(),
                    account
                })
                .await,
                Err(StreamingError::MediaForbidden),
                "{path}"
            )
        }
    };
    let path = &playback.hls_path;
    forbidden(path.clone(), Some(STRANGER)).await;
    let parts: Vec<_> = path.trim_start_matches("/media/").split('/').collect();
    let [who, session, account, expires, signature, asset, _] = parts[..] else {
        panic!("{path}")
    };
    let of = |who: &str, session: &str, account: &str, expires: &str, signature: &str, asset: &str| {
        format!("{who}/{session}/{account}/{expires}/{signature}/{asset}/master.m3u8")
    };
    let stranger = STRANGER.to_string();
    for altered in [
        of("5", session, account, expires, signature, asset),
        of(who, "5", account, expires, signature, asset),
        of(who, session, &stranger, expires, signature, asset),
        of(who, session, account, "9999999999", signature, asset),
        of(who, session, account, expires, "AAAAAAAAAAAAAAAAAAAAAA", asset),
        of(who, session, account, expires, "", asset),
        of(who, session, account, expires, signature, "1"),
        format!("{who}/{account}/{expires}/{signature}/{asset}/master.m3u8"),
        format!("{who}/{session}/{account}/{expires}/{asset}/master.m3u8"),
        format!("{asset}/master.m3u8"),
        String::new(),
        "/media///////".into(),
    ] {
        forbidden(altered, None).await;
    }
    // With or without what stands before it in the address: the same path.
    house.media(path.trim_start_matches("/media/")).await.unwrap();
    house.clock.set(playback.expires_at - 1);
    house.media(path).await.unwrap();
    house.clock.set(playback.expires_at);
    forbidden(path.clone(), None).await;
}

#[tokio::test]
async fn addresses_stay_good_across_a_restart() {
    let (mut house, playback) = playing().await;
    house.reopen().await;
    house.media(&playback.hls_path).await.unwrap();
    let again = house
        .room
        .playback(ForPlayback {
            account: ACCOUNT,
            playback: playback.id,
        })
        .await
        .unwrap();
    assert_eq!(again, playback);
}

#[tokio::test]
async fn playbacks_belong_to_an_account_expire_and_are_bounded() {
    for database in test_support::databases().await {
        let engine = database.name;
        let mut house = House::on(
            database,
            Config {
                playbacks_max: 3,
                ..Config::default()
            },
        )
        .await;
        let nothing = StartPlayback {
            account: ACCOUNT,
            profile: PROFILE,
            title: TITLE,
            session: None,
        };
        assert_eq!(
            house.room.start_playback(nothing).await,
            Err(StreamingError::NotPlayable),
            "{engine}"
        );
        let first = house.play(&film("320x180", "25", 2).path).await;
        let find = |account, playback| house.room.playback(ForPlayback { account, playback });
        assert_eq!(find(ACCOUNT, first.id).await.as_ref(), Ok(&first), "{engine}");
        assert_eq!(find(STRANGER, first.id).await, Err(StreamingError::PlaybackNotFound));
        let mut last = first.clone();
        for _ in 0..3 {
            last = house.start().await.unwrap();
        }
        assert_eq!(
            find(ACCOUNT, first.id).await,
            Err(StreamingError::PlaybackNotFound),
            "{engine}: the oldest goes"
        );
        assert_eq!(find(ACCOUNT, last.id).await.as_ref(), Ok(&last));
        house.clock.set(last.expires_at + 1000);
        assert_eq!(find(ACCOUNT, last.id).await, Err(StreamingError::PlaybackNotFound));
        house.room.tidy().await.unwrap();
    }
}

/// Logged out, here or everywhere, or because of a new password, or with the account: all of them say this.
fn over(sessions: &[SessionId]) -> EventBody {
    EventBody::SessionsRevoked {
        account: ACCOUNT,
        sessions: sessions.to_vec(),
    }
}

#[tokio::test]
async fn what_was_signed_for_a_log_in_ends_with_it() {
    const ELSEWHERE: SessionId = SessionId(26);
    for database in test_support::databases().await {
        let engine = database.name;
        let mut house = House::on(database, Config::default()).await;
        let here = house.play(&film("320x180", "25", 2).path).await;
        let elsewhere = house.start_in(ELSEWHERE).await.unwrap();
        let forbidden = async |house: &House, playback: &Playback| {
            for file in [
                "master.m3u8",
                "manifest.mpd",
                "v0/index.m3u8",
                "v0/init.mp4",
                "v0/1.m4s",
                "a0/1.m4s",
            ] {
                let answer = house.media(&below(playback, file)).await;
                assert_eq!(answer, Err(StreamingError::MediaForbidden), "{engine} {file}");
            }
        };
        // A process that ran before, and hears of it itself.
        let neighbour = House::over(tempfile::tempdir().unwrap(), house.location.clone(), Config::default()).await;
        house.media(&below(&here, "v0/1.m4s")).await.unwrap();
        house.tell(over(&[SESSION, SessionId(99)])).await;
        forbidden(&house, &here).await;
        neighbour.bus.settle().await.unwrap();
        assert_eq!(
            neighbour.media(&here.hls_path).await,
            Err(StreamingError::MediaForbidden),
            "{engine}"
        );
        house.media(&below(&elsewhere, "v0/1.m4s")).await.unwrap();
        // Pressed at the very moment, before the gateway knew.
        forbidden(&house, &house.start().await.unwrap()).await;
        // Told twice, and after a restart.
        house.tell(over(&[SESSION])).await;
        house.reopen().await;
        forbidden(&house, &here).await;
        house.media(&below(&elsewhere, "v0/1.m4s")).await.unwrap();
        // Kept as long as such a path could be good, and no longer.
        house.clock.set(here.expires_at);
        house.room.tidy().await.unwrap();
        assert_eq!(ended_known(&house).await, 2, "{engine}");
        house.clock.advance(3_600_000);
        house.room.tidy().await.unwrap();
        assert_eq!(ended_known(&house).await, 0, "{engine}");
    }
}

async fn ended_known(house: &House) -> i64 {
    let (count,): (i64,) = platform::on!(house.room.database(), pool =>
        sqlx::query_as("SELECT COUNT(*) FROM ended_sessions").fetch_one(pool).await)
    .unwrap();
    count
}
