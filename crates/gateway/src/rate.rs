//! How often: per address on the ways in, per account everywhere else.

use std::{
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use contract::AccountId;
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::keyed::DefaultKeyedStateStore,
};

use crate::problem::Problem;

/// After so many questions, keys that have been quiet are forgotten.
const SWEEP_EVERY: u32 = 10_000;

/// One bucket per key.
pub struct Limit<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock>,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    /// `per` many in `period`; so many may also come at once.
    pub fn new(per: u32, period: Duration) -> Self {
        let per = NonZeroU32::new(per).unwrap_or(NonZeroU32::MIN);
        let quota =
            Quota::with_period(period / per.get()).map_or(Quota::per_second(per), |quota| quota.allow_burst(per));
        Self {
            limiter: RateLimiter::keyed(quota),
            asked: AtomicU32::new(0),
        }
    }

    pub fn check(&self, key: &K) -> Result<(), Problem> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(DefaultClock::default().now());
            Problem::too_many(wait.as_secs() as u32 + 1)
        })
    }
}

/// All that is counted.
pub struct Limits {
    pub ways_in: Limit<IpAddr>,
    pub accounts: Limit<AccountId>,
}

impl Limits {
    pub fn new(config: &crate::Config) -> Self {
        Self {
            ways_in: Limit::new(config.auth_requests_per_minute, Duration::from_secs(60)),
            // Five seconds' worth may come at once: a page that opens asks for much.
            accounts: Limit::new(config.api_requests_per_second.saturating_mul(5), Duration::from_secs(5)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_bucket_and_is_told_when_to_come_back() {
        let limit = Limit::new(3, Duration::from_secs(60));
        for _ in 0..3 {
            assert!(limit.check(&1).is_ok());
        }
        let problem = limit.check(&1).unwrap_err();
        assert_eq!(problem.status.as_u16(), 429);
        assert!((1..=21).contains(&problem.retry_after_s.unwrap()));
        assert!(limit.check(&2).is_ok());
    }
}
