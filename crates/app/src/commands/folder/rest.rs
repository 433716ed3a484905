//! Which files rest: nobody writes them any more.

use std::{collections::HashMap, mem, path::PathBuf, time::Duration};

use super::scan::Seen;

/// A file rests once its date is old enough. Where the date says nothing, as one in the future, so does one that was the same all that
/// time.
#[derive(Debug, Default)]
pub struct Rest {
    rest_ms: i64,
    /// What it was at the last look at each file with such a date, and since when it was that.
    before: HashMap<PathBuf, (Seen, i64)>,
    now: HashMap<PathBuf, (Seen, i64)>,
}

impl Rest {
    pub fn of(rest: Duration) -> Self {
        Self {
            rest_ms: i64::try_from(rest.as_millis()).unwrap_or(i64::MAX),
            ..Self::default()
        }
    }

    /// Another look at all of them begins.
    pub fn look_again(&mut self) {
        self.before = mem::take(&mut self.now);
    }

    pub fn has_rested(&mut self, now_ms: i64, seen: &Seen) -> bool {
        if now_ms.saturating_sub(seen.modified_ms) >= self.rest_ms {
            return true;
        }
        let since = match self.before.remove(&seen.file) {
            Some((before, since)) if before == *seen => since,
            _ => now_ms,
        };
        self.now.insert(seen.file.clone(), (seen.clone(), since));
        now_ms - since >= self.rest_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_the_future_hinders_nothing_and_what_changes_does_not_rest() {
        let seen = |bytes, modified_ms| Seen {
            file: "film.mkv".into(),
            mount: "".into(),
            bytes,
            modified_ms,
        };
        let mut rest = Rest::of(Duration::from_millis(100));
        let mut look = |now_ms, seen: Seen| {
            rest.look_again();
            rest.has_rested(now_ms, &seen)
        };
        assert!(look(1_000, seen(1, 900)), "old enough");
        assert!(!look(1_000, seen(1, 901)));
        assert!(!look(1_000, seen(1, 9_000)));
        assert!(!look(1_099, seen(1, 9_000)));
        assert!(look(1_100, seen(1, 9_000)));
        assert!(look(1_300, seen(1, 9_000)), "and so it stays");
        assert!(!look(1_400, seen(2, 9_000)), "it grew");
        assert!(!look(1_450, seen(2, 9_001)), "another date");
        assert!(!look(1_500, seen(2, 9_001)));
        assert!(look(1_550, seen(2, 9_001)));
        let mut at_once = Rest::default();
        assert!(at_once.has_rested(1_000, &seen(1, 9_000)), "nothing to wait for");
    }

    #[test]
    fn only_what_is_there_is_kept() {
        let mut rest = Rest::of(Duration::from_secs(1));
        let seen = Seen {
            file: "film.mkv".into(),
            mount: "".into(),
            bytes: 1,
            modified_ms: 9_000,
        };
        rest.has_rested(1_000, &seen);
        rest.look_again();
        rest.look_again();
        assert!(rest.before.is_empty() && rest.now.is_empty());
    }
}
