//! Streaming: files on their way in, their transcoding and packaging, and who may watch what.
//!
//! **Owns** uploads, transcode jobs, assets (segments and their index) and playbacks; its database is `streaming`, its files are
//! `uploads/` (sources) and `transcode/` (work in progress) in the data folder and `assets/` in blob storage; where that is a bucket, sources
//! are in it as well.
//! **Calls** the catalogue (does a title exist, what is it called). **Emits** `AssetReady`, `AssetRemoved` (a title plays another
//! asset, or none). **Listens** to `TitleDeleted`, `AccountDeleted`, `SessionsRevoked`.
//!
//! Invariants:
//! - ffmpeg and ffprobe run in [`encode::sandbox`] or not at all; nothing that a person wrote is ever an argument or a path.
//! - An upload's offset is on disk before it is answered. A file has exactly as many bytes as were declared, or is not used.
//! - A title plays at most one asset. An asset is visible only once all of it is stored, by one transaction; its files never
//!   change afterwards, and go when nobody who pressed play before can still be watching.
//! - A film is encoded in parts by any number of workers. A process may be killed at any moment: that costs the parts it was at, and
//!   nothing is seen of it. The bytes are the same however the parts were shared out and however often they were begun.
//! - Subtitles that came as files of their own belong to the title, not to an asset: they come and go without another transcode.
//! - Delivery of pictures and sound needs no database: a signature over the path's prefix says what its holder may have, until the
//!   log-in ends it was made for. Keys are read from there, under the same signature.
//! - Whether an asset is encrypted stands in its row before the first of its bytes is stored, and a worker goes by the row alone.
//!
//! | you want to know | read |
//! |---|---|
//! | the doors | `room.rs`, then `uploads.rs` and `playback.rs` |
//! | what a title plays, and where its opening and its credits are | `videos.rs` |
//! | what else a title is shown with: files of subtitles | `beside.rs` |
//! | what happens between an upload's last byte and a title that plays | `saga.rs`, then `parts.rs` and `encode/` |
//! | what encodes the pictures | `encoder.rs` |
//! | what players get | `manifest/`, from `asset.rs` |
//! | how segments are encrypted, and with which key | `cipher.rs` |
//! | whose addresses end before they expire | `ended.rs` |
//! | how many may watch at once | `streams.rs` |
//! | where a film comes from that another machine received | `sources.rs` |
//! | what is removed when | `tidy.rs` |

mod asset;
mod beside;
mod checks;
mod cipher;
mod config;
mod encode;
mod encoder;
mod ended;
mod events;
mod files;
mod manifest;
mod mp4;
mod parts;
mod playback;
mod room;
mod saga;
mod signing;
mod sources;
mod store;
mod streams;
mod tidy;
mod transcoder;
mod uploads;
mod videos;
mod workdir;

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use contract::catalog::Catalog;
use platform::{Bus, Db, Inputs, Location, Migrations, blob::BlobStore, jobs};

pub use config::{Config, Encryption};
pub use encode::{
    file_names::{FileName, file_name},
    hardware::Encoder,
    text::FILE_BYTES_MAX as SUBTITLE_BYTES_MAX,
};
pub use encoder::try_encoder;
pub use room::Room;
#[doc(hidden)]
pub use saga::{Breakpoints, Step};

#[doc(hidden)]
pub static MIGRATIONS: Migrations = platform::migrations!();

const SIGNING_KEY: &str = "media_signing_1";

/// What the room stands on.
pub struct Deps {
    pub location: Location,
    pub inputs: Inputs,
    pub bus: Arc<Bus>,
    pub blobs: BlobStore,
    pub catalog: Arc<dyn Catalog>,
    /// Where sources and work in progress lie. Segments are copied from here into the blobs, part by part.
    pub data_folder: PathBuf,
}

/// Opens the room. Transcodes run once somebody calls [`Room::run_worker`].
pub async fn open(deps: Deps, config: Config) -> anyhow::Result<Arc<Room>> {
    open_with(deps, config, TestOverrides::default()).await
}

/// What tests have otherwise than servers.
#[doc(hidden)]
#[derive(Default)]
pub struct TestOverrides {
    pub queue: jobs::Settings,
    pub breakpoints: Option<Arc<dyn Breakpoints>>,
    /// Where ffmpeg and ffprobe are looked for, instead of where systems have them.
    pub programs: Option<PathBuf>,
}

/// [`open`] for a test.
#[doc(hidden)]
pub async fn open_with(deps: Deps, config: Config, overrides: TestOverrides) -> anyhow::Result<Arc<Room>> {
    let Deps {
        location,
        inputs,
        bus,
        blobs,
        catalog,
        data_folder,
    } = deps;
    let db = Db::open(&location, "streaming", &MIGRATIONS).await?;
    let key = store::secrets::key(&db, SIGNING_KEY, &*inputs.entropy).await?;
    let files = files::Files::open(data_folder.join("uploads"))
        .with_context(|| format!("creating the folder for uploads in {}", data_folder.display()))?;
    let room = Arc::new_cyclic(|own| Room {
        own: own.clone(),
        queue: jobs::Queue::with_settings(db.clone(), inputs.clone(), overrides.queue),
        indexes: playback::Indexes::new(blobs.clone(), config.index_cache_bytes),
        signer: signing::Signer::new(&key),
        ended: ended::Ended::default(),
        streams: streams::Streams::new(config.streams_max),
        work_folder: data_folder.join("transcode"),
        sandbox: overrides
            .programs
            .map_or_else(Default::default, encode::sandbox::Sandbox::of),
        breakpoints: overrides.breakpoints,
        upload_locks: uploads::Locks::default(),
        join_locks: uploads::Locks::default(),
        requests: uploads::Requests::default(),
        sources: sources::Sources::default(),
        running: transcoder::Running::default(),
        tried_encoder: tokio::sync::OnceCell::new(),
        converts: tokio::sync::Mutex::default(),
        probes: tokio::sync::Mutex::default(),
        data_folder,
        db,
        inputs,
        config,
        blobs,
        catalog,
        files,
    });
    bus.attach(&room.db).await?;
    events::subscribe(&bus, &room).await?;
    room.recall_ended().await?;
    Ok(room)
}

impl Room {
    /// For readiness, backup and migration.
    pub fn database(&self) -> &Db {
        &self.db
    }
}
