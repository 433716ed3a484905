//! Subtitles that came as files of their own: they belong to a title and are shown with whatever it plays, beside those that lie in its
//! video. Players get them as further tracks of the asset; each has a name of its own for ever, so its file never changes under it.

use std::sync::Arc;

use contract::{
    AssetId, Done, Fault, SubtitlesId, TitleId,
    streaming::{AddSubtitles, ForVideo, NameSubtitles, RemoveSubtitles, StreamingError, SubtitleFile},
};
use platform::{blob::BlobError, jobs::Failure};
use tokio_util::sync::CancellationToken;

use crate::{
    asset::{self, AssetIndex, SubtitleTrack},
    encode::{
        file_names, language,
        subtitles::{self as convert, Converted},
        text,
    },
    room::Room,
    signing::Name,
    store::{
        assets,
        subtitles::{self, SubtitleRow, kind_name},
    },
};

/// Of one title.
const FILES_MAX: usize = 32;
const ORIGIN_CHARS_MAX: usize = 100;

impl Room {
    pub(crate) async fn put_subtitles(&self, req: AddSubtitles) -> Result<SubtitleFile, StreamingError> {
        let title = self.title_name(req.title).await?;
        let filename = asset::label(&req.filename).unwrap_or_else(|| "subtitles".into());
        let invalid = |what: &str| StreamingError::SubtitlesInvalid(format!("{filename}: it {what}."));
        if req.origin.is_empty() || req.origin.chars().count() > ORIGIN_CHARS_MAX {
            return Err(invalid("comes from nowhere"));
        }
        // What is shown of a long name lacks its end, which says it.
        let named = file_names::beside_title(&req.filename, &title);
        let language = match &req.language {
            Some(said) => Some(language_of(said, &filename)?),
            None => named.language.filter(|_| req.by_name.language),
        };
        let kind = if req.by_name.kind { named.kind } else { req.kind };
        let others = subtitles::of_title(&self.db, req.title).await?;
        if others.iter().filter(|row| row.origin != req.origin).count() >= FILES_MAX {
            return Err(invalid("is more than a title may have; remove another one"));
        }
        let text = text::read(&req.body.0).map_err(invalid)?;
        let webvtt = match self.converted(&text).await.map_err(|failure| unavailable(&failure))? {
            Converted::Well(webvtt) => webvtt,
            Converted::Refused(why) => return Err(invalid(why)),
        };
        let now = self.inputs.now_ms();
        let row = SubtitleRow {
            id: self.inputs.id(),
            title_id: req.title.0,
            origin: req.origin,
            filename,
            language,
            kind: kind_name(kind).into(),
            bytes: webvtt.len() as i64,
            state: "storing".into(),
            created_at: now,
            changed_at: now,
        };
        subtitles::begin(&self.db, &row).await?;
        self.blobs
            .put(&asset::beside_key(row.id), webvtt)
            .await
            .map_err(fault)?;
        // It may have been deleted meanwhile, with all that it had then.
        self.title_name(req.title).await?;
        if !subtitles::publish(&self.db, &row, now).await? {
            return Err(StreamingError::TitleNotFound);
        }
        Ok(file(row))
    }

    async fn converted(&self, text: &text::Text) -> Result<Converted, Failure> {
        let _alone = self.converts.lock().await;
        let folder = self.work_dir(&format!("subtitles-{}", self.inputs.id::<i64>()))?;
        // Whoever does not wait for it any more stops it.
        convert::convert(&self.sandbox, folder.path(), text, &CancellationToken::new()).await
    }

    pub(crate) async fn list_subtitles(&self, req: ForVideo) -> Result<Vec<SubtitleFile>, StreamingError> {
        let rows = subtitles::of_title(&self.db, req.title).await?;
        Ok(rows.into_iter().map(file).collect())
    }

    /// Its id stays: what a player has of it is the same file still.
    pub(crate) async fn rename_subtitles(&self, req: NameSubtitles) -> Result<SubtitleFile, StreamingError> {
        let all = subtitles::of_title(&self.db, req.title).await?;
        let found = all.into_iter().find(|row| row.id == req.id.0);
        let mut row = found.ok_or(StreamingError::SubtitlesNotFound)?;
        row.language = match &req.language {
            Some(said) => Some(language_of(said, &row.filename)?),
            None => None,
        };
        row.kind = kind_name(req.kind).into();
        if !subtitles::name(&self.db, &row).await? {
            return Err(StreamingError::SubtitlesNotFound);
        }
        Ok(file(row))
    }

    pub(crate) async fn take_subtitles(&self, req: RemoveSubtitles) -> Result<Done, StreamingError> {
        if !subtitles::retire(&self.db, &req, self.inputs.now_ms()).await? {
            return Err(StreamingError::SubtitlesNotFound);
        }
        Ok(Done {})
    }

    /// An asset as its title shows it now.
    pub(crate) async fn with_all_beside(
        &self,
        index: Arc<AssetIndex>,
        title: TitleId,
    ) -> Result<Arc<AssetIndex>, Fault> {
        Ok(with(index, subtitles::of_title(&self.db, title).await?))
    }

    /// The same, as far as a file of it needs it: pictures and sound are delivered without asking anybody.
    pub(crate) async fn with_beside(
        &self,
        index: Arc<AssetIndex>,
        asset: AssetId,
        name: Name<'_>,
    ) -> Result<Arc<AssetIndex>, Fault> {
        let one = match name {
            Name::Multivariant | Name::Presentation => None,
            Name::Playlist { track } | Name::Subtitles { track } => match asset::beside_id(track) {
                Some(id) => Some(id),
                None => return Ok(index),
            },
            _ => return Ok(index),
        };
        let Some(row) = assets::find(&self.db, asset).await? else {
            return Ok(index);
        };
        let title = TitleId(row.title_id);
        match one {
            None => self.with_all_beside(index, title).await,
            Some(id) => Ok(with(index, subtitles::find(&self.db, id, title).await?)),
        }
    }

    /// The file first, then the row that knows of it.
    pub(crate) async fn remove_subtitles_of(&self, row: &SubtitleRow) -> Result<(), Fault> {
        match self.blobs.delete(&asset::beside_key(row.id)).await {
            Ok(()) | Err(BlobError::NotFound(_)) => subtitles::delete(&self.db, row.id).await,
            Err(error) => Err(fault(error)),
        }
    }
}

fn with(index: Arc<AssetIndex>, rows: impl IntoIterator<Item = SubtitleRow>) -> Arc<AssetIndex> {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return index;
    }
    Arc::new(index.with_subtitles(rows.map(track)))
}

fn track(row: SubtitleRow) -> SubtitleTrack {
    let kind = row.kind();
    SubtitleTrack {
        name: asset::beside_name(row.id),
        label: convert::label(row.language.as_deref(), kind),
        language: row.language,
        kind,
        bytes: row.bytes as u64,
    }
}

fn file(row: SubtitleRow) -> SubtitleFile {
    SubtitleFile {
        id: SubtitlesId(row.id),
        kind: row.kind(),
        origin: row.origin,
        filename: row.filename,
        language: row.language,
        added_at: row.created_at,
    }
}

fn language_of(said: &str, filename: &str) -> Result<String, StreamingError> {
    let unknown =
        || format!("{filename}: it is in a language that nobody knows; say it by its code, such as en, deu or pt-BR.");
    language::tag(said).ok_or_else(|| StreamingError::SubtitlesInvalid(unknown()))
}

/// Nothing is wrong with the file.
fn unavailable(failure: &Failure) -> StreamingError {
    Fault::Unavailable(failure.text.clone()).into()
}

fn fault(error: BlobError) -> Fault {
    match error {
        BlobError::Fault(fault) => fault,
        other => Fault::Internal(other.to_string()),
    }
}
