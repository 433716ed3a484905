//! A group of commands as one transaction: load what they touch, apply the rules in memory, write what changed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use contract::{
    Fault, Millis, ProfileId, TitleId,
    activity::{ActivityError, TitleRatings, TitleState},
    events::EventBody,
};
use platform::{Tx, db::OrFault as _, on, outbox};

use super::{Deltas, StateRow, Store, add_counters, add_ratings, json, shard_of, state_columns, state_of, with_rows};
use crate::{
    rules::{self, Action, Effect},
    service::LISTED_MAX,
    writer::{Change, Command, Outcome},
};

/// From this many changes of one profile in one command on, one `ProfileActed` stands for all.
const ACTED_EACH_MAX: usize = 16;

type Key = (i64, i64);

/// What a group of commands works on.
struct Working {
    /// Before and now.
    states: BTreeMap<Key, (TitleState, TitleState)>,
    /// (listed, changes) before and now.
    profiles: BTreeMap<i64, (Totals, Totals)>,
    /// And whether it was to the title's favour.
    acted: Vec<(ProfileId, TitleId, bool)>,
    /// Now.
    at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Totals {
    listed: i64,
    changes: i64,
}

impl Store {
    /// All in one transaction, in order. A refusal is the outcome of its command; an error is everybody's.
    pub async fn write(&self, commands: &[Arc<Command>]) -> Result<Vec<Outcome>, Fault> {
        let changes = || commands.iter().flat_map(|command| &command.changes);
        let mut tx = self.db.begin().await?;
        let profiles = lock_profiles(&mut tx, changes().map(|change| change.profile.0).collect()).await?;
        let keys = changes().map(|change| (change.profile.0, change.title.0)).collect();
        let states = load_states(&mut tx, keys).await?;
        let mut working = Working {
            states,
            profiles,
            acted: Vec::new(),
            at: self.inputs.now_ms(),
        };
        let refusals: Vec<_> = commands.iter().map(|command| working.perform(command).err()).collect();

        let figures = self.save(&mut tx, &working).await?;
        let mut known: HashMap<_, _> = figures.into_iter().map(|figures| (figures.title, figures)).collect();
        let asked: Vec<_> = commands.iter().filter_map(|command| command.ratings_of).collect();
        let missing: Vec<_> = asked.into_iter().filter(|title| !known.contains_key(title)).collect();
        if working.is_changed() {
            tx.commit().await?
        } else {
            tx.rollback().await?
        };
        if !missing.is_empty() {
            known.extend(self.ratings(&missing).await?);
        }
        let outcome = |(command, refusal): (&Arc<Command>, Option<ActivityError>)| match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(command.ratings_of.and_then(|title| known.get(&title).cloned())),
        };
        Ok(commands.iter().zip(refusals).map(outcome).collect())
    }

    async fn save(&self, tx: &mut Tx, working: &Working) -> Result<Vec<TitleRatings>, Fault> {
        if !working.is_changed() {
            return Ok(Vec::new());
        }
        save_states(tx, working).await?;
        save_removed(tx, working).await?;
        save_profiles(tx, working).await?;
        let figures = add_ratings(tx, &working.deltas()).await?;
        let counters = working.counters();
        if !counters.is_empty() {
            add_counters(tx, &counters).await?;
        }
        for &(profile, title, favours) in &working.acted {
            let event = self.inputs.event(EventBody::ProfileActed {
                profile,
                title,
                favours,
            });
            outbox::append(tx, &event).await?;
        }
        for titles in figures.chunks(1_000) {
            outbox::append(
                tx,
                &self.inputs.event(EventBody::RatingsChanged {
                    titles: titles.to_vec(),
                }),
            )
            .await?;
        }
        Ok(figures)
    }
}

impl Working {
    /// All changes of the command, or none.
    fn perform(&mut self, command: &Command) -> Result<(), ActivityError> {
        let lists = |change: &&Change| matches!(change.action, Action::List(_));
        for change in command.changes.iter().filter(lists) {
            let listed = self.profiles.get(&change.profile.0).map_or(0, |(_, now)| now.listed);
            let key = (change.profile.0, change.title.0);
            let is_new = self.states.get(&key).is_none_or(|(_, now)| now.listed_at.is_none());
            if is_new && listed >= LISTED_MAX {
                return Err(ActivityError::ListFull);
            }
        }
        let mut told: BTreeSet<ProfileId> = BTreeSet::new();
        for change in &command.changes {
            let effect = self.change(change);
            let each = command.changes.len() <= ACTED_EACH_MAX;
            if effect.acted && (told.insert(change.profile) || each) {
                self.acted.push((change.profile, change.title, effect.favours));
            }
        }
        Ok(())
    }

    fn change(&mut self, change: &Change) -> Effect {
        let empty = || (rules::empty(change.title), rules::empty(change.title));
        let (_, now) = self
            .states
            .entry((change.profile.0, change.title.0))
            .or_insert_with(empty);
        if let Action::Watch(progress) = &change.action {
            rules::set_back(now, progress, self.at);
        }
        let was_listed = now.listed_at.is_some();
        let effect = rules::apply(now, &change.action);
        let is_listed = now.listed_at.is_some();
        if let Some((_, totals)) = self.profiles.get_mut(&change.profile.0) {
            totals.listed += i64::from(is_listed) - i64::from(was_listed);
            totals.changes += i64::from(effect.acted);
        }
        effect
    }

    fn changed(&self) -> impl Iterator<Item = (&Key, &TitleState)> {
        self.states
            .iter()
            .filter(|(_, (before, now))| before != now)
            .map(|(key, (_, now))| (key, now))
    }

    fn is_changed(&self) -> bool {
        self.changed().next().is_some()
    }

    fn deltas(&self) -> Deltas {
        let mut deltas = Deltas::new();
        for (before, now) in self
            .states
            .values()
            .filter(|(before, now)| before.opinion != now.opinion)
        {
            let delta = deltas.entry(now.title).or_default();
            if let Some(opinion) = before.opinion {
                delta[rules::figure(opinion)] -= 1;
            }
            if let Some(opinion) = now.opinion {
                delta[rules::figure(opinion)] += 1;
            }
        }
        deltas
    }

    fn counters(&self) -> BTreeMap<i64, (i64, i64)> {
        let mut counters: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for (profile, (before, now)) in self
            .profiles
            .iter()
            .filter(|(_, (before, now))| before.changes != now.changes)
        {
            let (changes, profiles) = counters.entry(shard_of(*profile)).or_default();
            *changes += now.changes - before.changes;
            *profiles += i64::from(before.changes == 0);
        }
        counters
    }
}

/// Makes the rows of these profiles where there are none and holds them until the transaction ends.
async fn lock_profiles(tx: &mut Tx, profiles: BTreeSet<i64>) -> Result<BTreeMap<i64, (Totals, Totals)>, Fault> {
    let engine = tx.engine();
    let sql = with_rows(
        "INSERT INTO profiles (profile_id) SELECT CAST(k.value->>0 AS BIGINT) FROM JSON_ROWS WHERE TRUE
         ON CONFLICT (profile_id) DO UPDATE SET listed = profiles.listed RETURNING profile_id, listed, changes",
        &engine,
    );
    let keys = json(&profiles.iter().map(|profile| [*profile]).collect::<Vec<_>>())?;
    let rows: Vec<(i64, i64, i64)> =
        on!(engine, conn => sqlx::query_as(sql).bind(keys).fetch_all(conn).await).or_fault()?;
    let totals = |(profile, listed, changes)| (profile, (Totals { listed, changes }, Totals { listed, changes }));
    Ok(rows.into_iter().map(totals).collect())
}

async fn load_states(tx: &mut Tx, keys: BTreeSet<Key>) -> Result<BTreeMap<Key, (TitleState, TitleState)>, Fault> {
    let engine = tx.engine();
    let sql = with_rows(
        concat!(
            "SELECT ",
            state_columns!(),
            " FROM JSON_ROWS CROSS JOIN states s WHERE s.profile_id = CAST(k.value->>0 AS BIGINT) \
             AND s.title_id = CAST(k.value->>1 AS BIGINT)"
        ),
        &engine,
    );
    let keys = json(&keys)?;
    let rows: Vec<StateRow> = on!(engine, conn => sqlx::query_as(sql).bind(keys).fetch_all(conn).await).or_fault()?;
    let state = |row: StateRow| {
        let key = (row.0, row.1);
        let state = state_of(row);
        (key, (state.clone(), state))
    };
    Ok(rows.into_iter().map(state).collect())
}

async fn save_states(tx: &mut Tx, working: &Working) -> Result<(), Fault> {
    let (gone, kept): (Vec<_>, Vec<_>) = working.changed().partition(|(_, state)| rules::is_empty(state));
    if !kept.is_empty() {
        let engine = tx.engine();
        let sql = with_rows(SAVE_STATES, &engine);
        let rows = json(
            &kept
                .into_iter()
                .map(|(key, state)| row_of(*key, state))
                .collect::<Vec<_>>(),
        )?;
        on!(engine, conn => sqlx::query(sql).bind(rows).execute(conn).await.map(drop)).or_fault()?;
    }
    if !gone.is_empty() {
        let engine = tx.engine();
        let sql = with_rows(
            "DELETE FROM states WHERE (profile_id, title_id) IN \
             (SELECT CAST(k.value->>0 AS BIGINT), CAST(k.value->>1 AS BIGINT) FROM JSON_ROWS)",
            &engine,
        );
        let keys = json(&gone.into_iter().map(|(key, _)| *key).collect::<Vec<_>>())?;
        on!(engine, conn => sqlx::query(sql).bind(keys).execute(conn).await.map(drop)).or_fault()?;
    }
    Ok(())
}

/// Remembers whose opinion of what was taken back, until there is one again.
async fn save_removed(tx: &mut Tx, working: &Working) -> Result<(), Fault> {
    let (mut removed, mut given) = (Vec::new(), Vec::new());
    for ((profile, title), (before, now)) in &working.states {
        match (before.opinion, now.opinion) {
            (Some(_), None) => removed.push((*profile, *title, working.at)),
            (None, Some(_)) => given.push((*profile, *title)),
            _ => {}
        }
    }
    forget_removed(tx, &given).await?;
    if removed.is_empty() {
        return Ok(());
    }
    let engine = tx.engine();
    let sql = with_rows(
        "INSERT INTO removed_ratings (profile_id, title_id, removed_at) SELECT CAST(k.value->>0 AS BIGINT), \
         CAST(k.value->>1 AS BIGINT), CAST(k.value->>2 AS BIGINT) FROM JSON_ROWS WHERE TRUE \
         ON CONFLICT (profile_id, title_id) DO UPDATE SET removed_at = excluded.removed_at",
        &engine,
    );
    let rows = json(&removed)?;
    on!(engine, conn => sqlx::query(sql).bind(rows).execute(conn).await.map(drop)).or_fault()
}

/// A newer opinion stands: what is older does not come again for its sake alone.
pub(super) async fn forget_removed(tx: &mut Tx, keys: &[Key]) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    let engine = tx.engine();
    let sql = with_rows(
        "DELETE FROM removed_ratings WHERE (profile_id, title_id) IN \
         (SELECT CAST(k.value->>0 AS BIGINT), CAST(k.value->>1 AS BIGINT) FROM JSON_ROWS)",
        &engine,
    );
    let keys = json(&keys)?;
    on!(engine, conn => sqlx::query(sql).bind(keys).execute(conn).await.map(drop)).or_fault()
}

const SAVE_STATES: &str =
    "INSERT INTO states (profile_id, title_id, opinion, rated_at, position_ms, duration_ms, watched, finished, watched_at, \
     listed_at, last_at) SELECT CAST(k.value->>0 AS BIGINT), CAST(k.value->>1 AS BIGINT), CAST(k.value->>2 AS BIGINT), \
     CAST(k.value->>3 AS BIGINT), CAST(k.value->>4 AS BIGINT), CAST(k.value->>5 AS BIGINT), \
     CAST(k.value->>6 AS DOUBLE PRECISION), CAST(k.value->>7 AS BOOLEAN), CAST(k.value->>8 AS BIGINT), \
     CAST(k.value->>9 AS BIGINT), CAST(k.value->>10 AS BIGINT) FROM JSON_ROWS WHERE TRUE
     ON CONFLICT (profile_id, title_id) DO UPDATE SET opinion = excluded.opinion, rated_at = excluded.rated_at, \
     position_ms = excluded.position_ms, duration_ms = excluded.duration_ms, watched = excluded.watched, \
     finished = excluded.finished, watched_at = excluded.watched_at, listed_at = excluded.listed_at, \
     last_at = excluded.last_at";

type SavedRow = (
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<u64>,
    Option<u64>,
    Option<f32>,
    Option<bool>,
    Option<i64>,
    Option<i64>,
    i64,
);

fn row_of((profile, title): Key, state: &TitleState) -> SavedRow {
    let progress = state.progress.as_ref();
    (
        profile,
        title,
        state.opinion.map(rules::opinion_code),
        state.rated_at,
        progress.map(|progress| progress.position_ms),
        progress.map(|progress| progress.duration_ms),
        progress.map(|progress| progress.watched),
        progress.map(|progress| progress.finished),
        progress.map(|progress| progress.at),
        state.listed_at,
        state.last_at(),
    )
}

async fn save_profiles(tx: &mut Tx, working: &Working) -> Result<(), Fault> {
    let changed = working.profiles.iter().filter(|(_, (before, now))| before != now);
    let rows: Vec<_> = changed
        .map(|(profile, (_, now))| (*profile, now.listed, now.changes))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let engine = tx.engine();
    let sql = with_rows(
        "INSERT INTO profiles (profile_id, listed, changes) SELECT CAST(k.value->>0 AS BIGINT), \
         CAST(k.value->>1 AS BIGINT), CAST(k.value->>2 AS BIGINT) FROM JSON_ROWS WHERE TRUE
         ON CONFLICT (profile_id) DO UPDATE SET listed = excluded.listed, changes = excluded.changes",
        &engine,
    );
    let rows = json(&rows)?;
    on!(engine, conn => sqlx::query(sql).bind(rows).execute(conn).await.map(drop)).or_fault()
}
