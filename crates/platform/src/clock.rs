//! What time it is, as an input: [`SystemClock`] in service, [`ManualClock`] in tests.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use contract::Millis;
use rustix::time::{ClockId, clock_gettime};

/// Tells the time. Nothing else in the workspace may ask the system for it.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch. Never less than an earlier answer of the same clock.
    fn now_ms(&self) -> Millis;

    /// What the calling thread has worked; waiting does not count.
    fn worked(&self) -> Duration;
}

/// The system's clock, made safe against being set back: time goes on from the latest moment this process has seen,
/// at the speed of the monotonic clock. A clock set forward is followed at once.
pub struct SystemClock {
    started: Instant,
    /// Wall time minus time since `started`; only ever grows.
    offset_ms: AtomicI64,
}

impl SystemClock {
    pub fn new() -> Self {
        let clock = Self {
            started: Instant::now(),
            offset_ms: AtomicI64::new(i64::MIN),
        };
        clock.now_ms();
        clock
    }

    fn read(&self, wall_ms: Millis, elapsed_ms: i64) -> Millis {
        let offset = wall_ms - elapsed_ms;
        let latest = self.offset_ms.fetch_max(offset, Ordering::AcqRel).max(offset);
        elapsed_ms + latest
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> Millis {
        let elapsed_ms = self.started.elapsed().as_millis() as i64;
        self.read(wall_ms(), elapsed_ms)
    }

    fn worked(&self) -> Duration {
        let worked = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(
            worked.tv_sec.try_into().unwrap_or(0),
            worked.tv_nsec.try_into().unwrap_or(0),
        )
    }
}

/// The one place that reads the ambient clock.
#[allow(clippy::disallowed_methods)]
fn wall_ms() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

/// What a thread has worked, as a test says it.
type Worked = Box<dyn FnMut() -> Duration + Send>;

/// A clock that stands still until it is told to move, and by which no thread works until it is told so.
pub struct ManualClock {
    now: AtomicI64,
    worked: Mutex<Worked>,
}

impl ManualClock {
    /// 2026-01-01T00:00:00Z, the moment at which tests begin unless they say otherwise.
    pub const START_MS: Millis = 1_767_225_600_000;

    pub fn new(now_ms: Millis) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicI64::new(now_ms),
            worked: Mutex::new(Box::new(|| Duration::ZERO)),
        })
    }

    pub fn advance(&self, by_ms: i64) {
        self.now.fetch_add(by_ms, Ordering::AcqRel);
    }

    /// Jumps anywhere, backwards too.
    pub fn set(&self, now_ms: Millis) {
        self.now.store(now_ms, Ordering::Release);
    }

    /// From now on threads have worked what this says each time it is asked.
    pub fn works(&self, worked: impl FnMut() -> Duration + Send + 'static) {
        *self.worked.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(worked);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> Millis {
        self.now.load(Ordering::Acquire)
    }

    fn worked(&self) -> Duration {
        self.worked.lock().unwrap_or_else(PoisonError::into_inner)()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_goes_on_from_where_it_was() {
        let clock = SystemClock {
            started: Instant::now(),
            offset_ms: AtomicI64::new(i64::MIN),
        };
        assert_eq!(clock.read(10_000, 0), 10_000);
        assert_eq!(clock.read(10_500, 500), 10_500);
        // An hour back: time neither jumps nor stands still.
        assert_eq!(clock.read(10_500 - 3_600_000, 600), 10_600);
        assert_eq!(clock.read(11_000 - 3_600_000, 1_000), 11_000);
        // Forward again, beyond where it was.
        assert_eq!(clock.read(20_000, 1_100), 20_000);
    }

    #[test]
    fn the_system_clock_never_goes_backwards() {
        let clock = SystemClock::new();
        let mut last = 0;
        for _ in 0..10_000 {
            let now = clock.now_ms();
            assert!(now >= last);
            last = now;
        }
        assert!(last > ManualClock::START_MS - 366 * 86_400_000);
        assert!(clock.worked() > Duration::ZERO);
    }
}
