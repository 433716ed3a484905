//! Viewers' recent activity in memory: bounded by bytes, never older than the last write of this process.

use std::{
    collections::{BTreeSet, HashMap},
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

/// A cache whose entries are put in only if nothing was written since they were read, and nothing is being written.
pub struct RecentCache {
    entries: Option<Cache<ProfileId, Entry>>,
    /// By stripe of profiles. The lock makes "nothing was written since" and "put in" one step.
    stripes: [Mutex<Writes>; STRIPES],
    versions: AtomicU64,
}

#[derive(Default)]
struct Writes {
    /// So far.
    count: u64,
    /// How many are at work on a profile.
    at_work: HashMap<ProfileId, usize>,
}

/// While it lives, nothing that is read of its profiles is kept; from then on they are read anew.
///
/// Others hear of a write as soon as it is committed, which may be before its writer goes on: they too must find the new state.
pub struct Writing<'a> {
    cache: &'a RecentCache,
    profiles: BTreeSet<ProfileId>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        for profile in &self.profiles {
            let mut writes = self.cache.invalidated(*profile);
            if let Some(at_work) = writes.at_work.get_mut(profile) {
                *at_work -= 1;
                if *at_work == 0 {
                    writes.at_work.remove(profile);
                }
            }
        }
    }
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
            stripes: std::array::from_fn(|_| Mutex::default()),
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
        let count = self.stripe(profile).count;
        let found = self.entry(read.await?);
        let writes = self.stripe(profile);
        if writes.count == count && !writes.at_work.contains_key(&profile) {
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

    /// To be held while the state of these profiles changes in the database.
    pub fn writing(&self, profiles: BTreeSet<ProfileId>) -> Writing<'_> {
        for profile in &profiles {
            let mut writes = self.invalidated(*profile);
            *writes.at_work.entry(*profile).or_default() += 1;
        }
        Writing { cache: self, profiles }
    }

    /// A profile's state changed in the database.
    pub fn invalidate(&self, profile: ProfileId) {
        drop(self.invalidated(profile));
    }

    fn invalidated(&self, profile: ProfileId) -> MutexGuard<'_, Writes> {
        let mut writes = self.stripe(profile);
        writes.count += 1;
        if let Some(entries) = &self.entries {
            entries.invalidate(&profile);
        }
        writes
    }

    /// Anybody's state may have changed.
    pub fn invalidate_all(&self) {
        let mut stripes: Vec<_> = self.stripes.iter().map(lock).collect();
        for writes in &mut stripes {
            writes.count += 1;
        }
        if let Some(entries) = &self.entries {
            entries.invalidate_all();
        }
    }

    fn stripe(&self, profile: ProfileId) -> MutexGuard<'_, Writes> {
        lock(&self.stripes[profile.0.rem_euclid(STRIPES as i64) as usize])
    }
}

fn lock(mutex: &Mutex<Writes>) -> MutexGuard<'_, Writes> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bytes_of(recent: &RecentActivity) -> u32 {
    let titles = recent.listed.len() + recent.seen_before.len() + recent.disliked_before.len();
    let bytes = 200 + recent.states.len() * size_of::<TitleState>() + titles * size_of::<TitleId>();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: ProfileId = ProfileId(1);

    /// Reads a profile of which so many titles are known.
    async fn read(cache: &RecentCache, titles: i64) -> usize {
        let recent = RecentActivity {
            listed: (0..titles).map(TitleId).collect(),
            ..RecentActivity::default()
        };
        let found = cache.get(ANN, async { Ok(recent) }).await.unwrap();
        found.recent.listed.len()
    }

    #[tokio::test]
    async fn what_is_read_while_something_is_written_is_not_kept() {
        let cache = RecentCache::new(&Config::default(), 0);
        assert_eq!((read(&cache, 1).await, read(&cache, 2).await), (1, 1), "kept");
        let (one, two) = (
            cache.writing(BTreeSet::from([ANN])),
            cache.writing(BTreeSet::from([ANN])),
        );
        assert_eq!(
            (read(&cache, 3).await, read(&cache, 4).await),
            (3, 4),
            "committed, perhaps"
        );
        drop(one);
        assert_eq!(
            (read(&cache, 5).await, read(&cache, 6).await),
            (5, 6),
            "another write is at work"
        );
        drop(two);
        assert_eq!((read(&cache, 7).await, read(&cache, 8).await), (7, 7), "kept again");
        assert!(cache.stripe(ANN).at_work.is_empty());
    }
}
