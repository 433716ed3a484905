//! Where a film's end credits begin, and its opening and chapters lie: by its own chapters, or because a curator says so.

use contract::streaming::{CHAPTERS_MAX, Chapter, ForVideo, Marker, SetMarkers, Streaming as _, StreamingError, Video};
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
            chapters: vec![],
            chapters_edited: false,
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
        all_at_once_or_none(&house).await;
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
        assert_eq!(taken_back, Ok(unmarked.clone()), "{door}");
    }
}

async fn all_at_once_or_none(house: &House) {
    let all = |credits_ms, intro_ms, begin_ms| SetMarkers {
        title: TITLE,
        markers: vec![
            Marker::Credits(Some(credits_ms)),
            Marker::Intro(Some(intro_ms)),
            Marker::Chapters(Some(vec![chapter(begin_ms, "One")])),
        ],
    };
    house.room.set_markers(all(1_900, (0, 500), 0)).await.unwrap();
    for part_wrong in [
        all(1_000, (0, 2_001), 1),
        all(2_000, (0, 1_000), 1),
        all(1_000, (0, 1_000), 2_000),
    ] {
        let refused = house.room.set_markers(part_wrong).await;
        assert!(matches!(refused, Err(StreamingError::MarkerInvalid(_))), "{refused:?}");
        let now = house.room.video(ForVideo { title: TITLE }).await.unwrap();
        assert_eq!((now.credits_ms, now.intro_ms), (Some(1_900), Some((0, 500))));
        assert_eq!(now.chapters, [chapter(0, "One")]);
    }
}

fn chapter(start_ms: u64, name: &str) -> Chapter {
    Chapter {
        start_ms,
        name: (!name.is_empty()).then(|| name.to_owned()),
    }
}

fn many(count: usize) -> Vec<Chapter> {
    (0..count as u64).map(|at| chapter(at, "")).collect()
}

/// Of a video that lasts 3 s.
fn wrong_chapters() -> [Vec<Chapter>; 5] {
    [
        vec![chapter(3_000, "")],
        vec![chapter(u64::MAX, "")],
        vec![chapter(2, ""), chapter(1, "")],
        vec![chapter(1, ""), chapter(1, "")],
        many(CHAPTERS_MAX + 1),
    ]
}

#[tokio::test]
async fn a_curator_says_the_chapters_in_order_and_within_the_video() {
    let own = [chapter(0, "The film"), chapter(2_000, "The end")];
    let film = Film::silent("320x180", "25", 3).chapters(&[("The film", 0, 2), ("The end", 2, 3)]);
    let film = film.make("mkv");
    for database in test_support::databases().await {
        let engine = database.name;
        let mut house = House::on(database, Config::default()).await;
        let begun = house.play(&film.path).await;
        assert_eq!(begun.chapters, own, "{engine}");
        for (door, streaming) in house.doors() {
            let set = async |chapters: Option<Vec<Chapter>>| {
                let markers = vec![Marker::Chapters(chapters)];
                streaming.set_markers(SetMarkers { title: TITLE, markers }).await
            };
            let now = async || {
                let video = streaming.video(ForVideo { title: TITLE }).await.unwrap();
                (video.chapters, video.chapters_edited)
            };
            assert_eq!(now().await, (own.to_vec(), false), "{engine} {door}");
            // Names of one line that menus can hold, as those of a file are.
            let said = [chapter(0, ""), chapter(1, " A\r\n<b> "), chapter(2_999, "Z")];
            let kept = [chapter(0, ""), chapter(1, "A b"), chapter(2_999, "Z")];
            let answer = set(Some(said.to_vec())).await.unwrap();
            assert_eq!(
                (answer.chapters, answer.chapters_edited),
                (kept.to_vec(), true),
                "{door}"
            );
            for wrong in wrong_chapters() {
                let words = "at most 200 chapters begin, each after the one before, within the video, which lasts 3 s";
                let refused = StreamingError::MarkerInvalid(words.into());
                assert_eq!(
                    set(Some(wrong.clone())).await,
                    Err(refused),
                    "{engine} {door} {wrong:?}"
                );
            }
            assert_eq!(now().await, (kept.to_vec(), true), "{engine} {door}");
            // Whoever plays it now and whoever played it before.
            assert_eq!(house.start().await.unwrap().chapters, kept);
            let before = contract::streaming::ForPlayback {
                account: ACCOUNT,
                playback: begun.id,
            };
            assert_eq!(streaming.playback(before).await.unwrap().chapters, kept);
            set(Some(many(CHAPTERS_MAX))).await.unwrap();
            set(Some(vec![])).await.unwrap();
            assert!(
                house.start().await.unwrap().chapters.is_empty(),
                "none is something to say"
            );
            assert_eq!(now().await, (vec![], true), "{engine} {door}");
            set(None).await.unwrap();
            assert_eq!(now().await, (own.to_vec(), false), "{engine} {door}");
        }
        // What was said of one video is not said of the next.
        house
            .room
            .set_markers(SetMarkers {
                title: TITLE,
                markers: vec![Marker::Chapters(Some(vec![chapter(7, "Seven")]))],
            })
            .await
            .unwrap();
        assert_eq!(house.play(&film.path).await.chapters, own, "{engine}");
    }
}
