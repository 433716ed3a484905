//! What a refusal looks like: RFC 9457 `application/problem+json` with a stable `code`.
//!
//! A [`Problem`] travels inside the answer until [`crate::edge`] writes it out with the correlation id, so that whatever
//! refuses (a handler, a policy, the router itself) looks the same.

use axum::response::{IntoResponse, Response};
use contract::{Code, DoorError, accounts::AccountsError, streaming::StreamingError};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// A refusal. `detail` is for people, `code` for programs.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Problem {
    /// Always `about:blank`: what kind it is stands in `code`.
    #[serde(rename = "type")]
    #[schema(rename = "type", value_type = String, example = "about:blank")]
    pub kind: &'static str,
    /// The status in words.
    #[schema(value_type = String, example = "Not Found")]
    pub title: &'static str,
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, example = 404)]
    pub status: StatusCode,
    /// What is wrong and what to do, in words.
    #[schema(example = "no such title")]
    pub detail: String,
    /// Stable name of what is wrong.
    #[schema(value_type = String, example = "title_not_found")]
    pub code: &'static str,
    /// Which parts of the request are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    /// When to try again, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// Name this to whoever looks after the system.
    pub correlation_id: String,
    /// For the log only.
    #[serde(skip)]
    #[schema(ignore)]
    pub cause: Option<String>,
}

/// One wrong part of a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldError {
    /// Path of the field, such as `preferences.genres[2]`; empty for the whole.
    #[schema(example = "stars")]
    pub field: String,
    pub message: String,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            detail: detail.into(),
            code,
            errors: Vec::new(),
            retry_after_s: None,
            correlation_id: String::new(),
            cause: None,
        }
    }

    /// The request does not fit its schema; `field` says where.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let error = FieldError {
            field: field.into(),
            message: message.into(),
        };
        let detail = match error.field.as_str() {
            "" => error.message.clone(),
            field => format!("{field}: {}", error.message),
        };
        Self {
            errors: vec![error],
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "request_invalid", detail)
        }
    }

    /// The same, for the query or a header.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub fn not_found(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// One answer for a title that does not exist and for one that this profile must not see.
    pub fn no_such_title() -> Self {
        Self::not_found("title_not_found", "no such title")
    }

    pub fn unauthenticated(detail: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    pub fn forbidden(detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub fn too_many(retry_after_s: u32) -> Self {
        let detail = format!("too many requests; try again in {retry_after_s} s");
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
        }
    }

    /// A defect of ours. The cause goes to the log, never to the client.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "something went wrong here; it is in the log under this correlation id",
            )
        }
    }
}

/// Translates a door's error once, at the edge.
fn from_door(error: &dyn DoorError) -> Problem {
    let status = match error.code() {
        Code::InvalidArgument => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict | Code::FailedPrecondition => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Internal => return Problem::internal(error),
    };
    let slug = error.slug();
    // Faults carry text of ours and of the machine; the client gets words of its own.
    let detail = match slug {
        "unavailable" => "a part of the service is not there just now; try again soon".to_owned(),
        "storage_full" => "the server's storage is full; its operator has to make room".to_owned(),
        "deadline_exceeded" => "this took too long; try again".to_owned(),
        "overloaded" => "too much at once; try again soon".to_owned(),
        _ => error.to_string(),
    };
    let cause = status.is_server_error().then(|| error.to_string());
    let retry_after_s = (status == StatusCode::SERVICE_UNAVAILABLE || slug == "overloaded").then_some(1);
    Problem {
        cause,
        retry_after_s,
        ..Problem::new(status, slug, detail)
    }
}

macro_rules! from_doors {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                from_door(&error)
            }
        }
    )+};
}

from_doors!(
    contract::Fault,
    contract::activity::ActivityError,
    contract::catalog::CatalogError,
    contract::imports::ImportsError,
    contract::jobs::JobError,
    contract::recommend::RecommendError,
);

impl From<AccountsError> for Problem {
    fn from(error: AccountsError) -> Self {
        let retry_after_s = match &error {
            AccountsError::TooManyAttempts(seconds) => Some(*seconds),
            _ => None,
        };
        let problem = from_door(&error);
        Self {
            retry_after_s: retry_after_s.or(problem.retry_after_s),
            ..problem
        }
    }
}

impl From<StreamingError> for Problem {
    fn from(error: StreamingError) -> Self {
        let problem = from_door(&error);
        match error {
            StreamingError::UploadTooLarge(_) | StreamingError::UploadQuotaReached(_) => Self {
                title: "Content Too Large",
                status: StatusCode::PAYLOAD_TOO_LARGE,
                ..problem
            },
            StreamingError::UploadExpired => Self {
                title: "Gone",
                status: StatusCode::GONE,
                ..problem
            },
            StreamingError::UploadTakenOver => Self {
                title: "Locked",
                status: StatusCode::LOCKED,
                ..problem
            },
            _ => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
