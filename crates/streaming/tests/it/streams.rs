//! How many of an account may watch at once.

use contract::{
    AccountId, SessionId,
    streaming::{Playback, StartPlayback, Streaming, StreamingError},
};
use streaming::Config;
use testkit::films::film;

use crate::support::{ACCOUNT, House, PROFILE, SESSION, STRANGER, TITLE, below};

const REFUSED: StreamingError = StreamingError::TooManyStreams(2);

async fn house() -> House {
    let mut house = House::with(Config {
        streams_max: 2,
        ..Config::default()
    })
    .await;
    house.transcode(&film("320x180", "25", 2).path).await;
    house
}

/// Takes a segment, as a player does every two seconds.
async fn watch(house: &House, playback: &Playback) -> Result<(), StreamingError> {
    house.media(&below(playback, "v0/1.m4s")).await.map(drop)
}

async fn press(house: &House, account: AccountId, session: i64) -> Result<Playback, StreamingError> {
    let asked = StartPlayback {
        account,
        profile: PROFILE,
        title: TITLE,
        session: Some(SessionId(session)),
    };
    house.room.start_playback(asked).await
}

#[tokio::test]
async fn one_screen_too_many_is_refused_until_another_rests() {
    let house = house().await;
    let (first, second) = (
        press(&house, ACCOUNT, 1).await.unwrap(),
        press(&house, ACCOUNT, 2).await.unwrap(),
    );
    // Pressing play is not watching yet, and neither is reading manifests ahead of it.
    let third = press(&house, ACCOUNT, 3).await.unwrap();
    house.media(&third.hls_path).await.unwrap();
    house.media(&below(&third, "v0/init.mp4")).await.unwrap();
    watch(&house, &first).await.unwrap();
    watch(&house, &second).await.unwrap();
    assert_eq!(watch(&house, &third).await, Err(REFUSED));
    assert_eq!(press(&house, ACCOUNT, 4).await, Err(REFUSED));
    watch(&house, &press(&house, STRANGER, 9).await.unwrap()).await.unwrap();
    // What was watched before goes on, and can still be begun again by who has a place.
    for _ in 0..20 {
        house.clock.advance(2_000);
        watch(&house, &first).await.unwrap();
        watch(&house, &second).await.unwrap();
    }
    // The second is paused.
    house.clock.advance(29_999);
    watch(&house, &first).await.unwrap();
    assert_eq!(watch(&house, &third).await, Err(REFUSED));
    house.clock.advance(1);
    watch(&house, &third).await.unwrap();
    assert_eq!(watch(&house, &second).await, Err(REFUSED));
}

#[tokio::test]
async fn a_device_that_changes_its_film_keeps_its_place() {
    let house = house().await;
    let before = press(&house, ACCOUNT, 1).await.unwrap();
    let other = press(&house, ACCOUNT, 2).await.unwrap();
    watch(&house, &before).await.unwrap();
    watch(&house, &other).await.unwrap();
    let after = press(&house, ACCOUNT, 1).await.unwrap();
    assert_eq!(watch(&house, &before).await, Err(REFUSED), "it gave its place up");
    watch(&house, &after).await.unwrap();
    watch(&house, &other).await.unwrap();
    assert_eq!(press(&house, ACCOUNT, 3).await, Err(REFUSED));
}

#[tokio::test]
async fn an_edge_cache_that_asks_whether_an_address_is_good_counts_as_its_viewer() {
    let house = house().await;
    let mut watching = Vec::new();
    for session in 1..=3 {
        watching.push(press(&house, ACCOUNT, session).await.unwrap());
    }
    let check = async |playback: &Playback| house.media(&below(playback, "check")).await;
    let answer = check(&watching[0]).await.unwrap();
    assert_eq!(answer.cache_control, "private, max-age=10");
    check(&watching[1]).await.unwrap();
    assert_eq!(check(&watching[2]).await, Err(REFUSED));
    // Subtitles and pictures of a storyboard are not watching, here or there.
    let once = house.media(&below(&watching[2], "check-once")).await.unwrap();
    assert_eq!(once.cache_control, "private, max-age=10");
    house.clock.advance(30_000);
    for playback in &watching {
        house.media(&below(playback, "check-once")).await.unwrap();
    }
    check(&watching[2]).await.unwrap();
}

#[tokio::test]
async fn without_a_limit_everybody_watches() {
    let mut house = House::with(Config {
        streams_max: 0,
        ..Config::default()
    })
    .await;
    let first = house.play(&film("320x180", "25", 2).path).await;
    watch(&house, &first).await.unwrap();
    for session in 0..10 {
        watch(&house, &house.start_in(SessionId(session)).await.unwrap())
            .await
            .unwrap();
    }
    assert_eq!(first.account, ACCOUNT);
    watch(&house, &house.start_in(SESSION).await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_clock_that_is_set_back_takes_nobodys_place() {
    let house = house().await;
    house.clock.advance(3_600_000);
    for session in [1, 2] {
        watch(&house, &press(&house, ACCOUNT, session).await.unwrap())
            .await
            .unwrap();
    }
    house.clock.advance(-3_600_000);
    // How long ago they watched nobody can tell: as if it were now.
    assert_eq!(press(&house, ACCOUNT, 3).await, Err(REFUSED));
    house.clock.advance(30_000);
    let third = press(&house, ACCOUNT, 3).await.unwrap();
    watch(&house, &third).await.unwrap();
}
