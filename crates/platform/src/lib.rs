//! Ports and adapters that every room stands on: small, and with nothing of any one room in them.
//!
//! | module | what it gives |
//! |---|---|
//! | [`inputs`] | `Inputs { clock, entropy, ids }`: what a room may not take from its surroundings; `inputs.id()`, `inputs.event(body)` |
//! | [`clock`], [`rng`], [`ids`] | time, randomness and ids, real and for tests |
//! | [`db`] | `Db::open(&location, "room", &MIGRATIONS)`, `on!(db, pool => …)`, `db.begin()` → `Tx`, `.or_fault()?` |
//! | [`outbox`] | `outbox::append(&mut tx, &inputs.event(body))` in the transaction of the change |
//! | [`bus`] | `bus.attach(&db)`, `bus.subscribe(name, Delivery, handler)`, `bus.settle()` in tests |
//! | [`inbox`] | `inbox::first_time(&mut tx, subscriber, event)`: an effect once, whatever is delivered twice |
//! | [`jobs`] | `Queue`: durable work with lease, progress, retry, cancel; is a `contract::jobs::Jobs` door |
//! | [`blob`] | `BlobStore`: files by key, durable and whole, in a folder or in a bucket of S3 |
//! | [`outbound`] | clients for HTTP, with the TLS that we chose |
//! | [`network`] | whom an address stands for, where something is counted by address |
//! | [`wire`] | `Loopback::new().with(Served::<dyn Door>(door)).remote()` for door suites |
//! | [`config`], [`telemetry`] | layered configuration; logs, metrics, correlation id |
//! | `test_support` | feature `test-support`: `databases().await` → a fresh SQLite and a fresh PostgreSQL |
//!
//! Invariants: the tables `outbox`, `outbox_cursor`, `outbox_parked`, `inbox` and `jobs` belong to this crate, which makes and
//! migrates them in **every** room's database (rooms do not create them); no HTTP type leaves this crate but a client to be built; nothing here
//! knows a room.
//!
//! Every room's `open` takes at least `&Location` (or its `Db`), `Inputs` and `Arc<Bus>`, opens its database and attaches it:
//! ```ignore
//! static MIGRATIONS: Migrations = platform::migrations!();
//! let db = Db::open(&deps.location, "catalog", &MIGRATIONS).await?;
//! deps.bus.attach(&db).await?;
//! ```

pub mod blob;
pub mod bus;
pub mod clock;
pub mod config;
pub mod db;
pub mod ids;
pub mod inbox;
pub mod inputs;
pub mod jobs;
pub mod network;
pub mod outbound;
pub mod outbox;
pub mod rng;
pub mod telemetry;
#[cfg(any(test, feature = "test-support"))]
pub mod test_support;
pub mod wire;

pub use bus::Bus;
pub use db::{Db, Location, Migrations, Tx};
pub use inputs::Inputs;
