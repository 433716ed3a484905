//! Pressing play, and everything that is behind a signed path.

use std::sync::Arc;

use contract::{
    AssetId, Blob, Fault, SessionId,
    streaming::{ForPlayback, GetMedia, Media, MediaBody, Playback, StartPlayback, StreamingError, Subtitles},
};
use moka::future::Cache;
use platform::{blob::BlobError, blob::BlobStore};
use sha2::{Digest as _, Sha256};

use crate::{
    asset::{self, AssetIndex},
    manifest,
    room::Room,
    signing::{Grant, Name},
    store::{
        assets::{self, AssetRow, Stored},
        playbacks::{self, PlaybackRow},
    },
};

const HLS_TYPE: &str = "application/vnd.apple.mpegurl";
const DASH_TYPE: &str = "application/dash+xml";
const VTT_TYPE: &str = "text/vtt; charset=utf-8";
/// A manifest never changes, but it is one person's: their own cache may keep it for a while.
const MANIFEST_CACHE: &str = "private, max-age=300";
/// As long as an edge cache may believe that an address is good: well within the minute in which what has ended must be over.
const CHECK_CACHE: &str = "private, max-age=10";
const SEGMENT_CACHE: &str = "public, max-age=31536000, immutable";
const KEY_TYPE: &str = "application/octet-stream";
/// A key is kept nowhere on the way.
const KEY_CACHE: &str = "no-store";

/// Indexes of assets that are being watched.
pub struct Indexes {
    blobs: BlobStore,
    cache: Cache<AssetId, Arc<AssetIndex>>,
}

impl Indexes {
    pub fn new(blobs: BlobStore, bytes_max: u64) -> Self {
        let weight = |_: &AssetId, index: &Arc<AssetIndex>| {
            let segments: usize = index.tracks().map(|track| track.bytes.len() + 16).sum();
            let keyframes: usize = index.video.iter().map(|video| video.keyframes.len()).sum();
            // Names are short: see `asset::label`.
            let named = index.chapters.len() + index.subtitles.len();
            u32::try_from((segments + keyframes + 32 * named) * size_of::<u64>() + 256).unwrap_or(u32::MAX)
        };
        Self {
            blobs,
            cache: Cache::builder().max_capacity(bytes_max).weigher(weight).build(),
        }
    }

    /// The index of an asset; read once, however many ask at the same time.
    pub async fn get(&self, asset: AssetId) -> Result<Arc<AssetIndex>, StreamingError> {
        match self.cache.get(&asset).await {
            Some(index) => Ok(index),
            None => Box::pin(self.read(asset)).await,
        }
    }

    async fn read(&self, asset: AssetId) -> Result<Arc<AssetIndex>, StreamingError> {
        let read = async {
            let bytes = self
                .blobs
                .get(&asset::index_key(asset))
                .await
                .map_err(|error| match error {
                    BlobError::NotFound(_) => StreamingError::MediaNotFound,
                    BlobError::Fault(fault) => fault.into(),
                    other => Fault::Internal(other.to_string()).into(),
                })?;
            let index = serde_json::from_slice(&bytes)
                .map_err(|error| Fault::Internal(format!("index of {asset}: {error}")))?;
            Ok::<_, StreamingError>(Arc::new(index))
        };
        self.cache
            .try_get_with(asset, read)
            .await
            .map_err(|error: Arc<StreamingError>| (*error).clone())
    }

    pub async fn forget(&self, asset: AssetId) {
        self.cache.invalidate(&asset).await;
    }
}

impl Room {
    pub(crate) async fn begin_playback(&self, req: StartPlayback) -> Result<Playback, StreamingError> {
        let asset = assets::current(&self.db, req.title)
            .await?
            .ok_or(StreamingError::NotPlayable)?;
        let now = self.inputs.now_ms();
        let row = PlaybackRow {
            id: self.inputs.id(),
            account_id: req.account.0,
            profile_id: req.profile.0,
            title_id: req.title.0,
            asset_id: asset.id,
            created_at: now,
            expires_at: now + self.config.playback_s as i64 * 1000,
            session_id: req.session.map(|session| session.0),
        };
        if !self.streams.may_begin(&grant_of(&row), now) {
            return Err(StreamingError::TooManyStreams(self.config.streams_max));
        }
        playbacks::insert(&self.db, &row, self.config.playbacks_max).await?;
        metrics::counter!("streaming_playbacks_total").increment(1);
        // The player asks for its manifest next: have it at hand.
        let index = self.indexes.get(asset.asset()).await.map_err(|error| match error {
            StreamingError::MediaNotFound => StreamingError::NotPlayable,
            other => other,
        })?;
        let index = self.with_all_beside(index, req.title).await?;
        Ok(self.describe(&row, &asset, &index)?)
    }

    pub(crate) async fn find_playback(&self, req: ForPlayback) -> Result<Playback, StreamingError> {
        let found = playbacks::find(&self.db, req.account, req.playback, self.inputs.now_ms()).await?;
        let row = found.ok_or(StreamingError::PlaybackNotFound)?;
        let asset = assets::find(&self.db, AssetId(row.asset_id))
            .await?
            .ok_or(StreamingError::PlaybackNotFound)?;
        let index = self.indexes.get(asset.asset()).await.map_err(|error| match error {
            StreamingError::MediaNotFound => StreamingError::PlaybackNotFound,
            other => other,
        })?;
        let index = self.with_all_beside(index, row.title_id.into()).await?;
        Ok(self.describe(&row, &asset, &index)?)
    }

    fn describe(&self, row: &PlaybackRow, asset: &AssetRow, index: &AssetIndex) -> Result<Playback, Fault> {
        let grant = grant_of(row);
        let subtitles = index.subtitles.iter().map(|track| Subtitles {
            id: track.name.clone(),
            language: track.language.clone(),
            label: track.label.clone(),
            kind: track.kind,
            path: self.signer.path(&grant, &format!("{}/1.vtt", track.name)),
        });
        let storyboard = index.storyboard.as_ref();
        let chapters = asset.chapters()?.unwrap_or_else(|| index.chapters.clone());
        Ok(Playback {
            id: grant.playback,
            account: grant.account,
            profile: row.profile_id.into(),
            title: row.title_id.into(),
            asset: grant.asset,
            duration_ms: asset.duration_ms as u64,
            credits_ms: asset.credits(),
            intro_ms: asset.intro(),
            chapters,
            subtitles: subtitles.collect(),
            hls_path: self.signer.path(&grant, "master.m3u8"),
            dash_path: (!index.encrypted).then(|| self.signer.path(&grant, "manifest.mpd")),
            storyboard_path: storyboard.map(|found| self.signer.path(&grant, &format!("{}/index.vtt", found.name))),
            expires_at: grant.expires_s * 1000,
        })
    }

    pub(crate) async fn read_media(&self, req: GetMedia) -> Result<Media, StreamingError> {
        let path = req.path.strip_prefix("/media/").unwrap_or(&req.path);
        let now = self.inputs.now_ms();
        let (grant, file) = self.signer.verify(path, now).ok_or(StreamingError::MediaForbidden)?;
        let stranger = req.account.is_some_and(|account| account != grant.account);
        if stranger || self.ended.holds(grant.session) {
            return Err(StreamingError::MediaForbidden);
        }
        let name = Name::parse(file).ok_or(StreamingError::MediaNotFound)?;
        if name.is_watched() && !self.streams.goes_on(&grant, now) {
            return Err(StreamingError::TooManyStreams(self.config.streams_max));
        }
        let index = self.indexes.get(grant.asset).await?;
        let found = |index: &AssetIndex| media(grant.asset, index, name).ok_or(StreamingError::MediaNotFound);
        // What is seldom asked for waits in a box of its own: a future is as large as the largest wait in it, and is moved.
        match name {
            Name::Segment { .. } => found(&index),
            Name::Key { track } => Box::pin(self.segment_key(grant.asset, &index, track)).await,
            // Its players know no such encryption.
            Name::Presentation if index.encrypted => Err(StreamingError::DashNotOffered),
            _ => {
                let index = Box::pin(self.with_beside(index, grant.asset, name)).await?;
                found(&index)
            }
        }
    }

    /// Asked of the database: so it ends with the row.
    async fn segment_key(&self, asset: AssetId, index: &AssetIndex, track: &str) -> Result<Media, StreamingError> {
        if !index.encrypted || index.track(track).is_none() {
            return Err(StreamingError::MediaNotFound);
        }
        match assets::stored(&self.db, asset).await? {
            Stored::Encrypted(secret) => Ok(Media {
                content_type: KEY_TYPE.to_owned(),
                cache_control: KEY_CACHE.to_owned(),
                etag: format!("{asset}-{track}-key"),
                body: MediaBody::Inline(Blob(secret.key_of(track).bytes().to_vec())),
            }),
            Stored::Plain | Stored::Gone => Err(StreamingError::MediaNotFound),
        }
    }
}

fn grant_of(row: &PlaybackRow) -> Grant {
    Grant {
        playback: row.id.into(),
        // Of nobody: a version before this one wrote the row, and only its expiry ends it.
        session: row.session_id.map_or(SessionId(0), SessionId),
        account: row.account_id.into(),
        asset: row.asset_id.into(),
        expires_s: row.expires_at / 1000,
    }
}

fn media(asset: AssetId, index: &AssetIndex, name: Name<'_>) -> Option<Media> {
    let text = |content_type, text| Some(manifest(content_type, text));
    match name {
        Name::Multivariant => text(HLS_TYPE, manifest::multivariant(index)),
        Name::Presentation => text(DASH_TYPE, manifest::presentation(index)),
        Name::Playlist { track } => text(HLS_TYPE, manifest::playlist(index, track)?),
        Name::KeyframePlaylist { track } => text(HLS_TYPE, manifest::keyframe_playlist(index.video_named(track)?)?),
        Name::Storyboard { track } => text(
            VTT_TYPE,
            manifest::storyboard_cues(index.storyboard_named(track)?, index.duration_ms),
        ),
        Name::Key { .. } => None,
        Name::Check | Name::CheckOnce => Some(Media {
            cache_control: CHECK_CACHE.to_owned(),
            ..manifest("text/plain", String::new())
        }),
        Name::Init { track } => {
            let key = asset::init_key(asset, track);
            Some(stored(asset, (track, "init"), key, index.track(track)?.init_bytes))
        }
        Name::Segment { track, number } => {
            let key = asset::segment_key(asset, track, number);
            let bytes = index.track(track)?.segment_bytes(number)?;
            Some(stored(asset, (track, &number.to_string()), key, bytes))
        }
        Name::Subtitles { track } => {
            let bytes = index.subtitles_named(track)?.bytes;
            Some(stored(asset, (track, "1"), asset::subtitles_key(asset, track), bytes))
        }
        Name::Sheet { track, number } => {
            let bytes = index.storyboard_named(track)?.sheet_bytes(number)?;
            let key = asset::sheet_key(asset, track, number);
            Some(stored(asset, (track, &number.to_string()), key, bytes))
        }
    }
}

fn manifest(content_type: &str, text: String) -> Media {
    let digest = Sha256::digest(text.as_bytes());
    let etag = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Media {
        content_type: content_type.to_owned(),
        cache_control: MANIFEST_CACHE.to_owned(),
        etag,
        body: MediaBody::Inline(Blob(text.into_bytes())),
    }
}

/// A stored file is never changed under its name, so the name is its validator.
fn stored(asset: AssetId, (track, name): (&str, &str), key: String, bytes: u64) -> Media {
    let content_type = match track.as_bytes().first() {
        Some(b'a') => "audio/mp4",
        Some(b's') => VTT_TYPE,
        Some(b'b') => "image/jpeg",
        _ => "video/mp4",
    };
    Media {
        content_type: content_type.to_owned(),
        cache_control: SEGMENT_CACHE.to_owned(),
        etag: format!("{asset}-{track}-{name}"),
        body: MediaBody::Stored { key, bytes },
    }
}
