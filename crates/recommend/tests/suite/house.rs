//! What every test stands in: 480 films of four genres, and sixty viewers of whom each likes one genre and dislikes another.

use std::sync::Arc;

use activity::Room as ActivityRoom;
use contract::{
    ProfileId, TitleId,
    accounts::Preferences,
    activity::{Activity, HalfStars, ImportRatings, ImportedRating, Opinion, PlayState, Rate, ReportProgress},
    catalog::{Catalog, ExternalId, ImportTitles, NewTitle, TitleKind},
    jobs::{Job, JobState},
    recommend::{GetHome, HomePage, ModelInfo, Recommend, Row, RowKind, StartTraining, Viewer},
    wire::Served,
};
use platform::{
    Bus, Inputs,
    blob::BlobStore,
    clock::{Clock as _, ManualClock},
    test_support::{Pairing, TestDatabase, pairings},
    wire::Loopback,
};
use recommend::{Config, Deps, Room};
use tokio_util::sync::CancellationToken;

pub const GENRES: [&str; 4] = ["Drama", "Comedy", "Horror", "Western"];
/// Films 0..480: film n is of genre n % 4, suitable from age 18 when n % 10 is 9. So many that a genre has films left when the rows
/// above its own have taken theirs.
pub const FILMS: usize = 480;
/// The first films are those that anybody has rated.
pub const RATED: usize = 120;
pub const DAY_MS: i64 = 86_400_000;
/// Somebody who has done nothing yet.
pub const NEW: ProfileId = ProfileId(500);

pub struct House {
    /// Engine and side, for messages.
    pub name: String,
    pub database: TestDatabase,
    pub folder: tempfile::TempDir,
    pub door: Arc<dyn Recommend>,
    pub room: Arc<Room>,
    pub catalog: Arc<catalog::Local>,
    pub activity: Arc<ActivityRoom>,
    pub bus: Arc<Bus>,
    pub inputs: Inputs,
    pub clock: Arc<ManualClock>,
    pub films: Vec<TitleId>,
}

/// What is set where a test says nothing else.
pub fn usual() -> Config {
    Config {
        models_keep: 3,
        tune_trials_max: 4,
        refresh_ms: 20,
        ..Config::default()
    }
}

/// Runs a test on both engines and on both sides of the wire.
pub async fn everywhere(test: impl AsyncFn(&House)) {
    for pairing in pairings().await {
        let house = House::open(pairing).await;
        test(&house).await;
        house.bus.shutdown().await;
    }
}

async fn activity_on(database: &TestDatabase, inputs: &Inputs, bus: &Arc<Bus>) -> Arc<ActivityRoom> {
    let deps = activity::Deps {
        location: database.location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        config: activity::Config::default(),
    };
    activity::open(deps).await.unwrap()
}

impl House {
    pub async fn open(pairing: Pairing) -> Self {
        let name = pairing.name();
        let Pairing { database, remote } = pairing;
        let (inputs, clock) = Inputs::manual(11);
        let bus = Bus::new(clock.clone());
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(folder.path()).unwrap();
        let deps = catalog::Deps {
            location: database.location.clone(),
            inputs: inputs.clone(),
            bus: bus.clone(),
            blobs,
        };
        let config = catalog::Config {
            search: catalog::SearchIndex::Off,
        };
        let catalog = catalog::open(deps, config).await.unwrap();
        let activity = activity_on(&database, &inputs, &bus).await;
        let films = films(&catalog).await;
        tastes(&activity, &films, clock.now_ms()).await;
        let room = open(&database, folder.path(), &inputs, &bus, &catalog, &activity, usual()).await;
        catalog::events::subscribe(&bus, &catalog).await.unwrap();
        room.subscribe(&bus).await.unwrap();
        room.ready().await.unwrap();
        let local: Arc<dyn Recommend> = room.clone();
        let door = if remote {
            Arc::new(Loopback::new().with(Served(local)).remote())
        } else {
            local
        };
        Self {
            name,
            database,
            folder,
            door,
            room,
            catalog,
            activity,
            bus,
            inputs,
            clock,
            films,
        }
    }

    /// The same room opened once more: after a restart, or in another process.
    pub async fn another(&self) -> Arc<Room> {
        let room = self.just_opened().await;
        room.ready().await.unwrap();
        room
    }

    /// Activity in another process.
    pub async fn another_activity(&self) -> Arc<ActivityRoom> {
        activity_on(&self.database, &self.inputs, &Bus::new(self.inputs.clock.clone())).await
    }

    /// The same, and nothing is loaded yet.
    pub async fn just_opened(&self) -> Arc<Room> {
        self.opened_with(usual()).await
    }

    /// The same with other settings.
    pub async fn opened_with(&self, config: Config) -> Arc<Room> {
        let bus = Bus::new(self.inputs.clock.clone());
        open(
            &self.database,
            self.folder.path(),
            &self.inputs,
            &bus,
            &self.catalog,
            &self.activity,
            config,
        )
        .await
    }

    pub async fn home(&self, profile: ProfileId) -> HomePage {
        self.home_of(viewer(profile)).await
    }

    pub async fn home_of(&self, viewer: Viewer) -> HomePage {
        self.door
            .home(GetHome {
                viewer,
                exclude: Vec::new(),
            })
            .await
            .unwrap()
    }

    pub async fn rate(&self, profile: ProfileId, film: usize, half_stars: u8) {
        let opinion = Opinion::Stars(HalfStars::new(half_stars).unwrap());
        self.opine(profile, film, opinion).await;
    }

    pub async fn opine(&self, profile: ProfileId, film: usize, opinion: Opinion) {
        self.clock.advance(1_000);
        self.activity
            .rate(Rate {
                profile,
                title: self.films[film],
                opinion,
            })
            .await
            .unwrap();
    }

    /// Watches a film of 100 minutes to `minute`.
    pub async fn watch(&self, profile: ProfileId, film: usize, minute: u64) {
        self.clock.advance(1_000);
        let report = ReportProgress {
            profile,
            title: self.films[film],
            position_ms: minute * 60_000,
            duration_ms: 6_000_000,
            credits_ms: None,
            state: PlayState::Playing,
            at: self.clock.now_ms(),
        };
        self.activity.report_progress(report).await.unwrap();
    }

    /// Asks for a training, works on it, and answers how it ended.
    pub async fn train(&self) -> Job {
        let job = self.door.train(StartTraining {}).await.unwrap();
        finish(&self.room, job).await
    }

    pub async fn newest_model(&self) -> ModelInfo {
        let list = contract::recommend::ListModels { before: None, limit: 1 };
        self.door.models(list).await.unwrap().pop().unwrap()
    }

    /// Which film it is.
    pub fn film(&self, title: TitleId) -> usize {
        self.films.iter().position(|film| *film == title).unwrap()
    }

    /// Waits for what events bring about.
    pub async fn until(&self, mut is_so: impl AsyncFnMut() -> bool) {
        let wait = async {
            while !is_so().await {
                self.bus.settle().await.unwrap();
                self.room.refresh().await;
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), wait)
            .await
            .expect("it comes about");
    }
}

/// Works on trainings until this one has ended.
pub async fn finish(room: &Arc<Room>, job: Job) -> Job {
    let mut changes = room.job_changes();
    let stop = CancellationToken::new();
    let worker = tokio::spawn(room.clone().run_worker(stop.clone()));
    let ended = loop {
        let changed = changes.recv().await.unwrap();
        let is_over = !matches!(changed.state, JobState::Queued | JobState::Running);
        if changed.id == job.id && is_over {
            break changed;
        }
    };
    stop.cancel();
    worker.await.unwrap();
    ended
}

async fn open(
    database: &TestDatabase,
    folder: &std::path::Path,
    inputs: &Inputs,
    bus: &Arc<Bus>,
    catalog: &Arc<catalog::Local>,
    activity: &Arc<ActivityRoom>,
    config: Config,
) -> Arc<Room> {
    let deps = Deps {
        location: database.location.clone(),
        blobs: BlobStore::open(folder).unwrap(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        catalog: catalog.clone(),
        activity: activity.clone(),
        config,
    };
    recommend::open(deps).await.unwrap()
}

async fn films(catalog: &catalog::Local) -> Vec<TitleId> {
    let film = |n: usize| NewTitle {
        kind: TitleKind::Film,
        name: format!("Film {n}"),
        original_name: None,
        year: Some(1950 + n as u16 % 70),
        genres: vec![GENRES[n % 4].into()],
        description: String::new(),
        maturity: Some(if n % 10 == 9 { 18 } else { 6 }),
        duration_ms: Some(6_000_000),
        credits: Vec::new(),
        place: None,
        external: vec![ExternalId {
            source: "test".into(),
            id: n.to_string(),
        }],
        published: true,
    };
    let titles = (0..FILMS).map(film).collect();
    catalog.import(ImportTitles { titles }).await.unwrap().titles
}

/// Viewer v likes genre v % 4 and dislikes the next; over a hundred days.
async fn tastes(activity: &ActivityRoom, films: &[TitleId], now: i64) {
    let mut ratings = Vec::new();
    for viewer in 0..60i64 {
        for step in 0..12i64 {
            let liked = step % 4 != 0;
            let genre = (viewer + i64::from(!liked)) % 4;
            // Any of the thirty rated ones of its genre, without a pattern.
            let film = (viewer * 24 + step).wrapping_mul(0x9E37_79B9) / 65_536 % (RATED as i64 / 4) * 4 + genre;
            let at = now - (12 - step) * 8 * DAY_MS + viewer * 60_000;
            let stars = HalfStars::new(if liked { 9 } else { 2 }).unwrap();
            ratings.push(ImportedRating {
                profile: ProfileId(viewer + 1),
                title: films[film as usize],
                stars,
                at,
            });
        }
    }
    activity.import_ratings(ImportRatings { ratings }).await.unwrap();
}

pub fn viewer(profile: ProfileId) -> Viewer {
    Viewer {
        profile,
        maturity_max: 18,
        preferences: Preferences::default(),
    }
}

pub fn row(page: &HomePage, is_it: impl Fn(&RowKind) -> bool) -> Option<&Row> {
    page.rows.iter().find(|row| is_it(&row.kind))
}

pub fn titles(row: &Row) -> Vec<TitleId> {
    row.items.iter().map(|item| item.title).collect()
}
