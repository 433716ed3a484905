//! The video that a title plays, as curators see it: how long it is, and where parts of it lie.

use contract::streaming::{ForVideo, Marker, SetMarker, StreamingError, Video};

use crate::{
    room::Room,
    store::assets::{self, AssetRow},
};

const CREDITS_RULE: &str = "the credits begin";
const INTRO_RULE: &str = "the opening begins before it ends, and ends";

impl Room {
    pub(crate) async fn current_video(&self, req: ForVideo) -> Result<Video, StreamingError> {
        let asset = assets::current(&self.db, req.title).await?;
        asset.as_ref().map(video).ok_or(StreamingError::NotPlayable)
    }

    pub(crate) async fn mark(&self, req: SetMarker) -> Result<Video, StreamingError> {
        let is_time = |ms: u64| i64::try_from(ms).is_ok();
        let (marked, rule) = match req.marker {
            Marker::Credits(at_ms) if at_ms.is_none_or(|ms| ms > 0 && is_time(ms)) => {
                (assets::set_credits(&self.db, req.title, at_ms).await?, CREDITS_RULE)
            }
            Marker::Credits(_) => (None, CREDITS_RULE),
            Marker::Intro(span) if span.is_none_or(|(from, to)| from < to && is_time(to)) => {
                (assets::set_intro(&self.db, req.title, span).await?, INTRO_RULE)
            }
            Marker::Intro(_) => (None, INTRO_RULE),
        };
        if let Some(asset) = marked {
            return Ok(video(&asset));
        }
        // There is none, or it is shorter than that: whichever it is now is what there is to say.
        let Video { duration_ms, .. } = self.current_video(ForVideo { title: req.title }).await?;
        let seconds = duration_ms as f64 / 1000.0;
        Err(StreamingError::MarkerInvalid(format!(
            "{rule} within the video, which lasts {seconds} s"
        )))
    }
}

fn video(asset: &AssetRow) -> Video {
    Video {
        asset: asset.asset(),
        duration_ms: asset.duration_ms as u64,
        credits_ms: asset.credits(),
        intro_ms: asset.intro(),
    }
}
