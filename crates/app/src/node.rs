//! The wiring: what a process holds, and how rooms are opened from it. The order of [`Node::rooms`] is the diagram of who may call
//! whom; a cycle cannot be written.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use contract::{accounts::Accounts, activity::Activity, catalog::Catalog, jobs::Jobs, streaming::Streaming};
use gateway::{Doors, HealthCheck};
use platform::{
    Bus, Db, Inputs, Location,
    blob::BlobStore,
    telemetry::{LogFormat, Metrics, init_logs},
};
use tokio::{sync::Mutex, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    commands::{folder, restore::was_interrupted},
    config::Config,
    imports,
    roles::{Role, Roles},
};

/// Commands speak for themselves; only what goes wrong is logged beside them.
const COMMAND_FILTER: &str = "warn,sqlx=error,tantivy=error";

const HEALTH_KEPT_FOR: Duration = Duration::from_secs(3);
/// Rooms by the names of their databases.
pub const ROOMS: [&str; 6] = ["accounts", "catalog", "activity", "streaming", "recommend", "imports"];

/// What every room of this process stands on.
pub struct Node {
    pub config: Config,
    pub location: Location,
    pub inputs: Inputs,
    pub bus: Arc<Bus>,
    pub blobs: BlobStore,
    metrics: Option<Metrics>,
    /// Only a server that answers keeps the index of words; all others work beside it.
    search: catalog::SearchIndex,
}

/// All rooms, open.
pub struct Rooms {
    pub accounts: Arc<accounts::Local>,
    pub catalog: Arc<catalog::Local>,
    pub activity: Arc<activity::Room>,
    pub recommend: Arc<recommend::Room>,
    pub streaming: Arc<streaming::Room>,
    pub imports: Arc<imports::Room>,
}

impl Node {
    /// For a command.
    pub async fn quiet(config: Config) -> anyhow::Result<Self> {
        init_logs(LogFormat::Readable, Some(COMMAND_FILTER))?;
        Self::new(config, None, catalog::SearchIndex::Off)
    }

    /// For a server. One process writes the index of words: the one that answers searches.
    pub async fn serving(config: Config, roles: &Roles, metrics: Metrics) -> anyhow::Result<Self> {
        let search = match roles.has(Role::Gateway) {
            true => catalog::SearchIndex::Folder(config.data_dir.join("search")),
            false => catalog::SearchIndex::Off,
        };
        Self::new(config, Some(metrics), search)
    }

    /// As [`Node::quiet`], where logging is somebody else's.
    pub(crate) fn new(config: Config, metrics: Option<Metrics>, search: catalog::SearchIndex) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !was_interrupted(&config.data_dir),
            "{} was only partly restored: empty the folder and restore again",
            config.data_dir.display()
        );
        let inputs = Inputs::system();
        Ok(Self {
            location: config.location(),
            bus: Bus::new(inputs.clock.clone()),
            blobs: config.blobs()?,
            inputs,
            config,
            metrics,
            search,
        })
    }

    /// Fails where files cannot be kept in the bucket that is named, and says what to do.
    pub async fn check_bucket(&self) -> anyhow::Result<()> {
        if self.blobs.bucket().is_some() {
            let name = contract::ids::encode(self.inputs.id());
            self.blobs.probe(&name).await.context("storage")?;
        }
        Ok(())
    }

    /// Just the one room, for commands about people.
    pub async fn accounts(&self) -> anyhow::Result<Arc<accounts::Local>> {
        let deps = accounts::Deps {
            location: self.location.clone(),
            inputs: self.inputs.clone(),
            bus: self.bus.clone(),
        };
        accounts::open(deps, self.config.accounts.clone()).await
    }

    /// Every room. Each gets only the doors that it may hold.
    pub async fn rooms(&self) -> anyhow::Result<Rooms> {
        let (accounts, catalog, activity) = tokio::try_join!(self.accounts(), self.catalog(), self.activity())?;
        let (streaming, recommend) = tokio::try_join!(
            self.streaming(catalog.clone()),
            self.recommend(catalog.clone(), activity.clone()),
        )?;
        let imports = self
            .imports(catalog.clone(), activity.clone(), streaming.clone())
            .await?;
        Ok(Rooms {
            accounts,
            catalog,
            activity,
            recommend,
            streaming,
            imports,
        })
    }

    async fn catalog(&self) -> anyhow::Result<Arc<catalog::Local>> {
        let deps = catalog::Deps {
            location: self.location.clone(),
            inputs: self.inputs.clone(),
            bus: self.bus.clone(),
            blobs: self.blobs.clone(),
        };
        catalog::open(
            deps,
            catalog::Config {
                search: self.search.clone(),
            },
        )
        .await
    }

    async fn activity(&self) -> anyhow::Result<Arc<activity::Room>> {
        let deps = activity::Deps {
            location: self.location.clone(),
            inputs: self.inputs.clone(),
            bus: self.bus.clone(),
            config: self.config.activity.clone(),
        };
        activity::open(deps).await
    }

    async fn streaming(&self, catalog: Arc<dyn Catalog>) -> anyhow::Result<Arc<streaming::Room>> {
        let deps = streaming::Deps {
            location: self.location.clone(),
            inputs: self.inputs.clone(),
            bus: self.bus.clone(),
            blobs: self.blobs.clone(),
            catalog,
            data_folder: self.config.data_dir.clone(),
        };
        streaming::open(deps, self.config.streaming.clone()).await
    }

    async fn recommend(
        &self,
        catalog: Arc<dyn Catalog>,
        activity: Arc<dyn Activity>,
    ) -> anyhow::Result<Arc<recommend::Room>> {
        let deps = recommend::Deps {
            location: self.location.clone(),
            inputs: self.inputs.clone(),
            bus: self.bus.clone(),
            blobs: self.blobs.clone(),
            catalog,
            activity,
            config: self.config.recommend.clone(),
        };
        recommend::open(deps).await
    }

    async fn imports(
        &self,
        catalog: Arc<dyn Catalog>,
        activity: Arc<dyn Activity>,
        streaming: Arc<dyn Streaming>,
    ) -> anyhow::Result<Arc<imports::Room>> {
        imports::open(imports::Deps {
            location: self.location.clone(),
            inputs: self.inputs.clone(),
            bus: self.bus.clone(),
            catalog,
            activity,
            streaming,
        })
        .await
    }

    /// Hands over what is under way and stops.
    pub async fn close(self) {
        self.bus.shutdown().await;
    }
}

impl Rooms {
    /// Connects the read models to the facts they are made of.
    pub async fn subscribe(&self, node: &Node) -> anyhow::Result<()> {
        catalog::events::subscribe(&node.bus, &self.catalog).await?;
        self.activity.subscribe(&node.bus).await?;
        self.recommend.subscribe(&node.bus).await?;
        Ok(())
    }

    /// Waits until the catalogue knows what this command brought about, so that the next command sees it.
    pub async fn settle(&self, node: &Node) -> anyhow::Result<()> {
        catalog::events::subscribe(&node.bus, &self.catalog).await?;
        node.bus.settle().await?;
        Ok(())
    }

    /// Starts the work that `roles` name, until `stop`.
    pub fn start(&self, node: &Node, tasks: &TaskTracker, roles: &Roles, stop: &CancellationToken) {
        let transcodes = node.config.streaming.workers.max(1) as usize;
        tasks.spawn(self.catalog.clone().run(stop.clone()));
        tasks.spawn(self.activity.clone().run(stop.clone()));
        tasks.spawn(self.recommend.clone().run(stop.clone()));
        if roles.has(Role::Transcoder) {
            tasks.spawn(self.streaming.clone().run_worker(transcodes, stop.clone()));
        }
        if roles.has(Role::Trainer) {
            tasks.spawn(self.recommend.clone().run_worker(stop.clone()));
            tasks.spawn(self.recommend.clone().run_schedule(stop.clone()));
        }
        if roles.has(Role::Importer) {
            tasks.spawn(self.imports.clone().run_worker(stop.clone()));
        }
    }

    /// What folders of video files are brought into.
    pub fn library(&self) -> folder::Doors {
        folder::Doors {
            catalog: self.catalog.clone(),
            streaming: self.streaming.clone(),
            jobs: self.streaming.clone(),
            db: self.imports.database().clone(),
        }
    }

    /// Every room with background work.
    pub fn jobs(&self) -> Vec<Arc<dyn Jobs>> {
        vec![self.streaming.clone(), self.recommend.clone(), self.imports.clone()]
    }

    pub fn databases(&self) -> [&Db; 6] {
        [
            self.accounts.database(),
            self.catalog.database(),
            self.activity.database(),
            self.streaming.database(),
            self.recommend.database(),
            self.imports.database(),
        ]
    }

    /// What the gateway composes its answers of.
    pub fn doors(&self, node: &Node) -> Doors {
        let accounts: Arc<dyn Accounts> = self.accounts.clone();
        Doors {
            accounts,
            catalog: self.catalog.clone(),
            activity: self.activity.clone(),
            recommend: self.recommend.clone(),
            streaming: self.streaming.clone(),
            imports: self.imports.clone(),
            jobs: self.jobs(),
            blobs: node.blobs.clone(),
            bus: node.bus.clone(),
            inputs: node.inputs.clone(),
            metrics: node.metrics.clone(),
            health: self
                .databases()
                .map(health_of)
                .into_iter()
                .chain([health_of_blobs(node), health_of_titles(&self.recommend)])
                .collect(),
        }
    }
}

/// Asks a room's database for a sign of life.
fn health_of(db: &Db) -> HealthCheck {
    let db = db.clone();
    now_and_then(db.room(), move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    })
}

/// Whether the folder of blobs takes what is written. Each process writes a file of its own.
fn health_of_blobs(node: &Node) -> HealthCheck {
    let (blobs, name) = (node.blobs.clone(), contract::ids::encode(node.inputs.id()));
    now_and_then("blobs", move || {
        let (blobs, name) = (blobs.clone(), name.clone());
        async move { blobs.probe(&name).await.map_err(|error| error.to_string()) }
    })
}

/// Whether titles and model are loaded: before, a page would have to wait.
fn health_of_titles(recommend: &Arc<recommend::Room>) -> HealthCheck {
    let recommend = recommend.clone();
    HealthCheck {
        name: "titles",
        check: Arc::new(move || {
            let loaded = recommend.is_loaded();
            Box::pin(async move { loaded.then_some(()).ok_or_else(|| "titles are being loaded".to_owned()) })
        }),
    }
}

/// Whoever asks for readiness all the time must not cause work all the time: the last answer holds for a moment.
fn now_and_then<F>(name: &'static str, check: impl Fn() -> F + Send + Sync + 'static) -> HealthCheck
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    type Last = Mutex<Option<(Instant, Result<(), String>)>>;
    let last: Arc<Last> = Arc::default();
    HealthCheck {
        name,
        check: Arc::new(move || {
            let (last, fresh) = (last.clone(), check());
            Box::pin(async move {
                let mut last = last.lock().await;
                if let Some((at, answer)) = &*last
                    && at.elapsed() < HEALTH_KEPT_FOR
                {
                    return answer.clone();
                }
                // Given up by who asks, it was no answer in time; the next one asks again.
                let answer = fresh.await;
                *last = Some((Instant::now(), answer.clone()));
                answer
            })
        }),
    }
}
