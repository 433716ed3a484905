//! The door: checks, the order of things, and what is answered from memory.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use contract::{
    Done, Fault, PAGE_ITEMS_MAX, Page, ProfileId, TitleId,
    activity::{
        Activity, ActivityError, CountInteractions, ForProfileOnly, ForTitleOf, ForTitles, GetStates, ImportProfiles,
        ImportRatings, ImportedCount, InteractionCount, Interactions, ListOf, MarkWatched, PageInteractions,
        RECENT_STATES_MAX, Rate, Recent, RecentActivity, ReportProgress, TimeKey, TitleRatings, TitleState,
    },
    async_trait,
};

use crate::{
    Room,
    rules::{self, Action},
    store::ListKind,
    writer::{Change, Command},
};

pub(crate) const TITLES_MAX: usize = 1_000;
pub(crate) const RECENT_MAX: usize = RECENT_STATES_MAX as usize;
pub(crate) const LISTED_MAX: i64 = 500;
/// Titles of a profile that are known to have been seen, beyond the newest states.
pub(crate) const SEEN_BEFORE_MAX: usize = 20_000;
const IMPORT_ROWS_MAX: usize = 1_000_000;
const INTERACTIONS_MAX: u32 = 200_000;

#[async_trait]
impl Activity for Room {
    async fn rate(&self, req: Rate) -> Result<TitleRatings, ActivityError> {
        self.judge(req.profile, req.title, Action::Rate(req.opinion, self.inputs.now_ms()))
            .await
    }

    async fn unrate(&self, req: ForTitleOf) -> Result<TitleRatings, ActivityError> {
        self.judge(req.profile, req.title, Action::Unrate).await
    }

    /// In the order asked for, with zeros where nobody has rated.
    async fn ratings(&self, req: ForTitles) -> Result<Vec<TitleRatings>, ActivityError> {
        at_most(TITLES_MAX, req.titles.len())?;
        let mut known = self.store.ratings(&req.titles).await?;
        Ok(req
            .titles
            .iter()
            .map(|title| known.remove(title).unwrap_or_else(|| TitleRatings::none(*title)))
            .collect())
    }

    async fn state(&self, req: ForTitleOf) -> Result<TitleState, ActivityError> {
        let states = self
            .states(GetStates {
                profile: req.profile,
                titles: vec![req.title],
            })
            .await?;
        Ok(states.into_iter().next().unwrap_or_else(|| rules::empty(req.title)))
    }

    async fn states(&self, req: GetStates) -> Result<Vec<TitleState>, ActivityError> {
        at_most(TITLES_MAX, req.titles.len())?;
        let mut states = self.store.states(req.profile, &req.titles).await?;
        self.pending.overlay(req.profile, &mut states, Some(&req.titles));
        Ok(states)
    }

    async fn recent(&self, req: Recent) -> Result<RecentActivity, ActivityError> {
        let found = self.cache.get(req.profile, self.store.recent(req.profile)).await?;
        let mut recent = Arc::unwrap_or_clone(found.recent);
        if self.pending.overlay(req.profile, &mut recent.states, None) {
            newest_first(&mut recent.states);
        }
        recent.keep_newest(req.limit.min(RECENT_MAX as u32) as usize);
        Ok(recent)
    }

    async fn version(&self, req: ForProfileOnly) -> Result<u64, ActivityError> {
        let read = self.cache.version(req.profile, self.store.recent(req.profile)).await?;
        let mut hasher = DefaultHasher::new();
        (read, self.pending.version(req.profile)).hash(&mut hasher);
        Ok(hasher.finish())
    }

    async fn rated(&self, req: ListOf) -> Result<Page<TitleState, TimeKey>, ActivityError> {
        self.page(ListKind::Rated, req).await
    }

    /// The order is by the time of watching, so what waits is written first.
    async fn history(&self, req: ListOf) -> Result<Page<TitleState, TimeKey>, ActivityError> {
        self.flush_profile(req.profile).await?;
        self.page(ListKind::Watched, req).await
    }

    async fn forget(&self, req: ForTitleOf) -> Result<Done, ActivityError> {
        // A flush at work could bring back what is removed here.
        let _flushing = self.flushing.lock().await;
        self.pending.discard(req.profile, req.title);
        self.writer.one(req.profile, req.title, Action::Forget).await?;
        Ok(Done {})
    }

    async fn list(&self, req: ListOf) -> Result<Page<TitleState, TimeKey>, ActivityError> {
        self.page(ListKind::Listed, req).await
    }

    async fn add_to_list(&self, req: ForTitleOf) -> Result<Done, ActivityError> {
        self.writer
            .one(req.profile, req.title, Action::List(self.inputs.now_ms()))
            .await?;
        Ok(Done {})
    }

    async fn remove_from_list(&self, req: ForTitleOf) -> Result<Done, ActivityError> {
        self.writer.one(req.profile, req.title, Action::Unlist).await?;
        Ok(Done {})
    }

    async fn report_progress(&self, req: ReportProgress) -> Result<Done, ActivityError> {
        let progress = rules::progress(&req, self.inputs.now_ms())?;
        if progress.finished && !self.is_finished(req.profile, req.title).await? {
            self.writer.one(req.profile, req.title, Action::Watch(progress)).await?;
            return Ok(Done {});
        }
        if !self.pending.put(req.profile, req.title, &progress) {
            self.flush().await?;
            if !self.pending.put(req.profile, req.title, &progress) {
                return Err(Fault::Overloaded("too many positions are waiting to be written".into()).into());
            }
        }
        Ok(Done {})
    }

    async fn mark_watched(&self, req: MarkWatched) -> Result<Done, ActivityError> {
        at_most(TITLES_MAX, req.titles.len())?;
        let action = if req.watched {
            Action::MarkWatched(self.inputs.now_ms())
        } else {
            Action::MarkUnwatched
        };
        let _flushing = self.flushing.lock().await;
        if req.watched {
            // A title that was opened again is not finished any more, whether or not that is written yet.
            self.write_waiting(req.profile).await?;
        }
        // A position that still waits to be written would undo what is said now.
        req.titles
            .iter()
            .for_each(|title| self.pending.discard(req.profile, *title));
        let change = |title: &TitleId| Change {
            profile: req.profile,
            title: *title,
            action: action.clone(),
        };
        let changes = req.titles.iter().map(change).collect();
        self.writer
            .execute(Command {
                changes,
                ratings_of: None,
            })
            .await?;
        Ok(Done {})
    }

    async fn import_profiles(&self, req: ImportProfiles) -> Result<Vec<ProfileId>, ActivityError> {
        at_most(IMPORT_ROWS_MAX, req.viewers.len().max(req.claims.len()))?;
        let imported = self.store.import_profiles(&req).await;
        match &imported {
            Ok((_, replaced)) => replaced.iter().for_each(|profile| self.cache.invalidate(*profile)),
            // A part of it may have happened.
            Err(_) => self.cache.invalidate_all(),
        }
        Ok(imported?.0)
    }

    async fn import_ratings(&self, req: ImportRatings) -> Result<ImportedCount, ActivityError> {
        at_most(IMPORT_ROWS_MAX, req.ratings.len())?;
        let imported = self.store.import_ratings(req.ratings).await;
        // Also after an error: a part of it may have happened.
        self.cache.invalidate_all();
        Ok(imported?)
    }

    async fn interactions(&self, req: PageInteractions) -> Result<Interactions, ActivityError> {
        Ok(self
            .store
            .interactions(req.after, req.limit.clamp(1, INTERACTIONS_MAX))
            .await?)
    }

    async fn count(&self, _: CountInteractions) -> Result<InteractionCount, ActivityError> {
        Ok(self.store.count().await?)
    }

    async fn erase(&self, req: ForProfileOnly) -> Result<Done, ActivityError> {
        let _flushing = self.flushing.lock().await;
        self.pending.discard_profile(req.profile);
        let _writing = self.cache.writing(BTreeSet::from([req.profile]));
        self.store.erase(req.profile).await?;
        Ok(Done {})
    }
}

impl Room {
    async fn judge(&self, profile: ProfileId, title: TitleId, action: Action) -> Result<TitleRatings, ActivityError> {
        let changes = vec![Change { profile, title, action }];
        let figures = self
            .writer
            .execute(Command {
                changes,
                ratings_of: Some(title),
            })
            .await?;
        Ok(figures.unwrap_or_else(|| TitleRatings::none(title)))
    }

    async fn is_finished(&self, profile: ProfileId, title: TitleId) -> Result<bool, ActivityError> {
        let stored = self
            .store
            .states(profile, &[title])
            .await?
            .pop()
            .and_then(|state| state.progress);
        let known = self.pending.over(profile, title, stored);
        Ok(known.is_some_and(|progress| progress.finished))
    }

    async fn page(&self, kind: ListKind, req: ListOf) -> Result<Page<TitleState, TimeKey>, ActivityError> {
        let limit = req.limit.clamp(1, PAGE_ITEMS_MAX) as usize;
        let mut items = self.store.page(kind, req.profile, req.after, limit + 1).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let key = |state: &TitleState| TimeKey {
            at: kind.at(state),
            title: state.title,
        };
        let next = if more { items.last().map(key) } else { None };
        self.pending.overlay(req.profile, &mut items, Some(&[]));
        Ok(Page { items, next })
    }
}

pub(crate) fn newest_first(states: &mut [TitleState]) {
    states.sort_by_key(|state| std::cmp::Reverse((state.last_at(), state.title)));
}

fn at_most(limit: usize, count: usize) -> Result<(), ActivityError> {
    if count > limit {
        Err(ActivityError::TooMany(limit as u32))
    } else {
        Ok(())
    }
}
