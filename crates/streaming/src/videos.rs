//! The video that a title plays, as curators see it: how long it is, and where parts of it lie.

use contract::{
    Fault,
    streaming::{ForVideo, Marker, SetMarkers, StreamingError, Video},
};

use crate::{
    room::Room,
    store::assets::{self, AssetRow, Marks},
};

const CREDITS_RULE: &str = "the credits begin";
const INTRO_RULE: &str = "the opening begins before it ends, and ends";

impl Room {
    pub(crate) async fn current_video(&self, req: ForVideo) -> Result<Video, StreamingError> {
        let asset = assets::current(&self.db, req.title).await?;
        asset.as_ref().map(video).ok_or(StreamingError::NotPlayable)
    }

    pub(crate) async fn mark(&self, req: SetMarkers) -> Result<Video, StreamingError> {
        let mut marks = Marks::default();
        for marker in req.markers {
            match marker {
                Marker::Credits(at_ms) => marks.credits = Some(at_ms),
                Marker::Intro(span) => marks.intro = Some(span),
            }
        }
        // The longest that any video could be.
        if broken_rule(&marks, i64::MAX as u64).is_none()
            && let Some(asset) = assets::set_marks(&self.db, req.title, &marks).await?
        {
            return Ok(video(&asset));
        }
        // There is none, or it is shorter than that: whichever it is now is what there is to say.
        let Video { duration_ms, .. } = self.current_video(ForVideo { title: req.title }).await?;
        let Some(rule) = broken_rule(&marks, duration_ms) else {
            return Err(Fault::Unavailable("the video was replaced meanwhile".into()).into());
        };
        let seconds = duration_ms as f64 / 1000.0;
        Err(StreamingError::MarkerInvalid(format!(
            "{rule} within the video, which lasts {seconds} s"
        )))
    }
}

fn broken_rule(marks: &Marks, duration_ms: u64) -> Option<&'static str> {
    if let Some(Some(ms)) = marks.credits
        && (ms == 0 || ms >= duration_ms)
    {
        return Some(CREDITS_RULE);
    }
    match marks.intro {
        Some(Some((from, to))) if from >= to || to > duration_ms => Some(INTRO_RULE),
        _ => None,
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
