//! Facts of other rooms that matter here. Every effect is absolute, so a fact that comes twice does no harm.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use contract::events::{Event, EventBody};
use platform::{
    Bus,
    bus::{Delivery, Handler},
};

use crate::{
    room::Room,
    store::{assets, playbacks, subtitles, uploads},
};

/// Holds the room weakly: the bus must not keep it alive.
struct Facts(Weak<Room>);

pub(crate) async fn subscribe(bus: &Bus, room: &Arc<Room>) -> Result<(), contract::Fault> {
    bus.subscribe("streaming", Delivery::Durable, Arc::new(Facts(Arc::downgrade(room))))
        .await
}

#[async_trait]
impl Handler for Facts {
    async fn handle(&self, events: &[Event]) -> anyhow::Result<()> {
        let Some(room) = self.0.upgrade() else {
            anyhow::bail!("streaming is closed");
        };
        for event in events {
            match &event.body {
                EventBody::TitleDeleted { title } => {
                    room.discard_all_of(*title).await?;
                    let mut tx = room.db.begin().await?;
                    // The rows first: a transcode that publishes at this moment needs its source's.
                    uploads::delete_of(&mut tx, *title).await?;
                    assets::retire(&mut tx, &room.inputs, *title).await?;
                    subtitles::retire_all_of(&mut tx, *title, room.inputs.now_ms()).await?;
                    tx.commit().await?;
                }
                EventBody::SessionsRevoked { sessions, .. } => room.end_sessions(sessions).await?,
                EventBody::AccountDeleted { account } => {
                    playbacks::delete_of(&room.db, *account).await?;
                    uploads::expire_all_of(&room.db, *account, event.at).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
