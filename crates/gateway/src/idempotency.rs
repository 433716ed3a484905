//! `Idempotency-Key`: a write that is repeated with the same key and body is done once and answered twice.
//!
//! A request that is being worked on keeps its key until it is done, whether or not its client still waits.
//!
//! Keys live per account, profile, method and path for a day, in this process's memory: a restart forgets them, and beyond a total
//! of 64 MiB the least used go first.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    response::{IntoResponse as _, Response},
};
use contract::AccountId;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use platform::telemetry;
use sha2::{Digest as _, Sha256};

use crate::{extract, problem::Problem};

const KEY_BYTES_MAX: usize = 200;
const ANSWER_BYTES_MAX: usize = 64 << 10;
const ANSWERS_BYTES_MAX: u64 = 64 << 20;
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

/// Digest of account, profile, method, path and key.
type Slot = [u8; 32];

/// Answers given, and requests being answered.
pub struct Answers(moka::sync::Cache<Slot, Arc<Entry>>);

struct Entry {
    /// Digest of the query and the body.
    request: [u8; 32],
    /// Absent while the first request is being worked on.
    answer: Option<Answer>,
}

struct Answer {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    location: Option<HeaderValue>,
    body: Bytes,
    problem: Option<Problem>,
}

/// What to do with a request.
pub enum Turn {
    /// It carries no key.
    Plain(Request),
    /// It is the first: give what answers it to [`Ticket::answer`].
    First(Request, Ticket),
    /// It was answered before.
    Again(Response),
}

/// The right and duty to answer a key: see [`Ticket::answer`]. Dropped without an answer, the key is free again.
pub struct Ticket {
    answers: moka::sync::Cache<Slot, Arc<Entry>>,
    slot: Slot,
    request: [u8; 32],
    kept: bool,
}

impl Answers {
    pub fn new() -> Self {
        let weigh =
            |_: &Slot, entry: &Arc<Entry>| 200 + entry.answer.as_ref().map_or(0, |answer| answer.body.len() as u32);
        Self(
            moka::sync::Cache::builder()
                .weigher(weigh)
                .max_capacity(ANSWERS_BYTES_MAX)
                .time_to_live(KEPT_FOR)
                .build(),
        )
    }

    /// Looks at the request's key, if it has one.
    pub async fn turn(&self, account: AccountId, request: Request) -> Result<Turn, Problem> {
        let Some(key) = key(request.headers())? else {
            return Ok(Turn::Plain(request));
        };
        let slot = slot(account, &request, key);
        let (parts, body) = request.into_parts();
        let body = extract::whole(Request::from_parts(parts.clone(), body), extract::JSON_BYTES_MAX).await?;
        let digest: [u8; 32] = Sha256::new()
            .chain_update(parts.uri.query().unwrap_or_default())
            .chain_update([0])
            .chain_update(&body)
            .finalize()
            .into();
        let fresh = Arc::new(Entry {
            request: digest,
            answer: None,
        });
        let entry = self.0.entry(slot).or_insert_with(|| fresh);
        if entry.is_fresh() {
            let ticket = Ticket {
                answers: self.0.clone(),
                slot,
                request: digest,
                kept: false,
            };
            return Ok(Turn::First(Request::from_parts(parts, Body::from(body)), ticket));
        }
        let entry = entry.into_value();
        if entry.request != digest {
            let detail = "this Idempotency-Key was used for another request; take a new one";
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                detail,
            ));
        }
        match &entry.answer {
            Some(answer) => Ok(Turn::Again(answer.respond())),
            None => {
                let detail = "the first request with this Idempotency-Key is still being worked on";
                let problem = Problem::new(StatusCode::CONFLICT, "idempotency_in_progress", detail);
                Err(Problem {
                    retry_after_s: Some(1),
                    ..problem
                })
            }
        }
    }
}

impl Ticket {
    /// Does the work to its end and keeps its answer, also when nobody waits any more: a caller who is gone or was sent away
    /// cannot know whether it was done, and asks again. Until then the key stays taken.
    pub async fn answer(self, work: impl Future<Output = Response> + Send + 'static) -> Response {
        let work = async move { self.keep(work.await).await };
        match tokio::spawn(telemetry::carried(work)).await {
            Ok(response) => response,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Problem::internal(error).into_response(),
            },
        }
    }

    /// Keeps the answer for the next time, unless it is one that repeating may mend.
    async fn keep(mut self, response: Response) -> Response {
        let lasting = !response.status().is_server_error() && response.status() != StatusCode::TOO_MANY_REQUESTS;
        if !lasting {
            return response;
        }
        let (parts, body) = response.into_parts();
        let Ok(collected) = body.collect().await else {
            return Problem::internal("an answer broke off while it was kept").into_response();
        };
        let body = collected.to_bytes();
        if body.len() <= ANSWER_BYTES_MAX {
            let answer = Answer {
                status: parts.status,
                content_type: parts.headers.get(header::CONTENT_TYPE).cloned(),
                location: parts.headers.get(header::LOCATION).cloned(),
                body: body.clone(),
                problem: parts.extensions.get::<Problem>().cloned(),
            };
            self.answers.insert(
                self.slot,
                Arc::new(Entry {
                    request: self.request,
                    answer: Some(answer),
                }),
            );
            self.kept = true;
        }
        Response::from_parts(parts, Body::from(body))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.kept {
            self.answers.invalidate(&self.slot);
        }
    }
}

impl Answer {
    fn respond(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, &self.content_type),
            (header::LOCATION, &self.location),
        ] {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        if let Some(problem) = &self.problem {
            response.extensions_mut().insert(problem.clone());
        }
        response
    }
}

fn key(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.as_bytes();
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        let detail = format!("an Idempotency-Key has 1 to {KEY_BYTES_MAX} characters");
        return Err(Problem::bad_request("idempotency_key_invalid", detail));
    }
    Ok(Some(key))
}

fn slot(account: AccountId, request: &Request, key: &[u8]) -> Slot {
    let profile = request.headers().get("x-profile");
    let mut digest = Sha256::new();
    for part in [
        account.0.to_be_bytes().as_slice(),
        profile.map_or(&[], HeaderValue::as_bytes),
        request.method().as_str().as_bytes(),
        request.uri().path().as_bytes(),
        key,
    ] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
