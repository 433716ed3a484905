//! The bus, on both engines.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::atomic::{AtomicI64, Ordering},
};

use contract::{TitleId, events::EventBody};
use sqlx::migrate::Migrator;

use super::*;
use crate::{
    Inputs, Migrations, on,
    test_support::{self, TestDatabase},
};

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

/// Writes down what it was given; fails at some titles.
#[derive(Default)]
struct Recorder {
    seen: Mutex<Vec<i64>>,
    calls: Mutex<Vec<usize>>,
    fails_at: HashSet<i64>,
    /// Fails so often, then no more.
    failures_left: AtomicI64,
    panics: bool,
}

impl Recorder {
    fn seen(&self) -> Vec<i64> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, events: &[Event]) -> anyhow::Result<()> {
        self.calls.lock().unwrap().push(events.len());
        let titles: Vec<i64> = events.iter().map(title_of).collect();
        if titles.iter().any(|title| self.fails_at.contains(title)) {
            let left = self.failures_left.fetch_sub(1, Ordering::AcqRel);
            assert!(left <= 0 || !self.panics, "as asked");
            anyhow::ensure!(left <= 0, "not this one");
        }
        self.seen.lock().unwrap().extend(titles);
        Ok(())
    }
}

fn title_of(event: &Event) -> i64 {
    match event.body {
        EventBody::TitleDeleted { title } => title.0,
        ref other => panic!("{other:?}"),
    }
}

fn quick() -> Settings {
    Settings {
        poll: Duration::from_millis(5),
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(2),
        attempts_max: 4,
        ..Settings::default()
    }
}

/// A room with a bus; several can stand on one database, as processes do.
struct Room {
    db: Db,
    bus: Arc<Bus>,
    inputs: Inputs,
}

impl Room {
    async fn open(database: &TestDatabase, seed: u64) -> Self {
        let (inputs, _) = Inputs::manual(seed);
        let db = database.open("room", &NONE).await;
        let bus = Bus::with_settings(inputs.clock.clone(), quick());
        bus.attach(&db).await.unwrap();
        Self { db, bus, inputs }
    }

    async fn tell(&self, titles: impl IntoIterator<Item = i64>) {
        for title in titles {
            let mut tx = self.db.begin().await.unwrap();
            let event = self.inputs.event(EventBody::TitleDeleted { title: TitleId(title) });
            outbox::append(&mut tx, &event).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    async fn subscribe(&self, delivery: Delivery, recorder: &Arc<Recorder>) {
        self.bus.subscribe("test", delivery, recorder.clone()).await.unwrap();
    }

    /// Until `recorder` has seen `count` facts: on PostgreSQL other tests' transactions may hold facts back for a moment.
    async fn until_seen(&self, recorder: &Recorder, count: usize) {
        while recorder.seen().len() < count {
            self.bus.settle().await.unwrap();
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_durable_subscriber_gets_everything_in_order_across_restarts() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        room.tell(1..=300).await;
        let before = Arc::new(Recorder::default());
        room.subscribe(Delivery::Durable, &before).await;
        room.until_seen(&before, 300).await;
        assert_eq!(before.seen(), (1..=300).collect::<Vec<_>>(), "{}", database.name);
        room.bus.shutdown().await;
        room.tell(301..=303).await;

        let room = Room::open(&database, 2).await;
        let after = Arc::new(Recorder::default());
        room.subscribe(Delivery::Durable, &after).await;
        room.tell([304]).await;
        room.until_seen(&after, 4).await;
        assert_eq!(after.seen(), [301, 302, 303, 304], "{}", database.name);
        room.bus.shutdown().await;
    }
}

#[tokio::test]
async fn an_ephemeral_subscriber_begins_now() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        room.tell(1..=3).await;
        while outbox::read(&room.db, Position::START, 9).await.unwrap().len() < 3 {
            tokio::task::yield_now().await;
        }
        let recorder = Arc::new(Recorder::default());
        room.subscribe(Delivery::Ephemeral, &recorder).await;
        room.tell([4, 5]).await;
        room.until_seen(&recorder, 2).await;
        assert_eq!(recorder.seen(), [4, 5], "{}", database.name);
        assert_eq!(outbox::cursor(&room.db, "test").await.unwrap(), None);
        room.bus.shutdown().await;
    }
}

#[tokio::test]
async fn what_another_process_wrote_arrives() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        let recorder = Arc::new(Recorder::default());
        room.subscribe(Delivery::Ephemeral, &recorder).await;
        let command = Room::open(&database, 2).await;
        command.tell([7]).await;
        room.until_seen(&recorder, 1).await;
        assert_eq!(recorder.seen(), [7], "{}", database.name);
    }
}

#[tokio::test]
async fn a_failing_subscriber_is_asked_again_and_nothing_is_lost() {
    for panics in [false, true] {
        for database in test_support::databases().await {
            let room = Room::open(&database, 1).await;
            room.tell(1..=5).await;
            let failures_left = AtomicI64::new(3);
            let recorder = Arc::new(Recorder {
                fails_at: [3].into(),
                failures_left,
                panics,
                ..Recorder::default()
            });
            room.subscribe(Delivery::Durable, &recorder).await;
            room.until_seen(&recorder, 5).await;
            assert_eq!(recorder.seen(), [1, 2, 3, 4, 5], "{}", database.name);
            assert_eq!(outbox::parked(&room.db, 10).await.unwrap(), []);
            room.bus.shutdown().await;
        }
    }
}

#[tokio::test]
async fn a_fact_that_always_fails_is_put_aside_and_the_others_go_on() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        room.tell(1..=5).await;
        let failures_left = AtomicI64::new(i64::MAX);
        let recorder = Arc::new(Recorder {
            fails_at: [3].into(),
            failures_left,
            ..Recorder::default()
        });
        room.subscribe(Delivery::Durable, &recorder).await;
        room.until_seen(&recorder, 4).await;
        room.bus.shutdown().await;
        assert_eq!(recorder.seen(), [1, 2, 4, 5], "{}", database.name);
        let parked = outbox::parked(&room.db, 10).await.unwrap();
        assert_eq!(parked.len(), 1);
        assert_eq!((parked[0].0.as_str(), parked[0].2.as_str()), ("test", "not this one"));
        let alone = recorder.calls.lock().unwrap().iter().filter(|&&size| size == 1).count();
        assert!(alone >= quick().attempts_max as usize, "{}: {alone}", database.name);
    }
}

#[tokio::test]
async fn a_fact_of_a_later_version_is_put_aside() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        room.tell([1]).await;
        on!(room.db.writer(), pool => sqlx::query("INSERT INTO outbox (id, at, body) VALUES (5, 1, '{\"type\":\"not_yet\"}')")
            .execute(pool).await.map(drop))
        .unwrap();
        room.tell([2]).await;
        let recorder = Arc::new(Recorder::default());
        room.subscribe(Delivery::Durable, &recorder).await;
        room.until_seen(&recorder, 2).await;
        assert_eq!(recorder.seen(), [1, 2], "{}", database.name);
        assert_eq!(outbox::parked(&room.db, 10).await.unwrap()[0].1, 5);
        room.bus.shutdown().await;
    }
}

/// A dump restored into a new cluster brings transaction ids that the cluster will not reach for years.
#[tokio::test]
async fn a_database_restored_elsewhere_goes_on() {
    let database = test_support::postgres().await;
    let room = Room::open(&database, 1).await;
    room.tell(1..=3).await;
    let before = Arc::new(Recorder::default());
    room.subscribe(Delivery::Durable, &before).await;
    room.until_seen(&before, 3).await;
    room.bus.shutdown().await;
    room.tell([4]).await;
    for table in ["outbox", "outbox_cursor"] {
        let sql = sqlx::AssertSqlSafe(format!("UPDATE {table} SET tx = tx + 1000000000000"));
        on!(room.db.writer(), pool => sqlx::query(sql).execute(pool).await.map(drop)).unwrap();
    }

    let room = Room::open(&database, 2).await;
    let after = Arc::new(Recorder::default());
    room.subscribe(Delivery::Durable, &after).await;
    room.tell([5]).await;
    room.until_seen(&after, 2).await;
    assert_eq!(after.seen(), [4, 5]);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let (inputs, _) = Inputs::manual(1);
    let bus = Bus::new(inputs.clock.clone());
    let recorder = Arc::new(Recorder::default());
    bus.subscribe("one", Delivery::Ephemeral, recorder.clone())
        .await
        .unwrap();
    assert!(bus.subscribe("one", Delivery::Durable, recorder).await.is_err());
}

#[tokio::test]
async fn a_closure_is_a_handler() {
    let database = test_support::sqlite();
    let room = Room::open(&database, 1).await;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let tell = handler(move |events| {
        let sender = sender.clone();
        Box::pin(async move {
            events.iter().try_for_each(|event| sender.send(title_of(event)))?;
            Ok(())
        })
    });
    room.bus.subscribe("closure", Delivery::Ephemeral, tell).await.unwrap();
    room.tell([8]).await;
    assert_eq!(receiver.recv().await, Some(8));
}
