//! Titles that appear and go by themselves.

use contract::{
    Millis, TitleId,
    catalog::{CatalogError, ForTitle, NewTitle, OptionalFact, Title, UpdateTitle, Window},
};

use crate::support::{Fixture, browse, film, fixtures};

/// From now on.
const APPEARS_MS: Millis = 10_000;
const GOES_MS: Millis = 20_000;

async fn planned(fixture: &Fixture) -> (TitleId, Window) {
    let id = fixture.add(film("Solaris", 1972, &["Sci-Fi"])).await.card.id;
    let now = fixture.inputs.now_ms();
    let window = Window {
        publish_at: Some(now + APPEARS_MS),
        unpublish_at: Some(now + GOES_MS),
    };
    let change = UpdateTitle {
        publish_at: window.publish_at,
        unpublish_at: window.unpublish_at,
        ..UpdateTitle::of(id)
    };
    let title = fixture.door.update(change).await.unwrap();
    assert_eq!(
        (title.card.published, title.window),
        (false, window),
        "{}",
        fixture.name
    );
    (id, window)
}

/// What is so after `ms` more.
async fn later(fixture: &Fixture, title: TitleId, ms: i64) -> Title {
    fixture.clock.advance(ms);
    fixture.room.keep_windows().await.unwrap();
    fixture.door.title(ForTitle { title }).await.unwrap()
}

#[tokio::test]
async fn a_title_appears_and_goes_when_it_was_planned() {
    for fixture in fixtures().await {
        let (id, window) = planned(&fixture).await;
        assert!(fixture.names(browse()).await.is_empty(), "{}", fixture.name);
        let waits = later(&fixture, id, APPEARS_MS - 1).await;
        assert_eq!(
            (waits.card.published, waits.window),
            (false, window),
            "{}",
            fixture.name
        );
        assert!(fixture.found("solaris").await.is_empty(), "{}", fixture.name);

        let here = later(&fixture, id, 1).await;
        let rest = Window {
            publish_at: None,
            ..window
        };
        assert_eq!((here.card.published, here.window), (true, rest), "{}", fixture.name);
        // To viewers it is new.
        assert_eq!(Some(here.created_at), window.publish_at, "{}", fixture.name);
        assert_eq!(fixture.names(browse()).await, ["Solaris"], "{}", fixture.name);
        assert_eq!(fixture.found("solaris").await, ["Solaris"], "{}", fixture.name);

        let gone = later(&fixture, id, GOES_MS - APPEARS_MS).await;
        assert_eq!(
            (gone.card.published, gone.window),
            (false, Window::default()),
            "{}",
            fixture.name
        );
        assert_eq!(gone.created_at, here.created_at, "{}", fixture.name);
        assert!(fixture.names(browse()).await.is_empty(), "{}", fixture.name);
    }
}

#[tokio::test]
async fn what_became_due_while_nothing_ran_comes_about_later() {
    for fixture in fixtures().await {
        let (appeared, window) = planned(&fixture).await;
        let again = fixture.reopened().await;
        again.clock.set(window.publish_at.unwrap() + 1);
        again.room.keep_windows().await.unwrap();
        assert_eq!(again.names(browse()).await, ["Solaris"], "{}", fixture.name);
        // Both at once: it has gone.
        let second = again.add(film("Stalker", 1979, &[])).await.card.id;
        let now = again.inputs.now_ms();
        let change = UpdateTitle {
            publish_at: Some(now + 1),
            unpublish_at: Some(now + 2),
            ..UpdateTitle::of(second)
        };
        again.door.update(change).await.unwrap();
        let gone = later(&again, second, 60_000).await;
        assert_eq!((gone.card.published, gone.window), (false, Window::default()));
        assert!(
            !again
                .door
                .title(ForTitle { title: appeared })
                .await
                .unwrap()
                .card
                .published
        );
    }
}

#[tokio::test]
async fn more_than_one_turn_takes_appear_also_where_two_processes_look() {
    for fixture in fixtures().await {
        let titles: Vec<NewTitle> = (0..501)
            .map(|number| crate::support::imported(&number.to_string(), &format!("Film {number}"), 1990, &[]))
            .collect();
        let made = fixture
            .door
            .import(contract::catalog::ImportTitles { titles })
            .await
            .unwrap();
        let now = fixture.inputs.now_ms();
        for title in &made.titles {
            let change = UpdateTitle {
                publish_at: Some(now + APPEARS_MS),
                ..UpdateTitle::of(*title)
            };
            fixture.door.update(change).await.unwrap();
        }
        let other = fixture.beside().await;
        for process in [&fixture, &other] {
            process.clock.set(now + APPEARS_MS);
        }
        let (one, two) = tokio::join!(fixture.room.keep_windows(), other.room.keep_windows());
        one.and(two).unwrap();
        fixture.bus.settle().await.unwrap();
        let filter = browse();
        assert_eq!(fixture.names(filter).await.len(), 200, "{}: a whole page", fixture.name);
        for title in [made.titles[0], made.titles[500]] {
            let title = fixture.door.title(ForTitle { title }).await.unwrap();
            assert_eq!(
                (title.card.published, title.window),
                (true, Window::default()),
                "{}",
                fixture.name
            );
        }
    }
}

#[tokio::test]
async fn what_is_planned_can_be_taken_back_and_goes_with_its_title() {
    for fixture in fixtures().await {
        let (id, window) = planned(&fixture).await;
        let refused = fixture.door.update(UpdateTitle {
            unpublish_at: window.publish_at,
            ..UpdateTitle::of(id)
        });
        assert!(
            matches!(refused.await, Err(CatalogError::TitleInvalid(_))),
            "{}",
            fixture.name
        );
        let forever = UpdateTitle {
            cleared: vec![OptionalFact::UnpublishAt],
            ..UpdateTitle::of(id)
        };
        fixture.door.update(forever).await.unwrap();
        assert!(later(&fixture, id, GOES_MS).await.card.published, "{}", fixture.name);
        let (second, _) = planned(&fixture).await;
        fixture.door.delete(ForTitle { title: second }).await.unwrap();
        fixture.clock.advance(GOES_MS);
        fixture.room.keep_windows().await.unwrap();
        assert_eq!(fixture.names(browse()).await, ["Solaris"], "{}", fixture.name);
    }
}
