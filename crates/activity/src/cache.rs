//! Viewers' recent activity in memory: bounded by bytes, never older than the last write of this process.

use std::{
    mem::size_of,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use contract::{
    Fault, ProfileId, TitleId,
    activity::{RecentActivity, TitleState},
};
use moka::sync::Cache;

use crate::Config;

const STRIPES: usize = 64;

/// A cache whose entries are put in only if nothing was written since they were read.
pub struct RecentCache {
    entries: Option<Cache<ProfileId, Entry>>,
    /// Writes so far, by stripe of profiles. The lock makes "nothing was written since" and "put in" one step.
    writes: [Mutex<u64>; STRIPES],
    versions: AtomicU64,
}

/// What was read, under a number that no other reading has.
#[derive(Clone)]
pub struct Entry {
    pub recent: Arc<RecentActivity>,
    pub version: u64,
}

impl RecentCache {
    /// Versions count from `first_version` on: another one at each start, so that none comes back.
    pub fn new(config: &Config, first_version: u64) -> Self {
        let entries = (config.cache_bytes_max > 0).then(|| {
            Cache::builder()
                .max_capacity(config.cache_bytes_max)
                .weigher(|_, entry: &Entry| bytes_of(&entry.recent))
                .time_to_live(Duration::from_millis(config.cache_ttl_ms))
                .build()
        });
        Self {
            entries,
            writes: [const { Mutex::new(0) }; STRIPES],
            versions: AtomicU64::new(first_version),
        }
    }

    /// The entry, or what `read` answers.
    pub async fn get<F>(&self, profile: ProfileId, read: F) -> Result<Entry, Fault>
    where
        F: Future<Output = Result<RecentActivity, Fault>>,
    {
        let Some(entries) = &self.entries else {
            return Ok(self.entry(read.await?));
        };
        if let Some(found) = entries.get(&profile) {
            return Ok(found);
        }
        let writes = *self.stripe(profile);
        let found = self.entry(read.await?);
        let now = self.stripe(profile);
        if *now == writes {
            entries.insert(profile, found.clone());
        }
        Ok(found)
    }

    fn entry(&self, recent: RecentActivity) -> Entry {
        Entry {
            recent: Arc::new(recent),
            version: self.next_version(),
        }
    }

    fn next_version(&self) -> u64 {
        self.versions.fetch_add(1, Ordering::Relaxed)
    }

    /// The version of the entry; where nothing is kept, one that was never seen.
    pub async fn version<F>(&self, profile: ProfileId, read: F) -> Result<u64, Fault>
    where
        F: Future<Output = Result<RecentActivity, Fault>>,
    {
        match &self.entries {
            Some(_) => self.get(profile, read).await.map(|entry| entry.version),
            None => Ok(self.next_version()),
        }
    }

    /// A profile's state changed in the database.
    pub fn invalidate(&self, profile: ProfileId) {
        let mut writes = self.stripe(profile);
        *writes += 1;
        if let Some(entries) = &self.entries {
            entries.invalidate(&profile);
        }
    }

    /// Anybody's state may have changed.
    pub fn invalidate_all(&self) {
        let mut stripes: Vec<_> = self.writes.iter().map(lock).collect();
        for writes in &mut stripes {
            **writes += 1;
        }
        if let Some(entries) = &self.entries {
            entries.invalidate_all();
        }
    }

    fn stripe(&self, profile: ProfileId) -> MutexGuard<'_, u64> {
        lock(&self.writes[profile.0.rem_euclid(STRIPES as i64) as usize])
    }
}

fn lock(mutex: &Mutex<u64>) -> MutexGuard<'_, u64> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bytes_of(recent: &RecentActivity) -> u32 {
    let titles = recent.listed.len() + recent.seen_before.len() + recent.disliked_before.len();
    let bytes = 200 + recent.states.len() * size_of::<TitleState>() + titles * size_of::<TitleId>();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
