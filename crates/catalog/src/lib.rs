//! The catalogue: films, series with seasons and episodes, people, genres, artwork; how they are found and listed.
//!
//! Owns: `titles`, `title_windows`, `external_ids`, `people`, `credits`, `title_ratings` and the search index. Holds no other room's door.
//! Emits `TitlesChanged` and `TitleDeleted`; listens to `RatingsChanged` (activity), `AssetReady` and `AssetRemoved` (streaming).
//!
//! | file | what |
//! |---|---|
//! | `service` | the door |
//! | `change` | every change of a title: one transaction with its events |
//! | `window` | titles that appear and go by themselves |
//! | `here` | which titles are here already: by place, by kind, name and year |
//! | `core` | tables, shelf and index kept in step |
//! | `shelf` | all cards in memory: what lists, search and the home page read |
//! | `whole` | whole titles that were asked for lately |
//! | `browse`, `search` | lists with cursors; words, typos, facets |
//! | `artwork` | the picture of a title that has none |
//! | `events` | subscribers |
//!
//! Invariants: a card on the shelf was committed; the index never decides who sees a title, the shelf does (published,
//! maturity); the catalogue never reads activity's tables, averages come as events with absolute figures; a title that an
//! importer brought is known by its first external id for ever.

pub mod artwork;
mod browse;
mod change;
mod core;
pub mod events;
mod here;
mod model;
mod search;
mod service;
mod shelf;
mod store;
pub mod text;
mod whole;
mod window;

use std::{path::PathBuf, sync::Arc};

use platform::{Bus, Db, Inputs, Location, Migrations, blob::BlobStore};

pub use model::estimated_maturity;
pub use service::Local;

static MIGRATIONS: Migrations = platform::migrations!();

/// How the room works.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub search: SearchIndex,
}

/// Where the word index is kept.
#[derive(Debug, Clone, Default)]
pub enum SearchIndex {
    /// In a folder of its own: a start only opens it. One process at a time may write there: the server.
    Folder(PathBuf),
    /// In memory, made in the background after the start.
    #[default]
    Memory,
    /// None, for commands beside the server: words find nothing, all else works.
    Off,
}

/// What the room stands on.
pub struct Deps {
    pub location: Location,
    pub inputs: Inputs,
    pub bus: Arc<Bus>,
    pub blobs: BlobStore,
}

/// Opens the room. It is a `contract::catalog::Catalog`; wire [`events::subscribe`] once the other rooms are attached.
pub async fn open(deps: Deps, config: Config) -> anyhow::Result<Arc<Local>> {
    let db = Db::open(&deps.location, "catalog", &MIGRATIONS).await?;
    let index = match &config.search {
        SearchIndex::Folder(folder) => Some(search::Index::open(&search::Place::Folder(folder.clone()))?),
        SearchIndex::Memory => Some(search::Index::open(&search::Place::Memory)?),
        SearchIndex::Off => None,
    };
    let core = core::Core::new(
        store::Store { db: db.clone() },
        index.map(Arc::new),
        deps.blobs,
        deps.inputs,
    );
    deps.bus.attach(&db).await?;
    events::follow_own(&deps.bus, &core).await?;
    core.load().await?;
    if core.index.is_some() {
        tokio::spawn(core.clone().keep_index());
    }
    Ok(Arc::new(Local { core }))
}
