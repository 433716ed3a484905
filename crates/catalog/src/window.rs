//! When titles appear to viewers and go by themselves.

use std::{sync::Arc, time::Duration};

use contract::{
    Fault, Millis, TitleId,
    catalog::{CatalogError, OptionalFact, UpdateTitle, Window},
};
use tokio_util::sync::CancellationToken;

use crate::{
    change::kept,
    core::Core,
    model::invalid,
    service::Local,
    store::{Store, write},
};

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Titles of one transaction.
const DUE_MAX: i64 = 500;
const AHEAD_MS_MAX: i64 = 10 * 366 * 86_400_000;

impl Local {
    /// Lets titles appear and go when it is time, until `stop`. Any number of processes may do so beside each other.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            if let Err(error) = self.keep_windows().await {
                tracing::warn!(%error, "titles whose time has come could not appear or go; trying again");
            }
        }
    }

    /// Whose time has come appears or goes.
    pub async fn keep_windows(&self) -> Result<(), Fault> {
        let now = self.core.inputs.now_ms();
        while self.core.store.is_due(now).await? {
            self.core.keep_windows(now).await?;
        }
        Ok(())
    }
}

impl Core {
    async fn keep_windows(&self, now: Millis) -> Result<(), Fault> {
        let mut tx = self.store.db.begin().await?;
        write::lock(&mut tx).await?;
        // Another process may have been here first.
        let due = Store::due_in(&mut tx, now, DUE_MAX).await?;
        for (title, window) in &due {
            let (published, rest) = come_about(*window, now);
            write::put_published(&mut tx, *title, published, now).await?;
            write::put_window(&mut tx, *title, rest).await?;
        }
        let titles: Vec<TitleId> = due.into_iter().map(|(title, _)| title).collect();
        if titles.is_empty() {
            return Ok(());
        }
        tracing::info!(titles = titles.len(), "appeared or went, as it was their time");
        self.commit(tx, &titles).await
    }
}

/// Of a window whose time has come: whether viewers see the title now, and what is still to come.
fn come_about(window: Window, now: Millis) -> (bool, Window) {
    match window.unpublish_at {
        Some(gone) if gone <= now => (false, Window::default()),
        unpublish_at => (
            true,
            Window {
                publish_at: None,
                unpublish_at,
            },
        ),
    }
}

/// Whether viewers see a title after a change, and what is to come then.
pub fn changed(
    change: &UpdateTitle,
    published: bool,
    before: Window,
    now: Millis,
) -> Result<(bool, Window), CatalogError> {
    let mut to_come = Window {
        publish_at: kept(
            OptionalFact::PublishAt,
            &change.cleared,
            change.publish_at,
            before.publish_at,
        )?,
        unpublish_at: kept(
            OptionalFact::UnpublishAt,
            &change.cleared,
            change.unpublish_at,
            before.unpublish_at,
        )?,
    };
    for at in [change.publish_at, change.unpublish_at].into_iter().flatten() {
        if at <= now {
            return Err(invalid("the time to appear or to go has passed already"));
        }
        if at > now.saturating_add(AHEAD_MS_MAX) {
            return Err(invalid("the time to appear or to go is more than ten years away"));
        }
    }
    if change.publish_at.is_some() && change.published == Some(true) {
        return Err(invalid("a title that is published cannot appear later"));
    }
    let published = change.publish_at.is_none() && change.published.unwrap_or(published);
    if published {
        to_come.publish_at = None;
    }
    match (to_come.publish_at, to_come.unpublish_at) {
        (Some(appears), Some(goes)) if goes <= appears => {
            return Err(invalid("the title would go before it appears"));
        }
        (None, Some(_)) if !published && change.unpublish_at.is_some() => {
            return Err(invalid("a title that is not published cannot go; say when it appears"));
        }
        (None, Some(_)) if !published => to_come.unpublish_at = None,
        _ => {}
    }
    Ok((published, to_come))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_000;
    const NOTHING: Window = window(None, None);

    const fn window(publish_at: Option<Millis>, unpublish_at: Option<Millis>) -> Window {
        Window {
            publish_at,
            unpublish_at,
        }
    }

    fn change(published: Option<bool>, publish_at: Option<Millis>, unpublish_at: Option<Millis>) -> UpdateTitle {
        UpdateTitle {
            published,
            publish_at,
            unpublish_at,
            ..UpdateTitle::of(TitleId(1))
        }
    }

    #[test]
    fn what_was_said_last_holds() {
        let later = window(Some(2_000), Some(3_000));
        let goes = window(None, Some(3_000));
        let cases = [
            // Nothing said, nothing changed.
            (change(None, None, None), true, NOTHING, (true, NOTHING)),
            (change(None, None, None), false, later, (false, later)),
            (change(None, None, None), true, goes, (true, goes)),
            // To appear later is to be hidden until then.
            (
                change(None, Some(2_000), None),
                true,
                NOTHING,
                (false, window(Some(2_000), None)),
            ),
            (
                change(Some(false), Some(2_000), Some(3_000)),
                true,
                NOTHING,
                (false, later),
            ),
            (change(None, Some(2_000), None), true, goes, (false, later)),
            // By hand it is done, and no longer to come.
            (change(Some(true), None, None), false, later, (true, goes)),
            (change(Some(false), None, None), true, goes, (false, NOTHING)),
            (change(Some(false), None, None), false, later, (false, later)),
            (
                change(Some(true), None, Some(4_000)),
                false,
                NOTHING,
                (true, window(None, Some(4_000))),
            ),
        ];
        for (change, published, before, after) in cases {
            assert_eq!(changed(&change, published, before, NOW), Ok(after), "{change:?}");
        }
        let no_more = |fact| UpdateTitle {
            cleared: vec![fact],
            ..UpdateTitle::of(TitleId(1))
        };
        // What never appears cannot go.
        assert_eq!(
            changed(&no_more(OptionalFact::PublishAt), false, later, NOW),
            Ok((false, NOTHING))
        );
        assert_eq!(
            changed(&no_more(OptionalFact::UnpublishAt), false, later, NOW),
            Ok((false, window(Some(2_000), None)))
        );
    }

    #[test]
    fn what_cannot_come_about_is_refused() {
        let far = NOW + AHEAD_MS_MAX + 1;
        for (change, published) in [
            (change(None, Some(NOW), None), false),
            (change(None, None, Some(NOW)), true),
            (change(None, Some(far), None), false),
            (change(None, None, Some(i64::MAX)), true),
            (change(Some(true), Some(2_000), None), false),
            (change(None, Some(3_000), Some(3_000)), false),
            (change(None, Some(4_000), None), false),
            (change(None, None, Some(3_000)), false),
            (change(Some(false), None, Some(3_000)), true),
        ] {
            let before = match change.publish_at {
                Some(4_000) => window(Some(2_000), Some(3_000)),
                _ => NOTHING,
            };
            let refused = changed(&change, published, before, NOW);
            assert!(
                matches!(refused, Err(CatalogError::TitleInvalid(_))),
                "{change:?}: {refused:?}"
            );
        }
    }
}
