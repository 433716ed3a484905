//! Files in a bucket of S3, and what its server says where it does not do as it is asked.
//!
//! A request that gets no answer, or an error of the server's own, is sent again a few times, so that a moment's trouble is nobody's.
//! What is written in one request is there whole or not at all; what is larger goes in parts, and is there when the last has come.

use std::{path::Path, sync::Arc, time::Duration};

use contract::Fault;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig, WriteMultipart,
    aws::{AmazonS3, AmazonS3Builder},
    client::{HttpError, HttpErrorKind},
    path::Path as Key,
    prefix::PrefixStore,
};
use tokio::io::AsyncReadExt as _;

use super::{BlobError, Config, disk};

/// What is larger is sent in parts.
pub const PART_BYTES: u64 = 8 << 20;
/// Of a file; each waits in memory.
const PARTS_AT_ONCE: usize = 4;
/// S3 has no more in one file than ten thousand.
const PARTS_MAX: u64 = 9_000;

const CONNECT_MAX: Duration = Duration::from_secs(5);
/// While a part is sent and taken; of an answer, between two of its pieces.
const SILENCE_MAX: Duration = Duration::from_secs(60);
const REQUEST_MAX: Duration = Duration::from_secs(120);
const RETRIES_MAX: usize = 3;
const RETRY_MAX: Duration = Duration::from_secs(20);

/// A bucket, and what people call it.
#[derive(Debug)]
pub struct Bucket {
    pub words: String,
}

/// Asks nothing of the server yet.
pub fn open(config: &Config) -> anyhow::Result<(Bucket, Arc<dyn ObjectStore>)> {
    config.check()?;
    crate::outbound::choose_tls();
    let store = s3(config)?;
    let words = config.words();
    let store: Arc<dyn ObjectStore> = match config.prefix.is_empty() {
        true => Arc::new(store),
        false => Arc::new(PrefixStore::new(store, config.prefix.as_str())),
    };
    Ok((Bucket { words }, store))
}

fn s3(config: &Config) -> anyhow::Result<AmazonS3> {
    let mut builder = match config.access_key_id.is_empty() {
        true => AmazonS3Builder::from_env(),
        false => AmazonS3Builder::new()
            .with_access_key_id(&config.access_key_id)
            .with_secret_access_key(config.secret_access_key.reveal()),
    };
    let mut options = ClientOptions::new()
        .with_connect_timeout(CONNECT_MAX)
        .with_read_timeout(SILENCE_MAX)
        .with_timeout(REQUEST_MAX);
    if let Some(mut server) = config.server()? {
        options = options.with_allow_http(server.scheme() == "http");
        if !config.path_style {
            let host = format!("{}.{}", config.bucket, server.host_str().unwrap_or_default());
            server.set_host(Some(&host))?;
        }
        builder = builder.with_endpoint(server.as_str().trim_end_matches('/'));
    }
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: RETRIES_MAX,
        retry_timeout: RETRY_MAX,
    };
    let builder = builder
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_virtual_hosted_style_request(!config.path_style)
        .with_client_options(options)
        .with_retry(retry);
    // Its text names keys of the configuration at most.
    builder.build().map_err(|error| anyhow::anyhow!("[storage]: {error}"))
}

impl Bucket {
    /// Sends a file, in parts where it is large: a few of them are in memory, whatever its size.
    pub async fn put_file(&self, store: &dyn ObjectStore, to: (&Key, &str), from: &Path) -> Result<(), BlobError> {
        let (at, key) = to;
        let mut file = tokio::fs::File::open(from)
            .await
            .map_err(|error| disk::io_fault(&error))?;
        let bytes = file.metadata().await.map_err(|error| disk::io_fault(&error))?.len();
        if bytes <= PART_BYTES {
            let whole = read_piece(&mut file, bytes).await?;
            let put = store.put(at, PutPayload::from(whole)).await;
            return put.map(drop).map_err(|error| self.write_fault(error, key));
        }
        let part = PART_BYTES.max(bytes.div_ceil(PARTS_MAX));
        let upload = store
            .put_multipart(at)
            .await
            .map_err(|error| self.write_fault(error, key))?;
        let mut upload = Unfinished(Some(WriteMultipart::new_with_chunk_size(upload, part as usize)));
        while let Some(writer) = upload.0.as_mut() {
            let free = writer.wait_for_capacity(PARTS_AT_ONCE).await;
            free.map_err(|error| self.fault(error, key))?;
            let piece = read_piece(&mut file, part).await?;
            if piece.is_empty() {
                break;
            }
            writer.put(piece.into());
        }
        let Some(mut writer) = upload.0.take() else {
            return Ok(());
        };
        // Only now: what fails before leaves it to be given up.
        if let Err(error) = writer.wait_for_capacity(1).await {
            upload.0 = Some(writer);
            return Err(self.fault(error, key));
        }
        // To its end whoever waits: between the last part and the file there is nothing to give up.
        let finished = tokio::spawn(writer.finish()).await;
        let finished = finished.map_err(|error| Fault::Internal(error.to_string()))?;
        finished.map(drop).map_err(|error| self.fault(error, key))
    }

    /// Of a write, before which nothing must be there but the bucket.
    pub fn write_fault(&self, error: object_store::Error, key: &str) -> BlobError {
        match self.fault(error, key) {
            BlobError::NotFound(_) => {
                Fault::Unavailable(format!("there is not {}: check storage.endpoint", self.words)).into()
            }
            fault => fault,
        }
    }

    /// What is wrong, in words that say what to do about it.
    pub fn fault(&self, error: object_store::Error, key: &str) -> BlobError {
        let said = Said::of(&error);
        let place = &self.words;
        let text = match (&error, said.code.as_str()) {
            (_, "NoSuchBucket") => format!("there is not {place}: make it, or name another in storage.bucket"),
            (object_store::Error::NotFound { .. }, code) if code != "NoSuchUpload" => {
                return BlobError::NotFound(key.to_owned());
            }
            _ if said.full => {
                return Fault::StorageFull(format!("{place} takes no more: {said}")).into();
            }
            _ if said.refused => format!(
                "{place} refuses us ({said}): check storage.access_key_id, its secret, and that it may read, write, list and delete"
            ),
            (_, "AuthorizationHeaderMalformed" | "PermanentRedirect") => {
                format!("{place} is of another region ({said}): check storage.region and storage.endpoint")
            }
            _ if said.silent => format!("{place} does not answer ({said}): check storage.endpoint and whether it runs"),
            _ => format!("{place} failed: {said}"),
        };
        Fault::Unavailable(text).into()
    }
}

async fn read_piece(file: &mut tokio::fs::File, bytes_max: u64) -> Result<Vec<u8>, BlobError> {
    let mut piece = Vec::with_capacity(bytes_max as usize);
    let read = file.take(bytes_max).read_to_end(&mut piece).await;
    read.map_err(|error| disk::io_fault(&error))?;
    Ok(piece)
}

/// An upload in parts. Whoever lets go of it before its end gives it up: its parts would be kept, and nobody would see them.
struct Unfinished(Option<WriteMultipart>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let (Some(writer), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = writer.abort().await {
                tracing::warn!(%error, "parts of an upload were left in the bucket");
            }
        });
    }
}

/// What a server's answer says, without what it repeats of the request.
struct Said {
    code: String,
    message: String,
    /// There was no answer.
    silent: bool,
    refused: bool,
    full: bool,
}

impl Said {
    fn of(error: &object_store::Error) -> Self {
        let causes = || {
            std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| {
                error.source()
            })
        };
        let http = causes().find_map(|cause| cause.downcast_ref::<HttpError>());
        // The library shows its errors' status and body in their text alone.
        let texts: Vec<String> = causes().map(ToString::to_string).collect();
        let body = texts.iter().find(|text| text.contains("<Code>"));
        let (code, message) = match body {
            Some(body) => (within(body, "Code"), within(body, "Message")),
            None => (String::new(), cut(texts.last().map_or("", String::as_str))),
        };
        let is_full = code.contains("StorageFull") || code.contains("QuotaExceeded");
        let has_status = |status: u16| {
            let words = format!("status code: {status}");
            texts.iter().any(|text| text.contains(&words))
        };
        Self {
            refused: has_status(401) || has_status(403),
            full: is_full || has_status(507),
            silent: http.is_some_and(|error| error.kind() != HttpErrorKind::Decode),
            code,
            message,
        }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code.as_str(), self.message.as_str()) {
            ("", text) | (text, "") => f.write_str(text),
            (code, message) => write!(f, "{code}: {message}"),
        }
    }
}

/// The text of the first element of this name.
fn within(xml: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let text = xml.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
    text.map(|(text, _)| cut(text)).unwrap_or_default()
}

/// Answers are short, and not all are of a server that we know.
fn cut(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    text.chars().take(CHARS_MAX).collect()
}
