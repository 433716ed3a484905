//! A room with everything real under it but the catalogue.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use contract::{
    AccountId, AssetId, JobId, ProfileId, SessionId, TitleId,
    events::EventBody,
    jobs::{ForJob, Job, JobState, Jobs},
    streaming::{AddMedia, GetMedia, Media, MediaBody, Playback, StartPlayback, Streaming, StreamingError},
    wire::{Remote, Served},
};
use platform::{
    Bus, Inputs, Location,
    blob::{self, BlobStore},
    bus::{Delivery, handler},
    clock::ManualClock,
    jobs::Settings,
    test_support::TestDatabase,
    wire::Loopback,
};
use streaming::{Breakpoints, Config, Deps, Room, TestOverrides};
use tokio_util::sync::CancellationToken;

pub use crate::titles::{NO_TITLE, SERIES, TITLE, Titles};

pub const ACCOUNT: AccountId = AccountId(11);
pub const STRANGER: AccountId = AccountId(12);
pub const PROFILE: ProfileId = ProfileId(21);
pub const SESSION: SessionId = SessionId(25);

/// Longer than anything here takes, even on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(240);

impl Titles {
    /// Gone, before anybody was told.
    pub fn delete(&self, title: TitleId) {
        self.0.lock().unwrap().insert(title);
    }
}

/// A room on its own data, which can be closed and opened again.
pub struct House {
    pub data: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub bus: Arc<Bus>,
    pub room: Arc<Room>,
    pub blobs: BlobStore,
    pub config: Config,
    pub location: Location,
    /// Where its blobs are.
    pub storage: blob::Config,
    pub titles: Arc<Titles>,
    /// What happens at the steps of a saga, from the next [`House::reopen`] on.
    pub breakpoints: Option<Arc<dyn Breakpoints>>,
    /// Where ffmpeg is looked for, from the next [`House::reopen`] on.
    pub programs: Option<PathBuf>,
    inputs: Inputs,
    stop: CancellationToken,
    worker: Option<tokio::task::JoinHandle<()>>,
    _database: Option<TestDatabase>,
}

/// Quick to notice, patient with slow machines: the clock only moves when a test moves it.
fn queue_settings() -> Settings {
    Settings {
        poll: Duration::from_millis(20),
        progress_every: Duration::from_millis(20),
        ..Settings::default()
    }
}

impl House {
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        let database = platform::test_support::sqlite();
        Self::on(database, config).await
    }

    pub async fn on(database: TestDatabase, config: Config) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), database, config).await
    }

    /// With its files in a folder of the test's choice.
    pub async fn in_folder(data: tempfile::TempDir, database: TestDatabase, config: Config) -> Self {
        let location = database.location.clone();
        let mut house = Self::over(data, location, config).await;
        house._database = Some(database);
        house
    }

    /// With its blobs in a bucket.
    pub async fn in_bucket(storage: blob::Config) -> Self {
        let database = platform::test_support::sqlite();
        let location = database.location.clone();
        let mut house = Self::storing(tempfile::tempdir().unwrap(), location, storage).await;
        house._database = Some(database);
        house
    }

    /// On data that is somebody else's too: another process of this test.
    pub async fn over(data: tempfile::TempDir, location: Location, config: Config) -> Self {
        Self::of(data, location, (config, blob::Config::default())).await
    }

    /// On data of its own, with a database and storage that others share.
    pub async fn storing(data: tempfile::TempDir, location: Location, storage: blob::Config) -> Self {
        Self::of(data, location, (Config::default(), storage)).await
    }

    async fn of(data: tempfile::TempDir, location: Location, (config, storage): (Config, blob::Config)) -> Self {
        let (inputs, clock) = Inputs::manual(u64::from(std::process::id()));
        let blobs = BlobStore::configured(&storage, &data.path().join("blobs")).unwrap();
        let bus = Bus::new(inputs.clock.clone());
        let titles = Arc::new(Titles::default());
        let stores = (&blobs, &titles);
        let room = open(
            &location,
            &inputs,
            &bus,
            stores,
            data.path(),
            &config,
            TestOverrides::default(),
        )
        .await;
        Self {
            data,
            titles,
            breakpoints: None,
            programs: None,
            clock,
            bus,
            room,
            blobs,
            config,
            location,
            storage,
            inputs,
            stop: CancellationToken::new(),
            worker: None,
            _database: None,
        }
    }

    /// In another process of the test that made the data, which removes it too.
    pub async fn beside(data: &Path, location: Location, config: Config) -> Self {
        Self::beside_storing(data, location, (config, blob::Config::default())).await
    }

    pub async fn beside_storing(data: &Path, location: Location, how: (Config, blob::Config)) -> Self {
        let mut folder = tempfile::Builder::new().tempdir_in(data).unwrap();
        folder.disable_cleanup(true);
        std::fs::remove_dir(folder.path()).unwrap();
        std::os::unix::fs::symlink(data, folder.path()).unwrap();
        Self::of(folder, location, how).await
    }

    /// What a server does when it starts.
    pub fn work(&mut self) {
        self.work_at_once(1);
    }

    /// With so many workers.
    pub fn work_at_once(&mut self, workers: usize) {
        self.stop = CancellationToken::new();
        self.worker = Some(tokio::spawn(self.room.clone().run_worker(workers, self.stop.clone())));
    }

    /// An orderly end: the worker gives its job back.
    pub async fn rest(&mut self) {
        self.stop.cancel();
        if let Some(worker) = self.worker.take() {
            worker.await.unwrap();
        }
    }

    /// Another process on the same data, as after a restart.
    pub async fn reopen(&mut self) {
        self.rest().await;
        self.bus.shutdown().await;
        self.bus = Bus::new(self.inputs.clock.clone());
        let overrides = TestOverrides {
            breakpoints: self.breakpoints.clone(),
            programs: self.programs.clone(),
            ..TestOverrides::default()
        };
        self.room = open(
            &self.location,
            &self.inputs,
            &self.bus,
            (&self.blobs, &self.titles),
            self.data.path(),
            &self.config,
            overrides,
        )
        .await;
    }

    /// The door here, and the same door over the wire.
    pub fn doors(&self) -> [(&'static str, Arc<dyn Streaming>); 2] {
        [("local", self.room.clone()), ("remote", Arc::new(self.remote()))]
    }

    pub fn remote(&self) -> Remote {
        Loopback::new()
            .with(Served::<dyn Streaming>(self.room.clone()))
            .with(Served::<dyn Jobs>(self.room.clone()))
            .remote()
    }

    pub async fn add(&self, file: &Path) -> Job {
        let path = file.to_string_lossy().into_owned();
        self.room
            .add_media(AddMedia {
                title: TITLE,
                path,
                sparing: false,
            })
            .await
            .unwrap()
    }

    /// What the catalogue does: the title is gone, and everybody hears of it.
    pub async fn delete_title(&self, title: TitleId) {
        self.titles.delete(title);
        self.tell(EventBody::TitleDeleted { title }).await;
    }

    /// One that nobody knows.
    pub fn new_asset(&self) -> AssetId {
        self.inputs.id()
    }

    /// A fact of another room, heard by everybody.
    pub async fn tell(&self, fact: EventBody) {
        let db = self.room.database();
        let mut tx = db.begin().await.unwrap();
        platform::outbox::append(&mut tx, &self.inputs.event(fact))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.bus.settle().await.unwrap();
    }

    pub async fn job(&self, id: JobId) -> Job {
        Jobs::get(&*self.room, ForJob { job: id }).await.unwrap()
    }

    /// Waits until a job says what is asked of it.
    pub async fn until(&self, id: JobId, what: impl Fn(&Job) -> bool) -> Job {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let wait = async {
            loop {
                tick.tick().await;
                let job = self.job(id).await;
                if what(&job) {
                    return job;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(job) => job,
            Err(_) => panic!("waited too long for {:?}", self.job(id).await),
        }
    }

    pub async fn ended(&self, id: JobId) -> Job {
        self.until(id, |job| {
            matches!(job.state, JobState::Done | JobState::Failed | JobState::Cancelled)
        })
        .await
    }

    /// Waits until nothing is left of what was being made. A job ends at once when it is cancelled or one of its parts fails; what it was
    /// at is stopped, and goes, a moment later.
    pub async fn cleared(&self) {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let wait = async {
            while !self.lying_in("transcode").is_empty() || !self.blobs.list("").await.unwrap().is_empty() {
                tick.tick().await;
            }
        };
        let cleared = tokio::time::timeout(PATIENCE, wait).await;
        assert!(
            cleared.is_ok(),
            "{:?}, {:?}",
            self.lying_in("transcode"),
            self.blobs.list("").await
        );
    }

    /// Adds a file, works on it to its end.
    pub async fn transcode(&mut self, file: &Path) -> Job {
        if self.worker.is_none() {
            self.work();
        }
        let job = self.add(file).await;
        self.ended(job.id).await
    }

    /// Adds a file that must come out well, and presses play.
    pub async fn play(&mut self, file: &Path) -> Playback {
        let job = self.transcode(file).await;
        assert_eq!(job.state, JobState::Done, "{job:?}");
        self.start().await.unwrap()
    }

    pub async fn start(&self) -> Result<Playback, StreamingError> {
        self.start_in(SESSION).await
    }

    /// Pressed on another device.
    pub async fn start_in(&self, session: SessionId) -> Result<Playback, StreamingError> {
        self.room
            .start_playback(StartPlayback {
                account: ACCOUNT,
                profile: PROFILE,
                title: TITLE,
                session: Some(session),
            })
            .await
    }

    pub async fn media(&self, path: &str) -> Result<Media, StreamingError> {
        self.room
            .media(GetMedia {
                path: path.into(),
                account: None,
            })
            .await
    }

    /// The text of a manifest below a playback's prefix.
    pub async fn manifest(&self, playback: &Playback, file: &str) -> String {
        match self.media(&below(playback, file)).await.unwrap().body {
            MediaBody::Inline(text) => String::from_utf8(text.0).unwrap(),
            stored => panic!("{file} is {stored:?}"),
        }
    }

    /// Everything that a player could fetch, as files: what an HTTP server would serve.
    pub async fn download(&self, playback: &Playback) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in self.blobs.list(&format!("assets/{}", playback.asset)).await.unwrap() {
            let name = file.key.split('/').skip(2).collect::<Vec<_>>().join("/");
            let target = folder.path().join(&name);
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            if name != "index.json" {
                std::fs::write(target, self.blobs.get(&file.key).await.unwrap()).unwrap();
            }
        }
        let master = self.manifest(playback, "master.m3u8").await;
        for line in master.lines() {
            let uri = line
                .split("URI=\"")
                .nth(1)
                .map_or(line, |rest| rest.trim_end_matches('"'));
            if uri.ends_with(".m3u8") {
                let playlist = self.manifest(playback, uri).await;
                if playlist.contains("URI=\"key\"") {
                    let key = uri.replace("index.m3u8", "key");
                    std::fs::write(folder.path().join(&key), self.key(playback, &key).await).unwrap();
                }
                // Of subtitles beside the video nothing else lies there.
                std::fs::create_dir_all(folder.path().join(uri).parent().unwrap()).unwrap();
                std::fs::write(folder.path().join(uri), playlist).unwrap();
            }
        }
        std::fs::write(folder.path().join("master.m3u8"), master).unwrap();
        if playback.dash_path.is_some() {
            let dash = self.manifest(playback, "manifest.mpd").await;
            std::fs::write(folder.path().join("manifest.mpd"), dash).unwrap();
        }
        folder
    }

    /// What a player would decrypt a rendition with.
    pub async fn key(&self, playback: &Playback, file: &str) -> Vec<u8> {
        match self.media(&below(playback, file)).await.unwrap().body {
            MediaBody::Inline(key) => key.0,
            stored => panic!("{file} is {stored:?}"),
        }
    }

    /// The facts that this room told, from the first.
    pub async fn facts(&self) -> Vec<EventBody> {
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let listen = handler(move |events| {
            for event in events {
                // Whoever asked before has heard enough.
                told.send(event.body).ok();
            }
            Box::pin(async { Ok(()) })
        });
        // A name of its own each time: a durable subscriber begins with the oldest fact.
        let name = Box::leak(format!("test-{}", self.inputs.id::<i64>()).into_boxed_str());
        self.bus.subscribe(name, Delivery::Durable, listen).await.unwrap();
        self.bus.settle().await.unwrap();
        let mut facts = Vec::new();
        while let Ok(fact) = heard.try_recv() {
            facts.push(fact);
        }
        facts
    }

    /// What lies in a folder of the data, sorted.
    pub fn lying_in(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.data.path().join(folder)) else {
            return Vec::new();
        };
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

async fn open(
    location: &Location,
    inputs: &Inputs,
    bus: &Arc<Bus>,
    (blobs, titles): (&BlobStore, &Arc<Titles>),
    data: &Path,
    config: &Config,
    overrides: TestOverrides,
) -> Arc<Room> {
    let deps = Deps {
        location: location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        blobs: blobs.clone(),
        catalog: Arc::new(Remote::new(titles.clone())),
        data_folder: data.to_owned(),
    };
    let overrides = TestOverrides {
        queue: queue_settings(),
        ..overrides
    };
    streaming::open_with(deps, config.clone(), overrides).await.unwrap()
}

/// Another file under the same signature.
pub fn below(playback: &Playback, file: &str) -> String {
    let prefix = playback.hls_path.strip_suffix("master.m3u8").unwrap();
    format!("{prefix}{file}")
}

/// Encoders on this machine whose output goes below `folder`.
pub fn encoders_in(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let of_ours = processes.filter(|process| {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        command.contains("bwrap") && command.contains(&*folder.to_string_lossy())
    });
    of_ours.map(|process| process.path()).collect()
}
