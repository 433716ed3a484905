//! Watching: positions written behind, finished written through, history.

use activity::Config;
use contract::{
    Done, TitleId,
    activity::{
        Activity as _, ActivityError, ForProfileOnly, GetStates, ListOf, MarkWatched, PageInteractions, PlayState,
        ReportProgress,
    },
    events::EventBody,
};
use platform::test_support::{Pairing, databases};

use crate::house::{ANN, BOB, Clock as _, House, everywhere, of, report};

#[tokio::test]
async fn a_position_is_readable_at_once_and_written_by_the_flush() {
    everywhere(async |house| {
        assert_eq!(house.recent(ANN).await.states.len(), 0);
        for position in [10, 20, 30] {
            house.clock.advance(5_000);
            house.watch(ANN, 1, position).await;
        }
        let seen = house.recent(ANN).await.states[0].progress.clone().unwrap();
        assert_eq!((seen.position_ms, seen.watched), (30_000, 0.3), "{}", house.name);
        assert_eq!(house.door.state(of(ANN, 1)).await.unwrap().progress, Some(seen.clone()));
        let titles = vec![TitleId(1), TitleId(2)];
        assert_eq!(
            house
                .door
                .states(GetStates { profile: ANN, titles })
                .await
                .unwrap()
                .len(),
            1
        );
        let elsewhere = house.another().await;
        assert_eq!(
            elsewhere.state(of(ANN, 1)).await.unwrap().progress,
            None,
            "written behind"
        );
        house.room.flush().await.unwrap();
        assert_eq!(elsewhere.state(of(ANN, 1)).await.unwrap().progress, Some(seen.clone()));
        assert_eq!(house.recent(ANN).await.states[0].progress, Some(seen));
        assert_eq!(house.told().await, [], "a position alone is nobody's business");
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_loses_no_position() {
    everywhere(async |house| {
        house.watch(ANN, 1, 50).await;
        house.watch(ANN, 2, 50).await;
        house.room.flush().await.unwrap();
        house.clock.set(house.clock.now_ms() - 3_600_000);
        let elsewhere = house.another().await;
        house.watch(ANN, 1, 60).await;
        house.watch(ANN, 2, 97).await;
        house.clock.advance(1_000);
        house.room.flush().await.unwrap();
        let progress = async |title| elsewhere.state(of(ANN, title)).await.unwrap().progress.unwrap();
        assert_eq!(progress(1).await.position_ms, 60_000, "{}", house.name);
        let ended = progress(2).await;
        assert!(
            ended.finished && ended.position_ms == 97_000,
            "{}: {ended:?}",
            house.name
        );
        assert!(ended.at <= house.clock.now_ms(), "{}", house.name);
    })
    .await;
}

#[tokio::test]
async fn finishing_is_written_through_and_told_once() {
    everywhere(async |house| {
        house.watch(ANN, 1, 50).await;
        house.clock.advance(60_000);
        house.watch(ANN, 1, 96).await;
        let stored = house.another().await.state(of(ANN, 1)).await.unwrap().progress.unwrap();
        assert!(stored.finished, "{}", house.name);
        house.clock.advance(1_000);
        house.watch(ANN, 1, 97).await;
        house.room.flush().await.unwrap();
        assert_eq!(
            house.told().await,
            [EventBody::ProfileActed {
                profile: ANN,
                title: TitleId(1),
                favours: true,
            }]
        );
    })
    .await;
}

#[tokio::test]
async fn a_title_opened_again_stays_open_when_the_look_goes_on_to_its_last_scene() {
    everywhere(async |house| {
        for position in [96, 5, 85] {
            house.clock.advance(60_000);
            house.watch(ANN, 1, position).await;
        }
        let progress = async |door: &dyn contract::activity::Activity| {
            let progress = door.state(of(ANN, 1)).await.unwrap().progress.unwrap();
            (progress.position_ms, progress.watched, progress.finished)
        };
        let open = (85_000, 0.96, false);
        assert_eq!(progress(house.door.as_ref()).await, open, "{}", house.name);
        house.room.flush().await.unwrap();
        assert_eq!(progress(house.another().await.as_ref()).await, open, "{}", house.name);
    })
    .await;
}

#[tokio::test]
async fn the_newest_by_the_players_clock_wins_whatever_the_order() {
    everywhere(async |house| {
        let now = house.clock.now_ms();
        house
            .door
            .report_progress(report(ANN, 1, 60, now - 1_000))
            .await
            .unwrap();
        house.room.flush().await.unwrap();
        // Another device, late; and one whose clock was set back an hour.
        house
            .door
            .report_progress(report(ANN, 1, 30, now - 5_000))
            .await
            .unwrap();
        house
            .door
            .report_progress(report(ANN, 1, 70, now - 3_600_000))
            .await
            .unwrap();
        house.room.flush().await.unwrap();
        let progress = house.door.state(of(ANN, 1)).await.unwrap().progress.unwrap();
        assert_eq!(
            (progress.position_ms, progress.watched),
            (60_000, 0.7),
            "{}",
            house.name
        );
        // One that runs a year ahead does not lock the others out.
        house
            .door
            .report_progress(report(ANN, 1, 10, now + 31_536_000_000))
            .await
            .unwrap();
        house.clock.advance(1_000);
        house
            .door
            .report_progress(report(ANN, 1, 20, now + 1_000))
            .await
            .unwrap();
        assert_eq!(
            house
                .door
                .state(of(ANN, 1))
                .await
                .unwrap()
                .progress
                .unwrap()
                .position_ms,
            20_000
        );
    })
    .await;
}

#[tokio::test]
async fn a_position_outside_of_the_title_is_refused() {
    everywhere(async |house| {
        for bad in [
            report(ANN, 1, 1_000, 0),
            ReportProgress {
                duration_ms: 0,
                position_ms: 0,
                state: PlayState::Ended,
                ..report(ANN, 1, 0, 0)
            },
        ] {
            assert_eq!(
                house.door.report_progress(bad).await,
                Err(ActivityError::PositionInvalid),
                "{}",
                house.name
            );
        }
        assert_eq!(house.recent(ANN).await.states, []);
    })
    .await;
}

#[tokio::test]
async fn history_is_by_time_and_what_is_forgotten_stops_counting() {
    everywhere(async |house| {
        for title in 1..=3 {
            house.clock.advance(10_000);
            house.watch(ANN, title, 40).await;
        }
        house.rate(ANN, 2, 10).await;
        let history = ListOf {
            profile: ANN,
            after: None,
            limit: 10,
        };
        let titles = |page: contract::Page<contract::activity::TitleState, _>| {
            page.items.iter().map(|state| state.title.0).collect::<Vec<_>>()
        };
        assert_eq!(
            titles(house.door.history(history).await.unwrap()),
            [3, 2, 1],
            "{}",
            house.name
        );
        house.watch(ANN, 2, 60).await;
        house.door.forget(of(ANN, 2)).await.unwrap();
        house.room.flush().await.unwrap();
        assert_eq!(titles(house.door.history(history).await.unwrap()), [3, 1]);
        let learned = house
            .door
            .interactions(PageInteractions { after: None, limit: 10 })
            .await
            .unwrap();
        assert_eq!(learned.titles, [1, 3]);
        assert_eq!(learned.watched, [40, 40]);
        assert!(
            !house
                .recent(ANN)
                .await
                .states
                .iter()
                .any(|state| state.title == TitleId(2))
        );
    })
    .await;
}

#[tokio::test]
async fn a_thousand_titles_are_marked_at_once() {
    everywhere(async |house| {
        let titles: Vec<_> = (1..=1_000).map(TitleId).collect();
        let mark = |titles: Vec<TitleId>, watched| {
            house.door.mark_watched(MarkWatched {
                profile: ANN,
                titles,
                watched,
            })
        };
        mark(titles.clone(), true).await.unwrap();
        let learned = house
            .door
            .interactions(PageInteractions {
                after: None,
                limit: 2_000,
            })
            .await
            .unwrap();
        assert_eq!(
            (learned.titles.len(), learned.watched[0]),
            (1_000, 100),
            "{}",
            house.name
        );
        assert_eq!(house.told().await.len(), 1, "one fact for one act");
        let progress = house.door.state(of(ANN, 7)).await.unwrap().progress.unwrap();
        assert!(progress.finished);
        house.watch(ANN, 1_000, 20).await;
        mark(titles.clone(), false).await.unwrap();
        house.room.flush().await.unwrap();
        assert_eq!(house.recent(ANN).await.states, []);
        let too_many = titles.into_iter().chain([TitleId(1_001)]).collect();
        assert_eq!(mark(too_many, true).await, Err(ActivityError::TooMany(1_000)));
    })
    .await;
}

#[tokio::test]
async fn a_title_that_was_opened_again_can_be_marked_as_watched() {
    everywhere(async |house| {
        house.watch(ANN, 1, 95).await;
        house.clock.advance(86_400_000);
        house.watch(ANN, 1, 1).await;
        house.clock.advance(86_400_000);
        let titles = vec![TitleId(1)];
        let mark = MarkWatched {
            profile: ANN,
            titles,
            watched: true,
        };
        house.door.mark_watched(mark).await.unwrap();
        house.room.flush().await.unwrap();
        let progress = house.door.state(of(ANN, 1)).await.unwrap().progress.unwrap();
        assert_eq!(
            (progress.watched, progress.finished, progress.at),
            (1.0, true, house.clock.now_ms()),
            "{}: now, not when it was first finished",
            house.name
        );
    })
    .await;
}

#[tokio::test]
async fn a_full_map_of_positions_makes_players_wait_for_the_writer() {
    for database in databases().await {
        let config = Config {
            pending_positions_max: 5,
            ..Config::default()
        };
        let house = House::open(Pairing::local(database), config).await;
        for title in 1..=23 {
            house.watch(if title % 2 == 0 { ANN } else { BOB }, title, 10).await;
        }
        house.room.flush().await.unwrap();
        let learned = house
            .another()
            .await
            .interactions(PageInteractions {
                after: None,
                limit: 100,
            })
            .await
            .unwrap();
        assert_eq!(learned.titles.len(), 23, "{}", house.name);
    }
}

#[tokio::test]
async fn the_flusher_writes_what_is_left_when_it_is_stopped() {
    for database in databases().await {
        let config = Config {
            flush_ms: 3_600_000,
            ..Config::default()
        };
        let house = House::open(Pairing::local(database), config).await;
        let stop = tokio_util::sync::CancellationToken::new();
        let flusher = tokio::spawn(house.room.clone().run(stop.clone()));
        house.watch(ANN, 1, 10).await;
        stop.cancel();
        flusher.await.unwrap();
        let stored = house.another().await.state(of(ANN, 1)).await.unwrap();
        assert_eq!(
            stored.progress.map(|progress| progress.position_ms),
            Some(10_000),
            "{}",
            house.name
        );
    }
}

#[tokio::test]
async fn a_version_changes_with_what_that_profile_did_and_with_nothing_else() {
    everywhere(async |house| {
        let version = async |profile| house.door.version(ForProfileOnly { profile }).await.unwrap();
        let (mut before, bob) = (version(ANN).await, version(BOB).await);
        assert_ne!(before, bob, "{}", house.name);
        for act in ["watch", "watch on", "rate", "list", "unlist", "unrate"] {
            house.clock.advance(1_000);
            match act {
                "watch" => house.watch(ANN, 1, 10).await,
                "watch on" => house.watch(ANN, 1, 20).await,
                "rate" => assert_eq!(house.rate(ANN, 1, 9).await.likes, 0),
                "list" => assert_eq!(house.door.add_to_list(of(ANN, 2)).await, Ok(Done {})),
                "unlist" => assert_eq!(house.door.remove_from_list(of(ANN, 2)).await, Ok(Done {})),
                _ => assert_eq!(house.door.unrate(of(ANN, 1)).await.unwrap().likes, 0),
            }
            // What a process tells, it hears itself, and reads anew.
            house.told().await;
            let after = version(ANN).await;
            assert_ne!(after, before, "{act} on {}", house.name);
            house.recent(ANN).await;
            assert_eq!(
                version(ANN).await,
                after,
                "reading is no change, after {act} on {}",
                house.name
            );
            before = after;
        }
        assert_eq!(version(BOB).await, bob, "{}", house.name);
    })
    .await;
}
