//! The video that a title plays, as curators see it: how long it is, and where parts of it lie.

use contract::streaming::{ForVideo, Marker, SetMarker, StreamingError, Video};

use crate::{
    room::Room,
    store::assets::{self, AssetRow},
};

impl Room {
    pub(crate) async fn current_video(&self, req: ForVideo) -> Result<Video, StreamingError> {
        let asset = assets::current(&self.db, req.title).await?;
        asset.as_ref().map(video).ok_or(StreamingError::NotPlayable)
    }

    pub(crate) async fn mark(&self, req: SetMarker) -> Result<Video, StreamingError> {
        let Marker::Credits(credits_ms) = req.marker;
        let within = credits_ms.is_none_or(|ms| ms > 0 && i64::try_from(ms).is_ok());
        let marked = match within {
            true => assets::set_credits(&self.db, req.title, credits_ms).await?,
            false => None,
        };
        if let Some(asset) = marked {
            return Ok(video(&asset));
        }
        // There is none, or it is shorter than that: whichever it is now is what there is to say.
        let Video { duration_ms, .. } = self.current_video(ForVideo { title: req.title }).await?;
        let seconds = duration_ms as f64 / 1000.0;
        Err(StreamingError::MarkerInvalid(format!(
            "the credits begin within the video, which lasts {seconds} s"
        )))
    }
}

fn video(asset: &AssetRow) -> Video {
    Video {
        asset: asset.asset(),
        duration_ms: asset.duration_ms as u64,
        credits_ms: asset.credits(),
    }
}
