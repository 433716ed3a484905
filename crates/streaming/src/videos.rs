//! The video that a title plays, as curators see it: how long it is, and where parts of it lie.

use contract::{
    Fault,
    streaming::{CHAPTERS_MAX, Chapter, ForVideo, Marker, SetMarkers, StreamingError, Video},
};

use crate::{
    asset::label,
    room::Room,
    store::assets::{self, AssetRow, Marks},
};

const CREDITS_RULE: &str = "the credits begin";
const INTRO_RULE: &str = "the opening begins before it ends, and ends";
const CHAPTERS_RULE: &str = "at most 200 chapters begin, each after the one before,";
const _: () = assert!(CHAPTERS_MAX == 200, "the rule says how many");

impl Room {
    pub(crate) async fn current_video(&self, req: ForVideo) -> Result<Video, StreamingError> {
        let asset = assets::current(&self.db, req.title).await?;
        self.described(&asset.ok_or(StreamingError::NotPlayable)?).await
    }

    async fn described(&self, asset: &AssetRow) -> Result<Video, StreamingError> {
        let said = asset.chapters()?;
        let chapters_edited = said.is_some();
        let chapters = match said {
            Some(chapters) => chapters,
            None => match self.indexes.get(asset.asset()).await {
                Ok(index) => index.chapters.clone(),
                Err(StreamingError::MediaNotFound) => return Err(StreamingError::NotPlayable),
                Err(other) => return Err(other),
            },
        };
        Ok(Video {
            asset: asset.asset(),
            duration_ms: asset.duration_ms as u64,
            credits_ms: asset.credits(),
            intro_ms: asset.intro(),
            chapters,
            chapters_edited,
        })
    }

    pub(crate) async fn mark(&self, req: SetMarkers) -> Result<Video, StreamingError> {
        let mut marks = Marks::default();
        for marker in req.markers {
            match marker {
                Marker::Credits(at_ms) => marks.credits = Some(at_ms),
                Marker::Intro(span) => marks.intro = Some(span),
                Marker::Chapters(chapters) => marks.chapters = Some(chapters.map(named)),
            }
        }
        // The longest that any video could be.
        if broken_rule(&marks, i64::MAX as u64).is_none()
            && let Some(asset) = assets::set_marks(&self.db, req.title, &marks).await?
        {
            return self.described(&asset).await;
        }
        // There is none, or it is shorter than that: whichever it is now is what there is to say.
        let asset = assets::current(&self.db, req.title).await?;
        let duration_ms = asset.ok_or(StreamingError::NotPlayable)?.duration_ms as u64;
        let Some(rule) = broken_rule(&marks, duration_ms) else {
            return Err(Fault::Unavailable("the video was replaced meanwhile".into()).into());
        };
        let seconds = duration_ms as f64 / 1000.0;
        Err(StreamingError::MarkerInvalid(format!(
            "{rule} within the video, which lasts {seconds} s"
        )))
    }
}

/// With names of one harmless line.
fn named(chapters: Vec<Chapter>) -> Vec<Chapter> {
    let harmless = |Chapter { start_ms, name }| Chapter {
        start_ms,
        name: name.as_deref().and_then(label),
    };
    chapters.into_iter().map(harmless).collect()
}

fn broken_rule(marks: &Marks, duration_ms: u64) -> Option<&'static str> {
    if let Some(Some(ms)) = marks.credits
        && (ms == 0 || ms >= duration_ms)
    {
        return Some(CREDITS_RULE);
    }
    if let Some(Some((from, to))) = marks.intro
        && (from >= to || to > duration_ms)
    {
        return Some(INTRO_RULE);
    }
    let chapters = marks.chapters.as_ref()?.as_ref()?;
    let in_order = chapters.is_sorted_by(|before, after| before.start_ms < after.start_ms);
    let inside = chapters.last().is_none_or(|last| last.start_ms < duration_ms);
    (chapters.len() > CHAPTERS_MAX || !in_order || !inside).then_some(CHAPTERS_RULE)
}
