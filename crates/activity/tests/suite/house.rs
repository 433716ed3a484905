//! What every test stands in: a fresh database, a clock that the test moves, a bus, and the door on either side.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use activity::{Config, Deps, Room};
use contract::{
    ProfileId, TitleId,
    activity::{
        Activity, ForTitleOf, HalfStars, Opinion, PlayState, Rate, Recent, RecentActivity, ReportProgress, TitleRatings,
    },
    events::EventBody,
    wire::Served,
};
use platform::{
    Bus, Db, Inputs, Migrations,
    bus::{Delivery, Settings, handler},
    clock::ManualClock,
    test_support::{Pairing, TestDatabase, pairings},
    wire::Loopback,
};

pub const ANN: ProfileId = ProfileId(1_001);
pub const BOB: ProfileId = ProfileId(1_002);

pub struct House {
    /// Engine and side, for messages.
    pub name: String,
    pub database: TestDatabase,
    pub door: Arc<dyn Activity>,
    pub room: Arc<Room>,
    pub bus: Arc<Bus>,
    pub inputs: Inputs,
    pub clock: Arc<ManualClock>,
    events: Arc<Mutex<Vec<EventBody>>>,
}

static MIGRATIONS: Migrations = platform::migrations!();

/// Runs a test on both engines and on both sides of the wire.
pub async fn everywhere(test: impl AsyncFn(&House)) {
    for pairing in pairings().await {
        let house = House::open(pairing, Config::default()).await;
        test(&house).await;
        house.bus.shutdown().await;
    }
}

impl House {
    pub async fn open(pairing: Pairing, config: Config) -> Self {
        let name = pairing.name();
        let Pairing { database, remote } = pairing;
        let (inputs, clock) = Inputs::manual(7);
        let settings = Settings {
            poll: Duration::from_millis(20),
            ..Settings::default()
        };
        let bus = Bus::with_settings(inputs.clock.clone(), settings);
        let room = room(&database, &inputs, &bus, config).await;
        room.subscribe(&bus).await.unwrap();
        let events = collect(&bus).await;
        let local: Arc<dyn Activity> = room.clone();
        let door = if remote {
            Arc::new(Loopback::new().with(Served(local)).remote())
        } else {
            local
        };
        Self {
            name,
            database,
            door,
            room,
            bus,
            inputs,
            clock,
            events,
        }
    }

    /// The same database opened a second time: another process, or this one after a crash.
    pub async fn another(&self) -> Arc<Room> {
        room(
            &self.database,
            &self.inputs,
            &Bus::new(self.inputs.clock.clone()),
            Config::default(),
        )
        .await
    }

    /// What was told since the last look, once the room itself has heard all of it too.
    pub async fn told(&self) -> Vec<EventBody> {
        self.bus.settle().await.unwrap();
        std::mem::take(&mut self.events.lock().unwrap())
    }

    /// Writes a fact into a room's outbox, as another process would.
    pub async fn tell(&self, room: &'static str, body: EventBody) -> Db {
        let db = self.database.open(room, &MIGRATIONS).await;
        let mut tx = db.begin().await.unwrap();
        platform::outbox::append(&mut tx, &self.inputs.event(body))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        db
    }

    pub async fn rate(&self, profile: ProfileId, title: i64, half_stars: u8) -> TitleRatings {
        self.opine(profile, title, stars(half_stars)).await
    }

    pub async fn opine(&self, profile: ProfileId, title: i64, opinion: Opinion) -> TitleRatings {
        self.door
            .rate(Rate {
                profile,
                title: TitleId(title),
                opinion,
            })
            .await
            .unwrap()
    }

    pub async fn recent(&self, profile: ProfileId) -> RecentActivity {
        self.door.recent(Recent { profile, limit: 500 }).await.unwrap()
    }

    /// A report of the player, `position_s` of 100 s.
    pub async fn watch(&self, profile: ProfileId, title: i64, position_s: u64) {
        let at = self.clock.now_ms();
        self.door
            .report_progress(report(profile, title, position_s, at))
            .await
            .unwrap();
    }
}

async fn room(database: &TestDatabase, inputs: &Inputs, bus: &Arc<Bus>, config: Config) -> Arc<Room> {
    let deps = Deps {
        location: database.location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        config,
    };
    activity::open(deps).await.unwrap()
}

async fn collect(bus: &Bus) -> Arc<Mutex<Vec<EventBody>>> {
    let events = Arc::<Mutex<Vec<EventBody>>>::default();
    let sink = events.clone();
    let taker = handler(move |batch| {
        sink.lock().unwrap().extend(batch.into_iter().map(|event| event.body));
        Box::pin(async { Ok(()) })
    });
    bus.subscribe("test.events", Delivery::Ephemeral, taker).await.unwrap();
    events
}

pub fn report(profile: ProfileId, title: i64, position_s: u64, at: i64) -> ReportProgress {
    ReportProgress {
        profile,
        title: TitleId(title),
        position_ms: position_s * 1_000,
        duration_ms: 100_000,
        credits_ms: None,
        state: PlayState::Playing,
        at,
    }
}

pub fn stars(half_stars: u8) -> Opinion {
    Opinion::Stars(HalfStars::new(half_stars).unwrap())
}

pub fn of(profile: ProfileId, title: i64) -> ForTitleOf {
    ForTitleOf {
        profile,
        title: TitleId(title),
    }
}

pub use platform::clock::Clock;
