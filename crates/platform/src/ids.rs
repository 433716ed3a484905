//! Makes ids: 41 bits of milliseconds since 2024-01-01 and 22 bits of a counter that starts anywhere in its lower half each
//! millisecond. Inside a process ids only grow; across processes two collide only in the same millisecond at the same
//! count (one in two million for a pair), and then the primary key refuses the second.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::{clock::Clock, rng::Entropy};

/// 2024-01-01T00:00:00Z.
pub const EPOCH_MS: i64 = 1_704_067_200_000;
const COUNTER_BITS: u32 = 22;

/// Hands out ids. One per process.
pub struct IdGenerator {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    last: AtomicI64,
}

impl IdGenerator {
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            clock,
            entropy,
            last: AtomicI64::new(0),
        }
    }

    /// A new id of any kind: `let title: TitleId = ids.next();`.
    pub fn next<I: From<i64>>(&self) -> I {
        I::from(self.next_i64())
    }

    fn next_i64(&self) -> i64 {
        let ms = (self.clock.now_ms() - EPOCH_MS).clamp(0, (1 << 41) - 1);
        let mut last = self.last.load(Ordering::Acquire);
        loop {
            // A later millisecond starts a new count; otherwise the count goes on, into the next millisecond if it must.
            let next = if ms > last >> COUNTER_BITS {
                first_of(ms, self.entropy.u64())
            } else {
                last + 1
            };
            match self
                .last
                .compare_exchange_weak(last, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return next,
                Err(seen) => last = seen,
            }
        }
    }
}

/// When an id was made.
pub fn made_at_ms(id: i64) -> i64 {
    (id >> COUNTER_BITS) + EPOCH_MS
}

fn first_of(ms: i64, random: u64) -> i64 {
    let start = (random & ((1 << (COUNTER_BITS - 1)) - 1)) as i64;
    // Never zero, also in the first millisecond of the epoch.
    (ms << COUNTER_BITS | start).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use contract::TitleId;

    use super::*;
    use crate::{clock::ManualClock, rng::SeededEntropy};

    fn generator(clock: &Arc<ManualClock>) -> IdGenerator {
        IdGenerator::new(clock.clone(), Arc::new(SeededEntropy::new(1)))
    }

    #[test]
    fn ids_grow_even_when_the_clock_is_set_back() {
        let clock = ManualClock::new(ManualClock::START_MS);
        let ids = generator(&clock);
        let mut last = TitleId(0);
        for step in 0..10_000 {
            if step == 5_000 {
                clock.advance(-3_600_000);
            }
            let id: TitleId = ids.next();
            assert!(id > last);
            last = id;
        }
        assert_eq!(made_at_ms(last.0), ManualClock::START_MS);
    }

    #[test]
    fn threads_never_share_an_id() {
        let clock = ManualClock::new(ManualClock::START_MS);
        let ids = generator(&clock);
        let made: Vec<i64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..10_000).map(|_| ids.next::<i64>()).collect::<Vec<_>>()))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_default())
                .collect()
        });
        assert_eq!(made.len(), 40_000);
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), 40_000);
    }

    #[test]
    fn a_clock_before_the_epoch_still_gives_positive_ids() {
        let ids = generator(&ManualClock::new(0));
        assert!(ids.next::<i64>() > 0);
    }
}
