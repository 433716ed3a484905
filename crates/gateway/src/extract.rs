//! Extractors whose refusals are problems that name the field: closed JSON bodies, queries, ids in paths.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
};
use garde::Validate;
use http::{HeaderMap, StatusCode, header, request::Parts};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use crate::{
    closed::Closed,
    problem::{FieldError, Problem},
};

/// The largest JSON body.
pub const JSON_BYTES_MAX: usize = 1 << 20;

/// More of what is wrong with it is not said: a list that is too long may be wrong at every place.
pub const ERRORS_MAX: usize = 100;

/// A JSON body that fits its closed schema.
pub struct Json<T>(pub T);

impl<T, S> FromRequest<S> for Json<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
    S: Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type_unsupported",
                "send the body as application/json",
            ));
        }
        parse(&whole(request, JSON_BYTES_MAX).await?).map(Self)
    }
}

/// A JSON body, or none at all.
pub struct OptionalJson<T>(pub T);

impl<T, S> FromRequest<S> for OptionalJson<T>
where
    T: DeserializeOwned + Validate<Context = ()> + Default,
    S: Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = whole(request, JSON_BYTES_MAX).await?;
        if body.is_empty() {
            Ok(Self(T::default()))
        } else {
            parse(&body).map(Self)
        }
    }
}

/// What is read of a body that is too large, and dropped: a refusal sent into an upload that goes on is lost to most clients.
const DRAINED_BYTES_MAX: usize = 16 << 20;

/// Reads a body of at most `bytes_max`. A longer one is refused: after it has been read, or at once where it is very long.
pub async fn whole(request: Request<Body>, bytes_max: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("a body has at most {bytes_max} bytes here"),
        )
    };
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|bytes: u64| bytes > DRAINED_BYTES_MAX as u64) {
        return Err(too_large());
    }
    let mut body = request.into_body();
    let (mut kept, mut bytes) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| cut_short(&error))?.into_data() else {
            continue;
        };
        bytes += data.len();
        if bytes <= bytes_max {
            kept.extend_from_slice(&data);
        } else if bytes > DRAINED_BYTES_MAX {
            break;
        }
    }
    if bytes > bytes_max {
        return Err(too_large());
    }
    Ok(kept.into())
}

fn cut_short(error: &axum::Error) -> Problem {
    Problem {
        cause: Some(error.to_string()),
        ..Problem::bad_request("body_cut_short", "the body did not arrive whole")
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") || essence.to_ascii_lowercase().ends_with("+json")
}

fn parse<T: DeserializeOwned + Validate<Context = ()>>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(Closed(&mut reader)).map_err(|error| {
        let field = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => {
                let field = if field == "." { String::new() } else { field };
                Problem::invalid(field, inner.to_string())
            }
            _ => Problem::bad_request("json_malformed", format!("the body is not JSON: {inner}")),
        }
    })?;
    reader
        .end()
        .map_err(|_| Problem::bad_request("json_malformed", "there is something after the JSON document"))?;
    validate(&value)?;
    Ok(value)
}

fn validate<T: Validate<Context = ()>>(value: &T) -> Result<(), Problem> {
    let Err(report) = value.validate() else { return Ok(()) };
    // That a list is too long says more than what is wrong at each of its places.
    let mut wrong: Vec<_> = report.iter().collect();
    wrong.sort_by_key(|(path, _)| path.len());
    let errors: Vec<FieldError> = wrong
        .into_iter()
        .take(ERRORS_MAX)
        .map(|(path, error)| FieldError {
            field: path.to_string(),
            message: error.to_string(),
        })
        .collect();
    let first = errors
        .first()
        .map_or_else(String::new, |error| format!("{}: {}", error.field, error.message));
    Err(Problem {
        errors,
        ..Problem::invalid("", first)
    })
}

/// A query that fits its closed schema.
pub struct Query<T>(pub T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
    S: Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let invalid = |problem: Problem| Problem {
            status: StatusCode::BAD_REQUEST,
            title: "Bad Request",
            code: "query_invalid",
            ..problem
        };
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map_err(|error| invalid(Problem::invalid("", error.body_text())))?;
        validate(&query.0).map_err(invalid)?;
        Ok(Self(query.0))
    }
}

/// Ids in the path. One that cannot be an id names nothing.
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(path) => Ok(Self(path.0)),
            Err(_) => Err(Problem::not_found("not_found", "there is nothing at this address")),
        }
    }
}
