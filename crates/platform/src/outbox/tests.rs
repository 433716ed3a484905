//! The outbox, on both engines.

use std::borrow::Cow;

use contract::{TitleId, events::EventBody};
use sqlx::migrate::Migrator;

use super::*;
use crate::{Inputs, Migrations, on, test_support};

const NONE: Migrations = Migrations {
    sqlite: Migrator {
        migrations: Cow::Borrowed(&[]),
        ..Migrator::DEFAULT
    },
    postgres: Migrator {
        migrations: Cow::Borrowed(&[]),
        ..Migrator::DEFAULT
    },
};

async fn tell(db: &Db, inputs: &Inputs, title: i64) {
    let mut tx = db.begin().await.unwrap();
    append(
        &mut tx,
        &inputs.event(EventBody::TitleDeleted { title: TitleId(title) }),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

fn titles(facts: &[Stored]) -> Vec<i64> {
    let title = |fact: &Stored| match fact.event().unwrap().body {
        EventBody::TitleDeleted { title } => title.0,
        other => panic!("{other:?}"),
    };
    facts.iter().map(title).collect()
}

#[tokio::test]
async fn facts_are_read_in_order_and_in_pages() {
    for database in test_support::databases().await {
        let (inputs, _) = Inputs::manual(1);
        let db = database.open("room", &NONE).await;
        assert_eq!(head(&db).await.unwrap(), Position::START);
        for title in 1..=5 {
            tell(&db, &inputs, title).await;
        }
        let mut undone = db.begin().await.unwrap();
        append(
            &mut undone,
            &inputs.event(EventBody::TitleDeleted { title: TitleId(99) }),
        )
        .await
        .unwrap();
        undone.rollback().await.unwrap();

        wait_for(&db, 5).await;
        let first = read(&db, Position::START, 3).await.unwrap();
        assert_eq!(titles(&first), [1, 2, 3], "{}", database.name);
        let second = read(&db, first[2].position(), 3).await.unwrap();
        assert_eq!(titles(&second), [4, 5], "{}", database.name);
        assert_eq!(head(&db).await.unwrap(), second[1].position());
    }
}

/// Sequence numbers are handed out before the commit: a reader that only remembers the highest would skip the slow one.
#[tokio::test]
async fn a_transaction_that_commits_late_is_not_skipped() {
    let database = test_support::postgres().await;
    let (inputs, _) = Inputs::manual(1);
    let db = database.open("room", &NONE).await;
    let mut slow = db.begin().await.unwrap();
    append(&mut slow, &inputs.event(EventBody::TitleDeleted { title: TitleId(1) }))
        .await
        .unwrap();
    tell(&db, &inputs, 2).await;
    assert_eq!(
        titles(&read(&db, Position::START, 10).await.unwrap()),
        [0; 0],
        "the second waits for the first"
    );
    slow.commit().await.unwrap();
    // Transactions of other tests on the same server may hold them back for a moment.
    let facts = wait_for(&db, 2).await;
    assert_eq!(titles(&facts), [1, 2]);
}

#[tokio::test]
async fn a_cursor_never_goes_back() {
    for database in test_support::databases().await {
        let db = database.open("room", &NONE).await;
        assert_eq!(cursor(&db, "s").await.unwrap(), None);
        let (near, far) = (Position { tx: 0, seq: 4 }, Position { tx: 0, seq: 9 });
        save_cursor(&db, "s", far, 1).await.unwrap();
        save_cursor(&db, "s", near, 2).await.unwrap();
        assert_eq!(cursor(&db, "s").await.unwrap(), Some(far), "{}", database.name);
    }
}

#[tokio::test]
async fn only_what_is_old_and_delivered_is_pruned() {
    for database in test_support::databases().await {
        let (inputs, clock) = Inputs::manual(1);
        let db = database.open("room", &NONE).await;
        for title in 1..=3 {
            tell(&db, &inputs, title).await;
        }
        let facts = wait_for(&db, 3).await;
        save_cursor(&db, "slow", facts[1].position(), inputs.now_ms())
            .await
            .unwrap();
        save_cursor(&db, "quick", facts[2].position(), inputs.now_ms())
            .await
            .unwrap();
        assert_eq!(
            prune(&db, inputs.now_ms()).await.unwrap(),
            0,
            "{}: young",
            database.name
        );

        clock.advance(KEEP_MS + 1);
        assert_eq!(
            prune(&db, inputs.now_ms()).await.unwrap(),
            2,
            "{}: old and delivered",
            database.name
        );
        assert_eq!(titles(&wait_for(&db, 1).await), [3]);
        clock.advance(KEEP_UNDELIVERED_MS);
        assert_eq!(
            prune(&db, inputs.now_ms()).await.unwrap(),
            1,
            "{}: too old for anybody",
            database.name
        );
    }
}

#[tokio::test]
async fn an_effect_happens_once() {
    for database in test_support::databases().await {
        let (inputs, clock) = Inputs::manual(1);
        let db = database.open("room", &NONE).await;
        let event = inputs.event(EventBody::TitleDeleted { title: TitleId(1) });
        let mut counted = Vec::new();
        for (subscriber, committed) in [("a", false), ("a", true), ("a", true), ("b", true)] {
            let mut tx = db.begin().await.unwrap();
            counted.push(crate::inbox::first_time(&mut tx, subscriber, &event).await.unwrap());
            if committed {
                tx.commit().await.unwrap()
            } else {
                tx.rollback().await.unwrap()
            }
        }
        assert_eq!(counted, [true, true, false, true], "{}", database.name);
        clock.advance(crate::inbox::KEEP_MS + 1);
        assert_eq!(crate::inbox::prune(&db, inputs.now_ms()).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_fact_of_a_later_version_is_an_error_of_its_own() {
    for database in test_support::databases().await {
        let db = database.open("room", &NONE).await;
        on!(db.writer(), pool => sqlx::query("INSERT INTO outbox (id, at, body) VALUES (1, 1, '{\"type\":\"not_yet\"}')")
            .execute(pool).await.map(drop))
        .unwrap();
        let facts = wait_for(&db, 1).await;
        assert!(facts[0].event().is_err(), "{}", database.name);
    }
}

async fn wait_for(db: &Db, count: usize) -> Vec<Stored> {
    loop {
        let facts = read(db, Position::START, 100).await.unwrap();
        if facts.len() >= count {
            return facts;
        }
        tokio::task::yield_now().await;
    }
}
