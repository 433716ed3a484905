//! Time, ids and randomness in one handful, as every room takes them.

use std::sync::Arc;

use contract::{
    Millis,
    events::{Event, EventBody},
};

use crate::{
    clock::{Clock, ManualClock, SystemClock},
    ids::IdGenerator,
    rng::{Entropy, OsEntropy, SeededEntropy},
};

/// What a room may not take from its surroundings.
#[derive(Clone)]
pub struct Inputs {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub ids: Arc<IdGenerator>,
}

impl Inputs {
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let ids = Arc::new(IdGenerator::new(clock.clone(), entropy.clone()));
        Self { clock, entropy, ids }
    }

    /// The real ones. Make them once per process and clone.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock::new()), Arc::new(OsEntropy))
    }

    /// For tests: a clock that the test moves and a seeded stream.
    pub fn manual(seed: u64) -> (Self, Arc<ManualClock>) {
        let clock = ManualClock::new(ManualClock::START_MS);
        (Self::new(clock.clone(), Arc::new(SeededEntropy::new(seed))), clock)
    }

    pub fn now_ms(&self) -> Millis {
        self.clock.now_ms()
    }

    /// A new id: `let title: TitleId = inputs.id();`.
    pub fn id<I: From<i64>>(&self) -> I {
        self.ids.next()
    }

    /// A fact, stamped; give it to `outbox::append` in the transaction of the change.
    pub fn event(&self, body: EventBody) -> Event {
        Event {
            id: self.id(),
            at: self.now_ms(),
            body,
        }
    }
}
