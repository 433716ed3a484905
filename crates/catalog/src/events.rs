//! What the room listens to: its own changes (another process may have made them), activity's averages and streaming's
//! videos. All of it is absolute state, so hearing it twice does nothing.

use std::sync::Arc;

use async_trait::async_trait;
use contract::{
    EventId, Fault, TitleId,
    activity::TitleRatings,
    events::{Event, EventBody},
};
use platform::bus::{Bus, Delivery, Handler};

use crate::{core::Core, service::Local, store::write};

/// Follows other rooms: averages from activity, videos from streaming. Call once per process, after `open`.
pub async fn subscribe(bus: &Bus, catalog: &Local) -> Result<(), Fault> {
    let core = catalog.core.clone();
    bus.subscribe("catalog.ratings", Delivery::Durable, Arc::new(Ratings(core.clone())))
        .await?;
    bus.subscribe("catalog.videos", Delivery::Durable, Arc::new(Videos(core)))
        .await
}

/// Follows the room's own outbox: shelf and index. Begun before the shelf is filled, so that nothing falls between.
pub(crate) async fn follow_own(bus: &Bus, core: &Arc<Core>) -> Result<(), Fault> {
    bus.subscribe("catalog.cards", Delivery::Ephemeral, Arc::new(Cards(core.clone())))
        .await
}

struct Cards(Arc<Core>);

#[async_trait]
impl Handler for Cards {
    async fn handle(&self, events: &[Event]) -> anyhow::Result<()> {
        let mut changed: Vec<TitleId> = Vec::new();
        let mut last = EventId(0);
        for event in events {
            match &event.body {
                EventBody::TitlesChanged { titles } => changed.extend(titles),
                EventBody::TitleDeleted { title } => changed.push(*title),
                _ => continue,
            }
            last = event.id;
        }
        if changed.is_empty() {
            return Ok(());
        }
        changed.sort_unstable();
        changed.dedup();
        self.0.refresh(&changed).await?;
        self.0.index_titles(&changed, last).await
    }
}

struct Ratings(Arc<Core>);

#[async_trait]
impl Handler for Ratings {
    async fn handle(&self, events: &[Event]) -> anyhow::Result<()> {
        let mut figures: Vec<TitleRatings> = Vec::new();
        for event in events {
            if let EventBody::RatingsChanged { titles } = &event.body {
                figures.extend(titles.iter().cloned());
            }
        }
        if figures.is_empty() {
            return Ok(());
        }
        let mut tx = self.0.store.db.begin().await?;
        write::put_ratings(&mut tx, &figures).await?;
        tx.commit().await?;
        self.0.shelf.rate(&figures);
        Ok(())
    }
}

struct Videos(Arc<Core>);

#[async_trait]
impl Handler for Videos {
    async fn handle(&self, events: &[Event]) -> anyhow::Result<()> {
        for event in events {
            match event.body {
                EventBody::AssetReady {
                    title,
                    asset,
                    duration_ms,
                    height,
                } => {
                    self.0.set_video(title, asset, Some((duration_ms, height))).await?;
                }
                EventBody::AssetRemoved { title, asset } => self.0.set_video(title, asset, None).await?,
                _ => {}
            }
        }
        Ok(())
    }
}
