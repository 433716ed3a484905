//! Where a film's end credits begin: by its own chapters, or because a curator says so.

use contract::streaming::{ForVideo, Marker, SetMarkers, Streaming as _, StreamingError, Video};
use platform::test_support;
use streaming::Config;
use testkit::films::{Film, film};

use crate::support::{ACCOUNT, House, TITLE};

fn credits(at_ms: Option<u64>) -> SetMarkers {
    SetMarkers {
        title: TITLE,
        markers: vec![Marker::Credits(at_ms)],
    }
}

#[tokio::test]
async fn the_chapters_of_a_film_say_where_its_credits_begin() {
    let mut house = House::new().await;
    let ten = Film::silent("320x180", "25", 10);
    let cases = [
        ("mkv", [("The film", 0, 8), ("12. End Credits", 8, 10)], Some(8_000)),
        ("mp4", [("Le film", 0, 9), ("GÉNÉRIQUE DE FIN", 9, 10)], Some(9_000)),
        // That is how it opens.
        ("mp4", [("Credits", 0, 1), ("The film", 1, 10)], None),
        ("mkv", [("The film", 0, 8), ("The credits of a bank", 8, 10)], None),
    ];
    for (container, chapters, begin) in cases {
        let made = ten.clone().chapters(&chapters).make(container);
        let playback = house.play(&made.path).await;
        assert_eq!(playback.credits_ms, begin, "{chapters:?}");
        let video = house.room.video(ForVideo { title: TITLE }).await.unwrap();
        assert_eq!((video.asset, video.credits_ms), (playback.asset, begin), "{chapters:?}");
    }
}

#[tokio::test]
async fn a_curator_says_where_the_credits_begin_and_within_the_video() {
    for database in test_support::databases().await {
        let engine = database.name;
        let mut house = House::on(database, Config::default()).await;
        let nothing = house.room.set_markers(credits(Some(1))).await;
        assert_eq!(nothing, Err(StreamingError::NotPlayable), "{engine}");
        let begun = house.play(&film("320x180", "25", 2).path).await;
        assert_eq!(begun.credits_ms, None);
        let video = |credits_ms| Video {
            asset: begun.asset,
            duration_ms: 2_000,
            credits_ms,
            intro_ms: None,
        };
        for (door, streaming) in house.doors() {
            let said = streaming.set_markers(credits(Some(1_500))).await;
            assert_eq!(said, Ok(video(Some(1_500))), "{engine} {door}");
            for outside in [0, 2_000, 2_001, i64::MAX as u64, u64::MAX] {
                let words = "the credits begin within the video, which lasts 2 s";
                assert_eq!(
                    streaming.set_markers(credits(Some(outside))).await,
                    Err(StreamingError::MarkerInvalid(words.into())),
                    "{engine} {door} {outside}"
                );
            }
            assert_eq!(
                streaming.video(ForVideo { title: TITLE }).await,
                Ok(video(Some(1_500))),
                "{engine} {door}"
            );
            // Whoever plays it now and whoever played it before.
            assert_eq!(house.start().await.unwrap().credits_ms, Some(1_500));
            let before = contract::streaming::ForPlayback {
                account: ACCOUNT,
                playback: begun.id,
            };
            assert_eq!(streaming.playback(before).await.unwrap().credits_ms, Some(1_500));
            let taken_back = streaming.set_markers(credits(None)).await;
            assert_eq!(taken_back, Ok(video(None)), "{engine} {door}");
        }
        the_opening_too(&house, video(None)).await;
        both_at_once_or_none(&house).await;
        // What was said of one video is not said of the next.
        house.room.set_markers(credits(Some(1_999))).await.unwrap();
        assert_eq!(house.play(&film("320x180", "25", 1).path).await.credits_ms, None);
    }
}

async fn the_opening_too(house: &House, unmarked: Video) {
    for (door, streaming) in house.doors() {
        let intro = |intro_ms| SetMarkers {
            title: TITLE,
            markers: vec![Marker::Intro(intro_ms)],
        };
        let said = streaming.set_markers(intro(Some((0, 2_000)))).await.unwrap();
        assert_eq!(said.intro_ms, Some((0, 2_000)), "{door}");
        for outside in [(0, 0), (500, 400), (0, 2_001), (0, u64::MAX), (u64::MAX, u64::MAX)] {
            let words = "the opening begins before it ends, and ends within the video, which lasts 2 s";
            assert_eq!(
                streaming.set_markers(intro(Some(outside))).await,
                Err(StreamingError::MarkerInvalid(words.into())),
                "{door} {outside:?}"
            );
        }
        assert_eq!(house.start().await.unwrap().intro_ms, Some((0, 2_000)));
        let taken_back = streaming.set_markers(intro(None)).await;
        assert_eq!(taken_back, Ok(unmarked), "{door}");
    }
}

async fn both_at_once_or_none(house: &House) {
    let both = |credits_ms, intro_ms| SetMarkers {
        title: TITLE,
        markers: vec![Marker::Credits(Some(credits_ms)), Marker::Intro(Some(intro_ms))],
    };
    house.room.set_markers(both(1_900, (0, 500))).await.unwrap();
    for half_wrong in [both(1_000, (0, 2_001)), both(2_000, (0, 1_000))] {
        let refused = house.room.set_markers(half_wrong).await;
        assert!(matches!(refused, Err(StreamingError::MarkerInvalid(_))), "{refused:?}");
        let now = house.room.video(ForVideo { title: TITLE }).await.unwrap();
        assert_eq!((now.credits_ms, now.intro_ms), (Some(1_900), Some((0, 500))));
    }
}
