//! A catalogue to test, four times: each engine, each side of the door.

use std::sync::Arc;

use catalog::{Config, Deps, SearchIndex};
use contract::{
    catalog::{Browse, BrowsePage, Catalog, ExternalId, NewTitle, Search, SearchResult, Title, TitleKind},
    wire::Served,
};
use platform::{
    Bus, Inputs,
    blob::BlobStore,
    clock::ManualClock,
    test_support::{Pairing, TestDatabase, pairings},
    wire::Loopback,
};

pub struct Fixture {
    /// Engine and side, for messages.
    pub name: String,
    pub door: Arc<dyn Catalog>,
    pub room: Arc<catalog::Local>,
    pub bus: Arc<Bus>,
    pub clock: Arc<ManualClock>,
    pub inputs: Inputs,
    pub database: Arc<TestDatabase>,
    folder: Arc<tempfile::TempDir>,
}

/// Both engines, each behind both sides of the door.
pub async fn fixtures() -> Vec<Fixture> {
    let mut all = Vec::new();
    for Pairing { database, remote } in pairings().await {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        all.push(open(Arc::new(database), folder, remote, 7).await);
    }
    all
}

/// One, on SQLite: for what no engine can change.
pub async fn one() -> Fixture {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    open(Arc::new(platform::test_support::sqlite()), folder, false, 7).await
}

async fn open(database: Arc<TestDatabase>, folder: Arc<tempfile::TempDir>, remote: bool, seed: u64) -> Fixture {
    let (inputs, clock) = Inputs::manual(seed);
    let bus = Bus::new(clock.clone());
    let deps = Deps {
        location: database.location.clone(),
        inputs: inputs.clone(),
        bus: bus.clone(),
        blobs: BlobStore::open(&folder.path().join("blobs")).unwrap(),
    };
    let config = Config {
        search: SearchIndex::Folder(folder.path().join("search")),
    };
    let local = catalog::open(deps, config).await.unwrap();
    catalog::events::subscribe(&bus, &local).await.unwrap();
    let near: Arc<dyn Catalog> = local.clone();
    let door: Arc<dyn Catalog> = match remote {
        false => near,
        true => Arc::new(Loopback::new().with(Served::<dyn Catalog>(near)).remote()),
    };
    let name = format!("{} {}", database.name, if remote { "remote" } else { "local" });
    Fixture {
        name,
        door,
        room: local,
        bus,
        clock,
        inputs,
        database,
        folder,
    }
}

impl Fixture {
    /// The same data, opened by a new process.
    pub async fn reopened(&self) -> Fixture {
        self.bus.settle().await.unwrap();
        self.bus.shutdown().await;
        self.started_again().await
    }

    /// The same, after the first process has ended.
    pub async fn started_again(&self) -> Fixture {
        open(self.database.clone(), self.folder.clone(), false, 8).await
    }

    /// Where the index of words is.
    pub fn search_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("search")
    }

    /// A second process on the same tables.
    pub async fn beside(&self) -> Fixture {
        open(self.database.clone(), Arc::new(tempfile::tempdir().unwrap()), false, 9).await
    }

    pub async fn add(&self, title: NewTitle) -> Title {
        // Ids and times differ, as they do between people's clicks.
        self.clock.advance(1_000);
        self.door
            .create(title)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    pub async fn names(&self, filter: Browse) -> Vec<String> {
        let request = BrowsePage {
            filter,
            after: None,
            limit: 200,
        };
        let page = self.door.browse(request).await.unwrap();
        page.items.into_iter().map(|card| card.name.to_string()).collect()
    }

    /// Searches once everything written is in the index.
    pub async fn search(&self, request: Search) -> SearchResult {
        self.bus.settle().await.unwrap();
        self.door
            .search(request)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    pub async fn found(&self, query: &str) -> Vec<String> {
        let result = self.search(search(query)).await;
        result.items.into_iter().map(|card| card.name.to_string()).collect()
    }
}

pub fn search(query: &str) -> Search {
    Search {
        query: query.into(),
        maturity_max: 18,
        genre: None,
        kind: None,
        decade: None,
        limit: 20,
    }
}

pub fn browse() -> Browse {
    Browse {
        maturity_max: 18,
        ..Browse::default()
    }
}

pub fn film(name: &str, year: u16, genres: &[&str]) -> NewTitle {
    NewTitle {
        kind: TitleKind::Film,
        name: name.into(),
        original_name: None,
        year: Some(year),
        genres: genres.iter().map(|genre| (*genre).to_owned()).collect(),
        description: String::new(),
        maturity: None,
        duration_ms: None,
        credits: vec![],
        place: None,
        external: vec![],
        published: true,
    }
}

pub fn imported(id: &str, name: &str, year: u16, genres: &[&str]) -> NewTitle {
    NewTitle {
        external: vec![ExternalId {
            source: "movielens".into(),
            id: id.into(),
        }],
        ..film(name, year, genres)
    }
}
